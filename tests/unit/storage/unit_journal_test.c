// The records of a unit: written, read back, folded; and every wrong length refused.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/prng.h"
#include "runtime/storage/unit_journal.h"
#include "tests/support/cmocka.h"
#include "tests/support/disk_sim.h"

static void settle(struct weft_journal *journal)
{
    while (!weft_journal_idle(journal)) {
        weft_journal_flush(journal);
        weft_journal_poll(journal);
    }
}

static struct weft_unit_load load_of(const char *name, const char *source)
{
    struct weft_unit_load load = {.recovery = 1, .source = weft_span_text(source)};
    snprintf(load.name, sizeof(load.name), "%s", name);
    snprintf(load.source_name, sizeof(load.source_name), "%s.fth", name);
    return load;
}

static void last_record_wins(void **state)
{
    struct weft_disk_sim sim;
    struct weft_journal journal;
    struct weft_unit_table table = {0};
    const struct weft_journal_options options = {.journal_id = 5};
    (void)state;
    weft_disk_sim_init(&sim, 3);
    const struct weft_disk disk = weft_disk_sim_disk(&sim);
    assert_int_equal(weft_journal_init(&journal, &disk, &options), 0);
    assert_int_equal(weft_journal_recover(&journal, weft_unit_table_replay, &table, NULL, NULL), 0);
    const struct weft_unit_load counter = load_of("counter", "variable total");
    const struct weft_unit_load other = load_of("other", ": x ;");
    const struct weft_unit_load again = load_of("counter", "variable total 5 total !");
    static uint8_t image[WEFT_UNIT_IMAGE_MAX];
    memset(image, 0xa5, sizeof(image));
    assert_int_equal(weft_unit_journal_load(&journal, &counter), 1);
    assert_int_equal(weft_unit_journal_load(&journal, &other), 2);
    assert_int_equal(weft_unit_journal_image(&journal, "counter", weft_span_text("old")), 3);
    assert_int_equal(weft_unit_journal_load(&journal, &again), 4); // A copy: keeps the image.
    assert_int_equal(weft_unit_journal_gone(&journal, "other"), 5);
    settle(&journal);
    assert_int_equal(
        weft_unit_journal_image(&journal, "counter", weft_span_of(image, sizeof(image))), 6);
    settle(&journal);
    weft_journal_destroy(&journal);

    assert_int_equal(weft_journal_init(&journal, &disk, &options), 0);
    assert_int_equal(weft_journal_recover(&journal, weft_unit_table_replay, &table, NULL, NULL), 0);
    weft_unit_table_settle(&table);
    assert_int_equal(table.count, 1);
    assert_null(weft_unit_table_find(&table, "other"));
    const struct weft_unit_entry *entry = weft_unit_table_find(&table, "counter");
    assert_non_null(entry);
    assert_string_equal(entry->load.source_name, "counter.fth");
    assert_int_equal(entry->load.recovery, 1);
    assert_true(weft_span_equal(entry->load.source, again.source));
    assert_true(weft_span_equal(entry->image, weft_span_of(image, sizeof(image))));
    weft_unit_table_destroy(&table);
    weft_journal_destroy(&journal);
    weft_disk_sim_destroy(&sim);
}

// Against an array that does the same the long way: many names, loads and ends in any order.
static void table_finds_each_name(void **state)
{
    enum { NAMES = 300, STEPS = 4000 };
    static bool there[NAMES];
    struct weft_unit_table table = {0};
    struct weft_prng prng;
    (void)state;
    weft_prng_seed(&prng, 17);
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t name = weft_prng_below(&prng, NAMES);
        const bool load = weft_prng_below(&prng, 3) > 0;
        uint8_t payload[16] = {0};
        char text[8];
        const uint8_t length = (uint8_t)snprintf(text, sizeof(text), "u%u", name);
        payload[load ? 1 : 0] = length;
        memcpy(payload + (load ? 8 : 1), text, length);
        assert_int_equal(weft_unit_table_replay(&table, load ? WEFT_UNIT_LOAD : WEFT_UNIT_GONE, 1,
                                                weft_span_of(payload, (load ? 8 : 1) + length)),
                         0);
        there[name] = load;
    }
    uint32_t count = 0;
    weft_unit_table_settle(&table);
    for (uint32_t name = 0; name < NAMES; name++) {
        char text[8];
        snprintf(text, sizeof(text), "u%u", name);
        const struct weft_unit_entry *entry = weft_unit_table_find(&table, text);
        assert_int_equal(entry != NULL, there[name]);
        if (entry) assert_string_equal(entry->load.name, text);
        count += there[name];
    }
    assert_int_equal(table.count, count);
    weft_unit_table_destroy(&table);
}

