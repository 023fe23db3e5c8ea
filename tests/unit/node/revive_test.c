// Snapshots of a node as the admin port asks for them: one restore at a time, to the end, whatever
// the rings hold; and what comes back of a family.
#include "tests/support/cmocka.h"

#include <weft/weft.h>

#include "runtime/node/control_saved.h"
#include "runtime/node/unit_limits.h"
#include "tests/unit/node/taking.h"

static struct weft_config config;
static struct weft_control control;
static const struct weft_control_machine machine;

static void begin(struct rig *rig)
{
    assert_int_equal(weft_control_init(&control, &rig->node, &config, "", &machine), 0);
    weft_control_start_units(&control);
}

// As the admin server makes it, of a client that has hung up: who is done with it frees it.
static int submit(enum weft_admin_verb verb, const void *bytes, size_t length, bool replaces,
                  struct weft_error *error)
{
    struct weft_admin_command *command = calloc(1, sizeof(*command));
    char *copy = malloc(length + 1);
    assert_true(command != NULL && copy != NULL);
    if (length > 0) memcpy(copy, bytes, length);
    *command = (struct weft_admin_command){
        .verb = verb, .text = copy, .text_length = length, .replaces = replaces};
    *error = (struct weft_error){0};
    const int result = weft_control_submit(&control, command, error);
    if (result == 0) return 0;
    free(copy);
    free(command);
    return result;
}

static void turn_some(struct rig *rig)
{
    turn_all(rig);
    rig->now_ns += WEFT_NS_PER_MS; // The control core looks every 50 ms for those who have gone.
}

static void rest(struct rig *rig)
{
    for (unsigned n = 0; control.command_count > 0 || control.is_restoring; n++) {
        if (n == TURNS_MAX) fail_msg("it does not end");
        turn_some(rig);
    }
}

static struct weft_resident *found(struct rig *rig, const char *name)
{
    struct weft_resident *resident = weft_unit_registry_find(&rig->node.units, name);
    assert_non_null(resident);
    return resident;
}

static void forget_all(struct rig *rig, const struct taking *taking)
{
    (void)taking;
    weft_control_destroy(&control);
    weft_node_destroy(&rig->node);
    weft_disk_sim_destroy(&rig->disk_sim);
    weft_disk_sim_init(&rig->disk_sim, 6);
    rig->disk = weft_disk_sim_disk(&rig->disk_sim);
    start(rig);
    begin(rig);
}

static void one_restore_at_a_time(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    struct weft_error error;
    begin(rig);
    load(rig, "one", 1, "VARIABLE v 41 v !");
    load(rig, "two", 2, ": waits RECEIVE ; : main 0 ['] waits SPAWN DROP RECEIVE ; main");
    take(rig, &taking, turn_some);
    forget_all(rig, &taking);
    const bool replaces[] = {false, true}; // The second time those of the first are in the way.
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            submit(WEFT_ADMIN_SNAPSHOT_RESTORE, taking.bytes, taking.length, replaces[i], &error),
            0);
        for (unsigned n = 0; control.is_restoring; n++) {
            // Whenever somebody else asks: he is to come again, and disturbs nobody.
            assert_int_equal(
                submit(WEFT_ADMIN_SNAPSHOT_RESTORE, taking.bytes, taking.length, n % 2, &error),
                -1);
            assert_int_equal(error.code, 405);
            assert_int_equal(submit(WEFT_ADMIN_SNAPSHOT_SAVE, NULL, 0, false, &error), -1);
            assert_int_equal(error.code, 405);
            turn_some(rig);
        }
        expect(rig, found(rig, "one"), "v @ .", "41 ");
        // Those of units that were replaced have gone with them.
        assert_int_equal(rig->node.workers[0].nestling_count + rig->node.workers[1].nestling_count,
                         1);
        assert_true(weft_list_empty(&rig->node.workers[0].held));
        assert_true(weft_list_empty(&rig->node.workers[1].held));
    }
    assert_int_equal(submit(WEFT_ADMIN_SNAPSHOT_SAVE, NULL, 0, false, &error), 0);
    assert_int_equal(submit(WEFT_ADMIN_SNAPSHOT_SAVE, NULL, 0, false, &error), -1);
    assert_int_equal(error.code, 405);
    rest(rig);
    weft_control_destroy(&control);
}

// What the journal brings back is a restore, too.
static void nor_while_the_node_starts(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    struct weft_error error;
    begin(rig);
    load(rig, "one", 1, "VARIABLE v 41 v !");
    take(rig, &taking, turn_some);
    weft_control_destroy(&control);
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    begin(rig);
    assert_true(control.is_restoring);
    assert_int_equal(submit(WEFT_ADMIN_SNAPSHOT_RESTORE, taking.bytes, taking.length, true, &error),
                     -1);
    assert_int_equal(error.code, 405);
    rest(rig);
    expect(rig, found(rig, "one"), "v @ .", "41 ");
    assert_int_equal(submit(WEFT_ADMIN_SNAPSHOT_RESTORE, taking.bytes, taking.length, true, &error),
                     0);
    rest(rig);
    expect(rig, found(rig, "one"), "v @ .", "41 ");
    weft_control_destroy(&control);
}

static void nothing(struct weft_core *core, void *self, uint64_t argument)
{
    (void)core, (void)self, (void)argument;
}

static void fill_rings(struct rig *rig)
{
    for (uint16_t core = 1; core <= WORKERS; core++) {
        while (weft_core_call(&rig->node.control, core, nothing, NULL, 0) == 0)
            continue;
        while (weft_core_call(weft_node_core(&rig->node, core), 0, nothing, NULL, 0) == 0)
            continue;
        while (weft_core_post_call(weft_node_core(&rig->node, core), nothing, NULL, 0) == 0)
            continue;
    }
}

