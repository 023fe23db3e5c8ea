// unit_nursery.c: units that units spawn. A parent makes those of its own core itself; for another
// it asks the actor there that does nothing else. The block in which a child's results will travel
// is taken at its birth, so its end can always be told.
#include <errno.h>
#include <string.h>

#include <weft/weft.h>

#include "runtime/node/unit_actor.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_internal.h"
#include "runtime/node/unit_limits.h"

// So many units may have all the children that one may have, on one core: who spawns those that
// spawn takes no more from the others than this.
#define SPAWNERS_MAX 16

static uint32_t spawned_max(const struct weft_node_worker *worker)
{
    const uint32_t given = worker->node->options.unit_spawn_max;
    return given != 0 ? given : WEFT_UNIT_SPAWN_MAX;
}

// For a child of this core; NULL: there is no memory, or there are too many.
static struct weft_unit_actor *new_nestling(struct weft_node_worker *worker)
{
    if (worker->nestling_count >= (uint64_t)spawned_max(worker) * SPAWNERS_MAX) return NULL;
    return weft_unit_actor_new(worker, &worker->nestling);
}

// Of one that has a unit. 0 and *pid, or -ENOMEM: then it is as it was.
static int start(struct weft_unit_actor *unit, const char *label, weft_pid parent, weft_pid *pid)
{
    struct weft_node_worker *worker = unit->worker;
    const struct weft_spawn spawn = {.kind = &weft_unit_actor_kind,
                                     .state = unit,
                                     .label = label,
                                     .pinned = true,
                                     .mailbox_max = weft_unit_limit(unit, WEFT_QUOTA_MAILBOX)};
    weft_unit_set_self(unit->unit, unit);
    unit->farewell = weft_later_block(&worker->actors, sizeof(struct weft_unit_farewell));
    const int result =
        unit->farewell != NULL ? weft_actor_spawn(&worker->actors, &spawn, parent, pid) : -ENOMEM;
    if (result != 0) {
        if (unit->farewell != NULL) weft_message_release(&worker->actors, unit->farewell);
        unit->farewell = NULL;
        return result;
    }
    weft_unit_ids_born(&worker->node->ids, *pid);
    unit->actor = weft_actor_find(&worker->actors, *pid);
    unit->id = *pid;
    worker->nestling_count++;
    return 0;
}

static void drop(struct weft_unit_actor *unit)
{
    weft_unit_actor_unbind_all(unit);
    if (unit->unit != NULL) weft_unit_free(unit->unit);
    weft_unit_restore_drop(unit);
    weft_unit_limits_free(unit);
    weft_arena_release(unit->worker->arena, unit, sizeof(*unit));
}

int weft_unit_actor_bear(struct weft_node_worker *worker, const struct weft_unit_birth *birth,
                         weft_pid *pid)
{
    struct weft_unit_actor *unit = new_nestling(worker);
    if (unit == NULL) return -ENOSPC;
    unit->heir = birth->parent;
    unit->heir_reference = birth->reference;
    unit->root = birth->root;
    int result = weft_unit_limits_inherit(unit, birth);
    const struct weft_unit_options options = weft_unit_limits_options(unit);
    if (result == 0)
        result = weft_unit_sprout(worker->forth, &worker->memory, &options, &worker->unit_host,
                                  birth + 1, &unit->unit);
    if (result == 0) result = start(unit, birth->label, birth->parent, pid);
    if (result != 0) {
        drop(unit);
        return result;
    }
    // Without memory for the link it is as if it had been born and killed.
    if (birth->is_linked && weft_link_to(unit->actor, birth->parent) != 0)
        weft_actor_kill(&worker->actors, *pid, WEFT_EXIT_KILLED);
    weft_actor_wake(unit->actor);
    return 0;
}

int weft_unit_actor_revive(struct weft_node_worker *worker, const char *label,
                           struct weft_span image, const struct weft_unit_kin *kin,
                           const struct weft_unit_quota *quota, const char **wrong)
{
    struct weft_unit_parts parts;
    struct weft_unit_actor *unit = new_nestling(worker);
    weft_pid pid;
    if (unit == NULL) return -ENOSPC;
    unit->heir = kin->heir; // Who that is now is looked up when it ends.
    unit->heir_reference = kin->reference;
    unit->root = kin->root;
    unit->is_journaled = kin->is_journaled;
    int result = weft_unit_limits_revive(unit, quota, kin->founder);
    if (result == 0) result = weft_unit_restore_make(unit, image, &parts, wrong);
    if (result == 0) result = start(unit, label, 0, &pid);
    if (result != 0) {
        drop(unit);
        return result;
    }
    result = weft_unit_restore_as(unit, parts.id, true, true);
    if (result != 0) weft_actor_end_soon(unit->actor, WEFT_EXIT_FAULT);
    return result;
}

void weft_unit_actor_bury(struct weft_unit_actor *unit, uint16_t reason)
{
    struct weft_unit_farewell *farewell = (struct weft_unit_farewell *)unit->farewell->payload;
    farewell->reason = reason;
    farewell->count = reason == WEFT_EXIT_NORMAL
                          ? weft_unit_cells(unit->unit, farewell->cells, WEFT_UNIT_RESULTS_MAX)
                          : 0;
    weft_later_fulfil(unit->actor, unit->farewell,
                      weft_unit_ids_pid(&unit->worker->node->ids, unit->heir),
                      unit->heir_reference);
    unit->farewell = NULL;
    unit->worker->nestling_count--;
}

