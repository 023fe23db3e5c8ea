// The File-Access words and sources that are files, from the standard's text (Forth 2012, 11.6), in
// a directory of their own. As in words_test.c all of it runs in slices of 2000 reductions, in
// slices of one, and in slices of one with the unit saved, freed and loaded again between any two:
// there every touch of a file finds it closed and opens it by its name.
#include "tests/unit/forth/forth_run.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "forth/help.h"
#include "forth/machine.h"

static char directory[64];

// Without openat2 (Linux 5.6; an emulator may lack it) there are no files at all.
static void need_files(void)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
    const long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));
    if (fd >= 0) close((int)fd);
    if (fd >= 0 || errno != ENOSYS) return;
    print_message("skipped: this kernel has no openat2 (Linux 5.6)\n");
    skip();
}

static void put_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    unlink(path);
}

#define MAKE "s\" a.txt\" r/w create-file throw value f "
#define LINES                                                                                      \
    MAKE "s\" one\" f write-line throw s\" \" f write-line throw s\" three\" f write-file throw "  \
         "0. f reposition-file throw "

static const struct {
    const char *source, *output;
} cases[] = {
    // Making, opening, closing; an ior is 0 or the THROW code.
    {"r/o . w/o . r/w . r/w bin .", "1 2 3 3 "},
    {MAKE "f 0> . f close-file . f close-file .", "-1 0 -37 "},
    {"s\" none.txt\" r/o open-file . .", "-38 0 "},
    {"s\" \" r/o open-file nip . s\" x\" 0 open-file nip . s\" x\" 9 open-file nip .",
     "-38 -24 -24 "},
    {"0 close-file . 99 close-file . -1 close-file .", "-37 -37 -37 "},
    {MAKE "f close-file throw s\" a.txt\" delete-file . s\" a.txt\" delete-file . "
          "s\" a.txt\" r/o open-file nip .",
     "0 -38 -38 "},
    {MAKE "f close-file throw s\" a.txt\" s\" b.txt\" rename-file . s\" a.txt\" file-status nip . "
          "s\" b.txt\" file-status . $f000 and $8000 = . s\" b.txt\" delete-file .",
     "0 -38 0 -1 0 "},
    {"s\" sub\" r/o open-file nip .", "-37 "}, // A directory has no bytes.

    // Reading and writing.
    {MAKE "s\" hello\" f write-file . f file-position . d. f file-size . d. 1. f reposition-file . "
          "pad 3 f read-file . . pad 3 type pad 9 f read-file . . pad 9 f read-file . .",
     "0 0 5 0 5 0 0 3 ell0 1 0 0 "},
    {MAKE "f close-file throw s\" a.txt\" r/o open-file throw to f s\" x\" f write-file . "
          "f close-file throw s\" a.txt\" w/o open-file throw to f pad 1 f read-file . .",
     "-37 -37 0 "},
    {MAKE
     "s\" abcdef\" f write-file throw 3. f resize-file . f file-size drop d. 6. f resize-file . "
     "f file-size drop d. 0. f reposition-file throw pad 9 f read-file . . pad 3 type pad 5 + c@ .",
     "0 3 0 6 0 6 abc0 "},
    {MAKE "-1. f reposition-file . -1. f resize-file . 10. f reposition-file . "
          "pad 1 f read-file . . s\" x\" f write-file . f file-size drop d.",
     "-36 -36 0 0 0 0 11 "},
    {MAKE
     "f flush-file . 77 flush-file . 77 file-size . d. 77 file-position . d. 0. 77 resize-file . "
     "0. 77 reposition-file . pad 1 77 read-file . . pad 1 77 write-file . pad 1 77 read-line . . "
     ".",
     "0 -37 -37 0 -37 0 -37 -37 -37 0 -37 -37 0 0 "},
    {"10000 buffer: b 10000 buffer: c b 10000 char x fill " MAKE
     "b 10000 f write-file . 0. f reposition-file throw c 10000 f read-file . . "
     "b 10000 c 10000 compare . f file-position drop d.",
     "0 0 10000 0 10000 "},
    {MAKE "0 0 f write-file . pad 0 f read-file . . 5 1 f write-file", "0 0 0 "},
    {MAKE "5 9 f ' read-file catch . 2drop drop", "-9 "},

    // Lines.
    {LINES "pad 80 f read-line . . . pad 3 type pad 80 f read-line . . . "
           "pad 80 f read-line . . . pad 5 type pad 80 f read-line . . .",
     "0 -1 3 one0 -1 0 0 -1 5 three0 0 0 "},
    // A line that fills the buffer is not ended yet; the rest comes with the next.
    {LINES "pad 3 f read-line . . . pad 3 f read-line . . . pad 3 f read-line . . . "
           "pad 3 f read-line . . . pad 3 type pad 3 f read-line . . . pad 2 type",
     "0 -1 3 0 -1 0 0 -1 0 0 -1 3 thr0 -1 2 ee"},
    {LINES "pad 9 char - fill pad 9 f read-line 2drop drop pad 5 type", "one--"},
    {LINES "pad 0 f read-line . . . 10. f reposition-file throw pad 0 f read-line . . .",
     "0 -1 0 0 0 0 "},
    {"9000 buffer: b b 9000 char y fill " MAKE "b 9000 f write-line . 0. f reposition-file throw "
     "b 9000 erase b 9000 f read-line . . . b 8999 + c@ emit b 9000 f read-line . . . ",
     "0 0 -1 9000 y0 -1 0 "},

    // Files as sources.
    {"s\" inc.fth\" included 5 foo .", "[inc.fth]6 "},
    {"include inc.fth include inc.fth 5 foo .", "[inc.fth][inc.fth]6 "},
    {"require inc.fth s\" inc.fth\" required 5 foo .", "[inc.fth]6 "},
    {"marker away require inc.fth away require inc.fth 1 foo .", "[inc.fth][inc.fth]2 "},
    {"include inc.fth require inc.fth", "[inc.fth]"},
    {": mine 7 ; require inc.fth immediate 5 foo . mine .", "[inc.fth]6 7 "},
    {"s\" inc.fth\" r/o open-file throw dup include-file 5 foo . close-file .", "[inc.fth]6 -37 "},
    {"include outer.fth", "a[inc.fth]2 b"},
    {"source-id . include id.fth source-id .", "0 -1 -1 0 "},
    {"s\" include id.fth\" evaluate", "-1 -1 "},
    {": t s\" gone.fth\" included ; ' t catch .", "-38 "},
    {"' include catch fail.fth . depth . source-id .", "-10 0 0 "},
    // A file that fails is closed: more of them than can be open.
    {": t 40 0 do s\" fail.fth\" ['] included catch dup -10 <> if . else drop then 2drop loop ; t "
     "7 .",
     "7 "},
    {"include refill.fth .", "first|second line|0 -1 "},
    {"include data.fth .", "raw text 5 "},
    {"include save.fth", "1 2 2 2 done "},
    {"include script.fth", "42 "},
    {"include noend.fth", "8 "},
    {"include skip.fth", "yes "},
    {"include comment.fth", "3 "},
    {"include empty.fth 1 .", "1 "},
    {": t s\" loop.fth\" included ; ' t catch . ", "-266 "},
    {"include crlf.fth", "4 "},
    {"include sub/near.fth sub-word . require sub/far.fth", "[far]9 "},
    {"include ./inc.fth", "[inc.fth]"},
    {"include shadow.fth 2 twice .", "4 "},

    // A sandbox has none of it, and leaves the files of its unit alone.
    {MAKE "s\" x\" f write-file throw s\" f close-file\" 1000 sandbox . type f close-file .",
     "-21 error: unsupported operation (THROW -21)0 "},
    {"include box.fth", "0 2 "},

    // The machine beside its files.
    {"0 arg type 1 arg type 2 arg . .", "progone0 0 "},
    {"help read-file : x ; help x",
     "READ-FILE ( c-addr u1 fileid -- u2 ior ) FILE\n"
     "Reads up to u1 bytes; u2 were, less only at the end of the file.\n"
     "no documentation; SEE shows what it is\n"},
};

