// udp_probe.h: one datagram to a node, and what comes back.
//
// On veth links by a socket of the kernel inside the lab's network, so that ARP, IPv4 and UDP of
// the node are met by an implementation that is not ours. On vhost links there is no kernel: the
// frames are made here, byte by byte, and go through the switch.
#ifndef WEFT_LAB_UDP_PROBE_H
#define WEFT_LAB_UDP_PROBE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

#define WEFT_LAB_UDP_BYTES 1472

struct weft_lab_udp {
    const char *address; // "10.77.0.11"
    uint16_t port;
    const char *text;
    size_t length;       // At most WEFT_LAB_UDP_BYTES.
    uint32_t timeout_ms; // 0: 2 s.
    char reply[WEFT_LAB_UDP_BYTES];
    size_t reply_length;
};

// 0 with a reply; -ECONNREFUSED: the node answered port unreachable; -ETIMEDOUT; -1 with `error`
// for what keeps us from asking. `lab` is the lab's document.
int weft_lab_udp_ask(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error);

// One echo request (64 bytes) to `udp`->address. As above, without a reply text.
int weft_lab_ping(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error);

#endif // WEFT_LAB_UDP_PROBE_H
