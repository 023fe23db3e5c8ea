#include "image/update/gpt.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/base/units.h"

#define ENTRY_BYTES   128
#define ENTRY_SECTORS (WEFT_GPT_ENTRIES_MAX * ENTRY_BYTES / WEFT_GPT_SECTOR) // 32
#define HEADER_BYTES  92
#define ALIGN_SECTORS 2048 // 1 MiB.
#define NAME_UNITS    36   // Of UTF-16.

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
    AT_DISK_GUID = 56,
    AT_ENTRIES_LBA = 72,
    AT_ENTRY_COUNT = 80,
    AT_ENTRY_BYTES = 84,
    AT_ENTRIES_CRC = 88,
    // Of an entry (table 5.6).
    ENTRY_GUID = 16,
    ENTRY_FIRST = 32,
    ENTRY_LAST = 40,
    ENTRY_NAME = 56,
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

static bool are_apart(const struct weft_gpt *gpt)
{
    struct weft_gpt_part one, other;
    for (uint32_t i = 1; i <= gpt->entry_count; i++) {
        if (!weft_gpt_part(gpt, i, &one)) continue;
        for (uint32_t n = i + 1; n <= gpt->entry_count; n++) {
            if (weft_gpt_part(gpt, n, &other) && one.first <= other.last && other.first <= one.last)
                return false;
        }
    }
    return true;
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
    return crc == weft_le32_get(gpt->header + AT_ENTRIES_CRC) && are_apart(gpt) ? 0 : -EINVAL;
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

// ---- Names and identities.

static bool is_name(const uint8_t *units, const char *name)
{
    for (size_t i = 0; i < NAME_UNITS; i++) {
        if (weft_le16_get(units + 2 * i) != (uint8_t)name[i]) return false;
        if (name[i] == '\0') return true;
    }
    return false;
}

uint32_t weft_gpt_find(const struct weft_gpt *gpt, const char *name)
{
    struct weft_gpt_part part;
    uint32_t found = 0;
    for (uint32_t i = 1; i <= gpt->entry_count; i++) {
        const uint8_t *entry = gpt->entries + (size_t)(i - 1) * ENTRY_BYTES;
        if (!weft_gpt_part(gpt, i, &part) || !is_name(entry + ENTRY_NAME, name)) continue;
        if (found != 0) return 0;
        found = i;
    }
    return found;
}

static size_t entry_at(uint32_t number)
{
    return (size_t)(number - 1) * ENTRY_BYTES;
}

const uint8_t *weft_gpt_guid(const struct weft_gpt *gpt, uint32_t number)
{
    return number == 0 ? gpt->header + AT_DISK_GUID : gpt->entries + entry_at(number) + ENTRY_GUID;
}

void weft_gpt_set_guid(struct weft_gpt *gpt, uint32_t number,
                       const uint8_t chance[WEFT_GPT_GUID_BYTES])
{
    uint8_t *guid =
        number == 0 ? gpt->header + AT_DISK_GUID : gpt->entries + entry_at(number) + ENTRY_GUID;
    memcpy(guid, chance, WEFT_GPT_GUID_BYTES);
    guid[7] = (uint8_t)((guid[7] & 0x0f) | 0x40); // The version, high byte of the third field.
    guid[8] = (uint8_t)((guid[8] & 0x3f) | 0x80); // The variant.
}

void weft_gpt_guid_text(const uint8_t guid[WEFT_GPT_GUID_BYTES], char text[WEFT_GPT_TEXT_BYTES])
{
    static const uint8_t order[WEFT_GPT_GUID_BYTES] = {3, 2, 1,  0,  5,  4,  7,  6,
                                                       8, 9, 10, 11, 12, 13, 14, 15};
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < WEFT_GPT_GUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *text++ = '-';
        *text++ = digits[guid[order[i]] >> 4];
        *text++ = digits[guid[order[i]] & 15];
    }
    *text = '\0';
}

