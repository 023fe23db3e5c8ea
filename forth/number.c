// number.c: text to numbers, and numbers to text.
#include <stdio.h>

#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/outer.h"
#include "forth/xchar.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    return 255;
}

static bool base_valid(weft_cell base)
{
    return base >= 2 && base <= 36;
}

int weft_number(const struct weft_unit *unit, const char *text, uint32_t length, weft_cell value[2])
{
    weft_cell base = weft_variable(unit->block, WEFT_VARIABLE_BASE);
    if (length >= 3 && text[0] == '\'' && text[length - 1] == '\'') {
        uint32_t bytes = 1;
        value[0] = weft_xchar_get(text + 1, length - 2, &bytes);
        if (value[0] < 0) {
            value[0] = (uint8_t)text[1];
            bytes = 1;
        }
        return bytes + 2 == length ? 1 : 0;
    }
    if (length > 1) {
        const weft_cell prefixed = text[0] == '#'   ? 10
                                   : text[0] == '$' ? 16
                                   : text[0] == '%' ? 2
                                                    : 0;
        if (prefixed != 0) {
            base = prefixed;
            text++;
            length--;
        }
    }
    if (!base_valid(base)) return -1;
    const bool negative = length > 1 && text[0] == '-';
    if (negative || (length > 1 && text[0] == '+')) {
        text++;
        length--;
    }
    const bool is_double = length > 1 && text[length - 1] == '.';
    if (is_double) length--;
    if (length == 0) return 0;

    weft_udcell number = 0;
    for (uint32_t n = 0; n < length; n++) {
        const int digit = digit_value(text[n]);
        if (digit >= base) return 0;
        number = number * (unsigned)base + (unsigned)digit;
    }
    if (negative) number = -number;
    value[0] = (weft_cell)(uint64_t)number;
    value[1] = (weft_cell)(uint64_t)(number >> 64);
    return is_double ? 2 : 1;
}

// >NUMBER ( ud1 c-addr1 u1 -- ud2 c-addr2 u2 )
int32_t weft_op_to_number(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const weft_cell base = weft_variable(block, WEFT_VARIABLE_BASE);
    if (!base_valid(base)) return -262;
    weft_cell *top = weft_top(block);
    uint64_t length = (uint64_t)top[0], address = (uint64_t)top[-1];
    weft_udcell number = (uint64_t)top[-3] | (weft_udcell)(uint64_t)top[-2] << 64;
    const uint64_t chunk = length < WEFT_CHUNK_BYTES ? length : WEFT_CHUNK_BYTES;
    const char *text = weft_address_read(unit, address, chunk);
    if (text == NULL) return -9;

    uint64_t n = 0;
    while (n < chunk && digit_value(text[n]) < base)
        number = number * (unsigned)base + (unsigned)digit_value(text[n++]);
    top[-3] = (weft_cell)(uint64_t)number;
    top[-2] = (weft_cell)(uint64_t)(number >> 64);
    top[-1] = (weft_cell)(address + n);
    top[0] = (weft_cell)(length - n);
    weft_charge(unit, n);
    return n == chunk && n < length ? WEFT_REDO : WEFT_NEXT;
}

// Writes a number's digits backwards, ending at `end`. Answers where they begin.
static char *digits(char *end, weft_udcell number, unsigned base)
{
    do {
        *--end = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(unsigned)(number % base)];
        number /= base;
    } while (number != 0);
    return end;
}

static int32_t print(struct weft_unit *unit, weft_udcell number, bool negative, weft_cell width,
                     bool blank)
{
    const weft_cell base = weft_variable(unit->block, WEFT_VARIABLE_BASE);
    if (!base_valid(base)) return -262;
    char buffer[132];
    char *const end = buffer + sizeof(buffer) - 1;
    char *start = digits(end, number, (unsigned)base);
    if (negative) *--start = '-';
    weft_cell spaces = width - (end - start);
    if (spaces > WEFT_CHUNK_BYTES) spaces = WEFT_CHUNK_BYTES;
    for (; spaces > 0; spaces--)
        weft_output(unit, " ", 1);
    *end = ' ';
    weft_output(unit, start, (size_t)(end - start) + blank);
    return 0;
}

static int32_t print_signed(struct weft_unit *unit, weft_dcell number, weft_cell width, bool blank)
{
    const weft_udcell size = number < 0 ? -(weft_udcell)number : (weft_udcell)number;
    return print(unit, size, number < 0, width, blank);
}

