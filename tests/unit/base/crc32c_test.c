// The checksum against the vectors of RFC 3720, appendix B.4.
#include "tests/support/cmocka.h"

#include <string.h>

#include "runtime/base/crc32c.h"

static void matches_the_rfc(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], up[32];
    memset(ones, 0xff, sizeof(ones));
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
    }
    assert_int_equal(weft_crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(weft_crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(weft_crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(weft_crc32c(0, "123456789", 9), 0xe3069283);
}

static void goes_on_where_it_stopped(void **state)
{
    (void)state;
    const char *text = "received = delivered + sum of drops";
    const size_t length = strlen(text);
    for (size_t cut = 0; cut <= length; cut++) {
        const uint32_t first = weft_crc32c(0, text, cut);
        assert_int_equal(weft_crc32c(first, text + cut, length - cut),
                         weft_crc32c(0, text, length));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_rfc),
        cmocka_unit_test(goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
