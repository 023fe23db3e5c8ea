// Links and monitors: each rule of link.h, then at random: both sides agree, whatever crosses what.
#include "tests/support/cmocka.h"

#include <errno.h>

#include "tests/unit/actor/play.h"

// ---- One actor that does what it is told, and notes who has ended.

enum { LINK = 1, UNLINK, TRAP, NO_TRAP, EXIT_SEND, KILL, EXIT, MONITOR };

struct order { // The payload of a message.
    weft_pid pid;
    uint16_t reason;
};

struct part {
    char text[64]; // A letter for each result: see note_result; E and D for what came.
    size_t length;
    uint16_t reason; // Of the last EXIT or DOWN.
    weft_pid from;
    uint16_t end; // Its own end's reason + 1.
};

static void note(struct part *part, char letter)
{
    assert_true(part->length + 1 < sizeof(part->text));
    part->text[part->length++] = letter;
}

static void note_result(struct part *part, int result)
{
    if (result == 0) note(part, '.');
    if (result == -ENOENT) note(part, 'n');
    if (result == -EINVAL) note(part, 'i');
    if (result == -ESRCH) note(part, 's');
}

static void act(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct part *part = *(struct part **)state;
    struct order order = {0};
    uint64_t reference;
    if (message->tag == WEFT_MESSAGE_EXIT || message->tag == WEFT_MESSAGE_DOWN) {
        note(part, message->tag == WEFT_MESSAGE_EXIT ? 'E' : 'D');
        part->reason = message->type;
        part->from = message->from;
        return;
    }
    memcpy(&order, message->payload, message->length);
    switch (message->type) {
    case LINK: note_result(part, weft_link(self, order.pid)); break;
    case UNLINK: note_result(part, weft_unlink(self, order.pid)); break;
    case TRAP: weft_trap_exit(self, true); break;
    case NO_TRAP: weft_trap_exit(self, false); break;
    case EXIT_SEND: note_result(part, weft_exit_send(self, order.pid, order.reason)); break;
    case KILL: note_result(part, weft_kill(self, order.pid)); break;
    case EXIT: weft_exit(self, order.reason);
    case MONITOR: note_result(part, weft_monitor(self, order.pid, &reference)); break;
    default: break;
    }
}

static void note_end(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)self;
    (*(struct part **)state)->end = (uint16_t)(reason + 1);
}

static const struct weft_actor_kind kind = {
    .name = "part", .state_bytes = sizeof(struct part *), .handle = act, .terminate = note_end};

static weft_pid spawn(struct cores *cores, unsigned core, struct part *part)
{
    memset(part, 0, sizeof(*part));
    const struct weft_spawn how = {.kind = &kind, .state = &part};
    return play_spawn(cores, core, &how);
}

static void tell(struct cores *cores, weft_pid who, uint16_t what, weft_pid pid, uint16_t reason)
{
    const struct order order = {.pid = pid, .reason = reason};
    struct weft_message *message = weft_message_alloc(&cores->system[0], sizeof(order));
    assert_non_null(message);
    message->to = who;
    message->type = what;
    memcpy(message->payload, &order, sizeof(order));
    assert_int_equal(weft_actor_send(&cores->system[0], message), 0);
    cores_settle(cores);
}

// Scripts of two actors, a and b, on one core and on two. Each step is an actor, what it does, and
// the reason if there is one.
struct step {
    char who;
    uint16_t what;
    char whom; // 'a', 'b', or '0' for nobody that ever was.
    uint16_t reason;
};

