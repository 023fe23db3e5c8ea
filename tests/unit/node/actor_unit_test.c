// Units among actors written in C: the same pids, links, monitors and mailboxes, on one core and
// across two.
#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/weft.h>

#include "tests/unit/node/rig.h"

// What a C actor does is a function with a scene.
struct scene {
    weft_pid unit;
    void (*act)(struct weft_actor *self, struct scene *scene);
    weft_pid self;
    bool done;
    uint16_t reason;
    unsigned count;
};

static void act(struct weft_actor *self, void *state)
{
    struct scene *scene = state;
    scene->act(self, scene);
    scene->done = true;
}

static const struct weft_actor_kind actor_kind = {.name = "actor", .main = act};

static weft_pid spawn_limited(struct rig *rig, unsigned core, struct scene *scene,
                              uint32_t mailbox_max)
{
    const struct weft_spawn spawn = {
        .kind = &actor_kind, .state = scene, .pinned = true, .mailbox_max = mailbox_max};
    assert_int_equal(weft_actor_spawn(&rig->node.workers[core - 1].actors, &spawn, 0, &scene->self),
                     0);
    return scene->self;
}

static weft_pid spawn(struct rig *rig, unsigned core, struct scene *scene)
{
    return spawn_limited(rig, core, scene, 0);
}

static void command(struct rig *rig, struct weft_resident *unit, enum weft_command_verb verb,
                    const char *text)
{
    static struct asked asked;
    ask(rig, &asked, verb, unit, text);
    wait_for(rig, &asked);
    // To one that ended itself no text is answered.
    assert_int_equal(asked.command.error.code, strcmp(text, "BYE") == 0 ? 402 : 0);
}

// ---- Its end, as others see it.

static void monitor(struct weft_actor *self, struct scene *scene)
{
    uint64_t reference;
    assert_int_equal(weft_monitor(self, scene->unit, &reference), 0);
    const struct weft_message *down = weft_receive(self, WEFT_FOREVER);
    assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
    assert_int_equal(down->reference, reference);
    scene->reason = down->type;
}

static void join(struct weft_actor *self, struct scene *scene)
{
    assert_int_equal(weft_join(self, scene->unit, WEFT_FOREVER, &scene->reason), 0);
}

static void trap(struct weft_actor *self, struct scene *scene)
{
    weft_trap_exit(self, true);
    assert_int_equal(weft_link(self, scene->unit), 0);
    const struct weft_message *end = weft_receive(self, WEFT_FOREVER);
    assert_int_equal(end->tag, WEFT_MESSAGE_EXIT);
    assert_int_equal(end->from, scene->unit);
    scene->reason = end->type;
}

static void killer(struct weft_actor *self, struct scene *scene)
{
    assert_int_equal(weft_kill(self, scene->unit), 0);
}

static void exit_sender(struct weft_actor *self, struct scene *scene)
{
    assert_int_equal(weft_exit_send(self, scene->unit, WEFT_EXIT_USER), 0);
}

static void linked_and_failing(struct weft_actor *self, struct scene *scene)
{
    assert_int_equal(weft_link(self, scene->unit), 0);
    weft_exit(self, WEFT_EXIT_FAULT);
}

