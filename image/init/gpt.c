#include "image/init/gpt.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/base/units.h"

#define ENTRY_BYTES   128
#define ENTRY_SECTORS (WEFT_GPT_ENTRIES_MAX * ENTRY_BYTES / WEFT_GPT_SECTOR) // 32
#define HEADER_BYTES  92
#define ALIGN_SECTORS 2048 // 1 MiB.

// Where the fields of a header stand (UEFI 2.10, table 5.5).
enum {
    AT_REVISION = 8,
    AT_SIZE = 12,
    AT_CRC = 16,
    AT_RESERVED = 20,
    AT_OWN_LBA = 24,
    AT_OTHER_LBA = 32,
    AT_FIRST_USABLE = 40,
    AT_LAST_USABLE = 48,
    AT_ENTRIES_LBA = 72,
    AT_ENTRY_COUNT = 80,
    AT_ENTRY_BYTES = 84,
    AT_ENTRIES_CRC = 88,
    // Of an entry (table 5.6).
    ENTRY_FIRST = 32,
    ENTRY_LAST = 40,
};

uint32_t weft_gpt_crc32(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (UINT32_C(0xedb88320) & (0 - (crc & 1)));
        }
    }
    return ~crc;
}

static uint32_t header_crc(const uint8_t *header)
{
    uint8_t copy[HEADER_BYTES];
    memcpy(copy, header, sizeof(copy));
    memset(copy + AT_CRC, 0, 4);
    return weft_gpt_crc32(copy, sizeof(copy));
}

// Each field on its own, before any other is trusted.
static bool header_is_whole(const uint8_t *header, uint64_t lba, uint64_t sectors)
{
    if (memcmp(header, "EFI PART", 8) != 0) return false;
    if (weft_le32_get(header + AT_REVISION) != 0x00010000) return false;
    if (weft_le32_get(header + AT_SIZE) != HEADER_BYTES) return false;
    if (weft_le32_get(header + AT_CRC) != header_crc(header)) return false;
    if (weft_le64_get(header + AT_OWN_LBA) != lba) return false;
    const uint32_t count = weft_le32_get(header + AT_ENTRY_COUNT);
    if (weft_le32_get(header + AT_ENTRY_BYTES) != ENTRY_BYTES) return false;
    if (count == 0 || count > WEFT_GPT_ENTRIES_MAX) return false;
    const uint64_t entries = weft_le64_get(header + AT_ENTRIES_LBA);
    const uint64_t first = weft_le64_get(header + AT_FIRST_USABLE);
    const uint64_t last = weft_le64_get(header + AT_LAST_USABLE);
    return entries >= 2 && entries < sectors && sectors - entries >= ENTRY_SECTORS &&
           first <= last && last < sectors;
}

static int read_at(struct weft_gpt *gpt, const struct weft_gpt_disk *disk, uint64_t lba)
{
    int result = disk->read(disk->self, lba, gpt->header, 1);
    if (result != 0) return result;
    if (!header_is_whole(gpt->header, lba, disk->sectors)) return -EINVAL;
    gpt->entry_count = weft_le32_get(gpt->header + AT_ENTRY_COUNT);
    gpt->entries_lba = weft_le64_get(gpt->header + AT_ENTRIES_LBA);
    gpt->backup_lba = weft_le64_get(gpt->header + AT_OTHER_LBA);
    gpt->first_usable = weft_le64_get(gpt->header + AT_FIRST_USABLE);
    gpt->last_usable = weft_le64_get(gpt->header + AT_LAST_USABLE);
    result = disk->read(disk->self, gpt->entries_lba, gpt->entries, ENTRY_SECTORS);
    if (result != 0) return result;
    const uint32_t crc = weft_gpt_crc32(gpt->entries, (size_t)gpt->entry_count * ENTRY_BYTES);
    return crc == weft_le32_get(gpt->header + AT_ENTRIES_CRC) ? 0 : -EINVAL;
}

int weft_gpt_read(struct weft_gpt *gpt, const struct weft_gpt_disk *disk)
{
    if (disk->sectors < 2 * (ENTRY_SECTORS + 2)) return -EINVAL;
    gpt->from_backup = false;
    int result = read_at(gpt, disk, 1);
    if (result == 0) return 0;
    gpt->from_backup = true;
    result = read_at(gpt, disk, disk->sectors - 1);
    gpt->backup_lba = disk->sectors - 1;
    return result;
}

