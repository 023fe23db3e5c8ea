#include "image/update/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/shelf.h"
#include "runtime/base/units.h"

#define COPY_BYTES (64 * 1024)

static char other(char slot)
{
    return slot == 'a' ? 'b' : 'a';
}

static enum weft_update_part uki_of(char slot)
{
    return slot == 'a' ? WEFT_UPDATE_UKI_A : WEFT_UPDATE_UKI_B;
}

static int check_sizes(const struct weft_update_writer *writer,
                       const struct weft_update_manifest *manifest, struct weft_error *error)
{
    const char slot = other(writer->node.running);

    for (enum weft_update_part part = WEFT_UPDATE_ROOT; part <= WEFT_UPDATE_VERITY; part++) {
        const uint64_t room = writer->medium.capacity(writer->medium.self, slot, part);
        if (manifest->parts[part].bytes > room)
            return weft_error_set(error, 904, "%s of the update has %llu bytes, the slot %llu",
                                  weft_update_part_name(part),
                                  (unsigned long long)manifest->parts[part].bytes,
                                  (unsigned long long)room);
    }
    for (enum weft_update_part part = WEFT_UPDATE_UKI_A; part <= WEFT_UPDATE_UKI_B; part++) {
        if (manifest->parts[part].bytes > WEFT_UPDATE_UKI_BYTES_MAX)
            return weft_error_set(error, 904, "%s of the update is larger than %u MiB",
                                  weft_update_part_name(part),
                                  (unsigned)(WEFT_UPDATE_UKI_BYTES_MAX / WEFT_MIB));
    }
    return 0;
}

static int check_history(const struct weft_update_writer *writer,
                         const struct weft_update_manifest *manifest, struct weft_error *error)
{
    const struct weft_update_ledger *ledger = writer->ledger;

    if (writer->force) return 0;
    if (ledger->floor[0] != '\0' &&
        weft_update_version_compare(manifest->version, ledger->floor) < 0) {
        weft_error_set(error, 904, "release %s is older than %s, the oldest that this node takes",
                       manifest->version, ledger->floor);
        weft_error_hint(error, "--force installs it all the same");
        return -1;
    }
    if (weft_update_ledger_has_failed(ledger, manifest->version)) {
        weft_error_set(error, 904, "release %s did not become healthy on this node before",
                       manifest->version);
        weft_error_hint(error, "--force tries it again");
        return -1;
    }
    return 0;
}

int weft_update_writer_check(const struct weft_update_writer *writer,
                             const struct weft_update_manifest *manifest, struct weft_error *error)
{
    if (strcmp(manifest->arch, writer->node.arch) != 0)
        return weft_error_set(error, 904, "the update is for %s, this node is %s", manifest->arch,
                              writer->node.arch);
    if (check_sizes(writer, manifest, error) != 0) return -1;
    if (weft_update_shelf_settled(&writer->medium, &writer->node, error) != 0) return -1;
    return check_history(writer, manifest, error);
}

static int begin(void *self, const struct weft_update_manifest *manifest, struct weft_error *error)
{
    struct weft_update_writer *writer = self;
    const char slot = other(writer->node.running);

    weft_update_learn(&writer->medium, &writer->node, writer->ledger);
    if (weft_update_writer_check(writer, manifest, error) != 0) return -1;
    memcpy(writer->ledger->next, manifest->version, sizeof(writer->ledger->next));
    memcpy(writer->ledger->next_floor, manifest->floor, sizeof(writer->ledger->next_floor));
    if (writer->keep(writer->keep_self, writer->ledger, error) != 0) return -1;
    writer->manifest = *manifest;
    writer->uki = malloc((size_t)manifest->parts[uki_of(slot)].bytes);
    if (writer->uki == NULL) return weft_error_set(error, 906, "no memory for the kernel");
    if (weft_update_shelf_clear(&writer->medium, slot, error) != 0) return -1;
    writer->begun = true;
    return 0;
}

static int take(void *self, enum weft_update_part part, uint64_t offset, const uint8_t *bytes,
                size_t length, struct weft_error *error)
{
    struct weft_update_writer *writer = self;
    const char slot = other(writer->node.running);

    if (part == uki_of(slot)) memcpy(writer->uki + offset, bytes, length);
    if (part > WEFT_UPDATE_VERITY) return 0;
    const int result = writer->medium.write(writer->medium.self, slot, part, offset, bytes, length);
    if (result == 0) return 0;
    return weft_error_set(error, 906, "writing %s to slot %c: %s", weft_update_part_name(part),
                          slot, strerror(-result));
}

struct weft_update_taker weft_update_writer_taker(struct weft_update_writer *writer)
{
    return (struct weft_update_taker){.begin = begin, .bytes = take, .self = writer};
}

// Reads a part back from the disk.
static int compare(const struct weft_update_writer *writer, char slot, enum weft_update_part part,
                   struct weft_error *error)
{
    const struct weft_update_medium *medium = &writer->medium;
    const uint64_t bytes = writer->manifest.parts[part].bytes;
    uint8_t sum[WEFT_UPDATE_DIGEST_BYTES], *copy = malloc(COPY_BYTES);
    struct weft_update_digest digest;
    int result = copy == NULL ? -ENOMEM : weft_update_digest_init(&digest);

    if (result != 0) {
        free(copy);
        return weft_error_set(error, 906, "no memory to read %s back", weft_update_part_name(part));
    }
    result = medium->sync(medium->self, slot, part);
    for (uint64_t at = 0; at < bytes && result == 0;) {
        const size_t length = bytes - at < COPY_BYTES ? (size_t)(bytes - at) : COPY_BYTES;
        result = medium->read(medium->self, slot, part, at, copy, length);
        if (result == 0) weft_update_digest_add(&digest, copy, length);
        at += length;
    }
    free(copy);
    weft_update_digest_finish(&digest, sum);
    if (result != 0)
        return weft_error_set(error, 906, "reading %s back from slot %c: %s",
                              weft_update_part_name(part), slot, strerror(-result));
    if (memcmp(sum, writer->manifest.parts[part].sha256, sizeof(sum)) == 0) return 0;
    return weft_error_set(error, 906, "slot %c does not hold what was written to it: %s differs",
                          slot, weft_update_part_name(part));
}

int weft_update_writer_finish(struct weft_update_writer *writer, struct weft_error *error)
{
    struct weft_update_slot fresh = {
        .slot = other(writer->node.running), .tries_left = WEFT_UPDATE_TRIES, .tries_done = -1};

    if (!writer->begun) return weft_error_set(error, 906, "there is nothing to finish");
    memcpy(fresh.version, writer->manifest.version, sizeof(fresh.version));
    if (compare(writer, fresh.slot, WEFT_UPDATE_ROOT, error) != 0 ||
        compare(writer, fresh.slot, WEFT_UPDATE_VERITY, error) != 0)
        return -1;
    const size_t length = (size_t)writer->manifest.parts[uki_of(fresh.slot)].bytes;
    if (weft_update_shelf_put(&writer->medium, &fresh, writer->uki, length, error) != 0) return -1;
    return weft_update_shelf_prefer(&writer->medium, &fresh, error);
}

void weft_update_writer_destroy(struct weft_update_writer *writer)
{
    free(writer->uki);
    writer->uki = NULL;
}
