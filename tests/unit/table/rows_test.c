// One row of every kind of table: what each call answers and leaves behind.
#include "tests/unit/table/rig.h"

static weft_table new_table(struct weft_actor *self, uint8_t kind, uint8_t access)
{
    weft_table table = 0;
    const struct weft_table_options options = {.kind = kind, .access = access};
    assert_int_equal(weft_table_new(self, &options, &table), 0);
    assert_int_not_equal(table, 0);
    return table;
}

// The value of a key as text; "-" if there is none.
static const char *value_of(struct weft_actor *self, weft_table table, const char *key)
{
    static char text[64];
    const int64_t length = weft_table_lookup(self, table, key, strlen(key), text, sizeof(text) - 1);
    if (length == -ENOENT) return "-";
    assert_in_range(length, 0, sizeof(text) - 1);
    text[length] = '\0';
    return text;
}

static const char *const kind_names[] = {"set", "ordered", "bag"};

// ---- Inserting and finding.

static void each_insert_leaves_one_row(struct weft_actor *self, void *argument)
{
    (void)argument;
    static const struct {
        const char *name, *key, *value;
        bool only_new;
        int result[3]; // Of a set, an ordered set, a bag.
        const char *then;
        uint64_t rows[3]; // In all.
    } cases[] = {
        {"first", "a", "1", false, {0, 0, 0}, "1", {1, 1, 1}},
        {"replaced", "a", "2", false, {0, 0, 0}, NULL, {1, 1, 2}},
        {"the same again", "a", "2", false, {0, 0, 0}, NULL, {1, 1, 2}},
        {"not new", "a", "3", true, {-EEXIST, -EEXIST, -EEXIST}, NULL, {1, 1, 2}},
        {"new", "b", "3", true, {0, 0, 0}, "3", {2, 2, 3}},
        {"no value", "c", "", false, {0, 0, 0}, "", {3, 3, 4}},
        {"eight bytes", "12345678", "87654321", false, {0, 0, 0}, "87654321", {4, 4, 5}},
        {"a long value", "d", "more than eight", false, {0, 0, 0}, "more than eight", {5, 5, 6}},
        {"a long key", "longer than 8", "x", false, {0, 0, 0}, "x", {6, 6, 7}},
        {"its neighbour", "longer than 9", "y", true, {0, 0, 0}, "y", {7, 7, 8}},
        {"both long",
         "longer than 8 too",
         "and this one",
         false,
         {0, 0, 0},
         "and this one",
         {8, 8, 9}},
    };
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        const weft_table table = new_table(self, kind, WEFT_TABLE_PUBLIC);
        for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
            const size_t key_length = strlen(cases[i].key), length = strlen(cases[i].value);
            const int result = cases[i].only_new
                                   ? weft_table_insert_new(self, table, cases[i].key, key_length,
                                                           cases[i].value, length)
                                   : weft_table_insert(self, table, cases[i].key, key_length,
                                                       cases[i].value, length);
            struct weft_table_info info;
            assert_int_equal(weft_table_info(self, table, &info), 0);
            if (result != cases[i].result[kind] || info.row_count != cases[i].rows[kind] ||
                (cases[i].then != NULL &&
                 strcmp(value_of(self, table, cases[i].key), cases[i].then) != 0))
                fail_msg("%s, %s: %d, %ju rows, %s", kind_names[kind], cases[i].name, result,
                         (uintmax_t)info.row_count, value_of(self, table, cases[i].key));
        }
        assert_string_equal(value_of(self, table, "a"), kind == WEFT_TABLE_BAG ? "1" : "2");
        assert_string_equal(value_of(self, table, "e"), "-");
        assert_int_equal(weft_table_member(self, table, "b", 1), 1);
        assert_int_equal(weft_table_member(self, table, "B", 1), 0);
        assert_int_equal(weft_table_drop(self, table), 0);
    }
}

