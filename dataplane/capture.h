// capture.h: copies of the frames of one core, for whoever watches: bounded, lossy, and the loss
// counted.
//
// The worker writes into a single-producer ring and never waits; the control core drains all rings
// and writes pcapng (pcapng.h). Off, it costs one predictable branch per burst. On, one copy of up
// to `snap_bytes` per frame. The ring is the caller's memory: weft_capture_bytes says how much.
#ifndef WEFT_DATAPLANE_CAPTURE_H
#define WEFT_DATAPLANE_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/units.h"
#include "runtime/env/net.h"

enum weft_capture_direction { WEFT_CAPTURE_IN = 1, WEFT_CAPTURE_OUT = 2 }; // As in pcapng's flags.

struct weft_capture_filter { // What to keep. Zero means: any.
    uint16_t ethertype;
    uint8_t ip_protocol;
    uint16_t udp_port; // Source or destination.
    uint32_t host;     // IPv4 source or destination, or ARP's sender or target; host order.
};

struct weft_capture_slot {
    uint64_t time_ns; // The core's monotonic clock.
    uint32_t length;  // Of the frame on the wire.
    uint16_t kept;    // Bytes of it in `bytes`.
    uint8_t port;
    uint8_t direction;
    uint8_t bytes[]; // snap_bytes of them.
};
_Static_assert(sizeof(struct weft_capture_slot) == 16, "slots follow each other at their stride");

struct weft_capture {
    _Alignas(WEFT_CORE_ALIGN) _Atomic bool on; // Written by the control core.
    uint16_t snap_bytes;                       // The rest is written before `on`, read after it.
    uint32_t mask;
    uint32_t stride;
    uint8_t *slots;
    struct weft_capture_filter filter;
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t head; // Worker's.
    _Atomic uint64_t lost;                           // Frames that found the ring full.
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t tail; // Control core's.
};

// Bytes of memory for a ring of `slot_count` (a power of two) frames of at most `snap_bytes`.
size_t weft_capture_bytes(uint32_t slot_count, uint16_t snap_bytes);

// Prepares `capture`, off, in `memory` of weft_capture_bytes, aligned to 8, which outlives it.
void weft_capture_init(struct weft_capture *capture, void *memory, uint32_t slot_count,
                       uint16_t snap_bytes);

// Control core. Starting while it is on only changes the filter for frames to come after a stop: so
// -EBUSY, until weft_capture_stop. What is in the ring stays there to be drained.
int weft_capture_start(struct weft_capture *capture, const struct weft_capture_filter *filter);
void weft_capture_stop(struct weft_capture *capture);

// Takes the oldest frame: valid until weft_capture_release, which frees its slot. NULL if there is
// none. Control core only.
const struct weft_capture_slot *weft_capture_peek(struct weft_capture *capture);
void weft_capture_release(struct weft_capture *capture);

uint64_t weft_capture_lost(const struct weft_capture *capture); // Any core.

static inline bool weft_capture_is_on(const struct weft_capture *capture)
{
    // Acquire pairs with the release store of weft_capture_start: the filter is seen with it.
    return __builtin_expect(capture != NULL, 0) &&
           atomic_load_explicit(&capture->on, memory_order_acquire);
}

// Copies the frame if the filter wants it. Worker only.
void weft_capture_frame(struct weft_capture *capture, const struct weft_packet *packet,
                        uint8_t port, enum weft_capture_direction direction, uint64_t now_ns);

#endif // WEFT_DATAPLANE_CAPTURE_H
