#include "tests/model/explore.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "runtime/sched/fiber.h"
#include "tests/model/memory.h"

#define CHOICES_MAX   20000 // Of one execution.
#define STEPS_MAX     1000000
#define BELLS_MAX     8
#define STACK_BYTES   (256 * 1024)
#define LOCATIONS_MAX 1024
#define OWNER_NOBODY  UINT8_MAX
#define OWNER_MANY    (UINT8_MAX - 1)

enum state { READY, WAITING, ENDED }; // WAITING: for a bell.

struct thread {
    struct weft_fiber fiber;
    enum state state;
    bool wants_step; // READY: the step below is what it does next; else it has not begun.
    enum explore_kind kind;
    const void *address;
};

// One choice of an execution: of a thread, or of one of `count` values.
struct choice {
    bool is_thread;
    uint8_t chosen, done, worth; // Of threads, by bit: those tried already, and those worth it.
    unsigned count, value;
};

static struct {
    const struct explore_case *what;
    struct explore_options options;
    struct explore_result result;
    struct thread threads[EXPLORE_THREADS];
    struct weft_fiber loop;
    unsigned running;
    bool is_running, is_over; // `is_over`: this execution has failed.
    unsigned bells[BELLS_MAX];
    unsigned sleeping; // Sleep set: threads whose next step has been tried in every way, by bit.
    struct choice choices[CHOICES_MAX];
    unsigned choice_count, choice_at; // So many are made; the next one.
    uint64_t steps;
    struct weft_prng prng;
    // Locations that only one thread has ever touched need no choice of who goes first there. When
    // a second one does, the search starts over, with what it knows now.
    struct {
        const void *address;
        uint8_t owner;
    } owners[4 * LOCATIONS_MAX];
    bool starts_over;
} search;

// ---- What the threads and the memory ask.

unsigned explore_thread(void)
{
    return search.running;
}

bool explore_is_running(void)
{
    return search.is_running;
}

bool explore_is_random(void)
{
    return search.options.seed != 0;
}

const struct explore_options *explore_now(void)
{
    return &search.options;
}

void explore_saw(unsigned outcome)
{
    search.result.seen |= UINT64_C(1) << outcome;
}

void explore_fail(const char *format, ...)
{
    va_list args;
    search.result.has_failed = true;
    va_start(args, format);
    vsnprintf(search.result.failure, sizeof(search.result.failure), format, args);
    va_end(args);
    if (!search.is_running) { // Before the threads, or after them.
        printf("%s: seed %llu: %s\n", search.what->name, (unsigned long long)search.result.seed,
               search.result.failure);
        exit(1);
    }
    search.is_over = true;
    weft_fiber_switch(&search.threads[search.running].fiber, &search.loop);
    __builtin_unreachable();
}

void weft_assert_failed(const char *file, int line, const char *condition)
{
    explore_fail("assertion failed at %s:%d: %s", file, line, condition);
}

// ---- Choices.

static struct choice *next_choice(void)
{
    if (search.choice_at == CHOICES_MAX) explore_fail("more than %u choices", CHOICES_MAX);
    return &search.choices[search.choice_at];
}

unsigned explore_choose(unsigned count)
{
    if (explore_is_random()) return weft_prng_below(&search.prng, count);
    if (count == 1) return 0;
    struct choice *choice = next_choice();
    if (search.choice_at++ == search.choice_count) {
        *choice = (struct choice){.count = count};
        search.choice_count++;
    }
    weft_assert(!choice->is_thread && choice->count == count); // The code is deterministic.
    return choice->value;
}

// True if what follows `done` and then `sleeper` has been seen where `sleeper` came first: because
// the two do not touch each other, or because memory can make up for the order. A load that comes
// behind a store may still return what was there before, and a store may still come before another
// one in the order of its location; the other way round they may not.
static bool is_covered(const struct thread *sleeper, const struct thread *done)
{
    if (!sleeper->wants_step || !done->wants_step) return true; // It only begins.
    if (sleeper->kind == EXPLORE_FULL_FENCE || done->kind == EXPLORE_FULL_FENCE)
        return sleeper->kind != done->kind;
    if (sleeper->address != done->address) return true;
    switch (sleeper->kind) {
    case EXPLORE_WRITE: return true;
    case EXPLORE_CHANGE:
    case EXPLORE_READ: return done->kind == EXPLORE_READ;
    default: return false;
    }
}

