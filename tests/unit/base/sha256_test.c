// SHA-256 of the examples that NIST publishes for FIPS 180-4, and at every length around a block's
// end.
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/sha256.h"

static void hex_of(const void *bytes, size_t length, char hex[65])
{
    uint8_t hash[WEFT_SHA256_BYTES];
    weft_sha256(bytes, length, hash);
    for (unsigned n = 0; n < sizeof(hash); n++)
        snprintf(hex + 2 * n, 3, "%02x", hash[n]);
}

static void hashes_as_published(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hash;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[65];
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        hex_of(cases[n].text, strlen(cases[n].text), hex);
        assert_string_equal(hex, cases[n].hash);
    }
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    hex_of(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

// Of "a" 0 to 130 times, all in one: the hash of the hashes. Computed with sha256sum.
static void every_length_is_padded(void **state)
{
    (void)state;
    uint8_t hashes[131][WEFT_SHA256_BYTES];
    char text[131], hex[65];
    memset(text, 'a', sizeof(text));
    for (size_t length = 0; length < sizeof(text); length++)
        weft_sha256(text, length, hashes[length]);
    hex_of(hashes, sizeof(hashes), hex);
    assert_string_equal(hex, "f908a43fc8456c583aacde0fb2627959f8513dc76d0c03979b7f945a7dd78f22");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_published),
        cmocka_unit_test(every_length_is_padded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
