#include "tests/unit/image/update/release.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/prng.h"
#include "tests/support/cmocka.h"

// Made for these tests, and for nothing else.
static const char private_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIDbNTykBgqVB54PWuTquMAHxB6Z9QYKrAOsWB8LGHoW8\n"
    "-----END PRIVATE KEY-----\n"
    "";
static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEAiVUrxKLYnDuH0zywKZTtW1LwqzvfZhxeYAgvBoZnXI0=\n"
                                 "-----END PUBLIC KEY-----\n"
                                 "";
static const char strange_private_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIFeTruF7qnVFA7mcKX46+U/BjGV5cE5VeMREvunys1j9\n"
    "-----END PRIVATE KEY-----\n"
    "";

// No multiple of a sector, but for the verity tree: ends must be right, too.
static const size_t sizes[] = {9 * 512 + 100, 2 * 512, 3 * 512 + 7, 3 * 512 + 9};

static void digest(const uint8_t *bytes, size_t length, uint8_t sum[WEFT_UPDATE_DIGEST_BYTES])
{
    struct weft_update_digest state;

    assert_int_equal(weft_update_digest_init(&state), 0);
    weft_update_digest_add(&state, bytes, length);
    weft_update_digest_finish(&state, sum);
}

void test_release_make(struct test_release *release, const char *version, const char *floor,
                       unsigned seed)
{
    struct weft_update_manifest *manifest = &release->manifest;
    struct weft_prng prng;

    memset(release, 0, sizeof(*release));
    weft_prng_seed(&prng, seed);
    strcpy(manifest->version, version);
    strcpy(manifest->floor, floor);
    strcpy(manifest->arch, "arm64");
    manifest->epoch_s = 1764201600 + seed;
    for (size_t part = 0; part < WEFT_UPDATE_PARTS; part++) {
        release->parts[part] = malloc(sizes[part]);
        assert_non_null(release->parts[part]);
        for (size_t i = 0; i < sizes[part]; i++)
            release->parts[part][i] = (uint8_t)weft_prng_below(&prng, 256);
        manifest->parts[part].bytes = sizes[part];
        digest(release->parts[part], sizes[part], manifest->parts[part].sha256);
    }
    const struct weft_span pem = weft_span_text(public_key);
    assert_int_equal(weft_update_key_parse(pem, "the test's", &release->key, NULL), 0);
    test_release_sign(release, false);
}

void test_release_sign(struct test_release *release, bool strange)
{
    uint8_t head[WEFT_UPDATE_HEADER_BYTES + WEFT_UPDATE_MANIFEST_BYTES_MAX];
    const struct weft_span pem = weft_span_text(strange ? strange_private_key : private_key);
    const int64_t length = weft_update_head_make(&release->manifest, pem, head, NULL);

    assert_true(length > 0);
    release->bundle_length = (size_t)length;
    for (size_t part = 0; part < WEFT_UPDATE_PARTS; part++)
        release->bundle_length += release->manifest.parts[part].bytes;
    free(release->bundle);
    release->bundle = calloc(1, release->bundle_length);
    assert_non_null(release->bundle);
    memcpy(release->bundle, head, (size_t)length);
    size_t at = (size_t)length;
    for (size_t part = 0; part < WEFT_UPDATE_PARTS; part++) {
        const size_t bytes = release->manifest.parts[part].bytes;
        memcpy(release->bundle + at, release->parts[part],
               bytes < sizes[part] ? bytes : sizes[part]);
        at += bytes;
    }
}

void test_release_destroy(struct test_release *release)
{
    for (size_t part = 0; part < WEFT_UPDATE_PARTS; part++)
        free(release->parts[part]);
    free(release->bundle);
    weft_update_key_destroy(&release->key);
}
