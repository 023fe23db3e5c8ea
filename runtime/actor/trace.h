// trace.h: the flight recorder: what this core did last, in a ring that nobody waits for.
//
// One record is 16 bytes and costs two stores; the time in it is that of the turn. After a crash,
// or when asked, the last 65 536 records tell what led there (crash.c).
#ifndef WEFT_ACTOR_TRACE_H
#define WEFT_ACTOR_TRACE_H

#include <stdint.h>

#include "runtime/actor/actor.h"

#define WEFT_TRACE_RECORDS 65536 // A power of two.

// X(NAME, "name", "what `value` is")
#define WEFT_TRACE_TABLE(X)                                                                        \
    X(NONE, "none", "")                                                                            \
    X(RUN, "run", "messages waiting")                                                              \
    X(SPAWN, "spawn", "parent's slot")                                                             \
    X(EXIT, "exit", "reason")                                                                      \
    X(ARRIVE, "arrive", "")                                                                        \
    X(MUTE, "mute", "receiver's slot")                                                             \
    X(STUCK, "stuck", "ms")                                                                        \
    X(FAULT, "fault", "signal")

enum weft_trace_event {
#define WEFT_TRACE_ENUM(name, text, value) WEFT_TRACE_##name,
    WEFT_TRACE_TABLE(WEFT_TRACE_ENUM)
#undef WEFT_TRACE_ENUM
        WEFT_TRACE_COUNT
};

struct weft_trace_record {
    uint64_t pid_event; // The pid with its core and generation; the event in the low byte of... see
                        // weft_trace: slot 24, core 8, generation 24 and event 8 bits.
    uint32_t time_us;   // Of the core's clock, modulo 2^32.
    uint32_t value;
};
_Static_assert(sizeof(struct weft_trace_record) == 16, "two stores");

struct weft_tracer {
    uint32_t next; // Counts up; the record is at next % WEFT_TRACE_RECORDS.
    struct weft_trace_record records[WEFT_TRACE_RECORDS];
};

static inline void weft_trace(struct weft_actor_system *system, enum weft_trace_event event,
                              weft_pid pid, uint32_t value)
{
    struct weft_tracer *tracer = system->tracer;
    if (__builtin_expect(tracer == NULL, 0)) return;
    struct weft_trace_record *record = &tracer->records[tracer->next++ % WEFT_TRACE_RECORDS];
    record->pid_event = pid << 8 | (uint64_t)event;
    record->time_us = (uint32_t)(system->core->now_ns >> 10);
    record->value = value;
}

#endif // WEFT_ACTOR_TRACE_H
