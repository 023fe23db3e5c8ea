// Many rows: prefixes, stopping and going on, deleting on the way, and looking while rows change.
#include "tests/unit/table/rig.h"

#define ROWS 3000

static uint64_t scattered(uint64_t number)
{
    return number * 2654435761u & 0xffffffff;
}

struct scan {
    uint8_t kind;
    weft_table table;
    // What was seen.
    uint8_t seen[2 * ROWS];
    uint64_t count, last;
    bool is_sorted;
    // What to do.
    uint64_t stop_at; // After so many; 0: never.
    bool deletes_odd, yields, adds;
};

static uint64_t number_of(const struct weft_table_row *row)
{
    uint64_t number;
    assert_int_equal(row->value_length, sizeof(number));
    memcpy(&number, row->value, sizeof(number));
    return number;
}

static void make(struct weft_actor *self, void *argument)
{
    struct scan *scan = argument;
    const struct weft_table_options options = {.kind = scan->kind, .access = WEFT_TABLE_PUBLIC};
    assert_int_equal(weft_table_new(self, &options, &scan->table), 0);
    for (uint64_t i = 0; i < ROWS; i++)
        assert_int_equal(weft_table_insert_u64(self, scan->table, scattered(i), &i, sizeof(i)), 0);
}

static enum weft_table_verdict see(struct weft_actor *self, const struct weft_table_row *row,
                                   void *argument)
{
    struct scan *scan = argument;
    const uint64_t number = number_of(row);
    uint64_t key = 0;
    for (unsigned i = 0; i < 8; i++)
        key = key << 8 | ((const uint8_t *)row->key)[i];
    assert_int_equal(row->key_length, 8);
    assert_int_equal(key, scattered(number));
    if (scan->count > 0 && key <= scan->last) scan->is_sorted = false;
    scan->last = key;
    scan->seen[number]++;
    scan->count++;
    if (scan->adds && number < ROWS) { // One behind each, and the one before goes.
        const uint64_t other = number + ROWS;
        weft_table_insert_u64(self, scan->table, scattered(other), &other, sizeof(other));
        weft_table_delete_u64(self, scan->table, scattered(number));
    }
    if (scan->yields && number % 5 == 0) weft_yield(self);
    if (scan->stop_at != 0 && scan->count % scan->stop_at == 0) return WEFT_TABLE_STOP;
    return scan->deletes_odd && number % 2 == 1 ? WEFT_TABLE_DELETE : WEFT_TABLE_CONTINUE;
}

static void each_row_is_seen_once(struct weft_actor *self, void *argument)
{
    struct scan *scan = argument;
    const struct weft_table_match match = {.see = see, .argument = scan};
    scan->is_sorted = true;
    assert_int_equal(weft_table_each(self, scan->table, &match), ROWS);
    for (unsigned i = 0; i < ROWS; i++)
        assert_int_equal(scan->seen[i], 1);
    if (scan->kind == WEFT_TABLE_ORDERED) assert_true(scan->is_sorted);
}

static void waiting_loses_nothing(struct weft_actor *self, void *argument)
{
    ((struct scan *)argument)->yields = true;
    each_row_is_seen_once(self, argument);
}

// In steps of every size, stopped every so often: exactly once all the same.
static void a_scan_goes_on_where_it_stopped(struct weft_actor *self, void *argument)
{
    struct scan *scan = argument;
    for (uint64_t limit = 1; limit < 400; limit = limit * 3 + 1) {
        const struct weft_table_match match = {.see = see, .argument = scan};
        struct weft_table_cursor cursor = {0};
        int result;
        memset(scan->seen, 0, sizeof(scan->seen));
        scan->count = 0;
        scan->stop_at = limit % 2 == 0 ? 7 : 0;
        do {
            const uint64_t before = scan->count;
            result = weft_table_scan(self, scan->table, &match, limit, &cursor);
            assert_true(result >= 0);
            assert_true(scan->count - before <= limit);
        } while (result > 0);
        assert_int_equal(scan->count, ROWS);
        for (unsigned i = 0; i < ROWS; i++)
            assert_int_equal(scan->seen[i], 1);
        // It stays at the end.
        assert_int_equal(weft_table_scan(self, scan->table, &match, limit, &cursor), 0);
        assert_int_equal(scan->count, ROWS);
    }
    scan->stop_at = 10;
    scan->count = 0;
    const struct weft_table_match match = {.see = see, .argument = scan};
    assert_int_equal(weft_table_each(self, scan->table, &match), 10);
}

