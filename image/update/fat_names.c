#include "image/update/fat_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/update/fat_entry.h"
#include "image/update/fat_volume.h"

// ---- Changes. Each leaves a directory that can be read.

static int write_sector(const struct weft_fat_volume *fat,
                        const struct weft_fat_directory *directory, uint32_t entry)
{
    const uint32_t index = entry / WEFT_FAT_PER_SECTOR;
    const int result = fat->disk->write(fat->disk->self, directory->sectors[index],
                                        directory->bytes + (size_t)index * WEFT_GPT_SECTOR, 1);

    return result == 0 ? fat->disk->flush(fat->disk->self) : result;
}

static bool is_in_one_sector(uint32_t first, uint32_t last)
{
    return first / WEFT_FAT_PER_SECTOR == last / WEFT_FAT_PER_SECTOR;
}

// The short entry's sector first: what is left of a long name alone is nothing.
static int take_out(const struct weft_fat_volume *fat, struct weft_fat_directory *directory,
                    uint32_t first, uint32_t last)
{
    for (uint32_t i = last + 1; i-- > first;) {
        weft_fat_directory_entry(directory, i)[0] = WEFT_FAT_ENTRY_DELETED;
        if (i != first && i % WEFT_FAT_PER_SECTOR != 0) continue;
        const int result = write_sector(fat, directory, i);
        if (result != 0) return result;
    }
    return 0;
}

// The `count` entries of a long name from `first` on, for the short entry behind them.
static void put_long(struct weft_fat_directory *directory, uint32_t first, uint32_t count,
                     const char *name)
{
    const uint8_t sum = weft_fat_entry_checksum(weft_fat_directory_entry(directory, first + count));

    for (uint32_t i = 0; i < count; i++)
        weft_fat_entry_put_long(weft_fat_directory_entry(directory, first + i), name, count - i,
                                i == 0, sum);
}

static bool has_short(struct weft_fat_directory *directory, const uint8_t short_name[11])
{
    for (uint32_t i = 0; i < directory->count * WEFT_FAT_PER_SECTOR; i++) {
        const uint8_t *entry = weft_fat_directory_entry(directory, i);
        if (entry[0] == 0) break;
        if (entry[11] != WEFT_FAT_LONG_MARK && memcmp(entry, short_name, 11) == 0) return true;
    }
    return false;
}

// For a while the file has two entries, and no two may have the same short name.
static bool make_short(struct weft_fat_directory *directory, uint8_t short_name[11])
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
static int64_t find_room(struct weft_fat_directory *directory, uint32_t count)
{
    uint32_t run = 0;
    bool ended = false;

    for (uint32_t i = 0; i < directory->count * WEFT_FAT_PER_SECTOR; i++) {
        if (i % WEFT_FAT_PER_SECTOR == 0) {
            if (ended) return -1;
            run = 0;
        }
        const uint8_t first = weft_fat_directory_entry(directory, i)[0];
        if (first == 0) ended = true;
        run = first == 0 || first == WEFT_FAT_ENTRY_DELETED || ended ? run + 1 : 0;
        if (run == count) return i + 1 - count;
    }
    return -1;
}

// Whoever reads on behind the old end must find an end there.
static void keep_end(struct weft_fat_directory *directory, uint32_t next, bool was_end)
{
    if (was_end && next % WEFT_FAT_PER_SECTOR != 0)
        weft_fat_directory_entry(directory, next)[0] = 0;
}

