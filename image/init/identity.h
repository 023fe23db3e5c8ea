// identity.h: is this still the machine that the identity in /data was made for?
//
// Two nodes with one identity tear a mesh apart, and a disk that was copied brings just that. So
// the first boot notes which disk and which machine it is; a later one compares:
//
//   disk     machine     it is
//   same     same        the same
//   same     other       moved: the disk was put into another machine, which is fine
//   other    same        moved too: a disk was replaced by its copy, in the same machine
//   other    other       cloned
//   unknown  other       cloned: nothing speaks for it (a virtual disk without a serial)
//
// Where neither is known nothing can be said.
#ifndef WEFT_IMAGE_IDENTITY_H
#define WEFT_IMAGE_IDENTITY_H

#include <stdbool.h>

enum weft_identity_state {
    WEFT_IDENTITY_NEW,
    WEFT_IDENTITY_SAME,
    WEFT_IDENTITY_MOVED,
    WEFT_IDENTITY_CLONED,
    WEFT_IDENTITY_UNKNOWN, // Nothing is known to compare, or there is no data partition.
};

struct weft_identity_mark {
    char disk[80];    // Its serial number; "" if not known.
    char machine[80]; // The firmware's UUID; "" if not known.
};

const char *weft_identity_state_name(enum weft_identity_state state);

enum weft_identity_state weft_identity_compare(const struct weft_identity_mark *noted,
                                               const struct weft_identity_mark *found);

// This machine, from `sys` ("/sys"). What a firmware writes for "not filled in" counts as not
// known.
void weft_identity_find(struct weft_identity_mark *found, const char *sys, const char *disk_serial);

// Reads the note at `path`, compares, and notes anew when it is new or moved, is to be adopted, or
// something is known now that was not.
// `result` is 0 or the negative errno with which the note could not be written.
enum weft_identity_state weft_identity_check(const char *path,
                                             const struct weft_identity_mark *found, bool adopt,
                                             int *result);

#endif // WEFT_IMAGE_IDENTITY_H
