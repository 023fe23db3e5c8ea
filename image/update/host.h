// host.h: what a node that runs from an image finds out about itself: release, slot, and the disk
// that it was started from.
//
// The disk is the one below dm-0, the verified root: not one found by a label, which a second
// flashed disk in the machine bears too.
#ifndef WEFT_UPDATE_HOST_H
#define WEFT_UPDATE_HOST_H

#include <stdbool.h>

#include "image/update/writer.h"

struct weft_update_host {
    struct weft_update_node node;
    char disk[64]; // "/dev/vda".
};

// Reads etc/weft/release, proc/cmdline and sys/block below `root` ("" for this machine; tests have
// a directory). 0, or -1: W0901 if this is no image, W0906 if its disk cannot be told, W0905 if
// the first process says that another disk was started (run/weft/boot.json).
int weft_update_host_find(const char *root, struct weft_update_host *host,
                          struct weft_error *error);

// Mounts the ESP of `disk` at `where`, for this process alone, and takes it off again. For who
// `only_looks` also where it cannot be written; for the others after what power failures have left
// lost there has been given back (fat_lost.h). 0, or -1 with W0906.
int weft_update_esp_mount(const char *disk, const char *where, bool only_looks,
                          struct weft_error *error);
void weft_update_esp_unmount(const char *where);

#endif // WEFT_UPDATE_HOST_H
