// The packets: a head of BOOTP (RFC 951) with the options of RFC 2132 behind it.
#include <errno.h>
#include <string.h>

#include "image/init/dhcp.h"
#include "image/init/dhcp_packet.h"
#include "runtime/base/endian.h"

#define HEAD_BYTES 240 // Up to and with the magic of the options.
#define MAGIC      UINT32_C(0x63825363)

enum {
    AT_OP = 0,
    AT_XID = 4,
    AT_SECS = 8,
    AT_FLAGS = 10,
    AT_CIADDR = 12,
    AT_YIADDR = 16,
    AT_CHADDR = 28,
    AT_MAGIC = 236
};

enum {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_HOSTNAME = 12,
    OPTION_TIME_SERVERS = 42,
    OPTION_REQUESTED = 50,
    OPTION_LEASE = 51,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_WANTED = 55,
    OPTION_SIZE = 57,
    OPTION_RENEW = 58,
    OPTION_REBIND = 59,
    OPTION_CLIENT = 61,
    OPTION_END = 255,
};

struct writing {
    uint8_t *bytes;
    size_t used;
};

static void add(struct writing *w, uint8_t code, const void *bytes, size_t length)
{
    if (w->used + 2 + length + 1 > WEFT_DHCP_PACKET_MAX) return; // An end has to fit behind it.
    w->bytes[w->used++] = code;
    w->bytes[w->used++] = (uint8_t)length;
    memcpy(w->bytes + w->used, bytes, length);
    w->used += length;
}

static void add_be32(struct writing *w, uint8_t code, uint32_t value)
{
    uint8_t bytes[4];
    weft_be32_put(bytes, value);
    add(w, code, bytes, sizeof(bytes));
}

size_t weft_dhcp_packet(const struct weft_dhcp_packet *packet, uint8_t bytes[WEFT_DHCP_PACKET_MAX])
{
    static const uint8_t wanted[] = {OPTION_MASK,  OPTION_ROUTER, OPTION_TIME_SERVERS,
                                     OPTION_LEASE, OPTION_RENEW,  OPTION_REBIND};
    const uint8_t type = (uint8_t)packet->type,
                  size[2] = {WEFT_DHCP_PACKET_MAX >> 8, WEFT_DHCP_PACKET_MAX & 0xff};
    struct writing w = {bytes, HEAD_BYTES};
    uint8_t client[7] = {1};
    memset(bytes, 0, WEFT_DHCP_PACKET_MAX);
    bytes[AT_OP] = 1;     // Of a client.
    bytes[AT_OP + 1] = 1; // Ethernet, whose addresses have 6 bytes.
    bytes[AT_OP + 2] = 6;
    weft_be32_put(bytes + AT_XID, packet->transaction);
    bytes[AT_SECS] = (uint8_t)(packet->seconds >> 8);
    bytes[AT_SECS + 1] = (uint8_t)packet->seconds;
    // The kernel takes no datagram for an address that the card does not have yet: ask for
    // broadcast.
    if (packet->own == 0) bytes[AT_FLAGS] = 0x80;
    weft_be32_put(bytes + AT_CIADDR, packet->own);
    memcpy(bytes + AT_CHADDR, packet->mac, 6);
    weft_be32_put(bytes + AT_MAGIC, MAGIC);
    memcpy(client + 1, packet->mac, 6);
    add(&w, OPTION_TYPE, &type, 1);
    add(&w, OPTION_CLIENT, client, sizeof(client));
    if (packet->requested != 0) add_be32(&w, OPTION_REQUESTED, packet->requested);
    if (packet->server != 0) add_be32(&w, OPTION_SERVER, packet->server);
    add(&w, OPTION_SIZE, size, sizeof(size));
    add(&w, OPTION_WANTED, wanted, sizeof(wanted));
    if (packet->hostname[0] != '\0')
        add(&w, OPTION_HOSTNAME, packet->hostname, strlen(packet->hostname));
    bytes[w.used++] = OPTION_END;
    return w.used < 300 ? 300 : w.used; // What BOOTP's relays take for whole.
}

// ---- Reading.

