// lock.h: one lab per run directory, and nothing left of a lab that was killed.
//
// RUN/lab.lock is locked (an open file description lock) for as long as the lab process lives and
// holds its pid. A lock file that nobody holds is what a killed lab left: its files are known by
// name.
#ifndef WEFT_LAB_LOCK_H
#define WEFT_LAB_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "runtime/admin/place.h"
#include "runtime/base/error.h"

struct weft_lab_lock {
    char run[WEFT_PLACE_BYTES];
    int fd;        // -1: not held.
    bool made_run; // The run directory was made by this lab.
};

// Makes the run directory if it is missing, and takes the lock. `*stale` (may be NULL) says that a
// killed lab's files were there; they are gone then. 0, or -1 with `error`: W0601 names the holder.
int weft_lab_lock_take(struct weft_lab_lock *lock, const char *run, bool *stale,
                       struct weft_error *error);

// Removes every file of the lab (unless `keep`), the lock, and the run directory if the lab made it
// and it is empty. True if something of the lab's was still there after that.
bool weft_lab_lock_release(struct weft_lab_lock *lock, bool keep);

// The lab that runs there: its pid, or 0.
pid_t weft_lab_lock_holder(const char *run);

// Removes what a lab keeps in `run` but the lock. How many things; 0 if there was nothing.
unsigned weft_lab_clean(const char *run);

#endif // WEFT_LAB_LOCK_H
