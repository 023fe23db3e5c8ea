#include "runtime/lab/capture_merge.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/units.h"

#define SECTION         UINT32_C(0x0a0d0d0a)
#define INTERFACE       UINT32_C(1)
#define ENHANCED        UINT32_C(6)
#define BYTE_ORDER      UINT32_C(0x1a2b3c4d)
#define LINK_ETHERNET   1
#define OPTION_END      0
#define OPTION_NAME     2 // if_name
#define OPTION_TSRESOL  9 // if_tsresol
#define RESOLUTION_US   6 // What holds where nothing is said: 10^-6.
#define RESOLUTION_NS   9
#define BLOCK_HEAD      8  // Type and total length.
#define BLOCK_BYTES_MIN 12 // The length stands at the end again.
#define SECTION_BYTES   28
#define INTERFACE_BYTES 20
#define ENHANCED_BYTES  32

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint16_t get16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void put16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, sizeof(value));
}

static int write_interface(struct weft_merge *merge, const char *name)
{
    uint8_t block[128] = {0};
    const size_t name_length = strnlen(name, 63), padded = weft_round_up(name_length, 4);
    size_t at = 16;

    put32(block, INTERFACE);
    put16(block + 8, LINK_ETHERNET);
    put16(block + at, OPTION_NAME);
    put16(block + at + 2, (uint16_t)name_length);
    memcpy(block + at + 4, name, name_length);
    at += 4 + padded;
    put16(block + at, OPTION_TSRESOL);
    put16(block + at + 2, 1);
    block[at + 4] = RESOLUTION_NS;
    at += 8 + 4; // And an end of options, all zero.
    put32(block + 4, (uint32_t)(at + 4));
    put32(block + at, (uint32_t)(at + 4));
    return merge->write(merge->self, block, at + 4);
}

int weft_merge_begin(struct weft_merge *merge)
{
    uint8_t section[SECTION_BYTES];

    put32(section, SECTION);
    put32(section + 4, SECTION_BYTES);
    put32(section + 8, BYTE_ORDER);
    put16(section + 12, 1); // Version 1.0.
    put16(section + 14, 0);
    memset(section + 16, 0xff, 8); // Length: not known.
    put32(section + 24, SECTION_BYTES);
    int result = merge->write(merge->self, section, sizeof(section));
    for (uint32_t i = 0; i < merge->source_count && result >= 0; i++) {
        result = write_interface(merge, merge->sources[i]->name);
    }
    return result < 0 ? result : 0;
}

// The if_tsresol among the options of an interface block.
static uint8_t resolution_of(const uint8_t *options, size_t length)
{
    while (length >= 4) {
        const uint16_t code = get16(options), size = get16(options + 2);
        const size_t whole = 4 + weft_round_up(size, 4);
        if (code == OPTION_END || whole > length) break;
        if (code == OPTION_TSRESOL && size >= 1) return options[4];
        options += whole;
        length -= whole;
    }
    return RESOLUTION_US;
}

// A time in units of 10^-resolution s, or 2^-(resolution & 127) s, to nanoseconds.
static uint64_t to_ns(uint64_t ticks, uint8_t resolution)
{
    if ((resolution & 0x80) != 0) {
        const unsigned shift = resolution & 0x7f;
        if (shift >= 64) return 0;
        const uint64_t whole = ticks >> shift, part = ticks & ((UINT64_C(1) << shift) - 1);
        return whole * WEFT_NS_PER_S +
               (uint64_t)((double)part / (double)(UINT64_C(1) << shift) * 1e9);
    }
    for (; resolution < RESOLUTION_NS; resolution++) {
        ticks *= 10;
    }
    for (; resolution > RESOLUTION_NS && ticks > 0; resolution--) {
        ticks /= 10;
    }
    return ticks;
}

static int take_packet(struct weft_merge *merge, uint32_t index, uint8_t *block, size_t length)
{
    const struct weft_merge_source *source = merge->sources[index];

    if (length < ENHANCED_BYTES) return -EBADMSG;
    const uint32_t number = get32(block + 8), kept = get32(block + 20);
    if (number >= source->interface_count || kept > length - ENHANCED_BYTES) return -EBADMSG;
    const uint64_t ticks = (uint64_t)get32(block + 12) << 32 | get32(block + 16);
    const uint64_t time_ns = to_ns(ticks, source->resolutions[number]);
    put32(block + 8, index);
    put32(block + 12, (uint32_t)(time_ns >> 32));
    put32(block + 16, (uint32_t)time_ns);
    const int result = merge->write(merge->self, block, length);
    if (result < 0) return result;
    merge->packet_count++;
    return merge->packet_max > 0 && merge->packet_count >= merge->packet_max ? 1 : 0;
}

static int take_block(struct weft_merge *merge, uint32_t index)
{
    struct weft_merge_source *source = merge->sources[index];
    const size_t length = source->length;
    uint8_t *block = source->block;
    const uint32_t type = get32(block);

    if (get32(block + length - 4) != length) return -EBADMSG;
    if (type == SECTION) {
        if (length < SECTION_BYTES || get32(block + 8) != BYTE_ORDER) return -EBADMSG;
        source->in_section = true;
        source->interface_count = 0;
        return 0;
    }
    if (!source->in_section) return -EBADMSG;
    if (type == INTERFACE) {
        if (length < INTERFACE_BYTES || source->interface_count == sizeof(source->resolutions))
            return -EBADMSG;
        source->resolutions[source->interface_count++] =
            resolution_of(block + 16, length - INTERFACE_BYTES);
        return 0;
    }
    // Others (statistics, names) belong to a section that is no longer theirs.
    return type == ENHANCED ? take_packet(merge, index, block, length) : 0;
}

// How many bytes of the block are missing; a negative errno if it cannot be one.
static int64_t missing(const struct weft_merge_source *source)
{
    if (source->length < BLOCK_HEAD) return (int64_t)(BLOCK_HEAD - source->length);
    const uint32_t length = get32(source->block + 4);
    if (length < BLOCK_BYTES_MIN || length % 4 != 0) return -EBADMSG;
    if (length > WEFT_MERGE_BLOCK_BYTES) return -EMSGSIZE;
    if (!source->in_section && get32(source->block) != SECTION) return -EBADMSG;
    return (int64_t)(length - source->length);
}

int weft_merge_take(struct weft_merge *merge, uint32_t index, const void *bytes, size_t length)
{
    struct weft_merge_source *source = merge->sources[index];
    const uint8_t *from = bytes;

    for (;;) {
        int64_t want = missing(source);
        if (want < 0) return (int)want;
        if (want == 0) {
            const int result = take_block(merge, index);
            source->length = 0;
            if (result != 0) return result;
            continue;
        }
        if (length == 0) return 0;
        const size_t part = (size_t)want < length ? (size_t)want : length;
        memcpy(source->block + source->length, from, part);
        source->length += part;
        from += part;
        length -= part;
    }
}
