// remote.h: what other processes do with a running lab: ask it, enter its namespaces, end it.
#ifndef WEFT_LAB_REMOTE_H
#define WEFT_LAB_REMOTE_H

#include <jansson.h>
#include <stdint.h>

#include "runtime/admin/client.h"
#include "runtime/base/error.h"

// Asks the lab of this user. The document, or NULL with `error`: W0602 if no lab runs.
json_t *weft_lab_ask(const char *method, const char *path, uint32_t timeout_ms,
                     struct weft_error *error);

// GET /api/v1/lab; `run` is asked instead of this user's run directory if it is not NULL.
json_t *weft_lab_ask_of(const char *run, const char *method, const char *path, uint32_t timeout_ms,
                        struct weft_error *error);

// The entry of node `name` in the lab's document; NULL with `error` W0503.
const json_t *weft_lab_node_of(const json_t *lab, const char *name, struct weft_error *error);
// How to ask that node.
void weft_lab_node_target(const json_t *node, struct weft_client_target *target);

// Moves this process into the namespaces of `node` (NULL: the bridge's), for good. Single-threaded
// only. 0, or -1 with `error`: W0603 if the lab has none, or the kernel refuses.
int weft_lab_enter(const json_t *lab, const char *node, struct weft_error *error);

// Ends the lab that runs and waits until its process has ended; removes what a killed one left.
// `*pid` is the lab that was ended, 0 if none ran; `*removed` how many leftovers. 0, or -1 with
// `error`.
int weft_lab_down(int64_t *pid, unsigned *removed, struct weft_error *error);

#endif // WEFT_LAB_REMOTE_H
