#include "forth/standalone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "forth/unit.h"

enum { EXIT_USAGE = 64, EXIT_NO_INPUT = 66, EXIT_INTERNAL = 70, EXIT_OTHER_THROW = 63 };
enum { UNSUPPORTED = -21 };

static const char usage[] = "usage: %s [--strict] [FILE...] [-e TEXT]...\n"
                            "Interprets files and texts in the order given; standard input if "
                            "there is neither, or for -.\n"
                            "--strict: a stack comment that is wrong is an error, no warning.\n";

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t host_now_ns(void *self)
{
    (void)self;
    return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t host_unix_us(void *self)
{
    (void)self;
    return clock_ns(CLOCK_REALTIME) / 1000;
}

static int64_t host_accept(void *self, void *to, size_t size)
{
    (void)self;
    size_t length = 0;
    int c;
    fflush(stdout);
    while ((c = getchar()) != EOF && c != '\n') {
        if (length < size) ((char *)to)[length++] = (char)c;
    }
    return (int64_t)length;
}

static int32_t host_key(void *self)
{
    (void)self;
    fflush(stdout);
    const int c = getchar();
    return c == EOF ? -2 : c;
}

static void flush_output(struct weft_unit *unit)
{
    char text[4096];
    size_t length;
    while ((length = weft_unit_output_take(unit, text, sizeof(text))) > 0)
        fwrite(text, 1, length, stdout);
}

// What of a text's lines its name does not tell: the line at which it began.
struct text_place {
    uint32_t line;
};

// A stack comment that is wrong.
static void host_warning(void *self, const struct weft_unit_error *warning)
{
    const struct text_place *place = self;
    char text[512];
    struct weft_unit_error moved = *warning;
    if (moved.line != 0 && moved.outer[0] == '\0') moved.line += place->line - 1;
    weft_unit_warning_render(&moved, text, sizeof(text));
    fflush(stdout);
    fputs(text, stderr);
}

// The exit status for the error, which is printed; its text began at `line` of what was read.
static int report(const struct weft_unit *unit, uint32_t line)
{
    char text[512];
    struct weft_unit_error error = *weft_unit_error(unit);
    if (error.line != 0 && error.outer[0] == '\0') error.line += line - 1;
    weft_unit_error_render(&error, text, sizeof(text));
    fflush(stdout);
    fputs(text, stderr);
    if (error.code == UNSUPPORTED)
        fputs("weft forth runs without a node; what reaches one works after `weft unit load`\n",
              stderr);
    return error.code < 0 && error.code >= -62 ? -error.code : EXIT_OTHER_THROW;
}

// Parked in MS: sleep until then. In RECEIVE nothing can ever come here.
static void sleep_until(const struct weft_unit *unit)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit, &info);
    const struct timespec wake = {.tv_sec = (time_t)(info.wake_ns / 1000000000u),
                                  .tv_nsec = (long)(info.wake_ns % 1000000000u)};
    fflush(stdout);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
}

// -1: the text is done. Otherwise the exit status; *bye if the program asked for it.
static int interpret(struct weft_unit *unit, const char *name, uint32_t line, const char *text,
                     size_t length, bool *bye)
{
    struct text_place place = {.line = line};
    const struct weft_unit_host host = {.self = &place,
                                        .now_ns = host_now_ns,
                                        .unix_us = host_unix_us,
                                        .accept = host_accept,
                                        .key = host_key,
                                        .warning = host_warning};
    weft_unit_set_host(unit, &host);
    const int code = weft_unit_interpret(unit, name, text, length);
    if (code != 0) {
        fprintf(stderr, "%s: the text does not fit into the memory quota\n", name);
        return EXIT_INTERNAL;
    }
    for (;;) {
        uint32_t reductions = 100000;
        const enum weft_unit_state state = weft_unit_run(unit, &reductions);
        flush_output(unit);
        switch (state) {
        case WEFT_UNIT_DONE: return -1;
        case WEFT_UNIT_BYE: *bye = true; return 0;
        case WEFT_UNIT_FAULT: return report(unit, line);
        case WEFT_UNIT_WAIT: sleep_until(unit); break;
        case WEFT_UNIT_AGAIN: break;
        }
    }
}

static char *read_all(FILE *file, size_t *length)
{
    size_t size = 1 << 16;
    char *text = malloc(size);
    *length = 0;
    while (text != NULL) {
        *length += fread(text + *length, 1, size - *length, file);
        if (*length < size) return text;
        size *= 2;
        char *larger = realloc(text, size);
        if (larger == NULL) free(text);
        text = larger;
    }
    return NULL;
}

