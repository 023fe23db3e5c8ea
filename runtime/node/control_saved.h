// control_saved.h: what the control core does about saved states: control_image.c of one unit,
// control_snapshot.c of all, control_revive.c brings them back.
#ifndef WEFT_NODE_CONTROL_SAVED_H
#define WEFT_NODE_CONTROL_SAVED_H

#include "runtime/node/control_command.h"

// Commands of the verbs UNIT_SAVE and UNIT_RESTORE, SNAPSHOT_SAVE, SNAPSHOT_RESTORE: as
// weft_control_submit.
int weft_control_save_unit(struct weft_control *control, struct weft_admin_command *admin,
                           struct weft_resident *resident, struct weft_error *error);
int weft_control_restore_unit(struct weft_control *control, struct weft_admin_command *admin,
                              struct weft_error *error);
int weft_control_save_all(struct weft_control *control, struct weft_admin_command *admin,
                          struct weft_error *error);
int weft_control_restore_all(struct weft_control *control, struct weft_admin_command *admin,
                             struct weft_error *error);

// A file is not the node's: what it says of a unit's quotas holds as far as the node's own go. An
// event says what was lowered.
void weft_control_lower_quota(struct weft_control *control, const char *name,
                              struct weft_unit_quota *quota);

struct weft_instant_entry;

struct weft_control_child {         // One that was spawned, on its way to its core and back.
    struct weft_core_errand errand; // No ring can refuse it.
    struct weft_control *control;
    const struct weft_instant_entry *entry;
    struct weft_unit_quota quota;
    void (*done)(struct weft_control_child *child); // On the control core; it is freed behind it.
    void *self;
    int result;
    const char *wrong;
};
// Has it made, held. `entry` stays until it is done. 0 or -ENOMEM.
int weft_control_child_send(struct weft_control *control, const struct weft_instant_entry *entry,
                            const struct weft_unit_quota *quota,
                            void (*done)(struct weft_control_child *child), void *self);

// A snapshot that takes too long is given up.
void weft_control_snapshot_turn(struct weft_control *control, uint64_t now_ns);

// A restore that waits for others to go goes on when they have.
void weft_control_revive_turn(struct weft_control *control);

// 0, or -1 with W0405: units are being restored, and some of them do not run yet. Of those of one
// restore each worker has one list; so there is one restore at a time, and no snapshot of half of
// it.
int weft_control_check_restoring(const struct weft_control *control, struct weft_error *error);

// One of those that the node starts with is there, or is not.
void weft_control_has_started(struct weft_control *control, bool was_held);

// control_sweep.c: what is done about the units that are held, on every worker. NULL: no memory.
struct weft_control_sweep *weft_control_sweep_create(struct weft_node *node);
void weft_control_sweep_free(struct weft_control_sweep *sweep);
// They are given what they had to do with others, and run; or they end. Then `next(self)`.
void weft_control_run_held(struct weft_control *control, void (*next)(void *self), void *self);
void weft_control_end_held(struct weft_control *control, void (*next)(void *self), void *self);

#endif // WEFT_NODE_CONTROL_SAVED_H
