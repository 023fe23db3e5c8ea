// words_share.c: definitions and texts for other units.
#include <stdio.h>

#include "forth/compile.h"
#include "forth/dictionary.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/origin.h"

#define PEERS_MAX 64

// What defines it, into `to`. Its length; 0: there is no such text.
static uint32_t define(const struct weft_unit *unit, uint32_t own_index, char *to, size_t size)
{
    const struct weft_word *word = weft_own_word(unit, own_index);
    const uint32_t index = weft_shared_words(unit) + own_index;
    const char *name = weft_word_name(unit, index);
    const void *body = weft_address_read(unit, word->body, WEFT_CELL_BYTES);
    uint32_t text_length = 0;
    int length = 0;
    if (word->kind == WEFT_WORD_COLON || word->kind == WEFT_WORD_CODE) {
        const char *text = weft_origin_of(unit, own_index, &text_length);
        if (text != NULL)
            length = snprintf(to, size, "%s %.*s%s", word->kind == WEFT_WORD_CODE ? "CODE" : ":",
                              (int)text_length, text,
                              word->flags & WEFT_WORD_IMMEDIATE ? " IMMEDIATE" : "");
    } else if (word->kind == WEFT_WORD_CONSTANT) {
        length = snprintf(to, size, "%lld CONSTANT %.*s", (long long)weft_word_literal(unit, index),
                          word->name_length, name);
    } else if (word->kind == WEFT_WORD_VALUE && body != NULL) {
        length = snprintf(to, size, "%lld VALUE %.*s", (long long)weft_cell_get(body),
                          word->name_length, name);
    }
    return length > 0 && (size_t)length < size ? (uint32_t)length : 0;
}

// SOURCE-OF ( xt -- c-addr u ): until the next SOURCE-OF or SANDBOX; u is 0 if there is none.
int32_t weft_op_source_of(struct weft_unit *unit)
{
    const size_t size = WEFT_ORIGIN_BYTES_MAX + 64;
    const uint64_t index = (uint64_t)*weft_top(unit->block) - 1;
    const uint32_t shared = weft_shared_words(unit);
    if (weft_word_at(unit, index) == NULL) return -13;
    const int32_t code = weft_segment_grow(unit, WEFT_SEGMENT_RESULT, size);
    if (code != 0) return code;
    char *to = weft_segment_base(unit->block, WEFT_SEGMENT_RESULT);
    const uint32_t length = index < shared ? 0 : define(unit, (uint32_t)(index - shared), to, size);
    unit->block->segment[WEFT_SEGMENT_RESULT].used = length;
    *weft_top(unit->block) = WEFT_ADDRESS_RESULT;
    weft_push(unit->block, length);
    weft_charge(unit, length);
    return WEFT_NEXT;
}

// The text ( c-addr u ) under `above` cells. NULL: *code says why.
static const char *text_under(struct weft_unit *unit, uint32_t above, uint64_t *length,
                              int32_t *code)
{
    const weft_cell *at = weft_top(unit->block) - above - 1;
    *length = (uint64_t)at[1];
    *code = *length == 0 ? -32 : -9;
    if (*length == 0) return NULL;
    weft_charge(unit, *length < UINT32_MAX ? *length : 0);
    return weft_address_read(unit, (uint64_t)at[0], *length);
}

// SHARE-TEXT ( c-addr u flag -- ): to be evaluated by all siblings; true: by the units of all other
// nodes that learn from there.
int32_t weft_op_share_text(struct weft_unit *unit)
{
    uint64_t length;
    int32_t code;
    if (unit->host->share == NULL) return -21;
    const char *text = text_under(unit, 1, &length, &code);
    if (text == NULL) return code;
    code = unit->host->share(unit->self, text, length, *weft_top(unit->block) != 0);
    if (code == 0) unit->block->dsp -= 3;
    return code;
}

// GOAL ( c-addr u -- pid ): to be evaluated by the least busy sibling.
int32_t weft_op_goal(struct weft_unit *unit)
{
    uint64_t length, pid;
    int32_t code;
    if (unit->host->goal == NULL) return -21;
    const char *text = text_under(unit, 0, &length, &code);
    if (text == NULL) return code;
    code = unit->host->goal(unit->self, text, length, &pid);
    if (code != 0) return code;
    unit->block->dsp -= 2;
    weft_push(unit->block, (weft_cell)pid);
    return WEFT_NEXT;
}

// PEERS ( -- id1 … idn n ): at most 64.
int32_t weft_op_peers(struct weft_unit *unit)
{
    uint64_t ids[PEERS_MAX];
    if (unit->host->peers == NULL) return -21;
    const int32_t code = weft_data_room(unit, PEERS_MAX + 1);
    if (code != 0) return code;
    const uint32_t count = unit->host->peers(unit->self, ids, PEERS_MAX);
    for (uint32_t n = 0; n < count; n++)
        weft_push(unit->block, (weft_cell)ids[n]);
    weft_push(unit->block, count);
    return WEFT_NEXT;
}

// LEARNS ( u -- ): from nobody (0), siblings (1, as it is born), other nodes too (2).
int32_t weft_op_learns(struct weft_unit *unit)
{
    const weft_cell from = *weft_top(unit->block);
    if (unit->host->learns == NULL) return -21;
    if (from < WEFT_UNIT_TEACHERS_NOBODY || from > WEFT_UNIT_TEACHERS_ALL) return -24;
    unit->host->learns(unit->self, (enum weft_unit_teachers)from);
    unit->block->dsp--;
    return WEFT_NEXT;
}
