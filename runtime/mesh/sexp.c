#include "runtime/mesh/sexp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool starts_symbol(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!$%&*/<=>?^_~+-.", c) != NULL);
}

static bool in_symbol(uint8_t c)
{
    return starts_symbol(c) || is_digit(c) || c == ':';
}

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The byte behind the one or several that stand at `at` in a string; -1 if they are not a
// character.
static int string_byte(struct weft_span source, size_t *at)
{
    const uint8_t c = source.data[*at];
    if (c < 0x20 || c > 0x7e || c == '"') return -1;
    *at += 1;
    if (c != '\\') return c;
    if (*at >= source.length) return -1;
    const uint8_t escape = source.data[(*at)++];
    switch (escape) {
    case '"':
    case '\\': return escape;
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'x': break;
    default: return -1;
    }
    if (source.length - *at < 2) return -1;
    const int high = hex_of(source.data[*at]), low = hex_of(source.data[*at + 1]);
    if (high < 0 || low < 0) return -1;
    *at += 2;
    return high << 4 | low;
}

static bool read_string(struct weft_span source, size_t *at, struct weft_sexp_node *node)
{
    const size_t from = ++*at;
    while (*at < source.length && source.data[*at] != '"') {
        if (string_byte(source, at) < 0) return false;
    }
    if (*at >= source.length) return false;
    node->kind = WEFT_SEXP_STRING;
    node->text = weft_span_of(source.data + from, *at - from);
    *at += 1;
    return true;
}

