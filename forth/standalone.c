#include "forth/standalone.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forth/binary.h"
#include "forth/family.h"
#include "forth/help.h"
#include "forth/machine.h"
#include "forth/play.h"
#include "forth/prompt.h"
#include "forth/unit.h"

enum { EXIT_USAGE = 64, EXIT_NO_INPUT = 66, EXIT_INTERNAL = 70, EXIT_NO_OUTPUT = 73 };

static const char usage[] =
    "usage: %s [-i] [--strict] [-o BIN] [--files DIR|--no-files] [FILE...] [-e TEXT]... [-- "
    "ARG...]\n"
    "Interprets files and texts in the order given; standard input if there is neither, or for -.\n"
    "  -e TEXT      interprets TEXT\n"
    "  -i           goes on with standard input behind the last file or text\n"
    "  --strict     a stack comment that is wrong is an error, no warning\n"
    "  -o BIN       makes an executable of them that needs no Weft: it runs MAIN, or else them "
    "all\n"
    "  --files DIR  the directory whose files a program may touch; this one without it, and files\n"
    "               to be read are then also looked for beside the first FILE\n"
    "  --no-files   no files at all\n"
    "  -- ARG...    words for ARG; a FILE that begins with #! gets all that stands behind it\n";

struct call {
    const char *name; // Of the command.
    const struct weft_forth_tools *tools;
    struct weft_machine machine;
    struct weft_unit_host host; // The unit reaches the machine through it.
    struct weft_forth_system *system;
    struct weft_unit *unit;
    bool bye;
    bool talk;          // -i
    const char *binary; // -o
    const char *files;  // --files
    bool no_files;
    bool strict;       // --strict
    const char *first; // FILE
    int texts;         // Files and texts that stand in argv.
    void *sources;     // -o: what has been interpreted.
    size_t sources_bytes;
    struct timespec begun;
};

// 0: the text is done. Otherwise the exit status; call->bye if the program asked for it.
static int interpret(struct call *call, const char *name, const char *text, size_t length)
{
    if (weft_unit_interpret(call->unit, name, text, length) != 0) {
        fprintf(stderr, "%s: the text does not fit into the memory quota\n", name);
        return EXIT_INTERNAL;
    }
    if (call->binary != NULL &&
        weft_binary_source_add(&call->sources, &call->sources_bytes, name, text, length) != 0)
        return EXIT_INTERNAL;
    const enum weft_unit_state state = weft_play(call->unit, &call->machine);
    call->bye = state == WEFT_UNIT_BYE;
    return state == WEFT_UNIT_FAULT ? weft_play_report(weft_unit_error(call->unit), &call->machine)
                                    : 0;
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

// The text of a file, of malloc; NULL if it cannot be read, which is said.
static char *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rbe");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read: %s\n", name, strerror(errno));
        return NULL;
    }
    errno = 0;
    char *text = read_all(file, length);
    const int failed = text == NULL ? ENOMEM : ferror(file) != 0 ? errno : 0;
    fclose(file);
    if (failed == 0) return text;
    fprintf(stderr, "%s: cannot be read: %s\n", name, strerror(failed));
    free(text);
    return NULL;
}

static bool is_script(const char *name)
{
    char start[2] = "";
    FILE *file = fopen(name, "rbe");
    if (file == NULL) return false;
    const bool script = fread(start, 1, 2, file) == 2 && memcmp(start, "#!", 2) == 0;
    fclose(file);
    return script;
}

static int interpret_file(struct call *call, const char *name)
{
    size_t length;
    char *text = read_file(name, &length);
    if (text == NULL) return EXIT_NO_INPUT;
    const int status = interpret(call, name, text, length);
    free(text);
    return status;
}

static bool is_text(const char *word)
{
    return strcmp(word, "-e") == 0 || strcmp(word, "--execute") == 0;
}

