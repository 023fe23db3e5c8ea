// balance.c: who runs where. Each core says at the end of its turns whether it has more to do than
// it gets done; one that has nothing to do asks the busiest for half of what has waited longest.
//
// What moves is what gains by it. A message to another core costs a line or two; so those that talk
// stay together: an actor whose slices are mostly messages moves only with the one it talks to, and
// short slices stay where they are however many wait. What computes moves alone. Two that talk
// across cores are brought together.
#include <errno.h>

#include "runtime/actor/internal.h"

#define TALKS       4    // Slices in a row with the same partner: it is in a conversation.
#define LOOK_MAX    256  // Of a run queue.
#define GIVE_MAX    64   // At once.
#define HEAVY_NS    4000 // Slices this long are worth a move, whatever they are.
#define BACKLOG_MIN 2    // Turns in a row that ended with work left.
#define REFUSED_NS  (WEFT_NS_PER_MS)      // How long a refusal is believed,
#define REFUSED_MAX (64 * WEFT_NS_PER_MS) // at most, when refused again and again.

// ---- Who talks to whom.

// After the first slice of a turn, and then after one of about eight: not every eighth, which among
// sixteen actors would always be the same two.
static void note_next(struct weft_actor_system *system)
{
    const struct weft_run *run = &system->core->run;
    system->note_dice = (uint8_t)((system->note_dice * 5 + 3) % 16); // Each of 0 .. 15 in turn.
    system->note_at = run->slices + 1 + system->note_dice;
    system->noted_sent = system->sent;
    system->noted_reductions = weft_core_reductions(system->core);
    system->noted_slices = run->slices + 1;
}

static void note_first(struct weft_actor_system *system)
{
    system->note_at = system->noted_slices = 0;
    system->noted_reductions = 0;
    system->noted_sent = system->sent;
}

void weft_balance_note(struct weft_actor_system *system, struct weft_actor *actor)
{
    const struct weft_run *run = &system->core->run;
    const uint64_t sent = system->sent - system->noted_sent;
    const uint64_t slices = run->slices + 1 - system->noted_slices;
    const uint64_t reductions = weft_core_reductions(system->core) - system->noted_reductions;
    const uint32_t partner = (uint32_t)actor->last_to;
    note_next(system);
    // At least half of what these slices did was sending.
    const bool talks = sent * 2 * WEFT_MESSAGE_REDUCTIONS >= reductions && sent * 4 >= slices;
    if (partner != actor->task.number || !talks) {
        actor->task.number = partner;
        actor->talk = 0;
    } else if (actor->talk < UINT8_MAX) {
        actor->talk++;
    }
    if ((actor->task.flags & WEFT_ACTOR_PARKED) == 0) return; // Asked at the end of its slice.
    if (actor->talk >= WEFT_TALK_MOVES) weft_balance_slice(actor);
    if (system->node->moves_always) weft_move_stress(actor);
}

// ---- What a core gives.

static struct weft_actor *actor_of(struct weft_list *link)
{
    struct weft_task *task = WEFT_CONTAINER_OF(link, struct weft_task, link);
    return WEFT_CONTAINER_OF(task, struct weft_actor, task);
}

// The one that `actor` talks to and that talks to it, if it is here and may move too.
static struct weft_actor *partner_of(struct weft_actor_system *system,
                                     const struct weft_actor *actor)
{
    struct weft_actor *partner = weft_actor_find(system, actor->last_to);
    if (partner == NULL || partner == actor || !weft_move_is_possible(partner)) return NULL;
    return partner->last_to == actor->pid && partner->talk >= TALKS ? partner : NULL;
}

static bool is_heavy(const struct weft_actor_system *system)
{
    return weft_counter_get(&system->core->stats.slice_ns) >= HEAVY_NS;
}

uint32_t weft_balance_choose(struct weft_actor_system *system, struct weft_list *chosen)
{
    struct weft_list *queue = &system->core->run_queue[WEFT_PRIORITY_NORMAL];
    const bool heavy = system->is_stuck || is_heavy(system);
    uint32_t ready = 0, given = 0;
    WEFT_LIST_FOR_EACH (link, queue) {
        if (++ready == LOOK_MAX) break;
    }
    const uint32_t share = system->is_stuck ? ready : ready / 2; // Here nobody runs any more.
    uint32_t left = share < GIVE_MAX ? share : GIVE_MAX, looked = 0;
    // From the front: the longest wait. What just ran stands at the end.
    for (struct weft_list *link = queue->next, *next;
         link != queue && left > 0 && looked < LOOK_MAX; link = next, looked++) {
        next = link->next;
        struct weft_actor *actor = actor_of(link), *partner = NULL;
        if (!weft_slice_is_actor(&actor->task) || !weft_move_is_possible(actor)) continue;
        if (actor->talk >= TALKS) {
            partner = partner_of(system, actor);
            if (partner == NULL) continue;
            if (&partner->task.link == next) next = next->next;
        } else if (!heavy) {
            continue;
        }
        weft_move_freeze(actor, chosen);
        if (partner != NULL) weft_move_freeze(partner, chosen);
        given += partner != NULL ? 2 : 1;
        left--;
    }
    return given;
}

