#include "dataplane/pcapng.h"

#include <string.h>

#include "runtime/base/endian.h"

enum { // Block types and options of the draft, sections 4 and 3.5.
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_ETHERNET = 1,
    OPTION_END = 0,
    OPTION_USER_APPLICATION = 4, // Of a section.
    OPTION_NAME = 2,             // Of an interface.
    OPTION_TIME_RESOLUTION = 9,  // Of an interface.
    OPTION_DROPPED = 5,          // Of statistics: frames that the capture lost.
    OPTION_FLAGS = 2,            // Of a packet: the two low bits are its direction.
    TIME_NANOSECONDS = 9,        // 10 to the minus 9.
};

// A block under construction. Nothing is written past `room`; `length` grows all the same.
struct block {
    uint8_t *to;
    size_t room;
    size_t length;
};

static void put(struct block *block, const void *bytes, size_t length)
{
    static const uint8_t zeros[4];
    const size_t padding = (4 - length % 4) % 4;
    if (block->length + length + padding <= block->room) {
        if (length > 0) memcpy(block->to + block->length, bytes, length);
        memcpy(block->to + block->length + length, zeros, padding);
    }
    block->length += length + padding;
}

static void put32(struct block *block, uint32_t value)
{
    uint8_t bytes[4];
    weft_le32_put(bytes, value);
    put(block, bytes, sizeof(bytes));
}

static void put_pair(struct block *block, uint16_t first, uint16_t second)
{
    put32(block, first | (uint32_t)second << 16);
}

static void put_option(struct block *block, uint16_t code, const void *value, uint16_t length)
{
    put_pair(block, code, length);
    put(block, value, length);
}

static struct block begin(uint8_t *to, size_t room, uint32_t type)
{
    struct block block = {.to = to, .room = room};
    put32(&block, type);
    put32(&block, 0); // The length, once it is known.
    return block;
}

static size_t end(struct block *block)
{
    put_pair(block, OPTION_END, 0);
    const uint32_t length = (uint32_t)block->length + 4;
    put32(block, length);
    if (block->length > block->room) return 0;
    weft_le32_put(block->to + 4, length);
    return block->length;
}

static void put_time(struct block *block, uint64_t time_ns)
{
    put32(block, (uint32_t)(time_ns >> 32));
    put32(block, (uint32_t)time_ns);
}

size_t weft_pcapng_section(uint8_t *to, size_t room)
{
    struct block block = begin(to, room, BLOCK_SECTION);
    put32(&block, BYTE_ORDER_MAGIC);
    put_pair(&block, 1, 0);    // Version 1.0.
    put32(&block, UINT32_MAX); // The section's length is not known...
    put32(&block, UINT32_MAX); // ...in 64 bits.
    put_option(&block, OPTION_USER_APPLICATION, "weft", 4);
    return end(&block);
}

size_t weft_pcapng_port(uint8_t *to, size_t room, const char *name, uint16_t snap_bytes)
{
    static const uint8_t resolution = TIME_NANOSECONDS;
    struct block block = begin(to, room, BLOCK_INTERFACE);
    put_pair(&block, LINKTYPE_ETHERNET, 0);
    put32(&block, snap_bytes);
    put_option(&block, OPTION_NAME, name, (uint16_t)strlen(name));
    put_option(&block, OPTION_TIME_RESOLUTION, &resolution, 1);
    return end(&block);
}

size_t weft_pcapng_frame(uint8_t *to, size_t room, const struct weft_capture_slot *slot,
                         uint64_t wall_offset_ns)
{
    uint8_t flags[4];
    weft_le32_put(flags, slot->direction);
    struct block block = begin(to, room, BLOCK_PACKET);
    put32(&block, slot->port);
    put_time(&block, slot->time_ns + wall_offset_ns);
    put32(&block, slot->kept);
    put32(&block, slot->length);
    put(&block, slot->bytes, slot->kept);
    put_option(&block, OPTION_FLAGS, flags, sizeof(flags));
    return end(&block);
}

size_t weft_pcapng_lost(uint8_t *to, size_t room, uint8_t port, uint64_t time_ns,
                        uint64_t lost_count)
{
    uint8_t value[8];
    weft_le64_put(value, lost_count);
    struct block block = begin(to, room, BLOCK_STATISTICS);
    put32(&block, port);
    put_time(&block, time_ns);
    put_option(&block, OPTION_DROPPED, value, sizeof(value));
    return end(&block);
}

size_t weft_pcapng_drain(uint8_t *to, size_t room, struct weft_capture *const *captures,
                         uint32_t capture_count, uint64_t wall_offset_ns)
{
    size_t written = 0;
    for (;;) {
        const struct weft_capture_slot *oldest = NULL;
        struct weft_capture *from = NULL;
        for (uint32_t i = 0; i < capture_count; i++) {
            const struct weft_capture_slot *slot = weft_capture_peek(captures[i]);
            if (slot == NULL || (oldest != NULL && slot->time_ns >= oldest->time_ns)) continue;
            oldest = slot;
            from = captures[i];
        }
        if (oldest == NULL) return written;
        const size_t bytes =
            weft_pcapng_frame(to + written, room - written, oldest, wall_offset_ns);
        if (bytes == 0) return written;
        written += bytes;
        weft_capture_release(from);
    }
}
