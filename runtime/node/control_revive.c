// control_revive.c: all units of a snapshot: made, held; when all are there, given what they had to
// do with each other; when all have been given that, running. Or none of them.
//
// Who has a name that is wanted is in the way: then nothing happens, or, if that was asked for, he
// is unloaded first, with those that he has spawned, and the rest begins when they have gone.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/text.h"
#include "runtime/node/control_saved.h"
#include "runtime/node/instant.h"
#include "runtime/node/unit_actor.h"

struct weft_control_revival {
    struct weft_control *control;
    struct weft_admin_command *admin;
    struct weft_instant instant;
    bool is_clearing; // Those who are in the way are about to go.
    uint32_t away_count;
    struct weft_error error; // The first one.
};

static void end(void *self)
{
    struct weft_control_revival *revival = self;
    struct weft_control *control = revival->control;
    control->command_count--;
    control->is_restoring = false;
    if (revival->error.code == 0) {
        weft_control_event(control, "node.restored", control->node->options.name, "%u units",
                           revival->instant.count);
        weft_admin_complete(revival->admin);
    } else {
        weft_admin_fail(revival->admin, &revival->error);
    }
    weft_instant_destroy(&revival->instant);
    free(revival);
}

static void all_are_back(struct weft_control_revival *revival)
{
    struct weft_control *control = revival->control;
    if (revival->is_clearing && revival->error.code == 0) {
        control->revival = revival; // weft_control_revive_turn goes on when they have gone.
        return;
    }
    if (revival->error.code == 0)
        weft_control_run_held(control, end, revival);
    else
        weft_control_end_held(control, end, revival);
}

static void part_is_done(struct weft_control_revival *revival, const struct weft_error *error)
{
    if (error->code != 0 && revival->error.code == 0) revival->error = *error;
    if (--revival->away_count == 0) all_are_back(revival);
}

void weft_control_revival_part(struct weft_control_command *own)
{
    part_is_done(own->revival, &own->command.error);
}

// ---- Children, which are in no registry.

static uint16_t core_for(const struct weft_control *control, uint16_t core)
{
    const uint16_t count = control->node->options.worker_count;
    return core >= 1 ? (uint16_t)((core - 1) % count + 1) : 1;
}

static void child_is_back(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_control_child *child = self;
    (void)core, (void)argument;
    child->done(child);
    free(child);
}

static void child_arrives(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_control_child *child = self;
    const struct weft_instant_entry *entry = child->entry;
    struct weft_node *node = child->control->node;
    (void)argument;
    child->result = weft_unit_actor_revive(&node->workers[core->index - 1], entry->name,
                                           entry->image, &entry->kin, &child->quota, &child->wrong);
    child->errand.run = child_is_back;
    weft_core_errand_give(&node->control, &child->errand);
}

int weft_control_child_send(struct weft_control *control, const struct weft_instant_entry *entry,
                            const struct weft_unit_quota *quota,
                            void (*done)(struct weft_control_child *child), void *self)
{
    struct weft_control_child *child = malloc(sizeof(*child));
    if (child == NULL) return -ENOMEM;
    *child = (struct weft_control_child){.errand = {.run = child_arrives, .self = child},
                                         .control = control,
                                         .entry = entry,
                                         .quota = *quota,
                                         .done = done,
                                         .self = self};
    weft_core_errand_give(weft_node_core(control->node, core_for(control, entry->core)),
                          &child->errand);
    return 0;
}

// ---- One of the snapshot. 0, or -1 with `error`.

static void child_is_made(struct weft_control_child *child)
{
    struct weft_error error = {0};
    if (child->result != 0)
        weft_error_set(&error, child->result == -ENOMEM || child->result == -ENOSPC ? 203 : 406,
                       "the snapshot is not restored: a child of '%s': %s", child->entry->name,
                       child->wrong != NULL ? child->wrong : strerror(-child->result));
    part_is_done(child->self, &error);
}

static int send_child(struct weft_control_revival *revival, const struct weft_instant_entry *entry)
{
    struct weft_unit_quota quota = entry->quota;
    char text[160]; // Its parent's event says the same.
    weft_unit_quota_lower(&revival->control->node->options, &quota, text, sizeof(text));
    if (weft_control_child_send(revival->control, entry, &quota, child_is_made, revival) == 0)
        return 0;
    return weft_error_set(&revival->error, 203, "no memory for the command");
}

