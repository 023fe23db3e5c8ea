// A configuration that is tried for one start: it is taken once, whatever is in it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/init/choice.h"
#include "image/init/trial.h"
#include "runtime/base/units.h"
#include "tests/support/cmocka.h"

static void first_lines(void **state)
{
    static const struct {
        const char *text;
        uint32_t seconds;
    } cases[] = {
        {"# weft try 60\n[node]\n", 60}, {"# weft try 10\n", 10},  {"# weft try 3600\n", 3600},
        {"# weft try 9\n", 0},           {"# weft try 3601\n", 0}, {"# weft try 60", 0},
        {"# weft try 60s\n", 0},         {"# weft try -60\n", 0},  {"# weft try 99999\n", 0},
        {"[node]\n# weft try 60\n", 0},  {"# weft try\n60\n", 60}, {"", 0},
    };
    (void)state;

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        const uint32_t seconds = weft_trial_seconds(cases[i].text);
        // sscanf takes a line's end for a blank: what stands there must be a number all the same.
        if (seconds != cases[i].seconds) fail_msg("\"%s\": %u", cases[i].text, seconds);
    }
}

static void it_is_taken_once(void **state)
{
    static const char *const texts[] = {"# weft try 60\n[node]\nname = \"n1\"\n", "rubbish\n", ""};
    static const int results[] = {0, -EINVAL, -EINVAL};
    char directory[] = "/tmp/weft-trial-XXXXXX", wish[64], taken[64];
    (void)state;

    assert_non_null(mkdtemp(directory));
    snprintf(wish, sizeof(wish), "%s/try.toml", directory);
    snprintf(taken, sizeof(taken), "%s/tried.toml", directory);
    for (size_t i = 0; i < WEFT_COUNT_OF(texts); i++) {
        uint32_t seconds = 1;
        FILE *file = fopen(wish, "we");
        assert_non_null(file);
        fputs(texts[i], file);
        fclose(file);
        assert_int_equal(weft_trial_take(wish, taken, &seconds), results[i]);
        assert_int_equal(seconds, i == 0 ? 60 : 0);
        assert_int_equal(access(wish, F_OK), -1); // Gone, good or not.
        assert_int_equal(weft_trial_take(wish, taken, &seconds), -ENOENT);
    }
    unlink(taken);
    rmdir(directory);
}

static void it_is_chosen_or_left_out(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"# weft try 60\n[node]\nname = \"n1\"\n", true},
        {"# weft try 60\n[node]\nname = 1\n", false},
        {"# weft try 60\n[mesh]\nkey_file = \"nowhere\"\n", true}, // weftd's to find.
    };
    char path[] = "/tmp/weft-trial-XXXXXX";
    const int fd = mkstemp(path);
    (void)state;

    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_choice choice;
        char verdict[512] = "";
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fputs(cases[i].text, file);
        fclose(file);
        const bool taken = weft_choice_try(&choice, path, "/conf/weft.toml", verdict);
        if (taken != cases[i].good) fail_msg("%zu: %s", i, verdict);
        if (!taken) {
            // It is said where in the file; its line is that of what was sent, and one.
            assert_non_null(strstr(verdict, "/conf/weft.toml:3:"));
            continue;
        }
        assert_string_equal(choice.path, path);
        assert_int_equal(choice.source_count, 1);
        if (choice.config.mesh.key_file[0] != '\0')
            assert_string_equal(choice.config.mesh.key_file, "/conf/nowhere");
        weft_choice_free(&choice);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_lines),
        cmocka_unit_test(it_is_taken_once),
        cmocka_unit_test(it_is_chosen_or_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
