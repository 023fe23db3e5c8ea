// The journal step by step: its bytes, its acknowledgements, damage told from a torn tail, failure.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/storage/journal.h"
#include "tests/support/cmocka.h"
#include "tests/support/disk_sim.h"

struct bench { // A journal on a simulated disk.
    struct weft_disk_sim sim;
    struct weft_disk disk;
    struct weft_journal journal;
    struct weft_journal_found found;
    struct weft_error error;
    uint32_t replayed;
};

static const struct weft_journal_options options = {.journal_id = 0x1122334455667788,
                                                    .segment_blocks = 16,
                                                    .buffer_blocks = 16,
                                                    .write_blocks_max = 4,
                                                    .record_bytes_max = 8192,
                                                    .segment_count_bound = 3};

static int count(void *self, uint16_t type, uint64_t lsn, struct weft_span payload)
{
    struct bench *b = self;
    assert_int_equal(type, 5);
    assert_true(lsn > 0 && payload.length > 0);
    b->replayed++;
    return 0;
}

static int reopen(struct bench *b)
{
    b->replayed = 0;
    b->error = (struct weft_error){0};
    if (b->journal.buffer) weft_journal_destroy(&b->journal);
    assert_int_equal(weft_journal_init(&b->journal, &b->disk, &options), 0);
    return weft_journal_recover(&b->journal, count, b, &b->found, &b->error);
}

static struct bench *begin(void)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    weft_disk_sim_init(&b->sim, 1);
    b->sim.done_percent = 100;
    b->disk = weft_disk_sim_disk(&b->sim);
    assert_int_equal(reopen(b), 0);
    assert_true(b->found.is_new);
    return b;
}

static void end(struct bench *b)
{
    weft_journal_destroy(&b->journal);
    weft_disk_sim_destroy(&b->sim);
    free(b);
}

static int64_t append(struct bench *b, const char *text)
{
    return weft_journal_append(&b->journal, 5, weft_span_text(text), (struct weft_span){0});
}

static void settle(struct bench *b)
{
    for (int i = 0; i < 100 && !weft_journal_idle(&b->journal); i++) {
        weft_journal_flush(&b->journal);
        weft_journal_poll(&b->journal);
    }
    assert_true(weft_journal_idle(&b->journal));
}

// docs/wire/journal.md, field by field; the checksums come from another program. Changing this
// means a new format version.
static void golden_bytes(void **state)
{
    static const uint8_t segment[56] = {
        'W',  'F',  'J',  'L',  0x0b, 0xb2, 0x6c, 0xbf, // magic, crc32c
        1,    0,    1,    0,    0,    0,    0,    0,    // version, kind, payload bytes, flags
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, // journal id
        0,    0,    0,    0,    0,    0,    0,    0,    // sequence
        0,    0,    0,    0,    0,    0,    0,    0,    // durable
        1,    0,    0,    0,    0,    0,    0,    0,    // segment, index
        16,   0,    0,    0,    0,    0,    0,    0,    // segment blocks, reserved
    };
    static const uint8_t data[91] = {
        'W',  'F',  'J',  'L',  0x34, 0x0f, 0x17, 0xef, // magic, crc32c
        1,    0,    2,    0,    27,   0,    0,    0,    // version, kind, payload bytes, flags
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, // journal id
        1,    0,    0,    0,    0,    0,    0,    0,    // sequence
        0,    0,    0,    0,    0,    0,    0,    0,    // durable
        1,    0,    0,    0,    1,    0,    0,    0,    // segment, index
        16,   0,    0,    0,    0,    0,    0,    0,    // segment blocks, reserved
        0,    0,    0,    0,    0,    0,    0,    0,    // reserved
        0x55, 0xbd, 0x92, 0xbc, 7,    0,    0,    0,    // record: crc32c, length
        1,    0,    0,    0,    0,    0,    0,    0,    // lsn
        5,    0,    0,    0,                            // type, flags
        'h',  'e',  'l',  'l',  'o',  ' ',  'w',        // payload
    };
    struct bench *b = begin();
    (void)state;
    assert_int_equal(append(b, "hello w"), 1);
    settle(b);
    const uint8_t *bytes = weft_disk_sim_bytes(&b->sim, 1, NULL);
    assert_memory_equal(bytes, segment, sizeof(segment));
    assert_memory_equal(bytes + 4096, data, sizeof(data));
    end(b);
}

