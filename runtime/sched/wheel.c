#include "runtime/sched/wheel.h"

#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

#define SLOT_BITS 8
#define SLOT_MASK (WEFT_WHEEL_SLOTS - 1)
#define TICK_NS   WEFT_WHEEL_TICK_NS
#define NEVER     UINT64_MAX

_Static_assert(1 << SLOT_BITS == WEFT_WHEEL_SLOTS, "a level is one byte of the tick");

// The furthest that a timer can stand ahead of the next tick; a later one is sorted again from
// there.
static const uint64_t reach_ticks = (UINT64_C(1) << (SLOT_BITS * WEFT_WHEEL_LEVELS)) - 1;

void weft_wheel_init(struct weft_wheel *wheel, uint64_t now_ns)
{
    memset(wheel, 0, sizeof(*wheel));
    wheel->start_ns = now_ns;
    weft_list_init(&wheel->due);
    for (unsigned level = 0; level < WEFT_WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; slot < WEFT_WHEEL_SLOTS; slot++)
            weft_list_init(&wheel->slots[level][slot]);
    }
}

void weft_timer_init(struct weft_timer *timer,
                     void (*fire)(void *self, struct weft_timer *timer, uint64_t now_ns),
                     void *self)
{
    weft_list_init(&timer->link);
    timer->due_ns = 0;
    timer->fire = fire;
    timer->self = self;
}

bool weft_timer_armed(const struct weft_timer *timer)
{
    return !weft_list_empty(&timer->link);
}

// The first tick that begins at or after `due_ns`: a timer never fires early.
static uint64_t due_tick(const struct weft_wheel *wheel, uint64_t due_ns)
{
    if (due_ns <= wheel->start_ns) return 0;
    const uint64_t ns = due_ns - wheel->start_ns;
    return ns / TICK_NS + (ns % TICK_NS != 0);
}

// Level 0 holds the next 256 ticks, level 1 the next 65 536 by their second byte, and so on.
static void place(struct weft_wheel *wheel, struct weft_timer *timer)
{
    const uint64_t next = wheel->tick + 1;
    uint64_t tick = due_tick(wheel, timer->due_ns);
    if (tick < next) tick = next;
    if (tick - next > reach_ticks) tick = next + reach_ticks;

    unsigned level = 0;
    while ((tick - next) >> (SLOT_BITS * (level + 1)) != 0)
        level++;
    const unsigned slot = (tick >> (SLOT_BITS * level)) & SLOT_MASK;
    weft_list_append(&wheel->slots[level][slot], &timer->link);
    wheel->occupied[level][slot / 64] |= UINT64_C(1) << (slot % 64);
}

