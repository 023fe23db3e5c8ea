// savina.c: six programs in the manner of Savina (Imam and Sarkar, AGERE 2014), with the sizes of
// the peers' programs.
#include <math.h>
#include <string.h>

#include "bench/actors/rows.h"

enum { GO = 1, STOP, GET, INC, RESULT, DONE, MEET, MET, PING, PONG, HUNGRY, FULL, YES, NO };

static void send_number(struct weft_actor *self, weft_pid to, uint16_t type, uint64_t number)
{
    weft_send(self, to, type, &number, sizeof(number));
}

static uint64_t number_in(const struct weft_message *message)
{
    uint64_t number;
    CHECK(message->length == sizeof(number));
    memcpy(&number, message->payload, sizeof(number));
    return number;
}

// ---- Counting: one actor counts what another sends.

static bool count_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    uint64_t *total = state;
    if (message->type == INC) {
        ++*total;
        return true;
    }
    send_number(self, message->from, RESULT, *total);
    return false;
}

TWO_KINDS(counter, count_step, sizeof(uint64_t));

static void do_counting(struct weft_actor *self, unsigned kind, uint64_t count)
{
    const weft_pid counter = weft_bench_spawn(self, &counter_kinds[kind], NULL);
    for (uint64_t i = 0; i < count; i++)
        weft_send(self, counter, INC, NULL, 0);
    weft_send(self, counter, GET, NULL, 0);
    CHECK(number_in(weft_receive(self, WEFT_FOREVER)) == count);
}

// ---- Fork-join: many actors, each of which computes a little and says so.

static bool fork_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    volatile double angle = 37.2;
    const double sine = sin(angle);
    (void)state;
    weft_send(self, message->from, RESULT, &sine, sizeof(sine));
    return false;
}

TWO_KINDS(fork, fork_step, 0);

static void do_fork_join(struct weft_actor *self, unsigned kind, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        weft_send(self, weft_bench_spawn(self, &fork_kinds[kind], NULL), GO, NULL, 0);
    weft_bench_expect(self, count);
}

// ---- Fib: each actor makes two more and adds what they say. fib(n) takes 2 fib(n) - 1 of them.

struct fib {
    weft_pid parent;
    uint64_t n, sum;
    unsigned heard;
};

static void fib_main(struct weft_actor *self, void *state);

static const struct weft_actor_kind fib_kind = {
    .name = "fib", .state_bytes = sizeof(struct fib), .main = fib_main};

static void fib_main(struct weft_actor *self, void *state)
{
    const struct fib *fib = state;
    uint64_t sum = 1;
    if (fib->n > 2) {
        struct fib below = {.parent = weft_self(self), .n = fib->n - 1};
        weft_bench_spawn(self, &fib_kind, &below);
        below.n--;
        weft_bench_spawn(self, &fib_kind, &below);
        sum = number_in(weft_receive(self, WEFT_FOREVER));
        sum += number_in(weft_receive(self, WEFT_FOREVER));
    }
    send_number(self, fib->parent, RESULT, sum);
}

static void fib_handle(struct weft_actor *self, void *state, struct weft_message *message);

static const struct weft_actor_kind fib_callback_kind = {
    .name = "fib", .state_bytes = sizeof(struct fib), .handle = fib_handle};

// A callback actor has to be told to begin.
static void begin_fib(struct weft_actor *self, weft_pid parent, uint64_t n)
{
    const struct fib fib = {.parent = parent, .n = n};
    weft_send(self, weft_bench_spawn(self, &fib_callback_kind, &fib), GO, NULL, 0);
}

static void fib_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct fib *fib = state;
    if (message->type == GO && fib->n > 2) {
        begin_fib(self, weft_self(self), fib->n - 1);
        begin_fib(self, weft_self(self), fib->n - 2);
        return;
    }
    fib->sum += message->type == GO ? 1 : number_in(message);
    if (message->type != GO && ++fib->heard < 2) return;
    send_number(self, fib->parent, RESULT, fib->sum);
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static void fib(struct weft_actor *self, uint64_t count)
{
    const bool small = weft_bench_actors_is_quick();
    const struct fib fib = {.parent = weft_self(self), .n = small ? 17 : 23};
    (void)count;
    weft_bench_spawn(self, &fib_kind, &fib);
    CHECK(number_in(weft_receive(self, WEFT_FOREVER)) == (small ? 1597 : 28657));
}

static void fib_callback(struct weft_actor *self, uint64_t count)
{
    const bool small = weft_bench_actors_is_quick();
    (void)count;
    begin_fib(self, weft_self(self), small ? 17 : 23);
    CHECK(number_in(weft_receive(self, WEFT_FOREVER)) == (small ? 1597 : 28657));
}

// ---- Big: 120 actors, each of which pings the others at random, one at a time.

enum { BIG_ACTORS = 120 };

struct big {
    weft_pid referee;
    const weft_pid *all; // Of the bench, which outlives them.
    uint64_t left;
    uint32_t random;
};

static void ping_somebody(struct weft_actor *self, struct big *big)
{
    big->random = big->random * 1103515245 + 12345;
    weft_send(self, big->all[(big->random >> 8) % BIG_ACTORS], PING, NULL, 0);
}

static bool big_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct big *big = state;
    switch (message->type) {
    case GO: ping_somebody(self, big); return true;
    case PING: weft_send(self, message->from, PONG, NULL, 0); return true;
    case PONG:
        if (--big->left > 0)
            ping_somebody(self, big);
        else
            weft_send(self, big->referee, DONE, NULL, 0);
        return true;
    default: return false;
    }
}

