// Questions and answers: every result of weft_call, several calls at once, and cycles.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

// ---- A server that does with a call what its type says.

enum {
    ECHO = 1,  // Replies with the payload, type + 100.
    TWICE,     // With twice as many bytes.
    HALF,      // With half of them.
    EMPTY,     // With none.
    FAIL,      // With an error.
    IGNORE,    // Not at all.
    KEEP,      // Later.
    LATER,     // Now to all that were kept.
    DIE,       // Ends with the call in its hands.
    FORWARD,   // Sends it on, to be echoed.
    STOP,      // No call: ends.
    WAIT,      // Sleeps for 10 ms first, then echoes.
    TRANSLATE, // Calls another and replies with what that one said.
};

struct server {
    weft_pid next; // Whom FORWARD and TRANSLATE mean.
    struct weft_message *kept[64];
    unsigned kept_count;
    unsigned served;
    int status;
};

static void reply(struct weft_actor *self, struct weft_message *call, size_t length)
{
    uint8_t bytes[4096];
    assert_true(length <= sizeof(bytes));
    for (size_t i = 0; i < length; i++)
        bytes[i] = call->length > 0 ? call->payload[i % call->length] : 0;
    assert_int_equal(weft_reply(self, call, (uint16_t)(call->type + 100), bytes, length), 0);
}

static void serve(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct server *server = context;
    struct weft_message *answer;
    if (message->type == STOP) weft_exit(self, WEFT_EXIT_USER);
    if (message->tag != WEFT_MESSAGE_CALL) {
        assert_int_equal(weft_reply(self, message, 1, NULL, 0), -EINVAL);
        assert_int_equal(weft_reply_error(self, message, -EIO), -EINVAL);
    }
    if (message->type == LATER) {
        for (unsigned i = 0; i < server->kept_count; i++)
            reply(self, server->kept[i], server->kept[i]->length);
        server->kept_count = 0;
        return;
    }
    server->served++;
    switch (message->type) {
    case ECHO: reply(self, message, message->length); break;
    case TWICE: reply(self, message, 2 * message->length); break;
    case HALF: reply(self, message, message->length / 2); break;
    case EMPTY: reply(self, message, 0); break;
    case FAIL:
        assert_int_equal(weft_reply_error(self, message, 0), -EINVAL);
        assert_int_equal(weft_reply(self, message, UINT16_MAX, NULL, 0), -EINVAL);
        assert_int_equal(weft_reply_error(self, message, -EDOM), 0);
        break;
    case KEEP:
        assert_int_equal(weft_keep(self, message), 0);
        server->kept[server->kept_count++] = message;
        break;
    case DIE: weft_exit(self, WEFT_EXIT_FAULT);
    case FORWARD:
        message->type = ECHO;
        weft_send_message(self, server->next, message);
        break;
    case WAIT:
        weft_sleep(self, 10 * WEFT_NS_PER_MS);
        reply(self, message, message->length);
        break;
    case TRANSLATE:
        server->status = weft_call(self, server->next, ECHO, message->payload, message->length,
                                   WEFT_FOREVER, &answer);
        if (server->status == 0)
            weft_reply(self, message, answer->type, answer->payload, answer->length);
        else
            weft_reply_error(self, message, server->status);
        break;
    default: break; // IGNORE.
    }
}

// ---- One who asks.

struct asker {
    weft_pid whom;
    uint16_t what;
    uint32_t length;
    uint64_t timeout_ns;
    int result;
    uint32_t reply_length;
    uint16_t reply_type;
    uint64_t waited_ns;
    bool whole;
};

