// bundle.h: an update as one stream of bytes: header, signed manifest, parts
// (docs/wire/update-bundle.md). A reader that is fed as bytes come, and a builder.
//
// Nothing of a bundle reaches its taker before the signature over the manifest holds; nothing of a
// part is called whole before its digest does. So a stream may be written to a slot as it comes.
//
// Core: any thread but a core that turns. Memory: the reader is embedded; GnuTLS holds a digest.
#ifndef WEFT_UPDATE_BUNDLE_H
#define WEFT_UPDATE_BUNDLE_H

#include "image/update/manifest.h"

#define WEFT_UPDATE_HEADER_BYTES 80
#define WEFT_UPDATE_MAGIC        "WEFTUPD1"

// Each answers 0, or -1 with `error`, which ends the reading.
struct weft_update_taker {
    // The manifest is signed by the key. Before anything else.
    int (*begin)(void *self, const struct weft_update_manifest *manifest, struct weft_error *error);
    // Bytes of a part, in order.
    int (*bytes)(void *self, enum weft_update_part part, uint64_t offset, const uint8_t *bytes,
                 size_t length, struct weft_error *error);
    void *self;
};

struct weft_update_reader {
    const struct weft_update_key *key;
    struct weft_update_taker taker;
    uint8_t head[WEFT_UPDATE_HEADER_BYTES + WEFT_UPDATE_MANIFEST_BYTES_MAX];
    size_t head_length, head_wanted; // Bytes of the header, then of it and the manifest.
    struct weft_update_manifest manifest;
    enum weft_update_part part; // Being read; WEFT_UPDATE_PARTS when all are.
    uint64_t part_offset;
    struct weft_update_digest digest;
    bool begun, failed;
};

// `key` outlives the reader.
void weft_update_reader_init(struct weft_update_reader *reader, const struct weft_update_key *key,
                             const struct weft_update_taker *taker);
void weft_update_reader_destroy(struct weft_update_reader *reader);

// Takes the next bytes. 0, or -1 with `error`: W0902 no bundle, or damaged, W0903 not signed by the
// key, or what the taker said. After that it takes no more.
int weft_update_reader_feed(struct weft_update_reader *reader, const uint8_t *bytes, size_t length,
                            struct weft_error *error);
// The stream has ended. 0 if the bundle was whole, else -1 with W0902.
int weft_update_reader_end(struct weft_update_reader *reader, struct weft_error *error);

// Writes the header and the manifest of a bundle: signs it with the private key in PEM. The parts
// follow, back to back. The length, or -1 with W0903.
int64_t
weft_update_head_make(const struct weft_update_manifest *manifest, struct weft_span private_pem,
                      uint8_t head[WEFT_UPDATE_HEADER_BYTES + WEFT_UPDATE_MANIFEST_BYTES_MAX],
                      struct weft_error *error);

#endif // WEFT_UPDATE_BUNDLE_H
