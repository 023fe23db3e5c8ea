#include "runtime/storage/unit_journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"

// LOAD:  u8 recovery, u8 name length, u8 source name length, u8 0, u32 source length, then the
// three. IMAGE: u8 name length, u8[3] 0, u32 image length, then the two. GONE:  u8 name length,
// then the name. CHILD: u8 name length, u8 parent length, u8 root length, u8[5] 0, u64 serial, then
// the three.
enum { LOAD_BYTES = 8, IMAGE_BYTES = 8, GONE_BYTES = 1, CHILD_BYTES = 16 };

enum { GONE_MIN = 64 }; // Fewer are not worth a look at all units.
_Static_assert(WEFT_GONE_NAME_BYTES == WEFT_UNIT_NAME_MAX + 1, "a name of a unit");

static bool text_is_valid(const char *text, size_t length)
{
    if (length > WEFT_UNIT_NAME_MAX) return false;
    for (size_t i = 0; i < length; i++)
        if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f) return false;
    return true;
}

static bool name_is_valid(const char *text, size_t length)
{
    if (length == 0 || length > WEFT_UNIT_NAME_MAX) return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x21 || text[i] > 0x7e) return false;
    return true;
}

static size_t put_name(uint8_t *head, size_t at, size_t *length, const char *name)
{
    *length = strnlen(name, WEFT_UNIT_NAME_MAX + 1);
    if (*length <= WEFT_UNIT_NAME_MAX) memcpy(head + at, name, *length);
    return at + (*length <= WEFT_UNIT_NAME_MAX ? *length : 0);
}

static int64_t append_child(struct weft_journal *journal, const struct weft_unit_load *load)
{
    uint8_t head[CHILD_BYTES + 3 * WEFT_UNIT_NAME_MAX] = {0};
    const struct weft_unit_origin *origin = &load->origin;
    size_t at = CHILD_BYTES, name, parent, root;
    at = put_name(head, at, &name, load->name);
    at = put_name(head, at, &parent, origin->parent);
    at = put_name(head, at, &root, origin->root);
    if (!name_is_valid(load->name, name) || !name_is_valid(origin->root, root)) return -EINVAL;
    if (parent > 0 && !name_is_valid(origin->parent, parent)) return -EINVAL;
    head[0] = (uint8_t)name;
    head[1] = (uint8_t)parent;
    head[2] = (uint8_t)root;
    weft_le64_put(head + 8, origin->serial);
    return weft_journal_append(journal, WEFT_UNIT_CHILD, weft_span_of(head, at),
                               weft_span_of(NULL, 0));
}

int64_t weft_unit_journal_load(struct weft_journal *journal, const struct weft_unit_load *load)
{
    if (load->origin.root[0] != '\0') return append_child(journal, load);
    uint8_t head[LOAD_BYTES + 2 * WEFT_UNIT_NAME_MAX] = {0};
    const size_t name_length = strnlen(load->name, sizeof(load->name));
    const size_t source_name_length = strnlen(load->source_name, sizeof(load->source_name));
    if (!name_is_valid(load->name, name_length)) return -EINVAL;
    if (!text_is_valid(load->source_name, source_name_length)) return -EINVAL;
    if (load->source.length > WEFT_UNIT_SOURCE_MAX) return -EMSGSIZE;
    head[0] = load->recovery;
    head[1] = (uint8_t)name_length;
    head[2] = (uint8_t)source_name_length;
    weft_le32_put(head + 4, (uint32_t)load->source.length);
    memcpy(head + LOAD_BYTES, load->name, name_length);
    memcpy(head + LOAD_BYTES + name_length, load->source_name, source_name_length);
    const size_t length = LOAD_BYTES + name_length + source_name_length;
    return weft_journal_append(journal, WEFT_UNIT_LOAD, weft_span_of(head, length), load->source);
}

