// table.h: rows that actors of all cores share: keys and values that outlive any one message.
//
// A table is a set (one value a key), an ordered set (and its keys are sorted), or a bag (several
// different values a key, in the order of their coming). Keys are 1 to 511 bytes, values 0 or more,
// both flat; keys are compared and sorted byte by byte, a key before all that begin with it. An
// integer key is the 8 bytes of a uint64_t, most significant first, so that it sorts as a number:
// the functions with _u64 take it as it is and avoid the general path.
//
// A table belongs to the actor that made it or was given it. When that actor ends its table goes to
// the heir, if there is one and it lives; else it is dropped.
//
// Each call on one row happens at one moment, whatever other cores do: nobody sees half of a value.
// Calls on many rows (scan, each, select_delete) do not: they see each row that is there all the
// time exactly once, others once or not at all.
//
// Where:  every function is for the actor that runs, `self`. Reading waits for nobody. A write that
//         meets another core's in the same few rows lets others run and tries again. Calls are
//         charged 10 reductions a row; a stackful actor whose slice is spent yields in them.
// Memory: of the arena of the core that inserts. What was deleted goes back when every core has
//         ended its turn.
// Errors: 0 or a negative errno. Of all functions: -EBADF: no such table (any more); -EACCES: its
//         access does not allow it; -ENOTSUP: this node has no tables, or not of this kind;
//         -EINVAL: no such key can be. Of those that insert: -ENOMEM: the arena is at its cap;
//         -ENOSPC: the table is at its memory_max. docs/tables.md says what each costs.
#ifndef WEFT_TABLE_H
#define WEFT_TABLE_H

#include <weft/types.h>

// Which: a number that names one table for ever. 0 names none.
typedef uint64_t weft_table;

#define WEFT_TABLE_KEY_MAX   511        // Bytes.
#define WEFT_TABLE_VALUE_MAX (1u << 30) // Bytes.
#define WEFT_TABLE_BAG_MAX   4096       // Values of one key of a bag.

enum weft_table_kind { WEFT_TABLE_SET, WEFT_TABLE_ORDERED, WEFT_TABLE_BAG };

enum weft_table_access {
    WEFT_TABLE_PROTECTED, // Its owner writes, all read.
    WEFT_TABLE_PUBLIC,    // All read and write.
    WEFT_TABLE_PRIVATE    // Its owner only.
};

// ---- Tables.

struct weft_table_options {
    const char *name;        // Found by it on every core; as of actors. NULL: by its number only.
    uint8_t kind;            // enum weft_table_kind; 0: SET.
    uint8_t access;          // enum weft_table_access; 0: PROTECTED.
    weft_pid heir;           // Whose it is when its owner has ended. 0: nobody's.
    uint64_t row_count_hint; // Begins with room for so many, up to 16 384; it grows by itself.
    size_t memory_max;       // Bytes, as weft_table_info counts them; 0: no limit.
};

// Makes a table, the caller's. 0 and *table; -EEXIST: the name is taken; -EINVAL; -ENOSPC: so many
// tables are there already; -ENOMEM.
int weft_table_new(struct weft_actor *self, const struct weft_table_options *options,
                   weft_table *table);
// Ends a table: its owner may, and everybody if it is public. Its memory goes back bit by bit.
int weft_table_drop(struct weft_actor *self, weft_table table);
// Gives the caller's table away, for good: `to` gets a message (below). If it has ended when that
// arrives, it is as if it had ended with the table. -ESRCH: it has ended; -ENOMEM.
int weft_table_give(struct weft_actor *self, weft_table table, weft_pid to);
// Names the heir of the caller's table; 0: none. -ENOMEM: it is as before.
int weft_table_set_heir(struct weft_actor *self, weft_table table, weft_pid heir);
weft_table weft_table_find(const struct weft_actor *self, const char *name); // 0: none.

// What a new owner gets: a message of tag SYSTEM, `type` WEFT_TABLE_GIVEN, with this payload, never
// lost.
enum { WEFT_TABLE_GIVEN = 2 };
struct weft_table_given {
    weft_table table;
    weft_pid from; // Its owner before.
};

struct weft_table_info {
    weft_table table;
    char name[64]; // "" if none.
    uint8_t kind, access;
    weft_pid owner, heir;
    uint64_t row_count;
    size_t bytes; // Rows and what finds them, with what is not in use yet.
    size_t memory_max;
};
int weft_table_info(struct weft_actor *self, weft_table table, struct weft_table_info *info);
// Up to `limit` tables into `tables`; how many there are.
size_t weft_table_list(struct weft_actor *self, weft_table *tables, size_t limit);

// ---- Rows.

// Inserts a row, in place of one with this key; into a bag: beside those, unless it is there.
// -ENOSPC: the bag has WEFT_TABLE_BAG_MAX values of this key.
int weft_table_insert(struct weft_actor *self, weft_table table, const void *key, size_t key_length,
                      const void *value, size_t value_length);
// The same if there is no row with this key; -EEXIST: there is.
int weft_table_insert_new(struct weft_actor *self, weft_table table, const void *key,
                          size_t key_length, const void *value, size_t value_length);
// Copies the value, as much of it as `limit`, to `value`. Its whole length; -ENOENT. Of a bag: the
// first.
int64_t weft_table_lookup(struct weft_actor *self, weft_table table, const void *key,
                          size_t key_length, void *value, size_t limit);
