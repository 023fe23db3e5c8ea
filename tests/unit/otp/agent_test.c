// Agents: a state behind functions.
#include "tests/unit/otp/rig.h"

struct state {
    uint64_t value, change_count;
    uint8_t bulk[1000];
};

static int look(struct weft_actor *self, const void *state, const void *args, void *result)
{
    const struct state *now = state;
    (void)self, (void)args;
    assert_int_equal((uintptr_t)result % 16, 0);
    *(uint64_t *)result = now->value;
    return 0;
}

static int look_at_all(struct weft_actor *self, const void *state, const void *args, void *result)
{
    (void)self, (void)args;
    memcpy(result, state, sizeof(struct state));
    return 0;
}

static int add(struct weft_actor *self, void *state, const void *args, void *result)
{
    struct state *now = state;
    (void)self;
    const uint64_t *more = args;
    assert_int_equal((uintptr_t)args % 16, 0);
    if (*more == 999) return -ERANGE;
    now->value += *more;
    now->change_count++;
    if (result != NULL) *(uint64_t *)result = now->value;
    return 0;
}

static int fill(struct weft_actor *self, void *state, const void *args, void *result)
{
    struct state *now = state;
    (void)self, (void)result;
    memcpy(now->bulk, args, sizeof(now->bulk));
    return 0;
}

static uint64_t value_of(struct weft_actor *self, weft_pid agent)
{
    uint64_t value = 0;
    assert_int_equal(
        weft_agent_get(self, agent, look, NULL, 0, &value, sizeof(value), WEFT_FOREVER), 0);
    return value;
}

static void states_are_seen_and_changed(struct weft_actor *self, struct rig *rig)
{
    const struct state begin = {.value = 40};
    const struct weft_agent how = {
        .state = &begin, .length = sizeof(begin), .name = "agent", .spawn.core = rig_core(rig, 1)};
    const uint64_t two = 2, bad = 999;
    uint64_t value;
    weft_pid agent, other;
    assert_int_equal(weft_agent_start_link(self, &how, &agent), 0);
    assert_int_equal(weft_agent_start(self, &how, &other), -EEXIST);
    assert_int_equal(value_of(self, agent), 40);
    assert_int_equal(weft_agent_update(self, agent, add, &two, 8, WEFT_FOREVER), 0);
    assert_int_equal(value_of(self, agent), 42);
    assert_int_equal(weft_agent_get_and_update(self, agent, add, &two, 8, &value, 8, WEFT_FOREVER),
                     0);
    assert_int_equal(value, 44);
    assert_int_equal(weft_agent_update(self, agent, add, &bad, 8, WEFT_FOREVER), -ERANGE);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(weft_agent_cast(self, agent, add, &two, 8), 0);
    assert_int_equal(weft_agent_cast(self, agent, add, &bad, 8), 0); // Nobody hears of it.
    assert_int_equal(value_of(self, agent), 64);
    assert_int_equal(begin.value, 40); // It was copied.
    assert_int_equal(weft_server_stop(self, agent, WEFT_EXIT_NORMAL, WEFT_FOREVER), 0);
    assert_int_equal(weft_agent_update(self, agent, add, &two, 8, WEFT_FOREVER), -ESRCH);
}
RIG_TEST(states_are_seen_and_changed)

static void sizes_may_be_large(struct weft_actor *self, struct rig *rig)
{
    static struct state all;
    static uint8_t bulk[sizeof(all.bulk)];
    const struct state begin = {.value = 1};
    const struct weft_agent how = {
        .state = &begin, .length = sizeof(begin), .spawn.core = rig_core(rig, 2)};
    weft_pid agent;
    assert_int_equal(weft_agent_start(self, &how, &agent), 0);
    memset(bulk, 0x5a, sizeof(bulk));
    assert_int_equal(weft_agent_update(self, agent, fill, bulk, sizeof(bulk), WEFT_FOREVER), 0);
    assert_int_equal(weft_agent_cast(self, agent, fill, bulk, sizeof(bulk)), 0);
    assert_int_equal(
        weft_agent_get(self, agent, look_at_all, NULL, 0, &all, sizeof(all), WEFT_FOREVER), 0);
    assert_int_equal(all.value, 1);
    assert_memory_equal(all.bulk, bulk, sizeof(bulk));
    rig_stop(self, agent);
}
RIG_TEST(sizes_may_be_large)

static void an_agent_may_be_a_child(struct weft_actor *self, struct rig *rig)
{
    const struct state begin = {.value = 5};
    const struct weft_child child = {.id = "agent",
                                     .server = &weft_agent_server,
                                     .args = &begin,
                                     .length = sizeof(begin),
                                     .name = "counter",
                                     .spawn.core = rig_core(rig, 1)};
    const struct weft_supervisor_spec spec = {.children = &child, .child_count = 1};
    const uint64_t two = 2;
    weft_pid supervisor;
    assert_int_equal(weft_supervisor_start(self, &spec, &supervisor), 0);
    const weft_pid agent = weft_whereis(self, "counter");
    assert_int_equal(weft_agent_update(self, agent, add, &two, 8, WEFT_FOREVER), 0);
    assert_int_equal(value_of(self, agent), 7);
    assert_int_equal(weft_kill(self, agent), 0);
    weft_sleep(self, rig->slack_ns);
    assert_int_equal(value_of(self, weft_whereis(self, "counter")), 5); // It begins anew.
    rig_stop(self, supervisor);
}
RIG_TEST(an_agent_may_be_a_child)

static void what_is_no_order_is_refused(struct weft_actor *self, struct rig *rig)
{
    const struct weft_agent how = {.spawn.core = rig_core(rig, 1)}; // No state at all.
    weft_pid agent;
    uint64_t value;
    assert_int_equal(weft_agent_start(self, &how, &agent), 0);
    assert_int_equal(weft_call(self, agent, 1, NULL, 0, WEFT_FOREVER, NULL), -EINVAL);
    assert_int_equal(weft_call(self, agent, WEFT_AGENT_DO, "short", 5, WEFT_FOREVER, NULL),
                     -EINVAL);
    weft_cast(self, agent, WEFT_AGENT_DO, "short", 5);
    weft_send(self, agent, WEFT_AGENT_DO, "short", 5);
    assert_int_equal(
        weft_agent_get(self, agent, look_at_all, NULL, 0, &value, UINT32_MAX, WEFT_FOREVER),
        -EINVAL);
    rig_stop(self, agent);
}
RIG_TEST(what_is_no_order_is_refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_seen_and_changed_everywhere),
        cmocka_unit_test(sizes_may_be_large_everywhere),
        cmocka_unit_test(an_agent_may_be_a_child_everywhere),
        cmocka_unit_test(what_is_no_order_is_refused_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
