// control_command.c: from the admin port to a unit, and back: loads, evaluations, ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/node/control_actor.h"
#include "runtime/node/control_command.h"
#include "runtime/node/control_saved.h"
#include "runtime/node/family.h"
#include "runtime/node/unit_actor.h"

void weft_control_command_free(struct weft_control_command *own)
{
    free(own->text);
    free(own);
}

static void answer_text(struct weft_control_command *own)
{
    const struct weft_command *command = &own->command;
    struct weft_admin_outcome outcome = {
        .pid = weft_counter_get(&command->resident->pid),
        .core = command->resident->core,
        .throw_code = command->throw_code,
        .output = command->output,
        .output_length = command->output_length,
        .output_cut = command->output_cut,
        .compiling = command->compiling,
        .asks = command->asks,
        .reduction_count = command->reduction_count,
        .error = command->throw_code != 0 ? command->message : NULL,
        .line = command->line,
        .column = command->column,
    };
    memcpy(outcome.file, command->file, sizeof(command->file));
    weft_admin_complete_unit(own->admin, &outcome);
}

static void tell_people(struct weft_control_command *own)
{
    struct weft_control *control = own->control;
    const struct weft_command *command = &own->command;
    const char *name = command->resident->name;
    const bool is_birth = command->verb == WEFT_COMMAND_LOAD ||
                          command->verb == WEFT_COMMAND_RESTORE ||
                          command->verb == WEFT_COMMAND_ADOPT;
    if (command->error.code != 0) {
        if (!is_birth) return; // The unit is as it was; who asked is told.
        weft_control_event(control, "unit.failed", name, "%.150s", command->error.text);
        return;
    }
    switch (command->verb) {
    case WEFT_COMMAND_LOAD:
        weft_control_event(control, "unit.loaded", name, "on core %u from %s",
                           command->resident->core, command->resident->file);
        break;
    case WEFT_COMMAND_RESTORE:
        weft_control_event(control, "unit.restored", name, "on core %u, from %s",
                           command->resident->core,
                           command->image != NULL ? "its journalled state" : "its source");
        break;
    case WEFT_COMMAND_ADOPT:
        weft_control_event(control, "unit.restored", name, "on core %u, from a saved state",
                           command->resident->core);
        break;
    default: break;
    }
}

static void answer_admin(struct weft_control_command *own)
{
    const struct weft_command *command = &own->command;
    if (command->error.code != 0 && command->throw_code == 0) {
        weft_admin_fail(own->admin, &command->error);
    } else if (command->verb == WEFT_COMMAND_SAVE) {
        weft_admin_complete_bytes(own->admin, own->text, command->saved_length);
        own->text = NULL; // Given away.
    } else {
        answer_text(own);
    }
}

static void all_run(void *self)
{
    ((struct weft_control *)self)->is_restoring = false;
}

void weft_control_has_started(struct weft_control *control, bool was_held)
{
    if (was_held && --control->held_count == 0)
        weft_control_run_held(control, all_run, control); // All are there that the journal had.
    if (--control->starting_count > 0) return;
    weft_instant_destroy(&control->recovered);
    weft_unit_table_destroy(&control->node->recovered);
}

// Of the journal or the configuration.
static void is_started(struct weft_control_command *own)
{
    struct weft_control *control = own->control;
    const struct weft_command *command = &own->command;
    weft_control_has_started(control, command->is_held);
    if (command->error.code == 0) return;
    control->start_failed_count++;
    weft_log(&control->node->control.log, WEFT_LOG_ERROR, "unit", "%s: W%04u %s",
             command->resident->name, command->error.code, command->error.text);
}

// The unit has answered. Its resident may be about to end: that message comes after this one.
static void command_done(struct weft_command *command)
{
    struct weft_control_command *own =
        WEFT_CONTAINER_OF(command, struct weft_control_command, command);
    struct weft_control *control = own->control;
    control->command_count--;
    // The journal has what this node could not bring back: its name is kept for it.
    if (command->verb == WEFT_COMMAND_RESTORE && command->error.code != 0)
        command->resident->stays_failed = true;
    tell_people(own);
    if (own->revival != NULL)
        weft_control_revival_part(own);
    else if (own->admin != NULL)
        answer_admin(own);
    else
        is_started(own);
    weft_control_command_free(own);
}

struct weft_control_command *weft_control_command_new(struct weft_control *control,
                                                      enum weft_command_verb verb,
                                                      struct weft_resident *resident)
{
    struct weft_control_command *own = malloc(sizeof(*own));
    if (own == NULL) return NULL;
    memset(own, 0, sizeof(*own) - sizeof(own->command.output));
    memset(&own->command, 0, offsetof(struct weft_command, output));
    own->control = control;
    own->admin = NULL;
    own->text = NULL;
    own->revival = NULL;
    own->command.verb = verb;
    own->command.resident = resident;
    own->command.done = command_done;
    return own;
}

struct weft_resident *weft_control_resident_new(struct weft_control *control, const char *name,
                                                const char *file, enum weft_recovery recovery,
                                                struct weft_error *error)
{
    struct weft_unit_registry *units = &control->node->units;
    struct weft_resident *resident = weft_unit_registry_add(units, name, error);
    if (resident == NULL) return NULL;
    resident->recovery = recovery;
    snprintf(resident->file, sizeof(resident->file), "%s", file[0] != '\0' ? file : name);
    resident->core = 0; // Not counted where it will run.
    resident->core = weft_unit_registry_pick_core(units, control->node->options.worker_count);
    resident->loaded_wall_ns = weft_clock_wall_ns(&control->node->options.clock);
    return resident;
}

