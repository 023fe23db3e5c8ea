// document.h: the JSON documents of a node, made from its source. The CLI's tables, the status page
// and scripts all read these, so people and machines cannot be told different things.
//
// Keys bear their unit; integers are integers; ids are 16 hex digits. Control core. Each function
// returns a new document for the caller to release.
#ifndef WEFT_ADMIN_DOCUMENT_H
#define WEFT_ADMIN_DOCUMENT_H

#include <jansson.h>

#include "runtime/admin/events.h"
#include "runtime/admin/logs.h"
#include "runtime/admin/source.h"

// A list of a node's: `items` is taken.
json_t *weft_document_list(const struct weft_admin_source *source, json_t *items);
json_t *weft_document_node(const struct weft_admin_source *source);
json_t *weft_document_cores(const struct weft_admin_source *source);
json_t *weft_document_ports(const struct weft_admin_source *source);
json_t *weft_document_drops(const struct weft_admin_source *source);
json_t *weft_document_mesh(const struct weft_admin_source *source);
json_t *weft_document_swarm(const struct weft_admin_source *source); // Ourselves and every peer.
json_t *weft_document_units(const struct weft_admin_source *source);
json_t *weft_document_faults(const struct weft_admin_source *source);
json_t *weft_document_ready(const struct weft_admin_source *source);
json_t *weft_document_event(const struct weft_admin_event *event);
json_t *weft_document_log(const struct weft_admin_log *log);

// True if every check of the source passes and it is not draining.
bool weft_source_ready(const struct weft_admin_source *source);

#endif // WEFT_ADMIN_DOCUMENT_H
