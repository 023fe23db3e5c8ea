// kept_log.h: the log of a node that runs from an image, over its boots: what its first process
// wrote to PATH and, before that, to PATH.old (image/init/node_log.h).
//
// A boot begins with a line "== boot …". Boots count backward: 0 is this one, 1 the one before.
//
// Core: control core only. Memory: malloc; at most the two files, which have 1 MB each.
#ifndef WEFT_ADMIN_KEPT_LOG_H
#define WEFT_ADMIN_KEPT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_KEPT_LOG_ALL UINT64_MAX // Of boots: every one; of lines: as many as there are.

struct weft_kept_log;

// What is there now: the last `lines` of the boot `ago`. With `follow` also what comes after it.
// 0; -ENOENT if it does not go back so far, or there is none; or another negative errno.
int weft_kept_log_open(struct weft_kept_log **log, const char *path, uint64_t ago, uint64_t lines,
                       bool follow);
// The next bytes; 0: none yet; -1: that was all. As weft_admin_stream.read and .close.
int64_t weft_kept_log_read(void *log, char *bytes, size_t limit);
void weft_kept_log_close(void *log);

// The part of `text` that is the boot `ago`, and its length; NULL if it does not go back so far.
// What stands before the first mark is of a boot too, whose beginning is gone.
const char *weft_kept_log_boot(const char *text, size_t length, uint64_t ago, size_t *boot_length);
// Where the last `lines` of a text begin.
size_t weft_kept_log_tail(const char *text, size_t length, uint64_t lines);

#endif // WEFT_ADMIN_KEPT_LOG_H
