#include "forth/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "forth/beneath.h"
#include "forth/keyboard.h"
#include "forth/unit.h"

static int32_t file_open(void *self, const char *name, size_t length, uint32_t mode)
{
    const struct weft_machine *machine = self;
    char path[WEFT_BENEATH_NAME_BYTES];
    if (machine->root < 0) return -21;
    if (!weft_beneath_name(path, name, length)) return -38;
    const int32_t file = weft_beneath_open(machine->root, path, mode);
    const bool is_missing = file == -38 && mode == WEFT_UNIT_FILE_READ && machine->library >= 0;
    return is_missing ? weft_beneath_open(machine->library, path, mode) : file;
}

static int32_t file_close(void *self, int32_t file)
{
    (void)self;
    return close(file) == 0 ? 0 : weft_beneath_ior(errno);
}

static int64_t file_read(void *self, int32_t file, uint64_t position, void *to, size_t size)
{
    (void)self;
    if (position > INT64_MAX) return -36;
    const ssize_t bytes = pread(file, to, size, (off_t)position);
    return bytes >= 0 ? bytes : weft_beneath_ior(errno);
}

static int64_t file_write(void *self, int32_t file, uint64_t position, const void *from,
                          size_t size)
{
    (void)self;
    if (position > INT64_MAX) return -36;
    const ssize_t bytes = pwrite(file, from, size, (off_t)position);
    return bytes >= 0 ? bytes : weft_beneath_ior(errno);
}

static int64_t file_size(void *self, int32_t file)
{
    struct stat stat;
    (void)self;
    return fstat(file, &stat) == 0 ? (int64_t)stat.st_size : weft_beneath_ior(errno);
}

static int32_t file_resize(void *self, int32_t file, uint64_t size)
{
    (void)self;
    if (size > INT64_MAX) return -36;
    return ftruncate(file, (off_t)size) == 0 ? 0 : weft_beneath_ior(errno);
}

static int32_t file_flush(void *self, int32_t file)
{
    (void)self;
    return fsync(file) == 0 ? 0 : weft_beneath_ior(errno);
}

static int32_t file_delete(void *self, const char *name, size_t length)
{
    const struct weft_machine *machine = self;
    char path[WEFT_BENEATH_NAME_BYTES];
    if (machine->root < 0) return -21;
    return weft_beneath_name(path, name, length) ? weft_beneath_delete(machine->root, path) : -38;
}

static int32_t file_rename(void *self, const char *from, size_t from_length, const char *to,
                           size_t to_length)
{
    const struct weft_machine *machine = self;
    char from_path[WEFT_BENEATH_NAME_BYTES], to_path[WEFT_BENEATH_NAME_BYTES];
    if (machine->root < 0) return -21;
    if (!weft_beneath_name(from_path, from, from_length) ||
        !weft_beneath_name(to_path, to, to_length))
        return -38;
    return weft_beneath_rename(machine->root, from_path, to_path);
}

static int64_t file_status(void *self, const char *name, size_t length)
{
    const struct weft_machine *machine = self;
    char path[WEFT_BENEATH_NAME_BYTES];
    if (machine->root < 0) return -21;
    return weft_beneath_name(path, name, length) ? weft_beneath_status(machine->root, path) : -38;
}

static const char *argument(void *self, uint64_t index)
{
    const struct weft_machine *machine = self;
    return index < (uint64_t)machine->argument_count ? machine->arguments[index] : NULL;
}

static void exit_status(void *self, int64_t status)
{
    struct weft_machine *machine = self;
    machine->status = (int)(status & 255);
}

static int64_t refill(void *self, void *to, size_t size)
{
    const struct weft_machine *machine = self;
    return machine->refill != NULL ? machine->refill(machine->refill_self, to, size) : -2;
}

static const char *help(void *self, const char *word, size_t length)
{
    struct weft_machine *machine = self;
    const size_t size = sizeof(machine->help_text);
    const bool known =
        machine->help != NULL && machine->help(word, length, machine->help_text, size) > 0;
    return known ? machine->help_text : NULL;
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void *self)
{
    (void)self;
    return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t unix_us(void *self)
{
    (void)self;
    return clock_ns(CLOCK_REALTIME) / 1000;
}

static const struct weft_unit_machine table = {
    .file_open = file_open,
    .file_close = file_close,
    .file_read = file_read,
    .file_write = file_write,
    .file_size = file_size,
    .file_resize = file_resize,
    .file_flush = file_flush,
    .file_delete = file_delete,
    .file_rename = file_rename,
    .file_status = file_status,
    .argument = argument,
    .refill = refill,
    .exit_status = exit_status,
    .help = help,
};

void weft_machine_init(struct weft_machine *machine)
{
    *machine = (struct weft_machine){.root = -1, .library = -1, .out = stdout};
}

static int open_directory(const char *path, int *fd)
{
    const int opened = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return -errno;
    if (*fd >= 0) close(*fd);
    *fd = opened;
    return 0;
}

int weft_machine_files(struct weft_machine *machine, const char *path)
{
    return open_directory(path, &machine->root);
}

int weft_machine_library(struct weft_machine *machine, const char *path)
{
    return open_directory(path, &machine->library);
}

void weft_machine_destroy(struct weft_machine *machine)
{
    if (machine->root >= 0) close(machine->root);
    if (machine->library >= 0) close(machine->library);
    machine->root = machine->library = -1;
}

// A stack comment that is wrong.
static void warning(void *self, const struct weft_unit_error *error)
{
    const struct weft_machine *machine = self;
    char text[512];
    weft_unit_warning_render(error, text, sizeof(text));
    fflush(machine->out);
    fputs(text, stderr);
}

void weft_machine_host(struct weft_machine *machine, struct weft_unit_host *host)
{
    *host = (struct weft_unit_host){
        .self = machine,
        .warning = warning,
        .machine = &table,
        .now_ns = now_ns,
        .unix_us = unix_us,
    };
    weft_keyboard_host(host);
}
