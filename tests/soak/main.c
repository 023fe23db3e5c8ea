// weft-soak: a great many actors for a long time, on threads: nothing is lost without a reason, and
// memory does not grow.
//
//   weft-soak [--actors N] [--seconds N] [--cores N] [--stackful PERCENT]
//
// Exit status 0; 1: something was not as it must be, and says so; 64: usage. What is checked:
//
//   stall    for 30 seconds on end nobody received anything
//   ledger   at the end, when all is quiet: sent = received + what was dropped, by reason
//   count    as many actors as places, heads and supervisors
//   memory   resident besides stacks in the last quarter of the time: as in the second, with 5 %
//   and
//            16 MiB to spare; of stacks: never more than so many pages for each that can be busy
//   rest     when all have ended: no actor, block, stack or byte of an arena is left
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/base/assert.h"
#include "tests/soak/machine.h"
#include "tests/soak/town.h"

#define SAMPLES       40 // Over the whole time.
#define STALL_NS      (30 * WEFT_NS_PER_S)
#define QUIET_NS      (300 * WEFT_NS_PER_S) // At the end it has to be quiet within this time.
#define SPARE_BYTES   (16 * WEFT_MIB)
#define SPARE_PERCENT 5
// Letters and calls want two pages of a stack, seldom three; and a core keeps some warm, has its
// own, and those of callback actors and supervisors that wait in a call.
#define STACK_BYTES_MAX   (2 * WEFT_STACK_GUARD_BYTES)
#define STACK_BYTES_SPARE (32 * WEFT_MIB)
// Of an arena for each actor born on its core: twice what they take in a soak, with what stacks
// leave behind while they sleep; and for the smallest soak.
#define ACTOR_BYTES     3072
#define ARENA_BYTES_MIN (64 * WEFT_MIB)
#define SLOTS_SPARE     16384

static struct options {
    uint32_t actors, seconds, stackful;
    uint16_t cores;
} options = {.actors = 20000, .seconds = 10, .stackful = 50};
static struct machine machine;
static struct town town;
static unsigned wrong;

