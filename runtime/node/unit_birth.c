// unit_birth.c: how a unit comes to its core and leaves it: made new, from its image, or found; and
// what is left to do when it has ended.
#include <errno.h>
#include <string.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_files.h"
#include "runtime/node/unit_internal.h"
#include "runtime/node/unit_keys.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_limits.h"
#include "runtime/node/unit_sockets.h"

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
        weft_unit_command_fail(unit, WEFT_CONTAINER_OF(link, struct weft_command, link), code,
                               "it has ended");
    }
}

void weft_unit_actor_destroy(struct weft_actor *actor, void *state, uint16_t reason)
{
    struct weft_unit_actor *unit = state;
    (void)actor;
    struct weft_node_worker *worker = unit->worker;
    // When the node ends, messages go with the arenas: a block may be of a core that is gone.
    const bool is_last = worker->node->actors.is_ending;
    // The journal is forgetting its family, even if nobody will hear of it.
    if (unit->leaving) weft_unit_actor_take_children(unit);
    if (unit->takes_children) weft_unit_actor_part(unit);
    if (unit->family != NULL) fail_all(unit, &unit->family->commands, 402);
    weft_unit_family_end(unit, is_last);
    if (unit->farewell != NULL && !is_last) weft_unit_actor_bury(unit, reason);
    if (!is_last) weft_unit_dealings_drop(unit);
    weft_unit_dealings_end(unit);
    if (!is_last) weft_unit_lessons_drop(unit);
    if (unit->current != NULL)
        weft_unit_command_fail(unit, unit->current, 402, "it was ended while it ran");
    fail_all(unit, &unit->commands, 402);
    fail_all(unit, &unit->durable, 402);
    weft_wheel_cancel(&worker->core.wheel, &unit->timer);
    weft_list_remove(&unit->held_link);
    weft_unit_restore_drop(unit);
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
        weft_unit_command_send(unit);
        weft_core_call(&worker->core, 0, ended_on_control, worker->node, unit->resident->index);
    }
    weft_arena_release(worker->arena, unit, sizeof(*unit));
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
    weft_list_init(&unit->held_link);
    unit->learns = WEFT_UNIT_TEACHERS_SIBLINGS;
    weft_timer_init(&unit->timer, weft_unit_actor_timer_fired, unit);
    return unit;
}

static int make_actor(struct weft_node_worker *worker, struct weft_command *command,
                      struct weft_unit_actor **made, bool *is_born, const char **wrong)
{
    struct weft_unit_parts parts = {0};
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
    if (result == 0)
        result = weft_unit_restore_make(unit, weft_span_of(command->image, command->image_length),
                                        &parts, wrong);
    if (result == 0) weft_unit_set_self(unit->unit, unit);
    if (result == 0) result = weft_actor_spawn(&worker->actors, &spawn, 0, &pid);
    if (result != 0) {
        weft_unit_actor_unbind_all(unit);
        if (unit->unit != NULL) weft_unit_free(unit->unit);
        weft_unit_restore_drop(unit);
        weft_unit_limits_free(unit);
        weft_arena_release(worker->arena, unit, sizeof(*unit));
        return result;
    }
    *is_born = true;
    weft_unit_ids_born(&worker->node->ids, pid);
    unit->actor = weft_actor_find(&worker->actors, pid);
    unit->id = pid;
    weft_counter_set(&command->resident->pid, pid);
    // One namespace of names for C and Forth: actors find the unit by its name.
    result = weft_actor_register(&worker->actors, command->resident->name, pid);
    if (result != 0)
        weft_log(&worker->core.log, WEFT_LOG_WARN, "unit", "%s: cannot be found by name: %s",
                 command->resident->name, strerror(-result));
    result = command->image != NULL ? weft_unit_restore_begin(unit, command, &parts) : 0;
    if (result != 0) weft_actor_end_soon(unit->actor, WEFT_EXIT_FAULT); // Nobody was told of it.
    *made = result == 0 ? unit : NULL;
    return result;
}

// Why an image of a file is refused.
static void describe_refusal(struct weft_command *command, int result, const char *wrong)
{
    const char *name = command->resident->name;
    if (result == -ESTALE)
        wrong = "it was written by another build of Weft, whose words have other numbers";
    else if (result == -ENOSPC)
        wrong = "it does not fit units.memory_max or the stacks";
    else if (wrong == NULL)
        wrong = "it is of another version";
    weft_error_set(&command->error, 406, "unit '%s' is not restored: %s", name, wrong);
}

static void describe_birth(struct weft_command *command, uint16_t core, int result,
                           const char *wrong)
{
    const char *name = command->resident->name;
    if (command->verb == WEFT_COMMAND_ADOPT && result != -EEXIST && result != -ENOMEM) {
        describe_refusal(command, result, wrong);
        return;
    }
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
        weft_error_set(&command->error, 404,
                       "unit '%s': its state %s, and stays in the journal%s%s", name,
                       result == -ENOSPC ? "does not fit units.memory_max" : "does not read back",
                       wrong != NULL ? ": " : "", wrong != NULL ? wrong : "");
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
                          command->verb == WEFT_COMMAND_ADOPT ||
                          weft_counter_get(&resident->status) == WEFT_RESIDENT_FAILED;
    struct weft_unit_actor *unit = NULL;
    bool is_born = false; // Then its end tells the control core, whatever comes of it.
    if (is_birth) {
        const char *wrong = NULL;
        const int result = make_actor(worker, command, &unit, &is_born, &wrong);
        if (result != 0) describe_birth(command, core->index, result, wrong);
    } else {
        struct weft_actor *actor =
            weft_actor_find(&worker->actors, weft_counter_get(&resident->pid));
        if (actor == NULL)
            weft_error_set(&command->error, 402, "unit '%s' has ended", resident->name);
        else
            unit = actor->state;
        if (unit != NULL && unit->is_held)
            weft_error_set(&command->error, 405, "unit '%s' is being restored", resident->name);
    }
    if (unit != NULL && !unit->is_held) {
        weft_list_append(&unit->commands, &command->link);
        weft_unit_actor_wake(unit);
        return;
    }
    const bool is_over = is_birth && !is_born;
    // The control core frees the command when it has it: nothing of it is read after this.
    weft_core_call(core, 0, weft_unit_command_back, command, 0);
    if (is_over) weft_core_call(core, 0, ended_on_control, node, resident->index);
}

int weft_unit_actor_submit(struct weft_node *node, struct weft_command *command)
{
    weft_list_init(&command->link);
    return weft_core_call(&node->control, command->resident->core, arrive, command,
                          (uint64_t)(uintptr_t)node);
}
