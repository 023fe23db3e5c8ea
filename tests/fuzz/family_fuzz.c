// Records of families in the journal that nobody has made so: which of them belong together is said
// of any, and what stays is a family.
//
// A unit is a byte each for its name, its parent's and its root's, its serial, and the length of
// its ties; then these. Heads and checksums, which would only stop it, are put in front.
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/node/family.h"
#include "runtime/node/unit_family.h"

#define HEAD      32 // docs/wire/unit-image.md.
#define UNITS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The low half are names that people give, 0 is none.
static void name_of(uint8_t number, char name[WEFT_UNIT_NAME_MAX + 1])
{
    memset(name, 0, WEFT_UNIT_NAME_MAX + 1);
    if (number >= 128)
        weft_unit_family_name(number, name);
    else if (number > 0)
        name[0] = (char)('a' + number % 26);
}

static void put_child(struct weft_unit_table *table, const uint8_t *from)
{
    uint8_t payload[16 + 3 * WEFT_UNIT_NAME_MAX] = {0};
    char names[3][WEFT_UNIT_NAME_MAX + 1];
    size_t at = 16;
    for (int n = 0; n < 3; n++) {
        name_of(from[n], names[n]);
        payload[n] = (uint8_t)strlen(names[n]);
        memcpy(payload + at, names[n], payload[n]);
        at += payload[n];
    }
    payload[8] = from[3];
    weft_unit_table_replay(table, WEFT_UNIT_CHILD, 1, weft_span_of(payload, at));
}

static void put_load(struct weft_unit_table *table, uint8_t number)
{
    char name[WEFT_UNIT_NAME_MAX + 1];
    uint8_t payload[8 + WEFT_UNIT_NAME_MAX] = {1};
    name_of(number, name);
    payload[1] = (uint8_t)strlen(name);
    memcpy(payload + 8, name, payload[1]);
    weft_unit_table_replay(table, WEFT_UNIT_LOAD, 1, weft_span_of(payload, 8u + payload[1]));
}

static void put_image(struct weft_unit_table *table, uint8_t number, struct weft_span ties)
{
    uint8_t payload[8 + WEFT_UNIT_NAME_MAX + HEAD + 256] = {0};
    char name[WEFT_UNIT_NAME_MAX + 1];
    name_of(number, name);
    payload[0] = (uint8_t)strlen(name);
    weft_le32_put(payload + 4, (uint32_t)(HEAD + ties.length));
    memcpy(payload + 8, name, payload[0]);
    uint8_t *image = payload + 8 + payload[0];
    memcpy(image, "WFUA", 4);
    weft_le16_put(image + 4, 2);
    weft_le64_put(image + 16, number);
    weft_le32_put(image + 24, (uint32_t)ties.length);
    if (ties.length > 0) memcpy(image + HEAD, ties.data, ties.length);
    weft_le32_put(image + 28, weft_crc32c(weft_crc32c(0, image, 28), image + HEAD, ties.length));
    weft_unit_table_replay(table, WEFT_UNIT_IMAGE, 1,
                           weft_span_of(payload, 8u + payload[0] + HEAD + ties.length));
}

// Everybody's forefathers are there, up to one who was loaded or has lost his parent.
static void check(const struct weft_unit_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct weft_unit_entry *entry = &table->entries[i];
        uint32_t steps = 0;
        while (entry->load.origin.root[0] != '\0' && entry->load.origin.parent[0] != '\0') {
            weft_assert(weft_unit_table_find(table, entry->load.origin.root) != NULL);
            entry = weft_unit_table_find(table, entry->load.origin.parent);
            weft_assert(entry != NULL && steps++ < table->count);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_unit_table table = {0};
    struct weft_instant instant;
    struct weft_error error = {0};
    bool stays[UNITS_MAX];
    while (size >= 5 && table.count < UNITS_MAX) {
        const size_t ties = data[4] < size - 5 ? data[4] : size - 5;
        if (data[2] != 0)
            put_child(&table, data);
        else
            put_load(&table, data[0]);
        if (data[4] != 255) put_image(&table, data[0], weft_span_of(data + 5, ties));
        data += 5 + ties;
        size -= 5 + ties;
    }
    weft_assert(weft_family_settle(&table, stays) == 0);
    weft_unit_table_filter(&table, stays);
    check(&table);
    weft_assert(weft_family_of_table(&table, &instant, &error) == 0);
    weft_assert(instant.count == table.count);
    weft_instant_destroy(&instant);
    weft_unit_table_destroy(&table);
    return 0;
}