static void fill_directory(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/sub", directory);
    mkdir(path, 0700);
    put_file("inc.fth", ".( [inc.fth])\n: foo ( n -- n )\n  1+ ;\n");
    put_file("outer.fth", "char a emit include inc.fth 1 foo .\nchar b emit\n");
    put_file("id.fth", "source-id 0> .\ns\" source-id\" evaluate .\n");
    put_file("fail.fth", "1 2\n1 0 /\n");
    put_file("refill.fth", ": next-line refill drop source type source nip >in ! ;\n"
                           ".( first|) next-line\nsecond line\nchar | emit refill .\n refill .");
    put_file("data.fth", "pad 80 source-id read-line throw drop pad swap type 5\nraw text \n");
    put_file("save.fth", "variable n 0 n ! create si 5 cells allot\n"
                         ": keep ( x1..xn n -- ) dup si ! 0 do si i 1+ cells + ! loop ;\n"
                         ": mark save-input keep ;\n"
                         ": back ( -- x1..xn n ) 0 si @ 1- do si i 1+ cells + @ -1 +loop si @ ;\n"
                         "1 . mark\n"
                         "1 n +! 2 . n @ 3 < [if] back restore-input throw [then]\n"
                         ".( done )\n");
    put_file("script.fth", "#!/usr/bin/env -S weft forth\n#! and this\n42 .\n");
    put_file("noend.fth", ": t 8 ;\nt .");
    put_file("skip.fth", "0 [if]\n1 .\n[else]\n.( yes )\n[then]\n");
    put_file("comment.fth", "( a comment\n that goes on ) 3 .\n");
    put_file("empty.fth", "");
    put_file("loop.fth", "s\" loop.fth\" included\n");
    put_file("crlf.fth", ": t 4 ;\r\nt .\r\n");
    put_file("box.fth", "s\" refill\" 1000 sandbox . 2drop\n2 .\n");
    put_file("sub/near.fth", "s\" require ./far.fth\" evaluate\nrequire ./far.fth\n");
    put_file("sub/far.fth", ".( [far])\n: sub-word 9 ;\n");
    put_file("shadow.fth", ": twice\n2 * ;\n");
}

