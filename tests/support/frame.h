// frame.h: correct frames for tests, to be broken afterwards. Node 0 of stack_rig.h is 10.0.0.1
// with MAC 02:..:01; these come from 10.0.0.2 with MAC 02:..:02 unless told otherwise.
#ifndef WEFT_TESTS_SUPPORT_FRAME_H
#define WEFT_TESTS_SUPPORT_FRAME_H

#include <stdint.h>

#define FRAME_BYTES_MAX 1600

struct frame {
    uint8_t bytes[FRAME_BYTES_MAX];
    uint32_t length;
};

// Ethernet header to `to`'s last byte (255: everyone), EtherType, no more.
struct frame frame_ether(uint8_t to, uint16_t ethertype);
// IPv4 with `length` bytes of payload 0, 1, 2...; checksum good.
struct frame frame_ip4(uint32_t source, uint32_t destination, uint8_t protocol, uint32_t length);
struct frame frame_udp(uint16_t source_port, uint16_t destination_port, const char *payload);
struct frame frame_echo(uint32_t length);
struct frame frame_arp(uint16_t operation, uint32_t sender, uint32_t target);
// Puts an 802.1Q tag in.
void frame_tag(struct frame *frame, uint16_t vlan);
// Makes the IPv4 header's, and the UDP or ICMP checksum right again.
void frame_seal(struct frame *frame);

#endif // WEFT_TESTS_SUPPORT_FRAME_H
