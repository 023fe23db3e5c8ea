// The log of a node while it is written: nothing of it is left out where one file follows the
// other. What it says of boots is in appliance_test.c.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/admin/kept_log.h"
#include "runtime/base/assert.h"
#include "tests/support/cmocka.h"

static char directory[64], path[96];
static int turns_over_after; // So many reads that find nothing; then the log is turned over.

static void append(const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    weft_assert(fd >= 0);
    weft_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

// As the first process does it: a last line, another name, another file.
static void turn_over(void)
{
    char old[112];

    append("last\n");
    snprintf(old, sizeof(old), "%s.old", path);
    weft_assert(rename(path, old) == 0);
    append("first\n");
}

// Instead of the C library's: the worst moment for a log to be turned over is right behind a read
// that has found nothing more.
ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
{
    const ssize_t length = syscall(SYS_pread64, fd, bytes, count, offset);

    if (length == 0 && turns_over_after > 0 && --turns_over_after == 0) turn_over();
    return length;
}

static void no_line_is_left_out(void **state)
{
    (void)state;
    for (int after = 1; after <= 3; after++) {
        struct weft_kept_log *log;
        char text[256] = "", command[96];
        size_t used = 0;
        strcpy(directory, "/tmp/weft-kept-XXXXXX");
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/weftd.log", directory);
        append("there\n");
        assert_int_equal(weft_kept_log_open(&log, path, WEFT_KEPT_LOG_ALL, WEFT_KEPT_LOG_ALL, true),
                         0);
        turns_over_after = after;
        for (int i = 0; i < 20; i++) {
            const int64_t length = weft_kept_log_read(log, text + used, sizeof(text) - used);
            assert_true(length >= 0);
            used += (size_t)length;
        }
        assert_int_equal(turns_over_after, 0);
        text[used] = '\0';
        assert_string_equal(text, "there\nlast\nfirst\n");
        append("second\n");
        assert_int_equal(weft_kept_log_read(log, text, sizeof(text)), strlen("second\n"));
        weft_kept_log_close(log);
        snprintf(command, sizeof(command), "rm -r %s", directory);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_line_is_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
