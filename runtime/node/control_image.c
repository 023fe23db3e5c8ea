// control_image.c: one unit to a file and back, for the admin port.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/node/control_saved.h"
#include "runtime/node/unit_actor.h"

int weft_control_save_unit(struct weft_control *control, struct weft_admin_command *admin,
                           struct weft_resident *resident, struct weft_error *error)
{
    struct weft_control_command *own =
        weft_control_command_new(control, WEFT_COMMAND_SAVE, resident);
    uint8_t *bytes = malloc(WEFT_UNIT_IMAGE_MAX); // Of which the pages that are written are taken.
    if (own == NULL || bytes == NULL) {
        free(own);
        free(bytes);
        return weft_error_set(error, 203, "no memory for the command");
    }
    own->admin = admin;
    own->text = (char *)bytes;
    own->command.saved = bytes;
    own->command.saved_length = WEFT_UNIT_IMAGE_MAX;
    return weft_control_command_send(control, own, error);
}

void weft_control_lower_quota(struct weft_control *control, const char *name,
                              struct weft_unit_quota *quota)
{
    char text[160];
    if (weft_unit_quota_lower(&control->node->options, quota, text, sizeof(text)))
        weft_control_event(control, "unit.limited", name, "%s", text);
}

// The core on which the id of this image is known for sure to be free, or not: where who had it
// last was.
static void choose_core(const struct weft_control *control, struct weft_resident *resident,
                        struct weft_span image)
{
    const struct weft_node *node = control->node;
    struct weft_unit_parts parts;
    const char *wrong;
    if (weft_unit_actor_image_read(image, &parts, &wrong) != 0 || parts.id == 0) return;
    const weft_pid pid = weft_unit_ids_pid(&node->ids, parts.id);
    const uint32_t age = weft_pid_generation(pid) - node->actors.first_generation - 1;
    const uint16_t home = weft_pid_home(pid);
    if (age < WEFT_UNIT_ID_GENERATIONS && home >= 1 && home <= node->options.worker_count)
        resident->core = home;
}

int weft_control_restore_unit(struct weft_control *control, struct weft_admin_command *admin,
                              struct weft_error *error)
{
    const enum weft_recovery recovery =
        strcmp(admin->recovery, "none") == 0 ? WEFT_RECOVERY_NONE : WEFT_RECOVERY_JOURNAL;
    struct weft_resident *resident =
        weft_control_resident_new(control, admin->unit, admin->file, recovery, error);
    if (resident == NULL) return -1;
    const struct weft_span image = weft_span_of(admin->text, admin->text_length);
    choose_core(control, resident, image);
    resident->quota = weft_unit_actor_image_quota(image);
    weft_control_lower_quota(control, admin->unit, &resident->quota);
    struct weft_control_command *own =
        weft_control_command_new(control, WEFT_COMMAND_ADOPT, resident);
    if (own == NULL) {
        weft_unit_registry_remove(&control->node->units, resident);
        return weft_error_set(error, 203, "no memory for the command");
    }
    own->admin = admin;
    own->command.text = "";
    own->command.image = image.data;
    own->command.image_length = image.length;
    const int result = weft_control_command_send(control, own, error);
    if (result != 0) weft_unit_registry_remove(&control->node->units, resident);
    return result;
}