// ---- A host whose files take their time: every other call, more or less, is to be asked again.

static const struct weft_unit_machine *prompt_files;
static uint32_t chance;

static bool comes_later(void)
{
    chance = chance * 1664525 + 1013904223;
    return chance >> 31 != 0;
}

static int32_t late_open(void *self, const char *name, size_t length, uint32_t mode)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER : prompt_files->file_open(self, name, length, mode);
}

static int64_t late_read(void *self, int32_t file, uint64_t position, void *to, size_t size)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER
                         : prompt_files->file_read(self, file, position, to, size);
}

static int64_t late_write(void *self, int32_t file, uint64_t position, const void *from,
                          size_t size)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER
                         : prompt_files->file_write(self, file, position, from, size);
}

static int32_t late_resize(void *self, int32_t file, uint64_t size)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER : prompt_files->file_resize(self, file, size);
}

static int32_t late_flush(void *self, int32_t file)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER : prompt_files->file_flush(self, file);
}

static int32_t late_delete(void *self, const char *name, size_t length)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER : prompt_files->file_delete(self, name, length);
}

static int32_t late_rename(void *self, const char *from, size_t from_length, const char *to,
                           size_t to_length)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER
                         : prompt_files->file_rename(self, from, from_length, to, to_length);
}

static int64_t late_status(void *self, const char *name, size_t length)
{
    return comes_later() ? WEFT_UNIT_FILE_LATER : prompt_files->file_status(self, name, length);
}

static struct weft_unit_machine late_files_of(const struct weft_unit_machine *prompt)
{
    struct weft_unit_machine late = *prompt;
    prompt_files = prompt;
    late.file_open = late_open;
    late.file_read = late_read;
    late.file_write = late_write;
    late.file_resize = late_resize;
    late.file_flush = late_flush;
    late.file_delete = late_delete;
    late.file_rename = late_rename;
    late.file_status = late_status;
    return late;
}

static void say_all_cases(void **state, bool is_late)
{
    need_files();
    struct weft_machine machine;
    struct weft_unit_host host;
    static struct forth_run run;
    char *arguments[] = {"prog", "one"};
    weft_machine_init(&machine);
    assert_int_equal(weft_machine_files(&machine, directory), 0);
    machine.argument_count = 2;
    machine.arguments = arguments;
    machine.help = weft_forth_help;
    weft_machine_host(&machine, &host);
    const struct weft_unit_machine late = late_files_of(host.machine);
    if (is_late) host.machine = &late;
    run.host = &host;
    uint64_t parked = 0;
    for (unsigned mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
            remove_file("a.txt");
            forth_open(&run, *state, (enum forth_mode)mode);
            forth_text(&run, "test", cases[n].source);
            for (; is_late && run.state == WEFT_UNIT_WAIT; parked++)
                forth_go(&run, UINT64_MAX);
            if (run.state == WEFT_UNIT_FAULT && strcmp(run.output, cases[n].output) != 0)
                fail_msg("mode %u: %s: THROW %d at %u:%u in %s", mode, cases[n].source,
                         run.error.code, run.error.line, run.error.column, run.error.source);
            if (strcmp(run.output, cases[n].output) != 0)
                fail_msg("mode %u: %s: [%s]", mode, cases[n].source, run.output);
            forth_close(&run);
        }
    }
    if (is_late) assert_true(parked > 1000);
    weft_machine_destroy(&machine);
}

