#include "runtime/port/framing.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/endian.h"

uint32_t weft_framing_head_bytes(enum weft_framing framing)
{
    switch (framing) {
    case WEFT_FRAMING_LENGTH_1: return 1;
    case WEFT_FRAMING_LENGTH_2: return 2;
    case WEFT_FRAMING_LENGTH_4: return 4;
    default: return 0;
    }
}

static int64_t next_line(uint32_t packet_max, struct weft_span bytes, uint32_t *scanned,
                         struct weft_span *packet)
{
    const uint8_t *from = bytes.data + *scanned;
    const uint8_t *end = memchr(from, '\n', bytes.length - *scanned);
    const uint64_t length = end != NULL ? (uint64_t)(end + 1 - bytes.data) : bytes.length;
    if (length > packet_max) return -EMSGSIZE;
    *scanned = end != NULL ? 0 : (uint32_t)bytes.length;
    if (end == NULL) return 0;
    *packet = weft_span_of(bytes.data, length);
    return (int64_t)length;
}

int64_t weft_framing_next(enum weft_framing framing, uint32_t packet_max, struct weft_span bytes,
                          uint32_t *scanned, struct weft_span *packet)
{
    if (framing == WEFT_FRAMING_LINE) return next_line(packet_max, bytes, scanned, packet);
    const uint32_t head_bytes = weft_framing_head_bytes(framing);
    if (bytes.length < head_bytes) return 0;
    uint64_t length = bytes.data[0];
    if (head_bytes == 2) length = weft_be16_get(bytes.data);
    if (head_bytes == 4) length = weft_be32_get(bytes.data);
    if (length > packet_max) return -EMSGSIZE;
    if (bytes.length - head_bytes < length) return 0;
    *packet = weft_span_of(bytes.data + head_bytes, length);
    return (int64_t)(head_bytes + length);
}

int weft_framing_head_put(enum weft_framing framing, uint64_t length,
                          uint8_t head[WEFT_FRAMING_HEAD_MAX])
{
    const uint32_t head_bytes = weft_framing_head_bytes(framing);
    if (head_bytes > 0 && length >> (8 * head_bytes) != 0) return -EMSGSIZE;
    if (head_bytes == 1) head[0] = (uint8_t)length;
    if (head_bytes == 2) weft_be16_put(head, (uint16_t)length);
    if (head_bytes == 4) weft_be32_put(head, (uint32_t)length);
    return (int)head_bytes;
}
