// Applications: arguments, settings, what they need, ends.
#include "tests/unit/otp/rig.h"

enum { STARTED = 1, STOPPED, CHILD_UP, CHILD_DOWN };

// Applications are constant tables, so what they tell goes to a name.
static void tell(struct weft_actor *self, uint16_t type, const char *text)
{
    assert_int_equal(weft_send_named(self, "listener", type, text, strlen(text) + 1), 0);
}

static int child_init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    char value[16];
    (void)state, (void)args, (void)length;
    // Its own application is being started: it cannot be asked now.
    assert_int_equal(weft_application_env(self, "shop", "color", value, sizeof(value)), -EDEADLK);
    tell(self, CHILD_UP, "child");
    return 0;
}

static void child_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    (void)state, (void)cast;
    weft_exit(self, WEFT_EXIT_FAULT);
}

static void child_terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)state, (void)reason;
    tell(self, CHILD_DOWN, "child");
}

static const struct weft_server child_server = {WEFT_SERVER("child", uint64_t), .init = child_init,
                                                .cast = child_cast, .terminate = child_terminate};

static const struct weft_child children[] = {
    {.id = "child", .server = &child_server, .name = "the-child"}};
static const struct weft_supervisor_spec tree = {
    .children = children, .child_count = 1, .restart_max = WEFT_RESTARTS_NONE};

static int start_shop(struct weft_actor *self, const struct weft_application_args *args,
                      weft_pid *top)
{
    char text[64];
    snprintf(text, sizeof(text), "%s %d %s %s", args->application->name, args->argc,
             args->argc > 0 ? args->argv[args->argc - 1] : "-",
             weft_application_setting(args, "color"));
    assert_null(args->argv[args->argc]);
    assert_null(args->env[args->env_count]);
    assert_null(weft_application_setting(args, "col"));
    tell(self, STARTED, text);
    return weft_supervisor_start_link(self, &tree, top);
}

static void stop_shop(struct weft_actor *self, const struct weft_application_args *args)
{
    weft_sleep(self, MS); // It may wait.
    tell(self, STOPPED, args->application->name);
}

static const struct weft_application shop = {
    .name = "shop", .start = start_shop, .stop = stop_shop};

// Without a tree.
static int start_bare(struct weft_actor *self, const struct weft_application_args *args,
                      weft_pid *top)
{
    (void)top;
    tell(self, STARTED, args->application->name);
    return 0;
}

static int start_badly(struct weft_actor *self, const struct weft_application_args *args,
                       weft_pid *top)
{
    (void)self, (void)args, (void)top;
    return -ENOTCONN;
}

static const struct weft_application base = {
    .name = "base", .start = start_bare, .stop = stop_shop};
static const struct weft_application *const needs_base[] = {&base, NULL};
static const struct weft_application left = {
    .name = "left", .start = start_bare, .stop = stop_shop, .needs = needs_base};
static const struct weft_application right = {
    .name = "right", .start = start_bare, .stop = stop_shop, .needs = needs_base};
static const struct weft_application *const needs_both[] = {&left, &right, NULL};
static const struct weft_application top_application = {
    .name = "top", .start = start_bare, .stop = stop_shop, .needs = needs_both};
static const struct weft_application bad = {
    .name = "bad", .start = start_badly, .needs = needs_base};

extern const struct weft_application chicken, egg;
static const struct weft_application *const needs_egg[] = {&egg, NULL};
static const struct weft_application *const needs_chicken[] = {&chicken, NULL};
const struct weft_application chicken = {
    .name = "chicken", .start = start_bare, .needs = needs_egg};
const struct weft_application egg = {.name = "egg", .start = start_bare, .needs = needs_chicken};

static void expect(struct weft_actor *self, uint16_t type, const char *text)
{
    const struct weft_message *message = rig_receive(self);
    assert_int_equal(message->type, type);
    assert_string_equal((const char *)message->payload, text);
}

static void listen_to_all(struct weft_actor *self)
{
    assert_int_equal(weft_register(self, "listener", 0), 0);
}

