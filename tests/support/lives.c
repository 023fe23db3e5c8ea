#include "tests/support/lives.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/internal.h"

const char *const lives_names[LIVES_NAMES] = {"anna", "bert", "carl", "dora", "emil", "fanny"};
const char *const lives_groups[LIVES_GROUPS] = {"choir", "guild", "crew"};

void lives_init(struct lives *lives, const struct lives_options *options, lives_broken fail)
{
    memset(lives, 0, sizeof(*lives));
    lives->options = *options;
    lives->fail = fail;
    lives->hash = UINT64_C(0xcbf29ce484222325);
}

void lives_fail(struct lives *lives, const char *format, ...)
{
    char text[240];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lives->fail(lives, text);
}

// FNV-1a (Fowler, Noll, Vo).
static uint64_t mix(uint64_t hash, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++, value >>= 8)
        hash = (hash ^ (value & 0xff)) * UINT64_C(0x100000001b3);
    return hash;
}

void lives_event(struct weft_actor *self, struct life *life, const char *what, uint64_t a,
                 uint64_t b)
{
    struct lives *lives = life->lives;
    atomic_fetch_add_explicit(&lives->events, 1, memory_order_relaxed);
    if (lives->options.is_threaded) return;
    uint64_t hash = mix(lives->hash, (uint64_t)life->number << 16 | weft_core_index(self));
    for (const char *c = what; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    lives->hash = mix(mix(hash, a), b);
    if (!lives->options.traces) return;
    printf("%12.6f  core %u  life %3u  %-14s %#" PRIx64 " %" PRId64 "\n",
           (double)lives->now_ns / 1e9, weft_core_index(self), life->number, what, a, (int64_t)b);
}

// ---- Birth and end.

struct life *lives_conceive(struct lives *lives, unsigned player)
{
    uint32_t nobody = 0;
    if (lives_is_ending(lives)) return NULL;
    if (atomic_load_explicit(&lives->players[player], memory_order_relaxed) != 0) return NULL;
    const unsigned number = atomic_fetch_add_explicit(&lives->life_count, 1, memory_order_relaxed);
    if (number >= LIVES_MAX) {
        atomic_fetch_sub_explicit(&lives->life_count, 1, memory_order_relaxed);
        return NULL;
    }
    struct life *life = &lives->life[number];
    life->lives = lives;
    life->number = (uint16_t)number;
    life->player = (uint16_t)player;
    weft_prng_seed(&life->prng, lives->options.seed * LIVES_MAX + number);
    life->is_stackful = life_below(life, 2) == 0;
    life->is_plain = life_below(life, 2) == 0;
    // Release: pairs with the acquire load of who looks for somebody to talk to.
    if (!atomic_compare_exchange_strong_explicit(&lives->players[player], &nobody, number + 1,
                                                 memory_order_release, memory_order_relaxed))
        lives_miscarry(life);
    return nobody == 0 ? life : NULL;
}

static void leave_player(struct life *life)
{
    uint32_t self = life->number + 1u;
    atomic_compare_exchange_strong_explicit(&life->lives->players[life->player], &self, 0,
                                            memory_order_release, memory_order_relaxed);
}

void lives_miscarry(struct life *life)
{
    atomic_store_explicit(&life->is_over, true, memory_order_release);
    leave_player(life);
}

struct weft_spawn lives_describe(struct life *life, struct life **state)
{
    static const uint8_t priorities[] = {WEFT_PRIORITY_NORMAL, WEFT_PRIORITY_NORMAL,
                                         WEFT_PRIORITY_NORMAL, WEFT_PRIORITY_HIGH,
                                         WEFT_PRIORITY_LOW,    WEFT_PRIORITY_MAX};
    const struct lives_options *options = &life->lives->options;
    *state = life;
    struct weft_spawn spawn = {
        .kind = life->is_stackful ? &lives_stackful : &lives_callback,
        .state = state,
        .priority = priorities[life_below(life, WEFT_COUNT_OF(priorities))],
        .overflow = (uint8_t)(life_below(life, 3) == 0 ? life_below(life, 4) : 0),
        .pinned = life_below(life, 6) == 0,
    };
    if (life_below(life, 2) == 0) spawn.label = "somebody";
    if (options->tight) spawn.mailbox_max = 1 + life_below(life, 4);
    if (life_below(life, 8) == 0) spawn.memory_max = 64 + life_below(life, 4000);
    return spawn;
}

void lives_populate(struct lives *lives, struct weft_actor_system *system, unsigned player_count)
{
    for (unsigned player = 0; player < player_count; player++) {
        struct life *life = lives_conceive(lives, player), *state;
        weft_pid pid;
        if (life == NULL) continue;
        const struct weft_spawn spawn = lives_describe(life, &state);
        if (weft_actor_spawn(system, &spawn, 0, &pid) == 0)
            atomic_store_explicit(&life->pid, pid, memory_order_release);
        else
            lives_miscarry(life);
    }
}

static void terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    struct life *life = life_of(state);
    lives_event(self, life, "ends", weft_self(self), reason);
    life->exit_reason = reason;
    atomic_store_explicit(&life->pid, weft_self(self), memory_order_release);
    atomic_store_explicit(&life->is_over, true, memory_order_release);
    leave_player(life);
}

