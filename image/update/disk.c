#include "image/update/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/update/gpt_device.h"

// ---- Partitions.

int64_t weft_update_disk_bytes(int fd)
{
    struct stat status;
    uint64_t bytes = 0;

    if (fstat(fd, &status) != 0) return -errno;
    if (S_ISREG(status.st_mode)) return status.st_size;
    if (!S_ISBLK(status.st_mode)) return -ENOTBLK;
    return ioctl(fd, BLKGETSIZE64, &bytes) == 0 ? (int64_t)bytes : -errno;
}

int weft_update_disk_read(int fd, uint64_t offset, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t count =
            pread(fd, (uint8_t *)bytes + done, length - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? -errno : -ENODATA;
        done += (size_t)count;
    }
    return 0;
}

static int write_all(int fd, uint64_t offset, const uint8_t *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t count = pwrite(fd, bytes + done, length - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? -errno : -EIO;
        done += (size_t)count;
    }
    return 0;
}

void weft_update_disk_partition_path(const char *disk, uint32_t number, char *path, size_t size)
{
    const char last = disk[0] != '\0' ? disk[strlen(disk) - 1] : '\0';

    snprintf(path, size, "%s%s%u", disk, last >= '0' && last <= '9' ? "p" : "", number);
}

static uint64_t capacity(void *self, char slot, enum weft_update_part part)
{
    const struct weft_update_disk *disk = self;

    return disk->parts[slot - 'a'][part].bytes;
}

static int write_part(void *self, char slot, enum weft_update_part part, uint64_t offset,
                      const uint8_t *bytes, size_t length)
{
    const struct weft_update_disk *disk = self;
    const uint64_t room = disk->parts[slot - 'a'][part].bytes;

    if (offset > room || length > room - offset) return -ENOSPC;
    return write_all(disk->parts[slot - 'a'][part].fd,
                     disk->parts[slot - 'a'][part].offset + offset, bytes, length);
}

static int read_part(void *self, char slot, enum weft_update_part part, uint64_t offset,
                     uint8_t *bytes, size_t length)
{
    struct weft_update_disk *disk = self;

    return weft_update_disk_read(disk->parts[slot - 'a'][part].fd,
                                 disk->parts[slot - 'a'][part].offset + offset, bytes, length);
}

