// Workers on threads of their own in one public table: counters add up exactly, no value is torn, a
// row is taken once, and all memory comes home. Bounded by counts, not by time.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include <weft/weft.h>

#include "runtime/base/assert.h"
#include "runtime/base/prng.h"

#define WORKERS 2
#define ACTORS  4
#define ROUNDS  6000
#define KEYS    300

// A value that can be seen to be whole: words that follow from the first.
struct checked {
    uint64_t words[6];
};

static struct checked make_checked(uint64_t first, unsigned words)
{
    struct checked checked = {{first}};
    for (unsigned i = 1; i < words; i++)
        checked.words[i] = checked.words[i - 1] * 0x9e3779b97f4a7c15 + 1;
    return checked;
}

static void check_whole(const struct checked *checked, size_t bytes)
{
    const unsigned words = (unsigned)(bytes / 8);
    weft_assert(bytes % 8 == 0 && words >= 1 && words <= 6);
    const struct checked expected = make_checked(checked->words[0], words);
    weft_assert(memcmp(checked, &expected, bytes) == 0);
}

struct job {
    weft_table values, counters, tokens; // Tables.
    weft_pid chief;
    unsigned number;
};

struct result {
    int64_t added[KEYS]; // What this actor has added to each counter.
    uint64_t taken;      // Tokens.
};

static enum weft_table_verdict check_row(struct weft_actor *self, const struct weft_table_row *row,
                                         void *argument)
{
    struct checked checked;
    (void)self;
    ++*(uint64_t *)argument;
    weft_assert(row->value_length <= sizeof(checked));
    memcpy(&checked, row->value, row->value_length);
    check_whole(&checked, row->value_length);
    return WEFT_TABLE_CONTINUE;
}

static int renew(void *value, size_t length, void *argument)
{
    struct checked checked;
    (void)argument;
    memcpy(&checked, value, length);
    check_whole(&checked, length); // A copy of one moment.
    checked = make_checked(checked.words[0] + 1, (unsigned)(length / 8));
    memcpy(value, &checked, length);
    return 0;
}

// One of many operations on rows whose values say whether they are whole. Rows come and go, so the
// table grows and shrinks, and its keys are long and short.
static void hammer_values(struct weft_actor *self, const struct job *job, struct weft_prng *prng)
{
    char key[32];
    uint64_t seen = 0;
    struct checked checked;
    const uint32_t number = weft_prng_below(prng, KEYS);
    const size_t length =
        (size_t)snprintf(key, sizeof(key), number % 2 ? "%u" : "a key of some length %u", number);
    const unsigned words = 1 + weft_prng_below(prng, 6);
    checked = make_checked(weft_prng_next(prng), words);
    switch (weft_prng_below(prng, 10)) {
    case 0:
    case 1:
    case 2:
        weft_assert(weft_table_insert(self, job->values, key, length, &checked, 8 * words) == 0);
        break;
    case 3: weft_table_delete(self, job->values, key, length); break;
    case 4: {
        const int result = weft_table_update(self, job->values, key, length, renew, NULL);
        weft_assert(result == 0 || result == -ENOENT);
        break;
    }
    case 5:
        if (weft_prng_below(prng, 40) == 0) {
            const struct weft_table_match match = {.see = check_row, .argument = &seen};
            weft_assert(weft_table_each(self, job->values, &match) == (int64_t)seen);
        }
        break;
    default: {
        const int64_t got =
            weft_table_lookup(self, job->values, key, length, &checked, sizeof(checked));
        weft_assert(got > 0 || got == -ENOENT);
        if (got > 0) check_whole(&checked, (size_t)got);
    }
    }
}

