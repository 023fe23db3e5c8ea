// suite.c: the standard's test suites, run in units: what `./do test forth` runs.
//
// Usage: forth_suite [--suite DIR] [--mode plain|single|restore|relay]... [--peer COMMAND]
//        forth_suite --serve
//
// First the Hayes tests that Debian's package gforth-common brings, each file in a unit of its own.
// Then, with --suite, a checkout of forth2012-test-suite, all files in one unit, as its
// runtests.fth has them. Each runs in three ways, or in those that --mode names: in slices of 2000
// reductions, in slices of one, and with the unit saved, freed and loaded again after every slice.
// A fourth way needs --peer, a COMMAND that is this program with --serve, built for another CPU as
// likely as not: the unit runs by turns here and over there, and goes between the two as an image.
//
// Nothing that a suite says of itself is believed: assertions are counted as they run (}T is
// wrapped once the tester is there), INCORRECT and WRONG NUMBER are counted in what was printed,
// and a file that did not come to its end has failed. Exit status: 0, 1, or 77 where there is no
// suite.
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forth/machine.h"
#include "forth/unit.h"
#include "tests/forth/relay.h"

enum mode { PLAIN, SINGLE, RESTORE, RELAY, MODE_COUNT };
static const char *const mode_names[MODE_COUNT] = {"plain", "single", "restore", "relay"};

// A turn of a relay: so that few texts of a suite end where they began.
enum { TURN_REDUCTIONS = 10 };
enum { SKIPPED = 77, FILES_MAX = 64, DEPTH_MAX = 8 };

// What one unit reads: files of the suite, and our own texts between them.
struct program {
    const char *name;   // Of the file that is the point of it: one line of the report.
    const char *before; // Our text before it; NULL: none.
};

struct run {
    const struct weft_forth_system *system;
    struct weft_unit *unit;
    enum mode mode;
    struct relay *relay; // RELAY: to the other side;
    bool stays;          // but files are only here.
    const char *directory;
    struct weft_machine machine;  // Files in a directory of its own,
    char files[32];               // which is this,
    struct weft_unit_host host;   // and what the unit knows of it.
    char included[FILES_MAX][64]; // What REQUIRE need not read again.
    unsigned included_count;
    char *output; // Of this file.
    size_t output_length, output_size;
    uint64_t slices;
    bool failed; // A fault, or a file that could not be read.
};

// Makes the tester's words count.
static const char wrap[] = "BASE @ DECIMAL [UNDEFINED] SUITE-RUN [IF] VARIABLE SUITE-RUN "
                           "[DEFINED] }T [IF] : }T }T 1 SUITE-RUN +! ; [THEN] "
                           "[DEFINED] } [IF] : } } 1 SUITE-RUN +! ; [THEN] "
                           "[DEFINED] X}T [IF] : X}T X}T 1 SUITE-RUN +! ; [THEN] "
                           "[DEFINED] XX}T [IF] : XX}T XX}T 1 SUITE-RUN +! ; [THEN] "
                           "[DEFINED] R}T [IF] : R}T R}T 1 SUITE-RUN +! ; [THEN] "
                           "[DEFINED] RR}T [IF] : RR}T RR}T 1 SUITE-RUN +! ; [THEN] "
                           "[DEFINED] XR}T [IF] : XR}T XR}T 1 SUITE-RUN +! ; [THEN] "
                           "[DEFINED] RX}T [IF] : RX}T RX}T 1 SUITE-RUN +! ; [THEN] "
                           "[THEN] BASE !";

// Words of gforth's own that its files rely on, said in the standard's.
#define STRINGS_EQUAL "[UNDEFINED] STR= [IF] : STR= COMPARE 0= ; [THEN] "
#define ENVIRONMENT                                                                                \
    "[UNDEFINED] >ORDER [IF] : >ORDER DROP ; [THEN] 0 CONSTANT ENVIRONMENT-WORDLIST "              \
    "S\" MAX-N\" ENVIRONMENT? DROP CONSTANT MAX-N S\" MAX-U\" ENVIRONMENT? DROP CONSTANT MAX-U "

#define DOUBLES                                                                                    \
    "[UNDEFINED] D<> [IF] : D<> D= 0= ; : D> 2SWAP D< ; : D<= D> 0= ; : D>= D< 0= ; [THEN] "
// ttester.fs mentions floating point even where there is none.
#define NO_FLOATS                                                                                  \
    "[UNDEFINED] FDROP [IF] 0 CONSTANT 0E : FDROP DROP ; : F@ @ ; : FCONF= = ; [THEN] "