static void acknowledged_in_order_only(void **state)
{
    struct bench *b = begin();
    (void)state;
    for (int i = 0; i < 5; i++) { // Five groups: five writes in flight, and the segment's header.
        append(b, "record");
        weft_journal_flush(&b->journal);
    }
    b->sim.done_percent = 30;
    uint64_t last = 0;
    for (int i = 0; i < 200 && !weft_journal_idle(&b->journal); i++) {
        const uint64_t lsn = weft_journal_poll(&b->journal);
        assert_true(lsn >= last && lsn <= 5);
        last = lsn;
        for (uint32_t w = 0; w < WEFT_DISK_SIM_WRITES; w++) // Nothing in flight is acknowledged.
            if (b->sim.writes[w].used && b->sim.writes[w].block > 0)
                assert_true(lsn < b->sim.writes[w].block);
    }
    assert_int_equal(last, 5);
    end(b);
}

static void groups_share_a_block(void **state)
{
    struct bench *b = begin();
    (void)state;
    settle(b);
    const uint64_t before = b->journal.stats.blocks;
    for (int i = 0; i < 64; i++)
        append(b, "a record of some thirty-two bytes");
    settle(b);
    assert_int_equal(b->journal.stats.blocks - before, 1);
    append(b, "next");
    settle(b);
    assert_int_equal(b->journal.stats.blocks - before, 2); // Never the same block again.
    end(b);
}

static void torn_tail_is_cut(void **state)
{
    struct bench *b = begin();
    (void)state;
    for (int i = 0; i < 3; i++) {
        append(b, "record");
        settle(b);
    }
    // The last block tears, as if it had not been acknowledged: nothing later convicts it.
    weft_disk_sim_bytes(&b->sim, 1, NULL)[3 * 4096 + 70] ^= 1;
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->replayed, 2);
    assert_int_equal(append(b, "third, anew"), 3);
    settle(b);
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->replayed, 3);
    end(b);
}

static void hole_in_the_middle_is_damage(void **state)
{
    struct bench *b = begin();
    (void)state;
    for (int i = 0; i < 4; i++) {
        append(b, "record");
        settle(b);
    }
    uint8_t *bytes = weft_disk_sim_bytes(&b->sim, 1, NULL);
    const uint64_t hash = weft_disk_sim_hash(&b->sim);
    bytes[2 * 4096 + 70] ^= 1; // Block 4 says: all before me was durable.
    assert_int_equal(reopen(b), -EBADMSG);
    assert_int_equal(b->error.code, 701);
    assert_non_null(strstr(b->error.text, "segment 1, block 2"));
    assert_int_equal(b->replayed, 0);
    assert_int_equal(append(b, "no"), -EIO);
    bytes[2 * 4096 + 70] ^= 1;
    assert_true(weft_disk_sim_hash(&b->sim) == hash); // Damage is left as it was found.
    end(b);
}

static void seal_convicts_the_last_block(void **state)
{
    struct bench *b = begin();
    (void)state;
    append(b, "record");
    settle(b);
    assert_true(weft_journal_seal(&b->journal) > 0);
    settle(b);
    weft_disk_sim_bytes(&b->sim, 1, NULL)[4096 + 70] ^= 1;
    assert_int_equal(reopen(b), -EBADMSG);
    end(b);
}

static void missing_segment_is_damage(void **state)
{
    struct bench *b = begin();
    (void)state;
    for (int life = 0; life < 3; life++) {
        append(b, "record");
        settle(b);
        assert_int_equal(reopen(b), 0);
        settle(b);
    }
    assert_int_equal(b->disk.remove(b->disk.self, 1), 0);
    assert_int_equal(reopen(b), -EBADMSG);
    assert_int_equal(b->error.code, 701);
    end(b);
}