static void keys_and_values_of_all_lengths(struct weft_actor *self, void *argument)
{
    static uint8_t bytes[70000], back[70000];
    static const size_t values[] = {0, 1, 7, 8, 9, 15, 16, 17, 80, 81, 464, 465, 5000, 70000};
    (void)argument;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        const weft_table table = new_table(self, kind, WEFT_TABLE_PUBLIC);
        for (size_t i = 0; i < WEFT_COUNT_OF(values); i++) {
            for (size_t key = 1; key <= WEFT_TABLE_KEY_MAX; key += key < 24 ? 1 : 61) {
                weft_table_delete(self, table, bytes, key);
                assert_int_equal(weft_table_insert(self, table, bytes, key, bytes, values[i]), 0);
                memset(back, 0, values[i]);
                assert_int_equal(weft_table_lookup(self, table, bytes, key, back, sizeof(back)),
                                 values[i]);
                assert_memory_equal(back, bytes, values[i]);
                // As much as there is room for.
                memset(back, 0, 4);
                assert_int_equal(weft_table_lookup(self, table, bytes, key, back, 3), values[i]);
                assert_int_equal(back[3], 0);
                if (values[i] >= 3) assert_memory_equal(back, bytes, 3);
            }
        }
        // Zeros at the end of a key count.
        static const uint8_t zeros[12];
        for (size_t length = 1; length <= sizeof(zeros); length++)
            assert_int_equal(
                weft_table_insert_new(self, table, zeros, length, &length, sizeof(length)), 0);
        for (size_t length = 1; length <= sizeof(zeros); length++) {
            size_t value = 0;
            weft_table_lookup(self, table, zeros, length, &value, sizeof(value));
            assert_int_equal(value, length);
        }
        assert_int_equal(weft_table_insert(self, table, bytes, 0, bytes, 1), -EINVAL);
        assert_int_equal(weft_table_lookup(self, table, bytes, 0, back, 1), -EINVAL);
        assert_int_equal(weft_table_insert(self, table, bytes, WEFT_TABLE_KEY_MAX + 1, bytes, 1),
                         -EINVAL);
        assert_int_equal(
            weft_table_insert(self, table, bytes, 1, bytes, (size_t)WEFT_TABLE_VALUE_MAX + 1),
            -EINVAL);
        assert_int_equal(weft_table_drop(self, table), 0);
    }
}

// An integer key is its eight bytes, most significant first.
static void integers_are_bytes(struct weft_actor *self, void *argument)
{
    static const uint64_t numbers[] = {0, 1, 255, 256, 0x0102030405060708, UINT64_MAX};
    (void)argument;
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        const weft_table table = new_table(self, kind, WEFT_TABLE_PUBLIC);
        for (size_t i = 0; i < WEFT_COUNT_OF(numbers); i++) {
            uint8_t bytes[8];
            uint64_t value = 0;
            for (unsigned byte = 0; byte < 8; byte++)
                bytes[byte] = (uint8_t)(numbers[i] >> (56 - 8 * byte));
            assert_int_equal(weft_table_lookup_u64(self, table, numbers[i], &value, 8), -ENOENT);
            assert_int_equal(weft_table_delete_u64(self, table, numbers[i]), -ENOENT);
            assert_int_equal(weft_table_insert_u64(self, table, numbers[i], &numbers[i], 8), 0);
            assert_int_equal(weft_table_lookup(self, table, bytes, 8, &value, 8), 8);
            assert_int_equal(value, numbers[i]);
            value = 1;
            assert_int_equal(weft_table_lookup_u64(self, table, numbers[i], &value, 8), 8);
            assert_int_equal(value, numbers[i]);
            assert_int_equal(weft_table_lookup_u64(self, table, numbers[i], &value, 2), 8);
            assert_int_equal(weft_table_delete(self, table, bytes, 8), 0);
            assert_int_equal(weft_table_insert(self, table, bytes, 8, "abc", 3), 0);
            assert_int_equal(weft_table_lookup_u64(self, table, numbers[i], &value, 8), 3);
            assert_int_equal(weft_table_delete_u64(self, table, numbers[i]), 0);
            assert_int_equal(weft_table_insert_u64(self, table, numbers[i], "longer than 8", 13),
                             0);
            assert_int_equal(weft_table_lookup_u64(self, table, numbers[i], &value, 8), 13);
        }
        assert_int_equal(weft_table_drop(self, table), 0);
    }
}

