#include "runtime/node/instant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"
#include "runtime/node/family.h"
#include "runtime/node/unit_actor.h"

#define VERSION 1

// The head: magic, version, crc of all behind it, wall time, units (4), reserved (4), bytes behind
// the head, hash of the shared words, the node's name.
enum {
    AT_VERSION = 8,
    AT_CRC = 12,
    AT_WALL = 16,
    AT_COUNT = 24,
    AT_BYTES = 32,
    AT_HASH = 40,
    AT_NAME = 48
};
// A unit: image bytes, core, recovery, 1 if it is a child, id, name, file; then its image, padded.
enum {
    UNIT_CORE = 4,
    UNIT_RECOVERY = 6,
    UNIT_CHILD = 7,
    UNIT_ID = 8,
    UNIT_NAME = 16,
    UNIT_FILE = 48,
    UNIT_HEAD = 112
};
_Static_assert(AT_NAME + WEFT_RESIDENT_NAME_BYTES == WEFT_INSTANT_HEAD_BYTES, "a format");
_Static_assert(UNIT_NAME + WEFT_RESIDENT_NAME_BYTES == UNIT_FILE && UNIT_FILE + 64 == UNIT_HEAD,
               "a format");

static const char magic[8] = {'w', 'e', 'f', 't', 's', 'n', 'a', 'p'};

// ---- Writing.

struct writer {
    uint8_t *at; // NULL: only counted.
    size_t bytes, size;
    uint32_t count;
    bool is_full;
};

// One that is about to be none is none.
static struct weft_unit_actor *unit_of(const struct weft_actor *actor)
{
    if (actor->kind != &weft_unit_actor_kind || (actor->task.flags & WEFT_ACTOR_ENDING) != 0)
        return NULL;
    struct weft_unit_actor *unit = actor->state;
    return unit->leaving || unit->ending || unit->is_held ? NULL : unit;
}

static void put_head(uint8_t *to, const struct weft_unit_actor *unit, size_t image_bytes)
{
    const bool is_child = unit->farewell != NULL;
    memset(to, 0, UNIT_HEAD);
    weft_le32_put(to, (uint32_t)image_bytes);
    weft_le16_put(to + UNIT_CORE, unit->worker->core.index);
    to[UNIT_RECOVERY] = (uint8_t)unit->resident->recovery;
    to[UNIT_CHILD] = is_child;
    weft_le64_put(to + UNIT_ID, unit->id);
    const char *name = is_child ? weft_label(unit->actor) : unit->resident->name;
    memcpy(to + UNIT_NAME, name, strnlen(name, WEFT_RESIDENT_NAME_BYTES - 1));
    if (!is_child) memcpy(to + UNIT_FILE, unit->resident->file, strnlen(unit->resident->file, 63));
}

static void put_unit(struct weft_actor *actor, void *argument)
{
    struct writer *writer = argument;
    struct weft_unit_actor *unit = unit_of(actor);
    if (unit == NULL) return;
    const size_t image_bytes = weft_unit_actor_image_bytes(unit);
    const size_t bytes = UNIT_HEAD + weft_round_up(image_bytes, 8);
    if (writer->at != NULL && bytes > writer->size - writer->bytes) writer->is_full = true;
    if (writer->is_full) return;
    writer->count++;
    writer->bytes += bytes;
    if (writer->at == NULL) return;
    put_head(writer->at, unit, image_bytes);
    weft_assert(weft_unit_actor_image_write(unit, writer->at + UNIT_HEAD, image_bytes) == 0);
    memset(writer->at + UNIT_HEAD + image_bytes, 0, weft_round_up(image_bytes, 8) - image_bytes);
    writer->at += bytes;
}

size_t weft_instant_bytes(struct weft_node_worker *worker)
{
    struct writer writer = {0};
    weft_actor_each(&worker->actors, put_unit, &writer);
    return writer.bytes;
}

int64_t weft_instant_write(struct weft_node_worker *worker, uint8_t *to, size_t size,
                           uint32_t *unit_count)
{
    struct writer writer = {.at = to, .size = size};
    weft_actor_each(&worker->actors, put_unit, &writer);
    *unit_count = writer.count;
    return writer.is_full ? -ENOSPC : (int64_t)writer.bytes;
}

