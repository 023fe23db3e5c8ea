// table.c: one row: the calls of runtime/include/weft/table.h.
#include "runtime/table/hash.h"
#include "runtime/table/op.h"

#define BATCH 16 // Keys on their way from memory at a time.

// ---- Waiting.

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

void weft_table_op_yield(struct weft_actor *self)
{
    if (self->kind->main == NULL || !weft_actor_can_park(self)) return;
    weft_actor_ready(self);
    weft_actor_park(self);
}

void weft_table_op_back_off(struct weft_actor *self, unsigned tries)
{
    // A claim lasts some instructions; if its thread does not run, it lasts until it does.
    if (tries % 64 == 63 && weft_actor_can_park(self)) {
        weft_actor_ready(self);
        weft_actor_park(self);
    } else {
        pause_cpu();
    }
}

// ---- Inserting.

static int put_once(struct weft_op *op, const struct weft_key *key, const void *value,
                    size_t length, enum weft_put how)
{
    struct weft_cell cell;
    int result = weft_cell_make(op, key, value, length, &cell);
    if (unlikely(result != 0)) return result;
    result = unlikely(op->rows->is_tree) ? weft_tree_put(op, key, &cell, how, NULL)
                                         : weft_hash_put(op, key, &cell, how, NULL);
    if (unlikely(result != 0)) weft_cell_discard(op, &cell);
    return result;
}

always_inline int put(struct weft_actor *self, weft_table table, struct weft_key *key,
                      const void *value, size_t length, bool only_new)
{
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        int result = weft_table_open(self, table, NEED_WRITE, &body);
        if (unlikely(result != 0)) return result;
        struct weft_op op = weft_table_op_of(self->system, body);
        const bool adds = !only_new && unlikely(body->kind == WEFT_TABLE_BAG);
        weft_key_bind(key, body);
        result = put_once(&op, key, value, length,
                          only_new ? WEFT_PUT_NEW
                          : adds   ? WEFT_PUT_ADD
                                   : WEFT_PUT_ANY);
        if (likely(result != WEFT_TABLE_BUSY)) return adds && result == -EEXIST ? 0 : result;
        weft_table_op_back_off(self, tries);
    }
}

static int insert(struct weft_actor *self, weft_table table, const void *bytes, size_t key_length,
                  const void *value, size_t value_length, bool only_new)
{
    enter(self);
    struct weft_key key;
    const int result = weft_key_of_bytes(&key, bytes, key_length)
                           ? put(self, table, &key, value, value_length, only_new)
                           : -EINVAL;
    weft_table_op_done(self, 1);
    return result;
}

int weft_table_insert(struct weft_actor *self, weft_table table, const void *bytes,
                      size_t key_length, const void *value, size_t value_length)
{
    return insert(self, table, bytes, key_length, value, value_length, false);
}

int weft_table_insert_new(struct weft_actor *self, weft_table table, const void *bytes,
                          size_t key_length, const void *value, size_t value_length)
{
    return insert(self, table, bytes, key_length, value, value_length, true);
}

// ---- Looking up.

static int find(struct weft_actor *self, weft_table table, struct weft_key *key,
                struct weft_seen *seen)
{
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        int result = weft_table_open(self, table, NEED_READ, &body);
        if (result != 0) return result;
        const struct weft_rows *rows = weft_table_rows(body);
        weft_key_bind(key, body);
        result = rows->is_tree ? weft_tree_find(rows, key, seen) : weft_hash_find(rows, key, seen);
        if (result != WEFT_TABLE_BUSY) return result;
        weft_table_op_back_off(self, tries);
    }
}

int64_t weft_table_lookup(struct weft_actor *self, weft_table table, const void *bytes,
                          size_t key_length, void *value, size_t limit)
{
    enter(self);
    struct weft_key key;
    struct weft_seen seen;
    int64_t result =
        weft_key_of_bytes(&key, bytes, key_length) ? find(self, table, &key, &seen) : -EINVAL;
    if (result == 0) result = weft_seen_copy_value(&seen, value, limit);
    weft_table_op_done(self, 1);
    return result;
}

