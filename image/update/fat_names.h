// fat_names.h: the names in a directory of a FAT file system that nobody has mounted: another name
// for a file, so that a power failure leaves the one or the other; and what a power failure has
// left of a rename by somebody else.
//
// FAT has no journal. Who renames a file there enters the new name and takes the old one out, and
// between the two both lead to the same clusters, or neither does, as the disk's cache likes it.
// Two names for the same clusters are dangerous: removing the one frees what the other still needs.
// So
//
//   rename   writes one sector where the entry's parts lie in one (they nearly always do); else the
//            new name first, flushed, and then the old one is taken out
//   mend     takes one of two such names out, and frees nothing
//
// What is known: FAT16 and FAT32 with sectors of 512 bytes (Microsoft's FAT specification, 1.03);
// names are plain ASCII, and found whatever the case of their letters.
//
// Core: any thread that may block. Memory: malloc, for the directory. The file system is two
// functions (gpt.h), so that a test can cut the power; sector 0 is its own.
#ifndef WEFT_UPDATE_FAT_NAMES_H
#define WEFT_UPDATE_FAT_NAMES_H

#include "image/update/gpt.h"

#define WEFT_FAT_NAME_BYTES 256 // With its zero byte.

// In `directory` ("EFI/Linux"; "" is the root) the file `from` is called `to`. Where `to` is there
// already and is the same clusters, only `from` goes; also when it alone is left. Returns 0;
// -ENOENT; -EEXIST: `to` is another file; -EOPNOTSUPP: no file system that is known here; -ENOSPC:
// the directory has no place for it in one sector; -EINVAL: it is damaged; or what reading or
// writing failed with.
int weft_fat_names_rename(const struct weft_gpt_disk *disk, const char *directory, const char *from,
                          const char *to);

// Of files in `directory` with the same first cluster the longer one stays, or the one with the
// shorter name, and the others' names go. Returns how many went, or a negative errno as above.
int weft_fat_names_mend(const struct weft_gpt_disk *disk, const char *directory);

#endif // WEFT_UPDATE_FAT_NAMES_H
