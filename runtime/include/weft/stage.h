// stage.h: streams with demand (Elixir's GenStage): a consumer asks for so many events, a producer
// sends no more than was asked for; so whoever is slowest sets the pace and nothing piles up.
//
//     static void made_to_order(struct weft_actor *self, void *state, uint64_t count)
//     {
//         for (uint64_t *next = state; count > 0; count--, ++*next)
//             weft_stage_emit(self, next, sizeof(*next));
//     }
//     static void eaten(struct weft_actor *self, void *state, const void *event, size_t length) { …
//     }
//
//     static const struct weft_stage numbers = {
//         WEFT_STAGE("numbers", uint64_t), .demand = made_to_order};
//     static const struct weft_stage eater = {
//         WEFT_STAGE("eater", struct eater), .init = subscribe_to_numbers, .event = eaten};
//
//     weft_server_start_link(self, &(struct weft_start){.server = &numbers.server}, &pid);
//
// A stage with `demand` is a producer, one with `event` a consumer, one with both stands between:
// it asks for more only when what it has emitted has gone on. An event goes to the consumer that
// has asked for most. A stage is a server, and its other callbacks are a server's.
//
// What a full mailbox or the want of memory refuses is sent again a millisecond later; without even
// the memory for that the stage ends with WEFT_EXIT_QUOTA. What a mailbox drops by itself is lost
// (WEFT_OVERFLOW_DROP_OLDEST; DROP_NEWEST between cores): leave a stage's `overflow` as it is.
//
// Messages: those of server.h; ASK, a USER message with a uint64_t, from consumer to producer;
// EVENT, a USER message with the event's bytes, back.
// Errors: 0 or a negative errno.
#ifndef WEFT_STAGE_H
#define WEFT_STAGE_H

#include <weft/server.h>

enum { WEFT_STAGE_ASK = 0xff60, WEFT_STAGE_EVENT };

// One constant table for all stages of a sort; begin it with WEFT_STAGE.
struct weft_stage {
    struct weft_server server; // What weft_server_start and weft_child take.
    // So many more events are wanted than the stage has emitted: it emits as many as it has, now or
    // later, from whatever callback.
    void (*demand)(struct weft_actor *self, void *state, uint64_t count);
    void (*event)(struct weft_actor *self, void *state, const void *event, size_t length);
    // A producer that it has subscribed to has ended. NULL: it ends too, with the same reason.
    void (*cancelled)(struct weft_actor *self, void *state, weft_pid producer, uint16_t reason);
    // As a server's. `info` gets what is no stage's business.
    int (*init)(struct weft_actor *self, void *state, const void *args, size_t length);
    void (*info)(struct weft_actor *self, void *state, struct weft_message *message);
    uint32_t buffer_max; // Events that were emitted and not asked for: 0: 10 000.
};

// WEFT_STAGE("numbers", struct numbers): its name, the type of `state`. .server.call, .cast,
// .shutdown and .terminate may be added.
#define WEFT_STAGE(label, type)                                                                    \
    .server.kind.name = (label),                                                                   \
    .server.kind.state_bytes = WEFT_SERVER_BYTES(WEFT_STAGE_BYTES(sizeof(type))),                  \
    .server.kind.handle = weft_server_handle, .server.kind.terminate = weft_server_terminate,      \
    .server.init = weft_stage_on_init, .server.info = weft_stage_on_info
#define WEFT_STAGE_BYTES(bytes) ((((size_t)(bytes) + 15) & ~(size_t)15) + 80)
int weft_stage_on_init(struct weft_actor *self, void *state, const void *args, size_t length);
void weft_stage_on_info(struct weft_actor *self, void *state, struct weft_message *message);

// ---- For the callbacks of a stage.

// Subscribes to a producer: asks for `demand_max` events, and again whenever no more than
// `demand_min` of them are still to come. 0; -EINVAL: demand_min is not below demand_max; -EEXIST;
// -ENOMEM.
int weft_stage_subscribe(struct weft_actor *self, weft_pid producer, uint64_t demand_max,
                         uint64_t demand_min);
// Hands an event on: to a consumer, or, if nobody has asked for it or can take it, into the buffer.
// 0; -ENOBUFS: the buffer is full, and the event is dropped; -ENOMEM: likewise.
int weft_stage_emit(struct weft_actor *self, const void *event, size_t length);
uint64_t weft_stage_wanted(const struct weft_actor *self); // Asked for and not emitted.

#endif // WEFT_STAGE_H
