// cases/NAME.toml in, cases/NAME.out out: the config printed back, or what is wrong with it.
//
// cases_test DIRECTORY [--write]: --write makes the .out files say what is printed now.
#include "tests/support/cmocka.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static const char *directory;
static bool rewrite;

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);
    *length = file ? fread(text, 1, 65535, file) : 0;
    if (file) fclose(file);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// What the program says of the file, with a name that does not depend on where the tests lie.
static char *verdict(const char *path)
{
    struct weft_config config;
    struct weft_config_report report;
    char *said;
    size_t length, said_length;
    char *text = read_file(path, &length);
    FILE *out = open_memstream(&said, &said_length);
    const int result = weft_config_parse(&config, text, length, strrchr(path, '/') + 1, &report);
    if (result == 0)
        weft_config_print(&config, out);
    else
        weft_config_report_print(&report, out, false);
    assert_int_equal(result == 0, report.error_count == 0);
    fclose(out);
    weft_config_free(&config);
    weft_config_report_free(&report);
    free(text);
    return said;
}

static void every_file_says_what_it_said(void **state)
{
    char pattern[4096];
    glob_t found;
    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/*.toml", directory);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char path[4200];
        size_t length;
        snprintf(path, sizeof(path), "%.*s.out", (int)(strlen(found.gl_pathv[i]) - strlen(".toml")),
                 found.gl_pathv[i]);
        char *said = verdict(found.gl_pathv[i]);
        if (rewrite) write_file(path, said);
        char *expected = read_file(path, &length);
        if (strcmp(said, expected) != 0)
            fail_msg("%s says\n%sinstead of\n%s", found.gl_pathv[i], said, expected);
        free(expected);
        free(said);
    }
    globfree(&found);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_says_what_it_said)};
    directory = argc > 1 ? argv[1] : ".";
    rewrite = argc > 2 && strcmp(argv[2], "--write") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