static void every_rule_of_links(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct step steps[8];
        const char *a, *b;     // What each has noted.
        uint16_t a_end, b_end; // Reason + 1; 0: it lives.
        uint16_t reason;       // That b has seen last.
    } cases[] = {
        {"a failure ends the other",
         {{'a', LINK, 'b', 0}, {'a', EXIT, '0', 70}},
         ".",
         "",
         71,
         71,
         0},
        {"both ways", {{'b', LINK, 'a', 0}, {'a', EXIT, '0', 70}}, "", ".", 71, 71, 0},
        {"so does a shutdown",
         {{'a', LINK, 'b', 0}, {'a', EXIT, '0', WEFT_EXIT_SHUTDOWN}},
         ".",
         "",
         WEFT_EXIT_SHUTDOWN + 1,
         WEFT_EXIT_SHUTDOWN + 1,
         0},
        {"a normal end does not", {{'a', LINK, 'b', 0}, {'a', EXIT, '0', 0}}, ".", "", 1, 0, 0},
        {"who traps gets a message",
         {{'b', TRAP, '0', 0}, {'a', LINK, 'b', 0}, {'a', EXIT, '0', 70}},
         ".",
         "E",
         71,
         0,
         70},
        {"of a normal end too",
         {{'b', TRAP, '0', 0}, {'a', LINK, 'b', 0}, {'a', EXIT, '0', 0}},
         ".",
         "E",
         1,
         0,
         WEFT_EXIT_NORMAL},
        {"once, however often they linked",
         {{'b', TRAP, '0', 0},
          {'a', LINK, 'b', 0},
          {'a', LINK, 'b', 0},
          {'b', LINK, 'a', 0},
          {'a', EXIT, '0', 70}},
         "..",
         ".E",
         71,
         0,
         70},
        {"who traps no more ends",
         {{'b', TRAP, '0', 0}, {'b', NO_TRAP, '0', 0}, {'a', LINK, 'b', 0}, {'a', EXIT, '0', 70}},
         ".",
         "",
         71,
         71,
         0},
        {"unlinked, nothing comes",
         {{'b', TRAP, '0', 0}, {'a', LINK, 'b', 0}, {'a', UNLINK, 'b', 0}, {'a', EXIT, '0', 70}},
         "..",
         "",
         71,
         0,
         0},
        {"unlinked by the other",
         {{'b', TRAP, '0', 0}, {'a', LINK, 'b', 0}, {'b', UNLINK, 'a', 0}, {'a', EXIT, '0', 70}},
         ".",
         ".",
         71,
         0,
         0},
        {"one unlink undoes the links of both",
         {{'b', TRAP, '0', 0},
          {'a', LINK, 'b', 0},
          {'b', LINK, 'a', 0},
          {'a', UNLINK, 'b', 0},
          {'b', UNLINK, 'a', 0},
          {'a', EXIT, '0', 70}},
         "..",
         ".n",
         71,
         0,
         0},
        {"linked again",
         {{'a', LINK, 'b', 0}, {'a', UNLINK, 'b', 0}, {'a', LINK, 'b', 0}, {'a', EXIT, '0', 70}},
         "...",
         "",
         71,
         71,
         0},
        {"nothing to unlink", {{'a', UNLINK, 'b', 0}}, "n", "", 0, 0, 0},
        {"nobody links to itself", {{'a', LINK, 'a', 0}}, "i", "", 0, 0, 0},
        {"nobody is there", {{'a', LINK, '0', 0}}, ".", "", WEFT_EXIT_NOPROC + 1, 0, 0},
        {"a trapper is told so",
         {{'b', TRAP, '0', 0}, {'b', LINK, '0', 0}},
         "",
         ".E",
         0,
         0,
         WEFT_EXIT_NOPROC},
        {"a dead one is not there",
         {{'b', TRAP, '0', 0}, {'a', EXIT, '0', 70}, {'b', LINK, 'a', 0}},
         "",
         ".E",
         71,
         0,
         WEFT_EXIT_NOPROC},
        {"an exit signal ends", {{'a', EXIT_SEND, 'b', 70}}, ".", "", 0, 71, 0},
        {"unless it is normal", {{'a', EXIT_SEND, 'b', 0}}, ".", "", 0, 0, 0},
        {"or trapped", {{'b', TRAP, '0', 0}, {'a', EXIT_SEND, 'b', 70}}, ".", "E", 0, 0, 70},
        {"even a normal one", {{'b', TRAP, '0', 0}, {'a', EXIT_SEND, 'b', 0}}, ".", "E", 0, 0, 0},
        {"an exit called killed is trapped",
         {{'b', TRAP, '0', 0}, {'a', EXIT_SEND, 'b', WEFT_EXIT_KILLED}},
         ".",
         "E",
         0,
         0,
         WEFT_EXIT_KILLED},
        {"to oneself", {{'a', EXIT_SEND, 'a', 70}}, ".", "", 71, 0, 0},
        {"to nobody", {{'a', EXIT_SEND, '0', 70}}, "s", "", 0, 0, 0},
        {"a kill is not trapped",
         {{'b', TRAP, '0', 0}, {'a', KILL, 'b', 0}},
         ".",
         "",
         0,
         WEFT_EXIT_KILLED + 1,
         0},
        {"whoever is linked to the killed learns why",
         {{'b', TRAP, '0', 0}, {'b', LINK, 'a', 0}, {'b', KILL, 'a', 0}},
         "",
         "..E",
         WEFT_EXIT_KILLED + 1,
         0,
         WEFT_EXIT_KILLED},
        {"to kill nobody", {{'a', KILL, '0', 0}}, "s", "", 0, 0, 0},
        {"a monitor tells of any end",
         {{'b', MONITOR, 'a', 0}, {'a', EXIT, '0', 0}},
         "",
         ".D",
         1,
         0,
         0},
        {"each monitor once",
         {{'b', MONITOR, 'a', 0}, {'b', MONITOR, 'a', 0}, {'a', EXIT, '0', 70}},
         "",
         "..DD",
         71,
         0,
         70},
        {"of nobody", {{'b', MONITOR, '0', 0}}, "", ".D", 0, 0, WEFT_EXIT_NOPROC},
    };
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        static struct part a, b;
        const size_t n = i / 2;
        cores_open(&cores, 2, 16);
        const weft_pid pids[] = {spawn(&cores, 0, &a), spawn(&cores, (unsigned)i % 2, &b)};
        for (const struct step *step = cases[n].steps; step->who != 0; step++)
            tell(&cores, pids[step->who - 'a'], step->what,
                 step->whom == '0' ? 12345 : pids[step->whom - 'a'], step->reason);
        if (strcmp(a.text, cases[n].a) != 0 || strcmp(b.text, cases[n].b) != 0 ||
            a.end != cases[n].a_end || b.end != cases[n].b_end || b.reason != cases[n].reason)
            fail_msg("%s: a '%s' %u, b '%s' %u, reason %u", cases[n].name, a.text, a.end, b.text,
                     b.end, b.reason);
        if (b.from != 0 && b.from != 12345) assert_int_equal(b.from, pids[0]);
        for (unsigned k = 0; k < 2; k++) {
            if (play_find(&cores, pids[k]) != NULL) play_kill(&cores, pids[k]);
        }
        play_close(&cores);
    }
}

