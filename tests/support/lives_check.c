// lives_check.c: what must be true of a node on which all is quiet, and of one where nobody is
// left.
#include "tests/support/lives.h"

#include "runtime/actor/internal.h"

static struct weft_actor_system *system_at(const struct lives *lives, unsigned core)
{
    return lives->node->systems[core];
}

static unsigned core_count(const struct lives *lives)
{
    return (unsigned)__builtin_popcountll(lives->node->core_mask); // They are the first ones.
}

static struct weft_actor *actor_of(const struct lives *lives, const struct life *life)
{
    const weft_pid pid = life_pid(life);
    if (life_is_over(life) || pid == 0) return NULL;
    const struct weft_actor_system *any = system_at(lives, 0);
    const unsigned where = weft_slot_core(any, pid);
    if (where == 0) return NULL;
    struct weft_actor *actor = weft_slot_actor(any, pid);
    return actor->pid == pid && actor->system->index + 1u == where ? actor : NULL;
}

static unsigned life_count(const struct lives *lives)
{
    const unsigned count = atomic_load_explicit(&lives->life_count, memory_order_acquire);
    return count < LIVES_MAX ? count : LIVES_MAX;
}

// ---- The ledger.

static uint64_t dropped(const struct lives *lives, enum weft_drop why)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < core_count(lives); i++)
        count += weft_drop_get(&system_at(lives, i)->core->drops, why);
    return count;
}

static void check_ledger(struct lives *lives)
{
    static const enum weft_drop reasons[] = {
        WEFT_DROP_MAILBOX_FULL,      WEFT_DROP_MAILBOX_QUOTA, WEFT_DROP_MAILBOX_NO_ACTOR,
        WEFT_DROP_MAILBOX_NO_MEMORY, WEFT_DROP_MAILBOX_LATE,  WEFT_DROP_MAILBOX_CYCLE,
        WEFT_DROP_RING_FULL};
    uint64_t sent = 0, received = 0, lost = 0;
    for (unsigned i = 0; i < core_count(lives); i++) {
        sent += system_at(lives, i)->sent;
        received += system_at(lives, i)->received;
    }
    for (unsigned i = 0; i < WEFT_COUNT_OF(reasons); i++)
        lost += dropped(lives, reasons[i]);
    if (sent != received + lost)
        lives_fail(lives, "%llu sent, %llu received, %llu dropped", (unsigned long long)sent,
                   (unsigned long long)received, (unsigned long long)lost);
}

// What is missing in the rows of those who take everything in order has been counted as dropped.
static void check_gaps(struct lives *lives)
{
    uint64_t gaps = 0;
    const uint64_t lost = dropped(lives, WEFT_DROP_MAILBOX_FULL) +
                          dropped(lives, WEFT_DROP_MAILBOX_QUOTA) +
                          dropped(lives, WEFT_DROP_RING_FULL);
    for (unsigned i = 0; i < life_count(lives); i++)
        gaps += lives->life[i].gaps;
    if (gaps > lost)
        lives_fail(lives, "%llu messages are missing, %llu were dropped", (unsigned long long)gaps,
                   (unsigned long long)lost);
}

// ---- Each life.

