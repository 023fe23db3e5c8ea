// unit_actor.c: the slices of a unit: what it does with a turn, what it shows of itself, and when
// it wants the next one.
#include "runtime/node/unit_actor.h"

#include <stdio.h>
#include <string.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_files.h"
#include "runtime/node/unit_internal.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_limits.h"

// What a program prints while nobody asks it anything goes to the log, line by line.
void weft_unit_actor_log_output(struct weft_unit_actor *unit)
{
    char text[200];
    size_t length;
    while ((length = weft_unit_output_take(unit->unit, text, sizeof(text) - 1)) > 0) {
        text[length] = '\0';
        for (char *line = text, *end; *line != '\0'; line = end) {
            end = line + strcspn(line, "\n");
            if (*end == '\n') *end++ = '\0';
            if (*line == '\0') continue;
            weft_log_actor(&unit->worker->core.log, WEFT_LOG_INFO, "unit", unit->actor->pid,
                           weft_label(unit->actor), "%s", line);
        }
    }
}

static void log_fault(struct weft_unit_actor *unit)
{
    const struct weft_unit_error *error = weft_unit_error(unit->unit);
    weft_log_actor(&unit->worker->core.log, WEFT_LOG_WARN, "unit", unit->actor->pid,
                   weft_label(unit->actor), "%s:%u:%u: %s (THROW %d)", error->source, error->line,
                   error->column, error->message, error->code);
}

// It has spent its reductions: its program does not run, but the unit hears its commands.
static bool is_resting(const struct weft_unit_actor *unit)
{
    return unit->limits != NULL && unit->limits->rest_ns != 0;
}

static void publish(struct weft_unit_actor *unit, const struct weft_unit_glance *now)
{
    struct weft_resident *resident = unit->resident;
    weft_actor_count_memory(unit->actor, &unit->counted_memory, now->memory_bytes + sizeof(*unit));
    if (resident == &unit->worker->nestling) return; // That speaks for none of them.
    weft_counter_set(&resident->status, now->state == WEFT_UNIT_WAIT    ? WEFT_RESIDENT_WAITING
                                        : now->state == WEFT_UNIT_AGAIN ? WEFT_RESIDENT_RUNNING
                                                                        : WEFT_RESIDENT_READY);
    weft_counter_set(&resident->memory_bytes, now->memory_bytes);
    weft_counter_set(&resident->reduction_count, now->reductions);
    weft_counter_set(&resident->message_count, unit->message_count);
    weft_counter_set(&resident->mailbox_count, unit->actor->mailbox_count);
    weft_counter_set(&resident->bound_ports, unit->port_count);
    if (unit->dealings != NULL) {
        weft_counter_set(&resident->spawned, unit->dealings->child_count);
        weft_counter_set(&resident->channels, unit->dealings->channel_count);
    }
    weft_counter_set(&resident->files, weft_unit_files_count(unit));
    weft_counter_set(&resident->rests, is_resting(unit));
    weft_counter_set(&resident->asks, now->waits == WEFT_UNIT_WAITS_INPUT);
    weft_counter_set(&resident->goals, unit->lesson_count + (unit->has_lesson ? 1 : 0));
}

// `wake_ns`: when its program wants to go on; 0: that has no time.
static void arm(struct weft_unit_actor *unit, uint64_t wake_ns)
{
    uint64_t due_ns = wake_ns != 0 ? wake_ns : UINT64_MAX;
    const bool has_due = unit->current != NULL || unit->current_due_ns != 0;
    if (has_due && unit->current_due_ns < due_ns) due_ns = unit->current_due_ns;
    if (unit->patience_ns != 0 && unit->patience_ns < due_ns) due_ns = unit->patience_ns;
    if (unit->has_lesson && unit->lesson_due_ns < due_ns) due_ns = unit->lesson_due_ns;
    if (is_resting(unit) && unit->limits->rest_ns < due_ns) due_ns = unit->limits->rest_ns;
    const uint64_t round_due_ns = weft_unit_family_due_ns(unit);
    if (round_due_ns < due_ns) due_ns = round_due_ns;
    const uint64_t keep_due_ns = weft_unit_actor_keep_due_ns(unit);
    unit->wakes_to_keep = keep_due_ns < due_ns;
    if (unit->wakes_to_keep) due_ns = keep_due_ns;
    if (due_ns == UINT64_MAX)
        weft_wheel_cancel(&unit->worker->core.wheel, &unit->timer);
    else
        weft_wheel_arm(&unit->worker->core.wheel, &unit->timer, due_ns);
}

void weft_unit_actor_arm(struct weft_unit_actor *unit)
{
    arm(unit, weft_unit_glance(unit->unit).wake_ns);
}

// A spawned unit has done what it was spawned for.
static void end_if_spawned(struct weft_unit_actor *unit, enum weft_unit_state state)
{
    if (unit->farewell == NULL) return;
    if (state == WEFT_UNIT_FAULT) weft_unit_actor_end(unit, WEFT_EXIT_FAULT);
    if (state == WEFT_UNIT_DONE) unit->ending = true;
}

#define PATIENCE_NS (100 * WEFT_NS_PER_MS) // As runtime/actor/wait.c has it.

// A unit whose mailbox is full and which does not read it, for it has no program or sleeps, keeps
// others waiting; perhaps the very one that is to wake it. After a while they go on.
static void mind_waiters(struct weft_unit_actor *unit, bool reads)
{
    const uint64_t now_ns = unit->worker->core.now_ns;
    if (reads || !weft_actor_is_full(unit->actor)) {
        unit->patience_ns = 0;
        return;
    }
    if (unit->patience_ns == 0) unit->patience_ns = now_ns + PATIENCE_NS;
    if (now_ns < unit->patience_ns) return;
    unit->patience_ns = now_ns + PATIENCE_NS;
    weft_actor_relieve(unit->actor);
}

