// link_fault.h: faults between two nodes, in the switch of a vhost lab.
//
// A node's own fault layer hits everything that passes its port; only who stands between two nodes
// can part just these two. What is set replaces what held for the pair, in both directions.
#ifndef WEFT_LAB_LINK_FAULT_H
#define WEFT_LAB_LINK_FAULT_H

#include <jansson.h>

#include "runtime/base/error.h"

// `pair` is "n1-n3"; the rest as in weft_lab_fault_set. 0, or -1 with `error`: W0504 for words that
// are not understood or links that are not vhost.
int weft_lab_link_fault_set(const json_t *lab, const char *pair, const char *kind,
                            const char *value, const char *jitter, struct weft_error *error);

#endif // WEFT_LAB_LINK_FAULT_H
