// Waiting in the middle: times, turns, slices, and the ways in which an actor that waits can end.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

// What a test's actors have done, a letter each.
struct diary {
    char text[256];
    size_t length;
    uint64_t now_ns;
    int status;
    weft_pid pid;
};

static void note(struct diary *diary, char letter)
{
    assert_true(diary->length + 1 < sizeof(diary->text));
    diary->text[diary->length++] = letter;
    diary->text[diary->length] = '\0';
}

// ---- Time.

static void receive_until(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    const struct weft_match match = {.has_type = true, .type = 7};
    const uint64_t timeout_ns = diary->now_ns, start_ns = weft_now_ns(self);
    const struct weft_message *message = diary->status == 0
                                             ? weft_receive(self, timeout_ns)
                                             : weft_receive_match(self, &match, timeout_ns);
    note(diary, message != NULL ? 'm' : '-');
    diary->now_ns = weft_now_ns(self) - start_ns;
}

static void a_receive_times_out_at_its_time_and_not_before(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t timeout_ns, message_ns; // When a message comes; 0: before it runs.
        bool comes;
        const char *result;
    } cases[] = {
        {"only looks, nothing there", 0, 0, false, "-"},
        {"only looks, one is there", 0, 0, true, "m"},
        {"waits in vain", 5 * WEFT_NS_PER_MS, 0, false, "-"},
        {"waits in vain for the least time", 1, 0, false, "-"},
        {"in time", 5 * WEFT_NS_PER_MS, 2 * WEFT_NS_PER_MS, true, "m"},
        {"too late", 5 * WEFT_NS_PER_MS, 6 * WEFT_NS_PER_MS, true, "-"},
        {"for ever", WEFT_FOREVER, WEFT_NS_PER_S, true, "m"},
        {"nearly for ever", WEFT_FOREVER - 1, WEFT_NS_PER_S, true, "m"},
    };
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        const size_t n = i / 2;
        struct diary diary = {.now_ns = cases[n].timeout_ns, .status = i % 2};
        cores_open(&cores, 1, 16);
        const weft_pid pid = play_body_on(&cores, 0, receive_until, &diary);
        if (cases[n].comes && cases[n].message_ns == 0) play_send(&cores, pid, 7);
        play_for(&cores, cases[n].message_ns);
        if (cases[n].comes && cases[n].message_ns > 0) play_send(&cores, pid, 7);
        play_for(&cores, 10 * WEFT_NS_PER_MS);
        if (strcmp(diary.text, cases[n].result) != 0) fail_msg("%s: %s", cases[n].name, diary.text);
        if (diary.text[0] == '-')
            assert_in_range(diary.now_ns, cases[n].timeout_ns,
                            cases[n].timeout_ns + 2 * WEFT_WHEEL_TICK_NS);
        play_close(&cores);
    }
}

static void sleep_for_a_while(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    const uint64_t start_ns = weft_now_ns(self);
    weft_sleep(self, 3 * WEFT_NS_PER_MS);
    diary->now_ns = weft_now_ns(self) - start_ns;
    while (weft_receive(self, 0) != NULL)
        note(diary, 'm');
}

static void messages_do_not_wake_a_sleeper(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_body_on(&cores, 0, sleep_for_a_while, &diary);
    for (unsigned i = 0; i < 4; i++) {
        play_for(&cores, WEFT_NS_PER_MS / 2);
        play_send(&cores, pid, 1);
        assert_int_equal(diary.length, 0);
    }
    play_for(&cores, 2 * WEFT_NS_PER_MS);
    assert_in_range(diary.now_ns, 3 * WEFT_NS_PER_MS, 3 * WEFT_NS_PER_MS + 2 * WEFT_WHEEL_TICK_NS);
    assert_string_equal(diary.text, "mmmm");
    play_close(&cores);
}

