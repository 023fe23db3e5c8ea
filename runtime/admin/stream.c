// Answers without an end: events, log lines and captures, given out as they come. A stream with
// nothing to say is suspended and asked again by the poller.
#include <stdlib.h>
#include <sys/socket.h>

#include "runtime/admin/server_internal.h"

#define STREAM_BLOCK_BYTES (16 * 1024)

struct stream {
    struct weft_list link; // In server->streams.
    struct weft_admin_stream with;
    struct weft_admin_server *server;
    struct MHD_Connection *connection;
    bool suspended;
};

// MHD does not notice that the client of a suspended connection has left; its descriptor does.
static bool client_gone(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;

    return info != NULL && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static ssize_t stream_read(void *self, uint64_t position, char *bytes, size_t limit)
{
    struct stream *stream = self;
    (void)position;

    if (stream->server->closing) return MHD_CONTENT_READER_END_OF_STREAM;
    const int64_t count = stream->with.read(stream->with.self, bytes, limit);
    if (count < 0) return MHD_CONTENT_READER_END_OF_STREAM;
    if (count == 0) {
        if (client_gone(stream->connection)) return MHD_CONTENT_READER_END_WITH_ERROR;
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    return (ssize_t)count;
}

static void stream_free(void *self)
{
    struct stream *stream = self;

    weft_list_remove(&stream->link);
    stream->with.close(stream->with.self);
    free(stream);
}

void weft_admin_reply_stream(struct weft_admin_request *request, const char *media_type,
                             const struct weft_admin_stream *with)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL) {
        with->close(with->self);
        weft_admin_reply_problem(request, 505, "no memory for another stream");
        return;
    }
    stream->with = *with;
    stream->server = request->server;
    stream->connection = request->connection;
    weft_list_append(&request->server->streams, &stream->link);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, stream_read, stream, stream_free);
    if (response == NULL) stream_free(stream);
    weft_admin_call_queue(request->call, 200, media_type, response);
}

void weft_admin_streams_wake(struct weft_admin_server *server)
{
    WEFT_LIST_FOR_EACH (link, &server->streams) {
        struct stream *stream = WEFT_CONTAINER_OF(link, struct stream, link);
        if (!stream->suspended) continue;
        stream->suspended = false;
        weft_admin_resume(server, stream->connection);
    }
}

void weft_admin_streams_close(struct weft_admin_server *server)
{
    server->closing = true;
    weft_admin_streams_wake(server);
}
