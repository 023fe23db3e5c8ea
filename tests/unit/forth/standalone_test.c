// `weft forth` from its arguments to its exit status.
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forth/standalone.h"

// Runs it with both outputs in `text`; `input` is its standard input.
static int run(char **argv, const char *input, char *text, size_t size)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    FILE *in = tmpfile(), *out = tmpfile();
    assert_non_null(in);
    assert_non_null(out);
    fputs(input, in);
    fflush(in);
    rewind(in);
    fflush(NULL);
    const int old[3] = {dup(0), dup(1), dup(2)};
    dup2(fileno(in), 0);
    dup2(fileno(out), 1);
    dup2(fileno(out), 2);
    clearerr(stdin);
    const int status = weft_forth_standalone(argc, argv, NULL);
    fflush(NULL);
    for (int n = 0; n < 3; n++) {
        dup2(old[n], n);
        close(old[n]);
    }
    rewind(out);
    text[fread(text, 1, size - 1, out)] = '\0';
    fclose(in);
    fclose(out);
    return status;
}

static void arguments_texts_and_exit_status(void **state)
{
    (void)state;
    static const struct {
        char *argv[8];
        const char *input;
        int status;
        const char *text;
    } cases[] = {
        {{"forth", "-e", "21 2 * ."}, "", 0, "42 "},
        {{"forth", "-e", "1 .", "-e", "2 ."}, "", 0, "1 2 "},
        {{"forth", "-e", ": sq dup * ;", "-e", "3 sq ."}, "", 0, "9 "},
        {{"forth"}, "1 2 +\n. ", 0, "3 "},
        {{"forth", "-e", "7", "-"}, ".", 0, "7 "},
        {{"forth", "-e", "1 . bye 2 .", "-e", "3 ."}, "", 0, "1 "},
        {{"forth", "-e", "1 0 /", "-e", "3 ."},
         "",
         10,
         "-e:1:5: error: division by zero (THROW -10)\n1 0 /\n    ^\n"},
        {{"forth", "-e", "zork"},
         "",
         13,
         "-e:1:1: error: undefined word: zork (THROW -13)\nzork\n^~~~\n"},
        {{"forth", "-e", "5 throw"}, "", 63, NULL},
        {{"forth", "-e", "-300 throw"}, "", 63, NULL},
        {{"forth", "-e", "1 ms 2 ."}, "", 0, "2 "},
        {{"forth", "-e", "key emit pad 9 accept pad swap type"}, "xabc\n", 0, "xabc"},
        {{"forth", "-e", ": t key? . ekey emit begin key? while key emit repeat ; t ' key catch ."},
         "x\x1b[Ayz",
         0,
         "-1 xyz-39 "},
        {{"forth", "-e", "ekey ekey>fkey . k-up = . ekey . ekey? ."},
         "\x1b[A\x1b",
         0,
         "-1 -1 27 0 "},
        {{"forth"},
         "key emit\nx 1 .\n key? . pad 9 accept pad swap type\nline\n2 .",
         0,
         "x1 -1 line2 "},
        {{"forth", "/no/such/file.fth"},
         "",
         66,
         "/no/such/file.fth: cannot be read: No such file or directory\n"},
        {{"forth"},
         "1 .\nzork\n",
         13,
         "1 stdin:2:1: error: undefined word: zork (THROW -13)\nzork\n^~~~\n"},
        {{"forth", "-e", "self"},
         "",
         21,
         "-e:1:1: error: unsupported operation (THROW -21)\nself\n^~~~\n"
         "weft forth runs without a node; what reaches one works after `weft unit load`\n"},
        {{"forth", "/"}, "", 66, "/: cannot be read: Is a directory\n"},
        {{"forth", "-e", ": t ( n -- ) ; 5 t ."},
         "",
         0,
         "-e:1:5: warning: t says ( n -- ) but does ( -- )\n: t ( n -- ) ; 5 t .\n    "
         "^~~~~~~~\n5 "},
        {{"forth"},
         "1 .\n: t ( n -- ) ;",
         0,
         "1 stdin:2:5: warning: t says ( n -- ) but does ( -- )\n: t ( n -- ) ;\n    ^~~~~~~~\n"},
        {{"forth", "--strict", "-e", ": t ( n -- ) ;", "-e", "5 ."},
         "",
         63,
         "-e:1:5: error: t says ( n -- ) but does ( -- ) (THROW -263)\n: t ( n -- ) ;\n    "
         "^~~~~~~~\n"},
        {{"forth", "-e", "1 .", "--strict", "-e", ": t ( n -- ) drop ; 2 ."}, "", 0, "1 2 "},
        {{"forth", "--strict"}, "3 .", 0, "3 "},
        {{"forth", "-e", "--strict"}, "", 13, NULL},
        {{"forth", "-e"}, "", 64, NULL},
        {{"forth", "--zork"}, "", 64, NULL},
        {{"forth", WEFT_EXAMPLES "/primes.fth", "-e", "10000 primes ."}, "", 0, "1229 "},
    };
    static char text[65536];
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        const int status = run((char **)cases[n].argv, cases[n].input, text, sizeof(text));
        if (status != cases[n].status || (cases[n].text && strcmp(text, cases[n].text) != 0))
            fail_msg("case %zu: status %d, [%s]", n, status, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_texts_and_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
