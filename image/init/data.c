#include "image/init/data.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "image/init/mounts.h"
#include "image/init/run.h"
#include "image/update/gpt_device.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"

#define LABEL_NEW "weft-new"
#define LABEL     "data"
// The kernel's own (fs/ext4/ext4.h); it is in no header for programs.
#define EXT4_RESIZE_FS _IOW('f', 16, uint64_t)
// Where an ext4 superblock has them: it begins at 1024 (Documentation/filesystems/ext4).
enum {
    AT_BLOCKS = 1024 + 0x04,
    AT_MAGIC = 1024 + 0x38,
    AT_LABEL = 1024 + 0x78,
    AT_BLOCKS_HIGH = 1024 + 0x150,
    MAGIC = 0xef53
};

enum weft_data_state weft_data_state_of(const uint8_t head[2048])
{
    static const uint8_t zeros[512];
    // Its first sector alone: of a superblock that was being made the second may be there before.
    if (memcmp(head + 1024, zeros, sizeof(zeros)) == 0) return WEFT_DATA_BLANK;
    if (head[AT_MAGIC] != (MAGIC & 0xff) || head[AT_MAGIC + 1] != MAGIC >> 8)
        return WEFT_DATA_STRANGE;
    return strncmp((const char *)head + AT_LABEL, LABEL_NEW, 16) == 0 ? WEFT_DATA_UNFINISHED
                                                                      : WEFT_DATA_MADE;
}

uint64_t weft_data_blocks_of(const uint8_t head[2048])
{
    return weft_le32_get(head + AT_BLOCKS) | (uint64_t)weft_le32_get(head + AT_BLOCKS_HIGH) << 32;
}

// ---- The table of partitions, on a device.

// The kernel keeps its own idea of where a partition ends, and takes a longer one while it is used.
static int tell_kernel(int fd, uint32_t number, const struct weft_gpt_part *part)
{
    struct blkpg_partition to = {.start = (long long)(part->first * WEFT_GPT_SECTOR),
                                 .length =
                                     (long long)((part->last - part->first + 1) * WEFT_GPT_SECTOR),
                                 .pno = (int)number};
    struct blkpg_ioctl_arg argument = {
        .op = BLKPG_RESIZE_PARTITION, .datalen = sizeof(to), .data = &to};
    return ioctl(fd, BLKPG, &argument) == 0 ? 0 : -errno;
}

