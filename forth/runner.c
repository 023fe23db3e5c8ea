// runner.c: the program that `weft forth -o` completes: the engine, and at its end what to run.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forth/binary.h"
#include "forth/family.h"
#include "forth/machine.h"
#include "forth/play.h"
#include "forth/unit.h"

enum { EXIT_BROKEN = 70 };

struct program {
    enum weft_binary_kind kind;
    void *bytes;
    size_t length;
    struct weft_forth_system *system;
    struct weft_machine machine;
    struct weft_unit_host host; // The unit reaches the machine through it.
    struct weft_unit *unit;
};

static int play_text(struct program *program, const char *name, const char *text, size_t length,
                     bool *bye)
{
    const int code = weft_unit_interpret(program->unit, name, text, length);
    if (code != 0) {
        fprintf(stderr, "%s: %s\n", name, strerror(-code));
        return EXIT_BROKEN;
    }
    const enum weft_unit_state state = weft_play(program->unit, &program->machine);
    *bye = state == WEFT_UNIT_BYE;
    return state == WEFT_UNIT_FAULT
               ? weft_play_report(weft_unit_error(program->unit), &program->machine)
               : 0;
}

static int play_sources(struct program *program)
{
    size_t at = 0, name_length, length;
    const char *name, *text;
    char name_text[64];
    int status = 0, found;
    bool bye = false;
    while (status == 0 && !bye &&
           (found = weft_binary_source_next(program->bytes, program->length, &at, &name,
                                            &name_length, &text, &length)) != 0) {
        if (found < 0) return EXIT_BROKEN;
        snprintf(name_text, sizeof(name_text), "%.*s", (int)name_length, name);
        status = play_text(program, name_text, text, length, &bye);
    }
    return status;
}

static int open_unit(struct program *program)
{
    weft_machine_host(&program->machine, &program->host);
    int code = weft_forth_system_create(&weft_forth_memory_libc, &program->system);
    if (code == 0)
        code = weft_family_create(&program->machine, program->system, &weft_play_options,
                                  &program->host);
    if (code != 0) return code;
    if (program->kind == WEFT_BINARY_SOURCES)
        return weft_unit_create(program->system, &weft_forth_memory_libc, &weft_play_options,
                                &program->host, &program->unit);
    return weft_unit_load(program->system, &weft_forth_memory_libc, &weft_play_options,
                          &program->host, program->bytes, program->length, &program->unit);
}

int main(int argc, char **argv)
{
    struct program program = {0};
    bool bye = false;
    int code = weft_binary_read("/proc/self/exe", &program.kind, &program.bytes, &program.length);
    weft_machine_init(&program.machine);
    weft_machine_files(&program.machine, ".");
    program.machine.argument_count = argc;
    program.machine.arguments = argv;
    program.machine.interrupted = weft_play_catch_interrupt();
    if (code == 0) code = open_unit(&program);
    int status = EXIT_BROKEN;
    if (code != 0) {
        fprintf(stderr, "%s: %s\n", argv[0],
                code == -ENOENT ? "no program inside; weft forth -o makes one" : strerror(-code));
    } else if (program.kind == WEFT_BINARY_IMAGE) {
        status = play_text(&program, "main", "main", 4, &bye);
    } else {
        status = play_sources(&program);
    }
    if (status == 0) status = program.machine.status;
    if (fflush(stdout) != 0 && status == 0) status = EXIT_BROKEN;
    weft_family_free(&program.machine);
    weft_unit_free(program.unit);
    weft_forth_system_free(program.system);
    weft_machine_destroy(&program.machine);
    free(program.bytes);
    return status;
}
