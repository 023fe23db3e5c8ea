// Who runs where: an idle core gets of what computes, pairs that talk stay pairs, the rest stays.
#include "tests/support/cmocka.h"

#include "tests/unit/actor/play.h"

#define CROWD 24

struct worker {
    weft_pid pid, other;
    unsigned slices;
};

static struct worker workers[CROWD];

static void compute(struct weft_actor *self, void *context)
{
    struct worker *worker = context;
    for (;;) {
        worker->slices++;
        weft_reduce(self, WEFT_SLICE_REDUCTIONS); // A slice full, always again.
    }
}

static void compute_and_come_again(struct weft_actor *self, void *context,
                                   struct weft_message *message)
{
    struct worker *worker = context;
    (void)message;
    worker->slices++;
    weft_send(self, weft_self(self), 1, NULL, 0);
    weft_reduce(self, WEFT_SLICE_REDUCTIONS);
}

static void talk(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct worker *worker = context;
    (void)message;
    worker->slices++;
    weft_send(self, worker->other, 1, NULL, 0);
}

static void talk_stackful(struct weft_actor *self, void *context)
{
    for (;;)
        talk(self, context, weft_receive(self, WEFT_FOREVER));
}

// Where it is, or goes to.
static unsigned core_of_worker(struct cores *cores, unsigned i)
{
    return weft_slot_core(&cores->system[0], workers[i].pid) - 1;
}

static unsigned count_on(struct cores *cores, unsigned core)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CROWD; i++)
        count += core_of_worker(cores, i) == core;
    return count;
}

// The clock goes on by `turn_ns` in each turn: so long are slices, then.
static void turn_for(struct cores *cores, unsigned turns, uint64_t turn_ns)
{
    for (unsigned i = 0; i < turns; i++) {
        cores->now_ns += turn_ns;
        for (unsigned core = 0; core < cores->count; core++)
            weft_core_turn(cores->core[core]);
    }
}

static void end_all(struct cores *cores)
{
    for (unsigned i = 0; i < CROWD; i++)
        weft_actor_kill(&cores->system[0], workers[i].pid, WEFT_EXIT_KILLED);
    play_close(cores);
}

static void what_computes_is_spread(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) { // The third is pinned.
        static struct cores cores;
        memset(workers, 0, sizeof(workers));
        cores_open(&cores, 3, 64);
        for (unsigned i = 0; i < CROWD; i++) {
            struct play_role role;
            struct weft_spawn spawn =
                play_as(&role, kind == 1 ? NULL : compute, compute_and_come_again, &workers[i]);
            spawn.pinned = kind == 2;
            workers[i].pid = play_spawn(&cores, 0, &spawn);
            if (kind == 1) play_send(&cores, workers[i].pid, 1);
        }
        turn_for(&cores, 300, 100000); // Eight slices in 100 us: each is worth a move.
        for (unsigned core = 0; core < 3; core++) {
            const unsigned count = count_on(&cores, core);
            if (kind == 2)
                assert_int_equal(count, core == 0 ? CROWD : 0);
            else
                assert_in_range(count, 4, 16);
        }
        if (kind != 2) {
            for (unsigned i = 0; i < CROWD; i++) // And nobody starves.
                assert_true(workers[i].slices > 20);
        }
        end_all(&cores);
    }
}

static void short_slices_stay_where_they_are(void **state)
{
    (void)state;
    static struct cores cores;
    memset(workers, 0, sizeof(workers));
    cores_open(&cores, 2, 64);
    for (unsigned i = 0; i < CROWD; i++)
        workers[i].pid = play_body_on(&cores, 0, compute, &workers[i]);
    turn_for(&cores, 300, 1000); // 125 ns each: a move costs more.
    assert_int_equal(count_on(&cores, 0), CROWD);
    // Who was refused asks less and less often.
    assert_true(cores.system[1].refused_ns > 0);
    end_all(&cores);
}

static void pairs_that_talk_move_as_pairs(void **state)
{
    (void)state;
    for (unsigned stackful = 0; stackful < 2; stackful++) {
        static struct cores cores;
        memset(workers, 0, sizeof(workers));
        cores_open(&cores, 2, 64);
        for (unsigned i = 0; i < CROWD; i++)
            workers[i].pid = stackful ? play_body_on(&cores, 0, talk_stackful, &workers[i])
                                      : play_hand_on(&cores, 0, talk, &workers[i]);
        for (unsigned i = 0; i < CROWD; i++)
            workers[i].other = workers[i ^ 1].pid;
        for (unsigned i = 0; i < CROWD; i++) {
            for (unsigned n = 0; n < 20; n++) // Several balls: there is always somebody ready.
                play_send(&cores, workers[i].pid, 1);
        }
        turn_for(&cores, 2000, 3000);
        assert_in_range(count_on(&cores, 1), 2, CROWD - 2);
        for (unsigned i = 0; i < CROWD; i += 2)
            assert_int_equal(core_of_worker(&cores, i), core_of_worker(&cores, i + 1));
        end_all(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_computes_is_spread),
        cmocka_unit_test(short_slices_stay_where_they_are),
        cmocka_unit_test(pairs_that_talk_move_as_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