__attribute__((format(printf, 2, 3))) static void check(bool holds, const char *format, ...)
{
    va_list args;
    if (holds) return;
    wrong++;
    fflush(stdout);
    va_start(args, format);
    fputs("soak: FAILED: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
}

static uint64_t now_ns(void)
{
    return machine.clock.now_ns(machine.clock.self);
}

static void rest(uint64_t ns)
{
    const struct timespec time = {.tv_sec = (time_t)(ns / WEFT_NS_PER_S),
                                  .tv_nsec = (long)(ns % WEFT_NS_PER_S)};
    nanosleep(&time, NULL);
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (double)WEFT_MIB;
}

// ---- While they live.

struct stall { // When somebody has received something last.
    uint64_t received, at_ns;
};

static bool is_stalled(struct stall *stall)
{
    const uint64_t received = machine_sums(&machine).received;
    if (received != stall->received) *stall = (struct stall){received, now_ns()};
    return now_ns() - stall->at_ns > STALL_NS;
}

static bool wait_until_populated(struct stall *stall)
{
    while (atomic_load_explicit(&town.populated, memory_order_relaxed) < town.family_count) {
        if (is_stalled(stall)) return false;
        rest(WEFT_NS_PER_S / 50);
    }
    return true;
}

static void print_sample(uint64_t since_ns, const struct machine_sums *before, uint64_t took_ns,
                         const struct machine_memory *memory)
{
    const struct machine_sums sums = machine_sums(&machine);
    printf("soak: %6.1f s: %" PRIu64 " alive, %.0f thousand messages a second, %" PRIu64
           " deaths, %" PRIu64 " moves, %" PRIu64 " evictions, %.0f + %.0f MiB of stacks\n",
           (double)(now_ns() - since_ns) / 1e9, sums.alive,
           (double)(sums.received - before->received) * 1e6 / (double)took_ns,
           TOWN_SUM(&town, deaths), sums.moves, sums.evictions, mib(memory->others),
           mib(memory->stacks));
    fflush(stdout);
}

// The most that was resident besides stacks in the second quarter of the time, and in the last; and
// of stacks at any time.
struct peaks {
    uint64_t early_bytes, late_bytes, stack_bytes;
};

static void look_at_memory(unsigned sample, const struct machine_memory *memory,
                           struct peaks *peaks)
{
    const uint64_t bytes = memory->others;
    if (sample >= SAMPLES / 4 && sample < SAMPLES / 2 && bytes > peaks->early_bytes)
        peaks->early_bytes = bytes;
    if (sample >= SAMPLES - SAMPLES / 4 && bytes > peaks->late_bytes) peaks->late_bytes = bytes;
    if (memory->stacks > peaks->stack_bytes) peaks->stack_bytes = memory->stacks;
}

static bool live(struct stall *stall, struct peaks *peaks)
{
    const uint64_t begin_ns = now_ns(), part_ns = options.seconds * WEFT_NS_PER_S / SAMPLES;
    struct machine_sums before = machine_sums(&machine);
    for (unsigned i = 0; i < SAMPLES; i++) {
        const uint64_t part_begin_ns = now_ns();
        while (now_ns() < begin_ns + (i + 1) * part_ns) {
            if (is_stalled(stall)) return false;
            rest(part_ns < WEFT_NS_PER_S ? part_ns : WEFT_NS_PER_S);
        }
        const struct machine_memory memory = machine_memory(&machine);
        look_at_memory(i, &memory, peaks);
        if (i % 4 == 3) print_sample(begin_ns, &before, now_ns() - part_begin_ns, &memory);
        before = machine_sums(&machine);
    }
    return true;
}

// ---- The end.

// Until what was sent has been received or dropped, twice in a row, with nothing sent between.
static bool wait_until_quiet(void)
{
    uint64_t sent = UINT64_MAX;
    for (const uint64_t begin_ns = now_ns(); now_ns() - begin_ns < QUIET_NS;) {
        const struct machine_sums sums = machine_sums(&machine);
        if (sums.sent == sums.received + sums.drops && sums.sent == sent) return true;
        sent = sums.sent;
        rest(WEFT_NS_PER_S / 2); // Longer than timers and calls.
    }
    return false;
}

static void check_ledger(void)
{
    const struct machine_sums sums = machine_sums(&machine);
    printf("soak: ledger: %" PRIu64 " sent = %" PRIu64 " received", sums.sent, sums.received);
    for (unsigned drop = 0; drop < WEFT_DROP_COUNT; drop++) {
        const uint64_t count = machine_drops(&machine, drop);
        if (count > 0) printf(" + %" PRIu64 " %s", count, weft_drop_info(drop)->reason);
    }
    printf("\n");
    check(sums.sent == sums.received + sums.drops, "the ledger does not add up");
    const uint64_t offered = TOWN_SUM(&town, offered), received = TOWN_SUM(&town, received);
    check(received <= offered, "%" PRIu64 " received of %" PRIu64, received, offered);
    check(offered - received <= sums.drops, "%" PRIu64 " of %" PRIu64 " lost, %" PRIu64 " dropped",
          offered - received, offered, sums.drops);
    const uint64_t expected = town.place_count + 2 * (uint64_t)town.family_count;
    check(sums.alive == expected, "%" PRIu64 " are alive, not %" PRIu64, sums.alive, expected);
}

static void print_deeds(void)
{
    const struct machine_sums sums = machine_sums(&machine);
    printf("soak: %" PRIu64 " births, %" PRIu64 " deaths, %" PRIu64 " refused births\n",
           TOWN_SUM(&town, births), TOWN_SUM(&town, deaths), TOWN_SUM(&town, refusals));
    printf("soak: %" PRIu64 " calls, %" PRIu64 " answered; %" PRIu64 " timers, %" PRIu64
           " fired for somebody; %" PRIu64 " DOWN\n",
           TOWN_SUM(&town, calls), TOWN_SUM(&town, answers), TOWN_SUM(&town, timers),
           TOWN_SUM(&town, ticks), TOWN_SUM(&town, downs));
    printf("soak: %" PRIu64 " moves asked for, %" PRIu64 " done; %" PRIu64 " mutes; %" PRIu64
           " evictions\n",
           TOWN_SUM(&town, moves), sums.moves, sums.mutes, sums.evictions);
}

static void check_memory(const struct peaks *peaks)
{
    printf("soak: resident besides stacks: at most %.1f MiB in the second quarter, %.1f MiB in the "
           "last\n",
           mib(peaks->early_bytes), mib(peaks->late_bytes));
    const uint64_t limit_bytes =
        peaks->early_bytes + peaks->early_bytes * SPARE_PERCENT / 100 + SPARE_BYTES;
    check(peaks->late_bytes <= limit_bytes, "memory grows");
    const uint64_t stackful = (uint64_t)options.actors * options.stackful / 100;
    const uint64_t stacks_bytes =
        (stackful + town.family_count) * STACK_BYTES_MAX + options.cores * STACK_BYTES_SPARE;
    printf("soak: resident of stacks: at most %.1f MiB, of %.1f\n", mib(peaks->stack_bytes),
           mib(stacks_bytes));
    check(peaks->stack_bytes <= stacks_bytes, "stacks grow");
}

// The heads are killed; their supervisors end all others, in order.
static void end_all(void)
{
    struct weft_actor_system *system = &machine.cores[0].system;
    for (uint32_t i = 0; i < town.family_count; i++)
        weft_actor_kill(system, town.heads[i], WEFT_EXIT_KILLED);
    machine_settle(&machine);
    const struct machine_rest left = machine_rest(&machine);
    const struct machine_memory memory = machine_memory(&machine);
    printf("soak: all ended: %" PRIu64 " actors, %" PRIu64 " blocks, %" PRId64
           " stacks left; %.1f + %.1f MiB of stacks resident\n",
           left.actors, left.blocks, left.stacks, mib(memory.others), mib(memory.stacks));
    check(left.actors == 0, "%" PRIu64 " do not end", left.actors);
    check(left.blocks == 0, "%" PRIu64 " blocks leak", left.blocks);
    check(left.stacks == 0, "%" PRId64 " stacks leak", left.stacks);
    check(left.promises == 0, "%" PRId64 " stacks are promised", left.promises);
}

// ---- All of it.

static void open_all(void)
{
    const uint32_t each = options.actors / options.cores + SLOTS_SPARE;
    const size_t arena_bytes = ARENA_BYTES_MIN + (size_t)each * ACTOR_BYTES;
    const int result = machine_init(&machine, options.cores, each, arena_bytes);
    if (result != 0 || !town_init(&town, options.actors, options.stackful, options.cores)) {
        fprintf(stderr, "soak: no memory for so many: %s\n", strerror(-result));
        exit(1);
    }
    for (uint32_t i = 0; i < town.family_count; i++) {
        struct town_head head;
        const struct weft_spawn spawn = town_head(&town, i, &head);
        struct weft_actor_system *system = &machine.cores[i % options.cores].system;
        weft_assert(weft_actor_spawn(system, &spawn, 0, &town.heads[i]) == 0);
    }
}

static void soak(void)
{
    struct peaks peaks = {0};
    const uint64_t begin_ns = now_ns();
    struct stall stall = {.at_ns = begin_ns};
    weft_assert(machine_start(&machine) == 0);
    bool goes_on = wait_until_populated(&stall);
    printf("soak: %u actors, %u %% stackful, in %u families on %u cores, after %.1f s\n",
           options.actors, options.stackful, town.family_count, options.cores,
           (double)(now_ns() - begin_ns) / 1e9);
    if (goes_on) goes_on = live(&stall, &peaks);
    check(goes_on, "nobody has received anything for 30 s");
    atomic_store_explicit(&town.is_ending, true, memory_order_relaxed);
    if (goes_on) check(wait_until_quiet(), "it does not fall quiet");
    machine_stop(&machine);
    print_deeds();
    if (!goes_on) exit(1);
    check_ledger();
    check_memory(&peaks);
}

static bool read_number(const char *text, uint32_t least, uint32_t most, uint32_t *number)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);
    *number = (uint32_t)value;
    return end != text && *end == '\0' && value >= least && value <= most;
}

