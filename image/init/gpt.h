// gpt.h: a partition table that reaches to the end of its disk (UEFI 2.10, section 5.3).
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
#ifndef WEFT_IMAGE_GPT_H
#define WEFT_IMAGE_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_GPT_SECTOR      512
#define WEFT_GPT_ENTRIES_MAX 128

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
// Returns 0; -EINVAL if neither is whole, or it is larger or newer than what is known here; or what
// reading failed with.
int weft_gpt_read(struct weft_gpt *gpt, const struct weft_gpt_disk *disk);

// Entry `number`, from 1 as people and kernels count. False if it is not in use, or lies outside.
bool weft_gpt_part(const struct weft_gpt *gpt, uint32_t number, struct weft_gpt_part *part);

// Makes the table reach to the disk's end, and partition `number` up to there; its end is rounded
// down to 1 MiB. Returns 1 if it was written; 0 if there is nothing to gain; -EINVAL if another
// partition lies behind it; -ENOSPC; or what reading or writing failed with.
int weft_gpt_grow(const struct weft_gpt_disk *disk, uint32_t number, struct weft_gpt_part *part);

// CRC-32 as in IEEE 802.3, which UEFI uses.
uint32_t weft_gpt_crc32(const void *bytes, size_t length);

#endif // WEFT_IMAGE_GPT_H
