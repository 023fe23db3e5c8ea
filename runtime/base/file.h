// file.h: putting a file in the place of another so that a crash or a power failure leaves the one
// or the other, whole.
//
// A new file is written beside it, synced, and renamed over it, and then the directory is synced:
// the new name is on the disk only when the directory is.
//
// Core: it waits for the disk, so no worker; the control core, which waits for disks also where it
// makes the journal's files, at its start and for what an owner asked of it; and programs. Memory:
// the caller's.
#ifndef WEFT_BASE_FILE_H
#define WEFT_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

// Puts `length` bytes in the place of `path`; PATH.new is ours, whatever stands there. `mode` is
// that of the new file, as of open(2). Returns 0 or a negative errno, and then `path` is as it was.
int weft_file_replace(const char *path, const void *bytes, size_t length, mode_t mode);

// The same where people have chosen the name, and may have chosen NAME.new for another file of
// theirs: here PATH.weft-new is ours.
int weft_file_save(const char *path, const void *bytes, size_t length, mode_t mode);

// Syncs the directory that `path` is in. Returns 0 or a negative errno.
int weft_file_sync_directory(const char *path);

#endif // WEFT_BASE_FILE_H
