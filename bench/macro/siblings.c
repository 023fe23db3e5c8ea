// siblings.c: how long an actor waits for its turn beside a unit that waits for a key, works with
// files, or spins.
//
// bench_siblings DIR [--json] [--quick]: DIR holds the files. A node of one worker, whose core
// turns on a thread of its own, with its ring; a second thread posts a message, at moments that
// have nothing to do with that core's turns. How long did its receiver wait since it could run (for
// its siblings' slices), and how long since the message was posted (for the turn under way too,
// which has eight slices)? Question: does one unit hold up another by more than a slice? Median and
// 99th of a hundred; the worst are other processes' on a machine that is shared.
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weft/weft.h>

#include "bench/context.h"
#include "dataplane/epoll_io.h"
#include "dataplane/uring_io.h"
#include "runtime/base/assert.h"
#include "runtime/base/prng.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"
#include "runtime/sched/offload.h"

enum { SAMPLES = 4000, SLICE = 2000, HANDLES = 64, PAUSE_US_MIN = 20, PAUSE_US_MORE = 100 };

struct asked {
    struct weft_command command;
    bool is_done;
};

struct bench {
    struct weft_bench *out;
    struct weft_node node;
    struct weft_offload *pool;
    struct weft_uring uring;
    struct weft_uring_io uring_io;
    struct weft_epoll_io epoll_io;
    bool has_ring;
    pthread_t thread;
    _Atomic bool is_ready, stops;
    weft_pid prober;
    uint64_t delay_ns[SAMPLES];  // Since it could run,
    uint64_t posted_ns[SAMPLES]; // since the message was posted.
    _Atomic uint32_t count;      // Of them.
};

static uint64_t now_ns(void *self)
{
    (void)self;
    return weft_bench_now_ns();
}

static void fill(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

// ---- The worker's thread.

static void open_io(struct bench *bench)
{
    struct weft_node_worker *worker = &bench->node.workers[0];
    bench->has_ring = weft_uring_probe(NULL, 0) == 0 && weft_uring_init(&bench->uring) == 0;
    struct weft_io io;
    struct weft_poller poller;
    if (bench->has_ring) {
        weft_uring_io_init(&bench->uring_io, HANDLES);
        weft_assert(weft_uring_io_attach(&bench->uring_io, &bench->uring) == 0);
        io = weft_uring_io_interface(&bench->uring_io);
        poller = weft_uring_io_poller(&bench->uring_io);
    } else {
        weft_assert(weft_epoll_io_open(&bench->epoll_io, &worker->core, bench->pool, HANDLES) == 0);
        io = weft_epoll_io_interface(&bench->epoll_io);
        poller = weft_epoll_io_poller(&bench->epoll_io);
    }
    weft_ports_use_io(&worker->ports, &io);
    weft_assert(weft_core_add_poller(&worker->core, &poller) == 0);
    if (!bench->has_ring) return;
    const struct weft_poller ring = weft_uring_poller(&bench->uring);
    weft_assert(weft_core_add_poller(&worker->core, &ring) == 0);
}

static void close_io(struct bench *bench)
{
    weft_ports_stop(&bench->node.workers[0].ports);
    if (bench->has_ring) {
        weft_uring_io_detach(&bench->uring_io);
        weft_uring_io_close(&bench->uring_io);
        weft_uring_destroy(&bench->uring);
    } else {
        weft_epoll_io_close(&bench->epoll_io);
    }
}

static void *turn(void *self)
{
    struct bench *bench = self;
    open_io(bench);
    atomic_store_explicit(&bench->is_ready, true, memory_order_release); // Acquire: in `begin`.
    // Acquire: pairs with the release in `end`.
    while (!atomic_load_explicit(&bench->stops, memory_order_acquire))
        weft_core_turn(&bench->node.workers[0].core);
    close_io(bench);
    return NULL;
}

// ---- The sibling.

static void handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct bench *bench = *(struct bench **)state;
    uint64_t times_ns[2];
    (void)self;
    if (message->length != sizeof(times_ns)) return;
    memcpy(times_ns, message->payload, sizeof(times_ns));
    // Relaxed, and the sum of one writer; release: pairs with the acquire in `sample`.
    const uint32_t count = atomic_load_explicit(&bench->count, memory_order_relaxed);
    const uint64_t now = weft_bench_now_ns();
    bench->posted_ns[count] = now - times_ns[0];
    bench->delay_ns[count] = now - times_ns[1];
    atomic_store_explicit(&bench->count, count + 1, memory_order_release);
}

