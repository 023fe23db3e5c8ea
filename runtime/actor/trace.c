#include "runtime/actor/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/actor/internal.h"

static const struct {
    const char *name, *value;
} events[] = {
#define EVENT(name, text, value) {text, value},
    WEFT_TRACE_TABLE(EVENT)
#undef EVENT
};

const char *weft_trace_name(uint8_t event)
{
    return event < WEFT_TRACE_COUNT ? events[event].name : "?";
}

const char *weft_trace_value_name(uint8_t event)
{
    return event < WEFT_TRACE_COUNT ? events[event].value : "";
}

struct weft_tracer *weft_tracer_create(void)
{
    struct weft_tracer *tracer = calloc(1, sizeof(*tracer)); // Fresh pages, not touched yet.
    if (tracer == NULL) return NULL;
    tracer->flight.width = 3;
    tracer->flight.words = tracer->flight_words;
    tracer->followed.width = 4;
    tracer->followed.words = tracer->followed_words;
    return tracer;
}

// ---- Reading.

uint64_t weft_trace_end(const struct weft_trace_ring *ring)
{
    return atomic_load_explicit(&ring->next, memory_order_acquire);
}

uint64_t weft_trace_tail(const struct weft_trace_ring *ring, uint64_t count)
{
    const uint64_t end = weft_trace_end(ring);
    if (count > WEFT_TRACE_RECORDS - 1) count = WEFT_TRACE_RECORDS - 1;
    return end > count ? end - count : 0;
}

static void decode(const uint64_t *words, unsigned width, struct weft_trace_record *record)
{
    *record = (struct weft_trace_record){
        .pid = words[0], .time_ns = words[1] >> 8 << 4, .event = (uint8_t)words[1]};
    if (width == 4) {
        record->peer = words[2];
        record->tag = (uint8_t)(words[3] >> 48);
        record->type = (uint16_t)(words[3] >> 32);
        record->value = (uint32_t)words[3];
    } else if (weft_trace_value_name(record->event)[0] != '\0') {
        record->value = (uint32_t)words[2];
    } else {
        record->peer = words[2];
    }
}

static bool read_at(const struct weft_trace_ring *ring, uint64_t place,
                    struct weft_trace_record *record)
{
    const _Atomic uint64_t *from = &ring->words[place % WEFT_TRACE_RECORDS * ring->width];
    uint64_t words[4] = {0};
    for (unsigned i = 0; i < ring->width; i++)
        words[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
    weft_acquire_fence(); // See weft_trace.
    if (place + WEFT_TRACE_RECORDS <= atomic_load_explicit(&ring->next, memory_order_relaxed))
        return false;
    decode(words, ring->width, record);
    return true;
}

bool weft_trace_read(const struct weft_trace_ring *ring, uint64_t *place,
                     struct weft_trace_record *record, uint64_t *missed)
{
    for (;;) {
        if (*place >= weft_trace_end(ring)) return false;
        if (read_at(ring, *place, record)) break;
        // Overtaken: on at half of the ring, or it would be overtaken again at once.
        const uint64_t from = weft_trace_tail(ring, WEFT_TRACE_RECORDS / 2);
        *missed += from - *place;
        *place = from;
    }
    ++*place;
    return true;
}

// ---- Writing.

static bool is_followed(const struct weft_actor *actor)
{
    return (actor->task.flags & WEFT_ACTOR_INDEXED) != 0 && actor->rare != NULL &&
           actor->rare->followers > 0;
}

// As weft_trace, with one word more.
static void put(const struct weft_actor *actor, const struct weft_trace_record *record)
{
    const struct weft_actor_system *system = actor->system;
    struct weft_trace_ring *ring = &system->tracer->followed;
    const uint64_t next = atomic_load_explicit(&ring->next, memory_order_relaxed);
    _Atomic uint64_t *to = &ring->words[next % WEFT_TRACE_RECORDS * 4];
    const uint64_t words[4] = {
        record->pid, system->core->now_ns >> 4 << 8 | record->event, record->peer,
        (uint64_t)record->tag << 48 | (uint64_t)record->type << 32 | record->value};
    weft_release_fence();
    for (unsigned i = 0; i < 4; i++)
        atomic_store_explicit(&to[i], words[i], memory_order_relaxed);
    atomic_store_explicit(&ring->next, next + 1, memory_order_release); // See weft_trace.
}

void weft_trace_actor(const struct weft_actor *actor, enum weft_trace_event event, weft_pid peer,
                      uint32_t value)
{
    if (!is_followed(actor)) return;
    const struct weft_trace_record record = {
        .pid = actor->pid, .peer = peer, .value = value, .event = (uint8_t)event};
    put(actor, &record);
}

void weft_trace_message(const struct weft_actor *actor, enum weft_trace_event event,
                        const struct weft_message *message)
{
    if (!is_followed(actor)) return;
    const struct weft_trace_record record = {.pid = actor->pid,
                                             .peer = event == WEFT_TRACE_SEND ? message->to
                                                                              : message->from,
                                             .value = message->length,
                                             .type = message->type,
                                             .tag = message->tag,
                                             .event = (uint8_t)event};
    put(actor, &record);
}

void weft_trace_spawned(const struct weft_actor *parent, weft_pid child)
{
    if (!is_followed(parent)) return;
    const struct weft_trace_record record = {
        .pid = child, .peer = parent->pid, .event = WEFT_TRACE_SPAWN};
    put(parent, &record);
}

// ---- Following.

static void count_followed(const struct weft_actor *actor, int change)
{
    actor->system->followed_count += (uint32_t)change;
    weft_attend(actor->system);
}

int weft_trace_follow(struct weft_actor *actor)
{
    struct weft_actor_system *system = actor->system;
    if (system->tracer == NULL) return -ENOTSUP;
    struct weft_actor_rare *rare = weft_actor_rare(actor);
    if (rare == NULL) return -ENOMEM;
    if (rare->followers++ > 0) return 0;
    actor->task.flags |= WEFT_ACTOR_INDEXED;
    count_followed(actor, 1);
    return 0;
}

void weft_trace_unfollow(struct weft_actor *actor)
{
    if (!is_followed(actor) || --actor->rare->followers > 0) return;
    count_followed(actor, -1);
    if (actor->rare->cursors == NULL && actor->rare->awaits == NULL &&
        weft_list_empty(&actor->mailbox)) // What is in it may be large (heap.c).
        actor->task.flags &= (uint16_t)~WEFT_ACTOR_INDEXED;
}

void weft_trace_departs(const struct weft_actor *actor)
{
    if (is_followed(actor)) count_followed(actor, -1);
}

void weft_trace_arrived(const struct weft_actor *actor)
{
    if (is_followed(actor)) count_followed(actor, 1);
}

void weft_trace_ends(struct weft_actor *actor)
{
    if (!is_followed(actor)) return;
    weft_trace_actor(actor, WEFT_TRACE_EXIT, 0, actor->exit_reason);
    actor->rare->followers = 0;
    count_followed(actor, -1);
}
