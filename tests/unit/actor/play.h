// play.h: what the actors of a test do is a function with a context; the cores of cores.h are
// turned in the order of a seed; time passes; and at the end every block has to be at home.
#ifndef WEFT_TESTS_UNIT_ACTOR_PLAY_H
#define WEFT_TESTS_UNIT_ACTOR_PLAY_H

#include <weft/weft.h>

#include "runtime/actor/internal.h"
#include "runtime/base/prng.h"
#include "tests/unit/actor/cores.h"

// ---- Who plays.

typedef void play_body(struct weft_actor *self, void *context);
typedef void play_hand(struct weft_actor *self, void *context, struct weft_message *message);

struct play_role { // The state of an actor.
    play_body *body;
    play_hand *hand;
    void *context;
};

static inline void play_main(struct weft_actor *self, void *state)
{
    const struct play_role *role = (const struct play_role *)state;
    role->body(self, role->context);
}

static inline void play_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    const struct play_role *role = (const struct play_role *)state;
    role->hand(self, role->context, message);
}

static const struct weft_actor_kind play_stackful = {
    .name = "stackful", .state_bytes = sizeof(struct play_role), .main = play_main};
static const struct weft_actor_kind play_callback = {
    .name = "callback", .state_bytes = sizeof(struct play_role), .handle = play_handle};

// How to spawn a stackful actor that runs `body`, or a callback actor that gives its messages to
// `hand`. The role has to live until it is spawned.
static inline struct weft_spawn play_as(struct play_role *role, play_body *body, play_hand *hand,
                                        void *context)
{
    *role = (struct play_role){.body = body, .hand = hand, .context = context};
    return (struct weft_spawn){.kind = body != NULL ? &play_stackful : &play_callback,
                               .state = role};
}

static inline weft_pid play_spawn(struct cores *cores, unsigned core,
                                  const struct weft_spawn *spawn)
{
    weft_pid pid = 0;
    assert_int_equal(weft_actor_spawn(&cores->system[core], spawn, 0, &pid), 0);
    return pid;
}

static inline weft_pid play_body_on(struct cores *cores, unsigned core, play_body *body,
                                    void *context)
{
    struct play_role role;
    const struct weft_spawn spawn = play_as(&role, body, NULL, context);
    return play_spawn(cores, core, &spawn);
}

static inline weft_pid play_hand_on(struct cores *cores, unsigned core, play_hand *hand,
                                    void *context)
{
    struct play_role role;
    const struct weft_spawn spawn = play_as(&role, NULL, hand, context);
    return play_spawn(cores, core, &spawn);
}

// The actor, on whatever core it is; NULL: it has ended.
static inline struct weft_actor *play_find(struct cores *cores, weft_pid pid)
{
    for (unsigned i = 0; i < cores->count; i++) {
        struct weft_actor *actor = weft_actor_find(&cores->system[i], pid);
        if (actor != NULL) return actor;
    }
    return NULL;
}

// As the node would: a message or an end that comes from no actor.
static inline int play_send(struct cores *cores, weft_pid to, uint16_t type)
{
    struct weft_message *message = weft_message_alloc(&cores->system[0], 0);
    assert_non_null(message);
    message->to = to;
    message->type = type;
    return weft_actor_send(&cores->system[0], message);
}

static inline int play_kill(struct cores *cores, weft_pid pid)
{
    return weft_actor_kill(&cores->system[0], pid, WEFT_EXIT_KILLED);
}

// Between these two the test acts as `actor`, which rests on its core: what it does, but no
// waiting.
static inline void play_begin(struct weft_actor *actor)
{
    assert_null(actor->system->running);
    actor->system->running = actor;
}

static inline void play_end(struct weft_actor *actor)
{
    actor->system->running = NULL;
    actor->system->in_user = false;
    if ((actor->task.flags & WEFT_ACTOR_ENDING) == 0) return;
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_ENDING; // It has ended itself: in a slice to come.
    weft_actor_end_soon(actor, actor->exit_reason);
}

