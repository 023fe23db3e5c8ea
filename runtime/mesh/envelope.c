#include "runtime/mesh/envelope.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "runtime/base/units.h"
#include "runtime/mesh/sexp.h"

#define ID_DIGITS 16

enum { KEY_TO = 1 << 0, KEY_FROM = 1 << 1, KEY_PAYLOAD = 1 << 2, KEY_ALL = 7 };

static void put_id(struct weft_sexp_writer *writer, const char *keyword, uint64_t id)
{
    char digits[ID_DIGITS + 1];
    snprintf(digits, sizeof(digits), "%016" PRIx64, id);
    weft_sexp_put_keyword(writer, keyword);
    weft_sexp_put_string(writer, weft_span_of(digits, ID_DIGITS));
}

int weft_envelope_write(const struct weft_envelope *envelope, char *text, size_t size)
{
    struct weft_sexp_writer writer;
    weft_sexp_writer_init(&writer, text, size);
    weft_sexp_open(&writer);
    weft_sexp_put_symbol(&writer, "host-msg");
    put_id(&writer, "to", envelope->to);
    put_id(&writer, "from", envelope->from);
    weft_sexp_put_keyword(&writer, "payload");
    weft_sexp_put_string(&writer, envelope->payload);
    weft_sexp_close(&writer);
    return writer.overflow ? -EMSGSIZE : (int)writer.length;
}

static int read_id(const struct weft_sexp_node *node, uint64_t *id)
{
    if (node->kind != WEFT_SEXP_STRING || node->text.length != ID_DIGITS) return -EBADMSG;
    *id = 0;
    for (size_t i = 0; i < ID_DIGITS; i++) {
        const uint8_t c = node->text.data[i];
        uint64_t digit;
        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10u;
        } else {
            return -EBADMSG;
        }
        *id = *id << 4 | digit;
    }
    return 0;
}

static int read_payload(const struct weft_sexp_node *node, uint8_t *payload, size_t size,
                        struct weft_span *span)
{
    if (node->kind != WEFT_SEXP_STRING) return -EBADMSG;
    const int length = weft_sexp_string(node, payload, size);
    if (length < 0) return length;
    *span = weft_span_of(payload, (size_t)length);
    return 0;
}

int weft_envelope_read(struct weft_span text, uint8_t *payload, size_t size,
                       struct weft_envelope *envelope)
{
    struct weft_sexp_node nodes[8];
    unsigned seen = 0;

    const int count = weft_sexp_read(text, nodes, WEFT_COUNT_OF(nodes), NULL);
    if (count != 8 || nodes[0].kind != WEFT_SEXP_LIST || nodes[0].count != 7) return -EBADMSG;
    if (nodes[1].kind != WEFT_SEXP_SYMBOL ||
        !weft_span_equal(nodes[1].text, weft_span_text("host-msg")))
        return -EBADMSG;
    for (uint32_t i = 2; i < 8; i += 2) {
        const struct weft_sexp_node *key = &nodes[i], *value = &nodes[i + 1];
        int result = -EBADMSG;
        if (key->kind != WEFT_SEXP_KEYWORD) return -EBADMSG;
        if (weft_span_equal(key->text, weft_span_text("to"))) {
            seen |= KEY_TO;
            result = read_id(value, &envelope->to);
        } else if (weft_span_equal(key->text, weft_span_text("from"))) {
            seen |= KEY_FROM;
            result = read_id(value, &envelope->from);
        } else if (weft_span_equal(key->text, weft_span_text("payload"))) {
            seen |= KEY_PAYLOAD;
            result = read_payload(value, payload, size, &envelope->payload);
        }
        if (result != 0) return result;
    }
    return seen == KEY_ALL ? 0 : -EBADMSG; // Three pairs, so all seen means each once.
}