static int interpret_all(struct call *call, char **argv)
{
    int status = 0;
    for (int n = 0; n < call->texts && status == 0 && !call->bye; n++) {
        if (is_text(argv[n])) {
            n++;
            status = interpret(call, "-e", argv[n], strlen(argv[n]));
        } else if (strcmp(argv[n], "-") == 0) {
            status = weft_forth_prompt(call->unit, &call->machine, call->tools, &call->bye);
        } else {
            status = interpret_file(call, argv[n]);
        }
        weft_play_clear_interrupt();
    }
    if (call->bye || !call->talk || call->binary != NULL) return status;
    return weft_forth_prompt(call->unit, &call->machine, call->tools, &call->bye);
}

static int complain(const struct call *call, const char *word, const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", call->name, word, what);
    fprintf(stderr, usage, call->name);
    return EXIT_USAGE;
}

// Takes the option argv[*n], if it is one: moves *n to its last word. 0, 1 if it is none, or 64.
static int take_option(struct call *call, int argc, char **argv, int *n)
{
    const char *word = argv[*n];
    const bool binary = strcmp(word, "-o") == 0 || strcmp(word, "--binary") == 0;
    const bool valued = binary || strcmp(word, "--files") == 0;
    if (word[0] != '-' || word[1] == '\0' || is_text(word)) return 1;
    if (valued && *n + 1 >= argc) return complain(call, word, "needs a name");
    if (strcmp(word, "-i") == 0 || strcmp(word, "--interactive") == 0) {
        call->talk = true;
    } else if (binary) {
        call->binary = argv[++*n];
    } else if (strcmp(word, "--files") == 0) {
        call->files = argv[++*n];
    } else if (strcmp(word, "--strict") == 0) {
        call->strict = true;
    } else if (strcmp(word, "--no-files") == 0) {
        call->no_files = true;
    } else {
        return complain(call, word, "unknown option");
    }
    return 0;
}

// The program's own words: what stands behind `at`.
static void give_arguments(struct call *call, int argc, char **argv, int at)
{
    call->machine.arguments = argv + at;
    call->machine.argument_count = argc - at;
}

// Reads the command line: files and texts move to its front. 0 or the exit status.
static int read_arguments(struct call *call, int argc, char **argv)
{
    static char *none[] = {NULL};
    int at = 0;
    give_arguments(call, 0, none, 0);
    for (int n = 0; n < argc; n++) {
        if (strcmp(argv[n], "--") == 0) {
            argv[n] = (char *)(uintptr_t)(call->first != NULL ? call->first : call->name);
            give_arguments(call, argc, argv, n);
            break;
        }
        const int taken = take_option(call, argc, argv, &n);
        if (taken == EXIT_USAGE) return taken;
        if (taken == 0) continue;
        const bool text = is_text(argv[n]);
        if (text && n + 1 == argc) return complain(call, argv[n], "needs a text");
        argv[at++] = argv[n];
        if (text) {
            argv[at++] = argv[++n];
            continue;
        }
        if (call->first == NULL && strcmp(argv[n], "-") != 0) call->first = argv[n];
        if (strcmp(argv[n], "-") == 0 || !is_script(argv[n])) continue;
        give_arguments(call, argc, argv, n);
        break;
    }
    call->texts = at;
    if (at == 0) call->talk = true;
    if (call->binary != NULL && at == 0) return complain(call, "-o", "needs a FILE or -e TEXT");
    if (call->binary != NULL && (call->tools == NULL || call->tools->runner == NULL))
        return complain(call, "-o", "this program cannot");
    return 0;
}

// The directory of files. 0 or the exit status.
static int open_files(struct call *call)
{
    if (call->no_files) return 0;
    const char *directory = call->files != NULL ? call->files : ".";
    const int code = weft_machine_files(&call->machine, directory);
    if (code != 0) {
        fprintf(stderr, "%s: %s: %s\n", call->name, directory, strerror(-code));
        return EXIT_NO_INPUT;
    }
    if (call->files != NULL || call->first == NULL) return 0;
    char *copy = strdup(call->first);
    if (copy != NULL) weft_machine_library(&call->machine, dirname(copy));
    free(copy);
    return 0;
}

static double milliseconds(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) * 1e3 + (double)(now.tv_nsec - from->tv_nsec) / 1e6;
}

// The unit can begin again at MAIN. One that has said BYE cannot: it did all there was to do, as it
// will at each start.
static bool has_main(const struct call *call)
{
    return !call->bye && weft_unit_has_word(call->unit, "main");
}

