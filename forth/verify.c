#include "forth/verify.h"

#include "forth/dictionary.h"
#include "forth/fuse.h"
#include "forth/ops.h"

// COVER_MAX: the cells that a word may make its callers answer for, so that a small unit need not
// make room for the whole depth of a program at its first call.
enum { TOKENS_MAX = 32767, LABELS_MAX = 64, HEIGHT_MAX = 100, COVER_MAX = 24, PASSES_MAX = 4 };

struct label {
    uint32_t offset;
    int16_t d, r;
    bool known;
};

struct verifier {
    const struct weft_unit *unit;
    const uint16_t *code;
    uint32_t length;
    uint32_t self; // Common index of the word itself, for recursion.
    uint32_t label_count;
    bool crowded; // More labels than we follow.
    struct label label[LABELS_MAX];
    uint8_t starts[(TOKENS_MAX + 8) / 8];

    // Of the effect: heights relative to the entry.
    bool live, net_known, recurses;
    int d, r, need, grow, rneed, rgrow, net;
    int self_need; // What it takes itself, as far as that is known: for calls of itself.
};

// What only the system module may contain: these rely on the tokens around them.
static bool reserved(unsigned op)
{
    return op == WEFT_OP_stop || op == WEFT_OP_interpret || op == WEFT_OP_catch ||
           op == WEFT_OP_catch_end || op == WEFT_OP_source_begin || op == WEFT_OP_source_end ||
           op == WEFT_OP_block_begin || op == WEFT_OP_file_begin;
}

static bool starts_at(const struct verifier *v, uint32_t offset)
{
    return offset < v->length && (v->starts[offset / 8] >> (offset % 8) & 1) != 0;
}

static struct label *find_label(struct verifier *v, uint32_t offset)
{
    for (uint32_t n = 0; n < v->label_count; n++) {
        if (v->label[n].offset == offset) return &v->label[n];
    }
    return NULL;
}

// The word of a call must exist, and be valid unless it is the one being defined. None calls what
// came after it, not even a part of its own: that could be forgotten, and the call lead anywhere.
static bool callee_ok(const struct verifier *v, uint32_t index, bool is_called)
{
    const struct weft_word *word = weft_word_at(v->unit, index);
    if (word == NULL || (is_called && index > v->self)) return false;
    const uint32_t shared = weft_shared_words(v->unit);
    const uint32_t open = v->unit->block->definition;
    const uint32_t first = v->unit->block->first;
    // Its parts, but not its locals, may call each other before they are valid.
    if (open != 0 && v->self >= shared + first && index >= shared + first && index < shared + open)
        return true;
    return index == v->self || word->flags & WEFT_WORD_VALID;
}

static bool find_operations(struct verifier *v)
{
    unsigned op = 0;
    for (uint32_t p = 0; p < v->length; p += 1u + weft_op_info[op].operands) {
        op = v->code[p];
        if (op >= WEFT_OP_COUNT || (reserved(op) && !v->unit->building)) return false;
        if (p + weft_op_info[op].operands >= v->length && weft_op_info[op].operands > 0)
            return false;
        v->starts[p / 8] |= (uint8_t)(1u << (p % 8));
    }
    // Nothing may run out of the word at its end.
    return op == WEFT_OP_exit || op == WEFT_OP_tail || op == WEFT_OP_branch_back ||
           op == WEFT_OP_stop;
}

unsigned weft_last_part(unsigned op)
{
    const struct weft_fusion *fusion;
    while ((fusion = weft_fusion_of(op)) != NULL)
        op = fusion->second;
    return op;
}

int weft_branch_direction(unsigned op)
{
    switch (weft_last_part(op)) {
    case WEFT_OP_branch:
    case WEFT_OP_zbranch:
    case WEFT_OP_qdo: return 1;
    case WEFT_OP_branch_back:
    case WEFT_OP_zbranch_back:
    case WEFT_OP_loop:
    case WEFT_OP_plus_loop: return -1;
    default: return 0;
    }
}

