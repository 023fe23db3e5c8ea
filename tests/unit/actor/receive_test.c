// Taking messages by pattern, keeping them, and payloads that are more than bytes.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "runtime/actor/relief.h"
#include "tests/unit/actor/play.h"

// ---- Which message a pattern takes.

struct offer { // What stands in the mailbox: ten messages of three tags and four types.
    uint8_t tag;
    uint16_t type;
};

static const struct offer offers[] = {
    {WEFT_MESSAGE_USER, 1}, {WEFT_MESSAGE_CAST, 2}, {WEFT_MESSAGE_USER, 3}, {WEFT_MESSAGE_PORT, 1},
    {WEFT_MESSAGE_USER, 2}, {WEFT_MESSAGE_CAST, 1}, {WEFT_MESSAGE_USER, 1}, {WEFT_MESSAGE_PORT, 4},
    {WEFT_MESSAGE_USER, 3}, {WEFT_MESSAGE_CAST, 3},
};

static bool is_odd(const struct weft_message *message, const void *argument)
{
    if (argument != NULL) ++*(unsigned *)(uintptr_t)argument;
    return message->payload[0] % 2 == 1;
}

static void fill(struct cores *cores, weft_pid pid)
{
    for (size_t i = 0; i < WEFT_COUNT_OF(offers); i++) {
        struct weft_message *message = weft_message_alloc(&cores->system[0], 1);
        message->to = pid;
        message->tag = offers[i].tag;
        message->type = offers[i].type;
        message->payload[0] = (uint8_t)i;
        assert_int_equal(weft_actor_send(&cores->system[0], message), 0);
    }
}

struct taking {
    const struct weft_match *matches;
    size_t match_count;
    char text[32]; // The numbers of the messages taken, in order; '-' for none.
};

static void take(struct weft_actor *self, void *context)
{
    struct taking *taking = context;
    size_t length = 0;
    for (size_t i = 0; i < taking->match_count; i++) {
        const struct weft_message *message = weft_receive_match(self, &taking->matches[i], 0);
        taking->text[length++] = message != NULL ? (char)('0' + message->payload[0]) : '-';
    }
    taking->text[length++] = ' ';
    for (const struct weft_message *message; (message = weft_receive(self, 0)) != NULL;)
        taking->text[length++] = (char)('0' + message->payload[0]);
}

