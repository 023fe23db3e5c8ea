// words_float_text.c: floats from strings and to them. Digits are rounded to nearest from the exact
// value, whatever their count, which PRECISION limits to WEFT_PRECISION_MAX.
#include <math.h>
#include <stdio.h>

#include "forth/floating.h"
#include "forth/inner.h"
#include "forth/ops.h"

static bool decimal(const struct weft_unit *unit)
{
    return weft_variable(unit->block, WEFT_VARIABLE_BASE) == 10;
}

// >FLOAT ( c-addr u -- true | false ) ( F: -- r | ): longer strings than we read at once are none.
int32_t weft_op_to_float(struct weft_unit *unit)
{
    const weft_cell *at = weft_top(unit->block) - 1;
    const uint64_t length = (uint64_t)at[1];
    const char *text = weft_address_read(unit, (uint64_t)at[0], length);
    if (text == NULL && length != 0) return -9;
    double value = 0;
    const bool found =
        length == 0 || (length <= WEFT_CHUNK_BYTES &&
                        weft_float_read(text, (uint32_t)length, WEFT_FLOAT_IN_STRING, &value));
    const int32_t code = found ? weft_float_push(unit, value) : 0;
    if (code != 0) return code;
    unit->block->dsp -= 2;
    weft_push(unit->block, weft_flag(found));
    weft_charge(unit, length < WEFT_CHUNK_BYTES ? length : 0);
    return WEFT_NEXT;
}

static const char *name_of(double value)
{
    return isnan(value) ? "nan" : isinf(value) ? "inf" : NULL;
}

// ( c-addr u -- n flag1 flag2 ) ( F: r -- ), for at most WEFT_PRECISION_MAX characters: REPRESENT
// in the prelude fills the rest. What is no number is its name, and blanks.
int32_t weft_op_represent(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const double *at = weft_floats_in(block, 1);
    if (at == NULL) return -45;
    if (!decimal(unit)) return -40;
    const double value = *at;
    const uint64_t length = (uint64_t)*weft_top(block);
    char *to = weft_address_write(unit, (uint64_t)weft_top(block)[-1], length);
    if (to == NULL && length != 0) return -9;
    if (length > WEFT_PRECISION_MAX) return -24;

    char digits[WEFT_PRECISION_MAX];
    const char *name = name_of(value);
    int exponent = 0;
    if (name != NULL) {
        memset(digits, ' ', sizeof(digits));
        memcpy(digits, name, strlen(name));
    } else {
        weft_float_digits(value, length == 0 ? 1 : (uint32_t)length, digits, &exponent);
    }
    if (length > 0) memcpy(to, digits, length);
    block->fsp--;
    block->dsp -= 2;
    weft_push(block, exponent);
    weft_push(block, weft_flag(signbit(value)));
    weft_push(block, weft_flag(name == NULL));
    weft_charge(unit, length * 8);
    return WEFT_NEXT;
}

// A line of characters that has room for the longest: all digits of the largest number, or the
// smallest with its zeros.
struct line {
    uint32_t length;
    char text[WEFT_PRECISION_MAX + 400];
};

static void put(struct line *line, const char *text, uint32_t length)
{
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void put_zeros(struct line *line, uint32_t count)
{
    memset(line->text + line->length, '0', count);
    line->length += count;
}

// The first `places` of `count` digits, with zeros behind them if there are not so many.
static void put_places(struct line *line, const char *digits, uint32_t count, uint32_t places)
{
    put(line, digits, count < places ? count : places);
    if (places > count) put_zeros(line, places - count);
}

// [-]<digits>.<digits>, no zeros at the end.
static void put_fixed(struct line *line, const char *digits, uint32_t count, int exponent)
{
    const uint32_t places = exponent > 0 ? (uint32_t)exponent : 0;
    while (count > places && digits[count - 1] == '0')
        count--;
    if (exponent <= 0) put(line, "0", 1);
    put_places(line, digits, count, places);
    put(line, ".", 1);
    if (exponent < 0 && count > 0) put_zeros(line, (uint32_t)-exponent);
    if (count > places) put(line, digits + places, count - places);
}

// [-]<digits>.<digits>E<exponent>: `step` 3 for exponents that are multiples of it.
static void put_scaled(struct line *line, const char *digits, uint32_t count, int exponent,
                       int step)
{
    const int power = exponent - 1;
    const int rest = ((power % step) + step) % step;
    const uint32_t places = (uint32_t)rest + 1;
    put_places(line, digits, count, places);
    put(line, ".", 1);
    if (count > places) put(line, digits + places, count - places);
    line->length += (uint32_t)snprintf(line->text + line->length, 12, "E%d", power - rest);
}

// `step` 0: fixed-point.
static int32_t print(struct weft_unit *unit, int step)
{
    const double *at = weft_floats_in(unit->block, 1);
    if (at == NULL) return -45;
    if (!decimal(unit)) return -40;
    const double value = *at;
    const uint32_t count = unit->block->precision;
    struct line line = {.length = 0};
    if (signbit(value) && !isnan(value)) put(&line, "-", 1);
    const char *name = name_of(value);
    if (name != NULL) {
        put(&line, name, 3);
    } else {
        char digits[WEFT_PRECISION_MAX];
        int exponent;
        weft_float_digits(value, count, digits, &exponent);
        if (step == 0) put_fixed(&line, digits, count, exponent);
        if (step != 0) put_scaled(&line, digits, count, exponent, step);
    }
    put(&line, " ", 1);
    unit->block->fsp--;
    weft_output(unit, line.text, line.length);
    weft_charge(unit, line.length * 8);
    return WEFT_NEXT;
}

int32_t weft_op_f_dot(struct weft_unit *unit)
{
    return print(unit, 0);
}

int32_t weft_op_fs_dot(struct weft_unit *unit)
{
    return print(unit, 1);
}

int32_t weft_op_fe_dot(struct weft_unit *unit)
{
    return print(unit, 3);
}

// F.S ( -- ): the stack of floats as .S shows the other, each as it may be typed again.
int32_t weft_op_f_dot_s(struct weft_unit *unit)
{
    const uint32_t depth = unit->block->fsp - unit->block->fbase;
    char text[WEFT_FLOAT_TEXT_BYTES + 1];
    weft_output(unit, text, (size_t)snprintf(text, sizeof(text), "<%u> ", depth));
    for (uint32_t n = depth < 64 ? depth : 64; n > 0; n--) { // The topmost ones.
        const size_t length = weft_float_write(*weft_floats_in(unit->block, n), text);
        text[length] = ' ';
        weft_output(unit, text, length + 1);
        unit->budget -= 32; // Three conversions and their way back.
    }
    return WEFT_NEXT;
}

int32_t weft_op_precision(struct weft_unit *unit)
{
    weft_push(unit->block, unit->block->precision);
    return WEFT_NEXT;
}

int32_t weft_op_set_precision(struct weft_unit *unit)
{
    const uint64_t count = (uint64_t)weft_pop(unit->block);
    unit->block->precision = count == 0                   ? 1
                             : count > WEFT_PRECISION_MAX ? WEFT_PRECISION_MAX
                                                          : (uint32_t)count;
    return WEFT_NEXT;
}
