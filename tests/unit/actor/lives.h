// lives.h: actors that do at random whatever actors can do, and check what holds whatever the
// others do: the property tests of move_test.c (cores turned at random) and threads_test.c (real
// threads).
//
// Whoever gets a message finds it to be a later one of its sender than the last; each monitor that
// is not taken back fires once; nobody is heard of after his DOWN; each speaks his last words once.
// The caller checks the ledger, and that all memory is home.
//
// Nothing is shared but what is set before the first turn, so that threads need no lock.
#ifndef WEFT_TESTS_UNIT_ACTOR_LIVES_H
#define WEFT_TESTS_UNIT_ACTOR_LIVES_H

#include "tests/unit/actor/play.h"

#define LIVES_MAX     40
#define LIVES_WATCHES 64

struct life {
    weft_pid pid;
    struct weft_prng dice;
    struct lives *all;
    unsigned index;
    unsigned acts_left;        // Then it ends.
    uint64_t said[LIVES_MAX];  // Numbers given out to each.
    uint64_t heard[LIVES_MAX]; // The last one heard of each.
    bool over[LIVES_MAX];      // Its DOWN has come.
    struct {
        uint64_t reference;
        unsigned target;
        bool fired, taken_back;
    } watches[LIVES_WATCHES];
    unsigned watch_count;
    bool has_spoken_last;
};

struct lives {
    unsigned seed, count, core_count;
    bool mortal; // They kill each other and themselves.
    bool timed;  // Nobody waits for ever: nobody else wakes them.
    _Atomic unsigned ended;
    struct life life[LIVES_MAX];
};

static inline unsigned life_roll(struct life *life, unsigned sides)
{
    return weft_prng_below(&life->dice, sides);
}

// From whatever stack and thread it is.
static inline void life_check(const struct life *life, bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "seed %u, life %u: %s\n", life->all->seed, life->index, what);
    abort();
}

static inline struct life *life_of(struct lives *all, weft_pid pid)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (all->life[i].pid == pid) return &all->life[i];
    }
    return NULL;
}

static inline void life_hears_down(struct life *life, const struct weft_message *message,
                                   unsigned from)
{
    unsigned n = 0;
    while (n < life->watch_count && life->watches[n].reference != message->reference)
        n++;
    life_check(life, n < life->watch_count, "a DOWN of no monitor");
    life_check(life, !life->watches[n].fired, "a second DOWN");
    life_check(life, !life->watches[n].taken_back, "a DOWN of a monitor that was taken back");
    life_check(life, life->watches[n].target == from, "a DOWN of somebody else");
    life->watches[n].fired = true;
    life->over[from] = true;
}

static inline void life_hears(struct weft_actor *self, struct life *life,
                              struct weft_message *message)
{
    const struct life *from = life_of(life->all, message->from);
    uint64_t number;
    if (from == NULL || message->tag == WEFT_MESSAGE_EXIT || message->tag == WEFT_MESSAGE_TIMER)
        return;
    if (message->tag == WEFT_MESSAGE_DOWN) {
        life_hears_down(life, message, from->index);
        return;
    }
    life_check(life, !life->over[from->index], "heard of somebody after his DOWN");
    life_check(life, message->length == sizeof(number), "a message of another length");
    memcpy(&number, message->payload, sizeof(number));
    // A gap is what a full mailbox has dropped; the ledger knows of it.
    life_check(life, number > life->heard[from->index], "a message overtaken or doubled");
    life->heard[from->index] = number;
    if (message->tag == WEFT_MESSAGE_CALL && life_roll(life, 8) != 0)
        weft_reply(self, message, 1, NULL, 0);
}

static inline void life_says(struct weft_actor *self, struct life *life, const struct life *to,
                             bool asks)
{
    const uint64_t number = ++life->said[to->index];
    if (asks)
        weft_call(self, to->pid, 1, &number, sizeof(number), 100000, NULL);
    else
        weft_send(self, to->pid, 1, &number, sizeof(number));
}

static inline void life_watches(struct weft_actor *self, struct life *life,
                                const struct life *target)
{
    if (life->watch_count == LIVES_WATCHES) return;
    const unsigned n = life->watch_count++;
    life->watches[n].target = target->index;
    life_check(life, weft_monitor(self, target->pid, &life->watches[n].reference) == 0, "monitor");
}

static inline void life_unwatches(struct weft_actor *self, struct life *life)
{
    if (life->watch_count == 0) return;
    const unsigned n = life_roll(life, life->watch_count);
    if (weft_demonitor(self, life->watches[n].reference) == 0) life->watches[n].taken_back = true;
}

