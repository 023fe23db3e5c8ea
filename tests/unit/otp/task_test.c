// Tasks and streams of them.
#include "tests/unit/otp/rig.h"

struct job {
    weft_pid owner;
    uint64_t number, sleeps_ns;
    int result;
    uint16_t exits; // A reason, plus 1.
    bool twice, traps, none;
};

static int work(struct weft_actor *self, const void *args, size_t length)
{
    const struct job *job = args;
    assert_int_equal(length, sizeof(*job));
    assert_int_equal((uintptr_t)args % 16, 0);
    const bool twice = job->twice;
    if (job->traps) weft_trap_exit(self, true);
    if (job->sleeps_ns > 0) weft_sleep(self, job->sleeps_ns);
    if (job->exits > 0) weft_exit(self, job->exits - 1);
    if (job->result != 0) return job->result;
    if (job->none) return 0;
    const uint64_t square = job->number * job->number;
    assert_int_equal(weft_task_result(self, &square, sizeof(square)), 0);
    if (twice) assert_int_equal(weft_task_result(self, &square, sizeof(square)), -EALREADY);
    return 0;
}

static struct weft_promise begin(struct weft_actor *self, struct job job)
{
    struct weft_promise task;
    assert_int_equal(weft_task_async_nolink(self, work, &job, sizeof(job), &task), 0);
    assert_int_not_equal(task.pid, 0);
    return task;
}

static void results_are_awaited(struct weft_actor *self, struct rig *rig)
{
    struct weft_promise tasks[20];
    struct weft_message *result;
    (void)rig;
    for (uint64_t i = 0; i < 20; i++)
        tasks[i] = begin(self, (struct job){.number = i, .sleeps_ns = (20 - i) % 3 * MS});
    for (uint64_t i = 20; i-- > 0;) {
        assert_int_equal(weft_task_await(self, &tasks[i], WEFT_FOREVER, &result), 0);
        assert_int_equal(rig_number(result), i * i);
        assert_int_equal(weft_task_await(self, &tasks[i], WEFT_FOREVER, &result), -ENOENT);
    }
    struct weft_promise none = begin(self, (struct job){.none = true});
    assert_int_equal(weft_task_await(self, &none, WEFT_FOREVER, &result), 0);
    assert_int_equal(result->length, 0);
    struct weft_promise twice = begin(self, (struct job){.number = 3, .twice = true});
    assert_int_equal(weft_task_await(self, &twice, WEFT_FOREVER, NULL), 0);
}
RIG_TEST(results_are_awaited)

static void failures_are_the_awaiters(struct weft_actor *self, struct rig *rig)
{
    static const int errors[] = {-EIO, -EPIPE, -ETIMEDOUT, -ENOMEM, -ENOENT};
    struct weft_message *result;
    (void)rig;
    for (unsigned i = 0; i < WEFT_COUNT_OF(errors); i++) {
        for (unsigned waits = 0; waits < 2; waits++) {
            struct weft_promise task =
                begin(self, (struct job){.result = errors[i], .sleeps_ns = waits * MS});
            weft_sleep(self, (1 - waits) * MS);
            assert_int_equal(weft_task_yield(self, &task, WEFT_FOREVER, &result), errors[i]);
            assert_null(result);
            assert_int_equal(task.reference, 0); // It is over, whatever it said.
        }
    }
    struct weft_promise crash = begin(self, (struct job){.exits = WEFT_EXIT_FAULT + 1});
    assert_int_equal(weft_task_await(self, &crash, WEFT_FOREVER, &result), -EPIPE);
    assert_null(weft_receive(self, MS)); // And nothing more.
}
RIG_TEST(failures_are_the_awaiters)

static void a_yield_may_be_repeated(struct weft_actor *self, struct rig *rig)
{
    struct weft_message *result;
    (void)rig;
    struct weft_promise task = begin(self, (struct job){.number = 5, .sleeps_ns = 50 * MS});
    assert_int_equal(weft_task_yield(self, &task, 0, &result), -ETIMEDOUT);
    assert_int_equal(weft_task_yield(self, &task, 10 * MS, &result), -ETIMEDOUT);
    assert_null(result);
    assert_int_equal(weft_task_yield(self, &task, WEFT_FOREVER, &result), 0);
    assert_int_equal(rig_number(result), 25);
}
RIG_TEST(a_yield_may_be_repeated)

static void an_await_that_times_out_ends_it(struct weft_actor *self, struct rig *rig)
{
    struct weft_message *result;
    (void)rig;
    struct weft_promise task = begin(self, (struct job){.sleeps_ns = 50 * MS, .traps = true});
    const weft_pid pid = task.pid;
    assert_int_equal(weft_task_await(self, &task, 10 * MS, &result), -ETIMEDOUT);
    assert_int_equal(task.reference, 0);
    assert_int_equal(weft_join(self, pid, MS * 20, NULL), 0);
    assert_null(weft_receive(self, 100 * MS)); // No late reply.
}
RIG_TEST(an_await_that_times_out_ends_it)

