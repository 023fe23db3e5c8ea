// module_file.h: what a file says of itself before any of its code runs: is it a module, for this
// version of Weft and for this CPU? From outside: every offset is checked.
#ifndef WEFT_MODULE_MODULE_FILE_H
#define WEFT_MODULE_MODULE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

struct weft_module_file {
    bool is_checked; // Its functions check the stack.
};

// Looks at the `length` bytes of an ELF file, called `name` in errors. 0, or -1 with `error`
// (W0802) that says why this node does not run it.
int weft_module_file_check(const void *bytes, size_t length, const char *name,
                           struct weft_module_file *file, struct weft_error *error);

#endif // WEFT_MODULE_MODULE_FILE_H
