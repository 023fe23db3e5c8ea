// unit_command.c: the texts that a unit is asked to run, one after the other, and how each ends:
// run, perhaps made durable, and sent back to the control core.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/node/unit_family.h"
#include "runtime/node/unit_internal.h"
#include "runtime/node/unit_keys.h"

// The unit is there without it, whatever comes of it.
static bool is_visit(const struct weft_command *command)
{
    return command->verb == WEFT_COMMAND_EVAL || command->verb == WEFT_COMMAND_INPUT;
}

static bool is_birth(const struct weft_command *command)
{
    return command->verb == WEFT_COMMAND_LOAD || command->verb == WEFT_COMMAND_ADOPT ||
           command->verb == WEFT_COMMAND_RESTORE;
}

// ---- Back to the control core.

void weft_unit_command_back(struct weft_core *core, void *self, uint64_t argument)
{
    (void)core;
    (void)argument;
    struct weft_command *command = self;
    command->done(command);
}

void weft_unit_command_finish(struct weft_unit_actor *unit, struct weft_command *command)
{
    weft_list_append(&unit->finished, &command->link);
}

// True if all went; else the ring was full and the next slice tries again.
bool weft_unit_command_send(struct weft_unit_actor *unit)
{
    while (!weft_list_empty(&unit->finished)) {
        struct weft_command *command =
            WEFT_CONTAINER_OF(unit->finished.next, struct weft_command, link);
        weft_list_remove(&command->link);
        const struct weft_core_message message = {
            .kind = WEFT_CORE_MESSAGE_CALL,
            .word = {(uint64_t)(uintptr_t)weft_unit_command_back, (uint64_t)(uintptr_t)command}};
        if (weft_core_send_try(&unit->worker->core, 0, &message)) continue;
        weft_list_prepend(&unit->finished, &command->link);
        return false;
    }
    return true;
}

void weft_unit_command_fail(struct weft_unit_actor *unit, struct weft_command *command,
                            uint16_t code, const char *text)
{
    weft_error_set(&command->error, code, "unit '%s': %s", unit->resident->name, text);
    weft_unit_command_finish(unit, command);
}

// 0: it waits for its record. The journal has to know a new unit before those that it has spawned:
// it is written down twice then.
static int keep_for(struct weft_unit_actor *unit, struct weft_command *command)
{
    const bool is_load = command->verb == WEFT_COMMAND_LOAD || command->verb == WEFT_COMMAND_ADOPT;
    const struct weft_span source = weft_span_of(command->text, command->text_length);
    if (!unit->is_journaled && weft_unit_family_has_young(unit)) {
        const int result = weft_unit_actor_keep(unit, source, is_load);
        if (result != 0) return result;
        unit->keep_ask = unit->asked;
        unit->is_new_record = true;
    }
    if (!weft_unit_family_gather(unit)) {
        weft_unit_family_wait(unit, command);
        return 0;
    }
    const int result = weft_unit_actor_keep(unit, source, is_load && !unit->is_journaled);
    if (result == 0) weft_list_append(&unit->durable, &command->link);
    return result;
}

// The command is done as far as the unit goes. If the unit is kept, its state goes to the disk
// first.
void weft_unit_command_durably(struct weft_unit_actor *unit, struct weft_command *command)
{
    // A unit just restored from its image stands in the journal as it is.
    if (!weft_unit_actor_is_kept(unit) ||
        (command->verb == WEFT_COMMAND_RESTORE && command->image != NULL)) {
        weft_unit_command_finish(unit, command);
        return;
    }
    const int result = keep_for(unit, command);
    if (result == 0) return;
    weft_error_set(&command->error, 203, "unit '%s' ran, but its state could not be written: %s",
                   unit->resident->name, strerror(-result));
    weft_error_hint(&command->error,
                    "it is not durable: see memory.arena_per_core and units.memory_max");
    weft_unit_command_finish(unit, command);
    if (!is_visit(command))
        weft_unit_actor_end(unit, WEFT_EXIT_FAULT); // Nobody was told that it is there.
}

