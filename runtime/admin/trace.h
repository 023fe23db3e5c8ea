// trace.h: what actors do, as the admin port tells it: of one actor as it happens, and of all cores
// what their flight recorders hold.
#ifndef WEFT_ADMIN_TRACE_H
#define WEFT_ADMIN_TRACE_H

#include <stdint.h>

#define WEFT_ADMIN_FLIGHT_MAX 10000 // Events in one answer.

struct weft_admin_trace_event {
    uint64_t wall_ns; // Since 1970; exact to a turn of its core.
    uint16_t core;
    // "spawn", "exit", "send", "receive", "mute", "unmute", "move", "stuck", "crash"; of a stream
    // also "begin" (from here on nothing is left out) and "missed" (more came than was read).
    const char *event;
    uint64_t pid, peer; // peer 0: none.
    const char *tag;    // Of a message: "user", "call". NULL: it is none, and has no type.
    uint16_t type;
    const char *value_name; // What `value` is: "length", "reason". "": there is none.
    uint64_t value;
    const char *text; // What the value means: "killed". NULL: nothing.
};

struct weft_admin_request;

// GET /api/v1/actors/{name}/trace: server-sent events until the actor ends, `count` are told, or
// the client leaves.
void weft_admin_handle_actor_trace(struct weft_admin_request *request);
// GET /api/v1/cores/trace: a list.
void weft_admin_handle_flight(struct weft_admin_request *request);

#endif // WEFT_ADMIN_TRACE_H
