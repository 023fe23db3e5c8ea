// medium.h: what an update is written to, as an interface: two partitions of a slot and the
// directory EFI/Linux of the ESP. disk.c is a disk; the tests cut its power.
//
// Each answers 0 or a negative errno unless it says otherwise.
#ifndef WEFT_UPDATE_MEDIUM_H
#define WEFT_UPDATE_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/update/manifest.h"
#include "image/update/slot.h"

struct weft_update_medium {
    // Bytes that the slot has for a part: WEFT_UPDATE_ROOT or WEFT_UPDATE_VERITY.
    uint64_t (*capacity)(void *self, char slot, enum weft_update_part part);
    int (*write)(void *self, char slot, enum weft_update_part part, uint64_t offset,
                 const uint8_t *bytes, size_t length);
    int (*read)(void *self, char slot, enum weft_update_part part, uint64_t offset, uint8_t *bytes,
                size_t length);
    // What was written is on the disk, and what is read next comes from there.
    int (*sync)(void *self, char slot, enum weft_update_part part);

    // The name of file number `index` of EFI/Linux; false past the last. Names that are too long
    // for us are left out.
    bool (*file_at)(void *self, uint32_t index, char name[WEFT_UPDATE_NAME_BYTES]);
    // The whole file into memory of its own, which the caller frees. At most `limit` bytes.
    int (*file_read)(void *self, const char *name, size_t limit, uint8_t **bytes, size_t *length);
    // Makes or replaces a file; its bytes are on the disk when this returns.
    int (*file_write)(void *self, const char *name, const uint8_t *bytes, size_t length);
    // These two are on the disk only after files_sync.
    int (*file_rename)(void *self, const char *from, const char *to);
    int (*file_remove)(void *self, const char *name);
    int (*files_sync)(void *self);
    void *self;
};

#endif // WEFT_UPDATE_MEDIUM_H
