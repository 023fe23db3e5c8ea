// control_command.h: what the control core asks of a unit, on its way there and back.
#ifndef WEFT_NODE_CONTROL_COMMAND_H
#define WEFT_NODE_CONTROL_COMMAND_H

#include "runtime/node/command.h"
#include "runtime/node/control.h"

struct weft_control_command { // Ours until it comes back.
    struct weft_command command;
    struct weft_control *control;
    struct weft_admin_command *admin;     // NULL: the control core's own.
    char *text;                           // Own memory: a text, or room for an image.
    struct weft_control_revival *revival; // It is part of one (control_revive.c). NULL: of none.
};

// A part of a revival has come back.
void weft_control_revival_part(struct weft_control_command *own);

// From malloc, zero but for its output; NULL: no memory.
struct weft_control_command *weft_control_command_new(struct weft_control *control,
                                                      enum weft_command_verb verb,
                                                      struct weft_resident *resident);
void weft_control_command_free(struct weft_control_command *own);
// To its unit. 0, or -1 with `error`: then it is freed.
int weft_control_command_send(struct weft_control *control, struct weft_control_command *own,
                              struct weft_error *error);

// A name for a unit that is about to be made, on the core with the fewest. NULL with `error`.
struct weft_resident *weft_control_resident_new(struct weft_control *control, const char *name,
                                                const char *file, enum weft_recovery recovery,
                                                struct weft_error *error);

#endif // WEFT_NODE_CONTROL_COMMAND_H