// The image's own, on every disk that was flashed with it: "WEFT" and the partition's number.
static bool is_of_the_image(const struct weft_gpt *gpt, uint32_t number)
{
    char text[WEFT_GPT_TEXT_BYTES];
    weft_gpt_guid_text(weft_gpt_guid(gpt, number), text);
    return strncmp(text, "57454654-0000-4000-8000-00000000000", 35) == 0;
}

static void renew(struct weft_gpt *gpt, const uint8_t chance[2 * WEFT_GPT_GUID_BYTES])
{
    const uint32_t esp = weft_gpt_find(gpt, "esp");
    if (esp == 0 || !is_of_the_image(gpt, esp)) return;
    weft_gpt_set_guid(gpt, 0, chance);
    weft_gpt_set_guid(gpt, esp, chance + WEFT_GPT_GUID_BYTES);
}

// ---- Growing.

int weft_gpt_grow(const struct weft_gpt_disk *disk, uint32_t number,
                  const uint8_t chance[2 * WEFT_GPT_GUID_BYTES], struct weft_gpt_part *part)
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
    if (chance != NULL) renew(&gpt, chance);
    weft_le64_put(gpt.entries + (size_t)(number - 1) * ENTRY_BYTES + ENTRY_LAST, part->last);
    result = write_table(&gpt, disk, backup, 1, backup_entries, last_usable);
    if (result == 0) result = write_table(&gpt, disk, 1, backup, entries, last_usable);
    return result == 0 ? 1 : result;
}

// ---- A disk without a table.

// What firmware from before these tables sees: one partition of a kind that it does not know (UEFI
// 2.10, section 5.2.3).
static int write_mbr(const struct weft_gpt_disk *disk)
{
    uint8_t sector[WEFT_GPT_SECTOR] = {0};
    uint8_t *part = sector + 446;
    const uint64_t behind = disk->sectors - 1;
    part[2] = 2;
    part[4] = 0xee;
    memset(part + 5, 0xff, 3);
    weft_le32_put(part + 8, 1);
    weft_le32_put(part + 12, behind > UINT32_MAX ? UINT32_MAX : (uint32_t)behind);
    sector[510] = 0x55;
    sector[511] = 0xaa;
    return disk->write(disk->self, 0, sector, 1);
}

int weft_gpt_make(struct weft_gpt *gpt, const struct weft_gpt_disk *disk, uint32_t number)
{
    struct weft_gpt_part part;
    if (!weft_gpt_part(gpt, number, &part) || !is_last(gpt, number, &part)) return -EINVAL;
    if (disk->sectors < 2 * (ENTRY_SECTORS + 2) || 2 + ENTRY_SECTORS > gpt->first_usable)
        return -ENOSPC;
    const uint64_t backup = disk->sectors - 1, backup_entries = backup - ENTRY_SECTORS;
    const uint64_t end = backup_entries / ALIGN_SECTORS * ALIGN_SECTORS;
    if (end <= part.first) return -ENOSPC;
    weft_le64_put(gpt->entries + entry_at(number) + ENTRY_LAST, end - 1);
    int result = write_table(gpt, disk, backup, 1, backup_entries, backup_entries - 1);
    if (result == 0) result = write_mbr(disk);
    if (result == 0) result = write_table(gpt, disk, 1, backup, 2, backup_entries - 1);
    return result;
}

int weft_gpt_erase(const struct weft_gpt_disk *disk)
{
    static const uint8_t zeros[(ENTRY_SECTORS + 2) * WEFT_GPT_SECTOR];
    const uint32_t count = ENTRY_SECTORS + 2;
    if (disk->sectors < 2 * count) return -ENOSPC;
    int result = disk->write(disk->self, disk->sectors - count, zeros, count);
    if (result == 0) result = disk->flush(disk->self);
    if (result == 0) result = disk->write(disk->self, 0, zeros, count);
    return result == 0 ? disk->flush(disk->self) : result;
}
