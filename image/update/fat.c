#include "image/update/fat.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "image/update/disk.h"
#include "image/update/fat_entry.h"
#include "runtime/base/endian.h"

#define SECTOR         512
#define CHAIN_END      0xffff
#define ATTRIBUTE_FILE 0x20
#define DATE           0x0021 // 1980-01-01: the clock of who flashes is nobody's business.

struct fat {
    int fd;
    uint64_t offset;
    uint32_t cluster_bytes, table_sector, table_bytes, table_copies;
    uint32_t root_sector, root_entries, data_sector, cluster_count;
    uint8_t *table, *root;
};

static int put_sectors(const struct fat *fat, uint32_t sector, const uint8_t *bytes, size_t length)
{
    const ssize_t count =
        pwrite(fat->fd, bytes, length, (off_t)(fat->offset + (uint64_t)sector * SECTOR));

    return count == (ssize_t)length ? 0 : count < 0 ? -errno : -EIO;
}

// ---- The file system.

// NULL, or why the sector at the start is none that we know.
static const char *geometry(struct fat *fat, const uint8_t boot[SECTOR], uint64_t bytes)
{
    const uint32_t reserved = weft_le16_get(boot + 14), short_total = weft_le16_get(boot + 19);
    const uint32_t total = short_total != 0 ? short_total : weft_le32_get(boot + 32);
    const uint32_t table_sectors = weft_le16_get(boot + 22);
    const uint32_t cluster_sectors = boot[13];

    if (boot[510] != 0x55 || boot[511] != 0xaa) return "there is none";
    if (weft_le16_get(boot + 11) != SECTOR) return "its sectors are not of 512 bytes";
    if (cluster_sectors == 0 || (cluster_sectors & (cluster_sectors - 1)) != 0 || boot[16] == 0 ||
        boot[16] > 2 || reserved == 0 || table_sectors == 0)
        return "it is damaged, or not FAT16";
    if (total > bytes / SECTOR) return "it is larger than its partition";
    fat->root_entries = weft_le16_get(boot + 17);
    fat->cluster_bytes = cluster_sectors * SECTOR;
    fat->table_copies = boot[16];
    fat->table_sector = reserved;
    fat->table_bytes = table_sectors * SECTOR;
    fat->root_sector = reserved + fat->table_copies * table_sectors;
    fat->data_sector = fat->root_sector + fat->root_entries * WEFT_FAT_ENTRY_BYTES / SECTOR;
    if (fat->root_entries == 0 || fat->root_entries % (SECTOR / WEFT_FAT_ENTRY_BYTES) != 0 ||
        fat->data_sector >= total)
        return "it is damaged, or not FAT16";
    fat->cluster_count = (total - fat->data_sector) / cluster_sectors;
    // The count alone says which FAT it is.
    if (fat->cluster_count < 4085 || fat->cluster_count >= 65525) return "it is not FAT16";
    return (fat->cluster_count + 2) * 2 <= fat->table_bytes ? NULL : "its table is too short";
}

static const char *fat_open(struct fat *fat, uint64_t bytes)
{
    uint8_t boot[SECTOR];

    if (bytes < SECTOR || weft_update_disk_read(fat->fd, fat->offset, boot, sizeof(boot)) != 0)
        return "it cannot be read";
    const char *fault = geometry(fat, boot, bytes);
    if (fault != NULL) return fault;
    fat->table = malloc(fat->table_bytes);
    fat->root = malloc((size_t)fat->root_entries * WEFT_FAT_ENTRY_BYTES);
    if (fat->table == NULL || fat->root == NULL) return "no memory";
    if (weft_update_disk_read(fat->fd, fat->offset + (uint64_t)fat->table_sector * SECTOR,
                              fat->table, fat->table_bytes) != 0 ||
        weft_update_disk_read(fat->fd, fat->offset + (uint64_t)fat->root_sector * SECTOR, fat->root,
                              (size_t)fat->root_entries * WEFT_FAT_ENTRY_BYTES) != 0)
        return "it cannot be read";
    return NULL;
}

// ---- Clusters.

static uint16_t next_of(const struct fat *fat, uint32_t cluster)
{
    return weft_le16_get(fat->table + 2 * (size_t)cluster);
}

static void set_next(struct fat *fat, uint32_t cluster, uint16_t next)
{
    weft_le16_put(fat->table + 2 * (size_t)cluster, next);
}

static bool is_cluster(const struct fat *fat, uint32_t cluster)
{
    return cluster >= 2 && cluster < fat->cluster_count + 2;
}

