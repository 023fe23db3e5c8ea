// output.c: what goes outside: a queue of blocks, sent at the end of the turn in which it was
// written, several at once.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/stream.h"

#define BLOCK_BYTES 464 // Content of a block of 512: small writes share one.

void weft_output_init(struct weft_stream *stream, const struct weft_port_options *options)
{
    struct weft_output *output = &stream->output;
    output->framing = options->framing;
    output->packet_max = options->packet_max != 0 ? options->packet_max : WEFT_PORT_PACKET_MAX;
    output->unsent_max = options->unsent_max != 0 ? options->unsent_max : WEFT_PORT_UNSENT_MAX;
    weft_list_init(&output->queue);
    weft_list_init(&output->writers);
}

// ---- The queue.

static struct weft_message *last_of(const struct weft_output *output)
{
    return weft_list_empty(&output->queue) ? NULL : weft_message_of(output->queue.prev);
}

// A block at the end of the queue with room for `length` bytes. NULL: no memory.
static struct weft_message *block_for(struct weft_stream *stream, size_t length)
{
    struct weft_output *output = &stream->output;
    struct weft_message *last = last_of(output);
    if (last != NULL && last->length - last->reference >= length) return last;
    const uint32_t bytes = length > BLOCK_BYTES ? (uint32_t)length : BLOCK_BYTES;
    struct weft_message *block = weft_message_alloc_hidden(weft_port_system(&stream->port), bytes);
    if (block == NULL) return NULL;
    block->reference = 0; // Bytes that it holds.
    weft_list_append(&output->queue, weft_message_link(block));
    return block;
}

static void append(struct weft_message *block, const void *bytes, size_t length)
{
    if (length > 0) memcpy(block->payload + block->reference, bytes, length);
    block->reference += length;
}

static void drop_queue(struct weft_stream *stream)
{
    struct weft_output *output = &stream->output;
    for (struct weft_list *link; (link = weft_list_pop(&output->queue)) != NULL;)
        weft_message_release_block(weft_port_system(&stream->port), weft_message_of(link));
    output->unsent_bytes = output->first_sent = 0;
}

// ---- Writing.

int weft_output_write(struct weft_stream *stream, const void *bytes, size_t length)
{
    struct weft_output *output = &stream->output;
    uint8_t head[WEFT_FRAMING_HEAD_MAX];
    if (output->status != 0) return output->status;
    if (stream->port.is_closing || output->is_finishing) return -EPIPE;
    const int head_bytes = weft_framing_head_put((enum weft_framing)output->framing, length, head);
    if (head_bytes < 0) return head_bytes;
    if (head_bytes > 0 && length > output->packet_max) return -EMSGSIZE;
    if (length > UINT32_MAX / 4) return -ENOMEM;
    if (output->unsent_bytes >= output->unsent_max) return -EAGAIN;
    const size_t all = (size_t)head_bytes + length;
    if (all > 0) {
        struct weft_message *block = block_for(stream, all);
        if (block == NULL) return -ENOMEM;
        append(block, head, (size_t)head_bytes);
        append(block, bytes, length);
        output->unsent_bytes += (uint32_t)all;
        weft_port_flush_later(&stream->port);
    }
    stream->port.sent_count++;
    return 0;
}

void weft_output_serve(struct weft_stream *stream, struct weft_message *call)
{
    struct weft_output *output = &stream->output;
    // Who came before has it before.
    int result = weft_list_empty(&output->writers)
                     ? weft_output_write(stream, call->payload, call->length)
                     : -EAGAIN;
    if (result != -EAGAIN || call->type == WEFT_PORT_CALL_WRITE_NOW) {
        weft_call_fail(weft_port_system(&stream->port), call, result);
        return;
    }
    stream->port.waited_count++;
    weft_list_append(&output->writers, weft_message_link(call));
}

// When half has gone: so they are not woken for each bit that goes.
static void let_writers_go(struct weft_stream *stream)
{
    struct weft_output *output = &stream->output;
    if (output->unsent_bytes > output->unsent_max / 2) return;
    while (!weft_list_empty(&output->writers)) {
        struct weft_message *call = weft_message_of(output->writers.next);
        const int result = weft_output_write(stream, call->payload, call->length);
        if (result == -EAGAIN) return;
        weft_list_remove(weft_message_link(call));
        weft_call_fail(weft_port_system(&stream->port), call, result);
    }
}

// ---- Sending.

