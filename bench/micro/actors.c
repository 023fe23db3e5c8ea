// actors.c: what actors, messages, slices, timers and blocks cost on one core, and a message across
// two.
//
// One-core rows: best of several runs, in CPU time of the thread, so that other processes disturb
// little; the two-core rows are wall time, with the two threads where the kernel puts them.
// `weft_core_turn` runs as in a node, with the real clock.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/context.h"
#include "runtime/actor/actor.h"
#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/sched/core_thread.h"
#include "runtime/sched/sleeper_epoll.h"

#define RUNS        7
#define ARENA_BYTES (256 * WEFT_MIB)

struct bench {
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core *core[2];
    struct weft_arena *arena[2];
    struct weft_actor_system system[2];
    struct weft_sleeper_epoll sleeper[2];
};

struct player { // What the actors of the rows share.
    weft_pid partner;
    uint64_t left; // Messages, slices or rounds still to do.
    _Atomic bool done;
};

static uint64_t process_cpu_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * WEFT_NS_PER_S + (uint64_t)at.tv_nsec;
}

static void open_bench(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    bench->clock = weft_clock_linux();
    for (unsigned i = 0; i < 2; i++) {
        bench->core[i] = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
        weft_core_init(bench->core[i], &bench->group, (uint16_t)i, &bench->clock, WEFT_LOG_INFO);
    }
    weft_assert(weft_core_group_connect(&bench->group) == 0);
    for (unsigned i = 0; i < 2; i++) {
        bench->arena[i] = weft_arena_create(ARENA_BYTES);
        weft_assert(bench->arena[i] != NULL);
        weft_assert(weft_actor_system_init(&bench->system[i], bench->core[i], bench->arena[i],
                                           1u << 20) == 0);
        weft_assert(weft_sleeper_epoll_open(&bench->sleeper[i]) == 0);
        bench->core[i]->sleeper = weft_sleeper_epoll_interface(&bench->sleeper[i]);
    }
}

static void close_bench(struct bench *bench)
{
    for (unsigned i = 0; i < 2; i++)
        weft_actor_system_destroy(&bench->system[i]);
    for (unsigned i = 0; i < 2; i++)
        weft_arena_free(bench->arena[i]);
    weft_core_group_destroy(&bench->group);
    for (unsigned i = 0; i < 2; i++) {
        weft_sleeper_epoll_close(&bench->sleeper[i]);
        free(bench->core[i]);
    }
}

static weft_pid spawn(struct weft_actor_system *system, const struct weft_actor_kind *kind,
                      void *state, bool ready)
{
    weft_pid pid = 0;
    const struct weft_spawn how = {.kind = kind,
                                   .state = state,
                                   .priority = WEFT_PRIORITY_NORMAL,
                                   .mailbox_limit = 1u << 30,
                                   .start_ready = ready};
    weft_assert(weft_actor_spawn(system, &how, &pid) == 0);
    return pid;
}

static void send_to(struct weft_actor_system *system, weft_pid to)
{
    struct weft_message *message = weft_message_alloc(system, 8);
    weft_assert(message != NULL);
    message->to = to;
    weft_assert(weft_actor_send(system, message) == 0);
}

static enum weft_actor_verdict exit_at_once(struct weft_actor *actor, uint32_t *reductions)
{
    (void)actor, (void)reductions;
    return WEFT_ACTOR_EXIT;
}

static enum weft_actor_verdict yield_often(struct weft_actor *actor, uint32_t *reductions)
{
    struct player *player = actor->state;
    *reductions -= 1;
    return --player->left > 0 ? WEFT_ACTOR_AGAIN : WEFT_ACTOR_EXIT;
}

static bool answer(struct weft_actor *actor, const struct weft_message *message)
{
    (void)message;
    struct player *player = actor->state;
    if (player->left == 0) {
        player->done = true;
        return true;
    }
    player->left--;
    send_to(actor->system, player->partner);
    return true;
}

static bool swallow(struct weft_actor *actor, const struct weft_message *message)
{
    (void)message;
    struct player *player = actor->state;
    if (--player->left == 0) player->done = true;
    return true;
}

static const struct weft_actor_kind brief_kind = {.name = "brief", .run = exit_at_once};
static const struct weft_actor_kind yielder_kind = {.name = "yielder", .run = yield_often};
static const struct weft_actor_kind answer_kind = {.name = "answerer", .handle = answer};
static const struct weft_actor_kind sink_kind = {.name = "sink", .handle = swallow};

