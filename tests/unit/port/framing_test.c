// Packets in bytes, and addresses in text, case by case.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/port/framing.h"

static void packets_end_where_they_say(void **state)
{
    static const struct {
        const char *name;
        enum weft_framing framing;
        const char *bytes;
        size_t length;
        uint32_t packet_max;
        int64_t done;
        size_t from, packet_length; // Of what is found.
    } cases[] = {
        {"nothing", WEFT_FRAMING_LINE, "", 0, 10, 0, 0, 0},
        {"a line", WEFT_FRAMING_LINE, "ab\ncd", 5, 10, 3, 0, 3},
        {"an empty line", WEFT_FRAMING_LINE, "\n\n", 2, 10, 1, 0, 1},
        {"half a line", WEFT_FRAMING_LINE, "abc", 3, 10, 0, 0, 0},
        {"a line that just fits", WEFT_FRAMING_LINE, "abc\n", 4, 4, 4, 0, 4},
        {"one that does not", WEFT_FRAMING_LINE, "abcd\n", 5, 4, -EMSGSIZE, 0, 0},
        {"nor will ever", WEFT_FRAMING_LINE, "abcde", 5, 4, -EMSGSIZE, 0, 0},
        {"no head", WEFT_FRAMING_LENGTH_1, "", 0, 10, 0, 0, 0},
        {"an empty packet", WEFT_FRAMING_LENGTH_1, "\0x", 2, 10, 1, 1, 0},
        {"one byte", WEFT_FRAMING_LENGTH_1, "\1xy", 3, 10, 2, 1, 1},
        {"too few", WEFT_FRAMING_LENGTH_1, "\3xy", 3, 10, 0, 0, 0},
        {"too long", WEFT_FRAMING_LENGTH_1, "\13", 1, 10, -EMSGSIZE, 0, 0},
        {"half a head", WEFT_FRAMING_LENGTH_2, "\0", 1, 10, 0, 0, 0},
        {"big-endian", WEFT_FRAMING_LENGTH_2, "\0\2ab", 4, 10, 4, 2, 2},
        {"too long of two", WEFT_FRAMING_LENGTH_2, "\1\0", 2, 255, -EMSGSIZE, 0, 0},
        {"four", WEFT_FRAMING_LENGTH_4, "\0\0\0\3abcd", 8, 10, 7, 4, 3},
        {"as long as can be", WEFT_FRAMING_LENGTH_4, "\377\377\377\377", 4, 10, -EMSGSIZE, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_span packet = {0};
        uint32_t scanned = 0;
        const struct weft_span bytes = weft_span_of(cases[i].bytes, cases[i].length);
        const int64_t done =
            weft_framing_next(cases[i].framing, cases[i].packet_max, bytes, &scanned, &packet);
        if (done != cases[i].done) fail_msg("%s: %lld", cases[i].name, (long long)done);
        if (done <= 0) continue;
        if (packet.data != bytes.data + cases[i].from || packet.length != cases[i].packet_length)
            fail_msg("%s: at %td, %zu", cases[i].name, packet.data - bytes.data, packet.length);
    }
}

// However a line comes, no byte of it is looked at twice.
static void a_line_is_scanned_once(void **state)
{
    char bytes[1000];
    struct weft_span packet;
    uint32_t scanned = 0;
    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    for (size_t length = 1; length < 500; length++) {
        const struct weft_span some = weft_span_of(bytes, length);
        assert_int_equal(weft_framing_next(WEFT_FRAMING_LINE, 1000, some, &scanned, &packet), 0);
        assert_int_equal(scanned, length);
        bytes[length - 1] = '\n'; // Too late: it has been passed.
    }
    bytes[600] = '\n';
    const struct weft_span all = weft_span_of(bytes, sizeof(bytes));
    assert_int_equal(weft_framing_next(WEFT_FRAMING_LINE, 1000, all, &scanned, &packet), 601);
    assert_int_equal(scanned, 0);
}

static void heads_say_lengths(void **state)
{
    uint8_t head[WEFT_FRAMING_HEAD_MAX];
    (void)state;
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_RAW, 1u << 30, head), 0);
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_LINE, 5, head), 0);
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_LENGTH_1, 255, head), 1);
    assert_memory_equal(head, "\377", 1);
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_LENGTH_1, 256, head), -EMSGSIZE);
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_LENGTH_2, 0x102, head), 2);
    assert_memory_equal(head, "\1\2", 2);
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_LENGTH_2, 65536, head), -EMSGSIZE);
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_LENGTH_4, 0x01020304, head), 4);
    assert_memory_equal(head, "\1\2\3\4", 4);
    assert_int_equal(weft_framing_head_put(WEFT_FRAMING_LENGTH_4, UINT64_C(1) << 32, head),
                     -EMSGSIZE);
}

static void addresses_are_read_whole_or_not(void **state)
{
    static const struct {
        const char *text;
        uint32_t host;
        uint16_t port;
        int result;
    } cases[] = {
        {"10.0.0.1:80", 0x0a000001, 80, 0},
        {"0.0.0.0:0", 0, 0, 0},
        {"255.255.255.255:65535", 0xffffffff, 65535, 0},
        {"", 0, 0, -EINVAL},
        {"10.0.0.1", 0, 0, -EINVAL},
        {"10.0.0.1:", 0, 0, -EINVAL},
        {"10.0.0:80", 0, 0, -EINVAL},
        {"10.0.0.0.1:80", 0, 0, -EINVAL},
        {"10.0.0.256:80", 0, 0, -EINVAL},
        {"10.0.0.1:65536", 0, 0, -EINVAL},
        {"10.0.0.1:99999999999999", 0, 0, -EINVAL},
        {"10.0.0.1:80 ", 0, 0, -EINVAL},
        {" 10.0.0.1:80", 0, 0, -EINVAL},
        {"10.0.0.01:80", 0, 0, -EINVAL},
        {"10.0.0.1:-1", 0, 0, -EINVAL},
        {"localhost:80", 0, 0, -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_address address = {0};
        char text[WEFT_ADDRESS_TEXT];
        if (weft_address_parse(cases[i].text, &address) != cases[i].result)
            fail_msg("\"%s\"", cases[i].text);
        if (cases[i].result != 0) continue;
        assert_int_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
        assert_string_equal(weft_address_print(&address, text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_end_where_they_say),
        cmocka_unit_test(a_line_is_scanned_once),
        cmocka_unit_test(heads_say_lengths),
        cmocka_unit_test(addresses_are_read_whole_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
