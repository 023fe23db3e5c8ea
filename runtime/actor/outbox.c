// outbox.c: the ways of a message: into a mailbox of this core, or in a chain to another one.
//
// What one slice sends to another core is one chain, and a chain is one slot of the ring of that
// pair: a thousand messages cost the two cores one line and not a thousand. What does not go
// because the ring is full stays in the chain, in order; a chain that gets long makes its senders
// wait. Blocks released here that belong elsewhere go back likewise, once a turn.
#include <errno.h>

#include "runtime/actor/internal.h"

#define FLUSH_COUNT 16   // A chain of so many goes at once.
#define LONG_COUNT  4096 // A longer one makes its senders wait.

static bool push(struct weft_actor_system *system, uint16_t to, enum weft_core_message_kind kind,
                 struct weft_message *first)
{
    const struct weft_core_message chain = {.kind = kind, .word = {(uintptr_t)first}};
    return weft_core_push(system->core, to, &chain);
}

static void flush_to(struct weft_actor_system *system, uint16_t to)
{
    struct weft_outbox *out = &system->out[to];
    out->last->link[0] = NULL;
    if (!push(system, to, WEFT_CORE_MESSAGE_ACTOR, out->first)) return;
    out->first = out->last = NULL;
    out->count = 0;
    system->out_mask &= ~(UINT64_C(1) << to);
    if (out->muted > 0) weft_mute_outbox_shorter(system, to);
}

void weft_outbox_flush(struct weft_actor_system *system)
{
    for (uint64_t mask = system->out_mask; mask != 0; mask &= mask - 1)
        flush_to(system, (uint16_t)__builtin_ctzll(mask));
}

static void release_undestroyed(struct weft_actor_system *system)
{
    for (struct weft_list *link; (link = weft_list_pop(&system->undestroyed)) != NULL;)
        weft_message_release(system, weft_message_of(link));
}

void weft_outbox_turn_end(void *self, uint64_t now_ns)
{
    struct weft_actor_system *system = self;
    if (unlikely(!weft_list_empty(&system->undestroyed))) release_undestroyed(system);
    weft_counter_set(&system->stats.send_count, system->sent);
    weft_counter_set(&system->stats.message_count, system->received);
    weft_arena_settle(system->arena);
    weft_balance_turn(system, now_ns);
    weft_evict_turn(system, now_ns);
    weft_outbox_flush(system);
    for (uint64_t mask = system->home_mask; mask != 0; mask &= mask - 1) {
        const uint16_t to = (uint16_t)__builtin_ctzll(mask);
        if (!push(system, to, WEFT_CORE_MESSAGE_MEMORY, system->home[to])) continue;
        system->home[to] = NULL;
        system->home_mask &= ~(UINT64_C(1) << to);
    }
}

static void append(struct weft_actor_system *system, uint16_t to, struct weft_message *message)
{
    struct weft_outbox *out = &system->out[to];
    weft_assert(to != system->index);
    if (out->last != NULL)
        out->last->link[0] = weft_message_link(message);
    else
        out->first = message;
    out->last = message;
    system->out_mask |= UINT64_C(1) << to;
    if (++out->count % FLUSH_COUNT == 0) flush_to(system, to);
}

void weft_order(struct weft_actor_system *system, uint16_t to, struct weft_message *order)
{
    append(system, to, order);
}

// Where an actor is, as its messages see it.
enum place { HERE, ELSEWHERE, NOWHERE, COMING };

static inline enum place place_of(struct weft_actor_system *system, weft_pid pid,
                                  struct weft_actor **actor, uint16_t *core)
{
    const unsigned where = weft_slot_core(system, pid);
    if (likely(where == system->index + 1u)) {
        *actor = weft_slot_actor(system, pid);
        // While actors arrive, one may be named as ours that another core has its hands on still.
        if (unlikely(system->holding > 0) && weft_actor_system_of(*actor) != system) return COMING;
        return likely((*actor)->pid == pid) ? HERE : NOWHERE;
    }
    if (where == 0) return NOWHERE;
    *core = (uint16_t)(where - 1);
    return ELSEWHERE;
}

static void hold(struct weft_actor_system *system, struct weft_message *message)
{
    weft_list_append(&system->held, weft_message_link(message));
}

int weft_route(struct weft_actor_system *system, struct weft_message *message, bool may_wait)
{
    struct weft_actor *actor;
    uint16_t core;
    switch (place_of(system, message->to, &actor, &core)) {
    case HERE: return weft_mailbox_put(system, actor, message, may_wait);
    case ELSEWHERE: {
        const bool is_long = unlikely(system->out[core].count >= LONG_COUNT);
        if (is_long && !may_wait && is_bounded(message))
            return weft_mailbox_drop(system, message, WEFT_DROP_RING_FULL, -ENOBUFS);
        append(system, core, message);
        return is_long && may_wait ? PUT_MUTE : 0;
    }
    case COMING: hold(system, message); return 0;
    default: return weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_NO_ACTOR, -ESRCH);
    }
}