static void free_chain(struct fat *fat, uint32_t cluster)
{
    while (is_cluster(fat, cluster)) { // A freed one leads to 0: a circle ends, too.
        const uint32_t next = next_of(fat, cluster);
        set_next(fat, cluster, 0);
        cluster = next;
    }
}

// Writes the content into free clusters. The first of them (0 for an empty file), or a negative
// errno.
static int64_t write_chain(struct fat *fat, struct weft_span content)
{
    uint32_t first = 0, last = 0, cluster = 1;
    uint8_t *block = malloc(fat->cluster_bytes);
    int result = block == NULL ? -ENOMEM : 0;

    for (size_t at = 0; at < content.length && result == 0; at += fat->cluster_bytes) {
        const size_t left = content.length - at;
        do {
            cluster++;
        } while (is_cluster(fat, cluster) && next_of(fat, cluster) != 0);
        if (!is_cluster(fat, cluster)) {
            result = -ENOSPC;
            break;
        }
        memset(block, 0, fat->cluster_bytes);
        memcpy(block, content.data + at, left < fat->cluster_bytes ? left : fat->cluster_bytes);
        result = put_sectors(fat, fat->data_sector + (cluster - 2) * (fat->cluster_bytes / SECTOR),
                             block, fat->cluster_bytes);
        set_next(fat, cluster, CHAIN_END);
        if (last != 0) set_next(fat, last, (uint16_t)cluster);
        if (first == 0) first = cluster;
        last = cluster;
    }
    free(block);
    return result == 0 ? (int64_t)first : result;
}

// ---- The directory.

static uint8_t *entry_at(const struct fat *fat, uint32_t index)
{
    return fat->root + (size_t)index * WEFT_FAT_ENTRY_BYTES;
}

// Adds what this entry has of a long name to `name`.
static void read_long(const uint8_t *entry, char name[WEFT_UPDATE_FAT_NAME_MAX + 1])
{
    const size_t order = entry[0] & 0x1f;

    for (size_t i = 0; i < WEFT_FAT_LONG_UNITS && order > 0; i++) {
        const size_t at = (order - 1) * WEFT_FAT_LONG_UNITS + i;
        const uint16_t unit = weft_fat_entry_unit(entry, i);
        if (at >= WEFT_UPDATE_FAT_NAME_MAX || unit == 0xffff) break;
        name[at] = unit < 0x80 ? (char)unit : '?';
    }
}

static void read_short(const uint8_t *entry, char name[WEFT_UPDATE_FAT_NAME_MAX + 1])
{
    size_t used = 0;

    for (int i = 0; i < 8 && entry[i] != ' '; i++)
        name[used++] = (char)entry[i];
    if (entry[8] != ' ') name[used++] = '.';
    for (int i = 8; i < 11 && entry[i] != ' '; i++)
        name[used++] = (char)entry[i];
    name[used] = '\0';
}

// Removes every plain file of that name, long or short.
static void remove_named(struct fat *fat, const char *wanted)
{
    char name[WEFT_UPDATE_FAT_NAME_MAX + 1] = "", alias[WEFT_UPDATE_FAT_NAME_MAX + 1];
    uint32_t from = 0; // Where the long name of the next short entry begins.

    for (uint32_t i = 0; i < fat->root_entries && entry_at(fat, i)[0] != 0; i++) {
        uint8_t *entry = entry_at(fat, i);
        if (entry[0] != WEFT_FAT_ENTRY_DELETED && entry[11] == WEFT_FAT_LONG_MARK) {
            if ((entry[0] & WEFT_FAT_LONG_LAST) != 0) memset(name, 0, sizeof(name));
            read_long(entry, name);
            continue;
        }
        read_short(entry, alias);
        const bool is_file = entry[0] != WEFT_FAT_ENTRY_DELETED && (entry[11] & 0x18) == 0;
        if (is_file && (strcasecmp(name, wanted) == 0 || strcasecmp(alias, wanted) == 0)) {
            free_chain(fat, weft_le16_get(entry + 26));
            for (uint32_t n = from; n <= i; n++)
                entry_at(fat, n)[0] = WEFT_FAT_ENTRY_DELETED;
        }
        memset(name, 0, sizeof(name));
        from = i + 1;
    }
}

static bool has_short(const struct fat *fat, const uint8_t short_name[11])
{
    for (uint32_t i = 0; i < fat->root_entries && entry_at(fat, i)[0] != 0; i++) {
        if (memcmp(entry_at(fat, i), short_name, 11) == 0) return true;
    }
    return false;
}

