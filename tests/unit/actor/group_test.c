// Groups: every core knows the members, in the order of messages; who ends has left.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

static void count_one(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)self;
    if (message->type == 5 && context != NULL) ++*(unsigned *)context;
}

static int join(struct cores *cores, weft_pid pid, const char *group)
{
    struct weft_actor *actor = play_find(cores, pid);
    play_begin(actor);
    const int result = weft_group_join(actor, group);
    play_end(actor);
    return result;
}

static int leave_group(struct cores *cores, weft_pid pid, const char *group)
{
    struct weft_actor *actor = play_find(cores, pid);
    play_begin(actor);
    const int result = weft_group_leave(actor, group);
    play_end(actor);
    return result;
}

// What `core` thinks: the members, as a bit for each of `pids`.
static unsigned members(struct cores *cores, unsigned core, const char *group, const weft_pid *pids,
                        unsigned count)
{
    struct weft_actor asker = {.system = &cores->system[core]};
    weft_pid found[64];
    unsigned mask = 0;
    const size_t number = weft_group_members(&asker, group, found, WEFT_COUNT_OF(found));
    assert_true(number <= WEFT_COUNT_OF(found));
    for (size_t i = 0; i < number; i++) {
        unsigned n = 0;
        while (n < count && pids[n] != found[i])
            n++;
        assert_true(n < count && (mask >> n & 1) == 0); // Somebody, and once.
        mask |= 1u << n;
    }
    return mask;
}

static void check_everywhere(struct cores *cores, const char *group, const weft_pid *pids,
                             unsigned count, unsigned expected)
{
    for (unsigned core = 0; core < cores->count; core++) {
        const unsigned found = members(cores, core, group, pids, count);
        if (found != expected) fail_msg("core %u, %s: %x, not %x", core, group, found, expected);
    }
}

static void members_join_leave_and_end(void **state)
{
    (void)state;
    static struct cores cores;
    weft_pid pids[3];
    cores_open(&cores, 3, 16);
    for (unsigned i = 0; i < 3; i++)
        pids[i] = play_hand_on(&cores, i, count_one, NULL);
    check_everywhere(&cores, "g", pids, 3, 0);
    assert_int_equal(join(&cores, pids[0], "g"), 0);
    assert_int_equal(join(&cores, pids[0], "g"), -EEXIST);
    assert_int_equal(join(&cores, pids[1], "g"), 0);
    assert_int_equal(join(&cores, pids[1], "h"), 0);
    assert_int_equal(members(&cores, 0, "g", pids, 3), 1); // Its own core knows at once.
    cores_settle(&cores);
    check_everywhere(&cores, "g", pids, 3, 3);
    check_everywhere(&cores, "h", pids, 3, 2);
    assert_int_equal(join(&cores, pids[2], "no group"), -EINVAL);
    assert_int_equal(join(&cores, pids[2], ""), -EINVAL);
    assert_int_equal(leave_group(&cores, pids[2], "g"), -ENOENT);
    assert_int_equal(leave_group(&cores, pids[2], "no group"), -ENOENT);
    assert_int_equal(leave_group(&cores, pids[0], "g"), 0); // The first of it.
    assert_int_equal(leave_group(&cores, pids[0], "g"), -ENOENT);
    assert_int_equal(join(&cores, pids[2], "g"), 0);
    cores_settle(&cores);
    check_everywhere(&cores, "g", pids, 3, 6);
    play_kill(&cores, pids[1]);
    cores_settle(&cores);
    check_everywhere(&cores, "g", pids, 3, 4);
    check_everywhere(&cores, "h", pids, 3, 0);
    assert_int_equal(join(&cores, pids[0], "g"), 0);
    cores_settle(&cores);
    check_everywhere(&cores, "g", pids, 3, 5);
    play_kill(&cores, pids[0]);
    play_kill(&cores, pids[2]);
    play_close(&cores);
}

// ---- Thousands, and a message to all.

#define CROWD 3000

struct crier {
    unsigned expected;
    size_t sent, members, few;
};

static void cry(struct weft_actor *self, void *context)
{
    struct crier *crier = context;
    weft_pid few[3] = {0, 0, 0};
    crier->few = weft_group_members(self, "crowd", few, 2);
    assert_true(few[0] != 0 && few[1] != 0 && few[2] == 0); // No more than fit.
    crier->members = weft_group_members(self, "crowd", NULL, 0);
    crier->sent = weft_group_send(self, "crowd", 5, "hello", 5);
    assert_int_equal(weft_group_send(self, "nobody", 5, NULL, 0), 0);
}

static void cry_as_a_member(struct weft_actor *self, void *context)
{
    assert_int_equal(weft_group_join(self, "crowd"), 0);
    cry(self, context);
}

