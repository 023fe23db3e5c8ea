// gpt.h: the partition table of a disk (UEFI 2.10, §5.3), read and checked: which partition is
// where. Sectors of 512 bytes.
//
// Pure but for `read`. The table at the start of the disk is used if its checksums hold, else the
// copy at its end; every number in it is checked against the disk before it is believed.
#ifndef WEFT_UPDATE_GPT_H
#define WEFT_UPDATE_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

#define WEFT_UPDATE_GPT_PARTITIONS_MAX 128
#define WEFT_UPDATE_GPT_SECTOR_BYTES   512
#define WEFT_UPDATE_GPT_GUID_BYTES     16

struct weft_update_gpt_partition {
    uint32_t number; // From 1, as in /dev/sda1.
    uint8_t type[WEFT_UPDATE_GPT_GUID_BYTES];
    uint8_t
        guid[WEFT_UPDATE_GPT_GUID_BYTES]; // As on the disk: the first three fields little-endian.
    uint64_t offset;                      // Bytes from the start of the disk.
    uint64_t bytes;
    char name[37]; // ASCII; other characters as '?'.
};

struct weft_update_gpt {
    uint32_t count; // Of those in use.
    bool from_copy; // The table at the start did not hold.
    struct weft_update_gpt_partition partitions[WEFT_UPDATE_GPT_PARTITIONS_MAX];
};

// Reads `length` bytes at `offset` of the disk. 0 or a negative errno.
typedef int weft_update_gpt_read(void *self, uint64_t offset, void *bytes, size_t length);

// Reads the table of a disk of `disk_bytes`. 0, or -1 with W0906 in `error`: no table, both
// damaged, a partition that overlaps another or leaves the disk.
int weft_update_gpt_open(weft_update_gpt_read *read, void *self, uint64_t disk_bytes,
                         struct weft_update_gpt *gpt, struct weft_error *error);

// The partition with that name, or NULL; also if two have it.
const struct weft_update_gpt_partition *weft_update_gpt_find(const struct weft_update_gpt *gpt,
                                                             const char *name);

// CRC-32 as in IEEE 802.3, which the table uses.
uint32_t weft_update_gpt_crc32(const uint8_t *bytes, size_t length);

#endif // WEFT_UPDATE_GPT_H
