#include "runtime/admin/kept_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK           "== boot "
#define FILE_BYTES_MAX (2u << 20) // Of a file that somebody else made larger, its end.

struct weft_kept_log {
    char path[256];
    char *text; // From `given` to `end` it is still to be given.
    size_t given, end;
    bool follow;
    int fd;     // Of the file that is written to now; -1: it is not there yet.
    off_t from; // Where what comes after the text begins.
};

// ---- Texts.

// The last mark that begins a line before `end`, or NULL.
static const char *last_mark(const char *text, size_t end)
{
    const size_t length = sizeof(MARK) - 1;

    for (size_t at = end; at-- > 0;) {
        if (end - at < length || memcmp(text + at, MARK, length) != 0) continue;
        if (at == 0 || text[at - 1] == '\n') return text + at;
    }
    return NULL;
}

const char *weft_kept_log_boot(const char *text, size_t length, uint64_t ago, size_t *boot_length)
{
    size_t end = length;

    while (end > 0) {
        const char *mark = last_mark(text, end);
        const size_t begin = mark != NULL ? (size_t)(mark - text) : 0;
        if (ago-- == 0) {
            *boot_length = end - begin;
            return text + begin;
        }
        end = begin;
    }
    return NULL;
}

size_t weft_kept_log_tail(const char *text, size_t length, uint64_t lines)
{
    size_t at = length;

    if (at > 0 && lines > 0) at--; // The end of the last line is no line.
    for (; at > 0; at--) {
        if (text[at - 1] == '\n' && lines-- <= 1) break;
    }
    return at;
}

// ---- Files.

// Adds the end of an open file to the text. Where it ended, or a negative errno.
static off_t add_file(int fd, char **text, size_t *length)
{
    struct stat status;

    if (fstat(fd, &status) != 0) return -errno;
    const off_t from = status.st_size > FILE_BYTES_MAX ? status.st_size - FILE_BYTES_MAX : 0;
    const size_t wanted = (size_t)(status.st_size - from);
    char *larger = realloc(*text, *length + wanted + 1);
    if (larger == NULL) return -ENOMEM;
    *text = larger;
    for (size_t done = 0; done < wanted;) {
        const ssize_t count =
            pread(fd, *text + *length, wanted - done, (off_t)(from + (off_t)done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        if (count == 0) break; // It is shorter by now.
        done += (size_t)count;
        *length += (size_t)count;
    }
    return status.st_size;
}

static bool is_same(int a, int b)
{
    struct stat one, other;

    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino &&
           one.st_dev == other.st_dev;
}

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

// The present file is opened first: moved aside in between, it is found twice and read once.
static int read_both(struct weft_kept_log *log, size_t *length)
{
    char path[sizeof(log->path) + 8];
    off_t end = 0;

    log->fd = open_file(log->path);
    if (log->fd < 0 && errno != ENOENT) return -errno;
    snprintf(path, sizeof(path), "%s.old", log->path);
    const int old = open_file(path);
    if (old < 0 && log->fd < 0) return -errno;
    if (old >= 0 && (log->fd < 0 || !is_same(old, log->fd)))
        end = add_file(old, &log->text, length);
    if (old >= 0) close(old);
    if (end >= 0 && log->fd >= 0) end = log->from = add_file(log->fd, &log->text, length);
    return end < 0 ? (int)end : 0;
}

int weft_kept_log_open(struct weft_kept_log **opened, const char *path, uint64_t ago,
                       uint64_t lines, bool follow)
{
    struct weft_kept_log *log = calloc(1, sizeof(*log));
    size_t length = 0, boot_length;

    *opened = NULL;
    if (log == NULL) return -ENOMEM;
    log->fd = -1;
    log->follow = follow && (ago == 0 || ago == WEFT_KEPT_LOG_ALL);
    int result = snprintf(log->path, sizeof(log->path), "%s", path) < (int)sizeof(log->path)
                     ? read_both(log, &length)
                     : -ENAMETOOLONG;
    const char *boot = log->text;
    boot_length = length;
    if (result == 0 && ago != WEFT_KEPT_LOG_ALL)
        boot = weft_kept_log_boot(log->text, length, ago, &boot_length);
    if (result == 0 && boot == NULL) result = -ENOENT;
    if (result != 0) {
        weft_kept_log_close(log);
        return result;
    }
    log->given = (size_t)(boot - log->text) + weft_kept_log_tail(boot, boot_length, lines);
    log->end = (size_t)(boot - log->text) + boot_length;
    *opened = log;
    return 0;
}

// ---- As a stream.

// The file that stands there since ours was moved aside; -1 while it is ours, or none.
static int next_file(const struct weft_kept_log *log)
{
    const int fd = open_file(log->path);

    if (fd < 0 || log->fd < 0 || !is_same(fd, log->fd)) return fd;
    close(fd);
    return -1;
}

static void turn_over(struct weft_kept_log *log, int next)
{
    if (log->fd >= 0) close(log->fd);
    log->fd = next;
    log->from = 0;
}

// What has come since. Looked for is the next file first: once it is there, nothing is added to
// ours any more, so one that is then read to its end has told all.
static ssize_t read_on(struct weft_kept_log *log, char *bytes, size_t limit)
{
    const int next = next_file(log);
    const ssize_t count = log->fd < 0 ? 0 : pread(log->fd, bytes, limit, log->from);

    if (count > 0) log->from += count;
    if (count == 0 && next >= 0)
        turn_over(log, next);
    else if (next >= 0)
        close(next);
    return count;
}

int64_t weft_kept_log_read(void *self, char *bytes, size_t limit)
{
    struct weft_kept_log *log = self;

    if (log->given < log->end) {
        const size_t left = log->end - log->given;
        const size_t count = left < limit ? left : limit;
        memcpy(bytes, log->text + log->given, count);
        log->given += count;
        return (int64_t)count;
    }
    if (!log->follow) return -1;
    const ssize_t count = read_on(log, bytes, limit);
    return count > 0 ? count : 0;
}

void weft_kept_log_close(void *self)
{
    struct weft_kept_log *log = self;

    if (log->fd >= 0) close(log->fd);
    free(log->text);
    free(log);
}