int weft_actor_send(struct weft_actor_system *system, struct weft_message *message)
{
    weft_assert(message->tag <= WEFT_MESSAGE_SYSTEM);
    if (!is_control(message)) system->sent++;
    const struct weft_actor *self = system->running; // A kind with `slice`.
    if (self != NULL && self->pid == message->from) weft_note_send(self, message);
    return weft_route(system, message, false);
}

struct weft_actor *weft_actor_find(struct weft_actor_system *system, weft_pid pid)
{
    struct weft_actor *actor;
    uint16_t core;
    return place_of(system, pid, &actor, &core) == HERE ? actor : NULL;
}

void weft_signal(struct weft_actor_system *system, struct weft_message *signal)
{
    struct weft_actor *actor;
    uint16_t core;
    switch (place_of(system, signal->to, &actor, &core)) {
    case HERE: weft_signal_arrived(system, actor, signal); break;
    case ELSEWHERE: append(system, core, signal); break;
    case COMING: hold(system, signal); break;
    default: weft_signal_arrived(system, NULL, signal); break;
    }
}

void weft_signal_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                         struct weft_message *signal)
{
    switch (signal->tag) {
    case TAG_KILL:
        if (actor != NULL) weft_actor_end_soon(actor, signal->type);
        break;
    case TAG_AIM:
        if (actor != NULL) weft_aim_arrived(actor, signal);
        break;
    case TAG_EXIT: weft_exit_arrived(system, actor, signal); return;
    case TAG_LINK: weft_link_arrived(system, actor, signal); return;
    case TAG_UNLINK: weft_unlink_arrived(system, actor, signal); return;
    case TAG_LINK_EXIT: weft_link_exit_arrived(system, actor, signal); return;
    case TAG_MONITOR: weft_monitor_arrived(system, actor, signal); return;
    case TAG_DEMONITOR: weft_demonitor_arrived(system, actor, signal); return;
    case TAG_TICK: weft_timer_came_back(system, actor, signal); return;
    case TAG_NAME: weft_name_arrived(system, actor, signal); return;
    case TAG_INFO: weft_info_arrived(system, actor, signal); return;
    case TAG_OWN: weft_own_arrived(system, actor, signal); return;
    case WEFT_MESSAGE_DOWN: weft_down_arrived(system, actor, signal); return;
    default: // A control message: TIMER, SYSTEM.
        if (actor == NULL) break;
        weft_mailbox_put(system, actor, signal, false);
        return;
    }
    if (signal->tag == WEFT_MESSAGE_TIMER)
        weft_message_release(system, signal); // It may have to go back to what ticks.
    else
        weft_message_release_block(system, signal);
}

static void obey(struct weft_actor_system *system, struct weft_message *order)
{
    switch (order->tag) {
    case TAG_MUTE: weft_mute_ordered(system, order); break;
    case TAG_UNMUTE: weft_unmute_ordered(system, order); break;
    case TAG_JOIN:
    case TAG_LEAVE: weft_group_ordered(system, order); break;
    case TAG_CREDIT:
    case TAG_RECALL: weft_credit_ordered(system, order); break;
    default: weft_move_ordered(system, order); break;
    }
}

void weft_outbox_deliver(struct weft_actor_system *system, struct weft_message *message)
{
    struct weft_actor *actor = NULL;
    uint16_t core;
    if (unlikely(message->tag >= TAG_ORDERS)) {
        obey(system, message);
        return;
    }
    switch (place_of(system, message->to, &actor, &core)) {
    case HERE: break;
    case ELSEWHERE: // It has moved on; or it is frozen here still, and what was sent here is for
                    // it.
        actor = weft_move_find(system, message->to);
        if (actor != NULL) break;
        append(system, core, message);
        return;
    case COMING: hold(system, message); return;
    default: actor = NULL; break;
    }
    if (message->tag >= TAG_SIGNALS || is_control(message)) {
        weft_signal_arrived(system, actor, message);
    } else if (unlikely(actor == NULL)) {
        weft_mailbox_drop(system, message, WEFT_DROP_MAILBOX_NO_ACTOR, -ESRCH);
    } else {
        const weft_pid from = message->from;
        if (weft_mailbox_put(system, actor, message, from != 0) == PUT_MUTE)
            weft_mute_remote(actor, from);
    }
}

void weft_outbox_on_actor(void *self, const struct weft_core_message *chain)
{
    struct weft_actor_system *system = self;
    struct weft_message *message = (struct weft_message *)(uintptr_t)chain->word[0];
    while (message != NULL) {
        struct weft_message *next = (struct weft_message *)(void *)message->link[0];
        if (next != NULL) __builtin_prefetch(next);
        weft_outbox_deliver(system, message);
        message = next;
    }
}
