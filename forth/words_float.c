// words_float.c: Floating-Point and its extensions (Forth 2012, 12), but for what is text
// (words_float_text.c), what defines (words_data.c), and what is short and frequent
// (inner_float.inc). Results are those of IEEE 754 and of the C library; where a function has no
// value there it has none here: a NaN, not a THROW.
#include <math.h>

#include "forth/compile.h"
#include "forth/floating.h"
#include "forth/inner.h"
#include "forth/ops.h"

// ( F: r -- r )
#define UNARY(name, expression)                                                                    \
    int32_t weft_op_##name(struct weft_unit *unit)                                                 \
    {                                                                                              \
        double *at = weft_floats_in(unit->block, 1);                                               \
        if (at == NULL) return -45;                                                                \
        const double a = *at;                                                                      \
        *at = weft_float_of(expression, a, a);                                                     \
        return WEFT_NEXT;                                                                          \
    }

UNARY(f_floor, floor(a))
UNARY(f_round, rint(a)) // To nearest, ties to even: nobody changes the mode.
UNARY(f_trunc, trunc(a))
UNARY(f_sqrt, sqrt(a))
UNARY(f_exp, exp(a))
UNARY(f_expm1, expm1(a))
UNARY(f_ln, log(a))
UNARY(f_lnp1, log1p(a))
UNARY(f_log, log10(a))
UNARY(f_alog, pow(10, a))
UNARY(f_sin, sin(a))
UNARY(f_cos, cos(a))
UNARY(f_tan, tan(a))
UNARY(f_asin, asin(a))
UNARY(f_acos, acos(a))
UNARY(f_atan, atan(a))
UNARY(f_sinh, sinh(a))
UNARY(f_cosh, cosh(a))
UNARY(f_tanh, tanh(a))
UNARY(f_asinh, asinh(a))
UNARY(f_acosh, acosh(a))
UNARY(f_atanh, atanh(a))

// ( F: r1 r2 -- r )
#define BINARY(name, expression)                                                                   \
    int32_t weft_op_##name(struct weft_unit *unit)                                                 \
    {                                                                                              \
        double *at = weft_floats_in(unit->block, 2);                                               \
        if (at == NULL) return -45;                                                                \
        const double a = at[0], b = at[1];                                                         \
        at[0] = weft_float_of(expression, a, b);                                                   \
        unit->block->fsp--;                                                                        \
        return WEFT_NEXT;                                                                          \
    }

// A number before a NaN, and +0 above -0: IEEE 754-2008 leaves the latter open, and fmax to CPUs.
static double larger(double a, double b)
{
    if (a != a) return b;
    if (a == b) return signbit(a) ? b : a;
    return a < b ? b : a;
}

static double smaller(double a, double b)
{
    if (a != a) return b;
    if (a == b) return signbit(a) ? a : b;
    return b < a ? b : a;
}

BINARY(f_max, larger(a, b))
BINARY(f_min, smaller(a, b))
BINARY(f_power, pow(a, b))
BINARY(f_atan2, atan2(a, b))

// FSINCOS ( F: r1 -- sine cosine )
int32_t weft_op_f_sincos(struct weft_unit *unit)
{
    if (weft_floats_in(unit->block, 1) == NULL) return -45;
    const int32_t code = weft_float_room(unit, 1);
    if (code != 0) return code;
    double *at = weft_floats_in(unit->block, 1);
    const double a = at[0];
    at[0] = weft_float_of(sin(a), a, a);
    at[1] = weft_float_of(cos(a), a, a);
    unit->block->fsp++;
    return WEFT_NEXT;
}

// 12.6.2.1640 F~: nearer than r3; of the same encoding if that is zero; nearer than that part of
// the sum of their sizes if it is negative.
static bool near(double a, double b, double by)
{
    if (by == 0) return memcmp(&a, &b, sizeof(a)) == 0;
    const double distance = fabs(a - b);
    return by > 0 ? distance < by : distance < -by * (fabs(a) + fabs(b));
}

// F~ ( -- flag ) ( F: r1 r2 r3 -- )
int32_t weft_op_f_near(struct weft_unit *unit)
{
    const double *at = weft_floats_in(unit->block, 3);
    if (at == NULL) return -45;
    unit->block->fsp -= 3;
    weft_push(unit->block, weft_flag(near(at[0], at[1], at[2])));
    return WEFT_NEXT;
}

int32_t weft_op_f_depth(struct weft_unit *unit)
{
    weft_push(unit->block, unit->block->fsp - unit->block->fbase);
    return WEFT_NEXT;
}

// The whole part of the topmost float, if it lies in -limit up to limit: -46 for a NaN, -43 beyond.
static int32_t whole_part(struct weft_unit *unit, double limit, double *whole)
{
    const double *at = weft_floats_in(unit->block, 1);
    if (at == NULL) return -45;
    if (*at != *at) return -46;
    *whole = trunc(*at);
    if (*whole < -limit || *whole >= limit) return -43;
    unit->block->fsp--;
    return 0;
}

int32_t weft_op_f_to_s(struct weft_unit *unit)
{
    double whole;
    const int32_t code = whole_part(unit, 0x1p63, &whole);
    if (code == 0) weft_push(unit->block, (weft_cell)whole);
    return code;
}

int32_t weft_op_f_to_d(struct weft_unit *unit)
{
    double whole;
    const int32_t code = whole_part(unit, 0x1p127, &whole);
    if (code != 0) return code;
    const weft_dcell value = (weft_dcell)whole;
    weft_push(unit->block, (weft_cell)(uint64_t)value);
    weft_push(unit->block, (weft_cell)(value >> 64));
    return WEFT_NEXT;
}

int32_t weft_op_d_to_f(struct weft_unit *unit)
{
    const weft_cell *at = weft_top(unit->block) - 1;
    const weft_dcell value = (weft_dcell)((weft_udcell)(uint64_t)at[1] << 64 | (uint64_t)at[0]);
    const int32_t code = weft_float_push(unit, (double)value);
    if (code == 0) unit->block->dsp -= 2;
    return code;
}

// SF@ ( sf-addr -- ) ( F: -- r )
int32_t weft_op_sf_fetch(struct weft_unit *unit)
{
    float value;
    const void *from = weft_address_read(unit, (uint64_t)*weft_top(unit->block), sizeof(value));
    if (from == NULL) return -9;
    memcpy(&value, from, sizeof(value));
    const int32_t code = weft_float_push(unit, value);
    if (code == 0) unit->block->dsp--;
    return code;
}

// SF! ( sf-addr -- ) ( F: r -- ): rounded to nearest.
int32_t weft_op_sf_store(struct weft_unit *unit)
{
    const double *at = weft_floats_in(unit->block, 1);
    if (at == NULL) return -45;
    const float value = (float)*at;
    void *to = weft_address_write(unit, (uint64_t)*weft_top(unit->block), sizeof(value));
    if (to == NULL) return -9;
    memcpy(to, &value, sizeof(value));
    unit->block->fsp--;
    unit->block->dsp--;
    return WEFT_NEXT;
}

int32_t weft_op_f_literal(struct weft_unit *unit)
{
    const double *at = weft_floats_in(unit->block, 1);
    if (at == NULL) return -45;
    const double value = *at;
    unit->block->fsp--;
    return weft_compile_float(unit, value);
}
