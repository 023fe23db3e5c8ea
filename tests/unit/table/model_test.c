// Property: a table of any kind does what a simple list of keys would, whichever of several cores
// does what to it, while it grows and shrinks. And the law of scans: a row that is there all the
// time is seen exactly once, whatever happens to the others meanwhile.
#include "tests/unit/table/rig.h"

#include "runtime/base/prng.h"

#define CORES      3
#define KEYS_MAX   4000
#define VALUES_MAX 8 // Of one key of a bag.

struct value {
    uint32_t length, seed; // Its bytes follow from the seed.
};

struct key {
    uint8_t bytes[WEFT_TABLE_KEY_MAX];
    size_t length;
    struct value values[VALUES_MAX]; // What the model says: in order of their coming.
    unsigned count;
    // Of the scan under way.
    unsigned seen;
    bool is_stable; // Nobody has touched it since the scan began.
};

static struct {
    struct weft_prng prng;
    unsigned seed;
    uint8_t kind;
    weft_table table;
    struct key keys[KEYS_MAX];
    uint32_t sorted[KEYS_MAX]; // Numbers of keys, in the order of an ordered set.
    uint32_t key_count, rows;
    uint32_t inserts; // Of ten operations.
    struct weft_table_cursor cursor;
    bool has_number; // Keys are integers.
} world;

#define LAW(condition)                                                                             \
    do {                                                                                           \
        if (!(condition)) fail_msg("seed %u, kind %u: %s", world.seed, world.kind, #condition);    \
    } while (0)

static uint32_t below(uint32_t limit)
{
    return weft_prng_below(&world.prng, limit);
}

static int compare(const struct key *a, const struct key *b)
{
    const int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : a->length < b->length ? -1 : a->length > b->length;
}

static int compare_sorted(const void *a, const void *b)
{
    return compare(&world.keys[*(const uint32_t *)a], &world.keys[*(const uint32_t *)b]);
}

// Keys of many lengths, with much in common; or integers.
static void make_key(struct key *key, uint32_t number)
{
    memset(key, 0, sizeof(*key));
    if (world.has_number) {
        const uint64_t scattered = (uint64_t)number * 2654435761u & 0xffffffff;
        for (unsigned i = 0; i < 8; i++)
            key->bytes[i] = (uint8_t)(scattered >> (56 - 8 * i));
        key->length = 8;
        return;
    }
    static const char *const prefixes[] = {"", "a", "user:", "session/", "a rather long prefix: "};
    const char *prefix = prefixes[below(WEFT_COUNT_OF(prefixes))];
    key->length = strlen(prefix);
    memcpy(key->bytes, prefix, key->length);
    for (uint32_t rest = number; rest > 0 || key->length == 0; rest /= 5)
        key->bytes[key->length++] = (uint8_t)(rest % 5 == 4 ? 0 : 'a' + rest % 5);
    key->bytes[key->length++] = (uint8_t)('z' - number % 3);
    if (number % 50 == 0) {
        const size_t more = below((uint32_t)(WEFT_TABLE_KEY_MAX - key->length));
        memset(key->bytes + key->length, '.', more);
        key->length += more;
    }
}

static void make_keys(uint32_t count)
{
    world.key_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct key *key = &world.keys[world.key_count];
        make_key(key, i);
        bool is_new = true;
        for (uint32_t n = 0; n < world.key_count && is_new && !world.has_number; n++)
            is_new = compare(&world.keys[n], key) != 0;
        if (is_new) {
            world.sorted[world.key_count] = world.key_count;
            world.key_count++;
        }
    }
    qsort(world.sorted, world.key_count, sizeof(world.sorted[0]), compare_sorted);
}

static const uint8_t *bytes_of(const struct value *value)
{
    static uint8_t bytes[1024];
    for (uint32_t i = 0; i < value->length; i++)
        bytes[i] = (uint8_t)(value->seed * 31 + i * 7);
    return bytes;
}

static struct value make_value(void)
{
    static const uint32_t lengths[] = {0, 1, 4, 8, 8, 8, 8, 9, 16, 40, 500, 1000};
    return (struct value){lengths[below(WEFT_COUNT_OF(lengths))], below(200)};
}

static bool same_value(const struct value *a, const struct value *b)
{
    return a->length == b->length &&
           (a->length == 0 || (a->seed * 31 & 0xff) == (b->seed * 31 & 0xff));
}

// ---- One operation, on the table and on the model.

