// A peer's bytes as packets: all at once and in pieces the same ones come out, none is longer than
// allowed, and each lies in what came. And an address, if it is one, survives both ways.
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/port/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct packets {
    uint32_t count;
    uint64_t sum; // Of what is in them, and where they end.
    int64_t status;
};

static void note(struct packets *packets, struct weft_span packet)
{
    packets->count++;
    packets->sum = packets->sum * 31 + packet.length;
    for (size_t i = 0; i < packet.length; i++)
        packets->sum = packets->sum * 31 + packet.data[i];
}

// As a port does it: `piece` more bytes each time, and on from where the last packet ended.
static struct packets cut(enum weft_framing framing, uint32_t packet_max, struct weft_span bytes,
                          size_t piece)
{
    struct packets packets = {0};
    size_t start = 0;
    uint32_t scanned = 0;
    for (size_t end = piece < bytes.length ? piece : bytes.length;;) {
        struct weft_span packet = {0};
        const struct weft_span left = weft_span_of(bytes.data + start, end - start);
        const int64_t done = weft_framing_next(framing, packet_max, left, &scanned, &packet);
        weft_assert(scanned <= left.length);
        if (done > 0) {
            weft_assert((uint64_t)done <= left.length && packet.length <= packet_max);
            weft_assert(packet.data >= left.data &&
                        packet.data + packet.length <= left.data + done);
            note(&packets, packet);
            start += (size_t)done;
            continue;
        }
        packets.status = done;
        if (done < 0 || end == bytes.length) return packets;
        end = bytes.length - end > piece ? end + piece : bytes.length;
    }
}

static void check_framings(const uint8_t *data, size_t size)
{
    const uint32_t packet_max = 1 + data[0];
    for (enum weft_framing framing = WEFT_FRAMING_LINE; framing <= WEFT_FRAMING_LENGTH_4;
         framing++) {
        const struct weft_span bytes = weft_span_of(data + 1, size - 1);
        const struct packets whole = cut(framing, packet_max, bytes, SIZE_MAX);
        for (size_t piece = 1; piece <= 7; piece += 2) {
            const struct packets pieces = cut(framing, packet_max, bytes, piece);
            weft_assert(pieces.count == whole.count && pieces.sum == whole.sum);
            weft_assert(pieces.status == whole.status);
        }
    }
}

static void check_address(const uint8_t *data, size_t size)
{
    char text[64], again[WEFT_ADDRESS_TEXT];
    struct weft_address address, same;
    const size_t length = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    if (weft_address_parse(text, &address) != 0) return;
    weft_address_print(&address, again);
    weft_assert(strcmp(text, again) == 0); // There is one way to write it.
    weft_assert(weft_address_parse(again, &same) == 0);
    weft_assert(same.host == address.host && same.port == address.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) check_framings(data, size);
    check_address(data, size);
    return 0;
}