// ---- Families that end together.
//
// Who ends with its children tells each core, by the nursery's mailbox: there it comes behind the
// births that it has asked for. Each of those found does the same when it ends. The count of what
// is under way is zero again when nobody is left: it is raised before what it follows from is done.

// Release: whoever reads zero sees what has been done. Pairs with weft_unit_actor_parting.
static void parted(struct weft_node *node)
{
    atomic_fetch_sub_explicit(&node->parting_count, 1, memory_order_release);
}

bool weft_unit_actor_parting(const struct weft_node *node)
{
    // Acquire: pairs with parted.
    return atomic_load_explicit(&node->parting_count, memory_order_acquire) != 0;
}

void weft_unit_actor_take_children(struct weft_unit_actor *unit)
{
    if (unit->takes_children) return;
    unit->takes_children = true;
    // Relaxed: the decrement that this is to outweigh comes later on this core.
    atomic_fetch_add_explicit(&unit->worker->node->parting_count, 1, memory_order_relaxed);
}

struct parent {
    const struct weft_node *node;
    weft_pid pid;
};

// Of a unit that is held, nobody here is the parent yet: it is being restored.
static void see(struct weft_actor *actor, void *argument)
{
    const struct parent *parent = argument;
    struct weft_unit_actor *unit = actor->state;
    const struct weft_unit_ids *ids = &parent->node->ids;
    if (actor->kind != &weft_unit_actor_kind || unit->farewell == NULL || unit->is_held) return;
    // Of a kept family those go, too, whose own parents have ended: the journal has forgotten them.
    const bool is_of_family = unit->root != 0 && weft_unit_ids_pid(ids, unit->root) == parent->pid;
    if (!is_of_family && weft_unit_ids_pid(ids, unit->heir) != parent->pid) return;
    weft_unit_actor_take_children(unit);
    weft_actor_end_soon(actor, WEFT_EXIT_SHUTDOWN);
}

static void end_children(struct weft_node_worker *worker, weft_pid pid)
{
    struct parent parent = {.node = worker->node, .pid = pid};
    weft_actor_each(&worker->actors, see, &parent);
}

static int ask_to_part(struct weft_unit_actor *unit, struct weft_node_worker *other)
{
    struct weft_message *order = weft_message_alloc(&unit->worker->actors, sizeof(weft_pid));
    if (order == NULL) return -ENOMEM;
    order->to = other->nursery;
    order->from = unit->actor->pid;
    order->tag = WEFT_MESSAGE_CAST;
    order->type = WEFT_UNIT_PART;
    memcpy(order->payload, &unit->actor->pid, sizeof(weft_pid));
    // Relaxed: the unit itself still counts.
    atomic_fetch_add_explicit(&unit->worker->node->parting_count, 1, memory_order_relaxed);
    const int result = weft_actor_send(&unit->worker->actors, order);
    if (result != 0) parted(unit->worker->node);
    return result;
}

void weft_unit_actor_part(struct weft_unit_actor *unit)
{
    struct weft_node_worker *own = unit->worker;
    struct weft_node *node = own->node;
    // Who has no dealings has never spawned, or has come back with those alone whose parents have
    // ended; and when the node ends, everybody does.
    const bool has_none =
        (unit->dealings == NULL && unit->family == NULL) || node->actors.is_ending;
    for (uint16_t i = 0; i < node->options.worker_count && !has_none; i++) {
        struct weft_node_worker *worker = &node->workers[i];
        int result = 0;
        if (worker == own)
            end_children(own, unit->actor->pid);
        else
            result = ask_to_part(unit, worker);
        if (result != 0)
            weft_log_actor(&own->core.log, WEFT_LOG_WARN, "unit", unit->actor->pid,
                           weft_label(unit->actor), "its children on core %u live on: %s",
                           worker->core.index, strerror(-result));
    }
    parted(node);
}

// ---- For other cores.

static void handle(struct weft_actor *self, void *state, struct weft_message *call)
{
    struct weft_node_worker *worker = state;
    const struct weft_unit_birth *birth = (const struct weft_unit_birth *)call->payload;
    weft_pid pid;
    if (call->tag == WEFT_MESSAGE_CAST && call->type == WEFT_UNIT_PART &&
        call->length == sizeof(pid)) {
        memcpy(&pid, call->payload, sizeof(pid));
        end_children(worker, pid);
        parted(worker->node);
        return;
    }
    if (call->tag != WEFT_MESSAGE_CALL || call->type != WEFT_UNIT_BIRTH ||
        call->length < sizeof(*birth))
        return;
    const int result = weft_unit_actor_bear(worker, birth, &pid);
    weft_forth_release(worker->forth, birth->words);
    if (result == 0)
        weft_reply(self, call, 0, &pid, sizeof(pid));
    else
        weft_reply_error(self, call, result);
}

static const struct weft_actor_kind kind = {.name = "nursery", .handle = handle};

int weft_unit_nursery_start(struct weft_node_worker *worker)
{
    const struct weft_spawn spawn = {.kind = &kind,
                                     .state = worker,
                                     .label = "nursery",
                                     .pinned = true,
                                     .mailbox_max = UINT32_MAX};
    strcpy(worker->nestling.name, "spawned");
    worker->nestling.core = worker->core.index;
    worker->nestling.index = UINT32_MAX;
    const int result = weft_actor_spawn(&worker->actors, &spawn, 0, &worker->nursery);
    if (result == 0)
        weft_actor_find(&worker->actors, worker->nursery)->task.flags |= WEFT_ACTOR_PRIVATE;
    return result;
}