// ---- Unlink at every moment.

static void no_signal_comes_after_unlink(void **state)
{
    (void)state;
    for (unsigned kill_at = 0; kill_at < 6; kill_at++) {
        for (unsigned unlink_at = 0; unlink_at < 8; unlink_at++) {
            static struct cores cores;
            static struct part a, b;
            cores_open(&cores, 2, 16);
            const weft_pid pid_a = spawn(&cores, 0, &a), pid_b = spawn(&cores, 1, &b);
            tell(&cores, pid_a, TRAP, 0, 0);
            tell(&cores, pid_a, LINK, pid_b, 0);
            size_t seen = 0;
            for (unsigned turn = 0; turn < 20; turn++) {
                if (turn == kill_at) play_kill(&cores, pid_b);
                if (turn == unlink_at) {
                    struct weft_actor *actor = play_find(&cores, pid_a);
                    play_begin(actor);
                    weft_unlink(actor, pid_b);
                    play_end(actor);
                    // What has come stands in its mailbox and is read; nothing else is.
                    seen = a.length + !weft_list_empty(&actor->mailbox);
                }
                weft_core_turn(cores.core[turn % 2]);
            }
            cores_settle(&cores);
            assert_int_equal(a.length, seen);
            play_kill(&cores, pid_a);
            play_close(&cores);
        }
    }
}

// ---- Born with a link or a monitor.

static void do_nothing(struct weft_actor *self, void *context, struct weft_message *message)
{
    (void)self, (void)context, (void)message;
}

static void end_at_once(struct weft_actor *self, void *context)
{
    weft_exit(self, *(uint16_t *)context);
}

struct birth {
    uint16_t core, reason;
    bool links;
    int result;
    unsigned seen;
};

