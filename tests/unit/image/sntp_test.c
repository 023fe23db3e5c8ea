// What one answer of a time server says about our clock.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "image/init/sntp.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"

#define CHANCE  UINT64_C(0x1122334455667788)
#define FLOOR_S INT64_C(1790000000) // 2026-09-21
#define SECOND  ((int64_t)WEFT_NS_PER_S)

static void put_stamp(uint8_t *at, int64_t seconds, uint32_t fraction)
{
    weft_be32_put(at, (uint32_t)(seconds + INT64_C(2208988800)));
    weft_be32_put(at + 4, fraction);
}

static void make_answer(uint8_t bytes[WEFT_SNTP_BYTES], int64_t seconds)
{
    uint8_t request[WEFT_SNTP_BYTES];
    weft_sntp_request(request, CHANCE);
    memset(bytes, 0, WEFT_SNTP_BYTES);
    bytes[0] = 4 << 3 | 4;
    bytes[1] = 2;
    memcpy(bytes + 24, request + 40, 8);
    put_stamp(bytes + 32, seconds, 0);
    put_stamp(bytes + 40, seconds, UINT32_C(1) << 31); // Half a second later.
}

static void it_takes_half_of_the_way_off(void **state)
{
    (void)state;
    uint8_t bytes[WEFT_SNTP_BYTES];
    int64_t offset_ns = 0;
    // Ours is 100 s behind; the way takes a second in each direction.
    const int64_t sent = (FLOOR_S + 900) * SECOND, received = sent + 2 * SECOND + SECOND / 2;
    make_answer(bytes, FLOOR_S + 1001);
    assert_int_equal(
        weft_sntp_offset(bytes, sizeof(bytes), CHANCE, sent, received, FLOOR_S, &offset_ns), 0);
    assert_int_equal(offset_ns, 100 * SECOND);
}

static void the_seconds_wrap_in_2036(void **state)
{
    (void)state;
    uint8_t bytes[WEFT_SNTP_BYTES];
    int64_t offset_ns = 0;
    const int64_t later_s = INT64_C(2208988800); // 2040
    make_answer(bytes, later_s);
    assert_int_equal(weft_sntp_offset(bytes, sizeof(bytes), CHANCE, FLOOR_S * SECOND,
                                      FLOOR_S * SECOND + SECOND / 2, FLOOR_S, &offset_ns),
                     0);
    assert_int_equal(offset_ns, (later_s - FLOOR_S) * SECOND);
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        int result;
    } cases[] = {
        {"a client's", 0, 4 << 3 | 3, -EINVAL},
        {"to another request", 24, 0, -EINVAL},
        {"a server without time", 0, 3 << 6 | 4 << 3 | 4, -EAGAIN},
        {"a kiss of death", 1, 0, -EAGAIN},
        {"stratum 16", 1, 16, -EAGAIN},
        {"long ago", 40, 0xc0, -ERANGE},
        {"it came long ago", 32, 0xc0, -ERANGE},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        uint8_t bytes[WEFT_SNTP_BYTES];
        int64_t offset_ns = 0;
        make_answer(bytes, FLOOR_S + 10);
        bytes[cases[i].at] = cases[i].value;
        const int result = weft_sntp_offset(bytes, sizeof(bytes), CHANCE, FLOOR_S * SECOND,
                                            FLOOR_S * SECOND, FLOOR_S, &offset_ns);
        if (result != cases[i].result) fail_msg("%s: %d", cases[i].name, result);
        assert_int_equal(
            weft_sntp_offset(bytes, sizeof(bytes) - 1, CHANCE, 0, 0, FLOOR_S, &offset_ns), -EINVAL);
    }
}

// What one node tells, another one takes: the difference of their clocks, less the way.
static void what_is_told_is_understood(void **state)
{
    (void)state;
    static const struct {
        struct weft_sntp_clock clock;
        int result;
        bool is_from_us;
    } cases[] = {
        {{2, 0x0a000001}, 0, false}, {{10, 0}, 0, false},      {{15, 0x0a000001}, 0, false},
        {{2, 0x0a000002}, 0, true},  {{0, 0}, -EAGAIN, false}, {{16, 0x0a000001}, -EAGAIN, false},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        uint8_t question[WEFT_SNTP_BYTES], answer[WEFT_SNTP_BYTES];
        int64_t offset_ns = 0;
        const int64_t ours = FLOOR_S * SECOND, theirs = (FLOOR_S + 5000) * SECOND + 250;
        weft_sntp_request(question, CHANCE);
        assert_true(weft_sntp_answer(question, sizeof(question), &cases[i].clock, theirs + SECOND,
                                     theirs + 2 * SECOND, answer));
        const int result = weft_sntp_offset(answer, sizeof(answer), CHANCE, ours, ours + 3 * SECOND,
                                            FLOOR_S, &offset_ns);
        if (result != cases[i].result) fail_msg("case %zu: %d", i, result);
        if (result != 0) continue;
        assert_true(offset_ns - 5000 * SECOND < 1000 && offset_ns >= 5000 * SECOND);
        assert_int_equal(weft_sntp_stratum(answer), cases[i].clock.stratum);
        if (weft_sntp_is_from(answer, 0x0a000002) != cases[i].is_from_us) fail_msg("case %zu", i);
    }
}

static void what_is_no_question_is_not_answered(void **state)
{
    (void)state;
    const struct weft_sntp_clock clock = {2, 1};
    uint8_t bytes[WEFT_SNTP_BYTES], answer[WEFT_SNTP_BYTES], again[WEFT_SNTP_BYTES];
    const int64_t now = FLOOR_S * SECOND;
    weft_sntp_request(bytes, CHANCE);
    assert_false(weft_sntp_answer(bytes, sizeof(bytes) - 1, &clock, now, now, answer));
    assert_true(weft_sntp_answer(bytes, sizeof(bytes), &clock, now, now, answer));
    assert_false(weft_sntp_answer(answer, sizeof(answer), &clock, now, now, again)); // For ever.
    bytes[0] = 7 << 3 | 3;
    assert_false(weft_sntp_answer(bytes, sizeof(bytes), &clock, now, now, answer));
    bytes[0] = 3 << 3 | 3; // An older one.
    assert_true(weft_sntp_answer(bytes, sizeof(bytes), &clock, now, now, answer));
    assert_int_equal(answer[0], 3 << 3 | 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_half_of_the_way_off),
        cmocka_unit_test(the_seconds_wrap_in_2036),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(what_is_told_is_understood),
        cmocka_unit_test(what_is_no_question_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
