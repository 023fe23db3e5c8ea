// stream.h: a port of bytes in order, in and out: a connection, or a file from its start on.
//
//      kernel --> taking --> input.c: packets --> reads that wait, or the owner
//      kernel <-- giving <-- output.c: a queue <-- writes, which wait while it is long
//
// The two directions end apart: the peer's end (`has_end`), and ours (weft_output_finish).
#ifndef WEFT_PORT_STREAM_H
#define WEFT_PORT_STREAM_H

#include "runtime/port/framing.h"
#include "runtime/port/port.h"

#define WEFT_STREAM_SPANS 16 // Pieces that one operation sends.

struct weft_input {
    struct weft_io_op taking;
    bool is_taking;
    uint64_t offset; // Of a file: where it is read next,
    uint8_t *chunk;  // and into what.
    bool has_end;    // The peer sends no more,
    bool end_told;   // and the owner knows.
    int end_status;  // Why: 0, or what has gone wrong.
    uint8_t framing; // enum weft_framing
    uint32_t packet_max;
    // What has come and nobody has taken yet: less than a packet, or more than was wanted.
    uint8_t *bytes;
    uint32_t start, end, capacity;
    uint32_t scanned;         // Of it: looked at already.
    struct weft_list readers; // READ calls, oldest first.
};

struct weft_output {
    struct weft_io_op giving;
    bool is_giving;
    uint64_t offset;   // Of a file: where it is written next.
    bool is_finishing; // Nothing more is written.
    bool has_finished; // The peer has been told.
    int status;        // What the writing has failed with.
    uint8_t framing;
    uint32_t packet_max;
    uint32_t unsent_bytes, unsent_max;
    struct weft_list queue;   // Blocks; `reference` of each: bytes that it holds.
    uint32_t first_sent;      // Of the first.
    struct weft_list writers; // WRITE calls, oldest first.
    struct iovec spans[WEFT_STREAM_SPANS];
};

struct weft_stream {
    struct weft_port port;
    struct weft_input input;
    struct weft_output output;
    bool is_file;
    bool is_open;
    int open_status;             // What the opening has failed with.
    struct weft_message *opener; // The call that waits for it.
    uint32_t busy_count;         // Of a file: calls that are served, or wait for it.
    struct weft_timer linger;
    uint64_t linger_ns;
};

static inline struct weft_stream *weft_stream_of(struct weft_port *port)
{
    return WEFT_CONTAINER_OF(port, struct weft_stream, port);
}

// ---- stream.c

extern const struct weft_port_type weft_stream_tcp_type;

// What all streams have. After weft_port_make.
void weft_stream_init(struct weft_stream *stream, const struct weft_port_options *options);
struct weft_io_socket weft_stream_socket(const struct weft_port_options *options);
// A port for the connection `number` that has been accepted. 0; or a negative errno: it is thrown
// away.
int weft_stream_adopt(struct weft_ports *ports, weft_pid owner,
                      const struct weft_port_options *options, int32_t number,
                      struct weft_stream **stream);
// Starts to connect a new one. 0 or a negative errno.
int weft_stream_connect(struct weft_ports *ports, weft_pid owner,
                        const struct weft_address *address, const struct weft_port_options *options,
                        struct weft_stream **stream);
// It is open, or will not be: who waits for that is told.
void weft_stream_opened(struct weft_stream *stream, int status);
// The last of an orderly end, if nothing is unsent.
void weft_stream_close_on(struct weft_stream *stream);
void weft_stream_serve(struct weft_port *port, struct weft_message *call);
int weft_stream_obey(struct weft_port *port, uint16_t type, const void *bytes, size_t length);
struct weft_message *weft_stream_take_back(struct weft_port *port, uint64_t reference);
void weft_stream_get_on(struct weft_port *port);
void weft_stream_flush(struct weft_port *port);
void weft_stream_close(struct weft_port *port);
void weft_stream_abandon(struct weft_port *port);
bool weft_stream_is_idle(const struct weft_port *port);
void weft_stream_release(struct weft_port *port);
void weft_stream_describe(const struct weft_port *port, struct weft_port_info *info);

// ---- input.c

void weft_input_init(struct weft_stream *stream, const struct weft_port_options *options);
// Hands out what can be, and reads on if somebody wants it.
void weft_input_get_on(struct weft_stream *stream);
// More has come from outside: bytes, the end (0), or an error.
void weft_input_came(struct weft_stream *stream, const uint8_t *bytes, int32_t result);
// A read of the same core. Bytes, or a negative errno. -EAGAIN: it would have to wait; what it
// wants has been asked for.
int64_t weft_input_read(struct weft_stream *stream, void *to, size_t limit);
void weft_input_serve(struct weft_stream *stream, struct weft_message *call);
// Nothing more is wanted: reads that wait get `error`.
void weft_input_stop(struct weft_stream *stream, int error);
void weft_input_destroy(struct weft_stream *stream);

// ---- output.c

void weft_output_init(struct weft_stream *stream, const struct weft_port_options *options);
// A write. 0; -EAGAIN: it would have to wait; a negative errno.
int weft_output_write(struct weft_stream *stream, const void *bytes, size_t length);
void weft_output_serve(struct weft_stream *stream, struct weft_message *call);
void weft_output_flush(struct weft_stream *stream);
// So many bytes have gone, or a negative errno.
void weft_output_gone(struct weft_stream *stream, int32_t result);
int weft_output_finish(struct weft_stream *stream);
// Nothing more goes: writes that wait get `error`, what is unsent is dropped.
void weft_output_stop(struct weft_stream *stream, int error);

#endif // WEFT_PORT_STREAM_H
