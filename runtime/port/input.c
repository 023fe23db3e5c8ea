// input.c: what comes from outside, to whoever wants it: reads that wait, or the owner.
//
// What has just come is handed out from where it lies; only what is left over is kept, and while a
// whole packet is kept nothing more is read. So a port holds less than a packet and one receive.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/stream.h"

static int start_taking(struct weft_stream *stream, uint32_t limit);

void weft_input_init(struct weft_stream *stream, const struct weft_port_options *options)
{
    struct weft_input *input = &stream->input;
    input->framing = options->framing;
    input->packet_max = options->packet_max != 0 ? options->packet_max : WEFT_PORT_PACKET_MAX;
    weft_list_init(&input->readers);
}

// ---- What is kept.

static struct weft_span kept(const struct weft_input *input)
{
    return weft_span_of(input->bytes + input->start, input->end - input->start);
}

static void release(struct weft_stream *stream)
{
    struct weft_input *input = &stream->input;
    if (input->bytes != NULL)
        weft_arena_release(weft_port_system(&stream->port)->arena, input->bytes, input->capacity);
    input->bytes = NULL;
    input->start = input->end = input->capacity = 0;
}

void weft_input_destroy(struct weft_stream *stream)
{
    struct weft_input *input = &stream->input;
    release(stream);
    if (input->chunk != NULL)
        weft_arena_release(weft_port_system(&stream->port)->arena, input->chunk,
                           WEFT_IO_RECEIVE_MAX);
    input->chunk = NULL;
}

// Room for `more` bytes behind what is kept. It grows by what has come, not by what a peer says
// will come.
static int make_room(struct weft_stream *stream, uint32_t more)
{
    struct weft_input *input = &stream->input;
    struct weft_arena *arena = weft_port_system(&stream->port)->arena;
    const uint32_t length = input->end - input->start;
    if (input->capacity - input->end >= more) return 0;
    if (input->capacity - length >= more) {
        memmove(input->bytes, input->bytes + input->start, length);
    } else {
        uint32_t capacity = input->capacity != 0 ? input->capacity : 512;
        while (capacity - length < more)
            capacity *= 2;
        uint8_t *bytes = weft_arena_alloc(arena, capacity);
        if (bytes == NULL) return -ENOMEM;
        if (length > 0) memcpy(bytes, input->bytes + input->start, length);
        if (input->bytes != NULL) weft_arena_release(arena, input->bytes, input->capacity);
        input->bytes = bytes;
        input->capacity = capacity;
    }
    input->start = 0;
    input->end = length;
    return 0;
}

static int keep(struct weft_stream *stream, struct weft_span span)
{
    struct weft_input *input = &stream->input;
    const int result = make_room(stream, (uint32_t)span.length);
    if (result != 0) return result;
    memcpy(input->bytes + input->end, span.data, span.length);
    input->end += (uint32_t)span.length;
    return 0;
}

// ---- The next packet.

// Of `bytes`, which is not empty. How much of it is done with; 0: no whole packet is there.
static int64_t next_packet(struct weft_input *input, struct weft_span bytes, uint64_t limit,
                           struct weft_span *packet)
{
    if (input->framing == WEFT_FRAMING_RAW) {
        *packet = weft_span_of(bytes.data, bytes.length < limit ? bytes.length : limit);
        return (int64_t)packet->length;
    }
    const int64_t done = weft_framing_next((enum weft_framing)input->framing, input->packet_max,
                                           bytes, &input->scanned, packet);
    if (done != 0 || !input->has_end) return done;
    if (input->framing != WEFT_FRAMING_LINE) return -EPROTO; // The end, within a packet.
    *packet = bytes;                                         // The last line.
    input->scanned = 0;
    return (int64_t)bytes.length;
}

static void count(struct weft_stream *stream)
{
    stream->port.received_count++;
}

// ---- Who wants it.

static struct weft_message *first_reader(const struct weft_input *input)
{
    return weft_list_empty(&input->readers) ? NULL : weft_message_of(input->readers.next);
}

static struct weft_port_ask ask_of(const struct weft_message *call)
{
    struct weft_port_ask ask = {0};
    if (call->length == sizeof(ask)) memcpy(&ask, call->payload, sizeof(ask));
    return ask;
}

static void fail_first(struct weft_stream *stream, int error)
{
    struct weft_list *link = weft_list_pop(&stream->input.readers);
    weft_call_fail(weft_port_system(&stream->port), weft_message_of(link), error);
}

