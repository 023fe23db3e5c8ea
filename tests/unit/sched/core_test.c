// One turn after another, by hand: what a core polls, runs, counts, sends and when it is due.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/sched/core.h"

struct node {
    uint64_t now_ns;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core *core[2];
};

static uint64_t node_now(void *self)
{
    return ((struct node *)self)->now_ns;
}

static void node_open(struct node *node)
{
    memset(node, 0, sizeof(*node));
    node->now_ns = 1000;
    node->clock = (struct weft_clock){.now_ns = node_now, .self = node};
    for (unsigned i = 0; i < 2; i++) {
        node->core[i] = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(node->core[i], &node->group, (uint16_t)i, &node->clock, WEFT_LOG_INFO);
    }
    assert_int_equal(weft_core_group_connect(&node->group), 0);
}

static void node_close(struct node *node)
{
    weft_core_group_destroy(&node->group);
    for (unsigned i = 0; i < 2; i++)
        free(node->core[i]);
}

struct source {
    uint32_t found, flushed;
    uint64_t due_ns;
    char *trace;
};

static uint32_t source_poll(void *self, uint64_t now_ns)
{
    (void)now_ns;
    const struct source *source = self;
    strcat(source->trace, "p");
    return source->found;
}

static void source_flush(void *self, uint64_t now_ns)
{
    (void)now_ns;
    struct source *source = self;
    strcat(source->trace, "f");
    source->flushed++;
}

static uint64_t source_due(void *self)
{
    return ((struct source *)self)->due_ns;
}

struct job {
    struct weft_task task;
    char *trace;
    char letter;
    uint32_t cost;
    unsigned slices;
};

static bool job_run(struct weft_core *core, struct weft_task *task)
{
    struct job *job = WEFT_CONTAINER_OF(task, struct job, task);
    strncat(job->trace, &job->letter, 1);
    core->run.left -= (int32_t)job->cost;
    return --job->slices > 0;
}

static void trace_timer(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    (void)timer, (void)now_ns;
    strcat(self, "t");
}

static void trace_call(struct weft_core *core, void *self, uint64_t argument)
{
    (void)core;
    const char letter = (char)argument;
    strncat(self, &letter, 1);
}

static void a_turn_observes_reacts_acts(void **state)
{
    (void)state;
    static struct node node;
    char trace[64] = "";
    node_open(&node);
    struct source source = {.found = 1, .due_ns = UINT64_MAX, .trace = trace};
    const struct weft_poller poller = {
        .poll = source_poll, .flush = source_flush, .due_ns = source_due, .self = &source};
    assert_int_equal(weft_core_add_poller(node.core[0], &poller), 0);
    struct job job = {.trace = trace, .letter = 'j', .cost = 100, .slices = 2};
    weft_task_init(&job.task, job_run, WEFT_PRIORITY_NORMAL);
    weft_core_ready(node.core[0], &job.task);
    weft_core_ready(node.core[0], &job.task); // Stands there already.
    struct weft_timer timer;
    weft_timer_init(&timer, trace_timer, trace);
    weft_wheel_arm(&node.core[0]->wheel, &timer, 0);
    assert_int_equal(weft_core_call(node.core[1], 0, trace_call, trace, 'c'), 0);
    node.now_ns += 2 * WEFT_NS_PER_MS;
    assert_true(weft_core_turn(node.core[0]));
    assert_string_equal(trace, "pctjjf");
    assert_int_equal(weft_counter_get(&node.core[0]->stats.message_in), 1);
    assert_int_equal(weft_counter_get(&node.core[0]->stats.slice_count), 2);
    assert_int_equal(weft_counter_get(&node.core[0]->stats.reduction_count), 200);
    node_close(&node);
}

static void idle_and_busy_time_add_up(void **state)
{
    (void)state;
    static struct node node;
    char trace[64] = "";
    node_open(&node);
    struct source source = {.due_ns = UINT64_MAX, .trace = trace};
    const struct weft_poller poller = {.poll = source_poll, .self = &source};
    assert_int_equal(weft_core_add_poller(node.core[0], &poller), 0);
    static const struct {
        uint32_t found;
        uint64_t lasts_ns;
    } turns[] = {{0, 10}, {1, 300}, {1, 500}, {0, 7000}, {1, 90}, {0, 0}};
    for (size_t i = 0; i < WEFT_COUNT_OF(turns); i++) {
        source.found = turns[i].found;
        assert_int_equal(weft_core_turn(node.core[0]), turns[i].found > 0);
        node.now_ns += turns[i].lasts_ns;
    }
    const struct weft_core_stats *stats = &node.core[0]->stats;
    assert_int_equal(weft_counter_get(&stats->busy_ns), 890);
    assert_int_equal(weft_counter_get(&stats->idle_ns), 7010);
    assert_int_equal(weft_counter_get(&stats->turn_ns_max), 500);
    assert_int_equal(weft_counter_get(&stats->turn_count), WEFT_COUNT_OF(turns));
    node_close(&node);
}

