// Disks that want to be read: any bytes are a partition table whose partitions lie on the disk and
// apart from each other, or one error. The checksums are made right first, or nothing behind them
// would ever be reached.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/gpt.h"
#include "runtime/base/assert.h"
#include "runtime/base/endian.h"

#define DISK_SECTORS 128

struct disk {
    uint8_t bytes[DISK_SECTORS * WEFT_UPDATE_GPT_SECTOR_BYTES];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_disk(void *self, uint64_t offset, void *bytes, size_t length)
{
    const struct disk *disk = self;

    weft_assert(offset <= sizeof(disk->bytes) && length <= sizeof(disk->bytes) - offset);
    memcpy(bytes, disk->bytes + offset, length);
    return 0;
}

static void mend(struct disk *disk, uint64_t sector)
{
    uint8_t *header = disk->bytes + sector * WEFT_UPDATE_GPT_SECTOR_BYTES;
    const uint64_t table = weft_le64_get(header + 72);
    const uint64_t bytes = (uint64_t)weft_le32_get(header + 80) * weft_le32_get(header + 84);

    if (table < DISK_SECTORS && bytes <= sizeof(disk->bytes) - table * WEFT_UPDATE_GPT_SECTOR_BYTES)
        weft_le32_put(header + 88,
                      weft_update_gpt_crc32(disk->bytes + table * WEFT_UPDATE_GPT_SECTOR_BYTES,
                                            (size_t)bytes));
    weft_le32_put(header + 16, 0);
    weft_le32_put(header + 16, weft_update_gpt_crc32(header, 92));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disk *disk = calloc(1, sizeof(*disk));
    struct weft_update_gpt *gpt = malloc(sizeof(*gpt));
    struct weft_error error = {0};

    weft_assert(disk != NULL && gpt != NULL);
    // The first byte says whether checksums are mended; the rest is the disk from sector 1 on.
    if (size > 1) {
        const size_t room = sizeof(disk->bytes) - WEFT_UPDATE_GPT_SECTOR_BYTES;
        memcpy(disk->bytes + WEFT_UPDATE_GPT_SECTOR_BYTES, data + 1,
               size - 1 < room ? size - 1 : room);
        if (data[0] & 1) mend(disk, 1);
        if (data[0] & 2) mend(disk, DISK_SECTORS - 1);
    }
    if (weft_update_gpt_open(read_disk, disk, sizeof(disk->bytes), gpt, &error) != 0) {
        weft_assert(error.code == 906 && gpt->count == 0);
    }
    for (uint32_t i = 0; i < gpt->count; i++) {
        const struct weft_update_gpt_partition *one = &gpt->partitions[i];
        weft_assert(one->bytes > 0 && one->offset + one->bytes <= sizeof(disk->bytes));
        for (uint32_t n = i + 1; n < gpt->count; n++) {
            const struct weft_update_gpt_partition *other = &gpt->partitions[n];
            weft_assert(one->offset + one->bytes <= other->offset ||
                        other->offset + other->bytes <= one->offset);
        }
    }
    free(gpt);
    free(disk);
    return 0;
}