static int interpret_file(struct weft_unit *unit, const char *name, bool *bye)
{
    FILE *file = fopen(name, "rb");
    size_t length;
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read: %s\n", name, strerror(errno));
        return EXIT_NO_INPUT;
    }
    char *text = read_all(file, &length);
    const int failed = ferror(file) != 0 ? errno : 0;
    fclose(file);
    int status = EXIT_NO_INPUT;
    if (text == NULL || failed != 0) {
        fprintf(stderr, "%s: cannot be read: %s\n", name, strerror(failed != 0 ? failed : ENOMEM));
    } else {
        status = interpret(unit, name, 1, text, length, bye);
    }
    free(text);
    return status;
}

// " ok", with the depth of the stack if something is on it; " compiled" within a definition.
static void answer_ok(const struct weft_unit *unit)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit, &info);
    if (info.compiling) {
        puts(" compiled");
    } else if (info.depth > 0) {
        printf(" ok <%u>\n", info.depth);
    } else {
        puts(" ok");
    }
}

// Line by line. A person gets `ok` and goes on after an error; a pipe ends at its first.
static int interpret_input(struct weft_unit *unit, bool *bye)
{
    const bool person = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    uint32_t number = 1; // At the prompt each line is the first.
    int status = -1;
    while (!*bye && (length = getline(&line, &size, stdin)) >= 0) {
        status = interpret(unit, "stdin", number, line, (size_t)length, bye);
        number += person ? 0 : 1;
        if (status == 0 || (status > 0 && !person)) break;
        if (person && status < 0) answer_ok(unit);
        if (person) status = -1;
    }
    free(line);
    return status;
}

static int interpret_arguments(struct weft_unit *unit, int argc, char **argv, bool *bye)
{
    int status = -1;
    bool texts = false;
    for (int n = 1; n < argc && status < 0 && !*bye; n++) {
        if (strcmp(argv[n], "--strict") == 0) continue;
        texts = true;
        if (strcmp(argv[n], "-e") == 0) {
            n++;
            status = interpret(unit, "-e", 1, argv[n], strlen(argv[n]), bye);
        } else if (strcmp(argv[n], "-") == 0) {
            status = interpret_input(unit, bye);
        } else {
            status = interpret_file(unit, argv[n], bye);
        }
    }
    if (!texts) status = interpret_input(unit, bye);
    return status < 0 ? 0 : status;
}

static int check_arguments(int argc, char **argv)
{
    for (int n = 1; n < argc; n++) {
        if (strcmp(argv[n], "--help") == 0) {
            printf(usage, argv[0]);
            return 0;
        }
        if (strcmp(argv[n], "--strict") == 0) continue;
        const bool missing = strcmp(argv[n], "-e") == 0 && n + 1 == argc;
        if (missing || (argv[n][0] == '-' && argv[n][1] != '\0' && strcmp(argv[n], "-e") != 0)) {
            fprintf(stderr, "%s: %s: %s\n", argv[0], argv[n],
                    missing ? "needs a text" : "unknown option");
            fprintf(stderr, usage, argv[0]);
            return EXIT_USAGE;
        }
        if (strcmp(argv[n], "-e") == 0) n++;
    }
    return -1;
}

int weft_forth_standalone(int argc, char **argv)
{
    const int checked = check_arguments(argc, argv);
    if (checked >= 0) return checked;

    struct weft_unit_options options = weft_unit_options_default;
    options.memory_bytes_max = 1 << 28; // A person's own machine: 256 MiB.
    options.output_bytes_max = 1 << 20;
    for (int n = 1; n < argc; n++) {
        if (strcmp(argv[n], "-e") == 0) n++;
        if (n < argc && strcmp(argv[n], "--strict") == 0) options.strict_effects = true;
    }
    struct weft_forth_system *system = NULL;
    struct weft_unit *unit = NULL;
    int status = EXIT_INTERNAL;
    bool bye = false;
    if (weft_forth_system_create(&weft_forth_memory_libc, &system) == 0 &&
        weft_unit_create(system, &weft_forth_memory_libc, &options, NULL, &unit) == 0) {
        status = interpret_arguments(unit, argc, argv, &bye);
        fflush(stdout);
    } else {
        fprintf(stderr, "%s: no memory\n", argv[0]);
    }
    weft_unit_free(unit);
    weft_forth_system_free(system);
    return status;
}