void weft_instant_head(const struct weft_node *node, uint8_t *to, size_t length,
                       uint32_t unit_count)
{
    memset(to, 0, WEFT_INSTANT_HEAD_BYTES);
    memcpy(to, magic, sizeof(magic));
    weft_le32_put(to + AT_VERSION, VERSION);
    weft_le64_put(to + AT_WALL, weft_clock_wall_ns(&node->options.clock));
    weft_le32_put(to + AT_COUNT, unit_count);
    weft_le64_put(to + AT_BYTES, length);
    weft_le64_put(to + AT_HASH, weft_forth_system_hash(node->workers[0].forth));
    memcpy(to + AT_NAME, node->options.name,
           strnlen(node->options.name, WEFT_RESIDENT_NAME_BYTES - 1));
    weft_le32_put(to + AT_CRC,
                  weft_crc32c(0, to + AT_WALL, WEFT_INSTANT_HEAD_BYTES - AT_WALL + length));
}

// ---- Reading.

static int refuse(struct weft_error *error, const char *what)
{
    return weft_error_set(error, 406, "the snapshot is not restored: %s", what);
}

static int check_head(struct weft_span bytes, uint32_t *count, struct weft_error *error)
{
    if (bytes.length < WEFT_INSTANT_HEAD_BYTES || memcmp(bytes.data, magic, sizeof(magic)) != 0)
        return refuse(error, "the file is no snapshot of a node");
    if (weft_le32_get(bytes.data + AT_VERSION) != VERSION)
        return refuse(error, "it is of another version");
    if (weft_le64_get(bytes.data + AT_BYTES) != bytes.length - WEFT_INSTANT_HEAD_BYTES)
        return refuse(error, "it is cut off");
    if (weft_crc32c(0, bytes.data + AT_WALL, bytes.length - AT_WALL) !=
        weft_le32_get(bytes.data + AT_CRC))
        return refuse(error, "its checksum is wrong");
    *count = weft_le32_get(bytes.data + AT_COUNT);
    if (*count > bytes.length / UNIT_HEAD) return refuse(error, "it has fewer units than it says");
    return 0;
}

static bool text_ok(const uint8_t *text, size_t size, bool is_name)
{
    const size_t length = strnlen((const char *)text, size);
    if (length == size || (is_name && length == 0)) return false;
    for (size_t n = 0; n < length; n++) {
        if (text[n] < (is_name ? 0x21 : 0x20) || text[n] == 0x7f) return false;
    }
    return true;
}

// The unit at *at of the bytes behind the head. NULL, or what is wrong.
static const char *read_entry(struct weft_span bytes, size_t *at, struct weft_instant_entry *entry)
{
    if (bytes.length - *at < UNIT_HEAD) return "it has fewer units than it says";
    const uint8_t *from = bytes.data + *at;
    const size_t image_bytes = weft_le32_get(from);
    if (weft_round_up(image_bytes, 8) > bytes.length - *at - UNIT_HEAD) return "a unit is cut off";
    if (!text_ok(from + UNIT_NAME, WEFT_RESIDENT_NAME_BYTES, true) ||
        !text_ok(from + UNIT_FILE, sizeof(entry->file), false))
        return "a unit has a name that none can have";
    if (from[UNIT_RECOVERY] > WEFT_RECOVERY_JOURNAL || from[UNIT_CHILD] > 1)
        return "a unit is of no known kind";
    *entry = (struct weft_instant_entry){.core = weft_le16_get(from + UNIT_CORE),
                                         .recovery = from[UNIT_RECOVERY],
                                         .is_child = from[UNIT_CHILD] != 0,
                                         .id = weft_le64_get(from + UNIT_ID),
                                         .image = weft_span_of(from + UNIT_HEAD, image_bytes)};
    memcpy(entry->name, from + UNIT_NAME, sizeof(entry->name));
    memcpy(entry->file, from + UNIT_FILE, sizeof(entry->file));
    *at += UNIT_HEAD + weft_round_up(image_bytes, 8);
    return NULL;
}

int weft_instant_read(struct weft_span bytes, struct weft_instant *instant,
                      struct weft_error *error)
{
    uint32_t count = 0;
    size_t at = WEFT_INSTANT_HEAD_BYTES;
    const char *wrong = NULL;
    *instant = (struct weft_instant){0};
    if (check_head(bytes, &count, error) != 0) return -1;
    instant->entries = calloc(count + 1, sizeof(*instant->entries));
    if (instant->entries == NULL) return weft_error_set(error, 203, "no memory for the snapshot");
    while (wrong == NULL && instant->count < count) {
        wrong = read_entry(bytes, &at, &instant->entries[instant->count]);
        if (wrong == NULL) instant->count++;
    }
    if (wrong == NULL && at != bytes.length) wrong = "it has more in it than its units";
    if (wrong != NULL) refuse(error, wrong);
    if (wrong == NULL && weft_family_join(instant, error) == 0) return 0;
    weft_instant_destroy(instant);
    return -1;
}

void weft_instant_destroy(struct weft_instant *instant)
{
    free(instant->entries);
    *instant = (struct weft_instant){0};
}