static void many_at_a_time(struct weft_actor *self, void *argument)
{
    enum { COUNT = 1000 };
    static uint64_t keys[COUNT], values[COUNT];
    static int64_t lengths[COUNT];
    (void)argument;
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        const weft_table table = new_table(self, kind, WEFT_TABLE_PUBLIC);
        for (uint64_t i = 0; i < COUNT; i++) {
            keys[i] = i * 0x9e3779b97f4a7c15;
            if (i % 3 != 0) assert_int_equal(weft_table_insert_u64(self, table, keys[i], &i, 8), 0);
        }
        for (size_t count = 0; count <= COUNT; count += count < 40 ? 1 : 120) {
            memset(values, 0xff, sizeof(values));
            assert_int_equal(weft_table_lookup_many(self, table, keys, count, values, 8, lengths),
                             count - (count + 2) / 3);
            for (uint64_t i = 0; i < count; i++) {
                assert_int_equal(lengths[i], i % 3 != 0 ? 8 : -ENOENT);
                assert_int_equal(values[i], i % 3 != 0 ? i : UINT64_MAX);
            }
        }
        assert_int_equal(weft_table_lookup_many(self, table, keys, COUNT, values, 2, NULL),
                         COUNT - (COUNT + 2) / 3);
        assert_int_equal(weft_table_drop(self, table), 0);
        assert_int_equal(weft_table_lookup_many(self, table, keys, 1, values, 8, NULL), -EBADF);
    }
}

// ---- Changing.

static void counters_count(struct weft_actor *self, void *argument)
{
    static const struct {
        const char *key;
        int64_t add;
        bool creates;
        int result;
        int64_t value;
    } cases[] = {
        {"n", 1, false, -ENOENT, 0},
        {"n", 5, true, 0, 105}, // From an initial 100.
        {"n", 5, true, 0, 110},
        {"n", -111, false, 0, -1},
        {"n", INT64_MIN, false, 0, INT64_MAX}, // It wraps.
        {"text", 1, true, -EINVAL, 0},
        {"a long name of a counter", 7, true, 0, 107},
        {"a long name of a counter", 1, false, 0, 108},
    };
    (void)argument;
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_ORDERED; kind++) {
        const weft_table table = new_table(self, kind, WEFT_TABLE_PUBLIC);
        const int64_t initial = 100;
        assert_int_equal(weft_table_insert(self, table, "text", 4, "abc", 3), 0);
        for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
            int64_t value = 0, stored = 0;
            const size_t length = strlen(cases[i].key);
            const int result =
                weft_table_update_counter(self, table, cases[i].key, length, cases[i].add,
                                          cases[i].creates ? &initial : NULL, &value);
            if (result != cases[i].result || value != cases[i].value)
                fail_msg("%s, case %zu: %d, %jd", kind_names[kind], i, result, (intmax_t)value);
            if (result != 0) continue;
            weft_table_lookup(self, table, cases[i].key, length, &stored, sizeof(stored));
            assert_int_equal(stored, value);
        }
        int64_t value = 0;
        assert_int_equal(weft_table_update_counter_u64(self, table, 7, 1, NULL, NULL), -ENOENT);
        assert_int_equal(weft_table_update_counter_u64(self, table, 7, 1, &initial, NULL), 0);
        assert_int_equal(weft_table_update_counter_u64(self, table, 7, 1, NULL, &value), 0);
        assert_int_equal(value, 102);
        assert_int_equal(weft_table_drop(self, table), 0);
    }
    const weft_table bag = new_table(self, WEFT_TABLE_BAG, WEFT_TABLE_PUBLIC);
    assert_int_equal(weft_table_update_counter_u64(self, bag, 7, 1, NULL, NULL), -ENOTSUP);
    assert_int_equal(weft_table_drop(self, bag), 0);
}

struct swap {
    char from, to;
    int result;
    unsigned calls;
    // Somebody else's write in the middle of the first call: it has to be called again.
    struct weft_actor *self;
    weft_table table;
    const char *key, *value;
};

static int swap_bytes(void *value, size_t length, void *argument)
{
    struct swap *swap = argument;
    char *text = value;
    if (swap->calls++ == 0 && swap->value != NULL)
        assert_int_equal(weft_table_insert(swap->self, swap->table, swap->key, strlen(swap->key),
                                           swap->value, strlen(swap->value)),
                         0);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == swap->from) text[i] = swap->to;
    }
    return swap->result;
}