static void it_starts_and_stops_as_one(struct weft_actor *self, struct rig *rig)
{
    static char *const argv[] = {"one", "two"};
    static const char *const env[] = {"color=red", "colors=many", "color=blue", "empty=", NULL};
    weft_pid pid, other;
    char value[8];
    (void)rig;
    listen_to_all(self);
    assert_int_equal(weft_application_start(self, &shop, 2, argv, env, &pid), 0);
    expect(self, STARTED, "shop 2 two blue");
    expect(self, CHILD_UP, "child");
    assert_int_equal(weft_application_find(self, "shop"), pid);
    assert_int_equal(weft_application_start(self, &shop, 0, NULL, NULL, &other), -EALREADY);
    assert_int_equal(other, pid);
    assert_int_equal(weft_application_env(self, "shop", "color", value, sizeof(value)), 0);
    assert_string_equal(value, "blue");
    assert_int_equal(weft_application_env(self, "shop", "empty", value, sizeof(value)), 0);
    assert_string_equal(value, "");
    assert_int_equal(weft_application_env(self, "shop", "color", value, 4), -ENOBUFS);
    assert_int_equal(weft_application_env(self, "shop", "none", value, sizeof(value)), -ENOENT);
    assert_int_equal(weft_application_env(self, "shops", "color", value, 8), -ESRCH);
    assert_int_equal(weft_call(self, pid, WEFT_APPLICATION_ENV, "x", 1, WEFT_FOREVER, NULL),
                     -EINVAL);
    struct weft_info info;
    const weft_pid child = weft_whereis(self, "the-child");
    assert_int_equal(weft_info(self, child, &info), 0);
    assert_int_equal(weft_info(self, info.parent, &info), 0);
    assert_int_equal(info.parent, pid); // The master is the top's parent.
    assert_int_equal(weft_application_stop(self, "shop", WEFT_FOREVER), 0);
    expect(self, CHILD_DOWN, "child");
    expect(self, STOPPED, "shop");
    assert_int_equal(weft_application_find(self, "shop"), 0);
    assert_int_equal(weft_application_stop(self, "shop", WEFT_FOREVER), -ESRCH);
}
RIG_TEST(it_starts_and_stops_as_one)

static void it_ends_with_its_tree(struct weft_actor *self, struct rig *rig)
{
    static const char *const env[] = {"color=x", NULL};
    weft_pid pid;
    uint16_t reason;
    listen_to_all(self);
    assert_int_equal(weft_application_start(self, &shop, 0, NULL, env, &pid), 0);
    expect(self, STARTED, "shop 0 - x");
    expect(self, CHILD_UP, "child");
    uint64_t reference;
    assert_int_equal(weft_monitor(self, pid, &reference), 0);
    weft_cast(self, weft_whereis(self, "the-child"), 1, NULL, 0); // One end is too many.
    expect(self, CHILD_DOWN, "child");
    expect(self, STOPPED, "shop");
    const struct weft_message *down = rig_receive(self);
    reason = down->type;
    assert_int_equal(reason, WEFT_EXIT_INTENSITY);
    rig_take_logs(rig);
    assert_int_equal(rig_logged(rig, "its tree has ended: intensity"), 1);
}
RIG_TEST(it_ends_with_its_tree)

static void what_is_needed_is_started_first(struct weft_actor *self, struct rig *rig)
{
    weft_pid pid, other;
    (void)rig;
    listen_to_all(self);
    assert_int_equal(weft_application_start(self, &top_application, 0, NULL, NULL, &pid), 0);
    expect(self, STARTED, "base"); // Once.
    expect(self, STARTED, "left");
    expect(self, STARTED, "right");
    expect(self, STARTED, "top");
    assert_int_equal(weft_application_start(self, &left, 0, NULL, NULL, &other), -EALREADY);
    assert_int_equal(weft_application_start(self, &bad, 0, NULL, NULL, &other), -ENOTCONN);
    assert_int_equal(other, 0);
    static const char *const names[] = {"top", "right", "left", "base"};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(weft_application_stop(self, names[i], WEFT_FOREVER), 0);
        expect(self, STOPPED, names[i]);
    }
}
RIG_TEST(what_is_needed_is_started_first)

static void what_cannot_be_is_refused(struct weft_actor *self, struct rig *rig)
{
    static const char *const no_setting[] = {"color", NULL};
    static const struct weft_application nameless = {.name = "", .start = start_bare};
    static const struct weft_application endless = {
        .name = "a-name-that-is-longer-than-any-application-s-name", .start = start_bare};
    static const struct weft_application startless = {.name = "startless"};
    weft_pid pid;
    (void)rig;
    assert_int_equal(weft_application_start(self, &chicken, 0, NULL, NULL, &pid), -ELOOP);
    assert_int_equal(weft_application_find(self, "egg"), 0);
    assert_int_equal(weft_application_start(self, &shop, 0, NULL, no_setting, &pid), -EINVAL);
    assert_int_equal(weft_application_start(self, &shop, -1, NULL, NULL, &pid), -EINVAL);
    assert_int_equal(weft_application_start(self, &nameless, 0, NULL, NULL, &pid), -EINVAL);
    assert_int_equal(weft_application_start(self, &endless, 0, NULL, NULL, &pid), -EINVAL);
    assert_int_equal(weft_application_start(self, &startless, 0, NULL, NULL, &pid), -EINVAL);
    assert_int_equal(pid, 0);
}
RIG_TEST(what_cannot_be_is_refused)

