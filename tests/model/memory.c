#include "tests/model/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/explore.h"

#define LOCATIONS      1024 // Atomic ones.
#define HISTORY        32   // Values of each,
#define RANDOM_HISTORY 8    // in random runs, which forget the oldest.
#define GRANULES       (1u << 18)
#define STAMP_STEP     (UINT64_C(1) << 32)
#define STALE_EVERY    4 // A random load returns an old value about once in so many.

struct view {
    uint64_t at[LOCATIONS]; // The stamp of the value that it must be at, or behind.
    uint32_t clock[EXPLORE_THREADS];
};

struct value { // What a location has been: in order of `stamp`.
    uint64_t stamp, value;
    bool is_taken; // Read by a read-modify-write, whose value follows immediately.
    struct view view;
};

struct location {
    const void *address;
    size_t size;
    bool is_overwritten; // By a plain store, whose value lies in memory.
    unsigned count;
    unsigned order[HISTORY]; // Indices of `values`: `count` by stamp, then those that are free.
    struct value *values;    // HISTORY of them.
};

struct access { // The last ones of a thread to eight bytes.
    uint32_t write_clock, read_clock;
    const void *write_where, *read_where; // The code.
    uint8_t write_mask, read_mask;        // Which bytes.
};

struct granule {
    uintptr_t key;
    uint64_t run;      // Of another run: empty.
    uint16_t location; // That fills it, plus 1; 0: none.
    struct access by[EXPLORE_THREADS];
};

struct thread_view {
    struct view now;
    struct view acquired; // What an acquire fence adds.
    struct view released; // What a relaxed store after a release fence takes along.
};

static struct {
    uint64_t run;
    unsigned location_count;
    struct location locations[LOCATIONS];
    uint16_t index[4 * LOCATIONS]; // By address; 0: none, else one more than the location.
    struct thread_view threads[EXPLORE_THREADS];
    struct view full_fences;
    struct granule granules[GRANULES];
} memory;

void memory_reset(void)
{
    memory.run++;
    memory.location_count = 0;
    memset(memory.index, 0, sizeof(memory.index));
    memset(memory.threads, 0, sizeof(memory.threads));
    memset(&memory.full_fences, 0, sizeof(memory.full_fences));
    for (unsigned i = 0; i < EXPLORE_THREADS; i++)
        memory.threads[i].now.clock[i] = 1;
}

// ---- Views.

static void join_places(struct view *to, const struct view *from)
{
    for (unsigned i = 0; i < memory.location_count; i++) {
        if (from->at[i] > to->at[i]) to->at[i] = from->at[i];
    }
}

static void join(struct view *to, const struct view *from)
{
    join_places(to, from);
    for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
        if (from->clock[i] > to->clock[i]) to->clock[i] = from->clock[i];
    }
}

static void copy(struct view *to, const struct view *from)
{
    memcpy(to->at, from->at, memory.location_count * sizeof(to->at[0]));
    memcpy(to->clock, from->clock, sizeof(to->clock));
}

static bool is_weak(unsigned what, const void *address)
{
    const struct explore_options *now = explore_now();
    return (now->weakness & what) != 0 &&
           (now->weak_address == NULL || now->weak_address == address);
}

static bool acquires(int order, const void *address)
{
    return (order == memory_order_acquire || order == memory_order_consume ||
            order == memory_order_acq_rel) &&
           !is_weak(EXPLORE_ACQUIRE, address);
}

static bool releases(int order, const void *address)
{
    return (order == memory_order_release || order == memory_order_acq_rel) &&
           !is_weak(EXPLORE_RELEASE, address);
}

// ---- Locations.

static uint64_t read_plain(const void *address, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, address, size); // Little-endian, as every machine that runs this.
    return value;
}