static void updates_change_a_copy(struct weft_actor *self, void *argument)
{
    static const char *const keys[] = {"k", "a key of many bytes"};
    static const char *const values[] = {"aba", "abababab", "ababababababab"};
    (void)argument;
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_ORDERED; kind++) {
        const weft_table table = new_table(self, kind, WEFT_TABLE_PUBLIC);
        struct swap missing = {.from = 'a'};
        assert_int_equal(weft_table_update(self, table, "x", 1, swap_bytes, &missing), -ENOENT);
        for (size_t i = 0; i < WEFT_COUNT_OF(keys); i++) {
            for (size_t n = 0; n < WEFT_COUNT_OF(values); n++) {
                const size_t key_length = strlen(keys[i]), length = strlen(values[n]);
                weft_table_insert(self, table, keys[i], key_length, values[n], length);
                struct swap swap = {.from = 'a', .to = 'c'};
                assert_int_equal(
                    weft_table_update(self, table, keys[i], key_length, swap_bytes, &swap), 0);
                assert_int_equal(swap.calls, 1);
                assert_int_equal(value_of(self, table, keys[i])[0], 'c');
                // Refused: nothing changes.
                struct swap refused = {.from = 'c', .to = 'd', .result = -EPERM};
                assert_int_equal(
                    weft_table_update(self, table, keys[i], key_length, swap_bytes, &refused),
                    -EPERM);
                assert_int_equal(value_of(self, table, keys[i])[0], 'c');
                // Somebody was faster.
                struct swap late = {.from = 'b',
                                    .to = 'e',
                                    .self = self,
                                    .table = table,
                                    .key = keys[i],
                                    .value = "bb"};
                assert_int_equal(
                    weft_table_update(self, table, keys[i], key_length, swap_bytes, &late), 0);
                assert_int_equal(late.calls, 2);
                assert_string_equal(value_of(self, table, keys[i]), "ee");
            }
        }
        assert_int_equal(weft_table_drop(self, table), 0);
    }
}

static void takes_and_deletes(struct weft_actor *self, void *argument)
{
    char text[32] = "";
    (void)argument;
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        const weft_table table = new_table(self, kind, WEFT_TABLE_PUBLIC);
        static const char *const keys[] = {"k", "a key of many bytes"};
        for (size_t i = 0; i < WEFT_COUNT_OF(keys); i++) {
            const size_t length = strlen(keys[i]);
            struct weft_table_info info;
            assert_int_equal(weft_table_take(self, table, keys[i], length, text, 32), -ENOENT);
            assert_int_equal(weft_table_insert(self, table, keys[i], length, "one", 3), 0);
            assert_int_equal(weft_table_insert(self, table, keys[i], length, "two and more", 12),
                             0);
            if (kind == WEFT_TABLE_BAG) {
                assert_int_equal(weft_table_take(self, table, keys[i], length, text, 32), 3);
                assert_memory_equal(text, "one", 3);
            }
            assert_int_equal(weft_table_take(self, table, keys[i], length, text, 32), 12);
            assert_memory_equal(text, "two and more", 12);
            assert_int_equal(weft_table_insert(self, table, keys[i], length, "x", 1), 0);
            assert_int_equal(weft_table_delete_value(self, table, keys[i], length, "y", 1),
                             -ENOENT);
            assert_int_equal(weft_table_delete_value(self, table, keys[i], length, "xx", 2),
                             -ENOENT);
            assert_int_equal(weft_table_delete_value(self, table, keys[i], length, "x", 1), 0);
            assert_int_equal(weft_table_delete(self, table, keys[i], length), -ENOENT);
            weft_table_insert(self, table, keys[i], length, "x", 1);
            weft_table_insert(self, table, keys[i], length, "y", 1);
            assert_int_equal(weft_table_delete(self, table, keys[i], length), 0);
            assert_int_equal(weft_table_info(self, table, &info), 0);
            assert_int_equal(info.row_count, 0);
        }
        assert_int_equal(weft_table_insert(self, table, "k", 1, "x", 1), 0);
        assert_int_equal(weft_table_delete_all(self, table), 0);
        assert_string_equal(value_of(self, table, "k"), "-");
        assert_int_equal(weft_table_insert(self, table, "k", 1, "y", 1), 0);
        assert_string_equal(value_of(self, table, "k"), "y");
        assert_int_equal(weft_table_drop(self, table), 0);
    }
}

