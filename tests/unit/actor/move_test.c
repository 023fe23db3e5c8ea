// Actors that go from core to core: what goes with them, what follows them, and that nothing is
// lost, doubled or overtaken, whatever the cores do when.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/lives.h"

#define MS WEFT_NS_PER_MS

// ---- weft_move, spawn on another core, pin.

struct tour {
    unsigned stops;
    uint16_t went[8];
    int wrong, here;
};

static void travel(struct weft_actor *self, void *context)
{
    struct tour *tour = context;
    char on_stack[64];
    memset(on_stack, 'x', sizeof(on_stack));
    char *memory = weft_alloc(self, 64);
    memset(memory, 'y', 64);
    static const uint16_t plan[] = {1, 2, 0, 2, 1, 1, 0};
    for (size_t i = 0; i < WEFT_COUNT_OF(plan); i++) {
        assert_int_equal(weft_move(self, plan[i]), 0);
        tour->went[tour->stops++] = weft_core_index(self);
        assert_int_equal(weft_core_index(self), plan[i]);
        for (size_t n = 0; n < 64; n++) // What it has goes with it, at the same address.
            assert_true(on_stack[n] == 'x' && memory[n] == 'y');
    }
    tour->here = weft_move(self, weft_core_index(self));
    tour->wrong = weft_move(self, 3);
    assert_int_equal(weft_move(self, 64), -EINVAL);
    assert_int_equal(weft_move(self, UINT16_MAX), -EINVAL);
    weft_free(self, memory);
}

static void travel_in_handler(struct weft_actor *self, void *context, struct weft_message *message)
{
    assert_int_equal(message->type, 1);
    travel(self, context);
    assert_int_equal(message->type, 1); // Still in its hands.
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static void an_actor_goes_where_it_says(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static struct cores cores;
        struct tour tour = {.wrong = 1, .here = 1};
        cores_open(&cores, 3, 16);
        if (i == 0)
            play_body_on(&cores, 0, travel, &tour);
        else
            play_send(&cores, play_hand_on(&cores, 0, travel_in_handler, &tour), 1);
        cores_settle(&cores);
        assert_int_equal(tour.stops, 7);
        assert_int_equal(tour.here, 0);
        assert_int_equal(tour.wrong, -EINVAL);
        play_close(&cores);
    }
}

struct nursery {
    uint16_t core;
    bool pinned;
    unsigned got[4];
    uint16_t ran_on[4];
};

static void note_core(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct nursery *nursery = context;
    assert_true(message->type < 4);
    nursery->got[message->type]++;
    nursery->ran_on[message->type] = weft_core_index(self);
    if (message->type == 3) weft_stop(self, WEFT_EXIT_NORMAL);
}

static void spawn_elsewhere(struct weft_actor *self, void *context)
{
    struct nursery *nursery = context;
    struct play_role role;
    struct weft_spawn spawn = play_as(&role, NULL, note_core, nursery);
    weft_pid pid;
    spawn.core = nursery->core;
    spawn.pinned = nursery->pinned;
    assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
    for (uint16_t i = 0; i < 4; i++)
        assert_int_equal(weft_send(self, pid, i, NULL, 0), 0);
}

static void a_child_begins_where_it_is_meant_to(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        static struct cores cores;
        struct nursery nursery = {.core = (uint16_t)(i / 2), .pinned = i % 2 == 1};
        cores_open(&cores, 3, 16);
        play_body_on(&cores, i == 0 ? 0 : 2, spawn_elsewhere, &nursery);
        cores_settle(&cores);
        for (unsigned n = 0; n < 4; n++) { // What was sent at once has followed it.
            assert_int_equal(nursery.got[n], 1);
            assert_int_equal(nursery.ran_on[n],
                             nursery.core == 0 ? (i == 0 ? 0 : 2) : nursery.core);
        }
        play_close(&cores);
    }
}

