#include "runtime/node/unit_limits.h"

#include <errno.h>

#include "runtime/base/units.h"

#define SLACK_NS (100 * WEFT_NS_PER_MS) // What idle time buys: a burst of so long.

uint32_t weft_unit_limit(const struct weft_unit_actor *unit, enum weft_unit_quota_kind kind)
{
    return unit->limits != NULL ? unit->limits->quota.value[kind]
                                : weft_unit_quota_usual(&unit->worker->node->options, kind);
}

struct weft_unit_quota weft_unit_limits_whole(const struct weft_unit_actor *unit)
{
    struct weft_unit_quota whole;
    for (int kind = 0; kind < WEFT_QUOTA_COUNT; kind++)
        whole.value[kind] = weft_unit_limit(unit, (enum weft_unit_quota_kind)kind);
    return whole;
}

struct weft_unit_options weft_unit_limits_options(const struct weft_unit_actor *unit)
{
    struct weft_unit_options options = unit->worker->node->options.unit;
    options.memory_bytes_max = weft_unit_limit(unit, WEFT_QUOTA_MEMORY);
    options.stack_cells_max = weft_unit_limit(unit, WEFT_QUOTA_STACK);
    if (options.stack_cells_max < options.call_depth_max)
        options.call_depth_max = options.stack_cells_max;
    return options;
}

// A block of its own, for what differs from the node's.
static int give(struct weft_unit_actor *unit, const struct weft_unit_quota *whole, uint32_t family,
                weft_pid founder)
{
    bool differs = whole->value[WEFT_QUOTA_REDUCTIONS] != 0;
    for (int kind = 0; kind < WEFT_QUOTA_COUNT; kind++)
        differs |= whole->value[kind] != weft_unit_limit(unit, (enum weft_unit_quota_kind)kind);
    if (!differs) return 0;
    struct weft_unit_limits *limits = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*limits));
    if (limits == NULL) return -ENOMEM;
    limits->quota = *whole;
    limits->family = family;
    limits->founder = founder;
    unit->limits = limits;
    return 0;
}

int weft_unit_limits_load(struct weft_unit_actor *unit)
{
    const struct weft_unit_quota whole =
        weft_unit_quota_whole(&unit->worker->node->options, &unit->resident->quota);
    weft_counter_set(&unit->resident->due_ns, 0);
    return give(unit, &whole, unit->resident->index, 0);
}

int weft_unit_limits_inherit(struct weft_unit_actor *unit, const struct weft_unit_birth *birth)
{
    return birth->has_quota ? give(unit, &birth->quota, birth->family, birth->founder) : 0;
}

int weft_unit_limits_revive(struct weft_unit_actor *unit, const struct weft_unit_quota *quota,
                            uint64_t founder)
{
    const struct weft_unit_quota whole = weft_unit_quota_whole(&unit->worker->node->options, quota);
    return give(unit, &whole, UINT32_MAX, founder);
}

void weft_unit_limits_join(struct weft_unit_actor *unit)
{
    struct weft_unit_limits *limits = unit->limits;
    if (unit->farewell == NULL || limits == NULL || limits->founder == 0) return;
    const struct weft_unit_registry *units = &unit->worker->node->units;
    limits->founder = weft_unit_actor_resolve(unit, limits->founder);
    const struct weft_resident *resident = weft_unit_registry_of(units, limits->founder);
    limits->family = resident != NULL ? resident->index : UINT32_MAX;
}

void weft_unit_limits_bequeath(const struct weft_unit_actor *unit, struct weft_unit_birth *birth)
{
    const struct weft_unit_limits *limits = unit->limits;
    birth->has_quota = limits != NULL;
    if (limits != NULL) birth->quota = limits->quota;
    birth->family = limits != NULL ? limits->family : UINT32_MAX;
    birth->founder = unit->farewell == NULL ? unit->actor->pid
                     : limits != NULL       ? limits->founder
                                            : 0;
}

void weft_unit_limits_free(struct weft_unit_actor *unit)
{
    if (unit->limits == NULL) return;
    weft_arena_release(unit->worker->arena, unit->limits, sizeof(*unit->limits));
    unit->limits = NULL;
}

// The family's bucket, while its founder lives; afterwards each has its own.
static weft_counter *bucket(struct weft_unit_actor *unit)
{
    struct weft_unit_limits *limits = unit->limits;
    if (limits->family == UINT32_MAX) return &limits->due_ns;
    struct weft_resident *resident = &unit->worker->node->units.residents[limits->family];
    if (limits->founder == 0) return &resident->due_ns; // That is itself.
    const uint64_t status = weft_counter_get(&resident->status);
    const bool is_there = weft_counter_get(&resident->pid) == limits->founder &&
                          status != WEFT_RESIDENT_FREE && status != WEFT_RESIDENT_ENDED;
    return is_there ? &resident->due_ns : &limits->due_ns;
}

bool weft_unit_limits_rest(struct weft_unit_actor *unit)
{
    struct weft_unit_limits *limits = unit->limits;
    if (limits == NULL || limits->quota.value[WEFT_QUOTA_REDUCTIONS] == 0) return false;
    const uint64_t due_ns = weft_counter_get(bucket(unit));
    const bool rests = due_ns > unit->worker->core.now_ns + SLACK_NS;
    limits->rest_ns = rests ? due_ns - SLACK_NS : 0;
    return rests;
}

void weft_unit_limits_spend(struct weft_unit_actor *unit, uint64_t reductions)
{
    struct weft_unit_limits *limits = unit->limits;
    if (limits == NULL || limits->quota.value[WEFT_QUOTA_REDUCTIONS] == 0) return;
    const uint64_t second_max = UINT64_MAX / WEFT_NS_PER_S;
    if (reductions > second_max) reductions = second_max;
    const uint64_t cost_ns =
        reductions * WEFT_NS_PER_S / limits->quota.value[WEFT_QUOTA_REDUCTIONS];
    weft_counter *due_ns = bucket(unit);
    const uint64_t now_ns = unit->worker->core.now_ns;
    uint64_t before = weft_counter_get(due_ns), after;
    do // Relaxed: a number that stands for nothing else.
        after = (before > now_ns ? before : now_ns) + cost_ns;
    while (!atomic_compare_exchange_weak_explicit(due_ns, &before, after, memory_order_relaxed,
                                                  memory_order_relaxed));
}
