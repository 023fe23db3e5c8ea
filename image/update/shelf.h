// shelf.h: the kernels in EFI/Linux: finding, putting up, taking down, and which one comes first.
//
// Each function leaves a shelf that starts the running slot at every moment: a kernel that is still
// needed is copied and then removed, never renamed, because a FAT file system that loses power in
// a rename may have neither name.
#ifndef WEFT_UPDATE_SHELF_H
#define WEFT_UPDATE_SHELF_H

#include "image/update/medium.h"

struct weft_update_node; // writer.h

// 0 if the running slot has proved good, so that the other one may be overwritten. Else -1 with
// W0905: it is on trial itself, and the other may be needed.
int weft_update_shelf_settled(const struct weft_update_medium *medium,
                              const struct weft_update_node *node, struct weft_error *error);

// Removes every kernel of `slot`, and what an update left that was cut short. -1: W0906.
int weft_update_shelf_clear(const struct weft_update_medium *medium, char slot,
                            struct weft_error *error);

// Puts up a kernel whose slot has none: under another name first. -1: W0906.
int weft_update_shelf_put(const struct weft_update_medium *medium,
                          const struct weft_update_slot *slot, const uint8_t *bytes, size_t length,
                          struct weft_error *error);

// Lets kernels of the other slot that the loader would take before `first` stand back. -1: W0906.
int weft_update_shelf_prefer(const struct weft_update_medium *medium,
                             const struct weft_update_slot *first, struct weft_error *error);

#endif // WEFT_UPDATE_SHELF_H
