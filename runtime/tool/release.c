#include "runtime/tool/release.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/update/bundle.h"
#include "runtime/base/units.h"

#define CHUNK_BYTES 65536
#define SYSTEM_KEY  "/etc/weft/update.pub"

int weft_release_key(const char *given, char path[PATH_MAX], struct weft_update_key *key,
                     struct weft_error *error)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    key->public_key = NULL;
    if (given != NULL) {
        snprintf(path, PATH_MAX, "%s", given);
    } else if (access(SYSTEM_KEY, F_OK) == 0) {
        snprintf(path, PATH_MAX, SYSTEM_KEY);
    } else if (config != NULL && config[0] == '/') {
        snprintf(path, PATH_MAX, "%s/weft/update.pub", config);
    } else {
        snprintf(path, PATH_MAX, "%s/.config/weft/update.pub", home != NULL ? home : "");
    }
    if (weft_update_key_read(path, key, error) == 0) return 0;
    if (given == NULL)
        weft_error_hint(error, "--key FILE names the public key of who made the release");
    return -1;
}

static int cannot(struct weft_error *error, const char *path)
{
    return weft_error_set(error, 906, "%s: %s", path, strerror(errno));
}

// Hands all bytes of a file to `take`, which answers 0 or -1 with `error` set.
static int walk(const char *path,
                int (*take)(void *self, const uint8_t *bytes, size_t length,
                            struct weft_error *error),
                void *self, struct weft_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    uint8_t *chunk = malloc(CHUNK_BYTES);
    ssize_t count = fd < 0 || chunk == NULL ? -1 : 1;
    int result = 0;

    while (count > 0 && result == 0) {
        count = read(fd, chunk, CHUNK_BYTES);
        if (count > 0) result = take(self, chunk, (size_t)count, error);
    }
    if (count < 0) result = cannot(error, path);
    free(chunk);
    if (fd >= 0) close(fd);
    return result;
}

struct summing {
    struct weft_update_digest digest;
    uint64_t bytes;
};

static int add(void *self, const uint8_t *bytes, size_t length, struct weft_error *error)
{
    struct summing *summing = self;
    (void)error;

    weft_update_digest_add(&summing->digest, bytes, length);
    summing->bytes += length;
    return 0;
}

int weft_release_digest(const char *path, uint8_t sum[WEFT_UPDATE_DIGEST_BYTES], uint64_t *bytes,
                        struct weft_error *error)
{
    struct summing summing = {.bytes = 0};

    if (weft_update_digest_init(&summing.digest) != 0)
        return weft_error_set(error, 906, "no memory for a digest");
    const int result = walk(path, add, &summing, error);
    weft_update_digest_finish(&summing.digest, sum);
    *bytes = summing.bytes;
    return result;
}

int weft_release_text(const char *path, struct weft_span *text, struct weft_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    uint8_t *bytes = malloc(WEFT_MIB + 1);
    size_t length = 0;
    ssize_t count = fd < 0 || bytes == NULL ? -1 : 1;

    while (count > 0 && length <= WEFT_MIB) {
        count = read(fd, bytes + length, WEFT_MIB + 1 - length);
        if (count > 0) length += (size_t)count;
    }
    int result = count < 0 ? cannot(error, path) : 0;
    if (result == 0 && length > WEFT_MIB)
        result = weft_error_set(error, 906, "%s is larger than 1 MiB", path);
    if (fd >= 0) close(fd);
    if (result != 0) {
        free(bytes);
        return -1;
    }
    *text = weft_span_of(bytes, length);
    return 0;
}

int weft_release_is_bundle(const char *path, bool *is_bundle, struct weft_error *error)
{
    char magic[8];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    const ssize_t count = fd < 0 ? -1 : read(fd, magic, sizeof(magic));

    if (count < 0) cannot(error, path);
    if (fd >= 0) close(fd);
    *is_bundle = count == sizeof(magic) && memcmp(magic, WEFT_UPDATE_MAGIC, sizeof(magic)) == 0;
    return count < 0 ? -1 : 0;
}