// True if its program still has to wait for room in another mailbox: only the unit has a slice.
static bool stands_still(struct weft_unit_actor *unit)
{
    const bool was_disturbed = unit->was_disturbed;
    unit->was_disturbed = false;
    if (was_disturbed && weft_unit_state(unit->unit) == WEFT_UNIT_AGAIN &&
        weft_actor_stand_still(unit->actor, unit->full_receiver))
        return true;
    unit->full_receiver = 0;
    return false;
}

// Gives its program a slice. What the journal has of it is old if that has done more than to look
// again for what it waits for.
static enum weft_unit_state go_on(struct weft_unit_actor *unit, uint32_t *reductions)
{
    const bool has_waited = weft_unit_state(unit->unit) == WEFT_UNIT_WAIT;
    const struct weft_unit_mark before = weft_unit_mark(unit->unit);
    const uint64_t message_count = unit->message_count;
    const uint32_t given = *reductions;
    const enum weft_unit_state state = weft_unit_run(unit->unit, reductions);
    weft_unit_limits_spend(unit, given - *reductions);
    const struct weft_unit_mark after = weft_unit_mark(unit->unit);
    const bool is_same = has_waited && state == WEFT_UNIT_WAIT && before.place == after.place &&
                         before.reductions == after.reductions && before.depth == after.depth &&
                         before.wake_ns == after.wake_ns && message_count == unit->message_count;
    if (!is_same) unit->is_dirty = true;
    return state;
}

int weft_unit_actor_slice(struct weft_actor *actor, uint32_t *reductions)
{
    struct weft_unit_actor *unit = actor->state;
    if (unit->is_held) return WEFT_ACTOR_WAIT;
    const bool rests = weft_unit_limits_rest(unit), gathers = weft_unit_family_turn(unit);
    const bool is_still = stands_still(unit) || rests || gathers;
    unit->tried_levels = 0;
    weft_unit_command_begin(unit);
    const bool is_free = unit->current == NULL && !unit->ending && !unit->leaving;
    if (is_free && !is_still && !weft_list_empty(&unit->lessons)) weft_unit_lessons_begin(unit);
    enum weft_unit_state state = weft_unit_state(unit->unit);
    if (is_still) {
        if (unit->current != NULL)
            weft_unit_command_check(unit, state);
        else
            weft_unit_lessons_check(unit, state);
        state = weft_unit_state(unit->unit);
    } else if (!unit->ending && (state == WEFT_UNIT_AGAIN || state == WEFT_UNIT_WAIT)) {
        state = go_on(unit, reductions);
        if (state == WEFT_UNIT_WAIT) unit->tried_levels = weft_unit_levels(unit->unit);
        end_if_spawned(unit, state);
        if (unit->current != NULL)
            weft_unit_command_check(unit, state);
        else if (state == WEFT_UNIT_FAULT)
            log_fault(unit);
        if (unit->current == NULL) weft_unit_lessons_check(unit, state);
        if (unit->current == NULL) weft_unit_actor_log_output(unit);
        if (state == WEFT_UNIT_BYE) unit->ending = true;
        state = weft_unit_state(unit->unit);
    }
    // What is over has nobody to wait for; what lies below it may have mail.
    if (state != WEFT_UNIT_AGAIN) unit->worker->actors.mute_wanted = 0;
    const struct weft_unit_glance now = weft_unit_glance(unit->unit);
    publish(unit, &now);
    const bool all_sent = weft_unit_command_send(unit);
    if (unit->ending && all_sent) return WEFT_ACTOR_EXIT;
    const bool reads = state == WEFT_UNIT_AGAIN ||
                       (state == WEFT_UNIT_WAIT && now.waits == WEFT_UNIT_WAITS_MESSAGE);
    mind_waiters(unit, reads);
    if (actor->mailbox_count != unit->kept_mail) unit->is_dirty = true;
    weft_unit_actor_keep_turn(unit);
    arm(unit, now.wake_ns);
    if (is_resting(unit) || weft_unit_family_is_gathering(unit))
        return all_sent ? WEFT_ACTOR_WAIT : WEFT_ACTOR_AGAIN;
    // A program that was parked below an evaluation did not see what came meanwhile.
    const bool untried = state == WEFT_UNIT_WAIT && now.levels != unit->tried_levels;
    const bool has_text = !weft_list_empty(&unit->commands) ||
                          (!weft_list_empty(&unit->lessons) && !unit->has_lesson && !unit->is_busy);
    const bool more = (unit->current == NULL && !unit->leaving && has_text) || untried;
    return state == WEFT_UNIT_AGAIN || more || !all_sent ? WEFT_ACTOR_AGAIN : WEFT_ACTOR_WAIT;
}

void weft_unit_actor_timer_fired(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct weft_unit_actor *unit = self;
    (void)timer;
    (void)now_ns;
    if (!unit->wakes_to_keep) {
        weft_unit_actor_wake(unit);
        return;
    }
    weft_unit_actor_keep_turn(unit);
    weft_unit_actor_arm(unit);
}

const struct weft_actor_kind weft_unit_actor_kind = {
    .name = "unit", .slice = weft_unit_actor_slice, .terminate = weft_unit_actor_destroy};
