#include "runtime/node/unit_actor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_files.h"
#include "runtime/node/unit_keys.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_limits.h"
#include "runtime/node/unit_sockets.h"

static struct weft_node *node_of(const struct weft_unit_actor *unit)
{
    return unit->worker->node;
}

// The unit is there without it, whatever comes of it.
static bool is_visit(const struct weft_command *command)
{
    return command->verb == WEFT_COMMAND_EVAL || command->verb == WEFT_COMMAND_INPUT;
}

static void end_with(struct weft_unit_actor *unit, uint16_t reason)
{
    if (!unit->ending) unit->actor->exit_reason = reason;
    unit->ending = true;
}

// Gives it a slice, even while it stands still for a receiver.
static void wake(struct weft_unit_actor *unit)
{
    if (weft_actor_disturb(unit->actor)) unit->was_disturbed = true;
}

// ---- Back to the control core.

static void done_on_control(struct weft_core *core, void *self, uint64_t argument)
{
    (void)core;
    (void)argument;
    struct weft_command *command = self;
    command->done(command);
}

static void finish(struct weft_unit_actor *unit, struct weft_command *command)
{
    weft_list_append(&unit->finished, &command->link);
}

// True if all went; else the ring was full and the next slice tries again.
static bool send_finished(struct weft_unit_actor *unit)
{
    while (!weft_list_empty(&unit->finished)) {
        struct weft_command *command =
            WEFT_CONTAINER_OF(unit->finished.next, struct weft_command, link);
        weft_list_remove(&command->link);
        const struct weft_core_message message = {
            .kind = WEFT_CORE_MESSAGE_CALL,
            .word = {(uint64_t)(uintptr_t)done_on_control, (uint64_t)(uintptr_t)command}};
        if (weft_core_send_try(&unit->worker->core, 0, &message)) continue;
        weft_list_prepend(&unit->finished, &command->link);
        return false;
    }
    return true;
}

static void fail(struct weft_unit_actor *unit, struct weft_command *command, uint16_t code,
                 const char *text)
{
    weft_error_set(&command->error, code, "unit '%s': %s", unit->resident->name, text);
    finish(unit, command);
}

// The command is done as far as the unit goes. If the unit is kept, its state goes to the disk
// first.
static void finish_durably(struct weft_unit_actor *unit, struct weft_command *command)
{
    const bool is_new = command->verb == WEFT_COMMAND_LOAD;
    // A unit just restored from its image stands in the journal as it is.
    if (!weft_unit_actor_is_kept(unit) ||
        (command->verb == WEFT_COMMAND_RESTORE && command->image != NULL)) {
        finish(unit, command);
        return;
    }
    const int result =
        weft_unit_actor_keep(unit, weft_span_of(command->text, command->text_length), is_new);
    if (result == 0) {
        weft_list_append(&unit->durable, &command->link);
        return;
    }
    weft_error_set(&command->error, 203, "unit '%s' ran, but its state could not be written: %s",
                   unit->resident->name, strerror(-result));
    weft_error_hint(&command->error,
                    "it is not durable: see memory.arena_per_core and units.memory_max");
    finish(unit, command);
    if (!is_visit(command)) end_with(unit, WEFT_EXIT_FAULT); // Nobody was told that it is there.
}

void weft_unit_actor_durable(struct weft_node_worker *worker, weft_pid pid, int result)
{
    struct weft_actor *actor = weft_actor_find(&worker->actors, pid);
    if (actor == NULL || actor->kind != &weft_unit_actor_kind) return; // It has ended meanwhile.
    struct weft_unit_actor *unit = actor->state;
    struct weft_list *oldest = weft_list_pop(&unit->durable);
    if (oldest == NULL) return;
    struct weft_command *command = WEFT_CONTAINER_OF(oldest, struct weft_command, link);
    if (result != 0) {
        weft_error_set(&command->error, 701,
                       "unit '%s': the journal could not write: see the node's log",
                       unit->resident->name);
        weft_error_hint(&command->error,
                        "what was asked has happened, but a restart may not remember it");
    }
    finish(unit, command);
    if (command->verb == WEFT_COMMAND_UNLOAD) {
        if (result == 0) end_with(unit, WEFT_EXIT_SHUTDOWN);
        unit->leaving = false;
    }
    if (!is_visit(command) && command->verb != WEFT_COMMAND_UNLOAD && result != 0)
        end_with(unit, WEFT_EXIT_FAULT);
    wake(unit);
}

