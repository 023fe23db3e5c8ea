// init_socket.h: /run/weft/init.sock: what the admin port asks init to do.
//
// One line in, one line of JSON out, then the connection is closed. Root alone: the socket has mode
// 0600 and each peer is asked who it is.
//
//   status                what weft_init_socket.answer_status writes
//   bless                 this boot was good: its kernel is not counted any more
//   reboot | poweroff     in order
//   confirm               the configuration on trial stays
//   reset                 factory reset: the next boot empties the data partition; then a reboot
//   install DISK [erase]  the next boot copies the image onto that disk (install.h); then a reboot
//
// An answer is {"ok":true…} or {"ok":false,"error":"…"}.
//
// Core: the one thread of init, out of the loop. A peer that says nothing is let go after 5 s.
#ifndef WEFT_IMAGE_INIT_SOCKET_H
#define WEFT_IMAGE_INIT_SOCKET_H

#include <stddef.h>
#include <stdio.h>

#include "image/init/loop.h"

#define WEFT_INIT_SOCKET_PEERS_MAX 4

enum weft_init_socket_verb {
    WEFT_INIT_SOCKET_STATUS,
    WEFT_INIT_SOCKET_BLESS,
    WEFT_INIT_SOCKET_REBOOT,
    WEFT_INIT_SOCKET_POWEROFF,
    WEFT_INIT_SOCKET_RESET,
    WEFT_INIT_SOCKET_CONFIRM,
    WEFT_INIT_SOCKET_INSTALL,
    WEFT_INIT_SOCKET_UNKNOWN,
};

struct weft_init_socket_peer {
    struct weft_init_socket *server;
    int fd; // -1: free.
    char line[160];
    size_t used;
    struct weft_loop_timer timeout;
};

struct weft_init_socket {
    struct weft_loop *loop;
    int fd;
    // Does it, and writes the answer without its newline. `words` stand behind the verb; "" but for
    // install.
    void (*act)(void *self, enum weft_init_socket_verb verb, const char *words, FILE *answer);
    void *self;
    struct weft_init_socket_peer peers[WEFT_INIT_SOCKET_PEERS_MAX];
};

// Listens at `path`; what was there is replaced. Returns 0 or a negative errno.
int weft_init_socket_open(struct weft_init_socket *server, struct weft_loop *loop, const char *path,
                          void (*act)(void *self, enum weft_init_socket_verb verb,
                                      const char *words, FILE *answer),
                          void *self);
void weft_init_socket_close(struct weft_init_socket *server);

// The verb of a line without its newline, and what stands behind it.
enum weft_init_socket_verb weft_init_socket_verb_of(const char *line, const char **words);

#endif // WEFT_IMAGE_INIT_SOCKET_H