// A wait that ends early leaves its timer armed for the next one; a shorter one has to move it.
static void wait_again_and_again(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    static const uint64_t waits_ns[] = {9000000, 100000, 70000, 20000000, 1, 300000};
    for (size_t i = 0; i < WEFT_COUNT_OF(waits_ns); i++) {
        const uint64_t start_ns = weft_now_ns(self);
        const struct weft_message *message = weft_receive(self, waits_ns[i]);
        note(diary, message != NULL ? 'm' : '-');
        if (message == NULL)
            assert_in_range(weft_now_ns(self) - start_ns, waits_ns[i],
                            waits_ns[i] + 2 * WEFT_WHEEL_TICK_NS);
    }
}

static void the_next_wait_is_as_long_as_it_says(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_body_on(&cores, 0, wait_again_and_again, &diary);
    play_for(&cores, WEFT_NS_PER_MS);
    play_send(&cores, pid, 1); // Ends the first, with eight milliseconds left.
    play_for(&cores, WEFT_NS_PER_MS);
    assert_string_equal(diary.text, "m--");
    play_send(&cores, pid, 1);
    play_for(&cores, WEFT_NS_PER_S);
    assert_string_equal(diary.text, "m--m--");
    play_close(&cores);
}

// ---- Turns.

struct letter {
    struct diary *diary;
    char letter;
    unsigned rounds;
    uint32_t reductions;
};

static void write_and_yield(struct weft_actor *self, void *context)
{
    const struct letter *letter = context;
    for (unsigned i = 0; i < letter->rounds; i++) {
        note(letter->diary, letter->letter);
        if (letter->reductions == 0)
            weft_yield(self);
        else
            weft_reduce(self, letter->reductions);
    }
}

static void who_yields_goes_behind_the_others(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    struct letter letters[] = {{&diary, 'a', 3, 0}, {&diary, 'b', 2, 0}, {&diary, 'c', 4, 0}};
    cores_open(&cores, 1, 16);
    for (size_t i = 0; i < WEFT_COUNT_OF(letters); i++)
        play_body_on(&cores, 0, write_and_yield, &letters[i]);
    cores_settle(&cores);
    assert_string_equal(diary.text, "abcabcacc");
    play_close(&cores);
}

static void a_slice_is_two_thousand_reductions(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    // Each round of a is a quarter of a slice, of b half of one, of c more than there can be.
    struct letter letters[] = {
        {&diary, 'a', 8, 500}, {&diary, 'b', 4, 1000}, {&diary, 'c', 3, UINT32_MAX}};
    cores_open(&cores, 1, 16);
    for (size_t i = 0; i < WEFT_COUNT_OF(letters); i++)
        play_body_on(&cores, 0, write_and_yield, &letters[i]);
    cores_settle(&cores);
    assert_string_equal(diary.text, "aaaabbcaaaabbcc");
    play_close(&cores);
}

static void reduce_without_end(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)reason;
    for (unsigned i = 0; i < 8; i++) {
        weft_reduce(self, UINT32_MAX);
        assert_true(weft_is_spent(self));
    }
    note(((struct letter *)((struct play_role *)state)->context)->diary, 'r');
}

static void reductions_of_one_that_cannot_wait_do_not_wrap(void **state)
{
    (void)state;
    static struct cores cores;
    static const struct weft_actor_kind kind = {.name = "reducer",
                                                .state_bytes = sizeof(struct play_role),
                                                .main = play_main,
                                                .terminate = reduce_without_end};
    struct diary diary = {0};
    struct letter nothing = {&diary, 'a', 0, 0};
    struct play_role role = {.body = write_and_yield, .context = &nothing};
    cores_open(&cores, 1, 16);
    const struct weft_spawn spawn = {.kind = &kind, .state = &role};
    play_spawn(&cores, 0, &spawn);
    cores_settle(&cores);
    assert_string_equal(diary.text, "r");
    play_close(&cores);
}

static void send_many(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    for (unsigned i = 0; i < 500; i++) {
        if (weft_send(self, diary->pid, 1, NULL, 0) != 0) note(diary, '!');
        if (i % 100 == 0) note(diary, 's');
    }
}

static void take_one(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)self, (void)message;
    *(unsigned *)context += 1;
}

