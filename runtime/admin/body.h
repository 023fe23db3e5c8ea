// body.h: JSON request bodies, checked key by key. Bytes from outside: nothing here is asserted.
#ifndef WEFT_ADMIN_BODY_H
#define WEFT_ADMIN_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runtime/admin/source.h"
#include "runtime/base/error.h"

// What POST /api/v1/units and POST /api/v1/units/{name}/eval or /input bring. Texts point into
// `json`.
struct weft_body_unit {
    json_t *json;                                      // Released by weft_body_unit_destroy.
    const char *name, *file, *recovery, *quota, *text; // "" where it was not given.
    size_t text_length;
    bool interactive, ends_input;
};

// {"name", "source", "file"?, "recovery"?, "quota"?}. 0, or -1 with `error` (W0504): nothing to
// destroy then.
int weft_body_load(const char *body, size_t length, struct weft_body_unit *unit,
                   struct weft_error *error);
// {"text", "interactive"?}. As above.
int weft_body_eval(const char *body, size_t length, struct weft_body_unit *unit,
                   struct weft_error *error);
// {"text", "end"?}: what a user has typed. As above.
int weft_body_input(const char *body, size_t length, struct weft_body_unit *unit,
                    struct weft_error *error);
// What the POSTs below /api/v1/actors bring. Texts point into `json`.
struct weft_body_actor {
    json_t *json; // Released by weft_body_actor_destroy.
    const char *name, *file;
    const json_t *args; // An array of texts, or NULL.
    uint16_t type;
    bool call, cast;
    uint8_t *payload; // Of the message; its own memory.
    size_t payload_length;
};
// {"name", "file", "args"?}: a module. {"type"?, "text"?, "hex"?, "call"?, "cast"?}: a message. As
// above.
int weft_body_module(const char *body, size_t length, struct weft_body_actor *actor,
                     struct weft_error *error);
int weft_body_message(const char *body, size_t length, struct weft_body_actor *actor,
                      struct weft_error *error);
void weft_body_actor_destroy(struct weft_body_actor *actor);

void weft_body_unit_destroy(struct weft_body_unit *unit);

// {"port"?, "loss_ratio"?, ...}: what is left out is 0, so {} ends all faults. As above.
int weft_body_fault(const char *body, size_t length, struct weft_admin_fault *fault,
                    struct weft_error *error);

#endif // WEFT_ADMIN_BODY_H