// ---- The current command.

static void take_output(struct weft_unit_actor *unit, struct weft_command *command)
{
    char rest[256];
    const size_t room = sizeof(command->output) - command->output_length;
    command->output_length +=
        (uint32_t)weft_unit_output_take(unit->unit, command->output + command->output_length, room);
    while (weft_unit_output_take(unit->unit, rest, sizeof(rest)) > 0) {
        command->output_cut = true;
    }
}

static void describe_fault(struct weft_unit_actor *unit, struct weft_command *command)
{
    const struct weft_unit_error *error = weft_unit_error(unit->unit);
    const bool quota = error->code == WEFT_THROW_REDUCTIONS || error->code == WEFT_THROW_MEMORY;
    command->throw_code = error->code;
    command->line = error->line;
    command->column = error->column;
    snprintf(command->file, sizeof(command->file), "%s", error->source);
    weft_unit_error_render(error, command->message, sizeof(command->message));
    weft_error_set(&command->error, quota ? 404 : 401, "%s", command->message);
}

static void end_current(struct weft_unit_actor *unit, bool faulted)
{
    struct weft_command *command = unit->current;
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    unit->current = NULL;
    unit->current_due_ns = 0; // The next one that has to wait begins its own wait.
    take_output(unit, command);
    command->reduction_count = info.reductions - unit->current_reductions;
    command->compiling = info.compiling;
    command->asks = info.waits == WEFT_UNIT_WAITS_INPUT;
    if (faulted) describe_fault(unit, command);
    if (is_visit(command)) {
        // What an evaluation did before it failed has been done: it is as durable as the rest.
        finish_durably(unit, command);
        return;
    }
    if (!faulted) {
        finish_durably(unit, command);
        return;
    }
    finish(unit, command); // A unit whose source does not run is not there.
    end_with(unit, WEFT_EXIT_FAULT);
}

// What a program prints while nobody asks it anything goes to the log, line by line.
static void log_output(struct weft_unit_actor *unit)
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

static uint64_t spent(const struct weft_unit_actor *unit)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    return info.reductions - unit->current_reductions;
}

// KILL ends the unit at once, UNLOAD once the disk has forgotten it.
static void end_on_command(struct weft_unit_actor *unit, struct weft_command *command)
{
    if (command->verb == WEFT_COMMAND_KILL || !weft_unit_actor_is_kept(unit)) {
        end_with(unit, command->verb == WEFT_COMMAND_KILL ? WEFT_EXIT_KILLED : WEFT_EXIT_SHUTDOWN);
        finish(unit, command);
        return;
    }
    const int result = weft_unit_actor_forget(unit);
    if (result == 0) {
        unit->leaving = true; // What came later would write the unit into the journal again.
        weft_list_append(&unit->durable, &command->link);
        return;
    }
    weft_error_set(&command->error, 203, "unit '%s' stays: the journal was not told: %s",
                   unit->resident->name, strerror(-result));
    finish(unit, command);
}

#define INPUT_NS (1 * WEFT_NS_PER_S) // So long one who types sees what comes of it.

// Gives what was typed to the program that waits for it, and waits to see what it makes of it. One
// that waits for something else, or runs, will find it.
static void begin_input(struct weft_unit_actor *unit, struct weft_command *command)
{
    struct weft_unit_info info;
    const int result =
        weft_unit_keys_give(unit, command->text, command->text_length, command->ends_input);
    if (result != 0) {
        fail(unit, command, 405,
             result == -ENOMEM ? "there is no memory for its input"
                               : "it has not read what was typed before");
        return;
    }
    weft_unit_inspect(unit->unit, &info);
    if (info.waits != WEFT_UNIT_WAITS_INPUT) {
        finish(unit, command);
        return;
    }
    log_output(unit);
    unit->current = command;
    unit->current_level = info.levels - 1;
    unit->current_reductions = info.reductions;
    unit->current_due_ns = unit->worker->core.now_ns + INPUT_NS;
}