static void a_shutdown_takes_what_there_is(struct weft_actor *self, struct rig *rig)
{
    struct weft_message *result;
    struct weft_promise task = begin(self, (struct job){.number = 4});
    weft_sleep(self, rig->slack_ns);
    assert_int_equal(weft_task_shutdown(self, &task, MS, &result), 0); // It was done.
    assert_int_equal(rig_number(result), 16);
    task = begin(self, (struct job){.sleeps_ns = WEFT_NS_PER_S});
    assert_int_equal(weft_task_shutdown(self, &task, 100 * MS, &result), -ECANCELED);
    assert_int_equal(weft_join(self, task.pid, 0, NULL), 0);
    // One that does not care for signals has its time: enough, or not.
    task = begin(self, (struct job){.sleeps_ns = 50 * MS, .traps = true, .number = 6});
    weft_sleep(self, rig->slack_ns);
    assert_int_equal(weft_task_shutdown(self, &task, 200 * MS, &result), 0);
    assert_int_equal(rig_number(result), 36);
    task = begin(self, (struct job){.sleeps_ns = WEFT_NS_PER_S, .traps = true});
    weft_sleep(self, rig->slack_ns);
    assert_int_equal(weft_task_shutdown(self, &task, 100 * MS, &result), -ECANCELED);
    assert_int_equal(weft_join(self, task.pid, 20 * MS, NULL), 0);
    assert_int_equal(weft_task_shutdown(self, &task, 100 * MS, &result), -ENOENT);
}
RIG_TEST(a_shutdown_takes_what_there_is)

// An actor that starts a linked task, and waits for it.
static void owner_main(struct weft_actor *self, void *state)
{
    const struct job *job = state;
    struct weft_promise task;
    struct weft_message *result;
    assert_int_equal(weft_task_async(self, work, job, sizeof(*job), &task), 0);
    weft_send(self, job->owner, 1, &task.pid, sizeof(task.pid));
    const int64_t status = weft_task_await(self, &task, WEFT_FOREVER, &result);
    weft_send(self, job->owner, 2, &status, sizeof(status));
    weft_receive(self, 10 * MS);
}

static void linked_ones_crash_together(struct weft_actor *self, struct rig *rig)
{
    static const struct weft_actor_kind kind = {
        .name = "owner", .state_bytes = sizeof(struct job), .main = owner_main};
    struct job job = {.owner = weft_self(self), .number = 7};
    struct weft_spawn spawn = {.kind = &kind, .state = &job, .core = rig_core(rig, 1)};
    weft_pid pid, task;
    uint16_t reason;
    assert_int_equal(weft_spawn(self, &spawn, &pid), 0); // All goes well: nobody crashes.
    rig_receive(self);
    assert_int_equal(rig_number(rig_receive(self)), 0);
    assert_int_equal(weft_join(self, pid, WEFT_FOREVER, &reason), 0);
    assert_int_equal(reason, WEFT_EXIT_NORMAL);

    job.result = -EIO; // It fails: that is an answer, no crash.
    assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
    rig_receive(self);
    assert_int_equal((int64_t)rig_number(rig_receive(self)), -EIO);
    assert_int_equal(weft_join(self, pid, WEFT_FOREVER, NULL), 0);

    job.exits = WEFT_EXIT_USER + 1; // It crashes.
    job.sleeps_ns = 5 * MS;
    assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
    rig_receive(self);
    assert_int_equal(weft_join(self, pid, WEFT_FOREVER, &reason), 0);
    assert_int_equal(reason, WEFT_EXIT_USER);

    job.sleeps_ns = 200 * MS; // Its owner does.
    assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
    task = rig_number(rig_receive(self));
    weft_sleep(self, 5 * MS);
    assert_int_equal(weft_kill(self, pid), 0);
    assert_int_equal(weft_join(self, task, 50 * MS, NULL), 0);
}
RIG_TEST(linked_ones_crash_together)

static int tell_owner(struct weft_actor *self, const void *args, size_t length)
{
    const struct job *job = args;
    (void)length;
    assert_int_equal(weft_task_result(self, "x", 1), 0); // Nobody waits: nothing happens.
    return weft_send(self, job->owner, 1, &job->number, sizeof(job->number));
}

// The work waits for a message of its own.
static int receive_and_tell(struct weft_actor *self, const void *args, size_t length)
{
    const struct weft_message *message = weft_receive(self, WEFT_NS_PER_S);
    (void)args, (void)length;
    assert_non_null(message);
    const uint64_t number = rig_number(message);
    return weft_task_result(self, &number, sizeof(number));
}

