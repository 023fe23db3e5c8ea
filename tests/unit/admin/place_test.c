// Where nodes are looked for, and what is not trusted there.
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/admin/place.h"

static void chooses_the_run_directory(void **state)
{
    char run[WEFT_PLACE_BYTES], wanted[64];
    struct weft_error error;
    (void)state;

    setenv("WEFT_RUN_DIR", "/somewhere", 1);
    assert_int_equal(weft_place_run(run, &error), 0);
    assert_string_equal(run, "/somewhere");
    unsetenv("WEFT_RUN_DIR");
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    assert_int_equal(weft_place_run(run, &error), 0);
    assert_string_equal(run, geteuid() == 0 ? "/run/weft" : "/run/user/7/weft");
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(weft_place_run(run, &error), 0);
    snprintf(wanted, sizeof(wanted), "/tmp/weft-%u", (unsigned)geteuid());
    assert_string_equal(run, geteuid() == 0 ? "/run/weft" : wanted);

    char large[200];
    memset(large, 'x', sizeof(large) - 1);
    large[0] = '/';
    large[sizeof(large) - 1] = '\0';
    setenv("WEFT_RUN_DIR", large, 1);
    assert_int_equal(weft_place_run(run, &error), -1);
    unsetenv("WEFT_RUN_DIR");
}

static void trusts_only_what_is_ours_alone(void **state)
{
    char directory[] = "/tmp/weft-place-XXXXXX", path[128];
    struct weft_error error;
    (void)state;

    assert_non_null(mkdtemp(directory));
    assert_int_equal(weft_place_check(directory, &error), 0);
    assert_int_equal(chmod(directory, 0750), 0);
    assert_int_equal(weft_place_check(directory, &error), -1);
    assert_int_equal(error.code, 502);
    assert_int_equal(chmod(directory, 0700), 0);
    snprintf(path, sizeof(path), "%s/link", directory);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(weft_place_check(path, &error), -1); // A link leads elsewhere.
    unlink(path);
    snprintf(path, sizeof(path), "%s/none", directory);
    assert_int_equal(weft_place_check(path, &error), 1);
    rmdir(directory);
}

static void make_node(const char *run, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct weft_error error;

    assert_int_equal(weft_place_make(run, name, &error), 0);
    assert_int_equal(weft_place_socket(run, name, address.sun_path, &error), 0);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void lists_nodes_by_number(void **state)
{
    static const char *const made[] = {"n10", "n2", "n1"};
    char run[] = "/tmp/weft-place-XXXXXX", path[128], names[8][64];
    struct weft_error error;
    (void)state;

    assert_non_null(mkdtemp(run));
    for (size_t i = 0; i < 3; i++)
        make_node(run, made[i]);
    assert_int_equal(weft_place_make(run, "empty", &error), 0); // No socket: not a node.
    assert_int_equal(weft_place_nodes(run, names, 8), 3);
    assert_string_equal(names[0], "n1");
    assert_string_equal(names[1], "n2");
    assert_string_equal(names[2], "n10");
    assert_int_equal(weft_place_nodes(run, names, 2), 2);
    assert_int_equal(weft_place_nodes("/nonexistent", names, 8), 0);
    assert_int_equal(weft_place_socket(run, "../x", path, &error), -1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(weft_place_socket(run, made[i], path, &error), 0);
        unlink(path);
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
    snprintf(path, sizeof(path), "%s/empty", run);
    rmdir(path);
    assert_int_equal(rmdir(run), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_the_run_directory),
        cmocka_unit_test(trusts_only_what_is_ours_alone),
        cmocka_unit_test(lists_nodes_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
