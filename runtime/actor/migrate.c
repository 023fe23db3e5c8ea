// migrate.c: an actor goes to another core, and no message overtakes another.
//
// Nothing is copied: the block, the stack, the mailbox stay where they are in memory. What changes
// hands is who may touch them. From X to Y, with every other core Z:
//
//   Y -> X   PULL     Y wants actors, or takes those that X has OFFERed. From now on Y holds what
//   is
//                     for actors that are said to be here and are not.
//   X                 freezes the actors, and says that they are on Y (slot.c: location)
//   X -> Z   MARK     what X, and the frozen ones, had sent to Z before has been received by now
//   Z -> X   MARKED   what Z had sent to X before has been received by now; Z knows the new place
//   X -> Y   ARRIVE   when all have answered: nothing for them is on its way to X any more
//   Y                 takes them, delivers what it held, in order, and lets them run
//
// So when an actor goes on, whatever it sent before has arrived everywhere, and whatever was sent
// to it the old way stands in its mailbox, before what came the new way. tests/model/ has all of
// this as a model that is checked for every interleaving.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"

struct weft_move {              // Behind a block of X.
    struct weft_list actors;    // Frozen, by task.link.
    struct weft_message *pull;  // Y's; goes back as the ARRIVE.
    struct weft_message *marks; // Not sent yet, chained.
    uint32_t count;
    uint16_t to;
    uint16_t marks_out;
};

static struct weft_move *move_of(struct weft_message *block)
{
    return (struct weft_move *)(void *)block->payload;
}

static struct weft_actor *actor_of(struct weft_list *link)
{
    struct weft_task *task = WEFT_CONTAINER_OF(link, struct weft_task, link);
    return WEFT_CONTAINER_OF(task, struct weft_actor, task);
}

bool weft_move_is_possible(const struct weft_actor *actor)
{
    const unsigned staying = WEFT_ACTOR_PINNED | WEFT_ACTOR_PRIVATE | WEFT_ACTOR_ENDING |
                             WEFT_ACTOR_MOVING | WEFT_ACTOR_MUTED;
    return (actor->task.flags & staying) == 0 && actor->kind->slice == NULL;
}

void weft_move_freeze(struct weft_actor *actor, struct weft_list *frozen)
{
    if (actor->task.queued) weft_list_remove(&actor->task.link);
    if (actor->task.flags & WEFT_ACTOR_EVICTED) weft_actor_restore_stack(actor); // This arena's.
    actor->task.flags |= WEFT_ACTOR_MOVING;
    actor->task.queued = true; // So that nothing queues it.
    weft_list_append(frozen, &actor->task.link);
}

static void thaw(struct weft_actor *actor)
{
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_MOVING;
    actor->task.queued = false;
    weft_actor_ready(actor);
}

struct weft_actor *weft_move_find(struct weft_actor_system *system, weft_pid pid)
{
    WEFT_LIST_FOR_EACH (block, &system->moves) {
        WEFT_LIST_FOR_EACH (link, &move_of(weft_message_of(block))->actors) {
            struct weft_actor *actor = actor_of(link);
            if (actor->pid == pid) return actor;
        }
    }
    return NULL;
}

// ---- At X.

// Everything that a move will need, so that nothing can fail half-way. NULL: no memory.
static struct weft_message *make_move(struct weft_actor_system *system)
{
    struct weft_message *block = weft_message_alloc_hidden(system, sizeof(struct weft_move));
    if (block == NULL) return NULL;
    struct weft_move *move = move_of(block);
    *move = (struct weft_move){.count = 0};
    weft_list_init(&move->actors);
    for (uint64_t mask = system->node->core_mask & ~(UINT64_C(1) << system->index); mask != 0;
         mask &= mask - 1) {
        struct weft_message *mark = weft_message_alloc_control(system);
        if (mark == NULL) {
            weft_move_free(system, block);
            return NULL;
        }
        mark->tag = TAG_MARK;
        mark->type = system->index;
        mark->reference = (uintptr_t)block;
        mark->to = (weft_pid)__builtin_ctzll(mask); // The core that it goes to.
        mark->link[0] = weft_message_link(move->marks);
        move->marks = mark;
    }
    weft_list_append(&system->moves, weft_message_link(block));
    return block;
}

static struct weft_message *pop_mark(struct weft_move *move)
{
    struct weft_message *mark = move->marks;
    if (mark != NULL) move->marks = (struct weft_message *)(void *)mark->link[0];
    return mark;
}

