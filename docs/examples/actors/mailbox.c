// Mailbox: waiting for one thing while others wait, for so long and no longer; questions that are
// answered later, or never; and a mailbox that keeps the newest only.
#include <errno.h>
#include <string.h>

#include <weft/weft.h>

#define MS UINT64_C(1000000)

enum { NOISE = 1, ALARM, TICK, ENTER, OPEN, ASK };

static void pick_one_out(struct weft_actor *self)
{
    static const struct weft_match alarm = {.has_type = true, .type = ALARM};
    unsigned count = 0;
    for (int i = 0; i < 3; i++)
        weft_send(self, weft_self(self), NOISE, &i, sizeof(i));
    weft_send(self, weft_self(self), ALARM, "fire", 4);

    // What does not fit stays where it is. Asked again, it goes on behind what it has looked at.
    const struct weft_message *message = weft_receive_match(self, &alarm, WEFT_FOREVER);
    weft_say(self, WEFT_LEVEL_INFO, "%.*s, before %u others", (int)message->length,
             (const char *)message->payload, weft_mailbox_count(self));
    while (weft_receive(self, 0) != NULL) // 0: does not wait.
        count++;
    weft_say(self, WEFT_LEVEL_INFO, "then the %u others", count);
}

static void wait_for_a_while(struct weft_actor *self)
{
    uint64_t timer;
    weft_send_after(self, weft_self(self), 30 * MS, TICK, NULL, 0, &timer);
    if (weft_receive(self, 5 * MS) == NULL) weft_say(self, WEFT_LEVEL_INFO, "nothing in 5 ms");
    const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
    if (message->tag == WEFT_MESSAGE_TIMER && message->reference == timer)
        weft_say(self, WEFT_LEVEL_INFO, "then the timer");
}

// A gate: who wants to enter waits until somebody opens it.
struct gate {
    struct weft_message *waiting;
};

static void gate_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct gate *gate = state;
    struct weft_message *reply;
    switch (message->type) {
    case ENTER: // Kept, it is ours beyond this function; its sender goes on waiting.
        if (gate->waiting == NULL && weft_keep(self, message) == 0) gate->waiting = message;
        break; // A second one is not kept and so answered: -ECANCELED.
    case OPEN:
        if (gate->waiting != NULL) weft_reply(self, gate->waiting, ENTER, NULL, 0);
        gate->waiting = NULL;
        break;
    case ASK: // Asks back who waits for it: each would wait for the other for ever.
        if (weft_call(self, message->from, ASK, NULL, 0, WEFT_FOREVER, &reply) == -EDEADLK)
            weft_say(self, WEFT_LEVEL_INFO, "nobody could ever answer that");
        break;
    default: break;
    }
}
static const struct weft_actor_kind gate_kind = {
    .name = "gate", .state_bytes = sizeof(struct gate), .handle = gate_handle};

static void ask(struct weft_actor *self)
{
    const struct weft_spawn spawn = {.kind = &gate_kind, .label = "gate"};
    weft_pid gate;
    if (weft_spawn_link(self, &spawn, &gate) != 0) weft_exit(self, WEFT_EXIT_FAULT);

    // A call is two halves; between them there is time for other things, also for other calls.
    const uint64_t first = weft_call_begin(self, gate, ENTER, NULL, 0, NULL);
    const uint64_t second = weft_call_begin(self, gate, ENTER, NULL, 0, NULL);
    weft_send(self, gate, OPEN, NULL, 0);
    int error = weft_await(self, second, WEFT_FOREVER, NULL);
    weft_say(self, WEFT_LEVEL_INFO, "second: %s", strerror(-error));
    error = weft_await(self, first, WEFT_FOREVER, NULL);
    weft_say(self, WEFT_LEVEL_INFO, "first: %s", strerror(-error));

    error = weft_call(self, gate, ENTER, NULL, 0, 5 * MS, NULL);
    weft_say(self, WEFT_LEVEL_INFO, "nobody opens: %s", strerror(-error));
    error = weft_call(self, gate, ASK, NULL, 0, WEFT_FOREVER, NULL);
    weft_say(self, WEFT_LEVEL_INFO, "it did not care to answer: %s", strerror(-error));
    weft_kill(self, gate);
}

static void keep_newest(struct weft_actor *self, void *state)
{
    (void)state;
    for (const struct weft_message *message; (message = weft_receive(self, 50 * MS)) != NULL;)
        weft_say(self, WEFT_LEVEL_INFO, "reading %d", *(const int *)(const void *)message->payload);
}
static const struct weft_actor_kind display_kind = {.name = "display", .main = keep_newest};

static void overflow(struct weft_actor *self)
{
    // Readings of a sensor: who is late wants the last ones, and the sensor shall not wait.
    const struct weft_spawn spawn = {.kind = &display_kind,
                                     .label = "display",
                                     .mailbox_max = 2,
                                     .overflow = WEFT_OVERFLOW_DROP_OLDEST,
                                     .pinned = true}; // So that it cannot begin elsewhere already.
    weft_pid display;
    if (weft_spawn(self, &spawn, &display) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    for (int reading = 1; reading <= 5; reading++)
        weft_send(self, display, NOISE, &reading, sizeof(reading));
    weft_join(self, display, WEFT_FOREVER, NULL);
}

static void mailbox(struct weft_actor *self, int argc, char *const *argv)
{
    (void)argc, (void)argv;
    pick_one_out(self);
    wait_for_a_while(self);
    weft_trap_exit(self, true); // The gate is killed at the end, and is linked to us.
    ask(self);
    overflow(self);
}
WEFT_MODULE(mailbox)
