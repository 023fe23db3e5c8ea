// What a unit has to do with others, counted: the same after it has been restored as before, within
// the quotas that it has, and under nobody else's number.
#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/weft.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_signals.h"
#include "runtime/node/unit_ties_format.h"
#include "tests/unit/node/taking.h"

static uint8_t image[WEFT_UNIT_IMAGE_MAX];

static struct weft_resident *found(struct rig *rig, const char *name)
{
    struct weft_resident *resident = weft_unit_registry_find(&rig->node.units, name);
    assert_non_null(resident);
    return resident;
}

static struct weft_unit_actor *actor_of(struct rig *rig, const struct weft_resident *resident)
{
    const weft_pid pid = weft_counter_get(&resident->pid);
    const int core = weft_actor_core_of(&rig->node.actors, pid);
    assert_in_range(core, 1, WORKERS);
    return weft_actor_find(&rig->node.workers[core - 1].actors, pid)->state;
}

static struct weft_resident *adopted(struct rig *rig, const char *name, uint16_t core,
                                     size_t length, const struct weft_unit_quota *quota)
{
    static struct asked asked;
    struct weft_resident *resident = reserve(rig, name, core);
    if (quota != NULL) resident->quota = *quota;
    memset(&asked, 0, sizeof(asked));
    asked.command = (struct weft_command){.verb = WEFT_COMMAND_ADOPT,
                                          .resident = resident,
                                          .image = image,
                                          .image_length = length,
                                          .done = is_done};
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked.command), 0);
    wait_for(rig, &asked);
    if (asked.command.error.code != 0) fail_msg("%s: %s", name, asked.command.error.text);
    return resident;
}

static void unload(struct rig *rig, struct weft_resident *resident)
{
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_UNLOAD, resident, "");
    wait_for(rig, &asked);
    turn(rig, 20);
}

// ---- Links, monitors and timers.

// Two timers, the message of a third that has not been read, a monitor, a link; and a link that
// another has made. Each restore brings them back, and no more.
static void what_is_asked_for_is_counted_once(void **state)
{
    static struct taking taking;
    struct rig *rig = *state;
    static const char source[] = "VARIABLE n VARIABLE other VARIABLE many "
                                 ": more BEGIN HERE 0 100000 AFTER DROP 1 many +! AGAIN ; "
                                 ": main TRUE TRAP-EXIT UNIT-SAVE DROP 100000 MS ; main";
    struct weft_resident *unit = load(rig, "unit", 1, source);
    struct weft_resident *friend = load(rig, "friend", 2, source);
    char text[160];
    snprintf(text, sizeof(text),
             "S\" a\" 100000 AFTER DROP S\" b\" 100000 EVERY DROP S\" c\" 1 AFTER DROP "
             "$%llx other ! other @ MONITOR DROP other @ LINK DROP",
             (unsigned long long)weft_counter_get(&friend->pid));
    expect(rig, unit, text, "");
    snprintf(text, sizeof(text), "$%llx LINK DROP",
             (unsigned long long)weft_counter_get(&unit->pid));
    expect(rig, load(rig, "third", 2, source), text, "");
    rig->now_ns += 3 * WEFT_NS_PER_MS;
    for (unsigned round = 0; round < 6; round++) {
        turn(rig, 50);
        const struct weft_unit_actor *actor = actor_of(rig, found(rig, "unit"));
        assert_int_equal(actor->dealings->signal_count, 4);
        assert_int_equal(actor->dealings->link_count, 1);
        take(rig, &taking, turn_all);
        restore(rig, &taking);
    }
    turn(rig, 50);
    expect(rig, found(rig, "unit"), "' more CATCH . many @ .", "-300 1019 ");
}

// Links come and go from both sides, and one that has been asked for twice is one.
static void links_that_are_gone_are_not_counted(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit =
        load(rig, "unit", 1,
             ": waits RECEIVE ; : once 0 ['] waits SPAWN DUP LINK DROP DUP LINK DROP DUP KILL DROP "
             "RECEIVE 2DROP 2DROP JOIN 2DROP ; : twice ( pid -- ) DUP LINK DROP UNLINK DROP ; "
             "VARIABLE many : more BEGIN HERE 0 100000 AFTER DROP 1 many +! AGAIN ; TRUE TRAP-EXIT "
             ": main UNIT-SAVE DROP 100000 MS ; main");
    struct weft_resident *friend = load(rig, "friend", 2, ": main RECEIVE ; main");
    char text[160];
    expect(rig, unit, ": churn 600 0 DO once LOOP ; churn", "");
    snprintf(text, sizeof(text), ": churn2 1100 0 DO $%llx twice 1 MS LOOP ; churn2",
             (unsigned long long)weft_counter_get(&friend->pid));
    rig->node.options.eval_timeout_ns = 3600 * WEFT_NS_PER_S;
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
    while (!asked.is_done) {
        rig->now_ns += 200000;
        turn_all(rig);
    }
    assert_int_equal(asked.command.error.code, 0);
    expect(rig, unit, "' more CATCH . many @ .", "-300 1024 ");
}

