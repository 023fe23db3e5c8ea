#include "image/update/bundle.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/endian.h"

// The header, as on the wire: magic, manifest_bytes, zero, signature.
enum { MAGIC_AT = 0, LENGTH_AT = 8, ZERO_AT = 12, SIGNATURE_AT = 16 };
_Static_assert(SIGNATURE_AT + WEFT_UPDATE_SIGNATURE_BYTES == WEFT_UPDATE_HEADER_BYTES,
               "docs/wire/update-bundle.md");

// What is signed: the header up to the signature, then the manifest; so no other text that the key
// may sign (SHA256SUMS) can pass for a manifest.
#define SIGNED_BYTES_MAX (SIGNATURE_AT + WEFT_UPDATE_MANIFEST_BYTES_MAX)

static struct weft_span signed_text(const uint8_t *head, size_t head_length,
                                    uint8_t text[SIGNED_BYTES_MAX])
{
    const size_t manifest_bytes = head_length - WEFT_UPDATE_HEADER_BYTES;

    memcpy(text, head, SIGNATURE_AT);
    memcpy(text + SIGNATURE_AT, head + WEFT_UPDATE_HEADER_BYTES, manifest_bytes);
    return weft_span_of(text, SIGNATURE_AT + manifest_bytes);
}

void weft_update_reader_init(struct weft_update_reader *reader, const struct weft_update_key *key,
                             const struct weft_update_taker *taker)
{
    memset(reader, 0, sizeof(*reader));
    reader->key = key;
    reader->taker = *taker;
    reader->head_wanted = WEFT_UPDATE_HEADER_BYTES;
}

void weft_update_reader_destroy(struct weft_update_reader *reader)
{
    weft_update_digest_finish(&reader->digest, NULL);
}

static int check_header(struct weft_update_reader *reader, struct weft_error *error)
{
    const uint32_t manifest_bytes = weft_le32_get(reader->head + LENGTH_AT);

    if (memcmp(reader->head + MAGIC_AT, WEFT_UPDATE_MAGIC, 8) != 0 ||
        weft_le32_get(reader->head + ZERO_AT) != 0)
        return weft_error_set(error, 902, "this is no update of Weft");
    if (manifest_bytes == 0 || manifest_bytes > WEFT_UPDATE_MANIFEST_BYTES_MAX)
        return weft_error_set(error, 902, "the update's manifest would have %" PRIu32 " bytes",
                              manifest_bytes);
    reader->head_wanted = WEFT_UPDATE_HEADER_BYTES + manifest_bytes;
    return 0;
}

static int start_part(struct weft_update_reader *reader, struct weft_error *error)
{
    reader->part_offset = 0;
    return weft_update_digest_init(&reader->digest) == 0
               ? 0
               : weft_error_set(error, 902, "no memory for a digest");
}

static int check_manifest(struct weft_update_reader *reader, struct weft_error *error)
{
    uint8_t text[SIGNED_BYTES_MAX];
    const struct weft_span message = signed_text(reader->head, reader->head_length, text);

    if (weft_update_key_verify(reader->key, message, reader->head + SIGNATURE_AT) != 0) {
        weft_error_set(error, 903, "the update is not signed by the key that this node trusts");
        weft_error_hint(error, "an update fits the image that it was built with the keys of");
        return -1;
    }
    if (weft_update_manifest_parse((const char *)reader->head + WEFT_UPDATE_HEADER_BYTES,
                                   reader->head_length - WEFT_UPDATE_HEADER_BYTES,
                                   &reader->manifest, error) != 0)
        return -1;
    if (reader->taker.begin(reader->taker.self, &reader->manifest, error) != 0) return -1;
    reader->begun = true;
    return start_part(reader, error);
}

// Takes what belongs to header and manifest. Bytes taken, or -1.
static int64_t feed_head(struct weft_update_reader *reader, const uint8_t *bytes, size_t length,
                         struct weft_error *error)
{
    const size_t wanted = reader->head_wanted - reader->head_length;
    const size_t taken = length < wanted ? length : wanted;