static void ask(struct weft_actor *self, void *context)
{
    struct asker *asker = context;
    uint8_t bytes[4096];
    struct weft_message *answer = (struct weft_message *)(void *)bytes;
    for (uint32_t i = 0; i < asker->length; i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    const uint64_t start_ns = weft_now_ns(self);
    asker->result = 1; // Waits.
    asker->result =
        weft_call(self, asker->whom, asker->what, bytes, asker->length, asker->timeout_ns, &answer);
    asker->waited_ns = weft_now_ns(self) - start_ns;
    assert_int_equal(answer != NULL, asker->result == 0);
    if (answer == NULL) return;
    asker->reply_length = answer->length;
    asker->reply_type = answer->type;
    asker->whole = true;
    for (uint32_t i = 0; i < answer->length; i++)
        asker->whole &= answer->payload[i] == bytes[i % asker->length];
    assert_int_equal(answer->from != 0, 1);
    weft_release(self, answer);
}

static void ask_and_stay(struct weft_actor *self, void *context)
{
    ask(self, context);
    weft_sleep(self, WEFT_FOREVER);
}

static void kill_if_there(struct cores *cores, weft_pid pid)
{
    if (play_find(cores, pid) != NULL) play_kill(cores, pid);
}

static void a_reply_comes_back_whole(void **state)
{
    (void)state;
    static const struct {
        uint16_t what;
        uint32_t length, reply_length;
    } cases[] = {
        {ECHO, 0, 0},      {ECHO, 1, 1},          {ECHO, 16, 16},      {ECHO, 17, 17},
        {ECHO, 464, 464},  {ECHO, 465, 465},      {ECHO, 2000, 2000},  {TWICE, 8, 16},
        {TWICE, 16, 32},   {TWICE, 300, 600},     {TWICE, 2000, 4000}, {HALF, 16, 8},
        {HALF, 100, 50},   {HALF, 2000, 1000},    {HALF, 1000, 500},   {EMPTY, 0, 0},
        {EMPTY, 500, 0},   {WAIT, 20, 20},        {FORWARD, 20, 20},   {TRANSLATE, 8, 8},
        {TRANSLATE, 0, 0}, {TRANSLATE, 400, 400},
    };
    for (size_t i = 0; i < 4 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        struct server servers[2] = {{0}};
        const size_t n = i / 4;
        cores_open(&cores, 3, 16);
        struct asker asker = {.what = cases[n].what,
                              .length = cases[n].length,
                              .timeout_ns = i & 1 ? WEFT_FOREVER : WEFT_NS_PER_S};
        asker.whom = play_hand_on(&cores, i & 2 ? 1 : 0, serve, &servers[0]);
        servers[0].next = play_hand_on(&cores, i & 2 ? 2 : 0, serve, &servers[1]);
        play_body_on(&cores, 0, ask, &asker);
        play_for(&cores, 20 * WEFT_NS_PER_MS);
        if (asker.result != 0 || asker.reply_length != cases[n].reply_length || !asker.whole)
            fail_msg("%zu: %d, %u bytes", i, asker.result, asker.reply_length);
        play_kill(&cores, asker.whom);
        play_kill(&cores, servers[0].next);
        play_close(&cores);
    }
}

static void every_call_ends_with_one_result(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t what, then; // `then` is sent to the server; 0: it is killed.
        uint64_t timeout_ns;
        int result;
        unsigned late; // Replies dropped.
    } cases[] = {
        {"an error", FAIL, 0, WEFT_FOREVER, -EDOM, 0},
        {"not cared for", IGNORE, 0, WEFT_FOREVER, -ECANCELED, 0},
        {"answered later", KEEP, LATER, WEFT_FOREVER, 0, 0},
        {"it ends with the call in its hands", DIE, 0, WEFT_FOREVER, -EPIPE, 0},
        {"with the call kept", KEEP, STOP, WEFT_FOREVER, -EPIPE, 0},
        {"by a kill, with the call kept", KEEP, 0, WEFT_FOREVER, -EPIPE, 0},
        {"by a kill while it waits with the call", WAIT, 0, WEFT_FOREVER, -EPIPE, 0},
        {"no reply in time", KEEP, STOP, 5 * WEFT_NS_PER_MS, -ETIMEDOUT, 1},
        {"a late one is dropped", KEEP, LATER, WEFT_NS_PER_MS, -ETIMEDOUT, 1},
        {"so is one that took too long", WAIT, 0, WEFT_NS_PER_MS, -ETIMEDOUT, 1},
    };
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        struct server server = {0};
        struct asker asker = {
            .what = cases[i / 2].what, .length = 8, .timeout_ns = cases[i / 2].timeout_ns};
        cores_open(&cores, 2, 16);
        asker.whom = play_hand_on(&cores, i % 2, serve, &server);
        const weft_pid pid = play_body_on(&cores, 0, ask_and_stay, &asker);
        cores_settle(&cores);
        if (cases[i / 2].result == -ETIMEDOUT) play_for(&cores, 6 * WEFT_NS_PER_MS);
        if (cases[i / 2].then != 0)
            play_send(&cores, asker.whom, cases[i / 2].then);
        else if (asker.result == 1)
            play_kill(&cores, asker.whom);
        play_for(&cores, 20 * WEFT_NS_PER_MS);
        if (asker.result != cases[i / 2].result)
            fail_msg("%s: %d", cases[i / 2].name, asker.result);
        if (cores_dropped(&cores, WEFT_DROP_MAILBOX_LATE) != cases[i / 2].late)
            fail_msg("%s: %llu are late", cases[i / 2].name,
                     (unsigned long long)cores_dropped(&cores, WEFT_DROP_MAILBOX_LATE));
        play_kill(&cores, pid);
        kill_if_there(&cores, asker.whom);
        play_close(&cores);
    }
}

