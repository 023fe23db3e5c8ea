// otp.c: servers that are called, and a supervisor whose child is killed.
#include <string.h>

#include "bench/actors/rows.h"

enum { INCREMENT = 1, UP, DONE };

// ---- A server.

static void answer(struct weft_actor *self, void *state, struct weft_message *call)
{
    uint64_t *count = state;
    const uint64_t before = (*count)++;
    weft_reply(self, call, INCREMENT, &before, sizeof(before));
}

static void note(struct weft_actor *self, void *state, struct weft_message *cast)
{
    (void)self, (void)cast;
    ++*(uint64_t *)state;
}

static const struct weft_server counter = {WEFT_SERVER("counter", uint64_t), .call = answer,
                                           .cast = note};

static weft_pid start_counter(struct weft_actor *self)
{
    weft_pid pid;
    CHECK(weft_server_start(self, &(struct weft_start){.server = &counter}, &pid) == 0);
    return pid;
}

static void stop_counter(struct weft_actor *self, weft_pid pid)
{
    CHECK(weft_server_stop(self, pid, WEFT_EXIT_NORMAL, WEFT_FOREVER) == 0);
}

static uint64_t call_it(struct weft_actor *self, weft_pid pid)
{
    struct weft_message *reply;
    uint64_t value;
    CHECK(weft_call(self, pid, INCREMENT, NULL, 0, WEFT_FOREVER, &reply) == 0);
    memcpy(&value, reply->payload, sizeof(value));
    return value;
}

static void call(struct weft_actor *self, uint64_t count)
{
    const weft_pid pid = start_counter(self);
    for (uint64_t i = 0; i < count; i++)
        CHECK(call_it(self, pid) == i);
    stop_counter(self, pid);
}

static void cast(struct weft_actor *self, uint64_t count)
{
    const weft_pid pid = start_counter(self);
    for (uint64_t i = 0; i < count; i++)
        weft_cast(self, pid, INCREMENT, NULL, 0);
    CHECK(call_it(self, pid) == count);
    stop_counter(self, pid);
}

struct client {
    weft_pid server, referee;
    uint64_t count;
};

static void call_often(struct weft_actor *self, void *state)
{
    const struct client *client = state;
    for (uint64_t i = 0; i < client->count; i++)
        call_it(self, client->server);
    weft_send(self, client->referee, DONE, NULL, 0);
}

static const struct weft_actor_kind client_kind = {
    .name = "client", .state_bytes = sizeof(struct client), .main = call_often};

static void call_by_many(struct weft_actor *self, uint64_t count)
{
    const struct client client = {
        .server = start_counter(self), .referee = weft_self(self), .count = count / 100};
    for (unsigned i = 0; i < 100; i++)
        weft_bench_spawn(self, &client_kind, &client);
    weft_bench_expect(self, 100);
    stop_counter(self, client.server);
}

void weft_bench_group_call(struct weft_actor *self)
{
    weft_bench_actors_row(self, "genserver_call", 50, call, 200000);
    weft_bench_actors_row(self, "genserver_call_100clients", 50, call_by_many, 200000);
    weft_bench_actors_row(self, "genserver_cast", 12, cast, 200000);
}

// ---- A supervisor. Its child says that it is up; then it is killed.

static int say_up(struct weft_actor *self, void *state, const void *args, size_t length)
{
    weft_pid referee;
    (void)state;
    CHECK(length == sizeof(referee));
    memcpy(&referee, args, sizeof(referee));
    return weft_send(self, referee, UP, NULL, 0);
}

static const struct weft_server mortal = {WEFT_SERVER("mortal", uint64_t), .init = say_up};

static weft_pid await_up(struct weft_actor *self)
{
    const struct weft_message *up = weft_receive(self, WEFT_FOREVER);
    CHECK(up != NULL && up->tag == WEFT_MESSAGE_USER && up->type == UP);
    return up->from;
}

static void restart(struct weft_actor *self, uint64_t count)
{
    const weft_pid referee = weft_self(self);
    const struct weft_child child = {
        .id = "mortal", .server = &mortal, .args = &referee, .length = sizeof(referee)};
    const struct weft_supervisor_spec spec = {.children = &child,
                                              .child_count = 1,
                                              .restart_max = 1u << 20,
                                              .period_ns = 1000000,
                                              .quiet = true};
    weft_pid supervisor;
    CHECK(weft_supervisor_start(self, &spec, &supervisor) == 0);
    weft_pid pid = await_up(self);
    for (uint64_t i = 0; i < count; i++) {
        CHECK(weft_kill(self, pid) == 0);
        pid = await_up(self);
    }
    stop_counter(self, supervisor);
}

void weft_bench_group_super(struct weft_actor *self)
{
    weft_bench_actors_row(self, "supervisor_restart", 300, restart, 200000);
}
