// infer.c: the effect of a word on the stacks, from its tokens.
//
// One pass over the code, with the set of heights at which the stacks may stand. Ways that meet at
// different heights go on as two; ways back must find the heights they left, or the loop's effect
// depends on how often it turns. What a callee does stands in its header (infer.h), so nothing is
// looked at twice, and nothing recurses.
#include "forth/infer.h"

#include <stdarg.h>
#include <stdio.h>

#include "forth/dictionary.h"
#include "forth/ops.h"
#include "forth/verify.h"

enum { LABELS_MAX = 64, HEIGHT_MAX = 100, WAYS_MAX = WEFT_EFFECT_WAYS_MAX, CELLS_MAX = 14 };
enum { SEARCHED_MAX = 200000 }; // One word must not hold up a core.

struct height {
    int8_t d, r;
};

struct heights {
    uint8_t count; // 0: no way leads here.
    struct height at[WAYS_MAX];
};

struct label {
    uint32_t offset;
    struct heights heights;
};

struct inference {
    const struct weft_unit *unit;
    struct weft_effect *effect;
    const uint16_t *code;
    uint32_t length;
    uint32_t self;
    const struct weft_effect_way *recursion; // What RECURSE does; NULL: nothing is known yet.
    bool recurses;
    uint32_t label_count;
    struct label label[LABELS_MAX];
    struct heights now;
    uint32_t searched; // Words looked at to find what is deferred.
    bool has_literal;  // What the operation before this one has pushed.
    weft_cell literal;
};

uint8_t weft_effect_byte(unsigned in, unsigned out)
{
    return in > CELLS_MAX || out > CELLS_MAX ? WEFT_EFFECT_NONE
                                             : (uint8_t)(1 + in * (CELLS_MAX + 1) + out);
}

bool weft_effect_of_byte(uint8_t byte, struct weft_effect_way *way)
{
    if (byte == WEFT_EFFECT_NONE || byte > (CELLS_MAX + 1) * (CELLS_MAX + 1)) return false;
    way->in = (uint8_t)((byte - 1) / (CELLS_MAX + 1));
    way->out = (uint8_t)((byte - 1) % (CELLS_MAX + 1));
    return true;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct inference *f, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->effect->reason, sizeof(f->effect->reason), format, arguments);
    va_end(arguments);
    return false;
}

static bool meet(struct inference *f, struct heights *heights, struct height height)
{
    for (uint8_t n = 0; n < heights->count; n++) {
        if (heights->at[n].d == height.d && heights->at[n].r == height.r) return true;
    }
    if (heights->count == WAYS_MAX) return fail(f, "too many ways through it");
    heights->at[heights->count++] = height;
    return true;
}

static struct label *find_label(struct inference *f, uint32_t offset)
{
    for (uint32_t n = 0; n < f->label_count; n++) {
        if (f->label[n].offset == offset) return &f->label[n];
    }
    return NULL;
}

static uint32_t target(const struct inference *f, uint32_t p)
{
    const uint32_t operand = p + weft_op_info[f->code[p]].operands;
    return (uint32_t)((int)operand + (int16_t)f->code[operand]);
}

static bool find_labels(struct inference *f)
{
    for (uint32_t p = 0; p < f->length; p += 1u + weft_op_info[f->code[p]].operands) {
        if (weft_branch_direction(f->code[p]) == 0) continue;
        if (find_label(f, target(f, p)) != NULL) continue;
        if (f->label_count == LABELS_MAX)
            return fail(f, "it has more than %d branches", LABELS_MAX);
        f->label[f->label_count++] = (struct label){.offset = target(f, p)};
    }
    return true;
}

// Takes `in` cells and leaves `out` on every way.
static bool consume(struct inference *f, int in, int out, int rin, int rout)
{
    struct weft_effect *effect = f->effect;
    int sure = HEIGHT_MAX;
    for (uint8_t n = 0; n < f->now.count; n++) {
        struct height *at = &f->now.at[n];
        const int need = in - at->d, d = at->d + out - in, r = at->r + rout - rin;
        if (need > HEIGHT_MAX || d > HEIGHT_MAX || d < -HEIGHT_MAX || r > HEIGHT_MAX ||
            r < -HEIGHT_MAX)
            return fail(f, "more than %d cells", HEIGHT_MAX);
        if (need > effect->need) effect->need = (uint8_t)need;
        if (need < sure) sure = need;
        *at = (struct height){(int8_t)d, (int8_t)r};
        if (d > effect->grow) effect->grow = (uint8_t)d;
        if (r > effect->return_cells) effect->return_cells = (uint8_t)r;
    }
    if (f->now.count > 0 && sure > effect->need_sure) effect->need_sure = (uint8_t)sure;
    return true;
}

