// words_core.c: control of the interpreter, data space, and arithmetic in double cells.
#include "forth/compile.h"
#include "forth/inner.h"
#include "forth/level.h"
#include "forth/module.h"
#include "forth/ops.h"
#include "forth/outer.h"
#include "forth/throw.h"

// The end of a text's code: the level is done.
int32_t weft_op_stop(struct weft_unit *unit)
{
    weft_level_end(unit, false);
    return WEFT_HALT;
}

int32_t weft_op_quit(struct weft_unit *unit)
{
    weft_definition_abandon(unit);
    weft_variable_set(unit->block, WEFT_VARIABLE_STATE, WEFT_FALSE);
    weft_level_end(unit, false);
    return WEFT_HALT;
}

int32_t weft_op_bye(struct weft_unit *unit)
{
    unit->block->status = WEFT_STATUS_BYE;
    return WEFT_HALT;
}

int32_t weft_op_yield(struct weft_unit *unit)
{
    (void)unit;
    return WEFT_GIVE;
}

static uint64_t entry(uint32_t low, uint32_t high)
{
    return (low | WEFT_CODE_SPECIAL) | (uint64_t)high << 32;
}

// CATCH is [catch catch_end exit]. The frame below the call keeps the heights to come back to.
int32_t weft_op_catch(struct weft_unit *unit)
{
    const int32_t code = weft_call_room(unit, WEFT_CATCH_ENTRIES + 1);
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    const uint64_t xt = (uint64_t)weft_pop(block);
    const uint32_t back = block->ip;
    uint64_t *frame = weft_calls(block) + block->csp;
    frame[0] = entry(block->handler, block->dsp);
    frame[1] = entry(weft_source_count(block), block->rsp);
    frame[2] = entry(block->definition != 0, block->fsp);
    block->csp += WEFT_CATCH_ENTRIES;
    block->handler = block->csp;
    const int32_t entered = weft_enter(unit, xt - 1, back);
    return entered != 0 ? entered : WEFT_JUMP;
}

int32_t weft_op_catch_end(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    if (block->handler != block->csp || block->csp < block->level_csp + WEFT_CATCH_ENTRIES)
        return -25;
    block->csp -= WEFT_CATCH_ENTRIES;
    const uint32_t previous = (uint32_t)weft_calls(block)[block->csp] & ~WEFT_CODE_SPECIAL;
    if (previous != 0 && (previous <= block->level_csp || previous > block->csp)) return -25;
    block->handler = previous;
    weft_push(block, 0);
    return WEFT_NEXT;
}

int32_t weft_op_throw(struct weft_unit *unit)
{
    const weft_cell code = weft_pop(unit->block);
    if (code == 0) return WEFT_NEXT;
    if (code < 0 && code >= INT32_MIN) return (int32_t)code;
    // Codes that are not negative are the program's own; answers of operations are not.
    if (!weft_throw(unit, code > INT32_MAX || code < 0 ? -24 : (int32_t)code)) return WEFT_JUMP;
    return WEFT_FAULTED;
}

int32_t weft_op_abort(struct weft_unit *unit)
{
    (void)unit;
    return -1;
}

// ( flag c-addr u -- )
int32_t weft_op_abort_text(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const weft_cell length = weft_pop(block), address = weft_pop(block);
    if (weft_pop(block) == 0) return WEFT_NEXT;
    block->abort_address = (uint32_t)address;
    block->abort_length = (uint32_t)(length < 255 ? length : 255);
    return -2;
}

int32_t weft_op_roll(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const uint64_t count = (uint64_t)weft_pop(block);
    if (count >= block->dsp - block->dbase) return -4;
    weft_cell *top = weft_top(block);
    const weft_cell chosen = top[-(int64_t)count];
    memmove(top - count, top - count + 1, count * sizeof(*top));
    *top = chosen;
    weft_charge(unit, count * sizeof(*top));
    return WEFT_NEXT;
}

int32_t weft_op_here(struct weft_unit *unit)
{
    weft_push(unit->block, (weft_cell)weft_here(unit));
    return WEFT_NEXT;
}

int32_t weft_op_allot(struct weft_unit *unit)
{
    return weft_allot(unit, weft_pop(unit->block));
}

int32_t weft_op_comma(struct weft_unit *unit)
{
    const weft_cell value = weft_pop(unit->block);
    return weft_data_append(unit, &value, sizeof(value));
}

int32_t weft_op_c_comma(struct weft_unit *unit)
{
    const uint8_t value = (uint8_t)weft_pop(unit->block);
    return weft_data_append(unit, &value, 1);
}

int32_t weft_op_align(struct weft_unit *unit)
{
    return weft_allot(unit, (weft_cell)(-unit->block->segment[WEFT_SEGMENT_DATA].used & 7));
}

int32_t weft_op_unused(struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    const uint64_t max = unit->options.memory_bytes_max;
    const uint64_t bytes = (uint64_t)block->bytes + weft_word_module_charge(unit->module);
    const uint32_t idle =
        weft_segment_capacity(block, WEFT_SEGMENT_DATA) - block->segment[WEFT_SEGMENT_DATA].used;
    weft_push(unit->block, (weft_cell)(max > bytes ? max - bytes : 0) + idle);
    return WEFT_NEXT;
}

static weft_udcell udouble(const weft_cell *low)
{
    return (uint64_t)low[0] | (weft_udcell)(uint64_t)low[1] << 64;
}

static void put_double(weft_cell *low, weft_udcell value)
{
    low[0] = (weft_cell)(uint64_t)value;
    low[1] = (weft_cell)(uint64_t)(value >> 64);
}

