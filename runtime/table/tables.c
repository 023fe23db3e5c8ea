// tables.c: which table a number or a name is. A directory of places, one table each.
//
// A place is FREE, CLAIMED by who makes or ends its table, or LIVE; its generation goes up each
// time it becomes free, so a number names one table for ever. A table with a name stands in one of
// the 32 places that follow from the name: of two that claim two of these for the same name, each
// looks at all of them afterwards, and the one behind gives way (as actor/registry.c does).
#include "runtime/table/op.h"

#include <stdlib.h>

#include "runtime/table/hash.h"
#include "runtime/table/tree.h"

#define NAME_STEPS  32
#define PLACES_EACH 4 // For each table that there may be: then 32 in a row are never all taken.

enum place_state { FREE, CLAIMED_PLACE, LIVE };

#define GENERATION UINT64_C(4) // One more.

// What stands where no table is, so that nobody has to ask. Nobody writes to it.
static struct weft_table_body *nobody(void)
{
    static const struct weft_table_body body;
    return (struct weft_table_body *)(uintptr_t)&body;
}

// ---- Of a node.

int weft_tables_init(struct weft_actor_node *node, uint32_t table_count_max,
                     const struct weft_entropy *entropy)
{
    if (table_count_max == 0) table_count_max = WEFT_TABLE_COUNT_MAX;
    if (table_count_max > (1u << WEFT_TABLE_PLACE_BITS) / PLACES_EACH) return -ENOSPC;
    struct weft_tables *tables = aligned_alloc(WEFT_CORE_ALIGN, sizeof(*tables));
    if (tables == NULL) return -ENOMEM;
    memset((void *)tables, 0, sizeof(*tables));
    node->tables = tables;
    tables->node = node;
    tables->table_count_max = table_count_max;
    size_t places = NAME_STEPS;
    while (places < (size_t)PLACES_EACH * table_count_max)
        places *= 2;
    tables->place_mask = places - 1;
    weft_entropy_fill(entropy, &tables->seed, sizeof(tables->seed));
    tables->places = calloc(places, sizeof(tables->places[0]));
    tables->bodies = malloc(places * sizeof(tables->bodies[0]));
    int result = tables->places != NULL && tables->bodies != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; result == 0 && i < places; i++)
        atomic_init(&tables->bodies[i], nobody());
    for (uint64_t mask = node->core_mask; result == 0 && mask != 0; mask &= mask - 1) {
        const unsigned core = (unsigned)__builtin_ctzll(mask);
        result = weft_limbo_attach(&tables->cores[core], node->systems[core]);
    }
    return result;
}

void weft_tables_destroy(struct weft_actor_node *node)
{
    if (node->tables == NULL) return;
    free((void *)node->tables->bodies);
    free(node->tables->places);
    free(node->tables);
    node->tables = NULL;
}

// ---- Places.

static weft_table id_at(const struct weft_tables *tables, const struct weft_table_place *place,
                        uint64_t state)
{
    return (state / GENERATION + 1) << WEFT_TABLE_PLACE_BITS | (uint64_t)(place - tables->places);
}

static size_t place_count(const struct weft_tables *tables)
{
    return tables->place_mask + 1;
}

static _Atomic(struct weft_table_body *) *body_of(const struct weft_tables *tables,
                                                  const struct weft_table_place *place)
{
    return &tables->bodies[place - tables->places];
}

static struct weft_table_place *place_at(const struct weft_tables *tables, uint64_t start,
                                         uint32_t step)
{
    return &tables->places[(start + step) & tables->place_mask];
}

// A place for `body`, from `start` on; *step says which. NULL: there is none.
static struct weft_table_place *claim_place(const struct weft_tables *tables, uint64_t start,
                                            uint32_t steps, uint64_t name_hash, uint32_t *step,
                                            uint64_t *state)
{
    for (*step = 0; *step < steps; ++*step) {
        struct weft_table_place *place = place_at(tables, start, *step);
        *state = atomic_load_explicit(&place->state, memory_order_relaxed);
        // Sequentially consistent, with the store: of two that claim for the same name, one sees
        // the other.
        if (*state % GENERATION == FREE &&
            atomic_compare_exchange_strong(&place->state, state, *state + CLAIMED_PLACE)) {
            atomic_store(&place->name_hash, name_hash);
            return place;
        }
    }
    return NULL;
}

