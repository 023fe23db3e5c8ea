// capture.h: the captures of the lab's nodes as one stream of pcapng (`weft lab pcap`).
#ifndef WEFT_LAB_CAPTURE_H
#define WEFT_LAB_CAPTURE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/base/error.h"

struct weft_lab_capture_options {
    const char *node;     // NULL: every node that runs.
    uint64_t packet_max;  // 0: no limit.
    uint64_t duration_ns; // 0: no limit.
    int fd;               // Takes the capture; each packet is written at once.
    FILE *err;            // Says which nodes are captured, once all of them are.
};

// Captures until a limit, SIGINT or SIGTERM, the reader leaves, or every node is gone. The number
// of packets, or -1 with `error`.
int64_t weft_lab_capture(const json_t *lab, const struct weft_lab_capture_options *options,
                         struct weft_error *error);

#endif // WEFT_LAB_CAPTURE_H
