#include "image/init/dhcp.h"

#include <stdio.h>
#include <string.h>

#include "image/init/dhcp_packet.h"
#include "runtime/base/units.h"

#define EVERYBODY     UINT32_MAX
#define RETRY_NS      (1 * WEFT_NS_PER_S) // Doubled each time.
#define RETRY_MAX_NS  (32 * WEFT_NS_PER_S)
#define REQUESTS_MAX  4
#define RENEW_LEAST_S 30 // Between two requests of a renewal.

void weft_dhcp_init(struct weft_dhcp *dhcp, const uint8_t mac[6], const char *hostname,
                    uint32_t transaction, uint64_t now_ns)
{
    *dhcp = (struct weft_dhcp){.transaction = transaction, .begun_ns = now_ns, .due_ns = now_ns};
    memcpy(dhcp->mac, mac, 6);
    snprintf(dhcp->hostname, sizeof(dhcp->hostname), "%s", hostname);
}

static uint64_t retry_ns(struct weft_dhcp *dhcp)
{
    const uint32_t doubled = dhcp->attempt < 5 ? dhcp->attempt : 5;
    dhcp->attempt++;
    const uint64_t wait_ns = RETRY_NS << doubled;
    return wait_ns < RETRY_MAX_NS ? wait_ns : RETRY_MAX_NS;
}

static size_t say(const struct weft_dhcp *dhcp, enum weft_dhcp_type type, uint64_t now_ns,
                  uint8_t *bytes)
{
    const bool renews = dhcp->state == WEFT_DHCP_RENEWING;
    const bool requests = dhcp->state == WEFT_DHCP_REQUESTING;
    const uint64_t seconds = (now_ns - dhcp->begun_ns) / WEFT_NS_PER_S;
    const struct weft_dhcp_packet packet = {
        .type = type,
        .transaction = dhcp->transaction,
        .seconds = seconds < 65535 ? (uint16_t)seconds : 65535,
        .mac = dhcp->mac,
        .hostname = dhcp->hostname,
        .own = renews ? dhcp->lease.ip : 0,
        .requested = requests ? dhcp->lease.ip : 0,
        .server = requests ? dhcp->lease.server : 0,
    };
    return weft_dhcp_packet(&packet, bytes);
}

// From the beginning; another number, so that late answers to the old one are not taken.
static void start_over(struct weft_dhcp *dhcp, uint64_t now_ns)
{
    dhcp->state = WEFT_DHCP_SELECTING;
    dhcp->transaction++;
    dhcp->begun_ns = dhcp->due_ns = now_ns;
    dhcp->attempt = 0;
    memset(&dhcp->lease, 0, sizeof(dhcp->lease));
}

static void discover(struct weft_dhcp *dhcp, uint64_t now_ns, uint8_t *packet, size_t *length)
{
    *length = say(dhcp, WEFT_DHCP_DISCOVER, now_ns, packet);
    dhcp->due_ns = now_ns + retry_ns(dhcp);
}

static void request(struct weft_dhcp *dhcp, uint64_t now_ns, uint8_t *packet, size_t *length)
{
    *length = say(dhcp, WEFT_DHCP_REQUEST, now_ns, packet);
    dhcp->bound_ns = now_ns; // A lease counts from the request, not from its answer.
    dhcp->due_ns = now_ns + retry_ns(dhcp);
}

// Half of what is left until the next limit, as section 4.4.5 has it, and not too often.
static void renew(struct weft_dhcp *dhcp, uint64_t now_ns, uint8_t *packet, size_t *length,
                  uint32_t *to)
{
    const uint64_t age_s = (now_ns - dhcp->bound_ns) / WEFT_NS_PER_S;
    const bool rebinds = age_s >= dhcp->lease.rebind_s;
    const uint64_t limit_s = rebinds ? dhcp->lease.lease_s : dhcp->lease.rebind_s;
    uint64_t wait_s = limit_s > age_s ? (limit_s - age_s) / 2 : 0;
    if (wait_s < RENEW_LEAST_S) wait_s = RENEW_LEAST_S;
    if (age_s + wait_s > dhcp->lease.lease_s) wait_s = dhcp->lease.lease_s - age_s;
    if (dhcp->state == WEFT_DHCP_BOUND) {
        dhcp->state = WEFT_DHCP_RENEWING;
        dhcp->transaction++;
        dhcp->begun_ns = now_ns;
    }
    *length = say(dhcp, WEFT_DHCP_REQUEST, now_ns, packet);
    *to = rebinds ? EVERYBODY : dhcp->lease.server;
    dhcp->due_ns = now_ns + wait_s * WEFT_NS_PER_S;
}

