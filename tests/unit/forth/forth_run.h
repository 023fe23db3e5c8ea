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
    uint64_t slices;
    struct weft_unit_error error; // Of the last fault.
    char output[65536];           // All of it, ended by NUL.
    size_t output_length;
};

static inline void forth_open(struct forth_run *run, const struct weft_forth_system *system,
                              enum forth_mode mode)
{
    run->system = system;
    run->mode = mode;
    run->slices = 0;
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

// The unit saved, freed and loaded. The image must be the same when saved once more.
static inline void forth_restore(struct forth_run *run)
{
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
    run->slices = 0;
    assert_int_equal(weft_unit_interpret(run->unit, name, text, strlen(text)), 0);
    return forth_go(run, UINT64_MAX);
}

#endif // WEFT_TESTS_FORTH_RUN_H
