// The log of a node while it is written: nothing of it is left out where one file follows the
// other. What it says of boots is in appliance_test.c.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/admin/kept_log.h"
#include "runtime/base/assert.h"
#include "tests/support/cmocka.h"

#define ROUNDS 3000

struct world {
    char directory[64], path[96];
    _Atomic unsigned seen; // The highest number that was read: what the writer waits for.
};

static void append(const struct world *world, unsigned number)
{
    char line[32];
    const int length = snprintf(line, sizeof(line), "%u\n", number);
    const int fd = open(world->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    weft_assert(fd >= 0);
    weft_assert(write(fd, line, (size_t)length) == length);
    close(fd);
}

// As the first process does it: a last line, another name, another file; and then some time for who
// reads, since of two files that have passed by only the second is there.
static void *turn_over_again_and_again(void *self)
{
    struct world *world = self;
    char old[112];

    snprintf(old, sizeof(old), "%s.old", world->path);
    for (unsigned round = 0; round < ROUNDS; round++) {
        append(world, 2 * round + 1);
        weft_assert(rename(world->path, old) == 0);
        append(world, 2 * round + 2);
        while (atomic_load(&world->seen) < 2 * round + 2)
            sched_yield();
    }
    return NULL;
}

static void no_line_is_left_out(void **state)
{
    struct world world = {.directory = "/tmp/weft-kept-XXXXXX"};
    struct weft_kept_log *log;
    pthread_t thread;
    char text[4096], command[128];
    unsigned next = 1;
    (void)state;

    assert_non_null(mkdtemp(world.directory));
    snprintf(world.path, sizeof(world.path), "%s/weftd.log", world.directory);
    append(&world, 0);
    assert_int_equal(
        weft_kept_log_open(&log, world.path, WEFT_KEPT_LOG_ALL, WEFT_KEPT_LOG_ALL, true), 0);
    assert_int_equal(weft_kept_log_read(log, text, sizeof(text)), 2);
    assert_int_equal(pthread_create(&thread, NULL, turn_over_again_and_again, &world), 0);
    while (next <= 2 * ROUNDS) {
        const int64_t length = weft_kept_log_read(log, text, sizeof(text) - 1);
        assert_true(length >= 0);
        text[length] = '\0';
        for (char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) { // A write is whole lines.
            const unsigned number = (unsigned)strtoul(at, NULL, 10);
            if (number != next) fail_msg("%u comes after %u", number, next - 1);
            atomic_store(&world.seen, next++);
        }
    }
    pthread_join(thread, NULL);
    weft_kept_log_close(log);
    snprintf(command, sizeof(command), "rm -r %s", world.directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_line_is_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
