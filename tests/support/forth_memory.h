// forth_memory.h: a machine for units whose files lie in memory: two, "a" and "b", of 4 KiB at
// most. The host's `self` must be a struct forth_memory.
#ifndef WEFT_TESTS_FORTH_MEMORY_H
#define WEFT_TESTS_FORTH_MEMORY_H

#include <string.h>

#include "forth/unit_host.h"

struct forth_memory {
    struct {
        uint8_t bytes[4096];
        uint32_t length;
        bool is_there;
    } file[2];
    unsigned messages; // For the rest of the host.
    unsigned warnings; // Of stack comments.
};

static int32_t forth_memory_index(const char *name, size_t length)
{
    if (length != 1) return WEFT_UNIT_FILE_OUTSIDE;
    return name[0] == 'a' || name[0] == 'b' ? name[0] - 'a' : -38;
}

static int32_t forth_memory_open(void *self, const char *name, size_t length, uint32_t mode)
{
    struct forth_memory *memory = self;
    const int32_t n = forth_memory_index(name, length);
    if (n < 0) return n;
    if (mode & WEFT_UNIT_FILE_CREATE) {
        memory->file[n].length = 0;
        memory->file[n].is_there = true;
    }
    return memory->file[n].is_there ? n : -38;
}

static int32_t forth_memory_nothing(void *self, int32_t file)
{
    (void)self;
    return file < 0 ? -37 : 0;
}

static int64_t forth_memory_read(void *self, int32_t n, uint64_t position, void *to, size_t size)
{
    const struct forth_memory *memory = self;
    const uint32_t length = memory->file[n].length;
    if (position >= length) return 0;
    if (size > length - position) size = length - (size_t)position;
    memcpy(to, memory->file[n].bytes + position, size);
    return (int64_t)size;
}

static int64_t forth_memory_write(void *self, int32_t n, uint64_t position, const void *from,
                                  size_t size)
{
    struct forth_memory *memory = self;
    const size_t room = sizeof(memory->file[n].bytes);
    if (position >= room) return -36;
    if (size > room - position) size = room - (size_t)position;
    uint32_t *length = &memory->file[n].length;
    if (position > *length) memset(memory->file[n].bytes + *length, 0, position - *length);
    memcpy(memory->file[n].bytes + position, from, size);
    if (position + size > *length) *length = (uint32_t)(position + size);
    return (int64_t)size;
}

static int64_t forth_memory_size(void *self, int32_t n)
{
    const struct forth_memory *memory = self;
    return memory->file[n].length;
}

static int32_t forth_memory_resize(void *self, int32_t n, uint64_t size)
{
    struct forth_memory *memory = self;
    if (size > sizeof(memory->file[n].bytes)) return -36;
    memset(memory->file[n].bytes + size, 0, sizeof(memory->file[n].bytes) - size);
    memory->file[n].length = (uint32_t)size;
    return 0;
}

static int32_t forth_memory_delete(void *self, const char *name, size_t length)
{
    struct forth_memory *memory = self;
    const int32_t n = forth_memory_index(name, length);
    if (n < 0 || !memory->file[n].is_there) return n < 0 ? n : -38;
    memory->file[n].is_there = false;
    return 0;
}

static int32_t forth_memory_rename(void *self, const char *from, size_t from_length, const char *to,
                                   size_t to_length)
{
    struct forth_memory *memory = self;
    const int32_t n = forth_memory_index(from, from_length);
    const int32_t m = forth_memory_index(to, to_length);
    if (n < 0 || m < 0 || !memory->file[n].is_there) return -38;
    memory->file[m] = memory->file[n];
    if (n != m) memory->file[n].is_there = false;
    return 0;
}

static int64_t forth_memory_status(void *self, const char *name, size_t length)
{
    const struct forth_memory *memory = self;
    const int32_t n = forth_memory_index(name, length);
    return n >= 0 && memory->file[n].is_there ? 0100600 : -38;
}

static const char *forth_memory_argument(void *self, uint64_t index)
{
    (void)self;
    return index < 2 ? "word" : NULL;
}

static const struct weft_unit_machine forth_memory_machine = {
    .file_open = forth_memory_open,
    .file_close = forth_memory_nothing,
    .file_read = forth_memory_read,
    .file_write = forth_memory_write,
    .file_size = forth_memory_size,
    .file_resize = forth_memory_resize,
    .file_flush = forth_memory_nothing,
    .file_delete = forth_memory_delete,
    .file_rename = forth_memory_rename,
    .file_status = forth_memory_status,
    .argument = forth_memory_argument,
};

#endif // WEFT_TESTS_FORTH_MEMORY_H
