// Supervisors: requests, other sorts of children, no memory, trees.
#include "tests/unit/otp/family.h"

// ---- Requests.

static void children_come_and_go_by_request(struct weft_actor *self, struct rig *rig)
{
    struct family family, more;
    struct plan plan = {.refusals = 1};
    weft_pid child, other;
    make(self, rig, &family, "A", WEFT_ONE_FOR_ONE);
    make(self, rig, &more, "BC1", WEFT_ONE_FOR_ONE);
    const weft_pid pid = begin(self, &family);
    expect(self, "+A");
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[0], &child), 0);
    expect(self, "+B");
    assert_int_equal(child_of(self, pid, 'B'), child);
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[0], &other), -EEXIST);
    assert_int_equal(other, child);

    more.args[1].plan = &plan; // One that refuses is not there afterwards.
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[1], &other), -EBUSY);
    assert_int_equal(other, 0);
    expect(self, "!C");
    check_running(self, pid, "AB");
    assert_int_equal(weft_supervisor_delete_child(self, pid, "C"), -ENOENT);

    assert_int_equal(weft_supervisor_delete_child(self, pid, "B"), -EBUSY);
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &other), -EEXIST);
    assert_int_equal(other, child);
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0);
    expect(self, "-B");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0); // As it is.
    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[0], &other), -EALREADY);
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &child), 0);
    expect(self, "+B");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0);
    expect(self, "-B");
    assert_int_equal(weft_supervisor_delete_child(self, pid, "B"), 0);
    assert_int_equal(weft_supervisor_restart_child(self, pid, "B", &child), -ENOENT);

    assert_int_equal(weft_supervisor_start_child(self, pid, &more.children[2], &child), 0);
    expect(self, "+1");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "1"), 0);
    expect(self, "-1");
    assert_int_equal(weft_supervisor_restart_child(self, pid, "1", &child), -ENOENT); // Temporary.

    assert_int_equal(weft_supervisor_stop_child(self, pid, "none"), -ENOENT);
    assert_int_equal(weft_supervisor_stop_child(self, pid, ""), -ENOENT);
    assert_int_equal(
        weft_supervisor_stop_child(self, pid, "an id that is longer than any id can be"), -ENOENT);
    rig_stop(self, pid);
    expect(self, "-A");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "A"), -ESRCH);
}
RIG_TEST(children_come_and_go_by_request)

static void a_stopped_child_comes_back_with_the_others(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "ABC", WEFT_ONE_FOR_ALL);
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B+C");
    assert_int_equal(weft_supervisor_stop_child(self, pid, "B"), 0);
    expect(self, "-B"); // By request: the others stay.
    check_running(self, pid, "AC");
    crash(self, pid, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A-C+A+B+C");
    rig_stop(self, pid);
    expect(self, "-C-B-A");
}
RIG_TEST(a_stopped_child_comes_back_with_the_others)

static void never_runs(struct weft_actor *self, void *state)
{
    (void)self;
    (void)state;
    fail_msg("a child of a bad specification runs");
}

static void bad_specs_are_refused(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    weft_pid pid;
    static const struct weft_actor_kind kind = {.name = "k", .state_bytes = 8, .main = never_runs};
    struct weft_supervisor_spec self_containing = {.child_count = 1};
    const struct weft_child inner = {.id = "inner", .supervisor = &self_containing};
    self_containing.children = &inner;
    assert_int_equal(weft_supervisor_start(self, &self_containing, &pid), -EINVAL);
    for (unsigned i = 0; i < 12; i++) {
        make(self, rig, &family, "Ab", WEFT_ONE_FOR_ONE);
        struct weft_child *child = &family.children[1];
        switch (i) {
        case 0: child->id = "A"; break; // Twice.
        case 1: child->id = NULL; break;
        case 2: child->id = ""; break;
        case 3: child->id = "0123456789012345678901234567890123"; break;
        case 4: child->server = NULL; break;
        case 5: child->kind = &kind; break; // Two ways at once.
        case 6: child->restart = 7; break;
        case 7: family.children[0].significant = true; break;
        case 8: child->server = NULL, child->kind = &kind, child->length = 9; break;
        case 9: family.spec.strategy = 3; break;
        case 10: family.spec.auto_shutdown = 9; break;
        default: child->name = ""; break;
        }
        assert_int_equal(weft_supervisor_start(self, &family.spec, &pid), -EINVAL);
        assert_int_equal(pid, 0);
    }
    expect_nothing(self);
}
RIG_TEST(bad_specs_are_refused)