static void priorities_and_the_budget_of_a_turn(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct {
            uint8_t priority;
            unsigned slices;
            uint32_t cost;
        } job[4];
        const char *first_turn;
    } cases[] = {
        {"the most urgent first",
         {{WEFT_PRIORITY_LOW, 1, 1},
          {WEFT_PRIORITY_NORMAL, 1, 1},
          {WEFT_PRIORITY_HIGH, 2, 1},
          {WEFT_PRIORITY_MAX, 2, 1}},
         "ddccba"},
        {"siblings take turns",
         {{WEFT_PRIORITY_NORMAL, 3, 9}, {WEFT_PRIORITY_NORMAL, 3, 9}},
         "ababab"},
        {"low gets one in eight",
         {{WEFT_PRIORITY_LOW, 3, 1}, {WEFT_PRIORITY_NORMAL, 16, 1}},
         "bbbbbbbabbbbbbbabba"},
        {"eight full slices are a turn", {{WEFT_PRIORITY_NORMAL, 99, 2000}}, "aaaaaaaa"},
        {"sixteen half ones too", {{WEFT_PRIORITY_NORMAL, 99, 1000}}, "aaaaaaaaaaaaaaaa"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        static struct node node;
        char trace[128] = "";
        struct job jobs[4];
        node_open(&node);
        for (unsigned n = 0; n < 4; n++) {
            jobs[n] = (struct job){.trace = trace,
                                   .letter = (char)('a' + n),
                                   .cost = cases[i].job[n].cost,
                                   .slices = cases[i].job[n].slices};
            weft_task_init(&jobs[n].task, job_run, (enum weft_priority)cases[i].job[n].priority);
            if (jobs[n].slices > 0) weft_core_ready(node.core[0], &jobs[n].task);
        }
        weft_core_turn(node.core[0]);
        if (strcmp(trace, cases[i].first_turn) != 0) fail_msg("%s: %s", cases[i].name, trace);
        node_close(&node);
    }
}

static void due_is_the_earliest_of_all(void **state)
{
    (void)state;
    static struct node node;
    char trace[64] = "";
    node_open(&node);
    struct weft_core *core = node.core[0];
    assert_int_equal(weft_core_due_ns(core), UINT64_MAX);
    struct source source = {.due_ns = 7 * WEFT_NS_PER_MS, .trace = trace};
    const struct weft_poller poller = {.due_ns = source_due, .self = &source};
    assert_int_equal(weft_core_add_poller(core, &poller), 0);
    assert_int_equal(weft_core_due_ns(core), 7 * WEFT_NS_PER_MS);
    struct weft_timer timer;
    weft_timer_init(&timer, trace_timer, trace);
    weft_wheel_arm(&core->wheel, &timer, 5 * WEFT_NS_PER_MS);
    assert_in_range(weft_core_due_ns(core), 5 * WEFT_NS_PER_MS, 6 * WEFT_NS_PER_MS);
    assert_int_equal(weft_core_call(node.core[1], 0, trace_call, trace, 'c'), 0);
    assert_int_equal(weft_core_due_ns(core), core->now_ns);
    weft_core_turn(core);
    assert_in_range(weft_core_due_ns(core), 5 * WEFT_NS_PER_MS, 6 * WEFT_NS_PER_MS);
    assert_int_equal(weft_core_post_call(core, trace_call, trace, 'x'), 0);
    assert_int_equal(weft_core_due_ns(core), core->now_ns);
    node_close(&node);
}

static void check_order(void *self, const struct weft_core_message *got)
{
    uint64_t *next = self;
    assert_int_equal(got->from, 0);
    assert_int_equal(got->word[0], *next);
    ++*next;
}

