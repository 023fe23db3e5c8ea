// scan.c: many rows: in steps that a cursor remembers, with the user's own function looking at
// each.
//
// Rows are fetched a few at a time, as they were at one moment. Their blocks can be read until the
// turn is over; so if that function has waited meanwhile, those behind it are fetched again.
#include "runtime/table/op.h"

#define EACH_ROWS 256 // Rows between two looks at whether the slice is spent.
#define FEW       16  // Rows with one key that need no memory.

enum state { BEGIN, GOES_ON, END };

struct run {
    weft_table table;
    const struct weft_table_match *match;
    uint64_t left; // Rows that may still be looked at.
    int64_t matched, deleted;
    bool is_stopped;
};

static bool has_prefix(const struct weft_table_match *match, const uint8_t *key, size_t length)
{
    return match->prefix_length == 0 || (length >= match->prefix_length &&
                                         memcmp(key, match->prefix, match->prefix_length) == 0);
}

// The key of a row; of a short one the bytes are written to `buffer`.
static struct weft_key key_of(const struct weft_seen *seen, uint8_t buffer[WEFT_TABLE_KEY_MAX])
{
    const uint32_t length = seen->row != NULL ? seen->row->key_length : seen->key_length;
    if (length <= WEFT_KEY_SHORT)
        weft_key_prefix_put(seen->prefix, buffer);
    else
        memcpy(buffer, seen->row->payload, length);
    return (struct weft_key){.prefix = seen->prefix, .bytes = buffer, .length = length};
}

static const void *value_of(const struct weft_seen *seen)
{
    return seen->row != NULL && seen->row->value_length != 8 ? (void *)weft_row_value(seen->row)
                                                             : (const void *)&seen->value;
}

static enum weft_table_verdict ask(struct weft_actor *self, const struct run *run,
                                   const struct weft_key *key, const struct weft_seen *seen)
{
    const struct weft_table_row row = {.key = key->bytes,
                                       .key_length = key->length,
                                       .value = value_of(seen),
                                       .value_length = weft_seen_value_length(seen)};
    if (run->match->see == NULL) return WEFT_TABLE_DELETE;
    leave(self);
    const enum weft_table_verdict verdict = run->match->see(self, &row, run->match->argument);
    enter(self);
    return verdict;
}

// Deletes the row if it is as it was seen. 1: it is deleted; 0: it is not; a negative errno.
static int delete_seen(struct weft_actor *self, weft_table table, struct weft_key *key,
                       const struct weft_seen *seen)
{
    const struct weft_which which = {.same = seen};
    const int result = weft_table_remove_one(self, table, key, &which, NULL);
    return result == 0 ? 1 : result == -ENOENT ? 0 : result;
}

// One row. 0; 1: nothing behind it fits either; a negative errno.
static int look_at(struct weft_actor *self, struct run *run, bool is_sorted,
                   const struct weft_seen *seen, struct weft_table_cursor *cursor)
{
    struct weft_key key = key_of(seen, cursor->key);
    cursor->key_length = (uint16_t)key.length;
    cursor->state = GOES_ON;
    cursor->skip++;
    run->left--;
    if (!has_prefix(run->match, key.bytes, key.length)) return is_sorted;
    run->matched++;
    const enum weft_table_verdict verdict = ask(self, run, &key, seen);
    run->is_stopped = verdict == WEFT_TABLE_STOP;
    if (verdict != WEFT_TABLE_DELETE) return 0;
    const int deleted = delete_seen(self, run->table, &key, seen);
    if (deleted <= 0) return deleted;
    run->deleted++;
    cursor->skip--; // Those with its place have moved up.
    return 0;
}

// Where the core stands: another answer means that the actor has waited meanwhile.
static uint64_t moment(const struct weft_actor *self)
{
    const struct weft_core *core = self->system->core;
    return weft_counter_get(&core->stats.turn_count) << 8 ^ core->index;
}

static int fetch(const struct weft_rows *rows, const struct run *run,
                 const struct weft_table_cursor *cursor, struct weft_scanned *scanned)
{
    struct weft_key key;
    if (!rows->is_tree) return weft_hash_scan(rows, cursor, scanned);
    if (cursor->state == GOES_ON) {
        weft_key_of_bytes(&key, cursor->key, cursor->key_length);
        return weft_tree_scan(rows, &key, false, scanned);
    }
    if (run->match->prefix_length == 0) return weft_tree_scan(rows, NULL, true, scanned);
    weft_key_of_bytes(&key, run->match->prefix, run->match->prefix_length);
    return weft_tree_scan(rows, &key, true, scanned);
}