// Nobody is there, or it ends before it reads the call.
static void a_call_to_one_that_is_gone_fails(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        static struct cores cores;
        struct server server = {0};
        struct asker asker = {.what = ECHO, .timeout_ns = i & 1 ? WEFT_FOREVER : WEFT_NS_PER_S};
        cores_open(&cores, 2, 16);
        asker.whom = play_hand_on(&cores, i & 2 ? 1 : 0, serve, &server);
        if (i & 4) { // It has ended.
            play_kill(&cores, asker.whom);
            cores_settle(&cores);
        } else { // Its next slice is its end; a call is on its way to its mailbox.
            weft_actor_end_soon(play_find(&cores, asker.whom), WEFT_EXIT_FAULT);
        }
        play_body_on(&cores, 0, ask, &asker);
        cores_settle(&cores);
        if (i & 4) assert_int_equal(asker.result, -ESRCH);
        if (!(i & 4)) assert_true(asker.result == -EPIPE || asker.result == -ESRCH);
        assert_int_equal(server.served, 0);
        play_close(&cores);
    }
}

static void a_call_that_a_full_mailbox_refuses_fails(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static struct cores cores;
        struct server server = {0};
        struct play_role role;
        struct asker asker = {.what = ECHO, .timeout_ns = WEFT_FOREVER};
        cores_open(&cores, 2, 16);
        struct weft_spawn spawn = play_as(&role, NULL, serve, &server);
        spawn.overflow = WEFT_OVERFLOW_DROP_NEWEST;
        spawn.mailbox_max = 4;
        spawn.priority = WEFT_PRIORITY_LOW;
        asker.whom = play_spawn(&cores, i, &spawn);
        for (unsigned n = 0; n < 4; n++)
            play_send(&cores, asker.whom, IGNORE);
        if (i == 1) {
            play_find(&cores, asker.whom)->task.flags |= WEFT_ACTOR_SELECTIVE; // Does not wake.
            cores_settle(&cores);
        }
        play_body_on(&cores, 0, ask, &asker);
        cores_settle(&cores);
        assert_int_equal(asker.result, -ENOBUFS);
        play_kill(&cores, asker.whom);
        play_close(&cores);
    }
}

static void one_who_asks_and_is_killed_is_not_answered(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static struct cores cores;
        struct server server = {0};
        struct asker asker = {.what = KEEP, .timeout_ns = WEFT_FOREVER};
        cores_open(&cores, 2, 16);
        asker.whom = play_hand_on(&cores, i, serve, &server);
        const weft_pid pid = play_body_on(&cores, 0, ask, &asker);
        cores_settle(&cores);
        play_kill(&cores, pid);
        cores_settle(&cores);
        play_send(&cores, asker.whom, LATER);
        cores_settle(&cores);
        assert_int_equal(asker.result, 1);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_NO_ACTOR), 1);
        play_kill(&cores, asker.whom);
        play_close(&cores);
    }
}

// ---- Messages do not wake a caller, and are there afterwards.

struct busy {
    weft_pid whom;
    unsigned wakes, got;
};

static void ask_among_messages(struct weft_actor *self, void *context)
{
    struct busy *busy = context;
    const struct weft_message *held = weft_receive(self, WEFT_FOREVER);
    assert_int_equal(weft_call(self, busy->whom, KEEP, "12345678", 8, WEFT_FOREVER, NULL), 0);
    assert_int_equal(held->type, 50); // Still its own.
    while (weft_receive(self, 0) != NULL)
        busy->got++;
}