static void hammer(struct weft_actor *self, void *state)
{
    struct job *job = state;
    struct weft_prng prng;
    struct result *result = weft_alloc(self, sizeof(*result));
    const int64_t initial = 0;
    memset(result, 0, sizeof(*result));
    weft_prng_seed(&prng, job->number);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const uint32_t number = weft_prng_below(&prng, KEYS);
        int64_t value, add = weft_prng_below(&prng, 100);
        hammer_values(self, job, &prng);
        // Half of the counters have long names.
        int added;
        if (number % 2 == 0) {
            added =
                weft_table_update_counter_u64(self, job->counters, number, add, &initial, &value);
        } else {
            char key[32];
            const size_t length = (size_t)snprintf(key, sizeof(key), "counter number %u", number);
            added =
                weft_table_update_counter(self, job->counters, key, length, add, &initial, &value);
        }
        weft_assert(added == 0);
        result->added[number] += add;
        // A token is taken by one.
        uint64_t token = weft_prng_below(&prng, ROUNDS);
        uint8_t key[8];
        for (unsigned n = 0; n < 8; n++)
            key[n] = (uint8_t)(token >> (56 - 8 * n));
        result->taken += weft_table_take(self, job->tokens, key, 8, &token, 8) == 8;
    }
    weft_send(self, job->chief, 1, result, sizeof(*result));
}

static const struct weft_actor_kind hammer_kind = {
    .name = "hammer", .state_bytes = sizeof(struct job), .main = hammer};

static weft_table new_table(struct weft_actor *self, uint8_t kind)
{
    weft_table table;
    const struct weft_table_options options = {.kind = kind, .access = WEFT_TABLE_PUBLIC};
    weft_assert(weft_table_new(self, &options, &table) == 0);
    return table;
}

static int64_t counter_of(struct weft_actor *self, weft_table table, uint32_t number)
{
    char key[32];
    int64_t value = 0;
    const size_t length = (size_t)snprintf(key, sizeof(key), "counter number %u", number);
    if (number % 2 == 0)
        weft_table_lookup_u64(self, table, number, &value, sizeof(value));
    else
        weft_table_lookup(self, table, key, length, &value, sizeof(value));
    return value;
}

static void chief_of(struct weft_actor *self, uint8_t kind)
{
    struct job job = {.values = new_table(self, kind),
                      .counters = new_table(self, kind),
                      .tokens = new_table(self, kind),
                      .chief = weft_self(self)};
    static int64_t added[KEYS];
    uint64_t taken = 0;
    struct weft_table_info info;
    memset(added, 0, sizeof(added));
    for (uint64_t i = 0; i < ROUNDS; i++)
        weft_assert(weft_table_insert_u64(self, job.tokens, i, &i, sizeof(i)) == 0);
    for (job.number = 0; job.number < ACTORS; job.number++) {
        weft_pid pid;
        const struct weft_spawn spawn = {.kind = &hammer_kind,
                                         .state = &job,
                                         .core = (uint16_t)(job.number % WORKERS),
                                         .pinned = true};
        weft_assert(weft_spawn(self, &spawn, &pid) == 0);
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        struct result result;
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        weft_assert(message->length == sizeof(result));
        memcpy(&result, message->payload, sizeof(result));
        for (unsigned n = 0; n < KEYS; n++)
            added[n] += result.added[n];
        taken += result.taken;
    }
    for (uint32_t n = 0; n < KEYS; n++)
        weft_assert(counter_of(self, job.counters, n) == added[n]);
    weft_assert(weft_table_info(self, job.tokens, &info) == 0);
    weft_assert(info.row_count == ROUNDS - taken);
    // What is counted is what is there.
    uint64_t seen = 0;
    const struct weft_table_match match = {.see = check_row, .argument = &seen};
    weft_assert(weft_table_info(self, job.values, &info) == 0);
    weft_assert(weft_table_each(self, job.values, &match) == (int64_t)info.row_count);
    weft_assert(weft_table_drop(self, job.values) == 0);
    weft_assert(weft_table_drop(self, job.counters) == 0);
    weft_assert(weft_table_drop(self, job.tokens) == 0);
}

static void chief(struct weft_actor *self, void *state)
{
    (void)state;
    chief_of(self, WEFT_TABLE_SET);
    chief_of(self, WEFT_TABLE_ORDERED);
}

static const struct weft_actor_kind chief_kind = {.name = "chief", .main = chief};

