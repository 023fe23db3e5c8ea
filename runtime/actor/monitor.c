// monitor.c: one actor learns of another's end, once, without an allocation when it happens.
//
// Two blocks are made with a monitor. The DOWN goes to the target and waits in its table; the watch
// stays in the watcher's. The end of the target sends the DOWN back; demonitor sends the watch
// after it, as the carrier that takes the DOWN out of the target's table, so neither way can fail.
// They may cross: a DOWN that finds no watch is dropped.
#include <errno.h>

#include <weft/link.h>

#include "runtime/actor/internal.h"

// Hidden behind a watch: the DOWN, once it stands in the watcher's mailbox.
static struct weft_message **down_of(struct weft_message *watch)
{
    return (struct weft_message **)(void *)watch->payload;
}

int weft_monitor_as(struct weft_actor *watcher, weft_pid target, uint64_t reference, bool has_come)
{
    struct weft_actor_system *system = watcher->system;
    struct weft_message *watch = weft_message_alloc_control(system);
    if (watch == NULL) return -ENOMEM;
    struct weft_message *down = has_come ? NULL : weft_message_alloc_control(system);
    if (down == NULL && !has_come) {
        weft_message_release_block(system, watch);
        return -ENOMEM;
    }
    watch->tag = TAG_EDGE_WATCH;
    watch->to = target;
    watch->reference = reference;
    *down_of(watch) = NULL;
    weft_edge_add(watcher, watch);
    if (has_come) return 0;
    down->reference = reference;
    down->tag = TAG_MONITOR;
    down->to = target;
    down->from = watcher->pid;
    weft_signal(system, down);
    return 0;
}

int weft_actor_monitor(struct weft_actor *watcher, weft_pid target, uint64_t *reference)
{
    *reference = ++watcher->system->reference;
    return weft_monitor_as(watcher, target, *reference, false);
}

static void fire(struct weft_actor_system *system, struct weft_message *down, weft_pid watcher,
                 weft_pid target, uint16_t reason)
{
    down->tag = WEFT_MESSAGE_DOWN;
    down->type = reason;
    down->to = watcher;
    down->from = target;
    weft_signal(system, down);
}

// At the target's: from now on its end is told.
void weft_monitor_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                          struct weft_message *down)
{
    if (actor == NULL || (actor->task.flags & WEFT_ACTOR_ZOMBIE) != 0) {
        fire(system, down, down->from, down->to, WEFT_EXIT_NOPROC);
        return;
    }
    down->tag = TAG_EDGE_WATCHED;
    weft_edge_add(actor, down);
}

// At the watcher's.
void weft_down_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *down)
{
    struct weft_message *watch =
        actor != NULL ? weft_edge_find(actor, TAG_EDGE_WATCH, down->reference) : NULL;
    if (watch == NULL || (actor->task.flags & WEFT_ACTOR_ZOMBIE) != 0) {
        weft_message_release_block(system, down);
        return;
    }
    *down_of(watch) = down;
    weft_mailbox_put(system, actor, down, false);
}

// The DOWN leaves the mailbox for its reader: the watch has done its work.
void weft_down_received(struct weft_actor *actor, const struct weft_message *down)
{
    struct weft_message *watch = weft_edge_take(actor, TAG_EDGE_WATCH, down->reference);
    if (watch != NULL) weft_message_release_block(actor->system, watch);
}

struct weft_message *weft_monitor_find(const struct weft_actor *actor, uint64_t reference,
                                       bool *known)
{
    struct weft_message *watch = weft_edge_find(actor, TAG_EDGE_WATCH, reference);
    *known = watch != NULL;
    return watch != NULL ? *down_of(watch) : NULL;
}

static void demonitor(struct weft_actor *watcher, struct weft_message *watch)
{
    struct weft_actor_system *system = watcher->system;
    struct weft_message *down = *down_of(watch);
    if (down != NULL) { // It has come, unread.
        weft_mailbox_take(watcher, down);
        weft_message_release_block(system, down);
        weft_message_release_block(system, watch);
        return;
    }
    watch->tag = TAG_DEMONITOR;
    watch->from = watcher->pid;
    weft_signal(system, watch);
}

void weft_demonitor_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                            struct weft_message *watch)
{
    struct weft_message *down =
        actor != NULL ? weft_edge_take(actor, TAG_EDGE_WATCHED, watch->reference) : NULL;
    if (down != NULL) weft_message_release_block(system, down);
    weft_message_release_block(system, watch);
}

int weft_actor_demonitor(struct weft_actor *watcher, uint64_t reference)
{
    struct weft_message *watch = weft_edge_take(watcher, TAG_EDGE_WATCH, reference);
    if (watch != NULL) demonitor(watcher, watch);
    return watch != NULL ? 0 : -ENOENT;
}

void weft_monitor_end(struct weft_actor *actor, struct weft_message *edge)
{
    if (edge->tag == TAG_EDGE_WATCHED)
        fire(actor->system, edge, edge->from, actor->pid, actor->exit_reason);
    else
        demonitor(actor, edge);
}

int weft_monitor(struct weft_actor *self, weft_pid pid, uint64_t *reference)
{
    enter(self);
    const int result = weft_actor_monitor(self, pid, reference);
    leave(self);
    return result;
}

int weft_demonitor(struct weft_actor *self, uint64_t reference)
{
    enter(self);
    const int result = weft_actor_demonitor(self, reference);
    leave(self);
    return result;
}

// Takes the DOWN of `reference`, if it has come. The message in the caller's hands stays valid.
static bool take_down(struct weft_actor *self, uint64_t reference, uint16_t *reason)
{
    bool known;
    struct weft_message *down = weft_monitor_find(self, reference, &known);
    if (down == NULL) return false;
    if (reason != NULL) *reason = down->type;
    weft_mailbox_take(self, down);
    weft_message_release_block(self->system, down);
    return true;
}

int weft_join(struct weft_actor *self, weft_pid pid, uint64_t timeout_ns, uint16_t *reason)
{
    enter(self);
    uint64_t reference;
    int result = weft_actor_monitor(self, pid, &reference);
    if (result == 0) {
        const uint64_t deadline_ns = weft_deadline_ns(self, timeout_ns);
        enum weft_wait wait = WAIT_OVER;
        bool is_over;
        while (!(is_over = take_down(self, reference, reason)) && wait == WAIT_OVER)
            wait = weft_actor_wait(self, deadline_ns);
        if (!is_over) {
            weft_actor_demonitor(self, reference);
            result = wait == WAIT_TIMEOUT ? -ETIMEDOUT : -ENOMEM;
        }
    }
    leave(self);
    return result;
}
