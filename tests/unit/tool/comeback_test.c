// A node that is told to restart from its other slot: what the tool says while it waits, and how
// that ends; and which part of its log is asked for. The node here is a script of what
// /api/v1/node/boot answers, one line for each question.
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/admin/place.h"
#include "runtime/admin/route.h"
#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/tool/comeback.h"
#include "tests/support/cmocka.h"
#include "tests/unit/tool/tool_run.h"

#define BOOT(id, slot, counter)                                                                    \
    "{\"boot_id\":\"" id "\",\"slot\":\"" slot "\",\"counter\":\"" counter "\",\"state\":"         \
    "\"ready\"}"
#define SLOTS(a, b)                                                                                \
    "{\"apiVersion\":\"v1\",\"items\":["                                                           \
    "{\"slot\":\"a\",\"version\":\"0.1.0\"," a "},{\"slot\":\"b\",\"version\":\"0.2.0\"," b "}]}"

struct world {
    struct weft_admin_server *server;
    char run[64];
    pthread_t thread;
    _Atomic bool stop; // Set by the test, read by the thread that turns; nothing else hangs on it.
    // Written before the tool asks, and read by the thread that answers.
    const char *const *boots; // The first is before the restart; the last stays.
    const char *slots_before, *slots_after;
    size_t boot;
    unsigned slots_refused; // So often it does not say them, once it has restarted.
    bool has_restarted;
};

static struct world world;
static struct tool_result result;

static void reply(struct weft_admin_request *request, const char *text)
{
    weft_admin_reply_text(request, 200, "application/json", text, strlen(text));
}

static void answer_boot(struct weft_admin_request *request)
{
    if (world.has_restarted && world.boots[world.boot + 1] != NULL) world.boot++;
    if (strcmp(world.boots[world.boot], "stranger") == 0)
        weft_admin_reply_problem(request, 502, "who are you?");
    else
        reply(request, world.boots[world.boot]);
}

static void answer_slots(struct weft_admin_request *request)
{
    if (world.has_restarted && world.slots_refused > 0) {
        world.slots_refused--;
        weft_admin_reply_problem(request, 905, "another update of this node is under way");
        return;
    }
    reply(request, world.has_restarted ? world.slots_after : world.slots_before);
}

static void answer_rollback(struct weft_admin_request *request)
{
    reply(request, world.slots_before);
}

static void answer_reboot(struct weft_admin_request *request)
{
    world.has_restarted = true;
    reply(request, "{\"ok\":true}");
}

static void answer_log(struct weft_admin_request *request)
{
    const char *boot = weft_admin_query(request, "boot"), *tail = weft_admin_query(request, "tail");
    const char *follow = weft_admin_query(request, "follow");
    char text[128];

    snprintf(text, sizeof(text), "boot %s, tail %s, follow %s\n", boot != NULL ? boot : "none",
             tail != NULL ? tail : "none", follow != NULL ? follow : "none");
    weft_admin_reply_text(request, 200, "text/plain", text, strlen(text));
}

static const struct weft_admin_route routes[] = {
    {"GET", "/api/v1/node/log", "log", "", answer_log},
    {"GET", "/api/v1/node/boot", "boot", "", answer_boot},
    {"GET", "/api/v1/node/slots", "slots", "", answer_slots},
    {"POST", "/api/v1/node/rollback", "rollback", "", answer_rollback},
    {"POST", "/api/v1/node/reboot", "reboot", "", answer_reboot},
    {.method = NULL},
};

static void *turn(void *self)
{
    (void)self;
    while (!atomic_load(&world.stop))
        weft_admin_server_turn(world.server, 5);
    return NULL;
}

static int setup(void **state)
{
    struct weft_error error = {0};
    char path[108];
    (void)state;

    memset(&world, 0, sizeof(world));
    strcpy(world.run, "/tmp/weft-comeback-XXXXXX");
    weft_assert(mkdtemp(world.run) != NULL);
    setenv("WEFT_RUN_DIR", world.run, 1);
    const struct weft_admin_options options = {.clock = weft_clock_linux(), .routes = routes};
    world.server = weft_admin_server_create(&options);
    weft_assert(world.server != NULL);
    weft_assert(weft_place_make(world.run, "n1", &error) == 0);
    weft_assert(weft_place_socket(world.run, "n1", path, &error) == 0);
    weft_assert(weft_admin_listen_unix(world.server, path, &error) == 0);
    return 0;
}

static int teardown(void **state)
{
    char command[96];
    (void)state;

    atomic_store(&world.stop, true);
    pthread_join(world.thread, NULL);
    weft_admin_server_free(world.server);
    snprintf(command, sizeof(command), "rm -rf %s", world.run);
    return system(command);
}

static void roll_back(const char *const *boots, const char *slots_after, const char *words)
{
    world.boots = boots;
    world.slots_before = SLOTS("\"state\":\"good\",\"running\":true", "\"state\":\"aside\","
                                                                      "\"running\":false");
    world.slots_after = slots_after;
    weft_assert(pthread_create(&world.thread, NULL, turn, NULL) == 0);
    tool_run(&result, words);
}

static void a_release_that_stays(void **state)
{
    static const char *const boots[] = {BOOT("1", "a", "good"), BOOT("1", "a", "good"),
                                        BOOT("2", "b", "on trial, 2 tries left"),
                                        BOOT("2", "b", "good"), NULL};
    (void)state;

    roll_back(boots,
              SLOTS("\"state\":\"aside\",\"running\":false", "\"state\":\"good\",\"running\":true"),
              "node rollback n1");
    assert_int_equal(result.code, 0);
    assert_string_equal(result.err, "n1: it is about to restart\n"
                                    "n1: slot b runs, on trial, 2 tries left\n"
                                    "n1: slot b runs, good\n"
                                    "n1 runs 0.2.0 from slot b; it has proved healthy\n");
}

