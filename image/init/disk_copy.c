#include "image/init/disk_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "image/update/gpt_device.h"
#include "runtime/base/units.h"

#define CHUNK_BYTES    ((size_t)WEFT_MIB)
#define DATA_BYTES_MIN (64 * WEFT_MIB) // As in the image.
#define PLACES         256

// In the first sector, until the table's protective record takes its place.
static const char cut_short[512] = "Weft: an installation onto this disk was cut short\n";

struct copier {
    const struct weft_disk_copy *copy;
    struct weft_gpt gpt;
    struct weft_gpt_part parts[WEFT_DISK_COPY_PARTS];
    struct weft_gpt_part data;
    uint32_t data_number;
    uint64_t bytes_all, bytes_done;
    unsigned percent;
    uint8_t *chunk, *other;
};

static int read_at(int fd, void *bytes, size_t length, uint64_t at)
{
    const ssize_t got = pread(fd, bytes, length, (off_t)at);
    return got == (ssize_t)length ? 0 : got < 0 ? -errno : -EIO;
}

static int write_at(int fd, const void *bytes, size_t length, uint64_t at)
{
    const ssize_t put = pwrite(fd, bytes, length, (off_t)at);
    return put == (ssize_t)length ? 0 : put < 0 ? -errno : -EIO;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

// ---- Is it empty?

int weft_disk_copy_is_empty(int fd, uint64_t bytes)
{
    const uint64_t edge = bytes < CHUNK_BYTES ? bytes : CHUNK_BYTES;
    uint8_t *chunk = malloc(CHUNK_BYTES);
    if (chunk == NULL) return -ENOMEM;
    int result = read_at(fd, chunk, (size_t)edge, 0);
    if (result == 0 && edge > sizeof(cut_short) &&
        memcmp(chunk, cut_short, sizeof(cut_short)) == 0) {
        free(chunk);
        return 1;
    }
    bool is_empty = result == 0 && is_zero(chunk, (size_t)edge);
    if (is_empty) result = read_at(fd, chunk, (size_t)edge, bytes - edge);
    if (result == 0 && is_empty) is_empty = is_zero(chunk, (size_t)edge);
    for (uint64_t i = 1; i < PLACES && result == 0 && is_empty && bytes > 2 * CHUNK_BYTES; i++) {
        result = read_at(fd, chunk, 4096, bytes / PLACES * i / 4096 * 4096);
        is_empty = result == 0 && is_zero(chunk, 4096);
    }
    free(chunk);
    return result != 0 ? result : is_empty;
}

// ---- The way there.

static int find_parts(struct copier *copier, char why[160])
{
    const struct weft_disk_copy *copy = copier->copy;
    const struct weft_gpt_disk sectors = weft_gpt_device(&copy->from, copy->from_bytes);
    const char *const names[WEFT_DISK_COPY_PARTS] = {"esp", copy->slot == 'b' ? "root-b" : "root-a",
                                                     copy->slot == 'b' ? "verity-b" : "verity-a",
                                                     "WEFT-CONF"};
    const int result = weft_gpt_read(&copier->gpt, &sectors);
    copier->data_number = result == 0 ? weft_gpt_find(&copier->gpt, "data") : 0;
    for (size_t i = 0; result == 0 && i < WEFT_DISK_COPY_PARTS; i++) {
        const uint32_t number = weft_gpt_find(&copier->gpt, names[i]);
        if (number == 0 || !weft_gpt_part(&copier->gpt, number, &copier->parts[i])) {
            snprintf(why, 160, "the disk to copy from has no partition %s", names[i]);
            return -EINVAL;
        }
        copier->bytes_all +=
            2 * (copier->parts[i].last - copier->parts[i].first + 1) * WEFT_GPT_SECTOR;
    }
    if (result != 0 || !weft_gpt_part(&copier->gpt, copier->data_number, &copier->data)) {
        snprintf(why, 160, "the disk to copy from has no table, or no partition data");
        return result != 0 ? result : -EINVAL;
    }
    const uint64_t needed = copier->data.first * WEFT_GPT_SECTOR + DATA_BYTES_MIN + 2 * WEFT_MIB;
    if (copy->to_bytes >= needed) return 0;
    snprintf(why, 160, "the disk is too small: %llu MB, and %llu MB are needed",
             (unsigned long long)(copy->to_bytes / 1000000),
             (unsigned long long)(needed / 1000000));
    return -ENOSPC;
}

// By the disk itself where it can, which is quick; else by hand.
static int zero(int fd, uint64_t length, uint8_t *chunk)
{
    const uint64_t range[2] = {0, length};
    if (ioctl(fd, BLKZEROOUT, range) == 0) return 0;
    memset(chunk, 0, CHUNK_BYTES);
    for (uint64_t at = 0; at < length; at += CHUNK_BYTES) {
        const int result = write_at(fd, chunk, CHUNK_BYTES, at);
        if (result != 0) return result;
    }
    return 0;
}

static void tell(struct copier *copier, const char *what, size_t length)
{
    const struct weft_disk_copy *copy = copier->copy;
    copier->bytes_done += length;
    const unsigned percent = (unsigned)(copier->bytes_done * 100 / copier->bytes_all);
    if (percent / 10 == copier->percent / 10 || copy->progress == NULL) return;
    copier->percent = percent;
    copy->progress(copy->self, what, percent / 10 * 10);
}

static int write_part(struct copier *copier, uint64_t at, size_t length)
{
    const struct weft_disk_copy *copy = copier->copy;
    const int result = read_at(copy->from, copier->chunk, length, at);
    if (result != 0 || is_zero(copier->chunk, length)) return result; // Zeros are there already.
    return write_at(copy->to, copier->chunk, length, at);
}

static int compare_part(struct copier *copier, uint64_t at, size_t length)
{
    const struct weft_disk_copy *copy = copier->copy;
    int result = read_at(copy->from, copier->chunk, length, at);
    if (result == 0) result = read_at(copy->to, copier->other, length, at);
    if (result != 0) return result;
    return memcmp(copier->chunk, copier->other, length) == 0 ? 0 : -EILSEQ;
}

static int each_chunk(struct copier *copier, const char *what,
                      int (*act)(struct copier *copier, uint64_t at, size_t length))
{
    int result = 0;
    for (size_t i = 0; i < WEFT_DISK_COPY_PARTS && result == 0; i++) {
        const struct weft_gpt_part *part = &copier->parts[i];
        const uint64_t end = (part->last + 1) * WEFT_GPT_SECTOR;
        for (uint64_t at = part->first * WEFT_GPT_SECTOR; at < end && result == 0;) {
            const size_t length = end - at < CHUNK_BYTES ? (size_t)(end - at) : CHUNK_BYTES;
            result = act(copier, at, length);
            at += length;
            tell(copier, what, length);
        }
    }
    return result;
}

// Onto the disk, and out of this machine's memory: what is read next comes from the disk.
static int settle(int fd)
{
    if (fsync(fd) != 0) return -errno;
    ioctl(fd, BLKFLSBUF, 0); // Of a device; the other one of a file.
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

// Another disk, another drive: nobody takes the one for the other. The slots' own are what their
// kernels look for, and stay.
static int renew(struct weft_gpt *gpt)
{
    static const char *const names[] = {"esp", "WEFT-CONF", "data"};
    uint8_t chance[WEFT_COUNT_OF(names) + 1][WEFT_GPT_GUID_BYTES];
    if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance)) return -EIO;
    weft_gpt_set_guid(gpt, 0, chance[0]);
    for (size_t i = 0; i < WEFT_COUNT_OF(names); i++) {
        weft_gpt_set_guid(gpt, weft_gpt_find(gpt, names[i]), chance[i + 1]);
    }
    return 0;
}

