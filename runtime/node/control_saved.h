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

// A snapshot that takes too long is given up.
void weft_control_snapshot_turn(struct weft_control *control, uint64_t now_ns);

// A restore that waits for others to go goes on when they have.
void weft_control_revive_turn(struct weft_control *control);

// Has `step` done on every worker, then calls `next(self)` on the control core. Without memory or
// room in a ring nothing happens, and it answers so: -ENOMEM, -ENOBUFS.
int weft_control_sweep(struct weft_control *control, void (*step)(struct weft_node_worker *worker),
                       void (*next)(void *self), void *self);
// The units that are held are given what they had to do with others, and run; then `next(self)`,
// which may be NULL.
int weft_control_run_held(struct weft_control *control, void (*next)(void *self), void *self);

#endif // WEFT_NODE_CONTROL_SAVED_H
