// words_key.c: the words that ask the user's keyboard: characters, events, and whether there are
// any.
#include "forth/inner.h"
#include "forth/keys.h"
#include "forth/ops.h"

int32_t weft_op_key(struct weft_unit *unit)
{
    if (unit->host->key == NULL) return -21;
    const int32_t key = unit->host->key(unit->self);
    if (key == -1) return WEFT_PARK;
    if (key < 0) return -39;
    weft_push(unit->block, key);
    return WEFT_NEXT;
}

// EKEY ( -- x )
int32_t weft_op_ekey(struct weft_unit *unit)
{
    if (unit->host->ekey == NULL) return -21;
    const int32_t event = unit->host->ekey(unit->self);
    if (event == -1) return WEFT_PARK;
    if (event < 0) return -39;
    weft_push(unit->block, event);
    return WEFT_NEXT;
}

static int32_t ask(struct weft_unit *unit, enum weft_unit_keys kind)
{
    if (unit->host->key_waits == NULL) return -21;
    weft_push(unit->block, weft_flag(unit->host->key_waits(unit->self, kind)));
    unit->budget--;
    return WEFT_NEXT;
}

// KEY? ( -- flag )
int32_t weft_op_key_ready(struct weft_unit *unit)
{
    return ask(unit, WEFT_UNIT_KEYS_CHARACTER);
}

// XKEY? ( -- flag )
int32_t weft_op_xkey_ready(struct weft_unit *unit)
{
    return ask(unit, WEFT_UNIT_KEYS_XCHARACTER);
}

// EKEY? ( -- flag )
int32_t weft_op_ekey_ready(struct weft_unit *unit)
{
    return ask(unit, WEFT_UNIT_KEYS_EVENT);
}
