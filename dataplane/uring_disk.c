#include "dataplane/uring_disk.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/disk_files.h"
#include "runtime/base/assert.h"
#include "runtime/base/units.h"

enum { WRITES = 16 };

struct write {
    struct weft_uring_op op;
    struct weft_uring_disk *disk;
    bool used;
    uint32_t file;
    uint32_t bytes;
    uint64_t cookie;
};

struct weft_uring_disk {
    struct weft_disk_files files;
    struct weft_uring *uring;
    struct write writes[WRITES];
    uint32_t write_count;               // In the ring.
    struct weft_disk_done done[WRITES]; // Ended, not yet told.
    uint32_t done_count;
};

static void write_done(struct weft_uring_op *op, int32_t result, bool more)
{
    struct write *write = WEFT_CONTAINER_OF(op, struct write, op);
    struct weft_uring_disk *disk = write->disk;
    weft_assert(!more && write->used && disk->done_count < WRITES);
    // A short write to blocks that exist is a disk that cannot be trusted.
    if (result >= 0) result = (uint32_t)result == write->bytes ? 0 : -EIO;
    disk->done[disk->done_count++] = (struct weft_disk_done){write->cookie, result};
    weft_disk_files_put(&disk->files, write->file);
    write->used = false;
    disk->write_count--;
}

int weft_uring_disk_open(struct weft_uring_disk **to, const char *path)
{
    struct weft_uring_disk *disk = calloc(1, sizeof(*disk));
    if (!disk) return -ENOMEM;
    const int result = weft_disk_files_open(&disk->files, path);
    if (result < 0) {
        free(disk);
        return result;
    }
    for (uint32_t i = 0; i < WRITES; i++) {
        disk->writes[i].op.done = write_done;
        disk->writes[i].disk = disk;
    }
    *to = disk;
    return 0;
}

void weft_uring_disk_attach(struct weft_uring_disk *disk, struct weft_uring *uring)
{
    disk->uring = uring;
}

void weft_uring_disk_close(struct weft_uring_disk *disk)
{
    while (disk->write_count > 0) {
        (void)io_uring_submit_and_wait(&disk->uring->ring, 1);
        weft_uring_reap(disk->uring);
        disk->done_count = 0; // Nobody asks any more.
    }
    weft_disk_files_close(&disk->files);
    free(disk);
}

static int uring_write(void *self, uint32_t file, uint64_t block, const void *blocks,
                       uint32_t block_count, uint64_t cookie)
{
    struct weft_uring_disk *disk = self;
    weft_assert(disk->uring != NULL);
    if (disk->write_count + disk->done_count >= WRITES) return -ENOBUFS;
    struct io_uring_sqe *sqe = weft_uring_sqe(disk->uring);
    if (!sqe) return -ENOBUFS;
    struct write *write = disk->writes;
    while (write->used)
        write++;
    const int fd = weft_disk_files_get(&disk->files, file);
    write->bytes = block_count * WEFT_DISK_BLOCK_BYTES;
    io_uring_prep_write(sqe, fd, blocks, write->bytes, block * WEFT_DISK_BLOCK_BYTES);
    sqe->rw_flags = RWF_DSYNC;
    // An entry once taken goes out: without a descriptor as one that does nothing.
    if (fd < 0) io_uring_prep_nop(sqe);
    weft_uring_sqe_set(sqe, fd < 0 ? NULL : &write->op);
    if (fd < 0) return fd;
    write->used = true;
    write->file = file;
    write->cookie = cookie;
    disk->write_count++;
    return 0;
}

static uint32_t uring_poll(void *self, struct weft_disk_done *done, uint32_t limit)
{
    struct weft_uring_disk *disk = self;
    if (disk->write_count > 0) weft_uring_reap(disk->uring);
    uint32_t count = 0;
    while (disk->done_count > 0 && count < limit)
        done[count++] = disk->done[--disk->done_count];
    return count;
}

static void uring_flush(void *self)
{
    struct weft_uring_disk *disk = self;
    if (disk->uring) weft_uring_submit(disk->uring);
}

static int uring_read(void *self, uint32_t file, uint64_t block, void *blocks, uint32_t block_count)
{
    struct weft_uring_disk *disk = self;
    return weft_disk_files_read(&disk->files, file, block, blocks, block_count);
}

static int uring_create(void *self, uint32_t file, uint64_t block_count)
{
    struct weft_uring_disk *disk = self;
    return weft_disk_files_create(&disk->files, file, block_count);
}

static int uring_remove(void *self, uint32_t file)
{
    struct weft_uring_disk *disk = self;
    return weft_disk_files_remove(&disk->files, file);
}

static int uring_list(void *self, uint32_t *files, uint32_t limit)
{
    struct weft_uring_disk *disk = self;
    return weft_disk_files_list(&disk->files, files, limit);
}

struct weft_disk weft_uring_disk_disk(struct weft_uring_disk *disk)
{
    return (struct weft_disk){.write = uring_write,
                              .poll = uring_poll,
                              .flush = uring_flush,
                              .read = uring_read,
                              .create = uring_create,
                              .remove = uring_remove,
                              .list = uring_list,
                              .self = disk};
}

bool weft_uring_disk_is_direct(const struct weft_uring_disk *disk)
{
    return disk->files.is_direct;
}