#define TESTER NO_FLOATS "\nREQUIRE ./tester.fs\nDECIMAL "

static const struct program gforth_programs[] = {
    {"coretest.fs", TESTER},        {"postpone.fs", TESTER "\nREQUIRE ./coretest.fs\n"},
    {"coreext.fs", TESTER},         {"coremore.fs", TESTER ENVIRONMENT},
    {"dbltest.fs", TESTER DOUBLES}, {"string.fs", TESTER STRINGS_EQUAL},
    {"deferred.fs", TESTER},
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

// The user types one line and has then gone.
static int64_t accept_line(void *self, void *to, size_t size)
{
    static const char line[] = "a line that somebody typed";
    const size_t length = sizeof(line) - 1 < size ? sizeof(line) - 1 : size;
    (void)self;
    memcpy(to, line, length);
    return (int64_t)length;
}

static const struct weft_unit_options options = {
    .memory_bytes_max = 16 << 20,
    .stack_cells_max = 4096,
    .call_depth_max = 4096,
    .output_bytes_max = 1 << 20,
    .sandbox_reductions_max = 1000000,
};

static void die(const char *what)
{
    fprintf(stderr, "forth_suite: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void take_output(struct run *run)
{
    const size_t more = weft_unit_output_bytes(run->unit);
    if (run->output_length + more + 1 > run->output_size) {
        run->output_size = 2 * (run->output_length + more + 1);
        run->output = realloc(run->output, run->output_size);
        if (run->output == NULL) die("memory");
    }
    run->output_length += weft_unit_output_take(run->unit, run->output + run->output_length, more);
    run->output[run->output_length] = '\0';
}

// Now and then its words are frozen before.
static void *save(struct run *run, size_t *bytes)
{
    if (run->slices % 512 == 0 && weft_unit_freeze(run->unit) != 0) die("freeze");
    *bytes = weft_unit_image_bytes(run->unit);
    void *image = malloc(*bytes);
    if (image == NULL || weft_unit_save(run->unit, image, *bytes) != (int64_t)*bytes) die("save");
    weft_unit_free(run->unit);
    return image;
}

// Frees the image.
static void load(struct run *run, void *image, size_t bytes)
{
    const int code = weft_unit_load(run->system, &weft_forth_memory_libc, &options, &run->host,
                                    image, bytes, &run->unit);
    free(image);
    if (code != 0) {
        errno = -code;
        die("load");
    }
}

// A slice in this process.
static enum weft_unit_state turn_here(struct run *run)
{
    static const uint32_t slice[MODE_COUNT] = {2000, 1, 1, TURN_REDUCTIONS};
    uint32_t reductions = slice[run->mode];
    const enum weft_unit_state state = weft_unit_run(run->unit, &reductions);
    if (state == WEFT_UNIT_FAULT) {
        char error[512];
        weft_unit_error_render(weft_unit_error(run->unit), error, sizeof(error));
        say("%s", error);
    }
    return state;
}

static enum weft_unit_state turn_there(struct run *run)
{
    struct relay_answer answer;
    size_t bytes;
    void *image = save(run, &bytes);
    if (relay_turn(run->relay, TURN_REDUCTIONS, image, bytes, &answer) != 0) die("the other side");
    free(image);
    load(run, answer.image, answer.bytes);
    say("%s", answer.error);
    return answer.state;
}

// Gives the unit a text and runs it to its end.
static void interpret(struct run *run, const char *name, const char *text, size_t length)
{
    enum weft_unit_state state = WEFT_UNIT_AGAIN;
    if (run->failed) return;
    if (weft_unit_interpret(run->unit, name, text, length) != 0) die(name);
    do {
        const bool goes = run->mode == RELAY && !run->stays && run->slices % 2 == 1;
        // What waits stays where it is: a delay would begin anew.
        state = goes && state == WEFT_UNIT_AGAIN ? turn_there(run) : turn_here(run);
        run->slices++;
        take_output(run);
        if (run->mode == RESTORE && state == WEFT_UNIT_AGAIN) {
            size_t bytes;
            void *image = save(run, &bytes);
            load(run, image, bytes);
        }
    } while (state == WEFT_UNIT_AGAIN || state == WEFT_UNIT_WAIT);
    if (state != WEFT_UNIT_DONE) run->failed = true;
}

static char *read_file(const char *directory, const char *name, size_t *length)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) die(path);
    fclose(file);
    text[size] = '\0';
    *length = (size_t)size;
    return text;
}

// Does the line ask for a file (REQUIRE x, INCLUDE x, S" x" INCLUDED)? Its name, and whether once
// is enough.
static bool includes(const char *line, char name[64], bool *once)
{
    char word[64], rest[64];
    *once = false;
    if (sscanf(line, " S\" %63[^\"]\" %63s", name, rest) == 2 && strcasecmp(rest, "included") == 0)
        return true;
    if (sscanf(line, " %63s %63s", word, name) != 2) return false;
    *once = strcasecmp(word, "require") == 0;
    return *once || strcasecmp(word, "include") == 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void read_program(struct run *run, const char *name, bool once, unsigned depth);

// Interprets a text; lines that ask for a file end what was read so far, and the file comes in
// their place. (A unit reads no files here.)
static void read_text(struct run *run, const char *name, char *text, unsigned depth)
{
    char *start = text;
    for (char *line = text; line != NULL && *line != '\0' && !run->failed;) {
        char *end = strchr(line, '\n'), asked[64];
        bool once;
        if (end != NULL) *end = '\0';
        const bool asks = includes(line, asked, &once);
        if (end != NULL) *end = '\n';
        if (asks) {
            interpret(run, name, start, (size_t)(line - start));
            read_program(run, base_name(asked), once, depth + 1);
            start = end == NULL ? line + strlen(line) : end;
        }
        line = end == NULL ? NULL : end + 1;
    }
    if (!run->failed) interpret(run, name, start, strlen(start));
}

static void read_program(struct run *run, const char *name, bool once, unsigned depth)
{
    size_t length;
    for (unsigned n = 0; once && n < run->included_count; n++) {
        if (strcmp(run->included[n], name) == 0) return;
    }
    char *text = depth > DEPTH_MAX ? NULL : read_file(run->directory, name, &length);
    if (text == NULL || run->included_count == FILES_MAX) {
        say("%s: cannot be read\n", name);
        run->failed = true;
        return;
    }
    snprintf(run->included[run->included_count++], sizeof(run->included[0]), "%s", name);
    read_text(run, name, text, depth);
    free(text);
    if (strstr(name, "tester") != NULL) interpret(run, "suite", wrap, sizeof(wrap) - 1);
}

static void set_host(struct weft_machine *machine, struct weft_unit_host *host)
{
    weft_machine_host(machine, host);
    host->accept = accept_line;
    host->warning = NULL; // The suites' stack comments are not what is tested.
}

static void open_unit(struct run *run, const struct weft_forth_system *system, struct relay *relay,
                      const char *directory, enum mode mode)
{
    *run = (struct run){.system = system, .relay = relay, .mode = mode, .directory = directory};
    snprintf(run->files, sizeof(run->files), "/tmp/forth_suite.XXXXXX");
    weft_machine_init(&run->machine);
    if (mkdtemp(run->files) == NULL || weft_machine_files(&run->machine, run->files) != 0)
        die("a directory for files");
    set_host(&run->machine, &run->host);
    if (weft_unit_create(system, &weft_forth_memory_libc, &options, &run->host, &run->unit) != 0)
        die("unit");
    take_output(run);
}

static void close_unit(struct run *run)
{
    weft_unit_free(run->unit);
    weft_machine_destroy(&run->machine);
    if (rmdir(run->files) != 0) say("%s: files were left there\n", run->files);
    free(run->output);
}

static unsigned occurrences(const char *text, const char *what)
{
    unsigned count = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

static int64_t assertions(const struct run *run)
{
    int64_t count = 0;
    weft_unit_value(run->unit, "SUITE-RUN", &count);
    return count;
}

// One line of the report, about what was printed since the last. True if all is well.
static bool report(struct run *run, const char *name, int64_t count)
{
    const unsigned incorrect = occurrences(run->output, "INCORRECT");
    const unsigned wrong = occurrences(run->output, "WRONG NUMBER") +
                           occurrences(run->output, "DOES NOT MATCH") +
                           occurrences(run->output, "BELOW ...}T");
    const bool well = !run->failed && incorrect == 0 && wrong == 0;
    say("%-8s %-20s %5lld run, %u incorrect, %u wrong number%s\n", mode_names[run->mode], name,
        (long long)count, incorrect, wrong, run->failed ? ", DID NOT REACH ITS END" : "");
    if (!well) {
        for (char *line = strtok(run->output, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            if (strstr(line, "INCORRECT") || strstr(line, "WRONG NUMBER") ||
                strstr(line, "DOES NOT MATCH"))
                say("    %s\n", line);
        }
    }
    run->output_length = 0;
    run->output[0] = '\0';
    return well;
}

static bool run_gforth(const struct weft_forth_system *system, struct relay *relay,
                       const char *directory, enum mode mode)
{
    bool well = true;
    int64_t total = 0;
    for (size_t n = 0; n < sizeof(gforth_programs) / sizeof(gforth_programs[0]); n++) {
        const struct program *program = &gforth_programs[n];
        struct run run;
        open_unit(&run, system, relay, directory, mode);
        if (program->before != NULL) {
            char *before = strdup(program->before);
            read_text(&run, "suite", before, 0);
            free(before);
        }
        const int64_t earlier = assertions(&run);
        read_program(&run, program->name, true, 0);
        const int64_t count = assertions(&run) - earlier;
        if (count == 0) run.failed = true;
        well = report(&run, program->name, count) && well;
        total += count;
        close_unit(&run);
    }
    say("%-8s %-20s %5lld run\n", mode_names[mode], "all", (long long)total);
    return well;
}

// Files that test what this build may not have: by the word that they begin with.
static bool can_run(struct run *run, const char *name, const char **missing)
{
    static const struct {
        const char *name, *word;
    } needs[] = {
        {"filetest.fth", "OPEN-FILE"},
        {"blocktest.fth", "BLOCK"},
    };
    for (size_t n = 0; n < sizeof(needs) / sizeof(needs[0]); n++) {
        if (strcmp(needs[n].name, name) != 0) continue;
        char text[128];
        int64_t defined = 0;
        const int length = snprintf(text, sizeof(text), "[DEFINED] %s CONSTANT SUITE-DEFINED-%zu",
                                    needs[n].word, n);
        interpret(run, "suite", text, (size_t)length);
        snprintf(text, sizeof(text), "SUITE-DEFINED-%zu", n);
        *missing = needs[n].word;
        return weft_unit_value(run->unit, text, &defined) && defined != 0;
    }
    return true;
}

// The preliminary tests have no tester yet: they count for themselves, and name what fails.
static void preliminary(struct run *run)
{
    static const char all[] = "0 tests failed out of 57 additional tests";
    const unsigned passed = occurrences(run->output, "Pass #");
    if (strstr(run->output, all) == NULL || passed != 23 ||
        strstr(run->output, "Error #") != NULL) {
        run->failed = true;
        say("%s", run->output);
        return;
    }
    say("%-8s %-20s %5u messages of success, %s\n", mode_names[run->mode], "prelimtest.fth", passed,
        all);
}

// One line of runtests.fth: text for the unit, or a file of the suite.
static bool run_line(struct run *run, char *line, int64_t *count)
{
    char name[64];
    const char *missing;
    bool once;
    if (!includes(line, name, &once)) {
        interpret(run, "runtests.fth", line, strlen(line));
        return true;
    }
    if (!can_run(run, name, &missing)) {
        say("%-8s %-20s skipped: no %s\n", mode_names[run->mode], name, missing);
        return true;
    }
    // Their files are here.
    run->stays = strcmp(name, "filetest.fth") == 0 || strcmp(name, "blocktest.fth") == 0;
    if (strcmp(name, "filetest.fth") == 0) {
        // Its source has to be a file for the unit, too.
        static const char text[] = "S\" filetest.fth\" INCLUDED";
        interpret(run, "suite", text, sizeof(text) - 1);
    } else {
        read_program(run, name, false, 0);
    }
    if (strcmp(name, "prelimtest.fth") == 0) preliminary(run);
    const int64_t now = assertions(run);
    const bool well = report(run, name, now - *count);
    *count = now;
    return well;
}

static bool run_2012(const struct weft_forth_system *system, struct relay *relay,
                     const char *directory, enum mode mode)
{
    struct run run;
    size_t length;
    int64_t count = 0;
    open_unit(&run, system, relay, directory, mode);
    char sources[PATH_MAX];
    char *text = read_file(directory, "runtests.fth", &length);
    if (text == NULL) { // The top of a checkout.
        snprintf(sources, sizeof(sources), "%s/src", directory);
        run.directory = sources;
        text = read_file(sources, "runtests.fth", &length);
    }
    if (text == NULL || weft_machine_library(&run.machine, run.directory) != 0) die(directory);
    bool well = true;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && !run.failed;)
        well = run_line(&run, line, &count) && well;
    if (strstr(run.output, "Forth tests completed") == NULL) {
        say("%s: the last line is not there\n", mode_names[mode]);
        well = false;
    }
    say("%-8s %-20s %5lld run\n", mode_names[mode], "all", (long long)count);
    free(text);
    close_unit(&run);
    return well;
}

static bool find_gforth(char directory[PATH_MAX])
{
    static const char *const places[] = {"/usr/share/gforth/*/test/coretest.fs",
                                         "/usr/share/gforth/*/tests/coretest.fs"};
    for (size_t n = 0; n < sizeof(places) / sizeof(places[0]); n++) {
        glob_t found;
        if (glob(places[n], 0, NULL, &found) != 0) continue;
        snprintf(directory, PATH_MAX, "%s", found.gl_pathv[0]);
        globfree(&found);
        *strrchr(directory, '/') = '\0';
        return true;
    }
    return false;
}

// The other side of a relay.
static int serve(void)
{
    struct weft_forth_system *system;
    struct weft_machine machine;
    struct weft_unit_host host;
    weft_machine_init(&machine);
    set_host(&machine, &host);
    if (weft_forth_system_create(&weft_forth_memory_libc, &system) != 0) die("system");
    const int code = relay_serve(system, &options, &host);
    weft_forth_system_free(system);
    weft_machine_destroy(&machine);
    errno = -code;
    if (code != 0) perror("forth_suite: --serve");
    return code == 0 ? 0 : 1;
}

struct command_line {
    const char *suite, *peer;
    bool wanted[MODE_COUNT];
    bool serves;
};

static bool read_command_line(int argc, char **argv, struct command_line *line)
{
    bool any = false;
    for (int n = 1; n < argc; n++) {
        const char *value = n + 1 < argc ? argv[n + 1] : NULL;
        if (strcmp(argv[n], "--serve") == 0) {
            line->serves = true;
            continue;
        }
        if (value == NULL) return false;
        int mode = MODE_COUNT;
        if (strcmp(argv[n], "--suite") == 0) {
            line->suite = value;
        } else if (strcmp(argv[n], "--peer") == 0) {
            line->peer = value;
        } else if (strcmp(argv[n], "--mode") == 0) {
            for (mode = 0; mode < MODE_COUNT && strcmp(value, mode_names[mode]) != 0;)
                mode++;
            if (mode == MODE_COUNT) return false;
            line->wanted[mode] = any = true;
        } else {
            return false;
        }
        n++;
    }
    for (int mode = 0; mode < MODE_COUNT && !any; mode++)
        line->wanted[mode] = mode != RELAY || line->peer != NULL;
    return !line->wanted[RELAY] || line->peer != NULL;
}

static bool run_modes(const struct command_line *line, const char *gforth)
{
    struct weft_forth_system *system;
    struct relay relay;
    bool well = true;
    if (weft_forth_system_create(&weft_forth_memory_libc, &system) != 0) die("system");
    if (line->wanted[RELAY] && relay_open(&relay, line->peer) != 0) die(line->peer);
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        if (!line->wanted[mode]) continue;
        if (gforth != NULL) well = run_gforth(system, &relay, gforth, mode) && well;
        if (line->suite != NULL) well = run_2012(system, &relay, line->suite, mode) && well;
    }
    if (line->wanted[RELAY]) {
        say("%-8s %llu turns over there\n", mode_names[RELAY], (unsigned long long)relay.turns);
        if (relay_close(&relay) != 0 || relay.turns == 0) well = false;
    }
    weft_forth_system_free(system);
    return well;
}

int main(int argc, char **argv)
{
    char directory[PATH_MAX];
    struct command_line line = {0};
    if (!read_command_line(argc, argv, &line)) {
        fprintf(stderr,
                "usage: %s [--suite DIR] [--mode plain|single|restore|relay]... [--peer COMMAND]\n"
                "       %s --serve\n",
                argv[0], argv[0]);
        return 64;
    }
    signal(SIGPIPE, SIG_IGN); // Of the other side, if it goes: said by write.
    if (line.serves) return serve();
    const bool gforth = find_gforth(directory);
    if (!gforth) puts("SKIP: gforth-common: the package is not installed");
    if (line.suite == NULL) puts("skipped: forth2012-test-suite: no checkout given (--suite DIR)");
    if (!gforth && line.suite == NULL) return SKIPPED;
    return run_modes(&line, gforth ? directory : NULL) ? 0 : 1;
}