static uint32_t gather(struct weft_output *output)
{
    uint32_t count = 0, skip = output->first_sent;
    WEFT_LIST_FOR_EACH (link, &output->queue) {
        struct weft_message *block = weft_message_of(link);
        if (count == WEFT_STREAM_SPANS) break;
        output->spans[count++] =
            (struct iovec){.iov_base = block->payload + skip, .iov_len = block->reference - skip};
        skip = 0;
    }
    return count;
}

static void given(struct weft_io_op *op, int32_t result)
{
    struct weft_output *output = WEFT_CONTAINER_OF(op, struct weft_output, giving);
    struct weft_stream *stream = WEFT_CONTAINER_OF(output, struct weft_stream, output);
    output->is_giving = false;
    if (stream->is_file && result > 0) output->offset += (uint64_t)result;
    if (stream->port.actor == NULL || stream->port.ports->is_over) {
        if (!stream->port.ports->is_over) drop_queue(stream);
        weft_port_settle(&stream->port);
    } else {
        weft_output_gone(stream, result);
    }
}

void weft_output_flush(struct weft_stream *stream)
{
    struct weft_output *output = &stream->output;
    struct weft_io_op *op = &output->giving;
    const struct weft_io *io = &stream->port.ports->io;
    if (output->is_giving || !stream->is_open || weft_list_empty(&output->queue)) return;
    op->kind = stream->is_file ? WEFT_IO_WRITE : WEFT_IO_SEND;
    op->handle = &stream->port.handle;
    op->done = given;
    op->count = gather(output);
    op->spans = output->spans;
    op->offset = output->offset;
    output->is_giving = true;
    io->start(io->self, op);
}

// Takes what has gone off the front of the queue.
static void advance(struct weft_stream *stream, uint32_t bytes)
{
    struct weft_output *output = &stream->output;
    output->unsent_bytes -= bytes;
    output->first_sent += bytes;
    while (!weft_list_empty(&output->queue)) {
        struct weft_message *first = weft_message_of(output->queue.next);
        if (output->first_sent < first->reference) return;
        output->first_sent -= (uint32_t)first->reference;
        weft_list_remove(weft_message_link(first));
        weft_message_release_block(weft_port_system(&stream->port), first);
    }
}

static void finish_now(struct weft_stream *stream)
{
    struct weft_output *output = &stream->output;
    const struct weft_io *io = &stream->port.ports->io;
    if (!output->is_finishing || output->has_finished || !stream->is_open) return;
    if (output->unsent_bytes > 0) return;
    output->has_finished = true;
    if (!stream->is_file) (void)io->finish(io->self, &stream->port.handle); // Gone: the same.
}

// The writing has failed, for good. What is read may still come.
static void fail(struct weft_stream *stream, int error)
{
    struct weft_output *output = &stream->output;
    if (output->unsent_bytes > 0) stream->port.resets = true;
    output->status = error;
    drop_queue(stream);
    weft_port_fail_calls(&stream->port, &output->writers, error);
    weft_stream_close_on(stream);
}

void weft_output_gone(struct weft_stream *stream, int32_t result)
{
    struct weft_output *output = &stream->output;
    if (result < 0) {
        fail(stream, result);
        return;
    }
    if (result == 0) { // A file that takes nothing, and does not say why.
        fail(stream, -EIO);
        return;
    }
    advance(stream, (uint32_t)result);
    stream->port.sent_bytes += (uint32_t)result;
    weft_counter_add(&stream->port.ports->stats.sent_bytes, (uint32_t)result);
    let_writers_go(stream);
    finish_now(stream);
    if (output->unsent_bytes > 0)
        weft_port_flush_later(&stream->port);
    else
        weft_stream_close_on(stream);
}

int weft_output_finish(struct weft_stream *stream)
{
    if (stream->output.is_finishing) return -EPIPE;
    stream->output.is_finishing = true;
    weft_port_fail_calls(&stream->port, &stream->output.writers, -EPIPE);
    finish_now(stream);
    return 0;
}

void weft_output_stop(struct weft_stream *stream, int error)
{
    struct weft_output *output = &stream->output;
    const struct weft_io *io = &stream->port.ports->io;
    if (output->unsent_bytes > 0) stream->port.resets = true;
    weft_port_fail_calls(&stream->port, &output->writers, error);
    if (output->is_giving)
        io->cancel(io->self, &output->giving); // Its blocks stay until it has ended.
    else
        drop_queue(stream);
}
