#include "image/update/fat_lost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/fat_volume.h"
#include "runtime/base/endian.h"

#define TABLE_SECTORS_MAX 8192 // Of 4 MiB: a million clusters.
#define DIRECTORIES_MAX   1024
#define UNKNOWN           0xffffffff

struct search {
    struct weft_fat_volume fat;
    uint8_t *table; // As on the disk.
    bool *is_used;  // By clusters.
    struct weft_fat_directory *directory;
    uint32_t *waiting; // First clusters of directories that were found, and not read.
    size_t waiting_count, seen_count;
};

// ---- The table.

static uint8_t *slot_of(const struct search *search, uint32_t cluster)
{
    return search->table + (size_t)cluster * (search->fat.is_wide ? 4 : 2);
}

static uint32_t value_of(const struct search *search, uint32_t cluster)
{
    const uint8_t *slot = slot_of(search, cluster);
    return search->fat.is_wide ? weft_le32_get(slot) & 0x0fffffff : weft_le16_get(slot);
}

static void set_free(const struct search *search, uint32_t cluster)
{
    uint8_t *slot = slot_of(search, cluster);
    if (search->fat.is_wide)
        weft_le32_put(slot, weft_le32_get(slot) & 0xf0000000); // These four bits are nobody's.
    else
        weft_le16_put(slot, 0);
}

static bool is_bad(const struct search *search, uint32_t value)
{
    return value == (search->fat.is_wide ? 0x0ffffff7 : 0xfff7);
}

static bool is_end(const struct search *search, uint32_t value)
{
    return value >= (search->fat.is_wide ? 0x0ffffff8 : 0xfff8);
}

// Follows a chain from `cluster` to its end. Whatever is in two chains, or in a circle, is damage.
static int use(struct search *search, uint32_t cluster)
{
    for (uint32_t value = cluster; !is_end(search, value); value = value_of(search, value)) {
        if (!weft_fat_volume_has(&search->fat, value) || search->is_used[value]) return -EINVAL;
        search->is_used[value] = true;
    }
    return 0;
}

// ---- What has a name.

// A directory's own, and that of the one above.
static bool is_dots(const struct search *search, const struct weft_fat_file *file)
{
    const uint8_t *name = weft_fat_directory_entry(search->directory, file->last);
    return memcmp(name, ".          ", 11) == 0 || memcmp(name, "..         ", 11) == 0;
}

// Linux reads on behind the end of a directory, where nothing should be.
static bool has_more_behind(const struct search *search)
{
    bool has_ended = false;
    for (uint32_t i = 0; i < search->directory->count * WEFT_FAT_PER_SECTOR; i++) {
        const uint8_t first = weft_fat_directory_entry(search->directory, i)[0];
        if (has_ended && first != 0 && first != WEFT_FAT_ENTRY_DELETED) return true;
        has_ended = has_ended || first == 0;
    }
    return false;
}

static int use_all_in_one(struct search *search)
{
    struct weft_fat_file file;
    int result = has_more_behind(search) ? -EINVAL : 0;
    for (uint32_t at = 0; result == 0 && weft_fat_directory_next(search->directory, &at, &file);) {
        if (is_dots(search, &file) || file.cluster == 0) continue;
        result = use(search, file.cluster);
        if (result != 0 || (file.attributes & WEFT_FAT_DIRECTORY) == 0) continue;
        if (search->seen_count == DIRECTORIES_MAX) return -EOPNOTSUPP;
        search->seen_count++;
        search->waiting[search->waiting_count++] = file.cluster;
    }
    return result;
}

static int use_all(struct search *search)
{
    const uint32_t root = search->fat.root_cluster;
    int result = root != 0 ? use(search, root) : 0;
    if (result == 0) result = weft_fat_volume_read(&search->fat, 0, search->directory);
    if (result == 0) result = use_all_in_one(search);
    while (result == 0 && search->waiting_count > 0) {
        const uint32_t cluster = search->waiting[--search->waiting_count];
        result = weft_fat_volume_read(&search->fat, cluster, search->directory);
        if (result == 0) result = use_all_in_one(search);
    }
    return result;
}

// ---- What has none.

static int write_table_sector(const struct search *search, uint32_t index)
{
    const struct weft_gpt_disk *disk = search->fat.disk;
    int result = 0;
    for (uint32_t copy = 0; copy < search->fat.table_count && result == 0; copy++)
        result = disk->write(disk->self,
                             search->fat.table_sector + copy * search->fat.table_sectors + index,
                             search->table + (size_t)index * WEFT_GPT_SECTOR, 1);
    return result;
}

