// datagram.h: UDP of one core, as an interface: the node's own ports on its data plane
// (runtime/node/datagrams.c), or the kernel's (dataplane/kernel_datagrams.c).
//
// Core: everything is called on the core that owns it, and so is `came`.
#ifndef WEFT_ENV_DATAGRAM_H
#define WEFT_ENV_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/env/io.h"

struct weft_datagram_socket { // Embedded in its owner.
    // One has come. `bytes` are valid until it returns.
    void (*came)(struct weft_datagram_socket *socket, const struct weft_io_address *from,
                 const uint8_t *bytes, size_t length);
    struct weft_io_address address; // Its own; `host` 0: any of this machine.
    void *own;                      // The implementation's.
};

struct weft_datagrams {
    // Takes a port: that of socket->address, which is filled in; 0: any that is free. 0;
    // -EADDRINUSE, -EACCES, -ENOSPC, -ENOMEM, -EMFILE.
    int (*open)(void *self, struct weft_datagram_socket *socket);
    // Sends a copy. 0: it is on its way, or lost there; -EMSGSIZE, -ENETUNREACH, -ENOBUFS.
    int (*send)(void *self, struct weft_datagram_socket *socket, const struct weft_io_address *to,
                const void *bytes, size_t length);
    // `came` is not called any more. The socket's memory is the owner's again.
    void (*close)(void *self, struct weft_datagram_socket *socket);
    void *self;
};

#endif // WEFT_ENV_DATAGRAM_H