// Two hundred messages are a slice: the sender gives the core away in the middle of a send.
static void a_spent_slice_ends_in_a_send(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    struct letter other = {&diary, 'o', 3, 2000};
    unsigned taken = 0;
    cores_open(&cores, 1, 16);
    diary.pid = play_hand_on(&cores, 0, take_one, &taken);
    play_body_on(&cores, 0, send_many, &diary);
    play_body_on(&cores, 0, write_and_yield, &other);
    cores_settle(&cores);
    assert_string_equal(diary.text, "ssossoso"); // 200, then 200, then 100.
    assert_int_equal(taken, 500);
    play_kill(&cores, diary.pid);
    play_close(&cores);
}

static void receive_many(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    for (unsigned i = 0; weft_receive(self, 0) != NULL; i++) {
        if (i % 100 == 0) note(diary, 'r');
    }
}

static void a_spent_slice_ends_in_a_receive(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    struct letter other = {&diary, 'o', 3, 2000};
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_body_on(&cores, 0, receive_many, &diary);
    for (unsigned i = 0; i < 500; i++)
        play_send(&cores, pid, 1);
    play_body_on(&cores, 0, write_and_yield, &other);
    cores_settle(&cores);
    assert_string_equal(diary.text, "rrorroro");
    play_close(&cores);
}

static void urgent_ones_go_first_and_low_ones_do_not_starve(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    struct letter letters[] = {
        {&diary, 'l', 3, 0}, {&diary, 'n', 20, 0}, {&diary, 'h', 2, 0}, {&diary, 'm', 2, 0}};
    static const uint8_t priorities[] = {WEFT_PRIORITY_LOW, WEFT_PRIORITY_NORMAL,
                                         WEFT_PRIORITY_HIGH, WEFT_PRIORITY_MAX};
    cores_open(&cores, 1, 16);
    for (size_t i = 0; i < WEFT_COUNT_OF(letters); i++) {
        struct play_role role;
        struct weft_spawn spawn = play_as(&role, write_and_yield, NULL, &letters[i]);
        spawn.priority = priorities[i];
        play_spawn(&cores, 0, &spawn);
    }
    cores_settle(&cores);
    // A yield and an end take a slice each: the slice behind the last letter writes none.
    assert_memory_equal(diary.text, "mmhhnnnnnnnl", 12);
    assert_int_equal(diary.length, 27);
    play_close(&cores);
}

// ---- Stacks.

static void wait_in_handler(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct diary *diary = context;
    note(diary, (char)('0' + message->type));
    if (message->type != 1) return;
    weft_sleep(self, WEFT_NS_PER_MS);
    // The message in its hands is its own still.
    assert_int_equal(message->type, 1);
    message = weft_receive(self, WEFT_FOREVER);
    assert_non_null(message);
    note(diary, (char)('a' + message->type));
}

static void a_handler_that_waits_keeps_a_stack_and_gives_it_back(void **state)
{
    (void)state;
    static struct cores cores;
    struct diary diary = {0};
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_hand_on(&cores, 0, wait_in_handler, &diary);
    cores_settle(&cores);
    play_send(&cores, pid, 0);
    cores_settle(&cores);
    assert_null(play_find(&cores, pid)->stack);
    for (unsigned i = 0; i < 3; i++) {
        play_send(&cores, pid, 1);
        cores_settle(&cores);
        assert_non_null(play_find(&cores, pid)->stack);
        play_send(&cores, pid, 2); // Taken by the receive in the handler,
        play_send(&cores, pid, 3); // handled when the handler is back.
        play_for(&cores, 2 * WEFT_NS_PER_MS);
        assert_null(play_find(&cores, pid)->stack);
    }
    assert_string_equal(diary.text, "01c31c31c3");
    play_kill(&cores, pid);
    play_close(&cores);
}

static void wait_for_ever(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    weft_receive(self, WEFT_FOREVER);
    note(diary, 'w');
}