static const struct weft_actor_kind prober_kind = {
    .name = "prober", .handle = handle, .state_bytes = sizeof(struct bench *)};

static void send_to(struct bench *bench, weft_pid to, uint64_t posted_ns)
{
    const uint64_t times_ns[2] = {posted_ns, weft_bench_now_ns()};
    struct weft_actor_system *actors = &bench->node.workers[0].actors;
    struct weft_message *message = weft_message_alloc(actors, sizeof(times_ns));
    weft_assert(message != NULL);
    message->to = to;
    message->tag = WEFT_MESSAGE_USER;
    memcpy(message->payload, times_ns, sizeof(times_ns));
    weft_actor_send(actors, message);
}

static void post(struct weft_core *core, void *self, uint64_t argument)
{
    struct bench *bench = self;
    (void)core;
    send_to(bench, bench->prober, argument);
}

// Lets the unit `argument` begin.
static void start(struct weft_core *core, void *self, uint64_t argument)
{
    (void)core;
    send_to(self, argument, 0);
}

// ---- The measurement.

static void begin(struct bench *bench, const char *directory)
{
    struct weft_error error;
    bench->pool = weft_offload_create(1);
    weft_assert(bench->pool != NULL);
    const struct weft_node_options options = {
        .name = "bench",
        .clock = {.now_ns = now_ns, .wall_ns = now_ns},
        .entropy = {.fill = fill},
        .worker_count = 1,
        .arena_bytes = 64 * WEFT_MIB,
        .actor_count_max = 256,
        .stack_count_max = 64,
        .name_count_max = 64,
        .log_level = WEFT_LOG_ERROR,
        .unit = weft_unit_options_default,
        .unit_count_max = 8,
        .unit_mailbox = 64,
        .unit_files_root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC),
        .eval_reductions = UINT32_MAX,
        .eval_timeout_ns = 60 * WEFT_NS_PER_S,
    };
    weft_assert(options.unit_files_root > 0 && weft_node_init(&bench->node, &options, &error) == 0);
    bench->node.actors.pool = bench->pool;
    const struct weft_spawn spawn = {.kind = &prober_kind, .state = &bench, .pinned = true};
    weft_assert(weft_actor_spawn(&bench->node.workers[0].actors, &spawn, 0, &bench->prober) == 0);
    weft_assert(pthread_create(&bench->thread, NULL, turn, bench) == 0);
    while (!atomic_load_explicit(&bench->is_ready, memory_order_acquire)) {
    }
}

static void end(struct bench *bench)
{
    const int root = bench->node.options.unit_files_root;
    atomic_store_explicit(&bench->stops, true, memory_order_release);
    pthread_join(bench->thread, NULL);
    weft_offload_free(bench->pool);
    weft_node_destroy(&bench->node);
    unlinkat(root, "siblings.tmp", 0);
    close(root);
}

// The other thread may want this CPU.
static void turn_control(struct bench *bench)
{
    weft_core_turn(&bench->node.control);
    sched_yield();
}

static void is_done(struct weft_command *command)
{
    ((struct asked *)(void *)command)->is_done = true; // Its first member.
}

static void command(struct bench *bench, struct weft_resident *unit, enum weft_command_verb verb,
                    const char *text)
{
    struct asked *asked = calloc(1, sizeof(*asked));
    weft_assert(asked != NULL);
    asked->command = (struct weft_command){
        .verb = verb, .resident = unit, .text = text, .text_length = strlen(text), .done = is_done};
    weft_assert(weft_unit_actor_submit(&bench->node, &asked->command) == 0);
    while (!asked->is_done)
        turn_control(bench);
    weft_assert(asked->command.error.code == 0);
    free(asked);
}

