// Publish and subscribe: who is interested joins a group; who has news sends them to the group, and
// neither knows the other. Whoever ends has left, without a word.
#include <weft/weft.h>

enum { NEWS = 1, GOOD_NIGHT };

struct reader {
    const char *topic;
    weft_pid editor;
};

static void reader_main(struct weft_actor *self, void *state)
{
    const struct reader *reader = state;
    weft_group_join(self, reader->topic);
    weft_send(self, reader->editor, 0, NULL, 0); // "I am here."
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->type == GOOD_NIGHT) return;
        weft_say(self, WEFT_LEVEL_INFO, "%.*s", (int)message->length,
                 (const char *)message->payload);
    }
}
// The state is a copy, the reader's own: actors share nothing but what they choose to.
static const struct weft_actor_kind reader_kind = {
    .name = "reader", .state_bytes = sizeof(struct reader), .main = reader_main};

static weft_pid start_reader(struct weft_actor *self, const char *label, const char *topic)
{
    const struct reader reader = {.topic = topic, .editor = weft_self(self)};
    const struct weft_spawn spawn = {.kind = &reader_kind, .state = &reader, .label = label};
    weft_pid pid;
    if (weft_spawn_link(self, &spawn, &pid) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    weft_receive(self, WEFT_FOREVER); // Until it has subscribed: else it could miss the first news.
    return pid;
}

static void editor(struct weft_actor *self, int argc, char *const *argv)
{
    (void)argc, (void)argv;
    const weft_pid ada = start_reader(self, "ada", "weather");
    const weft_pid bob = start_reader(self, "bob", "weather");
    const weft_pid cem = start_reader(self, "cem", "sport");

    weft_group_send(self, "weather", NEWS, "rain", 4);
    weft_group_send(self, "sport", NEWS, "two all", 7);

    weft_send(self, bob, GOOD_NIGHT, NULL, 0);
    weft_join(self, bob, WEFT_FOREVER, NULL);
    const size_t left = weft_group_send(self, "weather", NEWS, "sun", 3);
    weft_say(self, WEFT_LEVEL_INFO, "the weather had %zu reader then", left);

    weft_send(self, ada, GOOD_NIGHT, NULL, 0);
    weft_send(self, cem, GOOD_NIGHT, NULL, 0);
    weft_join(self, ada, WEFT_FOREVER, NULL);
    weft_join(self, cem, WEFT_FOREVER, NULL);
}
WEFT_MODULE(editor)