// ---- Bags.

struct collected {
    char text[512];
    unsigned count;
    bool deletes_odd, stops, yields;
};

static enum weft_table_verdict collect(struct weft_actor *self, const struct weft_table_row *row,
                                       void *argument)
{
    struct collected *collected = argument;
    const unsigned number = collected->count++;
    if (strlen(collected->text) + row->value_length + 2 < sizeof(collected->text)) {
        strncat(collected->text, row->value, row->value_length);
        strcat(collected->text, " ");
    }
    if (collected->yields) weft_yield(self);
    if (collected->stops) return WEFT_TABLE_STOP;
    return collected->deletes_odd && number % 2 == 1 ? WEFT_TABLE_DELETE : WEFT_TABLE_CONTINUE;
}

static void values_of_a_bag_come_in_order(struct weft_actor *self, void *argument)
{
    static const char *const keys[] = {"k", "a key of many bytes"};
    static const char *const values[] = {"a", "b", "eight by", "c", "longer than eight", "d"};
    (void)argument;
    for (size_t i = 0; i < WEFT_COUNT_OF(keys); i++) {
        const weft_table table = new_table(self, WEFT_TABLE_BAG, WEFT_TABLE_PUBLIC);
        const size_t length = strlen(keys[i]);
        for (unsigned round = 0; round < 2; round++) {
            for (size_t n = 0; n < WEFT_COUNT_OF(values); n++)
                assert_int_equal(
                    weft_table_insert(self, table, keys[i], length, values[n], strlen(values[n])),
                    0);
        }
        struct collected all = {.yields = true};
        assert_int_equal(weft_table_lookup_each(self, table, keys[i], length, collect, &all), 6);
        assert_string_equal(all.text, "a b eight by c longer than eight d ");
        struct collected odd = {.deletes_odd = true}, left = {0}, first = {.stops = true},
                         none = {0};
        assert_int_equal(weft_table_lookup_each(self, table, keys[i], length, collect, &odd), 6);
        assert_int_equal(weft_table_lookup_each(self, table, keys[i], length, collect, &left), 3);
        assert_string_equal(left.text, "a eight by longer than eight ");
        assert_int_equal(weft_table_lookup_each(self, table, keys[i], length, collect, &first), 3);
        assert_int_equal(first.count, 1);
        assert_int_equal(weft_table_lookup_each(self, table, "x", 1, collect, &none), 0);
        assert_int_equal(weft_table_drop(self, table), 0);
    }
}

static enum weft_table_verdict check_ascending(struct weft_actor *self,
                                               const struct weft_table_row *row, void *argument)
{
    uint32_t value, *expected = argument;
    (void)self;
    memcpy(&value, row->value, sizeof(value));
    assert_int_equal(value, *expected);
    ++*expected;
    return WEFT_TABLE_CONTINUE;
}

static void a_bag_has_room_for_so_many_of_a_key(struct weft_actor *self, void *argument)
{
    (void)argument;
    const weft_table table = new_table(self, WEFT_TABLE_BAG, WEFT_TABLE_PUBLIC);
    uint32_t i, expected = 0;
    for (i = 0; i < WEFT_TABLE_BAG_MAX; i++)
        assert_int_equal(weft_table_insert(self, table, "k", 1, &i, sizeof(i)), 0);
    assert_int_equal(weft_table_insert(self, table, "k", 1, &i, sizeof(i)), -ENOSPC);
    i = 5; // It is there.
    assert_int_equal(weft_table_insert(self, table, "k", 1, &i, sizeof(i)), 0);
    for (i = 0; i < 5000; i++) // Others have room, and share the buckets.
        assert_int_equal(weft_table_insert_u64(self, table, i, &i, sizeof(i)), 0);
    assert_int_equal(weft_table_lookup_each(self, table, "k", 1, check_ascending, &expected),
                     WEFT_TABLE_BAG_MAX);
    for (i = 0; i < 5000; i++)
        assert_int_equal(weft_table_delete_u64(self, table, i), 0);
    expected = 0;
    assert_int_equal(weft_table_lookup_each(self, table, "k", 1, check_ascending, &expected),
                     WEFT_TABLE_BAG_MAX);
    assert_int_equal(weft_table_delete(self, table, "k", 1), 0);
    assert_int_equal(weft_table_member(self, table, "k", 1), 0);
    assert_int_equal(weft_table_drop(self, table), 0);
}

