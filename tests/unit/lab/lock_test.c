// One lab per directory, and what a killed one leaves.
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/lab/lock.h"

struct place {
    char base[64], run[80];
};

static int place_make(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    snprintf(place->base, sizeof(place->base), "/tmp/weft-lock.XXXXXX");
    if (mkdtemp(place->base) == NULL) return -1;
    snprintf(place->run, sizeof(place->run), "%s/run", place->base);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;
    const int result = rmdir(place->base); // Every test leaves it empty.

    free(place);
    return result;
}

static void make_file(const struct place *place, const char *name)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", place->run, name);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool exists(const struct place *place, const char *name)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", place->run, name);
    return access(path, F_OK) == 0;
}

static void make_directory(const struct place *place, const char *name)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", place->run, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void only_one_holds_it(void **state)
{
    const struct place *place = *state;
    struct weft_lab_lock lock, second;
    struct weft_error error;
    bool stale = true;

    assert_int_equal(weft_lab_lock_holder(place->run), 0);
    assert_int_equal(weft_lab_lock_take(&lock, place->run, &stale, &error), 0);
    assert_false(stale);
    assert_int_equal(weft_lab_lock_holder(place->run), getpid());
    assert_int_equal(weft_lab_lock_take(&second, place->run, &stale, &error), -1);
    assert_int_equal(error.code, 601);
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    assert_non_null(strstr(error.text, pid));
    weft_lab_lock_release(&lock, false);
    assert_int_equal(weft_lab_lock_holder(place->run), 0);
    assert_int_equal(access(place->run, F_OK), -1); // It was made by the lab.
}

static void a_directory_that_was_there_stays(void **state)
{
    const struct place *place = *state;
    struct weft_lab_lock lock;
    struct weft_error error;

    assert_int_equal(mkdir(place->run, 0700), 0);
    assert_int_equal(weft_lab_lock_take(&lock, place->run, NULL, &error), 0);
    make_file(place, "somebody-elses");
    make_directory(place, "n7"); // A node that no lab made.
    make_file(place, "n7/admin.sock");
    weft_lab_lock_release(&lock, false);
    assert_true(exists(place, "somebody-elses"));
    assert_true(exists(place, "n7/admin.sock"));
    assert_false(exists(place, "lab.lock"));
    char path[160];
    snprintf(path, sizeof(path), "rm -r '%s'", place->run);
    assert_int_equal(system(path), 0);
}

// A child takes the lock, makes files, and dies without a word.
static void a_killed_labs_files_are_removed(void **state)
{
    const struct place *place = *state;
    struct weft_lab_lock lock;
    struct weft_error error;
    bool stale = false;
    const pid_t child = fork();

    if (child == 0) {
        if (weft_lab_lock_take(&lock, place->run, NULL, &error) < 0) _exit(1);
        make_directory(place, "n1");
        make_file(place, "n1/weft.toml");
        make_directory(place, "n1/data");
        make_file(place, "n1/data/journal-00000001.wal");
        make_directory(place, "n2"); // Killed before it was filled.
        make_file(place, "cluster.key");
        make_file(place, "lab.sock");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(weft_lab_lock_holder(place->run), 0);
    assert_int_equal(weft_lab_lock_take(&lock, place->run, &stale, &error), 0);
    assert_true(stale);
    assert_false(exists(place, "n1"));
    assert_false(exists(place, "n2"));
    assert_false(exists(place, "cluster.key"));
    weft_lab_lock_release(&lock, false);
    assert_int_equal(access(place->run, F_OK), -1); // The killed one had made it.
}

static void keeps_what_it_is_told_to_keep(void **state)
{
    const struct place *place = *state;
    struct weft_lab_lock lock;
    struct weft_error error;
    bool stale = false;

    assert_int_equal(weft_lab_lock_take(&lock, place->run, NULL, &error), 0);
    make_file(place, "cluster.key");
    weft_lab_lock_release(&lock, true);
    assert_true(exists(place, "cluster.key"));
    assert_int_equal(weft_lab_lock_take(&lock, place->run, &stale, &error), 0);
    assert_true(stale);
    weft_lab_lock_release(&lock, false);
}

static void refuses_a_place_open_to_others(void **state)
{
    const struct place *place = *state;
    struct weft_lab_lock lock;
    struct weft_error error;

    assert_int_equal(mkdir(place->run, 0700), 0);
    assert_int_equal(chmod(place->run, 0755), 0);
    assert_int_equal(weft_lab_lock_take(&lock, place->run, NULL, &error), -1);
    assert_int_equal(error.code, 502);
    assert_int_equal(rmdir(place->run), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_one_holds_it, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_directory_that_was_there_stays, place_make, place_remove),
        cmocka_unit_test_setup_teardown(a_killed_labs_files_are_removed, place_make, place_remove),
        cmocka_unit_test_setup_teardown(keeps_what_it_is_told_to_keep, place_make, place_remove),
        cmocka_unit_test_setup_teardown(refuses_a_place_open_to_others, place_make, place_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
