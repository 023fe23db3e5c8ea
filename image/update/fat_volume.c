#include "image/update/fat_volume.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "runtime/base/endian.h"

#define SECTOR WEFT_GPT_SECTOR
#define LABEL  0x08

// ---- The file system.

static int geometry(struct weft_fat_volume *fat, const uint8_t boot[SECTOR])
{
    const uint32_t reserved = weft_le16_get(boot + 14), tables = boot[16];
    const uint32_t entries = weft_le16_get(boot + 17), short_total = weft_le16_get(boot + 19);
    const uint32_t total = short_total != 0 ? short_total : weft_le32_get(boot + 32);
    const uint32_t short_table = weft_le16_get(boot + 22);
    const uint64_t table = short_table != 0 ? short_table : weft_le32_get(boot + 36);

    fat->cluster_sectors = boot[13];
    if (boot[510] != 0x55 || boot[511] != 0xaa || weft_le16_get(boot + 11) != SECTOR ||
        fat->cluster_sectors == 0 || (fat->cluster_sectors & (fat->cluster_sectors - 1)) != 0 ||
        tables == 0 || reserved == 0 || table == 0 || total > fat->disk->sectors)
        return -EOPNOTSUPP;
    fat->table_sector = reserved;
    fat->table_sectors = (uint32_t)table;
    fat->table_count = tables;
    fat->root_sectors = (entries * WEFT_FAT_ENTRY_BYTES + SECTOR - 1) / SECTOR;
    const uint64_t root = reserved + tables * table;
    if (root + fat->root_sectors >= total) return -EOPNOTSUPP;
    fat->root_sector = (uint32_t)root;
    fat->data_sector = fat->root_sector + fat->root_sectors;
    fat->cluster_count = (total - fat->data_sector) / fat->cluster_sectors;
    // By the specification the count alone says which FAT it is; Linux and firmware look at where
    // the table's length stands. Where they do not agree it is nobody's.
    fat->is_wide = fat->cluster_count >= 65525;
    if (fat->is_wide != (short_table == 0)) return -EOPNOTSUPP;
    fat->root_cluster = fat->is_wide ? weft_le32_get(boot + 44) : 0;
    fat->info_sector = fat->is_wide ? weft_le16_get(boot + 48) : 0;
    if (fat->info_sector >= reserved) fat->info_sector = 0;
    const uint64_t table_bytes = (fat->cluster_count + UINT64_C(2)) * (fat->is_wide ? 4 : 2);
    return fat->cluster_count >= 4085 && table_bytes <= table * SECTOR ? 0 : -EOPNOTSUPP;
}

int weft_fat_volume_open(struct weft_fat_volume *fat, const struct weft_gpt_disk *disk)
{
    uint8_t boot[SECTOR];

    *fat = (struct weft_fat_volume){.disk = disk};
    const int result = disk->read(disk->self, 0, boot, 1);
    return result == 0 ? geometry(fat, boot) : result;
}

bool weft_fat_volume_has(const struct weft_fat_volume *fat, uint32_t cluster)
{
    return cluster >= 2 && cluster < fat->cluster_count + 2;
}

uint32_t weft_fat_volume_sector(const struct weft_fat_volume *fat, uint32_t cluster)
{
    return fat->data_sector + (cluster - 2) * fat->cluster_sectors;
}

// Where a cluster stands in a table: the sector of it, and the byte there.
static uint32_t sector_of(const struct weft_fat_volume *fat, uint32_t cluster, uint32_t *at)
{
    const uint32_t byte = cluster * (fat->is_wide ? 4 : 2);

    *at = byte % SECTOR;
    return byte / SECTOR;
}

int weft_fat_volume_next(const struct weft_fat_volume *fat, uint32_t *cluster)
{
    uint8_t sector[SECTOR];
    uint32_t at;
    const uint32_t index = sector_of(fat, *cluster, &at);
    const int result = fat->disk->read(fat->disk->self, fat->table_sector + index, sector, 1);

    *cluster = fat->is_wide ? weft_le32_get(sector + at) & 0x0fffffff : weft_le16_get(sector + at);
    return result;
}