// ---- Order.

static void ordered_keys_have_neighbours(struct weft_actor *self, void *argument)
{
    // In the order of the table; inserted in another.
    static const char *const keys[] = {"a",         "a\1",          "ab",        "abcdefgh",
                                       "abcdefghi", "abcdefghijkl", "abcdefghj", "abcdefgi",
                                       "b",         "zzzzzzzz"};
    enum { COUNT = WEFT_COUNT_OF(keys) };
    char found[WEFT_TABLE_KEY_MAX + 1];
    (void)argument;
    const weft_table table = new_table(self, WEFT_TABLE_ORDERED, WEFT_TABLE_PUBLIC);
    assert_int_equal(weft_table_first(self, table, found, sizeof(found)), -ENOENT);
    assert_int_equal(weft_table_last(self, table, found, sizeof(found)), -ENOENT);
    assert_int_equal(weft_table_next(self, table, "a", 1, found, sizeof(found)), -ENOENT);
    assert_int_equal(weft_table_prev(self, table, "a", 1, found, sizeof(found)), -ENOENT);
    for (size_t i = 0; i < COUNT; i++) {
        const char *key = keys[i * 7 % COUNT];
        assert_int_equal(weft_table_insert(self, table, key, strlen(key), key, strlen(key)), 0);
    }
    for (size_t i = 0; i < COUNT; i++) {
        const size_t length = strlen(keys[i]);
        int64_t got = weft_table_next(self, table, keys[i], length, found, sizeof(found));
        if (i + 1 < COUNT) {
            assert_int_equal(got, strlen(keys[i + 1]));
            assert_memory_equal(found, keys[i + 1], (size_t)got);
        } else {
            assert_int_equal(got, -ENOENT);
        }
        got = weft_table_prev(self, table, keys[i], length, found, sizeof(found));
        if (i > 0) {
            assert_int_equal(got, strlen(keys[i - 1]));
            assert_memory_equal(found, keys[i - 1], (size_t)got);
        } else {
            assert_int_equal(got, -ENOENT);
        }
    }
    assert_int_equal(weft_table_first(self, table, found, sizeof(found)), 1);
    assert_int_equal(weft_table_last(self, table, found, 3), 8); // Cut.
    assert_memory_equal(found, "zzz", 3);
    // Beside keys that are not there.
    assert_int_equal(weft_table_next(self, table, "aa", 2, found, sizeof(found)), 2);
    assert_int_equal(weft_table_prev(self, table, "abcdefghk", 9, found, sizeof(found)), 9);
    assert_memory_equal(found, "abcdefghj", 9);
    assert_int_equal(weft_table_next(self, table, "~", 1, found, sizeof(found)), -ENOENT);
    const weft_table set = new_table(self, WEFT_TABLE_SET, WEFT_TABLE_PUBLIC);
    assert_int_equal(weft_table_first(self, set, found, sizeof(found)), -ENOTSUP);
    assert_int_equal(weft_table_next(self, set, "a", 1, found, sizeof(found)), -ENOTSUP);
    assert_int_equal(weft_table_drop(self, table), 0);
    assert_int_equal(weft_table_drop(self, set), 0);
}

// ---- Memory.

static void a_table_keeps_to_its_limit(struct weft_actor *self, void *argument)
{
    (void)argument;
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        const struct weft_table_options options = {
            .kind = kind, .access = WEFT_TABLE_PUBLIC, .memory_max = 64 * 1024};
        weft_table table;
        struct weft_table_info info;
        char value[100] = "value";
        uint64_t count = 0;
        int result;
        assert_int_equal(weft_table_new(self, &options, &table), 0);
        while ((result = weft_table_insert_u64(self, table, count, value, sizeof(value))) == 0)
            assert_true(++count < 10000);
        assert_int_equal(result, -ENOSPC);
        assert_int_equal(weft_table_info(self, table, &info), 0);
        assert_int_equal(info.row_count, count);
        assert_in_range(info.bytes, 48 * 1024, 64 * 1024);
        assert_int_equal(info.memory_max, 64 * 1024);
        // Every row is there, and the table can still be used.
        for (uint64_t i = 0; i < count; i++)
            assert_int_equal(weft_table_lookup_u64(self, table, i, value, sizeof(value)), 100);
        for (uint64_t i = 0; i < count; i += 2)
            assert_int_equal(weft_table_delete_u64(self, table, i), 0);
        assert_int_equal(weft_table_insert_u64(self, table, 0, value, sizeof(value)), 0);
        assert_int_equal(weft_table_drop(self, table), 0);
    }
    const struct weft_table_options tiny = {.memory_max = 100};
    weft_table table;
    assert_int_equal(weft_table_new(self, &tiny, &table), -ENOSPC);
}

