// Names: which can be, who has them, when they go; and two cores that want the same one at once.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "tests/unit/actor/play.h"

#define LONGEST "123456789012345678901234567890123456789012345678901234567890123"

static void do_nothing(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)self, (void)message;
    if (context != NULL) ++*(unsigned *)context;
}

static int enroll(struct cores *cores, weft_pid self, const char *name, weft_pid pid)
{
    struct weft_actor *actor = play_find(cores, self);
    play_begin(actor);
    const int result = weft_register(actor, name, pid);
    play_end(actor);
    return result;
}

static int strike(struct cores *cores, weft_pid self, const char *name)
{
    struct weft_actor *actor = play_find(cores, self);
    play_begin(actor);
    const int result = weft_unregister(actor, name);
    play_end(actor);
    return result;
}

static weft_pid whereis(struct cores *cores, const char *name)
{
    return weft_actor_whereis(&cores->node, name);
}

static void some_names_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int result;
    } cases[] = {
        {"a", 0},
        {"12345678", 0},
        {"123456789", 0},
        {"eight bytes", -EINVAL},
        {LONGEST, 0},
        {"", -EINVAL},
        {LONGEST "4", -EINVAL},
        {"a b", -EINVAL},
        {"tab\there", -EINVAL},
        {" a", -EINVAL},
        {"a ", -EINVAL},
        {"\x01", -EINVAL},
        {"!", 0},
        {"gr\xc3\xbc\xc3\x9f", 0},
        {"\xff\xfe", 0},
    };
    static struct cores cores;
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_hand_on(&cores, 0, do_nothing, NULL);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        if (enroll(&cores, pid, cases[i].name, 0) != cases[i].result) fail_msg("%zu", i);
        assert_int_equal(whereis(&cores, cases[i].name), cases[i].result == 0 ? pid : 0);
        assert_int_equal(strike(&cores, pid, cases[i].name), cases[i].result == 0 ? 0 : -ENOENT);
        assert_int_equal(whereis(&cores, cases[i].name), 0);
    }
    play_kill(&cores, pid);
    play_close(&cores);
}

static void a_name_has_one_owner_and_goes_with_it(void **state)
{
    (void)state;
    for (unsigned core = 0; core < 2; core++) {
        static struct cores cores;
        cores_open(&cores, 2, 16);
        const weft_pid a = play_hand_on(&cores, 0, do_nothing, NULL);
        const weft_pid b = play_hand_on(&cores, core, do_nothing, NULL);
        assert_int_equal(enroll(&cores, a, "one", 0), 0);
        assert_int_equal(enroll(&cores, a, "one", 0), -EEXIST); // Its own, too.
        assert_int_equal(enroll(&cores, b, "one", 0), -EEXIST);
        assert_int_equal(enroll(&cores, a, "two", 0), 0); // One may have several.
        assert_int_equal(enroll(&cores, b, "three", a), 0);
        assert_int_equal(whereis(&cores, "three"), a);
        assert_int_equal(enroll(&cores, a, "four", b), 0);
        assert_int_equal(whereis(&cores, "four"), b);
        cores_settle(&cores);
        assert_int_equal(strike(&cores, b, "two"), 0); // Anybody may.
        assert_int_equal(strike(&cores, b, "two"), -ENOENT);
        assert_int_equal(enroll(&cores, b, "two", 0), 0);
        play_kill(&cores, a);
        cores_settle(&cores);
        assert_int_equal(whereis(&cores, "one"), 0);
        assert_int_equal(whereis(&cores, "two"), b); // It is another's now.
        assert_int_equal(whereis(&cores, "three"), 0);
        assert_int_equal(enroll(&cores, b, "one", a), -ESRCH);
        assert_int_equal(enroll(&cores, b, "one", 77), -ESRCH);
        assert_int_equal(enroll(&cores, b, "one", 0), 0);
        play_kill(&cores, b);
        cores_settle(&cores);
        assert_int_equal(whereis(&cores, "one"), 0);
        assert_int_equal(whereis(&cores, "four"), 0);
        play_close(&cores);
    }
}