static int write_flushed(const struct weft_fat_volume *fat, uint32_t lba, const uint8_t *sector)
{
    const int result = fat->disk->write(fat->disk->self, lba, sector, 1);

    return result == 0 ? fat->disk->flush(fat->disk->self) : result;
}

// A number that is too large does no harm, so it is the last to change.
static int note_taken(const struct weft_fat_volume *fat)
{
    uint8_t info[SECTOR];

    if (fat->info_sector == 0) return 0;
    const int result = fat->disk->read(fat->disk->self, fat->info_sector, info, 1);
    if (result != 0 || weft_le32_get(info) != WEFT_FAT_INFO_LEAD ||
        weft_le32_get(info + WEFT_FAT_INFO_AT) != WEFT_FAT_INFO_MARK)
        return result;
    const uint32_t count = weft_le32_get(info + WEFT_FAT_INFO_FREE);
    if (count == 0 || count > fat->cluster_count) return 0; // It is unknown, or wrong.
    weft_le32_put(info + WEFT_FAT_INFO_FREE, count - 1);
    return write_flushed(fat, fat->info_sector, info);
}

int weft_fat_volume_set_next(const struct weft_fat_volume *fat, uint32_t cluster, uint32_t next)
{
    uint8_t sector[SECTOR];
    uint32_t at;
    const uint32_t index = sector_of(fat, cluster, &at);
    bool was_free = false;
    int result = 0;

    for (uint32_t n = 0; n < fat->table_count && result == 0; n++) {
        const uint32_t lba = fat->table_sector + n * fat->table_sectors + index;
        result = fat->disk->read(fat->disk->self, lba, sector, 1);
        if (result != 0) return result;
        const uint32_t old = fat->is_wide ? weft_le32_get(sector + at) : weft_le16_get(sector + at);
        if (n == 0) was_free = (old & 0x0fffffff) == 0;
        if (fat->is_wide)
            weft_le32_put(sector + at, (old & 0xf0000000) | (next & 0x0fffffff));
        else
            weft_le16_put(sector + at, (uint16_t)next);
        result = write_flushed(fat, lba, sector);
    }
    return result == 0 && was_free ? note_taken(fat) : result;
}

static int add_sectors(const struct weft_fat_volume *fat, struct weft_fat_directory *directory,
                       uint32_t sector, uint32_t count)
{
    if (count > WEFT_FAT_DIRECTORY_SECTORS - directory->count)
        return -EINVAL; // Or a chain in a circle.
    const int result = fat->disk->read(fat->disk->self, sector,
                                       directory->bytes + (size_t)directory->count * SECTOR, count);
    for (uint32_t i = 0; i < count; i++)
        directory->sectors[directory->count++] = sector + i;
    return result;
}

int weft_fat_volume_read(const struct weft_fat_volume *fat, uint32_t cluster,
                         struct weft_fat_directory *directory)
{
    int result = 0;

    directory->count = 0;
    directory->is_wide = fat->is_wide;
    if (cluster == 0) cluster = fat->root_cluster;
    if (cluster == 0) return add_sectors(fat, directory, fat->root_sector, fat->root_sectors);
    if (!weft_fat_volume_has(fat, cluster)) return -EINVAL;
    while (result == 0 && weft_fat_volume_has(fat, cluster)) {
        result =
            add_sectors(fat, directory, weft_fat_volume_sector(fat, cluster), fat->cluster_sectors);
        if (result == 0) result = weft_fat_volume_next(fat, &cluster);
    }
    return result;
}

// ---- Names.

uint8_t *weft_fat_directory_entry(struct weft_fat_directory *directory, uint32_t index)
{
    return directory->bytes + (size_t)index * WEFT_FAT_ENTRY_BYTES;
}

