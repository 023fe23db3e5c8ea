// module.h: a module on its way from a file to an actor.
//
// The control core reads and checks the file, keeps a copy that nobody changes under a running
// actor, and loads it; a worker starts its first actor. What is loaded stays.
#ifndef WEFT_NODE_MODULE_H
#define WEFT_NODE_MODULE_H

#include <weft/module.h>

#include "runtime/base/error.h"
#include "runtime/node/order.h"

#define WEFT_MODULE_ARGS_MAX   16   // As the admin port and the configuration allow.
#define WEFT_MODULE_ARGS_BYTES 4096 // Of all arguments, each with its zero byte.

struct weft_module_load {    // Control core.
    struct weft_order order; // `core` and `done` are the caller's.
    char name[32];
    weft_pid started;
    // The rest is its own.
    struct weft_loaded *loaded;
    size_t args_bytes;
    uint16_t arg_count;
    char args[WEFT_MODULE_ARGS_BYTES];
};

// Loads the module in `path` and sends the order that starts its first actor, called `name`, with
// `args`: `args_bytes` bytes of texts, each with a zero byte. The copy goes to `directory`. 0: the
// order is on its way, `load` is away until it is done; order.result is then 0, -EEXIST (the name
// has been taken meanwhile), -ENOMEM or -ENOSPC. Else -1 with `error`. Control core; reads files.
int weft_module_load(struct weft_module_load *load, struct weft_node *node, const char *directory,
                     const char *path, const char *args, size_t args_bytes,
                     struct weft_error *error);

// Removes the copies of an earlier process.
void weft_module_clean(const char *directory);

#endif // WEFT_NODE_MODULE_H
