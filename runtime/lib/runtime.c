// runtime.c: workers without a node around them. The caller's thread turns the first one.
//
// IO is on a ring of each worker's, or on epoll where the kernel refuses one. A ring belongs to a
// thread, so it is made when a run begins and goes when that ends; what was under way in it waits
// for the next run.
#include <weft/runtime.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "dataplane/epoll_io.h"
#include "dataplane/kernel_datagrams.h"
#include "dataplane/uring_io.h"
#include "dataplane/uring_sleeper.h"
#include "runtime/actor/actor.h"
#include "runtime/actor/containment.h"
#include "runtime/base/assert.h"
#include "runtime/port/port.h"
#include "runtime/sched/core_thread.h"
#include "runtime/sched/offload.h"
#include "runtime/sched/sleeper_epoll.h"
#include "runtime/table/table.h"

#define IDLE_SLEEP_NS_MAX (100 * WEFT_NS_PER_MS) // Whoever has work for a core rings its bell.

struct worker {
    struct weft_core core;
    struct weft_actor_system system;
    struct weft_arena *arena;
    struct weft_ports ports;
    struct weft_uring uring;
    struct weft_uring_sleeper uring_sleeper;
    struct weft_uring_io uring_io;
    struct weft_epoll_io epoll_io;
    struct weft_kernel_datagrams datagrams;
    struct weft_sleeper_epoll sleeper;
    bool uses_ring, has_ring, has_sleeper, has_epoll_io, has_system, is_running;
    struct weft_core_thread thread;
    struct weft_containment *containment;
};

struct weft_runtime {
    struct weft_runtime_options options;
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_actor_node node;
    struct worker *workers;
    uint16_t worker_count;
    struct weft_containment containment;
    bool uses_rings;  // For IO; else epoll.
    bool has_logs;    // The first worker prints what the others have to say.
    weft_pid first;   // Whose end weft_runtime_run waits for,
    weft_pid watcher; // and who hears of it.
    bool is_over;
    uint16_t reason;
};

static void set_defaults(struct weft_runtime_options *options)
{
    cpu_set_t cpus;
    if (options->name == NULL) options->name = "weft";
    if (options->worker_count == 0)
        options->worker_count =
            sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 0
                ? (uint16_t)CPU_COUNT(&cpus)
                : 1;
    if (options->worker_count > WEFT_CORE_MAX) options->worker_count = WEFT_CORE_MAX;
    if (options->arena_bytes == 0) options->arena_bytes = 256 * WEFT_MIB;
    if (options->actor_count_max == 0) options->actor_count_max = 1u << 20;
    if (options->stack_count_max == 0) options->stack_count_max = options->actor_count_max;
    if (options->name_count_max == 0) options->name_count_max = 16384;
    if (options->handle_count_max == 0) options->handle_count_max = 65536;
    if (options->blocking_threads == 0) options->blocking_threads = 4;
    if (options->log_level == 0) options->log_level = WEFT_LEVEL_WARN;
}

// The CPUs that the process may use, one for each worker; -1 where there are too few.
static void choose_cpus(struct weft_runtime *runtime)
{
    cpu_set_t cpus;
    int cpu = 0;
    const bool known = !runtime->options.floats && sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
                       CPU_COUNT(&cpus) >= runtime->worker_count;
    for (uint16_t i = 0; known && i < runtime->worker_count; i++) {
        while (!CPU_ISSET((unsigned)cpu, &cpus))
            cpu++;
        runtime->workers[i].core.cpu = (int16_t)cpu++;
    }
}

// A ring of this thread's, with what waits for one.
static int open_ring(struct worker *worker)
{
    int result = weft_uring_init(&worker->uring);
    if (result != 0) return result;
    result = weft_uring_sleeper_open(&worker->uring_sleeper, &worker->uring);
    if (result == 0) {
        result = weft_uring_io_attach(&worker->uring_io, &worker->uring);
        if (result != 0) weft_uring_sleeper_close(&worker->uring_sleeper);
    }
    if (result != 0) {
        weft_uring_destroy(&worker->uring);
        return result;
    }
    worker->core.sleeper = weft_uring_sleeper_interface(&worker->uring_sleeper);
    worker->has_ring = true;
    return 0;
}