static bool check_operands(struct verifier *v)
{
    for (uint32_t p = 0; p < v->length; p += 1u + weft_op_info[v->code[p]].operands) {
        const unsigned op = v->code[p];
        if (op == WEFT_OP_call || op == WEFT_OP_tail || op == WEFT_OP_set_does) {
            // DOES> names a part that comes later, and looks at run time whether it is there.
            if (!callee_ok(v, v->code[p + 1], op != WEFT_OP_set_does)) return false;
        }
        const int way = weft_branch_direction(op);
        if (way == 0) continue;
        const uint32_t operand = p + weft_op_info[op].operands;
        const int distance = (int16_t)v->code[operand];
        const uint32_t target = (uint32_t)((int)operand + distance);
        if ((way > 0) != (distance > 0) || !starts_at(v, target)) return false;
        if (find_label(v, target) != NULL) continue;
        if (v->label_count == LABELS_MAX) {
            v->crowded = true;
        } else {
            v->label[v->label_count++] = (struct label){.offset = target};
        }
    }
    return true;
}

// The heights at a label, from one more way to it. False if the ways disagree.
static bool meet(struct label *label, int d, int r)
{
    if (label->known) return label->d == d && label->r == r;
    label->d = (int16_t)d;
    label->r = (int16_t)r;
    label->known = true;
    return true;
}

static void consume(struct verifier *v, int in, int rise, int rin, int rrise)
{
    if (in - v->d > v->need) v->need = in - v->d;
    if (rin - v->r > v->rneed) v->rneed = rin - v->r;
    v->d += rise;
    v->r += rrise;
    if (v->d > v->grow) v->grow = v->d;
    if (v->r > v->rgrow) v->rgrow = v->r;
}

// What a callee that does not look may leave: our entry looks for it.
static void cover(struct verifier *v, const struct weft_word *word)
{
    if (v->d + word->grow > v->grow) v->grow = v->d + word->grow;
    if (v->r + word->rgrow > v->rgrow) v->rgrow = v->r + word->rgrow;
}

static bool leave_word(struct verifier *v, int net)
{
    v->live = false;
    if (v->r != 0 || (v->net_known && v->net != net)) return false;
    v->net = net;
    v->net_known = true;
    return true;
}

// One operation. False if its effect is not known, or the ways disagree.
static bool follow(struct verifier *v, uint32_t p, const int *recursion)
{
    const unsigned op = v->code[p];
    const struct weft_op_info *info = &weft_op_info[op];
    if (op == WEFT_OP_exit) return leave_word(v, v->d);
    if (op == WEFT_OP_call || op == WEFT_OP_tail) {
        const uint32_t index = v->code[p + 1];
        const struct weft_word *word = weft_word_at(v->unit, index);
        int net = word->net;
        if (index == v->self) {
            v->recurses = true;
            if (recursion == NULL) {
                v->live = false; // What follows is known once we know what it leaves.
                return true;
            }
            net = *recursion;
        } else if (!(word->flags & WEFT_WORD_STATIC)) {
            return false;
        }
        if (op == WEFT_OP_tail) return leave_word(v, v->d + net);
        consume(v, index == v->self ? v->self_need : word->need, 0, 0, 0);
        if (index != v->self && word->flags & WEFT_WORD_COVERED) cover(v, word);
        consume(v, 0, net, 0, 0);
        return true;
    }
    if (info->out == WEFT_VAR) return false;

    const int way = weft_branch_direction(op);
    consume(v, info->in, info->out - info->in, info->rin, info->rout - info->rin);
    if (way == 0) return true;

    // Where it branches, the stacks may stand otherwise than where it goes on.
    const uint32_t operand = p + info->operands;
    struct label *label = find_label(v, (uint32_t)((int)operand + (int16_t)v->code[operand]));
    const int d = op == WEFT_OP_qdup_zbranch ? v->d - 1 : v->d;
    const unsigned last = weft_last_part(op);
    const int r = last == WEFT_OP_qdo                                 ? v->r - 2
                  : last == WEFT_OP_loop || last == WEFT_OP_plus_loop ? v->r + 2
                                                                      : v->r;
    if (way < 0 && !label->known)
        return false; // Back into what no path from the entry has reached.
    if (!meet(label, d, r)) return false;
    if (op == WEFT_OP_branch || op == WEFT_OP_branch_back) v->live = false;
    return true;
}

