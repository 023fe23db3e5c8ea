// unit_limits.h: the quotas of a unit that has others than the node gives to all, or that has a
// number of reductions for each second.
//
// Reductions are a bucket in its virtual form, as runtime/mesh/pacer.h has it: one time, which each
// slice moves by what it has spent. A unit that is ahead of it rests until its time has come; it is
// not ended. What a unit has spawned spends from the same bucket, on whatever core it is: so a unit
// cannot get more by being many.
//
// Core: the unit's, but for the bucket, which is shared by the cores of a family.
#ifndef WEFT_NODE_UNIT_LIMITS_H
#define WEFT_NODE_UNIT_LIMITS_H

#include "runtime/node/unit_actor.h"
#include "runtime/node/unit_quota.h"

struct weft_unit_limits {
    struct weft_unit_quota quota; // Whole.
    uint32_t family;              // Index of the resident with the bucket; UINT32_MAX: its own,
    weft_pid founder;             // while this is there.
    weft_counter due_ns;          // Its own bucket: when what was spent will have been earned.
    uint64_t rest_ns;             // It rests until then; 0: it does not.
};

// Of one that is loaded: as its resident says. Of one that is spawned: as its parent's
// (`whole` and the family come from there). 0 or -ENOMEM.
int weft_unit_limits_load(struct weft_unit_actor *unit);
int weft_unit_limits_inherit(struct weft_unit_actor *unit, const struct weft_unit_birth *birth);
// Of one that was spawned, from its image. `founder`: id of whose reductions it spends, from when
// all are there that come back with it (weft_unit_limits_join); 0: its own. 0 or -ENOMEM.
int weft_unit_limits_revive(struct weft_unit_actor *unit, const struct weft_unit_quota *quota,
                            uint64_t founder);
void weft_unit_limits_join(struct weft_unit_actor *unit);
void weft_unit_limits_bequeath(const struct weft_unit_actor *unit, struct weft_unit_birth *birth);
void weft_unit_limits_free(struct weft_unit_actor *unit);

uint32_t weft_unit_limit(const struct weft_unit_actor *unit, enum weft_unit_quota_kind kind);
struct weft_unit_quota weft_unit_limits_whole(const struct weft_unit_actor *unit);
// What forth/unit.h wants to know of them.
struct weft_unit_options weft_unit_limits_options(const struct weft_unit_actor *unit);

// True if its program may not run now: until unit->limits->rest_ns.
bool weft_unit_limits_rest(struct weft_unit_actor *unit);
// It has spent so many reductions.
void weft_unit_limits_spend(struct weft_unit_actor *unit, uint64_t reductions);

#endif // WEFT_NODE_UNIT_LIMITS_H