int weft_table_member(struct weft_actor *self, weft_table table, const void *key,
                      size_t key_length); // 1 or 0.
// Deletes the row, of a bag all rows with this key. -ENOENT: there was none.
int weft_table_delete(struct weft_actor *self, weft_table table, const void *key,
                      size_t key_length);
// Deletes a row only if it has this value. -ENOENT.
int weft_table_delete_value(struct weft_actor *self, weft_table table, const void *key,
                            size_t key_length, const void *value, size_t value_length);
// As weft_table_lookup, and deletes the row: of several that take it, one gets it. Of a bag: the
// first.
int64_t weft_table_take(struct weft_actor *self, weft_table table, const void *key,
                        size_t key_length, void *value, size_t limit);
int weft_table_delete_all(struct weft_actor *self, weft_table table);

// Adds to a value of 8 bytes, an int64_t; *value (may be NULL) is what it is then. It wraps. If
// there is no row: *initial + add is inserted; `initial` NULL: -ENOENT. -EINVAL: it is no such
// value; -ENOTSUP: a bag.
int weft_table_update_counter(struct weft_actor *self, weft_table table, const void *key,
                              size_t key_length, int64_t add, const int64_t *initial,
                              int64_t *value);

// Lets `change` change a copy of the value, which then takes its place. If another core was faster
// it is called again, with a new copy. It must not wait. What it returns if that is not 0: then
// nothing is changed. -ENOENT; -ENOTSUP: a bag.
typedef int weft_table_change(void *value, size_t length, void *argument);
int weft_table_update(struct weft_actor *self, weft_table table, const void *key, size_t key_length,
                      weft_table_change *change, void *argument);

// ---- Integer keys.

int weft_table_insert_u64(struct weft_actor *self, weft_table table, uint64_t key,
                          const void *value, size_t value_length);
int64_t weft_table_lookup_u64(struct weft_actor *self, weft_table table, uint64_t key, void *value,
                              size_t limit);
int weft_table_delete_u64(struct weft_actor *self, weft_table table, uint64_t key);
int weft_table_update_counter_u64(struct weft_actor *self, weft_table table, uint64_t key,
                                  int64_t add, const int64_t *initial, int64_t *value);
// Looks up `count` keys, sixteen at a time on their way from memory: value i goes to `values` + i *
// value_bytes, cut to value_bytes, and its length or -ENOENT to lengths[i] (may be NULL). How many
// were found.
int64_t weft_table_lookup_many(struct weft_actor *self, weft_table table, const uint64_t *keys,
                               size_t count, void *values, size_t value_bytes, int64_t *lengths);

// ---- Order. The key goes to `found`, WEFT_TABLE_KEY_MAX bytes are enough for any; its length is
// returned. -ENOENT: there is none; -ENOTSUP: the table is not ordered.

int64_t weft_table_first(struct weft_actor *self, weft_table table, void *found, size_t limit);
int64_t weft_table_last(struct weft_actor *self, weft_table table, void *found, size_t limit);
// The next key behind `key`, or before it; `key` need not be there.
int64_t weft_table_next(struct weft_actor *self, weft_table table, const void *key,
                        size_t key_length, void *found, size_t limit);
int64_t weft_table_prev(struct weft_actor *self, weft_table table, const void *key,
                        size_t key_length, void *found, size_t limit);

// ---- Many rows.

struct weft_table_row { // Valid until `see` returns or waits.
    const void *key, *value;
    size_t key_length, value_length;
};

enum weft_table_verdict {
    WEFT_TABLE_CONTINUE,
    WEFT_TABLE_DELETE, // This row, unless somebody has changed it meanwhile.
    WEFT_TABLE_STOP
};

// Which rows, and who looks at them.
struct weft_table_match {
    const void *prefix; // Of keys: an ordered set looks at these only. NULL: all.
    size_t prefix_length;
    // May use this table, too. NULL: all keys with the prefix are to be deleted.
    enum weft_table_verdict (*see)(struct weft_actor *self, const struct weft_table_row *row,
                                   void *argument);
    void *argument;
};

// Where a scan stands. Begins as all zeros. An ordered set is scanned in its order.
struct weft_table_cursor {
    uint64_t position; // The runtime's, like the rest.
    uint32_t skip;
    uint16_t key_length;
    uint8_t state;
    uint8_t key[WEFT_TABLE_KEY_MAX];
};

// Looks at up to `row_limit` rows from *cursor on, which says then where to go on: 1. 0: that was
// the last. After STOP it goes on behind the row that said it.
int weft_table_scan(struct weft_actor *self, weft_table table, const struct weft_table_match *match,
                    uint64_t row_limit, struct weft_table_cursor *cursor);
// Looks at all rows, giving the core back now and then. How many fit the prefix, until STOP.
int64_t weft_table_each(struct weft_actor *self, weft_table table,
                        const struct weft_table_match *match);
// The same. How many were deleted.
int64_t weft_table_select_delete(struct weft_actor *self, weft_table table,
                                 const struct weft_table_match *match);
// Looks at the rows with this key, as they were at one moment. How many there were. -ENOMEM: many,
// and no memory to copy them. DELETE deletes them.
int64_t weft_table_lookup_each(struct weft_actor *self, weft_table table, const void *key,
                               size_t key_length,
                               enum weft_table_verdict (*see)(struct weft_actor *self,
                                                              const struct weft_table_row *row,
                                                              void *argument),
                               void *argument);

#endif // WEFT_TABLE_H