// ---- What a core asks for.

static void stop_searching(struct weft_actor_system *system)
{
    uint16_t mine = (uint16_t)(system->index + 1);
    // Relaxed: the place of the searcher orders nothing; the messages do.
    atomic_compare_exchange_strong_explicit(&system->node->searcher, &mine, 0, memory_order_relaxed,
                                            memory_order_relaxed);
}

static bool start_searching(struct weft_actor_system *system)
{
    uint16_t nobody = 0;
    return atomic_compare_exchange_strong_explicit(&system->node->searcher, &nobody,
                                                   (uint16_t)(system->index + 1),
                                                   memory_order_relaxed, memory_order_relaxed);
}

// The core with the longest row of turns that left work over; NULL if none has.
static struct weft_actor_system *busiest(const struct weft_actor_system *system)
{
    struct weft_actor_system *busiest = NULL;
    uint64_t most = BACKLOG_MIN - 1;
    for (uint64_t mask = system->node->core_mask & ~(UINT64_C(1) << system->index); mask != 0;
         mask &= mask - 1) {
        struct weft_actor_system *other = system->node->systems[__builtin_ctzll(mask)];
        const uint64_t backlog = weft_counter_get(&other->stats.backlog_turns);
        if (backlog <= most) continue;
        busiest = other;
        most = backlog;
    }
    return busiest;
}

void weft_balance_arrived(struct weft_actor_system *system, uint32_t count, uint16_t from)
{
    (void)from;
    stop_searching(system);
    if (count > 0) {
        system->refused_ns = 0;
        return;
    }
    system->refused_ns = system->refused_ns == 0 ? REFUSED_NS : 2 * system->refused_ns;
    if (system->refused_ns > REFUSED_MAX) system->refused_ns = REFUSED_MAX;
    system->search_after_ns = system->core->now_ns + system->refused_ns;
}

static void search(struct weft_actor_system *system, uint64_t now_ns)
{
    if (now_ns < system->search_after_ns) return;
    const struct weft_actor_system *victim = busiest(system);
    if (victim == NULL || !start_searching(system)) return;
    if (weft_move_pull(system, victim->index) != 0) stop_searching(system);
}

// ---- What a busy core does.

// Wakes one core that sleeps, so that it may ask.
void weft_balance_call(struct weft_actor_system *system)
{
    for (uint64_t mask = system->node->core_mask & ~(UINT64_C(1) << system->index); mask != 0;
         mask &= mask - 1) {
        struct weft_core *core = system->node->systems[__builtin_ctzll(mask)]->core;
        if (!weft_core_is_asleep(core)) continue;
        weft_core_wake(core);
        return;
    }
}

void weft_balance_turn(struct weft_actor_system *system, uint64_t now_ns)
{
    struct weft_core *core = system->core;
    note_first(system);
    if (system->node->core_mask == UINT64_C(1) << system->index) return;
    const uint64_t backlog = weft_counter_get(&system->stats.backlog_turns);
    if (core->run.spent >= WEFT_TURN_REDUCTIONS && weft_core_has_task(core)) {
        weft_counter_set(&system->stats.backlog_turns, backlog + 1);
        if (backlog >= BACKLOG_MIN && now_ns >= system->help_after_ns) {
            system->help_after_ns = now_ns + REFUSED_NS; // Not in every turn.
            weft_balance_call(system);
        }
        return;
    }
    if (backlog != 0) weft_counter_set(&system->stats.backlog_turns, 0);
    if (core->run.slices == 0 && !weft_core_has_task(core)) search(system, now_ns);
}

void weft_balance_slice(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    const unsigned where = actor->last_to != 0 ? weft_slot_core(system, actor->last_to) : 0;
    if (where == 0 || where == system->index + 1u || !weft_move_is_possible(actor)) {
        actor->talk = WEFT_TALK_MOVES / 2; // Asked again after as many.
        return;
    }
    // Both would go to the other's place: the younger one goes, and the elder only if it did not.
    if (actor->pid < actor->last_to && actor->talk < 4 * WEFT_TALK_MOVES) return;
    actor->talk = 0;
    weft_move_start(actor, (uint16_t)(where - 1));
}
