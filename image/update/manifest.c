#include "image/update/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 18 // Of a number; below 2^63.

// The text still to be read. Every reader below moves it on, or leaves it and answers false.
struct text {
    const char *at;
    size_t left;
};

static bool take(struct text *text, const char *word)
{
    const size_t length = strlen(word);

    if (text->left < length || memcmp(text->at, word, length) != 0) return false;
    text->at += length;
    text->left -= length;
    return true;
}

// What stands before the next `end`, which is taken too. At most `size` - 1 bytes.
static bool take_until(struct text *text, char end, char *word, size_t size)
{
    const char *stop = text->left > 0 ? memchr(text->at, end, text->left) : NULL;

    if (stop == NULL || (size_t)(stop - text->at) >= size) return false;
    const size_t length = (size_t)(stop - text->at);
    if (memchr(text->at, '\0', length) != NULL) return false; // It would end the word early.
    memcpy(word, text->at, length);
    word[length] = '\0';
    text->at += length + 1;
    text->left -= length + 1;
    return true;
}

static bool take_number(struct text *text, char end, uint64_t *number)
{
    char digits[DIGITS_MAX + 1];

    if (!take_until(text, end, digits, sizeof(digits)) || digits[0] == '\0') return false;
    if (digits[0] == '0' && digits[1] != '\0') return false;
    *number = 0;
    for (const char *digit = digits; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') return false;
        *number = *number * 10 + (uint64_t)(*digit - '0');
    }
    return true;
}

static bool take_version(struct text *text, char version[WEFT_UPDATE_VERSION_BYTES])
{
    return take_until(text, '\n', version, WEFT_UPDATE_VERSION_BYTES) &&
           weft_update_version_valid(version, strlen(version));
}

static bool take_arch(struct text *text, char *arch, size_t size)
{
    if (!take_until(text, '\n', arch, size) || arch[0] == '\0') return false;
    return strspn(arch, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(arch);
}

static bool take_digest(struct text *text, uint8_t sum[WEFT_UPDATE_DIGEST_BYTES])
{
    char hex[2 * WEFT_UPDATE_DIGEST_BYTES + 1];

    return take_until(text, '\n', hex, sizeof(hex)) && strlen(hex) == sizeof(hex) - 1 &&
           weft_update_unhex(hex, sum);
}

const char *weft_update_part_name(enum weft_update_part part)
{
    static const char *const names[] = {"root.erofs", "root.verity", "uki-a.efi", "uki-b.efi"};

    return names[part];
}

static int refuse(struct weft_error *error, const char *line)
{
    return weft_error_set(error, 902, "the update's manifest is malformed at \"%s\"", line);
}

int weft_update_manifest_parse(const char *text, size_t length,
                               struct weft_update_manifest *manifest, struct weft_error *error)
{
    struct text rest = {.at = text, .left = length};

    memset(manifest, 0, sizeof(*manifest));
    if (!take(&rest, "weft-update 1\n")) return refuse(error, "weft-update 1");
    if (!take(&rest, "version ") || !take_version(&rest, manifest->version))
        return refuse(error, "version");
    if (!take(&rest, "arch ") || !take_arch(&rest, manifest->arch, sizeof(manifest->arch)))
        return refuse(error, "arch");
    if (!take(&rest, "floor ") || !take_version(&rest, manifest->floor) ||
        weft_update_version_compare(manifest->floor, manifest->version) > 0)
        return refuse(error, "floor");
    if (!take(&rest, "epoch ") || !take_number(&rest, '\n', &manifest->epoch_s))
        return refuse(error, "epoch");
    for (enum weft_update_part part = 0; part < WEFT_UPDATE_PARTS; part++) {
        const char *name = weft_update_part_name(part);
        uint64_t *bytes = &manifest->parts[part].bytes;
        if (!take(&rest, "part ") || !take(&rest, name) || !take(&rest, " ") ||
            !take_number(&rest, ' ', bytes) || *bytes == 0 || *bytes > WEFT_UPDATE_PART_BYTES_MAX ||
            !take_digest(&rest, manifest->parts[part].sha256))
            return refuse(error, name);
    }
    return rest.left == 0 ? 0 : refuse(error, "its end");
}

size_t weft_update_manifest_print(const struct weft_update_manifest *manifest,
                                  char text[WEFT_UPDATE_MANIFEST_BYTES_MAX])
{
    int used = snprintf(text, WEFT_UPDATE_MANIFEST_BYTES_MAX,
                        "weft-update 1\nversion %s\narch %s\nfloor %s\nepoch %" PRIu64 "\n",
                        manifest->version, manifest->arch, manifest->floor, manifest->epoch_s);

    for (enum weft_update_part part = 0; part < WEFT_UPDATE_PARTS; part++) {
        char hex[2 * WEFT_UPDATE_DIGEST_BYTES + 1];
        weft_update_hex(manifest->parts[part].sha256, hex);
        used += snprintf(text + used, WEFT_UPDATE_MANIFEST_BYTES_MAX - (size_t)used,
                         "part %s %" PRIu64 " %s\n", weft_update_part_name(part),
                         manifest->parts[part].bytes, hex);
    }
    return (size_t)used;
}
