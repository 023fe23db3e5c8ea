#include "image/update/fat_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/update/fat_entry.h"
#include "runtime/base/endian.h"

#define SECTOR      WEFT_GPT_SECTOR
#define PER_SECTOR  (SECTOR / WEFT_FAT_ENTRY_BYTES)
#define SECTORS_MAX 1024 // Of a directory: 16384 entries.
#define LABEL       0x08
#define DIRECTORY   0x10

struct fat {
    const struct weft_gpt_disk *disk;
    uint32_t cluster_sectors, table_sector, root_sector, root_sectors, data_sector, cluster_count;
    uint32_t root_cluster; // 0: the root has a place of its own.
    bool is_wide;          // FAT32.
};

struct directory {
    bool is_wide; // FAT32: its entries have the upper half of a cluster's number.
    uint32_t sectors[SECTORS_MAX];
    uint32_t count;
    uint8_t bytes[SECTORS_MAX * SECTOR];
};

struct file {
    uint32_t first, last; // Its entries: those of its long name, then the short one.
    uint32_t cluster, bytes;
    uint8_t attributes;
    char name[WEFT_FAT_NAME_BYTES];
};

// ---- The file system.

static int geometry(struct fat *fat, const uint8_t boot[SECTOR])
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
    const uint64_t table_bytes = (fat->cluster_count + UINT64_C(2)) * (fat->is_wide ? 4 : 2);
    return fat->cluster_count >= 4085 && table_bytes <= table * SECTOR ? 0 : -EOPNOTSUPP;
}

static int fat_open(struct fat *fat, const struct weft_gpt_disk *disk)
{
    uint8_t boot[SECTOR];

    *fat = (struct fat){.disk = disk};
    const int result = disk->read(disk->self, 0, boot, 1);
    return result == 0 ? geometry(fat, boot) : result;
}

static bool is_cluster(const struct fat *fat, uint32_t cluster)
{
    return cluster >= 2 && cluster < fat->cluster_count + 2;
}

static int next_cluster(const struct fat *fat, uint32_t *cluster)
{
    uint8_t sector[SECTOR];
    const uint32_t at = *cluster * (fat->is_wide ? 4 : 2);
    const int result = fat->disk->read(fat->disk->self, fat->table_sector + at / SECTOR, sector, 1);

    *cluster = fat->is_wide ? weft_le32_get(sector + at % SECTOR) & 0x0fffffff
                            : weft_le16_get(sector + at % SECTOR);
    return result;
}

static int add_sectors(const struct fat *fat, struct directory *directory, uint32_t sector,
                       uint32_t count)
{
    if (count > SECTORS_MAX - directory->count) return -EINVAL; // Or a chain in a circle.
    const int result = fat->disk->read(fat->disk->self, sector,
                                       directory->bytes + (size_t)directory->count * SECTOR, count);
    for (uint32_t i = 0; i < count; i++)
        directory->sectors[directory->count++] = sector + i;
    return result;
}

// The directory that begins in `cluster`; 0 is the root.
static int read_directory(const struct fat *fat, uint32_t cluster, struct directory *directory)
{
    int result = 0;

    directory->count = 0;
    directory->is_wide = fat->is_wide;
    if (cluster == 0) cluster = fat->root_cluster;
    if (cluster == 0) return add_sectors(fat, directory, fat->root_sector, fat->root_sectors);
    if (!is_cluster(fat, cluster)) return -EINVAL;
    while (result == 0 && is_cluster(fat, cluster)) {
        result =
            add_sectors(fat, directory, fat->data_sector + (cluster - 2) * fat->cluster_sectors,
                        fat->cluster_sectors);
        if (result == 0) result = next_cluster(fat, &cluster);
    }
    return result;
}

static int write_sector(const struct fat *fat, const struct directory *directory, uint32_t entry)
{
    const uint32_t index = entry / PER_SECTOR;
    const int result = fat->disk->write(fat->disk->self, directory->sectors[index],
                                        directory->bytes + (size_t)index * SECTOR, 1);

    return result == 0 ? fat->disk->flush(fat->disk->self) : result;
}

// ---- Names.

