// words_search.c: word lists, the search order, and names as tokens (an nt is a word's number, like
// its xt; a synonym has an nt of its own and the xt of what it stands for).
#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/outer.h"

// Headers that one run of (NEXT-NAME) looks at.
enum { NAMES_CHUNK = 1024 };

// The word list of a wid; false if there is none of that number.
static bool list_of(const struct weft_unit *unit, weft_cell wid, uint8_t *list)
{
    const weft_cell own = 1 + (weft_cell)unit->block->order.lists;
    *list = (uint8_t)(wid - 1);
    return (wid >= 1 && wid <= own) || wid == 1 + WEFT_LIST_EDITOR ||
           wid == 1 + WEFT_LIST_ASSEMBLER || wid == 1 + WEFT_LIST_SUBSTITUTIONS ||
           (wid == 1 + WEFT_LIST_PRIVATE && unit->building);
}

// The same, of one that may stand in a search order, and where definitions may go.
static bool order_list_of(const struct weft_unit *unit, weft_cell wid, uint8_t *list)
{
    return wid != 1 + WEFT_LIST_SUBSTITUTIONS && list_of(unit, wid, list);
}

// ( -- widn ... wid1 n )
int32_t weft_op_get_order(struct weft_unit *unit)
{
    const uint32_t count = unit->block->order.count;
    if (unit->block->dsp + count + 1 > unit->options.stack_cells_max) return -3;
    const int32_t code = weft_data_room(unit, count + 1);
    if (code != 0) return code;
    for (uint32_t n = count; n-- > 0;)
        weft_push(unit->block, 1 + (weft_cell)unit->block->order.list[n]);
    weft_push(unit->block, count);
    return WEFT_NEXT;
}

// ( widn ... wid1 n -- ): -1 is ONLY.
int32_t weft_op_set_order(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    const weft_cell count = weft_pop(block);
    if (count == -1) {
        weft_order_reset(block);
        return WEFT_NEXT;
    }
    if (count < 0 || count > WEFT_ORDER_MAX) return -49;
    if (count > (weft_cell)(block->dsp - block->dbase)) return -4;
    struct weft_order order = block->order;
    order.count = (uint8_t)count;
    for (weft_cell n = 0; n < count; n++) {
        if (!order_list_of(unit, weft_top(block)[-n], &order.list[n])) return -24;
    }
    block->dsp -= (uint32_t)count;
    block->order = order;
    return WEFT_NEXT;
}

int32_t weft_op_get_current(struct weft_unit *unit)
{
    weft_push(unit->block, 1 + (weft_cell)unit->block->order.current);
    return WEFT_NEXT;
}

int32_t weft_op_set_current(struct weft_unit *unit)
{
    uint8_t list;
    if (!order_list_of(unit, weft_pop(unit->block), &list)) return -24;
    unit->block->order.current = list;
    return WEFT_NEXT;
}

// ( -- wid )
int32_t weft_op_wordlist(struct weft_unit *unit)
{
    struct weft_order *order = &unit->block->order;
    if (order->lists + 1 >= WEFT_LISTS_MAX) return -8;
    order->lists++;
    weft_push(unit->block, 1 + (weft_cell)order->lists);
    return WEFT_NEXT;
}

// ( c-addr u wid -- 0 | xt 1 | xt -1 )
int32_t weft_op_search_wordlist(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    uint8_t list;
    if (!list_of(unit, weft_pop(block), &list)) return -24;
    const uint64_t length = (uint64_t)weft_pop(block);
    const char *name = weft_address_read(unit, (uint64_t)weft_pop(block), length);
    if (name == NULL && length != 0) return -9;
    const uint32_t found = length > WEFT_NAME_BYTES_MAX
                               ? WEFT_WORD_NONE
                               : weft_find_in(unit, list, name, (uint32_t)length);
    const uint32_t index = weft_word_meant(unit, found);
    if (index == WEFT_WORD_NONE) {
        weft_push(block, 0);
        return WEFT_NEXT;
    }
    weft_push(block, (weft_cell)index + 1);
    weft_push(block, weft_word_at(unit, index)->flags & WEFT_WORD_IMMEDIATE ? 1 : -1);
    return WEFT_NEXT;
}

// SYNONYM ( "new" "old" -- ): both names are read before anything is made.
int32_t weft_op_synonym(struct weft_unit *unit)
{
    uint32_t address, length, old_address, old_length;
    if (unit->block->definition != 0) return -29;
    const weft_cell in = weft_variable(unit->block, WEFT_VARIABLE_IN);
    int32_t code = weft_parse_name(unit, &address, &length);
    if (code != WEFT_NEXT) return code;
    code = weft_parse_name(unit, &old_address, &old_length);
    if (code == WEFT_REDO) weft_variable_set(unit->block, WEFT_VARIABLE_IN, in);
    if (code == WEFT_REDO) return -18; // A stretch of blanks longer than any name.
    if (code != WEFT_NEXT) return code;
    if (length == 0 || old_length == 0) return -16;
    const uint32_t meant =
        weft_find(unit, weft_address_read(unit, old_address, old_length), old_length);
    if (meant == WEFT_WORD_NONE) return -13;
    const int32_t index =
        weft_word_add(unit, WEFT_WORD_SYNONYM, weft_address_read(unit, address, length), length);
    if (index < 0) return index;
    struct weft_word *word = weft_own_word_open(unit, (uint32_t)index);
    word->body = meant;
    weft_word_reveal(unit, (uint32_t)index);
    return WEFT_NEXT;
}

