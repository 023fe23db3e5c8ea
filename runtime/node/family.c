#include "runtime/node/family.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weft/message.h>

#include "runtime/node/unit_ties.h"
#include "runtime/node/unit_ties_format.h"

// ---- Kin of those who come back.

static int by_id(const void *a, const void *b)
{
    const uint64_t x = (*(struct weft_instant_entry *const *)a)->id;
    const uint64_t y = (*(struct weft_instant_entry *const *)b)->id;
    return x < y ? -1 : x > y;
}

struct people { // All of them, by their ids.
    struct weft_instant_entry **entries;
    uint32_t count;
    uint64_t parent;
};

static struct weft_instant_entry *find(const struct people *people, uint64_t id)
{
    struct weft_instant_entry key = {.id = id}, *wanted = &key;
    struct weft_instant_entry **found =
        bsearch(&wanted, people->entries, people->count, sizeof(*people->entries), by_id);
    return found != NULL ? *found : NULL;
}

static void take_child(void *argument, uint64_t id, uint64_t reference)
{
    const struct people *people = argument;
    struct weft_instant_entry *child = find(people, id);
    if (child == NULL || !child->is_child || child->kin.heir != 0) return;
    child->kin.heir = people->parent;
    child->kin.reference = reference;
}

// Of somebody who comes back with it, and was loaded.
static uint64_t loaded(const struct people *people, uint64_t id, bool is_kept)
{
    const struct weft_instant_entry *entry = id != 0 ? find(people, id) : NULL;
    const bool is_such =
        entry != NULL && !entry->is_child && (!is_kept || entry->recovery == WEFT_RECOVERY_JOURNAL);
    return is_such ? entry->id : 0;
}

static int join_one(struct people *people, struct weft_instant_entry *entry,
                    struct weft_error *error)
{
    struct weft_unit_parts parts;
    const char *wrong;
    if (weft_unit_actor_image_read(entry->image, &parts, &wrong) != 0 || parts.id != entry->id)
        return weft_error_set(error, 406, "the snapshot is not restored: unit '%s': %s",
                              entry->name, wrong != NULL ? wrong : "it has two ids");
    entry->quota = parts.quota;
    if (entry->is_child) {
        entry->kin.founder = loaded(people, weft_unit_ties_founder(parts.ties), false);
        entry->kin.root = loaded(people, weft_unit_ties_issue(parts.ties).root, true);
    }
    people->parent = entry->id;
    weft_unit_ties_children(parts.ties, take_child, people);
    return 0;
}

// Whose reductions a child spends it says itself, but not of somebody who does not come with it.
int weft_family_join(struct weft_instant *instant, struct weft_error *error)
{
    struct people people = {.entries = calloc(instant->count + 1, sizeof(*people.entries)),
                            .count = instant->count};
    if (people.entries == NULL) return weft_error_set(error, 203, "no memory for the snapshot");
    for (uint32_t n = 0; n < instant->count; n++)
        people.entries[n] = &instant->entries[n];
    qsort(people.entries, people.count, sizeof(*people.entries), by_id);
    int result = 0;
    for (uint32_t n = 0; result == 0 && n < instant->count; n++)
        result = join_one(&people, &instant->entries[n], error);
    free((void *)people.entries);
    return result;
}

// ---- Of the journal.

bool weft_family_may_have_spawned(struct weft_span image)
{
    struct weft_unit_parts parts;
    const char *wrong;
    return weft_unit_actor_image_read(image, &parts, &wrong) != 0 ||
           weft_unit_ties_issue(parts.ties).serial != 0;
}

static bool is_of(uint64_t id, uint32_t first_generation)
{
    return weft_pid_generation(id) - first_generation - 1 < WEFT_UNIT_ID_GENERATIONS;
}

bool weft_family_has_numbers_of(const struct weft_unit_table *table, uint32_t first_generation)
{
    for (uint32_t n = 0; n < table->count; n++) {
        struct weft_unit_parts parts;
        struct weft_tie_record record;
        const char *wrong;
        if (weft_unit_actor_image_read(table->entries[n].image, &parts, &wrong) != 0) continue;
        if (is_of(parts.id, first_generation)) return true;
        for (size_t at = 0; weft_tie_read(parts.ties, &at, &record);) {
            if (record.kind == WEFT_TIE_CHANNEL && is_of(record.x, first_generation)) return true;
        }
    }
    return false;
}

