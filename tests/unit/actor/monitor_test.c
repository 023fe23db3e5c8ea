// Monitors fire once: on one core, across two, against demonitor at every moment, and at random.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "runtime/base/prng.h"
#include "tests/unit/actor/cores.h"

struct watcher {
    unsigned down_count;
    uint64_t reference[64];
    uint16_t type[64];
    weft_pid from[64];
};

static void note_down(struct weft_actor *actor, void *state, struct weft_message *message)
{
    struct watcher *watcher = state;
    (void)actor;
    if (message->tag != WEFT_MESSAGE_DOWN) return;
    assert_int_equal(message->length, 0);
    assert_true(watcher->down_count < WEFT_COUNT_OF(watcher->reference));
    watcher->reference[watcher->down_count] = message->reference;
    watcher->type[watcher->down_count] = message->type;
    watcher->from[watcher->down_count++] = message->from;
}

static const struct weft_actor_kind kind = {.name = "watcher", .handle = note_down};

static weft_pid spawn(struct weft_actor_system *system, struct watcher *watcher)
{
    weft_pid pid = 0;
    memset(watcher, 0, sizeof(*watcher));
    const struct weft_spawn how = {.kind = &kind, .state = watcher};
    assert_int_equal(weft_actor_spawn(system, &how, 0, &pid), 0);
    return pid;
}

static uint64_t monitor(struct cores *cores, weft_pid watcher, weft_pid target)
{
    uint64_t reference = 0;
    struct weft_actor *actor = weft_actor_find(&cores->system[weft_pid_home(watcher)], watcher);
    assert_non_null(actor);
    assert_int_equal(weft_actor_monitor(actor, target, &reference), 0);
    assert_int_not_equal(reference, 0);
    return reference;
}

static void demonitor(struct cores *cores, weft_pid watcher, uint64_t reference)
{
    struct weft_actor *actor = weft_actor_find(&cores->system[weft_pid_home(watcher)], watcher);
    assert_non_null(actor);
    weft_actor_demonitor(actor, reference);
}

static void kill_actor(struct cores *cores, weft_pid pid, enum weft_exit reason)
{
    assert_int_equal(weft_actor_kill(&cores->system[weft_pid_home(pid)], pid, reason), 0);
}

static void check_no_blocks(const struct cores *cores)
{
    for (unsigned i = 0; i < cores->count; i++)
        assert_int_equal(cores->system[i].messages[0].used_count, 0);
}

static void fires_once_with_the_reason(void **state)
{
    (void)state;
    for (unsigned target_core = 0; target_core < 2; target_core++) {
        static struct cores cores;
        struct watcher watcher, target;
        cores_open(&cores, 2, 16);
        const weft_pid w = spawn(&cores.system[0], &watcher);
        const weft_pid t = spawn(&cores.system[target_core], &target);
        const uint64_t first = monitor(&cores, w, t), second = monitor(&cores, w, t);
        assert_int_not_equal(first, second);
        cores_settle(&cores);
        assert_int_equal(watcher.down_count, 0);
        kill_actor(&cores, t, WEFT_EXIT_FAULT);
        cores_settle(&cores);
        assert_int_equal(watcher.down_count, 2); // One for each monitor.
        assert_true((watcher.reference[0] == first && watcher.reference[1] == second) ||
                    (watcher.reference[0] == second && watcher.reference[1] == first));
        assert_int_equal(watcher.type[0], WEFT_EXIT_FAULT);
        assert_int_equal(watcher.from[0], t);
        demonitor(&cores, w, first); // Too late: harmless.
        cores_settle(&cores);
        assert_int_equal(watcher.down_count, 2);
        check_no_blocks(&cores);
        cores_close(&cores);
    }
}

static void the_absent_answer_at_once(void **state)
{
    (void)state;
    static struct cores cores;
    struct watcher watcher, target;
    cores_open(&cores, 2, 16);
    const weft_pid w = spawn(&cores.system[0], &watcher);
    weft_pid absent[] = {0, 0, UINT64_MAX, UINT64_C(0x0000000105000000)};
    for (unsigned i = 0; i < 2; i++) {
        absent[i] = spawn(&cores.system[i], &target);
        kill_actor(&cores, absent[i], WEFT_EXIT_NORMAL);
        cores_settle(&cores);
    }
    for (unsigned i = 0; i < WEFT_COUNT_OF(absent); i++) {
        const uint64_t reference = monitor(&cores, w, absent[i]);
        cores_settle(&cores);
        assert_int_equal(watcher.down_count, i + 1);
        assert_int_equal(watcher.reference[i], reference);
        assert_int_equal(watcher.type[i], WEFT_EXIT_NOPROC);
        assert_int_equal(watcher.from[i], absent[i]);
    }
    check_no_blocks(&cores);
    cores_close(&cores);
}

// Demonitor after n turns of the two cores in turn: no DOWN afterwards, whatever was on its way.
static void demonitor_wins_at_every_moment(void **state)
{
    (void)state;
    for (unsigned kill_at = 0; kill_at < 6; kill_at++) {
        for (unsigned demonitor_at = 0; demonitor_at < 8; demonitor_at++) {
            static struct cores cores;
            struct watcher watcher, target;
            cores_open(&cores, 2, 16);
            const weft_pid w = spawn(&cores.system[0], &watcher);
            const weft_pid t = spawn(&cores.system[1], &target);
            const uint64_t reference = monitor(&cores, w, t);
            unsigned seen = 0;
            for (unsigned turn = 0; turn < 20; turn++) {
                if (turn == kill_at) kill_actor(&cores, t, WEFT_EXIT_KILLED);
                if (turn == demonitor_at) {
                    demonitor(&cores, w, reference);
                    seen = watcher.down_count;
                }
                weft_core_turn(cores.core[turn % 2]);
            }
            cores_settle(&cores);
            assert_int_equal(watcher.down_count, seen);
            check_no_blocks(&cores);
            cores_close(&cores);
        }
    }
}