static bool read_options(int argc, char **argv)
{
    static const struct option names[] = {{"actors", required_argument, NULL, 'a'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"cores", required_argument, NULL, 'c'},
                                          {"stackful", required_argument, NULL, 'f'},
                                          {NULL, 0, NULL, 0}};
    cpu_set_t cpus;
    uint32_t cores =
        sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (uint32_t)CPU_COUNT(&cpus) : 2;
    if (cores < 2) cores = 2; // Else nobody moves.
    if (cores > 4) cores = 4;
    bool is_right = true;
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'a': is_right &= read_number(optarg, 100, 8000000, &options.actors); break;
        case 's': is_right &= read_number(optarg, 1, 1000000, &options.seconds); break;
        case 'c': is_right &= read_number(optarg, 1, MACHINE_CORES_MAX, &cores); break;
        case 'f': is_right &= read_number(optarg, 0, 100, &options.stackful); break;
        default: is_right = false;
        }
    }
    options.cores = (uint16_t)cores;
    return is_right && optind == argc;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fputs("usage: weft-soak [--actors N] [--seconds N] [--cores N] [--stackful PERCENT]\n",
              stderr);
        return 64;
    }
    open_all();
    soak();
    end_all();
    const size_t left_bytes = machine_destroy(&machine);
    check(left_bytes == 0, "%zu bytes leak", left_bytes);
    town_destroy(&town);
    if (wrong == 0) printf("soak: no law was broken\n");
    return wrong == 0 ? 0 : 1;
}
