// Stacks: taken, given back warm, guarded in both ways, dropped and trimmed.
#include "tests/support/cmocka.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/mem/stacks.h"

static const enum weft_stack_guard guards[] = {WEFT_STACK_PAGES, WEFT_STACK_CHECKS};

static void the_last_one_given_back_is_the_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(guards); i++) {
        struct weft_stacks *stacks = weft_stacks_create(100, guards[i]);
        assert_non_null(stacks);
        assert_int_equal(weft_stacks_view(stacks).count_max, 128); // Whole groups.
        void *a = weft_stacks_take(stacks), *b = weft_stacks_take(stacks);
        assert_ptr_equal((uint8_t *)a + WEFT_STACK_BYTES, b);
        assert_true(weft_stacks_owns(stacks, a) && weft_stacks_owns(stacks, b));
        assert_false(weft_stacks_owns(stacks, stacks) || weft_stacks_owns(stacks, &a));
        assert_false(weft_stacks_owns(stacks, (uint8_t *)a + 128 * WEFT_STACK_BYTES));
        assert_false(weft_stacks_owns(stacks, (uint8_t *)a - 1));
        for (void *stack = a; stack != NULL; stack = stack == a ? b : NULL) {
            uint8_t *top = weft_stacks_top(stack), *limit = weft_stacks_limit(top - 1);
            assert_ptr_equal(limit, (uint8_t *)stack + WEFT_STACK_GUARD_BYTES);
            memset(limit, 0x5a, (size_t)(top - limit));     // All of it is ours,
            assert_true(weft_stacks_intact(stacks, stack)); // and nothing above.
        }
        assert_ptr_not_equal((uint8_t *)weft_stacks_top(a) - (uint8_t *)a,
                             (uint8_t *)weft_stacks_top(b) - (uint8_t *)b);
        weft_stacks_release(stacks, a);
        assert_ptr_equal(weft_stacks_take(stacks), a);
        assert_int_equal(weft_stacks_view(stacks).used, 2);
        weft_stacks_free(stacks);
    }
}

static void all_are_taken_at_last(void **state)
{
    (void)state;
    struct weft_stacks *stacks = weft_stacks_create(64, WEFT_STACK_PAGES);
    void *last = NULL;
    for (unsigned i = 0; i < 64; i++) {
        last = weft_stacks_take(stacks);
        assert_non_null(last);
    }
    assert_null(weft_stacks_take(stacks));
    weft_stacks_release(stacks, last);
    assert_ptr_equal(weft_stacks_take(stacks), last);
    weft_stacks_free(stacks);
}

// True if writing at `where` ends a process by SIGSEGV.
static bool faults(uint8_t *where)
{
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); // A sanitizer's handler would report it.
        *(volatile uint8_t *)where = 1;
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void an_overflow_is_a_fault_where_there_are_guard_pages(void **state)
{
    (void)state;
    struct weft_stacks *stacks = weft_stacks_create(64, WEFT_STACK_PAGES);
    if (weft_stacks_view(stacks).guard != WEFT_STACK_PAGES) {
        weft_stacks_free(stacks);
        print_message("skipped: this kernel has no MADV_GUARD_INSTALL (Linux 6.13)\n");
        skip();
    }
    for (unsigned i = 0; i < 20; i++) {
        uint8_t *stack = weft_stacks_take(stacks), *limit = weft_stacks_limit(stack + 5000);
        assert_false(faults(limit));
        assert_true(faults(limit - 1));
        weft_stacks_drop(stacks, stack, 1); // The guard stays.
        assert_true(faults(limit - 1));
    }
    weft_stacks_free(stacks);
}

static void without_them_the_first_of_a_group_faults_and_the_others_are_seen(void **state)
{
    (void)state;
    struct weft_stacks *stacks = weft_stacks_create(64, WEFT_STACK_CHECKS);
    assert_int_equal(weft_stacks_view(stacks).guard, WEFT_STACK_CHECKS);
    uint8_t *first = weft_stacks_take(stacks), *second = weft_stacks_take(stacks);
    assert_true(faults(first));
    assert_true(weft_stacks_intact(stacks, first));
    memset(second - 8, 0x5a, 8); // What an overflow of the second does.
    assert_false(weft_stacks_intact(stacks, first));
    weft_stacks_release(stacks, first);
    first = weft_stacks_take(stacks);
    assert_true(weft_stacks_intact(stacks, first));
    weft_stacks_free(stacks);
}

