// beneath.h: files by name below one directory, and never out of it.
//
// Confinement is the kernel's: each name is resolved by openat2(2) with RESOLVE_BENEATH, so no
// "..", absolute name or symbolic link leads out of the directory. A kernel without openat2 (before
// 5.6) gets no files at all.
//
// `root` is a descriptor of the directory (O_PATH will do). Everything here may block.
// Errors: iors, as forth/unit_host.h has them.
#ifndef WEFT_FORTH_BENEATH_H
#define WEFT_FORTH_BENEATH_H

#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_BENEATH_NAME_BYTES 256 // With the zero behind it.

int32_t weft_beneath_ior(int error); // Of an errno.
// The name as a C string. False if it is too long, or holds a NUL.
bool weft_beneath_name(char to[WEFT_BENEATH_NAME_BYTES], const char *name, size_t length);
// How to open a file in the mode of WEFT_UNIT_FILE_*.
struct open_how weft_beneath_how(uint32_t mode);
// 0 if it is a file of bytes: a pipe or device would make the program wait, or do something.
int32_t weft_beneath_check(int fd);

// A descriptor, or an ior.
int32_t weft_beneath_open(int root, const char *path, uint32_t mode);
int32_t weft_beneath_delete(int root, const char *path);
int32_t weft_beneath_rename(int root, const char *from, const char *to);
int64_t weft_beneath_status(int root, const char *path); // st_mode.

#endif // WEFT_FORTH_BENEATH_H
