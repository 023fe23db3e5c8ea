// unit_restore.c: a unit made from its image: who it is, what it is made of, and what it had to do
// with others, which may have to wait until those are there, too.
#include <errno.h>
#include <string.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_internal.h"
#include "runtime/node/unit_limits.h"
#include "runtime/node/unit_ties.h"

// ---- Ids.

weft_pid weft_unit_actor_resolve(const struct weft_unit_actor *unit, uint64_t id)
{
    if (id == unit->id || (id == unit->old_id && id != 0)) return unit->actor->pid;
    for (uint32_t n = 0; unit->has_old_channels && n < unit->dealings->channel_count; n++) {
        if (unit->dealings->channels[n].id == id) return unit->dealings->channels[n].pid;
    }
    return weft_unit_ids_pid(&unit->worker->node->ids, id);
}

enum { SOON = 1 << 16 }; // Generations.

// Somebody lives who is known as `id`, or will soon: the pids of this start that are next are
// nobody's ids. Those far ahead may be: one of 64 other nodes counts from so near above, and all
// its units would be strangers here. Of another core's it is only known that the place is taken;
// whoever is born there takes his number back (weft_unit_ids_born).
static bool is_taken(const struct weft_unit_actor *unit, uint64_t id)
{
    struct weft_node *node = unit->worker->node;
    const weft_pid pid = weft_unit_ids_pid(&node->ids, id);
    const uint32_t age = weft_pid_generation(pid) - node->actors.first_generation - 1;
    if (age >= WEFT_UNIT_ID_GENERATIONS) return false; // Of another start, or another node.
    if (weft_pid_home(pid) == unit->worker->core.index) {
        const uint32_t last = weft_actor_last_generation(&unit->worker->actors, weft_pid_slot(pid));
        if (weft_pid_generation(pid) > last) return weft_pid_generation(pid) - last < SOON;
    }
    const int core = weft_actor_core_of(&node->actors, pid);
    if (core != unit->worker->core.index) return core >= 0;
    return weft_actor_find(&unit->worker->actors, pid) != NULL;
}

void weft_unit_actor_name(struct weft_unit_actor *unit, uint64_t id, weft_pid pid)
{
    if (id == 0 || is_taken(unit, id)) return;
    if (weft_unit_ids_add(&unit->worker->node->ids, id, pid) != 0)
        weft_log_actor(&unit->worker->core.log, WEFT_LOG_WARN, "unit", pid, "",
                       "others do not find it as %016llx: there is no room for more ids",
                       (unsigned long long)id);
}

// It is who it was, or a copy beside its original.
static void take_id(struct weft_unit_actor *unit, uint64_t id)
{
    unit->id = unit->actor->pid;
    if (id == 0) return;
    weft_unit_actor_name(unit, id, unit->actor->pid);
    if (weft_unit_ids_pid(&unit->worker->node->ids, id) == unit->actor->pid)
        unit->id = id;
    else
        unit->old_id = id;
}

// ---- From an image.

static int check_ties(const struct weft_unit_actor *unit, struct weft_span ties, const char **wrong)
{
    const struct weft_node_options *options = &unit->worker->node->options;
    const struct weft_unit_bounds bounds = {.whole = weft_unit_limits_whole(unit),
                                            .others = (uint64_t)options->actor_count_max *
                                                      options->worker_count};
    return weft_unit_ties_check(ties, &bounds, unit->worker->arena, wrong);
}

static int keep_ties(struct weft_unit_actor *unit, struct weft_span ties)
{
    if (ties.length == 0) return 0;
    unit->ties = weft_arena_alloc(unit->worker->arena, ties.length);
    if (unit->ties == NULL) return -ENOMEM;
    memcpy(unit->ties, ties.data, ties.length);
    unit->ties_bytes = (uint32_t)ties.length;
    return 0;
}

void weft_unit_restore_drop(struct weft_unit_actor *unit)
{
    if (unit->ties != NULL) weft_arena_release(unit->worker->arena, unit->ties, unit->ties_bytes);
    unit->ties = NULL;
}

