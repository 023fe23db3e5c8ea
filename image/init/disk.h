// disk.h: a disk, its partitions by their names, and the one that carries the running root.
//
// Where the root is no disk (an initramfs), the first disk with a partition WEFT-CONF or `data` is
// taken. Which of several disks with the image this node was started from is disks.h's question.
#ifndef WEFT_IMAGE_DISK_H
#define WEFT_IMAGE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_disk_part {
    char device[64]; // "/dev/vda7"; "" if there is none of this name.
    uint32_t number; // 7
};

struct weft_disk {
    char name[32];   // "vda"; "" if there is none.
    char device[64]; // "/dev/vda"
    char serial[80]; // "" if it has none.
    uint64_t bytes;
    struct weft_disk_part esp, conf, data;
};

// Fills `disk` from /sys. Returns 0, or -ENODEV if no disk of ours is there.
int weft_disk_find(struct weft_disk *disk);

// The same from another place than /sys, for tests. `root` is the device number that the root lies
// on, as major:minor.
int weft_disk_find_in(struct weft_disk *disk, const char *sys, const char *root);

// The name of the disk below the device that is `root`, as above. False if that is no disk.
bool weft_disk_of_root(const char *sys, const char *root, char *name, size_t size);

// Fills `disk` with what /sys says of the disk `name`. True if it has one of our partitions.
bool weft_disk_describe(struct weft_disk *disk, const char *sys, const char *name);

// The device number of the root of this machine, as major:minor; "" if it cannot be told.
void weft_disk_root(char root[32]);

#endif // WEFT_IMAGE_DISK_H
