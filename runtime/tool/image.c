// Commands about releases as files: making an update bundle, signing, verifying.
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/update/bundle.h"
#include "runtime/base/units.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/release.h"

#define PEM_BYTES_MAX 16384
#define SUMS          "SHA256SUMS"

// Reads the private key that signs. Its length, or -1 with `error`.
static int64_t read_private(const char *path, uint8_t pem[PEM_BYTES_MAX], struct weft_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    const ssize_t length = fd < 0 ? -1 : read(fd, pem, PEM_BYTES_MAX);
    const int reason = errno;

    if (fd >= 0) close(fd);
    if (length >= 0) return length;
    return weft_error_set(error, 903, "signing key %s: %s", path, strerror(reason));
}

// ---- weft image bundle

static bool fill_texts(struct weft_tool_call *call, struct weft_update_manifest *manifest,
                       int *exit_code)
{
    const char *version = weft_tool_value(call, "version"), *arch = weft_tool_value(call, "arch");
    const char *floor = weft_tool_value(call, "floor"), *epoch = weft_tool_value(call, "epoch");
    char *end = NULL;

    if (floor == NULL) floor = version;
    if (version == NULL || arch == NULL || epoch == NULL || weft_tool_value(call, "sign") == NULL ||
        weft_tool_value(call, "write") == NULL) {
        *exit_code =
            weft_tool_usage(call, "--version, --arch, --epoch, --sign and --write are needed");
        return false;
    }
    snprintf(manifest->version, sizeof(manifest->version), "%s", version);
    snprintf(manifest->arch, sizeof(manifest->arch), "%s", arch);
    snprintf(manifest->floor, sizeof(manifest->floor), "%s", floor);
    manifest->epoch_s = strtoull(epoch, &end, 10);
    if (*epoch >= '0' && *epoch <= '9' && *end == '\0' && strcmp(manifest->version, version) == 0 &&
        strcmp(manifest->floor, floor) == 0 && strcmp(manifest->arch, arch) == 0)
        return true;
    *exit_code = weft_tool_usage(call, "a value is too long, or --epoch is no number of seconds");
    return false;
}

static int fill_part(struct weft_update_manifest *manifest, enum weft_update_part part,
                     const char *path, struct weft_error *error)
{
    return weft_release_digest(path, manifest->parts[part].sha256, &manifest->parts[part].bytes,
                               error);
}

static int append(FILE *to, const char *path, struct weft_error *error)
{
    static const size_t chunk_bytes = 1 << 16;
    uint8_t *chunk = malloc(chunk_bytes);
    FILE *from = fopen(path, "re");
    bool good = chunk != NULL && from != NULL;

    for (size_t count; good && (count = fread(chunk, 1, chunk_bytes, from)) > 0;)
        good = fwrite(chunk, 1, count, to) == count;
    good = good && ferror(from) == 0;
    if (!good) weft_error_set(error, 906, "%s: %s", path, strerror(errno));
    if (from != NULL) fclose(from);
    free(chunk);
    return good ? 0 : -1;
}

static int write_bundle(struct weft_tool_call *call, const struct weft_update_manifest *manifest,
                        struct weft_error *error)
{
    uint8_t head[WEFT_UPDATE_HEADER_BYTES + WEFT_UPDATE_MANIFEST_BYTES_MAX], pem[PEM_BYTES_MAX];
    const char *path = weft_tool_value(call, "write");
    const int64_t pem_length = read_private(weft_tool_value(call, "sign"), pem, error);
    if (pem_length < 0) return -1;
    const int64_t length =
        weft_update_head_make(manifest, weft_span_of(pem, (size_t)pem_length), head, error);
    explicit_bzero(pem, sizeof(pem));
    if (length < 0) return -1;
    FILE *file = fopen(path, "we");
    if (file == NULL) return weft_error_set(error, 906, "%s: %s", path, strerror(errno));
    int result = fwrite(head, 1, (size_t)length, file) == (size_t)length ? 0 : -1;
    for (size_t part = 0; result == 0 && part < WEFT_UPDATE_PARTS; part++)
        result = append(file, call->args[part], error);
    if (fclose(file) != 0 && result == 0)
        result = weft_error_set(error, 906, "%s: %s", path, strerror(errno));
    if (result != 0) unlink(path);
    return result;
}

int weft_run_image_bundle(struct weft_tool_call *call)
{
    struct weft_update_manifest manifest, check;
    struct weft_error error = {0};
    char text[WEFT_UPDATE_MANIFEST_BYTES_MAX];
    int exit_code = 0;

    memset(&manifest, 0, sizeof(manifest));
    if (!fill_texts(call, &manifest, &exit_code)) return exit_code;
    for (enum weft_update_part part = 0; part < WEFT_UPDATE_PARTS; part++) {
        if (fill_part(&manifest, part, call->args[part], &error) != 0)
            return weft_tool_fail(call->tool, &error);
    }
    // What a node would refuse is not built.
    const size_t length = weft_update_manifest_print(&manifest, text);
    if (weft_update_manifest_parse(text, length, &check, &error) != 0 ||
        write_bundle(call, &manifest, &error) != 0)
        return weft_tool_fail(call->tool, &error);
    fputs(text, call->tool->out);
    return WEFT_EXIT_DONE;
}

