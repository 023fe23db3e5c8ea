// trail.h: behind the payload of a call that was made while a call was being served: whose call it
// goes back to, so that one that waits for itself is found when it arrives, and not by a time-out.
#ifndef WEFT_ACTOR_TRAIL_H
#define WEFT_ACTOR_TRAIL_H

#include "runtime/actor/actor.h"
#include "runtime/base/units.h"

#define WEFT_TRAIL_MAX 6 // Callers that are named; deeper ones are only counted.

struct weft_trail {
    uint64_t root; // Reference of the call that all the others were made for.
    uint32_t depth;
    uint32_t reserved;
    weft_pid callers[WEFT_TRAIL_MAX]; // The first callers, the root's first.
};
_Static_assert(sizeof(struct weft_trail) == 64, "a line");

static inline size_t weft_trail_offset(uint32_t length)
{
    return weft_round_up(length, 16);
}

static inline const struct weft_trail *weft_trail_of(const struct weft_message *message)
{
    return (const struct weft_trail *)(const void *)(message->payload +
                                                     weft_trail_offset(message->length));
}

struct weft_message *weft_message_alloc_trail(struct weft_actor_system *system, uint32_t length,
                                              const struct weft_trail *trail);

#endif // WEFT_ACTOR_TRAIL_H
