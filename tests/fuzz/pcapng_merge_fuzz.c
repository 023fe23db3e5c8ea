// Any bytes as a node's capture: merged or refused, and what goes out is whole blocks.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/lab/capture_merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_block(void *self, const void *bytes, size_t length)
{
    uint32_t first, last;
    (void)self;

    if (length < 12 || length % 4 != 0) abort();
    memcpy(&first, (const uint8_t *)bytes + 4, 4);
    memcpy(&last, (const uint8_t *)bytes + length - 4, 4);
    if (first != length || last != length) abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct weft_merge_source source; // Large; cleared for each input.
    struct weft_merge merge = {.write = check_block, .source_count = 1};

    if (size == 0) return 0;
    source.length = 0;
    source.in_section = false;
    source.interface_count = 0;
    merge.sources[0] = &source;
    if (weft_merge_begin(&merge) != 0) abort();
    // The first byte says in how many pieces the rest comes.
    const size_t piece = 1 + data[0] % 97;
    for (size_t at = 1; at < size; at += piece) {
        const size_t left = size - at;
        if (weft_merge_take(&merge, 0, data + at, piece < left ? piece : left) != 0) break;
    }
    return 0;
}