// The name stands at once; the actor that it is for ends before it learns of it.
static void a_name_for_one_that_ends_meanwhile_goes(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 6; turns++) {
        static struct cores cores;
        cores_open(&cores, 2, 16);
        const weft_pid a = play_hand_on(&cores, 0, do_nothing, NULL);
        const weft_pid b = play_hand_on(&cores, 1, do_nothing, NULL);
        assert_int_equal(weft_actor_kill(&cores.system[1], b, WEFT_EXIT_KILLED), 0);
        assert_int_equal(enroll(&cores, a, "late", b), 0);
        for (unsigned i = 0; i < turns; i++)
            weft_core_turn(cores.core[(i + turns) % 2]);
        cores_settle(&cores);
        assert_int_equal(whereis(&cores, "late"), 0);
        assert_int_equal(enroll(&cores, a, "late", 0), 0);
        play_kill(&cores, a);
        play_close(&cores);
    }
}

static void a_full_table_refuses_and_has_room_again(void **state)
{
    (void)state;
    static struct cores cores;
    char name[16];
    const struct cores_size size = {.names = 200};
    cores_open_sized(&cores, 1, &size);
    weft_pid pid = play_hand_on(&cores, 0, do_nothing, NULL);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 210; i++) {
            snprintf(name, sizeof(name), "name-%u-%u", round, i);
            assert_int_equal(enroll(&cores, pid, name, 0), i < 200 ? 0 : -ENOSPC);
        }
        for (unsigned i = 0; i < 210; i++) {
            snprintf(name, sizeof(name), "name-%u-%u", round, i);
            assert_int_equal(whereis(&cores, name), i < 200 ? pid : 0);
            if (round != 1) assert_int_equal(strike(&cores, pid, name), i < 200 ? 0 : -ENOENT);
        }
        if (round != 1) continue;
        play_kill(&cores, pid);
        cores_settle(&cores);
        pid = play_hand_on(&cores, 0, do_nothing, NULL);
    }
    play_kill(&cores, pid);
    play_close(&cores);
}

struct sender {
    int results[3];
};

static void send_by_name(struct weft_actor *self, void *context)
{
    struct sender *sender = context;
    sender->results[0] = weft_send_named(self, "somebody", 1, "x", 1);
    sender->results[1] = weft_send_named(self, "nobody", 1, "x", 1);
    sender->results[2] = weft_send_named(self, "no name", 1, "x", 1);
    assert_int_equal(weft_whereis(self, "nobody"), 0);
    assert_int_not_equal(weft_whereis(self, "somebody"), 0);
}

static void a_message_finds_a_name(void **state)
{
    (void)state;
    static struct cores cores;
    unsigned count = 0;
    struct sender sender = {{1, 1, 1}};
    cores_open(&cores, 2, 16);
    const weft_pid pid = play_hand_on(&cores, 1, do_nothing, &count);
    assert_int_equal(enroll(&cores, pid, "somebody", 0), 0);
    play_body_on(&cores, 0, send_by_name, &sender);
    cores_settle(&cores);
    assert_int_equal(sender.results[0], 0);
    assert_int_equal(sender.results[1], -ESRCH);
    assert_int_equal(sender.results[2], -ESRCH);
    assert_int_equal(count, 1);
    play_kill(&cores, pid);
    play_close(&cores);
}

// ---- Property: against a plain list, with actors that end and move.

#define NAMES  40
#define ACTORS 8

static void random_names(unsigned seed)
{
    static struct cores cores;
    struct weft_prng prng;
    weft_pid pids[ACTORS] = {0}, owners[NAMES] = {0};
    char name[16];
    weft_prng_seed(&prng, seed);
    const struct cores_size size = {.names = NAMES};
    cores_open_sized(&cores, 3, &size);
    for (unsigned step = 0; step < 400; step++) {
        const unsigned a = weft_prng_below(&prng, ACTORS), n = weft_prng_below(&prng, NAMES);
        const uint32_t what = weft_prng_below(&prng, 10);
        snprintf(name, sizeof(name), "n%u", n);
        if (pids[a] == 0) pids[a] = play_hand_on(&cores, a % 3, do_nothing, NULL);
        struct weft_actor *actor = play_find(&cores, pids[a]);
        if (what < 6) {
            assert_int_equal(enroll(&cores, pids[a], name, 0), owners[n] == 0 ? 0 : -EEXIST);
            if (owners[n] == 0) owners[n] = pids[a];
        } else if (what < 8) {
            assert_int_equal(strike(&cores, pids[a], name), owners[n] != 0 ? 0 : -ENOENT);
            owners[n] = 0;
        } else if (what == 8) {
            weft_move_start(actor, (uint16_t)((actor->system->index + 1) % 3));
            cores_settle(&cores);
        } else {
            play_kill(&cores, pids[a]);
            cores_settle(&cores);
            for (unsigned i = 0; i < NAMES; i++) {
                if (owners[i] == pids[a]) owners[i] = 0;
            }
            pids[a] = 0;
        }
        for (unsigned i = 0; i < NAMES; i++) {
            snprintf(name, sizeof(name), "n%u", i);
            if (whereis(&cores, name) != owners[i]) fail_msg("seed %u, step %u", seed, step);
        }
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        if (pids[i] != 0) play_kill(&cores, pids[i]);
    }
    play_close(&cores);
}