static void bear(struct weft_actor *self, void *context)
{
    struct birth *birth = context;
    struct play_role role;
    struct weft_spawn spawn = play_as(&role, end_at_once, NULL, &birth->reason);
    uint64_t reference = 0;
    weft_pid pid;
    spawn.core = birth->core;
    weft_trap_exit(self, true);
    birth->result = birth->links ? weft_spawn_link(self, &spawn, &pid)
                                 : weft_spawn_monitor(self, &spawn, &pid, &reference);
    for (const struct weft_message *message;
         birth->result == 0 && (message = weft_receive(self, WEFT_NS_PER_S)) != NULL;) {
        assert_int_equal(message->tag, birth->links ? WEFT_MESSAGE_EXIT : WEFT_MESSAGE_DOWN);
        assert_int_equal(message->from, pid);
        assert_int_equal(message->type, birth->reason);
        assert_int_equal(message->reference, reference);
        birth->seen++;
    }
}

static void a_child_cannot_end_unseen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        static struct cores cores;
        struct birth birth = {.core = i & 1, .links = i & 2, .reason = i & 4 ? 70 : 0};
        cores_open(&cores, 2, 16);
        play_body_on(&cores, 0, bear, &birth);
        play_for(&cores, 2 * WEFT_NS_PER_S);
        assert_int_equal(birth.result, 0);
        assert_int_equal(birth.seen, 1);
        play_close(&cores);
    }
}

static void spawn_wrongly(struct weft_actor *self, void *context)
{
    static const struct weft_actor_kind neither = {.name = "neither"};
    static const struct weft_actor_kind both = {
        .name = "both", .handle = play_handle, .main = play_main};
    struct play_role role;
    weft_pid pid;
    const struct weft_spawn good = play_as(&role, NULL, do_nothing, NULL);
    struct weft_spawn wrong[6];
    for (size_t i = 0; i < WEFT_COUNT_OF(wrong); i++)
        wrong[i] = good;
    wrong[0].kind = NULL;
    wrong[1].kind = &neither;
    wrong[2].kind = &both;
    wrong[3].priority = WEFT_PRIORITY_COUNT;
    wrong[4].overflow = WEFT_OVERFLOW_EXIT + 1;
    wrong[5].core = 7;
    for (size_t i = 0; i < WEFT_COUNT_OF(wrong); i++) {
        assert_int_equal(weft_spawn(self, &wrong[i], &pid), -EINVAL);
        assert_int_equal(weft_spawn_link(self, &wrong[i], &pid), -EINVAL);
        assert_int_equal(weft_spawn_monitor(self, &wrong[i], &pid, (uint64_t *)context), -EINVAL);
    }
}

static void a_wrong_spawn_is_refused(void **state)
{
    (void)state;
    static struct cores cores;
    uint64_t reference;
    cores_open(&cores, 2, 16);
    play_body_on(&cores, 0, spawn_wrongly, &reference);
    play_close(&cores);
}

// ---- Join.

struct joining {
    weft_pid pid;
    uint64_t timeout_ns;
    int result;
    uint16_t reason;
    unsigned left;
};

static void join(struct weft_actor *self, void *context)
{
    struct joining *joining = context;
    const struct weft_message *held = weft_receive(self, WEFT_FOREVER);
    joining->result = weft_join(self, joining->pid, joining->timeout_ns, &joining->reason);
    assert_int_equal(held->type, 1); // Still its own.
    while (weft_receive(self, 0) != NULL)
        joining->left++;
}

static void join_waits_for_an_end_and_for_nothing_else(void **state)
{
    (void)state;
    static const struct {
        uint64_t timeout_ns, kill_ns; // 0: never.
        int result;
    } cases[] = {
        {WEFT_FOREVER, WEFT_NS_PER_MS, 0},
        {2 * WEFT_NS_PER_MS, WEFT_NS_PER_MS, 0},
        {WEFT_NS_PER_MS, 2 * WEFT_NS_PER_MS, -ETIMEDOUT},
        {WEFT_NS_PER_MS, 0, -ETIMEDOUT},
        {0, 0, -ETIMEDOUT},
    };
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        static struct cores cores;
        static struct part part;
        struct joining joining = {.timeout_ns = cases[i / 2].timeout_ns, .result = 1};
        cores_open(&cores, 2, 16);
        joining.pid = spawn(&cores, i % 2, &part);
        const weft_pid pid = play_body_on(&cores, 0, join, &joining);
        for (unsigned n = 0; n < 4; n++)
            play_send(&cores, pid, 1);
        if (cases[i / 2].kill_ns != 0) {
            play_for(&cores, cases[i / 2].kill_ns);
            play_kill(&cores, joining.pid);
        }
        play_for(&cores, 5 * WEFT_NS_PER_MS);
        assert_int_equal(joining.result, cases[i / 2].result);
        if (joining.result == 0) assert_int_equal(joining.reason, WEFT_EXIT_KILLED);
        assert_int_equal(joining.left, 3); // No DOWN among them.
        if (play_find(&cores, joining.pid) != NULL) play_kill(&cores, joining.pid);
        play_close(&cores);
    }
}