int64_t weft_unit_journal_image(struct weft_journal *journal, const char *name,
                                struct weft_span image)
{
    uint8_t head[IMAGE_BYTES + WEFT_UNIT_NAME_MAX] = {0};
    const size_t name_length = strnlen(name, WEFT_UNIT_NAME_MAX + 1);
    if (!name_is_valid(name, name_length)) return -EINVAL;
    if (image.length > WEFT_UNIT_IMAGE_MAX) return -EMSGSIZE;
    head[0] = (uint8_t)name_length;
    weft_le32_put(head + 4, (uint32_t)image.length);
    memcpy(head + IMAGE_BYTES, name, name_length);
    return weft_journal_append(journal, WEFT_UNIT_IMAGE,
                               weft_span_of(head, IMAGE_BYTES + name_length), image);
}

int64_t weft_unit_journal_gone(struct weft_journal *journal, const char *name)
{
    const size_t name_length = strnlen(name, WEFT_UNIT_NAME_MAX + 1);
    if (!name_is_valid(name, name_length)) return -EINVAL;
    const uint8_t head = (uint8_t)name_length;
    return weft_journal_append(journal, WEFT_UNIT_GONE, weft_span_of(&head, 1),
                               weft_span_of(name, name_length));
}

static void copy_text(char *to, const uint8_t *from, size_t length)
{
    memcpy(to, from, length);
    to[length] = 0;
}

int weft_unit_load_decode(struct weft_span payload, struct weft_unit_load *load)
{
    if (payload.length < LOAD_BYTES) return -EBADMSG;
    const uint8_t *head = payload.data;
    const size_t name_length = head[1], source_name_length = head[2];
    const size_t source_length = weft_le32_get(head + 4);
    if (head[3] != 0 || source_length > WEFT_UNIT_SOURCE_MAX) return -EBADMSG;
    if (payload.length != LOAD_BYTES + name_length + source_name_length + source_length)
        return -EBADMSG;
    const uint8_t *name = head + LOAD_BYTES;
    const uint8_t *source_name = name + name_length;
    if (!name_is_valid((const char *)name, name_length)) return -EBADMSG;
    if (!text_is_valid((const char *)source_name, source_name_length)) return -EBADMSG;
    *load = (struct weft_unit_load){.recovery = head[0]};
    copy_text(load->name, name, name_length);
    copy_text(load->source_name, source_name, source_name_length);
    load->source = weft_span_of(source_name + source_name_length, source_length);
    return 0;
}

int weft_unit_child_decode(struct weft_span payload, struct weft_unit_load *load)
{
    static const uint8_t zeros[5];
    if (payload.length < CHILD_BYTES) return -EBADMSG;
    const uint8_t *head = payload.data;
    const size_t name = head[0], parent = head[1], root = head[2];
    if (memcmp(head + 3, zeros, sizeof(zeros)) != 0) return -EBADMSG;
    if (payload.length != CHILD_BYTES + name + parent + root) return -EBADMSG;
    const char *text = (const char *)head + CHILD_BYTES;
    if (!name_is_valid(text, name) || !name_is_valid(text + name + parent, root)) return -EBADMSG;
    if (parent > 0 && !name_is_valid(text + name, parent)) return -EBADMSG;
    *load = (struct weft_unit_load){.origin.serial = weft_le64_get(head + 8)};
    copy_text(load->name, head + CHILD_BYTES, name);
    copy_text(load->origin.parent, head + CHILD_BYTES + name, parent);
    copy_text(load->origin.root, head + CHILD_BYTES + name + parent, root);
    return 0;
}

int weft_unit_image_decode(struct weft_span payload, char name[WEFT_UNIT_NAME_MAX + 1],
                           struct weft_span *image)
{
    if (payload.length < IMAGE_BYTES) return -EBADMSG;
    const uint8_t *head = payload.data;
    const size_t name_length = head[0];
    const size_t image_length = weft_le32_get(head + 4);
    if (head[1] || head[2] || head[3] || image_length > WEFT_UNIT_IMAGE_MAX) return -EBADMSG;
    if (payload.length != IMAGE_BYTES + name_length + image_length) return -EBADMSG;
    if (!name_is_valid((const char *)head + IMAGE_BYTES, name_length)) return -EBADMSG;
    copy_text(name, head + IMAGE_BYTES, name_length);
    *image = weft_span_of(head + IMAGE_BYTES + name_length, image_length);
    return 0;
}