// A compaction that a crash cut between the copy of a source and the copy of its image loses
// neither.
static void a_copied_source_keeps_the_image(void **state)
{
    static const uint8_t load[] = {1, 1, 0, 0, 1, 0, 0, 0, 'a', 's'};
    static const uint8_t image[] = {1, 0, 0, 0, 2, 0, 0, 0, 'a', 7, 8};
    struct weft_unit_table table = {0};
    (void)state;
    weft_unit_table_replay(&table, WEFT_UNIT_LOAD, 1, weft_span_of(load, sizeof(load)));
    weft_unit_table_replay(&table, WEFT_UNIT_IMAGE, 2, weft_span_of(image, sizeof(image)));
    weft_unit_table_replay(&table, WEFT_UNIT_LOAD, 3, weft_span_of(load, sizeof(load)));
    assert_int_equal(weft_unit_table_find(&table, "a")->image.length, 2);
    weft_unit_table_destroy(&table);
}

static void limits_are_checked(void **state)
{
    struct weft_journal journal = {0}; // Never reached: the checks come first.
    struct weft_unit_load load = load_of("ok", "");
    static uint8_t big[WEFT_UNIT_IMAGE_MAX + 1];
    (void)state;
    load.source = weft_span_of(big, WEFT_UNIT_SOURCE_MAX + 1);
    assert_int_equal(weft_unit_journal_load(&journal, &load), -EMSGSIZE);
    memset(load.name, 'x', sizeof(load.name)); // 32 bytes, no zero.
    assert_int_equal(weft_unit_journal_load(&journal, &load), -EINVAL);
    assert_int_equal(weft_unit_journal_gone(&journal, ""), -EINVAL);
    assert_int_equal(weft_unit_journal_gone(&journal, "two words"), -EINVAL);
    assert_int_equal(weft_unit_journal_image(&journal, "a-name-of-thirty-two-characters!",
                                             (struct weft_span){0}),
                     -EINVAL);
    assert_int_equal(weft_unit_journal_image(&journal, "ok", weft_span_of(big, sizeof(big))),
                     -EMSGSIZE);
}

static void every_truncation_is_refused(void **state)
{
    static const uint8_t load[] = {1, 2, 1, 0, 3, 0, 0, 0, 'a', 'b', 'f', 's', 'r', 'c'};
    static const uint8_t image[] = {2, 0, 0, 0, 3, 0, 0, 0, 'a', 'b', 1, 2, 3};
    static const uint8_t gone[] = {2, 'a', 'b'};
    struct weft_unit_load out;
    struct weft_span bytes;
    char name[WEFT_UNIT_NAME_MAX + 1];
    (void)state;
    for (size_t length = 0; length <= sizeof(load); length++) // Golden, at full length.
        assert_int_equal(weft_unit_load_decode(weft_span_of(load, length), &out),
                         length == sizeof(load) ? 0 : -EBADMSG);
    assert_string_equal(out.name, "ab");
    assert_string_equal(out.source_name, "f");
    assert_true(weft_span_equal(out.source, weft_span_text("src")));
    for (size_t length = 0; length <= sizeof(image); length++)
        assert_int_equal(weft_unit_image_decode(weft_span_of(image, length), name, &bytes),
                         length == sizeof(image) ? 0 : -EBADMSG);
    assert_string_equal(name, "ab");
    assert_int_equal(bytes.length, 3);
    for (size_t length = 0; length <= sizeof(gone); length++)
        assert_int_equal(weft_unit_gone_decode(weft_span_of(gone, length), name),
                         length == sizeof(gone) ? 0 : -EBADMSG);
}

// ---- Spawned units.

static struct weft_unit_load child_of(const char *name, const char *parent, uint64_t serial)
{
    struct weft_unit_load load = {.origin = {.root = "r", .serial = serial}};
    snprintf(load.name, sizeof(load.name), "%s", name);
    snprintf(load.origin.parent, sizeof(load.origin.parent), "%s", parent);
    return load;
}

