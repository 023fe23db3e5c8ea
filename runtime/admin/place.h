// place.h: where the nodes of this machine answer: RUN/NAME/admin.sock (RUN/admin.sock for a
// machine's only node, as installed), and the lab at RUN/lab.sock.
//
// RUN is $WEFT_RUN_DIR, else /run/weft for root, else $XDG_RUNTIME_DIR/weft, else /tmp/weft-UID. It
// is ours alone (mode 0700): who could write there could answer in our place.
#ifndef WEFT_ADMIN_PLACE_H
#define WEFT_ADMIN_PLACE_H

#include <stddef.h>

#include "runtime/base/error.h"

#define WEFT_PLACE_BYTES     96 // A run directory, so that a socket's path fits sun_path.
#define WEFT_PLACE_NODES_MAX 64

// The run directory's path; it need not exist. 0, or -1 with `error` if it is too long.
int weft_place_run(char run[WEFT_PLACE_BYTES], struct weft_error *error);
// Checks a directory that exists: ours, a directory, no access for others. 1 if it does not exist,
// 0 if it is fine, -1 with `error`.
int weft_place_check(const char *run, struct weft_error *error);
// Makes it (and RUN/`name` if not NULL) with mode 0700 where it is missing, and checks it.
int weft_place_make(const char *run, const char *name, struct weft_error *error);
// RUN/`name`/admin.sock. 0, or -1 with `error` if it is too long or no valid name.
int weft_place_socket(const char *run, const char *name, char socket_path[108],
                      struct weft_error *error);
// The nodes that have a socket there, sorted by name (n2 before n10). Returns how many.
size_t weft_place_nodes(const char *run, char names[][64], size_t limit);

#endif // WEFT_ADMIN_PLACE_H