int weft_table_member(struct weft_actor *self, weft_table table, const void *bytes,
                      size_t key_length)
{
    enter(self);
    struct weft_key key;
    struct weft_seen seen;
    const int result =
        weft_key_of_bytes(&key, bytes, key_length) ? find(self, table, &key, &seen) : -EINVAL;
    weft_table_op_done(self, 1);
    return result == -ENOENT ? 0 : result == 0 ? 1 : result;
}

always_inline int find_u64(const struct weft_rows *rows, uint64_t number, struct weft_seen *seen)
{
    if (likely(!rows->is_tree)) return weft_hash_find_u64(rows, number, seen);
    const struct weft_key key = weft_key_of_u64(number);
    return weft_tree_find(rows, &key, seen);
}

static __attribute__((noinline)) int64_t lookup_u64_slowly(struct weft_actor *self,
                                                           weft_table table, uint64_t number,
                                                           void *value, size_t limit)
{
    enter(self);
    struct weft_key key = weft_key_of_u64(number);
    struct weft_seen seen;
    int64_t result = find(self, table, &key, &seen);
    if (result == 0) result = weft_seen_copy_value(&seen, value, limit);
    weft_table_op_done(self, 1);
    return result;
}

// The slice of the fast calls below is spent, which do not enter. Returns `result`, so that it is
// the last thing that they do.
static __attribute__((noinline)) int64_t spent(struct weft_actor *self, int64_t result)
{
    enter(self);
    weft_table_op_done(self, 0);
    return result;
}

// Charges one row.
always_inline int64_t done_fast(struct weft_actor *self, int64_t result)
{
    struct weft_run *run = &self->system->core->run;
    run->left -= WEFT_MESSAGE_REDUCTIONS;
    return unlikely(run->left <= 0) ? spent(self, result) : result;
}

// Does not enter: what it touches beside the user's own memory is there.
int64_t weft_table_lookup_u64(struct weft_actor *self, weft_table table, uint64_t number,
                              void *value, size_t limit)
{
    const struct weft_tables *tables = self->system->node->tables;
    uint64_t found;
    if (unlikely(tables == NULL || limit < sizeof(found))) goto slowly;
    const struct weft_table_body *body = weft_table_at(tables, table);
    if (unlikely(body->readable_id != table)) goto slowly;
    const struct weft_rows *rows = weft_table_rows(body);
    if (unlikely(body->kind == WEFT_TABLE_ORDERED)) {
        if (!weft_tree_look_fast(rows, number, &found)) goto slowly;
    } else if (unlikely(!look_fast(weft_hash_of(rows), weft_key_hash_word(number, body->seed),
                                   number, KIND_INLINE + sizeof(found), &found))) {
        goto slowly;
    }
    memcpy(value, &found, sizeof(found));
    return done_fast(self, sizeof(found));
slowly:
    return lookup_u64_slowly(self, table, number, value, limit);
}

// ---- Many at a time.

struct batch {
    const uint64_t *keys;
    size_t count;
    uint8_t *values;
    size_t value_bytes;
    int64_t *lengths;
};

// How many of up to BATCH keys are there; WEFT_TABLE_BUSY cannot be told from one: *busy.
static unsigned look_up_batch(const struct weft_rows *rows, const struct batch *batch, bool *busy)
{
    unsigned found = 0;
    for (size_t i = 0; i < batch->count && !rows->is_tree; i++)
        weft_hash_prefetch(rows, batch->keys[i]);
    for (size_t i = 0; i < batch->count; i++) {
        struct weft_seen seen;
        int64_t result = find_u64(rows, batch->keys[i], &seen);
        if (unlikely(result == WEFT_TABLE_BUSY)) {
            *busy = true;
            return 0;
        }
        if (result == 0) {
            found++;
            result = weft_seen_copy_value(&seen, batch->values + i * batch->value_bytes,
                                          batch->value_bytes);
        }
        if (batch->lengths != NULL) batch->lengths[i] = result;
    }
    return found;
}

