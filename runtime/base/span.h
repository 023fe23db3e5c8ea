// span.h: bytes that somebody else owns: where they start and how many.
#ifndef WEFT_BASE_SPAN_H
#define WEFT_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct weft_span {
    const uint8_t *data;
    size_t length; // Bytes.
};

static inline struct weft_span weft_span_of(const void *data, size_t length)
{
    return (struct weft_span){.data = (const uint8_t *)data, .length = length};
}

static inline struct weft_span weft_span_text(const char *text)
{
    return weft_span_of(text, strlen(text));
}

static inline bool weft_span_equal(struct weft_span a, struct weft_span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

#endif // WEFT_BASE_SPAN_H
