#include "runtime/node/kept.h"

#include <string.h>

#include "runtime/base/assert.h"

void weft_kept_init(struct weft_kept_table *table, struct weft_arena *arena)
{
    *table = (struct weft_kept_table){.arena = arena};
    weft_list_init(&table->ended);
    weft_list_init(&table->doomed);
}

static struct weft_kept **bucket_of(const struct weft_kept_table *table, const char *name)
{
    uint32_t hash = UINT32_C(2166136261); // FNV-1a.
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT32_C(16777619);
    }
    return (struct weft_kept **)&table->buckets[hash % WEFT_KEPT_BUCKETS];
}

struct weft_kept *weft_kept_find(const struct weft_kept_table *table, const char *name)
{
    struct weft_kept *kept = *bucket_of(table, name);
    while (kept != NULL && strcmp(kept->name, name) != 0) {
        kept = kept->next;
    }
    return kept;
}

static struct weft_kept *add(struct weft_kept_table *table, const char *name)
{
    struct weft_kept *kept = weft_arena_alloc_zeroed(table->arena, sizeof(*kept));
    if (kept == NULL) return NULL;
    weft_assert(strlen(name) < sizeof(kept->name));
    strcpy(kept->name, name);
    weft_list_init(&kept->ended_link);
    struct weft_kept **bucket = bucket_of(table, name);
    kept->next = *bucket;
    *bucket = kept;
    kept->earlier = table->last;
    if (table->last != NULL)
        table->last->later = kept;
    else
        table->first = kept;
    table->last = kept;
    table->count++;
    return kept;
}

// The new block first: without memory for it the old one stays.
static bool replace(struct weft_arena *arena, uint8_t **block, uint32_t *bytes,
                    struct weft_span content)
{
    uint8_t *copy = NULL;
    if (content.length > 0) {
        copy = weft_arena_alloc(arena, content.length);
        if (copy == NULL) return false;
        memcpy(copy, content.data, content.length);
    }
    weft_arena_release(arena, *block, *bytes);
    *block = copy;
    *bytes = (uint32_t)content.length;
    return true;
}

bool weft_kept_set(struct weft_kept_table *table, const char *name,
                   const struct weft_unit_load *load, struct weft_span image)
{
    struct weft_kept *kept = weft_kept_find(table, name);
    if (kept == NULL) kept = add(table, name);
    if (kept == NULL) {
        table->lost_count++; // For good: it has no entry that could be mended.
        return false;
    }
    bool is_whole = !kept->is_lost || (load != NULL && image.length > 0);
    if (load != NULL) {
        memcpy(kept->source_name, load->source_name, sizeof(kept->source_name));
        kept->recovery = load->recovery;
        kept->origin = load->origin;
        is_whole &= replace(table->arena, &kept->source, &kept->source_bytes, load->source);
    }
    if (image.length > 0)
        is_whole &= replace(table->arena, &kept->image, &kept->image_bytes, image);
    table->lost_count += (uint32_t)!is_whole - (uint32_t)kept->is_lost;
    kept->is_lost = !is_whole;
    return is_whole;
}

void weft_kept_forget(struct weft_kept_table *table, const char *name)
{
    struct weft_kept *kept = weft_kept_find(table, name);
    if (kept == NULL) return;
    struct weft_kept **link = bucket_of(table, name);
    while (*link != kept) {
        link = &(*link)->next;
    }
    *link = kept->next;
    if (table->cursor == kept) table->cursor = kept->later;
    if (kept->earlier != NULL)
        kept->earlier->later = kept->later;
    else
        table->first = kept->later;
    if (kept->later != NULL)
        kept->later->earlier = kept->earlier;
    else
        table->last = kept->earlier;
    table->count--;
    table->lost_count -= kept->is_lost;
    weft_list_remove(&kept->ended_link);
    weft_arena_release(table->arena, kept->source, kept->source_bytes);
    weft_arena_release(table->arena, kept->image, kept->image_bytes);
    weft_arena_release(table->arena, kept, sizeof(*kept));
}

void weft_kept_doom(struct weft_kept_table *table, struct weft_kept *kept)
{
    weft_list_remove(&kept->ended_link);
    weft_list_append(&table->doomed, &kept->ended_link);
    kept->is_doomed = true;
}

static void orphan(struct weft_kept_table *table, struct weft_kept *child)
{
    child->origin.parent[0] = '\0';
    if (!weft_list_empty(&child->ended_link)) weft_kept_doom(table, child);
}

void weft_kept_gone(struct weft_kept_table *table, const char *gone)
{
    struct weft_kept *kept = weft_kept_find(table, gone), *later;
    char name[WEFT_UNIT_NAME_MAX + 1];
    if (kept == NULL) return;
    memcpy(name, kept->name, sizeof(name)); // `gone` may be the entry's own.
    const bool has_family = kept->has_family, is_root = kept->origin.root[0] == '\0';
    weft_kept_forget(table, name);
    if (!has_family) return;
    for (kept = table->first; kept != NULL; kept = later) {
        later = kept->later;
        if (is_root && strcmp(kept->origin.root, name) == 0)
            weft_kept_forget(table, kept->name);
        else if (strcmp(kept->origin.parent, name) == 0)
            orphan(table, kept);
    }
}

void weft_kept_destroy(struct weft_kept_table *table)
{
    while (table->first != NULL) {
        weft_kept_forget(table, table->first->name);
    }
}
