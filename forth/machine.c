#include "forth/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "forth/keyboard.h"
#include "forth/unit.h"

enum { NAME_BYTES = 256 };

// The ior of an errno (Forth 2012, table 9.1).
static int32_t ior(int error)
{
    switch (error) {
    case 0: return 0;
    case ENOENT:
    case ENOTDIR: return -38;
    case EXDEV:
    case ELOOP: return WEFT_UNIT_FILE_OUTSIDE;
    case EMFILE:
    case ENFILE: return WEFT_UNIT_FILE_TOO_MANY;
    case ENOSYS: return -21;
    default: return -37;
    }
}

static int open_beneath(int directory, const char *name, int flags)
{
    // openat2 takes no flag that means nothing.
    flags |= flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    const struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .mode = flags & O_CREAT ? 0666 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));
}

// The name as a C string. False if it is too long, or holds a NUL.
static bool copy_name(char to[NAME_BYTES], const char *name, size_t length)
{
    if (length == 0 || length >= NAME_BYTES || memchr(name, '\0', length) != NULL) return false;
    memcpy(to, name, length);
    to[length] = '\0';
    return true;
}

// Only files of bytes: a pipe or device would make the program wait, or do something.
static int regular(int fd)
{
    struct stat stat;
    if (fd < 0) return fd;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

static int32_t file_open(void *self, const char *name, size_t length, uint32_t mode)
{
    const struct weft_machine *machine = self;
    char path[NAME_BYTES];
    if (machine->root < 0) return -21;
    if (!copy_name(path, name, length)) return -38;
    int flags = mode & WEFT_UNIT_FILE_WRITE ? O_WRONLY : O_RDONLY;
    if ((mode & WEFT_UNIT_FILE_READ && mode & WEFT_UNIT_FILE_WRITE) || mode & WEFT_UNIT_FILE_CREATE)
        flags = O_RDWR;
    if (mode & WEFT_UNIT_FILE_CREATE) flags |= O_CREAT | O_TRUNC;
    int fd = regular(open_beneath(machine->root, path, flags));
    if (fd < 0 && errno == ENOENT && mode == WEFT_UNIT_FILE_READ && machine->library >= 0)
        fd = regular(open_beneath(machine->library, path, flags));
    return fd >= 0 ? fd : ior(errno);
}

static int32_t file_close(void *self, int32_t file)
{
    (void)self;
    return close(file) == 0 ? 0 : ior(errno);
}

static int64_t file_read(void *self, int32_t file, uint64_t position, void *to, size_t size)
{
    (void)self;
    if (position > INT64_MAX) return -36;
    const ssize_t bytes = pread(file, to, size, (off_t)position);
    return bytes >= 0 ? bytes : ior(errno);
}

static int64_t file_write(void *self, int32_t file, uint64_t position, const void *from,
                          size_t size)
{
    (void)self;
    if (position > INT64_MAX) return -36;
    const ssize_t bytes = pwrite(file, from, size, (off_t)position);
    return bytes >= 0 ? bytes : ior(errno);
}

static int64_t file_size(void *self, int32_t file)
{
    struct stat stat;
    (void)self;
    return fstat(file, &stat) == 0 ? (int64_t)stat.st_size : ior(errno);
}

static int32_t file_resize(void *self, int32_t file, uint64_t size)
{
    (void)self;
    if (size > INT64_MAX) return -36;
    return ftruncate(file, (off_t)size) == 0 ? 0 : ior(errno);
}

static int32_t file_flush(void *self, int32_t file)
{
    (void)self;
    return fsync(file) == 0 ? 0 : ior(errno);
}

// The directory that holds `path`, whose last part is left in *last. -1 and errno.
static int open_parent(const struct weft_machine *machine, char *path, const char **last)
{
    char *slash = strrchr(path, '/');
    *last = slash == NULL ? path : slash + 1;
    if (**last == '\0' || strcmp(*last, ".") == 0 || strcmp(*last, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    if (slash == path) {
        errno = EXDEV; // An absolute name.
        return -1;
    }
    if (slash != NULL) *slash = '\0';
    return open_beneath(machine->root, slash == NULL ? "." : path, O_PATH | O_DIRECTORY);
}

static int32_t file_delete(void *self, const char *name, size_t length)
{
    char path[NAME_BYTES];
    const char *last;
    const struct weft_machine *machine = self;
    if (machine->root < 0) return -21;
    if (!copy_name(path, name, length)) return -38;
    const int parent = open_parent(machine, path, &last);
    if (parent < 0) return ior(errno);
    const int32_t code = unlinkat(parent, last, 0) == 0 ? 0 : ior(errno);
    close(parent);
    return code;
}

static int32_t file_rename(void *self, const char *from, size_t from_length, const char *to,
                           size_t to_length)
{
    char from_path[NAME_BYTES], to_path[NAME_BYTES];
    const char *from_last, *to_last;
    const struct weft_machine *machine = self;
    if (machine->root < 0) return -21;
    if (!copy_name(from_path, from, from_length) || !copy_name(to_path, to, to_length)) return -38;
    const int from_parent = open_parent(machine, from_path, &from_last);
    if (from_parent < 0) return ior(errno);
    const int to_parent = open_parent(machine, to_path, &to_last);
    int32_t code = to_parent < 0 ? ior(errno) : 0;
    if (to_parent >= 0) {
        code = renameat(from_parent, from_last, to_parent, to_last) == 0 ? 0 : ior(errno);
        close(to_parent);
    }
    close(from_parent);
    return code;
}

static int64_t file_status(void *self, const char *name, size_t length)
{
    char path[NAME_BYTES];
    struct stat stat;
    const struct weft_machine *machine = self;
    if (machine->root < 0) return -21;
    if (!copy_name(path, name, length)) return -38;
    const int fd = open_beneath(machine->root, path, O_PATH);
    if (fd < 0) return ior(errno);
    const int64_t mode = fstat(fd, &stat) == 0 ? (int64_t)stat.st_mode : ior(errno);
    close(fd);
    return mode;
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