static void a_watcher_that_ends_takes_its_watches_back(void **state)
{
    (void)state;
    for (unsigned target_core = 0; target_core < 2; target_core++) {
        for (unsigned turns = 0; turns < 6; turns++) {
            static struct cores cores;
            struct watcher watcher, target;
            cores_open(&cores, 2, 16);
            const weft_pid w = spawn(&cores.system[0], &watcher);
            const weft_pid t = spawn(&cores.system[target_core], &target);
            monitor(&cores, w, t);
            monitor(&cores, w, w); // Its own end is no news to it.
            kill_actor(&cores, t, WEFT_EXIT_KILLED);
            for (unsigned i = 0; i < turns; i++)
                weft_core_turn(cores.core[1 - i % 2]);
            if (weft_actor_find(&cores.system[0], w) != NULL)
                kill_actor(&cores, w, WEFT_EXIT_NORMAL);
            cores_settle(&cores);
            assert_null(weft_actor_find(&cores.system[0], w));
            check_no_blocks(&cores);
            cores_close(&cores);
        }
    }
}

static void a_down_comes_through_a_full_ring(void **state)
{
    (void)state;
    static struct cores cores;
    static struct watcher watcher, target;
    cores_open(&cores, 2, 16);
    const weft_pid w = spawn(&cores.system[0], &watcher);
    const weft_pid t = spawn(&cores.system[1], &target);
    monitor(&cores, w, t);
    cores_settle(&cores);
    int status = 0;
    while (status == 0) { // Core 1 fills its way to core 0.
        struct weft_message *message = weft_message_alloc(&cores.system[1], 8);
        message->to = w;
        status = weft_actor_send(&cores.system[1], message);
    }
    assert_int_equal(status, -ENOBUFS);
    kill_actor(&cores, t, WEFT_EXIT_KILLED);
    weft_core_turn(cores.core[1]);
    cores_settle(&cores);
    assert_int_equal(watcher.down_count, 1);
    check_no_blocks(&cores);
    cores_check_ledger(&cores);
    cores_close(&cores);
}

// Property: whatever is monitored, demonitored and killed when, every monitor that was not taken
// back and whose watcher lives fires exactly once, and all memory comes home.
#define ACTORS 12
#define EVENTS 200

struct event {
    unsigned watcher, target;
    uint64_t reference;
    bool cancelled;
};

static unsigned count_downs(const struct watcher *watcher, uint64_t reference)
{
    unsigned count = 0;
    for (unsigned i = 0; i < watcher->down_count; i++)
        count += watcher->reference[i] == reference;
    return count;
}

static void random_lives(unsigned seed)
{
    static struct cores cores;
    static struct watcher actors[ACTORS];
    struct event events[EVENTS];
    weft_pid pids[ACTORS];
    bool dead[ACTORS] = {false};
    unsigned event_count = 0;
    struct weft_prng prng;
    weft_prng_seed(&prng, seed);
    cores_open(&cores, 3, 32);
    for (unsigned i = 0; i < ACTORS; i++)
        pids[i] = spawn(&cores.system[i % 3], &actors[i]);
    for (unsigned step = 0; step < EVENTS; step++) {
        const unsigned a = weft_prng_below(&prng, ACTORS), b = weft_prng_below(&prng, ACTORS);
        switch (weft_prng_below(&prng, 8)) {
        case 0:
        case 1:
        case 2:
            if (dead[a]) break;
            events[event_count++] = (struct event){a, b, monitor(&cores, pids[a], pids[b]), false};
            break;
        case 3: {
            if (event_count == 0) break;
            struct event *event = &events[weft_prng_below(&prng, event_count)];
            if (dead[event->watcher] || count_downs(&actors[event->watcher], event->reference) > 0)
                break;
            demonitor(&cores, pids[event->watcher], event->reference);
            event->cancelled = true;
            break;
        }
        case 4:
            if (dead[a] || weft_prng_below(&prng, 3) != 0) break;
            kill_actor(&cores, pids[a], WEFT_EXIT_KILLED);
            // Ends in its core's next turn, which comes at once, so that the model knows.
            weft_core_turn(cores.core[a % 3]);
            dead[a] = true;
            break;
        default: weft_core_turn(cores.core[weft_prng_below(&prng, 3)]); break;
        }
    }
    cores_settle(&cores);
    for (unsigned i = 0; i < event_count; i++) {
        const struct event *event = &events[i];
        const unsigned downs = count_downs(&actors[event->watcher], event->reference);
        if (dead[event->watcher] ? downs > 1 : downs != (dead[event->target] && !event->cancelled))
            fail_msg("seed %u: event %u fired %u times", seed, i, downs);
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        if (!dead[i]) kill_actor(&cores, pids[i], WEFT_EXIT_NORMAL);
    }
    cores_settle(&cores);
    check_no_blocks(&cores);
    cores_close(&cores);
}

static void every_monitor_fires_at_most_once(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++)
        random_lives(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_once_with_the_reason),
        cmocka_unit_test(the_absent_answer_at_once),
        cmocka_unit_test(demonitor_wins_at_every_moment),
        cmocka_unit_test(a_watcher_that_ends_takes_its_watches_back),
        cmocka_unit_test(a_down_comes_through_a_full_ring),
        cmocka_unit_test(every_monitor_fires_at_most_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
