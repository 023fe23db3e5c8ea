#include "image/init/text_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
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

static int write_over(int fd, const char *text, size_t length, size_t cluster_bytes)
{
    struct stat status;
    if (fstat(fd, &status) != 0) return -errno;
    if (!S_ISREG(status.st_mode)) return -EINVAL;
    const uint64_t there = ((uint64_t)status.st_size + cluster_bytes - 1) / cluster_bytes;
    if (there != (length + cluster_bytes - 1) / cluster_bytes) return -ENOSPC;
    const ssize_t written = pwrite(fd, text, length, 0);
    if (written != (ssize_t)length) return written < 0 ? -errno : -EIO;
    if (ftruncate(fd, (off_t)length) != 0) return -errno;
    return fsync(fd) == 0 ? 0 : -errno;
}

int weft_text_file_write_over(const char *path, const char *text, size_t length,
                              size_t cluster_bytes)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -errno;
    const int result = write_over(fd, text, length, cluster_bytes);
    close(fd);
    return result;
}
