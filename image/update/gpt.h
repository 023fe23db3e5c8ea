// gpt.h: the partition table of a disk (UEFI 2.10, section 5.3): read and checked, and made to
// reach to the end of its disk. Sectors of 512 bytes.
//
// An image is flashed onto a disk that is larger: its backup table then stands in the middle, and
// the last partition ends there. Growing makes a table for the whole disk with the last partition
// up to its end.
//
// A power failure may come between any two writes, so each of them leaves a table that is whole:
//
//   1  the backup's entries and then its header go to the new end: nobody points there yet
//   2  the primary's entries go to the other of two places between header and first partition
//   3  the primary header, one sector, points to both: this is the moment
//
// The old places are never written to before. Without room for two sets of entries growing is
// refused (-ENOSPC): images of ours begin their first partition at 1 MiB.
//
// Memory: the caller's. The disk is two functions, so that a test can cut the power.
#ifndef WEFT_UPDATE_GPT_H
#define WEFT_UPDATE_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_GPT_SECTOR      512
#define WEFT_GPT_ENTRIES_MAX 128
#define WEFT_GPT_GUID_BYTES  16
#define WEFT_GPT_TEXT_BYTES  37 // Of a GUID as a text, with its zero byte.

struct weft_gpt_disk {
    // `count` sectors from `lba` on. 0 or a negative errno.
    int (*read)(void *self, uint64_t lba, void *bytes, uint32_t count);
    int (*write)(void *self, uint64_t lba, const void *bytes, uint32_t count);
    int (*flush)(void *self); // What was written before is on the disk when it returns.
    void *self;
    uint64_t sectors;
};

struct weft_gpt {
    uint8_t header[WEFT_GPT_SECTOR];
    uint8_t entries[WEFT_GPT_ENTRIES_MAX * 128];
    uint32_t entry_count;
    uint64_t entries_lba, backup_lba, first_usable, last_usable;
    bool from_backup; // The primary was no good.
};

struct weft_gpt_part {
    uint64_t first, last; // Sectors, both its own.
};

// Reads and checks the primary table, or where that is no good the backup at the end of the disk.
// Returns 0; -EINVAL if neither is whole, or two of its partitions overlap, or it is larger or
// newer than what is known here; or what reading failed with.
int weft_gpt_read(struct weft_gpt *gpt, const struct weft_gpt_disk *disk);

// Entry `number`, from 1 as people and kernels count. False if it is not in use, or lies outside.
bool weft_gpt_part(const struct weft_gpt *gpt, uint32_t number, struct weft_gpt_part *part);

// Makes the table reach to the disk's end, and partition `number` up to there; its end is rounded
// down to 1 MiB. With `chance`, which is two GUIDs, disk and boot partition get identities of their
// own where they have the image's: so two disks are told apart (disks.h). Returns 1 if it was
// written; 0 if there is nothing to gain; -EINVAL if another partition lies behind it; -ENOSPC; or
// what reading or writing failed with.
int weft_gpt_grow(const struct weft_gpt_disk *disk, uint32_t number,
                  const uint8_t chance[2 * WEFT_GPT_GUID_BYTES], struct weft_gpt_part *part);

// Bytes from the start of the disk, and how many.
static inline uint64_t weft_gpt_part_offset(const struct weft_gpt_part *part)
{
    return part->first * WEFT_GPT_SECTOR;
}
static inline uint64_t weft_gpt_part_bytes(const struct weft_gpt_part *part)
{
    return (part->last - part->first + 1) * WEFT_GPT_SECTOR;
}

// The number of the entry in use with this name, plain ASCII; 0: there is none, or more than one.
uint32_t weft_gpt_find(const struct weft_gpt *gpt, const char *name);

// The GUID of entry `number`, or for 0 that of the disk: as on the disk, its first three fields
// little-endian. `number` is in use.
const uint8_t *weft_gpt_guid(const struct weft_gpt *gpt, uint32_t number);
// Makes it one of chance (RFC 9562, version 4), in memory.
void weft_gpt_set_guid(struct weft_gpt *gpt, uint32_t number,
                       const uint8_t chance[WEFT_GPT_GUID_BYTES]);
// As firmware and kernel write it, in small letters.
void weft_gpt_guid_text(const uint8_t guid[WEFT_GPT_GUID_BYTES], char text[WEFT_GPT_TEXT_BYTES]);

// Puts the table `gpt`, read from another disk, onto one that has none, with partition `number`
// up to its end: the backup, then what old firmware looks at, and the primary header as the last
// sector. Until that is written the disk has no table. Returns 0, -ENOSPC if the disk is too small,
// -EINVAL if another partition lies behind `number`, or what writing failed with.
int weft_gpt_make(struct weft_gpt *gpt, const struct weft_gpt_disk *disk, uint32_t number);

// Takes both tables away: the disk is one without partitions. 0 or a negative errno.
int weft_gpt_erase(const struct weft_gpt_disk *disk);

// CRC-32 as in IEEE 802.3, which UEFI uses.
uint32_t weft_gpt_crc32(const void *bytes, size_t length);

#endif // WEFT_UPDATE_GPT_H
