// aside.h: a question to a disk, asked by a process of its own: one that never answers keeps nobody
// but that.
//
// Core: the one thread of init. Memory: the caller's.
#ifndef WEFT_IMAGE_ASIDE_H
#define WEFT_IMAGE_ASIDE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WEFT_ASIDE_BYTES_MAX 4096 // PIPE_BUF: an answer goes through the pipe as one.

struct weft_aside {
    pid_t pid;
    int fd; // It tells here; -1: nobody was asked.
};

// Starts it. `work` runs in the copy and leaves its answer in `answer` there, which is then handed
// over. Files that were open are closed in it. Returns 0 or a negative errno.
int weft_aside_ask(struct weft_aside *aside, void (*work)(void *self), void *self,
                   const void *answer, size_t size);

// Waits for it, until `until_ns` of CLOCK_MONOTONIC. Returns 0 with the answer; -ETIMEDOUT: it was
// ended, which happens when the disk lets it go; or -EIO, or -ENOENT if nobody was asked.
int weft_aside_hear(struct weft_aside *aside, void *answer, size_t size, uint64_t until_ns);

// CLOCK_MONOTONIC now.
uint64_t weft_aside_now_ns(void);

#endif // WEFT_IMAGE_ASIDE_H