// (NEXT-NAME) ( nt|0 wid -- nt|0 ): the name of that word list that is older than `nt`; of 0, the
// newest.
int32_t weft_op_next_name(struct weft_unit *unit)
{
    weft_cell *at = weft_top(unit->block) - 1;
    const uint32_t count = weft_shared_words(unit) + weft_own_words(unit->block);
    uint8_t list;
    if (!list_of(unit, at[1], &list)) return -24;
    uint32_t n = at[0] < 1 || at[0] > (weft_cell)count ? count : (uint32_t)at[0] - 1;
    for (uint32_t looked = 0; n-- > 0; looked++) {
        const struct weft_word *word = weft_word_at(unit, n);
        const bool found = word->list == list && word->flags & WEFT_WORD_VISIBLE;
        if (!found && looked < NAMES_CHUNK) continue;
        at[0] = (weft_cell)n + 1;
        unit->budget -= (int32_t)(looked / 16);
        if (!found) return WEFT_REDO;
        unit->block->dsp--;
        return WEFT_NEXT;
    }
    at[0] = 0;
    unit->block->dsp--;
    return WEFT_NEXT;
}

// The index of the name token on top; WEFT_WORD_NONE if it is none.
static uint32_t named(const struct weft_unit *unit)
{
    const uint64_t index = (uint64_t)*weft_top(unit->block) - 1;
    return weft_word_at(unit, index) == NULL ? WEFT_WORD_NONE : (uint32_t)index;
}

// ( nt -- c-addr u ): in a buffer that the next NAME>STRING uses again.
int32_t weft_op_name_string(struct weft_unit *unit)
{
    const uint32_t index = named(unit);
    if (index == WEFT_WORD_NONE) return -24;
    const int32_t code = weft_scratch(unit);
    if (code != 0) return code;
    const uint32_t length = weft_word_at(unit, index)->name_length;
    memcpy((char *)weft_segment_base(unit->block, WEFT_SEGMENT_SCRATCH) + WEFT_SCRATCH_NAME,
           weft_word_name(unit, index), length);
    *weft_top(unit->block) = WEFT_ADDRESS_SCRATCH + WEFT_SCRATCH_NAME;
    weft_push(unit->block, length);
    return WEFT_NEXT;
}

// ( nt -- xt|0 )
int32_t weft_op_name_interpret(struct weft_unit *unit)
{
    const uint32_t index = weft_word_meant(unit, named(unit));
    if (index == WEFT_WORD_NONE) return -24;
    const bool none = weft_word_at(unit, index)->flags & WEFT_WORD_COMPILE_ONLY;
    *weft_top(unit->block) = none ? 0 : (weft_cell)index + 1;
    return WEFT_NEXT;
}

// ( nt -- x xt ): EXECUTE of xt does with x what compiling the name would do.
int32_t weft_op_name_compile(struct weft_unit *unit)
{
    const uint32_t index = weft_word_meant(unit, named(unit));
    if (index == WEFT_WORD_NONE) return -24;
    const uint8_t flags = weft_word_at(unit, index)->flags;
    const char *how = flags & WEFT_WORD_SMART       ? "(COMPILING)"
                      : flags & WEFT_WORD_IMMEDIATE ? "EXECUTE"
                                                    : "COMPILE,";
    *weft_top(unit->block) = (weft_cell)index + 1;
    weft_push(unit->block, (weft_cell)weft_find_shared(unit, how) + 1);
    return WEFT_NEXT;
}

// N>R ( i*n +n -- ) ( R: -- j*x +n )
int32_t weft_op_n_to_r(struct weft_unit *unit)
{
    const uint64_t count = (uint64_t)*weft_top(unit->block);
    if (count >= unit->block->dsp - unit->block->dbase) return -4;
    const int32_t code = weft_return_room(unit, (uint32_t)count + 1);
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    block->dsp -= (uint32_t)count + 1;
    memcpy(weft_return_stack(block) + block->rsp, weft_top(block) + 1,
           (count + 1) * sizeof(weft_cell));
    block->rsp += (uint32_t)count + 1;
    weft_charge(unit, count * sizeof(weft_cell));
    return WEFT_NEXT;
}

// NR> ( -- i*x +n ) ( R: j*x +n -- )
int32_t weft_op_n_r_from(struct weft_unit *unit)
{
    struct weft_block *block = unit->block;
    if (block->rsp == block->rbase) return -6;
    const uint64_t count = (uint64_t)weft_return_stack(block)[block->rsp - 1];
    if (count >= block->rsp - block->rbase) return -6;
    if (block->dsp + count + 1 > unit->options.stack_cells_max) return -3;
    const int32_t code = weft_data_room(unit, (uint32_t)count + 1);
    if (code != 0) return code;
    block = unit->block;
    block->rsp -= (uint32_t)count + 1;
    memcpy(weft_top(block) + 1, weft_return_stack(block) + block->rsp,
           (count + 1) * sizeof(weft_cell));
    block->dsp += (uint32_t)count + 1;
    weft_charge(unit, count * sizeof(weft_cell));
    return WEFT_NEXT;
}