static int keep_manifest(void *self, const struct weft_update_manifest *manifest,
                         struct weft_error *error)
{
    (void)error;
    *(struct weft_update_manifest *)self = *manifest;
    return 0;
}

static int pass(void *self, enum weft_update_part part, uint64_t offset, const uint8_t *bytes,
                size_t length, struct weft_error *error)
{
    (void)self, (void)part, (void)offset, (void)bytes, (void)length, (void)error;
    return 0; // The reader has taken its digest.
}

static int feed(void *self, const uint8_t *bytes, size_t length, struct weft_error *error)
{
    return weft_update_reader_feed(self, bytes, length, error);
}

int weft_release_check_bundle(const char *path, const struct weft_update_key *key,
                              struct weft_update_manifest *manifest, struct weft_error *error)
{
    const struct weft_update_taker taker = {
        .begin = keep_manifest, .bytes = pass, .self = manifest};
    struct weft_update_reader reader;

    weft_update_reader_init(&reader, key, &taker);
    int result = walk(path, feed, &reader, error);
    if (result == 0) result = weft_update_reader_end(&reader, error);
    weft_update_reader_destroy(&reader);
    return result;
}

// The digest that a line "HEX  NAME" or "HEX *NAME" of the list has for `name`.
static bool find_listed(struct weft_span list, const char *name,
                        uint8_t sum[WEFT_UPDATE_DIGEST_BYTES])
{
    const size_t hex_bytes = 2 * WEFT_UPDATE_DIGEST_BYTES, name_bytes = strlen(name);

    for (size_t at = 0; at < list.length;) {
        const uint8_t *line = list.data + at, *end = memchr(line, '\n', list.length - at);
        const size_t length = end != NULL ? (size_t)(end - line) : list.length - at;
        at += length + 1;
        if (length == hex_bytes + 2 + name_bytes && line[hex_bytes] == ' ' &&
            memcmp(line + hex_bytes + 2, name, name_bytes) == 0 &&
            weft_update_unhex((const char *)line, sum))
            return true;
    }
    return false;
}

// The list itself, verified.
static int read_list(const char *directory, const struct weft_update_key *key,
                     struct weft_span *list, struct weft_error *error)
{
    char path[PATH_MAX];
    struct weft_span signature;

    snprintf(path, sizeof(path), "%s/SHA256SUMS", directory);
    if (weft_release_text(path, list, error) != 0) return -1;
    snprintf(path, sizeof(path), "%s/SHA256SUMS.sig", directory);
    int result = weft_release_text(path, &signature, error);
    if (result == 0) {
        if (signature.length != WEFT_UPDATE_SIGNATURE_BYTES ||
            weft_update_key_verify(key, *list, signature.data) != 0)
            result = weft_error_set(error, 903, "%s is not the signature of SHA256SUMS by this key",
                                    path);
        free((void *)(uintptr_t)signature.data);
    }
    if (result != 0) free((void *)(uintptr_t)list->data);
    return result;
}

int weft_release_check_listed(const char *path, const struct weft_update_key *key,
                              uint8_t sum[WEFT_UPDATE_DIGEST_BYTES], uint64_t *bytes,
                              struct weft_error *error)
{
    char directory[PATH_MAX], name[PATH_MAX];
    uint8_t listed[WEFT_UPDATE_DIGEST_BYTES];
    struct weft_span list;

    snprintf(directory, sizeof(directory), "%s", path);
    snprintf(name, sizeof(name), "%s", path);
    if (read_list(dirname(directory), key, &list, error) != 0) return -1;
    const bool found = find_listed(list, basename(name), listed);
    free((void *)(uintptr_t)list.data);
    if (!found) return weft_error_set(error, 902, "SHA256SUMS does not list %s", path);
    if (weft_release_digest(path, sum, bytes, error) != 0) return -1;
    if (memcmp(sum, listed, sizeof(listed)) == 0) return 0;
    return weft_error_set(error, 902, "%s is damaged: it is not what SHA256SUMS says", path);
}
