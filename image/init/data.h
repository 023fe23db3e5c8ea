// data.h: the data partition: as large as the disk lets it be, with a file system that was
// finished.
//
//   blank ----mkfs----> "weft-new" ----directories, sync, new label----> "data"
//     ^                    |
//     +--- started over ---+   after a power failure
//
// A file system that bears the label weft-new has never been used: nothing is lost when it is made
// again. A factory reset begins at blank. What is neither blank nor ours to make again is never
// written over: a file system that does not mount stays for somebody to look at.
#ifndef WEFT_IMAGE_DATA_H
#define WEFT_IMAGE_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "image/init/disk.h"
#include "image/init/say.h"

enum weft_data_state {
    WEFT_DATA_BLANK,      // Nothing there: zeros where the superblock begins.
    WEFT_DATA_UNFINISHED, // Ours, label weft-new.
    WEFT_DATA_MADE,
    WEFT_DATA_STRANGE, // Something, and no ext4: a damaged one, or somebody else's.
};

// From the first 2 KiB of a partition.
enum weft_data_state weft_data_state_of(const uint8_t head[2048]);
uint64_t weft_data_blocks_of(const uint8_t head[2048]); // How large the file system says it is.

// Lets the partition reach to the disk's end, in the table and in the kernel. Returns 1 if it has
// grown, 0 if it could not grow, or a negative errno.
int weft_data_grow_partition(const struct weft_disk *disk);

// Makes what is not made yet (always, when `reset`), mounts it at /data, lets the file system fill
// its partition, and makes the directories. Returns 0 or a negative errno, said to `say`.
int weft_data_open(const struct weft_disk *disk, bool reset, struct weft_say *say);

// Is the file system at `path` as good as full: less than 2 MiB and less than a hundredth left for
// root? `free_bytes` is what is left. False also when it cannot be told.
bool weft_data_is_full(const char *path, uint64_t *free_bytes);

#endif // WEFT_IMAGE_DATA_H