static inline void life_acts(struct weft_actor *self, struct life *life)
{
    struct lives *all = life->all;
    // Most of what it does concerns the youngest, who live.
    const unsigned youngest = all->count < 10 ? all->count : 10;
    struct life *other =
        &all->life[life_roll(life, 4) == 0 ? life_roll(life, all->count)
                                           : all->count - 1 - life_roll(life, youngest)];
    if (life->acts_left-- == 0) weft_exit(self, WEFT_EXIT_USER);
    switch (life_roll(life, 20)) {
    case 0: life_watches(self, life, other); break;
    case 1: life_unwatches(self, life); break;
    case 2:
        if (other != life) weft_link(self, other->pid);
        break;
    case 3: weft_unlink(self, other->pid); break;
    case 4: weft_yield(self); break;
    case 5: weft_sleep(self, life_roll(life, 100000)); break;
    case 6: weft_move(self, (uint16_t)life_roll(life, all->core_count)); break;
    case 7: weft_send_after(self, other->pid, life_roll(life, 100000), 3, NULL, 0, NULL); break;
    case 8:
        if (all->mortal && life_roll(life, 20) == 0) weft_kill(self, other->pid);
        break;
    case 9:
        if (all->mortal && life_roll(life, 40) == 0) weft_exit(self, WEFT_EXIT_USER);
        break;
    case 10:
    case 11:
    case 12: life_says(self, life, other, true); break;
    default:
        for (unsigned i = life_roll(life, 12); i > 0; i--)
            life_says(self, life, other, false);
        break;
    }
}

static inline void life_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct life *life = *(struct life **)state;
    weft_trap_exit(self, true);
    life_hears(self, life, message);
    for (unsigned i = life_roll(life, 3); i > 0; i--)
        life_acts(self, life);
    // Somebody has to wake it again.
    if (life->all->timed && weft_mailbox_count(self) == 0)
        weft_send_after(self, life->pid, life_roll(life, 50000), 3, NULL, 0, NULL);
}

static inline void life_main(struct weft_actor *self, void *state)
{
    struct life *life = *(struct life **)state;
    for (;;) {
        const bool waits = life_roll(life, 2) == 0 && !life->all->timed;
        weft_trap_exit(self, life_roll(life, 50) != 0);
        struct weft_message *message =
            weft_receive(self, waits ? WEFT_FOREVER : life_roll(life, 100000));
        if (message != NULL) life_hears(self, life, message);
        life_acts(self, life);
    }
}

static inline void life_ends(struct weft_actor *self, void *state, uint16_t reason)
{
    struct life *life = *(struct life **)state;
    (void)reason;
    life_check(life, !life->has_spoken_last, "last words twice");
    life->has_spoken_last = true;
    life_says(self, life, &life->all->life[life_roll(life, life->all->count)], false);
    atomic_fetch_add(&life->all->ended, 1);
}

static const struct weft_actor_kind life_kinds[2] = {{.name = "life",
                                                      .state_bytes = sizeof(struct life *),
                                                      .handle = life_handle,
                                                      .terminate = life_ends},
                                                     {.name = "stackful life",
                                                      .state_bytes = sizeof(struct life *),
                                                      .main = life_main,
                                                      .terminate = life_ends}};

// One more life, on a core that `dice` chooses.
static inline void lives_add(struct lives *all, struct cores *cores, struct weft_prng *dice,
                             unsigned acts)
{
    struct life *life = &all->life[all->count];
    *life = (struct life){.all = all, .index = all->count, .acts_left = acts};
    weft_prng_seed(&life->dice, weft_prng_next(dice));
    const struct weft_spawn spawn = {.kind = &life_kinds[weft_prng_below(dice, 2)],
                                     .state = &life,
                                     .mailbox_max = 3 + weft_prng_below(dice, 40),
                                     .label = weft_prng_below(dice, 2) ? "labelled" : NULL};
    life->pid = play_spawn(cores, weft_prng_below(dice, cores->count), &spawn);
    all->count++;
}

// At rest: every monitor of a living one has fired, or its DOWN stands in the mailbox, if and only
// if its target has ended.
static inline void lives_check_watches(struct lives *all, struct cores *cores)
{
    for (unsigned i = 0; i < all->count; i++) {
        const struct life *life = &all->life[i];
        const struct weft_actor *actor = play_find(cores, life->pid);
        for (unsigned n = 0; actor != NULL && n < life->watch_count; n++) {
            const bool over = play_find(cores, all->life[life->watches[n].target].pid) == NULL;
            bool known, has_come = life->watches[n].fired;
            has_come |= weft_monitor_find(actor, life->watches[n].reference, &known) != NULL;
            life_check(life, life->watches[n].taken_back || has_come == over, "a DOWN is missing");
        }
    }
}

#endif // WEFT_TESTS_UNIT_ACTOR_LIVES_H