// ---- A hub with many links ends in steps; what is its own ends first.

struct hub {
    unsigned count;
    const char *name;
    unsigned ticks;
};

static void be_a_hub(struct weft_actor *self, void *context)
{
    const struct hub *hub = context;
    assert_int_equal(weft_register(self, hub->name, 0), 0);
    assert_int_equal(weft_group_join(self, "hubs"), 0);
    for (unsigned i = 0; i < hub->count; i++) {
        struct play_role role;
        weft_pid pid;
        struct weft_spawn spawn = play_as(&role, NULL, do_nothing, NULL);
        assert_int_equal(weft_spawn_link(self, &spawn, &pid), 0);
        if (i % 3 == 0)
            assert_int_equal(
                weft_send_interval(self, weft_self(self), WEFT_NS_PER_MS, 1, NULL, 0, NULL), 0);
    }
    weft_sleep(self, WEFT_FOREVER);
}

struct heir {
    weft_pid hub;
    const char *name;
    bool done;
};

// Its first act when it learns of the end: to take the name.
static void inherit(struct weft_actor *self, void *context)
{
    struct heir *heir = context;
    weft_pid pids[4];
    assert_int_equal(weft_join(self, heir->hub, WEFT_FOREVER, NULL), 0);
    assert_int_equal(weft_group_members(self, "hubs", pids, 4), 0);
    assert_int_equal(weft_register(self, heir->name, 0), 0);
    heir->done = true;
}

static void who_learns_of_an_end_finds_the_name_free(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 3, 20, 3000};
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(counts); i++) {
        static struct cores cores;
        struct hub hub = {.count = counts[i / 2], .name = "hub"};
        struct heir heirs[2] = {{.name = "hub"}, {.name = "other"}};
        const struct cores_size size = {.actors = 4096};
        cores_open_sized(&cores, 2, &size);
        const weft_pid pid = play_body_on(&cores, 0, be_a_hub, &hub);
        cores_settle(&cores);
        for (unsigned n = 0; n < 2; n++) {
            heirs[n].hub = pid;
            play_body_on(&cores, n ^ (i & 1), inherit, &heirs[n]);
        }
        cores_settle(&cores);
        play_kill(&cores, pid);
        cores_settle(&cores);
        assert_true(heirs[0].done && heirs[1].done);
        play_close(&cores); // The children have ended with it.
    }
}

// ---- Property.

#define ACTORS 10
#define STEPS  300

struct random_part {
    weft_pid pid;
};

struct watch {
    unsigned watcher, target;
    uint64_t reference;
    bool taken_back, fired;
};

static struct random_part parts[ACTORS];
static struct watch watches[STEPS];
static unsigned watch_count;

static void note_signal(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct random_part *own = *(struct random_part **)state;
    (void)self;
    for (unsigned i = 0; i < watch_count; i++) {
        struct watch *watch = &watches[i];
        if (message->tag != WEFT_MESSAGE_DOWN || watch->reference != message->reference) continue;
        assert_true(watch->watcher == (unsigned)(own - parts) && !watch->fired &&
                    !watch->taken_back);
        watch->fired = true;
        assert_int_equal(message->from, parts[watch->target].pid);
        return;
    }
    assert_int_not_equal(message->tag, WEFT_MESSAGE_DOWN);
}

static const struct weft_actor_kind random_kind = {
    .name = "random", .state_bytes = sizeof(struct random_part *), .handle = note_signal};