static void the_first_that_fits_is_taken_and_the_others_stay_in_order(void **state)
{
    (void)state;
#define TAGS(x) .tags = 1u << WEFT_MESSAGE_##x
#define TYPE(x) .has_type = true, .type = x
    static const struct {
        const char *name;
        struct weft_match matches[6];
        const char *taken;
    } cases[] = {
        {"anything", {{0}, {0}, {0}}, "012 3456789"},
        {"a tag", {{TAGS(CAST)}, {TAGS(CAST)}, {TAGS(CAST)}, {TAGS(CAST)}}, "159- 0234678"},
        {"a type", {{TYPE(1)}, {TYPE(1)}, {TYPE(1)}, {TYPE(1)}, {TYPE(1)}}, "0356- 124789"},
        {"type 0 is a type", {{TYPE(0)}}, "- 0123456789"},
        {"both",
         {{TAGS(USER), TYPE(3)}, {TAGS(USER), TYPE(3)}, {TAGS(USER), TYPE(3)}},
         "28- 01345679"},
        {"two tags",
         {{.tags = 1u << WEFT_MESSAGE_CAST | 1u << WEFT_MESSAGE_PORT},
          {.tags = 1u << WEFT_MESSAGE_CAST | 1u << WEFT_MESSAGE_PORT},
          {.tags = 1u << WEFT_MESSAGE_CAST | 1u << WEFT_MESSAGE_PORT}},
         "135 0246789"},
        {"a predicate",
         {{.fits = is_odd}, {.fits = is_odd}, {.fits = is_odd, TAGS(USER)}},
         "13- 02456789"},
        {"patterns in turn",
         {{TAGS(PORT)}, {TYPE(2)}, {TAGS(PORT)}, {TYPE(2)}, {TAGS(PORT)}},
         "3174- 025689"},
        {"one takes what another has passed",
         {{TYPE(4)}, {TAGS(USER)}, {TYPE(2)}, {TAGS(USER)}},
         "7012 345689"},
        {"more patterns than are remembered",
         {{TYPE(4)}, {TYPE(3)}, {TYPE(2)}, {TYPE(1)}, {TAGS(CAST)}, {TYPE(3)}},
         "721058 3469"},
        {"a reference that nobody knows", {{.reference = 77}}, "- 0123456789"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        struct taking taking = {.matches = cases[i].matches};
        while (taking.match_count < 6 && cases[i].taken[taking.match_count] != ' ')
            taking.match_count++;
        cores_open(&cores, 1, 16);
        const weft_pid pid = play_body_on(&cores, 0, take, &taking);
        fill(&cores, pid);
        cores_settle(&cores);
        if (strcmp(taking.text, cases[i].taken) != 0)
            fail_msg("%s: '%s'", cases[i].name, taking.text);
        play_close(&cores);
    }
}

// ---- A predicate sees each message once.

#define CROWD 200

struct watching {
    unsigned calls, taken;
};

static bool is_seven(const struct weft_message *message, const void *argument)
{
    ++*(unsigned *)(uintptr_t)argument;
    return message->type == 7;
}

static void wait_for_sevens(struct weft_actor *self, void *context)
{
    struct watching *watching = context;
    const struct weft_match match = {.fits = is_seven, .argument = &watching->calls};
    while (weft_receive_match(self, &match, WEFT_FOREVER) != NULL) {
        watching->taken++;
        // In between the oldest are taken from under the place where the pattern has stopped.
        if (watching->taken % 3 == 0) assert_non_null(weft_receive(self, 0));
    }
}

static void a_predicate_sees_each_message_once(void **state)
{
    (void)state;
    static struct cores cores;
    struct watching watching = {0};
    cores_open(&cores, 1, 16);
    const weft_pid pid = play_body_on(&cores, 0, wait_for_sevens, &watching);
    for (unsigned i = 0; i < CROWD; i++) {
        play_send(&cores, pid, i % 10 == 9 ? 7 : 1);
        cores_settle(&cores); // It wakes for each.
        assert_int_equal(watching.calls, i + 1);
        assert_int_equal(watching.taken, (i + 1) / 10);
    }
    play_kill(&cores, pid);
    play_close(&cores);
}

// ---- Random patterns and takings against a plain list.

#define MODEL_MESSAGES 60

struct model {
    struct weft_prng prng;
    uint8_t waiting[MODEL_MESSAGES]; // Numbers in order; the type is number % 5.
    size_t count;
    uint8_t next;
};

static void take_and_compare(struct weft_actor *self, struct model *model)
{
    const uint32_t what = weft_prng_below(&model->prng, 8);
    const struct weft_match match = {.has_type = true, .type = (uint16_t)(what % 6)};
    const struct weft_match odd = {.fits = is_odd};
    size_t at = 0;
    const struct weft_message *message;
    if (what == 7) {
        message = weft_receive(self, 0);
    } else {
        message = weft_receive_match(self, what == 6 ? &odd : &match, 0);
        while (at < model->count &&
               (what == 6 ? model->waiting[at] % 2 != 1 : model->waiting[at] % 5 != what % 6))
            at++;
    }
    if (at == model->count) {
        assert_null(message);
        return;
    }
    assert_non_null(message);
    assert_int_equal(message->payload[0], model->waiting[at]);
    memmove(&model->waiting[at], &model->waiting[at + 1], model->count - at - 1);
    model->count--;
}

static void live_at_random(struct weft_actor *self, void *context)
{
    struct model *model = context;
    for (unsigned step = 0; step < 300; step++) {
        if (weft_prng_below(&model->prng, 2) == 0 && model->count < MODEL_MESSAGES) {
            struct weft_message *message = weft_message_new(self, (uint16_t)(model->next % 5), 1);
            message->payload[0] = model->next;
            model->waiting[model->count++] = model->next++;
            weft_send_message(self, weft_self(self), message);
        } else {
            take_and_compare(self, model);
        }
    }
}

static void patterns_take_what_a_search_from_the_start_would(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        static struct cores cores;
        struct model model = {.count = 0};
        weft_prng_seed(&model.prng, seed);
        cores_open(&cores, 1, 16);
        const weft_pid pid = play_body_on(&cores, 0, live_at_random, &model);
        cores_settle(&cores);
        if (play_find(&cores, pid) != NULL) fail_msg("seed %u", seed);
        play_close(&cores);
    }
}

// ---- By reference, whatever waits.

#define BACKLOG 10000

struct backlog {
    weft_pid target;
    uint32_t reductions[2]; // Of a receive with an empty mailbox, and with a full one.
};

