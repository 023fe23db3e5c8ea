// Two cores on two threads: calls, spawns, links, moves and random lives, for so many times and not
// for so long. At the end the threads stand still, the ledger adds up and all memory is home.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <sched.h>

#include "runtime/sched/core_thread.h"
#include "runtime/sched/sleeper_epoll.h"
#include "tests/unit/actor/lives.h"

struct threads {
    struct cores cores;
    struct weft_core_thread thread[2];
    struct weft_sleeper_epoll sleeper[2];
    _Atomic unsigned finished;
};

static struct threads all;

static void threads_prepare(void)
{
    memset(&all, 0, sizeof(all));
    cores_open(&all.cores, 2, 1024);
    all.cores.clock = weft_clock_linux();
}

// Runs what has been spawned until `count` have finished; then everything ends.
static void threads_run(_Atomic unsigned *finished, unsigned count)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(weft_sleeper_epoll_open(&all.sleeper[i]), 0);
        all.cores.core[i]->sleeper = weft_sleeper_epoll_interface(&all.sleeper[i]);
        all.cores.core[i]->idle_polls = 20; // Two cores and a waiter may share one CPU.
        all.thread[i].core = all.cores.core[i];
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(weft_core_thread_start(&all.thread[i]), 0);
    while (atomic_load(finished) < count)
        sched_yield();
    for (unsigned i = 0; i < 2; i++)
        weft_core_thread_halt(&all.thread[i]);
    for (unsigned i = 0; i < 2; i++) {
        weft_core_thread_stop(&all.thread[i]);
        weft_sleeper_epoll_close(&all.sleeper[i]);
    }
}

static void kill_all(const weft_pid *pids, unsigned count)
{
    all.cores.node.moves_always = false;
    cores_settle(&all.cores); // What was on its way.
    for (unsigned i = 0; i < count; i++) {
        if (play_find(&all.cores, pids[i]) != NULL) play_kill(&all.cores, pids[i]);
    }
    play_close(&all.cores);
}

static void finish(void)
{
    atomic_fetch_add(&all.finished, 1);
}

// ---- Ping-pong, pinned: no wake-up is lost.

#define ROUNDS 3000

struct player {
    weft_pid other;
    uint64_t count;
    bool serves;
};

static void play_ball(struct weft_actor *self, void *context)
{
    struct player *player = context;
    weft_pin(self, true);
    if (player->serves) weft_send(self, player->other, 1, &player->count, sizeof(player->count));
    while (player->count < ROUNDS) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        uint64_t number;
        memcpy(&number, message->payload, sizeof(number));
        weft_assert(number == player->count);
        player->count++;
        number += !player->serves ? 0 : 1;
        weft_send(self, message->from, 1, &number, sizeof(number));
    }
    finish();
    weft_sleep(self, WEFT_FOREVER);
}

static void two_play_across_threads(void **state)
{
    (void)state;
    struct player players[8] = {{0}};
    weft_pid pids[8];
    threads_prepare();
    for (unsigned i = 0; i < 8; i++)
        pids[i] = play_body_on(&all.cores, i % 2, play_ball, &players[i]);
    for (unsigned i = 0; i < 8; i++) {
        players[i].other = pids[i ^ 1];
        players[i].serves = i % 2 == 0;
    }
    threads_run(&all.finished, 8);
    kill_all(pids, 8);
}

// ---- Calls to both cores, with time-outs that are met and some that are not.

#define CALLS   500
#define CLIENTS 4

struct client {
    weft_pid servers[2];
    unsigned answered, late;
};

static void serve(struct weft_actor *self, void *context, struct weft_message *call)
{
    (void)context;
    if (call->tag != WEFT_MESSAGE_CALL) return;
    if (call->type % 50 == 49) weft_sleep(self, 2 * WEFT_NS_PER_MS); // Too long for some.
    weft_reply(self, call, call->type, call->payload, call->length);
}

static void ask_often(struct weft_actor *self, void *context)
{
    struct client *client = context;
    struct weft_message *answer;
    for (uint16_t i = 0; i < CALLS; i++) {
        const uint64_t number = i;
        const int result = weft_call(self, client->servers[i % 2], i, &number, sizeof(number),
                                     i % 3 == 0 ? WEFT_NS_PER_MS : WEFT_FOREVER, &answer);
        weft_assert(result == 0 || result == -ETIMEDOUT);
        if (result == 0) weft_assert(memcmp(answer->payload, &number, sizeof(number)) == 0);
        client->answered += result == 0;
        client->late += result != 0;
    }
    finish();
}

static void calls_cross_threads(void **state)
{
    (void)state;
    struct client clients[CLIENTS] = {{{0}}};
    weft_pid servers[2];
    threads_prepare();
    for (unsigned i = 0; i < 2; i++)
        servers[i] = play_hand_on(&all.cores, i, serve, NULL);
    for (unsigned i = 0; i < CLIENTS; i++) {
        memcpy(clients[i].servers, servers, sizeof(servers));
        play_body_on(&all.cores, i % 2, ask_often, &clients[i]);
    }
    threads_run(&all.finished, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++)
        assert_int_equal(clients[i].answered + clients[i].late, CALLS);
    kill_all(servers, 2);
}