static void free_place(struct weft_table_place *place, uint64_t state)
{
    atomic_store_explicit(&place->name_hash, 0, memory_order_relaxed);
    // Release: whoever claims it next comes after us.
    atomic_store_explicit(&place->state, (state / GENERATION + 1) * GENERATION,
                          memory_order_release);
}

// True if the name is somebody else's, or will be: as is_taken in actor/registry.c.
static bool is_taken(const struct weft_tables *tables, const struct weft_table_body *body,
                     uint32_t own)
{
    for (uint32_t step = 0; step < NAME_STEPS; step++) {
        struct weft_table_place *place = place_at(tables, body->name_hash, step);
        if (step == own || atomic_load(&place->name_hash) != body->name_hash) continue;
        const uint64_t state = atomic_load(&place->state);
        if (state % GENERATION == CLAIMED_PLACE && step < own) return true;
        const struct weft_table_body *other = atomic_load(body_of(tables, place));
        if (strcmp(other->name, body->name) == 0) return true;
    }
    return false;
}

static bool may_be_more(struct weft_tables *tables)
{
    const uint32_t before =
        atomic_fetch_add_explicit(&tables->table_count, 1, memory_order_relaxed);
    if (before < tables->table_count_max) return true;
    atomic_fetch_sub_explicit(&tables->table_count, 1, memory_order_relaxed);
    return false;
}

// Gives `body` a place and a number, and lets everybody find it. 0, -EEXIST, -ENOSPC.
static int publish(struct weft_tables *tables, struct weft_table_body *body)
{
    const bool has_name = body->name[0] != '\0';
    const uint64_t start =
        has_name ? body->name_hash
                 : weft_key_mix(atomic_fetch_add_explicit(&tables->next, 1, memory_order_relaxed));
    uint32_t step;
    uint64_t state;
    if (!may_be_more(tables)) return -ENOSPC;
    struct weft_table_place *place =
        claim_place(tables, start, has_name ? NAME_STEPS : (uint32_t)place_count(tables),
                    body->name_hash, &step, &state);
    const bool taken = has_name && place != NULL && is_taken(tables, body, step);
    if (place == NULL || taken) {
        if (taken) free_place(place, state);
        atomic_fetch_sub_explicit(&tables->table_count, 1, memory_order_relaxed);
        return taken ? -EEXIST : -ENOSPC;
    }
    body->id = id_at(tables, place, state);
    if (body->access != WEFT_TABLE_PRIVATE) body->readable_id = body->id;
    if (body->access == WEFT_TABLE_PUBLIC && body->kind != WEFT_TABLE_ORDERED)
        body->writable_id = body->id;
    // Release (and sequentially consistent, for is_taken): pairs with the acquire load in
    // weft_table_body.
    atomic_store(body_of(tables, place), body);
    atomic_store(&place->state, state + LIVE);
    return 0;
}

bool weft_table_end(struct weft_actor_system *system, struct weft_table_body *body)
{
    struct weft_tables *tables = system->node->tables;
    struct weft_table_core *core = &tables->cores[system->index];
    struct weft_table_place *place = &tables->places[body->id & tables->place_mask];
    uint64_t state = ((body->id >> WEFT_TABLE_PLACE_BITS) - 1) * GENERATION + LIVE;
    if (!atomic_compare_exchange_strong(&place->state, &state, state - LIVE + CLAIMED_PLACE))
        return false;
    atomic_store(body_of(tables, place),
                 nobody()); // Before the will is looked at: see weft_table_set_heir.
    weft_table_will_release(system, atomic_exchange(&body->will, NULL));
    free_place(place, state);
    atomic_fetch_sub_explicit(&tables->table_count, 1, memory_order_relaxed);
    weft_rows_retire(core, weft_table_rows(body));
    weft_limbo_put(core, weft_block_of(body));
    return true;
}