int64_t weft_table_lookup_many(struct weft_actor *self, weft_table table, const uint64_t *keys,
                               size_t count, void *values, size_t value_bytes, int64_t *lengths)
{
    int64_t found = 0;
    for (size_t at = 0; at < count;) {
        struct weft_table_body *body;
        enter(self);
        const struct batch batch = {.keys = keys + at,
                                    .count = count - at < BATCH ? count - at : BATCH,
                                    .values = (uint8_t *)values + at * value_bytes,
                                    .value_bytes = value_bytes,
                                    .lengths = lengths != NULL ? lengths + at : NULL};
        const int result = weft_table_open(self, table, NEED_READ, &body);
        bool busy = false;
        if (result == 0) found += look_up_batch(weft_table_rows(body), &batch, &busy);
        if (busy)
            weft_table_op_back_off(self, 63);
        else
            at += batch.count;
        weft_table_op_done(self, busy ? 0 : (uint32_t)batch.count);
        if (result != 0) return result;
    }
    return found;
}

// ---- Integer keys and values of 8 bytes: into public tables in as few steps as it takes.

static __attribute__((noinline)) int grow_fast(struct weft_actor *self,
                                               const struct weft_table_body *body)
{
    enter(self);
    struct weft_op op = weft_table_op_of(self->system, body);
    weft_hash_grow(&op);
    weft_table_op_done(self, 1);
    return 0;
}

// 1: the row is in its place; 2: and it is time to grow; 0: do it thoroughly.
always_inline unsigned put_u64(struct weft_actor *self, const struct weft_table_body *body,
                               uint64_t number, const void *value)
{
    struct weft_rows *rows = weft_table_rows(body);
    struct weft_table_stripe *stripe = weft_rows_stripe(rows, self->system);
    uint64_t word;
    memcpy(&word, value, sizeof(word));
    if (unlikely(!put_fast(weft_hash_of(rows), stripe, weft_key_hash_word(number, body->seed),
                           number, word, KIND_INLINE + sizeof(word))))
        return 0;
    return 1 + is_time_to_grow(stripe);
}

// An owner's table may be as fast, but for the question whose it is.
static __attribute__((noinline)) int insert_u64_slowly(struct weft_actor *self, weft_table table,
                                                       uint64_t number, const void *value,
                                                       size_t value_length)
{
    struct weft_table_body *body;
    if (value_length == 8 && weft_table_open(self, table, NEED_WRITE, &body) == 0 &&
        body->kind != WEFT_TABLE_ORDERED) {
        const unsigned done = put_u64(self, body, number, value);
        if (done != 0) return done == 2 ? grow_fast(self, body) : (int)done_fast(self, 0);
    }
    enter(self);
    struct weft_key key = weft_key_of_u64(number);
    const int result = put(self, table, &key, value, value_length, false);
    weft_table_op_done(self, 1);
    return result;
}

int weft_table_insert_u64(struct weft_actor *self, weft_table table, uint64_t number,
                          const void *value, size_t value_length)
{
    const struct weft_tables *tables = self->system->node->tables;
    if (unlikely(tables == NULL || value_length != sizeof(uint64_t))) goto slowly;
    const struct weft_table_body *body = weft_table_at(tables, table);
    if (unlikely(body->writable_id != table)) goto slowly;
    const unsigned done = put_u64(self, body, number, value);
    if (unlikely(done == 0)) goto slowly;
    return unlikely(done == 2) ? grow_fast(self, body) : (int)done_fast(self, 0);
slowly:
    return insert_u64_slowly(self, table, number, value, value_length);
}

// ---- Deleting.

int weft_table_remove_one(struct weft_actor *self, weft_table table, struct weft_key *key,
                          const struct weft_which *which, struct weft_seen *removed)
{
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        int result = weft_table_open(self, table, NEED_WRITE, &body);
        if (result != 0) return result;
        struct weft_op op = weft_table_op_of(self->system, body);
        weft_key_bind(key, body);
        result = op.rows->is_tree ? weft_tree_remove(&op, key, which, removed)
                                  : weft_hash_remove(&op, key, which, removed);
        if (result != WEFT_TABLE_BUSY) return result;
        weft_table_op_back_off(self, tries);
    }
}

static int remove_all(struct weft_actor *self, weft_table table, struct weft_key *key)
{
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        int result = weft_table_open(self, table, NEED_WRITE, &body);
        if (result != 0) return result;
        struct weft_op op = weft_table_op_of(self->system, body);
        weft_key_bind(key, body);
        if (op.rows->is_tree)
            result = weft_tree_remove(&op, key, NULL, NULL);
        else if (op.rows->is_bag)
            result = weft_hash_remove_all(&op, key);
        else
            result = weft_hash_remove(&op, key, NULL, NULL);
        if (result != WEFT_TABLE_BUSY) return result;
        weft_table_op_back_off(self, tries);
    }
}