static void messages_do_not_wake_a_caller(void **state)
{
    (void)state;
    static struct cores cores;
    struct server server = {0};
    struct busy busy = {0};
    cores_open(&cores, 1, 16);
    busy.whom = play_hand_on(&cores, 0, serve, &server);
    const weft_pid pid = play_body_on(&cores, 0, ask_among_messages, &busy);
    for (unsigned i = 0; i < 100; i++) {
        play_send(&cores, pid, 50);
        if (i > 0) assert_false(play_find(&cores, pid)->task.queued);
        if (i == 0) cores_settle(&cores);
    }
    play_send(&cores, busy.whom, LATER);
    cores_settle(&cores);
    assert_int_equal(busy.got, 99);
    play_kill(&cores, busy.whom);
    play_close(&cores);
}

// ---- Several calls at once.

#define CALLS 50

struct many {
    weft_pid whom;
    unsigned order; // 0: as they were begun; 1: reverse; 2: from the middle; 3: as messages.
    bool cancels;
    unsigned answered, timed_out, canceled;
    uint64_t references[CALLS];
};

static void await_one(struct weft_actor *self, struct many *many, unsigned i)
{
    struct weft_message *answer;
    const uint64_t timeout_ns = i % 2 == 0 ? WEFT_FOREVER : WEFT_NS_PER_S;
    if (many->cancels && i % 5 == 0) {
        weft_call_cancel(self, many->references[i]);
        many->canceled++;
        assert_int_equal(weft_await(self, many->references[i], WEFT_FOREVER, &answer), -ENOENT);
        return;
    }
    const int result = weft_await(self, many->references[i], timeout_ns, &answer);
    assert_int_equal(result, 0);
    assert_int_equal(answer->reference, many->references[i]);
    assert_int_equal(answer->payload[0], i);
    many->answered++;
    assert_int_equal(weft_await(self, many->references[i], 0, NULL), -ENOENT); // It was had.
}

static void ask_many(struct weft_actor *self, void *context)
{
    struct many *many = context;
    int error = 1;
    for (unsigned i = 0; i < CALLS; i++) {
        const uint8_t byte = (uint8_t)i;
        many->references[i] =
            weft_call_begin(self, many->whom, i % 3 == 0 ? KEEP : ECHO, &byte, 1, &error);
        assert_int_equal(error, 0);
        assert_true(many->references[i] != 0);
    }
    // None has been answered: nothing has been given the chance.
    assert_int_equal(weft_await(self, many->references[0], 0, NULL), -ETIMEDOUT);
    weft_send(self, many->whom, LATER, NULL, 0);
    if (many->order == 3) {
        for (unsigned i = 0; i < CALLS; i++) {
            const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
            assert_int_equal(message->tag, WEFT_MESSAGE_REPLY);
            assert_int_equal(weft_reply_status(message), 0);
            assert_int_equal(message->reference, many->references[message->payload[0]]);
            many->answered++;
        }
        assert_int_equal(weft_await(self, many->references[0], 0, NULL), -ENOENT);
        return;
    }
    for (unsigned i = 0; i < CALLS; i++)
        await_one(self, many,
                  many->order == 0   ? i
                  : many->order == 1 ? CALLS - 1 - i
                                     : (i + CALLS / 2) % CALLS);
    assert_null(weft_receive(self, WEFT_NS_PER_MS)); // Nothing is left.
}

static void calls_under_way_are_answered_in_any_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 14; i++) {
        static struct cores cores;
        struct server server = {0};
        struct many many = {.order = i / 2 % 4, .cancels = i >= 8};
        if (many.cancels && many.order == 3) continue;
        cores_open(&cores, 2, 16);
        many.whom = play_hand_on(&cores, i % 2, serve, &server);
        const weft_pid pid = play_body_on(&cores, 0, ask_many, &many);
        play_for(&cores, 5 * WEFT_NS_PER_MS);
        assert_null(play_find(&cores, pid));
        assert_int_equal(many.answered + many.canceled, CALLS);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_LATE), many.canceled);
        play_kill(&cores, many.whom);
        play_close(&cores);
    }
}

static void ask_wrongly(struct weft_actor *self, void *context)
{
    struct weft_message *answer;
    int error = 0;
    const weft_pid dead = *(weft_pid *)context;
    const uint64_t reference = weft_call_begin(self, dead, ECHO, NULL, 0, &error);
    assert_int_equal(error, 0); // What goes wrong comes as the answer,
    assert_true(reference != 0);
    assert_int_equal(weft_await(self, reference, WEFT_FOREVER, &answer), -ESRCH);
    const uint64_t second = weft_call_begin(self, dead, ECHO, NULL, 0, NULL);
    const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
    assert_int_equal(message->reference, second); // or as a message.
    assert_int_equal(weft_reply_status(message), -ESRCH);
    assert_int_equal(weft_await(self, 12345, 0, NULL), -ENOENT);
    weft_call_cancel(self, 12345);
    assert_int_equal(weft_call_begin(self, dead, ECHO, NULL, SIZE_MAX, &error), 0);
    assert_int_equal(error, -ENOMEM);
    assert_int_equal(weft_call(self, dead, ECHO, NULL, SIZE_MAX, 0, NULL), -ENOMEM);
}

