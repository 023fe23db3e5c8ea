// node_log.h: what the first process and weftd say, kept on the data partition for who has no
// console (`weft node logs`).
//
// Each boot begins with a line "== boot TIME VERSION slot SLOT, BOOT-ID", by which boots are told
// apart (runtime/admin/kept_log.h). The file is moved aside as PATH.old at 1 MB, so two of them are
// the most there is. Nothing of it is synced: the file system does so within seconds, and a log
// that waited for the disk would hold up what it tells of.
//
// Core: the one thread of init. Memory: by value in its owner; all zero is a log that keeps what is
// said until it is opened.
#ifndef WEFT_IMAGE_NODE_LOG_H
#define WEFT_IMAGE_NODE_LOG_H

#include <stddef.h>
#include <stdint.h>

#define WEFT_NODE_LOG_BYTES_MAX   (1u << 20)
#define WEFT_NODE_LOG_EARLY_BYTES 4096

struct weft_node_log {
    const char *path; // NULL: not open.
    int fd;           // -1: the last line could not be written; the next one tries again.
    uint64_t bytes;
    size_t early_length; // Of what was said before there was a disk; what is too much is left out.
    char early[WEFT_NODE_LOG_EARLY_BYTES];
};

// Appends to `path`, which the caller keeps: `first`, then what was said before.
void weft_node_log_open(struct weft_node_log *log, const char *path, const char *first);
// One line, without its end.
void weft_node_log_line(struct weft_node_log *log, const char *line);
// The file lies on a file system that is to be left.
void weft_node_log_close(struct weft_node_log *log);

#endif // WEFT_IMAGE_NODE_LOG_H
