// Whose a table is: names and numbers, who may do what, and where it goes when its owner ends.
#include "tests/unit/table/rig.h"

#include <stdio.h>

struct made { // Options in, a table out.
    struct weft_table_options options;
    weft_table table;
    int result;
};

static void make(struct weft_actor *self, void *argument)
{
    struct made *made = argument;
    made->result = weft_table_new(self, &made->options, &made->table);
    if (made->result == 0 && made->options.access != WEFT_TABLE_PRIVATE)
        assert_int_equal(weft_table_insert_u64(self, made->table, 1, "value", 5), 0);
}

static weft_table make_by(struct rig *rig, unsigned core, weft_pid pid,
                          const struct weft_table_options *options)
{
    struct made made = {.options = *options};
    rig_order(rig, core, pid, make, &made);
    assert_int_equal(made.result, 0);
    return made.table;
}

static void drop(struct weft_actor *self, void *argument)
{
    struct made *made = argument;
    made->result = weft_table_drop(self, made->table);
}

// The answer of weft_table_info, by an actor of core 0: -EBADF if there is no such table.
struct asked {
    weft_table table;
    int result;
    struct weft_table_info info;
};

static void ask(struct weft_actor *self, void *argument)
{
    struct asked *asked = argument;
    asked->result = weft_table_info(self, asked->table, &asked->info);
}

static struct asked look(struct rig *rig, weft_table table)
{
    struct asked asked = {.table = table};
    rig_do(rig, 0, ask, &asked);
    return asked;
}

// ---- Numbers and names.

static void numbers_name_one_table(void **state)
{
    (void)state;
    static struct rig rig;
    static weft_table seen[500];
    rig_open_with(&rig, 1, 4);
    for (size_t i = 0; i < WEFT_COUNT_OF(seen); i++) {
        struct made made = {.table = 0};
        rig_do(&rig, 0, make, &made);
        assert_int_equal(made.result, 0);
        for (size_t n = 0; n < i; n++)
            assert_true(seen[n] != made.table);
        seen[i] = made.table;
        assert_int_equal(look(&rig, made.table).result, 0);
        rig_do(&rig, 0, drop, &made);
        assert_int_equal(made.result, 0);
        rig_do(&rig, 0, drop, &made);
        assert_int_equal(made.result, -EBADF);
        for (size_t n = 0; n <= i; n++)
            assert_int_equal(look(&rig, seen[n]).result, -EBADF);
    }
    assert_int_equal(look(&rig, 0).result, -EBADF);
    assert_int_equal(look(&rig, UINT64_MAX).result, -EBADF);
    // No more than so many at a time.
    struct made made[5] = {0};
    for (unsigned i = 0; i < 5; i++) {
        rig_do(&rig, 0, make, &made[i]);
        assert_int_equal(made[i].result, i < 4 ? 0 : -ENOSPC);
    }
    rig_do(&rig, 0, drop, &made[0]);
    rig_do(&rig, 0, make, &made[4]);
    assert_int_equal(made[4].result, 0);
    rig_close(&rig);
}

static void find_all(struct weft_actor *self, void *argument)
{
    weft_table *tables = argument;
    static const char *const names[] = {"one", "two", "three"};
    for (unsigned i = 0; i < 3; i++)
        tables[i] = weft_table_find(self, names[i]);
    assert_int_equal(weft_table_find(self, "nobody's"), 0);
    assert_int_equal(weft_table_find(self, ""), 0);
    weft_table listed[8] = {0};
    const size_t count = weft_table_list(self, listed, 2);
    assert_int_equal(listed[2], 0);
    assert_int_equal(weft_table_list(self, listed, 8), count);
    for (unsigned i = 0; i < 3; i++) {
        bool is_listed = false;
        for (size_t n = 0; n < count; n++)
            is_listed |= listed[n] == tables[i];
        assert_int_equal(is_listed, tables[i] != 0);
    }
}

