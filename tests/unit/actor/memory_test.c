// Memory of actors: what they may have, that all of it comes back, and what happens when there is
// none: at every single allocation in turn.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

// ---- weft_alloc and its cap.

struct user {
    size_t cap; // memory_max less the state's.
    bool moves, exits;
    size_t had;
};

static void use_memory(struct weft_actor *self, void *context)
{
    struct user *user = context;
    static const size_t sizes[] = {0, 1, 16, 17, 100, 464, 465, 5000, 100000};
    void *blocks[WEFT_COUNT_OF(sizes)];
    for (size_t i = 0; i < WEFT_COUNT_OF(sizes); i++) {
        blocks[i] = weft_alloc(self, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], 0x5a, sizes[i]);
        if (user->moves) assert_int_equal(weft_move(self, (uint16_t)(i % 2)), 0);
    }
    weft_free(self, NULL);
    for (size_t i = 0; i < WEFT_COUNT_OF(sizes); i += 2)
        weft_free(self, blocks[i]);
    assert_null(weft_alloc(self, SIZE_MAX));
    assert_null(weft_alloc(self, (size_t)1 << 40));
    if (user->exits) weft_exit(self, WEFT_EXIT_USER);
}

static void what_was_allocated_goes_with_the_actor(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        static struct cores cores;
        struct user user = {.moves = i & 1, .exits = i & 2};
        cores_open(&cores, 2, 16);
        play_body_on(&cores, 0, use_memory, &user);
        play_close(&cores); // Where every byte is looked for.
    }
}

static void fill_up(struct weft_actor *self, void *context)
{
    struct user *user = context;
    void *blocks[600];
    unsigned count = 0;
    for (; count < WEFT_COUNT_OF(blocks); count++) {
        blocks[count] = weft_alloc(self, 100);
        if (blocks[count] == NULL) break;
        user->had += 100;
    }
    assert_null(weft_alloc(self, 100)); // And so it stays,
    if (count == 0) return;
    weft_free(self, blocks[0]);
    blocks[0] = weft_alloc(self, 100); // until something is freed.
    assert_non_null(blocks[0]);
    assert_null(weft_alloc(self, 100));
}

static void a_cap_is_kept(void **state)
{
    (void)state;
    static const struct {
        size_t memory_max, least, most; // What it can have of it, in blocks of 100 bytes.
    } cases[] = {
        {1, 0, 0},        {64, 0, 0},          {200, 0, 100},
        {1000, 300, 900}, {10000, 4000, 9900}, {50000, 20000, 49900},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        struct user user = {0};
        // Its state is a pointer's worth.
        static const struct weft_actor_kind kind = {.name = "user", .main = fill_up};
        cores_open(&cores, 1, 16);
        const struct weft_spawn spawn = {
            .kind = &kind, .state = &user, .memory_max = cases[i].memory_max};
        play_spawn(&cores, 0, &spawn);
        cores_settle(&cores);
        if (user.had < cases[i].least || user.had > cases[i].most)
            fail_msg("of %zu: %zu", cases[i].memory_max, user.had);
        play_close(&cores);
    }
}

static void do_nothing(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)self, (void)state, (void)message;
}

static void a_state_beyond_its_cap_is_refused(void **state)
{
    (void)state;
    static struct cores cores;
    static const struct weft_actor_kind kind = {
        .name = "large", .state_bytes = 5000, .handle = do_nothing};
    weft_pid pid;
    cores_open(&cores, 1, 16);
    struct weft_spawn spawn = {.kind = &kind, .memory_max = 4999};
    assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), -ENOMEM);
    spawn.memory_max = 5000;
    assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), 0);
    const uint8_t *bytes = play_find(&cores, pid)->state;
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(bytes[i], 0); // As it was not given.
    play_kill(&cores, pid);
    spawn.memory_max = (size_t)1 << 40;
    assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), -EINVAL);
    play_close(&cores);
}

// ---- What counts against the cap beside that: messages.