static void rows_may_go_and_come_meanwhile(struct weft_actor *self, void *argument)
{
    struct scan *scan = argument;
    const struct weft_table_match match = {.see = see, .argument = scan};
    scan->adds = true;
    assert_true(weft_table_each(self, scan->table, &match) >= ROWS);
    for (unsigned i = 0; i < ROWS; i++)
        assert_int_equal(scan->seen[i], 1); // Each was there until it was seen.
    for (unsigned i = ROWS; i < 2 * ROWS; i++)
        assert_true(scan->seen[i] <= 1);
}

static void rows_are_deleted_on_the_way(struct weft_actor *self, void *argument)
{
    struct scan *scan = argument;
    const struct weft_table_match match = {.see = see, .argument = scan};
    struct weft_table_info info;
    scan->deletes_odd = true;
    assert_int_equal(weft_table_select_delete(self, scan->table, &match), ROWS / 2);
    for (unsigned i = 0; i < ROWS; i++) {
        uint64_t value;
        assert_int_equal(scan->seen[i], 1);
        assert_int_equal(weft_table_lookup_u64(self, scan->table, scattered(i), &value, 8),
                         i % 2 == 0 ? 8 : -ENOENT);
    }
    const struct weft_table_match all = {.prefix = ""};
    assert_int_equal(weft_table_select_delete(self, scan->table, &all), ROWS / 2);
    assert_int_equal(weft_table_info(self, scan->table, &info), 0);
    assert_int_equal(info.row_count, 0);
    assert_int_equal(weft_table_each(self, scan->table, &all), 0);
}

static void drop(struct weft_actor *self, void *argument)
{
    assert_int_equal(weft_table_drop(self, ((struct scan *)argument)->table), 0);
}

static void of_every_kind(rig_work *work)
{
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        static struct rig rig;
        static struct scan scan;
        rig_open(&rig, 2);
        memset(&scan, 0, sizeof(scan));
        scan.kind = kind;
        rig_do(&rig, 1, make, &scan);
        rig_do(&rig, 1, work, &scan);
        rig_settle(&rig); // It may have yielded.
        rig_do(&rig, 1, drop, &scan);
        rig_settle(&rig);
        rig_close(&rig);
    }
}

#define CASE(name)                                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        of_every_kind(name);                                                                       \
    }

CASE(each_row_is_seen_once)
CASE(waiting_loses_nothing)
CASE(a_scan_goes_on_where_it_stopped)
CASE(rows_may_go_and_come_meanwhile)
CASE(rows_are_deleted_on_the_way)

// ---- Prefixes.

struct prefix {
    uint8_t kind;
    char seen[256];
};

static enum weft_table_verdict join(struct weft_actor *self, const struct weft_table_row *row,
                                    void *argument)
{
    struct prefix *prefix = argument;
    (void)self;
    strncat(prefix->seen, row->key, row->key_length);
    strcat(prefix->seen, " ");
    return WEFT_TABLE_CONTINUE;
}

