// forth.c: eight programs on `weft forth`, against the same in C by gcc -O2, in Lua, and, as far as
// they are there, on Debian's gforth-fast and pforth.
//
// bench_forth WEFT CHECKED BARE SOURCES SCRATCH [--json] [--quick]: WEFT is the tool, CHECKED and
// BARE the Forth alone, with its checks and without; SOURCES holds NAME.fth and NAME.lua; SCRATCH a
// program NAME in C for each, pforth.dic, and what we write. Questions: how far is the engine from
// C, and from the interpreters that Debian has? What do reductions, bounds and depths of stacks
// cost? How fast does it compile? User and system time of whole processes, best of five, or of as
// many as take a second and a half: what is short is disturbed more. The engines take turns within
// each round, so that a disturbance meets all. The outputs must be equal. What start-up costs is a
// row of its own and stays inside the others.
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

enum {
    ROUNDS = 5,
    ROUNDS_MAX = 40,
    OUTPUT_BYTES = 256,
    TIMEOUT_S = 120,
    WORDS_MAX = 8,
    PATH_BYTES = 512
};
enum engine { WEFT, GCC, GFORTH, PFORTH, LUA, CHECKED, BARE, ENGINE_COUNT };

// How each is called. In the words, %s is SOURCES/NAME, %t SCRATCH/NAME, %d SCRATCH; %w, %c and %b
// are the first three arguments.
static const struct {
    const char *name;
    const char *run[WORDS_MAX];   // A program.
    const char *start[WORDS_MAX]; // Nothing at all.
    const char *lines[WORDS_MAX]; // SCRATCH/lines.fth, which only defines words.
} engines[ENGINE_COUNT] = {
    [WEFT] = {"weft",
              {"%w", "forth", "%s.fth"},
              {"%w", "forth", "-e", "bye"},
              {"%w", "forth", "%d/lines.fth", "-e", "bye"}},
    [GCC] = {"gcc -O2", {"%t"}, {"true"}, {0}},
    [GFORTH] = {"gforth-fast",
                {"gforth-fast", "%s.fth", "-e", "bye"},
                {"gforth-fast", "-e", "bye"},
                {"gforth-fast", "-m", "64M", "%d/lines.fth", "-e", "bye"}},
    [PFORTH] = {"pforth",
                {"pforth", "-q", "-d%d/pforth.dic", "%s.fth"},
                {"pforth", "-q", "-d%d/pforth.dic", "%d/empty.fth"},
                {0}},
    [LUA] = {"lua5.4", {"lua5.4", "%s.lua"}, {"lua5.4", "-e", ""}, {0}},
    [CHECKED] = {"weft, the Forth alone", {"%c", "%s.fth"}, {0}, {0}},
    [BARE] = {"weft, without its checks", {"%b", "%s.fth"}, {0}, {0}},
};

static const char *const programs[] = {"fib",    "nest",   "sieve",      "bubble",
                                       "matrix", "queens", "mandelbrot", "parse"};

struct paths {
    const char *weft, *checked, *bare, *sources, *scratch;
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

// One word of a command, with what it stands for.
static void expand(const struct paths *paths, const char *word, const char *program,
                   char to[PATH_BYTES])
{
    const char *sign = strchr(word, '%');
    if (sign == NULL) {
        snprintf(to, PATH_BYTES, "%s", word);
        return;
    }
    const int before = (int)(sign - word);
    const char *after = sign + 2;
    switch (sign[1]) {
    case 'w': snprintf(to, PATH_BYTES, "%s", paths->weft); break;
    case 'c': snprintf(to, PATH_BYTES, "%s", paths->checked); break;
    case 'b': snprintf(to, PATH_BYTES, "%s", paths->bare); break;
    case 's': snprintf(to, PATH_BYTES, "%s/%s%s", paths->sources, program, after); break;
    case 't': snprintf(to, PATH_BYTES, "%s/%s", paths->scratch, program); break;
    default: snprintf(to, PATH_BYTES, "%.*s%s%s", before, word, paths->scratch, after); break;
    }
}

static double run_on(const struct paths *paths, const char *const command[WORDS_MAX],
                     const char *program, char output[OUTPUT_BYTES])
{
    char limit[16], text[WORDS_MAX][PATH_BYTES];
    char *words[WORDS_MAX + 3] = {(char *)(uintptr_t) "timeout", limit};
    if (command[0] == NULL) return NAN;
    snprintf(limit, sizeof(limit), "%d", TIMEOUT_S);
    for (unsigned n = 0; n < WORDS_MAX && command[n] != NULL; n++) {
        expand(paths, command[n], program, text[n]);
        words[2 + n] = text[n];
    }
    return run(words, output);
}

enum what { PROGRAM, START, LINES };

static const char *const *command_of(unsigned engine, enum what what)
{
    return what == PROGRAM ? engines[engine].run
           : what == START ? engines[engine].start
                           : engines[engine].lines;
}

struct times {
    double s[ENGINE_COUNT]; // NAN: it is not there, or it failed.
    bool agree;
};

// Whether an engine has another turn, after so many.
static bool again(double best_s, unsigned turns, unsigned rounds)
{
    return turns < rounds || (rounds > 1 && turns < ROUNDS_MAX && best_s * turns < 1.5);
}

static struct times measure(const struct paths *paths, enum what what, const char *program,
                            unsigned rounds)
{
    struct times best = {.agree = true};
    char first[OUTPUT_BYTES] = "", output[OUTPUT_BYTES];
    for (unsigned engine = 0; engine < ENGINE_COUNT; engine++)
        best.s[engine] = paths->has[engine] ? INFINITY : NAN;
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        for (unsigned engine = 0; engine < ENGINE_COUNT; engine++) {
            if (isnan(best.s[engine]) || !again(best.s[engine], round, rounds)) continue;
            const double s = run_on(paths, command_of(engine, what), program, output);
            best.s[engine] = isnan(s) ? NAN : fmin(best.s[engine], s);
            if (first[0] == '\0') snprintf(first, sizeof(first), "%s", output);
            if (!isnan(s) && strcmp(first, output) != 0) best.agree = false;
        }
    }
    return best;
}