static void begin(struct weft_unit_actor *unit, struct weft_command *command)
{
    if (command->verb == WEFT_COMMAND_INPUT) {
        begin_input(unit, command);
        return;
    }
    const bool is_text = command->verb != WEFT_COMMAND_UNLOAD && command->verb != WEFT_COMMAND_KILL;
    if (!is_text) {
        end_on_command(unit, command);
        return;
    }
    if (command->verb == WEFT_COMMAND_RESTORE && command->image != NULL) {
        finish_durably(unit, command); // Restored when the unit was made.
        return;
    }
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    log_output(unit);
    const char *name = command->verb == WEFT_COMMAND_EVAL ? "eval" : unit->resident->file;
    const int result =
        weft_unit_interpret(unit->unit, name[0] != '\0' ? name : unit->resident->name,
                            command->text, command->text_length);
    if (result == 0) {
        unit->current = command;
        unit->current_level = info.levels;
        unit->current_reductions = info.reductions;
        unit->current_due_ns = unit->worker->core.now_ns + node_of(unit)->options.eval_timeout_ns;
        return;
    }
    if (result == -EBUSY) {
        fail(unit, command, 405, "its program is running and does not wait for anything");
        weft_error_hint(&command->error,
                        "a loop that calls YIELD, MS or RECEIVE can be interrupted");
    } else if (result == -ENOSPC || result == -ENOMEM) {
        fail(unit, command, 404, "the text does not fit into its memory");
    } else {
        fail(unit, command, 402, "it has said BYE");
    }
    if (!is_visit(command)) end_with(unit, WEFT_EXIT_FAULT);
}

static void begin_next(struct weft_unit_actor *unit)
{
    while (unit->current == NULL && !unit->ending && !unit->leaving &&
           !weft_list_empty(&unit->commands)) {
        struct weft_command *command =
            WEFT_CONTAINER_OF(unit->commands.next, struct weft_command, link);
        const bool needs_rest =
            command->verb == WEFT_COMMAND_EVAL && weft_unit_state(unit->unit) == WEFT_UNIT_AGAIN;
        // A running program gets its time to come to rest before the text is refused.
        if (needs_rest && unit->current_due_ns == 0)
            unit->current_due_ns =
                unit->worker->core.now_ns + node_of(unit)->options.eval_timeout_ns;
        if (needs_rest && unit->worker->core.now_ns < unit->current_due_ns) return;
        unit->current_due_ns = 0;
        weft_list_remove(&command->link);
        begin(unit, command);
    }
}

// After a slice: has the current command come to its end?
static void check_current(struct weft_unit_actor *unit, enum weft_unit_state state)
{
    const struct weft_node_options *options = &node_of(unit)->options;
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    if (state == WEFT_UNIT_FAULT && info.levels <= unit->current_level) {
        end_current(unit, true);
        return;
    }
    if (info.levels <= unit->current_level && state != WEFT_UNIT_AGAIN) {
        end_current(unit, false);
        return;
    }
    const bool late = unit->worker->core.now_ns >= unit->current_due_ns;
    const bool is_load = !is_visit(unit->current);
    // A source that ends in a loop over RECEIVE has loaded when it first waits there.
    const bool asks = info.waits == WEFT_UNIT_WAITS_INPUT;
    const bool waits_for_others =
        info.waits == WEFT_UNIT_WAITS_MESSAGE || info.waits == WEFT_UNIT_WAITS_CHANNEL || asks;
    if (unit->current->verb == WEFT_COMMAND_INPUT) {
        const bool goes_on =
            state == WEFT_UNIT_AGAIN || (state == WEFT_UNIT_WAIT && info.wake_ns != 0);
        if (late || !goes_on) end_current(unit, false); // Its program goes on all the same.
        return;
    }
    if (asks && state == WEFT_UNIT_WAIT) { // Who asked it is to answer it.
        end_current(unit, false);
        return;
    }
    if (is_load && state == WEFT_UNIT_WAIT && ((waits_for_others && info.wake_ns == 0) || late)) {
        end_current(unit, false);
        return;
    }
    if (!late && spent(unit) <= options->eval_reductions) return;
    weft_unit_cancel(unit->unit, WEFT_THROW_REDUCTIONS);
    end_current(unit, true);
}