// ---- A new one.

int weft_table_rows_new(struct weft_op *op, const struct weft_table_body *body,
                        uint64_t row_count_hint)
{
    const struct weft_actor_node *node = op->system->node;
    const bool is_shared =
        body->access == WEFT_TABLE_PUBLIC && (node->core_mask & (node->core_mask - 1)) != 0;
    const struct weft_rows rows = {
        .is_tree = body->kind == WEFT_TABLE_ORDERED,
        .is_bag = body->kind == WEFT_TABLE_BAG,
        .is_shared = is_shared,
        .stripe_mask = is_shared ? UINT16_MAX : 0,
        .stripe_count = is_shared ? (uint16_t)(64 - __builtin_clzll(node->core_mask)) : 1,
    };
    int result = weft_rows_make(op, &rows,
                                rows.is_tree ? sizeof(struct weft_tree) : sizeof(struct weft_hash));
    if (result != 0) return result;
    op->stripe = weft_rows_stripe(op->rows, op->system);
    result = rows.is_tree ? weft_tree_begin(op) : weft_hash_begin(op, body->seed, row_count_hint);
    if (result != 0) weft_rows_discard(op);
    return result;
}

// Makes what belongs to it, and lets everybody find it. 0, or a negative errno: `body` is nobody's.
static int furnish(struct weft_actor *self, struct weft_table_body *body, uint64_t row_count_hint)
{
    struct weft_actor_system *system = self->system;
    struct weft_op op = {.system = system,
                         .core = &system->node->tables->cores[system->index],
                         .memory_max = body->memory_max};
    struct weft_message *will = NULL;
    int result = weft_table_rows_new(&op, body, row_count_hint);
    if (result != 0) return result;
    atomic_init(&body->rows, op.rows);
    if (atomic_load_explicit(&body->heir, memory_order_relaxed) != 0) {
        will = weft_table_will_make(system);
        if (will == NULL) result = -ENOMEM;
    }
    atomic_init(&body->will, will);
    if (result == 0) result = publish(system->node->tables, body);
    if (result == 0) return 0;
    weft_table_will_release(system, will);
    weft_rows_retire(op.core, op.rows);
    return result;
}

static bool set_name(struct weft_table_body *body, const char *name)
{
    uint64_t words[8];
    if (name == NULL) return true;
    if (!weft_name_key(name, words, &body->name_hash)) return false;
    if (body->name_hash == 0) body->name_hash = 1; // 0 is no name.
    memcpy(body->name, words, sizeof(body->name));
    return true;
}

static int make(struct weft_actor *self, const struct weft_table_options *options,
                weft_table *table)
{
    struct weft_actor_system *system = self->system;
    if (system->node->tables == NULL) return -ENOTSUP;
    if (options->kind > WEFT_TABLE_BAG || options->access > WEFT_TABLE_PRIVATE) return -EINVAL;
    struct weft_message *block = weft_message_alloc_hidden(system, sizeof(struct weft_table_body));
    if (block == NULL) return -ENOMEM;
    struct weft_table_body *body = (struct weft_table_body *)(void *)block->payload;
    memset((void *)body, 0, sizeof(*body));
    body->kind = options->kind;
    body->access = options->access;
    body->memory_max = options->memory_max;
    atomic_init(&body->owner, self->pid);
    atomic_init(&body->heir, options->heir);
    // Of every table another one, and the same in every run from one seed.
    body->seed = weft_key_mix(system->node->tables->seed ^ ++system->reference);
    int result = set_name(body, options->name) ? 0 : -EINVAL;
    if (result == 0) result = furnish(self, body, options->row_count_hint);
    if (result != 0) {
        weft_message_release_block(system, block);
        return result;
    }
    *table = body->id;
    result =
        weft_actor_own(self, weft_table_owner_ended, (void *)(uintptr_t)body->id, &body->reference);
    if (result != 0) weft_table_end(system, body);
    return result;
}