#define LARGE 1000 // Bytes of a large message: 17 units of 64 with its header.
#define CAP   10000

struct mail {
    weft_pid to;
    struct cores *cores;
    uint8_t how;          // The tag to send with.
    size_t length;        // Of each message.
    unsigned count, fits; // That are sent, and for which it has room.
    unsigned refused, accepted;
};

static int post(struct weft_actor *self, const struct mail *mail)
{
    static const uint8_t bytes[LARGE];
    if (mail->how == WEFT_MESSAGE_CALL)
        return weft_call(self, mail->to, 1, bytes, mail->length, WEFT_NS_PER_MS, NULL);
    if (mail->how == WEFT_MESSAGE_CAST) return weft_cast(self, mail->to, 1, bytes, mail->length);
    return weft_send(self, mail->to, 1, bytes, mail->length);
}

static void post_all(struct weft_actor *self, void *context)
{
    struct mail *mail = context;
    for (unsigned i = 0; i < mail->count; i++) {
        const int result = post(self, mail);
        if (result == -ENOBUFS) mail->refused++;
        // Nobody answers: a call that was let in is given up in time.
        if (result == 0 || result == -ETIMEDOUT) mail->accepted++;
    }
}

static void sleep_on(struct weft_actor *self, void *context)
{
    (void)context;
    weft_sleep(self, WEFT_FOREVER);
}

// A thousand bytes at a time, until it is full; and small ones, which go in all the same.
static void large_messages_beyond_the_cap_are_refused(void **state)
{
    (void)state;
    static const struct mail cases[] = {
        {.how = WEFT_MESSAGE_USER, .length = LARGE, .count = 20, .fits = CAP / (17 * 64)},
        {.how = WEFT_MESSAGE_CAST, .length = LARGE, .count = 20, .fits = CAP / (17 * 64)},
        {.how = WEFT_MESSAGE_CALL, .length = LARGE, .count = 20, .fits = CAP / (17 * 64)},
        {.how = WEFT_MESSAGE_USER, .length = WEFT_MESSAGE_LARGE, .count = 50, .fits = 50},
        {.how = WEFT_MESSAGE_USER, .length = WEFT_MESSAGE_LARGE + 1, .count = 50, .fits = 17},
    };
    for (unsigned i = 0; i < 4 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        struct mail mail = cases[i / 4];
        const unsigned from = i & 1;
        const bool exits = i & 2;
        struct play_role role;
        cores_open(&cores, 2, 16);
        struct weft_spawn spawn = play_as(&role, sleep_on, NULL, NULL);
        spawn.memory_max = CAP;
        spawn.overflow = exits ? WEFT_OVERFLOW_EXIT : WEFT_OVERFLOW_MUTE;
        mail.to = play_spawn(&cores, 0, &spawn);
        cores_settle(&cores);
        play_body_on(&cores, from, post_all, &mail);
        play_for(&cores, 30 * WEFT_NS_PER_MS);

        const unsigned over = mail.count - mail.fits;
        struct weft_actor *receiver = play_find(&cores, mail.to);
        if (exits && over > 0) {
            assert_null(receiver); // Ended; the rest found nobody.
            assert_true(cores_dropped(&cores, WEFT_DROP_MAILBOX_QUOTA) >= 1);
        } else {
            if (receiver->mailbox_count != mail.fits)
                fail_msg("case %u: %u went in, not %u", i, receiver->mailbox_count, mail.fits);
            assert_int_equal(cores_dropped(&cores, WEFT_DROP_MAILBOX_QUOTA), over);
            const bool is_told = from == 0 || mail.how == WEFT_MESSAGE_CALL;
            assert_int_equal(mail.refused, is_told ? over : 0);
            assert_true(weft_memory_bytes(receiver) <= CAP);
            play_kill(&cores, mail.to);
        }
        play_close(&cores);
    }
}