// ---- Other sorts of children.

static int start_by_hand(struct weft_actor *self, const void *args, size_t length, weft_pid *pid)
{
    const struct weft_start start = {.server = &worker, .args = args, .length = length};
    return weft_server_start(self, &start, pid); // Its supervisor links it.
}

static void a_function_may_start_a_child(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "AB", WEFT_ONE_FOR_ONE);
    for (unsigned i = 0; i < 2; i++) {
        family.children[i].server = NULL;
        family.children[i].start = start_by_hand;
    }
    family.children[0].name = "by-hand";
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B");
    weft_pid child = child_of(self, pid, 'A');
    assert_int_equal(weft_whereis(self, "by-hand"), child);
    crash(self, pid, 'A', WEFT_EXIT_FAULT);
    expect(self, "-A+A");
    assert_int_not_equal(child_of(self, pid, 'A'), child);
    child = child_of(self, pid, 'A');
    assert_int_equal(weft_whereis(self, "by-hand"), child);
    rig_stop(self, pid);
    expect(self, "-B-A");
}
RIG_TEST(a_function_may_start_a_child)

static void a_name_goes_to_the_next_child(struct weft_actor *self, struct rig *rig)
{
    struct family family;
    make(self, rig, &family, "AB", WEFT_ONE_FOR_ALL);
    family.children[0].name = "first";
    family.children[1].name = "second";
    family.spec.restart_max = 100;
    family.spec.name = "boss";
    const weft_pid pid = begin(self, &family);
    expect(self, "+A+B");
    assert_int_equal(weft_whereis(self, "boss"), pid);
    for (unsigned i = 0; i < 50; i++) {
        const weft_pid before = weft_whereis(self, "first");
        assert_int_equal(weft_kill(self, before), 0);
        expect(self, "-A-B+A+B");
        assert_int_not_equal(weft_whereis(self, "first"), before);
        assert_int_equal(weft_whereis(self, "first"), child_of(self, pid, 'A'));
        assert_int_equal(weft_whereis(self, "second"), child_of(self, pid, 'B'));
    }
    rig_stop(self, pid);
    expect(self, "-B-A");
}
RIG_TEST(a_name_goes_to_the_next_child)

// ---- No memory.

// Whatever began has ended.
static void check_evened_out(struct weft_actor *self, const struct rig *rig)
{
    int running = 0;
    weft_sleep(self, rig->slack_ns);
    for (const struct weft_message *message; (message = weft_receive(self, 0)) != NULL;)
        running += message->type == UP ? 1 : -1;
    assert_int_equal(running, 0);
}

static void a_cap_of_memory_is_refused_in_order(struct weft_actor *self, struct rig *rig)
{
    unsigned started = 0, refused = 0;
    for (size_t memory_max = 256; memory_max <= 8192; memory_max += 64) {
        struct family family;
        weft_pid pid, child;
        make(self, rig, &family, "ABC", WEFT_ONE_FOR_ONE);
        family.spec.spawn.memory_max = memory_max;
        family.children[0].name = "first";
        const int result = weft_supervisor_start(self, &family.spec, &pid);
        if (result == 0) {
            char id[8];
            int added = 0;
            started++;
            for (unsigned i = 0; added == 0 && i < 30; i++) { // Until there is no more,
                snprintf(id, sizeof(id), "n%u", i);
                family.children[1].id = id;
                added = weft_supervisor_start_child(self, pid, &family.children[1], &child);
            }
            // Of its own, or for the call, which is a large message.
            assert_true(added == 0 || added == -ENOMEM || added == -ENOBUFS);
            rig_cast(self, weft_whereis(self, "first"), CRASH,
                     WEFT_EXIT_FAULT); // which is no restart, or the end.
            weft_sleep(self, rig->slack_ns);
            weft_server_stop(self, pid, WEFT_EXIT_SHUTDOWN, WEFT_FOREVER);
        } else {
            assert_int_equal(result, -ENOMEM);
            assert_int_equal(pid, 0);
            refused++;
        }
        check_evened_out(self, rig);
    }
    assert_true(started > 0 && refused > 0);
}
RIG_TEST(a_cap_of_memory_is_refused_in_order)