static void check_edge(struct weft_actor *actor, struct weft_message *edge, void *argument)
{
    struct lives *lives = argument;
    const struct weft_actor_system *system = actor->system;
    const weft_pid to = edge->tag == TAG_EDGE_WATCHED ? edge->from : edge->to;
    if (edge->tag == TAG_EDGE_TIMER) // Those that tick have been cancelled.
        lives_fail(lives, "a timer of %#llx does not come", (unsigned long long)actor->pid);
    if (edge->tag != TAG_EDGE_LINK && edge->tag != TAG_EDGE_WATCH && edge->tag != TAG_EDGE_WATCHED)
        return;
    const unsigned where = weft_slot_core(system, to);
    struct weft_actor *other = where != 0 ? weft_slot_actor(system, to) : NULL;
    if (other == NULL || other->pid != to)
        lives_fail(lives, "%#llx has an edge (%u) to one who has ended",
                   (unsigned long long)actor->pid, edge->tag);
    const uint8_t tag = edge->tag == TAG_EDGE_LINK    ? TAG_EDGE_LINK
                        : edge->tag == TAG_EDGE_WATCH ? TAG_EDGE_WATCHED
                                                      : TAG_EDGE_WATCH;
    const uint64_t key = tag == TAG_EDGE_LINK ? actor->pid : edge->reference;
    const struct weft_message *there = weft_edge_find(other, tag, key);
    if (there == NULL)
        lives_fail(lives, "%#llx has an edge (%u) that the other side does not know",
                   (unsigned long long)actor->pid, edge->tag);
    const uint64_t *own = (const uint64_t *)(const void *)edge->payload;
    const uint64_t *theirs = (const uint64_t *)(const void *)there->payload;
    if (tag == TAG_EDGE_LINK && (own[0] != theirs[1] || own[1] != theirs[0]))
        lives_fail(lives, "the two sides of a link differ");
}

static void check_life(struct lives *lives, const struct life *life)
{
    struct weft_actor *actor = actor_of(lives, life);
    if (actor == NULL) lives_fail(lives, "life %u is nowhere", life->number);
    const unsigned flags = actor->task.flags;
    if (!life->is_quiet)
        lives_fail(lives, "life %u does not listen: flags %#x, %u messages", life->number, flags,
                   actor->mailbox_count);
    if (!weft_list_empty(&actor->mailbox))
        lives_fail(lives, "life %u leaves messages", life->number);
    if ((flags & (WEFT_ACTOR_MUTED | WEFT_ACTOR_MOVING | WEFT_ACTOR_CALLING | WEFT_ACTOR_ENDING)) !=
        0)
        lives_fail(lives, "life %u hangs: flags %#x", life->number, flags);
    if (actor->rare != NULL && !weft_list_empty(&actor->rare->unmutes))
        lives_fail(lives, "life %u keeps others waiting", life->number);
    for (unsigned i = 0; i < LIVES_MONITORS; i++) {
        const struct life_monitor *monitor = &life->monitors[i];
        if (monitor->reference != 0 && !monitor->is_over &&
            life_is_over(&lives->life[monitor->target]))
            lives_fail(lives, "life %u was not told of the end of %u", life->number,
                       monitor->target);
    }
    weft_edge_each(actor, check_edge, lives);
}

// ---- Names, groups.

static struct life *life_with(struct lives *lives, weft_pid pid)
{
    for (unsigned i = 0; i < life_count(lives); i++) {
        if (life_pid(&lives->life[i]) == pid) return &lives->life[i];
    }
    lives_fail(lives, "%#llx was never alive", (unsigned long long)pid);
}

static void check_names(struct lives *lives)
{
    for (unsigned i = 0; i < LIVES_NAMES; i++) {
        const weft_pid pid = weft_actor_whereis(lives->node, lives_names[i]);
        if (pid != 0 && life_is_over(life_with(lives, pid)))
            lives_fail(lives, "%s is the name of one who has ended", lives_names[i]);
    }
}

static void check_group(struct lives *lives, unsigned core, unsigned number)
{
    weft_pid members[LIVES_MAX];
    const struct weft_actor asker = {.system = system_at(lives, core)};
    const size_t count = weft_group_members(&asker, lives_groups[number], members, LIVES_MAX);
    size_t due = 0;
    for (unsigned i = 0; i < life_count(lives); i++)
        due += !life_is_over(&lives->life[i]) && (lives->life[i].groups >> number & 1) != 0;
    if (count != due)
        lives_fail(lives, "core %u knows %zu of the %zu members of %s", core, count, due,
                   lives_groups[number]);
    for (size_t i = 0; i < count; i++) {
        const struct life *life = life_with(lives, members[i]);
        if (life_is_over(life) || (life->groups >> number & 1) == 0)
            lives_fail(lives, "core %u has life %u in a group", core, life->number);
    }
}

// ---- Each core.