static uint64_t hash(uintptr_t key)
{
    return (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
}

static struct granule *granule_of(uintptr_t key)
{
    unsigned at = (unsigned)(hash(key) >> 44) % GRANULES;
    for (unsigned looked = 0; looked < GRANULES; looked++, at = (at + 1) % GRANULES) {
        struct granule *granule = &memory.granules[at];
        if (granule->run == memory.run && granule->key != key) continue;
        if (granule->run != memory.run) {
            memset(granule, 0, sizeof(*granule));
            granule->run = memory.run;
            granule->key = key;
        }
        return granule;
    }
    explore_fail("more than %u places in memory", GRANULES);
}

static struct location *add_location(const void *address, size_t size)
{
    if (memory.location_count == LOCATIONS) explore_fail("more than %u locations", LOCATIONS);
    const unsigned number = memory.location_count++;
    struct location *location = &memory.locations[number];
    if (location->values == NULL) location->values = calloc(HISTORY, sizeof(struct value));
    location->address = address;
    location->size = size;
    location->is_overwritten = false;
    if ((uintptr_t)address % 8 == 0 && size == 8) // Only words are stored to plainly as well.
        granule_of((uintptr_t)address / 8)->location = (uint16_t)(number + 1);
    location->count = 1;
    for (unsigned i = 0; i < HISTORY; i++)
        location->order[i] = i;
    location->values[0].stamp = STAMP_STEP;
    location->values[0].value = read_plain(address, size);
    location->values[0].is_taken = false;
    // As it was before the threads began: it orders nothing. The views have no place for it yet.
    memset(location->values[0].view.at, 0, memory.location_count * sizeof(uint64_t));
    memset(location->values[0].view.clock, 0, sizeof(location->values[0].view.clock));
    for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
        struct thread_view *thread = &memory.threads[i];
        thread->now.at[number] = thread->acquired.at[number] = thread->released.at[number] = 0;
    }
    memory.full_fences.at[number] = 0;
    for (unsigned n = 0; n < number; n++) {
        for (unsigned i = 0; i < memory.locations[n].count; i++)
            memory.locations[n].values[memory.locations[n].order[i]].view.at[number] = 0;
    }
    return location;
}

// What a plain store has left: everybody sees it, and nothing from before. (It is ordered, or a
// race; only what is atomic and not ordered with it would see more.)
static void take_plain(struct location *location)
{
    struct value *value = &location->values[location->order[location->count - 1]];
    const uint64_t stamp = value->stamp + STAMP_STEP;
    location->order[0] = (unsigned)(value - location->values);
    for (unsigned i = 1; i < HISTORY; i++) // The others are free again.
        location->order[i] = (location->order[0] + i) % HISTORY;
    location->is_overwritten = false;
    location->count = 1;
    value->stamp = stamp;
    value->value = read_plain(location->address, location->size);
    value->is_taken = false;
    memset(&value->view, 0, sizeof(value->view));
}

static struct location *location_of(const void *address, size_t size)
{
    const unsigned mask = 4 * LOCATIONS - 1;
    unsigned at = (unsigned)(hash((uintptr_t)address) >> 40) & mask;
    for (; memory.index[at] != 0; at = (at + 1) & mask) {
        struct location *location = &memory.locations[memory.index[at] - 1];
        if (location->address != address) continue;
        if (location->size != size) explore_fail("one location in two sizes");
        if (location->is_overwritten) take_plain(location);
        return location;
    }
    struct location *location = add_location(address, size);
    memory.index[at] = (uint16_t)(location - memory.locations + 1);
    return location;
}

static unsigned number_of(const struct location *location)
{
    return (unsigned)(location - memory.locations);
}

static struct value *value_at(struct location *location, unsigned position)
{
    return &location->values[location->order[position]];
}

// The first value that the thread may still see.
static unsigned first_visible(struct location *location, const struct thread_view *thread)
{
    const uint64_t stamp = thread->now.at[number_of(location)];
    unsigned position = location->count - 1;
    while (position > 0 && value_at(location, position - 1)->stamp >= stamp)
        position--;
    return position;
}

