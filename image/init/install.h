// install.h: the image that was started, onto another disk of this machine, because a file INSTALL
// on the drive asks for it (install_wish.h; how is disk_copy.h).
//
// The other disk gets the drive's files, without the wish and what was said of this start, and no
// data: it becomes a node of its own at its first start. A disk with anything on it is only
// written to when the wish says `erase`.
//
// A disk that this start's root is read from cannot be written under it. With `erase` its tables
// are taken away and the machine starts again: then the root comes from the disk that was started.
// The wish says so by then: a disk that has its tables still does not keep what is written to it.
//
// Core: the one thread of init, before the loop. It takes as long as the disks do, a minute or so.
#ifndef WEFT_IMAGE_INSTALL_H
#define WEFT_IMAGE_INSTALL_H

#include "image/init/disks.h"
#include "image/init/say.h"
#include "image/init/watchdog.h"

enum weft_install_end {
    WEFT_INSTALL_DONE,
    WEFT_INSTALL_AGAIN,   // The machine is to start once more, and then installs.
    WEFT_INSTALL_REFUSED, // Nothing was written, or the disk is left without a table.
};

// Does what the file at `wish_path` says, as told to `say`; the drive is mounted at /conf. The
// watchdog's guard is renewed as the copy comes on. `said` is what became of it, in one sentence.
enum weft_install_end weft_install_run(const char *wish_path, const struct weft_disks *disks,
                                       char slot, struct weft_watchdog *watchdog,
                                       struct weft_say *say, char said[512]);

// Would a wish of these words be done at the next start? True, or false with the reason in `why`.
// Writes nothing. A disk that does not answer in time is a reason.
bool weft_install_check(const char *words, const struct weft_disks *disks, uint64_t patience_ns,
                        char why[256]);

// Puts what was `said` behind the wish, and names the file INSTALLED: it is not done again.
// Returns 0 or a negative errno.
int weft_install_note(const char *wish_path, const char *said);

// Puts behind the wish what was `said`: that the machine starts again for it. Returns 0 or a
// negative errno.
int weft_install_note_again(const char *wish_path, const char *said);

#endif // WEFT_IMAGE_INSTALL_H