// Stores first, then what makes stores: so that the rest is covered more often.
static unsigned first_of(unsigned mask)
{
    static const enum explore_kind first[] = {EXPLORE_WRITE, EXPLORE_CHANGE};
    for (unsigned n = 0; n < WEFT_COUNT_OF(first); n++) {
        for (unsigned left = mask; left != 0; left &= left - 1) {
            const struct thread *thread = &search.threads[__builtin_ctz(left)];
            if (thread->wants_step && thread->kind == first[n])
                return (unsigned)__builtin_ctz(left);
        }
    }
    return (unsigned)__builtin_ctz(mask);
}

static unsigned enabled(void)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < search.what->thread_count; i++) {
        const struct thread *thread = &search.threads[i];
        const bool waits =
            thread->state == WAITING && search.bells[(uintptr_t)thread->address - 1] == 0;
        if (thread->state != ENDED && !waits) mask |= 1u << i;
    }
    return mask;
}

// Whose step is next: -1: nobody's that is worth it.
static int choose_thread(unsigned mask)
{
    if (explore_is_random()) {
        for (unsigned skip = weft_prng_below(&search.prng, (uint32_t)__builtin_popcount(mask));
             skip > 0; skip--)
            mask &= mask - 1;
        return __builtin_ctz(mask);
    }
    const unsigned worth = mask & ~search.sleeping;
    if (worth == 0) return -1;
    struct choice *choice = next_choice();
    if (search.choice_at++ == search.choice_count) {
        *choice = (struct choice){
            .is_thread = true, .chosen = (uint8_t)first_of(worth), .worth = (uint8_t)worth};
        search.choice_count++;
    }
    weft_assert(choice->is_thread && choice->worth == worth); // The code is deterministic.
    // Those tried here before sleep from now on, until a step that touches theirs.
    unsigned sleeping = search.sleeping | choice->done;
    const struct thread *next = &search.threads[choice->chosen];
    for (unsigned i = 0; i < search.what->thread_count; i++) {
        if ((sleeping >> i & 1) != 0 && !is_covered(&search.threads[i], next))
            sleeping &= ~(1u << i);
    }
    search.sleeping = sleeping;
    return choice->chosen;
}

// Goes on to the next row of choices. False: there is none.
static bool next_row(void)
{
    while (search.choice_count > 0) {
        struct choice *last = &search.choices[search.choice_count - 1];
        if (last->is_thread) {
            const unsigned left = last->worth & ~(last->done | 1u << last->chosen);
            if (left != 0) {
                last->done |= (uint8_t)(1u << last->chosen);
                last->chosen = (uint8_t)__builtin_ctz(left);
                return true;
            }
        } else if (++last->value < last->count) {
            return true;
        }
        search.choice_count--;
    }
    return false;
}

// ---- Steps.

static uint8_t *owner_of(const void *address)
{
    const unsigned mask = 4 * LOCATIONS_MAX - 1;
    unsigned at = (unsigned)((uintptr_t)address * UINT64_C(0x9e3779b97f4a7c15) >> 40) & mask;
    while (search.owners[at].address != address && search.owners[at].address != NULL)
        at = (at + 1) & mask;
    if (search.owners[at].address == NULL) {
        search.owners[at].address = address;
        search.owners[at].owner = OWNER_NOBODY;
    }
    return &search.owners[at].owner;
}

static bool is_shared(const void *address)
{
    if (explore_is_random()) return true;
    uint8_t *owner = owner_of(address);
    if (*owner == OWNER_MANY) return true;
    if (*owner == OWNER_NOBODY) *owner = (uint8_t)search.running;
    if (*owner == search.running) return false;
    *owner = OWNER_MANY;
    search.starts_over = true;
    return true;
}

static void leave(void)
{
    weft_fiber_switch(&search.threads[search.running].fiber, &search.loop);
}

void explore_step(enum explore_kind kind, const void *address)
{
    struct thread *thread = &search.threads[search.running];
    if (++search.steps > STEPS_MAX) explore_fail("no end after %u steps", STEPS_MAX);
    if (kind != EXPLORE_FULL_FENCE && !is_shared(address)) return;
    thread->wants_step = true;
    thread->kind = kind;
    thread->address = address;
    leave();
}