// The unit as a program: its image if it has a MAIN, else the texts that made it.
static int write_binary(struct call *call)
{
    const struct weft_forth_tools *tools = call->tools;
    const bool image_made = has_main(call);
    const size_t bytes = image_made ? weft_unit_image_bytes(call->unit) : call->sources_bytes;
    void *image = image_made ? malloc(bytes) : NULL;
    if (image_made && (image == NULL || weft_unit_save(call->unit, image, bytes) < 0)) {
        free(image);
        return EXIT_INTERNAL;
    }
    const int code = weft_binary_write(call->binary, tools->runner, tools->runner_bytes,
                                       image_made ? WEFT_BINARY_IMAGE : WEFT_BINARY_SOURCES,
                                       image_made ? image : call->sources, bytes);
    free(image);
    if (code != 0) {
        fprintf(stderr, "%s: cannot be written: %s\n", call->binary, strerror(-code));
        return EXIT_NO_OUTPUT;
    }
    fprintf(stderr,
            "%s: engine %zu bytes (%zu of them for units among units), %s %zu bytes, "
            "%.1f ms\n",
            call->binary, tools->runner_bytes, tools->concurrency_bytes,
            image_made ? "program" : "sources", bytes, milliseconds(&call->begun));
    return 0;
}

// Interprets, and makes the program. What it printed meanwhile is shown if that was its making, not
// if it will be done again at each start.
static int compile_all(struct call *call, char **argv)
{
    char *printed = NULL;
    size_t printed_bytes = 0;
    call->machine.out = open_memstream(&printed, &printed_bytes);
    if (call->machine.out == NULL) return EXIT_INTERNAL;
    int status = interpret_all(call, argv);
    fclose(call->machine.out);
    call->machine.out = stdout;
    call->machine.status = 0; // Of (BYE): the program's, not ours.
    if (status != 0 || has_main(call)) fwrite(printed, 1, printed_bytes, stdout);
    free(printed);
    return status != 0 ? status : write_binary(call);
}

static int run(struct call *call, char **argv)
{
    clock_gettime(CLOCK_MONOTONIC, &call->begun);
    const int opened = open_files(call);
    if (opened != 0) return opened;
    call->machine.help = weft_forth_help;
    call->machine.interrupted = weft_play_catch_interrupt();
    weft_machine_host(&call->machine, &call->host);
    struct weft_unit_options options = weft_play_options;
    options.strict_effects = call->strict;
    if (weft_forth_system_create(&weft_forth_memory_libc, &call->system) != 0 ||
        weft_family_create(&call->machine, call->system, &options, &call->host) != 0 ||
        weft_unit_create(call->system, &weft_forth_memory_libc, &options, &call->host,
                         &call->unit) != 0) {
        fprintf(stderr, "%s: no memory\n", call->name);
        return EXIT_INTERNAL;
    }
    int status = call->binary != NULL ? compile_all(call, argv) : interpret_all(call, argv);
    if (status == 0) status = call->machine.status;
    if (fflush(stdout) != 0 && status == 0) status = EXIT_NO_OUTPUT;
    return status;
}

int weft_forth_standalone(int argc, char **argv, const struct weft_forth_tools *tools)
{
    struct call call = {.name = argv[0], .tools = tools};
    for (int n = 1; n < argc && strcmp(argv[n], "--") != 0; n++) {
        if (is_text(argv[n]))
            n++;
        else if (strcmp(argv[n], "--help") == 0 || strcmp(argv[n], "-h") == 0) {
            printf(usage, argv[0]);
            return 0;
        }
    }
    weft_machine_init(&call.machine);
    char **words = calloc((size_t)argc, sizeof(*words)); // Ours to sort.
    if (words == NULL) return EXIT_INTERNAL;
    memcpy(words, argv + 1, (size_t)(argc - 1) * sizeof(*words));
    int status = read_arguments(&call, argc - 1, words);
    if (status == 0) status = run(&call, words);
    weft_family_free(&call.machine);
    weft_unit_free(call.unit);
    weft_forth_system_free(call.system);
    weft_machine_destroy(&call.machine);
    free(call.sources);
    free(words);
    return status;
}
