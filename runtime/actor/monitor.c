// monitor.c: one actor learns of another's end, once, without an allocation when it happens.
//
// Two blocks are made with a monitor, both at the watcher's home:
//
//   watcher's core                              target's core
//   watch, in watcher->watches  <- points to -> down, in target->monitors
//
// The target's end sends `down` to the watcher. Demonitor sends `watch` to the target, as the
// carrier that takes `down` back, and both go home; so neither way can fail. They may cross: then
// the DOWN finds the watch cancelled and is dropped. The watch is still there to be looked at,
// since the DOWN left the target's core first and the way home keeps the order
// (weft_message_flush).
#include <errno.h>

#include "runtime/actor/internal.h"
#include "runtime/base/assert.h"

enum watch_state {
    WATCH_ARMED,    // `down` is with the target, or on its way there or back.
    WATCH_FIRED,    // `down` is in the watcher's mailbox.
    WATCH_CANCELLED // Demonitored; on its way to the target and home.
};

// The hidden payloads.
struct watch_part {
    struct weft_message *down;
    uint8_t state; // Watcher's core only.
};

struct down_part {
    struct weft_message *watch;
};

static struct watch_part *watch_part(struct weft_message *watch)
{
    return (struct watch_part *)(void *)watch->payload;
}

static struct down_part *down_part(struct weft_message *down)
{
    return (struct down_part *)(void *)down->payload;
}

_Static_assert(sizeof(struct watch_part) <= 16 && sizeof(struct down_part) <= 16,
               "hidden behind a header of 48 bytes in a block of 64");

static struct weft_message *make_watch(struct weft_actor *watcher, weft_pid target)
{
    struct weft_actor_system *system = watcher->system;
    struct weft_message *watch = weft_message_alloc_control(system);
    if (watch == NULL) return NULL;
    struct weft_message *down = weft_message_alloc_control(system);
    if (down == NULL) {
        weft_message_release(system, watch);
        return NULL;
    }
    watch->tag = TAG_DEMONITOR;
    down->tag = TAG_MONITOR;
    watch->to = down->from = target;
    watch->from = down->to = watcher->pid;
    watch->reference = down->reference = ++system->reference;
    *watch_part(watch) = (struct watch_part){.down = down, .state = WATCH_ARMED};
    *down_part(down) = (struct down_part){.watch = watch};
    return watch;
}

static void fire(struct weft_actor_system *system, struct weft_message *down, enum weft_exit reason)
{
    down->tag = WEFT_MESSAGE_DOWN;
    down->type = reason;
    const uint16_t to = weft_pid_core(down->to);
    if (to == system->core->index)
        weft_monitor_deliver(system, down);
    else
        weft_message_send_control(system, to, down);
}

// On the target's core: from now on its end is told.
void weft_monitor_place(struct weft_actor_system *system, struct weft_message *down)
{
    struct weft_actor *target = weft_actor_find(system, down->from);
    if (target != NULL)
        weft_list_append(&target->monitors, &down->link);
    else
        fire(system, down, WEFT_EXIT_NOPROC);
}

// On the watcher's core: the DOWN has come.
void weft_monitor_deliver(struct weft_actor_system *system, struct weft_message *down)
{
    struct watch_part *part = watch_part(down_part(down)->watch);
    if (part->state == WATCH_CANCELLED) {
        weft_message_release(system, down);
        return;
    }
    struct weft_actor *watcher = weft_actor_find(system, down->to);
    weft_assert(watcher != NULL); // Its end would have cancelled the watch.
    weft_assert(part->state == WATCH_ARMED);
    part->state = WATCH_FIRED;
    weft_list_append(&watcher->mailbox, &down->link);
    weft_core_ready(system->core, &watcher->task);
}

// The DOWN leaves the mailbox for its reader: the watch has done its work.
void weft_monitor_received(struct weft_actor_system *system, struct weft_message *down)
{
    struct weft_message *watch = down_part(down)->watch;
    weft_list_remove(&watch->link);
    weft_message_release(system, watch);
}

// On the target's core: takes the DOWN back, if it has not left, and sends both home.
void weft_monitor_remove(struct weft_actor_system *system, struct weft_message *watch)
{
    if (weft_actor_find(system, watch->to) != NULL) {
        struct weft_message *down = watch_part(watch)->down;
        weft_list_remove(&down->link);
        weft_message_release(system, down);
    }
    weft_message_release(system, watch);
}

static void cancel(struct weft_actor_system *system, struct weft_message *watch)
{
    struct watch_part *part = watch_part(watch);
    const uint16_t to = weft_pid_core(watch->to);
    weft_list_remove(&watch->link);
    if (part->state == WATCH_FIRED || to == system->core->index) {
        weft_list_remove(
            &part->down->link); // Out of the mailbox, unread, or of the target's monitors.
        weft_message_release(system, part->down);
        weft_message_release(system, watch);
    } else {
        part->state = WATCH_CANCELLED;
        // `watch` is addressed to the target, as `to` of any message.
        weft_message_send_control(system, to, watch);
    }
}

int weft_actor_monitor(struct weft_actor *watcher, weft_pid target, uint64_t *reference)
{
    struct weft_actor_system *system = watcher->system;
    struct weft_message *watch = make_watch(watcher, target);
    if (watch == NULL) return -ENOMEM;
    weft_list_append(&watcher->watches, &watch->link);
    *reference = watch->reference;

    struct weft_message *down = watch_part(watch)->down;
    const uint16_t to = weft_pid_core(target);
    if (to == system->core->index)
        weft_monitor_place(system, down);
    else if (weft_message_reaches(system, to))
        weft_message_send_control(system, to, down);
    else
        fire(system, down, WEFT_EXIT_NOPROC);
    return 0;
}

void weft_actor_demonitor(struct weft_actor *watcher, uint64_t reference)
{
    WEFT_LIST_FOR_EACH (link, &watcher->watches) {
        struct weft_message *watch = WEFT_CONTAINER_OF(link, struct weft_message, link);
        if (watch->reference != reference) continue;
        cancel(watcher->system, watch);
        return;
    }
}

void weft_monitor_end(struct weft_actor *actor)
{
    WEFT_LIST_FOR_EACH (link, &actor->watches) {
        cancel(actor->system, WEFT_CONTAINER_OF(link, struct weft_message, link));
    }
    for (struct weft_list *link; (link = weft_list_pop(&actor->monitors)) != NULL;)
        fire(actor->system, WEFT_CONTAINER_OF(link, struct weft_message, link),
             (enum weft_exit)actor->exit_reason);
}