// Takes the timer out; the last one of a slot clears the slot's bit.
static void unplace(struct weft_wheel *wheel, struct weft_timer *timer)
{
    struct weft_list *const head = timer->link.next;
    const bool last = head == timer->link.prev && head != &wheel->due;
    weft_list_remove(&timer->link);
    if (!last) return;
    const size_t index = (size_t)(head - &wheel->slots[0][0]);
    const size_t level = index / WEFT_WHEEL_SLOTS, slot = index % WEFT_WHEEL_SLOTS;
    wheel->occupied[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

void weft_wheel_arm(struct weft_wheel *wheel, struct weft_timer *timer, uint64_t due_ns)
{
    weft_wheel_cancel(wheel, timer);
    timer->due_ns = due_ns;
    place(wheel, timer);
    wheel->armed_count++;
}

void weft_wheel_cancel(struct weft_wheel *wheel, struct weft_timer *timer)
{
    if (!weft_timer_armed(timer)) return;
    weft_assert(wheel->armed_count > 0);
    unplace(wheel, timer);
    wheel->armed_count--;
}

// How many slots after `from` (0 .. 255) the first occupied one of `level` comes; -1 for none.
static int slots_ahead(const struct weft_wheel *wheel, unsigned level, unsigned from)
{
    for (unsigned i = 0; i <= WEFT_WHEEL_SLOTS / 64;
         i++) { // The first word twice: both its halves.
        const unsigned word = (from / 64 + i) % (WEFT_WHEEL_SLOTS / 64);
        uint64_t bits = wheel->occupied[level][word];
        if (i == 0) bits &= ~UINT64_C(0) << (from % 64);
        if (i == WEFT_WHEEL_SLOTS / 64) bits &= ~(~UINT64_C(0) << (from % 64));
        if (bits != 0) {
            const unsigned slot = word * 64 + (unsigned)__builtin_ctzll(bits);
            return (int)((slot - from) & SLOT_MASK);
        }
    }
    return -1;
}

// The next tick at which `level` has something to do: expire a slot (level 0) or spread one
// downwards.
static uint64_t next_tick_of(const struct weft_wheel *wheel, unsigned level)
{
    // A slot of this level is due when the tick reaches its first multiple at or after the next
    // tick.
    const unsigned shift = SLOT_BITS * level;
    const uint64_t next = wheel->tick + 1;
    const uint64_t first = (next + (UINT64_C(1) << shift) - 1) >> shift;
    const int ahead = slots_ahead(wheel, level, first & SLOT_MASK);
    return ahead < 0 ? NEVER : (first + (uint64_t)ahead) << shift;
}

static uint64_t next_tick(const struct weft_wheel *wheel)
{
    uint64_t earliest = NEVER;
    for (unsigned level = 0; level < WEFT_WHEEL_LEVELS; level++) {
        const uint64_t tick = next_tick_of(wheel, level);
        if (tick < earliest) earliest = tick;
    }
    return earliest;
}

uint64_t weft_wheel_next_ns(const struct weft_wheel *wheel)
{
    if (wheel->armed_count == 0) return NEVER;
    if (!weft_list_empty(&wheel->due)) return wheel->start_ns + wheel->tick * TICK_NS;
    return wheel->start_ns + next_tick(wheel) * TICK_NS;
}

// Sorts one slot's timers again, now that they are nearer.
static void cascade(struct weft_wheel *wheel, unsigned level, unsigned slot)
{
    struct weft_list moving;
    weft_list_init(&moving);
    for (struct weft_list *link; (link = weft_list_pop(&wheel->slots[level][slot])) != NULL;)
        weft_list_append(&moving, link);
    wheel->occupied[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    for (struct weft_list *link; (link = weft_list_pop(&moving)) != NULL;)
        place(wheel, WEFT_CONTAINER_OF(link, struct weft_timer, link));
}

// Goes to `tick`, the next at which anything happens, and moves its timers to the due list.
static void advance(struct weft_wheel *wheel, uint64_t tick)
{
    wheel->tick = tick - 1;
    for (unsigned level = WEFT_WHEEL_LEVELS - 1; level > 0; level--) {
        const unsigned shift = SLOT_BITS * level;
        if ((tick & ((UINT64_C(1) << shift) - 1)) == 0)
            cascade(wheel, level, (tick >> shift) & SLOT_MASK);
    }
    const unsigned slot = tick & SLOT_MASK;
    for (struct weft_list *link; (link = weft_list_pop(&wheel->slots[0][slot])) != NULL;)
        weft_list_append(&wheel->due, link);
    wheel->occupied[0][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    wheel->tick = tick;
}

static uint32_t fire_due(struct weft_wheel *wheel, uint64_t now_ns, uint32_t limit)
{
    uint32_t fired = 0;
    for (struct weft_list *link; fired < limit && (link = weft_list_pop(&wheel->due)) != NULL;) {
        struct weft_timer *timer = WEFT_CONTAINER_OF(link, struct weft_timer, link);
        wheel->armed_count--;
        fired++;
        timer->fire(timer->self, timer, now_ns); // The timer may be gone afterwards.
    }
    return fired;
}

uint32_t weft_wheel_expire(struct weft_wheel *wheel, uint64_t now_ns, uint32_t limit)
{
    if (now_ns < wheel->start_ns) return 0;
    const uint64_t now_tick = (now_ns - wheel->start_ns) / TICK_NS;
    uint32_t fired = fire_due(wheel, now_ns, limit);
    while (fired < limit && wheel->tick < now_tick) {
        const uint64_t tick = wheel->armed_count == 0 ? NEVER : next_tick(wheel);
        if (tick > now_tick) {
            wheel->tick = now_tick;
            break;
        }
        advance(wheel, tick);
        fired += fire_due(wheel, now_ns, limit - fired);
    }
    return fired;
}