static void random_step(struct cores *cores, struct weft_prng *prng)
{
    const unsigned a = weft_prng_below(prng, ACTORS), b = weft_prng_below(prng, ACTORS);
    struct weft_actor *actor = play_find(cores, parts[a].pid);
    const uint32_t what = weft_prng_below(prng, 12);
    if (actor == NULL || (actor->task.flags & WEFT_ACTOR_MOVING) != 0) {
        play_turns(cores, prng, 1);
        return;
    }
    play_begin(actor);
    if (what < 3) {
        assert_true(a == b ? weft_link(actor, parts[b].pid) == -EINVAL
                           : weft_link(actor, parts[b].pid) == 0);
    } else if (what < 5) {
        weft_unlink(actor, parts[b].pid);
    } else if (what < 7) {
        struct watch *watch = &watches[watch_count++];
        *watch = (struct watch){.watcher = a, .target = b};
        assert_int_equal(weft_monitor(actor, parts[b].pid, &watch->reference), 0);
    } else if (what == 7 && watch_count > 0) {
        struct watch *watch = &watches[weft_prng_below(prng, watch_count)];
        if (watch->watcher == a && weft_demonitor(actor, watch->reference) == 0)
            watch->taken_back = true;
    } else if (what == 8 && weft_prng_below(prng, 8) == 0) {
        weft_kill(actor, parts[b].pid);
    }
    play_end(actor);
    play_turns(cores, prng, weft_prng_below(prng, 3));
}

static void check_symmetry(struct cores *cores, unsigned seed)
{
    for (unsigned a = 0; a < ACTORS; a++) {
        const struct weft_actor *actor = play_find(cores, parts[a].pid);
        for (unsigned b = 0; actor != NULL && b < ACTORS; b++) {
            const struct weft_actor *other = play_find(cores, parts[b].pid);
            const bool here = weft_edge_find(actor, TAG_EDGE_LINK, parts[b].pid) != NULL;
            const bool there =
                other != NULL && weft_edge_find(other, TAG_EDGE_LINK, parts[a].pid) != NULL;
            if (here != there) fail_msg("seed %u: %u and %u disagree", seed, a, b);
        }
    }
    for (unsigned i = 0; i < watch_count; i++) {
        const struct watch *watch = &watches[i];
        if (play_find(cores, parts[watch->watcher].pid) == NULL) continue;
        const bool over = play_find(cores, parts[watch->target].pid) == NULL;
        if (!watch->taken_back && watch->fired != over)
            fail_msg("seed %u: monitor %u of %u by %u", seed, i, watch->target, watch->watcher);
    }
}

static void random_links(unsigned seed)
{
    static struct cores cores;
    struct weft_prng prng;
    weft_prng_seed(&prng, seed);
    cores_open(&cores, 3, 32);
    cores.node.moves_always = seed % 2 == 1;
    watch_count = 0;
    for (unsigned i = 0; i < ACTORS; i++) {
        struct random_part *part = &parts[i];
        const struct weft_spawn spawn = {.kind = &random_kind, .state = &part};
        parts[i].pid = play_spawn(&cores, i % 3, &spawn);
        if (weft_prng_below(&prng, 4) != 0) // Most trap: else all would be dead soon.
            play_find(&cores, parts[i].pid)->task.flags |= WEFT_ACTOR_TRAPS;
    }
    for (unsigned step = 0; step < STEPS; step++)
        random_step(&cores, &prng);
    cores.node.moves_always = false;
    cores_settle(&cores);
    check_symmetry(&cores, seed);
    for (unsigned i = 0; i < ACTORS; i++) {
        if (play_find(&cores, parts[i].pid) != NULL) play_kill(&cores, parts[i].pid);
    }
    play_close(&cores);
}

static void both_sides_agree_whatever_crosses_what(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 300; seed++)
        random_links(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_of_links),
        cmocka_unit_test(no_signal_comes_after_unlink),
        cmocka_unit_test(a_child_cannot_end_unseen),
        cmocka_unit_test(a_wrong_spawn_is_refused),
        cmocka_unit_test(join_waits_for_an_end_and_for_nothing_else),
        cmocka_unit_test(who_learns_of_an_end_finds_the_name_free),
        cmocka_unit_test(both_sides_agree_whatever_crosses_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
