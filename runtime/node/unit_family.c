// unit_family.c: what a unit notes of those that it has spawned, for the journal.
#include "runtime/node/unit_family.h"

#include <stdio.h>
#include <string.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_limits.h"

struct weft_unit_family *weft_unit_family_of(struct weft_unit_actor *unit)
{
    if (unit->family != NULL) return unit->family;
    unit->family = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*unit->family));
    if (unit->family != NULL) weft_list_init(&unit->family->commands);
    return unit->family;
}

void weft_unit_family_name(uint64_t id, char name[WEFT_UNIT_NAME_MAX + 1])
{
    snprintf(name, WEFT_UNIT_NAME_MAX + 1, "~%016llx", (unsigned long long)id);
}

// An array with room for one more. False: no memory; it is as it was.
static bool make_room(struct weft_unit_actor *unit, void **array, uint32_t count, uint32_t *room,
                      size_t bytes)
{
    if (count < *room) return true;
    const uint32_t more = *room == 0 ? 8 : 2 * *room;
    void *larger = weft_arena_alloc(unit->worker->arena, more * bytes);
    if (larger == NULL) return false;
    if (count > 0) memcpy(larger, *array, count * bytes);
    if (*array != NULL) weft_arena_release(unit->worker->arena, *array, *room * bytes);
    *array = larger;
    *room = more;
    return true;
}

// The youngest first: who is joined soon was born last.
struct weft_unit_young *weft_unit_young_find(const struct weft_unit_family *family, uint64_t id)
{
    for (uint32_t n = family->young.count; n-- > 0;) {
        if (family->young.list[n].id == id) return &family->young.list[n];
    }
    return NULL;
}

void weft_unit_young_remove(struct weft_unit_family *family, struct weft_unit_young *young)
{
    family->young.kept_count -= young->state == WEFT_YOUNG_KEPT;
    *young = family->young.list[--family->young.count];
}

// False: there is no memory, or there are too many.
static bool add_young(struct weft_unit_actor *unit, const struct weft_unit_young *young)
{
    struct weft_unit_family *family = weft_unit_family_of(unit);
    const uint64_t limit =
        WEFT_UNIT_DEAD_FACTOR * (uint64_t)weft_unit_limit(unit, WEFT_QUOTA_SPAWNED);
    if (family == NULL || family->young.count >= limit + WEFT_UNIT_LEVELS) return false;
    void *list = family->young.list;
    if (!make_room(unit, &list, family->young.count, &family->young.room,
                   sizeof(*family->young.list)))
        return false;
    family->young.list = list;
    family->young.list[family->young.count++] = *young;
    return true;
}

void weft_unit_family_born(struct weft_unit_actor *unit, uint64_t id, uint64_t farewell)
{
    const struct weft_unit_family *family = unit->family;
    if (!weft_unit_actor_is_kept(unit)) return;
    struct weft_unit_young *young =
        family != NULL && family->young.kept_count > 0 ? weft_unit_young_find(family, id) : NULL;
    if (young != NULL) { // It was written down before its parent looked.
        weft_unit_young_remove(unit->family, young);
        return;
    }
    if (!add_young(unit, &(struct weft_unit_young){.id = id, .farewell = farewell}))
        weft_log_actor(&unit->worker->core.log, WEFT_LOG_WARN, "unit", unit->actor->pid,
                       weft_label(unit->actor),
                       "a unit that it has spawned is in no journal: no memory, or too many");
}

void weft_unit_family_killed(struct weft_unit_actor *unit, uint64_t id, uint64_t farewell)
{
    if (!weft_unit_actor_is_kept(unit)) return;
    struct weft_unit_young *young =
        unit->family != NULL ? weft_unit_young_find(unit->family, id) : NULL;
    if (young != NULL && young->state < WEFT_YOUNG_ENDED)
        young->state = WEFT_YOUNG_ENDED;
    else if (young == NULL)
        add_young(unit, &(struct weft_unit_young){.id = id,
                                                  .farewell = farewell,
                                                  .state = WEFT_YOUNG_ENDED,
                                                  .is_recorded = true});
}

void weft_unit_family_heard(struct weft_unit_actor *unit, uint64_t id)
{
    if (!weft_unit_actor_is_kept(unit)) return;
    struct weft_unit_family *family = weft_unit_family_of(unit);
    if (family == NULL) return;
    struct weft_unit_young *young = weft_unit_young_find(family, id);
    const bool is_recorded = young == NULL || young->is_recorded;
    if (young != NULL) weft_unit_young_remove(family, young);
    if (!is_recorded) return;
    // Without a place here the journal learns of it by the child itself, if it does.
    void *ids = family->dead.ids;
    if (family->dead.count >= WEFT_UNIT_DEAD_FACTOR * weft_unit_limit(unit, WEFT_QUOTA_SPAWNED) ||
        !make_room(unit, &ids, family->dead.count, &family->dead.room, sizeof(*family->dead.ids)))
        return;
    family->dead.ids = ids;
    family->dead.ids[family->dead.count++] = id;
}

void weft_unit_family_detached(struct weft_unit_actor *unit, uint64_t id)
{
    struct weft_unit_young *young =
        unit->family != NULL ? weft_unit_young_find(unit->family, id) : NULL;
    if (young != NULL) young->farewell = 0;
}

// ---- Records and their answers.

void weft_unit_family_sent(struct weft_unit_actor *unit)
{
    struct weft_unit_family *family = unit->family;
    if (family == NULL) return;
    family->wants_record = false;
    if (family->dead.asked != 0 || family->dead.count == 0) return;
    family->dead.asked = unit->asked;
    family->dead.asked_count = family->dead.count;
}

void weft_unit_family_answered(struct weft_unit_actor *unit, int result)
{
    struct weft_unit_family *family = unit->family;
    if (family == NULL || family->dead.asked == 0 || unit->answered < family->dead.asked) return;
    family->dead.asked = 0;
    if (result != 0) return;
    family->dead.count -= family->dead.asked_count;
    memmove(family->dead.ids, family->dead.ids + family->dead.asked_count,
            family->dead.count * sizeof(*family->dead.ids));
}

void weft_unit_family_free(struct weft_unit_actor *unit)
{
    struct weft_unit_family *family = unit->family;
    struct weft_arena *arena = unit->worker->arena;
    if (family->young.list != NULL)
        weft_arena_release(arena, family->young.list,
                           family->young.room * sizeof(*family->young.list));
    if (family->dead.ids != NULL)
        weft_arena_release(arena, family->dead.ids, family->dead.room * sizeof(*family->dead.ids));
    weft_arena_release(arena, family, sizeof(*family));
    unit->family = NULL;
}
