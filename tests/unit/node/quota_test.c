// How much of what a unit may have: set, held to, told, inherited, kept over a restart.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_limits.h"
#include "tests/unit/node/rig.h"

static void quotas_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        enum weft_unit_quota_kind kind;
        uint32_t value;
    } cases[] = {
        {"", 0, WEFT_QUOTA_MEMORY, 0},
        {"spawned=4", 0, WEFT_QUOTA_SPAWNED, 4},
        {"memory=64KiB", 0, WEFT_QUOTA_MEMORY, 65536},
        {"memory=1MiB,stack=128", 0, WEFT_QUOTA_STACK, 128},
        {"memory=1MiB,stack=128", 0, WEFT_QUOTA_MEMORY, 1048576},
        {"reductions=4294967295", 0, WEFT_QUOTA_REDUCTIONS, UINT32_MAX},
        {"files=2,mailbox=1,channels=3", 0, WEFT_QUOTA_CHANNELS, 3},
        {"files=2,", 0, WEFT_QUOTA_FILES, 2},
        {"mailbox=0", -1, 0, 0},
        {"mailbox=65537", -1, 0, 0},
        {"reductions=4294967296", -1, 0, 0},
        {"memory=99999999999999999999", -1, 0, 0},
        {"memory=4194304KiB", -1, 0, 0},
        {"memory=64kib", -1, 0, 0},
        {"memory=", -1, 0, 0},
        {"memory", -1, 0, 0},
        {"=4", -1, 0, 0},
        {"memory=-1", -1, 0, 0},
        {"zork=1", -1, 0, 0},
        {"spawned=4 channels=5", -1, 0, 0},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        struct weft_unit_quota quota = {0};
        struct weft_error error = {0};
        if (weft_unit_quota_parse(cases[n].text, &quota, &error) != cases[n].result ||
            (cases[n].result == 0 && quota.value[cases[n].kind] != cases[n].value) ||
            (cases[n].result != 0 && error.code != 504))
            fail_msg("%s: %u, %s", cases[n].text, quota.value[cases[n].kind], error.text);
    }
}

static void quotas_travel(void **state)
{
    (void)state;
    uint8_t bytes[WEFT_UNIT_QUOTA_BYTES];
    struct weft_unit_quota quota = {0}, read;
    struct weft_error error;
    assert_int_equal(weft_unit_quota_parse("spawned=4,memory=64KiB", &quota, &error), 0);
    weft_unit_quota_put(&quota, bytes);
    assert_int_equal(weft_unit_quota_get(bytes, &read), 0);
    assert_memory_equal(&quota, &read, sizeof(quota));
    bytes[4 * WEFT_QUOTA_FILES] = 33;
    assert_int_equal(weft_unit_quota_get(bytes, &read), -EBADMSG);
}

static struct weft_resident *load_with(struct rig *rig, const char *name, uint16_t core,
                                       const char *quota, const char *source)
{
    static struct asked asked;
    struct weft_error error;
    struct weft_resident *resident = reserve(rig, name, core);
    assert_int_equal(weft_unit_quota_parse(quota, &resident->quota, &error), 0);
    ask(rig, &asked, WEFT_COMMAND_LOAD, resident, source);
    wait_for(rig, &asked);
    if (asked.command.error.code != 0) fail_msg("%s: %s", name, asked.command.error.text);
    return resident;
}

static struct weft_unit_actor *actor_of(struct rig *rig, weft_pid pid)
{
    for (unsigned core = 0; core < WORKERS; core++) {
        struct weft_actor *actor = weft_actor_find(&rig->node.workers[core].actors, pid);
        if (actor != NULL) return actor->state;
    }
    fail_msg("no unit %llx", (unsigned long long)pid);
    return NULL;
}

static uint64_t spent_by(struct rig *rig, weft_pid pid)
{
    struct weft_unit_info info;
    weft_unit_inspect(actor_of(rig, pid)->unit, &info);
    return info.reductions;
}

// Turns for so long, each turn taking `turn_ns`.
static void pass(struct rig *rig, uint64_t ns, uint64_t turn_ns)
{
    for (const uint64_t end_ns = rig->now_ns + ns; rig->now_ns < end_ns; rig->now_ns += turn_ns)
        turn_all(rig);
}

#define SLICE  2000
#define RATE   100000
#define WITHIN (RATE / 10 + 2 * SLICE) // A burst, and the slice at each end.