static void settle(struct bench *bench)
{
    while (weft_core_turn(bench->core[0]))
        continue;
}

// The rows. Each does its operation `count` times, on core 0 if nothing else is said.

static void spawn_and_exit(struct bench *bench, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        spawn(&bench->system[0], &brief_kind, NULL, true);
        if (i % 64 == 63) weft_core_turn(bench->core[0]);
    }
    settle(bench);
}

static void end_both(struct bench *bench, weft_pid a, weft_pid b)
{
    weft_actor_kill(&bench->system[0], a, WEFT_EXIT_KILLED);
    weft_actor_kill(&bench->system[0], b, WEFT_EXIT_KILLED);
    settle(bench);
}

static void ping_pong(struct bench *bench, uint64_t count)
{
    struct player a = {.left = count}, b = {.left = count};
    const weft_pid pa = spawn(&bench->system[0], &answer_kind, &a, false);
    const weft_pid pb = spawn(&bench->system[0], &answer_kind, &b, false);
    a.partner = pb;
    b.partner = pa;
    send_to(&bench->system[0], pa);
    settle(bench);
    end_both(bench, pa, pb);
}

static void one_way(struct bench *bench, uint64_t count)
{
    struct player sink = {.left = count};
    const weft_pid pid = spawn(&bench->system[0], &sink_kind, &sink, false);
    for (uint64_t i = 0; i < count; i++) {
        send_to(&bench->system[0], pid);
        if (i % 128 == 127) weft_core_turn(bench->core[0]);
    }
    settle(bench);
    weft_assert(sink.done);
    end_both(bench, pid, pid);
}

static void yield_two(struct bench *bench, uint64_t count)
{
    struct player a = {.left = count / 2}, b = {.left = count / 2};
    spawn(&bench->system[0], &yielder_kind, &a, true);
    spawn(&bench->system[0], &yielder_kind, &b, true);
    settle(bench);
}

static void alloc_and_release(struct bench *bench, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        void *block = weft_arena_alloc(bench->arena[0], 64);
        __asm__ volatile("" : : "r"(block) : "memory");
        weft_arena_release(bench->arena[0], block, 64);
    }
}

static void message_and_release(struct bench *bench, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct weft_message *message = weft_message_alloc(&bench->system[0], 16);
        __asm__ volatile("" : : "r"(message) : "memory");
        weft_message_release(&bench->system[0], message);
    }
}

static void never_fires(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    (void)self, (void)timer, (void)now_ns;
}

static void arm_and_cancel(struct bench *bench, uint64_t count)
{
    static struct weft_timer timers[1024];
    struct weft_wheel *wheel = &bench->core[0]->wheel;
    for (unsigned i = 0; i < 1024; i++)
        weft_timer_init(&timers[i], never_fires, NULL);
    for (uint64_t i = 0; i < count; i++) {
        struct weft_timer *timer = &timers[i % 1024];
        weft_wheel_arm(wheel, timer, bench->core[0]->now_ns + (i * 7919 % 100000) * WEFT_NS_PER_MS);
        if (i >= 512) weft_wheel_cancel(wheel, &timers[(i - 512) % 1024]);
    }
    for (unsigned i = 0; i < 1024; i++)
        weft_wheel_cancel(wheel, &timers[i]);
}

static void empty_turn(struct bench *bench, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        weft_core_turn(bench->core[0]);
}

static const struct {
    const char *name;
    void (*run)(struct bench *bench, uint64_t count);
    uint64_t count;
    const char *note;
} rows[] = {
    {"spawn, one slice, exit", spawn_and_exit, 500000, "goal 40"},
    {"ping-pong round trip, one core", ping_pong, 500000, "goal 25"},
    {"message one way, one core", one_way, 1000000, "goal 7"},
    {"yield, two actors", yield_two, 1000000, "goal 5"},
    {"arena alloc + release, 64 bytes", alloc_and_release, 2000000, NULL},
    {"message alloc + release", message_and_release, 2000000, NULL},
    {"timer arm + cancel", arm_and_cancel, 1000000, NULL},
    {"empty turn of a core", empty_turn, 500000, NULL},
};

