// port.h: connections, files and datagrams for actors.
//
// A port is an actor of the runtime's own that stands between a descriptor and whoever owns it: it
// has a pid, can be monitored, linked and killed, and stays on the core where it was opened. Its
// owner is who opened it, until weft_port_give. What comes from outside is sent to the owner as
// messages of tag PORT (active, once) or waits to be asked for (passive, as all but UDP begin):
//
//   passive   weft_port_read, weft_tcp_accept: who wants something waits for it. Nothing is read
//             from the kernel before.
//   once      so many messages come by themselves, then a notice (WEFT_PORT_PASSIVE), and the port
//             is passive.
//   active    all come by themselves.
//
// Nothing runs over. An active port stops reading while its owner has not received `window_bytes`
// or 32 messages of it, or while the owner's mailbox is at its limit; then the kernel's buffer
// fills and the peer has to wait. A write waits while `unsent_max` bytes or more are unsent. None
// of a stream is ever dropped. Datagrams beyond the window are, and counted.
//
// A port ends with weft_port_close, with an error (active), or with its owner. What was written
// before still goes out, for up to `linger_ns`.
//
// Where:  as in actor.h. A port may be used from any core and by anybody who has its pid; where it
//         says "the owner", others get -EPERM.
// Memory: a copy of what is written, in the arenas of the two cores. A connection with nothing
//         under way takes about 1 KiB.
// Errors: 0 or a negative errno. -ESRCH: there is no such port (any more). -EINVAL: not for this
//         kind of port. -ENOTSUP: this core has no IO (a simulated node). -ENOMEM, -EMFILE.
#ifndef WEFT_PORT_H
#define WEFT_PORT_H

#include <weft/message.h>
#include <weft/types.h>

// ---- Addresses: IPv4, in host order: 127.0.0.1 is 0x7f000001.

struct weft_address {
    uint32_t host;
    uint16_t port;
};

#define WEFT_ADDRESS_TEXT 22 // "255.255.255.255:65535" and its end.

// Reads "10.0.0.1:80", all of `text`. 0; -EINVAL: it is no such thing.
int weft_address_parse(const char *text, struct weft_address *address);
// Writes it like that. Returns `text`.
const char *weft_address_print(const struct weft_address *address, char text[WEFT_ADDRESS_TEXT]);

// ---- What a port sends: `type` of a message of tag PORT, `from` the port.

enum weft_port_event {
    WEFT_PORT_DATA = 1, // Bytes of a stream: what came, or one packet (framing). Never empty.
    WEFT_PORT_DATAGRAM, // struct weft_datagram.
    WEFT_PORT_ACCEPTED, // struct weft_accepted: a new port, passive, with the same owner.
    WEFT_PORT_PASSIVE,  // As many as were wanted have come.
    WEFT_PORT_END,      // No more will come. It can still be written to; close it.
    WEFT_PORT_CLOSED    // It has ended by itself: weft_port_status says why. Nothing more comes.
};

struct weft_accepted {
    weft_pid port;
    struct weft_address peer;
};

struct weft_datagram {
    struct weft_address from;
    uint8_t bytes[]; // To the end of the message: weft_datagram_length.
};

static inline size_t weft_datagram_length(const struct weft_message *message)
{
    return message->length - offsetof(struct weft_datagram, bytes);
}

// Of CLOSED: the negative errno, such as -ECONNRESET, -EMSGSIZE (a packet beyond packet_max),
// -EPROTO (the end came within a packet). 0 of every other message.
int weft_port_status(const struct weft_message *message);

// ---- What can be chosen when a port is opened. 0 stands for what is said behind it. -EINVAL: a
// packet_max beyond 64 MiB, a window or unsent_max beyond 1 GiB.

enum weft_framing {        // What one DATA message, or one read, is.
    WEFT_FRAMING_RAW,      // As it comes.
    WEFT_FRAMING_LINE,     // To the next '\n', which is included. The last may lack it.
    WEFT_FRAMING_LENGTH_1, // Behind its length, of 1, 2 or 4 bytes, big-endian, which is taken
    WEFT_FRAMING_LENGTH_2, // off; a write puts it in front.
    WEFT_FRAMING_LENGTH_4
};

struct weft_port_options {
    uint8_t framing;       // enum weft_framing. Of a stream.
    uint32_t packet_max;   // Bytes of one packet or line: 65 536.
    uint32_t window_bytes; // Sent to the owner and not received: 65 536; 32 messages at most.
    uint32_t unsent_max;   // Bytes above which a write waits: 65 536.
    uint64_t linger_ns;    // What is unsent when it is closed has so long: 5 s.
    // Of TCP.
    uint32_t backlog;       // Of a listener: connections not accepted yet. 1 024.
    bool is_shared;         // Several listeners, on several cores, share the address.
    bool delays;            // Small writes wait for company (Nagle). Ours are gathered already.
    uint32_t receive_bytes; // The kernel's buffers: its own choice.
    uint32_t send_bytes;    // Likewise.
    uint32_t keepalive_s;   // A silent peer is asked after so long, and given up after twice that.
    uint32_t unanswered_ms; // A peer that acknowledges nothing is given up after so long.
};

// ---- TCP. Connections that a listener accepts have its options. `options` may be NULL.

// Listens at `address`; port 0: any, see weft_port_info. 0 and *port; -EADDRINUSE, -EACCES,
// -EADDRNOTAVAIL, -EMFILE, -ENOMEM.
int weft_tcp_listen(struct weft_actor *self, const struct weft_address *address,
                    const struct weft_port_options *options, weft_pid *port);
