// A tree on real threads, whose actors move all the time: clients ask servers by name and kill them
// under each other's hands. Bounded by counts, not by time.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include <weft/weft.h>

#define SERVERS 6
#define CLIENTS 4
#define ROUNDS  300

// Ends the actor with the line's number; its client, and so the test, fails.
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) weft_exit(self, (uint16_t)(1000 + __LINE__));                            \
    } while (0)

static void answer(struct weft_actor *self, void *state, struct weft_message *call)
{
    uint64_t *count = state;
    ++*count;
    weft_reply(self, call, 1, count, sizeof(*count));
}

static const struct weft_server server = {WEFT_SERVER("server", uint64_t), .call = answer};

static const char *const names[SERVERS] = {"s0", "s1", "s2", "s3", "s4", "s5"};

// Asks one after the other, each until it answers; now and then kills the one that it has asked.
static int ask(struct weft_actor *self, const void *args, size_t length)
{
    uint64_t number, done = 0;
    CHECK(length == sizeof(number));
    memcpy(&number, args, length);
    for (unsigned round = 0; round < ROUNDS;) {
        const weft_pid pid = weft_whereis(self, names[(number + round) % SERVERS]);
        const int result = weft_call(self, pid, 1, NULL, 0, WEFT_FOREVER, NULL);
        CHECK(result == 0 || result == -ESRCH || result == -EPIPE);
        done += result == 0;
        if (result != 0) {
            weft_yield(self);
        } else if (++round % 16 == number % 16) {
            weft_kill(self, pid);
        }
    }
    return weft_task_result(self, &done, sizeof(done));
}

static void script(struct weft_actor *self, void *state)
{
    struct weft_child children[SERVERS];
    struct weft_promise promises[CLIENTS];
    struct weft_child_counts counts;
    weft_pid top;
    uint64_t *done = *(uint64_t **)state;
    for (unsigned i = 0; i < SERVERS; i++)
        children[i] = (struct weft_child){
            .id = names[i], .server = &server, .name = names[i], .spawn.core = i % 2};
    const struct weft_supervisor_spec tree = {.children = children,
                                              .child_count = SERVERS,
                                              .strategy = WEFT_REST_FOR_ONE,
                                              .restart_max = 100000,
                                              .quiet = true};
    CHECK(weft_supervisor_start_link(self, &tree, &top) == 0);
    for (uint64_t i = 0; i < CLIENTS; i++)
        CHECK(weft_task_async(self, ask, &i, sizeof(i), &promises[i]) == 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct weft_message *result;
        CHECK(weft_task_await(self, &promises[i], WEFT_FOREVER, &result) == 0);
        *done += *(const uint64_t *)(const void *)result->payload;
    }
    for (unsigned i = 0; i < SERVERS; i++) { // All are there again, sooner or later.
        while (weft_call(self, weft_whereis(self, names[i]), 1, NULL, 0, WEFT_FOREVER, NULL) != 0)
            weft_yield(self);
    }
    CHECK(weft_supervisor_count(self, top, &counts) == 0);
    CHECK(counts.active == SERVERS && counts.restarts > 0);
    CHECK(weft_server_stop(self, top, WEFT_EXIT_NORMAL, WEFT_FOREVER) == 0);
    for (unsigned i = 0; i < SERVERS; i++)
        CHECK(weft_whereis(self, names[i]) == 0);
}

static const struct weft_actor_kind script_kind = {
    .name = "script", .state_bytes = sizeof(uint64_t *), .main = script};

static void run(bool moves_always)
{
    const struct weft_runtime_options options = {
        .worker_count = 2, .floats = true, .moves_always = moves_always};
    uint64_t done = 0, *where = &done;
    const struct weft_spawn first = {.kind = &script_kind, .state = &where};
    uint16_t reason = 1;
    struct weft_runtime *runtime = weft_runtime_create(&options, NULL);
    assert_non_null(runtime);
    assert_int_equal(weft_runtime_run(runtime, &first, &reason), 0);
    weft_runtime_free(runtime);
    assert_int_equal(reason, WEFT_EXIT_NORMAL);
    assert_int_equal(done, CLIENTS * ROUNDS);
}

static void a_tree_lives_on_threads(void **state)
{
    (void)state;
    run(false);
}

static void a_tree_lives_on_the_move(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_lives_on_threads),
        cmocka_unit_test(a_tree_lives_on_the_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
