// files.h: the files that a unit has open, and sources that are files. Internal to forth/.
//
// The unit keeps what a file is to the program: its name, how it was opened, and the position. The
// host's own number of it lies in the handle and is nobody's to save: a unit from an image, or
// under another host, opens each file again by its name when it next touches it, and gets an ior if
// it is gone. So reading and writing name their position, and a file is never emptied twice.
#ifndef WEFT_FORTH_FILES_H
#define WEFT_FORTH_FILES_H

#include "forth/state.h"

#define WEFT_UNIT_FILES_BYTES (WEFT_UNIT_FILES_MAX * (uint32_t)sizeof(int32_t))

// The entry of an open file; NULL if `fileid` is none.
struct weft_unit_file *weft_unit_file_at(const struct weft_unit *unit, weft_cell fileid);
// Opens the file whose name lies at `address`. Its fileid, or an ior below 0.
int32_t weft_unit_file_open(struct weft_unit *unit, uint64_t address, uint64_t length,
                            uint32_t mode);
int32_t weft_unit_file_close(struct weft_unit *unit, weft_cell fileid); // 0 or an ior.
// The host's number of the file, which is opened again if need be; or an ior.
int32_t weft_unit_file_number(struct weft_unit *unit, weft_cell fileid);
// Up to `size` bytes at the file's position, which moves behind them. Bytes, 0 at the end; an ior.
int64_t weft_unit_file_read(struct weft_unit *unit, weft_cell fileid, void *to, size_t size);
// Closes what the host has open for the unit. Nothing of the unit changes.
void weft_unit_files_forget(struct weft_unit *unit);

// The next line of the file on top of the sources: 1, 0 at its end, WEFT_PARK, or a THROW code.
// Lines begin where the file's position is, which moves behind each: a program may read or move it
// in between.
int32_t weft_unit_file_refill(struct weft_unit *unit);

#endif // WEFT_FORTH_FILES_H