// A mask of ones and then zeros; anything else counts as not said.
static uint32_t prefix_of(uint32_t mask)
{
    uint32_t prefix = 0;
    while (prefix < 32 && (mask & (UINT32_C(0x80000000) >> prefix)) != 0) {
        prefix++;
    }
    return prefix == 0 || mask != UINT32_MAX << (32 - prefix) ? 0 : prefix;
}

static void take_time_servers(struct weft_dhcp_lease *lease, const uint8_t *at, size_t length)
{
    lease->time_server_count = 0;
    for (size_t i = 0; i + 4 <= length && lease->time_server_count < WEFT_DHCP_SERVERS_MAX;
         i += 4) {
        lease->time_servers[lease->time_server_count++] = weft_be32_get(at + i);
    }
}

static void take_option(struct weft_dhcp_reply *reply, uint8_t code, const uint8_t *at,
                        size_t length)
{
    struct weft_dhcp_lease *lease = &reply->lease;
    if (code == OPTION_TYPE && length == 1) reply->type = (enum weft_dhcp_type)at[0];
    if (code == OPTION_TIME_SERVERS) take_time_servers(lease, at, length);
    if (length < 4) return;
    const uint32_t value = weft_be32_get(at);
    switch (code) {
    case OPTION_MASK: lease->prefix = prefix_of(value); break;
    case OPTION_ROUTER: lease->gateway = value; break;
    case OPTION_LEASE: lease->lease_s = value; break;
    case OPTION_SERVER: lease->server = value; break;
    case OPTION_RENEW: lease->renew_s = value; break;
    case OPTION_REBIND: lease->rebind_s = value; break;
    default: break;
    }
}

static int take_options(struct weft_dhcp_reply *reply, const uint8_t *bytes, size_t length)
{
    size_t at = HEAD_BYTES;
    while (at < length && bytes[at] != OPTION_END) {
        if (bytes[at] == OPTION_PAD) {
            at++;
            continue;
        }
        if (at + 2 > length || at + 2 + bytes[at + 1] > length) return -EINVAL;
        take_option(reply, bytes[at], bytes + at + 2, bytes[at + 1]);
        at += 2 + (size_t)bytes[at + 1];
    }
    return 0;
}

// What a server leaves out, or says against all sense (RFC 2131, section 4.4.5).
static void complete(struct weft_dhcp_lease *lease)
{
    const uint32_t first = lease->ip >> 24;
    if (lease->prefix == 0) lease->prefix = first < 128 ? 8 : first < 192 ? 16 : 24;
    if (lease->lease_s < 60) lease->lease_s = 60; // Nobody is served by a storm of requests.
    if (lease->renew_s == 0 || lease->renew_s >= lease->lease_s)
        lease->renew_s = lease->lease_s / 2;
    if (lease->rebind_s <= lease->renew_s || lease->rebind_s >= lease->lease_s)
        lease->rebind_s = lease->renew_s + (lease->lease_s - lease->renew_s) / 4 * 3;
}

int weft_dhcp_parse(struct weft_dhcp_reply *reply, const uint8_t *bytes, size_t length,
                    uint32_t transaction, const uint8_t mac[6])
{
    memset(reply, 0, sizeof(*reply));
    if (length < HEAD_BYTES || bytes[AT_OP] != 2) return -EINVAL;
    if (weft_be32_get(bytes + AT_XID) != transaction) return -EINVAL;
    if (memcmp(bytes + AT_CHADDR, mac, 6) != 0) return -EINVAL;
    if (weft_be32_get(bytes + AT_MAGIC) != MAGIC) return -EINVAL;
    reply->lease.ip = weft_be32_get(bytes + AT_YIADDR);
    const int result = take_options(reply, bytes, length);
    if (result != 0) return result;
    if (reply->type == WEFT_DHCP_NAK) return 0;
    if (reply->type != WEFT_DHCP_OFFER && reply->type != WEFT_DHCP_ACK) return -EINVAL;
    const uint32_t ip = reply->lease.ip;
    if (ip == 0 || ip >> 28 >= 14 || ip >> 24 == 127) return -EINVAL; // Nobody's own.
    complete(&reply->lease);
    return 0;
}
