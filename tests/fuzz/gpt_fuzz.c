// Any bytes as the beginning and the end of a disk: refused, or a table that has grown within the
// disk and is read again as it was written.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/gpt.h"
#include "runtime/base/endian.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTORS    16384
#define HEAD_BYTES (40 * WEFT_GPT_SECTOR)

static int disk_read(void *self, uint64_t lba, void *bytes, uint32_t count)
{
    if (lba >= SECTORS || count > SECTORS - lba) return -EIO;
    memcpy(bytes, (uint8_t *)self + lba * WEFT_GPT_SECTOR, (size_t)count * WEFT_GPT_SECTOR);
    return 0;
}

static int disk_write(void *self, uint64_t lba, const void *bytes, uint32_t count)
{
    if (lba == 0 || lba >= SECTORS || count > SECTORS - lba) abort();
    memcpy((uint8_t *)self + lba * WEFT_GPT_SECTOR, bytes, (size_t)count * WEFT_GPT_SECTOR);
    return 0;
}

static int disk_flush(void *self)
{
    (void)self;
    return 0;
}

// Checksums that are right, or nothing behind them would ever be reached.
static void sign(uint8_t *disk)
{
    uint8_t *header = disk + WEFT_GPT_SECTOR;
    uint32_t count = weft_le32_get(header + 80);
    if (count > WEFT_GPT_ENTRIES_MAX) count = WEFT_GPT_ENTRIES_MAX;
    weft_le32_put(header + 88, weft_gpt_crc32(disk + 2 * WEFT_GPT_SECTOR, (size_t)count * 128));
    memset(header + 16, 0, 4);
    weft_le32_put(header + 16, weft_gpt_crc32(header, 92));
}

// What is believed lies on the disk, and apart.
static void check_parts(const struct weft_gpt *gpt)
{
    struct weft_gpt_part one, other;
    for (uint32_t i = 1; i <= gpt->entry_count; i++) {
        if (!weft_gpt_part(gpt, i, &one)) continue;
        if (one.first > one.last || one.last >= SECTORS) abort();
        for (uint32_t n = i + 1; n <= gpt->entry_count; n++) {
            if (!weft_gpt_part(gpt, n, &other)) continue;
            if (one.first <= other.last && other.first <= one.last) abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[SECTORS * WEFT_GPT_SECTOR]; // Zero between two inputs.
    const struct weft_gpt_disk disk = {disk_read, disk_write, disk_flush, bytes, SECTORS};
    memcpy(bytes + WEFT_GPT_SECTOR, data, size < HEAD_BYTES ? size : HEAD_BYTES);
    struct weft_gpt gpt;
    struct weft_gpt_part part, again;
    weft_gpt_read(&gpt, &disk);
    sign(bytes);
    if (weft_gpt_read(&gpt, &disk) == 0) check_parts(&gpt);
    const int grown = weft_gpt_grow(&disk, 7, NULL, &part);
    if (grown == 1) {
        if (part.last >= SECTORS || part.first > part.last) abort();
        if (weft_gpt_read(&gpt, &disk) != 0 || gpt.from_backup) abort();
        if (!weft_gpt_part(&gpt, 7, &again) || again.last != part.last) abort();
        if (weft_gpt_grow(&disk, 7, NULL, &part) != 0) abort(); // Once is enough.
    }
    // Only the head was written to, unless it has grown or failed half way.
    memset(bytes, 0, grown == 0 || grown == -EINVAL ? HEAD_BYTES + WEFT_GPT_SECTOR : sizeof(bytes));
    return 0;
}
