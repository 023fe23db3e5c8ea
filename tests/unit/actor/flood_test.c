// A flood from another core, whose sender is told to wait only when much is on its way already:
// nothing of it is lost, and it comes in order.
#include "tests/support/cmocka.h"

#include <weft/weft.h>

#include "tests/unit/actor/cores.h"

enum { COUNT = 20000 };

struct flood {
    weft_pid to;
};

static void send_numbers(struct weft_actor *self, void *state)
{
    const struct flood *flood = state;
    for (uint64_t i = 0; i < COUNT; i++)
        assert_int_equal(weft_send(self, flood->to, 1, &i, sizeof(i)), 0);
}

static void check_number(struct weft_actor *self, void *state, struct weft_message *message)
{
    uint64_t *next = state;
    uint64_t number;
    (void)self;
    memcpy(&number, message->payload, sizeof(number));
    assert_int_equal(number, *next);
    ++*next;
}

static const struct weft_actor_kind sender_kind = {
    .name = "sender", .state_bytes = sizeof(struct flood), .main = send_numbers};
static const struct weft_actor_kind reader_kind = {.name = "reader", .handle = check_number};

static weft_pid spawn_on(struct cores *cores, unsigned core, const struct weft_spawn *spawn)
{
    weft_pid pid = 0;
    assert_int_equal(weft_actor_spawn(&cores->system[core], spawn, 0, &pid), 0);
    return pid;
}

static void nothing_is_lost_on_the_way_to_a_core_that_stands_still(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 16, 1024};
    // The reader's core takes so many turns where the sender's takes one, or stands still for so
    // many.
    static const struct {
        unsigned sender, reader;
    } turns[] = {{1, 1}, {1, 8}, {500, 1}};
    for (size_t i = 0; i < WEFT_COUNT_OF(limits) * WEFT_COUNT_OF(turns); i++) {
        static struct cores cores;
        const unsigned pace = i % WEFT_COUNT_OF(turns);
        uint64_t next = 0;
        cores_open(&cores, 2, 16);
        const struct weft_spawn reader = {.kind = &reader_kind,
                                          .state = &next,
                                          .mailbox_max = limits[i / WEFT_COUNT_OF(turns)],
                                          .pinned = true};
        const struct flood flood = {.to = spawn_on(&cores, 1, &reader)};
        const struct weft_spawn sender = {.kind = &sender_kind, .state = &flood, .pinned = true};
        spawn_on(&cores, 0, &sender);
        for (unsigned round = 0; round < 100; round++) {
            for (unsigned n = 0; n < turns[pace].sender; n++)
                weft_core_turn(cores.core[0]);
            for (unsigned n = 0; n < turns[pace].reader; n++)
                weft_core_turn(cores.core[1]);
            cores.now_ns += 1000;
        }
        cores_settle(&cores);
        assert_int_equal(next, COUNT);
        assert_int_equal(weft_actor_kill(&cores.system[1], flood.to, WEFT_EXIT_KILLED), 0);
        cores_settle(&cores);
        cores_check_ledger(&cores);
        cores_close(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_on_the_way_to_a_core_that_stands_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