static void close_ring(struct worker *worker)
{
    if (!worker->has_ring) return;
    weft_offload_quiet(worker->system.node->pool);
    weft_uring_io_detach(&worker->uring_io);
    weft_uring_sleeper_close(&worker->uring_sleeper);
    weft_uring_destroy(&worker->uring);
    worker->has_ring = false;
}

// On each worker's thread.
static int enter(struct weft_core *core, void *self)
{
    struct worker *worker = self;
    int result = weft_containment_enter(worker->containment, &worker->system);
    if (result != 0) return result;
    result = worker->uses_ring ? open_ring(worker) : 0;
    if (result != 0) weft_containment_leave(worker->containment, core->index);
    return result;
}

static void leave(struct weft_core *core, void *self)
{
    struct worker *worker = self;
    close_ring(worker);
    weft_containment_leave(worker->containment, core->index);
}

static int init_ring_io(struct weft_runtime *runtime, struct worker *worker)
{
    const struct weft_poller ring = weft_uring_poller(&worker->uring);
    weft_uring_io_init(&worker->uring_io, runtime->options.handle_count_max);
    const struct weft_io io = weft_uring_io_interface(&worker->uring_io);
    const struct weft_poller poller = weft_uring_io_poller(&worker->uring_io);
    weft_ports_use_io(&worker->ports, &io);
    const int result = weft_core_add_poller(&worker->core, &poller);
    return result == 0 ? weft_core_add_poller(&worker->core, &ring) : result;
}

static int init_epoll_io(struct weft_runtime *runtime, struct worker *worker)
{
    int result = weft_sleeper_epoll_open(&worker->sleeper);
    if (result != 0) return result;
    worker->has_sleeper = true;
    worker->core.sleeper = weft_sleeper_epoll_interface(&worker->sleeper);
    result = weft_epoll_io_open(&worker->epoll_io, &worker->core, runtime->node.pool,
                                runtime->options.handle_count_max);
    if (result != 0) return result;
    worker->has_epoll_io = true;
    const struct weft_io io = weft_epoll_io_interface(&worker->epoll_io);
    const struct weft_poller poller = weft_epoll_io_poller(&worker->epoll_io);
    weft_ports_use_io(&worker->ports, &io);
    return weft_core_add_poller(&worker->core, &poller);
}

static int init_io(struct weft_runtime *runtime, struct worker *worker)
{
    int result = weft_ports_init(&worker->ports, &worker->system);
    if (result != 0) return result;
    worker->uses_ring = runtime->uses_rings;
    result = worker->uses_ring ? init_ring_io(runtime, worker) : init_epoll_io(runtime, worker);
    if (result != 0) return result;
    weft_kernel_datagrams_init(&worker->datagrams, &worker->ports.io, worker->arena);
    const struct weft_datagrams datagrams = weft_kernel_datagrams_interface(&worker->datagrams);
    weft_ports_use_datagrams(&worker->ports, &datagrams);
    return 0;
}

static int init_worker(struct weft_runtime *runtime, struct worker *worker)
{
    const struct weft_runtime_options *options = &runtime->options;
    worker->containment = &runtime->containment;
    worker->arena = weft_arena_create(options->arena_bytes);
    if (worker->arena == NULL) return -errno;
    const struct weft_actor_options actors = {
        .core = &worker->core,
        .arena = worker->arena,
        .node = &runtime->node,
        .actor_count_max = options->actor_count_max,
        .stack_count_max = options->stack_count_max,
        .guard = options->checked_stacks ? WEFT_STACK_CHECKS : WEFT_STACK_PAGES,
        .traces = true,
    };
    int result = weft_actor_system_init(&worker->system, &actors);
    worker->has_system = result == 0;
    if (result == 0) result = init_io(runtime, worker);
    worker->thread = (struct weft_core_thread){
        .core = &worker->core, .enter = enter, .leave = leave, .self = worker};
    return result;
}