static void work_may_do_what_actors_do(struct weft_actor *self, struct rig *rig)
{
    const struct job job = {.owner = weft_self(self), .number = 11};
    struct weft_promise task;
    struct weft_message *result;
    weft_pid pid;
    (void)rig;
    assert_int_equal(weft_task_start(self, tell_owner, &job, sizeof(job), &pid), 0);
    assert_int_equal(rig_number(rig_receive(self)), 11);
    assert_int_equal(weft_join(self, pid, WEFT_FOREVER, NULL), 0);
    assert_int_equal(weft_task_start(self, tell_owner, &job, sizeof(job), NULL), 0);
    assert_int_equal(rig_number(rig_receive(self)), 11);
    assert_int_equal(weft_task_async(self, receive_and_tell, NULL, 0, &task), 0);
    const uint64_t number = 12;
    assert_int_equal(weft_send(self, task.pid, 1, &number, sizeof(number)), 0);
    assert_int_equal(weft_task_await(self, &task, WEFT_FOREVER, &result), 0);
    assert_int_equal(rig_number(result), 12);
    // What is no order of its starter's is nothing to it.
    task = begin(self, (struct job){.sleeps_ns = 5 * MS, .number = 2});
    weft_cast(self, task.pid, 1, &number, sizeof(number));
    assert_int_equal(weft_task_await(self, &task, WEFT_FOREVER, &result), 0);
    assert_int_equal(rig_number(result), 4);
}
RIG_TEST(work_may_do_what_actors_do)

// ---- Streams.

struct seen {
    uint64_t expected, count, stop_at;
    const struct rig *rig;
    uint64_t running_max;
};

static int cube(struct weft_actor *self, uint64_t number, const void *args, size_t length)
{
    const uint64_t *salt = args;
    assert_int_equal(length, sizeof(*salt));
    if (number % 3 == 0) weft_sleep(self, number % 5 * MS);
    if (number % 10 == 7) return -EDOM;
    if (number % 10 == 8) weft_exit(self, WEFT_EXIT_FAULT);
    if (number % 10 == 9) weft_sleep(self, 200 * MS);
    const uint64_t result = number * number * number + *salt;
    return weft_task_result(self, &result, sizeof(result));
}

static bool see(struct weft_actor *self, void *context, uint64_t number, int result,
                const void *bytes, size_t length)
{
    struct seen *seen = context;
    const int wanted = number % 10 == 7   ? -EDOM
                       : number % 10 == 8 ? -EPIPE
                       : number % 10 == 9 ? -ETIMEDOUT
                                          : 0;
    assert_int_equal(number, seen->expected++);
    assert_int_equal(result, wanted);
    const uint64_t running = rig_actor_count(seen->rig) - 1;
    if (running > seen->running_max) seen->running_max = running;
    weft_yield(self);
    if (result == 0) { // The bytes are there still, although it has let others run.
        uint64_t value;
        assert_int_equal(length, sizeof(value));
        memcpy(&value, bytes, sizeof(value));
        assert_int_equal(value, number * number * number + 5);
    } else {
        assert_int_equal(length, 0);
    }
    return ++seen->count != seen->stop_at;
}

static void a_stream_keeps_order_and_measure(struct weft_actor *self, struct rig *rig)
{
    const uint64_t salt = 5;
    for (uint32_t concurrency = 0; concurrency < 12; concurrency += 3) {
        struct seen seen = {.expected = 100, .rig = rig};
        const struct weft_task_stream stream = {.first = 100,
                                                .count = 60,
                                                .concurrency = concurrency,
                                                .timeout_ns = 100 * MS,
                                                .work = cube,
                                                .args = &salt,
                                                .length = sizeof(salt),
                                                .each = see,
                                                .context = &seen};
        assert_int_equal(weft_task_stream(self, &stream), 0);
        assert_int_equal(seen.count, 60);
        assert_in_range(seen.running_max, 1, concurrency == 0 ? 8 : concurrency);
    }
}
RIG_TEST(a_stream_keeps_order_and_measure)

static void a_stream_may_be_cut(struct weft_actor *self, struct rig *rig)
{
    const uint64_t salt = 5;
    struct seen seen = {.stop_at = 5, .rig = rig};
    struct weft_task_stream stream = {.count = UINT32_MAX,
                                      .work = cube,
                                      .args = &salt,
                                      .length = sizeof(salt),
                                      .each = see,
                                      .context = &seen};
    assert_int_equal(weft_task_stream(self, &stream), -ECANCELED);
    assert_int_equal(seen.count, 5);
    stream.count = 0;
    assert_int_equal(weft_task_stream(self, &stream), 0);
    assert_int_equal(seen.count, 5);
}
RIG_TEST(a_stream_may_be_cut)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_awaited_everywhere),
        cmocka_unit_test(failures_are_the_awaiters_everywhere),
        cmocka_unit_test(a_yield_may_be_repeated_everywhere),
        cmocka_unit_test(an_await_that_times_out_ends_it_everywhere),
        cmocka_unit_test(a_shutdown_takes_what_there_is_everywhere),
        cmocka_unit_test(linked_ones_crash_together_everywhere),
        cmocka_unit_test(work_may_do_what_actors_do_everywhere),
        cmocka_unit_test(a_stream_keeps_order_and_measure_everywhere),
        cmocka_unit_test(a_stream_may_be_cut_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
