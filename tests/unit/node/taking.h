// taking.h: all units of a rig's node at one instant, and a fresh node of them.
#ifndef WEFT_TESTS_UNIT_NODE_TAKING_H
#define WEFT_TESTS_UNIT_NODE_TAKING_H

#include "runtime/node/instant.h"
#include "runtime/node/standstill.h"
#include "tests/unit/node/rig.h"

#define BYTES_MAX (1u << 20)

struct taking {
    struct weft_standstill still;
    uint8_t bytes[BYTES_MAX];
    size_t at[WORKERS], sizes[WORKERS], length;
    uint32_t unit_count, counts[WORKERS];
    enum { MEASURED = 1, WRITTEN = 2, GONE = 4 } state;
};

static inline struct taking *taking_of(struct weft_standstill *still)
{
    return WEFT_CONTAINER_OF(still, struct taking, still);
}

static inline void measure(struct weft_standstill *still, struct weft_node_worker *worker)
{
    const unsigned i = worker->core.index - 1u;
    taking_of(still)->sizes[i] = weft_instant_bytes(worker);
}

static inline void write_down(struct weft_standstill *still, struct weft_node_worker *worker)
{
    struct taking *taking = taking_of(still);
    const unsigned i = worker->core.index - 1u;
    assert_int_equal(weft_instant_write(worker, taking->bytes + taking->at[i], taking->sizes[i],
                                        &taking->counts[i]),
                     taking->sizes[i]);
}

static inline void next(struct weft_standstill *still)
{
    struct taking *taking = taking_of(still);
    if (still->step == NULL) {
        weft_standstill_do(still, measure);
    } else if (taking->state == 0) {
        taking->state = MEASURED;
        taking->length = WEFT_INSTANT_HEAD_BYTES;
        for (unsigned i = 0; i < WORKERS; i++) {
            taking->at[i] = taking->length;
            taking->length += taking->sizes[i];
        }
        assert_true(taking->length <= BYTES_MAX);
        weft_standstill_do(still, write_down);
    } else {
        taking->state = WRITTEN;
        taking->unit_count = 0;
        for (unsigned i = 0; i < WORKERS; i++)
            taking->unit_count += taking->counts[i];
        weft_standstill_end(still);
    }
}

static inline void gone(struct weft_standstill *still)
{
    taking_of(still)->state = GONE;
}

// In `turns_max` turns. 0: however long it takes, for workers that are threads and may get no CPU.
static inline void take_in(struct rig *rig, struct taking *taking,
                           void (*turn_some)(struct rig *rig), unsigned turns_max)
{
    taking->state = 0;
    taking->still = (struct weft_standstill){.node = &rig->node, .next = next, .gone = gone};
    assert_int_equal(weft_standstill_begin(&taking->still), 0);
    for (unsigned n = 1; taking->state != GONE; n++) {
        if (n == turns_max) fail_msg("the node does not come to rest");
        turn_some(rig);
    }
    weft_instant_head(&rig->node, taking->bytes, taking->length - WEFT_INSTANT_HEAD_BYTES,
                      taking->unit_count);
}

static inline void take(struct rig *rig, struct taking *taking, void (*turn_some)(struct rig *rig))
{
    take_in(rig, taking, turn_some, TURNS_MAX);
}

// On a fresh node. What came back by that name.
static inline void restore(struct rig *rig, const struct taking *taking)
{
    static struct asked asked[32];
    struct weft_instant instant;
    struct weft_error error = {0};
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    if (weft_instant_read(weft_span_of(taking->bytes, taking->length), &instant, &error) != 0)
        fail_msg("%s", error.text);
    for (uint32_t n = 0; n < instant.count; n++) {
        const struct weft_instant_entry *entry = &instant.entries[n];
        const char *wrong = NULL;
        if (entry->is_child) {
            // On the other core than it was.
            assert_int_equal(weft_unit_actor_revive(&rig->node.workers[entry->core % WORKERS],
                                                    entry->name, entry->image, &entry->kin,
                                                    &entry->quota, &wrong),
                             0);
            continue;
        }
        assert_true(n < 32);
        memset(&asked[n], 0, sizeof(asked[n]));
        asked[n].command = (struct weft_command){.verb = WEFT_COMMAND_ADOPT,
                                                 .resident = reserve(rig, entry->name, entry->core),
                                                 .image = entry->image.data,
                                                 .image_length = entry->image.length,
                                                 .is_held = true,
                                                 .has_family = true,
                                                 .done = is_done};
        assert_int_equal(weft_unit_actor_submit(&rig->node, &asked[n].command), 0);
        wait_for(rig, &asked[n]);
        if (asked[n].command.error.code != 0) fail_msg("%s", asked[n].command.error.text);
    }
    weft_instant_destroy(&instant);
    for (int i = 0; i < WORKERS; i++)
        weft_unit_actor_tie_held(&rig->node.workers[i]);
    for (int i = 0; i < WORKERS; i++)
        weft_unit_actor_run_held(&rig->node.workers[i]);
}

#endif // WEFT_TESTS_UNIT_NODE_TAKING_H
