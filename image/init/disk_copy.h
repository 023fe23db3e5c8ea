// disk_copy.h: from the disk that runs to another one: its boot partition, the slot that runs, and
// its drive, read back and compared, and then a table with identities of its own.
//
//   1  the target's tables are taken away         from here on it is a disk without partitions
//   2  everything up to the data is zeros         the other slot is empty, the data is made anew
//   3  the partitions are copied, synced
//   4  and read from both disks again, compared
//   5  `edit`: what is not to be the same
//   6  the table; its last sector is the moment   from here on it starts
//
// A power failure before 6 leaves a disk that nothing starts from. Its first sector says what it
// is, so that it counts as empty the next time.
//
// Memory: two buffers by malloc. Core: the one thread of init; it takes as long as the disks do.
#ifndef WEFT_IMAGE_DISK_COPY_H
#define WEFT_IMAGE_DISK_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "image/update/gpt.h"

#define WEFT_DISK_COPY_PARTS 4 // esp, root, verity, WEFT-CONF.

struct weft_disk_copy {
    int from, to; // Open disks, or files.
    uint64_t from_bytes, to_bytes;
    char slot; // 'a' or 'b': the one that is copied.
    // After step 4, with the places of the boot partition and the drive. 0 or a negative errno.
    int (*edit)(void *self, const struct weft_gpt_part *esp, const struct weft_gpt_part *conf);
    void (*progress)(void *self, const char *what, unsigned percent); // May be NULL.
    void *self;
};

// Returns 0, or a negative errno with the reason in `why`: -ENOSPC if the target is too small, in
// which case it was not touched; -EILSEQ if it does not read as it was written.
int weft_disk_copy_run(const struct weft_disk_copy *copy, char why[160]);

// Is there anything on the disk? Its first and last mebibyte, where tables and file systems begin
// and end, and 4 KiB at each of 255 places between. Returns 1 if all of that is zeros, 0 if not, or
// a negative errno. A copy that was cut short is nothing.
int weft_disk_copy_is_empty(int fd, uint64_t bytes);

#endif // WEFT_IMAGE_DISK_COPY_H
