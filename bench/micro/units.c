// units.c: what Forth units cost in one process: to make, to keep, to turn from one to the next.
//
// Question: how many units can a core hold, how many a second can it make, and what does it pay for
// going round them? And what to deal with each other (dealings.h), beside the peers in the
// directory that the command line may name? As in a node: one shared system module, memory from the
// core's arena. CPU time, best of several runs; memory in a child process for each count, so that
// nothing is left from the one before.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/actors/room.h"
#include "bench/context.h"
#include "bench/micro/dealings.h"
#include "bench/micro/saved.h"
#include "forth/unit.h"
#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/mem/arena.h"

#define RUNS        5
#define ARENA_BYTES (1024 * WEFT_MIB)
#define UNIT_BYTES  1000 // One takes less.

static const char counter_text[] = "0 value total\n"
                                   ": add ( n -- ) total + to total ;\n"
                                   ": clear ( -- ) 0 to total ;\n";
static const char spin_text[] = ": spin begin again ; spin";
static const char yield_text[] = ": give begin yield again ; give";

struct rig {
    struct weft_arena *arena;
    struct weft_forth_memory memory;
    struct weft_forth_library *library;
    struct weft_forth_system *system;
    struct weft_forth_system *other; // As of another core, which has what the first one has made.
};

static void *resize(void *self, void *block, size_t old_bytes, size_t new_bytes)
{
    struct weft_arena *arena = self;
    void *moved = NULL;
    if (new_bytes > 0) {
        moved = weft_arena_alloc(arena, new_bytes);
        if (moved == NULL) return NULL;
        if (block != NULL) memcpy(moved, block, old_bytes < new_bytes ? old_bytes : new_bytes);
    }
    if (block != NULL) weft_arena_release(arena, block, old_bytes);
    return moved;
}

static void open_rig(struct rig *rig)
{
    rig->arena = weft_arena_create(ARENA_BYTES);
    weft_assert(rig->arena != NULL);
    rig->memory = (struct weft_forth_memory){.resize = resize, .self = rig->arena};
    weft_assert(weft_forth_library_create(&rig->memory, &rig->library) == 0);
    weft_assert(weft_forth_system_create_in(rig->library, &rig->memory, &rig->system) == 0);
    weft_assert(weft_forth_system_create_in(rig->library, &rig->memory, &rig->other) == 0);
}

static void close_rig(struct rig *rig)
{
    weft_forth_system_free(rig->system);
    weft_forth_system_free(rig->other);
    weft_forth_library_free(rig->library);
    weft_arena_free(rig->arena);
}

static struct weft_unit *make_unit_of(const struct rig *rig, const struct weft_forth_system *system,
                                      const char *text)
{
    struct weft_unit *unit;
    weft_assert(weft_unit_create(system, &rig->memory, NULL, NULL, &unit) == 0);
    if (text != NULL) weft_assert(weft_unit_interpret(unit, "bench", text, strlen(text)) == 0);
    return unit;
}

static struct weft_unit *make_unit(const struct rig *rig, const char *text)
{
    return make_unit_of(rig, rig->system, text);
}

static void run_to_end(struct weft_unit *unit)
{
    uint32_t reductions = 2000;
    while (weft_unit_run(unit, &reductions) == WEFT_UNIT_AGAIN)
        reductions = 2000;
}

// Makes units, gives each the text (NULL: none) and runs it, frees them. Nanoseconds for one.
static double make_ns(const struct rig *rig, const char *text, unsigned count)
{
    double best = INFINITY;
    for (unsigned run = 0; run < RUNS; run++) {
        const uint64_t from = weft_bench_cpu_ns();
        for (unsigned i = 0; i < count; i++) {
            struct weft_unit *unit = make_unit(rig, text);
            if (text != NULL) run_to_end(unit);
            weft_unit_free(unit);
        }
        best = fmin(best, (double)(weft_bench_cpu_ns() - from) / count);
    }
    return best;
}

#define LIBRARY_WORDS 200

// A unit with a library of words, such as children are made from; xt: one that does nothing.
static struct weft_unit *make_library(const struct rig *rig, const struct weft_forth_system *system,
                                      int64_t *xt)
{
    char text[LIBRARY_WORDS * 64];
    size_t used = 0;
    for (unsigned n = 0; n < LIBRARY_WORDS; n++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 ": word-%u ( n -- n ) dup %u > if 1- then ;\n", n, n);
    snprintf(text + used, sizeof(text) - used, "variable v : nothing ( -- ) ; ' nothing");
    struct weft_unit *unit = make_unit_of(rig, system, text);
    run_to_end(unit);
    weft_assert(weft_unit_cells(unit, xt, 1) == 1);
    return unit;
}