static void receive_down(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct backlog *backlog = context;
    uint64_t reference;
    if (message->type != 9) {
        weft_keep(self, message);
        return;
    }
    assert_int_equal(weft_monitor(self, backlog->target, &reference), 0);
    const struct weft_match match = {.tags = 1u << WEFT_MESSAGE_DOWN, .reference = reference};
    assert_null(weft_receive_match(self, &match, 0));
    weft_kill(self, backlog->target);
    for (unsigned i = 0; i < 20; i++)
        weft_yield(self);
    const int32_t before = self->system->core->run.left;
    const struct weft_message *down = weft_receive_match(self, &match, 0);
    backlog->reductions[weft_mailbox_count(self) > 0] =
        (uint32_t)(before - self->system->core->run.left);
    assert_non_null(down);
    assert_int_equal(down->reference, reference);
    assert_null(weft_receive_match(self, &match, 0)); // Once.
}

static void do_nothing(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)self, (void)context, (void)message;
}

static void a_down_is_found_among_ten_thousand_without_looking(void **state)
{
    (void)state;
    static struct cores cores;
    struct backlog backlog = {0};
    struct play_role role;
    cores_open(&cores, 1, 16);
    struct weft_spawn spawn = play_as(&role, NULL, receive_down, &backlog);
    spawn.mailbox_max = 2 * BACKLOG;
    const weft_pid pid = play_spawn(&cores, 0, &spawn);
    for (unsigned crowd = 0; crowd <= BACKLOG; crowd += BACKLOG) {
        backlog.target = play_hand_on(&cores, 0, do_nothing, NULL);
        play_send(&cores, pid, 9);
        for (unsigned i = 0; i < crowd; i++)
            play_send(&cores, pid, 1);
        if (crowd > 0) weft_core_turn(cores.core[0]);
        cores_settle(&cores);
    }
    assert_int_equal(backlog.reductions[0], backlog.reductions[1]);
    play_kill(&cores, pid);
    play_close(&cores);
}

// ---- Keeping, releasing, sending on.

struct keeper {
    weft_pid next;
    struct weft_message *kept[8];
    unsigned count;
};

static void keep_and_use(struct weft_actor *self, void *context)
{
    struct keeper *keeper = context;
    for (unsigned i = 0; i < 6; i++) {
        struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        assert_int_equal(weft_keep(self, message), 0);
        assert_int_equal(weft_keep(self, message), 0); // Twice is once.
        keeper->kept[i] = message;
    }
    weft_yield(self);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(keeper->kept[i]->payload[0], i);
    weft_release(self, keeper->kept[1]);
    weft_release(self, NULL);
    weft_send_message(self, keeper->next, keeper->kept[2]);
    // What was never sent is released likewise.
    weft_release(self, weft_message_new(self, 1, 0));
    weft_release(self, weft_message_new(self, 1, 1000));
    assert_null(weft_message_new(self, 1, SIZE_MAX));
    weft_message_new(self, 1, 10);   // What is left goes with the actor:
    weft_message_new(self, 1, 1000); // made, kept, in its hands.
    weft_receive(self, WEFT_FOREVER);
    if (keeper->count == 1) weft_receive(self, WEFT_FOREVER);
}

static void count_one(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)self, (void)message;
    ++*(unsigned *)context;
}

static void what_an_actor_keeps_goes_with_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        static struct cores cores;
        unsigned taken = 0;
        struct keeper keeper = {.count = i % 2};
        cores_open(&cores, 2, 16);
        keeper.next = play_hand_on(&cores, i / 2, count_one, &taken);
        const weft_pid pid = play_body_on(&cores, 0, keep_and_use, &keeper);
        fill(&cores, pid);
        cores_settle(&cores);
        assert_int_equal(taken, 1);
        if (i % 2 == 1) play_kill(&cores, pid);
        play_kill(&cores, keeper.next);
        play_close(&cores);
    }
}

// ---- Objects.

struct thing {
    unsigned *destroyed;
    unsigned *count;
};

static void destroy_thing(void *object)
{
    struct thing *thing = object;
    ++*thing->destroyed;
    free(thing);
}

static const struct weft_type thing_type = {.name = "thing", .destroy = destroy_thing};

struct giving {
    weft_pid whom;
    unsigned destroyed;
    int result;
    bool takes;
    unsigned took;
};

static struct thing *make_thing(struct giving *giving)
{
    struct thing *thing = malloc(sizeof(*thing));
    assert_non_null(thing);
    *thing = (struct thing){.destroyed = &giving->destroyed};
    return thing;
}

static void give(struct weft_actor *self, void *context)
{
    struct giving *giving = context;
    giving->result = weft_send_object(self, giving->whom, 5, &thing_type, make_thing(giving));
}