static void what_a_reader_holds(struct weft_actor *self, void *context)
{
    struct mail *mail = context;
    const uint64_t base = weft_memory_bytes(self);
    struct weft_info info;
    weft_sleep(self, WEFT_NS_PER_MS); // Until the mailbox is as full as it gets.
    const uint64_t full = weft_memory_bytes(self);
    assert_int_equal(full, base + (uint64_t)mail->fits * 17 * 64);
    assert_int_equal(weft_info(self, weft_self(self), &info), 0);
    assert_int_equal(info.memory_max, CAP / 64 * 64);
    assert_true(info.stack_bytes >= 4096 && info.stack_bytes <= WEFT_STACK_BYTES);
    assert_true(info.memory_bytes >= full + info.stack_bytes);

    assert_null(weft_alloc(self, LARGE)); // There is no room for anything else,
    assert_null(weft_message_new(self, 1, LARGE));
    struct weft_message *first = weft_receive(self, 0);
    assert_int_equal(first->length, LARGE);
    assert_int_equal(weft_memory_bytes(self), full); // nor while it is in hand,
    assert_null(weft_alloc(self, LARGE));
    assert_int_equal(weft_keep(self, first), 0); // or kept,
    assert_int_equal(weft_memory_bytes(self), full);
    assert_null(weft_alloc(self, LARGE));
    weft_unkeep(self, first);
    assert_int_equal(weft_memory_bytes(self), full);
    weft_release(self, first); // but when it is gone.
    assert_int_equal(weft_memory_bytes(self), full - 17 * 64);
    void *block = weft_alloc(self, LARGE);
    assert_non_null(block);
    weft_free(self, block);
    struct weft_message *made = weft_message_new(self, 1, LARGE);
    assert_non_null(made);
    assert_int_equal(weft_memory_bytes(self), full);
    assert_int_equal(weft_send_message(self, weft_self(self), made), 0); // Then it is received.
    assert_int_equal(weft_memory_bytes(self), full);

    unsigned count = 0;
    while (weft_receive(self, 0) != NULL)
        count++;
    assert_int_equal(count, mail->fits);
    assert_int_equal(weft_memory_bytes(self), base);
    assert_false(self->task.flags & WEFT_ACTOR_INDEXED); // It pays for large ones no more.
    // Small messages count when they are kept: a block of its class each.
    for (count = 0;; count++) {
        assert_int_equal(weft_send(self, weft_self(self), 1, "12345678", 8), 0);
        struct weft_message *message = weft_receive(self, 0);
        const int result = weft_keep(self, message);
        if (result == -ENOMEM) break;
        assert_int_equal(result, 0);
    }
    assert_int_equal(count, CAP / 64 - base / 64);
    mail->accepted = 1;
}

static void what_is_held_counts_until_it_is_let_go(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 2; from++) {
        static struct cores cores;
        struct mail reader = {.fits = CAP / (17 * 64)}, writer = {.length = LARGE, .count = 12};
        struct play_role role;
        cores_open(&cores, 2, 16);
        struct weft_spawn spawn = play_as(&role, what_a_reader_holds, NULL, &reader);
        spawn.memory_max = CAP;
        writer.to = play_spawn(&cores, 0, &spawn);
        play_body_on(&cores, from, post_all, &writer);
        play_for(&cores, 5 * WEFT_NS_PER_MS);
        assert_int_equal(reader.accepted, 1);
        play_close(&cores);
    }
}

static void ask_for_much(struct weft_actor *self, void *context)
{
    struct mail *mail = context;
    struct weft_message *reply;
    const uint64_t base = weft_memory_bytes(self);
    void *block = weft_alloc(self, CAP - base - 100); // Its cap, but for a few bytes.
    assert_non_null(block);
    assert_int_equal(weft_call(self, mail->to, 2000, NULL, 0, WEFT_NS_PER_MS, &reply), 0);
    assert_int_equal(reply->length, 2000);
    assert_true(weft_memory_bytes(self) > CAP);
    assert_int_equal(weft_keep(self, reply), -ENOMEM);
    weft_release(self, reply);
    const uint64_t reference = weft_call_begin(self, mail->to, 2000, NULL, 0, NULL);
    weft_sleep(self, WEFT_NS_PER_MS); // As a message this time.
    assert_int_equal(weft_await(self, reference, 0, &reply), 0);
    weft_release(self, reply);
    weft_free(self, block);
    assert_int_equal(weft_memory_bytes(self), base);
    mail->accepted = 1;
}

