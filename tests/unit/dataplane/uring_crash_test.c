// A process killed in the middle of its writes has every record that it called acknowledged, on a
// real file system; by the ring and by the thread. And what a kernel that refuses io_uring is told
// to be.
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/disk_thread.h"
#include "dataplane/uring_disk.h"
#include "runtime/base/prng.h"
#include "runtime/storage/journal.h"
#include "tests/support/cmocka.h"

enum { LIVES = 8 };

static char directory[64];

struct told { // Shared with the child: what it has been promised.
    _Atomic uint64_t acknowledged;
    _Atomic uint64_t appended;
};

static const struct weft_journal_options options = {
    .journal_id = 7, .segment_blocks = 256, .buffer_blocks = 64, .record_bytes_max = 20000};

static uint32_t length_of(uint64_t lsn)
{
    return 8 + (uint32_t)(lsn * 2654435761u % 9000);
}

static void fill(uint8_t *bytes, uint64_t lsn)
{
    memset(bytes, (int)lsn, length_of(lsn));
    memcpy(bytes, &lsn, sizeof(lsn));
}

// The child: appends for ever. It is killed, or stops when all its segments are full.
static void live(struct weft_journal *journal, struct told *told)
{
    static uint8_t bytes[20000];
    for (;;) {
        for (int i = 0; i < 4; i++) {
            const uint64_t lsn = journal->lsn_next;
            fill(bytes, lsn);
            const struct weft_span record = weft_span_of(bytes, length_of(lsn));
            if (weft_journal_append(journal, 1, record, (struct weft_span){0}) > 0)
                atomic_store(&told->appended, lsn);
        }
        weft_journal_flush(journal);
        atomic_store(&told->acknowledged, weft_journal_poll(journal));
        if (journal->state != WEFT_JOURNAL_OPEN) _exit(3);
        if (weft_journal_tend(journal) < 0) _exit(4);
    }
}

static int check(void *self, uint16_t type, uint64_t lsn, struct weft_span payload)
{
    static uint8_t bytes[20000];
    uint64_t *last = self;
    assert_int_equal(type, 1);
    assert_int_equal(lsn, *last + 1);
    fill(bytes, lsn);
    assert_true(weft_span_equal(payload, weft_span_of(bytes, length_of(lsn))));
    *last = lsn;
    return 0;
}

static int no_check(void *self, uint16_t type, uint64_t lsn, struct weft_span payload)
{
    (void)self, (void)type, (void)lsn, (void)payload;
    return 0;
}

static void child(bool by_ring, struct told *told)
{
    static struct weft_journal journal;
    static struct weft_uring uring;
    static struct weft_disk interface;
    struct weft_uring_disk *disk;
    struct weft_disk_thread *thread;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (by_ring) {
        if (weft_uring_disk_open(&disk, directory) < 0 || weft_uring_init(&uring) < 0) _exit(1);
        weft_uring_disk_attach(disk, &uring);
        interface = weft_uring_disk_disk(disk);
    } else {
        if (weft_disk_thread_open(&thread, directory) < 0) _exit(1);
        interface = weft_disk_thread_disk(thread);
    }
    if (weft_journal_init(&journal, &interface, &options) < 0) _exit(2);
    if (weft_journal_recover(&journal, no_check, NULL, NULL, NULL) < 0) _exit(2);
    live(&journal, told);
}

// Kills a child once it has been told `records` more, and waits for its end.
static void kill_a_child(bool by_ring, struct told *told, uint64_t records)
{
    const uint64_t until = atomic_load(&told->acknowledged) + records;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) child(by_ring, told);
    int status = 0;
    while (atomic_load(&told->acknowledged) < until && waitpid(pid, &status, WNOHANG) == 0)
        sched_yield();
    kill(pid, SIGKILL);
    if (status == 0) waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

// The kernel lets go of a killed process's directory a moment after its end.
static int open_when_free(struct weft_disk_thread **disk)
{
    int result;
    while ((result = weft_disk_thread_open(disk, directory)) == -EBUSY)
        sched_yield();
    return result;
}

static void nothing_acknowledged_is_lost(bool by_ring)
{
    struct told *told =
        mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct weft_prng prng;
    assert_true(told != MAP_FAILED);
    strcpy(directory, "weft-crash-XXXXXX");
    assert_non_null(mkdtemp(directory));
    weft_prng_seed(&prng, 11);
    for (int life = 0; life < LIVES; life++) {
        struct weft_disk_thread *disk;
        struct weft_journal journal;
        struct weft_error error = {0};
        uint64_t last = 0;
        kill_a_child(by_ring, told, 1 + weft_prng_below(&prng, 200));
        assert_int_equal(open_when_free(&disk), 0);
        const struct weft_disk interface = weft_disk_thread_disk(disk);
        assert_int_equal(weft_journal_init(&journal, &interface, &options), 0);
        const int result = weft_journal_recover(&journal, check, &last, NULL, &error);
        if (result < 0) fail_msg("life %d: %s", life, error.text);
        assert_true(last >= atomic_load(&told->acknowledged));
        assert_true(last <= atomic_load(&told->appended) + 1); // Killed between append and telling.
        atomic_store(&told->acknowledged, last);
        weft_disk_thread_close(disk);
        weft_journal_destroy(&journal);
    }
    char path[512];
    DIR *open = opendir(directory);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    closedir(open);
    assert_int_equal(rmdir(directory), 0);
    munmap(told, sizeof(*told));
}

static void killed_with_a_ring(void **state)
{
    char why[128];
    (void)state;
    if (weft_uring_probe(why, sizeof(why)) != 0) {
        printf("skipped: io_uring: %s\n", why);
        skip();
    }
    nothing_acknowledged_is_lost(true);
}

static void killed_with_a_thread(void **state)
{
    (void)state;
    nothing_acknowledged_is_lost(false);
}

// In a child that a filter keeps from io_uring_setup: what does the probe say?
static int probe_refused(int error, const char *expected)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {4, filter};
    const pid_t pid = fork();
    if (pid == 0) {
        char why[128];
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) _exit(77);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) _exit(77);
        if (weft_uring_probe(why, sizeof(why)) != -error) _exit(1);
        _exit(strstr(why, expected) ? 0 : 2);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void refusal_has_a_reason(void **state)
{
    (void)state;
    if (getenv("WEFT_IO") && strcmp(getenv("WEFT_IO"), "epoll") == 0) skip();
    const int result = probe_refused(EPERM, "seccomp");
    if (result == 77) skip(); // No filters here either.
    assert_int_equal(result, 0);
    assert_int_equal(probe_refused(ENOSYS, "no io_uring"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_with_a_ring),
        cmocka_unit_test(killed_with_a_thread),
        cmocka_unit_test(refusal_has_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
