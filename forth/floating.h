// floating.h: the floating-point stack, and floats as text. Internal to forth/.
//
// A float is an IEEE double. The stack is a segment of the block that does not exist until the
// first float is pushed. The verifier knows nothing of it: each operation looks itself, by
// weft_floats_in and weft_float_room. Arithmetic never traps: it gives infinities and NaNs, and a
// NaN that an operation makes of numbers is the same one on every CPU.
#ifndef WEFT_FORTH_FLOATING_H
#define WEFT_FORTH_FLOATING_H

#include "forth/state.h"

_Static_assert(sizeof(double) == 8, "part of the image, and F@'s");

static inline double *weft_float_stack(const struct weft_block *block)
{
    return weft_segment_base(block, WEFT_SEGMENT_FLOAT_STACK);
}

// The deepest of the topmost `count` floats of this level; NULL if there are fewer (THROW -45).
static inline double *weft_floats_in(const struct weft_block *block, uint32_t count)
{
    return block->fsp - block->fbase < count ? NULL : weft_float_stack(block) + block->fsp - count;
}

// May one more float be pushed without a look at memory?
static inline bool weft_float_fits(const struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    return block->fsp < weft_segment_capacity(block, WEFT_SEGMENT_FLOAT_STACK) / sizeof(double) &&
           block->fsp < unit->options.stack_cells_max;
}

// Room for `count` more; the block may move. 0; -44; WEFT_THROW_MEMORY.
int32_t weft_float_room(struct weft_unit *unit, uint32_t count);
int32_t weft_float_push(struct weft_unit *unit, double value); // The same answers.

// The NaN that an operation on `a` and `b` gives: the first of them that is one, else ours.
double weft_float_nan(double a, double b);

// The result `r` of an operation on `a` and `b`. What CPUs give for 0/0 differs in its sign.
static inline double weft_float_of(double r, double a, double b)
{
    return __builtin_expect(r != r, 0) ? weft_float_nan(a, b) : r;
}

enum weft_float_form {
    WEFT_FLOAT_IN_SOURCE, // Forth 2012, 12.3.7: the exponent's E makes it one.
    WEFT_FLOAT_IN_STRING, // 12.6.1.0558 >FLOAT: also .5, 1D2, 1+2, and blanks.
};

// Reads a float, correctly rounded. At most WEFT_CHUNK_BYTES. False if it is none.
bool weft_float_read(const char *text, uint32_t length, enum weft_float_form form, double *value);

// The first `count` (1 to WEFT_PRECISION_MAX) decimal digits of |value|, correctly rounded, and
// where its point is: before the first digit at exponent 0. `value` is finite.
void weft_float_digits(double value, uint32_t count, char *digits, int *exponent);

// The shortest of 15, 16 or 17 digits from which the same float is read again: 1.5E0. Answers its
// length.
enum { WEFT_FLOAT_TEXT_BYTES = 32 };
size_t weft_float_write(double value, char to[WEFT_FLOAT_TEXT_BYTES]);

#endif // WEFT_FORTH_FLOATING_H
