// fat.h: puts a file into the root directory of a FAT16 file system that nobody has mounted: the
// configuration onto a medium that was just flashed (Microsoft's FAT specification, 1.03).
//
// Only what such a drive needs: FAT16, sectors of 512 bytes, the root directory, plain ASCII names.
// A file of that name is replaced. Both copies of the table are written.
//
// Core: any thread that may block. Memory: malloc, for the table and the directory.
#ifndef WEFT_UPDATE_FAT_H
#define WEFT_UPDATE_FAT_H

#include <stdint.h>

#include "runtime/base/error.h"
#include "runtime/base/span.h"

#define WEFT_UPDATE_FAT_NAME_MAX   64
#define WEFT_UPDATE_FAT_FILE_BYTES (1u << 20) // The longest file that is put.

// Writes `content` as `name` into the file system that begins at `offset` of the open disk `fd` and
// has `bytes`. 0, or -1 with W0906: it is no such file system, or full, or the disk failed; W0504:
// no such name.
int weft_update_fat_put(int fd, uint64_t offset, uint64_t bytes, const char *name,
                        struct weft_span content, struct weft_error *error);

#endif // WEFT_UPDATE_FAT_H