static void do_insert(struct weft_actor *self, struct key *key)
{
    struct value value = make_value();
    const bool only_new = below(8) == 0;
    const int result = only_new ? weft_table_insert_new(self, world.table, key->bytes, key->length,
                                                        bytes_of(&value), value.length)
                                : weft_table_insert(self, world.table, key->bytes, key->length,
                                                    bytes_of(&value), value.length);
    if (only_new && key->count > 0) {
        LAW(result == -EEXIST);
        return;
    }
    LAW(result == 0);
    if (world.kind == WEFT_TABLE_BAG) {
        for (unsigned i = 0; i < key->count; i++) {
            if (same_value(&key->values[i], &value)) return;
        }
        key->is_stable = false;
    } else if (key->count == 1) {
        key->values[0] = value; // A row that is replaced is still there.
        return;
    }
    key->values[key->count++] = value;
    world.rows++;
}

static void do_delete(struct weft_actor *self, struct key *key)
{
    const int result = weft_table_delete(self, world.table, key->bytes, key->length);
    LAW(result == (key->count > 0 ? 0 : -ENOENT));
    world.rows -= key->count;
    key->count = 0;
    key->is_stable = false;
}

static void remove_value(struct key *key, unsigned i)
{
    memmove(&key->values[i], &key->values[i + 1], (key->count - i - 1) * sizeof(key->values[0]));
    key->count--;
    key->is_stable = false;
    world.rows--;
}

static void do_delete_value(struct weft_actor *self, struct key *key)
{
    const struct value wrong = {3, 1}; // No value has that length.
    LAW(weft_table_delete_value(self, world.table, key->bytes, key->length, bytes_of(&wrong),
                                wrong.length) == -ENOENT);
    if (key->count == 0) return;
    const unsigned i = below(key->count);
    LAW(weft_table_delete_value(self, world.table, key->bytes, key->length,
                                bytes_of(&key->values[i]), key->values[i].length) == 0);
    remove_value(key, i);
}

static void do_take(struct weft_actor *self, struct key *key)
{
    uint8_t taken[1024];
    const int64_t length =
        weft_table_take(self, world.table, key->bytes, key->length, taken, sizeof(taken));
    if (key->count == 0) {
        LAW(length == -ENOENT);
        return;
    }
    LAW(length == key->values[0].length);
    LAW(memcmp(taken, bytes_of(&key->values[0]), (size_t)length) == 0);
    remove_value(key, 0);
}

static void do_lookup(struct weft_actor *self, const struct key *key)
{
    uint8_t found[1024];
    const int64_t length =
        weft_table_lookup(self, world.table, key->bytes, key->length, found, sizeof(found));
    LAW(weft_table_member(self, world.table, key->bytes, key->length) == (key->count > 0));
    if (key->count == 0) {
        LAW(length == -ENOENT);
        return;
    }
    LAW(length == key->values[0].length);
    LAW(memcmp(found, bytes_of(&key->values[0]), (size_t)length) == 0);
}

static int bump(void *value, size_t length, void *argument)
{
    uint8_t *bytes = value;
    (void)argument;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(bytes[i] + 31);
    return 0;
}

static void do_update(struct weft_actor *self, struct key *key)
{
    const int result = weft_table_update(self, world.table, key->bytes, key->length, bump, NULL);
    if (world.kind == WEFT_TABLE_BAG) {
        LAW(result == -ENOTSUP);
        return;
    }
    LAW(result == (key->count > 0 ? 0 : -ENOENT));
    key->values[0].seed++;
}

// ---- What is there.

