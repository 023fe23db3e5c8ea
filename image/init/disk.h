// disk.h: the disk that this node was started from, and its partitions by their names.
//
// Only the disk that carries the running root is looked at: a second disk with a copy of the image
// bears the same names and numbers, and has to stay untouched. Where the root is no disk (an
// initramfs), the first disk with a partition WEFT-CONF or `data` is taken.
#ifndef WEFT_IMAGE_DISK_H
#define WEFT_IMAGE_DISK_H

#include <stdbool.h>
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

#endif // WEFT_IMAGE_DISK_H