static int init_workers(struct weft_runtime *runtime)
{
    runtime->worker_count = runtime->options.worker_count;
    const size_t bytes =
        weft_round_up(runtime->worker_count * sizeof(*runtime->workers), WEFT_CORE_ALIGN);
    runtime->workers = aligned_alloc(WEFT_CORE_ALIGN, bytes);
    if (runtime->workers == NULL) return -ENOMEM;
    memset(runtime->workers, 0, bytes);
    for (uint16_t i = 0; i < runtime->worker_count; i++) {
        weft_core_init(&runtime->workers[i].core, &runtime->group, i, &runtime->clock,
                       (enum weft_log_level)runtime->options.log_level);
        runtime->workers[i].core.idle_sleep_max_ns = IDLE_SLEEP_NS_MAX;
    }
    int result = weft_core_group_connect(&runtime->group);
    for (uint16_t i = 0; result == 0 && i < runtime->worker_count; i++)
        result = init_worker(runtime, &runtime->workers[i]);
    return result;
}

static int init_tables(struct weft_runtime *runtime)
{
    const struct weft_entropy entropy = weft_entropy_linux();
    return weft_tables_init(&runtime->node, runtime->options.table_count_max, &entropy);
}

struct weft_runtime *weft_runtime_create(const struct weft_runtime_options *options, int *error)
{
    struct weft_runtime *runtime = calloc(1, sizeof(*runtime));
    int result = -ENOMEM;
    if (runtime != NULL) {
        runtime->options = *options;
        set_defaults(&runtime->options);
        runtime->clock = weft_clock_linux();
        runtime->uses_rings = weft_uring_probe(NULL, 0) == 0;
        result = weft_actor_node_init(&runtime->node, runtime->options.name,
                                      runtime->options.name_count_max);
        runtime->node.moves_always = options->moves_always;
        weft_containment_init(&runtime->containment, options->plain_faults);
        if (result == 0) {
            runtime->node.pool = weft_offload_create(runtime->options.blocking_threads);
            result = runtime->node.pool != NULL ? 0 : -errno;
        }
        if (result == 0) result = init_workers(runtime);
        if (result == 0) result = init_tables(runtime);
        if (result != 0) {
            weft_runtime_free(runtime);
            runtime = NULL;
        } else {
            choose_cpus(runtime);
        }
    }
    if (error != NULL) *error = result;
    return runtime;
}

static void arrive(struct weft_core *core, void *self, uint64_t argument);

// What was posted and no worker has taken.
static void drop_posts(struct worker *worker)
{
    struct weft_core_message message;
    while (weft_mpsc_ring_pop(&worker->core.posts, &message)) {
        if (message.kind == WEFT_CORE_MESSAGE_CALL && message.word[0] == (uintptr_t)arrive)
            free((void *)(uintptr_t)message.word[1]);
    }
}

// What is open is closed while all of the memory that it may touch is there.
static void close_io(struct weft_runtime *runtime)
{
    for (uint16_t i = 0; i < runtime->worker_count; i++)
        weft_ports_stop(&runtime->workers[i].ports);
    for (uint16_t i = 0; i < runtime->worker_count; i++) {
        struct worker *worker = &runtime->workers[i];
        if (worker->ports.system == NULL) continue;
        worker->epoll_io.pool = NULL; // Freed.
        if (worker->has_epoll_io) weft_epoll_io_close(&worker->epoll_io);
        if (worker->uses_ring) weft_uring_io_close(&worker->uring_io);
    }
    for (uint16_t i = 0; i < runtime->worker_count; i++)
        weft_ports_destroy(&runtime->workers[i].ports);
}

void weft_runtime_free(struct weft_runtime *runtime)
{
    if (runtime == NULL) return;
    weft_offload_free(runtime->node.pool); // First: it posts to the cores.
    if (runtime->workers != NULL) close_io(runtime);
    for (uint16_t i = 0; runtime->workers != NULL && i < runtime->worker_count; i++)
        drop_posts(&runtime->workers[i]);
    for (uint16_t i = 0; runtime->workers != NULL && i < runtime->worker_count; i++) {
        if (runtime->workers[i].has_system) weft_actor_system_destroy(&runtime->workers[i].system);
    }
    for (uint16_t i = 0; runtime->workers != NULL && i < runtime->worker_count; i++) {
        if (runtime->workers[i].has_sleeper) weft_sleeper_epoll_close(&runtime->workers[i].sleeper);
        if (runtime->workers[i].arena != NULL) weft_arena_free(runtime->workers[i].arena);
    }
    weft_tables_destroy(&runtime->node);
    weft_core_group_destroy(&runtime->group);
    if (runtime->node.nobody != NULL) weft_actor_node_destroy(&runtime->node);
    free(runtime->workers);
    free(runtime);
}