enum weft_dhcp_event weft_dhcp_tick(struct weft_dhcp *dhcp, uint64_t now_ns,
                                    uint8_t packet[WEFT_DHCP_PACKET_MAX], size_t *length,
                                    uint32_t *to)
{
    *length = 0;
    *to = EVERYBODY;
    if (now_ns < dhcp->due_ns) return WEFT_DHCP_NOTHING;
    const bool is_held = dhcp->state == WEFT_DHCP_BOUND || dhcp->state == WEFT_DHCP_RENEWING;
    if (is_held && now_ns - dhcp->bound_ns >= dhcp->lease.lease_s * WEFT_NS_PER_S) {
        start_over(dhcp, now_ns);
        discover(dhcp, now_ns, packet, length);
        return WEFT_DHCP_LOST;
    }
    if (dhcp->state == WEFT_DHCP_REQUESTING && dhcp->attempt >= REQUESTS_MAX)
        start_over(dhcp, now_ns);
    if (dhcp->state == WEFT_DHCP_SELECTING)
        discover(dhcp, now_ns, packet, length);
    else if (dhcp->state == WEFT_DHCP_REQUESTING)
        request(dhcp, now_ns, packet, length);
    else
        renew(dhcp, now_ns, packet, length, to);
    return WEFT_DHCP_NOTHING;
}

static enum weft_dhcp_event take_ack(struct weft_dhcp *dhcp, const struct weft_dhcp_lease *lease,
                                     uint64_t now_ns)
{
    const bool renews = dhcp->state == WEFT_DHCP_RENEWING;
    const struct weft_dhcp_lease before = dhcp->lease;
    if (renews) dhcp->bound_ns = now_ns;
    dhcp->lease = *lease;
    if (dhcp->lease.server == 0) dhcp->lease.server = before.server;
    dhcp->state = WEFT_DHCP_BOUND;
    dhcp->attempt = 0;
    dhcp->due_ns = dhcp->bound_ns + lease->renew_s * WEFT_NS_PER_S;
    const bool is_same = renews && before.ip == lease->ip && before.prefix == lease->prefix &&
                         before.gateway == lease->gateway;
    return is_same ? WEFT_DHCP_NOTHING : WEFT_DHCP_CONFIGURED;
}

enum weft_dhcp_event weft_dhcp_receive(struct weft_dhcp *dhcp, const uint8_t *bytes, size_t length,
                                       uint64_t now_ns, uint8_t packet[WEFT_DHCP_PACKET_MAX],
                                       size_t *packet_length, uint32_t *to)
{
    struct weft_dhcp_reply reply;
    *packet_length = 0;
    *to = EVERYBODY;
    if (weft_dhcp_parse(&reply, bytes, length, dhcp->transaction, dhcp->mac) != 0)
        return WEFT_DHCP_NOTHING;
    if (dhcp->state == WEFT_DHCP_SELECTING && reply.type == WEFT_DHCP_OFFER) {
        dhcp->lease = reply.lease; // The first that comes: there is nothing to choose by.
        dhcp->state = WEFT_DHCP_REQUESTING;
        dhcp->attempt = 0;
        request(dhcp, now_ns, packet, packet_length);
        return WEFT_DHCP_NOTHING;
    }
    const bool waits = dhcp->state == WEFT_DHCP_REQUESTING || dhcp->state == WEFT_DHCP_RENEWING;
    if (!waits) return WEFT_DHCP_NOTHING;
    if (reply.type == WEFT_DHCP_ACK) return take_ack(dhcp, &reply.lease, now_ns);
    if (reply.type != WEFT_DHCP_NAK) return WEFT_DHCP_NOTHING;
    const bool held = dhcp->state == WEFT_DHCP_RENEWING;
    start_over(dhcp, now_ns);
    return held ? WEFT_DHCP_LOST : WEFT_DHCP_NOTHING;
}