bool weft_gpt_part(const struct weft_gpt *gpt, uint32_t number, struct weft_gpt_part *part)
{
    static const uint8_t unused[16];
    if (number == 0 || number > gpt->entry_count) return false;
    const uint8_t *entry = gpt->entries + (size_t)(number - 1) * ENTRY_BYTES;
    if (memcmp(entry, unused, sizeof(unused)) == 0) return false;
    part->first = weft_le64_get(entry + ENTRY_FIRST);
    part->last = weft_le64_get(entry + ENTRY_LAST);
    return part->first >= gpt->first_usable && part->first <= part->last &&
           part->last <= gpt->last_usable;
}

static bool is_last(const struct weft_gpt *gpt, uint32_t number, const struct weft_gpt_part *part)
{
    struct weft_gpt_part other;
    for (uint32_t i = 1; i <= gpt->entry_count; i++) {
        if (i != number && weft_gpt_part(gpt, i, &other) && other.last > part->last) return false;
    }
    return true;
}

// A header for one of the two places; both name the same entries' checksum.
static void make_header(const struct weft_gpt *gpt, uint64_t own, uint64_t other,
                        uint64_t entries_lba, uint64_t last_usable, uint8_t *header)
{
    memset(header, 0, WEFT_GPT_SECTOR);
    memcpy(header, gpt->header, HEADER_BYTES);
    weft_le64_put(header + AT_OWN_LBA, own);
    weft_le64_put(header + AT_OTHER_LBA, other);
    weft_le64_put(header + AT_LAST_USABLE, last_usable);
    weft_le64_put(header + AT_ENTRIES_LBA, entries_lba);
    weft_le32_put(header + AT_ENTRIES_CRC,
                  weft_gpt_crc32(gpt->entries, (size_t)gpt->entry_count * ENTRY_BYTES));
    weft_le32_put(header + AT_CRC, header_crc(header));
}

static int write_table(const struct weft_gpt *gpt, const struct weft_gpt_disk *disk, uint64_t own,
                       uint64_t other, uint64_t entries_lba, uint64_t last_usable)
{
    uint8_t header[WEFT_GPT_SECTOR];
    make_header(gpt, own, other, entries_lba, last_usable, header);
    int result = disk->write(disk->self, entries_lba, gpt->entries, ENTRY_SECTORS);
    if (result == 0) result = disk->flush(disk->self);
    if (result == 0) result = disk->write(disk->self, own, header, 1);
    return result == 0 ? disk->flush(disk->self) : result;
}

// The place of the primary's entries that is not in use: right behind the header, or behind that.
static uint64_t other_place(const struct weft_gpt *gpt)
{
    const bool first_is_used = gpt->entries_lba < 2 + ENTRY_SECTORS;
    return first_is_used ? gpt->entries_lba + ENTRY_SECTORS : 2;
}

static bool backup_is_whole(const struct weft_gpt_disk *disk)
{
    struct weft_gpt backup;
    return read_at(&backup, disk, disk->sectors - 1) == 0;
}

int weft_gpt_grow(const struct weft_gpt_disk *disk, uint32_t number, struct weft_gpt_part *part)
{
    struct weft_gpt gpt;
    int result = weft_gpt_read(&gpt, disk);
    if (result != 0) return result;
    if (!weft_gpt_part(&gpt, number, part) || !is_last(&gpt, number, part)) return -EINVAL;
    const uint64_t backup = disk->sectors - 1, backup_entries = backup - ENTRY_SECTORS;
    const uint64_t last_usable = backup_entries - 1;
    const uint64_t end = (last_usable + 1) / ALIGN_SECTORS * ALIGN_SECTORS;
    const bool grows = end > part->last + 1 && end - 1 - part->last >= ALIGN_SECTORS;
    const bool is_right = !gpt.from_backup && gpt.backup_lba == backup && backup_is_whole(disk);
    if (!grows && is_right) return 0;
    if (part->last > last_usable) return -EINVAL; // The disk has become smaller.

    if (gpt.from_backup) { // The only good table is not written over: first there are two again.
        if (2 + ENTRY_SECTORS > gpt.first_usable) return -ENOSPC;
        result = write_table(&gpt, disk, 1, backup, 2, gpt.last_usable);
        if (result != 0) return result;
        gpt.from_backup = false;
        gpt.entries_lba = 2;
    }
    const uint64_t entries = other_place(&gpt);
    if (entries + ENTRY_SECTORS > gpt.first_usable) return -ENOSPC;
    if (grows) part->last = end - 1;
    weft_le64_put(gpt.entries + (size_t)(number - 1) * ENTRY_BYTES + ENTRY_LAST, part->last);
    result = write_table(&gpt, disk, backup, 1, backup_entries, last_usable);
    if (result == 0) result = write_table(&gpt, disk, 1, backup, entries, last_usable);
    return result == 0 ? 1 : result;
}