// Out of memory wherever that can be: what is refused leaves nothing behind.
static void at_the_cap_of_the_arena(struct weft_actor *self, void *argument)
{
    static char value[4000];
    const weft_table table = new_table(self, *(uint8_t *)argument, WEFT_TABLE_PUBLIC);
    uint64_t large = 0, small = 1 << 20;
    while (weft_table_insert_u64(self, table, large, value, sizeof(value)) == 0)
        large++;
    assert_true(large > 1000);
    while (weft_table_insert_u64(self, table, small, value, 20) == 0)
        small++;
    while (weft_table_insert_u64(self, table, small, value, 8) == 0 && small < 2 << 20)
        small++;
    weft_table other;
    const struct weft_table_options options = {.heir = 1};
    assert_int_equal(weft_table_new(self, &options, &other), -ENOMEM);
    assert_int_equal(weft_table_lookup_u64(self, table, large - 1, value, 8), 4000);
    assert_int_equal(weft_table_delete_all(self, table), -ENOMEM);
    for (uint64_t i = 0; i < large; i++)
        assert_int_equal(weft_table_delete_u64(self, table, i), 0);
    assert_int_equal(weft_table_drop(self, table), 0);
}

static void run_all(struct rig *rig, unsigned core, rig_work *work)
{
    rig_do(rig, core, work, rig);
    rig_settle(rig);
}

// Each on one core, where no write can meet another's, and on the second of two, where it could.
static void in_a_rig(rig_work *work)
{
    for (unsigned cores = 1; cores <= 2; cores++) {
        static struct rig rig;
        rig_open(&rig, cores);
        run_all(&rig, cores - 1, work);
        rig_settle(&rig);
        // All memory is back, but for a chunk of each size.
        assert_true(weft_arena_used_bytes(rig.cores.arena[cores - 1]) < 256 * 1024);
        rig_close(&rig);
    }
}

#define CASE(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        in_a_rig(name);                                                                            \
    }

CASE(each_insert_leaves_one_row)
CASE(keys_and_values_of_all_lengths)
CASE(integers_are_bytes)
CASE(many_at_a_time)
CASE(counters_count)
CASE(updates_change_a_copy)
CASE(takes_and_deletes)
CASE(values_of_a_bag_come_in_order)
CASE(a_bag_has_room_for_so_many_of_a_key)
CASE(ordered_keys_have_neighbours)
CASE(a_table_keeps_to_its_limit)

static void test_at_the_cap_of_the_arena(void **state)
{
    (void)state;
    static struct rig rig;
    rig_open(&rig, 2);
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        rig_do(&rig, 1, at_the_cap_of_the_arena, &kind);
        rig_settle(&rig);
        assert_true(weft_arena_used_bytes(rig.cores.arena[1]) < 256 * 1024);
    }
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_insert_leaves_one_row),
        cmocka_unit_test(test_keys_and_values_of_all_lengths),
        cmocka_unit_test(test_integers_are_bytes),
        cmocka_unit_test(test_many_at_a_time),
        cmocka_unit_test(test_counters_count),
        cmocka_unit_test(test_updates_change_a_copy),
        cmocka_unit_test(test_takes_and_deletes),
        cmocka_unit_test(test_values_of_a_bag_come_in_order),
        cmocka_unit_test(test_a_bag_has_room_for_so_many_of_a_key),
        cmocka_unit_test(test_ordered_keys_have_neighbours),
        cmocka_unit_test(test_a_table_keeps_to_its_limit),
        cmocka_unit_test(test_at_the_cap_of_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