static void its_end_is_seen_with_its_reason(void **state)
{
    static const struct {
        const char *text;                                          // It is asked to run, or
        enum weft_command_verb verb;                               // commanded, or
        void (*end)(struct weft_actor *self, struct scene *scene); // ended by an actor.
        uint16_t reason;
    } cases[] = {
        {"BYE", WEFT_COMMAND_EVAL, NULL, WEFT_EXIT_NORMAL},
        {"", WEFT_COMMAND_KILL, NULL, WEFT_EXIT_KILLED},
        {"", WEFT_COMMAND_UNLOAD, NULL, WEFT_EXIT_SHUTDOWN},
        {"", 0, killer, WEFT_EXIT_KILLED},
        {"", 0, exit_sender, WEFT_EXIT_USER},
        {"", 0, linked_and_failing, WEFT_EXIT_FAULT},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        const __typeof__(cases[0]) *it = &cases[i / 2];
        const unsigned core = 1 + i % 2;
        struct weft_resident *unit =
            load(rig, "unit", 1, ": main BEGIN RECEIVE 2DROP 2DROP AGAIN ; main");
        const weft_pid pid = weft_counter_get(&unit->pid);
        struct scene watchers[3] = {{.act = monitor}, {.act = join}, {.act = trap}};
        struct scene end = {.unit = pid, .act = it->end};
        for (unsigned n = 0; n < 3; n++) {
            watchers[n].unit = pid;
            spawn(rig, core, &watchers[n]);
        }
        turn(rig, 10);
        if (it->end != NULL)
            spawn(rig, core, &end);
        else
            command(rig, unit, it->verb, it->text);
        turn(rig, 20);
        for (unsigned n = 0; n < 3; n++) {
            if (!watchers[n].done || watchers[n].reason != it->reason)
                fail_msg("case %zu, watcher %u: %s, %u", i, n, watchers[n].done ? "told" : "not",
                         watchers[n].reason);
        }
        assert_null(weft_unit_registry_find(&rig->node.units, "unit"));
    }
}

static void watch_name(struct weft_actor *self, struct scene *scene)
{
    while ((scene->unit = weft_whereis(self, "broken")) == 0)
        weft_sleep(self, 10000);
    join(self, scene);
}

// A source that does not run is a unit that ends by a fault.
static void a_source_that_fails_is_a_fault(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    struct scene watcher = {.act = watch_name};
    spawn(rig, 1, &watcher);
    ask(rig, &asked, WEFT_COMMAND_LOAD, reserve(rig, "broken", 1), "1 MS no-such-word");
    wait_for(rig, &asked);
    turn(rig, 20);
    assert_int_equal(asked.command.error.code, 401);
    assert_true(watcher.done);
    assert_int_equal(watcher.reason, WEFT_EXIT_FAULT);
}

// ---- Messages.

static void call_it(struct weft_actor *self, struct scene *scene)
{
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(weft_send(self, scene->unit, 0, "12345", 5), 0);
    // It has no word to answer with: it reads the call, and lets it go with the next message.
    const uint64_t reference = weft_call_begin(self, scene->unit, 0, "abc", 3, NULL);
    assert_int_equal(weft_send(self, scene->unit, 0, "x", 1), 0);
    assert_int_equal(weft_await(self, reference, WEFT_FOREVER, NULL), -ECANCELED);
}

static void send_and_call_reach_it(void **state)
{
    struct rig *rig = *state;
    for (unsigned core = 1; core <= 2; core++) {
        char name[8];
        snprintf(name, sizeof(name), "u%u", core);
        struct weft_resident *unit = load(
            rig, name, 1, "VARIABLE bytes : main BEGIN RECEIVE 2DROP NIP bytes +! AGAIN ; main");
        struct scene scene = {.unit = weft_counter_get(&unit->pid), .act = call_it};
        spawn(rig, core, &scene);
        turn(rig, 200);
        assert_true(scene.done);
        expect(rig, unit, "bytes @ .", "54 ");
    }
}

#define FLOOD 30000 // More than a turn sends: another core has to be heard.

static void read_slowly(struct weft_actor *self, struct scene *scene)
{
    weft_sleep(self, 10 * WEFT_NS_PER_MS); // So that the mailbox fills.
    for (; scene->count < FLOOD; scene->count++) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        uint64_t number;
        assert_int_equal(message->from, scene->unit);
        assert_int_equal(message->length, sizeof(number));
        memcpy(&number, message->payload, sizeof(number));
        assert_int_equal(number, scene->count); // In order, and none is missing.
        weft_yield(self);
    }
}

static const char flood_source[] =
    "VARIABLE n : flood ( pid count -- ) 0 DO I n ! n 8 2 PICK SEND-TO THROW LOOP DROP ;";