// "weft.toml" to "WEFT~1  TOM": what old systems see, and what no other entry has.
static bool make_short(const struct fat *fat, const char *name, uint8_t short_name[11])
{
    const char *dot = strrchr(name, '.');
    size_t used = 0;

    memset(short_name, ' ', 11);
    for (const char *c = name; *c != '\0' && c != dot && used < 6; c++) {
        if (isalnum((unsigned char)*c)) short_name[used++] = (uint8_t)toupper((unsigned char)*c);
    }
    for (size_t i = 0; dot != NULL && i < 3 && dot[1 + i] != '\0'; i++)
        short_name[8 + i] = (uint8_t)toupper((unsigned char)dot[1 + i]);
    short_name[used] = '~';
    for (short_name[used + 1] = '1'; short_name[used + 1] <= '9'; short_name[used + 1]++) {
        if (!has_short(fat, short_name)) return true;
    }
    return false;
}

// The first of `count` free entries in a row, or -1.
static int64_t find_room(const struct fat *fat, uint32_t count)
{
    uint32_t run = 0;

    for (uint32_t i = 0; i < fat->root_entries; i++) {
        const uint8_t first = entry_at(fat, i)[0];
        run = first == 0 || first == WEFT_FAT_ENTRY_DELETED ? run + 1 : 0;
        if (run == count) return i + 1 - count;
    }
    return -1;
}

// A zero in front of entries in use would end the directory there; find_room never leaves one.
static int add_entry(struct fat *fat, const char *name, uint32_t cluster, size_t length)
{
    const uint32_t longs =
        (uint32_t)((strlen(name) + WEFT_FAT_LONG_UNITS - 1) / WEFT_FAT_LONG_UNITS);
    const int64_t at = find_room(fat, longs + 1);
    uint8_t short_name[11];

    if (at < 0 || !make_short(fat, name, short_name)) return -ENOSPC;
    for (uint32_t i = 0; i < longs; i++)
        weft_fat_entry_put_long(entry_at(fat, (uint32_t)at + i), name, longs - i, i == 0,
                                weft_fat_entry_checksum(short_name));
    uint8_t *entry = entry_at(fat, (uint32_t)at + longs);
    memset(entry, 0, WEFT_FAT_ENTRY_BYTES);
    memcpy(entry, short_name, sizeof(short_name));
    entry[11] = ATTRIBUTE_FILE;
    weft_le16_put(entry + 16, DATE);
    weft_le16_put(entry + 18, DATE);
    weft_le16_put(entry + 24, DATE);
    weft_le16_put(entry + 26, (uint16_t)cluster);
    weft_le32_put(entry + 28, (uint32_t)length);
    return 0;
}

// ---- All of it.

static int write_back(const struct fat *fat)
{
    int result = 0;

    for (uint32_t copy = 0; copy < fat->table_copies && result == 0; copy++)
        result = put_sectors(fat, fat->table_sector + copy * (fat->table_bytes / SECTOR),
                             fat->table, fat->table_bytes);
    if (result == 0)
        result = put_sectors(fat, fat->root_sector, fat->root,
                             (size_t)fat->root_entries * WEFT_FAT_ENTRY_BYTES);
    if (result == 0 && fsync(fat->fd) != 0) result = -errno;
    return result;
}

static bool name_valid(const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL) return false;
    }
    return length > 0 && length <= WEFT_UPDATE_FAT_NAME_MAX && name[0] != '.';
}

int weft_update_fat_put(int fd, uint64_t offset, uint64_t bytes, const char *name,
                        struct weft_span content, struct weft_error *error)
{
    struct fat fat = {.fd = fd, .offset = offset};

    if (!name_valid(name) || content.length > WEFT_UPDATE_FAT_FILE_BYTES)
        return weft_error_set(error, 504, "%s cannot be put on the drive", name);
    const char *fault = fat_open(&fat, bytes);
    int64_t result = 0;
    if (fault == NULL) {
        remove_named(&fat, name);
        result = write_chain(&fat, content);
        if (result >= 0) result = add_entry(&fat, name, (uint32_t)result, content.length);
        if (result == 0) result = write_back(&fat);
    }
    free(fat.table);
    free(fat.root);
    if (fault != NULL) return weft_error_set(error, 906, "the FAT file system: %s", fault);
    if (result == 0) return 0;
    return weft_error_set(error, 906, "putting %s on the drive: %s", name, strerror((int)-result));
}
