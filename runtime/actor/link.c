// link.c: two actors that end together.
//
// A link is two edges, one in the table of each side; both blocks are taken when it is made. At the
// end of one side its edge becomes the signal to the other. Each side remembers which requests made
// the link: its own, the other's or both. A request or its withdrawal that crosses another on the
// way changes only what it names, so the two sides end up agreeing whatever crosses what:
//
//   A: link (r1) ------\ /------ B: link (r2), unlink (r2)
//                       X
//   B: {other r1} <----/ \-----> A: {own r1, other r2}, then {own r1}
//
// (Erlang/OTP's signal protocol, "Link and unlink", solves the same with acknowledgements.)
#include <errno.h>
#include <string.h>

#include <weft/link.h>

#include "runtime/actor/internal.h"

struct requests { // Hidden behind an edge: what made the link.
    uint64_t own, other;
};
_Static_assert(sizeof(struct requests) <= 16, "in a block of 64");

static struct requests *requests_of(struct weft_message *edge)
{
    return (struct requests *)(void *)edge->payload;
}

int weft_link_to(struct weft_actor *self, weft_pid pid)
{
    struct weft_actor_system *system = self->system;
    if (pid == self->pid) return -EINVAL;
    struct weft_message *edge = weft_edge_find(self, TAG_EDGE_LINK, pid);
    if (edge != NULL && requests_of(edge)->own != 0) return 0;
    struct weft_message *there = weft_message_alloc_control(system);
    if (there == NULL) return -ENOMEM;
    if (edge == NULL) {
        edge = weft_message_alloc_control(system);
        if (edge == NULL) {
            weft_message_release_block(system, there);
            return -ENOMEM;
        }
        edge->tag = TAG_EDGE_LINK;
        edge->to = pid;
        *requests_of(edge) = (struct requests){0};
        weft_edge_add(self, edge);
    }
    requests_of(edge)->own = ++system->reference;
    there->tag = TAG_LINK;
    there->to = pid;
    there->from = self->pid;
    *requests_of(there) = (struct requests){.other = system->reference};
    weft_signal(system, there);
    return 0;
}

int weft_link(struct weft_actor *self, weft_pid pid)
{
    enter(self);
    const int result = weft_link_to(self, pid);
    leave(self);
    return result;
}

// At the other side. The block stays as its edge, or goes back as the signal that there is nobody.
void weft_link_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *there)
{
    const weft_pid asker = there->from;
    if (actor == NULL || (actor->task.flags & WEFT_ACTOR_ZOMBIE) != 0) {
        there->tag = TAG_LINK_EXIT;
        there->type = WEFT_EXIT_NOPROC;
        there->from = there->to;
        there->to = asker;
        weft_signal(system, there);
        return;
    }
    struct weft_message *edge = weft_edge_find(actor, TAG_EDGE_LINK, asker);
    if (edge != NULL) {
        requests_of(edge)->other = requests_of(there)->other;
        weft_message_release_block(system, there);
        return;
    }
    there->tag = TAG_EDGE_LINK;
    there->to = asker;
    weft_edge_add(actor, there);
}

int weft_unlink_from(struct weft_actor *self, weft_pid pid)
{
    struct weft_message *edge = weft_edge_take(self, TAG_EDGE_LINK, pid);
    if (edge == NULL) return -ENOENT;
    const struct requests made = *requests_of(edge);
    *requests_of(edge) = (struct requests){.own = made.other, .other = made.own};
    edge->tag = TAG_UNLINK; // With the names that the other side has for them.
    edge->from = self->pid;
    weft_signal(self->system, edge);
    return 0;
}

int weft_unlink(struct weft_actor *self, weft_pid pid)
{
    enter(self);
    const int result = weft_unlink_from(self, pid);
    leave(self);
    return result;
}

void weft_unlink_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                         struct weft_message *withdrawn)
{
    struct weft_message *edge =
        actor != NULL ? weft_edge_find(actor, TAG_EDGE_LINK, withdrawn->from) : NULL;
    if (edge != NULL) {
        struct requests *left = requests_of(edge);
        const struct requests *gone = requests_of(withdrawn);
        if (left->own == gone->own) left->own = 0;
        if (left->other == gone->other) left->other = 0;
        if (left->own == 0 && left->other == 0)
            weft_message_release_block(system,
                                       weft_edge_take(actor, TAG_EDGE_LINK, withdrawn->from));
    }
    weft_message_release_block(system, withdrawn);
}

// An exit signal does its work, or becomes a message.
void weft_exit_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *signal)
{
    if (actor == NULL || (actor->task.flags & WEFT_ACTOR_ENDING) != 0) {
        weft_message_release_block(system, signal);
        return;
    }
    if (actor->task.flags & WEFT_ACTOR_TRAPS) {
        signal->tag = WEFT_MESSAGE_EXIT;
        weft_mailbox_put(system, actor, signal, false);
        return;
    }
    const uint16_t reason = signal->type;
    weft_message_release_block(system, signal);
    if (reason != WEFT_EXIT_NORMAL) weft_actor_end_soon(actor, reason);
}

void weft_link_exit_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                            struct weft_message *signal)
{
    struct weft_message *edge =
        actor != NULL ? weft_edge_take(actor, TAG_EDGE_LINK, signal->from) : NULL;
    if (edge == NULL) { // Unlinked meanwhile.
        weft_message_release_block(system, signal);
        return;
    }
    weft_message_release_block(system, edge);
    weft_exit_arrived(system, actor, signal);
}

void weft_link_end(struct weft_actor *actor, struct weft_message *edge)
{
    edge->tag = TAG_LINK_EXIT;
    edge->type = actor->exit_reason;
    edge->from = actor->pid;
    edge->reference = 0;
    weft_signal(actor->system, edge);
}

void weft_trap_exit(struct weft_actor *self, bool trap)
{
    enter(self);
    if (trap)
        self->task.flags |= WEFT_ACTOR_TRAPS;
    else
        self->task.flags &= (uint16_t)~WEFT_ACTOR_TRAPS;
    leave(self);
}

int weft_exit_send(struct weft_actor *self, weft_pid pid, uint16_t reason)
{
    struct weft_actor_system *system = enter(self);
    int result = weft_slot_may_be(system, pid) ? -ENOMEM : -ESRCH;
    struct weft_message *signal = result == -ENOMEM ? weft_message_alloc_control(system) : NULL;
    if (signal != NULL) {
        signal->tag = TAG_EXIT;
        signal->type = reason;
        signal->to = pid;
        signal->from = self->pid;
        weft_signal(system, signal);
        result = 0;
    }
    leave(self);
    return result;
}

int weft_actor_kill(struct weft_actor_system *system, weft_pid pid, uint16_t reason)
{
    if (!weft_slot_may_be(system, pid)) return -ESRCH;
    struct weft_message *signal = weft_message_alloc_control(system);
    if (signal == NULL) return -ENOMEM;
    signal->tag = TAG_KILL;
    signal->type = reason;
    signal->to = pid;
    weft_signal(system, signal);
    return 0;
}

int weft_kill(struct weft_actor *self, weft_pid pid)
{
    const int result = weft_actor_kill(enter(self), pid, WEFT_EXIT_KILLED);
    leave(self);
    return result;
}