static void what_goes_wrong_with_a_call_begun_is_its_answer(void **state)
{
    (void)state;
    static struct cores cores;
    struct server server = {0};
    cores_open(&cores, 2, 16);
    weft_pid dead = play_hand_on(&cores, 1, serve, &server);
    play_kill(&cores, dead);
    cores_settle(&cores);
    const weft_pid pid = play_body_on(&cores, 0, ask_wrongly, &dead);
    cores_settle(&cores);
    assert_null(play_find(&cores, pid));
    play_close(&cores);
}

struct patience {
    weft_pid whom;
};

// One that was not answered in time is awaited still: a second await gets it.
static void await_twice(struct weft_actor *self, void *context)
{
    const struct patience *patience = context;
    struct weft_message *answer;
    const uint64_t reference = weft_call_begin(self, patience->whom, WAIT, "7", 1, NULL);
    assert_int_equal(weft_await(self, reference, WEFT_NS_PER_MS, &answer), -ETIMEDOUT);
    assert_null(answer);
    assert_int_equal(weft_await(self, reference, WEFT_NS_PER_MS, &answer), -ETIMEDOUT);
    assert_int_equal(weft_await(self, reference, WEFT_NS_PER_S, &answer), 0);
    assert_int_equal(answer->payload[0], '7');
}

static void a_call_can_be_awaited_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static struct cores cores;
        struct server server = {0};
        struct patience patience;
        cores_open(&cores, 2, 16);
        patience.whom = play_hand_on(&cores, i, serve, &server);
        const weft_pid pid = play_body_on(&cores, 0, await_twice, &patience);
        play_for(&cores, 30 * WEFT_NS_PER_MS);
        assert_null(play_find(&cores, pid));
        play_kill(&cores, patience.whom);
        play_close(&cores);
    }
}

// ---- Cycles.

#define RING_MAX 9

struct member { // Serves calls; RELAY: as TRANSLATE, but RELAY again.
    struct cores *cores;
    weft_pid next;
    int status;
    bool keeps; // The call is kept while the next one is called: it is not "served" then.
};

static void relay(struct weft_actor *self, void *context, struct weft_message *call)
{
    struct member *member = context;
    struct weft_message *answer;
    if (call->tag != WEFT_MESSAGE_CALL) return;
    if (member->keeps) assert_int_equal(weft_keep(self, call), 0);
    member->status = weft_call(self, member->next, call->type, NULL, 0, WEFT_FOREVER, &answer);
    if (member->status == 0)
        weft_reply(self, call, 0, NULL, 0);
    else
        weft_reply_error(self, call, member->status);
}

// That somebody calls the first of a ring whose members all call the next one.
static void a_ring_of_calls_is_refused_and_named(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * RING_MAX; i++) {
        static struct cores cores;
        struct member members[RING_MAX] = {{0}};
        weft_pid pids[RING_MAX];
        char closing[64];
        const unsigned count = i / 3 + 1;
        struct asker asker = {.what = 1, .timeout_ns = WEFT_FOREVER};
        cores_open(&cores, 3, 16);
        for (unsigned n = 0; n < count; n++) {
            members[n].keeps = i % 3 == 2;
            pids[n] = play_hand_on(&cores, i % 3 == 1 ? n % 3 : 0, relay, &members[n]);
        }
        for (unsigned n = 0; n < count; n++)
            members[n].next = pids[(n + 1) % count];
        asker.whom = pids[0];
        play_body_on(&cores, 1, ask, &asker);
        cores_settle(&cores);
        assert_int_equal(asker.result, -EDEADLK);
        for (unsigned n = 0; n < count; n++)
            assert_int_equal(members[n].status, -EDEADLK);
        snprintf(closing, sizeof(closing), "%#llx -> %#llx", (unsigned long long)pids[count - 1],
                 (unsigned long long)pids[0]);
        assert_true(play_logged(&cores, closing));
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_CYCLE), 1);
        for (unsigned n = 0; n < count; n++)
            play_kill(&cores, pids[n]);
        play_close(&cores);
    }
}

