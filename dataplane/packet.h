// packet.h: moving the edges of a frame, and where the fields of its headers lie.
//
// A header is taken off by moving `data`, put on by moving it back: no byte is copied. Offsets are
// those of IEEE 802.3, RFC 826, 791, 792 and 768; fields are read with weft_be16_get, never through
// a cast.
#ifndef WEFT_DATAPLANE_PACKET_H
#define WEFT_DATAPLANE_PACKET_H

#include <stdint.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/endian.h"
#include "runtime/env/net.h"

enum { // Ethernet II (IEEE 802.3), and the tag of 802.1Q.
    WEFT_ETH_TO = 0,
    WEFT_ETH_FROM = 6,
    WEFT_ETH_TYPE = 12,
    WEFT_ETH_BYTES = 14,
    WEFT_VLAN_BYTES = 4,
    WEFT_ETH_FRAME_BYTES_MIN = 60, // Without the frame check sequence.
    WEFT_ETHERTYPE_IP4 = 0x0800,
    WEFT_ETHERTYPE_ARP = 0x0806,
    WEFT_ETHERTYPE_VLAN = 0x8100,
    WEFT_ETHERTYPE_IP6 = 0x86dd,
};

enum { // ARP for IPv4 over Ethernet (RFC 826).
    WEFT_ARP_HARDWARE = 0,
    WEFT_ARP_PROTOCOL = 2,
    WEFT_ARP_HARDWARE_BYTES = 4,
    WEFT_ARP_PROTOCOL_BYTES = 5,
    WEFT_ARP_OPERATION = 6,
    WEFT_ARP_SENDER_MAC = 8,
    WEFT_ARP_SENDER = 14,
    WEFT_ARP_TARGET_MAC = 18,
    WEFT_ARP_TARGET = 24,
    WEFT_ARP_BYTES = 28,
    WEFT_ARP_REQUEST = 1,
    WEFT_ARP_REPLY = 2,
};

enum { // IPv4 (RFC 791).
    WEFT_IP4_VERSION = 0,
    WEFT_IP4_LENGTH = 2,
    WEFT_IP4_ID = 4,
    WEFT_IP4_FRAGMENT = 6,
    WEFT_IP4_TTL = 8,
    WEFT_IP4_PROTOCOL = 9,
    WEFT_IP4_CHECKSUM = 10,
    WEFT_IP4_SOURCE = 12,
    WEFT_IP4_DESTINATION = 16,
    WEFT_IP4_BYTES = 20,
    WEFT_IP4_DONT_FRAGMENT = 0x4000,
    WEFT_IP4_MORE_OR_OFFSET = 0x3fff,
    WEFT_IP4_ICMP = 1,
    WEFT_IP4_UDP = 17,
};

enum { // ICMP (RFC 792).
    WEFT_ICMP_TYPE = 0,
    WEFT_ICMP_CODE = 1,
    WEFT_ICMP_CHECKSUM = 2,
    WEFT_ICMP_MTU = 6, // Of a "fragmentation needed" (RFC 1191).
    WEFT_ICMP_BYTES = 8,
    WEFT_ICMP_ECHO_REPLY = 0,
    WEFT_ICMP_UNREACHABLE = 3,
    WEFT_ICMP_ECHO = 8,
    WEFT_ICMP_CODE_PROTOCOL = 2,
    WEFT_ICMP_CODE_PORT = 3,
    WEFT_ICMP_CODE_TOO_LONG = 4,
};

enum { // UDP (RFC 768).
    WEFT_UDP_SOURCE = 0,
    WEFT_UDP_DESTINATION = 2,
    WEFT_UDP_LENGTH = 4,
    WEFT_UDP_CHECKSUM = 6,
    WEFT_UDP_BYTES = 8,
};

_Static_assert(WEFT_ARP_TARGET + 4 == WEFT_ARP_BYTES, "RFC 826 for 6 and 4 byte addresses");
_Static_assert(WEFT_IP4_DESTINATION + 4 == WEFT_IP4_BYTES, "RFC 791 without options");
_Static_assert(WEFT_UDP_CHECKSUM + 2 == WEFT_UDP_BYTES, "RFC 768");
_Static_assert(WEFT_PACKET_HEADROOM >=
                   WEFT_ETH_BYTES + WEFT_VLAN_BYTES + WEFT_IP4_BYTES + WEFT_UDP_BYTES,
               "a datagram is built from its payload outwards");

// Takes `count` bytes off the front; the caller has checked that they are there.
static inline void weft_packet_pull(struct weft_packet *packet, uint16_t count)
{
    weft_assert(count <= packet->length);
    packet->data += count;
    packet->length = (uint16_t)(packet->length - count);
    packet->headroom = (uint16_t)(packet->headroom + count);
}

// Makes room for `count` bytes at the front and returns where they begin.
static inline uint8_t *weft_packet_push(struct weft_packet *packet, uint16_t count)
{
    weft_assert(count <= packet->headroom);
    packet->data -= count;
    packet->length = (uint16_t)(packet->length + count);
    packet->headroom = (uint16_t)(packet->headroom - count);
    return packet->data;
}

// Sets the length by moving the end; it stays within the buffer.
static inline void weft_packet_resize(struct weft_packet *packet, uint16_t length)
{
    const uint32_t room = (uint32_t)packet->length + packet->tailroom;
    weft_assert(length <= room);
    packet->length = length;
    packet->tailroom = (uint16_t)(room - length);
}

#endif // WEFT_DATAPLANE_PACKET_H
