// effect.h: stack effects: what a comment says, what the code does, and whether the two agree.
//
// A comment `( a b -- c )` is a claim about the data stack. Names count as the standard's data type
// symbols do (2.1: `d` is two cells, `r` lies on the floating-point stack) and as one cell each;
// agreeing in one reading is enough. `"name"` is parsed, not taken from the stack; `x | y` are
// alternatives; `i*x`, `xn ... x1` leave the rest open; `( R: … )`, `( C: … )`, `( F: … )` speak of
// other stacks. Locals `{: a b | c -- d :}` with a `--` claim as much.
//
// What the code does is inferred from its bytecode, in one pass, with every way through it followed
// at once. An effect can be claimed too small or too large by names alone, so a claim only differs
// if no way through the code is what any of its alternatives says: what depends on data (EXECUTE of
// something computed, loops that do not balance) is never called wrong.
//
// Core:   the one that owns the unit. Memory: none but the caller's. Errors: verdicts.
#ifndef WEFT_FORTH_EFFECT_H
#define WEFT_FORTH_EFFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_unit;

enum { WEFT_EFFECT_WAYS_MAX = 8, WEFT_EFFECT_COMMENT_BYTES_MAX = 200 };

struct weft_effect_way {
    uint8_t in, out; // Cells.
};

struct weft_effect_claim {
    bool open;     // Says that the effect depends on data.
    uint8_t count; // Alternatives, in either reading of the names.
    uint16_t from; // Where in the text the comment begins that says so.
    struct weft_effect_way way[WEFT_EFFECT_WAYS_MAX];
};

enum weft_effect_kind {
    WEFT_EFFECT_KNOWN,
    WEFT_EFFECT_ENDLESS, // No way through it returns.
    WEFT_EFFECT_UNKNOWN, // Cannot be told; `reason` says why.
};

struct weft_effect {
    enum weft_effect_kind kind;
    uint8_t need;         // Cells that must be there: the deepest that it reaches.
    uint8_t need_sure;    // The same on every way: less, if what it reaches depends on data.
    uint8_t grow;         // Cells above its height at entry, at most, without what it calls.
    uint8_t return_cells; // On the return stack, at most, loop parameters included.
    bool assumed;         // It calls itself, and its comment was believed for that.
    uint8_t count;        // Ways that differ in
    int8_t net[WEFT_EFFECT_WAYS_MAX]; // the height at exit less the height at entry.
    char reason[80];
};

enum weft_effect_verdict { WEFT_EFFECT_HOLDS, WEFT_EFFECT_DIFFERS, WEFT_EFFECT_OPEN };

// Reads what stands behind a name: one comment, or several. False if none is a stack effect.
bool weft_effect_parse(const char *text, size_t length, struct weft_effect_claim *claim);

// What the word at an index of the unit does (the system's words first, then its own).
void weft_effect_infer(const struct weft_unit *unit, uint32_t index, struct weft_effect *effect);

enum weft_effect_verdict weft_effect_compare(const struct weft_effect_claim *claim,
                                             const struct weft_effect *effect);

// "( x x -- x | x x )". Ends in NUL, cut to `size`. Returns the length without the NUL.
size_t weft_effect_text(const struct weft_effect *effect, char *to, size_t size);

// A named own word of a unit, oldest first: `n` from 0 to weft_unit_info.words.
struct weft_effect_word {
    char name[64]; // Cut to fit; empty for a word without a name.
    char comment[WEFT_EFFECT_COMMENT_BYTES_MAX + 1];
    bool colon;     // A colon or code definition.
    uint32_t index; // For weft_effect_infer.
};
bool weft_effect_word(const struct weft_unit *unit, uint32_t n, struct weft_effect_word *word);

#endif // WEFT_FORTH_EFFECT_H