// It waits for room, in the middle of its loop, and goes on.
static void a_unit_waits_for_room(void **state)
{
    struct rig *rig = *state;
    for (unsigned core = 1; core <= 2; core++) {
        static struct asked asked;
        char name[8], text[64];
        snprintf(name, sizeof(name), "u%u", core);
        struct weft_resident *unit = load(rig, name, 1, flood_source);
        struct weft_actor_system *system = &rig->node.workers[0].actors;
        const uint64_t before = weft_counter_get(&system->stats.mute_count);
        struct scene scene = {.unit = weft_counter_get(&unit->pid), .act = read_slowly};
        spawn_limited(rig, core, &scene, 8);
        snprintf(text, sizeof(text), "$%llx %u flood", (unsigned long long)scene.self, FLOOD);
        ask(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
        wait_for(rig, &asked);
        assert_int_equal(asked.command.error.code, 0);
        for (unsigned i = 0; i < 100000 && !scene.done; i++)
            turn_all(rig);
        assert_int_equal(scene.count, FLOOD);
        assert_true(weft_counter_get(&system->stats.mute_count) > before);
        for (unsigned i = 0; i < WORKERS; i++)
            assert_int_equal(
                weft_drop_get(&rig->node.workers[i].core.drops, WEFT_DROP_MAILBOX_FULL), 0);
    }
}

static void never_read(struct weft_actor *self, struct scene *scene)
{
    (void)scene;
    weft_sleep(self, WEFT_FOREVER);
}

// What stands still for a mailbox that is never read still obeys: its text ends in time, and so
// does the unit. It has sent too much for the others' patience: see runtime/actor/wait.c.
static void a_unit_that_waits_for_room_obeys(void **state)
{
    static struct asked asked;
    struct rig *rig = *state;
    struct weft_resident *unit = load(rig, "unit", 1, flood_source);
    struct scene scene = {.act = never_read}, watcher = {.act = join};
    char text[64];
    spawn_limited(rig, 1, &scene, 8);
    watcher.unit = weft_counter_get(&unit->pid);
    spawn(rig, 2, &watcher);
    snprintf(text, sizeof(text), "$%llx 20 flood", (unsigned long long)scene.self);
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
    turn(rig, 100);
    assert_false(asked.is_done);
    rig->now_ns += 70 * WEFT_NS_PER_S; // Past eval_timeout_ns.
    wait_for(rig, &asked);
    assert_int_equal(asked.command.error.code, 404);
    expect(rig, unit, "1 2 + .", "3 "); // It lives on.
    ask(rig, &asked, WEFT_COMMAND_EVAL, unit, text);
    turn(rig, 100);
    assert_false(asked.is_done);
    static struct asked kill;
    ask(rig, &kill, WEFT_COMMAND_KILL, unit, "");
    rig->now_ns += 70 * WEFT_NS_PER_S;
    wait_for(rig, &kill);
    turn(rig, 20);
    assert_true(watcher.done);
    assert_int_equal(watcher.reason, WEFT_EXIT_KILLED);
}

static void measure(struct weft_actor *self, struct scene *scene)
{
    struct weft_info info;
    assert_int_equal(weft_info(self, scene->unit, &info), 0);
    scene->count = (unsigned)info.memory_bytes;
}

static void its_memory_is_its_actors(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit = load(rig, "unit", 1, "");
    struct scene before = {.unit = weft_counter_get(&unit->pid), .act = measure}, after = before;
    spawn(rig, 2, &before);
    turn(rig, 10);
    assert_true(before.done && before.count >= weft_counter_get(&unit->memory_bytes));
    expect(rig, unit, "CREATE much 20000 ALLOT", "");
    spawn(rig, 1, &after);
    turn(rig, 10);
    assert_true(after.done && after.count >= before.count + 16000);
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(its_end_is_seen_with_its_reason),  UNIT_TEST(a_source_that_fails_is_a_fault),
        UNIT_TEST(send_and_call_reach_it),           UNIT_TEST(a_unit_waits_for_room),
        UNIT_TEST(a_unit_that_waits_for_room_obeys), UNIT_TEST(its_memory_is_its_actors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