// ---- Turns and time.

static inline void play_turns(struct cores *cores, struct weft_prng *prng, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        weft_core_turn(cores->core[weft_prng_below(prng, cores->count)]);
        cores->now_ns += weft_prng_below(prng, 2000);
    }
}

// Lets `ns` pass, from one thing that is due to the next.
static inline void play_for(struct cores *cores, uint64_t ns)
{
    const uint64_t end_ns = cores->now_ns + ns;
    for (;;) {
        cores_settle(cores);
        uint64_t due_ns = end_ns;
        for (unsigned i = 0; i < cores->count; i++) {
            const uint64_t core_ns = weft_core_due_ns(cores->core[i]);
            if (core_ns < due_ns) due_ns = core_ns;
        }
        if (due_ns > cores->now_ns) cores->now_ns = due_ns;
        if (cores->now_ns >= end_ns) break;
    }
    cores_settle(cores);
}

// ---- What holds at the end.

static inline size_t play_kept_bytes(const struct weft_slab *slab)
{
    size_t count = 0;
    for (void *const *chunk = (void *const *)slab->chunks; chunk != NULL;
         chunk = (void *const *)*chunk)
        count++;
    assert_true(count <= 1); // Of an empty slab.
    return count * slab->chunk_bytes;
}

// Every block is where it came from, and nothing is on its way. Only live actors hold memory: there
// may be none.
static inline void play_check_home(const struct cores *cores)
{
    int64_t stacks = 0, own = 0;
    for (unsigned i = 0; i < cores->count; i++) {
        const struct weft_actor_system *system = &cores->system[i];
        size_t expected = cores->empty_bytes[i];
        for (unsigned c = 0; c < WEFT_MESSAGE_CLASSES; c++) {
            assert_int_equal(system->messages[c].used_count, 0);
            expected += play_kept_bytes(&system->messages[c]);
        }
        assert_int_equal(system->rare_slab.used_count, 0);
        assert_int_equal(system->label_slab.used_count, 0);
        expected += play_kept_bytes(&system->rare_slab) + play_kept_bytes(&system->label_slab);
        for (uint32_t n = 0; n < system->chunk_count; n++) {
            assert_int_equal(system->slots[n].used, 0);
            if (system->chunks[n] != NULL) expected += WEFT_CHUNK_SLOTS * sizeof(struct weft_actor);
        }
        assert_int_equal(weft_arena_used_bytes(cores->arena[i]), expected);
        assert_true(weft_list_empty(&system->large) && weft_list_empty(&system->held));
        assert_true(weft_list_empty(&system->moves) && weft_list_empty(&system->dams));
        assert_int_equal(system->holding, 0);
        assert_true(system->out_mask == 0 && system->home_mask == 0);
        assert_int_equal(weft_actor_count(&system->stats), 0);
        assert_int_equal(system->stack_promises, 0);
        stacks += weft_stacks_view(system->stacks).used;
        own += (system->core->run.stack != NULL) + (system->core->run.spare != NULL);
    }
    assert_int_equal(stacks, own);
}

// The end of most tests: everything rests, the ledger adds up, nothing is left.
static inline void play_close(struct cores *cores)
{
    cores->node.moves_always = false;
    cores_settle(cores);
    cores_check_ledger(cores);
    play_check_home(cores);
    cores_close(cores);
}

// True if some core has logged a line with `text` in it; takes what was logged before it.
static inline bool play_logged(struct cores *cores, const char *text)
{
    struct weft_log_record record;
    for (unsigned i = 0; i < cores->count; i++) {
        while (weft_log_take(&cores->core[i]->log, &record)) {
            if (strstr(record.text, text) != NULL) return true;
        }
    }
    return false;
}

#endif // WEFT_TESTS_UNIT_ACTOR_PLAY_H