static int send_resident(struct weft_control_revival *revival,
                         const struct weft_instant_entry *entry)
{
    struct weft_control *control = revival->control;
    struct weft_resident *resident = weft_control_resident_new(
        control, entry->name, entry->file, (enum weft_recovery)entry->recovery, &revival->error);
    if (resident == NULL) return -1;
    resident->core = core_for(control, entry->core);
    resident->quota = entry->quota;
    weft_control_lower_quota(control, entry->name, &resident->quota);
    struct weft_control_command *own =
        weft_control_command_new(control, WEFT_COMMAND_ADOPT, resident);
    if (own == NULL) weft_error_set(&revival->error, 203, "no memory for the command");
    if (own != NULL) {
        own->revival = revival;
        own->command.text = "";
        own->command.image = entry->image.data;
        own->command.image_length = entry->image.length;
        own->command.is_held = own->command.has_family = true;
        if (weft_control_command_send(control, own, &revival->error) == 0) return 0;
    }
    weft_unit_registry_remove(&control->node->units, resident);
    return -1;
}

static int check_names(const struct weft_instant *instant, struct weft_error *error)
{
    for (uint32_t n = 0; n < instant->count; n++) {
        const struct weft_instant_entry *entry = &instant->entries[n];
        if (!entry->is_child && !weft_admin_name_valid(entry->name, strlen(entry->name)))
            return weft_error_set(error, 406, "the snapshot is not restored: '%s' is no name",
                                  entry->name);
    }
    return 0;
}

// Somebody who is in the way, of those from number *n on. NULL: nobody.
static struct weft_resident *find_rival(const struct weft_control_revival *revival, uint32_t *n)
{
    struct weft_resident *rival = NULL;
    for (; rival == NULL && *n < revival->instant.count; ++*n) {
        const struct weft_instant_entry *entry = &revival->instant.entries[*n];
        if (!entry->is_child)
            rival = weft_unit_registry_find(&revival->control->node->units, entry->name);
    }
    return rival;
}

static void make_all(struct weft_control_revival *revival)
{
    revival->away_count = 1; // Until all are on their way.
    for (uint32_t n = 0; n < revival->instant.count; n++) {
        const struct weft_instant_entry *entry = &revival->instant.entries[n];
        const int result =
            entry->is_child ? send_child(revival, entry) : send_resident(revival, entry);
        if (result != 0) break;
        revival->away_count++;
    }
    part_is_done(revival, &(struct weft_error){0});
}

static void clear(struct weft_control_revival *revival)
{
    struct weft_control *control = revival->control;
    struct weft_resident *rival;
    revival->is_clearing = true;
    revival->away_count = 1;
    for (uint32_t n = 0; (rival = find_rival(revival, &n)) != NULL;) {
        struct weft_control_command *own =
            weft_control_command_new(control, WEFT_COMMAND_UNLOAD, rival);
        if (own == NULL) weft_error_set(&revival->error, 203, "no memory for the command");
        if (own == NULL) break;
        rival->stays_failed = false;
        own->revival = revival;
        own->command.text = "";
        if (weft_control_command_send(control, own, &revival->error) != 0) break;
        revival->away_count++;
    }
    part_is_done(revival, &(struct weft_error){0});
}

void weft_control_revive_turn(struct weft_control *control)
{
    struct weft_control_revival *revival = control->revival;
    uint32_t n = 0;
    if (revival == NULL || find_rival(revival, &n) != NULL) return;
    if (weft_unit_actor_parting(control->node)) return; // Nor may his children be left.
    control->revival = NULL;
    revival->is_clearing = false;
    make_all(revival);
}

int weft_control_check_restoring(const struct weft_control *control, struct weft_error *error)
{
    if (!control->is_restoring) return 0;
    weft_error_set(error, 405, "units of node '%s' are being restored",
                   control->node->options.name);
    weft_error_hint(error, "try again when `weft unit ls` shows them");
    return -1;
}

static int refuse_rival(const struct weft_resident *rival, struct weft_error *error)
{
    weft_error_set(error, 403, "the snapshot is not restored: a unit '%s' is here", rival->name);
    weft_error_hint(error, "with --replace those of the same names are unloaded first");
    return -1;
}

int weft_control_restore_all(struct weft_control *control, struct weft_admin_command *admin,
                             struct weft_error *error)
{
    uint32_t n = 0;
    if (weft_control_check_restoring(control, error) != 0) return -1;
    struct weft_control_revival *revival = calloc(1, sizeof(*revival));
    if (revival == NULL) return weft_error_set(error, 203, "no memory for the command");
    revival->control = control;
    revival->admin = admin;
    int result =
        weft_instant_read(weft_span_of(admin->text, admin->text_length), &revival->instant, error);
    if (result == 0) result = check_names(&revival->instant, error);
    struct weft_resident *rival = result == 0 ? find_rival(revival, &n) : NULL;
    if (rival != NULL && !admin->replaces) result = refuse_rival(rival, error);
    if (result != 0) {
        weft_instant_destroy(&revival->instant);
        free(revival);
        return result;
    }
    control->command_count++;
    control->is_restoring = true;
    if (rival != NULL)
        clear(revival);
    else
        make_all(revival);
    return 0;
}