static void answer_at_length(struct weft_actor *self, void *context, struct weft_message *message)
{
    static const uint8_t bytes[2000];
    (void)context;
    weft_reply(self, message, 1, bytes, message->type);
}

static void what_was_asked_for_is_let_in(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 2; from++) {
        static struct cores cores;
        struct mail mail = {0};
        struct play_role role;
        cores_open(&cores, 2, 16);
        mail.to = play_hand_on(&cores, from, answer_at_length, NULL);
        struct weft_spawn spawn = play_as(&role, ask_for_much, NULL, &mail);
        spawn.memory_max = CAP;
        play_spawn(&cores, 0, &spawn);
        play_for(&cores, 5 * WEFT_NS_PER_MS);
        assert_int_equal(mail.accepted, 1);
        play_kill(&cores, mail.to);
        play_close(&cores);
    }
}

// ---- A life that uses everything there is, and takes "no memory" for an answer anywhere.

#define NAME "everything"

struct scene {
    struct cores *cores;
    weft_pid helpers[2]; // On each core: replies to calls, keeps nothing.
    unsigned destroyed, made, wrong;
    bool done;
};

// A result of something that may lack memory and nothing else.
static bool went(struct scene *scene, int result)
{
    if (result != 0 && result != -ENOMEM) scene->wrong++;
    return result == 0;
}

// One that a far-away lack of memory may also have made impossible.
static bool may_go(struct scene *scene, int result)
{
    static const int others[] = {-ESRCH, -EPIPE, -ENOENT, -ETIMEDOUT, -EEXIST, -ECANCELED};
    for (size_t i = 0; i < WEFT_COUNT_OF(others); i++) {
        if (result == others[i]) return false;
    }
    return went(scene, result);
}

static void destroy_thing(void *object)
{
    ++*(unsigned *)object;
}

static const struct weft_type thing_type = {.name = "thing", .destroy = destroy_thing};

static void help(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct scene *scene = context;
    uint8_t bytes[600] = {0};
    if (message->tag == WEFT_MESSAGE_CALL) {
        const int result = weft_reply(self, message, 7, bytes, message->type);
        went(scene, result);
        return;
    }
    if (message->type == 3) went(scene, weft_keep(self, message));
}

static void child_main(struct weft_actor *self, void *context)
{
    (void)context;
    weft_yield(self);
    weft_receive(self, WEFT_NS_PER_MS);
}

static void spawn_all(struct weft_actor *self, struct scene *scene)
{
    struct play_role role;
    weft_pid pid;
    uint64_t reference;
    for (uint16_t i = 0; i < 8; i++) {
        struct weft_spawn spawn =
            i & 1 ? play_as(&role, child_main, NULL, scene) : play_as(&role, NULL, help, scene);
        spawn.core = i & 2 ? 1 : 0;
        spawn.label = i & 4 ? "a label" : NULL;
        spawn.memory_max = i & 1 ? 100000 : 0;
        if (went(scene, weft_spawn(self, &spawn, &pid))) went(scene, weft_kill(self, pid));
        if (went(scene, weft_spawn_monitor(self, &spawn, &pid, &reference)))
            may_go(scene, weft_kill(self, pid));
        if (went(scene, weft_spawn_link(self, &spawn, &pid)))
            may_go(scene, weft_exit_send(self, pid, WEFT_EXIT_SHUTDOWN));
    }
}

