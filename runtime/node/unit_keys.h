// unit_keys.h: what a user has typed for a unit: KEY, EKEY, ACCEPT and their kin in a node.
//
// It comes by commands (WEFT_COMMAND_INPUT: `weft unit input`, a line of `weft repl` while the unit
// asks for one) and is kept until a text takes it, up to WEFT_KEYS_BYTES. A text that finds none
// parks, and is run again when more has come; nobody is made to wait but itself. Spawned units have
// no user: their KEY throws -39, as at the end of the input. An image holds none of it.
//
// Core: the unit's.
#ifndef WEFT_NODE_UNIT_KEYS_H
#define WEFT_NODE_UNIT_KEYS_H

#include "forth/keys.h"
#include "runtime/node/unit_actor.h"

struct weft_unit_input { // From the worker's arena, at the first input.
    struct weft_keys keys;
    bool is_over; // Behind them the input ends, once.
};

// Fills in the words that are made here.
void weft_unit_keys_host(struct weft_unit_host *host);
// Takes what a command brings. 0; -ENOBUFS: it has not read what came before; -ENOMEM.
int weft_unit_keys_give(struct weft_unit_actor *unit, const char *bytes, size_t length,
                        bool is_over);
void weft_unit_keys_free(struct weft_unit_actor *unit);

#endif // WEFT_NODE_UNIT_KEYS_H
