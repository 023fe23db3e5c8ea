// release.h: releases made in memory, for tests: keys, parts of seeded bytes, and the bundle.
#ifndef WEFT_TEST_RELEASE_H
#define WEFT_TEST_RELEASE_H

#include <stddef.h>

#include "image/update/bundle.h"

struct test_release {
    struct weft_update_manifest manifest;
    uint8_t *parts[WEFT_UPDATE_PARTS];
    uint8_t *bundle;
    size_t bundle_length;
    struct weft_update_key key; // That it is signed by.
};

// Signed by the first of two keys; `seed` decides the bytes. Nothing here fails: it asserts.
void test_release_make(struct test_release *release, const char *version, const char *floor,
                       unsigned seed);
// Makes the bundle anew from the manifest as it is now; by the other key if `strange`.
void test_release_sign(struct test_release *release, bool strange);
void test_release_destroy(struct test_release *release);

#endif // WEFT_TEST_RELEASE_H
