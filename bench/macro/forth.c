// forth.c: eight programs on `weft forth`, against the same in C by gcc -O2 and, if it is there, on
// Debian's gforth-fast.
//
// bench_forth WEFT SOURCES TWINS [--json] [--quick]: WEFT is the tool, SOURCES holds NAME.fth,
// TWINS holds a program NAME for each. Question: how far is the engine from C, and from the fastest
// interpreter that Debian has? User and system time of whole processes, best of four, the engines
// one after the other within each round, so that a disturbance meets all. The outputs must be
// equal. What start-up costs is a row of its own and stays inside the others.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/context.h"
#include "runtime/base/units.h"

extern char **environ;

enum { ROUNDS = 4, OUTPUT_BYTES = 256, TIMEOUT_S = 20 };
enum engine { WEFT, GCC, GFORTH, ENGINE_COUNT };

static const char *const engine_names[ENGINE_COUNT] = {"weft", "gcc -O2", "gforth-fast"};
static const char *const programs[] = {"fib",    "nest",   "sieve",      "bubble",
                                       "matrix", "queens", "mandelbrot", "parse"};

struct paths {
    const char *weft, *sources, *twins;
    bool has[ENGINE_COUNT];
};

// The digits of an output; engines differ in the blanks around them.
static void keep_word(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++)
        if (*from > ' ') *to++ = *from;
    *to = '\0';
}

// Runs a program with its standard output in `output`. CPU seconds, or NAN if it failed.
static double run(char *const words[], char output[OUTPUT_BYTES])
{
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    size_t length = 0;
    ssize_t got;
    pid_t child;
    int ends[2], status;

    if (pipe2(ends, O_CLOEXEC) < 0) return NAN;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawnp(&child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (!failed && (got = read(ends[0], output + length, OUTPUT_BYTES - 1 - length)) > 0)
        length += (size_t)got;
    close(ends[0]);
    output[length] = '\0';
    keep_word(output);
    if (failed || wait4(child, &status, 0, &usage) < 0 || status != 0) return NAN;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Program NULL: nothing at all, for the cost of a start.
static double run_on(const struct paths *paths, enum engine engine, const char *program,
                     char output[OUTPUT_BYTES])
{
    char source[512], twin[512], limit[16];
    char *words[10];
    int count = 0;
    snprintf(source, sizeof(source), "%s/%s.fth", paths->sources, program ? program : "");
    snprintf(twin, sizeof(twin), "%s/%s", paths->twins, program ? program : "");
    snprintf(limit, sizeof(limit), "%d", TIMEOUT_S);
    words[count++] = (char *)(uintptr_t) "timeout";
    words[count++] = limit;
    if (engine == GCC) {
        words[count++] = program ? twin : (char *)(uintptr_t) "true";
    } else {
        words[count++] = (char *)(uintptr_t)(engine == WEFT ? paths->weft : "gforth-fast");
        if (engine == WEFT) words[count++] = (char *)(uintptr_t) "forth";
        if (program) words[count++] = source;
        if (engine == GFORTH || !program) {
            words[count++] = (char *)(uintptr_t) "-e";
            words[count++] = (char *)(uintptr_t) "bye";
        }
    }
    words[count] = NULL;
    return run(words, output);
}

struct times {
    double s[ENGINE_COUNT];
    bool agree;
};

static struct times measure(const struct paths *paths, const char *program, unsigned rounds)
{
    struct times best = {{INFINITY, INFINITY, INFINITY}, true};
    char first[OUTPUT_BYTES] = "", output[OUTPUT_BYTES];
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned engine = 0; engine < ENGINE_COUNT; engine++) {
            if (!paths->has[engine]) continue;
            const double s = run_on(paths, (enum engine)engine, program, output);
            best.s[engine] = isnan(s) ? NAN : fmin(best.s[engine], s);
            if (first[0] == '\0') snprintf(first, sizeof(first), "%s", output);
            if (strcmp(first, output) != 0) best.agree = false;
        }
    }
    for (unsigned engine = 0; engine < ENGINE_COUNT; engine++)
        if (isinf(best.s[engine])) best.s[engine] = NAN;
    return best;
}

static void print(struct weft_bench *out, const char *program, const struct times *times)
{
    char row[64], note[96] = "";
    for (unsigned engine = 0; engine < ENGINE_COUNT; engine++) {
        if (isnan(times->s[engine])) continue;
        snprintf(row, sizeof(row), "%s, %s", program, engine_names[engine]);
        if (engine != WEFT)
            snprintf(note, sizeof(note), "weft takes %.2f of it",
                     times->s[WEFT] / times->s[engine]);
        weft_bench_row(out, row, times->s[engine] * 1e3, "ms", note[0] ? note : NULL);
    }
    if (!times->agree) weft_bench_say(out, "%s: the engines disagree on the result", program);
}

static void print_mean(struct weft_bench *out, enum engine against, double log_sum, unsigned count,
                       const char *goal)
{
    char row[64];
    snprintf(row, sizeof(row), "geometric mean, weft / %s", engine_names[against]);
    weft_bench_row(out, row, count == WEFT_COUNT_OF(programs) ? exp(log_sum / count) : NAN, "times",
                   goal);
}

int main(int argc, char **argv)
{
    struct weft_bench out;
    char ignored[OUTPUT_BYTES];
    double log_sum[ENGINE_COUNT] = {0};
    unsigned counts[ENGINE_COUNT] = {0};
    bool agree = true;
    weft_bench_begin(&out, "forth", "one process of each engine", argc, argv);
    if (out.argument_count != 3) {
        fprintf(stderr, "usage: bench_forth WEFT SOURCES TWINS [--json] [--quick]\n");
        return 64;
    }
    struct paths paths = {
        out.arguments[0], out.arguments[1], out.arguments[2], {true, true, false}};
    paths.has[GFORTH] = !isnan(run_on(&paths, GFORTH, NULL, ignored));
    const unsigned rounds = out.quick ? 1 : ROUNDS;
    const struct times start = measure(&paths, NULL, rounds);
    weft_bench_say(&out, "user + system time of a process, best of %u, interleaved", rounds);
    print(&out, "start and end", &start);
    for (size_t i = 0; i < WEFT_COUNT_OF(programs); i++) {
        const struct times times = measure(&paths, programs[i], rounds);
        print(&out, programs[i], &times);
        agree = agree && times.agree && !isnan(times.s[WEFT]);
        for (unsigned engine = GCC; engine < ENGINE_COUNT; engine++) {
            if (isnan(times.s[WEFT]) || isnan(times.s[engine])) continue;
            log_sum[engine] += log(times.s[WEFT] / times.s[engine]);
            counts[engine]++;
        }
        weft_bench_probe(&out);
    }
    print_mean(&out, GCC, log_sum[GCC], counts[GCC],
               "goal 1.5, compiled; there is no compiler yet");
    print_mean(&out, GFORTH, log_sum[GFORTH], counts[GFORTH],
               paths.has[GFORTH] ? "goal 1, bytecode alone" : "not installed: --peers installs it");
    weft_bench_row(&out, "cost of reductions and bounds", NAN, "%",
                   "the engine cannot be built without them");
    weft_bench_end(&out);
    return agree ? 0 : 1;
}