static void send_all(struct weft_actor *self, struct scene *scene)
{
    static const size_t lengths[] = {0, 16, 100, 500, 3000};
    uint8_t bytes[3000] = {0};
    for (unsigned i = 0; i < 2 * WEFT_COUNT_OF(lengths); i++) {
        const weft_pid to = scene->helpers[i % 2];
        may_go(scene, weft_send(self, to, 1, bytes, lengths[i / 2]));
        may_go(scene, weft_cast(self, to, 1, bytes, lengths[i / 2]));
        may_go(scene, weft_send(self, to, 3, bytes, 8)); // Which is kept.
        struct weft_message *message = weft_message_new(self, 1, lengths[i / 2]);
        if (message != NULL && i < 5) may_go(scene, weft_send_message(self, to, message));
        scene->made++;
        may_go(scene, weft_send_object(self, to, 1, &thing_type, &scene->destroyed));
        struct weft_blob *blob = weft_blob_new(self, lengths[i / 2]);
        if (blob == NULL) continue;
        may_go(scene, weft_send_blob(self, to, 1, blob));
        may_go(scene, weft_send_blob(self, scene->helpers[1 - i % 2], 1, blob));
        weft_blob_put(self, blob);
    }
}

static void call_all(struct weft_actor *self, struct scene *scene)
{
    uint64_t references[12];
    struct weft_message *answer;
    for (unsigned i = 0; i < 4; i++) // Replies of eight bytes and of six hundred.
        may_go(scene, weft_call(self, scene->helpers[i % 2], i & 2 ? 600 : 8, "12345678", 8,
                                WEFT_NS_PER_MS, &answer));
    for (unsigned i = 0; i < 12; i++) {
        int error = 0;
        references[i] = weft_call_begin(self, scene->helpers[i % 2], 8, "12345678", 8, &error);
        went(scene, error);
        assert_int_equal(references[i] == 0, error != 0);
    }
    for (unsigned i = 0; i < 12; i++) {
        if (references[i] == 0) continue;
        if (i % 4 == 3)
            weft_call_cancel(self, references[i]);
        else
            may_go(scene, weft_await(self, references[i], WEFT_NS_PER_MS, &answer));
    }
}

static void bind_all(struct weft_actor *self, struct scene *scene)
{
    uint64_t reference;
    for (unsigned round = 0; round < 6; round++) { // So many that the table grows.
        for (unsigned i = 0; i < 2; i++) {
            went(scene, weft_link(self, scene->helpers[i]));
            may_go(scene, weft_unlink(self, scene->helpers[i]));
            went(scene, weft_link(self, scene->helpers[i]));
            if (went(scene, weft_monitor(self, scene->helpers[i], &reference)) && round % 2 == 0)
                may_go(scene, weft_demonitor(self, reference));
            went(scene, weft_send_after(self, scene->helpers[i], 1000, 1, "x", 1, NULL));
            if (went(scene,
                     weft_send_interval(self, scene->helpers[i], 100000, 1, "x", 1, &reference)) &&
                round % 2 == 0)
                may_go(scene, weft_timer_cancel(self, reference));
        }
    }
    if (may_go(scene, weft_register(self, NAME, 0)))
        assert_int_equal(weft_whereis(self, NAME), weft_self(self));
    may_go(scene, weft_register(self, "helper", scene->helpers[1]));
    const int joined = weft_group_join(self, NAME);
    assert_int_equal(weft_group_members(self, NAME, NULL, 0), joined != -ENOMEM);
    may_go(scene, joined);
    weft_group_send(self, NAME, 1, "x", 1);
    went(scene, weft_mailbox_alarm(self, 3, scene->helpers[0]));
}

static void wait_all(struct weft_actor *self, struct scene *scene)
{
    struct weft_info info;
    const struct weft_match match = {.has_type = true, .type = 99};
    for (unsigned i = 0; i < 4; i++)
        weft_send(self, weft_self(self), (uint16_t)i, NULL, 0);
    weft_receive_match(self, &match, 1000);
    weft_receive(self, 1000);
    weft_sleep(self, 1000);
    may_go(scene, weft_join(self, scene->helpers[0], 1000, NULL));
    may_go(scene, weft_info(self, scene->helpers[0], &info));
    may_go(scene, weft_info(self, scene->helpers[1], &info));
    void *block = weft_alloc(self, 100);
    weft_alloc(self, 5000);
    weft_free(self, block);
    went(scene, weft_move(self, 1));
    weft_receive(self, 1000);
    went(scene, weft_move(self, 0));
}