// How many, or a negative errno; *free_count becomes how many are free then.
static int64_t free_lost(const struct search *search, uint32_t *free_count)
{
    const uint32_t end = search->fat.cluster_count + 2;
    const uint32_t per_sector = WEFT_GPT_SECTOR / (search->fat.is_wide ? 4 : 2);
    int64_t lost = 0;
    int result = 0;
    *free_count = 0;
    for (uint32_t from = 0; from < end && result == 0; from += per_sector) {
        bool is_changed = false;
        for (uint32_t cluster = from; cluster < from + per_sector && cluster < end; cluster++) {
            const uint32_t value = value_of(search, cluster);
            if (cluster < 2 || search->is_used[cluster] || is_bad(search, value)) continue;
            ++*free_count;
            if (value == 0) continue;
            set_free(search, cluster);
            is_changed = true;
            lost++;
        }
        if (is_changed) result = write_table_sector(search, from / per_sector);
    }
    return result == 0 ? lost : result;
}

// Too few would be believed, so it is unknown while the table changes.
static int note_free(const struct search *search, uint32_t count)
{
    const struct weft_gpt_disk *disk = search->fat.disk;
    uint8_t info[WEFT_GPT_SECTOR];
    if (search->fat.info_sector == 0) return 0;
    int result = disk->read(disk->self, search->fat.info_sector, info, 1);
    if (result != 0 || weft_le32_get(info) != WEFT_FAT_INFO_LEAD ||
        weft_le32_get(info + WEFT_FAT_INFO_AT) != WEFT_FAT_INFO_MARK)
        return result;
    if (weft_le32_get(info + WEFT_FAT_INFO_FREE) == count) return 0;
    weft_le32_put(info + WEFT_FAT_INFO_FREE, count);
    result = disk->write(disk->self, search->fat.info_sector, info, 1);
    return result == 0 ? disk->flush(disk->self) : result;
}

static uint32_t count_lost(const struct search *search)
{
    uint32_t count = 0;
    for (uint32_t cluster = 2; cluster < search->fat.cluster_count + 2; cluster++) {
        const uint32_t value = value_of(search, cluster);
        count += !search->is_used[cluster] && value != 0 && !is_bad(search, value);
    }
    return count;
}

static int64_t give_back(const struct search *search)
{
    const struct weft_gpt_disk *disk = search->fat.disk;
    uint32_t free_count;
    int result = count_lost(search) > 0 ? note_free(search, UNKNOWN) : 0;
    if (result != 0) return result;
    const int64_t lost = free_lost(search, &free_count);
    if (lost > 0) result = disk->flush(disk->self);
    if (lost >= 0 && result == 0) result = note_free(search, free_count);
    return result == 0 ? lost : result;
}

static int64_t run(struct search *search, bool only_looks)
{
    const struct weft_fat_volume *fat = &search->fat;
    search->table = malloc((size_t)fat->table_sectors * WEFT_GPT_SECTOR);
    search->is_used = calloc(fat->cluster_count + 2, sizeof(*search->is_used));
    search->directory = malloc(sizeof(*search->directory));
    search->waiting = calloc(DIRECTORIES_MAX, sizeof(*search->waiting));
    if (search->table == NULL || search->is_used == NULL || search->directory == NULL ||
        search->waiting == NULL)
        return -ENOMEM;
    int result =
        fat->disk->read(fat->disk->self, fat->table_sector, search->table, fat->table_sectors);
    if (result == 0) result = use_all(search);
    return result == 0 && !only_looks ? give_back(search) : result;
}

static int64_t look_through(const struct weft_gpt_disk *disk, bool only_looks)
{
    struct search search = {0};
    int64_t result = weft_fat_volume_open(&search.fat, disk);
    if (result == 0 && search.fat.table_sectors > TABLE_SECTORS_MAX) result = -EOPNOTSUPP;
    if (result == 0) result = run(&search, only_looks);
    free(search.table);
    free(search.is_used);
    free(search.directory);
    free(search.waiting);
    return result;
}

int64_t weft_fat_lost_free(const struct weft_gpt_disk *disk)
{
    return look_through(disk, false);
}

int weft_fat_lost_check(const struct weft_gpt_disk *disk)
{
    return (int)look_through(disk, true);
}
