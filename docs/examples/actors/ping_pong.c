// Ping-pong: two actors and one message, which goes to and fro. Messages are moved, not copied: it
// is the same block of memory all the time, and it belongs to whoever has received it last.
#include <string.h>

#include <weft/weft.h>

enum { BALL = 1, ROUNDS = 100000 };

static uint64_t hits_of(const struct weft_message *ball)
{
    uint64_t hits;
    memcpy(&hits, ball->payload, sizeof(hits));
    return hits;
}

// Hits the ball back to whoever has sent it. Payloads may be written by whoever holds the message.
static void hit(struct weft_actor *self, struct weft_message *ball)
{
    const uint64_t hits = hits_of(ball) + 1;
    memcpy(ball->payload, &hits, sizeof(hits));
    weft_send_message(self, ball->from, ball); // Given away: no more looking at it.
}

// A stackful actor: its life is a function, and it waits in the middle of it.
static void pong(struct weft_actor *self, void *state)
{
    (void)state;
    for (struct weft_message *ball; (ball = weft_receive(self, WEFT_FOREVER)) != NULL;)
        hit(self, ball);
}
static const struct weft_actor_kind pong_kind = {.name = "pong", .main = pong};

static void ping(struct weft_actor *self, int argc, char *const *argv)
{
    const uint64_t none = 0;
    weft_pid partner;
    uint64_t down;
    (void)argc, (void)argv;

    // Monitored: its end, whatever it is, comes as one more message.
    const struct weft_spawn spawn = {.kind = &pong_kind, .label = "pong"};
    if (weft_spawn_monitor(self, &spawn, &partner, &down) != 0) weft_exit(self, WEFT_EXIT_FAULT);

    weft_send(self, partner, BALL, &none, sizeof(none));
    struct weft_message *ball = weft_receive(self, WEFT_FOREVER);
    while (hits_of(ball) + 1 < 2 * ROUNDS) {
        hit(self, ball);
        ball = weft_receive(self, WEFT_FOREVER);
    }
    weft_say(self, WEFT_LEVEL_INFO, "the ball was hit %llu times",
             (unsigned long long)hits_of(ball) + 1); // Ours is the last one.

    weft_kill(self, partner); // It would wait for ever.
    const struct weft_message *end = weft_receive(self, WEFT_FOREVER);
    weft_say(self, WEFT_LEVEL_INFO, "its partner ended: %s", weft_exit_name(end->type));
}
WEFT_MODULE(ping)