// What the kernel still has of it is dropped, so that reading asks the disk.
static int sync_part(void *self, char slot, enum weft_update_part part)
{
    const struct weft_update_disk *disk = self;
    const int fd = disk->parts[slot - 'a'][part].fd;

    if (fsync(fd) != 0) return -errno;
    return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

// ---- Files of the ESP.

static bool file_at(void *self, uint32_t index, char name[WEFT_UPDATE_NAME_BYTES])
{
    const struct weft_update_disk *disk = self;
    const int fd = openat(disk->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    bool found = false;

    if (directory == NULL) {
        if (fd >= 0) close(fd);
        return false;
    }
    for (struct dirent *entry; !found && (entry = readdir(directory)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || length >= WEFT_UPDATE_NAME_BYTES) continue;
        if (index-- > 0) continue;
        memcpy(name, entry->d_name, length + 1);
        found = true;
    }
    closedir(directory);
    return found;
}

static int read_file(int fd, size_t limit, uint8_t **bytes, size_t *length)
{
    struct stat status;

    if (fstat(fd, &status) != 0) return -errno;
    if (!S_ISREG(status.st_mode)) return -EISDIR;
    if ((uint64_t)status.st_size > limit) return -EFBIG;
    *length = (size_t)status.st_size;
    *bytes = malloc(*length + 1);
    if (*bytes == NULL) return -ENOMEM;
    const int result = weft_update_disk_read(fd, 0, *bytes, *length);
    if (result == 0) return 0;
    free(*bytes);
    *bytes = NULL;
    return result;
}

static int file_read(void *self, const char *name, size_t limit, uint8_t **bytes, size_t *length)
{
    const struct weft_update_disk *disk = self;
    const int fd = openat(disk->directory_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) return -errno;
    const int result = read_file(fd, limit, bytes, length);
    close(fd);
    return result;
}

static int file_write(void *self, const char *name, const uint8_t *bytes, size_t length)
{
    const struct weft_update_disk *disk = self;
    const int fd = openat(disk->directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) return -errno;
    int result = write_all(fd, 0, bytes, length);
    if (result == 0 && fsync(fd) != 0) result = -errno;
    if (result == 0) result = -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (close(fd) != 0 && result == 0) result = -errno;
    return result;
}

static int file_rename(void *self, const char *from, const char *to)
{
    const struct weft_update_disk *disk = self;

    return renameat(disk->directory_fd, from, disk->directory_fd, to) == 0 ? 0 : -errno;
}

static int file_remove(void *self, const char *name)
{
    const struct weft_update_disk *disk = self;

    return unlinkat(disk->directory_fd, name, 0) == 0 ? 0 : -errno;
}

static int files_sync(void *self)
{
    const struct weft_update_disk *disk = self;

    return syncfs(disk->directory_fd) == 0 ? 0 : -errno;
}

struct weft_update_medium weft_update_disk_medium(struct weft_update_disk *disk)
{
    return (struct weft_update_medium){.capacity = capacity,
                                       .write = write_part,
                                       .read = read_part,
                                       .sync = sync_part,
                                       .file_at = file_at,
                                       .file_read = file_read,
                                       .file_write = file_write,
                                       .file_rename = file_rename,
                                       .file_remove = file_remove,
                                       .files_sync = files_sync,
                                       .self = disk};
}

// ---- Opening.

// Opens the partition `found` of the disk at `path`: a device by itself, a file as a whole.
static int open_partition(const char *path, int whole_fd, const struct weft_gpt *gpt,
                          uint32_t number, struct weft_update_disk *disk, int slot, int part,
                          bool only_looks, struct weft_error *error)
{
    struct weft_gpt_part found;
    char node[PATH_MAX];
    struct stat status;
    const bool is_device = fstat(whole_fd, &status) == 0 && S_ISBLK(status.st_mode);

    weft_gpt_part(gpt, number, &found); // It has been found.
    if (is_device)
        weft_update_disk_partition_path(path, number, node, sizeof(node));
    else
        snprintf(node, sizeof(node), "%s", path);
    const int fd = open(node, (only_looks ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0) return weft_error_set(error, 906, "%s: %s", node, strerror(errno));
    disk->parts[slot][part].fd = fd;
    disk->parts[slot][part].bytes = weft_gpt_part_bytes(&found);
    disk->parts[slot][part].offset = is_device ? 0 : weft_gpt_part_offset(&found);
    // The kernel and the table must mean the same partition.
    if (is_device && weft_update_disk_bytes(fd) != (int64_t)weft_gpt_part_bytes(&found))
        return weft_error_set(error, 906, "%s is not as long as the partition table says", node);
    return 0;
}

static int open_slots(struct weft_update_disk *disk, const char *path, int whole_fd,
                      const struct weft_gpt *gpt, bool only_looks, struct weft_error *error)
{
    static const char *const names[2][2] = {{"root-a", "verity-a"}, {"root-b", "verity-b"}};

    for (int slot = 0; slot < 2; slot++) {
        for (int part = 0; part < 2; part++) {
            const uint32_t number = weft_gpt_find(gpt, names[slot][part]);
            if (number == 0)
                return weft_error_set(error, 906, "%s has not exactly one partition %s", path,
                                      names[slot][part]);
            if (open_partition(path, whole_fd, gpt, number, disk, slot, part, only_looks, error) !=
                0)
                return -1;
        }
    }
    return 0;
}

int weft_update_disk_table(int fd, const char *path, uint64_t bytes, struct weft_gpt *gpt,
                           struct weft_error *error)
{
    const struct weft_gpt_disk disk = weft_gpt_device(&fd, bytes);
    const int result = weft_gpt_read(gpt, &disk);

    if (result == -EINVAL)
        return weft_error_set(
            error, 906, "%s: neither its partition table nor the copy at its end is whole", path);
    if (result != 0)
        return weft_error_set(error, 906, "%s: its partition table: %s", path, strerror(-result));
    return 0;
}

static int read_table(const char *path, int *whole_fd, struct weft_gpt *gpt,
                      struct weft_error *error)
{
    *whole_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*whole_fd < 0) return weft_error_set(error, 906, "%s: %s", path, strerror(errno));
    const int64_t bytes = weft_update_disk_bytes(*whole_fd);
    if (bytes < 0) return weft_error_set(error, 906, "%s: %s", path, strerror((int)-bytes));
    return weft_update_disk_table(*whole_fd, path, (uint64_t)bytes, gpt, error);
}

int weft_update_disk_open(struct weft_update_disk *disk, const char *path, const char *esp,
                          bool only_looks, struct weft_error *error)
{
    struct weft_gpt *gpt = malloc(sizeof(*gpt));
    char directory[PATH_MAX];
    int whole_fd = -1, result = -1;

    memset(disk, 0, sizeof(*disk));
    for (int i = 0; i < 4; i++)
        disk->parts[i / 2][i % 2].fd = -1;
    disk->directory_fd = -1;
    if (gpt == NULL) return weft_error_set(error, 906, "no memory for a partition table");
    snprintf(directory, sizeof(directory), "%s/EFI/Linux", esp);
    if (read_table(path, &whole_fd, gpt, error) == 0 &&
        open_slots(disk, path, whole_fd, gpt, only_looks, error) == 0) {
        disk->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        result = disk->directory_fd >= 0
                     ? 0
                     : weft_error_set(error, 906, "%s: %s", directory, strerror(errno));
    }
    if (whole_fd >= 0) close(whole_fd);
    free(gpt);
    if (result != 0) weft_update_disk_close(disk);
    return result;
}

void weft_update_disk_close(struct weft_update_disk *disk)
{
    for (int i = 0; i < 4; i++) {
        if (disk->parts[i / 2][i % 2].fd >= 0) close(disk->parts[i / 2][i % 2].fd);
        disk->parts[i / 2][i % 2].fd = -1;
    }
    if (disk->directory_fd >= 0) close(disk->directory_fd);
    disk->directory_fd = -1;
}