int weft_unit_gone_decode(struct weft_span payload, char name[WEFT_UNIT_NAME_MAX + 1])
{
    if (payload.length < GONE_BYTES) return -EBADMSG;
    const size_t name_length = payload.data[0];
    if (payload.length != GONE_BYTES + name_length) return -EBADMSG;
    if (!name_is_valid((const char *)payload.data + GONE_BYTES, name_length)) return -EBADMSG;
    copy_text(name, payload.data + GONE_BYTES, name_length);
    return 0;
}

// The slot of `name` in the index: where it stands, or where it would (linear probing).
static uint32_t *slot_of(const struct weft_unit_table *table, const char *name)
{
    const uint32_t mask = 2 * table->capacity - 1; // The capacity is a power of two.
    uint32_t at = weft_crc32c(0, name, strlen(name)) & mask;
    while (table->index[at] && strcmp(table->entries[table->index[at] - 1].load.name, name) != 0)
        at = (at + 1) & mask;
    return &table->index[at];
}

static struct weft_unit_entry *find(const struct weft_unit_table *table, const char *name)
{
    if (table->count == 0) return NULL;
    const uint32_t place = *slot_of(table, name);
    return place ? &table->entries[place - 1] : NULL;
}

static void build_index(struct weft_unit_table *table)
{
    memset(table->index, 0, 2 * table->capacity * sizeof(*table->index));
    for (uint32_t i = 0; i < table->count; i++)
        *slot_of(table, table->entries[i].load.name) = i + 1;
}

// Replaces what `to` owns by a copy of `from`.
static int own(struct weft_span *to, struct weft_span from)
{
    uint8_t *copy = NULL;
    if (from.length) {
        copy = malloc(from.length);
        if (!copy) return -ENOMEM;
        memcpy(copy, from.data, from.length);
    }
    free((void *)to->data);
    *to = (struct weft_span){copy, from.length};
    return 0;
}

static int grow(struct weft_unit_table *table)
{
    const uint32_t capacity = table->capacity ? 2 * table->capacity : 16;
    void *entries = realloc(table->entries, capacity * sizeof(*table->entries));
    if (!entries) return -ENOMEM;
    table->entries = entries;
    void *index = realloc(table->index, 2 * capacity * sizeof(*table->index));
    if (!index) return -ENOMEM;
    table->index = index;
    table->capacity = capacity;
    build_index(table);
    return 0;
}

static int add(struct weft_unit_table *table, const char *name, struct weft_unit_entry **entry)
{
    if (table->count == table->capacity || table->count == WEFT_UNIT_TABLE_MAX)
        weft_unit_table_settle(table); // Rather than more room for those that are gone.
    if (table->count == WEFT_UNIT_TABLE_MAX) return -ENOSPC;
    const int result = table->count == table->capacity ? grow(table) : 0;
    if (result < 0) return result;
    uint32_t *slot = slot_of(table, name);
    *entry = &table->entries[table->count++];
    **entry = (struct weft_unit_entry){0};
    *slot = table->count;
    return 0;
}

static void release(struct weft_unit_entry *entry)
{
    free((void *)entry->load.source.data);
    free((void *)entry->image.data);
}

// Who is gone goes, and with it, if it was loaded, those of its family. The children of one that
// was spawned stay: their end is nobody's business any more.
static bool goes(const struct weft_gone_names *gone, struct weft_unit_entry *entry)
{
    struct weft_unit_origin *origin = &entry->load.origin;
    if (weft_gone_names_has(gone, entry->load.name) || weft_gone_names_has(gone, origin->root))
        return true;
    if (weft_gone_names_has(gone, origin->parent)) origin->parent[0] = '\0';
    return false;
}

void weft_unit_table_settle(struct weft_unit_table *table)
{
    uint32_t kept = 0;
    if (table->gone.count == 0) return;
    for (uint32_t i = 0; i < table->count; i++) {
        struct weft_unit_entry *entry = &table->entries[i];
        if (goes(&table->gone, entry)) {
            release(entry);
            continue;
        }
        if (kept != i) table->entries[kept] = *entry;
        kept++;
    }
    weft_gone_names_clear(&table->gone);
    if (kept == table->count) return;
    table->count = kept;
    build_index(table); // Those behind have moved.
}

