// disks_look.h: a look at all disks while the node runs, beside the loop: however long a disk takes
// to answer, the watchdog is fed.
//
// A process looks (weft_disks_find) and hands over what it has found.
//
// Core: the one thread of init, out of the loop. Memory: by value in its owner.
#ifndef WEFT_IMAGE_DISKS_LOOK_H
#define WEFT_IMAGE_DISKS_LOOK_H

#include "image/init/disks.h"
#include "image/init/loop.h"

struct weft_disks_look {
    struct weft_loop *loop;
    // Called once for each look that was started, out of the loop.
    void (*done)(void *self, const struct weft_disks *found);
    void *self;
    int fd; // -1: nobody looks.
    size_t used;
    struct weft_disks found;
};

void weft_disks_look_init(struct weft_disks_look *look, struct weft_loop *loop,
                          void (*done)(void *self, const struct weft_disks *found), void *self);

// Looks as weft_disks_find. Does nothing while somebody looks already. Returns 0 or a negative
// errno. The process is left to whoever reaps the orphans.
int weft_disks_look_start(struct weft_disks_look *look, const char *sys, const char *dev,
                          const char *root, uint64_t patience_ns);

#endif // WEFT_IMAGE_DISKS_LOOK_H