enum state { UNKNOWN, ON_THE_WAY, STAYS, GOES };

struct one {
    struct weft_unit_entry *entry;
    struct weft_span ties;
    uint64_t id, serial;
    bool is_readable, is_listed, is_over;
    uint8_t state;
};

struct all {
    struct weft_unit_table *table;
    struct one *ones; // As the table has them,
    struct one **by_id;
    uint32_t count;    // of which so many can be read, by their ids.
    uint64_t *replies; // Of the one that is looked at: references, in order.
    size_t reply_count;
    const struct one *parent;
};

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int ones_by_id(const void *a, const void *b)
{
    const uint64_t x = (*(struct one *const *)a)->id, y = (*(struct one *const *)b)->id;
    return x < y ? -1 : x > y;
}

static struct one *child_of(const struct all *all, uint64_t id)
{
    struct one key = {.id = id}, *wanted = &key;
    struct one **found = bsearch(&wanted, all->by_id, all->count, sizeof(*all->by_id), ones_by_id);
    const bool is_its = found != NULL && strcmp((*found)->entry->load.origin.parent,
                                                all->parent->entry->load.name) == 0;
    return is_its ? *found : NULL;
}

static void see_child(void *argument, uint64_t id, uint64_t reference)
{
    const struct all *all = argument;
    struct one *child = child_of(all, id);
    if (child == NULL) return;
    child->is_listed = true;
    if (bsearch(&reference, all->replies, all->reply_count, sizeof(reference), by_number) != NULL)
        child->is_over = true;
}

static void see_dead(void *argument, uint64_t id)
{
    struct one *child = child_of(argument, id);
    if (child != NULL) child->is_over = true;
}

// The answers in its mailbox: a child whose end is among them is over.
static int list_replies(struct all *all, struct weft_span ties)
{
    struct weft_tie_record record;
    all->replies = calloc(ties.length / WEFT_TIE_HEAD + 1, sizeof(*all->replies));
    all->reply_count = 0;
    if (all->replies == NULL) return -ENOMEM;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_MAIL && record.a == WEFT_MESSAGE_REPLY)
            all->replies[all->reply_count++] = record.y;
    }
    qsort(all->replies, all->reply_count, sizeof(*all->replies), by_number);
    return 0;
}

static int look_at_children(struct all *all, const struct one *parent)
{
    if (!parent->is_readable || parent->serial == 0) return 0;
    all->parent = parent;
    if (list_replies(all, parent->ties) != 0) return -ENOMEM;
    weft_unit_ties_children(parent->ties, see_child, all);
    weft_unit_ties_dead(parent->ties, see_dead, all);
    free(all->replies);
    return 0;
}

static struct one *find_one(const struct all *all, const char *name)
{
    const struct weft_unit_entry *entry = weft_unit_table_find(all->table, name);
    return entry != NULL ? &all->ones[entry - all->table->entries] : NULL;
}

// What can be said once its parent's state is known.
static uint8_t decide(const struct all *all, const struct one *one)
{
    struct weft_unit_origin *origin = &one->entry->load.origin;
    if (origin->root[0] == '\0') return STAYS;
    const struct one *root = find_one(all, origin->root);
    if (root == NULL || root->entry->load.origin.root[0] != '\0') return GOES;
    if (one->entry->image.length == 0) return GOES;
    if (origin->parent[0] == '\0') return STAYS;
    const struct one *parent = find_one(all, origin->parent);
    if (parent == NULL || parent->state != STAYS) return GOES;
    if (!parent->is_readable) return STAYS; // They wait for the build that can read them.
    if (parent->serial < origin->serial || one->is_over) return GOES;
    if (!one->is_listed) origin->parent[0] = '\0';
    return STAYS;
}