int weft_table_delete(struct weft_actor *self, weft_table table, const void *bytes,
                      size_t key_length)
{
    enter(self);
    struct weft_key key;
    const int result =
        weft_key_of_bytes(&key, bytes, key_length) ? remove_all(self, table, &key) : -EINVAL;
    weft_table_op_done(self, 1);
    return result;
}

int weft_table_delete_u64(struct weft_actor *self, weft_table table, uint64_t number)
{
    enter(self);
    struct weft_key key = weft_key_of_u64(number);
    const int result = remove_all(self, table, &key);
    weft_table_op_done(self, 1);
    return result;
}

int weft_table_delete_value(struct weft_actor *self, weft_table table, const void *bytes,
                            size_t key_length, const void *value, size_t value_length)
{
    enter(self);
    struct weft_key key;
    const struct weft_which which = {.value = value, .length = value_length, .has_value = true};
    const int result = weft_key_of_bytes(&key, bytes, key_length)
                           ? weft_table_remove_one(self, table, &key, &which, NULL)
                           : -EINVAL;
    weft_table_op_done(self, 1);
    return result;
}

int64_t weft_table_take(struct weft_actor *self, weft_table table, const void *bytes,
                        size_t key_length, void *value, size_t limit)
{
    enter(self);
    struct weft_key key;
    struct weft_seen seen;
    int64_t result = weft_key_of_bytes(&key, bytes, key_length)
                         ? weft_table_remove_one(self, table, &key, NULL, &seen)
                         : -EINVAL;
    // Its block is in limbo: it can be read until the turn is over.
    if (result == 0) result = weft_seen_copy_value(&seen, value, limit);
    weft_table_op_done(self, 1);
    return result;
}

int weft_table_delete_all(struct weft_actor *self, weft_table table)
{
    struct weft_actor_system *system = enter(self);
    struct weft_table_body *body;
    int result = weft_table_open(self, table, NEED_WRITE, &body);
    if (result == 0) {
        struct weft_op op = weft_table_op_of(system, body);
        result = weft_table_rows_new(&op, body, 0);
        // Whoever has found the old rows goes on with them: that was before. Release: pairs with
        // the acquire load in weft_table_rows.
        if (result == 0)
            weft_rows_retire(op.core,
                             atomic_exchange_explicit(&body->rows, op.rows, memory_order_acq_rel));
    }
    leave(self);
    return result;
}

// ---- Changing.

static int add_once(struct weft_op *op, const struct weft_key *key, int64_t add,
                    const int64_t *initial, int64_t *value)
{
    const int result =
        op->rows->is_tree ? weft_tree_add(op, key, add, value) : weft_hash_add(op, key, add, value);
    if (likely(result != -ENOENT) || initial == NULL) return result;
    *value = (int64_t)((uint64_t)*initial + (uint64_t)add);
    const int inserted = put_once(op, key, value, sizeof(*value), WEFT_PUT_NEW);
    return inserted == -EEXIST ? WEFT_TABLE_BUSY : inserted; // Somebody was faster: add to that.
}

always_inline int add_to(struct weft_actor *self, weft_table table, struct weft_key *key,
                         int64_t add, const int64_t *initial, int64_t *value)
{
    int64_t sum;
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        int result = weft_table_open(self, table, NEED_WRITE, &body);
        if (unlikely(result != 0)) return result;
        if (unlikely(body->kind == WEFT_TABLE_BAG)) return -ENOTSUP;
        struct weft_op op = weft_table_op_of(self->system, body);
        weft_key_bind(key, body);
        result = add_once(&op, key, add, initial, &sum);
        if (likely(result == 0) && value != NULL) *value = sum;
        if (likely(result != WEFT_TABLE_BUSY)) return result;
        weft_table_op_back_off(self, tries);
    }
}

