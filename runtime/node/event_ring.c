#include "runtime/node/event_ring.h"

#include <stdarg.h>
#include <stdio.h>

void weft_event_ring_add(struct weft_event_ring *ring, const char *type, const char *subject,
                         const char *format, ...)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    // Pairs with the release store of tail in weft_event_ring_take: that slot has been read.
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail == WEFT_EVENT_RING_SLOTS) {
        atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
        return;
    }
    struct weft_node_event *event = &ring->slots[head % WEFT_EVENT_RING_SLOTS];
    va_list args;
    va_start(args, format);
    snprintf(event->type, sizeof(event->type), "%s", type);
    snprintf(event->subject, sizeof(event->subject), "%s", subject);
    vsnprintf(event->text, sizeof(event->text), format, args);
    va_end(args);
    // Pairs with the acquire load of head in weft_event_ring_take: the event is whole.
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

bool weft_event_ring_take(struct weft_event_ring *ring, struct weft_node_event *event)
{
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    // Pairs with the release store of head in weft_event_ring_add.
    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire)) return false;
    *event = ring->slots[tail % WEFT_EVENT_RING_SLOTS];
    // Pairs with the acquire load of tail in weft_event_ring_add: the slot may be written again.
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}
