// forth_run.h: runs texts in units the way nodes do, in slices, for the tests of forth/.
#ifndef WEFT_TESTS_FORTH_RUN_H
#define WEFT_TESTS_FORTH_RUN_H

#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forth/unit.h"

enum forth_mode {
    FORTH_PLAIN,   // Slices of 2000 reductions.
    FORTH_SINGLE,  // Slices of one.
    FORTH_RESTORE, // Slices of one; saved, freed and loaded again between any two.
    FORTH_MODE_COUNT,
};

struct forth_run {
    const struct weft_forth_system *system;
    const struct weft_unit_host *host;
    const struct weft_unit_options *options;
    struct weft_unit *unit;
    enum forth_mode mode;
    enum weft_unit_state state;
    uint64_t slices, restores;
    struct weft_unit_error error; // Of the last fault.
    char output[65536];           // All of it, ended by NUL.
    size_t output_length;
};

static inline void forth_open(struct forth_run *run, const struct weft_forth_system *system,
                              enum forth_mode mode)
{
    run->system = system;
    run->mode = mode;
    run->slices = run->restores = 0;
    run->output_length = 0;
    run->output[0] = '\0';
    assert_int_equal(
        weft_unit_create(system, &weft_forth_memory_libc, run->options, run->host, &run->unit), 0);
}

static inline void forth_close(struct forth_run *run)
{
    weft_unit_free(run->unit);
    run->unit = NULL;
}

static inline void forth_take(struct forth_run *run)
{
    run->output_length += weft_unit_output_take(run->unit, run->output + run->output_length,
                                                sizeof(run->output) - 1 - run->output_length);
    run->output[run->output_length] = '\0';
}

// The unit saved, freed and loaded; now and then its words are frozen before.
static inline void forth_restore(struct forth_run *run)
{
    if (run->restores++ % 3 == 0) assert_int_equal(weft_unit_freeze(run->unit), 0);
    const size_t bytes = weft_unit_image_bytes(run->unit);
    uint8_t *image = malloc(bytes);
    assert_non_null(image);
    assert_int_equal(weft_unit_save(run->unit, image, bytes), bytes);
    weft_unit_free(run->unit);
    const int code = weft_unit_load(run->system, &weft_forth_memory_libc, run->options, run->host,
                                    image, bytes, &run->unit);
    free(image);
    assert_int_equal(code, 0);
}

// Runs until the text is done, parked or faulted, or `slices_max` slices are spent.
static inline enum weft_unit_state forth_go(struct forth_run *run, uint64_t slices_max)
{
    do {
        uint32_t reductions = run->mode == FORTH_PLAIN ? 2000 : 1;
        run->state = weft_unit_run(run->unit, &reductions);
        run->slices++;
        if (run->state == WEFT_UNIT_FAULT) run->error = *weft_unit_error(run->unit);
        forth_take(run);
        if (run->mode == FORTH_RESTORE) forth_restore(run);
    } while (run->state == WEFT_UNIT_AGAIN && run->slices < slices_max);
    return run->state;
}

static inline enum weft_unit_state forth_text(struct forth_run *run, const char *name,
                                              const char *text)
{
    run->output_length = 0;
    run->output[0] = '\0';
    run->slices = run->restores = 0;
    assert_int_equal(weft_unit_interpret(run->unit, name, text, strlen(text)), 0);
    return forth_go(run, UINT64_MAX);
}

// A source and what it must print.
struct forth_case {
    const char *source, *output;
};

// Runs each case in every mode, in a unit of its own; nothing may differ, and nothing may fault but
// what waits for a user.
static inline void forth_print_what_they_must(const struct weft_forth_system *system,
                                              const struct forth_case *cases, size_t count)
{
    static struct forth_run run;
    int failures = 0;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < count; n++) {
            char rendered[512] = "";
            forth_open(&run, system, mode);
            forth_text(&run, "test", cases[n].source);
            if (run.state == WEFT_UNIT_FAULT)
                weft_unit_error_render(&run.error, rendered, sizeof(rendered));
            const bool expects_more = strstr(cases[n].source, "accept") != NULL;
            if (strcmp(run.output, cases[n].output) != 0 ||
                (run.state == WEFT_UNIT_FAULT && !expects_more)) {
                failures++;
                print_message("mode %d: %s\nprinted [%s]\n   must [%s]\n%s\n", mode,
                              cases[n].source, run.output, cases[n].output, rendered);
            }
            forth_close(&run);
        }
    }
    assert_int_equal(failures, 0);
}

// Set-up and tear-down of a group of tests: *state is the system module.
static inline int forth_compile_system(void **state)
{
    return weft_forth_system_create(&weft_forth_memory_libc, (struct weft_forth_system **)state);
}

static inline int forth_free_system(void **state)
{
    weft_forth_system_free(*state);
    return 0;
}

#endif // WEFT_TESTS_FORTH_RUN_H
