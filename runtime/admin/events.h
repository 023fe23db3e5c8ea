// events.h: what happened on this node, as a bounded list that readers resume by number.
//
// 1 024 events; the oldest makes room. Numbers grow by one and, as they start at the wall-clock
// second of start times a million, also grow over a restart: a reader that resumes after one misses
// nothing. Control core only: no locks.
#ifndef WEFT_ADMIN_EVENTS_H
#define WEFT_ADMIN_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_ADMIN_EVENTS_MAX 1024

struct weft_admin_event {
    uint64_t id;
    uint64_t wall_ns; // Since 1970.
    char type[24];    // "node.up", "node.suspect", "node.dead", "unit.loaded", "port.link".
    char subject[64]; // Who it is about: "n2", "n2/counter", "p0".
    char text[160];
};

struct weft_admin_events {
    uint64_t first_id; // Of the oldest kept.
    uint64_t next_id;
    struct weft_admin_event ring[WEFT_ADMIN_EVENTS_MAX];
};

// Empties `events`; `start_wall_ns` gives the first number. Caller's memory; nothing to destroy.
void weft_admin_events_init(struct weft_admin_events *events, uint64_t start_wall_ns);

// Appends one; printf rules. Returns its number.
__attribute__((format(printf, 5, 6))) uint64_t
weft_admin_events_add(struct weft_admin_events *events, uint64_t wall_ns, const char *type,
                      const char *subject, const char *format, ...);

// The oldest event after number `since`, or NULL. A `since` from the future (the clock was set
// back) starts over at the oldest.
const struct weft_admin_event *weft_admin_events_after(const struct weft_admin_events *events,
                                                       uint64_t since);

#endif // WEFT_ADMIN_EVENTS_H