static void sample(struct bench *bench, uint32_t wanted)
{
    struct weft_prng prng;
    weft_prng_seed(&prng, 1);
    atomic_store(&bench->count, 0);
    for (uint32_t n = 0; n < wanted; n++) {
        const struct timespec pause = {
            .tv_nsec = 1000 * (long)(PAUSE_US_MIN + weft_prng_below(&prng, PAUSE_US_MORE))};
        nanosleep(&pause, NULL);
        while (weft_core_post_call(&bench->node.workers[0].core, post, bench,
                                   weft_bench_now_ns()) != 0) {
        }
        // One at a time. Acquire: pairs with the release in `handle`.
        while (atomic_load_explicit(&bench->count, memory_order_acquire) <= n)
            sched_yield();
    }
}

static double core_cpu_ns(const struct bench *bench)
{
    clockid_t clock;
    struct timespec time;
    weft_assert(pthread_getcpuclockid(bench->thread, &clock) == 0);
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void print(struct bench *bench, const char *beside, uint32_t count, bool spins)
{
    const char *goal = spins ? "goal: under one slice" : NULL;
    const double median_ns = (double)weft_bench_percentile(bench->delay_ns, count, 500);
    const double late_ns = (double)weft_bench_percentile(bench->delay_ns, count, 990);
    const double posted_ns = (double)weft_bench_percentile(bench->posted_ns, count, 500);
    char text[100];
    snprintf(text, sizeof(text), "beside %s, median", beside);
    weft_bench_row(bench->out, text, median_ns / 1e3, "us", goal);
    snprintf(text, sizeof(text), "beside %s, 99 %%", beside);
    weft_bench_row(bench->out, text, late_ns / 1e3, "us", goal);
    weft_bench_row(bench->out, "  from another thread, median", posted_ns / 1e3, "us", NULL);
}

static void row(struct bench *bench, const char *beside, const char *source, bool spins)
{
    struct weft_resident *unit = NULL;
    const uint32_t wanted = bench->out->quick ? SAMPLES / 10 : SAMPLES;
    struct weft_error error;
    if (source != NULL) {
        unit = weft_unit_registry_add(&bench->node.units, "beside", &error);
        weft_assert(unit != NULL);
        unit->core = 1;
        command(bench, unit, WEFT_COMMAND_LOAD, source);
        weft_assert(weft_core_post_call(&bench->node.workers[0].core, start, bench,
                                        weft_counter_get(&unit->pid)) == 0);
    }
    const uint64_t spent = unit != NULL ? weft_counter_get(&unit->reduction_count) : 0;
    const double begun_ns = core_cpu_ns(bench);
    sample(bench, wanted);
    const double taken_ns = core_cpu_ns(bench) - begun_ns;
    print(bench, beside, wanted, spins);
    if (unit == NULL) return;
    const double reductions = (double)(weft_counter_get(&unit->reduction_count) - spent);
    if (spins)
        weft_bench_row(bench->out, "  a slice", taken_ns / reductions * SLICE / 1e3, "us",
                       "2000 reductions; CPU time, with the core's turns");
    command(bench, unit, WEFT_COMMAND_KILL, "");
    while (weft_counter_get(&unit->status) != WEFT_RESIDENT_FREE)
        turn_control(bench);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct weft_bench out;
    weft_bench_begin(&out, "siblings", "one core's thread, another one's messages", argc, argv);
    if (out.argument_count < 1) {
        fputs("usage: bench_siblings DIR [--json] [--quick]\n", stderr);
        return 64;
    }
    bench.out = &out;
    begin(&bench, out.arguments[0]);
    weft_bench_say(&out, "how long an actor waits that could run; files by %s",
                   bench.has_ring ? "io_uring" : "epoll and a thread");
    row(&bench, "nobody", NULL, false);
    row(&bench, "one that waits in KEY", "KEY", false);
    row(&bench, "one that writes and reads files",
        "4096 BUFFER: b VARIABLE f S\" siblings.tmp\" R/W CREATE-FILE THROW f ! : work BEGIN "
        "0. f @ REPOSITION-FILE THROW b 4096 f @ WRITE-FILE THROW f @ FLUSH-FILE THROW "
        "0. f @ REPOSITION-FILE THROW b 4096 f @ READ-FILE THROW DROP AGAIN ; "
        "RECEIVE 2DROP 2DROP work",
        false);
    row(&bench, "one that spins",
        "VARIABLE v : step 1 v +! ; : spin BEGIN step AGAIN ; RECEIVE 2DROP 2DROP spin", true);
    end(&bench);
    weft_bench_end(&out);
    return 0;
}