// With every ring full at every step: the snapshot is taken, and the node goes on.
static void full_rings_stop_nothing(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    begin(rig);
    load(rig, "one", 1,
         "VARIABLE n : main BEGIN 1 n +! 1 MS AGAIN ; : go UNIT-SAVE DROP main ; go");
    taking.state = 0;
    taking.still = (struct weft_standstill){.node = &rig->node, .next = next, .gone = gone};
    fill_rings(rig);
    assert_int_equal(weft_standstill_begin(&taking.still), 0);
    for (unsigned n = 0; taking.state != GONE; n++) {
        if (n == TURNS_MAX) fail_msg("the node does not come to rest");
        turn_some(rig);
        // Into the next step; a round that they fill does not count as a quiet one.
        if (taking.still.is_quiet) fill_rings(rig);
    }
    assert_int_equal(taking.unit_count, 1);
    assert_false(rig->node.workers[0].core.stands || rig->node.workers[1].core.stands);
    for (unsigned n = 0; n < 50; n++)
        turn_some(rig);
    expect(rig, found(rig, "one"), "n @ 0> .", "-1 ");
    weft_control_destroy(&control);
}

// Given up before the workers have heard of it: they do not stand for ever.
static void one_that_is_given_up_lets_go(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    begin(rig);
    fill_rings(rig);
    taking.state = 0;
    taking.still = (struct weft_standstill){.node = &rig->node, .next = next, .gone = gone};
    assert_int_equal(weft_standstill_begin(&taking.still), 0);
    weft_standstill_end(&taking.still);
    for (unsigned n = 0; taking.state != GONE; n++) {
        if (n == TURNS_MAX) fail_msg("it stands");
        turn_all(rig);
    }
    turn_all(rig);
    for (int i = 0; i < WORKERS; i++)
        assert_false(rig->node.workers[i].core.stands);
    weft_control_destroy(&control);
}

// ---- Families.

#define RATE 100000

static uint64_t spent(struct rig *rig)
{
    uint64_t reductions = 0;
    for (int i = 0; i < WORKERS; i++)
        reductions += weft_counter_get(&rig->node.workers[i].core.stats.reduction_count);
    return reductions;
}

// Who spawns spends no more for having been saved and restored.
static void a_family_has_one_bucket_still(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    struct weft_error error;
    begin(rig);
    struct weft_resident *unit = reserve(rig, "unit", 1);
    unit->quota.value[WEFT_QUOTA_REDUCTIONS] = RATE;
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_LOAD, unit,
        ": spin BEGIN AGAIN ; : all 3 0 DO 0 ['] spin SPAWN DROP LOOP 0 ['] spin SPAWN DETACH ; "
        "all");
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 0);
    take(rig, &taking, turn_some);
    forget_all(rig, &taking);
    assert_int_equal(
        submit(WEFT_ADMIN_SNAPSHOT_RESTORE, taking.bytes, taking.length, false, &error), 0);
    rest(rig);
    for (unsigned n = 0; n < 1000; n++)
        turn_some(rig);
    const uint64_t before = spent(rig), begun_ns = rig->now_ns;
    for (unsigned n = 0; n < 5000; n++)
        turn_some(rig);
    const uint64_t fair = (rig->now_ns - begun_ns) * RATE / WEFT_NS_PER_S;
    assert_in_range(spent(rig) - before, fair * 9 / 10, fair * 11 / 10);
    weft_control_destroy(&control);
}

static bool has_event(const char *type, const char *part)
{
    uint64_t at = 0;
    for (const struct weft_admin_event *event;
         (event = weft_admin_events_after(&control.events, at)) != NULL; at = event->id) {
        if (strcmp(event->type, type) == 0 && strstr(event->text, part) != NULL) return true;
    }
    return false;
}

// A file gives nobody more than the node does.
static void quotas_of_a_file_are_lowered(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    struct weft_error error;
    begin(rig);
    struct weft_resident *unit = reserve(rig, "unit", 1);
    unit->quota.value[WEFT_QUOTA_CHANNELS] = 5000;
    unit->quota.value[WEFT_QUOTA_MEMORY] = 131072;
    unit->quota.value[WEFT_QUOTA_SPAWNED] = 3;
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_LOAD, unit, ": waits RECEIVE ; 0 ' waits SPAWN CONSTANT child");
    wait_for(rig, &asked);
    take(rig, &taking, turn_some);
    forget_all(rig, &taking);
    assert_int_equal(
        submit(WEFT_ADMIN_SNAPSHOT_RESTORE, taking.bytes, taking.length, false, &error), 0);
    rest(rig);
    assert_true(has_event("unit.limited", "channels 256 instead of 5000"));
    assert_true(has_event("unit.limited", "memory 65536 instead of 131072"));
    unit = found(rig, "unit");
    const struct weft_unit_actor *actor =
        weft_actor_find(&rig->node.workers[unit->core - 1].actors, weft_counter_get(&unit->pid))
            ->state;
    assert_int_equal(weft_unit_limit(actor, WEFT_QUOTA_MEMORY), 65536);
    assert_int_equal(weft_unit_limit(actor, WEFT_QUOTA_CHANNELS), 256);
    assert_int_equal(weft_unit_limit(actor, WEFT_QUOTA_SPAWNED), 3);
    weft_control_destroy(&control);
}

#define REVIVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REVIVE_TEST(one_restore_at_a_time),         REVIVE_TEST(nor_while_the_node_starts),
        REVIVE_TEST(full_rings_stop_nothing),       REVIVE_TEST(one_that_is_given_up_lets_go),
        REVIVE_TEST(a_family_has_one_bucket_still), REVIVE_TEST(quotas_of_a_file_are_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
