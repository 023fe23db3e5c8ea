// control_actor.h: what the control core does about actors: control_actor.c answers for one of
// them, control_list.c for all, control_trace.c tells what they do, control_crash.c of those that
// went wrong.
#ifndef WEFT_NODE_CONTROL_ACTOR_H
#define WEFT_NODE_CONTROL_ACTOR_H

#include "runtime/node/control.h"

// Commands of the verbs ACTOR_*: as weft_control_submit.
int weft_control_submit_actor(struct weft_control *control, struct weft_admin_command *command,
                              struct weft_error *error);
// Of verb ACTOR_LIST.
int weft_control_list_actors(struct weft_control *control, struct weft_admin_command *command,
                             struct weft_error *error);
// Of verb ACTOR_LOAD (control_module.c).
int weft_control_load_module(struct weft_control *control, struct weft_admin_command *command,
                             struct weft_error *error);
// Loads the modules of the configuration. Once the workers turn.
void weft_control_start_actors(struct weft_control *control);
void weft_control_clean_modules(const struct weft_control *control); // Their copies on disk.
// Lists whose cores do not all answer are answered with what there is.
void weft_control_lists_expire(struct weft_control *control, uint64_t now_ns);
void weft_control_lists_free(struct weft_control *control); // No worker turns any more.
// Traces that nobody reads any more end.
void weft_control_traces_turn(struct weft_control *control);
void weft_control_traces_free(struct weft_control *control); // No worker turns any more.
// An actor by a registered name, else by its pid: 16 hex digits, or fewer behind 0x. 0: neither.
weft_pid weft_control_find_actor(const struct weft_control *control, const char *text);
// -1 with `error`: there is none.
int weft_control_no_actor(const struct weft_control *control, const char *text,
                          struct weft_error *error);
const char *weft_control_tag_name(uint8_t tag); // Of a message: "user", "call", "down".
struct weft_actor_row;
void weft_control_fill_actor(const struct weft_actor_row *row, struct weft_admin_actor *to);
// Tells people of actors that crashed or held their core. How many.
uint32_t weft_control_tell_crashes(struct weft_control *control);
// -1 with `error`: `pid` holds its core, which can answer nothing until it ends; says what is known
// of it. Else 0.
int weft_control_refuse_held(const struct weft_control *control, weft_pid pid,
                             struct weft_error *error);

#endif // WEFT_NODE_CONTROL_ACTOR_H