static void between(uint64_t value, uint64_t low, uint64_t high)
{
    if (value < low || value > high)
        fail_msg("%llu is not in %llu .. %llu", (unsigned long long)value, (unsigned long long)low,
                 (unsigned long long)high);
}

// It gets what it was given, no less and no more; its sibling all the rest.
static void a_unit_spends_its_reductions(void **state)
{
    struct rig *rig = *state;
    static const char source[] = ": spin BEGIN AGAIN ; RECEIVE spin";
    static struct asked quick;
    struct weft_resident *slow = load_with(rig, "slow", 1, "reductions=100000", source);
    struct weft_resident *quick_one = load(rig, "quick", 1, source);
    char text[100];
    snprintf(text, sizeof(text), "S\" x\" %lld SEND-TO . S\" x\" %lld SEND-TO .",
             (long long)weft_counter_get(&slow->pid), (long long)weft_counter_get(&quick_one->pid));
    expect(rig, load(rig, "starter", 2, ""), text, "0 0 ");
    pass(rig, WEFT_NS_PER_S, 100 * WEFT_NS_PER_US);
    const uint64_t before = weft_counter_get(&slow->reduction_count);
    const uint64_t free_before = weft_counter_get(&quick_one->reduction_count);
    pass(rig, 10 * WEFT_NS_PER_S, 100 * WEFT_NS_PER_US);
    between(weft_counter_get(&slow->reduction_count) - before, 10 * RATE - WITHIN,
            10 * RATE + WITHIN);
    assert_true(weft_counter_get(&quick_one->reduction_count) - free_before > 50 * RATE);
    assert_int_equal(weft_counter_get(&slow->rests), 1);
    // It is told of commands while it rests.
    ask(rig, &quick, WEFT_COMMAND_KILL, slow, "");
    const uint64_t asked_ns = rig->now_ns;
    wait_for(rig, &quick);
    assert_true(rig->now_ns - asked_ns < WEFT_NS_PER_MS);
    ask(rig, &quick, WEFT_COMMAND_KILL, quick_one, "");
    wait_for(rig, &quick);
}

// One that sleeps most of the time has a burst to spend, and one only.
static void idle_time_buys_one_burst(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load_with(rig, "unit", 1, "reductions=100000", ": work 0 DO LOOP ;");
    pass(rig, 10 * WEFT_NS_PER_S, 10 * WEFT_NS_PER_MS);
    uint64_t begun_ns = rig->now_ns;
    expect(rig, unit, "5000 work", "");
    assert_true(rig->now_ns - begun_ns < 10 * WEFT_NS_PER_MS);
    begun_ns = rig->now_ns;
    expect(rig, unit, "50000 work", "");
    between(rig->now_ns - begun_ns, 300 * WEFT_NS_PER_MS, 600 * WEFT_NS_PER_MS);
}

// What it spawns spends from the same bucket, on either core, and goes on when it is gone.
static void a_family_has_one_bucket(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    static const char spawns[] = "0 ' spin SPAWN . ";
    weft_pid child[3];
    struct weft_resident *unit =
        load_with(rig, "unit", 1, "reductions=100000", ": spin BEGIN AGAIN ;");
    for (unsigned n = 0; n < 3; n++) {
        ask(rig, &asked, WEFT_COMMAND_EVAL, unit, spawns);
        wait_for(rig, &asked);
        asked.command.output[asked.command.output_length] = '\0';
        child[n] = strtoull(asked.command.output, NULL, 10);
    }
    pass(rig, WEFT_NS_PER_S, 100 * WEFT_NS_PER_US);
    uint64_t before = 0, after = 0;
    for (unsigned n = 0; n < 3; n++)
        before += spent_by(rig, child[n]);
    pass(rig, 10 * WEFT_NS_PER_S, 100 * WEFT_NS_PER_US);
    for (unsigned n = 0; n < 3; n++) {
        after += spent_by(rig, child[n]);
        assert_int_equal(weft_unit_limit(actor_of(rig, child[n]), WEFT_QUOTA_REDUCTIONS), RATE);
    }
    between(after - before, 10 * RATE - 3 * WITHIN, 10 * RATE + 3 * WITHIN);
    ask(rig, &asked, WEFT_COMMAND_KILL, unit, "");
    wait_for(rig, &asked);
    before = spent_by(rig, child[0]);
    pass(rig, 10 * WEFT_NS_PER_S, 100 * WEFT_NS_PER_US);
    between(spent_by(rig, child[0]) - before, 9 * RATE, 11 * RATE);
    // Orphans have no part in the bucket of who comes next in that place.
    struct weft_resident *next = load_with(rig, "next", 1, "reductions=100000", "VARIABLE v");
    assert_int_equal(next->index, unit->index);
    pass(rig, WEFT_NS_PER_S, 100 * WEFT_NS_PER_US);
    assert_true(weft_counter_get(&next->due_ns) < rig->now_ns);
}

