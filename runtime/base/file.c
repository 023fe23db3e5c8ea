#include "runtime/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int weft_file_sync_directory(const char *path)
{
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');

    if (slash != NULL && snprintf(directory, sizeof(directory), "%.*s",
                                  slash == path ? 1 : (int)(slash - path), path) >= PATH_MAX)
        return -ENAMETOOLONG;
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int result = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return result;
}

static int write_whole(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        bytes += written;
        length -= (size_t)written;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

static int replace(const char *path, const char *ending, const void *bytes, size_t length,
                   mode_t mode)
{
    char beside[PATH_MAX];

    if (snprintf(beside, sizeof(beside), "%s%s", path, ending) >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    unlink(beside); // Left by a power failure. A link there is not followed either.
    const int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return -errno;
    int result = write_whole(fd, bytes, length);
    if (close(fd) != 0 && result == 0) result = -errno;
    if (result == 0 && rename(beside, path) != 0) result = -errno;
    if (result == 0) return weft_file_sync_directory(path);
    unlink(beside);
    return result;
}

int weft_file_replace(const char *path, const void *bytes, size_t length, mode_t mode)
{
    return replace(path, ".new", bytes, length, mode);
}

int weft_file_save(const char *path, const void *bytes, size_t length, mode_t mode)
{
    return replace(path, ".weft-new", bytes, length, mode);
}
