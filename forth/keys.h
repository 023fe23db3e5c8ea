// keys.h: keyboard events, from the bytes that terminals send (ECMA-48, and what xterm makes of
// it).
//
// An event is a character (its code point), a special key with its modifiers, or something else
// that came: a sequence that means no key of the standard's, a byte that is no UTF-8.
//
// Core:   one owner.
// Memory: by value in its owner.
#ifndef WEFT_FORTH_KEYS_H
#define WEFT_FORTH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forth/unit_host.h"

#define WEFT_KEYS_BYTES 4096 // Typed, and not read yet.

enum { // Events beyond the characters. prelude_host.fs has the same numbers.
    WEFT_KEY_SPECIAL = 1 << 24,
    WEFT_KEY_SHIFT = 1 << 25,
    WEFT_KEY_ALT = 1 << 26,
    WEFT_KEY_CTRL = 1 << 27,
    WEFT_KEY_BYTE = 1 << 28, // A byte, in the low eight bits.
};

enum weft_key { // With WEFT_KEY_SPECIAL. 0: a sequence that is none of them.
    WEFT_KEY_UP = 1,
    WEFT_KEY_DOWN,
    WEFT_KEY_RIGHT,
    WEFT_KEY_LEFT,
    WEFT_KEY_HOME,
    WEFT_KEY_END,
    WEFT_KEY_PRIOR,
    WEFT_KEY_NEXT,
    WEFT_KEY_INSERT,
    WEFT_KEY_DELETE,
    WEFT_KEY_F1, // And so on to F12.
};

struct weft_keys {
    uint32_t start, end;
    uint8_t bytes[WEFT_KEYS_BYTES];
};

// The first event of `bytes`: how many it takes. 0: more is needed, which cannot be if they are
// all that will come for a while: then an ESC is just that.
size_t weft_key_decode(const uint8_t *bytes, size_t length, bool are_all, int32_t *event);

// Room behind what is there; *bytes of it.
uint8_t *weft_keys_room(struct weft_keys *keys, size_t *bytes);
// Takes a character (a byte; what else comes before it is dropped), an event, a line without its
// end and cut to `size`. -1: there is none yet.
int32_t weft_keys_character(struct weft_keys *keys, bool are_all);
int32_t weft_keys_event(struct weft_keys *keys, bool are_all);
int64_t weft_keys_line(struct weft_keys *keys, void *to, size_t size);
// True if something of that kind is there; what comes before it is dropped.
bool weft_keys_wait(struct weft_keys *keys, enum weft_unit_keys kind, bool are_all);

#endif // WEFT_FORTH_KEYS_H