// Puts a value behind the one at `position`. Its view is not set.
static struct value *insert_behind(struct location *location, unsigned position)
{
    const unsigned limit = explore_is_random() ? RANDOM_HISTORY : HISTORY;
    if (location->count == limit) {
        if (!explore_is_random()) explore_fail("a location had more than %u values", limit);
        const unsigned oldest = location->order[0]; // Whoever was there is at the next one now.
        location->count--;
        memmove(location->order, location->order + 1, location->count * sizeof(oldest));
        location->order[location->count] = oldest;
        position--;
    }
    const unsigned fresh = location->order[location->count];
    uint64_t stamp = value_at(location, position)->stamp + STAMP_STEP;
    if (position + 1 < location->count)
        stamp =
            value_at(location, position)->stamp / 2 + value_at(location, position + 1)->stamp / 2;
    for (unsigned i = location->count; i > position + 1; i--)
        location->order[i] = location->order[i - 1];
    location->order[position + 1] = fresh;
    location->count++;
    location->values[fresh].stamp = stamp;
    location->values[fresh].is_taken = false;
    return &location->values[fresh];
}

static void see(struct thread_view *thread, const struct location *location,
                const struct value *value, bool acquires_it)
{
    const unsigned number = number_of(location);
    if (value->stamp > thread->now.at[number]) thread->now.at[number] = value->stamp;
    join(&thread->acquired, &value->view);
    if (acquires_it) join(&thread->now, &value->view);
}

// What a store by `thread` takes along. `before`: what a read-modify-write has read.
static void set_view(struct thread_view *thread, const struct location *location,
                     struct value *value, bool releases_it, const struct view *before)
{
    const unsigned number = number_of(location);
    thread->now.at[number] = value->stamp;
    copy(&value->view, releases_it ? &thread->now : &thread->released);
    if (before != NULL) join(&value->view, before);
    if (value->view.at[number] < value->stamp) value->view.at[number] = value->stamp;
}

static void count_up(unsigned thread)
{
    memory.threads[thread].now.clock[thread]++;
}

static void write_back(struct location *location)
{
    const uint64_t value = value_at(location, location->count - 1)->value;
    memcpy((void *)(uintptr_t)location->address, &value, location->size);
}

// One of `count` values, the newest last.
static unsigned choose_value(unsigned count)
{
    if (count == 1) return 0;
    if (explore_is_random() && explore_choose(STALE_EVERY) != 0) return count - 1;
    return explore_choose(count);
}

// ---- Accesses.

uint64_t memory_load(unsigned thread, const void *address, size_t size, int order)
{
    struct location *location = location_of(address, size);
    struct thread_view *view = &memory.threads[thread];
    const unsigned first = first_visible(location, view);
    const struct value *value = value_at(location, first + choose_value(location->count - first));
    see(view, location, value, acquires(order, address));
    return value->value;
}

void memory_store(unsigned thread, void *address, size_t size, uint64_t value, int order)
{
    struct location *location = location_of(address, size);
    struct thread_view *view = &memory.threads[thread];
    unsigned places[HISTORY], count = 0;
    for (unsigned i = first_visible(location, view); i < location->count; i++) {
        if (!value_at(location, i)->is_taken) places[count++] = i;
    }
    // Random runs only append: then what lies in memory is what is newest.
    const unsigned chosen = explore_is_random() || count == 1 ? count - 1 : explore_choose(count);
    struct value *stored = insert_behind(location, places[chosen]);
    stored->value = value;
    set_view(view, location, stored, releases(order, address), NULL);
    count_up(thread);
    write_back(location);
}

// The value at `position` is read and replaced at once.
static void replace(unsigned thread, struct location *location, unsigned position, uint64_t value,
                    int order)
{
    struct thread_view *view = &memory.threads[thread];
    struct value *before = value_at(location, position);
    static struct view kept; // `before` may be forgotten for the new one.
    const void *address = location->address;
    see(view, location, before, acquires(order, address));
    before->is_taken = true;
    copy(&kept, &before->view);
    struct value *stored = insert_behind(location, position);
    stored->value = value;
    set_view(view, location, stored, releases(order, address), &kept);
    count_up(thread);
    write_back(location);
}

// A value that a read-modify-write of `thread` may read.
static unsigned choose_untaken(unsigned thread, struct location *location)
{
    unsigned places[HISTORY], count = 0;
    for (unsigned i = first_visible(location, &memory.threads[thread]); i < location->count; i++) {
        if (!value_at(location, i)->is_taken) places[count++] = i;
    }
    if (explore_is_random()) return places[count - 1];
    return places[count == 1 ? 0 : explore_choose(count)];
}