static void names_are_known_on_every_core(void **state)
{
    (void)state;
    static struct rig rig;
    rig_open(&rig, 2);
    static const struct {
        const char *name;
        unsigned core;
        int result;
    } cases[] = {
        {"one", 0, 0},
        {"two", 1, 0},
        {"one", 1, -EEXIST},
        {"one", 0, -EEXIST},
        {"three", 0, 0},
        {"", 0, -EINVAL},
        {"a name", 0, -EINVAL},
        {NULL, 0, 0},
        {NULL, 1, 0},
        {"a name of sixty-four bytes, which is one more than there may be!", 0, -EINVAL},
    };
    struct made made[WEFT_COUNT_OF(cases)] = {0};
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        made[i].options.name = cases[i].name;
        rig_do(&rig, cases[i].core, make, &made[i]);
        if (made[i].result != cases[i].result) fail_msg("case %zu: %d", i, made[i].result);
    }
    for (unsigned core = 0; core < 2; core++) {
        weft_table found[3];
        rig_do(&rig, core, find_all, found);
        assert_true(found[0] == made[0].table && found[1] == made[1].table &&
                    found[2] == made[4].table);
    }
    assert_string_equal(look(&rig, made[1].table).info.name, "two");
    rig_do(&rig, 0, drop, &made[0]);
    weft_table found[3];
    rig_do(&rig, 1, find_all, found);
    assert_true(found[0] == 0 && found[1] == made[1].table);
    rig_do(&rig, 1, make, &made[2]); // The name is free again.
    assert_int_equal(made[2].result, 0);
    rig_close(&rig);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    static struct rig rig;
    rig_open(&rig, 1);
    struct made kind = {.options.kind = 3}, access = {.options.access = 3};
    rig_do(&rig, 0, make, &kind);
    rig_do(&rig, 0, make, &access);
    assert_int_equal(kind.result, -EINVAL);
    assert_int_equal(access.result, -EINVAL);
    rig_close(&rig);
    // A node without tables.
    cores_open(&rig.cores, 1, 16);
    rig.actor[0] = rig_spawn(&rig, 0);
    struct made made = {0};
    rig_do(&rig, 0, make, &made);
    assert_int_equal(made.result, -ENOTSUP);
    assert_int_equal(look(&rig, 1).result, -ENOTSUP);
    cores_close(&rig.cores);
}

// ---- Access.

struct attempt {
    weft_table table;
    int reads, writes, owns;
};

static enum weft_table_verdict see(struct weft_actor *self, const struct weft_table_row *row,
                                   void *argument)
{
    (void)self, (void)row, (void)argument;
    return WEFT_TABLE_CONTINUE;
}

static int change(void *value, size_t length, void *argument)
{
    (void)value, (void)length, (void)argument;
    return 0;
}

// Every call; all that read answer the same, and all that write.
static void attempt_all(struct weft_actor *self, void *argument)
{
    struct attempt *attempt = argument;
    const weft_table table = attempt->table;
    const struct weft_table_match looking = {.see = see},
                                  deleting = {.prefix = "~", .prefix_length = 1};
    const int64_t initial = 0;
    uint64_t key = 1;
    char buffer[8];
    int64_t reads[] = {
        weft_table_lookup(self, table, "k", 1, buffer, 8),
        weft_table_lookup_u64(self, table, 77, buffer, 8),
        weft_table_lookup_many(self, table, &key, 1, buffer, 8, NULL),
        weft_table_member(self, table, "k", 1),
        weft_table_each(self, table, &looking),
        weft_table_lookup_each(self, table, "k", 1, see, NULL),
    };
    int64_t writes[] = {
        weft_table_insert(self, table, "k", 1, "12345678", 8),
        weft_table_insert_u64(self, table, 77, "12345678", 8),
        weft_table_insert_new(self, table, "l", 1, "x", 1),
        weft_table_update_counter(self, table, "k", 1, 1, &initial, NULL),
        weft_table_update_counter_u64(self, table, 77, 1, &initial, NULL),
        weft_table_update(self, table, "k", 1, change, NULL),
        weft_table_delete(self, table, "k", 1),
        weft_table_delete_u64(self, table, 77),
        weft_table_delete_value(self, table, "l", 1, "x", 1),
        weft_table_take(self, table, "k", 1, buffer, 8),
        weft_table_select_delete(self, table, &deleting),
        weft_table_delete_all(self, table),
    };
    attempt->reads = reads[0] == -EACCES ? -EACCES : 0;
    attempt->writes = writes[0] == -EACCES ? -EACCES : 0;
    for (size_t i = 0; i < WEFT_COUNT_OF(reads); i++) {
        if ((reads[i] == -EACCES) != (attempt->reads != 0)) fail_msg("read %zu", i);
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(writes); i++) {
        if ((writes[i] == -EACCES) != (attempt->writes != 0)) fail_msg("write %zu", i);
    }
    attempt->owns = weft_table_set_heir(self, table, 0);
    assert_int_equal(weft_table_give(self, table, weft_self(self)), attempt->owns);
}