static void quotas_are_held_to(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load_with(rig, "unit", 1, "spawned=2,channels=1,stack=64,memory=32KiB,mailbox=3",
                  ": waits RECEIVE ; : fill BEGIN 1 AGAIN ; : deep RECURSE 1 ; : big BEGIN 1000 "
                  "ALLOT AGAIN ; "
                  "VARIABLE child : look SELF ; ");
    expect(rig, unit,
           "0 ' waits SPAWN child ! 0 ' waits SPAWN DROP 0 ' waits ' SPAWN CATCH . 2DROP", "-320 ");
    expect(rig, unit, "1 CHANNEL DROP 1 ' CHANNEL CATCH . DROP", "-321 ");
    expect(rig, unit, "' fill CATCH . ' deep CATCH . ' big CATCH .", "-3 -5 -8 ");
    assert_int_equal(weft_counter_get(&unit->spawned), 2);
    assert_int_equal(weft_counter_get(&unit->channels), 1);
    // A child has what its parent has.
    struct weft_unit_actor *self = actor_of(rig, weft_counter_get(&unit->pid));
    assert_int_equal(self->actor->mailbox_max, 3);
    struct weft_unit_actor *child = actor_of(rig, self->dealings->children[0].pid);
    assert_int_equal(child->actor->mailbox_max, 3);
    assert_int_equal(weft_unit_limit(child, WEFT_QUOTA_MEMORY), 32768);
    assert_int_equal(weft_unit_limit(child, WEFT_QUOTA_SPAWNED), 2);
    // One without quotas of its own has no block for them.
    assert_null(actor_of(rig, weft_counter_get(&load(rig, "usual", 1, "")->pid))->limits);
}

static void errors_say_which(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    struct weft_resident *unit =
        load_with(rig, "unit", 1, "spawned=1,channels=2", ": waits RECEIVE ;");
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, "0 ' waits SPAWN DROP 0 ' waits SPAWN DROP");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.throw_code, -320);
    assert_non_null(strstr(asked.command.message, "--quota spawned=N"));
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, ": bomb BEGIN 1 CHANNEL DROP AGAIN ; bomb");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.throw_code, -321);
    assert_non_null(strstr(asked.command.message, "--quota channels=N"));
}

static void quotas_outlive_the_node(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit = load_with(rig, "unit", 1, "channels=2,reductions=50000",
                                           ": fill BEGIN 1 CHANNEL DROP AGAIN ;");
    expect(rig, unit, "1 DROP", "");
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    assert_int_equal(rig->node.recovered.count, 1);
    const struct weft_unit_entry *kept = &rig->node.recovered.entries[0];
    static struct asked asked;
    struct weft_resident *again = reserve(rig, "unit", 2);
    memset(&asked, 0, sizeof(asked));
    asked.command = (struct weft_command){.verb = WEFT_COMMAND_RESTORE,
                                          .resident = again,
                                          .image = kept->image.data,
                                          .image_length = kept->image.length,
                                          .done = is_done};
    again->quota = weft_unit_actor_image_quota(kept->image);
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked.command), 0);
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    expect(rig, again, "' fill CATCH .", "-321 ");
    const struct weft_unit_actor *actor = actor_of(rig, weft_counter_get(&again->pid));
    assert_int_equal(weft_unit_limit(actor, WEFT_QUOTA_REDUCTIONS), 50000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotas_are_read),
        cmocka_unit_test(quotas_travel),
        TEST(a_unit_spends_its_reductions),
        TEST(idle_time_buys_one_burst),
        TEST(a_family_has_one_bucket),
        TEST(quotas_are_held_to),
        TEST(errors_say_which),
        TEST(quotas_outlive_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