static void stay(struct weft_actor *self, void *context)
{
    (void)context;
    weft_pin(self, true);
    for (unsigned i = 0; i < 20; i++)
        weft_yield(self);
    assert_int_equal(weft_core_index(self), 0);
    weft_pin(self, false);
    for (unsigned i = 0; i < 20; i++)
        weft_yield(self);
}

static void who_is_pinned_stays(void **state)
{
    (void)state;
    static struct cores cores;
    cores_open(&cores, 3, 16);
    cores.node.moves_always = true;
    const weft_pid pid = play_body_on(&cores, 0, stay, NULL);
    for (unsigned i = 0; i < 300; i++)
        weft_core_turn(cores.core[i % 3]);
    assert_null(play_find(&cores, pid));
    assert_true(weft_counter_get(&cores.system[0].stats.departed_count) > 0); // When it might.
    play_close(&cores);
}

// ---- Two that talk across cores are brought together.

struct talker {
    weft_pid other;
    unsigned rounds;
};

static void answer_ball(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct talker *talker = context;
    if (talker->rounds++ < 5000) weft_send(self, talker->other, 1, NULL, 0);
    weft_release(self, message);
}

static void return_balls(struct weft_actor *self, void *context)
{
    for (;;)
        answer_ball(self, context, weft_receive(self, WEFT_FOREVER));
}

static void two_that_talk_come_together(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) { // Stackful or not, each of the two.
        static struct cores cores;
        struct talker talkers[2] = {{0}};
        weft_pid pids[2];
        cores_open(&cores, 2, 16);
        for (unsigned n = 0; n < 2; n++)
            pids[n] = i >> n & 1 ? play_body_on(&cores, n, return_balls, &talkers[n])
                                 : play_hand_on(&cores, n, answer_ball, &talkers[n]);
        for (unsigned n = 0; n < 2; n++)
            talkers[n].other = pids[1 - n];
        play_send(&cores, pids[0], 1);
        for (unsigned n = 0; n < 2000 && talkers[0].rounds < 4000; n++)
            weft_core_turn(cores.core[n % 2]);
        assert_ptr_equal(play_find(&cores, pids[0])->system, play_find(&cores, pids[1])->system);
        for (unsigned n = 0; n < 2; n++)
            play_kill(&cores, pids[n]);
        play_close(&cores);
    }
}

// ---- What is fixed to an actor goes with it.

struct settler {
    weft_pid other;
    uint64_t reference;
    unsigned exits, downs, groups;
    bool is_named;
};

static void settle_and_move(struct weft_actor *self, void *context)
{
    struct settler *settler = context;
    weft_trap_exit(self, true);
    assert_int_equal(weft_link(self, settler->other), 0);
    assert_int_equal(weft_monitor(self, settler->other, &settler->reference), 0);
    assert_int_equal(weft_register(self, "settler", 0), 0);
    assert_int_equal(weft_group_join(self, "settlers"), 0);
    for (uint16_t i = 1; i < 8; i++)
        assert_int_equal(weft_move(self, i % 3), 0);
    settler->is_named = true;
    for (const struct weft_message *message;
         (message = weft_receive(self, WEFT_FOREVER)) != NULL &&
         !(message->tag == WEFT_MESSAGE_USER && message->type == 1);) {
        settler->exits += message->tag == WEFT_MESSAGE_EXIT;
        settler->downs +=
            message->tag == WEFT_MESSAGE_DOWN && message->reference == settler->reference;
        settler->groups += message->tag == WEFT_MESSAGE_USER;
    }
}

struct caller {
    weft_pid settler;
    int sent, whereis_after;
    size_t group_sent, members_after;
};

static void call_upon(struct weft_actor *self, void *context)
{
    struct caller *caller = context;
    weft_pid pids[4];
    caller->settler = weft_whereis(self, "settler");
    caller->sent = weft_send_named(self, "settler", 5, NULL, 0);
    caller->group_sent = weft_group_send(self, "settlers", 5, NULL, 0);
    weft_sleep(self, MS);
    assert_int_equal(weft_send_named(self, "settler", 1, NULL, 0), 0);
    weft_join(self, caller->settler, WEFT_FOREVER, NULL);
    caller->whereis_after = weft_whereis(self, "settler") != 0;
    caller->members_after = weft_group_members(self, "settlers", pids, 4);
}