void weft_unit_actor_durable(struct weft_node_worker *worker, weft_pid pid, int result)
{
    struct weft_actor *actor = weft_actor_find(&worker->actors, pid);
    if (actor == NULL) weft_unit_actor_was_kept(worker, pid); // It has ended meanwhile.
    if (actor == NULL || actor->kind != &weft_unit_actor_kind) return;
    struct weft_unit_actor *unit = actor->state;
    if (weft_unit_actor_kept(unit, result)) return;
    struct weft_list *oldest = weft_list_pop(&unit->durable);
    if (oldest == NULL) return;
    struct weft_command *command = WEFT_CONTAINER_OF(oldest, struct weft_command, link);
    // Its first record, before this one, was not written: then this one is of nobody.
    if (is_birth(command) && !unit->is_journaled && result == 0) result = -EIO;
    if (result != 0) {
        weft_error_set(&command->error, 701,
                       "unit '%s': the journal could not write: see the node's log",
                       unit->resident->name);
        weft_error_hint(&command->error,
                        "what was asked has happened, but a restart may not remember it");
    }
    weft_unit_command_finish(unit, command);
    if (command->verb == WEFT_COMMAND_UNLOAD) {
        if (result == 0) weft_unit_actor_take_children(unit);
        if (result == 0) weft_unit_actor_end(unit, WEFT_EXIT_SHUTDOWN);
        unit->leaving = false;
    }
    if (!is_visit(command) && command->verb != WEFT_COMMAND_UNLOAD && result != 0)
        weft_unit_actor_end(unit, WEFT_EXIT_FAULT);
    weft_unit_actor_wake(unit);
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
        weft_unit_command_durably(unit, command);
        return;
    }
    if (!faulted) {
        // Others may be loaded from the same source. Without memory for it, it stays as it is.
        weft_unit_freeze(unit->unit);
        weft_unit_command_durably(unit, command);
        return;
    }
    weft_unit_command_finish(unit, command); // A unit whose source does not run is not there.
    weft_unit_actor_end(unit, WEFT_EXIT_FAULT);
}

static uint64_t spent(const struct weft_unit_actor *unit)
{
    return weft_unit_glance(unit->unit).reductions - unit->current_reductions;
}

// KILL ends the unit at once, UNLOAD once the disk has forgotten it, and then its children, too.
static void end_on_command(struct weft_unit_actor *unit, struct weft_command *command)
{
    if (command->verb == WEFT_COMMAND_KILL || !weft_unit_actor_is_kept(unit)) {
        if (command->verb == WEFT_COMMAND_UNLOAD) weft_unit_actor_take_children(unit);
        weft_unit_actor_end(unit, command->verb == WEFT_COMMAND_KILL ? WEFT_EXIT_KILLED
                                                                     : WEFT_EXIT_SHUTDOWN);
        weft_unit_command_finish(unit, command);
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
    weft_unit_command_finish(unit, command);
}

// Between two slices, so it stands where it could go on.
static void save(struct weft_unit_actor *unit, struct weft_command *command)
{
    const size_t bytes = weft_unit_actor_image_bytes(unit);
    const int result = bytes <= command->saved_length
                           ? weft_unit_actor_image_write(unit, command->saved, bytes)
                           : -ENOSPC;
    command->saved_length = bytes;
    if (result == 0) {
        weft_unit_command_finish(unit, command);
        return;
    }
    weft_error_set(&command->error, 404, "unit '%s': its state has %zu bytes; at most %d are saved",
                   unit->resident->name, bytes, WEFT_UNIT_IMAGE_MAX);
    weft_unit_command_finish(unit, command);
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
        weft_unit_command_fail(unit, command, 405,
                               result == -ENOMEM ? "there is no memory for its input"
                                                 : "it has not read what was typed before");
        return;
    }
    weft_unit_inspect(unit->unit, &info);
    if (info.waits != WEFT_UNIT_WAITS_INPUT) {
        weft_unit_command_finish(unit, command);
        return;
    }
    weft_unit_actor_log_output(unit);
    unit->current = command;
    unit->current_level = info.levels - 1;
    unit->current_reductions = info.reductions;
    unit->current_due_ns = unit->worker->core.now_ns + INPUT_NS;
}