static bool read_integer(struct weft_span text, int64_t *integer)
{
    const bool negative = text.data[0] == '-';
    const uint64_t limit = negative ? UINT64_C(1) << 63 : INT64_MAX;
    uint64_t value = 0;
    for (size_t i = negative; i < text.length; i++) {
        if (!is_digit(text.data[i])) return false;
        const uint64_t digit = text.data[i] - '0';
        if (value > (limit - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *integer = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool read_atom(struct weft_span source, size_t *at, struct weft_sexp_node *node)
{
    const size_t from = *at;
    while (*at < source.length && in_symbol(source.data[*at]))
        *at += 1;
    node->text = weft_span_of(source.data + from, *at - from);
    if (node->text.length == 0) return false;

    const uint8_t first = node->text.data[0];
    if (is_digit(first) ||
        (first == '-' && node->text.length > 1 && is_digit(node->text.data[1]))) {
        node->kind = WEFT_SEXP_INTEGER;
        return read_integer(node->text, &node->integer);
    }
    if (first == ':') {
        node->kind = WEFT_SEXP_KEYWORD;
        node->text = weft_span_of(node->text.data + 1, node->text.length - 1);
        return node->text.length > 0 && starts_symbol(node->text.data[0]);
    }
    node->kind = WEFT_SEXP_SYMBOL;
    return true;
}

struct reader {
    struct weft_span source;
    size_t at;
    struct weft_sexp_node *nodes;
    uint32_t node_count, node_max;
    uint32_t open[WEFT_SEXP_DEPTH_MAX]; // Lists whose end has not come, outermost first.
    uint32_t depth;
};

// Takes one token. 0, or a negative errno.
static int step(struct reader *reader)
{
    const uint8_t c = reader->source.data[reader->at];
    if (c == ')') {
        if (reader->depth == 0) return -EBADMSG;
        reader->nodes[reader->open[--reader->depth]].end = reader->node_count;
        reader->at += 1;
        return 0;
    }
    if (reader->depth == 0 && reader->node_count > 0) return -EBADMSG; // A second expression.
    if (reader->node_count == reader->node_max) return -E2BIG;
    if (c == '(' && reader->depth == WEFT_SEXP_DEPTH_MAX) return -E2BIG;

    const uint32_t index = reader->node_count++;
    struct weft_sexp_node *node = &reader->nodes[index];
    *node = (struct weft_sexp_node){.kind = WEFT_SEXP_LIST, .end = index + 1};
    if (reader->depth > 0) reader->nodes[reader->open[reader->depth - 1]].count += 1;
    if (c == '(') {
        reader->open[reader->depth++] = index;
        reader->at += 1;
        return 0;
    }
    if (c == '"') return read_string(reader->source, &reader->at, node) ? 0 : -EBADMSG;
    return read_atom(reader->source, &reader->at, node) ? 0 : -EBADMSG;
}

int weft_sexp_read(struct weft_span source, struct weft_sexp_node *nodes, uint32_t node_max,
                   size_t *at)
{
    struct reader reader = {.source = source, .nodes = nodes, .node_max = node_max};
    int result = 0;

    while (result == 0 && reader.at < source.length) {
        if (is_blank(source.data[reader.at])) {
            reader.at += 1;
        } else {
            result = step(&reader);
        }
    }
    if (result == 0 && (reader.depth > 0 || reader.node_count == 0)) result = -EBADMSG;
    if (at != NULL) *at = reader.at;
    return result == 0 ? (int)reader.node_count : result;
}

int weft_sexp_string(const struct weft_sexp_node *node, uint8_t *bytes, size_t size)
{
    size_t length = 0;
    for (size_t at = 0; at < node->text.length;) {
        const int byte = string_byte(node->text, &at);
        if (byte < 0) return -EBADMSG; // Not a node that weft_sexp_read made.
        if (length == size) return -EMSGSIZE;
        bytes[length++] = (uint8_t)byte;
    }
    return (int)length;
}

void weft_sexp_writer_init(struct weft_sexp_writer *writer, char *text, size_t size)
{
    *writer = (struct weft_sexp_writer){.text = text, .size = size, .fresh = true};
}

static void put(struct weft_sexp_writer *writer, const char *text, size_t length)
{
    if (writer->overflow || length > writer->size - writer->length) {
        writer->overflow = true;
        return;
    }
    memcpy(writer->text + writer->length, text, length);
    writer->length += length;
}

static void separate(struct weft_sexp_writer *writer)
{
    if (!writer->fresh) put(writer, " ", 1);
    writer->fresh = false;
}

void weft_sexp_open(struct weft_sexp_writer *writer)
{
    separate(writer);
    put(writer, "(", 1);
    writer->fresh = true;
}

void weft_sexp_close(struct weft_sexp_writer *writer)
{
    put(writer, ")", 1);
    writer->fresh = false;
}

void weft_sexp_put_symbol(struct weft_sexp_writer *writer, const char *symbol)
{
    separate(writer);
    put(writer, symbol, strlen(symbol));
}

void weft_sexp_put_keyword(struct weft_sexp_writer *writer, const char *keyword)
{
    separate(writer);
    put(writer, ":", 1);
    put(writer, keyword, strlen(keyword));
}

static void put_escaped(struct weft_sexp_writer *writer, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    char text[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    switch (byte) {
    case '"':
    case '\\': text[1] = (char)byte; break;
    case '\n': text[1] = 'n'; break;
    case '\r': text[1] = 'r'; break;
    case '\t': text[1] = 't'; break;
    default: put(writer, text, 4); return;
    }
    put(writer, text, 2);
}

void weft_sexp_put_string(struct weft_sexp_writer *writer, struct weft_span bytes)
{
    separate(writer);
    put(writer, "\"", 1);
    for (size_t i = 0; i < bytes.length; i++) {
        const uint8_t byte = bytes.data[i];
        if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\') {
            put_escaped(writer, byte);
        } else {
            put(writer, (const char *)&byte, 1);
        }
    }
    put(writer, "\"", 1);
}

void weft_sexp_put_integer(struct weft_sexp_writer *writer, int64_t integer)
{
    char text[24];
    const int length = snprintf(text, sizeof(text), "%" PRId64, integer);
    separate(writer);
    put(writer, text, (size_t)length);
}