// A name that is gone stands in a record again, or the unit of this name goes with a family: what
// has been gathered must come first.
static void settle_for(struct weft_unit_table *table, const char *name,
                       const struct weft_unit_origin *origin)
{
    if (table->gone.count == 0) return;
    const struct weft_unit_entry *entry = find(table, name);
    if (weft_gone_names_has(&table->gone, name) ||
        (entry != NULL && weft_gone_names_has(&table->gone, entry->load.origin.root)) ||
        (origin != NULL && (weft_gone_names_has(&table->gone, origin->root) ||
                            weft_gone_names_has(&table->gone, origin->parent))))
        weft_unit_table_settle(table);
}

// It may not be there: its load stood before the snapshot. Its children are asked all the same.
// All are looked at once for many that are gone: a journal may have as many ends as units.
static int replay_gone(struct weft_unit_table *table, struct weft_span payload)
{
    char name[WEFT_UNIT_NAME_MAX + 1];
    int result = weft_unit_gone_decode(payload, name);
    if (result == 0) result = weft_gone_names_add(&table->gone, name);
    if (result < 0) return result;
    if (table->gone.count >= GONE_MIN && table->gone.count >= table->count / 2)
        weft_unit_table_settle(table);
    return 0;
}

static int replay_load(struct weft_unit_table *table, uint16_t type, struct weft_span payload)
{
    struct weft_unit_load load = {0};
    int result = type == WEFT_UNIT_CHILD ? weft_unit_child_decode(payload, &load)
                                         : weft_unit_load_decode(payload, &load);
    if (result < 0) return result;
    settle_for(table, load.name, &load.origin);
    struct weft_unit_entry *entry = find(table, load.name);
    const bool is_new = entry == NULL;
    if (is_new) result = add(table, load.name, &entry);
    if (result < 0) return result;
    struct weft_span source = entry->load.source;
    result = own(&source, load.source);
    entry->load = load;
    entry->load.source = source;
    // Of a name that is in use it is a copy that a compaction made: the image stays until its copy
    // comes, which a crash between the two may prevent.
    return result < 0 || !is_new ? result : own(&entry->image, (struct weft_span){0});
}

static int replay_image(struct weft_unit_table *table, struct weft_span payload)
{
    char name[WEFT_UNIT_NAME_MAX + 1];
    struct weft_span image;
    const int result = weft_unit_image_decode(payload, name, &image);
    if (result < 0) return result;
    settle_for(table, name, NULL);
    struct weft_unit_entry *entry = find(table, name);
    // None: the unit changed after the snapshot had begun, and its load is copied forward later on.
    return entry ? own(&entry->image, image) : 0;
}

void weft_unit_table_filter(struct weft_unit_table *table, const bool *stays)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        if (stays[i])
            table->entries[kept++] = table->entries[i];
        else
            release(&table->entries[i]);
    }
    table->count = kept;
    if (table->capacity > 0) build_index(table);
}

int weft_unit_table_replay(void *self, uint16_t type, uint64_t lsn, struct weft_span payload)
{
    struct weft_unit_table *table = self;
    (void)lsn;
    switch (type) {
    case WEFT_UNIT_LOAD:
    case WEFT_UNIT_CHILD: return replay_load(table, type, payload);
    case WEFT_UNIT_IMAGE: return replay_image(table, payload);
    case WEFT_UNIT_GONE: return replay_gone(table, payload);
    default: return 0;
    }
}

const struct weft_unit_entry *weft_unit_table_find(const struct weft_unit_table *table,
                                                   const char *name)
{
    return find(table, name);
}

void weft_unit_table_destroy(struct weft_unit_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        release(&table->entries[i]);
    free(table->index);
    free(table->entries);
    weft_gone_names_destroy(&table->gone);
    *table = (struct weft_unit_table){0};
}
