// op.h: how an operation begins and ends: which table, whether it may, and what it is charged.
#ifndef WEFT_TABLE_OP_H
#define WEFT_TABLE_OP_H

#include <errno.h>

#include <weft/registry.h>

#include "runtime/table/internal.h"

// A table, as those who use it see it. In a block.
struct weft_table_body {
    weft_table id;
    weft_table readable_id; // The same, if everybody may read it; else 0.
    weft_table writable_id; // The same, if everybody may write it, and it is not ordered.
    _Atomic weft_pid owner;
    _Atomic(struct weft_rows *) rows;
    uint64_t seed;
    size_t memory_max;
    uint8_t kind, access;
    // What few look at.
    _Atomic weft_pid heir;
    _Atomic(struct weft_message *) will; // What will go to the heir (owner.c). NULL: none.
    uint64_t reference;                  // Of what hangs on the owner. The owner's.
    uint64_t name_hash;
    char name[WEFT_NAME_MAX + 1]; // "" if none.
};

// Where a table stands in the directory: `state` is generation and enum place_state.
struct weft_table_place {
    _Atomic uint64_t state;
    _Atomic uint64_t name_hash; // 0: no name.
};

#define WEFT_TABLE_PLACE_BITS 24 // Of a table's number; the rest is its generation.

struct weft_tables {
    struct weft_actor_node *node;
    _Atomic(struct weft_table_body *) *bodies; // By place; of no table: one without a number.
    uint64_t place_mask;                       // Places, a power of two, less 1.
    struct weft_table_place *places;
    uint64_t seed;
    uint32_t table_count_max;
    struct weft_table_core cores[WEFT_CORE_MAX];
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t table_count;
    _Atomic uint32_t next; // Where to look for a free place first.
};

enum need { NEED_READ, NEED_WRITE };

// What stands where `table` would; it is that only if it has its number.
static inline struct weft_table_body *weft_table_at(const struct weft_tables *tables,
                                                    weft_table table)
{
    // Acquire: pairs with the release store in publish (tables.c).
    return atomic_load_explicit(&tables->bodies[table & tables->place_mask], memory_order_acquire);
}

// The table, or NULL.
static inline struct weft_table_body *weft_table_body(const struct weft_tables *tables,
                                                      weft_table table)
{
    struct weft_table_body *body = weft_table_at(tables, table);
    return likely(body->id == table && table != 0) ? body : NULL;
}

static inline bool weft_table_is_owner(const struct weft_table_body *body,
                                       const struct weft_actor *self)
{
    // Acquire: pairs with the release store in hand_over (owner.c): the old owner's writes are
    // there.
    return atomic_load_explicit(&body->owner, memory_order_acquire) == self->pid;
}

static inline struct weft_rows *weft_table_rows(const struct weft_table_body *body)
{
    // Acquire: pairs with the release in weft_table_delete_all.
    return atomic_load_explicit(&body->rows, memory_order_acquire);
}

// The table, if `self` may do that. 0, -EBADF, -EACCES, -ENOTSUP.
always_inline int weft_table_open(const struct weft_actor *self, weft_table table, enum need need,
                                  struct weft_table_body **body)
{
    const struct weft_tables *tables = self->system->node->tables;
    if (unlikely(tables == NULL)) return -ENOTSUP;
    struct weft_table_body *found = weft_table_body(tables, table);
    if (unlikely(found == NULL)) return -EBADF;
    const bool is_free = need == NEED_READ ? found->access != WEFT_TABLE_PRIVATE
                                           : found->access == WEFT_TABLE_PUBLIC;
    if (!is_free && unlikely(!weft_table_is_owner(found, self))) return -EACCES;
    *body = found;
    return 0;
}

always_inline struct weft_op weft_table_op_of(struct weft_actor_system *system,
                                              const struct weft_table_body *body)
{
    struct weft_rows *rows = weft_table_rows(body);
    return (struct weft_op){
        .system = system,
        .core = &system->node->tables->cores[system->index],
        .rows = rows,
        .stripe = weft_rows_stripe(rows, system),
        .memory_max = body->memory_max,
    };
}

static inline void weft_key_bind(struct weft_key *key, const struct weft_table_body *body)
{
    if (body->kind != WEFT_TABLE_ORDERED) key->hash = weft_key_hash(key, body->seed);
}

// Another core has its hands on the rows: waits a little, then lets others run. Nothing may be held
// meanwhile: the actor may end here, or go on elsewhere.
void weft_table_op_back_off(struct weft_actor *self, unsigned tries);

// The end of a public function: `rows` were looked at.
void weft_table_op_yield(struct weft_actor *self);
static inline void weft_table_op_done(struct weft_actor *self, uint32_t rows)
{
    struct weft_core *core = self->system->core;
    core->run.left -= (int32_t)(rows * WEFT_MESSAGE_REDUCTIONS);
    if (unlikely(core->run.left <= 0)) weft_table_op_yield(self);
    leave(self);
}

// Removes one row, wherever it stands. 0, -ENOENT, or what weft_table_open says. (table.c)
int weft_table_remove_one(struct weft_actor *self, weft_table table, struct weft_key *key,
                          const struct weft_which *which, struct weft_seen *removed);

// ---- tables.c, owner.c

// Takes the table away from everybody. Of several that try, one does: true.
bool weft_table_end(struct weft_actor_system *system, struct weft_table_body *body);
int weft_table_rows_new(struct weft_op *op, const struct weft_table_body *body,
                        uint64_t row_count_hint);
// What hangs on an owner.
void weft_table_owner_ended(struct weft_actor *owner, void *id);
// Blocks for a change of owner: an edge and a message. NULL: no memory.
struct weft_message *weft_table_will_make(struct weft_actor_system *system);
void weft_table_will_release(struct weft_actor_system *system, struct weft_message *will);

#endif // WEFT_TABLE_OP_H
