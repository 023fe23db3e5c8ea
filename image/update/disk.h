// disk.h: a disk, or the image of one in a file, as the medium of an update (medium.h).
//
// The slots are found by the names of their partitions (root-a, verity-a, root-b, verity-b) in this
// disk's own table, never among all disks: with two Weft disks in a machine the right one is the
// one that was opened. Of a device each partition is opened by itself, so that the kernel keeps
// every write inside it.
#ifndef WEFT_UPDATE_DISK_H
#define WEFT_UPDATE_DISK_H

#include <stdbool.h>

#include "image/update/gpt.h"
#include "image/update/medium.h"

struct weft_update_disk {
    struct {
        int fd;
        uint64_t offset, bytes;
    } parts[2][2];    // By slot, then WEFT_UPDATE_ROOT or WEFT_UPDATE_VERITY.
    int directory_fd; // EFI/Linux of its ESP.
};

// Opens the disk at `path` and the directory `esp`/EFI/Linux. Who `only_looks` can do so on a disk
// that is write-protected, and cannot write. 0, or -1 with W0906.
int weft_update_disk_open(struct weft_update_disk *disk, const char *path, const char *esp,
                          bool only_looks, struct weft_error *error);
void weft_update_disk_close(struct weft_update_disk *disk);
struct weft_update_medium weft_update_disk_medium(struct weft_update_disk *disk);

// Bytes of the open device or file. Negative errno.
int64_t weft_update_disk_bytes(int fd);
// Reads the whole length at an offset. 0 or a negative errno.
int weft_update_disk_read(int fd, uint64_t offset, void *bytes, size_t length);
// Reads the table of the disk `fd`, called `path`, of `bytes`. 0, or -1 with W0906.
int weft_update_disk_table(int fd, const char *path, uint64_t bytes, struct weft_gpt *gpt,
                           struct weft_error *error);
// "/dev/sda", 2 to "/dev/sda2"; "/dev/nvme0n1", 2 to "/dev/nvme0n1p2".
void weft_update_disk_partition_path(const char *disk, uint32_t number, char *path, size_t size);

#endif // WEFT_UPDATE_DISK_H