// ---- weft image sign

int weft_run_image_sign(struct weft_tool_call *call)
{
    const char *path = call->args[0], *key = weft_tool_value(call, "sign");
    uint8_t pem[PEM_BYTES_MAX], signature[WEFT_UPDATE_SIGNATURE_BYTES];
    struct weft_error error = {0};
    struct weft_span text;
    char name[PATH_MAX];

    if (key == NULL) return weft_tool_usage(call, "--sign KEY is needed");
    const int64_t pem_length = read_private(key, pem, &error);
    if (pem_length < 0 || weft_release_text(path, &text, &error) != 0)
        return weft_tool_fail(call->tool, &error);
    int result = weft_update_sign(weft_span_of(pem, (size_t)pem_length), text, signature, &error);
    explicit_bzero(pem, sizeof(pem));
    free((void *)(uintptr_t)text.data);
    snprintf(name, sizeof(name), "%s.sig", path);
    FILE *file = result == 0 ? fopen(name, "we") : NULL;
    if (result == 0 &&
        (file == NULL || fwrite(signature, 1, sizeof(signature), file) != sizeof(signature)))
        result = weft_error_set(&error, 906, "%s: %s", name, strerror(errno));
    if (file != NULL && fclose(file) != 0 && result == 0)
        result = weft_error_set(&error, 906, "%s: %s", name, strerror(errno));
    return result == 0 ? WEFT_EXIT_DONE : weft_tool_fail(call->tool, &error);
}

// ---- weft image verify

static void show(const struct weft_tool *tool, json_t *document)
{
    static const struct weft_column columns[] = {{"file", "file", WEFT_COLUMN_TEXT},
                                                 {"kind", "kind", WEFT_COLUMN_TEXT},
                                                 {"version", "version", WEFT_COLUMN_TEXT},
                                                 {"arch", "arch", WEFT_COLUMN_TEXT},
                                                 {"floor", "floor", WEFT_COLUMN_TEXT},
                                                 {"bytes", "bytes", WEFT_COLUMN_COUNT},
                                                 {"sha256", "sha256", WEFT_COLUMN_TEXT},
                                                 {"signed by", "key", WEFT_COLUMN_TEXT},
                                                 {NULL}};

    weft_output_record(tool, document, columns);
    json_decref(document);
}

static int verify_bundle(struct weft_tool_call *call, const struct weft_update_key *key,
                         const char *key_path, struct weft_error *error)
{
    struct weft_update_manifest manifest;
    uint8_t sum[WEFT_UPDATE_DIGEST_BYTES];
    char hex[2 * WEFT_UPDATE_DIGEST_BYTES + 1];
    uint64_t bytes;

    if (weft_release_check_bundle(call->args[0], key, &manifest, error) != 0 ||
        weft_release_digest(call->args[0], sum, &bytes, error) != 0)
        return -1;
    weft_update_hex(sum, hex);
    show(call->tool, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "apiVersion", "v1",
                               "file", call->args[0], "kind", "update", "version", manifest.version,
                               "arch", manifest.arch, "floor", manifest.floor, "bytes",
                               (json_int_t)bytes, "sha256", hex, "key", key_path));
    return 0;
}

static int verify_listed(struct weft_tool_call *call, const struct weft_update_key *key,
                         const char *key_path, struct weft_error *error)
{
    uint8_t sum[WEFT_UPDATE_DIGEST_BYTES];
    char hex[2 * WEFT_UPDATE_DIGEST_BYTES + 1];
    uint64_t bytes;

    if (weft_release_check_listed(call->args[0], key, sum, &bytes, error) != 0) return -1;
    weft_update_hex(sum, hex);
    show(call->tool, json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "apiVersion", "v1", "file",
                               call->args[0], "kind", "listed in " SUMS, "bytes", (json_int_t)bytes,
                               "sha256", hex, "key", key_path));
    return 0;
}

int weft_run_image_verify(struct weft_tool_call *call)
{
    struct weft_update_key key;
    struct weft_error error = {0};
    char key_path[PATH_MAX];
    bool is_bundle;

    if (weft_release_key(weft_tool_value(call, "key"), key_path, &key, &error) != 0 ||
        weft_release_is_bundle(call->args[0], &is_bundle, &error) != 0)
        return weft_tool_fail(call->tool, &error);
    const int result = is_bundle ? verify_bundle(call, &key, key_path, &error)
                                 : verify_listed(call, &key, key_path, &error);
    weft_update_key_destroy(&key);
    return result == 0 ? WEFT_EXIT_DONE : weft_tool_fail(call->tool, &error);
}
