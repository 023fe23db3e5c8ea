#include "image/update/gpt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/endian.h"

#define HEADER_BYTES    92
#define ENTRY_BYTES     128 // Larger entries are legal and unheard of.
#define ENTRIES_MAX     WEFT_UPDATE_GPT_PARTITIONS_MAX
#define NAME_UNITS      36
#define SECTORS_MIN     (2 * (2 + 32)) // Two tables, and the protective MBR.
#define TABLE_BYTES_MAX (ENTRY_BYTES * ENTRIES_MAX)

uint32_t weft_update_gpt_crc32(const uint8_t *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

struct header {
    uint64_t first_usable, last_usable; // Sectors.
    uint64_t table_sector;
    uint32_t entry_count, entry_bytes, table_crc;
};

// NULL, or why the sector at `lba` is no header.
static const char *header_parse(uint8_t sector[WEFT_UPDATE_GPT_SECTOR_BYTES], uint64_t lba,
                                uint64_t sectors, struct header *header)
{
    const uint32_t crc = weft_le32_get(sector + 16);

    if (memcmp(sector, "EFI PART", 8) != 0) return "there is none";
    if (weft_le32_get(sector + 12) != HEADER_BYTES) return "its header has another size";
    weft_le32_put(sector + 16, 0); // The checksum is made with its own field zero.
    if (weft_update_gpt_crc32(sector, HEADER_BYTES) != crc) return "its header is damaged";
    *header = (struct header){
        .first_usable = weft_le64_get(sector + 40),
        .last_usable = weft_le64_get(sector + 48),
        .table_sector = weft_le64_get(sector + 72),
        .entry_count = weft_le32_get(sector + 80),
        .entry_bytes = weft_le32_get(sector + 84),
        .table_crc = weft_le32_get(sector + 88),
    };
    if (weft_le64_get(sector + 24) != lba) return "its header is of another place";
    if (header->entry_bytes != ENTRY_BYTES || header->entry_count == 0 ||
        header->entry_count > ENTRIES_MAX)
        return "its entries have another size";
    const uint64_t table_sectors =
        ((uint64_t)header->entry_count * ENTRY_BYTES + WEFT_UPDATE_GPT_SECTOR_BYTES - 1) /
        WEFT_UPDATE_GPT_SECTOR_BYTES;
    if (header->table_sector >= sectors || sectors - header->table_sector < table_sectors)
        return "its entries leave the disk";
    if (header->last_usable >= sectors || header->first_usable > header->last_usable)
        return "it is for a larger disk";
    return NULL;
}

static void name_read(const uint8_t *units, char name[NAME_UNITS + 1])
{
    size_t i;

    for (i = 0; i < NAME_UNITS; i++) {
        const uint16_t unit = weft_le16_get(units + 2 * i);
        if (unit == 0) break;
        name[i] = unit >= ' ' && unit < 0x7f ? (char)unit : '?';
    }
    name[i] = '\0';
}

static const char *entry_parse(const uint8_t *entry, const struct header *header, uint32_t number,
                               struct weft_update_gpt *gpt)
{
    static const uint8_t unused[WEFT_UPDATE_GPT_GUID_BYTES];
    const uint64_t first = weft_le64_get(entry + 32), last = weft_le64_get(entry + 40);

    if (memcmp(entry, unused, sizeof(unused)) == 0) return NULL;
    if (first < header->first_usable || last > header->last_usable || first > last)
        return "a partition leaves the disk";
    struct weft_update_gpt_partition *partition = &gpt->partitions[gpt->count];
    *partition = (struct weft_update_gpt_partition){.number = number,
                                                    .offset = first * WEFT_UPDATE_GPT_SECTOR_BYTES,
                                                    .bytes = (last - first + 1) *
                                                             WEFT_UPDATE_GPT_SECTOR_BYTES};
    memcpy(partition->type, entry, WEFT_UPDATE_GPT_GUID_BYTES);
    memcpy(partition->guid, entry + 16, WEFT_UPDATE_GPT_GUID_BYTES);
    name_read(entry + 56, partition->name);
    for (uint32_t i = 0; i < gpt->count; i++) {
        const struct weft_update_gpt_partition *other = &gpt->partitions[i];
        if (partition->offset < other->offset + other->bytes &&
            other->offset < partition->offset + partition->bytes)
            return "two partitions overlap";
    }
    gpt->count++;
    return NULL;
}

// NULL, or what is wrong with the table whose header is at `lba`.
static const char *table_read(weft_update_gpt_read *read, void *self, uint64_t lba,
                              uint64_t sectors, uint8_t *table, struct weft_update_gpt *gpt)
{
    uint8_t sector[WEFT_UPDATE_GPT_SECTOR_BYTES];
    struct header header;

    gpt->count = 0;
    if (read(self, lba * WEFT_UPDATE_GPT_SECTOR_BYTES, sector, sizeof(sector)) != 0)
        return "it cannot be read";
    const char *fault = header_parse(sector, lba, sectors, &header);
    if (fault != NULL) return fault;
    const size_t bytes = (size_t)header.entry_count * ENTRY_BYTES;
    if (read(self, header.table_sector * WEFT_UPDATE_GPT_SECTOR_BYTES, table, bytes) != 0)
        return "it cannot be read";
    if (weft_update_gpt_crc32(table, bytes) != header.table_crc) return "its entries are damaged";
    for (uint32_t i = 0; i < header.entry_count && fault == NULL; i++)
        fault = entry_parse(table + (size_t)i * ENTRY_BYTES, &header, i + 1, gpt);
    return fault;
}

int weft_update_gpt_open(weft_update_gpt_read *read, void *self, uint64_t disk_bytes,
                         struct weft_update_gpt *gpt, struct weft_error *error)
{
    const uint64_t sectors = disk_bytes / WEFT_UPDATE_GPT_SECTOR_BYTES;

    memset(gpt, 0, sizeof(*gpt));
    if (sectors < SECTORS_MIN)
        return weft_error_set(error, 906, "the partition table: the disk is too small for one");
    uint8_t *table = malloc(TABLE_BYTES_MAX);
    if (table == NULL) return weft_error_set(error, 906, "the partition table: no memory");
    const char *first = table_read(read, self, 1, sectors, table, gpt);
    const char *copy =
        first == NULL ? NULL : table_read(read, self, sectors - 1, sectors, table, gpt);
    free(table);
    gpt->from_copy = first != NULL;
    if (copy == NULL) return 0;
    gpt->count = 0;
    return weft_error_set(error, 906, "the partition table: %s (the copy at the end: %s)", first,
                          copy);
}

const struct weft_update_gpt_partition *weft_update_gpt_find(const struct weft_update_gpt *gpt,
                                                             const char *name)
{
    const struct weft_update_gpt_partition *found = NULL;

    for (uint32_t i = 0; i < gpt->count; i++) {
        if (strcmp(gpt->partitions[i].name, name) != 0) continue;
        if (found != NULL) return NULL;
        found = &gpt->partitions[i];
    }
    return found;
}
