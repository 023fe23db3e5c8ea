#include "tests/soak/town.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/prng.h"

#define TOKENS     32 // Of a family at a time,
#define HOPS       16 // each sent on so often.
#define PATIENCE   20 // Ticks of a second until those of a family are taken for lost.
#define BLOCKS     2  // Of memory that an actor has.
#define CALL_NS    (50 * WEFT_NS_PER_MS)
#define MAX_SMALL  1    // The limit of small mailboxes.
#define LONG_BYTES 2000 // The longest message.

enum { TOKEN = 1, HOME, LETTER, ASK, TICK, LATER };

struct token {
    weft_pid head;
    uint32_t round, hops;
};

static struct town_counts *counts_of(const struct weft_actor *self, struct town *town)
{
    return &town->counts[weft_core_index(self)];
}
#define COUNT(self, town, field) weft_counter_add(&counts_of(self, town)->field, 1)

static bool is_ending(const struct town *town)
{
    return atomic_load_explicit(&town->is_ending, memory_order_relaxed);
}

static void send(struct weft_actor *self, struct town *town, weft_pid to, uint16_t type,
                 const void *bytes, size_t length)
{
    COUNT(self, town, offered);
    weft_send(self, to, type, bytes, length); // What comes of it is in the ledger.
}

static weft_pid anybody(struct town *town, struct weft_prng *prng)
{
    // Relaxed: the pid is all that is read; who it names is looked up by the runtime.
    return atomic_load_explicit(&town->places[weft_prng_below(prng, town->place_count)],
                                memory_order_relaxed);
}

// ---- Those who live in places.

struct dweller {
    struct town *town;
    uint32_t place;
    uint64_t monitor; // 0: it watches nobody.
    void *blocks[BLOCKS];
    struct weft_prng prng;
};

static void die(struct weft_actor *self, struct dweller *dweller)
{
    struct town *town = dweller->town;
    switch (weft_prng_below(&dweller->prng, 4)) {
    case 0: weft_stop(self, WEFT_EXIT_NORMAL); break;
    case 1: weft_kill(self, anybody(town, &dweller->prng)); break;
    case 2: weft_exit_send(self, anybody(town, &dweller->prng), WEFT_EXIT_USER); break;
    default: weft_exit(self, WEFT_EXIT_USER + 1);
    }
}

static void take_memory(struct weft_actor *self, struct dweller *dweller)
{
    void **block = &dweller->blocks[weft_prng_below(&dweller->prng, BLOCKS)];
    weft_free(self, *block);
    const size_t bytes = weft_prng_below(&dweller->prng, 600);
    *block = bytes > 100 ? weft_alloc(self, bytes) : NULL;
    if (*block != NULL) memset(*block, (int)dweller->place, bytes);
}

static void ask(struct weft_actor *self, struct dweller *dweller)
{
    const uint64_t question = weft_prng_next(&dweller->prng);
    struct weft_message *answer;
    COUNT(self, dweller->town, calls);
    const int result = weft_call(self, anybody(dweller->town, &dweller->prng), ASK, &question,
                                 sizeof(question), CALL_NS, &answer);
    if (result != 0) return; // It has died, or waits for us, or was slow.
    weft_assert(answer->length == sizeof(question));
    weft_assert(memcmp(answer->payload, &question, sizeof(question)) == 0);
    COUNT(self, dweller->town, answers);
    weft_release(self, answer);
}

static void set_timer(struct weft_actor *self, struct dweller *dweller)
{
    const uint64_t delay_ns = (1 + weft_prng_below(&dweller->prng, 100)) * WEFT_NS_PER_MS;
    if (weft_send_after(self, anybody(dweller->town, &dweller->prng), delay_ns, LATER, NULL, 0,
                        NULL) == 0)
        COUNT(self, dweller->town, timers);
}

static void watch(struct weft_actor *self, struct dweller *dweller)
{
    const uint64_t before = dweller->monitor;
    dweller->monitor = 0;
    if (before != 0)
        weft_demonitor(self, before);
    else
        weft_monitor(self, anybody(dweller->town, &dweller->prng), &dweller->monitor);
}

