// actor_routes.h: the handlers of /api/v1/actors, for the node's table.
#ifndef WEFT_ADMIN_ACTOR_ROUTES_H
#define WEFT_ADMIN_ACTOR_ROUTES_H

#include "runtime/admin/route.h"

void weft_admin_handle_actors(struct weft_admin_request *request);
void weft_admin_handle_actor(struct weft_admin_request *request);
void weft_admin_handle_actor_kill(struct weft_admin_request *request);
void weft_admin_handle_actor_send(struct weft_admin_request *request);
void weft_admin_handle_actor_load(struct weft_admin_request *request);

// Hands `command` to the node; a refusal is the answer (node_routes.c).
void weft_admin_submit(struct weft_admin_request *request, struct weft_admin_command *command);

// Their bodies, as JSON schema.
extern const char weft_admin_body_message[], weft_admin_body_module[];

#endif // WEFT_ADMIN_ACTOR_ROUTES_H