// From its image, if there is one: whole, or not at all. One of the journal that cannot be used
// stays where it is, for the build or the limits that can.
int weft_unit_restore_make(struct weft_unit_actor *unit, struct weft_span image,
                           struct weft_unit_parts *parts, const char **wrong)
{
    struct weft_node_worker *worker = unit->worker;
    const struct weft_unit_options options = weft_unit_limits_options(unit);
    const struct weft_unit_host *host = &worker->unit_host;
    if (image.data == NULL)
        return weft_unit_create(worker->forth, &worker->memory, &options, host, &unit->unit);
    int result = weft_unit_actor_image_read(image, parts, wrong);
    if (result == 0) result = check_ties(unit, parts->ties, wrong);
    if (result != 0) return result;
    result = weft_unit_load(worker->forth, &worker->memory, &options, host, parts->unit.data,
                            parts->unit.length, &unit->unit);
    *wrong = result == -EBADMSG ? "its words, texts or stacks are damaged, or no unit's" : NULL;
    if (result == 0) result = keep_ties(unit, parts->ties);
    for (uint32_t i = 0; result == 0 && i < parts->port_count; i++) {
        if (weft_unit_actor_bind(unit, parts->ports[i]) != 0)
            weft_log(&worker->core.log, WEFT_LOG_WARN, "unit",
                     "%s: UDP port %u is taken by another", unit->resident->name, parts->ports[i]);
    }
    return result;
}

// What it has to do with others, once those are there.
static void tie(struct weft_unit_actor *unit)
{
    const struct weft_unit_ids *ids = &unit->worker->node->ids;
    weft_unit_limits_join(unit);
    if (unit->root != 0) unit->root = weft_unit_ids_id(ids, weft_unit_ids_pid(ids, unit->root));
    weft_unit_ties_apply(unit, weft_span_of(unit->ties, unit->ties_bytes));
    weft_unit_restore_drop(unit);
    unit->is_dirty = false;
    unit->kept_mail = unit->actor->mailbox_count;
}

void weft_unit_actor_tie_held(struct weft_node_worker *worker)
{
    for (struct weft_list *link = worker->held.next; link != &worker->held; link = link->next)
        tie(WEFT_CONTAINER_OF(link, struct weft_unit_actor, held_link));
}

void weft_unit_actor_run_held(struct weft_node_worker *worker)
{
    for (struct weft_list *link; (link = weft_list_pop(&worker->held)) != NULL;) {
        struct weft_unit_actor *unit = WEFT_CONTAINER_OF(link, struct weft_unit_actor, held_link);
        unit->is_held = false;
        if (unit->is_adopted && weft_unit_actor_is_kept(unit)) weft_unit_actor_keep_adopted(unit);
        weft_unit_actor_wake(unit);
    }
}

void weft_unit_actor_end_held(struct weft_node_worker *worker)
{
    for (struct weft_list *link; (link = weft_list_pop(&worker->held)) != NULL;) {
        struct weft_unit_actor *unit = WEFT_CONTAINER_OF(link, struct weft_unit_actor, held_link);
        weft_actor_end_soon(unit->actor, WEFT_EXIT_KILLED);
    }
}

int weft_unit_restore_begin(struct weft_unit_actor *unit, const struct weft_command *command,
                            const struct weft_unit_parts *parts)
{
    const bool is_of_journal = command->verb == WEFT_COMMAND_RESTORE && command->image != NULL;
    unit->is_journaled = is_of_journal;
    unit->is_adopted = command->verb == WEFT_COMMAND_ADOPT;
    return weft_unit_restore_as(unit, parts->id, command->is_held, command->has_family);
}

int weft_unit_restore_as(struct weft_unit_actor *unit, uint64_t id, bool is_held, bool has_family)
{
    take_id(unit, id);
    const int result = weft_unit_ties_open(unit, weft_span_of(unit->ties, unit->ties_bytes));
    unit->has_family = has_family;
    unit->is_held = is_held;
    if (is_held)
        weft_list_append(&unit->worker->held, &unit->held_link);
    else
        tie(unit);
    return result;
}
