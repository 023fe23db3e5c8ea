// Plain messages to a channel: what goes in without a call, in which order, and what is counted
// when it does not; and room that a channel has lent to other cores.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "runtime/actor/ties.h"
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

// ---- Room that is lent to other cores: nobody notices, but for the time it takes.

enum { SELLERS = 4, OFFERED = 120 };

struct market {
    weft_pid channel;
    uint32_t capacity;
    struct weft_prng prng;
    unsigned sent[SELLERS], next[SELLERS];
    unsigned sent_count, got_count;
    unsigned buyers, buying;
    bool is_closed; // Somebody has been told so.
    uint64_t closes_ns;
    struct seller {
        struct market *market;
        unsigned number;
    } sellers[SELLERS];
};

static void open_market(struct weft_actor *self, void *context)
{
    struct market *market = context;
    assert_int_equal(weft_channel_new(self, market->capacity, &market->channel), 0);
    weft_sleep(self, 2 * WEFT_NS_PER_S);
}

static void pause_sometimes(struct weft_actor *self, struct market *market)
{
    if (weft_prng_below(&market->prng, 8) == 0)
        weft_sleep(self, weft_prng_below(&market->prng, 20) * WEFT_NS_PER_US);
}

static void sell(struct weft_actor *self, void *context)
{
    const struct seller *seller = context;
    struct market *market = seller->market;
    while (market->sent[seller->number] < OFFERED) {
        static const uint64_t patience_ns[] = {0, 30 * WEFT_NS_PER_US, WEFT_FOREVER, WEFT_FOREVER};
        const uint64_t value[] = {seller->number, market->sent[seller->number]};
        const bool was_closed = market->is_closed;
        const int result = weft_channel_send(self, market->channel, 7, value, sizeof(value),
                                             patience_ns[weft_prng_below(&market->prng, 4)]);
        pause_sometimes(self, market);
        if (result == -EPIPE || result == -ESRCH) return;
        assert_false(was_closed);
        if (result != 0) continue;
        market->sent[seller->number]++;
        market->sent_count++;
        // Each buyer may hold one that is not counted yet.
        assert_true(market->sent_count <= market->got_count + market->capacity + market->buyers);
    }
}

static void buy(struct weft_actor *self, void *context)
{
    struct market *market = context;
    struct weft_message *message;
    while (weft_channel_receive(self, market->channel, WEFT_FOREVER, &message) == 0) {
        uint64_t value[2];
        assert_int_equal(message->length, sizeof(value));
        memcpy(value, message->payload, sizeof(value));
        market->got_count++;
        if (market->buyers == 1) assert_int_equal(value[1], market->next[value[0]]++);
        pause_sometimes(self, market);
    }
    market->buying--;
}

static void close_market(struct weft_actor *self, void *context)
{
    struct market *market = context;
    weft_sleep(self, market->closes_ns);
    assert_int_equal(weft_channel_close(self, market->channel), 0);
    market->is_closed = true;
}

// All that was sent is received, in its sender's order, and never is more in the channel than fits;
// who waits for room gets what others do not use; and nothing is sent once it is closed.
static void lent_room_is_as_good_as_any(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 600; seed++) {
        static struct cores cores;
        static struct market market;
        market = (struct market){0};
        weft_prng_seed(&market.prng, seed);
        market.capacity = 1 + weft_prng_below(&market.prng, seed % 2 == 0 ? 80 : 9);
        market.buyers = market.buying = 1 + weft_prng_below(&market.prng, 2);
        // Before all has been sent, or long after.
        const bool is_early = seed % 3 != 0;
        market.closes_ns =
            is_early ? weft_prng_below(&market.prng, 300) * WEFT_NS_PER_US : 500 * WEFT_NS_PER_MS;
        cores_open(&cores, 3, 64);
        play_body_on(&cores, 0, open_market, &market);
        cores_settle(&cores);
        for (unsigned n = 0; n < SELLERS; n++) {
            market.sellers[n] = (struct seller){&market, n};
            play_body_on(&cores, n % 3, sell, &market.sellers[n]);
        }
        for (unsigned n = 0; n < market.buyers; n++)
            play_body_on(&cores, weft_prng_below(&market.prng, 3), buy, &market);
        play_body_on(&cores, weft_prng_below(&market.prng, 3), close_market, &market);
        play_turns(&cores, &market.prng, 3000);
        play_for(&cores, WEFT_NS_PER_S);
        if (market.got_count != market.sent_count || market.buying != 0 || !market.is_closed)
            fail_msg("seed %u: %u sent, %u received, %u wait", seed, market.sent_count,
                     market.got_count, market.buying);
        if (!is_early) assert_int_equal(market.sent_count, SELLERS * OFFERED);
        play_for(&cores, 2 * WEFT_NS_PER_S);
        play_close(&cores);
    }
}

// Whom no answer reaches: what it has sent is in the channel all the same.
static void fill_up(struct weft_actor *self, void *context)
{
    struct market *market = context;
    for (uint64_t i = 0; i < market->capacity; i++)
        assert_int_equal(weft_channel_send(self, market->channel, 7, &i, 8, WEFT_FOREVER), 0);
    assert_int_equal(weft_channel_send(self, market->channel, 7, NULL, 0, 0), -EAGAIN);
    market->sent_count = market->capacity;
}

static void see_it(void *argument, const struct weft_message *message)
{
    (void)message;
    ++*(unsigned *)argument;
}

static void lent_room_holds_what_was_sent(void **state)
{
    (void)state;
    for (uint32_t capacity = 1; capacity < 70; capacity += 3) {
        static struct cores cores;
        static struct market market;
        struct weft_channel_view view;
        unsigned seen = 0;
        market = (struct market){.capacity = capacity};
        cores_open(&cores, 2, 16);
        play_body_on(&cores, 0, open_market, &market);
        cores_settle(&cores);
        play_body_on(&cores, 1, fill_up, &market);
        play_for(&cores, WEFT_NS_PER_MS);
        assert_int_equal(market.sent_count, capacity);
        assert_true(weft_channel_look(&cores.system[0], market.channel, &view, see_it, &seen));
        assert_int_equal(seen, capacity);
        play_for(&cores, 3 * WEFT_NS_PER_S);
        play_close(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_messages_go_in_in_order),
        cmocka_unit_test(who_waits_gets_it_at_once),
        cmocka_unit_test(a_closed_channel_takes_none),
        cmocka_unit_test(what_nobody_waits_for_is_taken_back_without_memory),
        cmocka_unit_test(lent_room_is_as_good_as_any),
        cmocka_unit_test(lent_room_holds_what_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
