// S-expressions from outside: what is read is well formed, and an envelope survives both ways.
#include <stdbool.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/mesh/envelope.h"
#include "runtime/mesh/sexp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_nodes(const struct weft_sexp_node *nodes, uint32_t count, struct weft_span source)
{
    uint8_t bytes[4096];
    for (uint32_t i = 0; i < count; i++) {
        const struct weft_sexp_node *node = &nodes[i];
        weft_assert(node->end > i && node->end <= count);
        if (node->kind == WEFT_SEXP_LIST) {
            uint32_t children = 0;
            for (uint32_t at = i + 1; at < node->end; at = nodes[at].end)
                children += 1;
            weft_assert(children == node->count);
            continue;
        }
        weft_assert(node->end == i + 1);
        weft_assert(node->text.data >= source.data);
        weft_assert(node->text.data + node->text.length <= source.data + source.length);
        if (node->kind == WEFT_SEXP_STRING)
            weft_assert(weft_sexp_string(node, bytes, sizeof(bytes)) >= 0);
    }
}

static void check_envelope(struct weft_span source)
{
    uint8_t payload[4096], again_payload[4096];
    char text[4 * sizeof(payload) + 128];
    struct weft_envelope envelope, again;
    if (weft_envelope_read(source, payload, sizeof(payload), &envelope) != 0) return;
    const int length = weft_envelope_write(&envelope, text, sizeof(text));
    weft_assert(length > 0);
    weft_assert(weft_envelope_read(weft_span_of(text, (size_t)length), again_payload,
                                   sizeof(again_payload), &again) == 0);
    weft_assert(again.to == envelope.to && again.from == envelope.from);
    weft_assert(weft_span_equal(again.payload, envelope.payload));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) return 0;
    struct weft_sexp_node nodes[64];
    size_t at;
    const struct weft_span source = weft_span_of(data, size);
    const int count = weft_sexp_read(source, nodes, 64, &at);
    weft_assert(at <= size);
    if (count > 0) check_nodes(nodes, (uint32_t)count, source);
    check_envelope(source);
    return 0;
}
