// disk.h: durable writes to one file of fixed-size blocks, as an interface.
//
// dataplane/uring_disk.c implements it on a worker's ring (O_DIRECT, RWF_DSYNC, several in flight),
// dataplane/disk_thread.c where io_uring is refused (WEFT_IO=epoll), tests/support/disk_sim.c with
// torn and lost writes.
#ifndef WEFT_ENV_DISK_H
#define WEFT_ENV_DISK_H

#include <stdint.h>

#define WEFT_DISK_BLOCK_BYTES 4096

struct weft_disk_done { // One write has ended.
    uint64_t cookie;    // As given to write.
    int32_t result; // 0: durable. Else a negative errno: the caller must stop trusting this file.
};

// Files are named by a small number, chosen by the caller: segment n of the journal.
struct weft_disk {
    // Starts writing `block_count` blocks at `block` of `file`. `blocks` is aligned to the block
    // size and must stay unchanged until it is reported done. 0; -ENOBUFS if too many are in
    // flight.
    int (*write)(void *self, uint32_t file, uint64_t block, const void *blocks,
                 uint32_t block_count, uint64_t cookie);
    // Up to `limit` writes that have ended, in any order. Returns how many.
    uint32_t (*poll)(void *self, struct weft_disk_done *done, uint32_t limit);
    // Hands what was started to the device: at most one system call. May be NULL.
    void (*flush)(void *self);

    // The rest blocks, and is used at start or by the control core's thread alone.
    // Reads blocks; what lies past the end reads as zeros. What a read from block 0 on finds in the
    // file is durable: a process that was killed may have left writes in a cache. 0 or a negative
    // errno.
    int (*read)(void *self, uint32_t file, uint64_t block, void *blocks, uint32_t block_count);
    // Makes `file` exist with room for `block_count` zeroed blocks, durably. 0 or a negative errno.
    int (*create)(void *self, uint32_t file, uint64_t block_count);
    // Removes `file`, durably. 0 or a negative errno; a missing file is no error.
    int (*remove)(void *self, uint32_t file);
    // The numbers of the files that exist, ascending, at most `limit`. Count, or a negative errno.
    int (*list)(void *self, uint32_t *files, uint32_t limit);
    void *self;
};

#endif // WEFT_ENV_DISK_H