static void do_nothing(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)self, (void)context, (void)message;
}

static void links_monitors_names_and_groups_go_with_it(void **state)
{
    (void)state;
    for (unsigned core = 0; core < 3; core++) {
        static struct cores cores;
        struct settler settler = {0};
        struct caller caller = {.sent = 1};
        cores_open(&cores, 3, 16);
        settler.other = play_hand_on(&cores, core, do_nothing, NULL);
        const weft_pid pid = play_body_on(&cores, 0, settle_and_move, &settler);
        cores_settle(&cores);
        assert_true(settler.is_named);
        play_kill(&cores, settler.other);
        cores_settle(&cores);
        assert_int_equal(settler.exits, 1);
        assert_int_equal(settler.downs, 1);
        play_body_on(&cores, core, call_upon, &caller);
        play_for(&cores, 2 * MS);
        assert_int_equal(caller.settler, pid);
        assert_int_equal(caller.sent, 0);
        assert_int_equal(caller.group_sent, 1);
        assert_int_equal(settler.groups, 2);
        assert_int_equal(caller.whereis_after, 0);
        assert_int_equal(caller.members_after, 0);
        play_close(&cores);
    }
}

// ---- At every moment of a move: a kill, a question, a message.

struct moved {
    unsigned got;
    weft_pid pid;
    int result;
    struct weft_info info;
    bool asked;
    uint64_t stays_ns;
};

static void note_message(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct moved *moved = context;
    (void)self;
    assert_int_equal(message->type, moved->got);
    moved->got++;
}

static void rest(struct weft_actor *self, void *context)
{
    for (;;)
        note_message(self, context, weft_receive(self, WEFT_FOREVER));
}

static void ask_about(struct weft_actor *self, void *context)
{
    struct moved *moved = context;
    moved->result = weft_info(self, moved->pid, &moved->info);
    moved->asked = true;
}

static void a_frozen_actor_is_killed_asked_about_and_sent_to(void **state)
{
    (void)state;
    enum { KILL, ASK, SEND, WHATS };
    for (unsigned i = 0; i < 2 * 3 * WHATS * 12; i++) {
        static struct cores cores;
        const unsigned from = i % 3, what = i / 3 % WHATS, turns = i / (3 * WHATS) % 12;
        const bool has_stack = i / (3 * WHATS * 12) == 1;
        struct moved moved = {.result = 1};
        cores_open(&cores, 3, 16);
        moved.pid = has_stack ? play_body_on(&cores, 0, rest, &moved)
                              : play_hand_on(&cores, 0, note_message, &moved);
        cores_settle(&cores);
        assert_int_equal(weft_move_start(play_find(&cores, moved.pid), 1), 0);
        for (unsigned n = 0; n < turns; n++)
            weft_core_turn(cores.core[n % 3]);
        struct weft_actor_system *system = &cores.system[from];
        if (what == KILL) {
            assert_int_equal(weft_actor_kill(system, moved.pid, WEFT_EXIT_KILLED), 0);
        } else if (what == ASK) {
            play_body_on(&cores, from, ask_about, &moved);
        } else {
            for (uint16_t n = 0; n < 5; n++) {
                struct weft_message *message = weft_message_alloc(system, 0);
                message->to = moved.pid;
                message->type = n;
                assert_int_equal(weft_actor_send(system, message), 0);
                weft_core_turn(cores.core[(turns + n) % 3]);
            }
        }
        cores_settle(&cores);
        if ((play_find(&cores, moved.pid) == NULL) != (what == KILL))
            fail_msg("%u: from %u, what %u, %u turns", i, from, what, turns);
        if (what == SEND) assert_int_equal(moved.got, 5);
        if (what == ASK) {
            assert_true(moved.asked);
            assert_int_equal(moved.result, 0);
            assert_int_equal(moved.info.pid, moved.pid);
            assert_in_range(moved.info.core, 0, 1); // Before it went, or afterwards.
            assert_int_equal(moved.info.stackful, has_stack);
        }
        if (what != KILL) play_kill(&cores, moved.pid);
        play_close(&cores);
    }
}