// ---- Trees.

static void supervisors_nest(struct weft_actor *self, struct rig *rig)
{
    struct family inner, outer;
    struct weft_child_counts counts;
    struct weft_child_info infos[4];
    struct weft_info info;
    size_t count;
    make(self, rig, &inner, "BC", WEFT_ONE_FOR_ALL);
    inner.spec.restart_max = 1;
    inner.spec.period_ns = 100 * WEFT_NS_PER_S;
    make(self, rig, &outer, "AxD", WEFT_REST_FOR_ONE);
    outer.children[1] = (struct weft_child){.id = "x", .supervisor = &inner.spec};
    const weft_pid pid = begin(self, &outer);
    memset(&inner, 0, sizeof(inner)); // All of it was copied.
    expect(self, "+A+B+C+D");
    assert_int_equal(weft_supervisor_count(self, pid, &counts), 0);
    assert_int_equal(counts.supervisors, 1);
    assert_int_equal(counts.workers, 2);
    assert_int_equal(weft_supervisor_children(self, pid, infos, 1, &count), 0);
    assert_int_equal(count, 3);
    assert_string_equal(infos[0].id, "A");
    const weft_pid branch = child_of(self, pid, 'x');
    assert_int_equal(weft_info(self, child_of(self, branch, 'C'), &info), 0);
    assert_int_equal(info.parent, branch); // A tree can be drawn from the parents alone.
    assert_int_equal(weft_info(self, branch, &info), 0);
    assert_int_equal(info.parent, pid);
    assert_string_equal(info.label, "x");

    crash(self, branch, 'B', WEFT_EXIT_FAULT);
    expect(self, "-B-C+B+C");
    crash(self, branch, 'C', WEFT_EXIT_FAULT); // One too many: the branch gives up,
    expect(self, "-C-B-D+B+C+D");              // and is started again, and what follows it.
    assert_int_not_equal(child_of(self, pid, 'x'), branch);
    rig_stop(self, pid);
    expect(self, "-D-C-B-A");
}
RIG_TEST(supervisors_nest)

static void a_parents_end_takes_the_tree_with_it(struct weft_actor *self, struct rig *rig)
{
    struct family inner, outer;
    make(self, rig, &inner, "BC", WEFT_ONE_FOR_ALL);
    make(self, rig, &outer, "Ax", WEFT_ONE_FOR_ONE);
    outer.children[1] = (struct weft_child){.id = "x", .supervisor = &inner.spec};
    const weft_pid pid = begin(self, &outer);
    expect(self, "+A+B+C");
    const weft_pid branch = child_of(self, pid, 'x');
    assert_int_equal(weft_kill(self, pid), 0); // Not in order; its links see to it.
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rig_receive(self)->type, DOWN);
    assert_int_equal(weft_join(self, branch, WEFT_FOREVER, NULL), 0);
}
RIG_TEST(a_parents_end_takes_the_tree_with_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_come_and_go_by_request_everywhere),
        cmocka_unit_test(a_stopped_child_comes_back_with_the_others_everywhere),
        cmocka_unit_test(bad_specs_are_refused_everywhere),
        cmocka_unit_test(a_function_may_start_a_child_everywhere),
        cmocka_unit_test(a_name_goes_to_the_next_child_everywhere),
        cmocka_unit_test(a_cap_of_memory_is_refused_in_order_everywhere),
        cmocka_unit_test(supervisors_nest_everywhere),
        cmocka_unit_test(a_parents_end_takes_the_tree_with_it_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
