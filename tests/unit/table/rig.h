// rig.h: a node of a few cores with tables, turned by hand, and on each core actors that do what a
// test tells them to.
#ifndef WEFT_TESTS_UNIT_TABLE_RIG_H
#define WEFT_TESTS_UNIT_TABLE_RIG_H

#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/table.h>

#include "runtime/actor/internal.h"
#include "runtime/table/table.h"
#include "tests/unit/actor/cores.h"

typedef void rig_work(struct weft_actor *self, void *argument);

struct rig {
    struct cores cores;
    weft_pid actor[CORES_MAX]; // One on each core, for rig_do.
};

struct rig_order { // In a message: what to do.
    rig_work *work;
    void *argument;
};

// What an actor of a rig has been given, by whoever ended.
struct rig_gift {
    unsigned count;
    struct weft_table_given last;
};

static inline void rig_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct rig_gift *gift = state;
    struct rig_order order;
    if (message->tag == WEFT_MESSAGE_SYSTEM) {
        assert_int_equal(message->type, WEFT_TABLE_GIVEN);
        assert_int_equal(message->length, sizeof(gift->last));
        gift->count++;
        memcpy(&gift->last, message->payload, sizeof(gift->last));
        return;
    }
    memcpy(&order, message->payload, sizeof(order));
    order.work(self, order.argument);
}

static const struct weft_actor_kind rig_kind = {
    .name = "rig", .state_bytes = sizeof(struct rig_gift), .handle = rig_handle};

// Turns every core until nothing is left to do, memory on its way out included.
static inline void rig_settle(struct rig *rig)
{
    for (unsigned i = 0; i < 6; i++)
        cores_settle(&rig->cores);
}

static inline weft_pid rig_spawn(struct rig *rig, unsigned core)
{
    weft_pid pid = 0;
    const struct weft_spawn spawn = {.kind = &rig_kind, .pinned = true};
    assert_int_equal(weft_actor_spawn(&rig->cores.system[core], &spawn, 0, &pid), 0);
    return pid;
}

static inline void rig_chance(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 0x5a, length);
}

static inline void rig_open_with(struct rig *rig, unsigned count, uint32_t tables)
{
    const struct weft_entropy entropy = {.fill = rig_chance};
    cores_open(&rig->cores, count, 256);
    assert_int_equal(weft_tables_init(&rig->cores.node, tables, &entropy), 0);
    for (unsigned i = 0; i < count; i++)
        rig->actor[i] = rig_spawn(rig, i);
}

static inline void rig_open(struct rig *rig, unsigned count)
{
    rig_open_with(rig, count, 64);
}

static inline void rig_close(struct rig *rig)
{
    weft_tables_destroy(&rig->cores.node);
    cores_close(&rig->cores);
}

// Has the actor `pid`, which is on `core`, do something, at once. What it leads to is not waited
// for.
static inline void rig_order(struct rig *rig, unsigned core, weft_pid pid, rig_work *work,
                             void *argument)
{
    const struct rig_order order = {work, argument};
    struct weft_message *message = weft_message_alloc(&rig->cores.system[core], sizeof(order));
    assert_non_null(message);
    message->to = pid;
    memcpy(message->payload, &order, sizeof(order));
    assert_int_equal(weft_actor_send(&rig->cores.system[core], message), 0);
    while (weft_core_turn(rig->cores.core[core]))
        continue;
}

static inline void rig_do(struct rig *rig, unsigned core, rig_work *work, void *argument)
{
    rig_order(rig, core, rig->actor[core], work, argument);
}

static inline const struct rig_gift *rig_gift_of(struct rig *rig, unsigned core, weft_pid pid)
{
    const struct weft_actor *actor = weft_actor_find(&rig->cores.system[core], pid);
    return actor != NULL ? actor->state : NULL;
}

static inline void rig_end(struct rig *rig, unsigned core, weft_pid pid)
{
    assert_int_equal(weft_actor_kill(&rig->cores.system[core], pid, WEFT_EXIT_KILLED), 0);
    rig_settle(rig);
}

#endif // WEFT_TESTS_UNIT_TABLE_RIG_H