static int move(const struct weft_fat_volume *fat, struct weft_fat_directory *directory,
                const struct weft_fat_file *file, uint32_t longs, const char *to)
{
    const int64_t place = find_room(directory, longs + 1);

    if (place < 0) return -ENOSPC;
    const uint32_t first = (uint32_t)place, last = first + longs;
    bool was_end = false;
    for (uint32_t i = first; i <= last; i++)
        was_end = was_end || weft_fat_directory_entry(directory, i)[0] == 0;
    // The next sector of the directory would have to be an end, too.
    if (was_end && (last + 1) % WEFT_FAT_PER_SECTOR == 0 &&
        last + 1 < directory->count * WEFT_FAT_PER_SECTOR &&
        weft_fat_directory_entry(directory, last + 1)[0] != 0)
        return -ENOSPC;
    uint8_t entry[WEFT_FAT_ENTRY_BYTES];
    memcpy(entry, weft_fat_directory_entry(directory, file->last), WEFT_FAT_ENTRY_BYTES);
    if (!make_short(directory, entry)) return -ENOSPC;
    memcpy(weft_fat_directory_entry(directory, last), entry, WEFT_FAT_ENTRY_BYTES);
    put_long(directory, first, longs, to);
    keep_end(directory, last + 1, was_end);
    const int result = write_sector(fat, directory, last);
    return result == 0 ? take_out(fat, directory, file->first, file->last) : result;
}

static int rename_in_place(const struct weft_fat_volume *fat, struct weft_fat_directory *directory,
                           const struct weft_fat_file *file, uint32_t longs, const char *to)
{
    for (uint32_t i = file->first; i < file->last - longs; i++)
        weft_fat_directory_entry(directory, i)[0] = WEFT_FAT_ENTRY_DELETED;
    put_long(directory, file->last - longs, longs, to);
    return write_sector(fat, directory, file->last);
}

static int rename_in(const struct weft_fat_volume *fat, struct weft_fat_directory *directory,
                     const char *from, const char *to)
{
    struct weft_fat_file file, other;
    const bool is_there = weft_fat_directory_find(directory, to, false, &other);
    const uint32_t longs = (uint32_t)((strlen(to) + WEFT_FAT_LONG_UNITS - 1) / WEFT_FAT_LONG_UNITS);

    if (!weft_fat_directory_find(directory, from, false, &file)) return is_there ? 0 : -ENOENT;
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
        if (!isalnum((unsigned char)name[i]) && strchr("._-+~", name[i]) == NULL) return false;
    }
    return length > 0 && length < WEFT_FAT_NAME_BYTES - WEFT_FAT_LONG_UNITS;
}

static int open_directory(struct weft_fat_volume *fat, const struct weft_gpt_disk *disk,
                          const char *path, struct weft_fat_directory **directory)
{
    int result = weft_fat_volume_open(fat, disk);

    *directory = result == 0 ? malloc(sizeof(**directory)) : NULL;
    if (result == 0 && *directory == NULL) result = -ENOMEM;
    return result == 0 ? weft_fat_volume_walk(fat, path, *directory) : result;
}

int weft_fat_names_rename(const struct weft_gpt_disk *disk, const char *directory, const char *from,
                          const char *to)
{
    struct weft_fat_volume fat;
    struct weft_fat_directory *entries;

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

static size_t list_files(struct weft_fat_directory *directory, struct place *places)
{
    struct weft_fat_file file;
    size_t count = 0;

    for (uint32_t at = 0; weft_fat_directory_next(directory, &at, &file);) {
        if (file.cluster == 0 || (file.attributes & WEFT_FAT_DIRECTORY) != 0) continue;
        places[count++] = (struct place){.cluster = file.cluster,
                                         .bytes = file.bytes,
                                         .first = file.first,
                                         .last = file.last,
                                         .name_length = (uint32_t)strlen(file.name)};
    }
    return count;
}

// How many went, or a negative errno.
static int mend(const struct weft_fat_volume *fat, struct weft_fat_directory *directory)
{
    struct place *places = malloc((size_t)directory->count * WEFT_FAT_PER_SECTOR * sizeof(*places));
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
    struct weft_fat_volume fat;
    struct weft_fat_directory *entries;
    int result = open_directory(&fat, disk, directory, &entries);

    if (result == 0) result = mend(&fat, entries);
    free(entries);
    return result;
}
