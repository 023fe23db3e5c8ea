// mounts.h: the file systems of a running node, and how they come and go.
#ifndef WEFT_IMAGE_MOUNTS_H
#define WEFT_IMAGE_MOUNTS_H

#include <stdbool.h>

#include <stdint.h>

#include "image/init/say.h"

// What the kernel offers: /proc, /sys and what hangs in them, /dev, /run, /tmp. One that is there
// already stays; one that the kernel lacks is left out, and said only when a node needs it.
void weft_mounts_kernel(struct weft_say *say);

// /data: ext4, read and write. Returns 0 or a negative errno.
int weft_mounts_data(const char *device);

// /conf: the FAT drive, read-only, its files the node's own alone (keys lie there).
// Returns 0 or a negative errno.
int weft_mounts_conf(const char *device);
// Lets it be written, or not any more. Returns 0 or a negative errno.
int weft_mounts_conf_writable(bool writable);

// Mends what a power failure has left of a rename in `directory` of the FAT file system on
// `device`, which is not mounted (image/update/fat_names.h). How many names went, or a negative
// errno. Where `room` is not 0 the directory has places for so many entries afterwards
// (fat_room.h), if the file system has.
int weft_mounts_mend(const char *device, const char *directory, uint32_t room);

// /esp: the boot loader's partition, written to: for as short as can be.
int weft_mounts_esp(const char *device);
int weft_mounts_esp_leave(void);

// Everything off, or read-only where something still holds it; then what was written is on the
// disk.
void weft_mounts_leave(struct weft_say *say);

#endif // WEFT_IMAGE_MOUNTS_H
