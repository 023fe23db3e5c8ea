// journal.c: what a durable record costs: one at a time, and in groups; by the ring, and by
// the thread. Question: how many small records a second does a node acknowledge, at which delay?
//
// bench_journal [DIRECTORY [SECONDS]] [--json] [--quick]: the directory lies on the disk to be
// measured (default: here). It is made and removed. "depth" is how many groups the owner lets wait
// for their acknowledgement.
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/context.h"
#include "dataplane/disk_thread.h"
#include "dataplane/uring_disk.h"
#include "runtime/base/units.h"
#include "runtime/storage/journal.h"

enum { RECORD_BYTES = 100, GROUPS_MAX = 1 << 18 };

struct measure {
    uint32_t group; // Records per turn.
    uint32_t depth; // Groups not acknowledged.
    uint64_t records, groups, elapsed_ns;
    uint64_t blocks;
    uint64_t begun_ns[GROUPS_MAX];
    uint64_t delay_ns[GROUPS_MAX];
};

static struct measure measure;
static char directory[256];
static struct weft_bench out;

static int ignore(void *self, uint16_t type, uint64_t lsn, struct weft_span payload)
{
    (void)self, (void)type, (void)lsn, (void)payload;
    return 0;
}

static bool append_group(struct weft_journal *journal, struct measure *m)
{
    static const uint8_t record[RECORD_BYTES];
    for (uint32_t i = 0; i < m->group; i++) {
        const struct weft_span bytes = weft_span_of(record, sizeof(record));
        if (weft_journal_append(journal, 1, bytes, (struct weft_span){0}) < 0) return false;
    }
    return true;
}

static void run(struct weft_journal *journal, struct measure *m, uint64_t run_ns)
{
    const uint64_t from_ns = weft_bench_now_ns();
    const uint64_t lsn_from = journal->lsn_next, blocks_from = journal->stats.blocks;
    uint64_t begun = 0;
    m->groups = 0;
    while (m->groups < GROUPS_MAX && weft_bench_now_ns() - from_ns < run_ns) {
        const uint64_t before = m->groups;
        if (begun < GROUPS_MAX && begun - m->groups < m->depth) {
            m->begun_ns[begun] = weft_bench_now_ns();
            if (!append_group(journal, m)) break; // The segments made beforehand are full.
            begun++;
            weft_journal_flush(journal);
        }
        const uint64_t records = weft_journal_poll(journal) + 1 - lsn_from;
        for (; m->groups < begun && (m->groups + 1) * m->group <= records; m->groups++)
            m->delay_ns[m->groups] = weft_bench_now_ns() - m->begun_ns[m->groups];
        weft_journal_flush(journal);
        if (m->groups == before) sched_yield();
    }
    m->elapsed_ns = weft_bench_now_ns() - from_ns;
    m->records = m->groups * m->group;
    m->blocks = journal->stats.blocks - blocks_from;
}

static void print(const char *way, struct measure *m)
{
    char row[64], note[96];
    const double seconds = (double)m->elapsed_ns / (double)WEFT_NS_PER_S;
    const uint64_t p50_ns = weft_bench_percentile(m->delay_ns, m->groups, 500);
    const uint64_t p99_ns = weft_bench_percentile(m->delay_ns, m->groups, 990);
    snprintf(row, sizeof(row), "%s, groups of %u, %u waiting", way, m->group, m->depth);
    snprintf(note, sizeof(note), "p50 %.0f us, p99 %.0f us, %.0f bytes of disk each",
             (double)p50_ns / 1e3, (double)p99_ns / 1e3,
             m->records ? (double)m->blocks * WEFT_DISK_BLOCK_BYTES / (double)m->records : 0.0);
    weft_bench_row(&out, row, (double)m->records / seconds, "records/s", note);
}

static void remove_files(void)
{
    char path[600];
    DIR *open = opendir(directory);
    if (!open) return;
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    closedir(open);
}

static void measure_way(const char *way, const struct weft_disk *disk, uint32_t group,
                        uint32_t depth, uint64_t run_ns)
{
    // One segment of 64 MiB, so that making files is not measured.
    const struct weft_journal_options options = {.journal_id = 1, .segment_blocks = 16384};
    struct weft_journal journal;
    if (weft_journal_init(&journal, disk, &options) < 0) exit(1);
    if (weft_journal_recover(&journal, ignore, NULL, NULL, NULL) < 0) exit(1);
    measure.group = group;
    measure.depth = depth;
    run(&journal, &measure, run_ns);
    while (!weft_journal_idle(&journal)) { // The disk still reads from the journal's memory.
        weft_journal_flush(&journal);
        weft_journal_poll(&journal);
        sched_yield();
    }
    weft_journal_destroy(&journal);
    print(way, &measure);
    fflush(stdout);
}

static void measure_ring(uint32_t group, uint32_t depth, uint64_t run_ns)
{
    struct weft_uring_disk *disk;
    struct weft_uring uring;
    if (weft_uring_disk_open(&disk, directory) < 0 || weft_uring_init(&uring) < 0) exit(1);
    weft_uring_disk_attach(disk, &uring);
    const struct weft_disk interface = weft_uring_disk_disk(disk);
    measure_way(weft_uring_disk_is_direct(disk) ? "uring" : "uring*", &interface, group, depth,
                run_ns);
    weft_uring_disk_close(disk);
    weft_uring_destroy(&uring);
    remove_files();
}

static void measure_thread(uint32_t group, uint32_t depth, uint64_t run_ns)
{
    struct weft_disk_thread *disk;
    if (weft_disk_thread_open(&disk, directory) < 0) exit(1);
    const struct weft_disk interface = weft_disk_thread_disk(disk);
    measure_way("thread", &interface, group, depth, run_ns);
    weft_disk_thread_close(disk);
    remove_files();
}

int main(int argc, char **argv)
{
    static const uint32_t shapes[][2] = {{1, 1}, {1, 16}, {64, 1}, {64, 16}};
    char why[128];
    weft_bench_begin(&out, "journal", "the disk below the directory", argc, argv);
    const double given = out.argument_count > 1 ? atof(out.arguments[1]) : 0.5;
    const double seconds = out.quick ? given / 10 : given;
    const uint64_t run_ns = (uint64_t)(seconds * (double)WEFT_NS_PER_S);
    snprintf(directory, sizeof(directory), "%s/weft-journal-bench.%d",
             out.argument_count > 0 ? out.arguments[0] : ".", (int)getpid());
    const bool has_ring = weft_uring_probe(why, sizeof(why)) == 0;
    if (!has_ring) weft_bench_say(&out, "io_uring: %s", why);
    weft_bench_say(&out,
                   "records of %d bytes, %.1f s each; the delay is from append to acknowledged "
                   "(uring* = without O_DIRECT)",
                   RECORD_BYTES, seconds);
    for (size_t i = 0; i < WEFT_COUNT_OF(shapes); i++) {
        if (has_ring) measure_ring(shapes[i][0], shapes[i][1], run_ns);
        measure_thread(shapes[i][0], shapes[i][1], run_ns);
    }
    rmdir(directory);
    weft_bench_end(&out);
    return 0;
}
