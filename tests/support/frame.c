#include "tests/support/frame.h"

#include <string.h>

#include "dataplane/checksum.h"
#include "dataplane/packet.h"

#define IP4  WEFT_ETH_BYTES
#define NEXT (WEFT_ETH_BYTES + WEFT_IP4_BYTES)

struct frame frame_ether(uint8_t to, uint16_t ethertype)
{
    struct frame frame = {.bytes = {2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, 2}, .length = WEFT_ETH_BYTES};
    if (to == 255) memset(frame.bytes, 255, 6);
    weft_be16_put(frame.bytes + WEFT_ETH_TYPE, ethertype);
    return frame;
}

void frame_seal(struct frame *frame)
{
    uint8_t *ip4 = frame->bytes + IP4;
    uint8_t *next = frame->bytes + NEXT;
    const uint16_t length = (uint16_t)(weft_be16_get(ip4 + WEFT_IP4_LENGTH) - WEFT_IP4_BYTES);
    memset(ip4 + WEFT_IP4_CHECKSUM, 0, 2);
    const uint16_t header = weft_checksum_ip4_header(ip4);
    memcpy(ip4 + WEFT_IP4_CHECKSUM, &header, 2);
    if (ip4[WEFT_IP4_PROTOCOL] == WEFT_IP4_UDP && length >= WEFT_UDP_BYTES) {
        memset(next + WEFT_UDP_CHECKSUM, 0, 2);
        const uint64_t pseudo = weft_checksum_pseudo_ip4(weft_be32_get(ip4 + WEFT_IP4_SOURCE),
                                                         weft_be32_get(ip4 + WEFT_IP4_DESTINATION),
                                                         WEFT_IP4_UDP, length);
        const uint16_t sum = weft_checksum_finish(weft_checksum_add(pseudo, next, length));
        memcpy(next + WEFT_UDP_CHECKSUM, &sum, 2);
    }
    if (ip4[WEFT_IP4_PROTOCOL] == WEFT_IP4_ICMP && length >= WEFT_ICMP_BYTES) {
        memset(next + WEFT_ICMP_CHECKSUM, 0, 2);
        const uint16_t sum = weft_checksum_finish(weft_checksum_add(0, next, length));
        memcpy(next + WEFT_ICMP_CHECKSUM, &sum, 2);
    }
}

struct frame frame_ip4(uint32_t source, uint32_t destination, uint8_t protocol, uint32_t length)
{
    struct frame frame = frame_ether(1, WEFT_ETHERTYPE_IP4);
    uint8_t *ip4 = frame.bytes + IP4;
    ip4[0] = 0x45;
    weft_be16_put(ip4 + WEFT_IP4_LENGTH, (uint16_t)(WEFT_IP4_BYTES + length));
    ip4[WEFT_IP4_TTL] = 64;
    ip4[WEFT_IP4_PROTOCOL] = protocol;
    weft_be32_put(ip4 + WEFT_IP4_SOURCE, source);
    weft_be32_put(ip4 + WEFT_IP4_DESTINATION, destination);
    for (uint32_t i = 0; i < length; i++) {
        frame.bytes[NEXT + i] = (uint8_t)i;
    }
    frame.length = NEXT + length;
    frame_seal(&frame);
    return frame;
}

struct frame frame_udp(uint16_t source_port, uint16_t destination_port, const char *payload)
{
    const uint32_t length = WEFT_UDP_BYTES + (uint32_t)strlen(payload);
    struct frame frame = frame_ip4(0x0a000002, 0x0a000001, WEFT_IP4_UDP, length);
    uint8_t *udp = frame.bytes + NEXT;
    weft_be16_put(udp + WEFT_UDP_SOURCE, source_port);
    weft_be16_put(udp + WEFT_UDP_DESTINATION, destination_port);
    weft_be16_put(udp + WEFT_UDP_LENGTH, (uint16_t)length);
    memcpy(udp + WEFT_UDP_BYTES, payload, strlen(payload));
    frame_seal(&frame);
    return frame;
}

struct frame frame_echo(uint32_t length)
{
    struct frame frame = frame_ip4(0x0a000002, 0x0a000001, WEFT_IP4_ICMP, WEFT_ICMP_BYTES + length);
    frame.bytes[NEXT + WEFT_ICMP_TYPE] = WEFT_ICMP_ECHO;
    frame.bytes[NEXT + WEFT_ICMP_CODE] = 0;
    frame_seal(&frame);
    return frame;
}

struct frame frame_arp(uint16_t operation, uint32_t sender, uint32_t target)
{
    struct frame frame = frame_ether(operation == WEFT_ARP_REQUEST ? 255 : 1, WEFT_ETHERTYPE_ARP);
    uint8_t *arp = frame.bytes + WEFT_ETH_BYTES;
    weft_be16_put(arp + WEFT_ARP_HARDWARE, 1);
    weft_be16_put(arp + WEFT_ARP_PROTOCOL, WEFT_ETHERTYPE_IP4);
    arp[WEFT_ARP_HARDWARE_BYTES] = 6;
    arp[WEFT_ARP_PROTOCOL_BYTES] = 4;
    weft_be16_put(arp + WEFT_ARP_OPERATION, operation);
    memcpy(arp + WEFT_ARP_SENDER_MAC, frame.bytes + WEFT_ETH_FROM, 6);
    weft_be32_put(arp + WEFT_ARP_SENDER, sender);
    weft_be32_put(arp + WEFT_ARP_TARGET, target);
    frame.length = 60;
    return frame;
}

void frame_tag(struct frame *frame, uint16_t vlan)
{
    uint8_t *at = frame->bytes + WEFT_ETH_TYPE;
    memmove(at + WEFT_VLAN_BYTES, at, frame->length - WEFT_ETH_TYPE);
    weft_be16_put(at, WEFT_ETHERTYPE_VLAN);
    weft_be16_put(at + 2, vlan);
    frame->length += WEFT_VLAN_BYTES;
}
