// The journal over real files: by the ring, and by the thread; skips by name what the kernel
// refuses.
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/disk_thread.h"
#include "dataplane/uring_disk.h"
#include "dataplane/uring_sleeper.h"
#include "runtime/storage/journal.h"
#include "tests/support/cmocka.h"

enum { RECORDS = 200 };

static char directory[64];

static void make_directory(void)
{
    strcpy(directory, "weft-disk-XXXXXX"); // Where the test runs: a real file system, as a rule.
    assert_non_null(mkdtemp(directory));
}

static void remove_directory(void)
{
    char path[512];
    DIR *open = opendir(directory);
    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    closedir(open);
    assert_int_equal(rmdir(directory), 0);
}

static int count_record(void *self, uint16_t type, uint64_t lsn, struct weft_span payload)
{
    uint64_t *count = self;
    assert_int_equal(type, 7);
    assert_int_equal(lsn, *count + 1);
    assert_int_equal(payload.length, 8);
    assert_memory_equal(payload.data, &lsn, 8);
    (*count)++;
    return 0;
}

static void start(struct weft_journal *journal, const struct weft_disk *disk, uint64_t expected)
{
    const struct weft_journal_options options = {
        .journal_id = 99, .segment_blocks = 64, .buffer_blocks = 32, .record_bytes_max = 4096};
    uint64_t count = 0;
    struct weft_error error = {0};
    assert_int_equal(weft_journal_init(journal, disk, &options), 0);
    assert_int_equal(weft_journal_recover(journal, count_record, &count, NULL, &error), 0);
    assert_int_equal(count, expected);
}

// Waits asleep: the end of a write has to ring, or this hangs.
struct rest {
    struct weft_uring_sleeper *sleeper; // Of the ring, or
    int doorbell_fd;                    // of the thread.
};

static void sleep_once(const struct rest *rest)
{
    struct pollfd doorbell = {.fd = rest->doorbell_fd, .events = POLLIN};
    if (rest->sleeper) {
        const struct weft_sleeper interface = weft_uring_sleeper_interface(rest->sleeper);
        interface.sleep(interface.self, UINT64_MAX);
    } else {
        assert_int_equal(poll(&doorbell, 1, -1), 1);
    }
}

static void settle(struct weft_journal *journal, const struct rest *rest)
{
    for (;;) {
        weft_journal_flush(journal);
        weft_journal_poll(journal);
        if (weft_journal_idle(journal)) break;
        if (journal->write_count == WEFT_JOURNAL_WRITES || !weft_journal_dirty(journal))
            sleep_once(rest);
    }
    assert_int_equal(journal->state, WEFT_JOURNAL_OPEN);
}

static void append_all(struct weft_journal *journal, const struct rest *rest)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        const uint64_t lsn = journal->lsn_next;
        int64_t result;
        while ((result = weft_journal_append(journal, 7, weft_span_of(&lsn, 8),
                                             (struct weft_span){0})) == -ENOBUFS) {
            settle(journal, rest);
            assert_int_equal(weft_journal_tend(journal), 0);
        }
        assert_int_equal(result, lsn);
        weft_journal_flush(journal);
        weft_journal_poll(journal);
    }
    settle(journal, rest);
    assert_int_equal(weft_journal_poll(journal), journal->lsn_next - 1);
}

static void two_lives_by_ring(void **state)
{
    char why[128];
    (void)state;
    if (weft_uring_probe(why, sizeof(why)) != 0) {
        printf("skipped: io_uring: %s\n", why);
        skip();
    }
    make_directory();
    for (uint64_t life = 0; life < 2; life++) {
        struct weft_uring_disk *disk, *second;
        struct weft_uring uring;
        struct weft_uring_sleeper sleeper;
        struct weft_journal journal;
        assert_int_equal(weft_uring_disk_open(&disk, directory), 0);
        assert_int_equal(weft_uring_disk_open(&second, directory), -EBUSY);
        const struct weft_disk interface = weft_uring_disk_disk(disk);
        start(&journal, &interface, life * RECORDS); // Without a ring, as the control core does it.
        assert_int_equal(weft_uring_init(&uring), 0);
        assert_int_equal(weft_uring_sleeper_open(&sleeper, &uring), 0);
        weft_uring_disk_attach(disk, &uring);
        append_all(&journal, &(struct rest){.sleeper = &sleeper});
        // A write to a file that is not there is an error of the call, not of the ring.
        assert_int_equal(interface.write(interface.self, 4711, 0, journal.buffer, 1, 0), -ENOENT);
        weft_uring_sleeper_close(&sleeper);
        weft_uring_disk_close(disk);
        weft_uring_destroy(&uring);
        weft_journal_destroy(&journal);
    }
    remove_directory();
}

static void two_lives_by_thread(void **state)
{
    (void)state;
    make_directory();
    for (uint64_t life = 0; life < 2; life++) {
        struct weft_disk_thread *disk;
        struct weft_journal journal;
        assert_int_equal(weft_disk_thread_open(&disk, directory), 0);
        const struct weft_disk interface = weft_disk_thread_disk(disk);
        start(&journal, &interface, life * RECORDS);
        append_all(&journal, &(struct rest){.doorbell_fd = weft_disk_thread_doorbell_fd(disk)});
        weft_disk_thread_close(disk);
        weft_journal_destroy(&journal);
    }
    remove_directory();
}

// An idle ring is free: no system call is made to find that nothing has come.
static void idle_ring_is_quiet(void **state)
{
    struct weft_uring uring;
    (void)state;
    if (weft_uring_probe(NULL, 0) != 0) skip();
    assert_int_equal(weft_uring_init(&uring), 0);
    const struct weft_poller poller = weft_uring_poller(&uring);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(poller.poll(poller.self, i), 0);
        poller.flush(poller.self, i);
    }
    assert_int_equal(uring.submit_count, 0);
    weft_uring_destroy(&uring);
}

static void epoll_is_forced(void **state)
{
    char why[128], before[16] = "";
    (void)state;
    if (getenv("WEFT_IO")) snprintf(before, sizeof(before), "%s", getenv("WEFT_IO"));
    setenv("WEFT_IO", "epoll", 1);
    assert_int_equal(weft_uring_probe(why, sizeof(why)), -ECANCELED);
    assert_string_equal(why, "WEFT_IO=epoll is set");
    setenv("WEFT_IO", before, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_lives_by_ring),
        cmocka_unit_test(two_lives_by_thread),
        cmocka_unit_test(idle_ring_is_quiet),
        cmocka_unit_test(epoll_is_forced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
