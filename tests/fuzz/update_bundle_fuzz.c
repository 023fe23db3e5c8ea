// Updates that nobody signed: any bytes as a bundle are refused before the taker hears of them, and
// any bytes as a manifest are one that prints back the same, or one error.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "image/update/bundle.h"
#include "image/update/slot.h"
#include "runtime/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int begin(void *self, const struct weft_update_manifest *manifest, struct weft_error *error)
{
    (void)self, (void)manifest, (void)error;
    weft_assert(false); // Without a key nothing is signed.
    return 0;
}

static void read_bundle(const uint8_t *data, size_t size)
{
    const struct weft_update_key key = {.public_key = NULL};
    const struct weft_update_taker taker = {.begin = begin};
    struct weft_update_reader reader;
    struct weft_error error = {0};

    weft_update_reader_init(&reader, &key, &taker);
    const size_t half = size / 2;
    int result = weft_update_reader_feed(&reader, data, half, &error);
    if (result == 0) result = weft_update_reader_feed(&reader, data + half, size - half, &error);
    if (result == 0) result = weft_update_reader_end(&reader, &error);
    weft_assert(result == -1 && (error.code == 902 || error.code == 903));
    weft_update_reader_destroy(&reader);
}

static void read_manifest(const char *text, size_t size)
{
    struct weft_update_manifest manifest;
    struct weft_error error = {0};
    char printed[WEFT_UPDATE_MANIFEST_BYTES_MAX];

    if (weft_update_manifest_parse(text, size, &manifest, &error) != 0) {
        weft_assert(error.code == 902 && error.text[0] != '\0');
        return;
    }
    weft_assert(weft_update_manifest_print(&manifest, printed) == size);
    weft_assert(memcmp(printed, text, size) == 0);
}

// The same bytes as the name of a kernel.
static void read_name(const uint8_t *data, size_t size)
{
    char name[WEFT_UPDATE_NAME_BYTES] = "", again[WEFT_UPDATE_NAME_BYTES];
    struct weft_update_slot slot;

    memcpy(name, data, size < sizeof(name) - 1 ? size : sizeof(name) - 1);
    if (!weft_update_slot_parse(name, &slot)) return;
    weft_update_slot_name(&slot, again);
    struct weft_update_slot twin;
    weft_assert(weft_update_slot_parse(again, &twin));
    weft_assert(weft_update_slot_compare(&slot, &twin) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= WEFT_UPDATE_MANIFEST_BYTES_MAX) return 0;
    read_bundle(data, size);
    read_manifest((const char *)data, size);
    read_name(data, size);
    return 0;
}