static void do_everything(struct weft_actor *self, void *context)
{
    struct scene *scene = context;
    weft_trap_exit(self, true);
    spawn_all(self, scene);
    send_all(self, scene);
    call_all(self, scene);
    bind_all(self, scene);
    wait_all(self, scene);
    if (went(scene, weft_move(self, 1))) { // And once more, with the other core's memory.
        spawn_all(self, scene);
        send_all(self, scene);
        call_all(self, scene);
        bind_all(self, scene);
    }
    scene->done = true;
    weft_sleep(self, WEFT_FOREVER);
}

// Plays the scene with the nth allocation of `core` refused, and with `on` all that follow. How
// many would still have been granted: above 0 it is over.
static uint64_t play_without(unsigned core, uint64_t nth, bool on)
{
    static struct cores cores;
    struct scene scene = {.cores = &cores};
    cores_open(&cores, 2, 64);
    for (unsigned i = 0; i < 2; i++)
        scene.helpers[i] = play_hand_on(&cores, i, help, &scene);
    const weft_pid pid = play_body_on(&cores, 0, do_everything, &scene);
    if (!weft_arena_refuse(cores.arena[core], nth, on)) {
        cores_close(&cores);
        return UINT64_MAX;
    }
    play_for(&cores, 20 * WEFT_NS_PER_MS);
    const uint64_t left = weft_arena_refuse_left(cores.arena[core]);
    weft_arena_refuse(cores.arena[core], 0, false);
    play_for(&cores, 20 * WEFT_NS_PER_MS);
    // Whatever was refused: it came through.
    if (!scene.done || scene.wrong > 0)
        fail_msg("core %u, allocation %llu%s: %s, %u wrong", core, (unsigned long long)nth,
                 on ? " on" : "", scene.done ? "done" : "stuck", scene.wrong);
    const weft_pid all[] = {pid, scene.helpers[0], scene.helpers[1]};
    for (unsigned i = 0; i < 3; i++) {
        if (play_find(&cores, all[i]) != NULL) play_kill(&cores, all[i]);
    }
    cores_settle(&cores);
    // Those spawned and not killed, for lack of memory.
    for (unsigned i = 0; i < cores.count; i++) {
        for (uint32_t slot = 0; slot < 64; slot++) {
            const struct weft_actor_system *home = &cores.system[i];
            if (home->chunks[0] == NULL || home->chunks[0][slot].pid == 0) continue;
            play_kill(&cores, home->chunks[0][slot].pid);
        }
    }
    cores_settle(&cores);
    assert_int_equal(scene.destroyed, scene.made);
    play_close(&cores);
    return left;
}

static void nothing_breaks_without_memory(void **state)
{
    (void)state;
    for (unsigned core = 0; core < 2; core++) {
        for (unsigned on = 0; on < 2; on++) {
            uint64_t left = 0;
            for (uint64_t nth = 1; left == 0; nth++) {
                left = play_without(core, nth, on);
                if (left == UINT64_MAX) {
                    print_message("skipped: only where AddressSanitizer watches\n");
                    skip();
                }
                assert_true(nth < 5000);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_allocated_goes_with_the_actor),
        cmocka_unit_test(a_cap_is_kept),
        cmocka_unit_test(a_state_beyond_its_cap_is_refused),
        cmocka_unit_test(large_messages_beyond_the_cap_are_refused),
        cmocka_unit_test(what_is_held_counts_until_it_is_let_go),
        cmocka_unit_test(what_was_asked_for_is_let_in),
        cmocka_unit_test(nothing_breaks_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
