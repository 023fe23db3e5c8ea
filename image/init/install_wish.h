// install_wish.h: the file INSTALL on the drive: onto which disk the image that was started is to
// be copied. A line like
//
//   auto                     the only other disk
//   /dev/nvme0n1             by its name
//   S4EWNX0R123456           by its serial number (white space in it as _)
//
// and the word `erase` behind it if that disk may hold something. # begins a remark, and one of
// them is ours: what was done already.
#ifndef WEFT_IMAGE_INSTALL_WISH_H
#define WEFT_IMAGE_INSTALL_WISH_H

#include <stdbool.h>
#include <stddef.h>

#include "image/init/disks.h"

struct weft_install_wish {
    char disk[80]; // "" for auto.
    bool erase;
};

// How the remark begins that a disk's table was taken away, and the machine started again.
#define WEFT_INSTALL_WISH_BEGUN "# Begun: "

// Reads the file's text. True, or false with the reason in `why`.
bool weft_install_wish_parse(struct weft_install_wish *wish, const char *text, char why[256]);

// The disk that it means: never the one that this node was started from. NULL, with the reason and
// the disks that there are in `why`.
const struct weft_disks_entry *weft_install_wish_find(const struct weft_install_wish *wish,
                                                      const struct weft_disks *disks,
                                                      char why[256]);

#endif // WEFT_IMAGE_INSTALL_WISH_H