static void words_do_what_the_standard_says(void **state)
{
    say_all_cases(state, false);
}

// The same where each touch of a file may park the unit, as in a node.
static void files_may_take_their_time(void **state)
{
    say_all_cases(state, true);
}

static struct weft_machine *open_machine(struct weft_unit_host *host)
{
    static struct weft_machine machine;
    weft_machine_init(&machine);
    assert_int_equal(weft_machine_files(&machine, directory), 0);
    weft_machine_host(&machine, host);
    return &machine;
}

// No name leads out of the directory.
static void nothing_is_reached_outside(void **state)
{
    need_files();
    static const char *const names[] = {
        "/etc/passwd", "../etc/passwd", "sub/../../x", "..",    "out",
        "out/passwd",  "sub/up/x",      "/proc/self",  "magic",
    };
    static struct forth_run run;
    struct weft_unit_host host;
    char text[256], path[128];
    struct weft_machine *machine = open_machine(&host);
    snprintf(path, sizeof(path), "%s/out", directory);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(path, sizeof(path), "%s/sub/up", directory);
    assert_int_equal(symlink("../..", path), 0);
    snprintf(path, sizeof(path), "%s/magic", directory);
    assert_int_equal(symlink("/proc/self/exe", path), 0);
    run.host = &host;
    forth_open(&run, *state, FORTH_PLAIN);
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        snprintf(text, sizeof(text),
                 "s\" %s\" 2dup r/o open-file . . 2dup r/w create-file . . file-status . .",
                 names[n]);
        assert_int_equal(forth_text(&run, "test", text), WEFT_UNIT_DONE);
        if (strcmp(run.output, "-265 0 -265 0 -265 0 ") != 0)
            fail_msg("%s: [%s]", names[n], run.output);
        // A link itself lies in the directory, and renaming does not follow it.
        if (strcmp(names[n], "out") == 0 || strcmp(names[n], "magic") == 0) continue;
        snprintf(text, sizeof(text),
                 "s\" inc.fth\" s\" %s\" rename-file . s\" %s\" s\" new\" rename-file .", names[n],
                 names[n]);
        assert_int_equal(forth_text(&run, "test", text), WEFT_UNIT_DONE);
        if (strcmp(run.output, "-265 -265 ") != 0) fail_msg("%s: [%s]", names[n], run.output);
    }
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    forth_text(&run, "test", "s\" sub/up/x\" delete-file . s\" /etc/x\" delete-file .");
    assert_string_equal(run.output, "-265 -265 ");
    forth_close(&run);
    weft_machine_destroy(machine);
}

// Without a directory, or without a host at all, there are no files.
static void without_files_the_words_throw(void **state)
{
    static const char *const words[] = {
        "s\" x\" r/o open-file",
        "s\" x\" r/o create-file",
        "1 close-file",
        "pad 1 1 read-file",
        "pad 1 1 read-line",
        "pad 1 1 write-file",
        "pad 1 1 write-line",
        "1 file-position",
        "0. 1 reposition-file",
        "1 file-size",
        "0. 1 resize-file",
        "s\" x\" delete-file",
        "1 flush-file",
        "s\" x\" s\" y\" rename-file",
        "s\" x\" file-status",
        "s\" x\" included",
        "include x",
        "s\" x\" required",
        "1 include-file",
        "0 arg",
        "1 (bye)",
        "help dup",
        "s\" include x\" evaluate",
    };
    static struct forth_run run;
    run.host = NULL;
    for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
        forth_open(&run, *state, FORTH_PLAIN);
        assert_int_equal(forth_text(&run, "test", words[n]), WEFT_UNIT_FAULT);
        if (run.error.code != -21) fail_msg("%s: THROW %d", words[n], run.error.code);
        forth_close(&run);
    }
    struct weft_machine machine;
    struct weft_unit_host host;
    weft_machine_init(&machine);
    weft_machine_host(&machine, &host);
    run.host = &host;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "test", "s\" x\" r/o open-file . . s\" x\" delete-file .");
    assert_string_equal(run.output, "-21 0 -21 ");
    forth_close(&run);
    const struct weft_unit_machine refuses = {.no_files = WEFT_THROW_NO_FILES};
    const struct weft_unit_host refusing = {.machine = &refuses};
    run.host = &refusing;
    for (size_t n = 0; strcmp(words[n], "0 arg") != 0; n++) {
        forth_open(&run, *state, FORTH_PLAIN);
        assert_int_equal(forth_text(&run, "test", words[n]), WEFT_UNIT_FAULT);
        if (run.error.code != -323) fail_msg("%s: THROW %d", words[n], run.error.code);
        forth_close(&run);
    }
}

