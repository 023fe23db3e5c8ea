#include "runtime/admin/http_response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void weft_http_response_init(struct weft_http_response *response,
                             int (*take)(void *self, const char *bytes, size_t length), void *self)
{
    memset(response, 0, sizeof(*response));
    response->take = take;
    response->self = self;
}

static enum weft_http_state status_line(struct weft_http_response *response)
{
    const char *line = response->line;

    if (strncmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ') return WEFT_HTTP_MALFORMED;
    response->status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') return WEFT_HTTP_MALFORMED;
        response->status = response->status * 10 + (unsigned)(line[i] - '0');
    }
    return response->status < 100 ? WEFT_HTTP_MALFORMED : WEFT_HTTP_HEADERS;
}

// A decimal or hexadecimal size at the start of `text`. False if there is none, or it cannot be
// one.
static bool size_parse(const char *text, int base, uint64_t *size)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;
    size_t count = 0;

    for (; *text != '\0'; text++, count++) {
        const char lower = *text >= 'A' && *text <= 'F' ? (char)(*text | 0x20) : *text;
        const char *digit = memchr(digits, lower, (size_t)base);
        if (digit == NULL) break;
        if (value > (UINT64_MAX >> 8)) return false;
        value = value * (uint64_t)base + (uint64_t)(digit - digits);
    }
    *size = value;
    return count > 0 && (*text == '\0' || *text == ';' || *text == ' ' || *text == '\t');
}

static void media_type(struct weft_http_response *response, const char *value)
{
    size_t i;

    for (i = 0; i < sizeof(response->media_type) - 1; i++) {
        if (value[i] == '\0' || value[i] == ';' || value[i] == ' ') break;
        response->media_type[i] =
            value[i] >= 'A' && value[i] <= 'Z' ? (char)(value[i] | 0x20) : value[i];
    }
    response->media_type[i] = '\0';
}

static enum weft_http_state after_headers(struct weft_http_response *response)
{
    if (response->status < 200) return WEFT_HTTP_STATUS_LINE; // 100 Continue: the real one follows.
    if (response->status == 204 || response->status == 304) return WEFT_HTTP_DONE;
    if (response->chunked) return WEFT_HTTP_CHUNK_SIZE;
    if (!response->has_length) return WEFT_HTTP_BODY;
    return response->left > 0 ? WEFT_HTTP_BODY : WEFT_HTTP_DONE;
}

static enum weft_http_state header(struct weft_http_response *response)
{
    char *colon = strchr(response->line, ':');

    if (response->line[0] == '\0') return after_headers(response);
    if (colon == NULL || colon == response->line) return WEFT_HTTP_MALFORMED;
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (strcasecmp(response->line, "Content-Length") == 0) {
        if (!size_parse(value, 10, &response->left)) return WEFT_HTTP_MALFORMED;
        response->has_length = true;
    } else if (strcasecmp(response->line, "Transfer-Encoding") == 0) {
        if (strcasecmp(value, "chunked") != 0) return WEFT_HTTP_MALFORMED;
        response->chunked = true;
    } else if (strcasecmp(response->line, "Content-Type") == 0) {
        media_type(response, value);
    }
    return WEFT_HTTP_HEADERS;
}

static enum weft_http_state chunk_size(struct weft_http_response *response)
{
    if (!size_parse(response->line, 16, &response->left)) return WEFT_HTTP_MALFORMED;
    return response->left > 0 ? WEFT_HTTP_CHUNK_DATA : WEFT_HTTP_TRAILERS;
}

static enum weft_http_state line_step(struct weft_http_response *response)
{
    switch (response->state) {
    case WEFT_HTTP_STATUS_LINE: return status_line(response);
    case WEFT_HTTP_HEADERS: return header(response);
    case WEFT_HTTP_CHUNK_SIZE: return chunk_size(response);
    case WEFT_HTTP_CHUNK_END:
        return response->line[0] == '\0' ? WEFT_HTTP_CHUNK_SIZE : WEFT_HTTP_MALFORMED;
    case WEFT_HTTP_TRAILERS: return response->line[0] == '\0' ? WEFT_HTTP_DONE : WEFT_HTTP_TRAILERS;
    default: return WEFT_HTTP_MALFORMED;
    }
}

// Takes bytes up to the end of the line; steps when it is whole. Returns how many it took.
static size_t line_take(struct weft_http_response *response, const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    const size_t count = end != NULL ? (size_t)(end - bytes) : length;
    const size_t room = sizeof(response->line) - 1 - response->line_length;
    const size_t kept = count < room ? count : room;

    memcpy(response->line + response->line_length, bytes, kept);
    response->line_length += kept;
    if (response->state != WEFT_HTTP_CHUNK_SIZE && response->state != WEFT_HTTP_CHUNK_END) {
        response->head_bytes += count + 1;
        if (response->head_bytes > WEFT_HTTP_HEAD_BYTES_MAX) {
            response->state = WEFT_HTTP_MALFORMED;
            return length;
        }
    } else if (count > room) { // A chunk's size has no business being so long.
        response->state = WEFT_HTTP_MALFORMED;
        return length;
    }
    if (end == NULL) return count;
    if (response->line_length > 0 && response->line[response->line_length - 1] == '\r') {
        response->line_length--;
    }
    response->line[response->line_length] = '\0';
    response->state = line_step(response);
    response->line_length = 0;
    return count + 1;
}

static size_t body_take(struct weft_http_response *response, const char *bytes, size_t length)
{
    const bool bounded = response->state == WEFT_HTTP_CHUNK_DATA || response->has_length;
    const size_t count = bounded && response->left < length ? (size_t)response->left : length;

    if (count > 0 && response->take(response->self, bytes, count) < 0) {
        response->state = WEFT_HTTP_DONE;
        return length;
    }
    if (!bounded) return count;
    response->left -= count;
    if (response->left == 0) {
        response->state =
            response->state == WEFT_HTTP_CHUNK_DATA ? WEFT_HTTP_CHUNK_END : WEFT_HTTP_DONE;
    }
    return count;
}

bool weft_http_response_feed(struct weft_http_response *response, const char *bytes, size_t length)
{
    while (length > 0 && response->state < WEFT_HTTP_DONE) {
        const bool body =
            response->state == WEFT_HTTP_BODY || response->state == WEFT_HTTP_CHUNK_DATA;
        const size_t count =
            body ? body_take(response, bytes, length) : line_take(response, bytes, length);
        bytes += count;
        length -= count;
    }
    return response->state < WEFT_HTTP_DONE;
}

bool weft_http_response_end(struct weft_http_response *response)
{
    if (response->state == WEFT_HTTP_BODY && !response->has_length) {
        response->state = WEFT_HTTP_DONE;
    }
    return response->state == WEFT_HTTP_DONE;
}