static void try_all_waits(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct diary *diary = context;
    (void)message;
    assert_null(weft_receive(self, WEFT_FOREVER));
    assert_null(weft_receive(self, WEFT_NS_PER_S));
    assert_null(weft_receive_match(self, &(struct weft_match){.tags = 1}, WEFT_FOREVER));
    assert_int_equal(weft_call(self, diary->pid, 1, NULL, 0, WEFT_FOREVER, NULL), -ENOMEM);
    assert_int_equal(weft_join(self, diary->pid, WEFT_FOREVER, NULL), -ENOMEM);
    weft_sleep(self, WEFT_NS_PER_S);
    weft_yield(self);
    weft_reduce(self, 5000);
    note(diary, 't');
}

// The last stack is the loop's own: whoever asks for it is refused, and nothing else happens.
static void without_a_stack_a_handler_cannot_wait(void **state)
{
    (void)state;
    static struct cores cores;
    static struct diary diaries[300];
    struct diary diary = {0};
    weft_pid pids[300], none;
    unsigned count = 0;
    memset(diaries, 0, sizeof(diaries));
    const struct cores_size size = {.actors = 512, .stacks = 64};
    cores_open_sized(&cores, 1, &size);
    struct play_role role;
    for (; count < WEFT_COUNT_OF(pids); count++) {
        const struct weft_spawn spawn = play_as(&role, wait_for_ever, NULL, &diaries[count]);
        if (weft_actor_spawn(&cores.system[0], &spawn, 0, &pids[count]) != 0) break;
        cores_settle(&cores);
    }
    assert_in_range(count, 60, 64);
    const struct weft_spawn one_more = play_as(&role, wait_for_ever, NULL, &diary);
    assert_int_equal(weft_actor_spawn(&cores.system[0], &one_more, 0, &none), -ENOSPC);
    for (unsigned i = 0; i < count; i++) // All that were made can wait.
        assert_string_equal(diaries[i].text, "");
    diary.pid = pids[0];
    const weft_pid pid = play_hand_on(&cores, 0, try_all_waits, &diary);
    play_send(&cores, pid, 1);
    cores_settle(&cores);
    assert_string_equal(diary.text, "t");
    play_kill(&cores, pid);
    for (unsigned i = 0; i < count; i++)
        play_send(&cores, pids[i], 1);
    cores_settle(&cores);
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(diaries[i].text, "w");
    play_close(&cores);
}

// ---- Ends.

static void dig(struct weft_actor *self, unsigned depth, struct diary *diary)
{
    void (*volatile deeper)(struct weft_actor *, unsigned, struct diary *) = dig;
    if (depth == 0) weft_exit(self, WEFT_EXIT_USER + 1);
    deeper(self, depth - 1, diary);
    note(diary, '!'); // Never.
}

static void exit_at_once(struct weft_actor *self, void *context)
{
    dig(self, 20, context);
}

static void exit_after_a_wait(struct weft_actor *self, void *context)
{
    note(context, 'y');
    weft_yield(self);
    dig(self, 20, context);
}

static void exit_in_handler(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)message;
    dig(self, 20, context);
}

static void exit_in_handler_that_waited(struct weft_actor *self, void *context,
                                        struct weft_message *message)
{
    (void)message;
    note(context, 'y');
    weft_yield(self);
    dig(self, 20, context);
}

static void stop_and_return(struct weft_actor *self, void *context)
{
    weft_stop(self, WEFT_EXIT_USER + 1);
    weft_stop(self, WEFT_EXIT_USER + 2); // The first counts.
    note(context, 's');
}

static void stop_and_wait(struct weft_actor *self, void *context)
{
    weft_stop(self, WEFT_EXIT_USER + 1);
    note(context, 's');
    weft_yield(self);
    note(context, '!');
}

static void stop_on_own_stack(struct weft_actor *self, void *context)
{
    weft_yield(self);
    stop_and_wait(self, context);
}

static void stop_in_handler(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)message;
    note(context, 's');
    weft_stop(self, WEFT_EXIT_USER + 1);
}

static void kill_oneself(struct weft_actor *self, void *context)
{
    assert_int_equal(weft_kill(self, weft_self(self)), 0);
    note(context, 'k');
    weft_receive(self, WEFT_FOREVER);
    note(context, '!');
}