// Waits for a connection to a passive listener: its port belongs to the caller. `peer` may be NULL.
// 0; -EAGAIN (timeout 0), -ETIMEDOUT, -EBUSY: the listener is active; -EMFILE: no descriptors are
// left, try again; -EPIPE: it was closed.
int weft_tcp_accept(struct weft_actor *self, weft_pid listener, uint64_t timeout_ns, weft_pid *port,
                    struct weft_address *peer);
// Connects, waiting for it. 0; -ECONNREFUSED, -ETIMEDOUT (ours or the kernel's), -EHOSTUNREACH, …
int weft_tcp_connect(struct weft_actor *self, const struct weft_address *address,
                     const struct weft_port_options *options, uint64_t timeout_ns, weft_pid *port);

// ---- Any port.

enum weft_port_mode { WEFT_PORT_MODE_PASSIVE, WEFT_PORT_MODE_ONCE, WEFT_PORT_MODE_ACTIVE };

// The owner says how it wants what comes. `count`, of ONCE: messages, at least one. Reads that wait
// get -EBUSY unless it is PASSIVE. 0; -EPERM; what has ended the port; -EPIPE: it is closed.
int weft_port_mode(struct weft_actor *self, weft_pid port, enum weft_port_mode mode,
                   uint32_t count);
// The owner makes `to` the owner. What has been sent to the old one stays with it, so give a port
// away while it is passive. 0; -EPERM, -ESRCH: no such actor on this node; -ENOMEM.
int weft_port_give(struct weft_actor *self, weft_pid port, weft_pid to);
// What was written goes out, then it ends; nothing more comes. 0, -ESRCH. A weft_kill of it ends it
// at once, and the peer gets a reset if something was unsent.
int weft_port_close(struct weft_actor *self, weft_pid port);

enum weft_port_kind {
    WEFT_PORT_KIND_LISTENER,
    WEFT_PORT_KIND_TCP,
    WEFT_PORT_KIND_FILE,
    WEFT_PORT_KIND_UDP
};

struct weft_port_info {
    uint8_t kind; // enum weft_port_kind
    uint8_t mode; // enum weft_port_mode
    weft_pid owner;
    struct weft_address local, peer;         // Zero where it has none.
    uint64_t received_bytes, received_count; // From outside; messages and answers made of them.
    uint64_t sent_bytes, sent_count;         // To outside; writes taken.
    uint64_t dropped_count;                  // Datagrams; connections refused for want of memory.
    uint64_t paused_count;                   // Times that it stopped reading for its owner.
    uint64_t waited_count;                   // Writes that had to wait.
    uint32_t unsent_bytes;
    uint32_t window_used; // Bytes sent to the owner and not received.
};
int weft_port_info(struct weft_actor *self, weft_pid port, struct weft_port_info *info);

// ---- Streams: connections, and files in order.

// Waits for bytes of a passive port: up to `limit` of them, or one packet. How many: 0 only if a
// packet is empty. -ENODATA: no more will come; -EAGAIN (timeout 0), -ETIMEDOUT: nothing was taken;
// -EBUSY: it is active; -EMSGSIZE: a packet is longer than `limit`: it stays; -ENOMEM: nothing is
// lost; -ECONNRESET, …: what has ended it, each time; -EPIPE: it was closed.
int64_t weft_port_read(struct weft_actor *self, weft_pid port, void *bytes, size_t limit,
                       uint64_t timeout_ns);
// Writes all of `bytes`, waiting while too much is unsent (timeout 0: does not wait). What several
// writes of a turn have left goes out together. 0: it will go, unless the port fails. -EAGAIN,
// -ETIMEDOUT: nothing of it was taken; -EPIPE: closed or finished; -ECONNRESET, -ENOSPC, …: what
// has ended it; -EMSGSIZE: longer than a packet can be; -ENOMEM.
int weft_port_write(struct weft_actor *self, weft_pid port, const void *bytes, size_t length,
                    uint64_t timeout_ns);
// Nothing more is written: the peer gets an end behind all that was. 0; -EPIPE: it was already.
int weft_port_finish(struct weft_actor *self, weft_pid port);

// ---- Files. As streams they are read, and written, from the start on, each with a place of its
// own (with O_APPEND: written at the end). Regular files only. A device or a pipe holds up a
// thread.

// Opens `path` with the flags of open(2); `mode` of a new file. 0; -ENOENT, -EACCES, …
int weft_file_open(struct weft_actor *self, const char *path, int flags, uint32_t mode,
                   const struct weft_port_options *options, weft_pid *port);
// Reads at `offset`, until `length` bytes or the end. How many, or a negative errno.
int64_t weft_file_read(struct weft_actor *self, weft_pid port, uint64_t offset, void *bytes,
                       size_t length);
// Writes all of it at `offset`. How many: fewer than `length` if it failed after them, as when the
// disk got full; a negative errno: nothing was written.
int64_t weft_file_write(struct weft_actor *self, weft_pid port, uint64_t offset, const void *bytes,
                        size_t length);
// 0: what was written before is on the disk, to be found after a crash.
int weft_file_sync(struct weft_actor *self, weft_pid port);

// ---- UDP: of a node, on its own addresses and its data plane; of a program, the kernel's.

// Takes `address->port` (0: any that is free). `host`: 0 for all; of a node it is ignored. The
// port is active; what comes while it is passive is dropped. 0; -EADDRINUSE, -EACCES, -ENOSPC,
// -ENOTSUP.
int weft_udp_open(struct weft_actor *self, const struct weft_address *address,
                  const struct weft_port_options *options, weft_pid *port);
// Sends one datagram, and does not wait. 0: it is on its way, or lost there. -EMSGSIZE;
// -ENETUNREACH; -ENOBUFS: too much at once.
int weft_udp_send_to(struct weft_actor *self, weft_pid port, const struct weft_address *to,
                     const void *bytes, size_t length);

#endif // WEFT_PORT_H
