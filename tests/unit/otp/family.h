// family.h: a supervisor's children by letter, and what happens to them as a text: "+a-b!c".
#ifndef WEFT_TESTS_OTP_FAMILY_H
#define WEFT_TESTS_OTP_FAMILY_H

#include "tests/unit/otp/rig.h"

enum { CRASH = 1, GO, STAY, SLEEP };
enum { UP = 100, DOWN, REFUSED };

// A child tells its owner that it is up and down, under its letter. What it refuses is said by a
// table of the test's, which all of its lives see.
struct worker_args {
    weft_pid owner;
    struct plan *plan;
    char letter;
};

struct plan {
    int refusals; // So many starts fail.
    bool ignores;
    bool traps;       // Does not care for exit signals.
    uint64_t last_ns; // What it takes to end in order.
};

struct worker {
    struct worker_args args;
};

static inline void tell(struct weft_actor *self, const struct worker *worker, uint16_t type)
{
    weft_send(self, worker->args.owner, type, &worker->args.letter, 1);
}

static inline int init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct worker *worker = state;
    assert_int_equal(length, sizeof(worker->args));
    memcpy(&worker->args, args, sizeof(worker->args));
    struct plan *plan = worker->args.plan;
    if (plan != NULL && plan->traps) weft_trap_exit(self, true);
    if (plan != NULL && plan->ignores) return WEFT_SERVER_IGNORE;
    if (plan != NULL && plan->refusals > 0) {
        plan->refusals--;
        tell(self, worker, REFUSED);
        return -EBUSY;
    }
    tell(self, worker, UP);
    return 0;
}

static inline void on_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    (void)state;
    const uint64_t number = rig_number(cast);
    if (cast->type == CRASH) weft_exit(self, (uint16_t)number);
    if (cast->type == GO) weft_stop(self, (uint16_t)number);
    if (cast->type == SLEEP) weft_sleep(self, number);
}

static inline void on_shutdown(struct weft_actor *self, void *state, uint16_t reason)
{
    const struct worker *worker = state;
    (void)reason;
    if (worker->args.plan != NULL) weft_sleep(self, worker->args.plan->last_ns);
}

static inline void on_terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)reason;
    tell(self, state, DOWN);
}

static const struct weft_server worker = {
    WEFT_SERVER("worker", struct worker),
    .init = init,
    .cast = on_cast,
    .shutdown = on_shutdown,
    .terminate = on_terminate,
};

// ---- Children by letter.

#define CHILDREN_MAX 8

struct family {
    struct worker_args args[CHILDREN_MAX];
    struct weft_child children[CHILDREN_MAX];
    char ids[CHILDREN_MAX][2];
    struct weft_supervisor_spec spec;
};

// `letters`: capital ones are permanent, small ones transient, digits temporary.
static inline void make(struct weft_actor *self, const struct rig *rig, struct family *family,
                        const char *letters, enum weft_strategy strategy)
{
    memset(family, 0, sizeof(*family));
    const size_t count = strlen(letters);
    for (size_t i = 0; i < count; i++) {
        const char letter = letters[i];
        family->args[i] = (struct worker_args){.owner = weft_self(self), .letter = letter};
        family->ids[i][0] = letter;
        family->children[i] = (struct weft_child){
            .id = family->ids[i],
            .server = &worker,
            .args = &family->args[i],
            .length = sizeof(family->args[i]),
            .spawn.core = rig_core(rig, (unsigned)i),
            .restart = letter >= 'a'   ? WEFT_RESTART_TRANSIENT
                       : letter >= 'A' ? WEFT_RESTART_PERMANENT
                                       : WEFT_RESTART_TEMPORARY,
        };
    }
    family->spec = (struct weft_supervisor_spec){
        .children = family->children, .child_count = count, .strategy = (uint8_t)strategy};
}

static inline weft_pid begin(struct weft_actor *self, const struct family *family)
{
    weft_pid pid = 0;
    assert_int_equal(weft_supervisor_start(self, &family->spec, &pid), 0);
    return pid;
}

// What happens next, as letters: "+a" up, "-a" down, "!a" refused. They come from several actors;
// if all of them move, only those of one actor keep their order.
static inline void expect(struct weft_actor *self, const char *events)
{
    const struct rig *rig = ((const struct rig_job *)self->state)->rig;
    char left[64];
    assert_true(strlen(events) < sizeof(left));
    strcpy(left, events);
    for (char *first = left; *first != '\0';) {
        const struct weft_message *message = weft_receive(self, 100 * WEFT_NS_PER_S);
        if (message == NULL) fail_msg("nothing, in place of %s", first);
        const char what = message->type == UP ? '+' : message->type == DOWN ? '-' : '!';
        const char whose = (char)message->payload[0];
        char *at = first;
        assert_int_equal(message->tag, WEFT_MESSAGE_USER);
        while (rig->cores.node.moves_always && *at != '\0' && at[1] != whose)
            at += 2;
        if (what != at[0] || whose != at[1])
            fail_msg("%c%c, in place of %s of %s", what, whose, first, events);
        memmove(first + 2, first, (size_t)(at - first));
        first += 2;
    }
}

static inline void expect_nothing(struct weft_actor *self)
{
    assert_null(weft_receive(self, MS));
}

static inline weft_pid child_of(struct weft_actor *self, weft_pid supervisor, char letter)
{
    struct weft_child_info infos[CHILDREN_MAX];
    size_t count;
    assert_int_equal(weft_supervisor_children(self, supervisor, infos, CHILDREN_MAX, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (infos[i].id[0] == letter) return infos[i].pid;
    }
    return 0;
}

static inline void crash(struct weft_actor *self, weft_pid supervisor, char letter, uint16_t reason)
{
    rig_cast(self, child_of(self, supervisor, letter), CRASH, reason);
}

// The children that run, in the supervisor's order.
static inline void check_running(struct weft_actor *self, weft_pid supervisor, const char *letters)
{
    struct weft_child_info infos[CHILDREN_MAX];
    size_t count;
    char running[CHILDREN_MAX + 1] = "";
    assert_int_equal(weft_supervisor_children(self, supervisor, infos, CHILDREN_MAX, &count), 0);
    for (size_t i = 0, n = 0; i < count; i++) {
        if (infos[i].pid != 0) running[n++] = infos[i].id[0];
    }
    assert_string_equal(running, letters);
}

#endif // WEFT_TESTS_OTP_FAMILY_H
