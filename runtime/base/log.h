// log.h: what a core has to say, without waiting for anyone who listens.
//
// A core writes records into its own single-producer ring; the control core drains every ring, adds
// the node's name and prints. A full ring loses the newest record and counts it: a log never
// blocks. Hot paths count, they do not log.
#ifndef WEFT_BASE_LOG_H
#define WEFT_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/units.h"

enum weft_log_level { WEFT_LOG_ERROR, WEFT_LOG_WARN, WEFT_LOG_INFO, WEFT_LOG_DEBUG };

#define WEFT_LOG_TEXT_BYTES 228
#define WEFT_LOG_RECORDS    256 // Per core; a power of two.

struct weft_log_record {
    uint64_t time_ns; // The writing core's monotonic clock.
    uint64_t pid;     // The actor or unit that speaks; 0 for the node itself.
    uint16_t core;
    uint8_t level;       // enum weft_log_level.
    uint8_t name_length; // Of who speaks: so many bytes of `text`, then ": ". 0: it says nothing.
    char module[8];      // "raft", "mesh": who says it. Zero-terminated.
    char text[WEFT_LOG_TEXT_BYTES]; // "subject: fact". Zero-terminated, cut with "..." if longer.
};
_Static_assert(sizeof(struct weft_log_record) == 256, "a record is four cache lines");

struct weft_log {
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t head; // Written by the core that logs.
    _Atomic uint64_t lost;
    uint16_t core;
    uint8_t level_max;      // Records above this level are not written.
    const uint64_t *now_ns; // The core's idea of now, read when a record is written. May be NULL.
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t tail; // Written by the core that drains.
    struct weft_log_record records[WEFT_LOG_RECORDS];
};

// Empties `log`. `now_ns` must outlive it. Caller's memory.
void weft_log_init(struct weft_log *log, uint16_t core, const uint64_t *now_ns,
                   enum weft_log_level level_max);

// Writes one record; printf rules. Only the core that owns `log` may call it. A NULL log swallows.
__attribute__((format(printf, 4, 5))) void weft_log(struct weft_log *log, enum weft_log_level level,
                                                    const char *module, const char *format, ...);
// The same of an actor or unit, `pid`, which is called `name` (at most 63 bytes of it).
__attribute__((format(printf, 6, 7))) void
weft_log_actor(struct weft_log *log, enum weft_log_level level, const char *module, uint64_t pid,
               const char *name, const char *format, ...);

// Moves the oldest record to `record`. Only the draining core. False if there is none.
bool weft_log_take(struct weft_log *log, struct weft_log_record *record);

// The number of the record that will be written next; it wraps. Any thread, and in a handler.
uint32_t weft_log_end(const struct weft_log *log);
// As weft_log_take, of the records before the one of number `end`.
bool weft_log_take_before(struct weft_log *log, uint32_t end, struct weft_log_record *record);

const char *weft_log_level_name(enum weft_log_level level);

#endif // WEFT_BASE_LOG_H