// Pages of `stack` that have memory.
static unsigned resident_pages(const void *stack)
{
    unsigned char there[WEFT_STACK_BYTES / 4096];
    unsigned count = 0;
    if (mincore((void *)(uintptr_t)stack, WEFT_STACK_BYTES, there) != 0) return 0;
    for (unsigned i = 0; i < sizeof(there); i++)
        count += there[i] & 1;
    return count;
}

enum { CROWD = 47 * WEFT_STACK_GROUP };
static void *crowd[CROWD];

static void take_all(struct weft_stacks *stacks)
{
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i] = weft_stacks_take(stacks);
        memset((uint8_t *)weft_stacks_top(crowd[i]) - 300, 1, 300);
    }
}

static void release_all(struct weft_stacks *stacks)
{
    for (unsigned i = 0; i < CROWD; i++)
        weft_stacks_release(stacks, crowd[i]);
}

static void a_crowd_that_leaves_gives_its_memory_back(void **state)
{
    (void)state;
    struct weft_stacks *stacks = weft_stacks_create(CROWD, WEFT_STACK_PAGES);
    take_all(stacks);
    if (resident_pages(crowd[0]) == 0) {
        weft_stacks_free(stacks);
        print_message("skipped: mincore does not tell here what is resident\n");
        skip();
    }
    assert_in_range(resident_pages(crowd[0]), 1, 2);
    assert_int_equal(weft_stacks_trim(stacks, 0, 100), 0);
    release_all(stacks);
    assert_true(weft_stacks_has_surplus(stacks));
    assert_int_equal(weft_stacks_trim(stacks, WEFT_STACK_REST_NS, 100), 0); // Used in this period.
    assert_int_equal(weft_stacks_trim(stacks, 2 * WEFT_STACK_REST_NS, 100), 100);
    while (weft_stacks_trim(stacks, 2 * WEFT_STACK_REST_NS, 777) > 0)
        continue;
    assert_false(weft_stacks_has_surplus(stacks));
    unsigned resident = 0;
    for (unsigned i = 0; i < CROWD; i++)
        resident += resident_pages(crowd[i]) > 0;
    assert_int_equal(resident, WEFT_STACK_WARM_MAX);
    // The warm ones go first; the cold ones are as good afterwards. Without guard pages the word at
    // a stack's end is written when it is taken, so that it looks warm in any case.
    const bool tells = weft_stacks_view(stacks).guard == WEFT_STACK_PAGES;
    for (unsigned i = 0; i < CROWD; i++) {
        uint8_t *stack = weft_stacks_take(stacks);
        if (tells) assert_int_equal(resident_pages(stack) > 0, i < WEFT_STACK_WARM_MAX);
        memset((uint8_t *)weft_stacks_top(stack) - 300, 2, 300);
    }
    assert_null(weft_stacks_take(stacks));
    weft_stacks_free(stacks);
}

static void a_crowd_that_comes_again_finds_its_memory(void **state)
{
    (void)state;
    struct weft_stacks *stacks = weft_stacks_create(CROWD, WEFT_STACK_PAGES);
    for (uint64_t period = 0; period < 5; period++) {
        take_all(stacks);
        release_all(stacks);
        assert_int_equal(weft_stacks_trim(stacks, period * WEFT_STACK_REST_NS, CROWD), 0);
    }
    for (unsigned i = 0; i < CROWD / 2; i++) // Half of them from now on.
        crowd[i] = weft_stacks_take(stacks);
    for (unsigned i = 0; i < CROWD / 2; i++)
        weft_stacks_release(stacks, crowd[i]);
    assert_int_equal(weft_stacks_trim(stacks, 5 * WEFT_STACK_REST_NS, CROWD),
                     CROWD / 2 - WEFT_STACK_WARM_MAX);
    weft_stacks_free(stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_one_given_back_is_the_next),
        cmocka_unit_test(all_are_taken_at_last),
        cmocka_unit_test(an_overflow_is_a_fault_where_there_are_guard_pages),
        cmocka_unit_test(without_them_the_first_of_a_group_faults_and_the_others_are_seen),
        cmocka_unit_test(a_crowd_that_leaves_gives_its_memory_back),
        cmocka_unit_test(a_crowd_that_comes_again_finds_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