static void print(struct weft_bench *out, const char *program, const struct times *times)
{
    char row[64], note[96] = "";
    for (unsigned engine = 0; engine < ENGINE_COUNT; engine++) {
        if (isnan(times->s[engine])) continue;
        snprintf(row, sizeof(row), "%s, %s", program, engines[engine].name);
        if (engine == BARE)
            snprintf(note, sizeof(note), "with them, %.2f of it",
                     times->s[CHECKED] / times->s[BARE]);
        else if (engine != WEFT)
            snprintf(note, sizeof(note), "weft takes %.2f of it",
                     times->s[WEFT] / times->s[engine]);
        weft_bench_row(out, row, times->s[engine] * 1e3, "ms", note[0] ? note : NULL);
    }
    if (!times->agree) weft_bench_say(out, "%s: the engines disagree on the result", program);
}

struct mean {
    double log_sum;
    unsigned count;
};

static void add(struct mean *mean, double of, double to)
{
    if (isnan(of) || isnan(to)) return;
    mean->log_sum += log(of / to);
    mean->count++;
}

// NAN if a program is missing.
static double value(const struct mean *mean)
{
    return mean->count == WEFT_COUNT_OF(programs) ? exp(mean->log_sum / mean->count) : NAN;
}

// 20 000 words of five lines each, as a program has them: stack words, numbers, an IF, two calls.
static bool write_lines(const char *scratch)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/lines.fth", scratch);
    FILE *file = fopen(path, "we");
    if (file == NULL) return false;
    fputs(": word-0 ( a b -- c ) + ;\n: word-1 ( a b -- c ) - ;\n\n\n\n\n\n\n\n\n", file);
    for (unsigned n = 2; n < 20000; n++) {
        fprintf(file,
                ": word-%u ( a b -- c )\n    2dup + over swap\n"
                "    if drop %u word-%u else word-%u then\n    3 + swap drop\n;\n",
                n, n, n - 1, n - 2);
    }
    return fclose(file) == 0;
}

static void measure_lines(struct weft_bench *out, const struct paths *paths, unsigned rounds)
{
    char row[64];
    if (!write_lines(paths->scratch)) {
        weft_bench_say(out, "100 000 lines: %s", strerror(errno));
        return;
    }
    const struct times times = measure(paths, LINES, NULL, rounds);
    for (unsigned engine = 0; engine < ENGINE_COUNT; engine++) {
        if (isnan(times.s[engine])) continue;
        snprintf(row, sizeof(row), "100 000 lines compiled, %s", engines[engine].name);
        weft_bench_row(out, row, times.s[engine] * 1e3, "ms",
                       engine == WEFT ? "20 000 words; goal 1 000" : NULL);
    }
}

static void print_means(struct weft_bench *out, const struct mean means[ENGINE_COUNT],
                        const struct mean *cost)
{
    static const char *const goals[ENGINE_COUNT] = {
        [GCC] = "goal 1.5, compiled; there is no compiler yet",
        [GFORTH] = "goal 1, bytecode alone",
    };
    for (unsigned engine = GCC; engine < CHECKED; engine++) {
        char row[64];
        const double mean = value(&means[engine]);
        snprintf(row, sizeof(row), "geometric mean, weft / %s", engines[engine].name);
        weft_bench_row(out, row, mean, "times",
                       isnan(mean) ? "not installed: --peers installs it" : goals[engine]);
    }
    weft_bench_row(out, "cost of reductions, bounds and stack checks", (value(cost) - 1) * 100, "%",
                   "geometric mean; goal 5");
}

int main(int argc, char **argv)
{
    struct weft_bench out;
    char ignored[OUTPUT_BYTES];
    struct mean means[ENGINE_COUNT] = {0}, cost = {0};
    bool agree = true;
    weft_bench_begin(&out, "forth", "one process of each engine", argc, argv);
    if (out.argument_count != 5) {
        fprintf(stderr,
                "usage: bench_forth WEFT CHECKED BARE SOURCES SCRATCH [--json] [--quick]\n");
        return 64;
    }
    struct paths paths = {out.arguments[0], out.arguments[1], out.arguments[2],
                          out.arguments[3], out.arguments[4], {0}};
    for (unsigned engine = 0; engine < ENGINE_COUNT; engine++)
        paths.has[engine] = engine == CHECKED || engine == BARE ||
                            !isnan(run_on(&paths, engines[engine].start, NULL, ignored));
    const unsigned rounds = out.quick ? 1 : ROUNDS;
    weft_bench_say(&out, "user + system time of a process, best of %u or more, interleaved",
                   rounds);
    const struct times start = measure(&paths, START, NULL, rounds);
    print(&out, "start and end", &start);
    for (size_t i = 0; i < WEFT_COUNT_OF(programs); i++) {
        const struct times times = measure(&paths, PROGRAM, programs[i], rounds);
        print(&out, programs[i], &times);
        agree = agree && times.agree && !isnan(times.s[WEFT]);
        for (unsigned engine = GCC; engine < CHECKED; engine++)
            add(&means[engine], times.s[WEFT], times.s[engine]);
        add(&cost, times.s[CHECKED], times.s[BARE]);
        weft_bench_probe(&out);
    }
    measure_lines(&out, &paths, rounds);
    print_means(&out, means, &cost);
    weft_bench_end(&out);
    return agree ? 0 : 1;
}