static bool leave(struct inference *f)
{
    struct weft_effect *effect = f->effect;
    for (uint8_t n = 0; n < f->now.count; n++) {
        if (f->now.at[n].r != 0)
            return fail(f, "it leaves the return stack otherwise than it found it (THROW -25)");
        bool known = false;
        for (uint8_t k = 0; k < effect->count; k++)
            known = known || effect->net[k] == f->now.at[n].d;
        if (known) continue;
        if (effect->count == WAYS_MAX) return fail(f, "too many ways through it");
        effect->net[effect->count++] = f->now.at[n].d;
    }
    f->now.count = 0;
    return true;
}

static bool fail_at_word(struct inference *f, uint32_t index)
{
    const struct weft_word *word = weft_word_at(f->unit, index);
    if (word->name_length == 0) return fail(f, "it calls a word whose effect depends on data");
    return fail(f, "the effect of %.*s depends on data",
                word->name_length < 40 ? word->name_length : 40, weft_word_name(f->unit, index));
}

static bool enter(struct inference *f, uint64_t index)
{
    const struct weft_word *word = weft_word_at(f->unit, index);
    struct weft_effect_way way;
    if (word == NULL) return fail(f, "it executes what is no execution token");
    if (index == f->self) {
        f->recurses = true;
        if (f->recursion == NULL) {
            f->now.count = 0; // What follows is known once we know what it leaves.
            return true;
        }
        return consume(f, f->recursion->in, f->recursion->out, 0, 0);
    }
    if (word->effect == WEFT_EFFECT_BYTE_ENDLESS) {
        f->now.count = 0;
        return true;
    }
    if (!weft_effect_of_byte(word->effect, &way)) return fail_at_word(f, (uint32_t)index);
    return consume(f, way.in, way.out, 0, 0);
}

// CATCH of a known word ( i*x xt -- j*x 0 | i*x n ): it leaves as many cells as the word, or as
// many as there were.
static bool caught(struct inference *f)
{
    const struct weft_word *word = weft_word_at(f->unit, (uint64_t)f->literal - 1);
    struct weft_effect_way way;
    if (!f->has_literal || word == NULL) return fail(f, "CATCH of what is not known");
    const bool endless = word->effect == WEFT_EFFECT_BYTE_ENDLESS;
    if (endless) {
        way = (struct weft_effect_way){0};
    } else if (!weft_effect_of_byte(word->effect, &way)) {
        return fail_at_word(f, (uint32_t)(f->literal - 1));
    }
    struct heights thrown = f->now;
    if (!consume(f, 1 + way.in, 1 + way.out, 0, 0)) return false;
    if (endless) f->now.count = 0;
    for (uint8_t n = 0; n < thrown.count; n++) {
        if (!meet(f, &f->now, thrown.at[n])) return false; // The xt is gone, the code is there.
    }
    return true;
}

// A deferred word does what its comment says, whatever it is set to.
static bool deferred(struct inference *f)
{
    if (!consume(f, 1, 0, 0, 0)) return false;
    const uint32_t count = weft_shared_words(f->unit) + weft_own_words(f->unit->block);
    for (uint32_t n = count; f->has_literal && n-- > 0;) {
        if (++f->searched > SEARCHED_MAX) return fail(f, "it calls too many deferred words");
        const struct weft_word *word = weft_word_at(f->unit, n);
        if (word->kind != WEFT_WORD_DEFER || word->body != f->literal) continue;
        return n == f->self ? fail(f, "a deferred word without a stack comment") : enter(f, n);
    }
    return fail(f, "a deferred word that is not known");
}

static bool is_catch(const struct inference *f, uint32_t index)
{
    const struct weft_forth_system *system = f->unit->system;
    return index < weft_shared_words(f->unit) && system->words[index].code_length == 3 &&
           system->words[index].code + 2 == system->caught;
}

