// text_file.h: small files, read whole: those of /proc and /sys, and our own state (which
// runtime/base/file.h writes).
//
// Memory: the caller's. Core: any; nothing here is shared.
#ifndef WEFT_IMAGE_TEXT_FILE_H
#define WEFT_IMAGE_TEXT_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Reads up to `size` - 1 bytes and ends them with a zero byte. Returns how many, or a negative
// errno: -EFBIG if the file has more.
ssize_t weft_text_file_read(const char *path, char *text, size_t size);

// The same without white space at its end. `text` is "" when it cannot be read.
int weft_text_file_line(const char *path, char *text, size_t size);

// Writes `text` to a file that is there, with one write(2), as files of /proc and /sys want it.
// Returns 0 or a negative errno.
int weft_text_file_set(const char *path, const char *text);

// Writes `text` over a file that takes as many pieces of `cluster_bytes` already as it will then: a
// file system without a journal (FAT) allocates nothing for it and frees nothing, so that a power
// failure leaves it whole, if not this one text. Returns 0; -ENOSPC if it takes more or fewer, and
// nothing was written; or another negative errno.
int weft_text_file_write_over(const char *path, const char *text, size_t length,
                              size_t cluster_bytes);

#endif // WEFT_IMAGE_TEXT_FILE_H