static void newer_version_is_refused(void **state)
{
    struct bench *b = begin();
    (void)state;
    settle(b);
    struct weft_journal_block block;
    uint8_t *bytes = weft_disk_sim_bytes(&b->sim, 1, NULL);
    assert_int_equal(weft_journal_block_open(bytes, &block), WEFT_JOURNAL_VALID);
    block.version = WEFT_JOURNAL_VERSION + 1;
    weft_journal_block_seal(bytes, &block);
    assert_int_equal(reopen(b), -EPROTONOSUPPORT);
    block.version = WEFT_JOURNAL_VERSION;
    block.journal_id++;
    weft_journal_block_seal(bytes, &block);
    append(b, "x");
    assert_int_equal(reopen(b), 0); // All of it is of that other journal, so it is that one.
    assert_true(b->journal.journal_id == block.journal_id);
    end(b);
}

static void failed_write_stops(void **state)
{
    struct bench *b = begin();
    (void)state;
    append(b, "kept");
    settle(b);
    b->sim.fail_percent = 100;
    append(b, "lost");
    settle(b);
    assert_int_equal(b->journal.state, WEFT_JOURNAL_FAILED);
    assert_int_equal(b->journal.failure, -EIO);
    assert_int_equal(weft_journal_poll(&b->journal), 1);
    assert_int_equal(append(b, "never"), -EIO);
    assert_int_equal(weft_journal_snapshot_begin(&b->journal), -EIO);
    b->sim.fail_percent = 0;
    assert_int_equal(reopen(b), 0);
    assert_true(b->replayed >= 1);
    end(b);
}

static void snapshot_retires_segments(void **state)
{
    struct bench *b = begin();
    (void)state;
    while (!weft_journal_snapshot_wanted(&b->journal)) {
        assert_true(append(b, "filler") > 0);
        settle(b);
        assert_int_equal(weft_journal_tend(&b->journal), 0);
    }
    assert_int_equal(weft_journal_snapshot_end(&b->journal), -EINVAL);
    assert_int_equal(weft_journal_snapshot_begin(&b->journal), 0);
    assert_int_equal(weft_journal_snapshot_begin(&b->journal), -EALREADY);
    append(b, "the whole state");
    settle(b);
    assert_int_equal(b->journal.live_count, 5); // Nothing goes before the end is durable.
    assert_int_equal(weft_journal_snapshot_end(&b->journal), 0);
    settle(b);
    assert_int_equal(weft_journal_tend(&b->journal), 0);
    assert_int_equal(b->journal.live_count, 1);
    uint32_t files[8];
    assert_int_equal(b->disk.list(b->disk.self, files, 8), 2); // It, and the spare.
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->replayed, 1);
    end(b);
}

static int no_space(void *self, uint32_t file, uint64_t block_count)
{
    (void)self, (void)file, (void)block_count;
    return -ENOSPC;
}

// Without room for another segment the journal refuses, keeps what it has, and goes on when there
// is.
static void full_disk_refuses(void **state)
{
    struct bench *b = begin();
    const struct weft_disk disk = b->disk;
    int64_t result;
    (void)state;
    b->disk.create = no_space;
    while ((result = append(b, "record")) > 0) {
        settle(b);
        const int tended = weft_journal_tend(&b->journal);
        assert_true(tended == 0 || tended == -ENOSPC);
    }
    assert_int_equal(result, -ENOBUFS);
    assert_int_equal(b->journal.state, WEFT_JOURNAL_OPEN);
    const uint64_t lsn = weft_journal_poll(&b->journal);
    b->disk = disk;
    assert_int_equal(weft_journal_tend(&b->journal), 0);
    assert_int_equal(append(b, "record"), lsn + 1);
    settle(b);
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->replayed, lsn + 1);
    end(b);
}