int weft_data_grow_partition(const struct weft_disk *disk)
{
    struct weft_gpt_part part;
    uint8_t chance[2 * WEFT_GPT_GUID_BYTES];
    const int fd = open(disk->device, O_RDWR | O_CLOEXEC);
    if (fd < 0) return -errno;
    const struct weft_gpt_disk sectors = weft_gpt_device(&fd, disk->bytes);
    int result = weft_gpt_device_check(fd);
    if (result == 0 && getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
        result = -EIO;
    if (result == 0) result = weft_gpt_grow(&sectors, disk->data.number, chance, &part);
    if (result == 1) {
        const int told = tell_kernel(fd, disk->data.number, &part);
        if (told != 0) result = told;
    }
    close(fd);
    return result;
}

// ---- The file system.

static int read_head(const char *device, uint8_t head[2048])
{
    const int fd = open(device, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const ssize_t length = pread(fd, head, 2048, 0);
    const int failure = -errno;
    close(fd);
    if (length == 2048) return 0;
    return length < 0 ? failure : -EIO;
}

// What was there is not only forgotten but, where the disk can, given back.
static int wipe(const char *device)
{
    static const uint8_t zeros[64 * 1024];
    uint64_t range[2] = {0, 0};
    const int fd = open(device, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (ioctl(fd, BLKGETSIZE64, &range[1]) == 0) ioctl(fd, BLKDISCARD, range);
    int result = pwrite(fd, zeros, sizeof(zeros), 0) == (ssize_t)sizeof(zeros) ? 0 : -errno;
    if (result == 0 && fsync(fd) != 0) result = -errno;
    close(fd);
    return result;
}

static const char *mkfs(void)
{
    const bool is_merged = access("/usr/sbin/mkfs.ext4", X_OK) == 0; // /sbin is /usr/sbin, or not.
    return is_merged ? "/usr/sbin/mkfs.ext4" : "/sbin/mkfs.ext4";
}

static int make(const char *device, struct weft_say *say)
{
    const char *const arguments[] = {
        mkfs(), "-q", "-F", "-L", LABEL_NEW, "-m", "1", "-E", "lazy_itable_init=1,nodiscard",
        device, NULL};
    char said[256];
    weft_say_line(say, "%s: a new file system is made", device);
    const int result = weft_run(arguments, said, sizeof(said));
    if (result == 0) return 0;
    weft_say_error(say, "%s: mkfs.ext4 ended with %d: %s", device, result, said);
    return result > 0 ? -EIO : result;
}

static void make_directories(void)
{
    mkdir("/data/journal", 0700);
    mkdir("/data/update", 0700);
    mkdir("/data/log", 0700);
    mkdir("/data/state", 0700);
}

static int finish(void)
{
    char label[FSLABEL_MAX] = LABEL;
    const int fd = open("/data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = syncfs(fd) == 0 ? 0 : -errno;
    if (result == 0 && ioctl(fd, FS_IOC_SETFSLABEL, label) != 0) result = -errno;
    if (result == 0 && syncfs(fd) != 0) result = -errno;
    close(fd);
    return result;
}

// While it is mounted, in one transaction of its journal after the other. Of the same size:
// nothing.
static int fill_partition(const char *device)
{
    struct statfs status;
    uint64_t bytes = 0, blocks;
    const int part = open(device, O_RDONLY | O_CLOEXEC);
    if (part < 0) return -errno;
    const int sized = ioctl(part, BLKGETSIZE64, &bytes);
    close(part);
    const int fd = open("/data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = sized == 0 && fstatfs(fd, &status) == 0 && status.f_bsize > 0 ? 0 : -EIO;
    if (result == 0) {
        blocks = bytes / (uint64_t)status.f_bsize;
        if (ioctl(fd, EXT4_RESIZE_FS, &blocks) != 0 && errno != EINVAL) result = -errno;
    }
    close(fd);
    return result;
}

// If the power failed while the file system grew, its new size may stand in its journal alone. The
// kernel reads the size first and the journal then, and finds no room (EUCLEAN) behind the old end
// until it mounts once more.
static int mount_whole(const char *device, const uint8_t before[2048])
{
    uint8_t after[2048];
    const int result = weft_mounts_data(device);
    if (result != 0 || read_head(device, after) != 0 ||
        weft_data_blocks_of(before) == weft_data_blocks_of(after))
        return result;
    return umount2("/data", 0) == 0 ? weft_mounts_data(device) : -errno;
}

static int open_made(const struct weft_disk *disk, enum weft_data_state state, struct weft_say *say)
{
    const char *device = disk->data.device;
    uint8_t head[2048];
    int result = read_head(device, head);
    if (result == 0) result = mount_whole(device, head);
    if (result != 0) return result;
    make_directories();
    if (state != WEFT_DATA_MADE) result = finish();
    if (result != 0) return result;
    result = fill_partition(device);
    if (result != 0) // It is whole all the same, only smaller than it could be.
        weft_say_error(say, "%s does not grow: %s", device, strerror(-result));
    return 0;
}

int weft_data_open(const struct weft_disk *disk, bool reset, struct weft_say *say)
{
    const char *device = disk->data.device;
    enum weft_data_state state = WEFT_DATA_BLANK;
    uint8_t head[2048];
    int result = read_head(device, head);
    if (result == 0) state = weft_data_state_of(head);
    if (result == 0 && reset) {
        result = wipe(device);
        state = WEFT_DATA_BLANK;
    }
    if (result == 0 && state == WEFT_DATA_STRANGE) {
        weft_say_error(say,
                       "the data partition %s is neither empty nor a file system: it is left "
                       "alone. A file RESET on the drive WEFT-CONF empties it",
                       device);
        return -EUCLEAN;
    }
    if (result == 0 && state != WEFT_DATA_MADE) result = make(device, say);
    if (result == 0) result = open_made(disk, state, say);
    if (result != 0) weft_say_error(say, "the data partition %s: %s", device, strerror(-result));
    return result;
}

bool weft_data_is_full(const char *path, uint64_t *free_bytes)
{
    struct statfs status;
    *free_bytes = 0;
    if (statfs(path, &status) != 0 || status.f_bsize <= 0) return false;
    // What is kept for root is ours as well.
    *free_bytes = (uint64_t)status.f_bfree * (uint64_t)status.f_bsize;
    return *free_bytes < 2 * WEFT_MIB && status.f_bfree < status.f_blocks / 100;
}
