// manifest.h: what a release says of itself: the signed text at the head of an update bundle
// (docs/wire/update-bundle.md).
//
// One spelling for one content: each line in its place, one blank between words, no leading zeros.
// What was signed is what was read.
#ifndef WEFT_UPDATE_MANIFEST_H
#define WEFT_UPDATE_MANIFEST_H

#include <stdint.h>

#include "image/update/key.h"
#include "image/update/version.h"

#define WEFT_UPDATE_MANIFEST_BYTES_MAX 4096
#define WEFT_UPDATE_PART_BYTES_MAX     (UINT64_C(1) << 32)

enum weft_update_part { // In the order of the bundle.
    WEFT_UPDATE_ROOT,   // root.erofs
    WEFT_UPDATE_VERITY, // root.verity
    WEFT_UPDATE_UKI_A,  // uki-a.efi: the kernel that starts from slot a.
    WEFT_UPDATE_UKI_B,
    WEFT_UPDATE_PARTS,
};

struct weft_update_manifest {
    char version[WEFT_UPDATE_VERSION_BYTES];
    char arch[16];                         // "arm64", "amd64".
    char floor[WEFT_UPDATE_VERSION_BYTES]; // No older release after this one has proved good.
    uint64_t epoch_s;                      // When it was built, in seconds since 1970.
    struct {
        uint64_t bytes; // 1 to WEFT_UPDATE_PART_BYTES_MAX.
        uint8_t sha256[WEFT_UPDATE_DIGEST_BYTES];
    } parts[WEFT_UPDATE_PARTS];
};

// "root.erofs" …
const char *weft_update_part_name(enum weft_update_part part);

// Reads the `length` bytes at `text`. 0, or -1 with W0902: what line is wrong, and how.
int weft_update_manifest_parse(const char *text, size_t length,
                               struct weft_update_manifest *manifest, struct weft_error *error);

// Writes it, with a zero byte. Its length; it always fits, for the fields are bounded.
size_t weft_update_manifest_print(const struct weft_update_manifest *manifest,
                                  char text[WEFT_UPDATE_MANIFEST_BYTES_MAX]);

#endif // WEFT_UPDATE_MANIFEST_H