static void look_at_it(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct giving *giving = context;
    const struct weft_type *type = NULL;
    (void)self;
    if (message->type != 5) {
        assert_null(weft_message_object(message, &type));
        assert_null(weft_message_take_object(message));
        return;
    }
    struct thing *thing = weft_message_object(message, &type);
    assert_ptr_equal(type, &thing_type);
    assert_ptr_equal(thing->destroyed, &giving->destroyed);
    if (!giving->takes) return;
    assert_ptr_equal(weft_message_take_object(message), thing);
    assert_null(weft_message_object(message, NULL));
    assert_null(weft_message_take_object(message));
    giving->took++;
    destroy_thing(thing);
}

static void pass_it_on(struct weft_actor *self, void *context, struct weft_message *message)
{
    if (message->type == 5) weft_send_message(self, *(weft_pid *)context, message);
}

static void keep_it(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)context;
    weft_keep(self, message);
}

// Whatever becomes of the message: the object is destroyed once.
static void an_object_goes_with_its_message(void **state)
{
    (void)state;
    enum { READ, TAKE, DEAD, DYING, FULL, PASSED, KEPT, UNREAD, NOBODY, FATES };
    for (unsigned i = 0; i < 2 * FATES; i++) {
        static struct cores cores;
        struct giving giving = {.takes = i / 2 == TAKE, .result = 1};
        struct play_role role;
        play_hand *hand = i / 2 == PASSED ? pass_it_on : i / 2 == KEPT ? keep_it : look_at_it;
        weft_pid last;
        cores_open(&cores, 3, 16);
        last = play_hand_on(&cores, 2, look_at_it, &giving);
        struct weft_spawn spawn =
            play_as(&role, NULL, hand, i / 2 == PASSED ? (void *)&last : (void *)&giving);
        spawn.overflow = WEFT_OVERFLOW_DROP_NEWEST;
        spawn.mailbox_max = i / 2 == FULL ? 1 : 10;
        spawn.priority = WEFT_PRIORITY_LOW;
        giving.whom = play_spawn(&cores, i % 2, &spawn);
        if (i / 2 == FULL) play_find(&cores, giving.whom)->mailbox_count = 1; // As if.
        if (i / 2 == DEAD) {
            play_kill(&cores, giving.whom);
            cores_settle(&cores);
        }
        if (i / 2 == DYING) weft_actor_end_soon(play_find(&cores, giving.whom), WEFT_EXIT_KILLED);
        const weft_pid there = giving.whom;
        if (i / 2 == NOBODY) giving.whom = 0;
        play_body_on(&cores, 0, give, &giving);
        if (i / 2 == UNREAD) {
            for (unsigned n = 0; n < 4; n++) { // It is in the mailbox, or on its way.
                weft_core_turn(cores.core[0]);
                if (giving.result != 1) break;
            }
            play_kill(&cores, there);
        }
        cores_settle(&cores);
        if (i / 2 == FULL) play_find(&cores, there)->mailbox_count = 0;
        if (i / 2 == NOBODY) assert_int_equal(giving.result, -ESRCH);
        assert_int_equal(giving.took, giving.takes);
        if (i / 2 == KEPT) assert_int_equal(giving.destroyed, 0);
        for (unsigned n = 0; n < 2; n++) {
            const weft_pid pid = n == 0 ? there : last;
            if (play_find(&cores, pid) != NULL) play_kill(&cores, pid);
        }
        cores_settle(&cores);
        if (giving.destroyed != 1) fail_msg("%u: destroyed %u times", i, giving.destroyed);
        play_close(&cores);
    }
}

struct stuck {
    struct cores *cores;
    struct giving *giving;
};

// Holds its core while another one sends something to a full mailbox here.
static void hold_the_core(struct weft_actor *self, void *context)
{
    const struct stuck *stuck = context;
    (void)self;
    for (unsigned n = 0; n < 4; n++)
        weft_core_turn(stuck->cores->core[1]);
    assert_int_equal(stuck->giving->result, 0);
    weft_relieve(&stuck->cores->system[0]);
    assert_int_equal(cores_dropped(stuck->cores, WEFT_DROP_MAILBOX_FULL), 1);
    assert_int_equal(stuck->giving->destroyed, 0); // Not in a handler: it may take locks.
}

