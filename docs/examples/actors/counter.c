// Counter: a state that nobody else can touch, behind a mailbox. No lock, because there is nothing
// to lock: messages are handled one after the other.
//
//     weft actor load n1 counter.so --name counter -- stay
//     weft actor send n1/tally --type 1
//     weft actor send n1/tally --type 2 --call
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

enum { ADD = 1, TOTAL }; // The types of our messages: what a tag is to a switch.

struct tally {
    uint64_t total;
};

// A callback actor: no stack while it waits, a few hundred bytes in all. Of these you may have a
// million.
static void tally_handle(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct tally *tally = state;
    char text[24];
    switch (message->type) {
    case ADD: tally->total++; break;
    case TOTAL: // A call: who asked waits for this, wherever it runs.
        snprintf(text, sizeof(text), "%llu", (unsigned long long)tally->total);
        weft_reply(self, message, TOTAL, text, strlen(text));
        break;
    default: break; // Anybody may send anything: what you do not know you let go.
    }
} // The message is the runtime's again.

static const struct weft_actor_kind tally_kind = {
    .name = "tally", .state_bytes = sizeof(struct tally), .handle = tally_handle};

static void counter(struct weft_actor *self, int argc, char *const *argv)
{
    const struct weft_spawn spawn = {.kind = &tally_kind, .label = "tally"};
    struct weft_message *reply;
    weft_pid tally;

    // Linked: if the one crashes the other does not stay behind.
    if (weft_spawn_link(self, &spawn, &tally) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    weft_register(self, "tally", tally);
    for (int i = 0; i < 3; i++)
        weft_send(self, tally, ADD, NULL, 0);
    // From one actor to another messages keep their order: all three have been counted by then.
    if (weft_call(self, tally, TOTAL, NULL, 0, WEFT_FOREVER, &reply) == 0)
        weft_say(self, WEFT_LEVEL_INFO, "the total is %.*s", (int)reply->length,
                 (const char *)reply->payload);

    if (argc > 1 && strcmp(argv[1], "stay") == 0) weft_join(self, tally, WEFT_FOREVER, NULL);
    weft_kill(self, tally); // An end of NORMAL, like ours now, would not end it.
}
WEFT_MODULE(counter)