// ---- A core does not run out of stacks because its actors go away.

static void go_and_end(struct weft_actor *self, void *context)
{
    if (weft_core_index(self) == 0) { // Half of them take a stack of core 0 along.
        weft_yield(self);
        assert_int_equal(weft_move(self, 1), 0);
    }
    weft_yield(self);
    ++*(unsigned *)context;
}

static void spawn_all(struct weft_actor *self, void *context)
{
    for (unsigned i = 0; i < 400; i++) {
        struct play_role role;
        struct weft_spawn spawn = play_as(&role, go_and_end, NULL, context);
        weft_pid pid;
        spawn.core = i % 2;
        assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
        if (i % 8 == 7) weft_sleep(self, MS);
    }
}

static void stacks_come_home(void **state)
{
    (void)state;
    static struct cores cores;
    unsigned ended = 0;
    const struct cores_size size = {.actors = 64, .stacks = 64};
    cores_open_sized(&cores, 2, &size);
    play_body_on(&cores, 0, spawn_all, &ended);
    play_for(&cores, 100 * MS);
    assert_int_equal(ended, 400);
    play_close(&cores);
}

// ---- Property: random lives (lives.h) on three or four cores, turned at random, moved at every
// opportunity.

#define ALIVE 10 // At a time.

static unsigned count_living(struct cores *cores)
{
    unsigned count = 0;
    for (unsigned i = 0; i < cores->count; i++)
        count += (unsigned)weft_actor_count(&cores->system[i].stats);
    return count;
}

// A message from nobody, so that somebody goes on.
static void nudge(struct cores *cores, const struct lives *all, struct weft_prng *dice)
{
    struct weft_actor_system *system = &cores->system[weft_prng_below(dice, cores->count)];
    struct weft_message *message = weft_message_alloc(system, 0);
    message->to = all->life[weft_prng_below(dice, all->count)].pid;
    weft_actor_send(system, message);
}

static void random_lives(unsigned seed)
{
    static struct cores cores;
    static struct lives all;
    struct weft_prng dice;
    weft_prng_seed(&dice, seed);
    memset(&all, 0, sizeof(all));
    all.seed = seed;
    all.mortal = true;
    all.core_count = 3 + seed % 2;
    cores_open(&cores, all.core_count, 64);
    cores.node.moves_always = seed % 4 != 0;
    while (all.count < ALIVE)
        lives_add(&all, &cores, &dice, UINT32_MAX);
    for (unsigned step = 0; step < 200; step++) {
        if (weft_prng_below(&dice, 2) == 0) nudge(&cores, &all, &dice);
        if (all.count < LIVES_MAX && count_living(&cores) < ALIVE)
            lives_add(&all, &cores, &dice, UINT32_MAX);
        play_turns(&cores, &dice, 4);
    }
    // To the end of what is under way; then one after the other ends, in the midst of the others.
    cores.node.moves_always = false;
    play_turns(&cores, &dice, 100);
    for (unsigned i = 0; i < all.count; i++) {
        play_kill(&cores, all.life[i].pid);
        play_turns(&cores, &dice, 5);
        if (i != all.count / 2) continue;
        cores_settle(&cores);
        lives_check_watches(&all, &cores);
    }
    play_close(&cores);
}

static void nothing_is_lost_doubled_or_overtaken(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 400; seed++)
        random_lives(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_actor_goes_where_it_says),
        cmocka_unit_test(a_child_begins_where_it_is_meant_to),
        cmocka_unit_test(who_is_pinned_stays),
        cmocka_unit_test(two_that_talk_come_together),
        cmocka_unit_test(links_monitors_names_and_groups_go_with_it),
        cmocka_unit_test(a_frozen_actor_is_killed_asked_about_and_sent_to),
        cmocka_unit_test(stacks_come_home),
        cmocka_unit_test(nothing_is_lost_doubled_or_overtaken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