// ---- How they live.

static void handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct life *life = life_of(state);
    lives_receive(self, life, message);
    if (!lives_is_ending(life->lives))
        lives_act(self, life);
    else if (!life->is_quiet)
        lives_fall_quiet(self, life);
}

static bool fits_odd(const struct weft_message *message, const void *argument)
{
    (void)argument;
    return message->type % 2 == 1;
}

// Out of order, for those who do not mind.
static struct weft_message *receive_by_pattern(struct weft_actor *self, struct life *life,
                                               uint64_t timeout_ns)
{
    struct weft_match match = {0};
    switch (life_below(life, 4)) {
    case 0: match.tags = 1u << WEFT_MESSAGE_DOWN | 1u << WEFT_MESSAGE_EXIT; break;
    case 1:
        match.has_type = true;
        match.type = (uint16_t)life_below(life, LIVES_TYPES);
        break;
    case 2: match.fits = fits_odd; break;
    default:
        match.reference = life->calls[life_below(life, LIVES_CALLS)].reference;
        if (match.reference == 0)
            match.reference = life->monitors[life_below(life, LIVES_MONITORS)].reference;
        break;
    }
    return weft_receive_match(self, &match, timeout_ns);
}

static void live(struct weft_actor *self, void *state)
{
    static const uint64_t timeouts_ns[] = {0, 100 * WEFT_NS_PER_US, WEFT_NS_PER_MS, WEFT_FOREVER};
    struct life *life = life_of(state);
    struct weft_message *message;
    while (!lives_is_ending(life->lives)) {
        const uint64_t timeout_ns = timeouts_ns[life_below(life, WEFT_COUNT_OF(timeouts_ns))];
        message = !life->is_plain && life_below(life, 3) == 0
                      ? receive_by_pattern(self, life,
                                           timeout_ns == WEFT_FOREVER ? WEFT_NS_PER_MS : timeout_ns)
                      : weft_receive(self, timeout_ns);
        if (message != NULL) lives_receive(self, life, message);
        if (!lives_is_ending(life->lives)) lives_act(self, life);
        if (life_below(life, 100) == 0) return;
        if (message == NULL) weft_yield(self);
    }
    lives_fall_quiet(self, life);
    while ((message = weft_receive(self, WEFT_FOREVER)) != NULL)
        lives_receive(self, life, message);
}

const struct weft_actor_kind lives_callback = {.name = "callback life",
                                               .state_bytes = sizeof(struct life *),
                                               .handle = handle,
                                               .terminate = terminate};
const struct weft_actor_kind lives_stackful = {.name = "stackful life",
                                               .state_bytes = sizeof(struct life *),
                                               .main = live,
                                               .terminate = terminate};

// ---- From outside.

static void poke(struct lives *lives, struct weft_actor_system *system, struct life *life)
{
    const weft_pid pid = life_pid(life);
    struct weft_message *message = pid != 0 ? weft_message_alloc(system, 0) : NULL;
    (void)lives;
    if (message == NULL) return;
    message->to = pid;
    message->tag = WEFT_MESSAGE_PORT;
    weft_actor_send(system, message);
}

void lives_poke(struct lives *lives, struct weft_actor_system *system, struct weft_prng *prng)
{
    const unsigned player = weft_prng_below(prng, lives->options.player_count);
    const uint32_t number = atomic_load_explicit(&lives->players[player], memory_order_acquire);
    if (number != 0) poke(lives, system, &lives->life[number - 1]);
}

void lives_wake_all(struct lives *lives, struct weft_actor_system *system)
{
    const unsigned count = atomic_load_explicit(&lives->life_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        if (!life_is_over(&lives->life[i]) && !lives->life[i].is_quiet)
            poke(lives, system, &lives->life[i]);
    }
}

void lives_end_soon(struct lives *lives)
{
    atomic_store_explicit(&lives->is_ending, true, memory_order_relaxed);
}