static void watch_end(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    uint16_t reason = 0;
    diary->status = weft_join(self, diary->pid, WEFT_FOREVER, &reason);
    diary->now_ns = reason;
}

static void every_way_out_is_an_end(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        play_body *body;
        play_hand *hand;
        uint16_t reason;
        const char *text;
    } cases[] = {
        {"weft_exit on the loop's stack", exit_at_once, NULL, WEFT_EXIT_USER + 1, ""},
        {"weft_exit on its own stack", exit_after_a_wait, NULL, WEFT_EXIT_USER + 1, "y"},
        {"weft_exit in a handler", NULL, exit_in_handler, WEFT_EXIT_USER + 1, ""},
        {"in one that has waited", NULL, exit_in_handler_that_waited, WEFT_EXIT_USER + 1, "y"},
        {"weft_stop, then main returns", stop_and_return, NULL, WEFT_EXIT_USER + 1, "s"},
        {"weft_stop, then it waits", stop_and_wait, NULL, WEFT_EXIT_USER + 1, "s"},
        {"the same on its own stack", stop_on_own_stack, NULL, WEFT_EXIT_USER + 1, "s"},
        {"weft_stop in a handler", NULL, stop_in_handler, WEFT_EXIT_USER + 1, "s"},
        {"weft_kill of itself", kill_oneself, NULL, WEFT_EXIT_KILLED, "k"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        struct diary diary = {0}, watch = {.status = 1};
        struct play_role role;
        cores_open(&cores, 1, 16);
        const struct weft_spawn spawn = play_as(&role, cases[i].body, cases[i].hand, &diary);
        play_body_on(&cores, 0, watch_end, &watch);
        const weft_pid pid = watch.pid = play_spawn(&cores, 0, &spawn);
        if (cases[i].hand != NULL) {
            play_send(&cores, pid, 1);
            play_send(&cores, pid, 2);
        }
        cores_settle(&cores);
        if (watch.status != 0 || watch.now_ns != cases[i].reason ||
            strcmp(diary.text, cases[i].text) != 0)
            fail_msg("%s: %d, %llu, '%s'", cases[i].name, watch.status,
                     (unsigned long long)watch.now_ns, diary.text);
        assert_null(play_find(&cores, pid));
        play_close(&cores);
    }
}

static void wait_with_everything(struct weft_actor *self, void *context)
{
    struct diary *diary = context;
    struct weft_message *message;
    switch (diary->status) {
    case 0: weft_receive(self, WEFT_FOREVER); break;
    case 1: weft_receive(self, WEFT_NS_PER_S); break;
    case 2: weft_sleep(self, WEFT_NS_PER_S); break;
    case 3: weft_call(self, diary->pid, 1, "x", 1, WEFT_NS_PER_S, NULL); break;
    case 4: weft_join(self, diary->pid, WEFT_NS_PER_S, NULL); break;
    case 5: // With a message in its hands and one kept.
        message = weft_receive(self, WEFT_FOREVER);
        weft_keep(self, message);
        weft_receive(self, WEFT_FOREVER);
        weft_receive_match(self, &(struct weft_match){.tags = 2}, WEFT_FOREVER);
        break;
    case 6: weft_alloc(self, 5000), weft_receive(self, WEFT_FOREVER); break;
    default:
        weft_yield(self);
        weft_receive(self, WEFT_FOREVER);
        break;
    }
    note(diary, '!');
}

static void do_nothing(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)context;
    if (message->tag == WEFT_MESSAGE_CALL) weft_keep(self, message);
}

