// fault.h: what `weft lab fault` does to a running lab, and how its words read.
#ifndef WEFT_LAB_FAULT_H
#define WEFT_LAB_FAULT_H

#include <jansson.h>
#include <stdbool.h>

#include "runtime/base/error.h"

// "10%", "0.1", "1" to 0..1. False if it is no such thing.
bool weft_ratio_parse(const char *text, double *ratio);

// Sets one kind of fault on a node's ports ("loss", "duplicate", "reorder", "corrupt" with a ratio;
// "delay" with a time and maybe a jitter; "partition"), leaving the others; "clear" ends all.
// Returns what holds now, or NULL with `error`: W0504 for words that it does not know.
json_t *weft_lab_fault_set(const json_t *node, const char *kind, const char *value,
                           const char *jitter, struct weft_error *error);

#endif // WEFT_LAB_FAULT_H
