// Captures of several nodes as one: numbers, times, limits, and streams that lie.
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/lab/capture_merge.h"

struct stream { // Bytes, as a node sends them or as they were written.
    uint8_t bytes[64 * 1024];
    size_t length;
};

static void put32(struct stream *stream, uint32_t value)
{
    memcpy(stream->bytes + stream->length, &value, sizeof(value));
    stream->length += sizeof(value);
}

static void put_section(struct stream *stream)
{
    put32(stream, 0x0a0d0d0a);
    put32(stream, 28);
    put32(stream, 0x1a2b3c4d);
    put32(stream, 1);
    put32(stream, UINT32_MAX);
    put32(stream, UINT32_MAX);
    put32(stream, 28);
}

static void put_interface(struct stream *stream, int resolution)
{
    const uint32_t length = resolution >= 0 ? 32 : 20;

    put32(stream, 1);
    put32(stream, length);
    put32(stream, 1);
    put32(stream, 0);
    if (resolution >= 0) {
        put32(stream, 9 | 1 << 16);
        put32(stream, (uint32_t)resolution);
        put32(stream, 0);
    }
    put32(stream, length);
}

static void put_packet(struct stream *stream, uint32_t interface, uint64_t ticks, uint32_t word)
{
    put32(stream, 6);
    put32(stream, 36);
    put32(stream, interface);
    put32(stream, (uint32_t)(ticks >> 32));
    put32(stream, (uint32_t)ticks);
    put32(stream, 4);
    put32(stream, 4);
    put32(stream, word);
    put32(stream, 36);
}

static int collect(void *self, const void *bytes, size_t length)
{
    struct stream *stream = self;

    assert_true(length <= sizeof(stream->bytes) - stream->length);
    memcpy(stream->bytes + stream->length, bytes, length);
    stream->length += length;
    return 0;
}

struct rig {
    struct weft_merge merge;
    struct weft_merge_source sources[2];
    struct stream in, out;
    size_t begun; // Length of `out` after the head.
};

static struct rig *rig_create(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->merge.write = collect;
    rig->merge.self = &rig->out;
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(rig->sources[i].name, sizeof(rig->sources[i].name), "n%u", i + 1);
        rig->merge.sources[i] = &rig->sources[i];
    }
    rig->merge.source_count = 2;
    assert_int_equal(weft_merge_begin(&rig->merge), 0);
    rig->begun = rig->out.length;
    return rig;
}

static uint32_t out32(const struct rig *rig, size_t at)
{
    uint32_t value;

    assert_true(at + 4 <= rig->out.length);
    memcpy(&value, rig->out.bytes + at, 4);
    return value;
}

static void begins_with_one_interface_per_node(void **state)
{
    (void)state;
    struct rig *rig = rig_create();
    size_t at = 0;
    unsigned sections = 0, interfaces = 0;

    while (at < rig->out.length) {
        const uint32_t length = out32(rig, at + 4);
        if (out32(rig, at) == 0x0a0d0d0a) sections++;
        if (out32(rig, at) == 1) interfaces++;
        assert_int_equal(out32(rig, at + length - 4), length);
        at += length;
    }
    assert_int_equal(at, rig->out.length);
    assert_int_equal(sections, 1);
    assert_int_equal(interfaces, 2);
    free(rig);
}

// The bytes of a stream come in any pieces.
static void renumbers_and_converts(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 80; piece += 3) {
        struct rig *rig = rig_create();
        put_section(&rig->in);
        put_interface(&rig->in, -1);       // Microseconds, by default.
        put_interface(&rig->in, 9);        // Nanoseconds.
        put_interface(&rig->in, 0x80 | 1); // Halves of a second.
        put_packet(&rig->in, 0, 5, 0xaa);
        put_packet(&rig->in, 1, UINT64_C(0x123456789), 0xbb);
        put_packet(&rig->in, 2, 3, 0xcc);
        for (size_t at = 0; at < rig->in.length; at += piece) {
            const size_t left = rig->in.length - at;
            assert_int_equal(
                weft_merge_take(&rig->merge, 1, rig->in.bytes + at, piece < left ? piece : left),
                0);
        }
        static const uint64_t times_ns[] = {5000, UINT64_C(0x123456789), 1500000000};
        static const uint32_t words[] = {0xaa, 0xbb, 0xcc};
        assert_int_equal(rig->merge.packet_count, 3);
        assert_int_equal(rig->out.length - rig->begun, 3 * 36);
        for (size_t i = 0; i < 3; i++) {
            const size_t at = rig->begun + i * 36;
            const uint64_t time_ns = (uint64_t)out32(rig, at + 12) << 32 | out32(rig, at + 16);
            assert_int_equal(out32(rig, at + 8), 1);
            assert_true(time_ns == times_ns[i]);
            assert_int_equal(out32(rig, at + 28), words[i]);
        }
        free(rig);
    }
}

static void ends_at_its_limit(void **state)
{
    (void)state;
    struct rig *rig = rig_create();
    rig->merge.packet_max = 2;
    put_section(&rig->in);
    put_interface(&rig->in, 9);
    for (uint32_t i = 0; i < 5; i++) {
        put_packet(&rig->in, 0, i, i);
    }
    assert_int_equal(weft_merge_take(&rig->merge, 0, rig->in.bytes, rig->in.length), 1);
    assert_int_equal(rig->merge.packet_count, 2);
    free(rig);
}

static void refuses_what_is_no_capture(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;      // Offset of a 32-bit word of the stream below,
        uint32_t value; // and what it is instead.
        int result;
    } cases[] = {
        {"no section header", 0, 0x12345678, -EBADMSG},
        {"the other byte order", 8, 0x4d3c2b1a, -EBADMSG},
        {"a block shorter than its frame", 4, 8, -EBADMSG},
        {"a length that is no multiple of 4", 4, 29, -EBADMSG},
        {"a block of 4 GiB", 4, UINT32_C(0xfffffffc), -EMSGSIZE},
        {"lengths that differ", 24, 32, -EBADMSG},
        {"a packet of no interface", 28 + 32 + 8, 7, -EBADMSG},
        {"a packet longer than its block", 28 + 32 + 20, 4000000000u, -EBADMSG},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct rig *rig = rig_create();
        put_section(&rig->in);
        put_interface(&rig->in, 9);
        put_packet(&rig->in, 0, 1, 1);
        memcpy(rig->in.bytes + cases[i].at, &cases[i].value, 4);
        const int result = weft_merge_take(&rig->merge, 0, rig->in.bytes, rig->in.length);
        if (result != cases[i].result) fail_msg("%s: %d", cases[i].name, result);
        free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_one_interface_per_node),
        cmocka_unit_test(renumbers_and_converts),
        cmocka_unit_test(ends_at_its_limit),
        cmocka_unit_test(refuses_what_is_no_capture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