// ?DUP goes on as two ways.
static bool question_dup(struct inference *f)
{
    if (!consume(f, 1, 1, 0, 0)) return false;
    const struct heights before = f->now;
    if (!consume(f, 1, 2, 0, 0)) return false;
    for (uint8_t n = 0; n < before.count; n++) {
        if (!meet(f, &f->now, before.at[n])) return false;
    }
    return true;
}

static bool branch(struct inference *f, uint32_t p)
{
    const unsigned op = f->code[p], last = weft_last_part(op);
    struct label *label = find_label(f, target(f, p));
    for (uint8_t n = 0; n < f->now.count; n++) {
        struct height at = f->now.at[n]; // Where it branches, the stacks may stand otherwise.
        if (op == WEFT_OP_qdup_zbranch) at.d--;
        if (last == WEFT_OP_qdo) at.r = (int8_t)(at.r - 2);
        if (last == WEFT_OP_loop || last == WEFT_OP_plus_loop) at.r = (int8_t)(at.r + 2);
        const uint8_t count = label->heights.count;
        if (!meet(f, &label->heights, at)) return false;
        if (weft_branch_direction(op) < 0 && label->heights.count != count)
            return fail(f, "a loop in it does not leave the stack as it found it");
    }
    if (op == WEFT_OP_branch || op == WEFT_OP_branch_back) f->now.count = 0;
    return true;
}

// Operations whose table row does not say all.
static bool special(struct inference *f, uint32_t p, bool *done)
{
    const uint16_t *operand = f->code + p + 1;
    *done = true;
    switch (f->code[p]) {
    case WEFT_OP_exit: return leave(f);
    case WEFT_OP_call:
    case WEFT_OP_tail:
        if (is_catch(f, *operand)) return caught(f);
        return enter(f, *operand) && (f->code[p] == WEFT_OP_call || leave(f));
    case WEFT_OP_execute:
        if (!f->has_literal) return fail(f, "EXECUTE of what is not known");
        return consume(f, 1, 0, 0, 0) && enter(f, (uint64_t)f->literal - 1);
    case WEFT_OP_defer: return deferred(f);
    case WEFT_OP_qdup: return question_dup(f);
    case WEFT_OP_lit_pick:
    case WEFT_OP_lit_pick_fetch: return consume(f, 1 + *operand, 2 + *operand, 0, 0);
    case WEFT_OP_roll:
        if (!f->has_literal || f->literal < 0 || f->literal >= HEIGHT_MAX) break;
        return consume(f, (int)f->literal + 2, (int)f->literal + 1, 0, 0);
    case WEFT_OP_throw:
        if (!consume(f, 1, 0, 0, 0)) return false;
        if (f->has_literal && f->literal != 0) f->now.count = 0;
        return true;
    case WEFT_OP_abort:
    case WEFT_OP_quit:
    case WEFT_OP_bye: f->now.count = 0; return true;
    case WEFT_OP_if:
    case WEFT_OP_ahead:
    case WEFT_OP_begin:
    case WEFT_OP_do_word:
    case WEFT_OP_qdo_word: return fail(f, "it compiles a control structure");
    default: break;
    }
    *done = false;
    return true;
}

static void note_literal(struct inference *f, uint32_t p)
{
    const uint16_t *operand = f->code + p + 1;
    f->has_literal = true;
    switch (f->code[p]) {
    case WEFT_OP_lit16: f->literal = (int16_t)*operand; return;
    case WEFT_OP_lit32: f->literal = (int32_t)weft_le32_get(operand); return;
    case WEFT_OP_lit64: f->literal = weft_cell_get(operand); return;
    default: f->has_literal = false; return;
    }
}

static bool follow(struct inference *f, uint32_t p)
{
    const unsigned op = f->code[p];
    const struct weft_op_info *info = &weft_op_info[op];
    bool done;
    if (!special(f, p, &done)) return false;
    if (!done) {
        if (info->out == WEFT_VAR)
            return fail(f, "the effect of %s depends on data", info->name[0] ? info->name : "it");
        if (!consume(f, info->in, info->out, info->rin, info->rout)) return false;
        if (weft_branch_direction(op) != 0 && !branch(f, p)) return false;
    }
    note_literal(f, p);
    return true;
}

