// uring_disk.h: struct weft_disk on a worker's ring: O_DIRECT where the file system takes it,
// RWF_DSYNC for each write by itself, up to 16 in flight.
//
// Not linked write -> fsync: the kernel hands that to worker threads, which then wait for a CPU
// that our workers keep busy. And no fsync at all: each write is durable when it ends, in any
// order.
#ifndef WEFT_DATAPLANE_URING_DISK_H
#define WEFT_DATAPLANE_URING_DISK_H

#include "dataplane/uring.h"
#include "runtime/env/disk.h"

struct weft_uring_disk;

// Opens the journal's directory `path`. 0 or a negative errno (-EBUSY: another process has it). Any
// thread, at start; from malloc. The ring comes later, by weft_uring_disk_attach: recovery needs
// none.
int weft_uring_disk_open(struct weft_uring_disk **disk, const char *path);
// On the ring's thread, before its first write. The ring outlives the disk.
void weft_uring_disk_attach(struct weft_uring_disk *disk, struct weft_uring *uring);
// On the ring's thread, if it is attached: waits for the writes in flight, frees.
void weft_uring_disk_close(struct weft_uring_disk *disk);

// The interface; valid until close. write, poll, flush: the ring's thread. The rest: any one other.
struct weft_disk weft_uring_disk_disk(struct weft_uring_disk *disk);

// False where the file system has refused O_DIRECT: the writes go through the page cache, as
// durable.
bool weft_uring_disk_is_direct(const struct weft_uring_disk *disk);

#endif // WEFT_DATAPLANE_URING_DISK_H
