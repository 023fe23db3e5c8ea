// Messages that are kept and taken in hand again, the table of an actor, ends in the middle of
// things, names of the dead.
#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/weft.h>

#include "runtime/actor/internal.h"
#include "tests/unit/actor/cores.h"

enum { KEEP = 1, ANSWER_ALL };

struct keeper {
    struct weft_message *kept[8];
    unsigned count;
};

// Keeps calls, and answers every other one of them when it is told to.
static void keep_or_answer(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct keeper *keeper = state;
    if (message->tag == WEFT_MESSAGE_DOWN) return;
    if (message->type == KEEP) {
        assert_int_equal(weft_keep(self, message), 0);
        keeper->kept[keeper->count++] = message;
        return;
    }
    for (unsigned i = 0; i < keeper->count; i++) {
        weft_unkeep(self, keeper->kept[i]);
        if (i % 2 == 0) weft_reply(self, keeper->kept[i], KEEP, &i, sizeof(i));
    }
    keeper->count = 0;
}

static const struct weft_actor_kind keeper_kind = {
    .name = "keeper", .state_bytes = sizeof(struct keeper), .handle = keep_or_answer};

static void ask(struct weft_actor *self, void *state)
{
    const struct weft_spawn spawn = {.kind = &keeper_kind};
    uint64_t references[5];
    weft_pid keeper;
    assert_ptr_equal(weft_kind(self)->main, ask);
    assert_int_equal(weft_spawn(self, &spawn, &keeper), 0);
    for (unsigned i = 0; i < 5; i++)
        references[i] = weft_call_begin(self, keeper, KEEP, NULL, 0, NULL);
    weft_send(self, keeper, ANSWER_ALL, NULL, 0);
    for (unsigned i = 0; i < 5; i++) {
        struct weft_message *reply;
        const int result = weft_await(self, references[i], WEFT_FOREVER, &reply);
        // The odd ones were released when the next was taken in hand: nobody else will answer.
        assert_int_equal(result, i % 2 == 0 ? 0 : -ECANCELED);
        if (result == 0) assert_memory_equal(reply->payload, &i, sizeof(i));
    }
    *(bool *)state = true;
    weft_kill(self, keeper);
}

static void what_was_kept_is_in_hand_again(void **state)
{
    (void)state;
    static struct cores cores;
    static const struct weft_actor_kind kind = {.name = "asker", .main = ask};
    bool is_over = false;
    weft_pid pid;
    cores_open(&cores, 1, 16);
    const struct weft_spawn spawn = {.kind = &kind, .state = &is_over};
    assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), 0);
    cores_settle(&cores);
    assert_true(is_over);
    for (unsigned i = 0; i < WEFT_MESSAGE_CLASSES; i++)
        assert_int_equal(cores.system[0].messages[i].used_count, 0);
    cores_check_ledger(&cores);
    cores_close(&cores);
}

static void wait_and_exit(struct weft_actor *self, void *state)
{
    (void)state;
    weft_sleep(self, WEFT_NS_PER_MS);
    weft_exit(self, WEFT_EXIT_USER);
}

static void an_exit_ends_whatever_stack_it_is_on(void **state)
{
    (void)state;
    static struct cores cores;
    static const struct weft_actor_kind kind = {.name = "leaver", .main = wait_and_exit};
    const struct weft_spawn spawn = {.kind = &kind};
    weft_pid pid;
    cores_open(&cores, 1, 16);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), 0);
    cores_settle(&cores);
    assert_int_equal(weft_actor_count(&cores.system[0].stats), 3);
    cores.now_ns += 2 * WEFT_NS_PER_MS; // Each stands on its own stack now.
    cores_settle(&cores);
    assert_int_equal(weft_actor_count(&cores.system[0].stats), 0);
    cores_close(&cores);
}

static void answer_and_kill(struct weft_actor *self, void *state, struct weft_message *call)
{
    const weft_pid caller = call->from;
    (void)state;
    weft_reply(self, call, 1, NULL, 0);
    weft_kill(self, caller);
}

static void call_parent(struct weft_actor *self, void *state)
{
    weft_call(self, *(const weft_pid *)state, 1, NULL, 0, WEFT_FOREVER, NULL);
    fail(); // It has ended before.
}

static void a_reply_that_comes_too_late_is_counted(void **state)
{
    (void)state;
    static struct cores cores;
    static const struct weft_actor_kind server = {.name = "server", .handle = answer_and_kill};
    static const struct weft_actor_kind client = {
        .name = "client", .state_bytes = sizeof(weft_pid), .main = call_parent};
    weft_pid pid;
    cores_open(&cores, 1, 16);
    const struct weft_spawn first = {.kind = &server};
    assert_int_equal(weft_actor_spawn(&cores.system[0], &first, 0, &pid), 0);
    const struct weft_spawn second = {.kind = &client, .state = &pid};
    assert_int_equal(weft_actor_spawn(&cores.system[0], &second, 0, &pid), 0);
    cores_settle(&cores);
    assert_int_equal(weft_actor_count(&cores.system[0].stats), 1);
    cores_check_ledger(&cores);
    cores_close(&cores);
}

// Whoever is told of an end may take the name at once, although the one that ends has not got to
// its names yet: it has a thousand watchers to tell, in steps.
static void a_name_of_the_dead_is_free(void **state)
{
    (void)state;
    static struct cores cores;
    static const struct weft_actor_kind kind = {
        .name = "keeper", .state_bytes = sizeof(struct keeper), .handle = keep_or_answer};
    const struct weft_spawn spawn = {.kind = &kind};
    weft_pid first, second;
    uint64_t reference;
    cores_open(&cores, 2, 16);
    struct weft_actor_system *system = &cores.system[0];
    assert_int_equal(weft_actor_spawn(system, &spawn, 0, &first), 0);
    assert_int_equal(weft_actor_spawn(system, &spawn, 0, &second), 0);
    assert_int_equal(weft_actor_register(system, "name", first), 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(weft_actor_monitor(weft_actor_find(system, second), first, &reference), 0);
    struct weft_actor *dying = weft_actor_find(system, first);
    assert_int_equal(weft_actor_register(system, "name", second), -EEXIST);
    weft_actor_end_soon(dying, WEFT_EXIT_KILLED);
    assert_true(dying->task.run(cores.core[0], &dying->task)); // One step: there are more to tell.
    assert_null(weft_actor_find(system, first));
    assert_int_equal(weft_actor_register(&cores.system[1], "name", second), 0);
    cores_settle(&cores);
    assert_int_equal(weft_actor_whereis(&cores.node, "name"), second); // And stays his.
    weft_actor_kill(system, second, WEFT_EXIT_KILLED);
    cores_settle(&cores);
    assert_int_equal(weft_actor_whereis(&cores.node, "name"), 0);
    cores_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_in_hand_again),
        cmocka_unit_test(an_exit_ends_whatever_stack_it_is_on),
        cmocka_unit_test(a_reply_that_comes_too_late_is_counted),
        cmocka_unit_test(a_name_of_the_dead_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
