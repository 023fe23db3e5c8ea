#include "forth/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "forth/unit_host.h"

// Forth 2012, table 9.1.
int32_t weft_beneath_ior(int error)
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

bool weft_beneath_name(char to[WEFT_BENEATH_NAME_BYTES], const char *name, size_t length)
{
    if (length == 0 || length >= WEFT_BENEATH_NAME_BYTES || memchr(name, '\0', length) != NULL)
        return false;
    memcpy(to, name, length);
    to[length] = '\0';
    return true;
}

static struct open_how how_of(int flags)
{
    // openat2 takes no flag that means nothing.
    flags |= flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    return (struct open_how){
        .flags = (uint64_t)(unsigned)flags,
        .mode = flags & O_CREAT ? 0666 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
}

struct open_how weft_beneath_how(uint32_t mode)
{
    int flags = mode & WEFT_UNIT_FILE_WRITE ? O_WRONLY : O_RDONLY;
    if ((mode & WEFT_UNIT_FILE_READ && mode & WEFT_UNIT_FILE_WRITE) || mode & WEFT_UNIT_FILE_CREATE)
        flags = O_RDWR;
    if (mode & WEFT_UNIT_FILE_CREATE) flags |= O_CREAT | O_TRUNC;
    return how_of(flags);
}

static int open_beneath(int root, const char *path, const struct open_how *how)
{
    return (int)syscall(SYS_openat2, root, path, how, sizeof(*how));
}

int32_t weft_beneath_check(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) ? 0 : -37;
}

int32_t weft_beneath_open(int root, const char *path, uint32_t mode)
{
    const struct open_how how = weft_beneath_how(mode);
    const int fd = open_beneath(root, path, &how);
    if (fd < 0) return weft_beneath_ior(errno);
    const int32_t code = weft_beneath_check(fd);
    if (code == 0) return fd;
    close(fd);
    return code;
}

// The directory that holds `path`, whose last part is left in *last. -1 and errno.
static int open_parent(int root, char *path, const char **last)
{
    char *slash = strrchr(path, '/');
    *last = slash == NULL ? path : slash + 1;
    const bool is_absolute = slash == path;
    if (**last == '\0' || strcmp(*last, ".") == 0 || strcmp(*last, "..") == 0 || is_absolute) {
        errno = EXDEV;
        return -1;
    }
    if (slash != NULL) *slash = '\0';
    const struct open_how how = how_of(O_PATH | O_DIRECTORY);
    return open_beneath(root, slash == NULL ? "." : path, &how);
}

int32_t weft_beneath_delete(int root, const char *path)
{
    char copy[WEFT_BENEATH_NAME_BYTES];
    const char *last;
    snprintf(copy, sizeof(copy), "%s", path);
    const int parent = open_parent(root, copy, &last);
    if (parent < 0) return weft_beneath_ior(errno);
    const int32_t code = unlinkat(parent, last, 0) == 0 ? 0 : weft_beneath_ior(errno);
    close(parent);
    return code;
}

int32_t weft_beneath_rename(int root, const char *from, const char *to)
{
    char from_copy[WEFT_BENEATH_NAME_BYTES], to_copy[WEFT_BENEATH_NAME_BYTES];
    const char *from_last, *to_last;
    snprintf(from_copy, sizeof(from_copy), "%s", from);
    snprintf(to_copy, sizeof(to_copy), "%s", to);
    const int from_parent = open_parent(root, from_copy, &from_last);
    if (from_parent < 0) return weft_beneath_ior(errno);
    const int to_parent = open_parent(root, to_copy, &to_last);
    int32_t code = to_parent < 0 ? weft_beneath_ior(errno) : 0;
    if (to_parent >= 0) {
        const int renamed = renameat(from_parent, from_last, to_parent, to_last);
        code = renamed == 0 ? 0 : weft_beneath_ior(errno);
        close(to_parent);
    }
    close(from_parent);
    return code;
}

int64_t weft_beneath_status(int root, const char *path)
{
    struct stat stat;
    const struct open_how how = how_of(O_PATH);
    const int fd = open_beneath(root, path, &how);
    if (fd < 0) return weft_beneath_ior(errno);
    const int64_t mode = fstat(fd, &stat) == 0 ? (int64_t)stat.st_mode : weft_beneath_ior(errno);
    close(fd);
    return mode;
}