static void run(bool moves_always)
{
    const struct weft_runtime_options options = {.worker_count = WORKERS,
                                                 .floats = true,
                                                 .arena_bytes = (size_t)64 << 20,
                                                 .actor_count_max = 1024,
                                                 .stack_count_max = 64,
                                                 .moves_always = moves_always};
    const struct weft_spawn first = {.kind = &chief_kind};
    uint16_t reason = WEFT_EXIT_FAULT;
    struct weft_runtime *runtime = weft_runtime_create(&options, NULL);
    assert_non_null(runtime);
    assert_int_equal(weft_runtime_run(runtime, &first, &reason), 0);
    assert_int_equal(reason, WEFT_EXIT_NORMAL);
    weft_runtime_free(runtime);
}

static void nothing_is_torn_or_lost(void **state)
{
    (void)state;
    run(false);
}

// ---- Readers of an owner's table, which it changes all the time, while it moves.

static void read_protected(struct weft_actor *self, void *state)
{
    const struct job *job = state;
    struct weft_prng prng;
    weft_prng_seed(&prng, job->number);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct checked checked;
        const int64_t got = weft_table_lookup_u64(self, job->values, weft_prng_below(&prng, KEYS),
                                                  &checked, sizeof(checked));
        weft_assert(got > 0 || got == -ENOENT);
        if (got > 0) check_whole(&checked, (size_t)got);
        weft_assert(weft_table_insert_u64(self, job->values, 1, "12345678", 8) == -EACCES);
    }
    weft_send(self, job->chief, 1, NULL, 0);
}

static const struct weft_actor_kind reader_kind = {
    .name = "reader", .state_bytes = sizeof(struct job), .main = read_protected};

static void write_protected(struct weft_actor *self, uint8_t kind)
{
    struct job job = {.chief = weft_self(self)};
    const struct weft_table_options options = {.kind = kind};
    struct weft_prng prng;
    weft_assert(weft_table_new(self, &options, &job.values) == 0);
    for (job.number = 0; job.number < ACTORS; job.number++) {
        weft_pid pid;
        const struct weft_spawn spawn = {
            .kind = &reader_kind, .state = &job, .core = (uint16_t)(job.number % WORKERS)};
        weft_assert(weft_spawn(self, &spawn, &pid) == 0);
    }
    weft_prng_seed(&prng, 99);
    for (unsigned done = 0; done < ACTORS;) {
        const uint64_t key = weft_prng_below(&prng, KEYS);
        const unsigned words = 1 + weft_prng_below(&prng, 6);
        const struct checked checked = make_checked(weft_prng_next(&prng), words);
        if (weft_prng_below(&prng, 3) == 0)
            weft_table_delete_u64(self, job.values, key);
        else
            weft_assert(weft_table_insert_u64(self, job.values, key, &checked, 8 * words) == 0);
        while (weft_receive(self, 0) != NULL)
            done++;
    }
    weft_assert(weft_table_drop(self, job.values) == 0);
}

static void protected_main(struct weft_actor *self, void *state)
{
    (void)state;
    write_protected(self, WEFT_TABLE_SET);
    write_protected(self, WEFT_TABLE_ORDERED);
}

static const struct weft_actor_kind protected_kind = {.name = "owner", .main = protected_main};

static void readers_see_whole_values_of_an_owner_that_moves(void **state)
{
    (void)state;
    const struct weft_runtime_options options = {.worker_count = WORKERS,
                                                 .floats = true,
                                                 .arena_bytes = (size_t)64 << 20,
                                                 .actor_count_max = 1024,
                                                 .stack_count_max = 64,
                                                 .moves_always = true};
    const struct weft_spawn first = {.kind = &protected_kind};
    uint16_t reason = WEFT_EXIT_FAULT;
    struct weft_runtime *runtime = weft_runtime_create(&options, NULL);
    assert_non_null(runtime);
    assert_int_equal(weft_runtime_run(runtime, &first, &reason), 0);
    assert_int_equal(reason, WEFT_EXIT_NORMAL);
    weft_runtime_free(runtime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_torn_or_lost),
        cmocka_unit_test(readers_see_whole_values_of_an_owner_that_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