static void a_child_reads_back(void **state)
{
    static const uint8_t golden[] = {2, 1, 1, 0, 0, 0, 0,   0,   9,   0,
                                     0, 0, 0, 0, 0, 1, '~', '1', 'p', 'r'};
    struct weft_unit_load out;
    uint8_t bytes[sizeof(golden)];
    (void)state;
    for (size_t length = 0; length <= sizeof(golden); length++)
        assert_int_equal(weft_unit_child_decode(weft_span_of(golden, length), &out),
                         length == sizeof(golden) ? 0 : -EBADMSG);
    assert_string_equal(out.name, "~1");
    assert_string_equal(out.origin.parent, "p");
    assert_string_equal(out.origin.root, "r");
    assert_true(out.origin.serial == (UINT64_C(1) << 56 | 9));
    for (size_t at = 3; at < 8; at++) { // Reserved.
        memcpy(bytes, golden, sizeof(bytes));
        bytes[at] = 1;
        assert_int_equal(weft_unit_child_decode(weft_span_of(bytes, sizeof(bytes)), &out),
                         -EBADMSG);
    }
    memcpy(bytes, golden, sizeof(bytes));
    bytes[1] = 2, bytes[2] = 0; // Who has no root was not spawned.
    assert_int_equal(weft_unit_child_decode(weft_span_of(bytes, sizeof(bytes)), &out), -EBADMSG);
    struct weft_journal journal = {0}; // Never reached: the checks come first.
    struct weft_unit_load load = child_of("~1", "two words", 0);
    assert_int_equal(weft_unit_journal_load(&journal, &load), -EINVAL);
    memset(load.origin.root, 'x', sizeof(load.origin.root)); // 32 bytes, no zero.
    assert_int_equal(weft_unit_journal_load(&journal, &load), -EINVAL);
}

static void append_all(struct weft_journal *journal)
{
    const struct weft_unit_load root = load_of("r", ""), other = load_of("o", "");
    const struct weft_unit_load child = child_of("~1", "r", 1),
                                grandchild = child_of("~2", "~1", 1),
                                last = child_of("~3", "~2", 1);
    assert_true(weft_unit_journal_load(journal, &root) > 0);
    assert_true(weft_unit_journal_load(journal, &other) > 0);
    assert_true(weft_unit_journal_load(journal, &child) > 0);
    assert_true(weft_unit_journal_load(journal, &grandchild) > 0);
    assert_true(weft_unit_journal_load(journal, &last) > 0);
    assert_true(weft_unit_journal_image(journal, "~2", weft_span_text("image")) > 0);
}

// What is left when `gone` goes.
static void recovered(const char *gone, struct weft_unit_table *table)
{
    struct weft_disk_sim sim;
    struct weft_journal journal;
    const struct weft_journal_options options = {.journal_id = 5};
    weft_disk_sim_init(&sim, 3);
    const struct weft_disk disk = weft_disk_sim_disk(&sim);
    assert_int_equal(weft_journal_init(&journal, &disk, &options), 0);
    assert_int_equal(weft_journal_recover(&journal, weft_unit_table_replay, table, NULL, NULL), 0);
    append_all(&journal);
    assert_true(weft_unit_journal_gone(&journal, gone) > 0);
    settle(&journal);
    weft_journal_destroy(&journal);
    assert_int_equal(weft_journal_init(&journal, &disk, &options), 0);
    assert_int_equal(weft_journal_recover(&journal, weft_unit_table_replay, table, NULL, NULL), 0);
    weft_unit_table_settle(table);
    weft_journal_destroy(&journal);
    weft_disk_sim_destroy(&sim);
}

static void who_goes_leaves_its_children_or_takes_its_family(void **state)
{
    struct weft_unit_table table = {0};
    (void)state;
    recovered("~1", &table); // It was spawned: what it spawned has no parent any more.
    assert_int_equal(table.count, 4);
    assert_string_equal(weft_unit_table_find(&table, "~2")->load.origin.parent, "");
    assert_int_equal(weft_unit_table_find(&table, "~2")->image.length, 5);
    assert_string_equal(weft_unit_table_find(&table, "~3")->load.origin.parent, "~2");
    const bool stays[] = {true, false, true, false};
    weft_unit_table_filter(&table, stays);
    assert_int_equal(table.count, 2);
    assert_non_null(weft_unit_table_find(&table, "r"));
    assert_non_null(weft_unit_table_find(&table, "~2"));
    assert_null(weft_unit_table_find(&table, "~3"));
    weft_unit_table_destroy(&table);
    recovered("r", &table);
    assert_int_equal(table.count, 1);
    assert_non_null(weft_unit_table_find(&table, "o"));
    weft_unit_table_destroy(&table);
}