uint64_t memory_change(unsigned thread, void *address, size_t size, int order,
                       uint64_t (*change)(uint64_t before, uint64_t operand), uint64_t operand)
{
    struct location *location = location_of(address, size);
    const unsigned position = choose_untaken(thread, location);
    const uint64_t before = value_at(location, position)->value;
    replace(thread, location, position, change(before, operand), order);
    return before;
}

bool memory_exchange_if(unsigned thread, void *address, size_t size, uint64_t *expected,
                        uint64_t value, int order, int failure_order)
{
    struct location *location = location_of(address, size);
    struct thread_view *view = &memory.threads[thread];
    const unsigned first = first_visible(location, view);
    unsigned places[HISTORY], count = 0;
    for (unsigned i = first; i < location->count; i++) {
        const struct value *seen = value_at(location, i);
        if (seen->value != *expected || !seen->is_taken) places[count++] = i;
    }
    const unsigned position = places[choose_value(count)];
    struct value *seen = value_at(location, position);
    if (seen->value == *expected) {
        replace(thread, location, position, value, order);
        return true;
    }
    see(view, location, seen, acquires(failure_order, address));
    *expected = seen->value;
    return false;
}

void memory_fence(unsigned thread, int order)
{
    struct thread_view *view = &memory.threads[thread];
    const bool is_full = order == memory_order_seq_cst;
    if (is_full && is_weak(EXPLORE_FENCE, NULL)) return;
    if (is_full || order == memory_order_acquire || order == memory_order_acq_rel)
        join(&view->now, &view->acquired);
    if (is_full) {
        // They order what is seen where, but make nothing of one thread happen before another's.
        join_places(&view->now, &memory.full_fences);
        join_places(&memory.full_fences, &view->now);
    }
    if (is_full || order == memory_order_release || order == memory_order_acq_rel) {
        copy(&view->released, &view->now);
        count_up(thread);
    }
}

// ---- Plain accesses.

static void check_race(const struct granule *granule, unsigned thread, uint8_t mask, bool is_write,
                       const void *where)
{
    const struct view *now = &memory.threads[thread].now;
    for (unsigned i = 0; i < EXPLORE_THREADS; i++) {
        const struct access *other = &granule->by[i];
        if (i == thread) continue;
        const bool after_write =
            (other->write_mask & mask) == 0 || other->write_clock <= now->clock[i];
        const bool after_read =
            !is_write || (other->read_mask & mask) == 0 || other->read_clock <= now->clock[i];
        if (!after_write || !after_read)
            explore_fail("a race for %#lx: thread %u %s it at %p, thread %u %s it at %p",
                         (unsigned long)(granule->key * 8), i, after_write ? "reads" : "writes",
                         after_write ? other->read_where : other->write_where, thread,
                         is_write ? "writes" : "reads", where);
    }
}

static void note(uint32_t *clock, uint8_t *mask, uint32_t now, uint8_t bytes)
{
    *mask = *clock == now ? (uint8_t)(*mask | bytes) : bytes;
    *clock = now;
}

void memory_plain(unsigned thread, const void *address, size_t size, bool is_write,
                  const void *where)
{
    const uint32_t now = memory.threads[thread].now.clock[thread];
    for (uintptr_t at = (uintptr_t)address, end = at + size; at < end;) {
        const uintptr_t next = (at | 7) + 1 < end ? (at | 7) + 1 : end;
        const uint8_t mask = (uint8_t)(((1u << (next - at)) - 1) << (at & 7));
        struct granule *granule = granule_of(at / 8);
        struct access *own = &granule->by[thread];
        check_race(granule, thread, mask, is_write, where);
        if (is_write && granule->location != 0)
            memory.locations[granule->location - 1].is_overwritten = true;
        if (is_write) {
            note(&own->write_clock, &own->write_mask, now, mask);
            own->write_where = where;
        } else {
            note(&own->read_clock, &own->read_mask, now, mask);
            own->read_where = where;
        }
        at = next;
    }
}
