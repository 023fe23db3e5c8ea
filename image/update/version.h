// version.h: versions of the image, and which of two is the newer.
//
// One to four numbers with dots, then perhaps a tilde and a word for what comes before the release:
// 1.4, 1.4.2, 1.5~rc1. The order is the boot loader's own for these (systemd's strverscmp), because
// a slot that sorts wrong is a slot that does not boot. The text is part of a file name, so no
// other byte may stand in it.
#ifndef WEFT_UPDATE_VERSION_H
#define WEFT_UPDATE_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#define WEFT_UPDATE_VERSION_BYTES 32 // With its zero byte.

// True if the `length` bytes at `text` are a version of at most 31 bytes.
bool weft_update_version_valid(const char *text, size_t length);

// Below 0 if `a` is older than `b`, 0 if they are the same release, above 0 if newer. Both are
// valid. 1.4 and 1.4.0 differ: the loader says the shorter is older.
int weft_update_version_compare(const char *a, const char *b);

#endif // WEFT_UPDATE_VERSION_H
