// uring_io.h: struct weft_io on a worker's ring.
//
// A RECEIVE takes no memory while it waits: the kernel picks one of a few buffers that all of a
// core share when there is something to put there (IORING_REGISTER_PBUF_RING, Linux 5.19), and has
// it back as soon as the owner has looked. It is single-shot on purpose: one that is not armed
// reads nothing, so back-pressure is exact, and a multishot receive was measured no faster. Accept
// is multishot where the owner takes many.
//
// The ring belongs to a thread and may go before the operations do: detach takes them out of it,
// and attach puts them into another, so that a program may run its workers again on other threads.
//
// Core: that of the ring. Memory: the buffers are mapped by attach.
#ifndef WEFT_DATAPLANE_URING_IO_H
#define WEFT_DATAPLANE_URING_IO_H

#include "dataplane/uring.h"
#include "runtime/env/io.h"

#define WEFT_URING_IO_BUFFERS 64 // Of WEFT_IO_RECEIVE_MAX bytes each. A power of two.

struct weft_uring_io {
    struct weft_uring *uring;   // NULL: detached.
    struct weft_list handles;   // Open.
    struct weft_list under_way; // In the kernel.
    struct weft_list waiting;   // For room in the ring, or for a ring.
    struct weft_list over;      // Ended here; told by the next poll.
    uint32_t handle_count, handle_count_max;
    bool parks;                        // Detaching: what the kernel gives back waits.
    bool is_old;                       // Set by a test: neither buffer rings nor multishot accept.
    bool owes_cancels;                 // There was no room to ask for some that are cancelled.
    bool accepts_singly;               // The kernel has no multishot accept.
    struct io_uring_buf_ring *buffers; // NULL: the kernel has none: poll, then recv.
    uint8_t *bytes;                    // What they point to; or one, for recv.
    uint64_t short_of_buffers;         // Receives that had to be tried again.
};

// No more than `handle_count_max` handles are open at once.
void weft_uring_io_init(struct weft_uring_io *io, uint32_t handle_count_max);
// On the ring's thread: the operations that wait go into it. 0, -ENOMEM.
int weft_uring_io_attach(struct weft_uring_io *io, struct weft_uring *uring);
// On the ring's thread, before the ring goes: takes all operations out of it, and waits for that.
void weft_uring_io_detach(struct weft_uring_io *io);
// Detached: ends every operation with -ECANCELED and closes every handle.
void weft_uring_io_close(struct weft_uring_io *io);

struct weft_io weft_uring_io_interface(struct weft_uring_io *io);
// To be added in front of the ring's own poller.
struct weft_poller weft_uring_io_poller(struct weft_uring_io *io);

#endif // WEFT_DATAPLANE_URING_IO_H
