// Which records of the journal belong together, whatever stands in them.
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/node/family.h"
#include "runtime/node/unit_ties_format.h"

struct record {
    uint8_t bytes[1024];
    size_t length;
};

static void put_tie(struct record *record, uint8_t kind, uint8_t a, uint64_t x, uint64_t y)
{
    uint8_t *to = record->bytes + record->length;
    memset(to, 0, WEFT_TIE_HEAD);
    to[0] = kind;
    to[1] = a;
    weft_le64_put(to + 8, x);
    weft_le64_put(to + 16, y);
    record->length += WEFT_TIE_HEAD;
}

#define HEAD 32 // docs/wire/unit-image.md

static void begin_record(struct record *record, uint64_t id, uint64_t serial)
{
    memset(record, 0, sizeof(*record));
    memcpy(record->bytes, "WFUA", 4);
    weft_le16_put(record->bytes + 4, 2);
    weft_le64_put(record->bytes + 16, id);
    record->length = HEAD;
    if (serial != 0) put_tie(record, WEFT_TIE_ISSUE, 0, serial, 0);
}

static void end_record(struct record *record)
{
    weft_le32_put(record->bytes + 24, (uint32_t)(record->length - HEAD));
    const uint32_t crc = weft_crc32c(0, record->bytes, 28);
    weft_le32_put(record->bytes + 28,
                  weft_crc32c(crc, record->bytes + HEAD, record->length - HEAD));
}

static void add(struct weft_unit_table *table, const char *name, const char *parent,
                const char *root, uint64_t serial, const struct record *record)
{
    struct weft_unit_entry *entry = &table->entries[table->count++];
    *entry = (struct weft_unit_entry){0};
    snprintf(entry->load.name, sizeof(entry->load.name), "%s", name);
    snprintf(entry->load.origin.parent, sizeof(entry->load.origin.parent), "%s", parent);
    snprintf(entry->load.origin.root, sizeof(entry->load.origin.root), "%s", root);
    entry->load.origin.serial = serial;
    uint8_t *copy = malloc(record->length);
    memcpy(copy, record->bytes, record->length);
    entry->image = weft_span_of(copy, record->length);
}

// A table as replay would have made it: by way of one that replay has made.
static void make_table(struct weft_unit_table *table)
{
    static const uint8_t load[] = {1, 1, 0, 0, 0, 0, 0, 0, 'x'}, gone[] = {1, 'x'};
    weft_unit_table_replay(table, WEFT_UNIT_LOAD, 1, weft_span_of(load, sizeof(load)));
    weft_unit_table_replay(table, WEFT_UNIT_GONE, 2, weft_span_of(gone, sizeof(gone)));
    weft_unit_table_settle(table);
}

static void index_table(struct weft_unit_table *table)
{
    bool all[16];
    memset(all, true, sizeof(all));
    weft_unit_table_filter(table, all);
}

static void records_that_belong_together(void **state)
{
    static const struct {
        const char *name, *parent, *root;
        uint64_t id, serial;
        bool stays;
        const char *parent_then;
    } children[] = {
        {"~1", "r", "r", 1, 2, true, "r"},    // Named by its parent.
        {"~2", "r", "r", 2, 3, false, NULL},  // Of a record that never came: it never was.
        {"~3", "r", "r", 3, 1, true, ""},     // Counted, and not named: detached.
        {"~4", "r", "r", 4, 1, false, NULL},  // Its parent has its last words.
        {"~5", "r", "r", 5, 1, false, NULL},  // Its parent has read them.
        {"~6", "~9", "r", 6, 1, false, NULL}, // Its parent never was.
        {"~7", "~2", "r", 7, 0, false, NULL}, // Nor was this one.
        {"~8", "~1", "r", 8, 0, true, ""},
        {"~a", "", "r", 10, 9, true, ""},
        {"~b", "", "s", 11, 0, false, NULL},   // Its family is gone.
        {"~c", "~d", "r", 12, 0, false, NULL}, // Each other's parents.
        {"~d", "~c", "r", 13, 0, false, NULL},
        {"~e", "~e", "~1", 14, 0, false, NULL}, // Who was spawned is no root.
    };
    struct weft_unit_table table = {0};
    struct record record;
    bool stays[16];
    (void)state;
    make_table(&table);
    begin_record(&record, 100, 2);
    put_tie(&record, WEFT_TIE_CHILD, 0, 1, 71);
    put_tie(&record, WEFT_TIE_CHILD, 0, 4, 74);
    put_tie(&record, WEFT_TIE_MAIL, WEFT_MESSAGE_REPLY, 4, 74);
    put_tie(&record, WEFT_TIE_DEAD, 0, 5, 0);
    end_record(&record);
    add(&table, "r", "", "", 0, &record);
    for (size_t n = 0; n < WEFT_COUNT_OF(children); n++) {
        begin_record(&record, children[n].id, 0);
        end_record(&record);
        add(&table, children[n].name, children[n].parent, children[n].root, children[n].serial,
            &record);
    }
    index_table(&table);
    assert_int_equal(weft_family_settle(&table, stays), 0);
    assert_true(stays[0]);
    for (size_t n = 0; n < WEFT_COUNT_OF(children); n++) {
        if (stays[n + 1] != children[n].stays) fail_msg("%s is judged wrongly", children[n].name);
        if (stays[n + 1])
            assert_string_equal(table.entries[n + 1].load.origin.parent, children[n].parent_then);
    }
    weft_unit_table_destroy(&table);
}

// Without its root's, or its own, nothing of a family can be used; what cannot be read waits.
static void records_that_cannot_be_read_wait(void **state)
{
    struct weft_unit_table table = {0};
    struct record record, other = {.bytes = "not of this build", .length = 17};
    bool stays[16];
    (void)state;
    make_table(&table);
    add(&table, "r", "", "", 0, &other);
    begin_record(&record, 1, 0);
    end_record(&record);
    add(&table, "~1", "r", "r", 5, &record);
    add(&table, "~2", "~1", "r", 0, &other);
    index_table(&table);
    assert_int_equal(weft_family_settle(&table, stays), 0);
    assert_true(stays[0] && stays[1] && stays[2]);
    assert_string_equal(table.entries[1].load.origin.parent, "r");
    assert_true(weft_family_may_have_spawned(table.entries[0].image));
    assert_false(weft_family_may_have_spawned(table.entries[1].image));
    weft_unit_table_destroy(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_belong_together),
        cmocka_unit_test(records_that_cannot_be_read_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
