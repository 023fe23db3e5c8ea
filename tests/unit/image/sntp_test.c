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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_half_of_the_way_off),
        cmocka_unit_test(the_seconds_wrap_in_2036),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