// ---- Running.

// An actor of ours, on the first worker: it watches the first one and stops everything.
static void watch(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct weft_runtime *runtime = state;
    if (message->tag != WEFT_MESSAGE_DOWN) return;
    runtime->is_over = true;
    runtime->reason = message->type;
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static const struct weft_actor_kind watch_kind = {.name = "runtime", .handle = watch};

static bool is_whole(const struct weft_actor_kind *kind) // As a spawn by an actor would ask.
{
    return kind != NULL && (kind->handle == NULL) != (kind->main == NULL);
}

// No run has begun: neither of them will have been there. Both are where they were born.
static void take_back_first(struct weft_runtime *runtime)
{
    struct weft_actor_system *system = &runtime->workers[0].system;
    const weft_pid pids[] = {runtime->watcher, runtime->first};
    for (size_t i = 0; i < WEFT_COUNT_OF(pids); i++) {
        struct weft_actor *actor = weft_actor_find(system, pids[i]);
        if (actor != NULL) weft_actor_end_soon(actor, WEFT_EXIT_KILLED);
    }
}

static int start_first(struct weft_runtime *runtime, const struct weft_spawn *first)
{
    if (!is_whole(first->kind)) return -EINVAL;
    struct weft_actor_system *system = &runtime->workers[0].system;
    const struct weft_spawn watcher = {.kind = &watch_kind, .state = runtime, .pinned = true};
    uint64_t reference;
    runtime->first = runtime->watcher = 0;
    int result = weft_actor_spawn(system, &watcher, 0, &runtime->watcher);
    if (result != 0) return result;
    struct weft_actor *actor = weft_actor_find(system, runtime->watcher);
    actor->task.flags |= WEFT_ACTOR_PRIVATE;
    result = weft_actor_spawn(system, first, 0, &runtime->first);
    if (result == 0) result = weft_actor_monitor(actor, runtime->first, &reference);
    if (result != 0) take_back_first(runtime);
    return result;
}

static void print_crash(const struct weft_crash *crash)
{
    char line[256];
    weft_crash_describe(crash, line, sizeof(line));
    fprintf(stderr, "%s actor: %s (%#llx): %s\n",
            crash->what == WEFT_CRASH_STUCK ? "warn" : "error", crash->label,
            (unsigned long long)crash->pid, line);
    for (uint32_t frame = 1; weft_crash_next_caller(crash, &frame, line, sizeof(line));)
        fprintf(stderr, "    %s\n", line);
}

static void print_lines(struct weft_log *log, uint32_t end)
{
    struct weft_log_record record;
    while (weft_log_take_before(log, end, &record))
        fprintf(stderr, "%s %s: %s\n", weft_log_level_name((enum weft_log_level)record.level),
                record.module, record.text);
}

// Each crash between the lines that its core wrote before it and after it. Where the log ends is
// looked at first: a crash that is not found now comes behind all of those.
static void print_worker(struct worker *worker)
{
    struct weft_log *log = &worker->core.log;
    const uint32_t end = weft_log_end(log);
    struct weft_crash crash;
    while (weft_crash_take(worker->system.crashes, &crash)) {
        print_lines(log, crash.log_end);
        print_crash(&crash);
    }
    print_lines(log, end);
}

static void print_logs(struct weft_runtime *runtime)
{
    for (uint16_t i = 0; i < runtime->worker_count; i++)
        print_worker(&runtime->workers[i]);
}

static uint32_t poll_logs(void *self, uint64_t now_ns)
{
    (void)now_ns;
    print_logs(self);
    return 0;
}

static int start_others(struct weft_runtime *runtime)
{
    for (uint16_t i = 1; i < runtime->worker_count; i++) {
        const int result = weft_core_thread_start(&runtime->workers[i].thread);
        if (result != 0) return result;
        runtime->workers[i].is_running = true;
    }
    return 0;
}

static void stop_others(struct weft_runtime *runtime)
{
    // Relaxed: who is stuck looks again every millisecond.
    atomic_store_explicit(&runtime->node.stopping, true, memory_order_relaxed);
    for (uint16_t i = 1; i < runtime->worker_count; i++) {
        if (runtime->workers[i].is_running) weft_core_thread_halt(&runtime->workers[i].thread);
    }
    for (uint16_t i = 1; i < runtime->worker_count; i++) {
        if (runtime->workers[i].is_running) weft_core_thread_stop(&runtime->workers[i].thread);
        runtime->workers[i].is_running = false;
    }
    atomic_store_explicit(&runtime->node.stopping, false, memory_order_relaxed);
}

int weft_runtime_run(struct weft_runtime *runtime, const struct weft_spawn *first, uint16_t *reason)
{
    struct weft_core *core = &runtime->workers[0].core;
    cpu_set_t before, one;
    if (!runtime->has_logs) {
        const struct weft_poller logs = {.name = "logs", .poll = poll_logs, .self = runtime};
        weft_core_add_poller(core, &logs);
        runtime->has_logs = true;
    }
    runtime->is_over = false;
    int result = start_first(runtime, first);
    if (result != 0) return result;
    sched_getaffinity(0, sizeof(before), &before);
    const int slack_ns = prctl(PR_GET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); // As core_thread.c does for the others.
    if (core->cpu >= 0) {
        CPU_ZERO(&one);
        CPU_SET((unsigned)core->cpu, &one);
        sched_setaffinity(0, sizeof(one), &one);
    }
    result = enter(core, &runtime->workers[0]);
    if (result == 0) {
        result = weft_core_watch_doorbells(core);
        if (result == 0)
            result = weft_containment_start(&runtime->containment, &runtime->group,
                                            runtime->node.core_mask);
        if (result == 0) {
            result = start_others(runtime);
            while (result == 0 && !runtime->is_over) {
                if (!weft_core_turn(core)) weft_core_idle(core);
            }
            stop_others(runtime);
            weft_containment_stop(&runtime->containment);
        }
        leave(core, &runtime->workers[0]);
    }
    sched_setaffinity(0, sizeof(before), &before);
    if (slack_ns > 0) prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns, 0UL, 0UL, 0UL);
    if (result != 0) take_back_first(runtime);
    print_logs(runtime);
    if (reason != NULL) *reason = runtime->reason;
    return result;
}