int weft_control_command_send(struct weft_control *control, struct weft_control_command *own,
                              struct weft_error *error)
{
    control->command_count++;
    if (weft_unit_actor_submit(control->node, &own->command) == 0) return 0;
    control->command_count--;
    weft_error_set(error, 505, "core %u takes no commands at the moment",
                   own->command.resident->core);
    weft_control_command_free(own);
    return -1;
}

static enum weft_recovery recovery_of(const char *text, bool *is_known)
{
    *is_known = text[0] == '\0' || strcmp(text, "journal") == 0 || strcmp(text, "none") == 0;
    return strcmp(text, "none") == 0 ? WEFT_RECOVERY_NONE : WEFT_RECOVERY_JOURNAL;
}

static int submit_load(struct weft_control *control, struct weft_admin_command *admin,
                       struct weft_error *error)
{
    bool is_known;
    const enum weft_recovery recovery = recovery_of(admin->recovery, &is_known);
    if (!is_known) {
        weft_error_set(error, 504, "'%s' is no recovery policy here", admin->recovery);
        weft_error_hint(error, "none or journal; 'swarm' needs a swarm that agrees on placement");
        return -1;
    }
    struct weft_unit_quota quota = {0};
    if (weft_unit_quota_parse(admin->quota, &quota, error) != 0) return -1;
    struct weft_resident *resident =
        weft_control_resident_new(control, admin->unit, admin->file, recovery, error);
    if (resident == NULL) return -1;
    resident->quota = quota;
    struct weft_control_command *own =
        weft_control_command_new(control, WEFT_COMMAND_LOAD, resident);
    if (own == NULL) {
        weft_unit_registry_remove(&control->node->units, resident);
        return weft_error_set(error, 203, "no memory for the command");
    }
    own->admin = admin;
    own->command.text = admin->text;
    own->command.text_length = admin->text_length;
    const int result = weft_control_command_send(control, own, error);
    if (result != 0) weft_unit_registry_remove(&control->node->units, resident);
    return result;
}

static enum weft_command_verb verb_of(enum weft_admin_verb verb)
{
    switch (verb) {
    case WEFT_ADMIN_UNIT_EVAL: return WEFT_COMMAND_EVAL;
    case WEFT_ADMIN_UNIT_INPUT: return WEFT_COMMAND_INPUT;
    case WEFT_ADMIN_UNIT_KILL: return WEFT_COMMAND_KILL;
    default: return WEFT_COMMAND_UNLOAD;
    }
}

int weft_control_submit(void *self, struct weft_admin_command *admin, struct weft_error *error)
{
    struct weft_control *control = self;
    if (control->draining) return weft_error_set(error, 505, "the node is shutting down");
    switch (admin->verb) {
    case WEFT_ADMIN_UNIT_LOAD: return submit_load(control, admin, error);
    case WEFT_ADMIN_UNIT_RESTORE: return weft_control_restore_unit(control, admin, error);
    case WEFT_ADMIN_SNAPSHOT_SAVE: return weft_control_save_all(control, admin, error);
    case WEFT_ADMIN_SNAPSHOT_RESTORE: return weft_control_restore_all(control, admin, error);
    default: break;
    }
    if (admin->verb == WEFT_ADMIN_FAULT_SET) {
        if (control->machine.fault_set == NULL)
            return weft_error_set(error, 503, "this node has no fault layer");
        if (control->machine.fault_set(control->machine.self, &admin->fault, error) != 0) return -1;
        weft_control_event(
            control, "fault.set", admin->fault.port[0] != '\0' ? admin->fault.port : "*",
            "loss %g duplicate %g reorder %g corrupt %g%s", admin->fault.loss_ratio,
            admin->fault.duplicate_ratio, admin->fault.reorder_ratio, admin->fault.corrupt_ratio,
            admin->fault.partition ? ", partitioned" : "");
        weft_admin_complete(admin);
        return 0;
    }
    if (admin->verb >= WEFT_ADMIN_ACTOR_LIST && admin->verb <= WEFT_ADMIN_ACTOR_LOAD)
        return weft_control_submit_actor(control, admin, error);
    struct weft_resident *resident = weft_unit_registry_find(&control->node->units, admin->unit);
    if (resident == NULL) {
        weft_error_set(error, 402, "there is no unit '%s' on node '%s'", admin->unit,
                       control->node->options.name);
        weft_error_hint(error, "`weft unit ls` shows those that there are");
        return -1;
    }
    if (weft_counter_get(&resident->status) == WEFT_RESIDENT_FAILED) {
        if (admin->verb != WEFT_ADMIN_UNIT_UNLOAD) {
            weft_error_set(error, 402,
                           "unit '%s' could not be restored from the journal: see `weft events`",
                           admin->unit);
            weft_error_hint(error,
                            "what it was is still there; `weft unit unload` would forget it");
            return -1;
        }
        resident->stays_failed = false;
    }
    if (admin->verb == WEFT_ADMIN_UNIT_SAVE)
        return weft_control_save_unit(control, admin, resident, error);
    struct weft_control_command *own =
        weft_control_command_new(control, verb_of(admin->verb), resident);
    if (own == NULL) return weft_error_set(error, 203, "no memory for the command");
    own->admin = admin;
    own->command.text = admin->text;
    own->command.text_length = admin->text_length;
    own->command.ends_input = admin->ends_input;
    return weft_control_command_send(control, own, error);
}
