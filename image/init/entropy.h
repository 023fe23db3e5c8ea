// entropy.h: chance that was put by before power was cut: a board without a source of its own has
// little of it in the first seconds, and those are when a node makes its keys.
#ifndef WEFT_IMAGE_ENTROPY_H
#define WEFT_IMAGE_ENTROPY_H

#include <stdbool.h>

// Gives the kernel what is noted at `path`, and puts something else there before anybody uses it: a
// seed never serves two boots. It counts as unpredictable only if `own`: a copied disk has the seed
// of another. Returns 0, -ENOENT if there is none, or another negative errno.
int weft_entropy_load(const char *path, bool own);

// Notes a new seed, if the kernel has any to give. Returns 0, -EAGAIN if it has none yet, or
// another negative errno.
int weft_entropy_save(const char *path);

#endif // WEFT_IMAGE_ENTROPY_H