    memcpy(reader->head + reader->head_length, bytes, taken);
    reader->head_length += taken;
    if (reader->head_length < reader->head_wanted) return (int64_t)taken;
    const bool is_header = reader->head_length == WEFT_UPDATE_HEADER_BYTES;
    const int result = is_header ? check_header(reader, error) : check_manifest(reader, error);
    return result == 0 ? (int64_t)taken : -1;
}

static int end_part(struct weft_update_reader *reader, struct weft_error *error)
{
    uint8_t sum[WEFT_UPDATE_DIGEST_BYTES];

    weft_update_digest_finish(&reader->digest, sum);
    if (memcmp(sum, reader->manifest.parts[reader->part].sha256, sizeof(sum)) != 0)
        return weft_error_set(error, 902, "the update is damaged: %s is not what was signed",
                              weft_update_part_name(reader->part));
    reader->part++;
    return reader->part < WEFT_UPDATE_PARTS ? start_part(reader, error) : 0;
}

static int64_t feed_part(struct weft_update_reader *reader, const uint8_t *bytes, size_t length,
                         struct weft_error *error)
{
    if (reader->part == WEFT_UPDATE_PARTS)
        return weft_error_set(error, 902, "something follows the end of the update");
    const uint64_t wanted = reader->manifest.parts[reader->part].bytes - reader->part_offset;
    const size_t taken = length < wanted ? length : (size_t)wanted;

    weft_update_digest_add(&reader->digest, bytes, taken);
    if (reader->taker.bytes(reader->taker.self, reader->part, reader->part_offset, bytes, taken,
                            error) != 0)
        return -1;
    reader->part_offset += taken;
    if (taken == wanted && end_part(reader, error) != 0) return -1;
    return (int64_t)taken;
}

int weft_update_reader_feed(struct weft_update_reader *reader, const uint8_t *bytes, size_t length,
                            struct weft_error *error)
{
    if (reader->failed) return weft_error_set(error, 902, "the update has failed already");
    while (length > 0) {
        const int64_t taken = reader->begun ? feed_part(reader, bytes, length, error)
                                            : feed_head(reader, bytes, length, error);
        if (taken < 0) {
            reader->failed = true;
            return -1;
        }
        bytes += taken;
        length -= (size_t)taken;
    }
    return 0;
}

int weft_update_reader_end(struct weft_update_reader *reader, struct weft_error *error)
{
    if (reader->failed) return weft_error_set(error, 902, "the update has failed already");
    if (reader->part == WEFT_UPDATE_PARTS) return 0;
    reader->failed = true;
    return weft_error_set(error, 902, "the update is cut short%s%s", reader->begun ? " in " : "",
                          reader->begun ? weft_update_part_name(reader->part) : "");
}

int64_t
weft_update_head_make(const struct weft_update_manifest *manifest, struct weft_span private_pem,
                      uint8_t head[WEFT_UPDATE_HEADER_BYTES + WEFT_UPDATE_MANIFEST_BYTES_MAX],
                      struct weft_error *error)
{
    uint8_t text[SIGNED_BYTES_MAX];
    char manifest_text[WEFT_UPDATE_MANIFEST_BYTES_MAX];
    const size_t manifest_bytes = weft_update_manifest_print(manifest, manifest_text);

    weft_assert(manifest_bytes < WEFT_UPDATE_MANIFEST_BYTES_MAX);
    memset(head, 0, WEFT_UPDATE_HEADER_BYTES);
    memcpy(head + MAGIC_AT, WEFT_UPDATE_MAGIC, 8);
    weft_le32_put(head + LENGTH_AT, (uint32_t)manifest_bytes);
    memcpy(head + WEFT_UPDATE_HEADER_BYTES, manifest_text, manifest_bytes);
    const size_t length = WEFT_UPDATE_HEADER_BYTES + manifest_bytes;
    const struct weft_span message = signed_text(head, length, text);
    if (weft_update_sign(private_pem, message, head + SIGNATURE_AT, error) != 0) return -1;
    return (int64_t)length;
}
