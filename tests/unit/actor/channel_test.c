// Plain messages to a channel: what goes in without a call, in which order, and what is counted
// when it does not.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

struct scene {
    weft_pid channel;
    uint32_t capacity;
    unsigned sender, reader; // Cores; the channel is on core 0.
    bool calls_between;      // Every other message is sent by weft_channel_send.
    unsigned count;          // Messages.
    unsigned got, wrong, closed;
};

static void make(struct weft_actor *self, void *context)
{
    struct scene *scene = context;
    assert_int_equal(weft_channel_new(self, scene->capacity, &scene->channel), 0);
    weft_sleep(self, 200 * WEFT_NS_PER_MS); // It ends with who made it.
}

static void feed(struct weft_actor *self, void *context)
{
    struct scene *scene = context;
    weft_sleep(self, WEFT_NS_PER_MS);
    for (unsigned i = 0; i < scene->count; i++) {
        const int result =
            scene->calls_between && i % 2 == 1
                ? weft_channel_send(self, scene->channel, 7, &i, sizeof(i), WEFT_FOREVER)
                : weft_send(self, scene->channel, 7, &i, sizeof(i));
        assert_int_equal(result, 0);
    }
}

static void drain(struct weft_actor *self, void *context)
{
    struct scene *scene = context;
    struct weft_message *message;
    weft_sleep(self, 20 * WEFT_NS_PER_MS);
    while (weft_channel_receive(self, scene->channel, 20 * WEFT_NS_PER_MS, &message) == 0) {
        unsigned number;
        memcpy(&number, message->payload, sizeof(number));
        if (message->length != sizeof(number) || message->type != 7 || number != scene->got)
            scene->wrong++;
        scene->got++;
    }
}

// Both ways of sending, in the order of their sender; what has no room is counted.
static void plain_messages_go_in_in_order(void **state)
{
    (void)state;
    static const struct {
        uint32_t capacity;
        unsigned count;
        bool calls_between;
        unsigned got;
    } cases[] = {{100, 50, false, 50}, {100, 50, true, 50}, {8, 20, false, 8}, {0, 5, false, 0}};
    for (unsigned i = 0; i < 4 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        struct scene scene = {.capacity = cases[i / 4].capacity,
                              .count = cases[i / 4].count,
                              .calls_between = cases[i / 4].calls_between};
        cores_open(&cores, 2, 16);
        play_body_on(&cores, 0, make, &scene);
        play_body_on(&cores, i & 1, feed, &scene);
        play_body_on(&cores, i >> 1 & 1, drain, &scene);
        play_for(&cores, 300 * WEFT_NS_PER_MS);
        assert_int_equal(scene.wrong, 0);
        if (scene.got != cases[i / 4].got) fail_msg("case %u: %u came out", i, scene.got);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_FULL),
                         scene.count - cases[i / 4].got);
        play_close(&cores);
    }
}

static void wait_for_all(struct weft_actor *self, void *context)
{
    struct scene *scene = context;
    struct weft_message *message;
    while (weft_channel_receive(self, scene->channel, 100 * WEFT_NS_PER_MS, &message) == 0)
        scene->got++;
}

// One that waits already gets it, whatever the capacity.
static void who_waits_gets_it_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        static struct cores cores;
        struct scene scene = {.capacity = 0, .count = 1};
        cores_open(&cores, 2, 16);
        play_body_on(&cores, 0, make, &scene);
        cores_settle(&cores);
        play_body_on(&cores, i >> 1, wait_for_all, &scene);
        play_body_on(&cores, i & 1, feed, &scene);
        play_for(&cores, 300 * WEFT_NS_PER_MS);
        assert_int_equal(scene.got, 1);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_FULL), 0);
        play_close(&cores);
    }
}

static void destroy_count(void *object)
{
    ++*(unsigned *)object;
}

static const struct weft_type counted = {.name = "counted", .destroy = destroy_count};

static void close_and_feed(struct weft_actor *self, void *context)
{
    struct scene *scene = context;
    weft_sleep(self, WEFT_NS_PER_MS);
    assert_int_equal(weft_send(self, scene->channel, 7, NULL, 0), 0);
    assert_int_equal(weft_channel_close(self, scene->channel), 0);
    const int result = weft_send_object(self, scene->channel, 7, &counted, &scene->closed);
    assert_int_equal(result, 0);
}

// A closed one that still holds something takes no more, and destroys what came.
static void a_closed_channel_takes_none(void **state)
{
    (void)state;
    for (unsigned core = 0; core < 2; core++) {
        static struct cores cores;
        struct scene scene = {.capacity = 4};
        cores_open(&cores, 2, 16);
        play_body_on(&cores, 0, make, &scene);
        play_body_on(&cores, core, close_and_feed, &scene);
        play_for(&cores, 5 * WEFT_NS_PER_MS);
        assert_int_equal(scene.closed, 1);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_NO_ACTOR), 1);
        play_for(&cores, 300 * WEFT_NS_PER_MS);
        play_close(&cores);
    }
}

// ---- A wait that is over takes back what it has asked for, even if there is no memory any more.

// It has it all until it ends.
static void take_memory(struct weft_actor *self)
{
    for (size_t bytes = WEFT_MIB; bytes >= 16; bytes /= 2) {
        while (weft_alloc(self, bytes) != NULL)
            continue;
    }
    while (weft_message_new(self, 1, 8) != NULL)
        continue;
}

static void receive_in_vain(struct weft_actor *self, void *context)
{
    struct scene *scene = context;
    struct weft_message *message;
    weft_sleep(self, WEFT_NS_PER_MS);
    scene->wrong =
        (unsigned)-weft_channel_receive(self, scene->channel, 5 * WEFT_NS_PER_MS, &message);
    weft_sleep(self, 20 * WEFT_NS_PER_MS);
    if (weft_channel_receive(self, scene->channel, 0, &message) == 0) scene->got++;
}

static void send_late(struct weft_actor *self, void *context)
{
    const struct scene *scene = context;
    weft_sleep(self, 2 * WEFT_NS_PER_MS);
    struct weft_message *message = weft_message_new(self, 7, 0);
    assert_non_null(message);
    take_memory(self);
    assert_int_equal(weft_send(self, scene->channel, 7, NULL, 0), -ENOMEM);
    weft_sleep(self, 10 * WEFT_NS_PER_MS);
    assert_int_equal(weft_send_message(self, scene->channel, message), 0);
}

static void what_nobody_waits_for_is_taken_back_without_memory(void **state)
{
    static struct cores cores;
    struct scene scene = {.capacity = 4};
    const struct cores_size size = {.arena_bytes = 8 * WEFT_MIB};
    (void)state;
    cores_open_sized(&cores, 1, &size);
    play_body_on(&cores, 0, make, &scene);
    play_body_on(&cores, 0, receive_in_vain, &scene);
    play_body_on(&cores, 0, send_late, &scene);
    play_for(&cores, 100 * WEFT_NS_PER_MS);
    assert_int_equal(scene.wrong, ETIMEDOUT);
    assert_int_equal(scene.got, 1); // It is still there for the next.
    play_for(&cores, 200 * WEFT_NS_PER_MS);
    play_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_messages_go_in_in_order),
        cmocka_unit_test(who_waits_gets_it_at_once),
        cmocka_unit_test(a_closed_channel_takes_none),
        cmocka_unit_test(what_nobody_waits_for_is_taken_back_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