// That each calls the next of its own accord, all at once, and none has read a call yet: seen for
// two on any cores, and for more on one.
static void calls_that_meet_are_refused(void **state)
{
    (void)state;
    for (unsigned count = 2; count <= RING_MAX; count++) {
        for (unsigned cores_used = 1; cores_used <= (count == 2 ? 2 : 1); cores_used++) {
            static struct cores cores;
            struct asker askers[RING_MAX] = {{0}};
            unsigned refused = 0;
            cores_open(&cores, 2, 16);
            for (unsigned n = 0; n < count; n++)
                askers[n] = (struct asker){.what = 1, .timeout_ns = WEFT_NS_PER_S};
            for (unsigned n = 0; n < count; n++) {
                const weft_pid pid = play_body_on(&cores, n % cores_used, ask, &askers[n]);
                askers[(n + count - 1) % count].whom = pid;
            }
            cores_settle(&cores);
            play_for(&cores, WEFT_NS_PER_MS);
            // One is refused and ends, so the one before gets -EPIPE, and so on, round the ring.
            for (unsigned n = 0; n < count; n++) {
                refused += askers[n].result == -EDEADLK;
                if (askers[n].result != -EDEADLK && askers[n].result != -EPIPE)
                    fail_msg("%u of %u on %u: %d", n, count, cores_used, askers[n].result);
            }
            assert_in_range(refused, 1, 2); // On two cores both may find it.
            assert_true(play_logged(&cores, "call cycle"));
            play_close(&cores);
        }
    }
}

// ---- What looks like a cycle and is none.

struct branch { // Calls `first` and, if there is one, `second`, both at once, and replies.
    weft_pid first, second;
    uint64_t sleeps_ns;
    int status[2];
};

static void serve_both(struct weft_actor *self, void *context, struct weft_message *call)
{
    struct branch *branch = context;
    uint64_t references[2] = {0, 0};
    if (call->tag != WEFT_MESSAGE_CALL) return;
    if (branch->sleeps_ns != 0) weft_sleep(self, branch->sleeps_ns);
    if (branch->first != 0) references[0] = weft_call_begin(self, branch->first, 1, NULL, 0, NULL);
    if (branch->second != 0)
        references[1] = weft_call_begin(self, branch->second, 1, NULL, 0, NULL);
    for (unsigned i = 0; i < 2; i++) {
        if (references[i] != 0)
            branch->status[i] = weft_await(self, references[i], WEFT_FOREVER, NULL);
    }
    weft_reply(self, call, 0, NULL, 0);
}

// x calls a and b at once; a calls b, which waits for c: the same root, but another branch.
static void two_branches_of_one_call_are_no_cycle(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static struct cores cores;
        struct branch x = {0}, a = {0}, b = {0}, c = {0};
        struct asker asker = {.what = 1, .timeout_ns = WEFT_FOREVER};
        cores_open(&cores, 3, 16);
        c.sleeps_ns = WEFT_NS_PER_MS;
        const weft_pid pid_c = play_hand_on(&cores, i * 2, serve_both, &c);
        b.first = pid_c;
        const weft_pid pid_b = play_hand_on(&cores, i, serve_both, &b);
        a.first = pid_b;
        a.sleeps_ns = WEFT_NS_PER_MS / 2;
        x.first = pid_b;
        x.second = play_hand_on(&cores, 0, serve_both, &a);
        asker.whom = play_hand_on(&cores, 0, serve_both, &x);
        play_body_on(&cores, 0, ask, &asker);
        play_for(&cores, 5 * WEFT_NS_PER_MS);
        assert_int_equal(asker.result, 0);
        assert_int_equal(a.status[0], 0);
        assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_CYCLE), 0);
        play_kill(&cores, pid_c);
        play_kill(&cores, pid_b);
        play_kill(&cores, x.second);
        play_kill(&cores, asker.whom);
        play_close(&cores);
    }
}

struct router { // Sends calls on; then, told so, calls their caller, who is not waiting for it.
    weft_pid worker, client;
    int status;
};

static void route(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct router *router = context;
    if (message->tag == WEFT_MESSAGE_CALL) {
        router->client = message->from;
        message->type = WAIT;
        weft_send_message(self, router->worker, message);
        router->status = weft_call(self, router->client, 9, NULL, 0, WEFT_FOREVER, NULL);
    }
}