static void write_letter(struct weft_actor *self, struct dweller *dweller)
{
    uint8_t bytes[LONG_BYTES];
    const size_t length = 100 + weft_prng_below(&dweller->prng, sizeof(bytes) - 100);
    memset(bytes, (int)length, length);
    send(self, dweller->town, anybody(dweller->town, &dweller->prng), LETTER, bytes, length);
}

static void act(struct weft_actor *self, struct dweller *dweller)
{
    switch (weft_prng_below(&dweller->prng, 64)) {
    case 0: die(self, dweller); break;
    case 1:
        COUNT(self, dweller->town, moves);
        weft_move(self, (uint16_t)weft_prng_below(&dweller->prng, dweller->town->core_count));
        break;
    case 2:
    case 3: take_memory(self, dweller); break;
    case 4: ask(self, dweller); break;
    case 5: set_timer(self, dweller); break;
    case 6: watch(self, dweller); break;
    case 7: write_letter(self, dweller); break;
    default: break;
    }
}

static void send_on(struct weft_actor *self, struct dweller *dweller,
                    const struct weft_message *message)
{
    struct token token;
    weft_assert(message->length == sizeof(token));
    memcpy(&token, message->payload, sizeof(token));
    const bool goes_home = token.hops-- == 0;
    send(self, dweller->town, goes_home ? token.head : anybody(dweller->town, &dweller->prng),
         goes_home ? HOME : TOKEN, &token, sizeof(token));
}

static void read_letter(const struct weft_message *message)
{
    for (uint32_t i = 0; i < message->length; i++)
        weft_assert(message->payload[i] == (uint8_t)message->length);
}

static void live_on(struct weft_actor *self, struct dweller *dweller, struct weft_message *message)
{
    struct town *town = dweller->town;
    const uint8_t tag = message->tag;
    if (tag == WEFT_MESSAGE_CALL) {
        weft_reply(self, message, ASK, message->payload, message->length);
        return;
    }
    if (tag == WEFT_MESSAGE_TIMER) COUNT(self, town, ticks);
    if (tag == WEFT_MESSAGE_DOWN) {
        COUNT(self, town, downs);
        weft_assert(message->reference == dweller->monitor);
        dweller->monitor = 0;
    }
    if (tag != WEFT_MESSAGE_USER) return;
    COUNT(self, town, received);
    if (message->type == LETTER) read_letter(message);
    if (is_ending(town)) return;
    if (message->type == TOKEN) send_on(self, dweller, message);
    act(self, dweller);
}

static void handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    live_on(self, state, message);
}

static void live(struct weft_actor *self, void *state)
{
    for (struct weft_message *message; (message = weft_receive(self, WEFT_FOREVER)) != NULL;)
        live_on(self, state, message);
}

static void terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)reason;
    COUNT(self, ((struct dweller *)state)->town, deaths);
}

static const struct weft_actor_kind dweller_kinds[] = {
    {.name = "callback",
     .state_bytes = sizeof(struct dweller),
     .handle = handle,
     .terminate = terminate},
    {.name = "stackful",
     .state_bytes = sizeof(struct dweller),
     .main = live,
     .terminate = terminate},
};

// ---- A family: what its supervisor does, and its head.

struct place {
    struct town *town;
    uint32_t number;
};

// In the supervisor. One place in sixteen has a small mailbox, with each of the policies.
static int move_in(struct weft_actor *self, const void *args, size_t length, weft_pid *pid)
{
    struct place place;
    weft_assert(length == sizeof(place));
    memcpy(&place, args, sizeof(place));
    struct town *town = place.town;
    struct dweller dweller = {.town = town, .place = place.number};
    const bool is_stackful = place.number % 100 < town->stackful_percent;
    struct weft_spawn spawn = {.kind = &dweller_kinds[is_stackful], .state = &dweller};
    if (place.number % 16 == 5) {
        spawn.mailbox_max = MAX_SMALL;
        spawn.overflow = (uint8_t)(place.number / 16 % 4);
    }
    const uint64_t births = weft_counter_get(&counts_of(self, town)->births);
    weft_prng_seed(&dweller.prng, births * TOWN_CORES_MAX + weft_core_index(self));
    const int result = weft_spawn_link(self, &spawn, pid);
    COUNT(self, town, births);
    if (result != 0)
        COUNT(self, town, refusals);
    else
        atomic_store_explicit(&town->places[place.number], *pid, memory_order_relaxed);
    return result;
}