// ---- A slice.

// It has spent its reductions: its program does not run, but the unit hears its commands.
static bool is_resting(const struct weft_unit_actor *unit)
{
    return unit->limits != NULL && unit->limits->rest_ns != 0;
}

static void publish(struct weft_unit_actor *unit, enum weft_unit_state state)
{
    struct weft_resident *resident = unit->resident;
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    weft_counter_set(&resident->status, state == WEFT_UNIT_WAIT    ? WEFT_RESIDENT_WAITING
                                        : state == WEFT_UNIT_AGAIN ? WEFT_RESIDENT_RUNNING
                                                                   : WEFT_RESIDENT_READY);
    weft_counter_set(&resident->memory_bytes, info.memory_bytes);
    weft_actor_count_memory(unit->actor, &unit->counted_memory, info.memory_bytes + sizeof(*unit));
    weft_counter_set(&resident->reduction_count, info.reductions);
    weft_counter_set(&resident->message_count, unit->message_count);
    weft_counter_set(&resident->mailbox_count, unit->actor->mailbox_count);
    weft_counter_set(&resident->bound_ports, unit->port_count);
    if (unit->dealings != NULL) {
        weft_counter_set(&resident->spawned, unit->dealings->child_count);
        weft_counter_set(&resident->channels, unit->dealings->channel_count);
    }
    weft_counter_set(&resident->files, weft_unit_files_count(unit));
    weft_counter_set(&resident->rests, is_resting(unit));
    weft_counter_set(&resident->asks, info.waits == WEFT_UNIT_WAITS_INPUT);
    weft_counter_set(&resident->goals, unit->lesson_count + (unit->has_lesson ? 1 : 0));
}

static void arm_timer(struct weft_unit_actor *unit, enum weft_unit_state state)
{
    struct weft_unit_info info;
    uint64_t due_ns = UINT64_MAX;
    weft_unit_inspect(unit->unit, &info);
    if (state == WEFT_UNIT_WAIT && info.wake_ns != 0) due_ns = info.wake_ns;
    const bool has_due = unit->current != NULL || unit->current_due_ns != 0;
    if (has_due && unit->current_due_ns < due_ns) due_ns = unit->current_due_ns;
    if (unit->patience_ns != 0 && unit->patience_ns < due_ns) due_ns = unit->patience_ns;
    if (unit->has_lesson && unit->lesson_due_ns < due_ns) due_ns = unit->lesson_due_ns;
    if (is_resting(unit) && unit->limits->rest_ns < due_ns) due_ns = unit->limits->rest_ns;
    if (due_ns == UINT64_MAX)
        weft_wheel_cancel(&unit->worker->core.wheel, &unit->timer);
    else
        weft_wheel_arm(&unit->worker->core.wheel, &unit->timer, due_ns);
}

static bool waits_for_message(const struct weft_unit_actor *unit)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    return info.waits == WEFT_UNIT_WAITS_MESSAGE;
}

static uint32_t levels(const struct weft_unit_actor *unit)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    return info.levels;
}