// Bells have addresses of their own: small numbers.
void explore_ring(unsigned bell)
{
    explore_step(EXPLORE_BELL, (const void *)(uintptr_t)(bell + 1));
    search.bells[bell]++;
}

void explore_wait(unsigned bell)
{
    struct thread *thread = &search.threads[search.running];
    is_shared((const void *)(uintptr_t)(bell + 1));
    thread->wants_step = true;
    thread->kind = EXPLORE_BELL;
    thread->address = (const void *)(uintptr_t)(bell + 1);
    thread->state = WAITING;
    leave();
    search.bells[bell] = 0;
}

// ---- Executions.

static void begin(struct weft_fiber *from, struct weft_fiber *self)
{
    (void)from;
    const unsigned number =
        (unsigned)(WEFT_CONTAINER_OF(self, struct thread, fiber) - search.threads);
    search.what->thread[number]();
    search.threads[number].state = ENDED;
    weft_fiber_end(self, &search.loop);
}

static char stacks[EXPLORE_THREADS][STACK_BYTES];

static void prepare(unsigned number)
{
    struct thread *thread = &search.threads[number];
    thread->state = READY;
    thread->wants_step = false;
    weft_fiber_prepare(&thread->fiber, stacks[number], stacks[number] + STACK_BYTES, begin);
}

static bool all_ended(void)
{
    for (unsigned i = 0; i < search.what->thread_count; i++) {
        if (search.threads[i].state != ENDED) return false;
    }
    return true;
}

static void fail_stuck(void)
{
    search.is_over = true;
    search.result.has_failed = true;
    snprintf(search.result.failure, sizeof(search.result.failure),
             "nobody goes on: who sleeps is not woken");
}

// Runs the threads to their end, or to where it is known how they would go on.
static void run_threads(void)
{
    search.is_running = true;
    while (!search.is_over && !search.starts_over) {
        const unsigned mask = enabled();
        if (mask == 0) {
            if (!all_ended()) fail_stuck();
            break;
        }
        const int next = choose_thread(mask);
        if (next < 0) break;
        search.running = (unsigned)next;
        if (search.threads[next].state == WAITING) search.threads[next].state = READY;
        weft_fiber_switch(&search.loop, &search.threads[next].fiber);
    }
    search.is_running = false;
}

static void run_once(void)
{
    memory_reset();
    search.choice_at = search.sleeping = 0;
    search.is_over = false;
    memset(search.bells, 0, sizeof(search.bells));
    search.what->setup();
    for (unsigned i = 0; i < search.what->thread_count; i++)
        prepare(i);
    search.steps = 0;
    run_threads();
    search.result.steps += search.steps;
    if (!search.is_over && !search.starts_over && all_ended()) {
        search.result.executions++;
        if (search.what->check != NULL) search.what->check();
    }
}

static void run_all(void)
{
    const uint64_t limit = search.options.executions;
    do {
        run_once();
        if (search.starts_over) {
            search.starts_over = false;
            search.choice_count = 0;
            search.result.executions = search.result.steps = search.result.seen = 0;
            search.result.has_failed = false;
            continue;
        }
        if (search.result.has_failed) return;
        if (limit != 0 && search.result.executions >= limit) return;
        if (!next_row()) {
            search.result.is_complete = true;
            return;
        }
    } while (true);
}

static void run_random(void)
{
    for (uint64_t i = 0; i < search.options.executions && !search.result.has_failed; i++) {
        search.result.seed = search.options.seed + i;
        weft_prng_seed(&search.prng, search.result.seed);
        run_once();
    }
    search.result.is_complete = !search.result.has_failed;
}

struct explore_result explore_run(const struct explore_case *what,
                                  const struct explore_options *options)
{
    search.what = what;
    search.options = *options;
    search.result = (struct explore_result){0};
    search.choice_count = 0;
    search.starts_over = false;
    memset(search.owners, 0, sizeof(search.owners));
    if (options->seed == 0) what->setup(); // The first time may find other addresses than the rest.
    if (options->seed != 0)
        run_random();
    else
        run_all();
    return search.result;
}
