// The frames of frame_probe.h, byte by byte.
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/lab/frame_probe.h"

#define ETH_BYTES   14
#define ARP_BYTES   28
#define IP_BYTES    20
#define UDP_BYTES   8
#define ICMP_BYTES  8
#define TYPE_IP     0x0800
#define TYPE_ARP    0x0806
#define ICMP        1
#define UDP         17
#define ECHO_REPLY  0
#define UNREACHABLE 3
#define ECHO        8
#define CODE_PORT   3
#define ECHO_ID     0x5746 // "WF"

static uint32_t sum(const uint8_t *bytes, size_t length, uint32_t start)
{
    for (size_t i = 0; i + 1 < length; i += 2) {
        start += weft_be16_get(bytes + i);
    }
    return length % 2 != 0 ? start + ((uint32_t)bytes[length - 1] << 8) : start;
}

static uint16_t fold(uint32_t value)
{
    while (value >> 16 != 0) {
        value = (value & 0xffff) + (value >> 16);
    }
    return (uint16_t)~value;
}

static uint32_t pseudo_sum(const uint8_t *ip, size_t length)
{
    return sum(ip + 12, 8, UDP + (uint32_t)length);
}

static void ethernet(const struct weft_lab_frame_client *client, const uint8_t to[6], uint16_t type,
                     uint8_t *frame)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, client->mac, 6);
    weft_be16_put(frame + 12, type);
}

size_t weft_lab_frame_arp(const struct weft_lab_frame_client *client, bool reply, uint8_t *frame)
{
    static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t *arp = frame + ETH_BYTES;

    ethernet(client, reply ? client->peer_mac : everyone, TYPE_ARP, frame);
    weft_be16_put(arp, 1);
    weft_be16_put(arp + 2, TYPE_IP);
    arp[4] = 6;
    arp[5] = 4;
    weft_be16_put(arp + 6, reply ? 2 : 1);
    memcpy(arp + 8, client->mac, 6);
    weft_be32_put(arp + 14, client->ip);
    memset(arp + 18, 0, 6);
    if (reply) memcpy(arp + 18, client->peer_mac, 6);
    weft_be32_put(arp + 24, client->peer_ip);
    return ETH_BYTES + ARP_BYTES;
}

static uint8_t *ip_header(const struct weft_lab_frame_client *client, uint8_t protocol,
                          size_t length, uint8_t *frame)
{
    uint8_t *ip = frame + ETH_BYTES;

    ethernet(client, client->peer_mac, TYPE_IP, frame);
    memset(ip, 0, IP_BYTES);
    ip[0] = 0x45;
    weft_be16_put(ip + 2, (uint16_t)(IP_BYTES + length));
    weft_be16_put(ip + 6, 0x4000); // Do not fragment.
    ip[8] = 64;
    ip[9] = protocol;
    weft_be32_put(ip + 12, client->ip);
    weft_be32_put(ip + 16, client->peer_ip);
    weft_be16_put(ip + 10, fold(sum(ip, IP_BYTES, 0)));
    return ip + IP_BYTES;
}

size_t weft_lab_frame_datagram(const struct weft_lab_frame_client *client, const void *payload,
                               size_t length, uint8_t *frame)
{
    uint8_t *udp = ip_header(client, UDP, UDP_BYTES + length, frame);

    weft_be16_put(udp, client->port);
    weft_be16_put(udp + 2, client->peer_port);
    weft_be16_put(udp + 4, (uint16_t)(UDP_BYTES + length));
    weft_be16_put(udp + 6, 0);
    memcpy(udp + UDP_BYTES, payload, length);
    const uint16_t checksum =
        fold(sum(udp, UDP_BYTES + length, pseudo_sum(frame + ETH_BYTES, UDP_BYTES + length)));
    weft_be16_put(udp + 6, checksum != 0 ? checksum : 0xffff);
    return ETH_BYTES + IP_BYTES + UDP_BYTES + length;
}

size_t weft_lab_frame_echo(const struct weft_lab_frame_client *client, const void *payload,
                           size_t length, uint8_t *frame)
{
    uint8_t *icmp = ip_header(client, ICMP, ICMP_BYTES + length, frame);

    memset(icmp, 0, ICMP_BYTES);
    icmp[0] = ECHO;
    weft_be16_put(icmp + 4, ECHO_ID);
    weft_be16_put(icmp + 6, 1);
    memcpy(icmp + ICMP_BYTES, payload, length);
    weft_be16_put(icmp + 2, fold(sum(icmp, ICMP_BYTES + length, 0)));
    return ETH_BYTES + IP_BYTES + ICMP_BYTES + length;
}

