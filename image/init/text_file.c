#include "image/init/text_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t weft_text_file_read(const char *path, char *text, size_t size)
{
    size_t used = 0;
    ssize_t taken = 1;
    text[0] = '\0';
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return -errno;
    while (used < size && (taken = read(fd, text + used, size - used)) > 0) {
        used += (size_t)taken;
    }
    const int failure = errno;
    close(fd);
    text[used < size ? used : size - 1] = '\0';
    if (taken < 0) return -failure;
    return used < size ? (ssize_t)used : -EFBIG;
}

int weft_text_file_line(const char *path, char *text, size_t size)
{
    const ssize_t length = weft_text_file_read(path, text, size);
    if (length < 0) {
        text[0] = '\0';
        return (int)length;
    }
    size_t end = strlen(text);
    while (end > 0 && isspace((unsigned char)text[end - 1])) {
        text[--end] = '\0';
    }
    return 0;
}

int weft_text_file_set(const char *path, const char *text)
{
    const size_t length = strlen(text);
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return -errno;
    const ssize_t written = write(fd, text, length);
    const int failure = written < 0 ? -errno : written == (ssize_t)length ? 0 : -EIO;
    close(fd);
    return failure;
}

int weft_text_file_sync_directory(const char *path)
{
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL)
        snprintf(directory, sizeof(directory), "%.*s", slash == path ? 1 : (int)(slash - path),
                 path);
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

int weft_text_file_replace(const char *path, const void *bytes, size_t length, mode_t mode)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    unlink(beside); // Left by a power failure.
    const int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return -errno;
    int result = write_whole(fd, bytes, length);
    if (close(fd) != 0 && result == 0) result = -errno;
    if (result == 0 && rename(beside, path) != 0) result = -errno;
    if (result == 0) return weft_text_file_sync_directory(path);
    unlink(beside);
    return result;
}