static weft_dcell pop_double(struct weft_block *block)
{
    const uint64_t high = (uint64_t)weft_pop(block);
    return (weft_dcell)((weft_udcell)high << 64 | (uint64_t)weft_pop(block));
}

int32_t weft_op_dot(struct weft_unit *unit)
{
    return print_signed(unit, weft_pop(unit->block), 0, true);
}

int32_t weft_op_u_dot(struct weft_unit *unit)
{
    return print(unit, (uint64_t)weft_pop(unit->block), false, 0, true);
}

int32_t weft_op_d_dot(struct weft_unit *unit)
{
    return print_signed(unit, pop_double(unit->block), 0, true);
}

int32_t weft_op_dot_r(struct weft_unit *unit)
{
    const weft_cell width = weft_pop(unit->block);
    return print_signed(unit, weft_pop(unit->block), width, false);
}

int32_t weft_op_u_dot_r(struct weft_unit *unit)
{
    const weft_cell width = weft_pop(unit->block);
    return print(unit, (uint64_t)weft_pop(unit->block), false, width, false);
}

int32_t weft_op_d_dot_r(struct weft_unit *unit)
{
    const weft_cell width = weft_pop(unit->block);
    return print_signed(unit, pop_double(unit->block), width, false);
}

int32_t weft_op_dot_s(struct weft_unit *unit)
{
    const uint32_t depth = unit->block->dsp - unit->block->dbase;
    char text[32];
    weft_output(unit, text, (size_t)snprintf(text, sizeof(text), "<%u> ", depth));
    const uint32_t shown = depth < 64 ? depth : 64; // The topmost ones.
    int32_t code = 0;
    for (uint32_t n = shown; n > 0 && code == 0; n--)
        code = print_signed(unit, weft_data_stack(unit->block)[unit->block->dsp - n + 1], 0, true);
    return code;
}

// Pictured output: characters grow down from the end of the hold buffer.
static int32_t hold(struct weft_unit *unit, const char *text, uint64_t length)
{
    char copy[WEFT_HOLD_BYTES];
    if (length > WEFT_HOLD_BYTES - (uint32_t)unit->block->hold) return -17;
    memcpy(copy, text, length);
    const int32_t code = weft_scratch(unit);
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    block->hold += (uint32_t)length;
    memcpy((char *)weft_segment_base(block, WEFT_SEGMENT_SCRATCH) + WEFT_SCRATCH_HOLD +
               WEFT_HOLD_BYTES - block->hold,
           copy, length);
    return 0;
}

int32_t weft_op_less_sharp(struct weft_unit *unit)
{
    unit->block->hold = 0;
    return 0;
}

static int32_t sharp(struct weft_unit *unit, bool all)
{
    const weft_cell base = weft_variable(unit->block, WEFT_VARIABLE_BASE);
    if (!base_valid(base)) return -262;
    weft_udcell number = (weft_udcell)pop_double(unit->block);
    int32_t code;
    do {
        char digit;
        digits(&digit + 1, number % (unsigned)base, (unsigned)base);
        number /= (unsigned)base;
        code = hold(unit, &digit, 1);
    } while (all && number != 0 && code == 0);
    weft_push(unit->block, (weft_cell)(uint64_t)number);
    weft_push(unit->block, (weft_cell)(uint64_t)(number >> 64));
    return code;
}

int32_t weft_op_sharp(struct weft_unit *unit)
{
    return sharp(unit, false);
}

int32_t weft_op_sharp_s(struct weft_unit *unit)
{
    return sharp(unit, true);
}

int32_t weft_op_hold(struct weft_unit *unit)
{
    const char c = (char)weft_pop(unit->block);
    return hold(unit, &c, 1);
}

int32_t weft_op_holds(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const char *text = weft_address_read(unit, (uint64_t)weft_pop(unit->block), length);
    return text == NULL ? -9 : hold(unit, text, length);
}

int32_t weft_op_sign(struct weft_unit *unit)
{
    return weft_pop(unit->block) < 0 ? hold(unit, "-", 1) : 0;
}

int32_t weft_op_sharp_greater(struct weft_unit *unit)
{
    const int32_t code = weft_scratch(unit);
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    block->dsp -= 2;
    weft_push(block, WEFT_ADDRESS_SCRATCH + WEFT_SCRATCH_HOLD + WEFT_HOLD_BYTES - block->hold);
    weft_push(block, block->hold);
    return 0;
}