static struct key *key_of(const struct weft_table_row *row)
{
    struct key wanted = {.length = row->key_length};
    memcpy(wanted.bytes, row->key, row->key_length);
    uint32_t low = 0, high = world.key_count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        const int order = compare(&world.keys[world.sorted[middle]], &wanted);
        if (order == 0) return &world.keys[world.sorted[middle]];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool has_value(const struct key *key, const struct weft_table_row *row)
{
    for (unsigned i = 0; i < key->count; i++) {
        if (key->values[i].length == row->value_length &&
            memcmp(bytes_of(&key->values[i]), row->value, row->value_length) == 0)
            return true;
    }
    return false;
}

static enum weft_table_verdict see(struct weft_actor *self, const struct weft_table_row *row,
                                   void *argument)
{
    struct key *key = key_of(row);
    (void)self, (void)argument;
    LAW(key != NULL && has_value(key, row)); // Nothing that is not there.
    key->seen++;
    return WEFT_TABLE_CONTINUE;
}

static void begin_scan(void)
{
    memset(&world.cursor, 0, sizeof(world.cursor));
    for (uint32_t i = 0; i < world.key_count; i++) {
        world.keys[i].seen = 0;
        world.keys[i].is_stable = world.keys[i].count > 0;
    }
}

// A scan in small steps, between other operations; when it is through, the law.
static void scan_on(struct weft_actor *self)
{
    const struct weft_table_match match = {.see = see};
    const int result = weft_table_scan(self, world.table, &match, 1 + below(20), &world.cursor);
    LAW(result >= 0);
    if (result > 0) return;
    for (uint32_t i = 0; i < world.key_count; i++) {
        const struct key *key = &world.keys[i];
        if (key->is_stable && key->seen != key->count)
            fail_msg("seed %u, kind %u: key %u of %u rows was seen %u times", world.seed,
                     world.kind, i, key->count, key->seen);
    }
    begin_scan();
}

static void check_all(struct weft_actor *self, void *argument)
{
    struct weft_table_info info;
    const struct weft_table_match match = {.see = see};
    (void)argument;
    LAW(weft_table_info(self, world.table, &info) == 0);
    LAW(info.row_count == world.rows);
    begin_scan();
    LAW(weft_table_each(self, world.table, &match) == world.rows);
    for (uint32_t i = 0; i < world.key_count; i++) {
        LAW(world.keys[i].seen == world.keys[i].count);
        do_lookup(self, &world.keys[i]);
    }
    begin_scan();
    if (world.kind != WEFT_TABLE_ORDERED) return;
    // Forwards and backwards.
    uint8_t key[WEFT_TABLE_KEY_MAX];
    int64_t length = weft_table_first(self, world.table, key, sizeof(key));
    for (uint32_t i = 0; i < world.key_count; i++) {
        const struct key *next = &world.keys[world.sorted[i]];
        if (next->count == 0) continue;
        LAW(length == (int64_t)next->length && memcmp(key, next->bytes, next->length) == 0);
        length = weft_table_next(self, world.table, key, (size_t)length, key, sizeof(key));
    }
    LAW(length == -ENOENT);
    length = weft_table_last(self, world.table, key, sizeof(key));
    for (uint32_t i = world.key_count; i-- > 0;) {
        const struct key *prev = &world.keys[world.sorted[i]];
        if (prev->count == 0) continue;
        LAW(length == (int64_t)prev->length && memcmp(key, prev->bytes, prev->length) == 0);
        length = weft_table_prev(self, world.table, key, (size_t)length, key, sizeof(key));
    }
    LAW(length == -ENOENT);
}

// ---- A run.

static void do_some(struct weft_actor *self, void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 40; i++) {
        struct key *key = &world.keys[below(world.key_count)];
        if (below(10) < world.inserts) {
            if (key->count < VALUES_MAX) do_insert(self, key);
        } else {
            switch (below(6)) {
            case 0: do_lookup(self, key); break;
            case 1: do_update(self, key); break;
            case 2: do_take(self, key); break;
            case 3: do_delete_value(self, key); break;
            default: do_delete(self, key); break;
            }
        }
    }
    scan_on(self);
}

static void create(struct weft_actor *self, void *argument)
{
    const struct weft_table_options options = {
        .kind = world.kind, .access = WEFT_TABLE_PUBLIC, .row_count_hint = world.seed % 3 * 1000};
    (void)argument;
    LAW(weft_table_new(self, &options, &world.table) == 0);
}

static void drop(struct weft_actor *self, void *argument)
{
    (void)argument;
    LAW(weft_table_drop(self, world.table) == 0);
}

static void run(unsigned seed, uint8_t kind)
{
    static struct rig rig;
    static const uint32_t sizes[] = {3, 40, 300, KEYS_MAX};
    world.seed = seed;
    world.kind = kind;
    world.rows = 0;
    weft_prng_seed(&world.prng, seed);
    world.has_number = seed % 2 == 0;
    make_keys(sizes[seed / 2 % WEFT_COUNT_OF(sizes)]);
    rig_open(&rig, CORES);
    size_t before[CORES];
    for (unsigned i = 0; i < CORES; i++)
        before[i] = weft_arena_used_bytes(rig.cores.arena[i]);
    rig_do(&rig, 0, create, NULL);
    begin_scan();
    for (unsigned phase = 0; phase < 4; phase++) {
        static const uint32_t inserts[] = {9, 5, 2, 6};
        world.inserts = inserts[phase];
        for (uint32_t i = 0; i < world.key_count / 8 + 10; i++)
            rig_do(&rig, below(CORES), do_some, NULL);
        rig_do(&rig, below(CORES), check_all, NULL);
    }
    rig_do(&rig, below(CORES), drop, NULL);
    rig_end(&rig, 0, rig.actor[0]); // Something hangs on the owner, if another has dropped it.
    // Everything has gone home; the slabs keep a chunk of each size.
    for (unsigned i = 0; i < CORES; i++) {
        for (unsigned class = 0; class < WEFT_MESSAGE_CLASSES; class ++)
            LAW(rig.cores.system[i].messages[class].used_count == 0);
        LAW(weft_list_empty(&rig.cores.system[i].large));
        LAW(weft_arena_used_bytes(rig.cores.arena[i]) <= before[i] + 4 * 33 * 1024);
    }
    rig_close(&rig);
}

static void a_table_is_a_list_of_rows(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 16; seed++) {
        for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++)
            run(seed, kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_a_list_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
