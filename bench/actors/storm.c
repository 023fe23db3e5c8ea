// storm.c: a hundred thousand end together: with the one that they are linked to, in a chain of
// links, by as many kills that as many monitors tell of. From the cause until the last is gone.
#include <math.h>
#include <stdatomic.h>

#include "bench/actors/rows.h"

enum { READY = 1, DIE, GONE, RUNS = 5, REASON = WEFT_EXIT_USER };

struct crowd { // Of all the actors of one storm; on the stack of the bench, which waits for them.
    weft_pid referee;
    const struct weft_actor_kind *kind; // Of the linked ones.
    uint64_t count;
    _Atomic uint64_t left; // Orders nothing: only the last one matters.
};

struct member {
    struct crowd *crowd;
    uint64_t below; // In a chain: so many follow.
};

static void leave(struct weft_actor *self, void *state, uint16_t reason)
{
    struct crowd *crowd = ((struct member *)state)->crowd;
    (void)reason;
    if (atomic_fetch_sub_explicit(&crowd->left, 1, memory_order_relaxed) == 1)
        weft_send(self, crowd->referee, GONE, NULL, 0);
}

// ---- The hub of a star.

static bool wait_for_the_end(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state;
    if (message->type != DIE) return true;
    weft_stop(self, REASON);
    return false;
}

static void leaf_main(struct weft_actor *self, void *state)
{
    while (wait_for_the_end(self, state, weft_receive(self, WEFT_FOREVER)))
        continue;
}

static void leaf_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    wait_for_the_end(self, state, message);
}

static const struct weft_actor_kind leaf_kinds[2] = {
    {.name = "leaf", .state_bytes = sizeof(struct member), .main = leaf_main, .terminate = leave},
    {.name = "leaf",
     .state_bytes = sizeof(struct member),
     .handle = leaf_handle,
     .terminate = leave}};

static weft_pid spawn_linked(struct weft_actor *self, const struct weft_actor_kind *kind,
                             const struct member *member)
{
    weft_pid pid;
    const struct weft_spawn spawn = {.kind = kind, .state = member};
    CHECK(weft_spawn_link(self, &spawn, &pid) == 0);
    return pid;
}

static void hub_main(struct weft_actor *self, void *state)
{
    const struct member *member = state;
    const struct member leaf = {.crowd = member->crowd};
    for (uint64_t i = 1; i < member->crowd->count; i++) {
        spawn_linked(self, member->crowd->kind, &leaf);
        weft_bench_pace(self, i);
    }
    weft_send(self, member->crowd->referee, READY, NULL, 0);
    leaf_main(self, state);
}

static const struct weft_actor_kind hub_kind = {
    .name = "hub", .state_bytes = sizeof(struct member), .main = hub_main, .terminate = leave};

// ---- A chain: each makes the next.

static void make_next(struct weft_actor *self, const struct member *member)
{
    const struct member next = {.crowd = member->crowd, .below = member->below - 1};
    if (member->below == 0) {
        weft_send(self, member->crowd->referee, READY, NULL, 0);
        return;
    }
    const weft_pid pid = spawn_linked(self, member->crowd->kind, &next);
    if (member->crowd->kind->handle != NULL) weft_send(self, pid, READY, NULL, 0);
}

static void chain_main(struct weft_actor *self, void *state)
{
    make_next(self, state);
    leaf_main(self, state);
}

static void chain_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    if (message->type == READY)
        make_next(self, state);
    else
        wait_for_the_end(self, state, message);
}

static const struct weft_actor_kind chain_kinds[2] = {
    {.name = "chain", .state_bytes = sizeof(struct member), .main = chain_main, .terminate = leave},
    {.name = "chain",
     .state_bytes = sizeof(struct member),
     .handle = chain_handle,
     .terminate = leave}};

// ---- The rows.

static double since_ms(uint64_t begun_ns)
{
    return (double)(weft_bench_actors_now_ns() - begun_ns) / 1e6;
}

static double fell(struct weft_actor *self, struct crowd *crowd,
                   const struct weft_actor_kind *first)
{
    const struct member member = {.crowd = crowd, .below = crowd->count - 1};
    const weft_pid pid = weft_bench_spawn(self, first, &member);
    if (first->handle != NULL) weft_send(self, pid, READY, NULL, 0);
    weft_bench_expect(self, 1); // READY
    const uint64_t begun_ns = weft_bench_actors_now_ns();
    weft_send(self, pid, DIE, NULL, 0);
    weft_bench_expect(self, 1); // GONE
    return since_ms(begun_ns);
}

static double star(struct weft_actor *self, unsigned kind, uint64_t count)
{
    struct crowd crowd = {.referee = weft_self(self), .count = count, .left = count};
    crowd.kind = &leaf_kinds[kind];
    return fell(self, &crowd, &hub_kind);
}

static double chain(struct weft_actor *self, unsigned kind, uint64_t count)
{
    struct crowd crowd = {.referee = weft_self(self), .count = count, .left = count};
    crowd.kind = &chain_kinds[kind];
    return fell(self, &crowd, crowd.kind);
}

static void idle_main(struct weft_actor *self, void *state)
{
    (void)state;
    weft_receive(self, WEFT_FOREVER);
}

static void idle_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state, (void)message;
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static double monitored(struct weft_actor *self, unsigned kind, uint64_t count)
{
    static const struct weft_actor_kind kinds[2] = {{.name = "idle", .main = idle_main},
                                                    {.name = "idle", .handle = idle_handle}};
    const struct weft_spawn spawn = {.kind = &kinds[kind]};
    uint64_t reference;
    weft_pid *pids = weft_alloc(self, count * sizeof(*pids));
    CHECK(pids != NULL);
    for (uint64_t i = 0; i < count; i++) {
        CHECK(weft_spawn_monitor(self, &spawn, &pids[i], &reference) == 0);
        weft_bench_pace(self, i);
    }
    weft_yield(self); // Those made last wait by now, as the others do.
    const uint64_t begun_ns = weft_bench_actors_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        CHECK(weft_kill(self, pids[i]) == 0);
        weft_bench_pace(self, i);
    }
    weft_bench_expect(self, count);
    const double ms = since_ms(begun_ns);
    weft_free(self, pids);
    return ms;
}

void weft_bench_group_storm(struct weft_actor *self)
{
    static const struct {
        const char *row;
        double (*storm)(struct weft_actor *self, unsigned kind, uint64_t count);
        unsigned kind;
        double goal_ms;
    } rows[] = {
        {"exit_storm_star_100k", star, STACKFUL, 10},
        {"exit_storm_star_100k_callback", star, CALLBACK, 10},
        {"exit_storm_chain_100k", chain, STACKFUL, 12},
        {"exit_storm_chain_100k_callback", chain, CALLBACK, 12},
        {"monitor_down_100k", monitored, STACKFUL, 10},
        {"monitor_down_100k_callback", monitored, CALLBACK, 10},
    };
    const uint64_t count = weft_bench_actors_is_quick() ? 5000 : 100000;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double ms = INFINITY;
        if (!weft_bench_actors_wants(rows[i].row)) continue;
        for (unsigned run = 0; run < RUNS; run++)
            ms = fmin(ms, rows[i].storm(self, rows[i].kind, count));
        weft_bench_actors_value(self, rows[i].row, rows[i].goal_ms, ms, "ms");
    }
}