static enum weft_lab_frame_kind read_arp(struct weft_lab_frame_client *client, const uint8_t *arp,
                                         size_t length)
{
    if (length < ARP_BYTES || weft_be16_get(arp + 2) != TYPE_IP || arp[4] != 6 || arp[5] != 4)
        return WEFT_LAB_FRAME_OTHER;
    if (weft_be32_get(arp + 14) != client->peer_ip || weft_be32_get(arp + 24) != client->ip)
        return WEFT_LAB_FRAME_OTHER;
    memcpy(client->peer_mac, arp + 8, 6);
    return weft_be16_get(arp + 6) == 2 ? WEFT_LAB_FRAME_ARP : WEFT_LAB_FRAME_ARP_ASKS;
}

static enum weft_lab_frame_kind read_udp(const struct weft_lab_frame_client *client,
                                         const uint8_t *ip, const uint8_t *udp, size_t length,
                                         const uint8_t **payload, size_t *payload_length)
{
    if (length < UDP_BYTES || weft_be16_get(udp) != client->peer_port ||
        weft_be16_get(udp + 2) != client->port || weft_be16_get(udp + 4) != length)
        return WEFT_LAB_FRAME_OTHER;
    if (weft_be16_get(udp + 6) != 0 && fold(sum(udp, length, pseudo_sum(ip, length))) != 0)
        return WEFT_LAB_FRAME_OTHER;
    *payload = udp + UDP_BYTES;
    *payload_length = length - UDP_BYTES;
    return WEFT_LAB_FRAME_UDP;
}

static enum weft_lab_frame_kind read_icmp(const struct weft_lab_frame_client *client,
                                          const uint8_t *icmp, size_t length,
                                          const uint8_t **payload, size_t *payload_length)
{
    if (length < ICMP_BYTES || fold(sum(icmp, length, 0)) != 0) return WEFT_LAB_FRAME_OTHER;
    *payload = icmp + ICMP_BYTES;
    *payload_length = length - ICMP_BYTES;
    if (icmp[0] == ECHO_REPLY)
        return weft_be16_get(icmp + 4) == ECHO_ID ? WEFT_LAB_FRAME_ECHO : WEFT_LAB_FRAME_OTHER;
    if (icmp[0] != UNREACHABLE || icmp[1] != CODE_PORT) return WEFT_LAB_FRAME_OTHER;
    // It quotes our datagram: its header and at least 8 bytes (RFC 792).
    const uint8_t *quoted = *payload;
    if (*payload_length < IP_BYTES + UDP_BYTES || quoted[0] != 0x45 || quoted[9] != UDP)
        return WEFT_LAB_FRAME_OTHER;
    const bool ours = weft_be16_get(quoted + IP_BYTES) == client->port &&
                      weft_be16_get(quoted + IP_BYTES + 2) == client->peer_port;
    return ours ? WEFT_LAB_FRAME_UNREACHABLE : WEFT_LAB_FRAME_OTHER;
}

enum weft_lab_frame_kind weft_lab_frame_read(struct weft_lab_frame_client *client,
                                             const uint8_t *frame, size_t length,
                                             const uint8_t **payload, size_t *payload_length)
{
    if (length < ETH_BYTES) return WEFT_LAB_FRAME_OTHER;
    const uint8_t *ip = frame + ETH_BYTES;
    const size_t rest = length - ETH_BYTES;
    if (weft_be16_get(frame + 12) == TYPE_ARP) return read_arp(client, ip, rest);
    if (weft_be16_get(frame + 12) != TYPE_IP || rest < IP_BYTES || ip[0] >> 4 != 4)
        return WEFT_LAB_FRAME_OTHER;
    const size_t header = 4u * (ip[0] & 15), total = weft_be16_get(ip + 2);
    if (header < IP_BYTES || total < header || total > rest || fold(sum(ip, header, 0)) != 0)
        return WEFT_LAB_FRAME_OTHER;
    if (weft_be32_get(ip + 12) != client->peer_ip || weft_be32_get(ip + 16) != client->ip ||
        (weft_be16_get(ip + 6) & 0x3fff) != 0) // A fragment.
        return WEFT_LAB_FRAME_OTHER;
    if (ip[9] == UDP)
        return read_udp(client, ip, ip + header, total - header, payload, payload_length);
    if (ip[9] == ICMP)
        return read_icmp(client, ip + header, total - header, payload, payload_length);
    return WEFT_LAB_FRAME_OTHER;
}
