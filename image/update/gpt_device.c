#include "image/update/gpt_device.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int move_sectors(int fd, uint64_t lba, void *bytes, uint32_t count, bool write)
{
    const size_t length = (size_t)count * WEFT_GPT_SECTOR;
    const off_t at = (off_t)(lba * WEFT_GPT_SECTOR);
    const ssize_t moved = write ? pwrite(fd, bytes, length, at) : pread(fd, bytes, length, at);
    return moved == (ssize_t)length ? 0 : moved < 0 ? -errno : -EIO;
}

static int read_sectors(void *self, uint64_t lba, void *bytes, uint32_t count)
{
    return move_sectors(*(const int *)self, lba, bytes, count, false);
}

static int write_sectors(void *self, uint64_t lba, const void *bytes, uint32_t count)
{
    return move_sectors(*(const int *)self, lba, (void *)bytes, count, true);
}

static int flush(void *self)
{
    return fsync(*(const int *)self) == 0 ? 0 : -errno;
}

struct weft_gpt_disk weft_gpt_device(const int *fd, uint64_t bytes)
{
    return (struct weft_gpt_disk){.read = read_sectors,
                                  .write = write_sectors,
                                  .flush = flush,
                                  .self = (void *)fd,
                                  .sectors = bytes / WEFT_GPT_SECTOR};
}

int weft_gpt_device_check(int fd)
{
    int sector_bytes = 0;
    if (ioctl(fd, BLKSSZGET, &sector_bytes) != 0) return -errno;
    return sector_bytes == WEFT_GPT_SECTOR ? 0 : -EOPNOTSUPP;
}
