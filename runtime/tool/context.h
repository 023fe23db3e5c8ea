// context.h: nodes elsewhere that the user has added: where they answer, whose certificate they
// have, and the owner's token that they take, or the file of the key by which they know the owner.
// In $XDG_CONFIG_HOME/weft/contexts (~/.config/weft), mode 0600; one line for each:
//
//   NAME HOST PORT FINGERPRINT TOKEN
//   NAME HOST PORT FINGERPRINT - KEY-FILE
#ifndef WEFT_TOOL_CONTEXT_H
#define WEFT_TOOL_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/admin/client.h"

#define WEFT_CONTEXTS_MAX 64

struct weft_contexts {
    struct weft_client_target items[WEFT_CONTEXTS_MAX];
    size_t count;
};

// Reads them; no file is none. 0, or -1 with W0504: a line that is malformed, a file that others
// may read.
int weft_contexts_read(struct weft_contexts *contexts, struct weft_error *error);
// Replaces the file. 0, or -1 with W0504.
int weft_contexts_write(const struct weft_contexts *contexts, struct weft_error *error);
// The one of that name, or NULL.
const struct weft_client_target *weft_contexts_find(const struct weft_contexts *contexts,
                                                    const char *name);

#endif // WEFT_TOOL_CONTEXT_H
