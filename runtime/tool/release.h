// release.h: checking what a release is made of: bundles, and files listed in a signed SHA256SUMS.
#ifndef WEFT_TOOL_RELEASE_H
#define WEFT_TOOL_RELEASE_H

#include <limits.h>
#include <stdbool.h>

#include "image/update/manifest.h"

// The key that releases are verified with: `given` (--key), else /etc/weft/update.pub, else
// update.pub in $XDG_CONFIG_HOME/weft (~/.config/weft). 0 with the path that it was, or -1 with
// W0903.
int weft_release_key(const char *given, char path[PATH_MAX], struct weft_update_key *key,
                     struct weft_error *error);

// The SHA-256 and the length of a file. 0, or -1 with W0906.
int weft_release_digest(const char *path, uint8_t sum[WEFT_UPDATE_DIGEST_BYTES], uint64_t *bytes,
                        struct weft_error *error);
// A file of at most 1 MiB; the caller frees text->data. 0, or -1 with W0906.
int weft_release_text(const char *path, struct weft_span *text, struct weft_error *error);

// Does the file begin like an update bundle? 0, or -1 with W0906.
int weft_release_is_bundle(const char *path, bool *is_bundle, struct weft_error *error);
// The whole of a bundle. 0, or -1 with W0902, W0903, W0906.
int weft_release_check_bundle(const char *path, const struct weft_update_key *key,
                              struct weft_update_manifest *manifest, struct weft_error *error);
// A file against SHA256SUMS and SHA256SUMS.sig of its directory. 0 with what was found, or -1.
int weft_release_check_listed(const char *path, const struct weft_update_key *key,
                              uint8_t sum[WEFT_UPDATE_DIGEST_BYTES], uint64_t *bytes,
                              struct weft_error *error);

#endif // WEFT_TOOL_RELEASE_H