static void names_are_as_in_a_plain_list(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 30; seed++)
        random_names(seed);
}

// ---- Two threads, one for each core, that register the same names at once, while a third name in
// the same bucket comes and goes. A name has one owner in each round.

#define ROUNDS 20000
#define WANTED 4

struct race {
    struct cores cores;
    weft_pid pids[2];
    char names[WANTED][16];
    char others[2][WANTED][16]; // Of each thread, in the same buckets.
    _Atomic unsigned round[2];
    _Atomic unsigned won[WANTED];
    unsigned failures;
};

static struct race race;

static void meet(unsigned thread)
{
    const unsigned mine = atomic_fetch_add(&race.round[thread], 1) + 1;
    for (unsigned spins = 0; atomic_load(&race.round[1 - thread]) < mine; spins++) {
        if (spins > 1000) sched_yield();
    }
}

static void *run_race(void *argument)
{
    const unsigned thread = *(unsigned *)argument;
    struct weft_actor *self = weft_actor_find(&race.cores.system[thread], race.pids[thread]);
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool won[WANTED];
        meet(thread);
        for (unsigned i = 0; i < WANTED; i++) {
            const unsigned n = thread == 0 ? i : WANTED - 1 - i;
            weft_register(self, race.others[thread][n], 0);
            won[n] = weft_register(self, race.names[n], 0) == 0;
            weft_unregister(self, race.others[thread][n]);
            atomic_fetch_add(&race.won[n], won[n]);
        }
        meet(thread);
        for (unsigned n = 0; n < WANTED; n++) {
            // At most one; none only if each saw the other's claim, which it must not take for a
            // win.
            if (thread == 0 && atomic_load(&race.won[n]) != 1) race.failures++;
            if (weft_actor_whereis(&race.cores.node, race.names[n]) == 0) race.failures++;
        }
        meet(thread);
        for (unsigned n = 0; n < WANTED; n++) {
            if (won[n] && weft_unregister(self, race.names[n]) != 0) race.failures++;
            if (thread == 0) atomic_store(&race.won[n], 0);
        }
    }
    return NULL;
}

// The first bucket of a name in a table of so many buckets; as registry.c has it.
static uint32_t bucket_of(const char *name, uint32_t mask)
{
    uint64_t words[8], hash;
    assert_true(weft_name_key(name, words, &hash));
    return (uint32_t)(hash >> 2) & mask;
}

static void choose_names(uint32_t mask)
{
    unsigned number = 0;
    for (unsigned n = 0; n < WANTED; n++) {
        snprintf(race.names[n], sizeof(race.names[n]), "wanted%u", n);
        for (unsigned thread = 0; thread < 2; thread++) {
            char *other = race.others[thread][n];
            do
                snprintf(other, sizeof(race.names[n]), "o%u", number++);
            while (bucket_of(other, mask) != bucket_of(race.names[n], mask));
        }
    }
}

static void of_two_cores_one_gets_the_name(void **state)
{
    (void)state;
    pthread_t threads[2];
    unsigned numbers[2] = {0, 1};
    memset(&race, 0, sizeof(race));
    cores_open(&race.cores, 2, 16);
    choose_names(31); // Of 64 names: 32 buckets of 8 places.
    for (unsigned i = 0; i < 2; i++) {
        race.pids[i] = play_hand_on(&race.cores, i, do_nothing, NULL);
        race.cores.system[i].running = weft_actor_find(&race.cores.system[i], race.pids[i]);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_race, &numbers[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.failures, 0);
    for (unsigned i = 0; i < 2; i++) {
        race.cores.system[i].running = NULL;
        play_kill(&race.cores, race.pids[i]);
    }
    play_close(&race.cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_names_cannot_be),
        cmocka_unit_test(a_name_has_one_owner_and_goes_with_it),
        cmocka_unit_test(a_name_for_one_that_ends_meanwhile_goes),
        cmocka_unit_test(a_full_table_refuses_and_has_room_again),
        cmocka_unit_test(a_message_finds_a_name),
        cmocka_unit_test(names_are_as_in_a_plain_list),
        cmocka_unit_test(of_two_cores_one_gets_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