// ---- As much as the quotas let it have.

// More children than the node gives to one that sets no quota, all of whom have ended.
static void as_many_answers_as_it_may_have_children(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    struct weft_resident *unit = reserve(rig, "unit", 1);
    unit->quota.value[WEFT_QUOTA_SPAWNED] = 3000;
    ask(rig, &asked, WEFT_COMMAND_LOAD, unit,
        "CREATE pids 2500 CELLS ALLOT VARIABLE n : one 1 ; "
        ": all 2500 0 DO 0 ['] one SPAWN I CELLS pids + ! LOOP ; all "
        ": ends 2500 0 DO I CELLS pids + @ JOIN 0= IF DROP n +! ELSE DROP THEN LOOP ;");
    wait_for(rig, &asked);
    if (asked.command.error.code != 0) fail_msg("%s", asked.command.error.text);
    turn(rig, 100);
    const size_t length = save(rig, unit, image);
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    const struct weft_unit_quota quota = {.value = {[WEFT_QUOTA_SPAWNED] = 3000}};
    unit = adopted(rig, "unit", 2, length, &quota);
    expect(rig, unit, "ends n @ .", "2500 ");
}

static uint8_t *put(uint8_t *to, uint8_t kind, uint8_t a, uint64_t x, uint64_t y)
{
    memset(to, 0, WEFT_TIE_HEAD);
    to[0] = kind;
    to[1] = a;
    weft_le64_put(to + 8, x);
    weft_le64_put(to + 16, y);
    return to + WEFT_TIE_HEAD;
}

static void the_quotas_bound_what_an_image_may_have(void **state)
{
    static const struct {
        const char *name;
        uint8_t kind, a;
        uint32_t quota_of, quota, count, others;
        const char *wrong; // NULL: nothing.
    } cases[] = {
        {"children", WEFT_TIE_CHILD, 0, WEFT_QUOTA_SPAWNED, 5000, 5000, 0, NULL},
        {"one more", WEFT_TIE_CHILD, 0, WEFT_QUOTA_SPAWNED, 5000, 5001, 0, "more children"},
        {"many more", WEFT_TIE_CHILD, 0, WEFT_QUOTA_SPAWNED, 1, 60000, 0, "more children"},
        {"channels", WEFT_TIE_CHANNEL, 0, WEFT_QUOTA_CHANNELS, 3, 4, 0, "more channels"},
        {"a mailbox", WEFT_TIE_MAIL, WEFT_MESSAGE_USER, WEFT_QUOTA_MAILBOX, 50000, 200000, 0, NULL},
        {"too long", WEFT_TIE_MAIL, WEFT_MESSAGE_USER, WEFT_QUOTA_MAILBOX, 8, 70000, 0, "mailbox"},
        {"links", WEFT_TIE_BOND, 0, WEFT_QUOTA_FILES, 1, 5000, 4096, NULL},
        {"too many", WEFT_TIE_BOND, 0, WEFT_QUOTA_FILES, 1, 5000, 64, "more links"},
        {"monitors", WEFT_TIE_WATCH, 0, WEFT_QUOTA_FILES, 1, 1500, 4096, "more timers"},
        {"ends", WEFT_TIE_DEAD, 0, WEFT_QUOTA_SPAWNED, 10, 20, 0, NULL},
        {"more ends", WEFT_TIE_DEAD, 0, WEFT_QUOTA_SPAWNED, 10, 21, 0, "more ends"},
        {"a family", WEFT_TIE_ISSUE, 0, WEFT_QUOTA_FILES, 1, 1, 0, NULL},
        {"families", WEFT_TIE_ISSUE, 0, WEFT_QUOTA_FILES, 1, 2, 0, "place in a family"},
    };
    struct weft_arena *arena = weft_arena_create(16 * WEFT_MIB);
    uint8_t *ties = malloc(200000 * WEFT_TIE_HEAD);
    (void)state;
    assert_true(arena != NULL && ties != NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_unit_bounds bounds = {.others = cases[i].others};
        const char *wrong = NULL;
        uint8_t *at = ties;
        for (int kind = 0; kind < WEFT_QUOTA_COUNT; kind++)
            bounds.whole.value[kind] = 1000;
        bounds.whole.value[cases[i].quota_of] = cases[i].quota;
        for (uint32_t n = 0; n < cases[i].count; n++)
            at = put(at, cases[i].kind, cases[i].a, n + 1, n + 1);
        const int result =
            weft_unit_ties_check(weft_span_of(ties, (size_t)(at - ties)), &bounds, arena, &wrong);
        if (result != (cases[i].wrong != NULL ? -EBADMSG : 0)) fail_msg("%s", cases[i].name);
        if (cases[i].wrong != NULL && strstr(wrong, cases[i].wrong) == NULL)
            fail_msg("%s: '%s'", cases[i].name, wrong);
    }
    free(ties);
    weft_arena_free(arena);
}

