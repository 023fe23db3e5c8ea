// Bundles: what is taken as it comes, and every way to be refused.
#include <stdlib.h>
#include <string.h>

#include "runtime/base/units.h"
#include "tests/support/cmocka.h"
#include "tests/unit/image/update/release.h"

struct taken {
    unsigned begun;
    uint8_t bytes[WEFT_UPDATE_PARTS][8192];
    uint64_t length[WEFT_UPDATE_PARTS];
};

static int begin(void *self, const struct weft_update_manifest *manifest, struct weft_error *error)
{
    struct taken *taken = self;
    (void)manifest, (void)error;

    taken->begun++;
    return 0;
}

static int take(void *self, enum weft_update_part part, uint64_t offset, const uint8_t *bytes,
                size_t length, struct weft_error *error)
{
    struct taken *taken = self;
    (void)error;

    assert_int_equal(offset, taken->length[part]);
    assert_true(offset + length <= sizeof(taken->bytes[part]));
    memcpy(taken->bytes[part] + offset, bytes, length);
    taken->length[part] += length;
    return 0;
}

// Feeds a bundle in pieces of `piece` bytes. 0, or the code of the error.
static int read_all(const struct test_release *release, const uint8_t *bytes, size_t length,
                    size_t piece, struct taken *taken)
{
    const struct weft_update_taker taker = {.begin = begin, .bytes = take, .self = taken};
    struct weft_update_reader reader;
    struct weft_error error = {0};
    int result = 0;

    memset(taken, 0, sizeof(*taken));
    weft_update_reader_init(&reader, &release->key, &taker);
    for (size_t at = 0; at < length && result == 0; at += piece) {
        const size_t count = length - at < piece ? length - at : piece;
        result = weft_update_reader_feed(&reader, bytes + at, count, &error);
    }
    if (result == 0) result = weft_update_reader_end(&reader, &error);
    weft_update_reader_destroy(&reader);
    return result == 0 ? 0 : error.code;
}

static void takes_it_in_pieces_of_any_size(void **state)
{
    static const size_t pieces[] = {1, 7, 80, 4096, 1 << 20};
    struct test_release release;
    static struct taken taken;
    (void)state;

    test_release_make(&release, "0.2.0", "0.1.0", 1);
    for (size_t i = 0; i < WEFT_COUNT_OF(pieces); i++) {
        assert_int_equal(
            read_all(&release, release.bundle, release.bundle_length, pieces[i], &taken), 0);
        assert_int_equal(taken.begun, 1);
        for (size_t part = 0; part < WEFT_UPDATE_PARTS; part++) {
            assert_int_equal(taken.length[part], release.manifest.parts[part].bytes);
            assert_memory_equal(taken.bytes[part], release.parts[part], taken.length[part]);
        }
    }
    test_release_destroy(&release);
}

static void refuses_every_truncation(void **state)
{
    struct test_release release;
    static struct taken taken;
    (void)state;

    test_release_make(&release, "0.2.0", "0.1.0", 2);
    for (size_t length = 0; length < release.bundle_length; length++)
        assert_int_equal(read_all(&release, release.bundle, length, 4096, &taken), 902);
    test_release_destroy(&release);
}

// Wherever one bit is wrong, it is found; in header and manifest before anything is handed on.
static void refuses_every_flipped_bit(void **state)
{
    struct test_release release;
    static struct taken taken;
    (void)state;

    test_release_make(&release, "0.2.0", "0.1.0", 3);
    const size_t head = release.bundle_length - release.manifest.parts[0].bytes -
                        release.manifest.parts[1].bytes - release.manifest.parts[2].bytes -
                        release.manifest.parts[3].bytes;
    for (size_t at = 0; at < release.bundle_length; at += at < head ? 1 : 61) {
        release.bundle[at] ^= (uint8_t)(1 << at % 8);
        const int code = read_all(&release, release.bundle, release.bundle_length, 1 << 20, &taken);
        release.bundle[at] ^= (uint8_t)(1 << at % 8);
        assert_true(code == 902 || code == 903);
        if (at < head) assert_int_equal(taken.begun, 0);
    }
    test_release_destroy(&release);
}

static void refuses_other_signers(void **state)
{
    struct test_release release;
    static struct taken taken;
    (void)state;

    test_release_make(&release, "0.2.0", "0.1.0", 4);
    test_release_sign(&release, true);
    assert_int_equal(read_all(&release, release.bundle, release.bundle_length, 4096, &taken), 903);
    assert_int_equal(taken.begun, 0);
    memset(release.bundle + 16, 0, WEFT_UPDATE_SIGNATURE_BYTES); // Not signed at all.
    assert_int_equal(read_all(&release, release.bundle, release.bundle_length, 4096, &taken), 903);
    assert_int_equal(taken.begun, 0);
    test_release_destroy(&release);
}

