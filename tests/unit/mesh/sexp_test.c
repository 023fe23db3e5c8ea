// S-expressions and the envelope: what is read, what is refused and where, and both ways together.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "runtime/mesh/envelope.h"
#include "runtime/mesh/sexp.h"

static void reads_or_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        size_t at; // Of a failure.
    } cases[] = {
        {"()", 1, 0},
        {"(a)", 2, 0},
        {" ( a :b \"c\" -12 ( ) ) ", 6, 0},
        {"\"\\x00\\\\\\\"\\n\\r\\t\"", 1, 0},
        {"9223372036854775807", 1, 0},
        {"-9223372036854775808", 1, 0},
        {"-", 1, 0},
        {"(a (b (c (d))))", 8, 0},
        {"", -EBADMSG, 0},
        {"   ", -EBADMSG, 3},
        {")", -EBADMSG, 0},
        {"(", -EBADMSG, 1},
        {"(a", -EBADMSG, 2},
        {"a b", -EBADMSG, 2},
        {"() ()", -EBADMSG, 3},
        {"\"a", -EBADMSG, 2},
        {"\"\\q\"", -EBADMSG, 3},
        {"\"\\x0g\"", -EBADMSG, 3},
        {"\"\\x", -EBADMSG, 3},
        {"\"\n\"", -EBADMSG, 1},
        {"9223372036854775808", -EBADMSG, 19},
        {"-9223372036854775809", -EBADMSG, 20},
        {"12a", -EBADMSG, 3},
        {":", -EBADMSG, 1},
        {":1", -EBADMSG, 2},
        {"#t", -EBADMSG, 0},
        {"(a;b)", -EBADMSG, 2},
        {"((((((((((((((((", -EBADMSG, 16},
        {"(((((((((((((((((", -E2BIG, 16},
        {"(a b c d e f g h i j k l m n o p)", -E2BIG, 31},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_sexp_node nodes[16];
        size_t at = 0;
        const int result = weft_sexp_read(weft_span_text(cases[i].text), nodes, 16, &at);
        if (result != cases[i].result) fail_msg("%s: %d", cases[i].text, result);
        if (result < 0 && at != cases[i].at) fail_msg("%s: at %zu", cases[i].text, at);
    }
    struct weft_sexp_node node;
    assert_int_equal(weft_sexp_read(weft_span_of("\"\0\"", 3), &node, 1, NULL), -EBADMSG);
    assert_int_equal(weft_sexp_read(weft_span_of("\0", 1), &node, 1, NULL), -EBADMSG);
    assert_int_equal(weft_sexp_read(weft_span_of("a", 1), &node, 0, NULL), -E2BIG);
}

static void nodes_lie_in_reading_order(void **state)
{
    (void)state;
    struct weft_sexp_node nodes[8];
    assert_int_equal(weft_sexp_read(weft_span_text("(a (b :k) -7 \"x\\x41\")"), nodes, 8, NULL), 7);
    assert_int_equal(nodes[0].count, 4);
    assert_int_equal(nodes[0].end, 7);
    assert_int_equal(nodes[2].kind, WEFT_SEXP_LIST);
    assert_int_equal(nodes[2].count, 2);
    assert_int_equal(nodes[2].end, 5);
    assert_int_equal(nodes[4].kind, WEFT_SEXP_KEYWORD);
    assert_true(weft_span_equal(nodes[4].text, weft_span_text("k")));
    assert_int_equal(nodes[5].integer, -7);

    uint8_t bytes[2];
    assert_int_equal(weft_sexp_string(&nodes[6], bytes, 2), 2);
    assert_memory_equal(bytes, "xA", 2);
    assert_int_equal(weft_sexp_string(&nodes[6], bytes, 1), -EMSGSIZE);
}

static void writes_without_choice(void **state)
{
    (void)state;
    static const char expected[] = "(a :k -7 () (b) \"\\\"\\\\\\n\\r\\t\\x00\\xff ~\")";
    char text[sizeof(expected)];
    for (size_t size = 0; size < sizeof(text); size++) {
        struct weft_sexp_writer writer;
        weft_sexp_writer_init(&writer, text, size);
        weft_sexp_open(&writer);
        weft_sexp_put_symbol(&writer, "a");
        weft_sexp_put_keyword(&writer, "k");
        weft_sexp_put_integer(&writer, -7);
        weft_sexp_open(&writer);
        weft_sexp_close(&writer);
        weft_sexp_open(&writer);
        weft_sexp_put_symbol(&writer, "b");
        weft_sexp_close(&writer);
        weft_sexp_put_string(&writer, weft_span_of("\"\\\n\r\t\0\xff ~", 9));
        weft_sexp_close(&writer);
        assert_true(writer.overflow == (size < sizeof(expected) - 1));
        if (writer.overflow) continue;
        assert_int_equal(writer.length, sizeof(expected) - 1);
        assert_memory_equal(text, expected, writer.length);
    }
}