// ---- Children, born here and there, linked and monitored; each end is told once.

#define CHILDREN 400

struct parent {
    unsigned downs, exits;
    uint16_t other;
};

static void live_a_little(struct weft_actor *self, void *context)
{
    (void)context;
    weft_yield(self);
    if (weft_pid_slot(weft_self(self)) % 3 == 0) weft_exit(self, WEFT_EXIT_USER);
}

static void raise(struct weft_actor *self, void *context)
{
    struct parent *parent = context;
    weft_trap_exit(self, true);
    for (unsigned i = 0; i < CHILDREN; i++) {
        struct play_role role;
        struct weft_spawn spawn = play_as(&role, live_a_little, NULL, NULL);
        weft_pid pid;
        uint64_t reference;
        spawn.core = i % 3 == 0 ? 1 : 0;
        const int result = i % 2 ? weft_spawn_link(self, &spawn, &pid)
                                 : weft_spawn_monitor(self, &spawn, &pid, &reference);
        weft_assert(result == 0);
        while (parent->downs + parent->exits + 50 < i) {
            const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
            parent->downs += message->tag == WEFT_MESSAGE_DOWN;
            parent->exits += message->tag == WEFT_MESSAGE_EXIT;
        }
    }
    while (parent->downs + parent->exits < CHILDREN) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        parent->downs += message->tag == WEFT_MESSAGE_DOWN;
        parent->exits += message->tag == WEFT_MESSAGE_EXIT;
    }
    finish();
}

static void every_end_is_told_once(void **state)
{
    (void)state;
    struct parent parents[2] = {{0}};
    threads_prepare();
    for (unsigned i = 0; i < 2; i++)
        play_body_on(&all.cores, i, raise, &parents[i]);
    threads_run(&all.finished, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(parents[i].downs, CHILDREN / 2);
        assert_int_equal(parents[i].exits, CHILDREN / 2);
    }
    kill_all(NULL, 0);
}

// ---- Groups, names and blobs from both.

struct member {
    unsigned heard, number;
    bool done;
};

#define MEMBERS 6
#define CRIES   50

static struct member members[MEMBERS];

static void cry_and_hear(struct weft_actor *self, void *context)
{
    struct member *member = context;
    char name[16];
    weft_assert(weft_group_join(self, "threads") == 0);
    for (unsigned i = 0; i < CRIES; i++) {
        snprintf(name, sizeof(name), "name%u", (i + member->number) % 3);
        const bool won = weft_register(self, name, 0) == 0;
        if (won) weft_assert(weft_whereis(self, name) == weft_self(self));
        struct weft_blob *blob = weft_blob_new(self, 100 + i);
        weft_assert(blob != NULL);
        memset(blob->bytes, (int)i, blob->length);
        weft_pid pids[MEMBERS];
        const size_t count = weft_group_members(self, "threads", pids, MEMBERS);
        for (size_t n = 0; n < count; n++)
            weft_send_blob(self, pids[n], 1, blob);
        weft_blob_put(self, blob);
        if (won) weft_assert(weft_unregister(self, name) == 0);
        for (struct weft_message *message; (message = weft_receive(self, 100000)) != NULL;) {
            const struct weft_blob *heard = weft_message_object(message, NULL);
            weft_assert(heard->bytes[0] == heard->bytes[heard->length - 1]);
            member->heard++;
        }
        if (i % 10 == 0) weft_move(self, (uint16_t)(i / 10 % 2));
    }
    finish();
    while (weft_receive(self, WEFT_FOREVER) != NULL)
        continue;
}

static void groups_names_and_blobs_are_shared(void **state)
{
    (void)state;
    weft_pid pids[MEMBERS];
    memset(members, 0, sizeof(members));
    threads_prepare();
    for (unsigned i = 0; i < MEMBERS; i++) {
        members[i].number = i;
        pids[i] = play_body_on(&all.cores, i % 2, cry_and_hear, &members[i]);
    }
    threads_run(&all.finished, MEMBERS);
    kill_all(pids, MEMBERS);
}

// ---- Random lives.

#define LIVES 16

static void random_lives_on_threads(void **state)
{
    (void)state;
    static struct lives lives;
    for (unsigned seed = 0; seed < 6; seed++) {
        struct weft_prng dice;
        weft_pid pids[LIVES];
        weft_prng_seed(&dice, seed);
        memset(&lives, 0, sizeof(lives));
        lives.seed = seed;
        lives.core_count = 2;
        lives.timed = true;
        lives.mortal = seed % 2 == 1;
        threads_prepare();
        all.cores.node.moves_always = seed % 3 != 0;
        for (unsigned i = 0; i < LIVES; i++) {
            lives_add(&lives, &all.cores, &dice, 800);
            pids[i] = lives.life[i].pid;
        }
        for (unsigned i = 0; i < LIVES; i++)
            play_send(&all.cores, pids[i], 3);
        threads_run(&lives.ended, LIVES);
        kill_all(pids, LIVES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_play_across_threads),
        cmocka_unit_test(calls_cross_threads),
        cmocka_unit_test(every_end_is_told_once),
        cmocka_unit_test(groups_names_and_blobs_are_shared),
        cmocka_unit_test(random_lives_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
