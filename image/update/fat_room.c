#include "image/update/fat_room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/fat_lost.h"
#include "image/update/fat_volume.h"
#include "runtime/base/endian.h"

struct room {
    struct weft_fat_volume fat;
    struct weft_fat_directory *directory;
    uint32_t next_free; // No cluster before it is free.
    int written;
};

static int flush(const struct room *room, int result)
{
    return result == 0 ? room->fat.disk->flush(room->fat.disk->self) : result;
}

// The place behind the last name.
static uint32_t find_end(const struct room *room)
{
    const uint32_t count = room->directory->count * WEFT_FAT_PER_SECTOR;
    uint32_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t first = weft_fat_directory_entry(room->directory, i)[0];
        if (first == 0) break;
        if (first != WEFT_FAT_ENTRY_DELETED) end = i + 1;
    }
    return end;
}

// What was used once behind `end`, and is an end again: whichever of these sectors is written,
// there is no name behind it.
static int clear(struct room *room, uint32_t end)
{
    static const uint8_t zeros[WEFT_GPT_SECTOR];
    const struct weft_gpt_disk *disk = room->fat.disk;
    int result = 0;
    for (uint32_t i = room->directory->count; i-- > end / WEFT_FAT_PER_SECTOR && result == 0;) {
        uint8_t *sector = room->directory->bytes + (size_t)i * WEFT_GPT_SECTOR;
        const size_t kept = i == end / WEFT_FAT_PER_SECTOR
                                ? (size_t)(end % WEFT_FAT_PER_SECTOR) * WEFT_FAT_ENTRY_BYTES
                                : 0;
        if (memcmp(sector + kept, zeros, WEFT_GPT_SECTOR - kept) == 0) continue;
        memset(sector + kept, 0, WEFT_GPT_SECTOR - kept);
        result = disk->write(disk->self, room->directory->sectors[i], sector, 1);
        room->written++;
    }
    return flush(room, result);
}

static int find_free(struct room *room, uint32_t *found)
{
    const struct weft_gpt_disk *disk = room->fat.disk;
    const uint32_t bytes = room->fat.is_wide ? 4 : 2;
    uint8_t sector[WEFT_GPT_SECTOR];
    bool is_read = false; // The sector of next_free.
    for (; weft_fat_volume_has(&room->fat, room->next_free); room->next_free++) {
        const uint32_t at = room->next_free * bytes;
        if (!is_read || at % WEFT_GPT_SECTOR == 0) {
            const uint32_t lba = room->fat.table_sector + at / WEFT_GPT_SECTOR;
            const int result = disk->read(disk->self, lba, sector, 1);
            if (result != 0) return result;
            is_read = true;
        }
        const uint8_t *entry = sector + at % WEFT_GPT_SECTOR;
        const uint32_t next = bytes == 4 ? weft_le32_get(entry) & 0x0fffffff : weft_le16_get(entry);
        if (next != 0) continue;
        *found = room->next_free++;
        return 0;
    }
    return -ENOSPC;
}

static int fill_with_zeros(struct room *room, uint32_t cluster)
{
    static const uint8_t zeros[WEFT_GPT_SECTOR];
    const struct weft_gpt_disk *disk = room->fat.disk;
    const uint32_t first = weft_fat_volume_sector(&room->fat, cluster);
    int result = 0;
    for (uint32_t i = 0; i < room->fat.cluster_sectors && result == 0; i++) {
        result = disk->write(disk->self, first + i, zeros, 1);
        room->written++;
    }
    return flush(room, result);
}

// By one cluster.
static int grow(struct room *room)
{
    struct weft_fat_directory *directory = room->directory;
    const uint32_t last = directory->sectors[directory->count - 1];
    if (last < room->fat.data_sector) return -ENOSPC; // The root of a FAT16.
    if (room->fat.cluster_sectors > WEFT_FAT_DIRECTORY_SECTORS - directory->count) return -ENOSPC;
    const uint32_t from = (last - room->fat.data_sector) / room->fat.cluster_sectors + 2;
    uint32_t to = 0;
    int result = find_free(room, &to);
    if (result == 0) result = fill_with_zeros(room, to);
    if (result == 0) result = weft_fat_volume_set_next(&room->fat, to, WEFT_FAT_END);
    if (result == 0) result = weft_fat_volume_set_next(&room->fat, from, to);
    if (result != 0) return result;
    room->written += 2 * (int)room->fat.table_count;
    for (uint32_t i = 0; i < room->fat.cluster_sectors; i++) {
        directory->sectors[directory->count++] = weft_fat_volume_sector(&room->fat, to) + i;
    }
    return 0;
}

static int make(struct room *room, const char *path, uint32_t count)
{
    int result = weft_fat_volume_walk(&room->fat, path, room->directory);
    if (result != 0) return result;
    if (room->directory->count == 0) return -EINVAL;
    const uint32_t end = find_end(room);
    result = clear(room, end);
    // A cluster that is free in the table, and that a name leads to all the same, is not to be had.
    if (result == 0 && room->directory->count * WEFT_FAT_PER_SECTOR - end < count)
        result = weft_fat_lost_check(room->fat.disk);
    while (result == 0 && room->directory->count * WEFT_FAT_PER_SECTOR - end < count)
        result = grow(room);
    return result == 0 ? room->written : result;
}

int weft_fat_room_make(const struct weft_gpt_disk *disk, const char *directory, uint32_t count)
{
    struct room room = {.next_free = 2};
    int result = weft_fat_volume_open(&room.fat, disk);
    if (result != 0) return result;
    room.directory = malloc(sizeof(*room.directory));
    if (room.directory == NULL) return -ENOMEM;
    result = make(&room, directory, count);
    free(room.directory);
    return result;
}