// The first read gets `packet`. False: it could not be given, and stays.
static bool give_reader(struct weft_stream *stream, struct weft_message *call,
                        struct weft_span packet)
{
    if (packet.length > ask_of(call).limit) {
        fail_first(stream, -EMSGSIZE);
        return false;
    }
    struct weft_message *answer =
        weft_message_alloc_hidden(weft_port_system(&stream->port), (uint32_t)packet.length);
    if (answer == NULL) {
        fail_first(stream, -ENOMEM);
        return false;
    }
    if (packet.length > 0) memcpy(answer->payload, packet.data, packet.length);
    weft_list_remove(weft_message_link(call));
    weft_port_answer(&stream->port, call, answer);
    count(stream);
    return true;
}

static bool give_owner(struct weft_stream *stream, struct weft_span packet)
{
    struct weft_message *message =
        weft_port_message(&stream->port, WEFT_PORT_DATA, (uint32_t)packet.length);
    if (message == NULL) {
        weft_port_fail(&stream->port, -ENOMEM);
        return false;
    }
    if (packet.length > 0) memcpy(message->payload, packet.data, packet.length);
    weft_port_deliver(&stream->port, message);
    count(stream);
    return true;
}

// Nothing of it can be understood any more.
static void end_with(struct weft_stream *stream, int error)
{
    struct weft_input *input = &stream->input;
    input->start = input->end = 0;
    input->has_end = true;
    input->end_status = error;
}

// Hands out packets of *bytes for as long as somebody wants one. True if somebody still does, and
// there is none.
static bool hand_out(struct weft_stream *stream, struct weft_span *bytes)
{
    struct weft_input *input = &stream->input;
    for (;;) {
        struct weft_message *call = first_reader(input);
        struct weft_span packet = {0};
        if (call == NULL && !weft_port_may_deliver(&stream->port)) return false;
        if (bytes->length == 0) return true;
        const int64_t done =
            next_packet(input, *bytes, call != NULL ? ask_of(call).limit : UINT64_MAX, &packet);
        if (done == 0) return true;
        if (done < 0) {
            end_with(stream, (int)done);
            bytes->length = 0;
            return true;
        }
        const bool is_gone =
            call != NULL ? give_reader(stream, call, packet) : give_owner(stream, packet);
        if (!is_gone && call == NULL) return false;
        if (!is_gone) continue;
        bytes->data += done;
        bytes->length -= (size_t)done;
    }
}

static void hand_out_kept(struct weft_stream *stream, bool *wants_more)
{
    struct weft_input *input = &stream->input;
    struct weft_span bytes = kept(input);
    const size_t before = bytes.length;
    *wants_more = hand_out(stream, &bytes);
    if (input->end > input->start) input->start += (uint32_t)(before - bytes.length);
    if (input->start == input->end) release(stream);
}

// ---- The end, and going on.

// All that came has been handed out, and nothing more will come.
static void tell_end(struct weft_stream *stream)
{
    struct weft_input *input = &stream->input;
    while (!weft_list_empty(&input->readers))
        fail_first(stream, input->end_status != 0 ? input->end_status : -ENODATA);
    if (input->end_told || stream->port.mode == WEFT_PORT_MODE_PASSIVE) return;
    if (input->end_status != 0) {
        input->end_told = true;
        weft_port_fail(&stream->port, input->end_status);
        return;
    }
    if (!weft_port_may_deliver(&stream->port)) return;
    input->end_told = true;
    struct weft_message *message = weft_port_message(&stream->port, WEFT_PORT_END, 0);
    if (message != NULL)
        weft_port_deliver(&stream->port, message);
    else
        weft_port_fail(&stream->port, -ENOMEM);
}

// Only a read of RAW says how much it wants.
static uint32_t raw_limit(const struct weft_input *input, size_t limit)
{
    const bool is_all = input->framing != WEFT_FRAMING_RAW || limit > WEFT_IO_RECEIVE_MAX;
    return is_all ? WEFT_IO_RECEIVE_MAX : (uint32_t)limit;
}

static uint32_t wanted_bytes(const struct weft_input *input)
{
    const struct weft_message *call = first_reader(input);
    return raw_limit(input, call != NULL ? ask_of(call).limit : SIZE_MAX);
}

// Nothing is lost yet, and whoever wants it hears that it will not come.
static void tell_refused(struct weft_stream *stream, int error)
{
    while (!weft_list_empty(&stream->input.readers))
        fail_first(stream, error);
    if (stream->port.mode != WEFT_PORT_MODE_PASSIVE) weft_port_fail(&stream->port, error);
}

void weft_input_get_on(struct weft_stream *stream)
{
    struct weft_input *input = &stream->input;
    bool wants_more;
    if (stream->port.is_closing || !stream->is_open) return;
    if (stream->port.mode != WEFT_PORT_MODE_PASSIVE)
        weft_port_fail_calls(&stream->port, &input->readers, -EBUSY);
    hand_out_kept(stream, &wants_more);
    if (input->has_end && input->start == input->end) tell_end(stream);
    if (!wants_more || input->is_taking || input->has_end || stream->port.is_closing) return;
    const int result = start_taking(stream, wanted_bytes(input));
    if (result != 0) tell_refused(stream, result);
}

