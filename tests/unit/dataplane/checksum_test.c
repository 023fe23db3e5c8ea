// The Internet checksum against RFC 1071's own example, and against adding up two bytes at a time.
#include "tests/support/cmocka.h"

#include <string.h>

#include "dataplane/checksum.h"
#include "runtime/base/prng.h"

static void the_example_of_rfc_1071(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    const uint16_t sum = weft_checksum_fold(weft_checksum_add(0, bytes, sizeof(bytes)));
    uint8_t stored[2];
    memcpy(stored, &sum, 2);
    assert_int_equal(stored[0], 0xdd); // Section 3: ddf2 in network order.
    assert_int_equal(stored[1], 0xf2);
}

static uint16_t add_slowly(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static void equals_the_slow_way(void **state)
{
    (void)state;
    struct weft_prng prng;
    uint8_t bytes[1501];
    weft_prng_seed(&prng, 5);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = weft_prng_below(&prng, 3) == 0 ? 255 : (uint8_t)weft_prng_next(&prng);
    }
    for (size_t length = 0; length < sizeof(bytes); length++) {
        const uint16_t fast = weft_checksum_finish(weft_checksum_add(0, bytes, length));
        uint8_t stored[2];
        memcpy(stored, &fast, 2);
        assert_int_equal(stored[0] << 8 | stored[1], add_slowly(bytes, length));
    }
    memset(bytes, 255, sizeof(bytes)); // Every carry there can be.
    for (size_t length = 0; length < sizeof(bytes); length++) {
        const uint16_t fast = weft_checksum_finish(weft_checksum_add(0, bytes, length));
        uint8_t stored[2];
        memcpy(stored, &fast, 2);
        assert_int_equal(stored[0] << 8 | stored[1], add_slowly(bytes, length));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_1071),
        cmocka_unit_test(equals_the_slow_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