// One that begins on a full disk has what it had, and takes nothing.
static void full_disk_is_read(void **state)
{
    struct bench *b = begin();
    const struct weft_disk disk = b->disk;
    (void)state;
    append(b, "kept");
    settle(b);
    b->disk.create = no_space;
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->replayed, 1);
    assert_int_equal(b->journal.state, WEFT_JOURNAL_FAILED);
    assert_int_equal(b->journal.failure, -ENOSPC);
    assert_int_equal(append(b, "never"), -EIO);
    assert_int_equal(weft_journal_seal(&b->journal), -EIO);
    assert_int_equal(weft_journal_tend(&b->journal), 0);
    assert_true(weft_journal_idle(&b->journal) && !weft_journal_dirty(&b->journal));
    b->disk = disk;
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->replayed, 1);
    assert_int_equal(append(b, "again"), 2);
    end(b);
}

static uint32_t count_files(struct bench *b)
{
    uint32_t files[WEFT_DISK_SIM_FILES];
    return (uint32_t)b->disk.list(b->disk.self, files, WEFT_DISK_SIM_FILES);
}

// A node that is started again and again, and never comes to write anything: its disk does not fill
// up, whether the start got as far as its first block or not.
static void starts_in_a_circle(void **state)
{
    struct bench *b = begin();
    (void)state;
    append(b, "kept");
    settle(b);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(reopen(b), 0);
        assert_int_equal(b->replayed, 1);
        assert_true(b->found.segments <= 3);
        if (i % 3 != 0) settle(b); // Its block 0.
        assert_true(count_files(b) <= 4);
    }
    assert_int_equal(append(b, "kept too"), 2);
    settle(b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(reopen(b), 0);
        assert_int_equal(b->replayed, 2);
        settle(b);
    }
    end(b);
}

// As above without any record before: the first segment has no other to be cut from.
static void starts_of_an_empty_journal(void **state)
{
    struct bench *b = begin();
    (void)state;
    for (int i = 0; i < 20; i++) {
        settle(b);
        assert_true(count_files(b) <= 4);
        assert_int_equal(reopen(b), 0);
    }
    assert_int_equal(append(b, "first"), 1);
    settle(b);
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->replayed, 1);
    end(b);
}

static void refused(void **state)
{
    static const uint8_t big[8193];
    struct bench *b = begin();
    (void)state;
    const struct weft_span none = {0};
    assert_int_equal(weft_journal_append(&b->journal, 5, weft_span_of(big, 8193), none), -EMSGSIZE);
    assert_int_equal(weft_journal_append(&b->journal, 0xff00, none, none), -EINVAL);
    int64_t result;
    while ((result = weft_journal_append(&b->journal, 5, weft_span_of(big, 8192), none)) > 0)
        continue;
    assert_int_equal(result, -ENOBUFS);
    const uint64_t lsn = b->journal.lsn_next;
    settle(b);
    assert_int_equal(weft_journal_append(&b->journal, 5, weft_span_of(big, 8192), none), lsn);
    struct weft_journal_options bad = options;
    bad.buffer_blocks = 4;
    struct weft_journal journal;
    assert_int_equal(weft_journal_init(&journal, &b->disk, &bad), -EINVAL);
    end(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes),
        cmocka_unit_test(acknowledged_in_order_only),
        cmocka_unit_test(groups_share_a_block),
        cmocka_unit_test(torn_tail_is_cut),
        cmocka_unit_test(hole_in_the_middle_is_damage),
        cmocka_unit_test(seal_convicts_the_last_block),
        cmocka_unit_test(missing_segment_is_damage),
        cmocka_unit_test(newer_version_is_refused),
        cmocka_unit_test(failed_write_stops),
        cmocka_unit_test(snapshot_retires_segments),
        cmocka_unit_test(full_disk_refuses),
        cmocka_unit_test(full_disk_is_read),
        cmocka_unit_test(starts_in_a_circle),
        cmocka_unit_test(starts_of_an_empty_journal),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