static void taken(struct weft_io_op *op, int32_t result)
{
    struct weft_input *input = WEFT_CONTAINER_OF(op, struct weft_input, taking);
    struct weft_stream *stream = WEFT_CONTAINER_OF(input, struct weft_stream, input);
    input->is_taking = false;
    if (stream->is_file && result > 0) input->offset += (uint64_t)result;
    if (stream->port.actor == NULL || stream->port.ports->is_over)
        weft_port_settle(&stream->port);
    else
        weft_input_came(stream, stream->is_file ? input->chunk : op->bytes, result);
}

// 0, -ENOMEM.
static int start_taking(struct weft_stream *stream, uint32_t limit)
{
    struct weft_input *input = &stream->input;
    struct weft_io_op *op = &input->taking;
    const struct weft_io *io = &stream->port.ports->io;
    if (stream->is_file && input->chunk == NULL) {
        input->chunk =
            weft_arena_alloc(weft_port_system(&stream->port)->arena, WEFT_IO_RECEIVE_MAX);
        if (input->chunk == NULL) return -ENOMEM;
    }
    op->kind = stream->is_file ? WEFT_IO_READ : WEFT_IO_RECEIVE;
    op->handle = &stream->port.handle;
    op->done = taken;
    op->count = limit;
    op->to = input->chunk;
    op->offset = input->offset;
    input->is_taking = true;
    io->start(io->self, op);
    return 0;
}

void weft_input_came(struct weft_stream *stream, const uint8_t *bytes, int32_t result)
{
    struct weft_input *input = &stream->input;
    if (stream->port.is_closing) {
        weft_stream_close_on(stream);
        return;
    }
    if (result == -ECANCELED) { // Of a read that waits no more.
        weft_input_get_on(stream);
        return;
    }
    if (result <= 0) {
        input->has_end = true;
        // Whoever of the two directions hears of an error first has it from the kernel; once.
        input->end_status = result < 0 ? result : stream->output.status;
    } else {
        struct weft_span span = weft_span_of(bytes, (size_t)result);
        stream->port.received_bytes += (uint64_t)result;
        weft_counter_add(&stream->port.ports->stats.received_bytes, (uint64_t)result);
        if (input->start == input->end) hand_out(stream, &span);
        if (span.length > 0 && !stream->port.is_closing && keep(stream, span) != 0)
            end_with(stream, -ENOMEM);
    }
    weft_input_get_on(stream);
}

// ---- Reads.

int64_t weft_input_read(struct weft_stream *stream, void *to, size_t limit)
{
    struct weft_input *input = &stream->input;
    struct weft_span bytes = kept(input), packet;
    if (stream->port.is_closing) return -EPIPE;
    if (stream->port.mode != WEFT_PORT_MODE_PASSIVE) return -EBUSY;
    if (!weft_list_empty(&input->readers)) return -EAGAIN;
    const int64_t done =
        bytes.length > 0 ? next_packet(input, bytes, limit, &packet) : input->end_status;
    if (done < 0) {
        if (bytes.length > 0) end_with(stream, (int)done);
        return done;
    }
    if (done == 0) {
        if (input->has_end) return -ENODATA;
        const int result = input->is_taking || !stream->is_open
                               ? 0
                               : start_taking(stream, raw_limit(input, limit));
        return result != 0 ? result : -EAGAIN;
    }
    if (packet.length > limit) return -EMSGSIZE;
    if (packet.length > 0) memcpy(to, packet.data, packet.length);
    input->start += (uint32_t)done;
    if (input->start == input->end) release(stream);
    count(stream);
    return (int64_t)packet.length;
}

void weft_input_serve(struct weft_stream *stream, struct weft_message *call)
{
    if (stream->port.mode != WEFT_PORT_MODE_PASSIVE) {
        weft_call_fail(weft_port_system(&stream->port), call, -EBUSY);
        return;
    }
    const uint64_t reference = call->reference;
    const bool waits = !ask_of(call).now;
    weft_list_append(&stream->input.readers, weft_message_link(call));
    weft_input_get_on(stream);
    if (waits) return;
    call = weft_port_take_call(&stream->input.readers, reference);
    if (call != NULL) weft_call_fail(weft_port_system(&stream->port), call, -EAGAIN);
}

void weft_input_stop(struct weft_stream *stream, int error)
{
    struct weft_input *input = &stream->input;
    const struct weft_io *io = &stream->port.ports->io;
    weft_port_fail_calls(&stream->port, &input->readers, error);
    if (input->is_taking) io->cancel(io->self, &input->taking);
    input->start = input->end = 0;
}
