// rig.h: a script in an actor, on a node whose cores one thread turns and whose clock nearly stands
// still while anybody has work: so that time-outs are exact. What a script starts it ends:
// afterwards no actor, no message and no other memory is left, and the ledger adds up.
#ifndef WEFT_TESTS_UNIT_OTP_RIG_H
#define WEFT_TESTS_UNIT_OTP_RIG_H

#include "tests/support/cmocka.h"

#include <errno.h>

#include <weft/weft.h>

#include "tests/unit/actor/cores.h"

#define RIG_IDLE_NS   (50 * WEFT_NS_PER_US) // How far the clock goes when nobody has work,
#define RIG_BUSY_NS   10                    // when somebody has,
#define RIG_MOVING_NS (20 * WEFT_NS_PER_US) // and where sleepers are always on the move.
#define RIG_LIMIT_NS  (1000 * WEFT_NS_PER_S)
#define MS            WEFT_NS_PER_MS

struct rig {
    struct cores cores;
    const char *name; // Of the way it is set up.
    bool is_over;
    uint64_t busy_ns;
    uint64_t slack_ns;                  // How much later than exactly something may be.
    char log[512][WEFT_LOG_TEXT_BYTES]; // Warnings and errors, the oldest first.
    unsigned log_count;
    uint64_t seed; // For scripts that want one.
};

typedef void rig_script(struct weft_actor *self, struct rig *rig);

struct rig_job { // The state of the actor that runs a script.
    struct rig *rig;
    rig_script *script;
};

static inline void rig_main(struct weft_actor *self, void *state)
{
    const struct rig_job *job = state;
    job->script(self, job->rig);
    job->rig->is_over = true;
}

static inline void rig_take_logs(struct rig *rig)
{
    struct weft_log_record record;
    for (unsigned i = 0; i < rig->cores.count; i++) {
        while (weft_log_take(&rig->cores.core[i]->log, &record)) {
            if (record.level <= WEFT_LOG_WARN && rig->log_count < WEFT_COUNT_OF(rig->log))
                memcpy(rig->log[rig->log_count++], record.text, sizeof(record.text));
        }
    }
}

static inline void rig_turn(struct rig *rig)
{
    bool found = false;
    for (unsigned i = 0; i < rig->cores.count; i++)
        found |= weft_core_turn(rig->cores.core[i]);
    rig->cores.now_ns += found ? rig->busy_ns : RIG_IDLE_NS;
    rig_take_logs(rig);
}

// How many lines of the log have `text` in them.
static inline unsigned rig_logged(const struct rig *rig, const char *text)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->log_count; i++)
        count += strstr(rig->log[i], text) != NULL;
    return count;
}

static inline uint64_t rig_actor_count(const struct rig *rig)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < rig->cores.count; i++)
        count += weft_actor_count(&rig->cores.system[i].stats);
    return count;
}

static inline void rig_check_nothing_left(struct rig *rig)
{
    for (unsigned i = 0; i < 1000; i++) // What was told to end does so.
        rig_turn(rig);
    if (rig_actor_count(rig) != 0)
        fail_msg("%s, seed %llu: %llu actors are left", rig->name, (unsigned long long)rig->seed,
                 (unsigned long long)rig_actor_count(rig));
    cores_check_ledger(&rig->cores);
    for (unsigned i = 0; i < rig->cores.count; i++) {
        const struct weft_actor_system *system = &rig->cores.system[i];
        for (unsigned n = 0; n < WEFT_MESSAGE_CLASSES; n++)
            assert_int_equal(system->messages[n].used_count, 0);
        assert_int_equal(system->rare_slab.used_count, 0);
        assert_true(weft_list_empty(&system->large));
    }
}

static inline void rig_run(struct rig *rig, const char *name, unsigned core_count,
                           bool moves_always, rig_script *script)
{
    static const struct weft_actor_kind kind = {
        .name = "script", .state_bytes = sizeof(struct rig_job), .main = rig_main};
    const struct rig_job job = {.rig = rig, .script = script};
    const struct weft_spawn spawn = {.kind = &kind, .state = &job, .mailbox_max = 100000};
    weft_pid pid;
    rig->name = name;
    rig->is_over = false;
    rig->log_count = 0;
    rig->busy_ns = moves_always ? RIG_MOVING_NS : RIG_BUSY_NS;
    rig->slack_ns = moves_always ? 20 * MS : MS;
    cores_open(&rig->cores, core_count, 4096);
    rig->cores.node.moves_always = moves_always;
    assert_int_equal(weft_actor_spawn(&rig->cores.system[0], &spawn, 0, &pid), 0);
    while (!rig->is_over) {
        rig_turn(rig);
        if (rig->cores.now_ns > RIG_LIMIT_NS) fail_msg("%s: the script does not end", name);
    }
    rig_check_nothing_left(rig);
    cores_close(&rig->cores);
}

// On one core, on three, and on three with every actor moving after every slice.
static inline void rig_run_everywhere(rig_script *script)
{
    static struct rig rig;
    rig_run(&rig, "one core", 1, false, script);
    rig_run(&rig, "three cores", 3, false, script);
    rig_run(&rig, "three cores, all moving", 3, true, script);
}

// ---- What scripts use.

// The core of the `number`th thing that a script starts: here, there and elsewhere.
static inline uint16_t rig_core(const struct rig *rig, unsigned number)
{
    return (uint16_t)(number % rig->cores.count);
}

static inline weft_pid rig_start(struct weft_actor *self, const struct weft_start *start)
{
    weft_pid pid;
    assert_int_equal(weft_server_start(self, start, &pid), 0);
    assert_int_not_equal(pid, 0);
    return pid;
}

static inline void rig_stop(struct weft_actor *self, weft_pid pid)
{
    assert_int_equal(weft_server_stop(self, pid, WEFT_EXIT_SHUTDOWN, WEFT_FOREVER), 0);
}

// Calls with one number and expects another.
static inline uint64_t rig_call(struct weft_actor *self, weft_pid pid, uint16_t type,
                                uint64_t number)
{
    struct weft_message *reply;
    assert_int_equal(weft_call(self, pid, type, &number, sizeof(number), WEFT_FOREVER, &reply), 0);
    assert_int_equal(reply->length, sizeof(number));
    memcpy(&number, reply->payload, sizeof(number));
    weft_release(self, reply);
    return number;
}

static inline void rig_cast(struct weft_actor *self, weft_pid pid, uint16_t type, uint64_t number)
{
    assert_int_equal(weft_cast(self, pid, type, &number, sizeof(number)), 0);
}

// The next message, within a simulated second. The caller looks at it before the next.
static inline struct weft_message *rig_receive(struct weft_actor *self)
{
    struct weft_message *message = weft_receive(self, WEFT_NS_PER_S);
    assert_non_null(message);
    return message;
}

static inline uint64_t rig_number(const struct weft_message *message)
{
    uint64_t number;
    assert_int_equal(message->length, sizeof(number));
    memcpy(&number, message->payload, sizeof(number));
    return number;
}

#define RIG_TEST(script)                                                                           \
    static void script##_everywhere(void **state)                                                  \
    {                                                                                              \
        (void)state;                                                                               \
        rig_run_everywhere(script);                                                                \
    }

#endif // WEFT_TESTS_UNIT_OTP_RIG_H