// An answer is asked for once.
static void no_answer_comes_twice(void **state)
{
    uint8_t ties[4 * 64], *at = put(ties, WEFT_TIE_CHILD, 0, 5, 77);
    struct weft_arena *arena = weft_arena_create(16 * WEFT_MIB);
    const struct weft_unit_bounds bounds = {.whole.value[WEFT_QUOTA_SPAWNED] = 9};
    const char *wrong;
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        uint8_t *mail = at;
        at = put(mail, WEFT_TIE_MAIL, WEFT_MESSAGE_REPLY, 5, 77);
        weft_le16_put(mail + 2, WEFT_TIE_ERROR);
        weft_le32_put(mail + 4, 4);
        weft_le64_put(at, (uint32_t)-5);
        at += 8;
        const int result =
            weft_unit_ties_check(weft_span_of(ties, (size_t)(at - ties)), &bounds, arena, &wrong);
        assert_int_equal(result, n == 0 ? 0 : -EBADMSG);
    }
    assert_non_null(strstr(wrong, "twice"));
    weft_arena_free(arena);
}

// A text and a child, or two children, that wait for one answer: it would be checked as what the
// one waits for, and read as what the other does.
static void no_two_wait_for_one_answer(void **state)
{
    struct weft_arena *arena = weft_arena_create(16 * WEFT_MIB);
    const struct weft_unit_bounds bounds = {.whole.value[WEFT_QUOTA_SPAWNED] = 9};
    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        uint8_t ties[4 * 64], *at = ties;
        const char *wrong = NULL;
        if (n < 2) {
            at = put(ties, WEFT_TIE_WAIT, 0, 5, n == 0 ? 77 : 78);
            weft_le16_put(ties + 2, WEFT_UNIT_FOR_MESSAGE);
            weft_le32_put(ties + 4, 8);
            weft_le64_put(at, 0);
            at += 8;
        } else {
            at = put(ties, WEFT_TIE_CHILD, 0, 4, 77);
        }
        at = put(at, WEFT_TIE_CHILD, 0, 5, 77);
        const int result =
            weft_unit_ties_check(weft_span_of(ties, (size_t)(at - ties)), &bounds, arena, &wrong);
        assert_int_equal(result, n == 1 ? 0 : -EBADMSG);
        if (n != 1) assert_non_null(strstr(wrong, "one answer"));
    }
    weft_arena_free(arena);
}

// ---- Ids.

// An image that calls itself by a number that will be given to somebody: it is his.
static void nobody_is_known_by_a_number_to_come(void **state)
{
    struct rig *rig = *state;
    for (uint16_t core = 1; core <= WORKERS; core++) {
        struct weft_resident *first = load(rig, "first", 1, "");
        struct weft_resident *saved = load(rig, "saved", core, "VARIABLE v");
        const weft_pid next = weft_counter_get(&first->pid) + (UINT64_C(1) << 32);
        const size_t length = save(rig, saved, image);
        weft_le64_put(image + 16, next);
        const uint32_t ties = weft_le32_get(image + 24);
        weft_le32_put(image + 28, weft_crc32c(weft_crc32c(0, image, 28), image + 32, ties));
        struct weft_resident *hostile = adopted(rig, "hostile", core, length, NULL);
        unload(rig, first);
        struct weft_resident *second = load(rig, "second", 1, "");
        assert_int_equal(weft_counter_get(&second->pid), next);
        char text[80];
        snprintf(text, sizeof(text), "S\" x\" $%llx SEND-TO .", (unsigned long long)next);
        expect(rig, saved, text, "0 ");
        turn(rig, 20);
        expect(rig, hostile, "0 RECEIVE-FOR . 2DROP 2DROP", "-306 ");
        expect(rig, second, "0 RECEIVE-FOR . 2DROP 2DROP", "0 ");
        unload(rig, hostile);
        unload(rig, saved);
        unload(rig, second);
    }
}

#define TIES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIES_TEST(what_is_asked_for_is_counted_once),
        TIES_TEST(links_that_are_gone_are_not_counted),
        TIES_TEST(as_many_answers_as_it_may_have_children),
        cmocka_unit_test(the_quotas_bound_what_an_image_may_have),
        cmocka_unit_test(no_answer_comes_twice),
        cmocka_unit_test(no_two_wait_for_one_answer),
        TIES_TEST(nobody_is_known_by_a_number_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