// The rows that were fetched. 0, or a negative errno.
static int look_at_all(struct weft_actor *self, struct run *run, bool is_tree,
                       const struct weft_scanned *scanned, struct weft_table_cursor *cursor)
{
    const uint64_t before = moment(self);
    for (unsigned i = 0; i < scanned->count; i++) {
        if (run->left == 0) return 0;
        if (!is_tree && scanned->rows[i].place != cursor->position) {
            cursor->position = scanned->rows[i].place;
            cursor->skip = 0;
        }
        const int result = look_at(self, run, is_tree, &scanned->rows[i].seen, cursor);
        if (result < 0) return result;
        if (result > 0) {
            cursor->state = END;
            return 0;
        }
        if (run->is_stopped || moment(self) != before) return 0;
    }
    if (scanned->is_end) cursor->state = END;
    if (!is_tree && !scanned->is_part) {
        cursor->position = scanned->next;
        cursor->skip = 0;
    }
    return 0;
}

// One more fetch. 1: there is more; 0: that was all; a negative errno.
static int step(struct weft_actor *self, struct run *run, struct weft_table_cursor *cursor)
{
    struct weft_scanned scanned;
    const bool deletes = run->match->see == NULL;
    bool is_tree = false;
    int result;
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        result = weft_table_open(self, run->table, deletes ? NEED_WRITE : NEED_READ, &body);
        if (result != 0) return result;
        const struct weft_rows *rows = weft_table_rows(body);
        is_tree = rows->is_tree;
        result = fetch(rows, run, cursor, &scanned);
        if (result != WEFT_TABLE_BUSY) break;
        weft_table_op_back_off(self, tries);
    }
    if (scanned.count == 0 && run->left > 0) run->left--; // An empty bucket is work, too.
    result = look_at_all(self, run, is_tree, &scanned, cursor);
    if (result != 0) return result;
    return cursor->state != END || run->is_stopped;
}

// Up to run->left rows. As weft_table_scan.
static int run_on(struct weft_actor *self, struct run *run, struct weft_table_cursor *cursor)
{
    if (run->match->prefix_length > WEFT_TABLE_KEY_MAX) return -EINVAL;
    if (cursor->state == END) return 0;
    while (run->left > 0 && !run->is_stopped) {
        const uint64_t before = run->left;
        enter(self);
        const int result = step(self, run, cursor);
        weft_table_op_done(self, (uint32_t)(before - run->left));
        if (result <= 0) return result;
    }
    return 1;
}

int weft_table_scan(struct weft_actor *self, weft_table table, const struct weft_table_match *match,
                    uint64_t row_limit, struct weft_table_cursor *cursor)
{
    struct run run = {.table = table, .match = match, .left = row_limit};
    return run_on(self, &run, cursor);
}

static int run_through(struct weft_actor *self, struct run *run)
{
    struct weft_table_cursor cursor = {0};
    for (;;) {
        run->left = EACH_ROWS;
        const int result = run_on(self, run, &cursor);
        if (result <= 0 || run->is_stopped) return result < 0 ? result : 0;
        if (weft_is_spent(self)) weft_yield(self);
    }
}

int64_t weft_table_each(struct weft_actor *self, weft_table table,
                        const struct weft_table_match *match)
{
    struct run run = {.table = table, .match = match};
    const int result = run_through(self, &run);
    return result < 0 ? result : run.matched;
}

int64_t weft_table_select_delete(struct weft_actor *self, weft_table table,
                                 const struct weft_table_match *match)
{
    struct run run = {.table = table, .match = match};
    const int result = run_through(self, &run);
    return result < 0 ? result : run.deleted;
}

// ---- All rows with one key. Values in blocks are copied if there is more than one: the user's
// function may wait at the first.

static int find_all(struct weft_actor *self, weft_table table, struct weft_key *key,
                    struct weft_seen *seen, unsigned limit, unsigned *count)
{
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        int result = weft_table_open(self, table, NEED_READ, &body);
        if (result != 0) return result;
        const struct weft_rows *rows = weft_table_rows(body);
        weft_key_bind(key, body);
        *count = 1;
        if (rows->is_tree)
            result = weft_tree_find(rows, key, seen);
        else
            result = weft_hash_find_all(rows, key, seen, limit, count);
        if (result != WEFT_TABLE_BUSY) return result;
        weft_table_op_back_off(self, tries);
    }
}

// The rows that were seen, copied into memory of the actor's: behind each other, then their values.
// NULL: no memory.
static struct weft_table_row *hold(struct weft_actor *self, const struct weft_key *key,
                                   const struct weft_seen *seen, unsigned count)
{
    size_t bytes = count * sizeof(struct weft_table_row);
    for (unsigned i = 0; i < count; i++)
        bytes += weft_seen_value_length(&seen[i]);
    struct weft_table_row *rows = weft_alloc(self, bytes);
    if (rows == NULL) return NULL;
    uint8_t *value = (uint8_t *)(rows + count);
    for (unsigned i = 0; i < count; i++) {
        const size_t length = weft_seen_value_length(&seen[i]);
        rows[i] = (struct weft_table_row){
            .key = key->bytes, .key_length = key->length, .value = value, .value_length = length};
        if (length > 0) memcpy(value, value_of(&seen[i]), length);
        value += length;
    }
    return rows;
}