static uint8_t *entry_at(struct directory *directory, uint32_t index)
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
static bool read_long(struct directory *directory, uint32_t first, uint32_t last, char *name)
{
    const uint32_t count = last - first;
    const uint8_t sum = weft_fat_entry_checksum(entry_at(directory, last));

    if (count == 0 || count * WEFT_FAT_LONG_UNITS >= WEFT_FAT_NAME_BYTES) return false;
    memset(name, 0, WEFT_FAT_NAME_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = entry_at(directory, first + i);
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

// The next file or directory at or behind *index, which moves on. False: there is none.
static bool next_file(struct directory *directory, uint32_t *index, struct file *file)
{
    const uint32_t count = directory->count * PER_SECTOR;
    uint32_t first = *index; // Of the long name.

    for (uint32_t i = *index; i < count && entry_at(directory, i)[0] != 0; i++) {
        const uint8_t *entry = entry_at(directory, i);
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

static bool find(struct directory *directory, const char *name, bool is_directory,
                 struct file *file)
{
    for (uint32_t index = 0; next_file(directory, &index, file);) {
        if (((file->attributes & DIRECTORY) != 0) == is_directory &&
            strcasecmp(file->name, name) == 0)
            return true;
    }
    return false;
}

static int walk(const struct fat *fat, const char *path, struct directory *directory)
{
    char name[WEFT_FAT_NAME_BYTES];
    struct file below;
    int result = read_directory(fat, 0, directory);

    while (result == 0 && *path != '\0') {
        const size_t length = strcspn(path, "/");
        if (length >= sizeof(name)) return -EINVAL;
        memcpy(name, path, length);
        name[length] = '\0';
        path += length + (path[length] == '/');
        if (length == 0) continue;
        if (!find(directory, name, true, &below)) return -ENOENT;
        if (!is_cluster(fat, below.cluster)) return -EINVAL;
        result = read_directory(fat, below.cluster, directory);
    }
    return result;
}

// ---- Changes. Each leaves a directory that can be read.

static bool is_in_one_sector(uint32_t first, uint32_t last)
{
    return first / PER_SECTOR == last / PER_SECTOR;
}

// The short entry's sector first: what is left of a long name alone is nothing.
static int take_out(const struct fat *fat, struct directory *directory, uint32_t first,
                    uint32_t last)
{
    for (uint32_t i = last + 1; i-- > first;) {
        entry_at(directory, i)[0] = WEFT_FAT_ENTRY_DELETED;
        if (i != first && i % PER_SECTOR != 0) continue;
        const int result = write_sector(fat, directory, i);
        if (result != 0) return result;
    }
    return 0;
}

// The `count` entries of a long name from `first` on, for the short entry behind them.
static void put_long(struct directory *directory, uint32_t first, uint32_t count, const char *name)
{
    const uint8_t sum = weft_fat_entry_checksum(entry_at(directory, first + count));

    for (uint32_t i = 0; i < count; i++)
        weft_fat_entry_put_long(entry_at(directory, first + i), name, count - i, i == 0, sum);
}

static bool has_short(struct directory *directory, const uint8_t short_name[11])
{
    for (uint32_t i = 0; i < directory->count * PER_SECTOR; i++) {
        const uint8_t *entry = entry_at(directory, i);
        if (entry[0] == 0) break;
        if (entry[11] != WEFT_FAT_LONG_MARK && memcmp(entry, short_name, 11) == 0) return true;
    }
    return false;
}

// For a while the file has two entries, and no two may have the same short name.
static bool make_short(struct directory *directory, uint8_t short_name[11])
{
    short_name[6] = '~';
    for (int i = 0; i < 6; i++) {
        if (short_name[i] == ' ') short_name[i] = '_';
    }
    for (short_name[7] = '1'; short_name[7] <= '9'; short_name[7]++) {
        if (!has_short(directory, short_name)) return true;
    }
    return false;
}

// The first of `count` free entries in one sector, or -1. A free one behind the end of the
// directory is no place: what lies before it would end the directory still.
static int64_t find_room(struct directory *directory, uint32_t count)
{
    uint32_t run = 0;
    bool ended = false;

    for (uint32_t i = 0; i < directory->count * PER_SECTOR; i++) {
        if (i % PER_SECTOR == 0) {
            if (ended) return -1;
            run = 0;
        }
        const uint8_t first = entry_at(directory, i)[0];
        if (first == 0) ended = true;
        run = first == 0 || first == WEFT_FAT_ENTRY_DELETED || ended ? run + 1 : 0;
        if (run == count) return i + 1 - count;
    }
    return -1;
}

// Whoever reads on behind the old end must find an end there.
static void keep_end(struct directory *directory, uint32_t next, bool was_end)
{
    if (was_end && next % PER_SECTOR != 0) entry_at(directory, next)[0] = 0;
}

static int move(const struct fat *fat, struct directory *directory, const struct file *file,
                uint32_t longs, const char *to)
{
    const int64_t place = find_room(directory, longs + 1);

    if (place < 0) return -ENOSPC;
    const uint32_t first = (uint32_t)place, last = first + longs;
    bool was_end = false;
    for (uint32_t i = first; i <= last; i++)
        was_end = was_end || entry_at(directory, i)[0] == 0;
    // The next sector of the directory would have to be an end, too.
    if (was_end && (last + 1) % PER_SECTOR == 0 && last + 1 < directory->count * PER_SECTOR &&
        entry_at(directory, last + 1)[0] != 0)
        return -ENOSPC;
    uint8_t entry[WEFT_FAT_ENTRY_BYTES];
    memcpy(entry, entry_at(directory, file->last), WEFT_FAT_ENTRY_BYTES);
    if (!make_short(directory, entry)) return -ENOSPC;
    memcpy(entry_at(directory, last), entry, WEFT_FAT_ENTRY_BYTES);
    put_long(directory, first, longs, to);
    keep_end(directory, last + 1, was_end);
    const int result = write_sector(fat, directory, last);
    return result == 0 ? take_out(fat, directory, file->first, file->last) : result;
}

static int rename_in_place(const struct fat *fat, struct directory *directory,
                           const struct file *file, uint32_t longs, const char *to)
{
    for (uint32_t i = file->first; i < file->last - longs; i++)
        entry_at(directory, i)[0] = WEFT_FAT_ENTRY_DELETED;
    put_long(directory, file->last - longs, longs, to);
    return write_sector(fat, directory, file->last);
}

static int rename_in(const struct fat *fat, struct directory *directory, const char *from,
                     const char *to)
{
    struct file file, other;
    const bool is_there = find(directory, to, false, &other);
    const uint32_t longs = (uint32_t)((strlen(to) + WEFT_FAT_LONG_UNITS - 1) / WEFT_FAT_LONG_UNITS);

    if (!find(directory, from, false, &file)) return is_there ? 0 : -ENOENT;
    if (is_there && (other.cluster != file.cluster || file.cluster == 0)) return -EEXIST;
    if (is_there) return take_out(fat, directory, file.first, file.last);
    if (longs <= file.last - file.first && is_in_one_sector(file.first, file.last))
        return rename_in_place(fat, directory, &file, longs, to);
    return move(fat, directory, &file, longs, to);
}

// ---- What is asked for.

static bool is_plain(const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && strchr("._-+", name[i]) == NULL) return false;
    }
    return length > 0 && length < WEFT_FAT_NAME_BYTES - WEFT_FAT_LONG_UNITS;
}

static int open_directory(struct fat *fat, const struct weft_gpt_disk *disk, const char *path,
                          struct directory **directory)
{
    int result = fat_open(fat, disk);

    *directory = result == 0 ? malloc(sizeof(**directory)) : NULL;
    if (result == 0 && *directory == NULL) result = -ENOMEM;
    return result == 0 ? walk(fat, path, *directory) : result;
}

int weft_fat_names_rename(const struct weft_gpt_disk *disk, const char *directory, const char *from,
                          const char *to)
{
    struct fat fat;
    struct directory *entries;

    if (!is_plain(to) || strcasecmp(from, to) == 0) return -EINVAL;
    int result = open_directory(&fat, disk, directory, &entries);
    if (result == 0) result = rename_in(&fat, entries, from, to);
    free(entries);
    return result;
}

struct place { // Of a file in the directory.
    uint32_t cluster, bytes, first, last, name_length;
};

// By clusters, and of those with the same the one that stays first.
static int by_cluster(const void *a, const void *b)
{
    const struct place *one = a, *other = b;

    if (one->cluster != other->cluster) return one->cluster < other->cluster ? -1 : 1;
    if (one->bytes != other->bytes) return one->bytes > other->bytes ? -1 : 1;
    if (one->name_length != other->name_length)
        return one->name_length < other->name_length ? -1 : 1;
    return one->last < other->last ? -1 : 1; // No two have the same.
}

static size_t list_files(struct directory *directory, struct place *places)
{
    struct file file;
    size_t count = 0;

    for (uint32_t at = 0; next_file(directory, &at, &file);) {
        if (file.cluster == 0 || (file.attributes & DIRECTORY) != 0) continue;
        places[count++] = (struct place){.cluster = file.cluster,
                                         .bytes = file.bytes,
                                         .first = file.first,
                                         .last = file.last,
                                         .name_length = (uint32_t)strlen(file.name)};
    }
    return count;
}

// How many went, or a negative errno.
static int mend(const struct fat *fat, struct directory *directory)
{
    struct place *places = malloc((size_t)directory->count * PER_SECTOR * sizeof(*places));
    int mended = 0, result = 0;

    if (places == NULL) return directory->count == 0 ? 0 : -ENOMEM;
    const size_t count = list_files(directory, places);
    qsort(places, count, sizeof(*places), by_cluster); // A drive may be full of names.
    for (size_t i = 1; result == 0 && i < count; i++) {
        if (places[i].cluster != places[i - 1].cluster) continue;
        result = take_out(fat, directory, places[i].first, places[i].last);
        mended += result == 0;
    }
    free(places);
    return result == 0 ? mended : result;
}

int weft_fat_names_mend(const struct weft_gpt_disk *disk, const char *directory)
{
    struct fat fat;
    struct directory *entries;
    int result = open_directory(&fat, disk, directory, &entries);

    if (result == 0) result = mend(&fat, entries);
    free(entries);
    return result;
}