// From whoever is decided, or has no parent, down to `one`. Who is his own forefather goes.
static void decide_line(const struct all *all, struct one *one, struct one **line)
{
    uint32_t count = 0;
    for (; one != NULL && one->state == UNKNOWN;
         one = find_one(all, one->entry->load.origin.parent)) {
        one->state = ON_THE_WAY;
        line[count++] = one;
    }
    while (count-- > 0)
        line[count]->state = decide(all, line[count]);
}

static void read_all(struct all *all)
{
    for (uint32_t n = 0; n < all->table->count; n++) {
        struct one *one = &all->ones[n];
        struct weft_unit_parts parts;
        const char *wrong;
        one->entry = &all->table->entries[n];
        one->is_readable = weft_unit_actor_image_read(one->entry->image, &parts, &wrong) == 0;
        if (!one->is_readable) continue;
        one->id = parts.id;
        one->ties = parts.ties;
        one->serial = weft_unit_ties_issue(parts.ties).serial;
        all->by_id[all->count++] = one;
    }
    qsort(all->by_id, all->count, sizeof(*all->by_id), ones_by_id);
}

int weft_family_settle(struct weft_unit_table *table, bool *stays)
{
    struct all all = {.table = table};
    all.ones = calloc(table->count + 1, sizeof(*all.ones));
    all.by_id = calloc(table->count + 1, sizeof(*all.by_id));
    struct one **line = calloc(table->count + 1, sizeof(*line));
    int result = all.ones != NULL && all.by_id != NULL && line != NULL ? 0 : -ENOMEM;
    if (result == 0) read_all(&all);
    for (uint32_t n = 0; result == 0 && n < table->count; n++)
        result = look_at_children(&all, &all.ones[n]);
    for (uint32_t n = 0; result == 0 && n < table->count; n++)
        decide_line(&all, &all.ones[n], line);
    for (uint32_t n = 0; result == 0 && n < table->count; n++)
        stays[n] = all.ones[n].state == STAYS;
    free((void *)line);
    free((void *)all.by_id);
    free(all.ones);
    return result;
}

// One of the table. What cannot be read is an entry all the same: it is told of when it is made.
static void take_entry(const struct weft_unit_table *table, const struct weft_unit_entry *from,
                       struct weft_instant_entry *to)
{
    const bool is_child = from->load.origin.root[0] != '\0';
    const char *name = is_child ? from->load.origin.root : from->load.name;
    *to = (struct weft_instant_entry){.recovery = WEFT_RECOVERY_JOURNAL,
                                      .is_child = is_child,
                                      .id = weft_unit_actor_image_id(from->image),
                                      .image = from->image};
    memcpy(to->name, name, strnlen(name, sizeof(to->name) - 1));
    _Static_assert(sizeof(to->file) > WEFT_UNIT_NAME_MAX, "with its zero byte");
    strcpy(to->file, from->load.source_name);
    to->core = weft_pid_home(to->id);
    if (!is_child) return;
    const struct weft_unit_entry *root = weft_unit_table_find(table, from->load.origin.root);
    to->kin.root = root != NULL ? weft_unit_actor_image_id(root->image) : 0;
    to->kin.is_journaled = true;
}

int weft_family_of_table(const struct weft_unit_table *table, struct weft_instant *instant,
                         struct weft_error *error)
{
    *instant =
        (struct weft_instant){.entries = calloc(table->count + 1, sizeof(*instant->entries))};
    struct weft_instant_entry **entries = calloc(table->count + 1, sizeof(*entries));
    struct people people = {.entries = entries, .count = table->count};
    if (instant->entries == NULL || entries == NULL) {
        free((void *)entries);
        weft_instant_destroy(instant);
        return weft_error_set(error, 203, "no memory for the units of the journal");
    }
    instant->count = table->count;
    for (uint32_t n = 0; n < table->count; n++) {
        entries[n] = &instant->entries[n];
        take_entry(table, &table->entries[n], entries[n]);
    }
    qsort(entries, people.count, sizeof(*entries), by_id);
    for (uint32_t n = 0; n < table->count; n++) {
        const uint64_t root = instant->entries[n].kin.root;
        if (join_one(&people, &instant->entries[n], &(struct weft_error){0}) == 0)
            instant->entries[n].kin.root = root;
    }
    free((void *)entries);
    return 0;
}