static void access_is_as_it_was_made(void **state)
{
    (void)state;
    static struct rig rig;
    rig_open(&rig, 2);
    static const struct {
        uint8_t access;
        int reads, writes; // By others than the owner.
    } cases[] = {
        {WEFT_TABLE_PROTECTED, 0, -EACCES},
        {WEFT_TABLE_PUBLIC, 0, 0},
        {WEFT_TABLE_PRIVATE, -EACCES, -EACCES},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct made made = {.options.access = cases[i].access};
        rig_do(&rig, 0, make, &made);
        struct attempt own = {.table = made.table}, other = own;
        rig_do(&rig, 0, attempt_all, &own);
        rig_do(&rig, 1, attempt_all, &other);
        assert_true(own.reads == 0 && own.writes == 0 && own.owns == 0);
        assert_int_equal(other.reads, cases[i].reads);
        assert_int_equal(other.writes, cases[i].writes);
        assert_int_equal(other.owns, -EACCES);
        rig_do(&rig, 1, drop, &made);
        assert_int_equal(made.result, cases[i].writes);
        rig_do(&rig, 0, drop, &made);
        assert_int_equal(made.result, cases[i].writes == 0 ? -EBADF : 0);
    }
    rig_close(&rig);
}

// ---- Owners and heirs.

struct gift {
    weft_table table;
    weft_pid to;
    int result;
};

static void give(struct weft_actor *self, void *argument)
{
    struct gift *gift = argument;
    gift->result = weft_table_give(self, gift->table, gift->to);
}

static void set_heir(struct weft_actor *self, void *argument)
{
    struct gift *gift = argument;
    gift->result = weft_table_set_heir(self, gift->table, gift->to);
}

static void a_table_goes_where_its_owner_wanted(void **state)
{
    (void)state;
    static struct rig rig;
    static const struct {
        const char *name;
        unsigned owner_core, heir_core;
        bool has_heir, heir_ends_first, is_late, changes_mind;
        bool survives;
    } cases[] = {
        {"no heir", 0, 0, false, false, false, false, false},
        {"an heir", 0, 0, true, false, false, false, true},
        {"an heir elsewhere", 0, 1, true, false, false, false, true},
        {"and the other way", 1, 0, true, false, false, false, true},
        {"an heir that is gone", 0, 0, true, true, false, false, false},
        {"gone elsewhere", 0, 1, true, true, false, false, false},
        {"named later", 0, 1, false, false, true, false, true},
        {"and named no more", 0, 1, true, false, true, true, false},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        rig_open(&rig, 2);
        const weft_pid owner = rig_spawn(&rig, cases[i].owner_core),
                       heir = rig_spawn(&rig, cases[i].heir_core);
        const struct weft_table_options options = {.access = WEFT_TABLE_PUBLIC,
                                                   .heir = cases[i].has_heir ? heir : 0};
        const weft_table table = make_by(&rig, cases[i].owner_core, owner, &options);
        struct gift later = {table, cases[i].changes_mind ? 0 : heir, 0};
        if (cases[i].is_late) rig_order(&rig, cases[i].owner_core, owner, set_heir, &later);
        assert_int_equal(later.result, 0);
        if (cases[i].heir_ends_first) rig_end(&rig, cases[i].heir_core, heir);
        rig_end(&rig, cases[i].owner_core, owner);
        const struct asked asked = look(&rig, table);
        if ((asked.result == 0) != cases[i].survives) fail_msg("%s", cases[i].name);
        if (cases[i].survives) {
            const struct rig_gift *gift = rig_gift_of(&rig, cases[i].heir_core, heir);
            assert_true(gift->count == 1 && gift->last.table == table && gift->last.from == owner);
            assert_true(asked.info.owner == heir && asked.info.row_count == 1);
            rig_end(&rig, cases[i].heir_core, heir); // It is the heir's own now.
            assert_int_equal(look(&rig, table).result, -EBADF);
        }
        rig_settle(&rig);
        for (unsigned core = 0; core < 2; core++)
            assert_int_equal(rig.cores.system[core].messages[0].used_count, 0);
        cores_check_ledger(&rig.cores);
        rig_close(&rig);
    }
}

static void a_gift_is_for_good(void **state)
{
    (void)state;
    static struct rig rig;
    rig_open(&rig, 3);
    const weft_pid owner = rig_spawn(&rig, 0), second = rig_spawn(&rig, 1),
                   third = rig_spawn(&rig, 2), dead = rig_spawn(&rig, 1);
    rig_end(&rig, 1, dead);
    const struct weft_table_options options = {.access = WEFT_TABLE_PROTECTED};
    const weft_table table = make_by(&rig, 0, owner, &options);
    struct gift to_dead = {table, dead, 0}, to_second = {table, second, 0}, again = to_second,
                to_third = {table, third, 0};
    rig_order(&rig, 0, owner, give, &to_dead);
    assert_int_equal(to_dead.result, -ESRCH);
    rig_order(&rig, 0, owner, give, &to_second);
    assert_int_equal(to_second.result, 0);
    rig_order(&rig, 0, owner, give, &again);
    assert_int_equal(again.result, -EACCES);
    rig_settle(&rig);
    assert_int_equal(rig_gift_of(&rig, 1, second)->count, 1);
    assert_true(rig_gift_of(&rig, 1, second)->last.from == owner);
    rig_end(&rig, 0, owner); // It has nothing to do with it any more.
    assert_true(look(&rig, table).info.owner == second);
    rig_order(&rig, 1, second, give, &to_third);
    assert_int_equal(to_third.result, 0);
    rig_settle(&rig);
    rig_end(&rig, 1, second);
    struct made made = {.table = table};
    rig_order(&rig, 2, third, drop, &made);
    assert_int_equal(made.result, 0);
    rig_end(&rig, 2, third);
    rig_close(&rig);
}

