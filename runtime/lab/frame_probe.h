// frame_probe.h: a client of the lab without a kernel: ARP, IPv4, UDP and ICMP echo as frames
// through the switch's injection socket.
//
// It is 10.77.0.1 for as long as one question takes. Just enough of RFC 826, 791, 768 and 792 to
// ask and to understand the answer; what comes back is checked (lengths, checksums, addresses).
#ifndef WEFT_LAB_FRAME_PROBE_H
#define WEFT_LAB_FRAME_PROBE_H

#include <stdbool.h>

#include "runtime/lab/udp_probe.h"

int weft_lab_frame_udp(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error);
int weft_lab_frame_ping(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error);

#define WEFT_LAB_FRAME_BYTES 1514

// What an answer is to a question.
enum weft_lab_frame_kind {
    WEFT_LAB_FRAME_OTHER,    // Not for us, or damaged.
    WEFT_LAB_FRAME_ARP,      // It is at `mac`.
    WEFT_LAB_FRAME_ARP_ASKS, // It asks where we are.
    WEFT_LAB_FRAME_UDP,
    WEFT_LAB_FRAME_ECHO,
    WEFT_LAB_FRAME_UNREACHABLE, // Of the port that was asked.
};

struct weft_lab_frame_client { // Who asks whom.
    uint8_t mac[6], peer_mac[6];
    uint32_t ip, peer_ip; // Host order.
    uint16_t port, peer_port;
};

// Frames to send; each returns its length. `frame` holds WEFT_LAB_FRAME_BYTES.
size_t weft_lab_frame_arp(const struct weft_lab_frame_client *client, bool reply, uint8_t *frame);
size_t weft_lab_frame_datagram(const struct weft_lab_frame_client *client, const void *payload,
                               size_t length, uint8_t *frame);
size_t weft_lab_frame_echo(const struct weft_lab_frame_client *client, const void *payload,
                           size_t length, uint8_t *frame);

// What a received frame is; of UDP and ECHO *payload points into it.
enum weft_lab_frame_kind weft_lab_frame_read(struct weft_lab_frame_client *client,
                                             const uint8_t *frame, size_t length,
                                             const uint8_t **payload, size_t *payload_length);

#endif // WEFT_LAB_FRAME_PROBE_H