struct round { // Of a family's tokens.
    uint32_t number, home, ticks;
    struct weft_prng prng;
};

static void begin_round(struct weft_actor *self, const struct town_head *head, struct round *round)
{
    round->number++;
    round->home = round->ticks = 0;
    for (unsigned i = 0; i < TOKENS; i++) {
        const struct token token = {.head = weft_self(self), .round = round->number, .hops = HOPS};
        send(self, head->town, anybody(head->town, &round->prng), TOKEN, &token, sizeof(token));
    }
}

static void come_home(struct weft_actor *self, const struct town_head *head, struct round *round,
                      const struct weft_message *message)
{
    struct token token;
    weft_assert(message->length == sizeof(token));
    memcpy(&token, message->payload, sizeof(token));
    if (token.round != round->number || is_ending(head->town)) return;
    // Some are lost with those who had them.
    if (++round->home == TOKENS * 3 / 4) begin_round(self, head, round);
}

static void populate(struct weft_actor *self, const struct town_head *head)
{
    struct town *town = head->town;
    const struct weft_dynamic_spec spec = {
        .child = {.id = "dweller", .start = move_in},
        .restart_max = UINT32_MAX - 1,
        .period_ns = WEFT_NS_PER_MS, // So that it need not remember many.
        .quiet = true,
        .spawn = {.pinned = true}, // Who is born takes a slot of its core: as many on each.
    };
    weft_pid supervisor, pid;
    weft_assert(weft_dynamic_start_link(self, &spec, &supervisor) == 0);
    const uint32_t first = head->family * TOWN_FAMILY;
    for (uint32_t i = first; i < first + TOWN_FAMILY && i < town->place_count; i++) {
        const struct place place = {town, i};
        const int result = weft_dynamic_start_child(self, supervisor, &place, sizeof(place), &pid);
        weft_assert(result == 0);
    }
    atomic_fetch_add_explicit(&town->populated, 1, memory_order_relaxed);
}

static void lead(struct weft_actor *self, void *state)
{
    const struct town_head *head = state;
    struct round round = {.number = 0};
    weft_prng_seed(&round.prng, head->family);
    weft_pin(self, true);
    populate(self, head);
    begin_round(self, head, &round);
    weft_assert(weft_send_interval(self, weft_self(self), WEFT_NS_PER_S, TICK, NULL, 0, NULL) == 0);
    for (struct weft_message *message; (message = weft_receive(self, WEFT_FOREVER)) != NULL;) {
        if (message->tag == WEFT_MESSAGE_USER) {
            COUNT(self, head->town, received);
            come_home(self, head, &round, message);
        } else if (message->tag == WEFT_MESSAGE_TIMER && !is_ending(head->town)) {
            if (++round.ticks > PATIENCE) begin_round(self, head, &round);
        }
    }
}

static const struct weft_actor_kind head_kind = {
    .name = "head", .state_bytes = sizeof(struct town_head), .main = lead};

struct weft_spawn town_head(struct town *town, uint32_t number, struct town_head *state)
{
    *state = (struct town_head){.town = town, .family = number};
    return (struct weft_spawn){.kind = &head_kind, .state = state};
}

// ---- The town.

bool town_init(struct town *town, uint32_t place_count, uint32_t stackful_percent,
               uint16_t core_count)
{
    memset(town, 0, sizeof(*town));
    town->place_count = place_count;
    town->family_count = (place_count + TOWN_FAMILY - 1) / TOWN_FAMILY;
    town->stackful_percent = stackful_percent;
    town->core_count = core_count;
    town->places = calloc(place_count, sizeof(*town->places));
    town->heads = calloc(town->family_count, sizeof(*town->heads));
    return town->places != NULL && town->heads != NULL;
}

void town_destroy(struct town *town)
{
    free(town->places);
    free(town->heads);
}

uint64_t town_sum(const struct town *town, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < town->core_count; i++) {
        const char *counts = (const char *)&town->counts[i];
        sum += weft_counter_get((const weft_counter *)(const void *)(counts + offset));
    }
    return sum;
}