// As hold, of the rows with `key` now. 0 and the rows, NULL if there are none; a negative errno.
static int hold_all(struct weft_actor *self, weft_table table, struct weft_key *key,
                    struct weft_table_row **rows, unsigned *count)
{
    struct weft_seen few[FEW], *seen = few;
    int result = find_all(self, table, key, seen, FEW, count);
    for (unsigned limit = FEW; result == 0 && *count > limit;) {
        weft_free(self, seen != few ? seen : NULL);
        limit = *count;
        seen = weft_alloc(self, limit * sizeof(*seen));
        if (seen == NULL) return -ENOMEM;
        result = find_all(self, table, key, seen, limit, count);
    }
    *rows = NULL;
    if (result == 0) {
        *rows = hold(self, key, seen, *count);
        if (*rows == NULL) result = -ENOMEM;
    }
    if (seen != few) weft_free(self, seen);
    if (result != -ENOENT) return result;
    *count = 0;
    return 0;
}

int64_t weft_table_lookup_each(struct weft_actor *self, weft_table table, const void *bytes,
                               size_t key_length,
                               enum weft_table_verdict (*see)(struct weft_actor *self,
                                                              const struct weft_table_row *row,
                                                              void *argument),
                               void *argument)
{
    struct weft_key key;
    struct weft_table_row *rows;
    unsigned count;
    if (!weft_key_of_bytes(&key, bytes, key_length)) return -EINVAL;
    const int result = hold_all(self, table, &key, &rows, &count);
    if (result != 0) return result;
    for (unsigned i = 0; i < count; i++) {
        const enum weft_table_verdict verdict = see(self, &rows[i], argument);
        if (verdict == WEFT_TABLE_STOP) break;
        if (verdict == WEFT_TABLE_DELETE)
            weft_table_delete_value(self, table, bytes, key_length, rows[i].value,
                                    rows[i].value_length);
    }
    weft_free(self, rows);
    return count;
}

// ---- Order.

struct ordered {
    const struct weft_key *from; // NULL: from the end.
    bool is_back;
};

static int64_t neighbour(struct weft_actor *self, weft_table table, const struct ordered *ordered,
                         void *found, size_t limit)
{
    for (unsigned tries = 0;; tries++) {
        struct weft_table_body *body;
        struct weft_seen seen;
        int result = weft_table_open(self, table, NEED_READ, &body);
        if (result != 0) return result;
        if (body->kind != WEFT_TABLE_ORDERED) return -ENOTSUP;
        const struct weft_rows *rows = weft_table_rows(body);
        if (ordered->is_back)
            result = weft_tree_before(rows, ordered->from, &seen);
        else
            result = weft_tree_after(rows, ordered->from, &seen);
        if (result == 0) {
            uint8_t buffer[WEFT_TABLE_KEY_MAX];
            const struct weft_key key = key_of(&seen, buffer);
            const size_t part = key.length < limit ? key.length : limit;
            if (part > 0) memcpy(found, buffer, part);
            return key.length;
        }
        if (result != WEFT_TABLE_BUSY) return result;
        weft_table_op_back_off(self, tries);
    }
}

static int64_t end_of(struct weft_actor *self, weft_table table, bool is_back, void *found,
                      size_t limit)
{
    const struct ordered ordered = {.is_back = is_back};
    enter(self);
    const int64_t result = neighbour(self, table, &ordered, found, limit);
    weft_table_op_done(self, 1);
    return result;
}

static int64_t step_from(struct weft_actor *self, weft_table table, const void *bytes,
                         size_t key_length, bool is_back, void *found, size_t limit)
{
    struct weft_key key;
    const struct ordered ordered = {.from = &key, .is_back = is_back};
    enter(self);
    const int64_t result = weft_key_of_bytes(&key, bytes, key_length)
                               ? neighbour(self, table, &ordered, found, limit)
                               : -EINVAL;
    weft_table_op_done(self, 1);
    return result;
}

int64_t weft_table_first(struct weft_actor *self, weft_table table, void *found, size_t limit)
{
    return end_of(self, table, false, found, limit);
}

int64_t weft_table_last(struct weft_actor *self, weft_table table, void *found, size_t limit)
{
    return end_of(self, table, true, found, limit);
}

int64_t weft_table_next(struct weft_actor *self, weft_table table, const void *key,
                        size_t key_length, void *found, size_t limit)
{
    return step_from(self, table, key, key_length, false, found, limit);
}

int64_t weft_table_prev(struct weft_actor *self, weft_table table, const void *key,
                        size_t key_length, void *found, size_t limit)
{
    return step_from(self, table, key, key_length, true, found, limit);
}
