// fat_lost.h: clusters of a FAT file system that no file has any more, given back.
//
// A power failure leaves them: what was being written has clusters and no name yet, or its name
// went first. Nobody ever misses them, until a boot partition has no room for the next release.
//
// They are free again once every chain of every file and directory has been followed, and all of
// that was in order; else nothing is written. What is freed belongs to nobody, so a power failure
// meanwhile leaves it free or lost as before. The number of free clusters that the file system
// notes for itself is put right, too: Linux takes it for granted.
//
// Core: any thread that may block. Memory: malloc, for the table and a directory.
#ifndef WEFT_UPDATE_FAT_LOST_H
#define WEFT_UPDATE_FAT_LOST_H

#include "image/update/gpt.h"

// Returns how many clusters were lost and are free now; -EOPNOTSUPP: no file system that is known
// here (fat_volume.h), or one too large; -EINVAL: it is damaged in another way; -ENOMEM; or what
// reading or writing failed with.
int64_t weft_fat_lost_free(const struct weft_gpt_disk *disk);

// The same look, which writes nothing: 0 if every chain is in order, whatever is lost; or an error
// as above.
int weft_fat_lost_check(const struct weft_gpt_disk *disk);

#endif // WEFT_UPDATE_FAT_LOST_H
