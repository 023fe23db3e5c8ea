// explore.h: runs a few threads of real code in every order, with every value that a weak memory
// may show them.
//
// The code under test is compiled with -fsanitize=thread and linked against hooks of our own
// (hooks.c) instead of the sanitizer's, so every access of it comes through here: atomics are
// steps, plain accesses are checked for races. The search is stateless (Godefroid 1996): it runs
// the threads again and again from the start, each time with the next row of choices, and leaves
// out orders that differ only in steps that do not touch each other (sleep sets). What memory shows
// is in memory.h. What GenMC does for C in general, this does for ours (Kokologiannakis et al.
// 2019, "Model checking for weakly consistent libraries").
//
// Not covered: a load that sees a store which depends on that load (load buffering), and what a
// loop without an end would do. A sequentially consistent access is taken as one between two full
// fences, which is a little more than C11 gives.
//
// One exploration at a time: the hooks have no argument to find it by, so it stands in one static
// object; this is a test program's, not the runtime's.
#ifndef WEFT_TESTS_MODEL_EXPLORE_H
#define WEFT_TESTS_MODEL_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#define EXPLORE_THREADS 4

struct explore_case {
    const char *name;
    void (*setup)(void); // Alone, before the threads.
    unsigned thread_count;
    void (*thread[EXPLORE_THREADS])(void);
    void (*check)(void); // Alone, when all have ended. NULL: nothing.
};

enum explore_weakness { // What a mutant leaves out.
    EXPLORE_RELEASE = 1 << 0,
    EXPLORE_ACQUIRE = 1 << 1,
    EXPLORE_FENCE = 1 << 2, // Full fences.
};

struct explore_options {
    uint64_t seed;            // 0: every execution; else random ones from this seed,
    uint64_t executions;      // so many; of every execution: at most, 0: no limit.
    unsigned weakness;        // enum explore_weakness.
    const void *weak_address; // Of accesses there only; NULL: of all.
};

struct explore_result {
    uint64_t executions, steps;
    uint64_t seen;     // What explore_saw was told.
    bool is_complete;  // Every execution was run, or the wanted number.
    bool has_failed;   // The last one broke something:
    char failure[200]; // what,
    uint64_t seed;     // and from which seed (random ones).
};

// Runs `what`; stops at the first failure.
struct explore_result explore_run(const struct explore_case *what,
                                  const struct explore_options *options);

// ---- For the threads and checks of a case.

unsigned explore_thread(void); // Which one runs: 0 …
// The law is broken: ends the execution and the search.
_Noreturn __attribute__((format(printf, 1, 2))) void explore_fail(const char *format, ...);
// One of 64 outcomes has been seen.
void explore_saw(unsigned outcome);
// A number below `count`, each of them in some execution.
unsigned explore_choose(unsigned count);

// A bell, which orders nothing: waiting ends when it has been rung since. A thread that nobody
// rings for any more is a failure.
void explore_ring(unsigned bell);
void explore_wait(unsigned bell);

// ---- For memory.c and hooks.c.

// CHANGE: reads and writes at once.
enum explore_kind { EXPLORE_READ, EXPLORE_WRITE, EXPLORE_CHANGE, EXPLORE_FULL_FENCE, EXPLORE_BELL };
// Before an access that others may see: whoever is to go next goes.
void explore_step(enum explore_kind kind, const void *address);
bool explore_is_running(void); // Threads run; otherwise accesses are just made.
bool explore_is_random(void);
const struct explore_options *explore_now(void);

#endif // WEFT_TESTS_MODEL_EXPLORE_H