int weft_table_new(struct weft_actor *self, const struct weft_table_options *options,
                   weft_table *table)
{
    enter(self);
    const int result = make(self, options, table);
    leave(self);
    return result;
}

int weft_table_drop(struct weft_actor *self, weft_table table)
{
    struct weft_actor_system *system = enter(self);
    struct weft_table_body *body;
    int result = weft_table_open(self, table, NEED_WRITE, &body);
    if (result == 0) {
        const bool is_owner = weft_table_is_owner(body, self);
        const uint64_t reference = is_owner ? body->reference : 0;
        if (!weft_table_end(system, body)) result = -EBADF;
        if (is_owner) weft_actor_disown(self, reference);
    }
    leave(self);
    return result;
}

// ---- Looking.

weft_table weft_table_find(const struct weft_actor *self, const char *name)
{
    const struct weft_tables *tables = self->system->node->tables;
    struct weft_table_body key = {0};
    if (tables == NULL || !set_name(&key, name) || key.name_hash == 0) return 0;
    for (uint32_t step = 0; step < NAME_STEPS; step++) {
        struct weft_table_place *place = place_at(tables, key.name_hash, step);
        if (atomic_load_explicit(&place->name_hash, memory_order_relaxed) != key.name_hash)
            continue;
        // Acquire: pairs with the store in publish.
        const struct weft_table_body *body =
            atomic_load_explicit(body_of(tables, place), memory_order_acquire);
        if (strcmp(body->name, key.name) == 0) return body->id;
    }
    return 0;
}

static void describe(const struct weft_table_body *body, struct weft_table_info *info)
{
    const struct weft_rows *rows = weft_table_rows(body);
    *info = (struct weft_table_info){
        .table = body->id,
        .kind = body->kind,
        .access = body->access,
        .owner = atomic_load_explicit(&body->owner, memory_order_relaxed),
        .heir = atomic_load_explicit(&body->heir, memory_order_relaxed),
        .row_count = weft_rows_count(rows),
        .bytes = weft_rows_bytes(rows),
        .memory_max = body->memory_max,
    };
    memcpy(info->name, body->name, sizeof(info->name));
}

int weft_table_info(struct weft_actor *self, weft_table table, struct weft_table_info *info)
{
    const struct weft_actor_system *system = enter(self);
    const struct weft_tables *tables = system->node->tables;
    const struct weft_table_body *body = tables != NULL ? weft_table_body(tables, table) : NULL;
    if (body != NULL) describe(body, info);
    leave(self);
    if (tables == NULL) return -ENOTSUP;
    return body != NULL ? 0 : -EBADF;
}

static const struct weft_table_body *body_at(const struct weft_tables *tables, uint32_t place)
{
    // Acquire: pairs with the store in publish.
    const struct weft_table_body *body =
        atomic_load_explicit(&tables->bodies[place], memory_order_acquire);
    return body->id != 0 ? body : NULL;
}

size_t weft_table_list(struct weft_actor *self, weft_table *found, size_t limit)
{
    const struct weft_actor_system *system = enter(self);
    const struct weft_tables *tables = system->node->tables;
    size_t count = 0;
    for (uint32_t i = 0; tables != NULL && i < place_count(tables); i++) {
        const struct weft_table_body *body = body_at(tables, i);
        if (body == NULL) continue;
        if (count < limit) found[count] = body->id;
        count++;
    }
    leave(self);
    return count;
}

void weft_tables_each(const struct weft_actor_node *node,
                      void (*see)(const struct weft_table_info *info, void *argument),
                      void *argument)
{
    const struct weft_tables *tables = node->tables;
    for (uint32_t i = 0; tables != NULL && i < place_count(tables); i++) {
        const struct weft_table_body *body = body_at(tables, i);
        struct weft_table_info info;
        if (body == NULL) continue;
        describe(body, &info);
        see(&info, argument);
    }
}