static void an_object_dropped_while_a_core_is_stuck_goes_after_the_slice(void **state)
{
    (void)state;
    static struct cores cores;
    struct giving giving = {.result = 1};
    struct stuck stuck = {.cores = &cores, .giving = &giving};
    struct play_role role;
    cores_open(&cores, 2, 16);
    struct weft_spawn spawn = play_as(&role, NULL, look_at_it, &giving);
    spawn.overflow = WEFT_OVERFLOW_DROP_NEWEST;
    spawn.mailbox_max = 1;
    giving.whom = play_spawn(&cores, 0, &spawn);
    play_find(&cores, giving.whom)->mailbox_count = 1; // As if.
    play_body_on(&cores, 1, give, &giving);
    play_body_on(&cores, 0, hold_the_core, &stuck);
    cores_settle(&cores);
    assert_int_equal(giving.destroyed, 1);
    play_find(&cores, giving.whom)->mailbox_count = 0;
    play_kill(&cores, giving.whom);
    play_close(&cores);
}

// What is in mailboxes when the node ends is destroyed as well.
static void objects_end_with_the_node(void **state)
{
    (void)state;
    static struct cores cores;
    struct giving giving[4] = {{0}};
    cores_open(&cores, 2, 16);
    const weft_pid keeper = play_hand_on(&cores, 0, keep_it, NULL);
    for (unsigned i = 0; i < 4; i++) {
        giving[i].whom = i == 0 ? keeper : play_hand_on(&cores, i % 2, look_at_it, &giving[i]);
        play_body_on(&cores, 0, give, &giving[i]);
        if (i > 0) play_find(&cores, giving[i].whom)->task.flags |= WEFT_ACTOR_SELECTIVE;
    }
    cores_settle(&cores);
    cores_close(&cores);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(giving[i].destroyed, 1);
}

// ---- Blobs.

#define HOLDERS 12

struct sharing {
    weft_pid whom[HOLDERS];
    unsigned read;
    struct weft_blob *blob;
    size_t length;
};

static void share(struct weft_actor *self, void *context)
{
    struct sharing *sharing = context;
    struct weft_blob *blob = weft_blob_new(self, sharing->length);
    assert_non_null(blob);
    assert_int_equal(blob->length, sharing->length);
    memset(blob->bytes, 0x42, blob->length);
    sharing->blob = blob;
    for (unsigned i = 0; i < HOLDERS; i++)
        weft_send_blob(self, sharing->whom[i], 6, blob);
    weft_blob_put(self, weft_blob_get(blob)); // One more and one less.
    weft_blob_put(self, blob);
    assert_null(weft_blob_new(self, SIZE_MAX));
}

static void read_blob(struct weft_actor *self, void *context, struct weft_message *message)
{
    struct sharing *sharing = context;
    const struct weft_type *type;
    struct weft_blob *blob = weft_message_object(message, &type);
    if (message->type != 6) return;
    assert_ptr_equal(type, &weft_blob_type);
    assert_ptr_equal(blob, sharing->blob); // The same one everywhere.
    for (size_t i = 0; i < blob->length; i++)
        assert_int_equal(blob->bytes[i], 0x42);
    if (++sharing->read % 3 == 0) { // Some hold it longer than its message.
        weft_blob_get(blob);
        weft_sleep(self, WEFT_NS_PER_MS);
        assert_int_equal(blob->bytes[0], 0x42);
        weft_blob_put(self, blob);
    }
}

static void a_blob_is_one_for_all_and_freed_by_the_last(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 100, 100000};
    for (size_t i = 0; i < WEFT_COUNT_OF(lengths); i++) {
        static struct cores cores;
        struct sharing sharing = {.length = lengths[i]};
        cores_open(&cores, 3, 32);
        for (unsigned n = 0; n < HOLDERS; n++)
            sharing.whom[n] = play_hand_on(&cores, n % 3, read_blob, &sharing);
        play_kill(&cores, sharing.whom[4]); // One message finds nobody.
        cores_settle(&cores);
        play_body_on(&cores, 0, share, &sharing);
        play_for(&cores, 2 * WEFT_NS_PER_MS);
        assert_int_equal(sharing.read, HOLDERS - 1);
        for (unsigned n = 0; n < HOLDERS; n++) {
            if (n != 4) play_kill(&cores, sharing.whom[n]);
        }
        play_close(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_fits_is_taken_and_the_others_stay_in_order),
        cmocka_unit_test(a_predicate_sees_each_message_once),
        cmocka_unit_test(patterns_take_what_a_search_from_the_start_would),
        cmocka_unit_test(a_down_is_found_among_ten_thousand_without_looking),
        cmocka_unit_test(what_an_actor_keeps_goes_with_it),
        cmocka_unit_test(an_object_goes_with_its_message),
        cmocka_unit_test(an_object_dropped_while_a_core_is_stuck_goes_after_the_slice),
        cmocka_unit_test(objects_end_with_the_node),
        cmocka_unit_test(a_blob_is_one_for_all_and_freed_by_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