// Makes a unit on the core of `system` that has the words of one on the first core, and frees it.
// Nanoseconds for one.
static double sprout_ns(const struct rig *rig, const struct weft_forth_system *system,
                        unsigned count)
{
    int64_t xt;
    struct weft_unit *library = make_library(rig, rig->system, &xt), *unit;
    weft_assert(weft_unit_freeze(library) == 0);
    void *seed = malloc(weft_unit_seed_bytes(library, 0));
    double best = INFINITY;
    weft_assert(seed != NULL);
    for (unsigned run = 0; run < RUNS; run++) {
        const uint64_t from = weft_bench_cpu_ns();
        for (unsigned i = 0; i < count; i++) {
            struct weft_volume *held = system != rig->system ? weft_unit_hold(library) : NULL;
            weft_unit_seed(library, (uint64_t)xt, NULL, 0, seed);
            weft_assert(weft_unit_sprout(system, &rig->memory, NULL, NULL, seed, &unit) == 0);
            weft_forth_release(system, held);
            weft_unit_free(unit);
        }
        best = fmin(best, (double)(weft_bench_cpu_ns() - from) / count);
    }
    free(seed);
    weft_unit_free(library);
    return best;
}

// ---- memory

static uint64_t resident_bytes(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fscanf(file, "%llu %llu", &size, &resident) != 2) resident = 0;
        fclose(file);
    }
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct footprint {
    double accounted, arena, resident; // Bytes a unit.
};

static struct footprint footprint_here(const char *text, unsigned count)
{
    struct rig rig;
    struct weft_unit_info info;
    uint64_t accounted = 0;
    open_rig(&rig);
    struct weft_unit **units = malloc(count * sizeof(*units));
    weft_assert(units != NULL);
    memset(units, 0, count * sizeof(*units)); // Resident before we begin to count.
    const uint64_t used = weft_arena_used_bytes(rig.arena), resident = resident_bytes();
    for (unsigned i = 0; i < count; i++) {
        units[i] = make_unit(&rig, text);
        if (text != NULL) run_to_end(units[i]);
        weft_assert(weft_unit_freeze(units[i]) == 0); // As a node does with what it has loaded.
        weft_unit_inspect(units[i], &info);
        accounted += info.memory_bytes;
    }
    return (struct footprint){(double)accounted / count,
                              (double)(weft_arena_used_bytes(rig.arena) - used) / count,
                              ((double)resident_bytes() - (double)resident) / count};
}

// The same in a child, whose memory is new.
static struct footprint footprint(const char *text, unsigned count)
{
    struct footprint result = {NAN, NAN, NAN};
    int ends[2], status;
    if (pipe(ends) < 0) return result;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        result = footprint_here(text, count);
        _exit(write(ends[1], &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &result, sizeof(result)) != (ssize_t)sizeof(result)) result.arena = NAN;
    close(ends[0]);
    if (child > 0) waitpid(child, &status, 0);
    return result;
}

static void measure_memory(struct weft_bench *out)
{
    static const unsigned counts[] = {1000, 10000, 100000, 1000000};
    for (unsigned kind = 0; kind < 2; kind++) {
        const char *text = kind == 0 ? NULL : counter_text;
        for (unsigned i = 0; i < WEFT_COUNT_OF(counts) - (out->quick ? 2 : 0); i++) {
            char row[64], note[96];
            struct footprint each = {NAN, NAN, NAN};
            snprintf(row, sizeof(row), "idle unit, %s, of %u",
                     kind == 0 ? "empty" : "two words and a value", counts[i]);
            if (counts[i] * (double)UNIT_BYTES > weft_bench_room_bytes() / 2) {
                weft_bench_row(out, row, NAN, "bytes", "skipped: this machine's memory is short");
                continue;
            }
            each = footprint(text, counts[i]);
            snprintf(note, sizeof(note), "resident %.0f, by its quota %.0f%s", each.resident,
                     each.accounted, kind == 0 ? "; goal 512, of a million" : "");
            weft_bench_row(out, row, each.arena, "bytes", note);
        }
    }
}

// ---- slices

// Goes round `count` units, a slice of `reductions` each, `slices` in all. Nanoseconds for a slice.
static double slice_ns(const struct rig *rig, const char *text, unsigned count, uint32_t reductions,
                       unsigned slices)
{
    double best = INFINITY;
    struct weft_unit **units = malloc(count * sizeof(*units));
    weft_assert(units != NULL);
    for (unsigned i = 0; i < count; i++)
        units[i] = make_unit(rig, text);
    for (unsigned run = 0; run < RUNS + 1; run++) { // The first compiles and warms up.
        const uint64_t from = weft_bench_cpu_ns();
        for (unsigned i = 0, at = 0; i < slices; i++) {
            uint32_t left = reductions;
            weft_unit_run(units[at], &left);
            at = at + 1 < count ? at + 1 : 0;
        }
        if (run > 0) best = fmin(best, (double)(weft_bench_cpu_ns() - from) / slices);
    }
    for (unsigned i = 0; i < count; i++)
        weft_unit_free(units[i]);
    free(units);
    return best;
}