static void refuses_what_follows_the_end(void **state)
{
    struct test_release release;
    static struct taken taken;
    (void)state;

    test_release_make(&release, "0.2.0", "0.1.0", 5);
    uint8_t *longer = calloc(1, release.bundle_length + 1);
    assert_non_null(longer);
    memcpy(longer, release.bundle, release.bundle_length);
    assert_int_equal(read_all(&release, longer, release.bundle_length + 1, 4096, &taken), 902);
    free(longer);
    test_release_destroy(&release);
}

static void manifests_have_one_spelling(void **state)
{
#define PARTS                                                                                      \
    "part root.erofs 1 " HEX "\npart root.verity 1 " HEX "\npart uki-a.efi 1 " HEX                 \
    "\npart uki-b.efi 1 " HEX "\n"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const struct {
        const char *name, *text;
        bool good;
    } cases[] = {
        {"plain", "weft-update 1\nversion 1.2\narch arm64\nfloor 1.0\nepoch 0\n" PARTS, true},
        {"empty", "", false},
        {"format 2", "weft-update 2\nversion 1.2\narch arm64\nfloor 1.0\nepoch 0\n" PARTS, false},
        {"order", "weft-update 1\narch arm64\nversion 1.2\nfloor 1.0\nepoch 0\n" PARTS, false},
        {"two blanks", "weft-update 1\nversion  1.2\narch arm64\nfloor 1.0\nepoch 0\n" PARTS,
         false},
        {"leading zero", "weft-update 1\nversion 1.2\narch arm64\nfloor 1.0\nepoch 01\n" PARTS,
         false},
        {"version of bytes that name files",
         "weft-update 1\nversion 1+2\narch arm64\nfloor 1.0\nepoch 0\n" PARTS, false},
        {"floor above itself", "weft-update 1\nversion 1.2\narch arm64\nfloor 1.3\nepoch 0\n" PARTS,
         false},
        {"arch with a slash", "weft-update 1\nversion 1.2\narch a/b\nfloor 1.0\nepoch 0\n" PARTS,
         false},
        {"a line too many",
         "weft-update 1\nversion 1.2\narch arm64\nfloor 1.0\nepoch 0\n" PARTS "\n", false},
        {"no parts", "weft-update 1\nversion 1.2\narch arm64\nfloor 1.0\nepoch 0\n", false},
        {"an empty part",
         "weft-update 1\nversion 1.2\narch arm64\nfloor 1.0\nepoch 0\npart root.erofs 0 " HEX "\n",
         false},
        {"a part of 2^32 and one",
         "weft-update 1\nversion 1.2\narch arm64\nfloor 1.0\nepoch 0\npart root.erofs "
         "4294967297 " HEX "\n",
         false},
        {"a number of many digits",
         "weft-update 1\nversion 1.2\narch arm64\nfloor 1.0\nepoch 9999999999999999999\n" PARTS,
         false},
    };
#undef HEX
#undef PARTS
    (void)state;

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_update_manifest manifest;
        struct weft_error error = {0};
        char printed[WEFT_UPDATE_MANIFEST_BYTES_MAX];
        const int result =
            weft_update_manifest_parse(cases[i].text, strlen(cases[i].text), &manifest, &error);
        if ((result == 0) != cases[i].good) fail_msg("%s", cases[i].name);
        if (result != 0) assert_int_equal(error.code, 902);
        if (result != 0) continue;
        assert_int_equal(weft_update_manifest_print(&manifest, printed), strlen(cases[i].text));
        assert_string_equal(printed, cases[i].text);
    }
}

static void versions_sort_as_the_loader_sorts_them(void **state)
{
    static const char *const rising[] = {"0.1~alpha", "0.1~rc1", "0.1~rc2", "0.1~rc10",
                                         "0.1",       "0.1.0",   "0.1.9",   "0.1.10",
                                         "0.2",       "1.0",     "1.0.0.1", "10"};
    static const char *const wrong[] = {
        "",     ".",         "1.",         "01",
        "1..2", "1.2.3.4.5", "v1",         "1-rc1",
        "1~",   "1~rc.1",    "1+1",        "1_2",
        "1 ",   "1~RC",      "1234567890", "1~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    (void)state;

    for (size_t a = 0; a < WEFT_COUNT_OF(rising); a++) {
        assert_true(weft_update_version_valid(rising[a], strlen(rising[a])));
        for (size_t b = 0; b < WEFT_COUNT_OF(rising); b++) {
            const int order = weft_update_version_compare(rising[a], rising[b]);
            if ((a < b) != (order < 0) || (a > b) != (order > 0))
                fail_msg("%s, %s", rising[a], rising[b]);
        }
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(wrong); i++) {
        if (weft_update_version_valid(wrong[i], strlen(wrong[i]))) fail_msg("\"%s\"", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_it_in_pieces_of_any_size),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(refuses_every_flipped_bit),
        cmocka_unit_test(refuses_other_signers),
        cmocka_unit_test(refuses_what_follows_the_end),
        cmocka_unit_test(manifests_have_one_spelling),
        cmocka_unit_test(versions_sort_as_the_loader_sorts_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
