// http_response.h: reads an HTTP/1.1 response as its bytes come (RFC 9112), for the admin client.
//
// Bounded: a status line and headers of 16 KiB together, else it is malformed. Body bytes are
// handed out as they come, by Content-Length, chunked, or to the end of the connection.
#ifndef WEFT_ADMIN_HTTP_RESPONSE_H
#define WEFT_ADMIN_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_HTTP_HEAD_BYTES_MAX (16 * 1024)

enum weft_http_state {
    WEFT_HTTP_STATUS_LINE,
    WEFT_HTTP_HEADERS,
    WEFT_HTTP_BODY, // `left` bytes to come, or all until the end.
    WEFT_HTTP_CHUNK_SIZE,
    WEFT_HTTP_CHUNK_DATA, // `left` bytes of this chunk to come.
    WEFT_HTTP_CHUNK_END,
    WEFT_HTTP_TRAILERS,
    WEFT_HTTP_DONE,
    WEFT_HTTP_MALFORMED,
};

struct weft_http_response {
    // Takes body bytes; a negative answer ends the reading (state DONE).
    int (*take)(void *self, const char *bytes, size_t length);
    void *self;
    enum weft_http_state state;
    unsigned status;     // 200; 0 until it is known.
    char media_type[64]; // Lower case, without parameters.
    bool chunked, has_length;
    uint64_t left;
    size_t head_bytes; // Seen so far, against the bound.
    char line[1024];   // The line being read; longer ones are cut, except where they matter.
    size_t line_length;
};

void weft_http_response_init(struct weft_http_response *response,
                             int (*take)(void *self, const char *bytes, size_t length), void *self);

// Takes the next bytes. True while it wants more.
bool weft_http_response_feed(struct weft_http_response *response, const char *bytes, size_t length);

// The connection has ended. True if the response was whole.
bool weft_http_response_end(struct weft_http_response *response);

#endif // WEFT_ADMIN_HTTP_RESPONSE_H
