// siblings.c: how long an actor waits for its turn beside a unit that waits for a key, works with
// files, or spins.
//
// bench_siblings DIR [--json] [--quick]: DIR holds the files. A node of one worker, whose core
// turns on a thread of its own, with its ring; a second thread posts a message, at moments that
// have nothing to do with that core's turns. How long did its receiver wait since it could run (for
// its siblings' slices), and how long since the message was posted (for the turn under way too,
// which has eight slices)? Question: does one unit hold up another by more than a slice?
//
// Messages come between two slices, and who spins stands in front: so a receiver waits for a whole
// slice of his, neither more nor less. How long those last, an actor says that always wants the
// core: between two slices of its own there is one of who spins. Median and 99th of a hundred; the
// worst are other processes' on a machine that is shared.
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

enum { SAMPLES = 4000, HANDLES = 64, PAUSE_US_MIN = 20, PAUSE_US_MORE = 100 };

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
    uint64_t slice_ns[SAMPLES];  // Between two slices of the metronome.
    uint64_t left_ns;            // When the last one of these ended.
    double alone_ns[2];          // What it takes beside nobody: median, 99th.
};

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

// Always wants the core.
static int tick(struct weft_actor *actor, uint32_t *reductions)
{
    struct bench *bench = actor->state;
    const uint32_t count = atomic_load_explicit(&bench->count, memory_order_relaxed);
    (void)reductions;
    if (bench->left_ns != 0) {
        bench->slice_ns[count] = weft_bench_now_ns() - bench->left_ns;
        // Release: pairs with the acquire in `sample_slices`.
        atomic_store_explicit(&bench->count, count + 1, memory_order_release);
    }
    bench->left_ns = weft_bench_now_ns();
    return count + 1 < SAMPLES ? WEFT_ACTOR_AGAIN : WEFT_ACTOR_EXIT;
}

static const struct weft_actor_kind metronome_kind = {.name = "metronome", .slice = tick};

static void start_metronome(struct weft_core *core, void *self, uint64_t argument)
{
    struct bench *bench = self;
    const struct weft_spawn spawn = {.kind = &metronome_kind, .state = bench, .pinned = true};
    struct weft_actor_system *actors = &bench->node.workers[0].actors;
    weft_pid pid;
    (void)core, (void)argument;
    bench->left_ns = 0;
    weft_assert(weft_actor_spawn(actors, &spawn, 0, &pid) == 0);
    weft_actor_wake(weft_actor_find(actors, pid));
}

// ---- The measurement.

static void begin(struct bench *bench, const char *directory)
{
    struct weft_error error;
    bench->pool = weft_offload_create(1);
    weft_assert(bench->pool != NULL);
    const struct weft_node_options options = {
        .name = "bench",
        .clock = weft_bench_clock(),
        .entropy = weft_bench_entropy(),
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

static void sample_slices(struct bench *bench)
{
    atomic_store(&bench->count, 0);
    weft_assert(weft_core_post_call(&bench->node.workers[0].core, start_metronome, bench, 0) == 0);
    while (atomic_load_explicit(&bench->count, memory_order_acquire) < SAMPLES)
        sched_yield();
}

static void print(struct bench *bench, const char *beside, uint32_t count, double delay_ns[2])
{
    const double posted_ns = (double)weft_bench_percentile(bench->posted_ns, count, 500);
    char text[100];
    delay_ns[0] = (double)weft_bench_percentile(bench->delay_ns, count, 500);
    delay_ns[1] = (double)weft_bench_percentile(bench->delay_ns, count, 990);
    snprintf(text, sizeof(text), "beside %s, median", beside);
    weft_bench_row(bench->out, text, delay_ns[0] / 1e3, "us", NULL);
    snprintf(text, sizeof(text), "beside %s, 99 %%", beside);
    weft_bench_row(bench->out, text, delay_ns[1] / 1e3, "us", NULL);
    weft_bench_row(bench->out, "  from another thread, median", posted_ns / 1e3, "us", NULL);
}

static void print_slices(struct bench *bench, const double delay_ns[2])
{
    const double slice_ns[2] = {(double)weft_bench_percentile(bench->slice_ns, SAMPLES, 500),
                                (double)weft_bench_percentile(bench->slice_ns, SAMPLES, 990)};
    weft_bench_row(bench->out, "  a slice, median", slice_ns[0] / 1e3, "us", "2000 reductions");
    weft_bench_row(bench->out, "  a slice, 99 %", slice_ns[1] / 1e3, "us", NULL);
    weft_bench_row(bench->out, "  delay by who spins, median",
                   (delay_ns[0] - bench->alone_ns[0]) / slice_ns[0], "slices",
                   "without what it is beside nobody; goal 1");
    weft_bench_row(bench->out, "  delay by who spins, 99 %",
                   (delay_ns[1] - bench->alone_ns[1]) / slice_ns[1], "slices", NULL);
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
    double delay_ns[2];
    sample(bench, wanted);
    print(bench, beside, wanted, delay_ns);
    if (unit == NULL) memcpy(bench->alone_ns, delay_ns, sizeof(delay_ns));
    if (unit == NULL) return;
    if (spins) {
        sample_slices(bench);
        print_slices(bench, delay_ns);
    }
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