static void a_full_ring_overflows_in_order_then_refuses(void **state)
{
    (void)state;
    static struct node node;
    static uint64_t next;
    node_open(&node);
    next = 0;
    const unsigned room = WEFT_CORE_RING_SLOTS + WEFT_CORE_OVERFLOW_SLOTS;
    struct weft_core_message message = {.kind = WEFT_CORE_MESSAGE_PACKET};
    weft_core_on(node.core[1], WEFT_CORE_MESSAGE_PACKET, check_order, &next);
    for (unsigned i = 0; i < room; i++) {
        message.word[0] = i;
        assert_int_equal(weft_core_send(node.core[0], 1, &message), 0);
    }
    assert_int_equal(weft_core_send(node.core[0], 1, &message), -ENOBUFS);
    assert_false(weft_core_send_try(node.core[0], 1, &message));
    assert_int_equal(weft_drop_get(&node.core[0]->drops, WEFT_DROP_RING_FULL), 1);
    for (unsigned i = 0; i < 200; i++) {
        weft_core_turn(node.core[1]);
        weft_core_turn(node.core[0]);
    }
    assert_int_equal(next, room);
    assert_int_equal(node.core[0]->overflow_mask, 0);
    node_close(&node);
}

static void posts_are_bounded_and_come_from_nobody(void **state)
{
    (void)state;
    static struct node node;
    char trace[WEFT_MPSC_RING_SLOTS + 1] = "";
    node_open(&node);
    for (unsigned i = 0; i < WEFT_MPSC_RING_SLOTS; i++)
        assert_int_equal(weft_core_post_call(node.core[0], trace_call, trace, 'a' + i % 26), 0);
    assert_int_equal(weft_core_post_call(node.core[0], trace_call, trace, 'z'), -ENOBUFS);
    for (unsigned i = 1; i <= WEFT_MPSC_RING_SLOTS / WEFT_CORE_BATCH; i++) {
        assert_true(weft_core_turn(node.core[0]));
        assert_int_equal(strlen(trace), i * WEFT_CORE_BATCH);
    }
    assert_false(weft_core_turn(node.core[0]));
    node_close(&node);
}

struct round_trip {
    struct weft_core_errand errand;
    struct node *node;
    char *trace;
    unsigned left;
};

// Goes on from the other core, in the same memory.
static void go_round(struct weft_core *core, void *self, uint64_t argument)
{
    struct round_trip *trip = self;
    trace_call(core, trip->trace, argument);
    trip->errand.argument++;
    if (trip->left-- > 0) weft_core_errand_give(trip->node->core[1 - core->index], &trip->errand);
}

static void errands_come_in_order_past_full_rings(void **state)
{
    (void)state;
    static struct node node;
    char trace[16] = "", noise[2 * WEFT_CORE_RING_SLOTS] = "";
    node_open(&node);
    while (weft_core_call(node.core[1], 0, trace_call, noise, 0) == 0)
        continue;
    while (weft_core_post_call(node.core[0], trace_call, noise, 0) == 0)
        continue;
    struct weft_core_errand errands[4];
    for (unsigned i = 0; i < 4; i++) {
        errands[i] =
            (struct weft_core_errand){.run = trace_call, .self = trace, .argument = 'a' + i};
        weft_core_errand_give(node.core[0], &errands[i]);
    }
    assert_int_equal(weft_core_due_ns(node.core[0]), node.core[0]->now_ns);
    assert_true(weft_core_turn(node.core[0]));
    assert_string_equal(trace, "abcd");
    struct round_trip trip = {.node = &node, .trace = trace, .left = 3};
    trip.errand = (struct weft_core_errand){.run = go_round, .self = &trip, .argument = 'p'};
    weft_core_errand_give(node.core[1], &trip.errand);
    for (unsigned i = 0; i < 8; i++)
        weft_core_turn(node.core[1 - i % 2]);
    assert_string_equal(trace, "abcdpqrs");
    node_close(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_observes_reacts_acts),
        cmocka_unit_test(idle_and_busy_time_add_up),
        cmocka_unit_test(priorities_and_the_budget_of_a_turn),
        cmocka_unit_test(due_is_the_earliest_of_all),
        cmocka_unit_test(a_full_ring_overflows_in_order_then_refuses),
        cmocka_unit_test(posts_are_bounded_and_come_from_nobody),
        cmocka_unit_test(errands_come_in_order_past_full_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
