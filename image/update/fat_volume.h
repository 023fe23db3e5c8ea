// fat_volume.h: a FAT file system that nobody has mounted, read: its directories and what is in
// them.
//
// What is known: FAT16 and FAT32 with sectors of 512 bytes (Microsoft's FAT specification, 1.03);
// names are plain ASCII, and found whatever the case of their letters.
//
// Core: any thread that may block. Memory: the caller's. The file system is two functions (gpt.h);
// sector 0 is its own.
#ifndef WEFT_UPDATE_FAT_VOLUME_H
#define WEFT_UPDATE_FAT_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "image/update/fat_entry.h"
#include "image/update/fat_names.h"
#include "image/update/gpt.h"

#define WEFT_FAT_PER_SECTOR        (WEFT_GPT_SECTOR / WEFT_FAT_ENTRY_BYTES)
#define WEFT_FAT_DIRECTORY_SECTORS 1024       // 16384 entries.
#define WEFT_FAT_END               0x0fffffff // The last of a chain. A FAT16 has its lower half.
#define WEFT_FAT_DIRECTORY         0x10       // Of a file's attributes.

// FSInfo, a sector of FAT32: marks at its start and at a place, and behind that the number of free
// clusters.
#define WEFT_FAT_INFO_LEAD 0x41615252
#define WEFT_FAT_INFO_MARK 0x61417272
#define WEFT_FAT_INFO_AT   484
#define WEFT_FAT_INFO_FREE 488

struct weft_fat_volume {
    const struct weft_gpt_disk *disk;
    uint32_t cluster_sectors, cluster_count; // The first cluster is 2.
    uint32_t table_sector, table_sectors, table_count;
    uint32_t root_sector, root_sectors, data_sector;
    uint32_t root_cluster; // 0: the root has a place of its own.
    uint32_t info_sector;  // 0: there is none.
    bool is_wide;          // FAT32.
};

struct weft_fat_directory {
    bool is_wide; // FAT32: its entries have the upper half of a cluster's number.
    uint32_t sectors[WEFT_FAT_DIRECTORY_SECTORS];
    uint32_t count;
    uint8_t bytes[WEFT_FAT_DIRECTORY_SECTORS * WEFT_GPT_SECTOR];
};

struct weft_fat_file {
    uint32_t first, last; // Its entries: those of its long name, then the short one.
    uint32_t cluster, bytes;
    uint8_t attributes;
    char name[WEFT_FAT_NAME_BYTES];
};

// Reads where everything is. 0; -EOPNOTSUPP: no file system that is known here; or what reading
// failed with.
int weft_fat_volume_open(struct weft_fat_volume *fat, const struct weft_gpt_disk *disk);
bool weft_fat_volume_has(const struct weft_fat_volume *fat, uint32_t cluster);
uint32_t weft_fat_volume_sector(const struct weft_fat_volume *fat, uint32_t cluster);

// *cluster becomes the one behind it in its chain; no cluster (weft_fat_volume_has) at the end, and
// 0 if it is free. 0, or what reading failed with.
int weft_fat_volume_next(const struct weft_fat_volume *fat, uint32_t *cluster);
// Writes that into every table, the first one first, each flushed: WEFT_FAT_END, or the next one.
// The number of free clusters that FAT32 notes goes down by the one that was free before.
int weft_fat_volume_set_next(const struct weft_fat_volume *fat, uint32_t cluster, uint32_t next);

// The directory that begins in `cluster`; 0 is the root. 0; -EINVAL: it is longer than one may be
// here, or its clusters make a circle; or what reading failed with.
int weft_fat_volume_read(const struct weft_fat_volume *fat, uint32_t cluster,
                         struct weft_fat_directory *directory);
// The directory at `path` ("EFI/Linux"; "" is the root). The same, or -ENOENT.
int weft_fat_volume_walk(const struct weft_fat_volume *fat, const char *path,
                         struct weft_fat_directory *directory);

uint8_t *weft_fat_directory_entry(struct weft_fat_directory *directory, uint32_t index);
// The next file or directory at or behind *index, which moves on. False: there is none.
bool weft_fat_directory_next(struct weft_fat_directory *directory, uint32_t *index,
                             struct weft_fat_file *file);
bool weft_fat_directory_find(struct weft_fat_directory *directory, const char *name,
                             bool is_directory, struct weft_fat_file *file);

#endif // WEFT_UPDATE_FAT_VOLUME_H