// What is no text. True: it was none.
static bool begin_other(struct weft_unit_actor *unit, struct weft_command *command)
{
    switch (command->verb) {
    case WEFT_COMMAND_UNLOAD:
    case WEFT_COMMAND_KILL: end_on_command(unit, command); return true;
    case WEFT_COMMAND_SAVE: save(unit, command); return true;
    case WEFT_COMMAND_INPUT: begin_input(unit, command); return true;
    case WEFT_COMMAND_ADOPT: // Made of its image.
        weft_unit_command_durably(unit, command);
        return true;
    case WEFT_COMMAND_RESTORE:
        if (command->image == NULL) return false;
        weft_unit_command_durably(unit, command);
        return true;
    default: return false;
    }
}

static void begin(struct weft_unit_actor *unit, struct weft_command *command)
{
    if (begin_other(unit, command)) return;
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    weft_unit_actor_log_output(unit);
    const char *name = command->verb == WEFT_COMMAND_EVAL ? "eval" : unit->resident->file;
    const int result =
        weft_unit_interpret(unit->unit, name[0] != '\0' ? name : unit->resident->name,
                            command->text, command->text_length);
    if (result == 0) {
        unit->current = command;
        unit->current_level = info.levels;
        unit->current_reductions = info.reductions;
        unit->current_due_ns =
            unit->worker->core.now_ns + weft_unit_actor_node(unit)->options.eval_timeout_ns;
        return;
    }
    if (result == -EBUSY) {
        weft_unit_command_fail(unit, command, 405,
                               "its program is running and does not wait for anything");
        weft_error_hint(&command->error,
                        "a loop that calls YIELD, MS or RECEIVE can be interrupted");
    } else if (result == -ENOSPC || result == -ENOMEM) {
        weft_unit_command_fail(unit, command, 404, "the text does not fit into its memory");
    } else {
        weft_unit_command_fail(unit, command, 402, "it has said BYE");
    }
    if (!is_visit(command)) weft_unit_actor_end(unit, WEFT_EXIT_FAULT);
}

void weft_unit_command_begin(struct weft_unit_actor *unit)
{
    while (unit->current == NULL && !unit->ending && !unit->leaving &&
           !weft_unit_family_is_gathering(unit) && !weft_list_empty(&unit->commands)) {
        struct weft_command *command =
            WEFT_CONTAINER_OF(unit->commands.next, struct weft_command, link);
        const bool needs_rest =
            command->verb == WEFT_COMMAND_EVAL && weft_unit_state(unit->unit) == WEFT_UNIT_AGAIN;
        // A running program gets its time to come to rest before the text is refused.
        if (needs_rest && unit->current_due_ns == 0)
            unit->current_due_ns =
                unit->worker->core.now_ns + weft_unit_actor_node(unit)->options.eval_timeout_ns;
        if (needs_rest && unit->worker->core.now_ns < unit->current_due_ns) return;
        unit->current_due_ns = 0;
        weft_list_remove(&command->link);
        begin(unit, command);
    }
}

// After a slice: has the current command come to its end?
void weft_unit_command_check(struct weft_unit_actor *unit, enum weft_unit_state state)
{
    const struct weft_node_options *options = &weft_unit_actor_node(unit)->options;
    const struct weft_unit_glance info = weft_unit_glance(unit->unit);
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
    const bool asks = info.waits == WEFT_UNIT_WAITS_INPUT;
    // A source that ends in a loop over RECEIVE has loaded when it first waits there, or says
    // UNIT-SAVE.
    const bool waits_for_others =
        info.waits == WEFT_UNIT_WAITS_MESSAGE || info.waits == WEFT_UNIT_WAITS_CHANNEL || asks;
    const bool is_saving = weft_unit_actor_is_saving(unit); // It wants to be in the journal.
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
    if (is_load && state == WEFT_UNIT_WAIT &&
        ((waits_for_others && info.wake_ns == 0) || late || is_saving)) {
        end_current(unit, false);
        return;
    }
    if (!late && spent(unit) <= options->eval_reductions) return;
    weft_unit_cancel(unit->unit, WEFT_THROW_REDUCTIONS);
    end_current(unit, true);
}
