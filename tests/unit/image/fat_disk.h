// fat_disk.h: FAT file systems made by hand, whose power fails after so many writes.
#ifndef WEFT_TESTS_FAT_DISK_H
#define WEFT_TESTS_FAT_DISK_H

#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/gpt.h"
#include "runtime/base/endian.h"
#include "runtime/base/prng.h"
#include "runtime/base/units.h"

#define SECTOR 512
#define ENTRY  32
#define TABLE  4 // The first sector of the first table, in all that is made here.

struct disk { // In memory; a FAT32 takes 34 MB of it, nearly all zeros.
    uint8_t *bytes;
    uint64_t sectors;
    bool is_wide;
    unsigned root, data; // Sectors: the root of a FAT16, and cluster 2.
    int writes_left;     // Then the power is gone; -1: it stays.
    unsigned writes;
};

static inline int disk_read(void *self, uint64_t lba, void *bytes, uint32_t count)
{
    const struct disk *disk = self;
    if (lba + count > disk->sectors) return -EIO;
    memcpy(bytes, disk->bytes + lba * SECTOR, (size_t)count * SECTOR);
    return 0;
}

static inline int disk_write(void *self, uint64_t lba, const void *bytes, uint32_t count)
{
    struct disk *disk = self;
    if (lba + count > disk->sectors || disk->writes_left == 0) return -EIO;
    if (disk->writes_left > 0) disk->writes_left--;
    disk->writes++;
    assert_int_equal(count, 1);
    memcpy(disk->bytes + lba * SECTOR, bytes, SECTOR);
    return 0;
}

static inline int disk_flush(void *self)
{
    (void)self;
    return 0;
}

static inline struct weft_gpt_disk interface_of(struct disk *disk)
{
    return (struct weft_gpt_disk){disk_read, disk_write, disk_flush, disk, disk->sectors};
}

// ---- A file system, made by hand: sectors are clusters, the directory EFI/Linux has 2 of them.

enum { EFI = 5, LINUX = 6, LINUX_MORE = 7, FIRST_FILE = 10 }; // Clusters.

static inline void set_next(struct disk *disk, uint32_t cluster, uint32_t next)
{
    uint8_t *table = disk->bytes + TABLE * SECTOR;
    if (disk->is_wide)
        weft_le32_put(table + 4 * cluster, next == 0xffff ? 0x0fffffff : next);
    else
        weft_le16_put(table + 2 * cluster, (uint16_t)next);
}

static inline uint8_t *cluster_at(struct disk *disk, uint32_t cluster)
{
    return disk->bytes + (disk->data + (size_t)cluster - 2) * SECTOR;
}

static inline void put_short(uint8_t *entry, const char name[12], uint8_t attributes,
                             uint32_t cluster, uint32_t bytes)
{
    memset(entry, 0, ENTRY);
    memcpy(entry, name, 11);
    entry[11] = attributes;
    weft_le16_put(entry + 20, (uint16_t)(cluster >> 16));
    weft_le16_put(entry + 26, (uint16_t)cluster);
    weft_le32_put(entry + 28, bytes);
}

static inline uint8_t *linux_entry(struct disk *disk, unsigned index)
{
    return cluster_at(disk, index < 16 ? LINUX : LINUX_MORE) + (size_t)(index % 16) * ENTRY;
}

// A file with a long name, from entry `index` of EFI/Linux on. The next free index.
static inline unsigned put_file(struct disk *disk, unsigned index, const char *name,
                                unsigned number, uint32_t cluster, uint32_t bytes)
{
    static const uint8_t units[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    const unsigned longs = (unsigned)(strlen(name) + 12) / 13;
    char short_name[12];
    uint8_t sum = 0;
    snprintf(short_name, sizeof(short_name), "WEFT-%02uXEFI", number);
    for (int i = 0; i < 11; i++)
        sum = (uint8_t)(((sum & 1) << 7) + (sum >> 1) + short_name[i]);
    for (unsigned i = 0; i < longs; i++) {
        uint8_t *entry = linux_entry(disk, index + i);
        const unsigned order = longs - i;
        memset(entry, 0, ENTRY);
        entry[0] = (uint8_t)(order | (i == 0 ? 0x40 : 0));
        entry[11] = 0x0f;
        entry[13] = sum;
        for (unsigned n = 0; n < 13; n++) {
            const size_t at = (size_t)(order - 1) * 13 + n;
            weft_le16_put(entry + units[n], at < strlen(name)    ? (uint16_t)name[at]
                                            : at == strlen(name) ? 0
                                                                 : 0xffff);
        }
    }
    put_short(linux_entry(disk, index + longs), short_name, 0x20, cluster, bytes);
    set_next(disk, cluster, 0xffff);
    return index + longs + 1;
}

static inline struct disk make_with(bool is_wide, unsigned tables)
{
    const unsigned clusters = is_wide ? 65600 : 5000;
    const unsigned table = (clusters + 2) * (is_wide ? 4 : 2) / SECTOR + 1;
    struct disk disk = {.is_wide = is_wide, .writes_left = -1, .root = TABLE + tables * table};
    disk.data = disk.root + (is_wide ? 0 : 2);
    disk.sectors = disk.data + clusters;
    disk.bytes = calloc(disk.sectors, SECTOR);
    assert_non_null(disk.bytes);
    uint8_t *boot = disk.bytes;
    weft_le16_put(boot + 11, SECTOR);
    boot[13] = 1;
    weft_le16_put(boot + 14, TABLE);
    boot[16] = (uint8_t)tables;
    weft_le16_put(boot + 17, is_wide ? 0 : 32);
    weft_le32_put(boot + 32, (uint32_t)disk.sectors);
    weft_le16_put(boot + 22, (uint16_t)(is_wide ? 0 : table));
    weft_le32_put(boot + 36, is_wide ? table : 0);
    weft_le32_put(boot + 44, is_wide ? 2 : 0);
    boot[510] = 0x55;
    boot[511] = 0xaa;
    uint8_t *root = is_wide ? cluster_at(&disk, 2) : disk.bytes + (size_t)disk.root * SECTOR;
    put_short(root, "WEFT-ESP   ", 0x08, 0, 0);
    put_short(root + ENTRY, "EFI        ", 0x10, EFI, 0);
    put_short(cluster_at(&disk, EFI), "LINUX      ", 0x10, LINUX, 0);
    put_short(linux_entry(&disk, 0), ".          ", 0x10, LINUX, 0);
    put_short(linux_entry(&disk, 1), "..         ", 0x10, EFI, 0);
    set_next(&disk, 2, 0xffff);
    set_next(&disk, EFI, 0xffff);
    set_next(&disk, LINUX, LINUX_MORE);
    set_next(&disk, LINUX_MORE, 0xffff);
    return disk;
}

static inline struct disk make(bool is_wide)
{
    return make_with(is_wide, 1);
}

// One bit of what is looked at becomes another. Returns its byte, with what that was in *kept.
static inline uint8_t *flip(struct disk *disk, struct weft_prng *prng, int bit, uint8_t *kept)
{
    uint8_t *const places[] = {disk->bytes, disk->bytes + TABLE * SECTOR, cluster_at(disk, LINUX),
                               cluster_at(disk, EFI)};
    uint8_t *where = places[weft_prng_below(prng, WEFT_COUNT_OF(places))];
    uint8_t *byte = &where[weft_prng_below(prng, SECTOR)];
    *kept = *byte;
    *byte ^= (uint8_t)(1u << bit % 8);
    return byte;
}

#endif // WEFT_TESTS_FAT_DISK_H