static void a_release_that_falls_back(void **state)
{
    static const char *const boots[] = {BOOT("1", "a", "good"),
                                        BOOT("2", "b", "on trial, 2 tries left"),
                                        BOOT("5", "a", "not counted"), NULL};
    (void)state;

    roll_back(
        boots,
        SLOTS("\"state\":\"good\",\"running\":true", "\"state\":\"failed\",\"running\":false"),
        "node rollback n1");
    assert_int_equal(result.code, 1);
    assert_non_null(strstr(result.err, "n1 fell back to 0.1.0 in slot a: 0.2.0 in slot b did not "
                                       "become healthy (it is failed)\n"));
}

// Who has waited ten minutes for the verdict gets it, though the last question is not answered
// once.
static void a_verdict_is_asked_for_again(void **state)
{
    static const char *const boots[] = {BOOT("1", "a", "good"), BOOT("2", "b", "good"), NULL};
    (void)state;

    world.slots_refused = 2;
    roll_back(boots,
              SLOTS("\"state\":\"aside\",\"running\":false", "\"state\":\"good\",\"running\":true"),
              "node rollback n1");
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.err, "n1 runs 0.2.0 from slot b; it has proved healthy\n"));
}

// It is not asked for ever: the time that was given is the bound, and what was seen is said.
static void a_verdict_that_nobody_gives(void **state)
{
    static const char *const boots[] = {BOOT("1", "a", "good"), BOOT("2", "b", "good"), NULL};
    (void)state;

    world.slots_refused = UINT_MAX;
    roll_back(boots, SLOTS("\"running\":false", "\"running\":true"),
              "node rollback n1 --timeout 1200ms");
    assert_int_equal(result.code, 124);
    assert_non_null(strstr(result.err, "the last was: slot b runs, good, but its slots are not "
                                       "told: another update of this node is under way"));
}

static void a_node_that_stays_away(void **state)
{
    static const char *const boots[] = {BOOT("1", "a", "good"), NULL};
    (void)state;

    roll_back(boots, SLOTS("\"running\":true", "\"running\":false"),
              "node rollback n1 --timeout 700ms");
    assert_int_equal(result.code, 124);
    assert_non_null(strstr(result.err, "error[W0505] n1 has not come back within 1 s; the last "
                                       "was: it is about to restart\n"));
}

static void somebody_else_answers(void **state)
{
    static const char *const boots[] = {BOOT("1", "a", "good"), "stranger", NULL};
    (void)state;

    roll_back(boots, SLOTS("\"running\":true", "\"running\":false"), "node rollback n1");
    assert_int_equal(result.code, 77);
}

static void nobody_waits(void **state)
{
    static const char *const boots[] = {BOOT("1", "a", "good"), NULL};
    (void)state;

    roll_back(boots, SLOTS("\"running\":true", "\"running\":false"), "node rollback n1 --no-wait");
    assert_int_equal(result.code, 0);
    assert_string_equal(result.err,
                        "n1 restarts; if it is not healthy within 120 s it goes back\n");
}

static void what_a_boot_says(void **state)
{
    static const struct {
        const char *boot;
        enum weft_comeback judged;
    } cases[] = {
        {BOOT("1", "a", "good"), WEFT_COMEBACK_LEAVES},
        {BOOT("1", "b", "good"), WEFT_COMEBACK_LEAVES},
        {BOOT("2", "b", "on trial, 2 tries left"), WEFT_COMEBACK_TRIES},
        {BOOT("2", "b", "not counted"), WEFT_COMEBACK_TRIES},
        {BOOT("2", "b", "good"), WEFT_COMEBACK_STAYS},
        {BOOT("2", "a", "good"), WEFT_COMEBACK_FELL},
        {BOOT("2", "a", "not counted"), WEFT_COMEBACK_FELL},
    };
    const struct weft_comeback_from from = {.boot_id = "1", .slot = 'b'};
    (void)state;

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        json_t *boot = json_loads(cases[i].boot, 0, NULL);
        if (weft_comeback_judge(&from, boot) != cases[i].judged) fail_msg("%s", cases[i].boot);
        json_decref(boot);
    }
}

static void a_part_of_the_log_is_asked_for(void **state)
{
    static const struct {
        const char *words, *out;
    } cases[] = {
        {"node logs n1", "boot none, tail none, follow false\n"},
        {"node logs n1 --tail 5", "boot none, tail 5, follow false\n"},
        {"node logs --boot previous n1", "boot -1, tail none, follow false\n"},
        {"node logs n1 -b -3 --tail 1", "boot -3, tail 1, follow false\n"},
        {"node logs n1 -f --boot current", "boot -0, tail none, follow true\n"},
        {"node logs n1 --tail 0", NULL},
        {"node logs n1 --tail 5x", NULL},
        {"node logs n1 --boot 3", NULL},
        {"node logs n1 --boot last", NULL},
        {"node logs n1 -f --boot previous", NULL},
    };
    (void)state;

    weft_assert(pthread_create(&world.thread, NULL, turn, NULL) == 0);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        tool_run(&result, cases[i].words);
        if (result.code != (cases[i].out != NULL ? 0 : 64) ||
            strcmp(result.out, cases[i].out != NULL ? cases[i].out : "") != 0)
            fail_msg("%s: %d %s%s", cases[i].words, result.code, result.out, result.err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_boot_says),
        cmocka_unit_test_setup_teardown(a_release_that_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_release_that_falls_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_verdict_is_asked_for_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_verdict_that_nobody_gives, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_that_stays_away, setup, teardown),
        cmocka_unit_test_setup_teardown(somebody_else_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_of_the_log_is_asked_for, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
