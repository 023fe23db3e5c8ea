#include "forth/sandbox.h"

#include <stdio.h>

#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/unit_internal.h"

void weft_sandbox_drop(struct weft_unit *unit)
{
    struct weft_sandbox *sandbox = unit->sandbox;
    if (sandbox == NULL) return;
    weft_unit_free(sandbox->unit);
    unit->memory.resize(unit->memory.self, sandbox, sizeof(*sandbox), 0);
    unit->sandbox = NULL;
}

struct weft_sandbox *weft_sandbox_new(struct weft_unit *unit, struct weft_unit *child,
                                      uint64_t reductions)
{
    struct weft_sandbox *sandbox =
        unit->memory.resize(unit->memory.self, NULL, 0, sizeof(*sandbox));
    if (sandbox == NULL) return NULL;
    // Whoever says so: the program, or an image.
    const uint64_t max = unit->options.sandbox_reductions_max;
    if (reductions > max) reductions = max;
    *sandbox = (struct weft_sandbox){.unit = child, .budget = reductions, .done = reductions == 0};
    sandbox->ior = sandbox->done ? WEFT_THROW_REDUCTIONS : 0;
    child->is_child = true;
    unit->sandbox = sandbox;
    return sandbox;
}

static int32_t start(struct weft_unit *unit, uint64_t address, uint64_t length, uint64_t reductions)
{
    if (unit->is_child) return -21; // A sandbox within a sandbox.
    const char *text = weft_address_read(unit, address, length);
    if (text == NULL && length != 0) return -9;
    struct weft_unit *child = weft_unit_clone(unit);
    if (child == NULL) return WEFT_THROW_MEMORY;
    weft_unit_reset(child);
    // Even the definition that the parent has open, if SANDBOX runs inside [ ].
    child->block->dsp = child->block->rsp = child->block->fsp = 0;
    child->block->segment[WEFT_SEGMENT_OUTPUT].used = 0;
    child->block->output_dropped = 0;
    if (weft_unit_interpret(child, "sandbox", length == 0 ? "" : text, length) != 0 ||
        weft_sandbox_new(unit, child, reductions) == NULL) {
        weft_unit_free(child);
        return WEFT_THROW_MEMORY;
    }
    weft_charge(unit, unit->block->bytes);
    return WEFT_CHILD;
}

bool weft_sandbox_run(struct weft_unit *unit)
{
    struct weft_sandbox *sandbox = unit->sandbox;
    struct weft_unit *child = sandbox->unit;
    if (sandbox->done) return true;
    const int64_t slice =
        unit->budget < (int64_t)sandbox->budget ? unit->budget : (int64_t)sandbox->budget;
    child->budget = (int32_t)(slice > 0 ? slice : 1);
    const int32_t given = child->budget;
    const int outcome = weft_inner(child);
    const int64_t spent = given - child->budget;
    unit->budget -= (int32_t)spent;
    child->block->reductions += (uint64_t)(spent > 0 ? spent : 0);
    sandbox->budget -= spent > 0 && (uint64_t)spent < sandbox->budget
                           ? (uint64_t)spent
                           : sandbox->budget * (spent > 0);
    switch (outcome) {
    case WEFT_HALT: sandbox->ior = 0; break;
    case WEFT_FAULTED:
        sandbox->ior = child->error != NULL ? child->error->code : WEFT_THROW_MEMORY;
        break;
    case WEFT_GIVE:
        if (sandbox->budget > 0) return false;
        sandbox->ior = WEFT_THROW_REDUCTIONS;
        break;
    default: sandbox->ior = -21; break; // Nothing there can park.
    }
    sandbox->done = true;
    return true;
}

// What the child leaves: its output, or the text of its error.
static int32_t collect(struct weft_unit *unit)
{
    const struct weft_unit *child = unit->sandbox->unit;
    const int32_t ior = unit->sandbox->ior;
    const void *from = weft_segment_base(child->block, WEFT_SEGMENT_OUTPUT);
    size_t length = child->block->segment[WEFT_SEGMENT_OUTPUT].used;
    char text[160];
    if (ior != 0) {
        const bool told = child->error != NULL && ior == child->error->code;
        length =
            (size_t)snprintf(text, sizeof(text), "error: %s (THROW %d)",
                             told ? child->error->message : weft_forth_throw_text(ior), (int)ior);
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
        weft_push(unit->block, ior);
        weft_charge(unit, length);
    }
    weft_sandbox_drop(unit);
    return code;
}

// SANDBOX ( c-addr u reductions -- c-addr2 u2 ior )
int32_t weft_op_sandbox(struct weft_unit *unit)
{
    if (unit->sandbox != NULL) return unit->sandbox->done ? collect(unit) : WEFT_CHILD;
    const weft_cell *at = weft_top(unit->block) - 2;
    return start(unit, (uint64_t)at[0], (uint64_t)at[1], at[2] < 0 ? 0 : (uint64_t)at[2]);
}