static void an_envelope_golden(void **state)
{
    (void)state;
    static const char golden[] = "(host-msg :to \"0123456789abcdef\" :from \"fedcba9876543210\" "
                                 ":payload \"say \\\"hi\\\"\\x00\")";
    const struct weft_envelope out = {.to = UINT64_C(0x0123456789abcdef),
                                      .from = UINT64_C(0xfedcba9876543210),
                                      .payload = weft_span_of("say \"hi\"\0", 9)};
    char text[200];
    const int length = weft_envelope_write(&out, text, sizeof(text));
    assert_int_equal(length, sizeof(golden) - 1);
    assert_memory_equal(text, golden, sizeof(golden) - 1);
    assert_int_equal(weft_envelope_write(&out, text, sizeof(golden) - 2), -EMSGSIZE);

    struct weft_envelope in;
    uint8_t payload[16];
    assert_int_equal(weft_envelope_read(weft_span_text(golden), payload, sizeof(payload), &in), 0);
    assert_true(in.to == out.to && in.from == out.from);
    assert_true(weft_span_equal(in.payload, out.payload));
    assert_int_equal(weft_envelope_read(weft_span_text(golden), payload, 8, &in), -EMSGSIZE);
}

static void envelopes_that_are_none(void **state)
{
    (void)state;
#define ID "\"0123456789abcdef\""
    static const char *const cases[] = {
        "",
        "()",
        "(host-msg)",
        "(host-msg :to " ID " :from " ID ")",
        "(host-msg :to " ID " :from " ID " :payload)",
        "(host-msg :to " ID " :from " ID " :payload 1)",
        "(host-msg :to " ID " :from " ID " :payload \"\" :x 1)",
        "(host-msg :to " ID " :to " ID " :payload \"\")",
        "(host-msg :to " ID " :from " ID " payload \"\")",
        "(host-msg :to " ID " :from (" ID ") :payload)",
        "(peer-msg :to " ID " :from " ID " :payload \"\")",
        "(host-msg :to \"0123456789ABCDEF\" :from " ID " :payload \"\")",
        "(host-msg :to \"123456789abcdef\" :from " ID " :payload \"\")",
        "(host-msg :to 0123456789 :from " ID " :payload \"\")",
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_envelope in;
        uint8_t payload[16];
        if (weft_envelope_read(weft_span_text(cases[i]), payload, 16, &in) != -EBADMSG)
            fail_msg("%s", cases[i]);
    }
    struct weft_envelope in;
    uint8_t payload[16];
    assert_int_equal(
        weft_envelope_read(weft_span_text("(host-msg :payload \"a\" :from " ID " :to " ID ")"),
                           payload, 16, &in),
        0); // Any order.
}

// Property: whatever bytes go in come out.
static void payloads_survive(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 500; seed++) {
        struct weft_prng prng;
        uint8_t bytes[200], payload[200];
        char text[1000];
        struct weft_envelope in;
        weft_prng_seed(&prng, seed);
        const uint32_t length = weft_prng_below(&prng, sizeof(bytes));
        for (uint32_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)weft_prng_next(&prng);
        const struct weft_envelope out = {.to = weft_prng_next(&prng),
                                          .from = weft_prng_next(&prng),
                                          .payload = weft_span_of(bytes, length)};
        const int written = weft_envelope_write(&out, text, sizeof(text));
        if (written < 0) fail_msg("seed %u", seed);
        if (weft_envelope_read(weft_span_of(text, (size_t)written), payload, sizeof(payload),
                               &in) != 0 ||
            in.to != out.to || in.from != out.from || !weft_span_equal(in.payload, out.payload))
            fail_msg("seed %u", seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_or_says_where),     cmocka_unit_test(nodes_lie_in_reading_order),
        cmocka_unit_test(writes_without_choice),   cmocka_unit_test(an_envelope_golden),
        cmocka_unit_test(envelopes_that_are_none), cmocka_unit_test(payloads_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