// A spawned unit has done what it was spawned for.
static void end_if_spawned(struct weft_unit_actor *unit, enum weft_unit_state state)
{
    if (unit->farewell == NULL) return;
    if (state == WEFT_UNIT_FAULT) end_with(unit, WEFT_EXIT_FAULT);
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

static enum weft_unit_state run_program(struct weft_unit_actor *unit, uint32_t *reductions)
{
    const uint32_t given = *reductions;
    const enum weft_unit_state state = weft_unit_run(unit->unit, reductions);
    weft_unit_limits_spend(unit, given - *reductions);
    return state;
}

static int run(struct weft_actor *actor, uint32_t *reductions)
{
    struct weft_unit_actor *unit = actor->state;
    const bool is_still = stands_still(unit) || weft_unit_limits_rest(unit);
    unit->tried_levels = 0;
    begin_next(unit);
    const bool is_free = unit->current == NULL && !unit->ending && !unit->leaving;
    if (is_free && !is_still && !weft_list_empty(&unit->lessons)) weft_unit_lessons_begin(unit);
    enum weft_unit_state state = weft_unit_state(unit->unit);
    if (is_still) {
        if (unit->current != NULL)
            check_current(unit, state);
        else
            weft_unit_lessons_check(unit, state);
        state = weft_unit_state(unit->unit);
    } else if (!unit->ending && (state == WEFT_UNIT_AGAIN || state == WEFT_UNIT_WAIT)) {
        state = run_program(unit, reductions);
        if (state == WEFT_UNIT_WAIT) unit->tried_levels = levels(unit);
        end_if_spawned(unit, state);
        if (unit->current != NULL)
            check_current(unit, state);
        else if (state == WEFT_UNIT_FAULT)
            log_fault(unit);
        if (unit->current == NULL) weft_unit_lessons_check(unit, state);
        if (unit->current == NULL) log_output(unit);
        if (state == WEFT_UNIT_BYE) unit->ending = true;
        state = weft_unit_state(unit->unit);
    }
    // What is over has nobody to wait for; what lies below it may have mail.
    if (state != WEFT_UNIT_AGAIN) unit->worker->actors.mute_wanted = 0;
    publish(unit, state);
    const bool all_sent = send_finished(unit);
    if (unit->ending && all_sent) return WEFT_ACTOR_EXIT;
    const bool reads =
        state == WEFT_UNIT_AGAIN || (state == WEFT_UNIT_WAIT && waits_for_message(unit));
    mind_waiters(unit, reads);
    arm_timer(unit, state);
    if (is_resting(unit)) return all_sent ? WEFT_ACTOR_WAIT : WEFT_ACTOR_AGAIN;
    // A program that was parked below an evaluation did not see what came meanwhile.
    const bool untried = state == WEFT_UNIT_WAIT && levels(unit) != unit->tried_levels;
    const bool has_text = !weft_list_empty(&unit->commands) ||
                          (!weft_list_empty(&unit->lessons) && !unit->has_lesson && !unit->is_busy);
    const bool more = (unit->current == NULL && !unit->leaving && has_text) || untried;
    return state == WEFT_UNIT_AGAIN || more || !all_sent ? WEFT_ACTOR_AGAIN : WEFT_ACTOR_WAIT;
}

static void timer_fired(void *self, struct weft_timer *timer, uint64_t now_ns)
{
    struct weft_unit_actor *unit = self;
    (void)timer;
    (void)now_ns;
    wake(unit);
}

// ---- Birth and death.

static void ended_on_control(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_node *node = self;
    struct weft_resident *resident = &node->units.residents[argument];
    (void)core;
    if (node->unit_ended != NULL) node->unit_ended(node->self, resident);
    if (resident->stays_failed)
        weft_counter_set(&resident->status, WEFT_RESIDENT_FAILED);
    else
        weft_unit_registry_remove(&node->units, resident);
}

static void fail_all(struct weft_unit_actor *unit, struct weft_list *commands, uint16_t code)
{
    struct weft_list *link;
    while ((link = weft_list_pop(commands)) != NULL) {
        fail(unit, WEFT_CONTAINER_OF(link, struct weft_command, link), code, "it has ended");
    }
}

static void destroy(struct weft_actor *actor, void *state, uint16_t reason)
{
    struct weft_unit_actor *unit = state;
    (void)actor;
    struct weft_node_worker *worker = unit->worker;
    // When the node ends, messages go with the arenas: a block may be of a core that is gone.
    const bool is_last = worker->node->actors.is_ending;
    if (unit->farewell != NULL && !is_last) weft_unit_actor_bury(unit, reason);
    if (!is_last) weft_unit_dealings_drop(unit);
    weft_unit_dealings_end(unit);
    if (!is_last) weft_unit_lessons_drop(unit);
    if (unit->current != NULL) fail(unit, unit->current, 402, "it was ended while it ran");
    fail_all(unit, &unit->commands, 402);
    fail_all(unit, &unit->durable, 402);
    weft_wheel_cancel(&worker->core.wheel, &unit->timer);
    weft_unit_actor_unbind_all(unit);
    if (unit->given != NULL && !is_last) weft_message_release(&worker->actors, unit->given);
    if (unit->unit != NULL) weft_unit_free(unit->unit);
    weft_unit_limits_free(unit);
    weft_unit_keys_free(unit);
    weft_unit_files_end(unit);
    weft_unit_sockets_end(unit);
    if (unit->resident != &worker->nestling) {
        weft_counter_set(&unit->resident->receives, 0);
        weft_counter_set(&unit->resident->status, WEFT_RESIDENT_ENDED);
        // The ring keeps 4 096 messages beyond its slots: what does not fit then has no node to go
        // to.
        send_finished(unit);
        weft_core_call(&worker->core, 0, ended_on_control, worker->node, unit->resident->index);
    }
    weft_arena_release(worker->arena, unit, sizeof(*unit));
}

const struct weft_actor_kind weft_unit_actor_kind = {
    .name = "unit", .slice = run, .terminate = destroy};

// From its image, if the journal has one: whole, or not at all. An image that cannot be used stays
// where it is, for the build or the limits that can.
static int make_unit(struct weft_unit_actor *unit, const struct weft_command *command)
{
    struct weft_node_worker *worker = unit->worker;
    const struct weft_unit_host host = weft_unit_actor_host(unit);
    if (command->verb != WEFT_COMMAND_RESTORE || command->image == NULL) {
        const struct weft_unit_options options = weft_unit_limits_options(unit);
        return weft_unit_create(worker->forth, &worker->memory, &options, &host, &unit->unit);
    }
    uint16_t ports[WEFT_UNIT_PORTS_MAX];
    uint32_t port_count;
    struct weft_span image = weft_span_of(command->image, command->image_length);
    int result = weft_unit_actor_image_read(image, ports, &port_count, &image);
    const struct weft_unit_options options = weft_unit_limits_options(unit);
    if (result == 0)
        result = weft_unit_load(worker->forth, &worker->memory, &options, &host, image.data,
                                image.length, &unit->unit);
    for (uint32_t i = 0; result == 0 && i < port_count; i++) {
        if (weft_unit_actor_bind(unit, ports[i]) != 0)
            weft_log(&worker->core.log, WEFT_LOG_WARN, "unit",
                     "%s: UDP port %u is taken by another", unit->resident->name, ports[i]);
    }
    return result;
}

struct weft_unit_actor *weft_unit_actor_new(struct weft_node_worker *worker,
                                            struct weft_resident *resident)
{
    struct weft_unit_actor *unit = weft_arena_alloc_zeroed(worker->arena, sizeof(*unit));
    if (unit == NULL) return NULL;
    unit->worker = worker;
    unit->resident = resident;
    weft_list_init(&unit->commands);
    weft_list_init(&unit->durable);
    weft_list_init(&unit->finished);
    weft_list_init(&unit->lessons);
    unit->learns = WEFT_UNIT_TEACHERS_SIBLINGS;
    weft_timer_init(&unit->timer, timer_fired, unit);
    return unit;
}

static int make_actor(struct weft_node_worker *worker, struct weft_command *command,
                      struct weft_unit_actor **made)
{
    struct weft_unit_actor *unit = weft_unit_actor_new(worker, command->resident);
    if (unit == NULL) return -ENOMEM;
    int result = weft_unit_limits_load(unit);
    weft_pid pid;
    const struct weft_spawn spawn = {.kind = &weft_unit_actor_kind,
                                     .state = unit,
                                     .label = command->resident->name,
                                     .mailbox_max = weft_unit_limit(unit, WEFT_QUOTA_MAILBOX)};
    if (result == 0 && weft_actor_whereis(&worker->node->actors, command->resident->name) != 0)
        result = -EEXIST;
    if (result == 0) result = make_unit(unit, command);
    if (result == 0) result = weft_actor_spawn(&worker->actors, &spawn, 0, &pid);
    if (result != 0) {
        weft_unit_actor_unbind_all(unit);
        if (unit->unit != NULL) weft_unit_free(unit->unit);
        weft_unit_limits_free(unit);
        weft_arena_release(worker->arena, unit, sizeof(*unit));
        return result;
    }
    unit->actor = weft_actor_find(&worker->actors, pid);
    weft_counter_set(&command->resident->pid, pid);
    // One namespace of names for C and Forth: actors find the unit by its name.
    result = weft_actor_register(&worker->actors, command->resident->name, pid);
    if (result != 0)
        weft_log(&worker->core.log, WEFT_LOG_WARN, "unit", "%s: cannot be found by name: %s",
                 command->resident->name, strerror(-result));
    *made = unit;
    return 0;
}

static void describe_birth(struct weft_command *command, uint16_t core, int result)
{
    const char *name = command->resident->name;
    switch (result) {
    case -EEXIST: weft_error_set(&command->error, 403, "an actor has the name '%s'", name); return;
    case -ESTALE:
    case -EPROTONOSUPPORT:
        weft_error_set(
            &command->error, 404,
            "unit '%s': its state was written by another build of Weft, and stays in the "
            "journal",
            name);
        weft_error_hint(
            &command->error,
            "start that build again, or `weft unit unload` it and load its source anew");
        return;
    case -EBADMSG:
    case -ENOSPC:
        weft_error_set(&command->error, 404, "unit '%s': its state %s, and stays in the journal",
                       name,
                       result == -ENOSPC ? "does not fit units.memory_max" : "does not read back");
        return;
    default:
        weft_error_set(&command->error, 203, "no memory for unit '%s' on core %u: %s", name, core,
                       strerror(-result));
        weft_error_hint(&command->error, "raise memory.arena_per_core");
    }
}

static void arrive(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_command *command = self;
    struct weft_node *node = (struct weft_node *)(uintptr_t)argument;
    struct weft_node_worker *worker = &node->workers[core->index - 1];
    struct weft_resident *resident = command->resident;
    // To unload a unit that could not be restored, an empty one is made in its name.
    const bool is_birth = command->verb == WEFT_COMMAND_LOAD ||
                          command->verb == WEFT_COMMAND_RESTORE ||
                          weft_counter_get(&resident->status) == WEFT_RESIDENT_FAILED;
    struct weft_unit_actor *unit = NULL;
    if (is_birth) {
        const int result = make_actor(worker, command, &unit);
        if (result != 0) describe_birth(command, core->index, result);
    } else {
        struct weft_actor *actor =
            weft_actor_find(&worker->actors, weft_counter_get(&resident->pid));
        if (actor == NULL)
            weft_error_set(&command->error, 402, "unit '%s' has ended", resident->name);
        else
            unit = actor->state;
    }
    if (unit != NULL) {
        weft_list_append(&unit->commands, &command->link);
        wake(unit);
        return;
    }
    // The control core frees the command when it has it: nothing of it is read after this.
    weft_core_call(core, 0, done_on_control, command, 0);
    if (is_birth) weft_core_call(core, 0, ended_on_control, node, resident->index);
}

int weft_unit_actor_submit(struct weft_node *node, struct weft_command *command)
{
    weft_list_init(&command->link);
    return weft_core_call(&node->control, command->resident->core, arrive, command,
                          (uint64_t)(uintptr_t)node);
}