void weft_move_free(struct weft_actor_system *system, struct weft_message *block)
{
    for (struct weft_message *mark; (mark = pop_mark(move_of(block))) != NULL;)
        weft_message_release_block(system, mark);
    weft_message_release_block(system, block);
}

static void send_marks(struct weft_actor_system *system, struct weft_move *move)
{
    WEFT_LIST_FOR_EACH (link, &move->actors) {
        weft_slot_set_core(system, actor_of(link)->pid, move->to + 1u);
        move->count++;
    }
    for (struct weft_message *mark; (mark = pop_mark(move)) != NULL;) {
        move->marks_out++;
        weft_order(system, (uint16_t)mark->to, mark);
    }
}

static void arrive_with(struct weft_actor_system *system, struct weft_message *pull,
                        struct weft_message *block)
{
    const uint16_t to = pull->type;
    pull->tag = TAG_ARRIVE;
    pull->type = system->index;
    pull->reference = (uintptr_t)block;
    weft_order(system, to, pull);
}

static void move_out_edge(struct weft_actor *actor, struct weft_message *edge, void *argument)
{
    (void)argument;
    if (edge->tag == TAG_EDGE_TIMER) weft_timer_move_out(actor, edge);
}

// Y wants what it can get, or what was offered.
static void pulled(struct weft_actor_system *system, struct weft_message *pull)
{
    struct weft_message *block = (struct weft_message *)(uintptr_t)pull->reference;
    if (block == NULL) {
        block = make_move(system);
        if (block != NULL && weft_balance_choose(system, &move_of(block)->actors) == 0) {
            weft_list_remove(weft_message_link(block));
            weft_move_free(system, block);
            block = NULL;
        }
        if (block == NULL) {
            arrive_with(system, pull, NULL); // Nothing.
            return;
        }
    }
    struct weft_move *move = move_of(block);
    move->pull = pull;
    move->to = pull->type;
    send_marks(system, move);
}

static void marked(struct weft_actor_system *system, struct weft_message *mark)
{
    struct weft_message *block = (struct weft_message *)(uintptr_t)mark->reference;
    struct weft_move *move = move_of(block);
    weft_message_release_block(system, mark);
    if (--move->marks_out > 0) return;
    WEFT_LIST_FOR_EACH (link, &move->actors) {
        struct weft_actor *actor = actor_of(link);
        struct weft_actor_rare *rare = weft_actor_rare_of(actor);
        if (rare != NULL) weft_wheel_cancel(&system->core->wheel, &rare->timer);
        if (actor->edge_count > 0) weft_edge_each(actor, move_out_edge, NULL);
        weft_mute_over(actor);
        weft_trace_departs(actor);
        if (actor->kind->main != NULL && actor->stack == NULL) weft_stack_unpromise(system);
        weft_counter_add(&system->stats.departed_count, 1);
    }
    weft_list_remove(weft_message_link(block));
    arrive_with(system, move->pull, block); // From here on nothing of it is ours.
}

int weft_move_start(struct weft_actor *actor, uint16_t to)
{
    struct weft_actor_system *system = actor->system;
    if (!weft_move_is_possible(actor)) return -EBUSY;
    struct weft_message *offer = weft_message_alloc_control(system);
    struct weft_message *block = offer != NULL ? make_move(system) : NULL;
    if (block == NULL) {
        if (offer != NULL) weft_message_release_block(system, offer);
        return -ENOMEM;
    }
    weft_move_freeze(actor, &move_of(block)->actors);
    offer->tag = TAG_OFFER;
    offer->type = system->index;
    offer->reference = (uintptr_t)block;
    weft_order(system, to, offer);
    return 0;
}

int weft_move(struct weft_actor *self, uint16_t core)
{
    struct weft_actor_system *system = enter(self);
    int result = 0;
    if (core >= WEFT_CORE_MAX || (system->node->core_mask >> core & 1) == 0)
        result = -EINVAL;
    else if (core == system->index)
        result = 0;
    else if (!weft_actor_can_park(self))
        result = -ENOMEM;
    else if ((result = weft_move_start(self, core)) == 0)
        weft_actor_park(self); // Goes on there.
    leave(self);
    return result;
}

