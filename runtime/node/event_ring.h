// event_ring.h: what a worker tells the people through the control core: few, small, lossy but
// counted. Same ring as runtime/base/log.h: one producer core, one consumer core.
#ifndef WEFT_NODE_EVENT_RING_H
#define WEFT_NODE_EVENT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/units.h"

#define WEFT_EVENT_RING_SLOTS 64 // A power of two.

struct weft_node_event {
    char type[24];    // "node.dead".
    char subject[64]; // "n2".
    char text[160];
};

struct weft_event_ring {
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t head;
    _Atomic uint64_t lost;
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t tail;
    struct weft_node_event slots[WEFT_EVENT_RING_SLOTS];
};

// Producer core. printf rules.
__attribute__((format(printf, 4, 5))) void weft_event_ring_add(struct weft_event_ring *ring,
                                                               const char *type,
                                                               const char *subject,
                                                               const char *format, ...);
// Consumer core. False if there is none.
bool weft_event_ring_take(struct weft_event_ring *ring, struct weft_node_event *event);

#endif // WEFT_NODE_EVENT_RING_H
