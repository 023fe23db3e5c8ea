// Two cores on two threads: what every pair sends arrives in order, what does not is counted,
// monitors fire once, and all memory comes home. Bounded by counts, not by time.
#include "tests/support/cmocka.h"

#include <pthread.h>
#include <sched.h>

#include "runtime/base/assert.h"
#include "runtime/sched/core_thread.h"
#include "runtime/sched/sleeper_epoll.h"
#include "tests/unit/actor/cores.h"

#define TALKERS 8   // On each core.
#define ROUNDS  400 // Messages from every talker to every other.
#define MORTALS                                                                                    \
    500 // Spawned, monitored from the other core and ended, one after another, on each core.

struct talker {
    weft_pid peers[2 * TALKERS];
    uint64_t next[2 * TALKERS]; // The least number not yet seen from each.
    uint32_t number, rounds;
};

struct chief { // One on each core: keeps the other core's mortals under watch.
    weft_pid mortal;
    uint64_t reference;
    uint32_t downs;
    weft_pid other;
};

static struct cores cores;
static struct talker talkers[2 * TALKERS];
static struct chief chiefs[2];
static _Atomic unsigned finished;

static int talk(struct weft_actor *actor, uint32_t *reductions)
{
    struct talker *talker = actor->state;
    for (struct weft_message *message; (message = weft_actor_receive(actor)) != NULL;) {
        uint64_t number;
        memcpy(&number, message->payload, sizeof(number));
        weft_assert(number >= talker->next[message->type]); // Gaps are drops; going back is not.
        talker->next[message->type] = number + 1;
        weft_message_release(actor->system, message);
    }
    *reductions -= 500;
    if (talker->rounds == ROUNDS) return WEFT_ACTOR_WAIT;
    for (unsigned i = 0; i < 2 * TALKERS; i++) {
        struct weft_message *message = weft_message_alloc(actor->system, i % 3 == 0 ? 700 : 8);
        weft_assert(message != NULL);
        message->to = talker->peers[i];
        message->from = actor->pid;
        message->type = (uint16_t)talker->number;
        const uint64_t number = talker->rounds;
        memcpy(message->payload, &number, sizeof(number));
        weft_actor_send(actor->system, message);
    }
    if (++talker->rounds == ROUNDS) atomic_fetch_add(&finished, 1);
    return WEFT_ACTOR_AGAIN;
}

static void die_of_a_message(struct weft_actor *actor, void *state, struct weft_message *message)
{
    (void)state, (void)message;
    weft_stop(actor, WEFT_EXIT_NORMAL);
}

static const struct weft_actor_kind talker_kind = {.name = "talker", .slice = talk};
static const struct weft_actor_kind mortal_kind = {.name = "mortal", .handle = die_of_a_message};

// A control message to the other chief: never lost, however the talkers crowd the ring.
static void tell_other(struct weft_actor *actor, weft_pid mortal)
{
    const struct chief *chief = actor->state;
    struct weft_message *message = weft_message_alloc(actor->system, sizeof(mortal));
    weft_assert(message != NULL);
    message->to = chief->other;
    message->tag = WEFT_MESSAGE_SYSTEM;
    memcpy(message->payload, &mortal, sizeof(mortal));
    weft_assert(weft_actor_send(actor->system, message) == 0);
}

static weft_pid make_mortal(struct weft_actor *actor)
{
    weft_pid mortal = 0;
    const struct weft_spawn spawn = {.kind = &mortal_kind};
    weft_assert(weft_actor_spawn(actor->system, &spawn, actor->pid, &mortal) == 0);
    return mortal;
}