// Drops `cells` and gives the place of the first result cell, which is there already.
static weft_cell *result_at(struct weft_unit *unit, uint32_t cells, uint32_t below)
{
    unit->block->dsp -= cells;
    return weft_top(unit->block) - below;
}

// dividend / divisor into 64 bits: -10 by zero, -11 where the quotient does not fit.
static int32_t divide(weft_dcell dividend, weft_cell divisor, bool floored, weft_cell *quotient,
                      weft_cell *remainder)
{
    if (divisor == 0) return -10;
    if (divisor == -1 && dividend == (weft_dcell)((weft_udcell)1 << 127)) return -11;
    weft_dcell q = dividend / divisor, r = dividend % divisor;
    if (floored && r != 0 && (r < 0) != (divisor < 0)) {
        q--;
        r += divisor;
    }
    if (q != (weft_cell)q) return -11;
    *quotient = (weft_cell)q;
    *remainder = (weft_cell)r;
    return 0;
}

int32_t weft_op_star_slash(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 2, rest;
    const int32_t code = divide((weft_dcell)at[0] * at[1], at[2], true, &at[0], &rest);
    unit->block->dsp -= 2;
    return code;
}

int32_t weft_op_star_slash_mod(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 2;
    const weft_dcell product = (weft_dcell)at[0] * at[1];
    const int32_t code = divide(product, at[2], true, &at[1], &at[0]);
    unit->block->dsp--;
    return code;
}

int32_t weft_op_m_star(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 1;
    put_double(at, (weft_udcell)((weft_dcell)at[0] * at[1]));
    return WEFT_NEXT;
}

int32_t weft_op_um_star(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 1;
    put_double(at, (weft_udcell)(uint64_t)at[0] * (uint64_t)at[1]);
    return WEFT_NEXT;
}

int32_t weft_op_um_div_mod(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 2;
    const weft_udcell dividend = udouble(at);
    const uint64_t divisor = (uint64_t)at[2];
    if (divisor == 0) return -10;
    if (dividend / divisor > UINT64_MAX) return -11;
    at[0] = (weft_cell)(uint64_t)(dividend % divisor);
    at[1] = (weft_cell)(uint64_t)(dividend / divisor);
    unit->block->dsp--;
    return WEFT_NEXT;
}

static int32_t divide_double(struct weft_unit *unit, bool floored)
{
    weft_cell *at = weft_top(unit->block) - 2;
    const int32_t code = divide((weft_dcell)udouble(at), at[2], floored, &at[1], &at[0]);
    unit->block->dsp--;
    return code;
}

int32_t weft_op_fm_div_mod(struct weft_unit *unit)
{
    return divide_double(unit, true);
}

int32_t weft_op_sm_div_rem(struct weft_unit *unit)
{
    return divide_double(unit, false);
}

int32_t weft_op_d_add(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 2, 1);
    put_double(at, udouble(at) + udouble(at + 2));
    return WEFT_NEXT;
}

int32_t weft_op_d_sub(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 2, 1);
    put_double(at, udouble(at) - udouble(at + 2));
    return WEFT_NEXT;
}

int32_t weft_op_d_negate(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 0, 1);
    put_double(at, -udouble(at));
    return WEFT_NEXT;
}

int32_t weft_op_d_abs(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 0, 1);
    if (at[1] < 0) put_double(at, -udouble(at));
    return WEFT_NEXT;
}

int32_t weft_op_m_add(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 1, 1);
    put_double(at, udouble(at) + (weft_udcell)(weft_dcell)at[2]);
    return WEFT_NEXT;
}

int32_t weft_op_d_less(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 3, 0);
    at[0] = weft_flag((weft_dcell)udouble(at) < (weft_dcell)udouble(at + 2));
    return WEFT_NEXT;
}

int32_t weft_op_du_less(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 3, 0);
    at[0] = weft_flag(udouble(at) < udouble(at + 2));
    return WEFT_NEXT;
}

int32_t weft_op_d_equal(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 3, 0);
    at[0] = weft_flag(udouble(at) == udouble(at + 2));
    return WEFT_NEXT;
}

int32_t weft_op_d_two_mul(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 0, 1);
    put_double(at, udouble(at) << 1);
    return WEFT_NEXT;
}

int32_t weft_op_d_two_div(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 0, 1);
    put_double(at, (weft_udcell)((weft_dcell)udouble(at) >> 1));
    return WEFT_NEXT;
}

// M*/ ( d1 n1 +n2 -- d2 ): the product has three cells.
int32_t weft_op_m_star_slash(struct weft_unit *unit)
{
    weft_cell *at = result_at(unit, 2, 1);
    const weft_dcell d = (weft_dcell)udouble(at);
    const weft_cell n = at[2], divisor = at[3];
    if (divisor <= 0) return divisor == 0 ? -10 : -24;
    const bool negative = (d < 0) != (n < 0);
    const weft_udcell size = d < 0 ? -(weft_udcell)d : (weft_udcell)d;
    const uint64_t factor = n < 0 ? -(uint64_t)n : (uint64_t)n, by = (uint64_t)divisor;

    const weft_udcell low = (weft_udcell)(uint64_t)size * factor;
    const weft_udcell high = (weft_udcell)(uint64_t)(size >> 64) * factor + (uint64_t)(low >> 64);
    const weft_udcell first = high / by;
    const weft_udcell rest = (high % by) << 64 | (uint64_t)low;
    weft_udcell quotient = first << 64 | (uint64_t)(rest / by);
    if (negative && rest % by != 0) quotient++; // Floored.
    const weft_udcell largest = (~(weft_udcell)0 >> 1) + negative;
    if (first >> 64 != 0 || quotient > largest) return -11;
    put_double(at, negative ? -quotient : quotient);
    return WEFT_NEXT;
}