int weft_table_update_counter(struct weft_actor *self, weft_table table, const void *bytes,
                              size_t key_length, int64_t add, const int64_t *initial,
                              int64_t *value)
{
    enter(self);
    struct weft_key key;
    const int result = weft_key_of_bytes(&key, bytes, key_length)
                           ? add_to(self, table, &key, add, initial, value)
                           : -EINVAL;
    weft_table_op_done(self, 1);
    return result;
}

static __attribute__((noinline)) int update_counter_u64_slowly(struct weft_actor *self,
                                                               weft_table table, uint64_t number,
                                                               int64_t add, const int64_t *initial,
                                                               int64_t *value)
{
    enter(self);
    struct weft_key key = weft_key_of_u64(number);
    const int result = add_to(self, table, &key, add, initial, value);
    weft_table_op_done(self, 1);
    return result;
}

int weft_table_update_counter_u64(struct weft_actor *self, weft_table table, uint64_t number,
                                  int64_t add, const int64_t *initial, int64_t *value)
{
    const struct weft_tables *tables = self->system->node->tables;
    uint64_t sum;
    if (unlikely(tables == NULL)) goto slowly;
    const struct weft_table_body *body = weft_table_at(tables, table);
    if (unlikely(body->writable_id != table || body->kind != WEFT_TABLE_SET)) goto slowly;
    if (unlikely(!add_fast(weft_hash_of(weft_table_rows(body)),
                           weft_key_hash_word(number, body->seed), number, (uint64_t)add, &sum)))
        goto slowly;
    if (value != NULL) *value = (int64_t)sum;
    return (int)done_fast(self, 0);
slowly:
    return update_counter_u64_slowly(self, table, number, add, initial, value);
}

// A copy of what was seen, for `change`. 0 or a negative errno.
static int copy_cell(struct weft_op *op, const struct weft_key *key, const struct weft_seen *seen,
                     struct weft_cell *cell)
{
    const size_t length = weft_seen_value_length(seen);
    const void *value =
        seen->row != NULL && length != 8 ? (const void *)weft_row_value(seen->row) : &seen->value;
    return weft_cell_make(op, key, value, length, cell);
}

struct change {
    weft_table_change *change;
    void *argument;
};

// The row changed once, from what it is now. `change` is the user's own code: it runs outside.
static int change_once(struct weft_actor *self, struct weft_op *op, const struct weft_key *key,
                       const struct change *change)
{
    struct weft_seen seen;
    struct weft_cell cell;
    int result = op->rows->is_tree ? weft_tree_find(op->rows, key, &seen)
                                   : weft_hash_find(op->rows, key, &seen);
    if (result == 0) result = copy_cell(op, key, &seen, &cell);
    if (result != 0) return result;
    void *value = cell.row != NULL ? (void *)weft_row_value(cell.row) : &cell.value;
    leave(self);
    result = change->change(value, weft_seen_value_length(&seen), change->argument);
    enter(self);
    const struct weft_which which = {.same = &seen};
    if (result == 0) {
        result = op->rows->is_tree ? weft_tree_put(op, key, &cell, WEFT_PUT_SAME, &which)
                                   : weft_hash_put(op, key, &cell, WEFT_PUT_SAME, &which);
        if (result == -ENOENT) result = WEFT_TABLE_BUSY; // It has changed: again.
    }
    if (result != 0) weft_cell_discard(op, &cell);
    return result;
}

int weft_table_update(struct weft_actor *self, weft_table table, const void *bytes,
                      size_t key_length, weft_table_change *change, void *argument)
{
    enter(self);
    struct weft_key key;
    const struct change what = {change, argument};
    int result = weft_key_of_bytes(&key, bytes, key_length) ? 0 : -EINVAL;
    for (unsigned tries = 0; result == 0; tries++) {
        struct weft_table_body *body;
        result = weft_table_open(self, table, NEED_WRITE, &body);
        if (result == 0 && body->kind == WEFT_TABLE_BAG) result = -ENOTSUP;
        if (result != 0) break;
        struct weft_op op = weft_table_op_of(self->system, body);
        weft_key_bind(&key, body);
        result = change_once(self, &op, &key, &what);
        if (result != WEFT_TABLE_BUSY) break;
        result = 0;
        weft_table_op_back_off(self, tries);
    }
    weft_table_op_done(self, 1);
    return result;
}
