#include "forth/sandbox.h"

#include <stdio.h>

#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/unit_internal.h"

void weft_sandbox_drop(struct weft_unit *unit)
{
    if (unit->child != NULL) weft_unit_free(unit->child);
    unit->child = NULL;
    unit->child_done = false;
}

static int32_t start(struct weft_unit *unit, uint64_t address, uint64_t length, uint64_t reductions)
{
    if (unit->is_child) return -21; // A sandbox within a sandbox.
    const char *text = weft_address_read(unit, address, length);
    if (text == NULL && length != 0) return -9;
    struct weft_unit *child = weft_unit_clone(unit);
    if (child == NULL) return WEFT_THROW_MEMORY;
    child->is_child = true;
    weft_unit_reset(child);
    // Even the definition that the parent has open, if SANDBOX runs inside [ ].
    child->block->dsp = child->block->rsp = child->block->fsp = 0;
    child->block->segment[WEFT_SEGMENT_OUTPUT].used = 0;
    child->block->output_dropped = 0;
    const int code = weft_unit_interpret(child, "sandbox", length == 0 ? "" : text, length);
    if (code != 0) {
        weft_unit_free(child);
        return WEFT_THROW_MEMORY;
    }
    const uint64_t max = unit->options.sandbox_reductions_max;
    unit->child = child;
    unit->child_budget = reductions < max ? reductions : max;
    unit->child_done = unit->child_budget == 0;
    unit->child_ior = unit->child_done ? WEFT_THROW_REDUCTIONS : 0;
    weft_charge(unit, unit->block->bytes);
    return WEFT_CHILD;
}

bool weft_sandbox_run(struct weft_unit *unit)
{
    struct weft_unit *child = unit->child;
    if (unit->child_done) return true;
    const int64_t slice =
        unit->budget < (int64_t)unit->child_budget ? unit->budget : (int64_t)unit->child_budget;
    child->budget = (int32_t)(slice > 0 ? slice : 1);
    const int32_t given = child->budget;
    const int outcome = weft_inner(child);
    const int64_t spent = given - child->budget;
    unit->budget -= (int32_t)spent;
    child->block->reductions += (uint64_t)(spent > 0 ? spent : 0);
    unit->child_budget -= spent > 0 && (uint64_t)spent < unit->child_budget
                              ? (uint64_t)spent
                              : unit->child_budget * (spent > 0);
    switch (outcome) {
    case WEFT_HALT: unit->child_ior = 0; break;
    case WEFT_FAULTED:
        unit->child_ior = child->error != NULL ? child->error->code : WEFT_THROW_MEMORY;
        break;
    case WEFT_GIVE:
        if (unit->child_budget > 0) return false;
        unit->child_ior = WEFT_THROW_REDUCTIONS;
        break;
    default: unit->child_ior = -21; break; // Nothing there can park.
    }
    unit->child_done = true;
    return true;
}

// What the child leaves: its output, or the text of its error.
static int32_t collect(struct weft_unit *unit)
{
    struct weft_unit *child = unit->child;
    const void *from = weft_segment_base(child->block, WEFT_SEGMENT_OUTPUT);
    size_t length = child->block->segment[WEFT_SEGMENT_OUTPUT].used;
    char text[160];
    if (unit->child_ior != 0) {
        const bool told = child->error != NULL && unit->child_ior == child->error->code;
        length =
            (size_t)snprintf(text, sizeof(text), "error: %s (THROW %d)",
                             told ? child->error->message : weft_forth_throw_text(unit->child_ior),
                             (int)unit->child_ior);
        if (length >= sizeof(text)) length = sizeof(text) - 1;
        from = text;
    }
    const int32_t code = weft_segment_grow(unit, WEFT_SEGMENT_RESULT, length);
    if (code == 0) {
        unit->block->segment[WEFT_SEGMENT_RESULT].used = (uint32_t)length;
        memcpy(weft_segment_base(unit->block, WEFT_SEGMENT_RESULT), from, length);
        unit->block->dsp -= 3;
        weft_push(unit->block, WEFT_ADDRESS_RESULT);
        weft_push(unit->block, (weft_cell)length);
        weft_push(unit->block, unit->child_ior);
        weft_charge(unit, length);
    }
    weft_sandbox_drop(unit);
    return code;
}

// SANDBOX ( c-addr u reductions -- c-addr2 u2 ior )
int32_t weft_op_sandbox(struct weft_unit *unit)
{
    if (unit->child != NULL) return unit->child_done ? collect(unit) : WEFT_CHILD;
    const weft_cell *at = weft_top(unit->block) - 2;
    return start(unit, (uint64_t)at[0], (uint64_t)at[1], at[2] < 0 ? 0 : (uint64_t)at[2]);
}
