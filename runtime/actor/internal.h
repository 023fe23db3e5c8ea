// internal.h: what actor.c, message.c and monitor.c know of each other.
#ifndef WEFT_ACTOR_INTERNAL_H
#define WEFT_ACTOR_INTERNAL_H

#include "runtime/actor/actor.h"

// Tags that only travel between cores, above the public ones.
enum {
    TAG_MONITOR = 64, // A DOWN on its way to the actor that it will tell of.
    TAG_DEMONITOR     // A watch on its way to take that DOWN back.
};

static inline bool is_control(const struct weft_message *message)
{
    return message->tag >= WEFT_MESSAGE_TIMER;
}

// message.c

// A block without payload and without a count, for control messages; 16 payload bytes are there all
// the same, hidden from its reader by length 0 (the smallest class is 64 bytes). NULL at the cap.
struct weft_message *weft_message_alloc_control(struct weft_actor_system *system);

void weft_message_init(struct weft_actor_system *system);
void weft_message_destroy(struct weft_actor_system *system);

// Takes over a control message for an actor of another core; keeps it while the ring is full.
void weft_message_send_control(struct weft_actor_system *system, uint16_t to,
                               struct weft_message *message);

// True if core `index` exists and runs actors.
bool weft_message_reaches(const struct weft_actor_system *system, uint16_t index);

// The handlers of WEFT_CORE_MESSAGE_ACTOR and _MEMORY, and the flush of each turn.
void weft_message_on_actor(void *self, const struct weft_core_message *message);
void weft_message_on_memory(void *self, const struct weft_core_message *message);
void weft_message_flush(void *self, uint64_t now_ns);

// actor.c

// Ends `actor` of this core at its next slice.
void weft_actor_end_soon(struct weft_actor *actor, enum weft_exit reason);

// monitor.c

void weft_monitor_place(struct weft_actor_system *system, struct weft_message *down);
void weft_monitor_remove(struct weft_actor_system *system, struct weft_message *watch);
void weft_monitor_deliver(struct weft_actor_system *system, struct weft_message *down);
void weft_monitor_received(struct weft_actor_system *system, struct weft_message *down);
void weft_monitor_end(struct weft_actor *actor); // Takes back its watches, fires its monitors.

#endif // WEFT_ACTOR_INTERNAL_H
