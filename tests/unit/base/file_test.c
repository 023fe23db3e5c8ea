// A file that is replaced has its old bytes or its new ones, whatever lies beside it.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/file.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/weft-file.XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static const char *at(const char *name)
{
    static char paths[2][128];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void holds(const char *name, const char *wanted)
{
    char text[64];
    FILE *file = fopen(at(name), "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, wanted);
}

static void is_replaced(void **state)
{
    struct stat status;
    (void)state;
    assert_int_equal(weft_file_replace(at("one"), "first", 5, 0600), 0);
    holds("one", "first");
    assert_int_equal(stat(at("one"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(weft_file_replace(at("one"), "2", 1, 0400), 0);
    holds("one", "2");
    assert_int_equal(stat(at("one"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0400);
    assert_int_equal(weft_file_replace(at("one"), "", 0, 0600), 0);
    holds("one", "");
    assert_int_equal(access(at("one.new"), F_OK), -1);
}

// What a power failure left beside it, or somebody put there to have another file written.
static void what_lies_beside_is_no_hindrance(void **state)
{
    (void)state;
    assert_int_equal(weft_file_replace(at("one"), "first", 5, 0600), 0);
    assert_int_equal(weft_file_replace(at("other"), "other", 5, 0600), 0);
    assert_int_equal(symlink(at("other"), at("one.new")), 0);
    assert_int_equal(weft_file_replace(at("one"), "second", 6, 0600), 0);
    holds("one", "second");
    holds("other", "other");
    assert_int_equal(weft_file_replace(at("one.new"), "half", 4, 0600), 0);
    assert_int_equal(weft_file_replace(at("one"), "third", 5, 0600), 0);
    holds("one", "third");
}

static void what_people_have_beside_it_stays(void **state)
{
    (void)state;
    assert_int_equal(weft_file_save(at("one.new"), "theirs", 6, 0600), 0);
    assert_int_equal(weft_file_save(at("one.weft-new"), "half", 4, 0600), 0); // As a cut leaves it.
    assert_int_equal(weft_file_save(at("one"), "first", 5, 0600), 0);
    holds("one", "first");
    holds("one.new", "theirs");
    assert_int_equal(access(at("one.weft-new"), F_OK), -1);
}

static void a_failure_leaves_the_old_one(void **state)
{
    char name[4200];
    (void)state;
    assert_int_equal(weft_file_replace(at("nowhere/one"), "x", 1, 0600), -ENOENT);
    assert_int_equal(mkdir(at("here"), 0700), 0);
    assert_int_equal(weft_file_replace(at("here"), "x", 1, 0600), -EISDIR);
    assert_int_equal(access(at("here.new"), F_OK), -1);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(weft_file_replace(name, "x", 1, 0600), -ENAMETOOLONG);
    assert_int_equal(weft_file_sync_directory(at("nowhere/one")), -ENOENT);
    assert_int_equal(weft_file_sync_directory(at("one")), 0);
    // A root that is only read may know of nothing to wait for.
    if (access("/", W_OK) == 0) assert_int_equal(weft_file_sync_directory("/one"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_replaced, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(what_lies_beside_is_no_hindrance, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(what_people_have_beside_it_stays, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_failure_leaves_the_old_one, make_directory,
                                        remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
