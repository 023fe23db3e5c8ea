// table.c: tables at a million rows of scattered 32-bit keys, as the peers' `ets` and maps.
#include <string.h>

#include "bench/actors/rows.h"

#define ROWS 1000000

static uint64_t scattered(uint64_t number)
{
    return number * 2654435761u & 0xffffffff;
}

static weft_table make(struct weft_actor *self, uint8_t kind)
{
    const struct weft_table_options options = {.kind = kind, .access = WEFT_TABLE_PUBLIC};
    weft_table table;
    CHECK(weft_table_new(self, &options, &table) == 0);
    return table;
}

static void fill(struct weft_actor *self, weft_table table, uint64_t count)
{
    for (uint64_t n = count; n > 0; n--)
        CHECK(weft_table_insert_u64(self, table, scattered(n), &n, sizeof(n)) == 0);
}

static void insert(struct weft_actor *self, uint64_t count)
{
    const weft_table table = make(self, WEFT_TABLE_SET);
    fill(self, table, count);
    CHECK(weft_table_drop(self, table) == 0);
}

// ---- A table that is there: the rows below share it.

static weft_table filled; // The bench's own: one actor at a time measures.
static uint64_t rows_filled;

static void lookup(struct weft_actor *self, uint64_t count)
{
    for (uint64_t n = count; n > 0; n--) {
        uint64_t value;
        CHECK(weft_table_lookup_u64(self, filled, scattered(n), &value, sizeof(value)) == 8);
    }
}

// The keys of the peers are scattered, but evenly: who keeps rows in the order in which they came
// finds each beside the one before. Here the order has nothing to do with that of the inserts.
static void lookup_random(struct weft_actor *self, uint64_t count)
{
    uint64_t seed = 42; // Lehmer's generator: the peers have no more than 64 bits for it.
    for (uint64_t n = count; n > 0; n--) {
        uint64_t value;
        seed = seed * 16807 % 2147483647;
        CHECK(weft_table_lookup_u64(self, filled, scattered(seed % rows_filled + 1), &value,
                                    sizeof(value)) == 8);
    }
}

static void lookup_many(struct weft_actor *self, uint64_t count)
{
    enum { BATCH = 64 };
    for (uint64_t n = count; n > 0;) {
        uint64_t keys[BATCH], values[BATCH], batch = n < BATCH ? n : BATCH;
        for (uint64_t i = 0; i < batch; i++)
            keys[i] = scattered(n--);
        CHECK(weft_table_lookup_many(self, filled, keys, batch, values, 8, NULL) == (int64_t)batch);
    }
}

static void count_up(struct weft_actor *self, uint64_t count)
{
    for (uint64_t n = count; n > 0; n--) {
        int64_t value;
        CHECK(weft_table_update_counter_u64(self, filled, scattered(n), 1, NULL, &value) == 0);
    }
}

static enum weft_table_verdict look(struct weft_actor *self, const struct weft_table_row *row,
                                    void *argument)
{
    (void)self;
    *(uint64_t *)argument += row->value_length;
    return WEFT_TABLE_CONTINUE;
}

static void each(struct weft_actor *self, uint64_t count)
{
    uint64_t bytes = 0;
    const struct weft_table_match all = {.see = look, .argument = &bytes};
    CHECK(weft_table_each(self, filled, &all) == (int64_t)count && bytes == 8 * count);
}

// ---- Two at a time.

struct job {
    weft_table table;
    weft_pid referee;
    uint64_t count, offset;
};

static void mix(struct weft_actor *self, void *state)
{
    const struct job *job = state;
    for (uint64_t n = job->count; n > 0; n--) {
        const uint64_t key = scattered(n + job->offset);
        uint64_t value;
        if (n % 10 == 0)
            CHECK(weft_table_insert_u64(self, job->table, key, &n, sizeof(n)) == 0);
        else
            weft_table_lookup_u64(self, job->table, key, &value, sizeof(value));
    }
    weft_send(self, job->referee, 1, NULL, 0);
}

static const struct weft_actor_kind mix_kind = {
    .name = "mix", .state_bytes = sizeof(struct job), .main = mix};

static void two_procs(struct weft_actor *self, uint64_t count)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct job job = {filled, weft_self(self), count / 2, i == 0 ? 7 : 13};
        const struct weft_spawn spawn = {.kind = &mix_kind,
                                         .state = &job,
                                         .core = (uint16_t)(i % weft_bench_actors_cores()),
                                         .pinned = true};
        weft_pid pid;
        CHECK(weft_spawn(self, &spawn, &pid) == 0);
    }
    weft_bench_expect(self, 2);
}

void weft_bench_group_ets(struct weft_actor *self)
{
    rows_filled = weft_bench_actors_is_quick() ? ROWS / 20 + 1 : ROWS;
    struct weft_table_info info;
    weft_bench_actors_row(self, "ets_set_insert_1M", 90, insert, ROWS);
    filled = make(self, WEFT_TABLE_SET);
    fill(self, filled, rows_filled);
    weft_bench_actors_row(self, "ets_set_lookup_1M", 45, lookup, ROWS);
    weft_bench_actors_row(self, "ets_set_lookup_random", 0, lookup_random, ROWS);
    weft_bench_actors_row(self, "ets_set_lookup_many", 0, lookup_many, ROWS);
    weft_bench_actors_row(self, "ets_set_each", 0, each, ROWS);
    weft_bench_actors_row(self, "ets_update_counter", 50, count_up, ROWS);
    CHECK(weft_table_info(self, filled, &info) == 0);
    weft_bench_actors_value(self, "ets_bytes_per_row", 32,
                            (double)info.bytes / (double)info.row_count, "bytes");
    const weft_table set = filled;
    filled = make(self, WEFT_TABLE_ORDERED);
    fill(self, filled, rows_filled);
    weft_bench_actors_row(self, "ets_ordered_lookup_1M", 80, lookup, ROWS);
    weft_bench_actors_row(self, "ets_ordered_lookup_random", 0, lookup_random, ROWS);
    weft_bench_actors_row(self, "ets_ordered_each", 0, each, ROWS);
    CHECK(weft_table_info(self, filled, &info) == 0);
    weft_bench_actors_value(self, "ets_ordered_bytes_per_row", 32,
                            (double)info.bytes / (double)info.row_count, "bytes");
    CHECK(weft_table_drop(self, filled) == 0);
    filled = set;
    weft_bench_actors_row(self, "ets_conc_2procs_90r10w", 100, two_procs, 2 * ROWS);
    CHECK(weft_table_drop(self, filled) == 0);
}