static void prefixes_choose(struct weft_actor *self, void *argument)
{
    static const char *const keys[] = {"a",          "ab",  "abcdefgh", "abcdefghi",
                                       "abcdefghij", "abd", "b"};
    static const struct {
        const char *prefix;
        int64_t matched;
        const char *sorted; // In an ordered set.
    } cases[] = {
        {"", 7, "a ab abcdefgh abcdefghi abcdefghij abd b "},
        {"a", 6, "a ab abcdefgh abcdefghi abcdefghij abd "},
        {"abc", 3, "abcdefgh abcdefghi abcdefghij "},
        {"abcdefghi", 2, "abcdefghi abcdefghij "},
        {"abd", 1, "abd "},
        {"abde", 0, ""},
        {"c", 0, ""},
    };
    struct prefix *prefix = argument;
    const struct weft_table_options options = {.kind = prefix->kind};
    weft_table table;
    assert_int_equal(weft_table_new(self, &options, &table), 0);
    for (size_t i = 0; i < WEFT_COUNT_OF(keys); i++)
        assert_int_equal(weft_table_insert(self, table, keys[i], strlen(keys[i]), "", 0), 0);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        const struct weft_table_match match = {.prefix = cases[i].prefix,
                                               .prefix_length = strlen(cases[i].prefix),
                                               .see = join,
                                               .argument = prefix};
        prefix->seen[0] = '\0';
        assert_int_equal(weft_table_each(self, table, &match), cases[i].matched);
        if (prefix->kind == WEFT_TABLE_ORDERED) assert_string_equal(prefix->seen, cases[i].sorted);
    }
    const struct weft_table_match delete = {.prefix = "abcdefgh", .prefix_length = 8};
    assert_int_equal(weft_table_select_delete(self, table, &delete), 3);
    assert_int_equal(weft_table_member(self, table, "abd", 3), 1);
    assert_int_equal(weft_table_member(self, table, "abcdefghi", 9), 0);
    static const char longest[WEFT_TABLE_KEY_MAX + 1];
    const struct weft_table_match too_long = {
        .prefix = longest, .prefix_length = sizeof(longest), .see = join};
    assert_int_equal(weft_table_each(self, table, &too_long), -EINVAL);
    assert_int_equal(weft_table_drop(self, table), 0);
}

static void test_prefixes_choose(void **state)
{
    (void)state;
    for (uint8_t kind = WEFT_TABLE_SET; kind <= WEFT_TABLE_BAG; kind++) {
        static struct rig rig;
        struct prefix prefix = {.kind = kind};
        rig_open(&rig, 1);
        rig_do(&rig, 0, prefixes_choose, &prefix);
        rig_settle(&rig);
        rig_close(&rig);
    }
}

// ---- A million rows do not hold the core.

struct long_scan {
    weft_table table;
    uint64_t rows;
    bool is_done;
};

static enum weft_table_verdict count(struct weft_actor *self, const struct weft_table_row *row,
                                     void *argument)
{
    (void)self, (void)row;
    ++*(uint64_t *)argument;
    return WEFT_TABLE_CONTINUE;
}

static void scan_long(struct weft_actor *self, void *argument)
{
    struct long_scan *scan = argument;
    const struct weft_table_options options = {.access = WEFT_TABLE_PRIVATE};
    const struct weft_table_match match = {.see = count, .argument = &scan->rows};
    assert_int_equal(weft_table_new(self, &options, &scan->table), 0);
    for (uint64_t i = 0; i < 50000; i++)
        assert_int_equal(weft_table_insert_u64(self, scan->table, i, &i, sizeof(i)), 0);
    assert_int_equal(weft_table_each(self, scan->table, &match), 50000);
    scan->is_done = true;
}

static void others_run_during_a_long_scan(void **state)
{
    (void)state;
    static struct rig rig;
    struct long_scan scan = {0};
    rig_open(&rig, 1);
    const struct rig_order order = {scan_long, &scan};
    struct weft_message *message = weft_message_alloc(&rig.cores.system[0], sizeof(order));
    message->to = rig.actor[0];
    memcpy(message->payload, &order, sizeof(order));
    assert_int_equal(weft_actor_send(&rig.cores.system[0], message), 0);
    uint64_t turns = 0, most = 0;
    while (!scan.is_done) {
        const uint64_t before = scan.rows;
        weft_core_turn(rig.cores.core[0]);
        if (scan.rows - before > most) most = scan.rows - before;
        turns++;
    }
    // A slice is 2 000 reductions, a turn eight of them, and a row 10; a step more may be begun.
    assert_true(most <= 8 * (200 + 256 + 16));
    assert_true(turns > 50000 / most);
    rig_end(&rig, 0, rig.actor[0]);
    // A table that is dropped is taken apart in steps as well, and all of it.
    assert_true(weft_arena_used_bytes(rig.cores.arena[0]) < 256 * 1024);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_is_seen_once),
        cmocka_unit_test(test_waiting_loses_nothing),
        cmocka_unit_test(test_a_scan_goes_on_where_it_stopped),
        cmocka_unit_test(test_rows_may_go_and_come_meanwhile),
        cmocka_unit_test(test_rows_are_deleted_on_the_way),
        cmocka_unit_test(test_prefixes_choose),
        cmocka_unit_test(others_run_during_a_long_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