// ---- From other threads.

struct posted { // From malloc: the worker makes a message of it.
    weft_pid to;
    uint16_t type;
    size_t length;
    uint8_t bytes[];
};

static void arrive(struct weft_core *core, void *self, uint64_t argument)
{
    struct posted *posted = self;
    struct weft_actor_system *system = (struct weft_actor_system *)(uintptr_t)argument;
    (void)core;
    struct weft_message *message = weft_message_alloc(system, (uint32_t)posted->length);
    if (message != NULL) { // Else it is counted.
        message->to = posted->to;
        message->tag = WEFT_MESSAGE_PORT;
        message->type = posted->type;
        memcpy(message->payload, posted->bytes, posted->length);
        weft_actor_send(system, message);
    }
    free(posted);
}

int weft_runtime_post(struct weft_runtime *runtime, weft_pid to, uint16_t type, const void *bytes,
                      size_t length)
{
    const uint16_t home = weft_pid_home(to);
    if (home >= runtime->worker_count) return -ESRCH;
    if (length > UINT32_MAX / 2) return -ENOMEM;
    struct posted *posted = malloc(sizeof(*posted) + length);
    if (posted == NULL) return -ENOMEM;
    posted->to = to;
    posted->type = type;
    posted->length = length;
    if (length > 0) memcpy(posted->bytes, bytes, length);
    struct worker *worker = &runtime->workers[home];
    const int result =
        weft_core_post_call(&worker->core, arrive, posted, (uintptr_t)&worker->system);
    if (result == 0) return 0;
    free(posted);
    return -EAGAIN;
}
