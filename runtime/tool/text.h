// text.h: the texts that a user hands in: a file, standard input.
#ifndef WEFT_TOOL_TEXT_H
#define WEFT_TOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/error.h"

// All of `path` ("-": standard input), zero-terminated, at most 1 MiB. The caller frees; NULL with
// `error` (W0504).
char *weft_text_read(const char *path, size_t *length, struct weft_error *error);

// The same of bytes, at most `bytes_max`.
char *weft_bytes_read(const char *path, size_t bytes_max, size_t *length, struct weft_error *error);

// "dir/counter.fth" to "counter", in 64 bytes; what no name may hold becomes '-'.
void weft_text_name(const char *path, char name[64]);

#endif // WEFT_TOOL_TEXT_H
