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
        {{"forth", "-e", "host-id"},
         "",
         21,
         "-e:1:1: error: unsupported operation (THROW -21)\nhost-id\n^~~~~~~\n"
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

// Units among units without a node.
static void a_family_lives_in_one_thread(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *printed; // NULL: anything.
    } cases[] = {
        {"self self = . sibling-count .", 0, "-1 0 "},
        {": w + ; 1 2 2 ' w spawn join . . .", 0, "0 1 3 "},
        {": w 1 0 / ; 0 ' w spawn join . . 5 .", 0,
         "spawn:1:1: error: division by zero (THROW -10) in w\n\n^\n2 0 5 "},
        {": w begin again ; 0 ' w spawn dup kill . dup join . . dup kill . join . .", 0,
         "0 1 0 -301 4 0 "},
        {": w 50 ms 5 ; 0 ' w spawn dup 1 join-for . . . join . . .", 0, "-306 0 0 0 1 5 "},
        {": w 5 ; 0 ' w spawn dup detach . detach .", 0, "0 -301 "},
        {"self ' join catch . drop self kill .", 0, "-24 -21 "},
        {": w ; : go 3000 0 do 0 ['] w spawn join 2drop loop ; go sibling-count .", 0, "0 "},
        {": w ; : go 1025 0 do 0 ['] w spawn drop loop ; ' go catch .", 0, "-320 "},
        // Both sleep at the same time.
        {": w 40 ms ; : go 50 0 do 0 ['] w spawn loop 50 0 do join 2drop loop ; "
         "utime go utime 2swap d- 1000000. d< .",
         0, "-1 "},
        // A channel with room, without, closed; late; gone with its owner.
        {"2 channel constant c : w 9 0 do i c send loop ; 0 ' w spawn drop "
         ": r 9 0 do c recv . loop ; r",
         0, "0 1 2 3 4 5 6 7 8 "},
        {"0 channel constant c : w c recv . c recv . ; 0 ' w spawn 5 c send 6 c send join . .", 0,
         "5 6 0 0 "},
        {"2 channel constant c 1 c 0 send-for . 2 c 0 send-for . 3 c 5 send-for . c recv . "
         "c 5 recv-for . . c 5 recv-for . .",
         0, "0 0 -306 1 0 2 -306 0 "},
        {"0 channel constant c : w 5 c ['] send catch ; 0 ' w spawn 5 ms c close-channel "
         "join . . . 2drop",
         0, "0 3 -305 "},
        {"1 channel constant c : w 6 c send 7 c ['] send catch nip nip ; 0 ' w spawn 5 ms "
         "c close-channel c recv . c ' recv catch . drop join . . .",
         0, "6 -305 0 1 -305 "},
        {": w 3 channel ; 0 ' w spawn join 2drop 1 swap ' send catch . 2drop", 0, "-305 "},
        {"1 channel constant c s\" ab\" c send-bytes c recv-bytes type "
         "1 2 3 3 c send-cells c recv-cells .s",
         0, "ab<4> 1 2 3 3 "},
        {": go 257 0 do 1 channel drop loop ; ' go catch .", 0, "-321 "},
        // Messages.
        {": w receive drop >r type r> ; 0 ' w spawn s\" hello \" 2 pick send-to . "
         "join . . self = .",
         0, "0 hello 0 1 -1 "},
        {"s\" x\" 5 send-to .", 0, "-301 "},
        // Nobody is left.
        {"1 channel recv", 63,
         "every unit waits, and nobody is left to end that\n-e:1:11: error: nobody of that name or "
         "number (THROW -301)\n1 channel recv\n          ^~~~\n"},
        {": w receive ; 0 ' w spawn ' join catch .", 63, NULL},
        {": w ; 0 ' w spawn-link", 21, NULL},
        {": w 1000 ms ; 0 ' w spawn drop 1 .", 0, "1 "},
    };
    static char text[65536];
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        char *argv[] = {(char *)(uintptr_t) "forth", (char *)(uintptr_t) "-e",
                        (char *)(uintptr_t)cases[n].text, NULL};
        const int status = run(argv, "", text, sizeof(text));
        if (status != cases[n].status || (cases[n].printed && strcmp(text, cases[n].printed) != 0))
            fail_msg("%s: status %d, [%s]", cases[n].text, status, text);
    }
}

// The keyboard is the eldest's; while it asks, its children go on.
static void only_the_eldest_has_a_keyboard(void **state)
{
    (void)state;
    static const struct {
        const char *text, *input, *printed;
    } cases[] = {
        {": w ['] key catch ['] ekey catch key? pad 9 accept ; 0 ' w spawn join . . . . . . key "
         "emit",
         "abc", "0 4 0 0 -39 -39 a"},
        {"variable n : w begin 1 n +! yield again ; 0 ' w spawn drop pad 9 accept . pad 3 type",
         "abc\n", "3 abc"},
        {"1 channel constant c : w 10 ms 7 c send ; 0 ' w spawn drop key emit c recv . "
         "pad 9 accept . pad 2 type",
         "abc\n", "a7 2 bc"},
    };
    char text[4096];
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        char *argv[] = {(char *)(uintptr_t) "forth", (char *)(uintptr_t) "-e",
                        (char *)(uintptr_t)cases[n].text, NULL};
        const int status = run(argv, cases[n].input, text, sizeof(text));
        if (status != 0 || strcmp(text, cases[n].printed) != 0)
            fail_msg("%s: status %d, [%s]", cases[n].text, status, text);
    }
}

static void the_examples_need_no_node(void **state)
{
    static const char *const names[] = {"coordinator", "pipeline", "producer-consumer",
                                        "worker-pool"};
    static char text[4096], must[4096];
    (void)state;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        char path[4096];
        char *argv[] = {(char *)(uintptr_t) "forth", path, (char *)(uintptr_t) "-e",
                        (char *)(uintptr_t) "main", NULL};
        snprintf(path, sizeof(path), "%s/%s.out", WEFT_EXAMPLES, names[n]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        must[fread(must, 1, sizeof(must) - 1, file)] = '\0';
        fclose(file);
        snprintf(path, sizeof(path), "%s/%s.fth", WEFT_EXAMPLES, names[n]);
        assert_int_equal(run(argv, "", text, sizeof(text)), 0);
        assert_string_equal(text, must);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_texts_and_exit_status),
        cmocka_unit_test(a_family_lives_in_one_thread),
        cmocka_unit_test(only_the_eldest_has_a_keyboard),
        cmocka_unit_test(the_examples_need_no_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