void weft_pin(struct weft_actor *self, bool pinned)
{
    enter(self);
    if (pinned)
        self->task.flags |= WEFT_ACTOR_PINNED;
    else
        self->task.flags &= (uint16_t)~WEFT_ACTOR_PINNED;
    leave(self);
}

// ---- At Y, and at every Z.

static void move_in_edge(struct weft_actor *actor, struct weft_message *edge, void *argument)
{
    (void)argument;
    if (edge->tag == TAG_EDGE_TIMER) weft_timer_move_in(actor, edge);
}

static void welcome(struct weft_actor_system *system, struct weft_actor *actor, uint16_t from)
{
    __atomic_store_n(&actor->system, system, __ATOMIC_RELAXED); // See place_of in outbox.c.
    struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    if (rare != NULL && rare->deadline_ns != WEFT_FOREVER)
        weft_wheel_arm(&system->core->wheel, &rare->timer, rare->deadline_ns);
    if (actor->edge_count > 0) weft_edge_each(actor, move_in_edge, NULL);
    actor->talk = 0;
    if (actor->kind->main != NULL && actor->stack == NULL) system->stack_promises++;
    weft_counter_add(&system->stats.arrived_count, 1);
    weft_trace(system, WEFT_TRACE_MOVE, actor->pid, from);
    weft_trace_arrived(actor);
    weft_trace_actor(actor, WEFT_TRACE_MOVE, 0, from);
    WEFT_PROBE2(move, actor->pid, from);
    thaw(actor);
}

static void deliver_held(struct weft_actor_system *system)
{
    struct weft_list waiting;
    weft_list_init(&waiting);
    for (struct weft_list *link; (link = weft_list_pop(&system->held)) != NULL;)
        weft_list_append(&waiting, link);
    // What is for others that have not come yet is held again, in the same order.
    for (struct weft_list *link; (link = weft_list_pop(&waiting)) != NULL;)
        weft_outbox_deliver(system, weft_message_of(link));
}

static void arrived(struct weft_actor_system *system, struct weft_message *order)
{
    struct weft_message *block = (struct weft_message *)(uintptr_t)order->reference;
    uint32_t count = 0;
    if (block != NULL) {
        struct weft_move *move = move_of(block);
        for (struct weft_list *link; (link = weft_list_pop(&move->actors)) != NULL; count++)
            welcome(system, actor_of(link), order->type);
        weft_message_release_block(system, block);
    }
    weft_assert(system->holding > 0);
    system->holding--;
    if (!weft_list_empty(&system->held)) deliver_held(system);
    if (order->to != 0) weft_balance_arrived(system, count, order->type); // Our own wish.
    weft_message_release_block(system, order);
}

// X offers: its block comes back as our wish.
static void offered(struct weft_actor_system *system, struct weft_message *offer)
{
    const uint16_t from = offer->type;
    system->holding++;
    offer->tag = TAG_PULL;
    offer->type = system->index;
    offer->to = 0;
    weft_order(system, from, offer);
}

int weft_move_pull(struct weft_actor_system *system, uint16_t from)
{
    struct weft_message *pull = weft_message_alloc_control(system);
    if (pull == NULL) return -ENOMEM;
    system->holding++;
    pull->tag = TAG_PULL;
    pull->type = system->index;
    pull->reference = 0;
    pull->to = 1; // Told apart from an offer that was taken.
    weft_order(system, from, pull);
    return 0;
}

void weft_move_ordered(struct weft_actor_system *system, struct weft_message *order)
{
    switch (order->tag) {
    case TAG_OFFER: offered(system, order); break;
    case TAG_PULL: pulled(system, order); break;
    case TAG_MARK: {
        const uint16_t from = order->type;
        order->tag = TAG_MARKED;
        weft_order(system, from, order);
        break;
    }
    case TAG_MARKED: marked(system, order); break;
    default:
        weft_assert(order->tag == TAG_ARRIVE);
        arrived(system, order);
        break;
    }
}

bool weft_move_stress(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    uint64_t others = system->node->core_mask & ~(UINT64_C(1) << system->index);
    if (others == 0 || !weft_move_is_possible(actor)) return false;
    // The next core round, sometimes the one after: enough to meet each of the others.
    for (uint64_t skip = ++system->reference % (uint64_t)__builtin_popcountll(others); skip > 0;
         skip--)
        others &= others - 1;
    return weft_move_start(actor, (uint16_t)__builtin_ctzll(others)) == 0;
}