static void ask_and_serve(struct weft_actor *self, void *context)
{
    ask(self, context);
    struct weft_message *call = weft_receive(self, WEFT_FOREVER);
    assert_int_equal(call->type, 9);
    weft_reply(self, call, 0, NULL, 0);
}

static void who_has_sent_a_call_on_may_call_its_caller(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        static struct cores cores;
        struct server worker = {0};
        struct router router = {.status = 1};
        struct asker asker = {.what = 1, .timeout_ns = WEFT_FOREVER};
        cores_open(&cores, 3, 16);
        router.worker = play_hand_on(&cores, i & 1 ? 2 : 0, serve, &worker);
        asker.whom = play_hand_on(&cores, i & 2 ? 1 : 0, route, &router);
        play_body_on(&cores, i & 4 ? 2 : 0, ask_and_serve, &asker);
        play_for(&cores, 20 * WEFT_NS_PER_MS);
        assert_int_equal(asker.result, 0);
        assert_int_equal(router.status, 0);
        play_kill(&cores, router.worker);
        play_kill(&cores, asker.whom);
        play_close(&cores);
    }
}

struct impatient {
    weft_pid slow, other;
    int status[2];
};

// Gives a call up and makes another one: whom it called first may call it then.
static void give_up(struct weft_actor *self, void *context, struct weft_message *call)
{
    struct impatient *impatient = context;
    if (call->tag != WEFT_MESSAGE_CALL) return;
    if (call->type == 9) {
        weft_reply(self, call, 0, NULL, 0);
        return;
    }
    impatient->status[0] = weft_call(self, impatient->slow, 1, NULL, 0, WEFT_NS_PER_MS, NULL);
    impatient->status[1] = weft_call(self, impatient->other, WAIT, NULL, 0, WEFT_FOREVER, NULL);
    weft_reply(self, call, 0, NULL, 0);
}

static void call_back_late(struct weft_actor *self, void *context, struct weft_message *call)
{
    struct router *router = context;
    if (call->tag != WEFT_MESSAGE_CALL) return;
    weft_sleep(self, 2 * WEFT_NS_PER_MS);
    router->status = weft_call(self, call->from, 9, NULL, 0, WEFT_FOREVER, NULL);
}

static void a_call_that_was_given_up_makes_no_cycle(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        static struct cores cores;
        struct server other = {0};
        struct router slow = {.status = 1};
        struct impatient impatient = {0};
        struct asker asker = {.what = 1, .timeout_ns = WEFT_FOREVER};
        cores_open(&cores, 3, 16);
        impatient.slow = play_hand_on(&cores, i, call_back_late, &slow);
        impatient.other = play_hand_on(&cores, i * 2, serve, &other);
        asker.whom = play_hand_on(&cores, 0, give_up, &impatient);
        play_body_on(&cores, 0, ask, &asker);
        play_for(&cores, 30 * WEFT_NS_PER_MS);
        assert_int_equal(impatient.status[0], -ETIMEDOUT);
        assert_int_equal(impatient.status[1], 0);
        assert_int_equal(asker.result, 0);
        assert_int_equal(slow.status, 0);
        play_kill(&cores, impatient.slow);
        play_kill(&cores, impatient.other);
        play_kill(&cores, asker.whom);
        play_close(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_comes_back_whole),
        cmocka_unit_test(every_call_ends_with_one_result),
        cmocka_unit_test(a_call_to_one_that_is_gone_fails),
        cmocka_unit_test(a_call_that_a_full_mailbox_refuses_fails),
        cmocka_unit_test(one_who_asks_and_is_killed_is_not_answered),
        cmocka_unit_test(messages_do_not_wake_a_caller),
        cmocka_unit_test(calls_under_way_are_answered_in_any_order),
        cmocka_unit_test(what_goes_wrong_with_a_call_begun_is_its_answer),
        cmocka_unit_test(a_call_can_be_awaited_again),
        cmocka_unit_test(a_ring_of_calls_is_refused_and_named),
        cmocka_unit_test(calls_that_meet_are_refused),
        cmocka_unit_test(two_branches_of_one_call_are_no_cycle),
        cmocka_unit_test(who_has_sent_a_call_on_may_call_its_caller),
        cmocka_unit_test(a_call_that_was_given_up_makes_no_cycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