int weft_return_height(const uint16_t *code, uint32_t length)
{
    struct label labels[LABELS_MAX];
    uint32_t count = 0;
    int r = 0;
    bool live = true;
    for (uint32_t p = 0; p < length; p += 1u + weft_op_info[code[p]].operands) {
        const unsigned op = code[p];
        // Not verified yet: TOKEN, has put anything here, or an image.
        if (op >= WEFT_OP_COUNT || length - p <= weft_op_info[op].operands) return -1;
        const struct weft_op_info *info = &weft_op_info[op];
        for (uint32_t n = 0; n < count && !live; n++) {
            if (labels[n].offset != p) continue;
            r = labels[n].r;
            live = true;
        }
        r += info->rout - info->rin;
        const uint32_t operand = p + info->operands;
        if (weft_branch_direction(op) > 0 && count < LABELS_MAX)
            labels[count++] =
                (struct label){.offset = (uint32_t)((int)operand + (int16_t)code[operand]),
                               .r = (int16_t)(weft_last_part(op) == WEFT_OP_qdo ? r - 2 : r)};
        if (op == WEFT_OP_branch || op == WEFT_OP_branch_back || op == WEFT_OP_exit) live = false;
    }
    for (uint32_t n = 0; n < count && !live; n++) {
        if (labels[n].offset != length) continue;
        r = labels[n].r;
        live = true;
    }
    return r;
}

static bool follow_effects(struct verifier *v, const int *recursion)
{
    v->live = true;
    v->net_known = v->recurses = false;
    v->d = v->r = v->need = v->grow = v->rneed = v->rgrow = v->net = 0;
    for (uint32_t n = 0; n < v->label_count; n++)
        v->label[n].known = false;

    for (uint32_t p = 0; p < v->length; p += 1u + weft_op_info[v->code[p]].operands) {
        struct label *label = find_label(v, p);
        if (label != NULL) {
            if (v->live && !meet(label, v->d, v->r)) return false;
            if (!v->live && label->known) {
                v->d = label->d;
                v->r = label->r;
                v->live = true;
            }
        }
        if (v->live && !follow(v, p, recursion)) return false;
        if (v->d > HEIGHT_MAX || v->d < -HEIGHT_MAX || v->r > HEIGHT_MAX || v->r < -HEIGHT_MAX)
            return false;
    }
    return true;
}

// Follows the effects until nothing is new: what it leaves, and then what it takes, are needed
// where it calls itself. What takes its caller's cells off the return stack always looks.
static bool is_static(struct verifier *v)
{
    if (!follow_effects(v, NULL) || !v->net_known) return false;
    for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
        const int net = v->net;
        v->self_need = v->need;
        if (!follow_effects(v, &net) || !v->net_known || v->rneed > 0) return false;
        if (v->need <= v->self_need)
            return v->need <= UINT8_MAX && v->grow <= UINT8_MAX && v->rgrow <= UINT8_MAX;
    }
    return false; // Each turn of it takes more.
}

int32_t weft_verify(struct weft_unit *unit, uint32_t own_index, uint8_t *starts)
{
    struct weft_word *word = weft_own_word_open(unit, own_index);
    if (word->code_length == 0 || word->code_length > TOKENS_MAX) return -22;
    struct verifier v = {
        .unit = unit,
        .code = weft_own_code(unit->block) + word->code,
        .length = word->code_length,
        .self = own_index + weft_shared_words(unit),
    };
    unit->budget -= (int32_t)(v.length / 16);
    word->flags &= (uint8_t) ~(WEFT_WORD_STATIC | WEFT_WORD_COVERED);
    if (!find_operations(&v) || !check_operands(&v)) return -22;
    for (uint32_t p = 0; starts != NULL && p < v.length; p++) {
        const uint32_t at = word->code + p;
        if (starts_at(&v, p)) starts[at / 8] |= (uint8_t)(1u << (at % 8));
    }
    if (v.crowded || !is_static(&v)) return 0;

    word->need = (uint8_t)v.need;
    word->grow = (uint8_t)v.grow;
    word->rgrow = (uint8_t)v.rgrow;
    word->net = (int8_t)v.net;
    word->flags |= WEFT_WORD_STATIC;
    if (!v.recurses && v.grow <= COVER_MAX && v.rgrow <= COVER_MAX)
        word->flags |= WEFT_WORD_COVERED;
    return 0;
}
