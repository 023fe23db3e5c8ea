// Responses to the tool: any bytes, in any pieces, end as a whole response or as none.
#include <stddef.h>
#include <stdint.h>

#include "runtime/admin/http_response.h"
#include "runtime/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *self, const char *bytes, size_t length)
{
    size_t *total = self;
    (void)bytes;

    weft_assert(length > 0);
    *total += length;
    return 0;
}

// Feeds `data` in pieces of `step`; returns the body's length, and the state that it ended in.
static size_t feed(const uint8_t *data, size_t size, size_t step, enum weft_http_state *state)
{
    struct weft_http_response response;
    size_t total = 0;

    weft_http_response_init(&response, take, &total);
    for (size_t at = 0; at < size; at += step) {
        const size_t count = size - at < step ? size - at : step;
        if (!weft_http_response_feed(&response, (const char *)data + at, count)) break;
    }
    weft_http_response_end(&response);
    *state = response.state;
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum weft_http_state whole, pieces;

    if (size == 0) return 0;
    const size_t at_once = feed(data, size, size, &whole);
    const size_t by_piece = feed(data, size, 1 + data[0] % 7, &pieces);
    weft_assert(at_once == by_piece && whole == pieces); // Where it is cut must not matter.
    weft_assert(at_once <= size);
    return 0;
}