TWO_KINDS(big, big_step, sizeof(struct big));

static void do_big(struct weft_actor *self, unsigned kind, uint64_t count)
{
    weft_pid all[BIG_ACTORS];
    struct big big = {.referee = weft_self(self), .all = all, .left = count / BIG_ACTORS};
    for (uint32_t i = 0; i < BIG_ACTORS; i++) {
        big.random = i + 1;
        all[i] = weft_bench_spawn(self, &big_kinds[kind], &big);
    }
    for (unsigned i = 0; i < BIG_ACTORS; i++)
        weft_send(self, all[i], GO, NULL, 0);
    weft_bench_expect(self, BIG_ACTORS);
    for (unsigned i = 0; i < BIG_ACTORS; i++)
        weft_send(self, all[i], STOP, NULL, 0);
}

// ---- Chameneos: a hundred creatures meet two by two, through one broker.

enum { CREATURES = 100 };

struct broker {
    weft_pid referee, waits;
    uint64_t left;
};

static bool broker_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct broker *broker = state;
    if (broker->waits == 0) {
        broker->waits = message->from;
        return true;
    }
    weft_send(self, broker->waits, MET, NULL, 0);
    weft_send(self, message->from, MET, NULL, 0);
    broker->waits = 0;
    if (--broker->left > 0) return true;
    weft_send(self, broker->referee, DONE, NULL, 0);
    return false;
}

TWO_KINDS(broker, broker_step, sizeof(struct broker));

static bool creature_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    if (message->type == STOP) return false;
    weft_send(self, *(weft_pid *)state, MEET, NULL, 0); // At the end: to nobody.
    return true;
}

TWO_KINDS(creature, creature_step, sizeof(weft_pid));

static void do_chameneos(struct weft_actor *self, unsigned kind, uint64_t count)
{
    weft_pid creatures[CREATURES];
    const struct broker state = {.referee = weft_self(self), .left = count};
    const weft_pid broker = weft_bench_spawn(self, &broker_kinds[kind], &state);
    for (unsigned i = 0; i < CREATURES; i++) {
        creatures[i] = weft_bench_spawn(self, &creature_kinds[kind], &broker);
        weft_send(self, creatures[i], GO, NULL, 0);
    }
    weft_bench_expect(self, 1);
    for (unsigned i = 0; i < CREATURES; i++)
        weft_send(self, creatures[i], STOP, NULL, 0);
}

// ---- Philosophers: twenty round a table, and one who gives out the forks.

enum { SEATS = 20 };

struct table {
    bool taken[SEATS];
};

static bool table_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct table *table = state;
    if (message->type == STOP) return false;
    const uint64_t left = number_in(message), right = (left + 1) % SEATS;
    if (message->type == FULL) {
        table->taken[left] = table->taken[right] = false;
    } else if (table->taken[left] || table->taken[right]) {
        weft_send(self, message->from, NO, NULL, 0);
    } else {
        table->taken[left] = table->taken[right] = true;
        weft_send(self, message->from, YES, NULL, 0);
    }
    return true;
}

TWO_KINDS(table, table_step, sizeof(struct table));

struct philosopher {
    weft_pid referee, table;
    uint64_t seat, meals;
};

static bool philosopher_step(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct philosopher *who = state;
    if (message->type == YES) {
        send_number(self, who->table, FULL, who->seat);
        if (--who->meals == 0) {
            weft_send(self, who->referee, DONE, NULL, 0);
            return false;
        }
    }
    send_number(self, who->table, HUNGRY, who->seat);
    return true;
}

TWO_KINDS(philosopher, philosopher_step, sizeof(struct philosopher));

static void do_philosophers(struct weft_actor *self, unsigned kind, uint64_t count)
{
    const weft_pid table = weft_bench_spawn(self, &table_kinds[kind], NULL);
    struct philosopher who = {
        .referee = weft_self(self), .table = table, .meals = (count + SEATS - 1) / SEATS};
    for (who.seat = 0; who.seat < SEATS; who.seat++)
        weft_send(self, weft_bench_spawn(self, &philosopher_kinds[kind], &who), GO, NULL, 0);
    weft_bench_expect(self, SEATS);
    weft_send(self, table, STOP, NULL, 0);
}

TWO_ROWS(counting, do_counting);
TWO_ROWS(fork_join, do_fork_join);
TWO_ROWS(big, do_big);
TWO_ROWS(chameneos, do_chameneos);
TWO_ROWS(philosophers, do_philosophers);

void weft_bench_group_savina(struct weft_actor *self)
{
    static const struct {
        const char *row;
        double goal_ns;
        weft_bench_work *work;
        uint64_t count;
    } rows[] = {
        {"sav_counting_1M", 9, counting, 1000000},
        {"sav_counting_1M_callback", 9, counting_callback, 1000000},
        {"sav_fjcreate_40k", 150, fork_join, 40000},
        {"sav_fjcreate_40k_callback", 150, fork_join_callback, 40000},
        {"sav_fib_23", 60, fib, 92735},
        {"sav_fib_23_callback", 60, fib_callback, 92735},
        {"sav_big_120x2000", 45, big, 240000},
        {"sav_big_120x2000_callback", 45, big_callback, 240000},
        {"sav_chameneos_100x200k", 85, chameneos, 200000},
        {"sav_chameneos_100x200k_callback", 85, chameneos_callback, 200000},
        {"sav_philosophers_20x5k", 80, philosophers, 100000},
        {"sav_philosophers_20x5k_callback", 80, philosophers_callback, 100000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        weft_bench_actors_row(self, rows[i].row, rows[i].goal_ns, rows[i].work, rows[i].count);
}