static void lead(struct weft_actor *actor, void *state, struct weft_message *message)
{
    struct chief *chief = state;
    uint64_t unused;
    if (message->tag == WEFT_MESSAGE_DOWN) {
        weft_assert(message->reference == chief->reference && message->from == chief->mortal);
        weft_assert(message->type == WEFT_EXIT_NORMAL);
        chief->reference = 0;
        if (++chief->downs == MORTALS)
            atomic_fetch_add(&finished, 1);
        else
            tell_other(actor, 0); // The next, please.
        return;
    }
    weft_pid mortal = 0;
    if (message->length > 0) memcpy(&mortal, message->payload, sizeof(mortal));
    if (mortal == 0) {
        tell_other(actor, make_mortal(actor));
        return;
    }
    chief->mortal = mortal;
    weft_assert(weft_actor_monitor(actor, chief->mortal, &chief->reference) == 0);
    weft_assert(weft_actor_monitor(actor, chief->mortal, &unused) == 0);
    weft_actor_demonitor(actor, unused);
    struct weft_message *end = weft_message_alloc(actor->system, 0);
    end->to = chief->mortal;
    end->tag = WEFT_MESSAGE_SYSTEM;
    weft_assert(weft_actor_send(actor->system, end) == 0);
}

static const struct weft_actor_kind chief_kind = {.name = "chief", .handle = lead};

static weft_pid spawn_on(unsigned core, const struct weft_actor_kind *kind, void *state, bool ready)
{
    weft_pid pid = 0;
    const struct weft_spawn spawn = {
        .kind = kind, .state = state, .mailbox_max = 256, .pinned = true};
    assert_int_equal(weft_actor_spawn(&cores.system[core], &spawn, 0, &pid), 0);
    if (ready) weft_actor_wake(weft_actor_find(&cores.system[core], pid));
    return pid;
}

static void populate(void)
{
    weft_pid pids[2 * TALKERS], chief_pids[2];
    for (unsigned i = 0; i < 2 * TALKERS; i++) {
        talkers[i].number = i;
        pids[i] = spawn_on(i % 2, &talker_kind, &talkers[i], true);
    }
    for (unsigned i = 0; i < 2 * TALKERS; i++)
        memcpy(talkers[i].peers, pids, sizeof(pids));
    for (unsigned i = 0; i < 2; i++)
        chief_pids[i] = spawn_on(i, &chief_kind, &chiefs[i], false);
    for (unsigned i = 0; i < 2; i++) {
        chiefs[i].other = chief_pids[1 - i];
        struct weft_message *start = weft_message_alloc(&cores.system[i], 0);
        start->to = chief_pids[i];
        start->tag = WEFT_MESSAGE_SYSTEM;
        assert_int_equal(weft_actor_send(&cores.system[i], start), 0);
    }
}

static void pairs_keep_their_order_across_threads(void **state)
{
    (void)state;
    struct weft_core_thread threads[2] = {0};
    struct weft_sleeper_epoll sleepers[2];
    cores_open(&cores, 2, 1024);
    cores.clock = weft_clock_linux();
    populate();
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(weft_sleeper_epoll_open(&sleepers[i]), 0);
        cores.core[i]->sleeper = weft_sleeper_epoll_interface(&sleepers[i]);
        cores.core[i]->idle_polls = 20;
        threads[i].core = cores.core[i];
        assert_int_equal(weft_core_thread_start(&threads[i]), 0);
    }
    while (atomic_load(&finished) < 2 * TALKERS + 2)
        sched_yield();
    for (unsigned i = 0; i < 2; i++) {
        weft_core_thread_stop(&threads[i]);
        weft_sleeper_epoll_close(&sleepers[i]);
    }
    cores_settle(&cores); // What was on its way.
    cores_check_ledger(&cores);
    uint64_t exits = 0;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(chiefs[i].downs, MORTALS);
        exits += weft_counter_get(&cores.system[i].stats.exit_count); // Wherever they had moved.
        assert_int_equal(cores.system[i].messages[0].used_count, 0);
        assert_true(weft_list_empty(&cores.system[i].large));
    }
    assert_int_equal(exits, 2 * MORTALS);
    cores_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_keep_their_order_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