static void a_message_goes_to_every_member_but_the_sender(void **state)
{
    (void)state;
    static const unsigned counts[] = {3, 64, 65, CROWD};
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(counts); i++) {
        static struct cores cores;
        static weft_pid pids[CROWD];
        const unsigned count = counts[i / 2];
        unsigned heard = 0;
        struct crier crier = {0};
        const struct cores_size size = {.actors = 4096};
        cores_open_sized(&cores, 3, &size);
        for (unsigned n = 0; n < count; n++) {
            pids[n] = play_hand_on(&cores, n % 3, count_one, &heard);
            assert_int_equal(join(&cores, pids[n], "crowd"), 0);
        }
        cores_settle(&cores);
        play_body_on(&cores, 1, i % 2 ? cry_as_a_member : cry, &crier);
        cores_settle(&cores);
        assert_int_equal(crier.sent, count);
        assert_int_equal(heard, count);
        assert_int_equal(crier.members, count + i % 2);
        assert_int_equal(crier.few, count + i % 2);
        for (unsigned n = 0; n < count; n++)
            play_kill(&cores, pids[n]);
        play_close(&cores);
    }
}

// Whoever hears from a new member knows of it already.
struct news {
    weft_pid whom;
    bool knew;
};

static void join_and_tell(struct weft_actor *self, void *context)
{
    const struct news *news = context;
    assert_int_equal(weft_group_join(self, "new"), 0);
    weft_send(self, news->whom, 5, NULL, 0);
    weft_sleep(self, WEFT_NS_PER_MS);
    assert_int_equal(weft_group_leave(self, "new"), 0);
    weft_send(self, news->whom, 6, NULL, 0);
}

static void check_news(struct weft_actor *self, void *context, struct weft_message *message)
{
    weft_pid pid = 0;
    const size_t count = weft_group_members(self, "new", &pid, 1);
    assert_int_equal(count, message->type == 5 ? 1 : 0);
    if (count == 1) assert_int_equal(pid, message->from);
    ((struct news *)context)->knew = true;
}

static void news_comes_before_what_is_sent_afterwards(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        static struct cores cores;
        struct news news = {0};
        cores_open(&cores, 3, 16);
        news.whom = play_hand_on(&cores, i % 3, check_news, &news);
        play_body_on(&cores, i / 3, join_and_tell, &news);
        play_for(&cores, 2 * WEFT_NS_PER_MS);
        assert_true(news.knew);
        play_kill(&cores, news.whom);
        play_close(&cores);
    }
}

// ---- Property: random joins, leaves, ends and moves; at rest every core knows the same.

#define ACTORS 12
#define GROUPS 4

static void random_groups(unsigned seed)
{
    static struct cores cores;
    struct weft_prng prng;
    weft_pid pids[ACTORS] = {0};
    unsigned expected[GROUPS] = {0};
    static const char *const names[GROUPS] = {"a", "b", "much-longer-than-the-others", "d"};
    weft_prng_seed(&prng, seed);
    cores_open(&cores, 3, 64);
    for (unsigned step = 0; step < 300; step++) {
        const unsigned a = weft_prng_below(&prng, ACTORS), g = weft_prng_below(&prng, GROUPS);
        const uint32_t what = weft_prng_below(&prng, 12);
        if (pids[a] == 0) pids[a] = play_hand_on(&cores, a % 3, count_one, NULL);
        struct weft_actor *actor = play_find(&cores, pids[a]);
        if (actor == NULL || (actor->task.flags & (WEFT_ACTOR_MOVING | WEFT_ACTOR_ENDING)) != 0) {
            play_turns(&cores, &prng, 3);
            continue;
        }
        if (what < 5) {
            assert_int_equal(join(&cores, pids[a], names[g]), expected[g] >> a & 1 ? -EEXIST : 0);
            expected[g] |= 1u << a;
        } else if (what < 8) {
            assert_int_equal(leave_group(&cores, pids[a], names[g]),
                             expected[g] >> a & 1 ? 0 : -ENOENT);
            expected[g] &= ~(1u << a);
        } else if (what < 10) {
            weft_move_start(actor, (uint16_t)((actor->system->index + 1) % 3));
        } else if (what == 10) {
            play_kill(&cores, pids[a]);
            cores_settle(&cores);
            for (unsigned i = 0; i < GROUPS; i++)
                expected[i] &= ~(1u << a);
            pids[a] = 0;
        }
        play_turns(&cores, &prng, weft_prng_below(&prng, 4));
    }
    cores_settle(&cores);
    for (unsigned g = 0; g < GROUPS; g++)
        check_everywhere(&cores, names[g], pids, ACTORS, expected[g]);
    for (unsigned i = 0; i < ACTORS; i++) {
        if (pids[i] != 0) play_kill(&cores, pids[i]);
    }
    play_close(&cores);
}

static void at_rest_every_core_knows_the_same(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 100; seed++)
        random_groups(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_join_leave_and_end),
        cmocka_unit_test(a_message_goes_to_every_member_but_the_sender),
        cmocka_unit_test(news_comes_before_what_is_sent_afterwards),
        cmocka_unit_test(at_rest_every_core_knows_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
