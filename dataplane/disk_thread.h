// disk_thread.h: struct weft_disk by a thread that waits for the disk, where io_uring is refused.
//
// The worker hands over writes under a mutex and takes what has ended without waiting; the thread
// does one pwritev2(RWF_DSYNC) after the other. An eventfd rings at each end: watch it with the
// worker's sleeper.
#ifndef WEFT_DATAPLANE_DISK_THREAD_H
#define WEFT_DATAPLANE_DISK_THREAD_H

#include "runtime/env/disk.h"

struct weft_disk_thread;

// Opens the journal's directory `path` and starts the thread. 0 or a negative errno (-EBUSY:
// another process has the directory). From malloc: at start.
int weft_disk_thread_open(struct weft_disk_thread **disk, const char *path);
// Waits for the writes in flight, stops the thread, frees.
void weft_disk_thread_close(struct weft_disk_thread *disk);

// The interface; valid until close. write, poll: one core. The rest: any one other thread.
struct weft_disk weft_disk_thread_disk(struct weft_disk_thread *disk);

// Readable when a write has ended. poll reads it empty.
int weft_disk_thread_doorbell_fd(const struct weft_disk_thread *disk);

#endif // WEFT_DATAPLANE_DISK_THREAD_H
