// actor.h: actors, as the admin port asks for them and as the node answers: lists, one actor, a
// message to it. The verbs are in source.h.
#ifndef WEFT_ADMIN_ACTOR_H
#define WEFT_ADMIN_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_ADMIN_ACTORS_MAX   10000 // In one list.
#define WEFT_ADMIN_PAYLOAD_MAX  65536 // Of a message from here, and of its reply.
#define WEFT_ADMIN_MODULE_ARGS  16
#define WEFT_ADMIN_PATH_BYTES   1024 // Of a module's file, with its zero byte.
#define WEFT_ADMIN_ACTOR_EDGES  64
#define WEFT_ADMIN_ACTOR_FRAMES 16

struct weft_admin_actor {
    uint64_t pid, parent; // Parent 0: the node.
    char name[64];        // Registered; may be empty.
    char label[32], kind[32];
    uint16_t core;
    const char *state;    // "ready", "waiting", "parked", "muted", "moving", "ending".
    const char *priority; // "normal", "max", "high", "low".
    const char *overflow; // What its mailbox does at its limit: "mute", "drop_newest", …
    bool stackful, trapping, pinned, is_private; // is_private: the node's own.
    uint32_t mailbox_count, mailbox_max, link_count, monitor_count;
    uint64_t reduction_count;
    uint64_t memory_bytes, memory_max, stack_bytes; // As struct weft_info (weft/actor.h) says.
};

struct weft_admin_actors {
    const struct weft_admin_actor *items;
    size_t count;
    uint64_t total;         // That fit; `items` may be fewer.
    uint64_t missing_cores; // Bits of cores that did not answer in time: see the events.
};

struct weft_admin_actor_look {
    struct weft_admin_actor actor;
    uint32_t edge_count; // All; at most WEFT_ADMIN_ACTOR_EDGES are here.
    uint32_t edges_shown;
    struct {
        const char *what; // "link", "watches", "watched_by", "timer", "name", "group", "owns".
        uint64_t pid, due_ns;
        char text[64];
    } edges[WEFT_ADMIN_ACTOR_EDGES];
    uint32_t messages_shown;
    struct {
        const char *tag;
        uint16_t type;
        uint32_t length;
        uint64_t from;
    } messages[16];
    uint32_t frame_count;
    char frames[WEFT_ADMIN_ACTOR_FRAMES][160]; // "receive (counter.so)", the innermost first.
};

// What is asked for.
struct weft_admin_actor_query {
    char sort[16]; // "mailbox", "memory", "reductions", "pid".
    char like[64]; // Only where name, label or kind holds this.
    uint32_t limit;
    bool all; // The node's own as well.
};

enum weft_admin_send { WEFT_ADMIN_SEND_USER, WEFT_ADMIN_SEND_CAST, WEFT_ADMIN_SEND_CALL };

struct weft_admin_message {
    enum weft_admin_send how;
    uint16_t type;
};

struct weft_admin_command;

// Ends a command of verb ACTOR_LIST, ACTOR_SHOW or ACTOR_SEND with what was asked for. The last is
// a reply; a message that wants none ends with weft_admin_complete. Control core.
void weft_admin_complete_actors(struct weft_admin_command *command,
                                const struct weft_admin_actors *actors);
void weft_admin_complete_actor(struct weft_admin_command *command,
                               const struct weft_admin_actor_look *look);
void weft_admin_complete_reply(struct weft_admin_command *command, uint16_t type, const void *bytes,
                               size_t length);
// Of ACTOR_LOAD: `pid` has started.
void weft_admin_complete_load(struct weft_admin_command *command, uint64_t pid);

#endif // WEFT_ADMIN_ACTOR_H