static double best_ns(struct bench *bench, size_t row, uint64_t count)
{
    double best = INFINITY;
    for (unsigned run = 0; run < RUNS; run++) {
        const uint64_t cpu_ns = weft_bench_cpu_ns();
        rows[row].run(bench, count);
        best = fmin(best, (double)(weft_bench_cpu_ns() - cpu_ns) / (double)count);
    }
    return best;
}

// Two threads: a ball goes to and fro between the cores. Wall nanoseconds for a round trip.
static double across_cores(struct bench *bench, uint64_t count)
{
    struct weft_core_thread threads[2] = {{.core = bench->core[0]}, {.core = bench->core[1]}};
    struct player a = {.left = count}, b = {.left = count};
    const weft_pid pa = spawn(&bench->system[0], &answer_kind, &a, false);
    const weft_pid pb = spawn(&bench->system[1], &answer_kind, &b, false);
    a.partner = pb;
    b.partner = pa;
    send_to(&bench->system[0], pb);
    const uint64_t start_ns = weft_bench_now_ns();
    for (unsigned i = 0; i < 2; i++)
        weft_assert(weft_core_thread_start(&threads[i]) == 0);
    while (!a.done && !b.done)
        usleep(200);
    const uint64_t ns = weft_bench_now_ns() - start_ns;
    for (unsigned i = 0; i < 2; i++)
        weft_core_thread_stop(&threads[i]);
    weft_actor_kill(&bench->system[0], pa, WEFT_EXIT_KILLED);
    weft_actor_kill(&bench->system[1], pb, WEFT_EXIT_KILLED);
    bool busy = true;
    while (busy) {
        busy = weft_core_turn(bench->core[0]);
        busy = weft_core_turn(bench->core[1]) || busy; // Both, each time.
    }
    return (double)ns / (double)count;
}

// CPU time of two cores' threads with nothing to do, in percent of one CPU.
static double idle_percent(struct bench *bench, uint64_t sleep_max_ns)
{
    struct weft_core_thread threads[2] = {{.core = bench->core[0]}, {.core = bench->core[1]}};
    for (unsigned i = 0; i < 2; i++) {
        bench->core[i]->idle_sleep_max_ns = sleep_max_ns;
        weft_assert(weft_core_thread_start(&threads[i]) == 0);
    }
    usleep(50000);
    const uint64_t cpu = process_cpu_ns(), wall = weft_bench_now_ns();
    usleep(1000000);
    const uint64_t used = process_cpu_ns() - cpu;
    const uint64_t lasted = weft_bench_now_ns() - wall;
    for (unsigned i = 0; i < 2; i++)
        weft_core_thread_stop(&threads[i]);
    return 100.0 * (double)used / (double)lasted;
}

static double idle_actor_bytes(struct bench *bench, unsigned count)
{
    const size_t before = weft_arena_used_bytes(bench->arena[1]);
    for (unsigned i = 0; i < count; i++)
        spawn(&bench->system[1], &sink_kind, NULL, false);
    return (double)(weft_arena_used_bytes(bench->arena[1]) - before) / count;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct weft_bench out;
    double across_ns = INFINITY;
    weft_bench_begin(&out, "actors", "memory of one process", argc, argv);
    const uint64_t less = out.quick ? 10 : 1;
    open_bench(&bench);
    weft_bench_say(&out, "one core: CPU time, best of %d; arena on %s", RUNS,
                   weft_arena_backing_name(weft_arena_backing(bench.arena[0])));
    for (size_t i = 0; i < WEFT_COUNT_OF(rows); i++)
        weft_bench_row(&out, rows[i].name, best_ns(&bench, i, rows[i].count / less), "ns",
                       rows[i].note);
    weft_bench_probe(&out);
    for (unsigned run = 0; run < 3; run++)
        across_ns = fmin(across_ns, across_cores(&bench, 100000 / less));
    weft_bench_row(&out, "ping-pong round trip, two cores", across_ns, "ns wall",
                   "floating threads");
    weft_bench_row(&out, "two idle cores, sleeps to 500 us", idle_percent(&bench, 500000), "% CPU",
                   "both together");
    weft_bench_row(&out, "two idle cores, sleeps to 20 ms", idle_percent(&bench, 20000000), "% CPU",
                   "both together");
    weft_bench_row(&out, out.quick ? "idle actor, of 100 000" : "idle actor, of a million",
                   idle_actor_bytes(&bench, out.quick ? 100000 : 1000000), "bytes", "goal 256");
    close_bench(&bench);
    weft_bench_end(&out);
    return 0;
}