// A record of any kind over a few names, whoever is whose child.
static uint16_t any_record(struct weft_prng *prng, uint8_t payload[64], size_t *length)
{
    const uint32_t names = 40;
    char name[4], parent[4], root[4];
    const uint8_t bytes =
        (uint8_t)snprintf(name, sizeof(name), "u%02u", weft_prng_below(prng, names));
    snprintf(parent, sizeof(parent), "u%02u", weft_prng_below(prng, names));
    snprintf(root, sizeof(root), "u%02u", weft_prng_below(prng, names));
    memset(payload, 0, 64);
    switch (weft_prng_below(prng, 4)) {
    case 0:
        payload[1] = bytes;
        memcpy(payload + 8, name, bytes);
        *length = 8u + bytes;
        return WEFT_UNIT_LOAD;
    case 1:
        payload[0] = payload[2] = bytes;
        payload[1] = weft_prng_below(prng, 4) > 0 ? bytes : 0;
        memcpy(payload + 16, name, bytes);
        memcpy(payload + 16 + bytes, parent, bytes);
        memcpy(payload + 16 + bytes + payload[1], root, bytes);
        *length = 16u + 2u * bytes + payload[1];
        return WEFT_UNIT_CHILD;
    case 2:
        payload[0] = bytes;
        payload[4] = 1;
        memcpy(payload + 8, name, bytes);
        payload[8 + bytes] = (uint8_t)weft_prng_below(prng, 256);
        *length = 9u + bytes;
        return WEFT_UNIT_IMAGE;
    default:
        payload[0] = bytes;
        memcpy(payload + 1, name, bytes);
        *length = 1u + bytes;
        return WEFT_UNIT_GONE;
    }
}

static void assert_same(const struct weft_unit_table *a, const struct weft_unit_table *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t n = 0; n < a->count; n++) {
        const struct weft_unit_entry *one = &a->entries[n], *other = &b->entries[n];
        assert_string_equal(one->load.name, other->load.name);
        assert_string_equal(one->load.origin.parent, other->load.origin.parent);
        assert_string_equal(one->load.origin.root, other->load.origin.root);
        assert_true(weft_span_equal(one->image, other->image));
    }
}

// Ends that are gathered come to the same as each at its time.
static void ends_may_wait(void **state)
{
    struct weft_prng prng;
    (void)state;
    weft_prng_seed(&prng, 29);
    for (uint32_t round = 0; round < 300; round++) {
        struct weft_unit_table at_once = {0}, late = {0};
        const uint32_t steps = 1 + weft_prng_below(&prng, 400);
        for (uint32_t step = 0; step < steps; step++) {
            uint8_t payload[64];
            size_t length;
            const uint16_t type = any_record(&prng, payload, &length);
            const struct weft_span record = weft_span_of(payload, length);
            assert_int_equal(weft_unit_table_replay(&at_once, type, 1, record), 0);
            assert_int_equal(weft_unit_table_replay(&late, type, 1, record), 0);
            weft_unit_table_settle(&at_once);
        }
        weft_unit_table_settle(&late);
        assert_same(&at_once, &late);
        weft_unit_table_destroy(&at_once);
        weft_unit_table_destroy(&late);
    }
}

// As many that have come and gone as a busy node writes between two compactions.
static void many_ends_are_looked_at_together(void **state)
{
    struct weft_unit_table table = {0};
    uint8_t payload[64];
    (void)state;
    for (uint32_t n = 0; n < 400000; n++) {
        char name[16];
        // Half of them stay for a while.
        const uint32_t of = n % 2 == 0 ? n / 2 : n / 2 >= 50000 ? n / 2 - 50000 : UINT32_MAX;
        if (of == UINT32_MAX) continue;
        const uint8_t bytes = (uint8_t)snprintf(name, sizeof(name), "~%08x", of);
        const bool comes = n % 2 == 0;
        memset(payload, 0, sizeof(payload));
        payload[0] = bytes;
        payload[2] = comes ? 1 : payload[2];
        memcpy(payload + (comes ? 16 : 1), name, bytes);
        if (comes) payload[16 + bytes] = 'r';
        assert_int_equal(
            weft_unit_table_replay(&table, comes ? WEFT_UNIT_CHILD : WEFT_UNIT_GONE, 1,
                                   weft_span_of(payload, comes ? 17u + bytes : 1u + bytes)),
            0);
    }
    weft_unit_table_settle(&table);
    assert_int_equal(table.count, 50000);
    weft_unit_table_destroy(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_record_wins),
        cmocka_unit_test(table_finds_each_name),
        cmocka_unit_test(a_copied_source_keeps_the_image),
        cmocka_unit_test(limits_are_checked),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_child_reads_back),
        cmocka_unit_test(who_goes_leaves_its_children_or_takes_its_family),
        cmocka_unit_test(ends_may_wait),
        cmocka_unit_test(many_ends_are_looked_at_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