static bool pass(struct inference *f, const struct weft_effect_way *recursion)
{
    *f->effect = (struct weft_effect){0};
    f->recursion = recursion;
    f->now = (struct heights){.count = 1};
    f->has_literal = false;
    for (uint32_t n = 0; n < f->label_count; n++)
        f->label[n].heights.count = 0;

    for (uint32_t p = 0; p < f->length; p += 1u + weft_op_info[f->code[p]].operands) {
        struct label *label = find_label(f, p);
        if (label != NULL) {
            f->has_literal = false;
            for (uint8_t n = 0; n < f->now.count; n++) {
                if (!meet(f, &label->heights, f->now.at[n])) return false;
            }
            f->now = label->heights;
        }
        if (f->now.count > 0 && !follow(f, p)) return false;
    }
    return true;
}

// What the comment claims, if it is one thing. A name that may be one cell or two is not.
static bool claimed(const struct weft_unit *unit, uint32_t index, struct weft_effect_way *way)
{
    struct weft_effect_claim claim;
    uint32_t length;
    const char *comment = weft_effect_comment(unit, index, &length);
    if (comment == NULL || !weft_effect_parse(comment, length, &claim)) return false;
    *way = claim.way[0];
    return !claim.open && claim.count == 1;
}

// A word that calls itself: what its comment says is taken for that, or else what it leaves on the
// ways without a call.
static bool recursion(struct inference *f)
{
    struct weft_effect_way way;
    if (f->effect->count == 0) return true; // It never ends.
    if (claimed(f->unit, f->self, &way)) {
        if (!pass(f, &way)) return false;
        f->effect->assumed = true;
        return true;
    }
    for (int round = 0; round < 2; round++) {
        const struct weft_effect found = *f->effect;
        if (found.count != 1) return fail(f, "what it leaves when it calls itself is not known");
        way = (struct weft_effect_way){found.need, (uint8_t)(found.need + found.net[0])};
        if (!pass(f, &way)) return false;
        if (f->effect->need == found.need && f->effect->count == 1 &&
            f->effect->net[0] == found.net[0])
            return true;
    }
    return fail(f, "each call of itself takes more cells");
}

// Code that the verifier has passed: of a valid word, or of a closed part of the open definition.
static bool is_verified(const struct weft_unit *unit, uint32_t index)
{
    const struct weft_word *word = weft_word_at(unit, index);
    if (word == NULL || word->code_length == 0) return false;
    return word->flags & WEFT_WORD_VALID ||
           (unit->block->definition != 0 && index >= weft_shared_words(unit) + unit->block->first);
}

void weft_effect_infer(const struct weft_unit *unit, uint32_t index, struct weft_effect *effect)
{
    const struct weft_word *word = weft_word_at(unit, index);
    *effect = (struct weft_effect){.kind = WEFT_EFFECT_UNKNOWN};
    if (!is_verified(unit, index)) return;
    struct inference f = {
        .unit = unit,
        .effect = effect,
        .code = weft_word_code(unit, index),
        .length = word->code_length,
        .self = index,
    };
    bool told = find_labels(&f) && pass(&f, NULL);
    if (told && f.recurses) told = recursion(&f);
    effect->kind = !told                ? WEFT_EFFECT_UNKNOWN
                   : effect->count == 0 ? WEFT_EFFECT_ENDLESS
                                        : WEFT_EFFECT_KNOWN;
}

void weft_effect_close(struct weft_unit *unit, uint32_t own_index)
{
    const uint32_t index = own_index + weft_shared_words(unit);
    struct weft_word *word = weft_own_word_open(unit, own_index);
    struct weft_effect_way way;
    struct weft_effect effect;
    word->effect = WEFT_EFFECT_NONE;
    unit->budget -= (int32_t)(word->code_length / 16);
    weft_effect_infer(unit, index, &effect);
    if (effect.kind == WEFT_EFFECT_ENDLESS) {
        word->effect = WEFT_EFFECT_BYTE_ENDLESS;
    } else if (effect.kind == WEFT_EFFECT_KNOWN && effect.count == 1) {
        word->effect = weft_effect_byte(effect.need, (unsigned)(effect.need + effect.net[0]));
    } else if (claimed(unit, index, &way)) {
        word->effect = weft_effect_byte(way.in, way.out);
    }
}