static void check_core(struct lives *lives, const struct weft_actor_system *system)
{
    if (!weft_list_empty(&system->dams)) lives_fail(lives, "core %u has a dam", system->index);
    if (!weft_list_empty(&system->held)) lives_fail(lives, "core %u holds messages", system->index);
    if (!weft_list_empty(&system->moves)) lives_fail(lives, "core %u moves actors", system->index);
    if (system->holding != 0) lives_fail(lives, "core %u waits for actors", system->index);
    if (system->out_mask != 0) lives_fail(lives, "core %u has messages for others", system->index);
    for (unsigned i = 0; i < core_count(lives); i++) {
        if (system->out[i].muted != 0) lives_fail(lives, "core %u counts the muted", system->index);
    }
}

void lives_check_quiet(struct lives *lives)
{
    for (unsigned i = 0; i < core_count(lives); i++)
        check_core(lives, system_at(lives, i));
    for (unsigned i = 0; i < life_count(lives); i++) {
        if (!life_is_over(&lives->life[i])) check_life(lives, &lives->life[i]);
    }
    check_ledger(lives);
    check_gaps(lives);
    check_names(lives);
    for (unsigned core = 0; core < core_count(lives); core++) {
        for (unsigned i = 0; i < LIVES_GROUPS; i++)
            check_group(lives, core, i);
    }
}

// ---- The end.

static void kill_one(struct weft_actor *actor, void *argument)
{
    (void)argument;
    weft_actor_end_soon(actor, WEFT_EXIT_KILLED);
}

void lives_kill(struct lives *lives)
{
    for (unsigned i = 0; i < core_count(lives); i++)
        weft_actor_each(system_at(lives, i), kill_one, NULL);
}

static void check_memory(struct lives *lives, const struct weft_actor_system *system)
{
    for (unsigned i = 0; i < WEFT_MESSAGE_CLASSES; i++) {
        if (system->messages[i].used_count != 0)
            lives_fail(lives, "core %u misses %u blocks of class %u", system->index,
                       system->messages[i].used_count, i);
    }
    if (!weft_list_empty(&system->large))
        lives_fail(lives, "core %u misses a long message", system->index);
    if (system->rare_slab.used_count != 0 || system->label_slab.used_count != 0)
        lives_fail(lives, "core %u misses something of an actor", system->index);
    for (uint32_t i = 0; i < system->chunk_count; i++) {
        if (system->slots[i].used != 0) lives_fail(lives, "core %u misses a slot", system->index);
    }
    if (system->core->wheel.armed_count != 0)
        lives_fail(lives, "core %u has a timer", system->index);
}

// Each is back in the pool that it came from, and nobody has a claim on one.
static void check_stacks(struct lives *lives, const struct weft_actor_system *system)
{
    const struct weft_run *run = &system->core->run;
    int64_t stacks = system->stacks != NULL ? weft_stacks_view(system->stacks).used : 0;
    stacks -= (run->stack != NULL) + (run->spare != NULL); // The loop's own.
    if (stacks != 0)
        lives_fail(lives, "core %u misses %lld stacks", system->index, (long long)stacks);
    if (system->stack_promises != 0)
        lives_fail(lives, "core %u has promised %lld stacks", system->index,
                   (long long)system->stack_promises);
}

void lives_check_over(struct lives *lives)
{
    int64_t actors = 0;
    for (unsigned i = 0; i < core_count(lives); i++) {
        const struct weft_actor_system *system = system_at(lives, i);
        check_core(lives, system);
        check_memory(lives, system);
        check_stacks(lives, system);
        actors += (int64_t)weft_actor_count(&system->stats);
    }
    if (actors != 0) lives_fail(lives, "%lld actors are left", (long long)actors);
    for (unsigned i = 0; i < life_count(lives); i++) {
        if (!life_is_over(&lives->life[i])) lives_fail(lives, "life %u was not told of its end", i);
    }
    check_ledger(lives);
    check_names(lives);
    const uint64_t made = atomic_load(&lives->objects_made),
                   gone = atomic_load(&lives->objects_gone);
    if (made != gone)
        lives_fail(lives, "%llu objects made, %llu destroyed", (unsigned long long)made,
                   (unsigned long long)gone);
}
