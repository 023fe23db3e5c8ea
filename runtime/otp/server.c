// server.c: one message to a server: which callback it is for.
//
// The server's own bytes lie behind the user's state, so that weft_state is the user's, and `save`
// and `restore` see nothing else. A server that arrives from elsewhere has zeros there: the first
// message that is no START says that it serves already.
#include <weft/server.h>

#include <string.h>

#include <weft/link.h>
#include <weft/timer.h>

#include "runtime/otp/otp.h"

struct frame {
    uint64_t deadline_ns; // When `timeout` is due; 0: never.
    uint64_t timer;       // Wakes it then, or before; 0: none.
    uint64_t what;        // For `cont`.
    bool started;         // `init` is over.
    bool goes_on;         // `cont` is to be called.
};
_Static_assert(sizeof(struct frame) == WEFT_SERVER_BYTES(0), "what WEFT_SERVER makes room for");

static const struct weft_server *server_of(const struct weft_actor *self)
{
    return (const struct weft_server *)(const void *)weft_kind(self); // Its first member.
}

static struct frame *frame_of(const struct weft_server *server, void *state)
{
    return (struct frame *)(void *)((uint8_t *)state + server->kind.state_bytes -
                                    sizeof(struct frame));
}

static struct frame *own_frame(const struct weft_actor *self)
{
    return frame_of(server_of(self), weft_state(self));
}

// ---- Time-outs. A timer that is armed already is left to fire too early, and armed again then, so
// that a server that says "a second from now" with every message does not touch its timers.

static int arm(struct weft_actor *self, struct frame *frame, uint64_t ns)
{
    return weft_send_after(self, weft_self(self), ns, WEFT_SERVER_TIMEOUT, NULL, 0, &frame->timer);
}

int weft_server_timeout(struct weft_actor *self, uint64_t ns)
{
    struct frame *frame = own_frame(self);
    const uint64_t now_ns = weft_now_ns(self);
    frame->deadline_ns = 0;
    if (ns >= UINT64_MAX - now_ns) return 0;
    const int64_t left_ns = frame->timer != 0 ? weft_timer_left_ns(self, frame->timer) : -1;
    int result = 0;
    if (left_ns < 0 || (uint64_t)left_ns > ns) {
        if (left_ns >= 0) weft_timer_cancel(self, frame->timer);
        frame->timer = 0; // If it has fired already, its message is nobody's.
        result = arm(self, frame, ns);
    }
    if (result == 0) frame->deadline_ns = now_ns + ns;
    return result;
}

// The timer has fired.
static void on_timer(struct weft_actor *self, const struct weft_server *server, struct frame *frame,
                     void *state)
{
    const uint64_t now_ns = weft_now_ns(self), deadline_ns = frame->deadline_ns;
    frame->timer = 0;
    if (deadline_ns == 0) return;
    // Without memory for another timer it comes too early rather than never.
    if (now_ns < deadline_ns && arm(self, frame, deadline_ns - now_ns) == 0) return;
    frame->deadline_ns = 0;
    if (server->timeout != NULL) server->timeout(self, state);
}

// ---- Going on.

void weft_server_continue(struct weft_actor *self, uint64_t what)
{
    struct frame *frame = own_frame(self);
    frame->what = what;
    frame->goes_on = true;
}

static void go_on(struct weft_actor *self, const struct weft_server *server, struct frame *frame,
                  void *state)
{
    while (frame->goes_on && !weft_is_ending(self)) {
        frame->goes_on = false;
        if (server->cont != NULL) server->cont(self, state, frame->what);
        if (frame->goes_on) weft_reduce(self, STEP_REDUCTIONS);
    }
}

// ---- Start and end.

static void refuse(struct weft_actor *self, struct weft_message *start, int result)
{
    weft_unlink(self, weft_parent(self)); // Its starter learns of it by the answer alone.
    if (result < 0)
        weft_reply_error(self, start, result);
    else
        weft_reply(self, start, WEFT_SERVER_IGNORE, NULL, 0);
    weft_stop(self, WEFT_EXIT_NORMAL);
}

// What comes first. False: it is a message like any other.
static bool begin(struct weft_actor *self, const struct weft_server *server, struct frame *frame,
                  void *state, struct weft_message *message)
{
    if (message->tag != WEFT_MESSAGE_CALL || message->type != WEFT_SERVER_START ||
        message->from != weft_parent(self)) {
        frame->started = true;
        return false;
    }
    const int result =
        server->init != NULL ? server->init(self, state, message->payload, message->length) : 0;
    if (result != 0) {
        refuse(self, message, result);
        return true;
    }
    frame->started = true;
    weft_reply(self, message, WEFT_SERVER_START, NULL, 0);
    go_on(self, server, frame, state);
    return true;
}

static void end(struct weft_actor *self, const struct weft_server *server, void *state,
                uint16_t reason)
{
    if (server->shutdown != NULL) server->shutdown(self, state, reason);
    weft_stop(self, reason);
}

static void on_stop(struct weft_actor *self, const struct weft_server *server, void *state,
                    const struct weft_message *stop)
{
    uint16_t reason;
    if (stop->length != sizeof(reason)) return;
    memcpy(&reason, stop->payload, sizeof(reason));
    end(self, server, state, reason);
}

void weft_server_terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    const struct weft_server *server = server_of(self);
    if (frame_of(server, state)->started && server->terminate != NULL)
        server->terminate(self, state, reason);
}

// ---- Messages.

static void on_other(struct weft_actor *self, const struct weft_server *server, void *state,
                     struct weft_message *message)
{
    if (message->tag == WEFT_MESSAGE_EXIT && message->from == weft_parent(self))
        end(self, server, state, message->type);
    else if (server->info != NULL)
        server->info(self, state, message);
}

void weft_server_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    const struct weft_server *server = server_of(self);
    struct frame *frame = frame_of(server, state);
    if (unlikely(!frame->started) && begin(self, server, frame, state, message)) return;
    if (message->tag == WEFT_MESSAGE_TIMER && message->reference == frame->timer) {
        on_timer(self, server, frame, state);
    } else {
        frame->deadline_ns = 0;
        if (message->tag == WEFT_MESSAGE_CALL) {
            if (server->call != NULL) server->call(self, state, message);
        } else if (message->tag != WEFT_MESSAGE_CAST) {
            on_other(self, server, state, message);
        } else if (unlikely(message->type == WEFT_SERVER_STOP)) {
            on_stop(self, server, state, message);
        } else if (server->cast != NULL) {
            server->cast(self, state, message);
        }
    }
    if (unlikely(frame->goes_on)) go_on(self, server, frame, state);
}