// At each moment of its life: not yet run, waiting for whatever, with messages unread.
static void a_kill_reaches_it_wherever_it_waits(void **state)
{
    (void)state;
    for (int what = 0; what < 8; what++) {
        for (unsigned turns = 0; turns < 4; turns++) {
            static struct cores cores;
            struct diary diary = {.status = what}, watch = {.status = 1};
            cores_open(&cores, 2, 16);
            diary.pid = play_hand_on(&cores, 1, do_nothing, NULL);
            const weft_pid pid = watch.pid = play_body_on(&cores, 0, wait_with_everything, &diary);
            play_body_on(&cores, 1, watch_end, &watch);
            for (unsigned i = 0; i < 3; i++)
                play_send(&cores, pid, 1);
            for (unsigned i = 0; i < turns; i++)
                weft_core_turn(cores.core[i % 2]);
            const bool lives = play_find(&cores, pid) != NULL;
            assert_int_equal(play_kill(&cores, pid), lives ? 0 : -ESRCH);
            if (lives) play_send(&cores, pid, 1); // Behind the kill: to nobody.
            cores_settle(&cores);
            assert_null(play_find(&cores, pid));
            assert_int_equal(watch.status, 0);
            play_kill(&cores, diary.pid);
            play_close(&cores);
        }
    }
}

static void last_words(struct weft_actor *self, void *state, uint16_t reason)
{
    struct diary *diary = ((struct play_role *)state)->context;
    note(diary, 't');
    diary->now_ns = reason;
    // It may send, but not wait.
    assert_int_equal(weft_send(self, diary->pid, 1, NULL, 0), 0);
    assert_int_equal(weft_call(self, diary->pid, 1, NULL, 0, WEFT_FOREVER, NULL), -ENOMEM);
    assert_int_equal(weft_send(self, weft_self(self), 1, NULL, 0), -ESRCH);
    weft_sleep(self, WEFT_NS_PER_S);
    weft_yield(self);
    while (weft_receive(self, WEFT_FOREVER) != NULL)
        note(diary, 'm'); // What was not read.
    if (diary->status == 1) weft_exit(self, WEFT_EXIT_FAULT);
    note(diary, 'e');
}

static void terminate_is_the_last_thing_whatever_it_does(void **state)
{
    (void)state;
    static const struct weft_actor_kind kinds[] = {{.name = "stackful",
                                                    .state_bytes = sizeof(struct play_role),
                                                    .main = play_main,
                                                    .terminate = last_words},
                                                   {.name = "callback",
                                                    .state_bytes = sizeof(struct play_role),
                                                    .handle = play_handle,
                                                    .terminate = last_words}};
    for (unsigned i = 0; i < 4; i++) {
        static struct cores cores;
        unsigned taken = 0;
        struct diary diary = {.status = i % 2};
        struct play_role role = {.body = wait_for_ever, .hand = wait_in_handler, .context = &diary};
        cores_open(&cores, 1, 16);
        diary.pid = play_hand_on(&cores, 0, take_one, &taken);
        const struct weft_spawn spawn = {.kind = &kinds[i / 2], .state = &role};
        const weft_pid pid = play_spawn(&cores, 0, &spawn);
        cores_settle(&cores);
        play_kill(&cores, pid);
        play_send(&cores, pid, 5);
        cores_settle(&cores);
        assert_string_equal(diary.text, i % 2 == 0 ? "tme" : "tm");
        assert_int_equal(diary.now_ns, WEFT_EXIT_KILLED);
        assert_int_equal(taken, 2); // The send and the call.
        assert_null(play_find(&cores, pid));
        play_kill(&cores, diary.pid);
        play_close(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receive_times_out_at_its_time_and_not_before),
        cmocka_unit_test(messages_do_not_wake_a_sleeper),
        cmocka_unit_test(the_next_wait_is_as_long_as_it_says),
        cmocka_unit_test(who_yields_goes_behind_the_others),
        cmocka_unit_test(a_slice_is_two_thousand_reductions),
        cmocka_unit_test(reductions_of_one_that_cannot_wait_do_not_wrap),
        cmocka_unit_test(a_spent_slice_ends_in_a_send),
        cmocka_unit_test(a_spent_slice_ends_in_a_receive),
        cmocka_unit_test(urgent_ones_go_first_and_low_ones_do_not_starve),
        cmocka_unit_test(a_handler_that_waits_keeps_a_stack_and_gives_it_back),
        cmocka_unit_test(without_a_stack_a_handler_cannot_wait),
        cmocka_unit_test(every_way_out_is_an_end),
        cmocka_unit_test(a_kill_reaches_it_wherever_it_waits),
        cmocka_unit_test(terminate_is_the_last_thing_whatever_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