// ---- As the first actor of a module.

static void run_shop(struct weft_actor *self, void *state)
{
    static char *const argv[] = {"module", "color=grey", "size=1", "one", "a=b", "two", NULL};
    (void)state;
    weft_application_run(self, &shop, 6, argv);
}
static const struct weft_actor_kind module_kind = {.name = "module", .main = run_shop};

static void run_bad(struct weft_actor *self, void *state)
{
    (void)state;
    weft_application_run(self, &bad, 0, NULL);
}
static const struct weft_actor_kind bad_kind = {.name = "bad module", .main = run_bad};

static weft_pid start_module(struct weft_actor *self, const struct weft_actor_kind *kind)
{
    const struct weft_spawn spawn = {.kind = kind};
    weft_pid pid;
    uint64_t reference;
    assert_int_equal(weft_spawn_monitor(self, &spawn, &pid, &reference), 0);
    return pid;
}

static void expect_down(struct weft_actor *self, weft_pid pid, uint16_t reason)
{
    const struct weft_message *down = rig_receive(self);
    assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
    assert_int_equal(down->from, pid);
    assert_int_equal(down->type, reason);
}

static weft_pid start_shop_module(struct weft_actor *self)
{
    const weft_pid pid = start_module(self, &module_kind);
    expect(self, STARTED, "shop 3 two grey");
    expect(self, CHILD_UP, "child");
    return pid;
}

static void as_a_module_it_ends_with_its_tree(struct weft_actor *self, struct rig *rig)
{
    listen_to_all(self);
    const weft_pid pid = start_shop_module(self);
    weft_cast(self, weft_whereis(self, "the-child"), 1, NULL, 0);
    expect(self, CHILD_DOWN, "child");
    expect(self, STOPPED, "shop");
    expect_down(self, pid, WEFT_EXIT_INTENSITY);
    const weft_pid refused = start_module(self, &bad_kind);
    expect(self, STARTED, "base");
    expect_down(self, refused, WEFT_EXIT_FAULT);
    rig_take_logs(rig);
    assert_int_equal(rig_logged(rig, "the application bad does not start"), 1);
    assert_int_equal(weft_application_stop(self, "base", WEFT_FOREVER), 0);
    expect(self, STOPPED, "base");
}
RIG_TEST(as_a_module_it_ends_with_its_tree)

static void as_a_module_it_is_stopped_in_order(struct weft_actor *self, struct rig *rig)
{
    listen_to_all(self);
    weft_pid pid = start_shop_module(self);
    const weft_pid second = start_module(self, &module_kind);
    expect_down(self, second, WEFT_EXIT_FAULT); // One runs: the second is refused, and no more.
    rig_take_logs(rig);
    assert_int_equal(rig_logged(rig, "it runs already"), 1);
    weft_send(self, pid, 9, NULL, 0); // Whatever it is, it is not for the first actor.
    weft_exit_send(self, pid, WEFT_EXIT_SHUTDOWN);
    expect(self, CHILD_DOWN, "child");
    expect(self, STOPPED, "shop");
    expect_down(self, pid, WEFT_EXIT_SHUTDOWN);

    pid = start_shop_module(self);
    weft_kill(self, pid);
    expect_down(self, pid, WEFT_EXIT_KILLED); // At once; and then
    expect(self, CHILD_DOWN, "child");
    expect(self, STOPPED, "shop");
}
RIG_TEST(as_a_module_it_is_stopped_in_order)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_and_stops_as_one_everywhere),
        cmocka_unit_test(it_ends_with_its_tree_everywhere),
        cmocka_unit_test(what_is_needed_is_started_first_everywhere),
        cmocka_unit_test(what_cannot_be_is_refused_everywhere),
        cmocka_unit_test(as_a_module_it_ends_with_its_tree_everywhere),
        cmocka_unit_test(as_a_module_it_is_stopped_in_order_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