static void read_short(const uint8_t *entry, char *name)
{
    size_t used = 0;

    for (int i = 0; i < 11 && (i != 0 || entry[0] != ' '); i++) {
        if (i == 8 && memcmp(entry + 8, "   ", 3) != 0) name[used++] = '.';
        if (entry[i] != ' ') name[used++] = (char)entry[i];
    }
    name[used] = '\0';
}

// The long name in the entries from `first` up to the short one at `last`. False if they are not
// one, all of it, for this short name.
static bool read_long(struct weft_fat_directory *directory, uint32_t first, uint32_t last,
                      char *name)
{
    const uint32_t count = last - first;
    const uint8_t sum = weft_fat_entry_checksum(weft_fat_directory_entry(directory, last));

    if (count == 0 || count * WEFT_FAT_LONG_UNITS >= WEFT_FAT_NAME_BYTES) return false;
    memset(name, 0, WEFT_FAT_NAME_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = weft_fat_directory_entry(directory, first + i);
        const uint32_t order = count - i;
        if (entry[0] != (order | (i == 0 ? WEFT_FAT_LONG_LAST : 0)) || entry[13] != sum)
            return false;
        for (size_t n = 0; n < WEFT_FAT_LONG_UNITS; n++) {
            const uint16_t unit = weft_fat_entry_unit(entry, n);
            if (unit == 0 || unit == 0xffff) break;
            name[(order - 1) * WEFT_FAT_LONG_UNITS + n] = unit < 0x80 ? (char)unit : '?';
        }
    }
    return true;
}

bool weft_fat_directory_next(struct weft_fat_directory *directory, uint32_t *index,
                             struct weft_fat_file *file)
{
    const uint32_t count = directory->count * WEFT_FAT_PER_SECTOR;
    uint32_t first = *index; // Of the long name.

    for (uint32_t i = *index; i < count && weft_fat_directory_entry(directory, i)[0] != 0; i++) {
        const uint8_t *entry = weft_fat_directory_entry(directory, i);
        if (entry[0] != WEFT_FAT_ENTRY_DELETED && entry[11] == WEFT_FAT_LONG_MARK) {
            if ((entry[0] & WEFT_FAT_LONG_LAST) != 0) first = i;
            continue;
        }
        if (entry[0] != WEFT_FAT_ENTRY_DELETED && (entry[11] & LABEL) == 0) {
            file->last = i;
            file->first = first;
            if (!read_long(directory, first, i, file->name)) {
                file->first = i; // What stands before it is nobody's.
                read_short(entry, file->name);
            }
            file->attributes = entry[11];
            file->cluster = weft_le16_get(entry + 26);
            if (directory->is_wide)
                file->cluster |= (uint32_t)(weft_le16_get(entry + 20) & 0x0fff) << 16;
            file->bytes = weft_le32_get(entry + 28);
            *index = i + 1;
            return true;
        }
        first = i + 1;
    }
    return false;
}

bool weft_fat_directory_find(struct weft_fat_directory *directory, const char *name,
                             bool is_directory, struct weft_fat_file *file)
{
    for (uint32_t index = 0; weft_fat_directory_next(directory, &index, file);) {
        if (((file->attributes & WEFT_FAT_DIRECTORY) != 0) == is_directory &&
            strcasecmp(file->name, name) == 0)
            return true;
    }
    return false;
}

int weft_fat_volume_walk(const struct weft_fat_volume *fat, const char *path,
                         struct weft_fat_directory *directory)
{
    char name[WEFT_FAT_NAME_BYTES];
    struct weft_fat_file below;
    int result = weft_fat_volume_read(fat, 0, directory);

    while (result == 0 && *path != '\0') {
        const size_t length = strcspn(path, "/");
        if (length >= sizeof(name)) return -EINVAL;
        memcpy(name, path, length);
        name[length] = '\0';
        path += length + (path[length] == '/');
        if (length == 0) continue;
        if (!weft_fat_directory_find(directory, name, true, &below)) return -ENOENT;
        if (!weft_fat_volume_has(fat, below.cluster)) return -EINVAL;
        result = weft_fat_volume_read(fat, below.cluster, directory);
    }
    return result;
}
