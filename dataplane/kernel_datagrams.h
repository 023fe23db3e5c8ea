// kernel_datagrams.h: struct weft_datagrams on the kernel's sockets, for programs without a data
// plane of their own: readiness from struct weft_io, then as many as have come.
#ifndef WEFT_DATAPLANE_KERNEL_DATAGRAMS_H
#define WEFT_DATAPLANE_KERNEL_DATAGRAMS_H

#include "runtime/env/datagram.h"
#include "runtime/mem/arena.h"

#define WEFT_KERNEL_DATAGRAM_MAX 65507 // What UDP over IPv4 can carry.

struct weft_kernel_datagrams {
    struct weft_io io;
    struct weft_arena *arena; // For the sockets.
    uint8_t bytes[WEFT_KERNEL_DATAGRAM_MAX + 1];
};

// `io` and `arena` outlive it, and the sockets: those that are closed end with the next polls.
void weft_kernel_datagrams_init(struct weft_kernel_datagrams *datagrams, const struct weft_io *io,
                                struct weft_arena *arena);
struct weft_datagrams weft_kernel_datagrams_interface(struct weft_kernel_datagrams *datagrams);

#endif // WEFT_DATAPLANE_KERNEL_DATAGRAMS_H
