// cores.h: a node of a few cores turned by hand in one thread under a clock that the test sets.
#ifndef WEFT_TESTS_UNIT_ACTOR_CORES_H
#define WEFT_TESTS_UNIT_ACTOR_CORES_H

#include <stdlib.h>
#include <string.h>

#include "runtime/actor/actor.h"
#include "runtime/base/units.h"

#define CORES_MAX 4

struct cores {
    uint64_t now_ns;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_actor_node node;
    struct weft_core *core[CORES_MAX];
    struct weft_arena *arena[CORES_MAX];
    struct weft_actor_system system[CORES_MAX];
    size_t empty_bytes[CORES_MAX]; // What an arena holds before the first actor.
    unsigned count;
};

struct cores_size { // 0: as cores_open.
    uint32_t actors, stacks, names;
    size_t arena_bytes;
    bool checked_stacks;
};

static inline uint64_t cores_now(void *self)
{
    return ((struct cores *)self)->now_ns;
}

static inline void cores_open_sized(struct cores *cores, unsigned count,
                                    const struct cores_size *size)
{
    memset(cores, 0, sizeof(*cores));
    cores->count = count;
    cores->now_ns = WEFT_NS_PER_S;
    cores->clock = (struct weft_clock){.now_ns = cores_now, .self = cores};
    for (unsigned i = 0; i < count; i++) {
        cores->core[i] = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(cores->core[i], &cores->group, (uint16_t)i, &cores->clock, WEFT_LOG_INFO);
    }
    assert_int_equal(weft_core_group_connect(&cores->group), 0);
    assert_int_equal(weft_actor_node_init(&cores->node, "test", size->names ? size->names : 64), 0);
    for (unsigned i = 0; i < count; i++) {
        cores->arena[i] = weft_arena_create(size->arena_bytes ? size->arena_bytes : 32 * WEFT_MIB);
        assert_non_null(cores->arena[i]);
        const struct weft_actor_options options = {
            .core = cores->core[i],
            .arena = cores->arena[i],
            .node = &cores->node,
            .actor_count_max = size->actors ? size->actors : 256,
            .stack_count_max = size->stacks ? size->stacks : 256,
            .guard = size->checked_stacks ? WEFT_STACK_CHECKS : WEFT_STACK_PAGES,
            .traces = true};
        assert_int_equal(weft_actor_system_init(&cores->system[i], &options), 0);
        cores->empty_bytes[i] = weft_arena_used_bytes(cores->arena[i]);
    }
}

static inline void cores_open(struct cores *cores, unsigned count, uint32_t capacity)
{
    const struct cores_size size = {.actors = capacity};
    cores_open_sized(cores, count, &size);
}

static inline void cores_close(struct cores *cores)
{
    for (unsigned i = 0; i < cores->count; i++)
        weft_actor_system_destroy(&cores->system[i]);
    for (unsigned i = 0; i < cores->count; i++) {
        assert_int_equal(weft_arena_used_bytes(cores->arena[i]), 0);
        weft_arena_free(cores->arena[i]);
    }
    weft_actor_node_destroy(&cores->node);
    weft_core_group_destroy(&cores->group);
    for (unsigned i = 0; i < cores->count; i++)
        free(cores->core[i]);
}

// Turns every core until none finds work in two rounds: what the test itself has sent goes out at
// the end of the first.
static inline void cores_settle(struct cores *cores)
{
    for (unsigned quiet = 0; quiet < 2; quiet++) {
        bool found = false;
        for (unsigned i = 0; i < cores->count; i++)
            found |= weft_core_turn(cores->core[i]);
        if (found) quiet = 0;
        cores->now_ns += 1000;
    }
}

static inline uint64_t cores_dropped(const struct cores *cores, enum weft_drop drop)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < cores->count; i++)
        count += weft_drop_get(&cores->core[i]->drops, drop);
    return count;
}

// The law of the ledger: every user message offered was received, or has one reason why not.
static inline void cores_check_ledger(const struct cores *cores)
{
    uint64_t sent = 0, received = 0;
    for (unsigned i = 0; i < cores->count; i++) {
        sent += weft_counter_get(&cores->system[i].stats.send_count);
        received += weft_counter_get(&cores->system[i].stats.message_count);
    }
    const uint64_t dropped = cores_dropped(cores, WEFT_DROP_MAILBOX_FULL) +
                             cores_dropped(cores, WEFT_DROP_MAILBOX_QUOTA) +
                             cores_dropped(cores, WEFT_DROP_MAILBOX_NO_ACTOR) +
                             cores_dropped(cores, WEFT_DROP_MAILBOX_NO_MEMORY) +
                             cores_dropped(cores, WEFT_DROP_MAILBOX_LATE) +
                             cores_dropped(cores, WEFT_DROP_MAILBOX_CYCLE) +
                             cores_dropped(cores, WEFT_DROP_RING_FULL);
    assert_int_equal(sent, received + dropped);
}

#endif // WEFT_TESTS_UNIT_ACTOR_CORES_H
