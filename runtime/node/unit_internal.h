// unit_internal.h: what the files of a unit's actor know of each other: unit_actor.c (its slices),
// unit_command.c (what it is asked), unit_birth.c (how it comes and goes), unit_restore.c (how it
// comes back).
#ifndef WEFT_NODE_UNIT_INTERNAL_H
#define WEFT_NODE_UNIT_INTERNAL_H

#include "runtime/node/unit_actor.h"

static inline struct weft_node *weft_unit_actor_node(const struct weft_unit_actor *unit)
{
    return unit->worker->node;
}

// It ends after this slice, for the first reason that somebody had.
static inline void weft_unit_actor_end(struct weft_unit_actor *unit, uint16_t reason)
{
    if (!unit->ending) unit->actor->exit_reason = reason;
    unit->ending = true;
}

// Gives it a slice, even while it stands still for a receiver.
static inline void weft_unit_actor_wake(struct weft_unit_actor *unit)
{
    if (weft_actor_disturb(unit->actor)) unit->was_disturbed = true;
}

// ---- unit_actor.c

// What a program prints while nobody asks it anything goes to the log, line by line.
void weft_unit_actor_log_output(struct weft_unit_actor *unit);
void weft_unit_actor_timer_fired(void *self, struct weft_timer *timer, uint64_t now_ns);
// Sets the timer for whatever comes first.
void weft_unit_actor_arm(struct weft_unit_actor *unit);
int weft_unit_actor_slice(struct weft_actor *actor, uint32_t *reductions);

// ---- unit_command.c

// Begins the commands that wait, until one is under way.
void weft_unit_command_begin(struct weft_unit_actor *unit);
// After a slice: has the current command come to its end?
void weft_unit_command_check(struct weft_unit_actor *unit, enum weft_unit_state state);
// The unit is done with `command`: without an error, or with this one.
void weft_unit_command_finish(struct weft_unit_actor *unit, struct weft_command *command);
void weft_unit_command_fail(struct weft_unit_actor *unit, struct weft_command *command,
                            uint16_t code, const char *text);
// The unit is done with `command`, and it is to be finished once the journal has what came of it.
void weft_unit_command_durably(struct weft_unit_actor *unit, struct weft_command *command);
// Sends those that are finished to the control core. True if all went; else the ring was full and
// the next slice tries again.
bool weft_unit_command_send(struct weft_unit_actor *unit);
// On the control core: `self` has come back.
void weft_unit_command_back(struct weft_core *core, void *self, uint64_t argument);

// ---- unit_birth.c

// The actor's `terminate`.
void weft_unit_actor_destroy(struct weft_actor *actor, void *state, uint16_t reason);

// ---- unit_restore.c

// The unit of an actor that has none yet: of `image`, or new if that is no span. As weft_unit_load,
// with *wrong for people if it is the image's fault.
int weft_unit_restore_make(struct weft_unit_actor *unit, struct weft_span image,
                           struct weft_unit_parts *parts, const char **wrong);
// Once it has an actor: its id and its channels, and the rest too unless it is held. 0, -ENOMEM,
// -ENOSPC.
int weft_unit_restore_begin(struct weft_unit_actor *unit, const struct weft_command *command,
                            const struct weft_unit_parts *parts);
int weft_unit_restore_as(struct weft_unit_actor *unit, uint64_t id, bool is_held, bool has_family);
// It is not made, or has ended.
void weft_unit_restore_drop(struct weft_unit_actor *unit);

#endif // WEFT_NODE_UNIT_INTERNAL_H
