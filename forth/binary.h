// binary.h: a program as an executable of its own: the runner, what it is to run, and a trailer.
//
// The runner (runner.c) is the engine and nothing else, so it links the C library and its libm
// alone. It finds the trailer at the end of its own file. Two kinds of program:
//   image    a unit as weft_unit_save wrote it, whose word MAIN is run: compiled when it was made.
//   sources  texts that are interpreted at each start, in order: for a program without MAIN, whose
//            last act may not be done before.
#ifndef WEFT_FORTH_BINARY_H
#define WEFT_FORTH_BINARY_H

#include <stddef.h>
#include <stdint.h>

enum weft_binary_kind { WEFT_BINARY_IMAGE = 1, WEFT_BINARY_SOURCES = 2 };

// The last bytes of the file, little-endian.
struct weft_binary_trailer {
    uint64_t bytes; // Of the program, which lies right before it.
    uint32_t kind;
    uint32_t crc; // CRC-32C of the program.
    uint32_t version;
    uint32_t spare;
    char magic[8];
};
_Static_assert(sizeof(struct weft_binary_trailer) == 32, "a format");

// Writes runner, program and trailer to `path`, executable, in one step: an older file of that name
// stays until all is written. 0 or a negative errno.
int weft_binary_write(const char *path, const void *runner, size_t runner_bytes,
                      enum weft_binary_kind kind, const void *program, size_t bytes);

// Reads the program at the end of the file `path` into memory of malloc. 0; -ENOENT: there is no
// trailer; -EBADMSG: damaged; -EPROTONOSUPPORT: another version; another errno.
int weft_binary_read(const char *path, enum weft_binary_kind *kind, void **program, size_t *bytes);

// Sources lie one behind the other: both lengths (4 bytes each), name, text. Appends one to `*list`
// of malloc. 0 or -ENOMEM.
int weft_binary_source_add(void **list, size_t *bytes, const char *name, const char *text,
                           size_t length);
// The source at `*at`, which moves on. 1; 0 at the end; -EBADMSG.
int weft_binary_source_next(const void *list, size_t bytes, size_t *at, const char **name,
                            size_t *name_length, const char **text, size_t *length);

#endif // WEFT_FORTH_BINARY_H
