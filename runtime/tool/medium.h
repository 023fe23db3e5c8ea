// medium.h: the device that an image is to be written to: what it is, and whether it may be.
//
// What a device is used for is read from sysfs and /proc: mounted, swapped to, below another device
// (a verified root, LVM, RAID), or opened exclusively by somebody (O_EXCL). A regular file is a
// medium too: the image of a disk, for emulators and tests.
#ifndef WEFT_TOOL_MEDIUM_H
#define WEFT_TOOL_MEDIUM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/error.h"

struct weft_medium {
    char path[PATH_MAX]; // As given.
    char name[64];       // "sdb": what is asked for.
    char model[112];     // May be empty.
    uint64_t bytes;
    uint32_t partition_count;
    bool is_device, is_removable;
};

// Looks at `path`. 0, or -1 with W0907: no disk (a partition, a terminal), in use and by what, read
// only.
int weft_medium_look(struct weft_medium *medium, const char *path, struct weft_error *error);

// Opens it for writing; of a device, for nobody else at the same time. The descriptor, or -1 with
// W0907.
int weft_medium_open(const struct weft_medium *medium, struct weft_error *error);

#endif // WEFT_TOOL_MEDIUM_H