// The new owner ends while the table is on its way to it: it goes on to the heir, or away.
static void a_gift_to_one_that_ends(void **state)
{
    (void)state;
    for (unsigned has_heir = 0; has_heir < 2; has_heir++) {
        static struct rig rig;
        rig_open(&rig, 3);
        const weft_pid owner = rig_spawn(&rig, 0), to = rig_spawn(&rig, 1),
                       heir = rig_spawn(&rig, 2);
        const struct weft_table_options options = {.heir = has_heir ? heir : 0};
        const weft_table table = make_by(&rig, 0, owner, &options);
        struct gift gift = {table, to, 0};
        // It ends on its core before core 1 has seen what core 0 has sent.
        assert_int_equal(weft_actor_kill(&rig.cores.system[1], to, WEFT_EXIT_KILLED), 0);
        rig_order(&rig, 0, owner, give, &gift);
        assert_int_equal(gift.result, 0);
        rig_settle(&rig);
        const struct asked asked = look(&rig, table);
        assert_int_equal(asked.result, has_heir ? 0 : -EBADF);
        if (has_heir) {
            assert_true(asked.info.owner == heir);
            assert_int_equal(rig_gift_of(&rig, 2, heir)->count, 1);
            assert_true(rig_gift_of(&rig, 2, heir)->last.from == to);
        }
        rig_close(&rig);
    }
}

// An actor that moves takes its tables along.
static void owners_move(void **state)
{
    (void)state;
    static struct rig rig;
    rig_open(&rig, 2);
    const weft_pid owner = rig_spawn(&rig, 0);
    const struct weft_table_options options = {.access = WEFT_TABLE_PROTECTED};
    const weft_table table = make_by(&rig, 0, owner, &options);
    struct weft_actor *actor = weft_actor_find(&rig.cores.system[0], owner);
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_PINNED;
    assert_int_equal(weft_move_start(actor, 1), 0);
    rig_settle(&rig);
    assert_null(weft_actor_find(&rig.cores.system[0], owner));
    struct attempt attempt = {.table = table};
    rig_order(&rig, 1, owner, attempt_all, &attempt);
    assert_true(attempt.reads == 0 && attempt.writes == 0 && attempt.owns == 0);
    rig_end(&rig, 1, owner);
    assert_int_equal(look(&rig, table).result, -EBADF);
    rig_close(&rig);
}

static void count_infos(const struct weft_table_info *info, void *argument)
{
    assert_int_equal(info->row_count, 1);
    ++*(unsigned *)argument;
}

// Many tables, left behind by their owner: all go, in steps.
static void an_owner_of_many(void **state)
{
    (void)state;
    static struct rig rig;
    rig_open_with(&rig, 2, 1000);
    const size_t before = weft_arena_used_bytes(rig.cores.arena[0]);
    const weft_pid owner = rig_spawn(&rig, 0);
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "table-%u", i);
        const struct weft_table_options options = {
            .name = i % 2 == 0 ? name : NULL, .kind = (uint8_t)(i % 3), .access = (uint8_t)(i % 2)};
        make_by(&rig, 0, owner, &options);
    }
    unsigned count = 0;
    weft_tables_each(&rig.cores.node, count_infos, &count);
    assert_int_equal(count, 1000);
    rig_end(&rig, 0, owner);
    count = 0;
    weft_tables_each(&rig.cores.node, count_infos, &count);
    assert_int_equal(count, 0);
    assert_true(weft_arena_used_bytes(rig.cores.arena[0]) <= before + 4 * 33 * 1024);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_name_one_table),
        cmocka_unit_test(names_are_known_on_every_core),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(access_is_as_it_was_made),
        cmocka_unit_test(a_table_goes_where_its_owner_wanted),
        cmocka_unit_test(a_gift_is_for_good),
        cmocka_unit_test(a_gift_to_one_that_ends),
        cmocka_unit_test(owners_move),
        cmocka_unit_test(an_owner_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
