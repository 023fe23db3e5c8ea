#include "image/update/fat_entry.h"

#include <string.h>

#include "runtime/base/endian.h"

uint8_t weft_fat_entry_checksum(const uint8_t short_name[11])
{
    uint8_t sum = 0;

    for (int i = 0; i < 11; i++)
        sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + short_name[i]);
    return sum;
}

static size_t unit_at(size_t index)
{
    return index < 5 ? 1 + 2 * index : index < 11 ? 14 + 2 * (index - 5) : 28 + 2 * (index - 11);
}

uint16_t weft_fat_entry_unit(const uint8_t *entry, size_t index)
{
    return weft_le16_get(entry + unit_at(index));
}

void weft_fat_entry_put_long(uint8_t *entry, const char *name, size_t order, bool is_last,
                             uint8_t sum)
{
    const size_t length = strlen(name);

    memset(entry, 0, WEFT_FAT_ENTRY_BYTES);
    entry[0] = (uint8_t)(order | (is_last ? WEFT_FAT_LONG_LAST : 0));
    entry[11] = WEFT_FAT_LONG_MARK;
    entry[13] = sum;
    for (size_t i = 0; i < WEFT_FAT_LONG_UNITS; i++) {
        const size_t at = (order - 1) * WEFT_FAT_LONG_UNITS + i;
        weft_le16_put(entry + unit_at(i), at < length    ? (uint16_t)name[at]
                                          : at == length ? 0
                                                         : 0xffff);
    }
}