static void measure_slices(struct weft_bench *out, const struct rig *rig)
{
    const unsigned less = out->quick ? 10 : 1;
    const double yield_ns = slice_ns(rig, yield_text, 2, 2000, 500000 / less);
    const double full_ns = slice_ns(rig, spin_text, 2, 2000, 5000 / less);
    weft_bench_row(out, "slice that only says YIELD, two units", yield_ns, "ns", "there and back");
    weft_bench_row(out, "the same, going round 10 000 units",
                   slice_ns(rig, yield_text, 10000, 2000, 500000 / less), "ns", "cold caches");
    weft_bench_row(out, "slice of 2 000 loop turns, two units", full_ns, "ns",
                   "a unit's whole slice");
}

// ---- images

static void measure_image(struct weft_bench *out, const struct rig *rig)
{
    struct weft_unit *unit = make_unit(rig, counter_text);
    run_to_end(unit);
    const size_t bytes = weft_unit_image_bytes(unit);
    void *image = malloc(bytes);
    double save_ns = INFINITY, load_ns = INFINITY;
    weft_assert(image != NULL);
    for (unsigned run = 0; run < RUNS * 20; run++) {
        uint64_t from = weft_bench_cpu_ns();
        struct weft_unit *copy;
        const int64_t saved = weft_unit_save(unit, image, bytes);
        weft_assert(saved > 0);
        save_ns = fmin(save_ns, (double)(weft_bench_cpu_ns() - from));
        from = weft_bench_cpu_ns();
        weft_assert(weft_unit_load(rig->system, &rig->memory, NULL, NULL, image, (size_t)saved,
                                   &copy) == 0);
        load_ns = fmin(load_ns, (double)(weft_bench_cpu_ns() - from));
        weft_unit_free(copy);
    }
    weft_bench_row(out, "image of that unit", (double)bytes, "bytes", NULL);
    weft_bench_row(out, "image written", save_ns / 1e3, "us", NULL);
    weft_bench_row(out, "image checked and made a unit", load_ns / 1e3, "us", NULL);
    free(image);
    weft_unit_free(unit);
}

// ---- freezing

static double freeze_ns(struct weft_unit *unit)
{
    const uint64_t from = weft_bench_cpu_ns();
    weft_assert(weft_unit_freeze(unit) == 0);
    return (double)(weft_bench_cpu_ns() - from);
}

// The same words three times: new to the node, known to the core, known to another core.
static void measure_freeze(struct weft_bench *out, const struct rig *rig)
{
    static const char *const whose[] = {"new", "known to the core", "known to another core"};
    double best[] = {INFINITY, INFINITY, INFINITY};
    struct weft_unit_info info = {0};
    for (unsigned run = 0; run < RUNS * 10; run++) {
        struct weft_unit *units[3];
        int64_t xt;
        for (unsigned i = 0; i < 3; i++) {
            units[i] = make_library(rig, i < 2 ? rig->system : rig->other, &xt);
            best[i] = fmin(best[i], freeze_ns(units[i]));
        }
        weft_unit_inspect(units[0], &info);
        for (unsigned i = 0; i < 3; i++)
            weft_unit_free(units[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        char row[64], note[64];
        snprintf(row, sizeof(row), "200 words frozen, %s", whose[i]);
        snprintf(note, sizeof(note), "%u bytes", info.module_bytes);
        weft_bench_row(out, row, best[i] / 1e3, "us", i == 0 ? note : NULL);
    }
}

int main(int argc, char **argv)
{
    struct weft_bench out;
    struct rig rig;
    weft_bench_begin(&out, "units", "memory of one process", argc, argv);
    const unsigned less = out.quick ? 10 : 1;
    measure_memory(&out); // First, while little is resident.
    uint64_t from = weft_bench_cpu_ns();
    open_rig(&rig);
    weft_bench_row(&out, "system module compiled", (double)(weft_bench_cpu_ns() - from) / 1e6, "ms",
                   "once a node, at start");
    weft_bench_say(&out, "CPU time, best of %d; arena on %s", RUNS,
                   weft_arena_backing_name(weft_arena_backing(rig.arena)));
    const double empty_ns = make_ns(&rig, NULL, 100000 / less);
    const double counter_ns = make_ns(&rig, counter_text, 10000 / less);
    weft_bench_row(&out, "empty units made and freed", 1e9 / empty_ns, "units/s", NULL);
    weft_bench_row(&out, "one empty unit made and freed", empty_ns, "ns", NULL);
    weft_bench_row(&out, "units made, source compiled, freed", 1e9 / counter_ns, "units/s",
                   "two words and a value: 88 bytes of source");
    weft_bench_row(&out, "unit with 200 words made and freed",
                   sprout_ns(&rig, rig.system, 20000 / less), "ns",
                   "as SPAWN makes one; goal 1 000");
    weft_bench_row(&out, "the same, the first of another core",
                   sprout_ns(&rig, rig.other, 20000 / less), "ns",
                   "and the last: the core's share");
    measure_freeze(&out, &rig);
    measure_slices(&out, &rig);
    measure_image(&out, &rig);
    close_rig(&rig);
    weft_bench_dealings(&out, out.argument_count > 0 ? out.arguments[0] : NULL);
    weft_bench_saved(&out);
    weft_bench_end(&out);
    return 0;
}