static int write_table(struct copier *copier)
{
    const struct weft_disk_copy *copy = copier->copy;
    const struct weft_gpt_disk sectors = weft_gpt_device(&copy->to, copy->to_bytes);
    struct weft_gpt *again = (struct weft_gpt *)copier->other; // A chunk is large enough.
    _Static_assert(sizeof(*again) <= CHUNK_BYTES, "a table fits a chunk");
    int result = renew(&copier->gpt);
    if (result == 0) result = weft_gpt_make(&copier->gpt, &sectors, copier->data_number);
    if (result == 0) result = settle(copy->to);
    if (result == 0) result = weft_gpt_read(again, &sectors);
    if (result != 0) return result;
    const bool is_same = !again->from_backup &&
                         memcmp(again->entries, copier->gpt.entries, sizeof(again->entries)) == 0;
    return is_same ? 0 : -EILSEQ;
}

static int run(struct copier *copier, char why[160])
{
    const struct weft_disk_copy *copy = copier->copy;
    const struct weft_gpt_disk sectors = weft_gpt_device(&copy->to, copy->to_bytes);
    const char *step = "the old table cannot be taken away";
    int result = find_parts(copier, why);
    if (result != 0) return result;
    result = weft_gpt_erase(&sectors);
    if (result == 0) {
        step = "it cannot be written";
        result = zero(copy->to, copier->data.first * WEFT_GPT_SECTOR + WEFT_MIB, copier->chunk);
    }
    if (result == 0) result = write_at(copy->to, cut_short, sizeof(cut_short), 0);
    if (result == 0) result = settle(copy->to);
    if (result == 0) result = each_chunk(copier, "copied", write_part);
    if (result == 0) result = settle(copy->to);
    if (result == 0) {
        step = "it does not read as it was written";
        result = each_chunk(copier, "compared", compare_part);
    }
    if (result == 0) {
        step = "its drive cannot be made ready";
        result = copy->edit(copy->self, &copier->parts[0], &copier->parts[3]);
    }
    if (result == 0) {
        step = "its table cannot be written";
        result = write_table(copier);
    }
    if (result != 0) snprintf(why, 160, "%s: %s", step, strerror(-result));
    return result;
}

int weft_disk_copy_run(const struct weft_disk_copy *copy, char why[160])
{
    int result = -ENOMEM;
    struct copier *copier = calloc(1, sizeof(*copier));
    snprintf(why, 160, "no memory");
    if (copier == NULL) return result;
    copier->copy = copy;
    copier->chunk = malloc(CHUNK_BYTES);
    copier->other = aligned_alloc(4096, CHUNK_BYTES);
    if (copier->chunk != NULL && copier->other != NULL) result = run(copier, why);
    free(copier->chunk);
    free(copier->other);
    free(copier);
    return result;
}
