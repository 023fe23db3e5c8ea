#include "image/init/node_log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void keep_early(struct weft_node_log *log, const char *line)
{
    const size_t length = strlen(line);
    if (length + 1 > sizeof(log->early) - log->early_length) return;
    memcpy(log->early + log->early_length, line, length);
    log->early_length += length;
    log->early[log->early_length++] = '\n';
}

static void move_aside(struct weft_node_log *log)
{
    char old[PATH_MAX];
    close(log->fd);
    log->fd = -1;
    if (snprintf(old, sizeof(old), "%s.old", log->path) < (int)sizeof(old)) rename(log->path, old);
}

static void append(struct weft_node_log *log, const char *bytes, size_t length)
{
    if (log->fd >= 0 && log->bytes > WEFT_NODE_LOG_BYTES_MAX) move_aside(log);
    if (log->fd < 0) {
        log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
        const off_t end = log->fd < 0 ? 0 : lseek(log->fd, 0, SEEK_END);
        log->bytes = end > 0 ? (uint64_t)end : 0;
    }
    // A disk that is full or broken stops nothing.
    const ssize_t written = log->fd < 0 ? 0 : write(log->fd, bytes, length);
    if (written > 0) log->bytes += (uint64_t)written;
}

void weft_node_log_line(struct weft_node_log *log, const char *line)
{
    char text[1100]; // Lines of weftd's are cut before they are as long (daemon.h).
    if (log->path == NULL) {
        keep_early(log, line);
        return;
    }
    int length = snprintf(text, sizeof(text), "%s\n", line);
    if (length >= (int)sizeof(text)) {
        length = (int)sizeof(text) - 1;
        text[length - 1] = '\n';
    }
    append(log, text, (size_t)length);
}

void weft_node_log_open(struct weft_node_log *log, const char *path, const char *first)
{
    log->path = path;
    log->fd = -1;
    weft_node_log_line(log, first);
    append(log, log->early, log->early_length);
    log->early_length = 0;
}

void weft_node_log_close(struct weft_node_log *log)
{
    if (log->path != NULL && log->fd >= 0) close(log->fd);
    *log = (struct weft_node_log){.path = NULL};
}