// A unit stopped in the middle of a file goes on there; if the file is gone meanwhile, it throws.
static void a_file_is_opened_again_where_it_was_left(void **state)
{
    need_files();
    static struct forth_run run;
    struct weft_unit_host host;
    struct weft_machine *machine = open_machine(&host);
    char text[20000] = "";
    for (unsigned n = 0; n < 1500; n++)
        strcat(text, "1 n +!\nyield\n");
    put_file("long.fth", text);
    run.host = &host;
    for (unsigned gone = 0; gone < 2; gone++) {
        forth_open(&run, *state, FORTH_RESTORE);
        assert_int_equal(forth_text(&run, "test", "variable n 0 n !"), WEFT_UNIT_DONE);
        assert_int_equal(weft_unit_interpret(run.unit, "test", "include long.fth", 16), 0);
        run.slices = 0;
        assert_int_equal(forth_go(&run, 1000), WEFT_UNIT_AGAIN);
        if (gone) remove_file("long.fth");
        const enum weft_unit_state end = forth_go(&run, UINT64_MAX);
        int64_t n = 0;
        assert_true(weft_unit_value(run.unit, "n", &n));
        if (gone) {
            assert_int_equal(end, WEFT_UNIT_FAULT);
            assert_int_equal(run.error.code, -38);
            assert_string_equal(run.error.source, "long.fth");
            assert_in_range(n, 100, 1400);
        } else {
            assert_int_equal(end, WEFT_UNIT_DONE);
            assert_int_equal(n, 1500);
        }
        forth_close(&run);
    }
    weft_machine_destroy(machine);
}

static void errors_say_which_file_led_there(void **state)
{
    need_files();
    static struct forth_run run;
    struct weft_unit_host host;
    struct weft_unit_options options = weft_unit_options_default;
    struct weft_machine *machine = open_machine(&host);
    char rendered[1024], line[70001];
    options.places = true;
    run.host = &host;
    run.options = &options;
    put_file("low.fth",
             ": half ( n -- n )\n  0\n  / ;\n: deep dup if 1- recurse 1+ else half then ;\n");
    put_file("mid.fth", "include low.fth\n: go ( -- )\n  3 deep . ;\n  go\n");
    for (unsigned mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        forth_open(&run, *state, (enum forth_mode)mode);
        assert_int_equal(forth_text(&run, "top", "\ninclude mid.fth"), WEFT_UNIT_FAULT);
        weft_unit_error_render(&run.error, rendered, sizeof(rendered));
        assert_string_equal(rendered, "mid.fth:4:3: error: division by zero (THROW -10) in half\n"
                                      "  go\n"
                                      "  ^~\n"
                                      "from top:2:9\n"
                                      "  in half (low.fth:3:3)\n"
                                      "  in deep (low.fth:4:34)\n"
                                      "  in deep (low.fth:4:18), 3 times\n"
                                      "  in go (mid.fth:3:5)\n");
        forth_close(&run);
    }
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    put_file("wide.fth", line);
    forth_open(&run, *state, FORTH_PLAIN);
    assert_int_equal(forth_text(&run, "top", "include wide.fth"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -18);
    forth_close(&run);
    run.options = NULL;
    weft_machine_destroy(machine);
}

static int set_up(void **state)
{
    struct weft_forth_system *system;
    snprintf(directory, sizeof(directory), "/tmp/weft-files-XXXXXX");
    if (mkdtemp(directory) == NULL) return -1;
    fill_directory();
    const int code = weft_forth_system_create(&weft_forth_memory_libc, &system);
    *state = system;
    return code;
}

static int tear_down(void **state)
{
    char command[128];
    weft_forth_system_free(*state);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_do_what_the_standard_says),
        cmocka_unit_test(files_may_take_their_time),
        cmocka_unit_test(nothing_is_reached_outside),
        cmocka_unit_test(without_files_the_words_throw),
        cmocka_unit_test(a_file_is_opened_again_where_it_was_left),
        cmocka_unit_test(errors_say_which_file_led_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
