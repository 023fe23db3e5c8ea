// inner.c: the inner interpreter. Token dispatch by computed goto, top of stack in a register.
//
// Each operation has two entries: one that first checks the stacks, and behind it the bare body. A
// word that the verifier has understood (WEFT_WORD_STATIC) is checked once, as it is entered, for
// all that it and the words it calls may take and leave (verify.c: but for those that recurse,
// which are checked again), and runs through the bare entries; any other word, and one that the
// stacks do not suit, runs through the checking ones. The mode is part of every return address, so
// it comes back with the caller. Frames that came in an image always check, whatever they claim.
//
// Safepoints are word entries and backward branches: there the slice may end, with everything in
// the block. Registers hold copies; SPILL writes them back, RELOAD reads them again, for any
// function called in between may have moved the block.
#include "forth/inner.h"

#include "forth/floating.h"
#include "forth/ops.h"
#include "forth/throw.h"

// 0 only in the bench's twin of this file, which runs programs that are known to be right to show
// what looking costs: no reductions, no bounds of memory, no depths of stacks.
#ifndef WEFT_FORTH_CHECKS
#define WEFT_FORTH_CHECKS 1
#endif

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

const struct weft_op_info weft_op_info[WEFT_OP_COUNT] = {
#define HOT(name, word, operands, in, out, rin, rout, flags)                                       \
    {word, operands, in, out, rin, rout, flags, true},
#define COLD(name, word, operands, in, out, rin, rout, flags)                                      \
    {word, operands, in, out, rin, rout, flags, false},
    WEFT_OPS(HOT, COLD)
#undef HOT
#undef COLD
};

typedef int32_t (*cold_function)(struct weft_unit *unit);

static const cold_function cold_functions[WEFT_OP_COUNT] = {
#define HOT(name, ...)  NULL,
#define COLD(name, ...) weft_op_##name,
    WEFT_OPS(HOT, COLD)
#undef HOT
#undef COLD
};

// An operation that a checking entry refused: makes room, or says what is missing.
static int32_t refused(struct weft_unit *unit, unsigned op)
{
    const struct weft_op_info *info = &weft_op_info[op];
    struct weft_block *block = unit->block;
    if (block->dsp < block->dbase + (uint32_t)info->in) return -4;
    if (block->rsp < block->rbase + (uint32_t)info->rin) return -6;
    const int rise = info->out == WEFT_VAR ? 1 : info->out - info->in;
    const int rrise = info->rout - info->rin;
    if (rise > 0 && block->dsp + (uint32_t)rise > unit->options.stack_cells_max) return -3;
    int32_t code = rise > 0 ? weft_data_room(unit, (uint32_t)rise) : 0;
    if (code == 0 && rrise > 0) code = weft_return_room(unit, (uint32_t)rrise);
    return code;
}

static int32_t cold_check(struct weft_unit *unit, unsigned op)
{
    const int32_t code = refused(unit, op);
    return code != 0 ? code : weft_data_room(unit, 6);
}

// SEND and RECV of a cell, if the host can do it now. Out of line: a call costs them little, but
// what it needs would cost the operations around them registers.
__attribute__((noinline)) static bool send_at_once(struct weft_unit *unit, uint64_t channel,
                                                   weft_cell cell)
{
    const struct weft_unit_host *host = unit->host;
    return host->channel_put != NULL &&
           host->channel_put(unit->self, unit->block->levels - 1u, channel, cell);
}

__attribute__((noinline)) static bool receive_at_once(struct weft_unit *unit, uint64_t channel,
                                                      weft_cell *cell)
{
    const struct weft_unit_host *host = unit->host;
    return host->channel_take != NULL &&
           host->channel_take(unit->self, unit->block->levels - 1u, channel, cell);
}

static weft_cell floor_divide(weft_cell a, weft_cell b, weft_cell *remainder)
{
    weft_cell quotient = a / b, rest = a % b;
    if (rest != 0 && (rest ^ b) < 0) {
        quotient--;
        rest += b;
    }
    *remainder = rest;
    return quotient;
}

// 0; -10 for a zero divisor; -11 where the quotient does not fit (and the CPU may trap).
static int32_t divisor_check(weft_cell a, weft_cell b)
{
    if (b == 0) return -10;
    return a == INT64_MIN && b == -1 ? -11 : 0;
}

// How far a stack may rise before someone has to look: what is there, or the quota.
static uint32_t entries(const struct weft_block *block, enum weft_segment_id id, uint32_t less,
                        uint32_t limit)
{
    const uint32_t there = weft_segment_capacity(block, id) / WEFT_CELL_BYTES - less;
    return there < limit ? there : limit;
}

// All of the stacks that the quota allows: for an engine that never looks.
static void all_room(struct weft_unit *unit)
{
    const struct weft_block *block = unit->block;
    weft_data_room(unit, unit->options.stack_cells_max - block->dsp);
    weft_return_room(unit, unit->options.stack_cells_max - block->rsp);
    weft_call_room(unit, unit->options.call_depth_max - block->csp);
}

// `unit` and `block` lie in memory by force: each is read once.
#define SPILL()                                                                                    \
    do {                                                                                           \
        struct weft_unit *const u = unit;                                                          \
        struct weft_block *const b = block;                                                        \
        *sp = tos;                                                                                 \
        b->dsp = (uint32_t)(sp - weft_data_stack(b));                                              \
        b->rsp = (uint32_t)(rp - weft_return_stack(b));                                            \
        b->csp = (uint32_t)(cp - weft_calls(b));                                                   \
        b->ip = (uint32_t)(ip - base) | mode;                                                      \
        u->budget = left + 1;                                                                      \
    } while (0)

#define RELOAD()                                                                                   \
    do {                                                                                           \
        const struct weft_unit *const u = unit;                                                    \
        struct weft_block *const b = u->block;                                                     \
        const struct weft_word_module *const module = b->frozen_words > 0 ? u->module : NULL;      \
        const uint32_t end = shared + b->frozen_words, now = b->ip & WEFT_CODE_MODE;               \
        weft_cell *const stack = weft_data_stack(b), *const rstack = weft_return_stack(b);         \
        weft_cell *const stack_end =                                                               \
            stack + entries(b, WEFT_SEGMENT_DATA_STACK, 1, u->options.stack_cells_max);            \
        weft_cell *const rstack_end =                                                              \
            rstack + entries(b, WEFT_SEGMENT_RETURN_STACK, 0, u->options.stack_cells_max);         \
        block = b;                                                                                 \
        frozen = end;                                                                              \
        code[0] = weft_own_code(b);                                                                \
        code[1] = module != NULL ? module->code : NULL;                                            \
        module_words = module != NULL ? module->words - shared : NULL;                             \
        words = (const struct weft_word *)weft_segment_base(b, WEFT_SEGMENT_WORDS) - end;          \
        data = (uint8_t *)weft_segment_base(b, WEFT_SEGMENT_DATA);                                 \
        data_end = weft_segment_capacity(b, WEFT_SEGMENT_DATA) - 7;                                \
        sp = stack + b->dsp;                                                                       \
        dbase = stack + b->dbase;                                                                  \
        dend = stack_end;                                                                          \
        dfar = stack_end - UINT8_MAX;                                                              \
        rp = rstack + b->rsp;                                                                      \
        rbase = rstack + b->rbase;                                                                 \
        rbottom = rstack;                                                                          \
        rend = rstack_end;                                                                         \
        rfar = rstack_end - UINT8_MAX;                                                             \
        cp = weft_calls(b) + b->csp;                                                               \
        cend = weft_calls(b) + entries(b, WEFT_SEGMENT_CALLS, 0, u->options.call_depth_max);       \
        mode = now;                                                                                \
        base = code[now >> 28 & 3];                                                                \
        ip = base + (b->ip & WEFT_CODE_OFFSET);                                                    \
        labels = table[now >> 30 & 1];                                                             \
        tos = *sp;                                                                                 \
        rtop = rp[-1]; /* Whatever lies below an empty stack: nobody takes it for a value. */      \
        left = u->budget - 1;                                                                      \
        loop_at = NULL;                                                                            \
    } while (0)

// A condition under which the program may not go on, and the one under which its slice is over.
#define WRONG(condition) (WEFT_FORTH_CHECKS && UNLIKELY(condition))
#define SPENT()          (WEFT_FORTH_CHECKS && UNLIKELY(--left < 0))

#define NEXT()                                                                                     \
    do {                                                                                           \
        op = *ip++;                                                                                \
        goto *labels[op];                                                                          \
    } while (0)

// Goes on behind the operand, or where it leads: each way with a jump of its own, so that where the
// program goes is one guess of the CPU's, and not a second one of the same thing.
#define BRANCH_UNLESS(condition)                                                                   \
    do {                                                                                           \
        if (condition) {                                                                           \
            ip++;                                                                                  \
            NEXT();                                                                                \
        }                                                                                          \
        ip += (int16_t)*ip;                                                                        \
        NEXT();                                                                                    \
    } while (0)

// A checked entry, falling through to the bare one. What it refuses is tried again once there is
// room.
#define OP(name, in, rise, rin, rrise)                                                             \
    CHECKED(name)                                                                                  \
    if (WRONG(sp - dbase < (in) || ((rise) > 0 && sp + (rise) > dend) ||                           \
              ((rin) > 0 && rp - rbase < (rin)) || ((rrise) > 0 && rp + (rrise) > rend)))          \
        goto check_failed;                                                                         \
    FAST(name)

#define CHECKED(name) checked_##name:
#define FAST(name)                                                                                 \
    __asm__ volatile(".p2align 5");                                                                \
    fast_##name:

// Every bare body begins a half line of the instruction cache: else where it lies, which any change
// to any other moves, is worth more than what it does. An empty loop does nothing but jump to LOOP,
// and all the branches of that want to lie in one line: the middle of the places at which a turn
// took two cycles, not four (AMD Zen; the engine without checks does not care).
#if defined(__x86_64__)
#define LOOP_PLACE() __asm__ volatile(".p2align 6\n\t.skip 58, 0x90")
#else
#define LOOP_PLACE() __asm__ volatile(".p2align 5")
#endif

// The same, with the numbers of the table.
#define FUSED(name)                                                                                \
    OP(name, IN_##name, OUT_##name - IN_##name, RIN_##name, ROUT_##name - RIN_##name)

#define FAIL(throw_code)                                                                           \
    do {                                                                                           \
        failure = (throw_code);                                                                    \
        goto fail;                                                                                 \
    } while (0)

#define PUSH(value)                                                                                \
    do {                                                                                           \
        *sp++ = tos;                                                                               \
        tos = (weft_cell)(value);                                                                  \
    } while (0)

#define BINARY(name, expression)                                                                   \
    OP(name, 2, 0, 0, 0)                                                                           \
    {                                                                                              \
        const weft_cell a = *--sp, b = tos;                                                        \
        tos = (weft_cell)(expression);                                                             \
        NEXT();                                                                                    \
    }

#define UNARY(name, expression)                                                                    \
    OP(name, 1, 0, 0, 0)                                                                           \
    {                                                                                              \
        const weft_cell a = tos;                                                                   \
        tos = (weft_cell)(expression);                                                             \
        NEXT();                                                                                    \
    }

// A pointer to `bytes` at `address`: one compare for the data space, the rest out of line.
#define AT(pointer, address, bytes, slow)                                                          \
    do {                                                                                           \
        const uint64_t offset = (uint64_t)(address)-WEFT_ADDRESS_DATA;                             \
        if (!WEFT_FORTH_CHECKS || LIKELY(offset < data_end)) {                                     \
            pointer = data + offset;                                                               \
            if ((bytes) > 8 && WRONG(offset + 8 >= data_end)) FAIL(-9);                            \
        } else {                                                                                   \
            pointer = slow(unit, (uint64_t)(address), (bytes));                                    \
            if (UNLIKELY(pointer == NULL)) FAIL(-9);                                               \
        }                                                                                          \
    } while (0)

// Whether the stacks do not suit a static word: far from their ends, what it leaves always fits.
#define FULL(word)  (sp + (word)->grow > dend || rp + (word)->rgrow > rend)
#define NEAR(word)  (sp > dfar || ((word)->rgrow != 0 && rp > rfar))
#define UNFIT(word) (sp < dbase + (word)->need || (NEAR(word) && FULL(word)))

// The word of a call, and the bits of its places. Own words first: one comparison.
#define FIND_WORD(index)                                                                           \
    const struct weft_word *word;                                                                  \
    uint32_t where;                                                                                \
    if (LIKELY((index) >= frozen)) {                                                               \
        word = words + (index);                                                                    \
        where = 0;                                                                                 \
    } else if ((index) < shared) {                                                                 \
        word = shared_words + (index);                                                             \
        where = WEFT_CODE_SYSTEM;                                                                  \
    } else {                                                                                       \
        word = module_words + (index);                                                             \
        where = WEFT_CODE_MODULE;                                                                  \
    }

#define U(x) ((weft_ucell)(x))
// The height of the return stack as a frame has it: in its upper half.
#define RHEIGHT() ((uint64_t)((uintptr_t)rp - (uintptr_t)rbottom) << (32 - 3))
#define INDEX()   (U(rtop) + U(rp[-2])) // Of the innermost loop.

// The return stack in memory is always whole: rtop is a copy of rp[-1], so that a loop need not
// wait for what it has just stored.
#define RPUSH(value)                                                                               \
    do {                                                                                           \
        rtop = (weft_cell)(value);                                                                 \
        *rp++ = rtop;                                                                              \
    } while (0)

#define RDROP(count)                                                                               \
    do {                                                                                           \
        rp -= (count);                                                                             \
        rtop = rp[-1];                                                                             \
    } while (0)

enum {
#define HOT(name, word, operands, in, out, rin, rout, flags)                                       \
    IN_##name = (in), OUT_##name = (out), RIN_##name = (rin), ROUT_##name = (rout),
#define COLD(name, ...)
    WEFT_OPS(HOT, COLD)
#undef HOT
#undef COLD
};

int weft_inner(struct weft_unit *the_unit)
{
    static const void *const table[2][WEFT_OP_COUNT] = {
        {
#define HOT(name, ...)  &&fast_##name,
#define COLD(name, ...) &&cold,
            WEFT_OPS(HOT, COLD)
#undef HOT
        },
        {
#define HOT(name, ...) &&checked_##name,
            WEFT_OPS(HOT, COLD)
#undef HOT
#undef COLD
        },
    };
    // What only checks and rare paths look at stays in memory, by force: gcc takes every operation
    // for equally frequent, and would keep these in registers that ip, sp, rp and cp need.
    struct weft_unit *volatile const unit = the_unit;
    struct weft_block *volatile block;
    const struct weft_word *volatile words;        // Such that words[index] is right for own words,
    const struct weft_word *volatile module_words; // and for those of the module,
    volatile uint32_t frozen;                      // up to this index.
    weft_cell *volatile dbase, *volatile dend, *volatile dfar;
    weft_cell *volatile rbase, *volatile rend, *volatile rfar, *volatile rbottom;
    uint64_t *volatile cend;
    volatile uint32_t mode;
    // Where the last LOOP's operand lay, and where it led; see LOOP.
    const uint16_t *volatile loop_at, *volatile loop_to;

    const uint32_t shared = weft_shared_words(unit);
    const struct weft_word *const shared_words = unit->system ? unit->system->words : NULL;
    // By the two bits that say where a place is: own, module, system.
    const uint16_t *code[4] = {NULL, NULL, unit->system ? unit->system->code : NULL, NULL};
    const void *const *labels;
    const uint16_t *ip, *base; // base: of the code that ip is in.
    weft_cell *sp, *rp, tos, rtop;
    uint64_t *cp;
    uint8_t *data;
    uint64_t data_end;
    uint32_t op;
    int32_t left, failure; // left: of the reductions, behind the one that runs.

    if (!WEFT_FORTH_CHECKS) all_room(unit);
    RELOAD();
    NEXT();

    OP(exit, 0, 0, 0, 0)
    {
        // The frame less the height and the mode that it should have: a token offset, usually.
        const uint64_t frame = cp[-1];
        const uint64_t rest = frame ^ RHEIGHT() ^ mode;
        if (UNLIKELY(rest > WEFT_CODE_OFFSET)) {
            if (WRONG((frame ^ RHEIGHT()) >= WEFT_CODE_SPECIAL)) FAIL(-25);
            mode = (uint32_t)frame & WEFT_CODE_MODE;
            labels = table[mode >> 30 & 1];
            base = code[mode >> 28 & 3];
        }
        cp--;
        ip = base + (rest & WEFT_CODE_OFFSET);
        NEXT();
    }
    CHECKED(call) // From where every operation looks, each word does so at its entry.
    {
        const uint32_t index = *ip;
        FIND_WORD(index)
        (void)where;
        if (word->flags & WEFT_WORD_STATIC && WRONG(UNFIT(word))) goto call_slow;
    }
    FAST(call)
    {
        const uint32_t index = *ip;
        FIND_WORD(index)
        uint32_t next_mode = where;
        if (WRONG(cp == cend)) goto call_slow;
        *cp = (uint64_t)(ip + 1 - base) | mode | RHEIGHT();
        // A covered word's caller has looked for it.
        if (WEFT_FORTH_CHECKS && !(word->flags & WEFT_WORD_COVERED)) {
            if (!(word->flags & WEFT_WORD_STATIC))
                next_mode |= WEFT_CODE_CHECKED;
            else if (UNLIKELY(NEAR(word) && FULL(word))) // What it takes is covered in any case.
                goto call_slow;
        }
        cp++;
        if (UNLIKELY(next_mode != mode)) {
            mode = next_mode;
            labels = table[mode >> 30 & 1];
            base = code[mode >> 28 & 3];
        }
        ip = base + word->code;
        if (SPENT()) goto give;
        NEXT();
    }
    OP(tail, 0, 0, 0, 0) // Into a does-part, which returns to our caller.
    {
        const uint32_t index = *ip;
        FIND_WORD(index)
        // Always checking: the part's effect is its own.
        mode = where | WEFT_CODE_CHECKED;
        labels = table[1];
        if (word->flags & WEFT_WORD_STATIC && !UNFIT(word)) {
            mode &= ~WEFT_CODE_CHECKED;
            labels = table[0];
        }
        base = code[mode >> 28 & 3];
        ip = base + word->code;
        if (SPENT()) goto give;
        NEXT();
    }
    OP(branch, 0, 0, 0, 0)
    ip += (int16_t)*ip;
    NEXT();
    OP(branch_back, 0, 0, 0, 0)
    ip += (int16_t)*ip;
    if (SPENT()) goto give;
    NEXT();
    OP(zbranch, 1, 0, 0, 0)
    {
        const weft_cell flag = tos;
        tos = *--sp;
        BRANCH_UNLESS(flag != 0);
    }
    OP(zbranch_back, 1, 0, 0, 0)
    {
        const weft_cell flag = tos;
        tos = *--sp;
        if (flag != 0) {
            ip++;
            NEXT();
        }
        ip += (int16_t)*ip;
        if (SPENT()) goto give;
        NEXT();
    }
    OP(qdup_zbranch, 1, 0, 0, 0) // ?DUP IF: the value stays only if it is true.
    if (tos != 0) {
        ip++;
        NEXT();
    }
    tos = *--sp;
    ip += (int16_t)*ip;
    NEXT();
    OP(lit16, 0, 1, 0, 0)
    PUSH((int16_t)*ip++);
    NEXT();
    OP(lit32, 0, 1, 0, 0)
    PUSH((int32_t)weft_le32_get(ip));
    ip += 2;
    NEXT();
    OP(lit64, 0, 1, 0, 0)
    PUSH(weft_le64_get(ip));
    ip += 4;
    NEXT();
    OP(lit_add, 1, 0, 0, 0)
    tos = (weft_cell)(U(tos) + U((weft_cell)(int16_t)*ip++));
    NEXT();

    // A loop keeps limit + MIN and index - that, so that passing the limit is an overflow, in
    // whatever direction and on the circle of numbers (Forth 2012, 6.1.0140).
    OP(do, 2, 0, 0, 2)
    {
        const weft_ucell limit = U(sp[-1]) + U(INT64_MIN);
        *rp++ = (weft_cell)limit;
        RPUSH(U(tos) - limit);
        sp -= 2;
        tos = *sp;
        NEXT();
    }
    OP(qdo, 2, 0, 0, 2)
    {
        const bool empty = sp[-1] == tos;
        const weft_ucell limit = U(sp[-1]) + U(INT64_MIN);
        if (!empty) {
            *rp++ = (weft_cell)limit;
            RPUSH(U(tos) - limit);
        }
        sp -= 2;
        tos = *sp;
        ip += empty ? (int16_t)*ip : 1;
        NEXT();
    }
    CHECKED(loop)
    if (WRONG(rp - rbase < 2)) goto check_failed;
    LOOP_PLACE();
fast_loop:
    if (UNLIKELY(__builtin_add_overflow(rtop, 1, &rtop))) {
        RDROP(2);
        ip++;
        NEXT();
    }
    rp[-1] = rtop;
    // The turn before led to the same place: taken from there, ip does not wait for the offset to
    // be read and added, which in an empty loop is all the time there is. Forgotten by RELOAD, for
    // code changes only in functions outside.
    if (UNLIKELY(ip != loop_at)) {
        loop_at = ip;
        loop_to = ip + (int16_t)*ip;
    }
    ip = loop_to;
    if (SPENT()) goto give;
    NEXT();
    OP(plus_loop, 1, 0, 2, 0)
    {
        const bool over = __builtin_add_overflow(rtop, tos, &rtop);
        tos = *--sp;
        if (UNLIKELY(over)) {
            RDROP(2);
            ip++;
            NEXT();
        }
        rp[-1] = rtop;
        ip += (int16_t)*ip;
        if (SPENT()) goto give;
        NEXT();
    }
    OP(i, 0, 1, 2, 0)
    PUSH(INDEX());
    NEXT();
    OP(j, 0, 1, 4, 0)
    PUSH(U(rp[-3]) + U(rp[-4]));
    NEXT();
    OP(unloop, 0, 0, 2, 0)
    RDROP(2);
    NEXT();
    OP(execute, 1, 0, 0, 0)
    {
        const weft_ucell xt = U(tos);
        tos = *--sp;
        SPILL();
        failure = weft_enter(unit, xt - 1, block->ip);
        if (failure != 0) goto fail_spilled;
        RELOAD();
        if (UNLIKELY(left < 0)) goto give;
        NEXT();
    }
    OP(defer, 1, 0, 0, 0)
    {
        const uint8_t *at;
        AT(at, tos, 8, weft_address_read);
        const weft_ucell xt = U(weft_cell_get(at));
        if (xt == 0) FAIL(-261);
        tos = *--sp;
        SPILL();
        failure = weft_enter(unit, xt - 1, block->ip);
        if (failure != 0) goto fail_spilled;
        RELOAD();
        if (UNLIKELY(left < 0)) goto give;
        NEXT();
    }
#include "forth/inner_ops.inc"

#include "forth/inner_fused.inc"

#include "forth/inner_float.inc"

    // Most cells are sent and received at once, without leaving here.
    OP(chan_send, 2, 0, 0, 0)
    {
        if (UNLIKELY(!send_at_once(unit, U(tos), sp[-1]))) {
            SPILL();
            failure = weft_op_chan_send(unit);
            goto came_back;
        }
        sp -= 2;
        tos = *sp;
        NEXT();
    }
    OP(chan_recv, 1, 0, 0, 0)
    {
        weft_cell cell;
        if (UNLIKELY(!receive_at_once(unit, U(tos), &cell))) {
            SPILL();
            failure = weft_op_chan_recv(unit);
            goto came_back;
        }
        tos = cell;
        NEXT();
    }

cold:
    // A function outside: everything into the block, and back.
    SPILL();
    failure = cold_check(unit, op);
    if (failure != 0) goto fail_spilled;
    failure = cold_functions[op](unit);
came_back:
    if (failure < 0) goto fail_spilled;
    switch (failure) {
    case WEFT_NEXT:
    case WEFT_JUMP: break;
    case WEFT_REDO: unit->block->ip--; break;
    case WEFT_GIVE: return WEFT_GIVE;
    case WEFT_PARK:
    case WEFT_CHILD: unit->block->ip--; return failure;
    default: return failure;
    }
    RELOAD();
    if (UNLIKELY(left < 0)) goto give;
    NEXT();

check_failed:
    SPILL();
    failure = refused(unit, op);
    if (failure != 0) goto fail_spilled;
    unit->block->ip--;
    RELOAD();
    NEXT();

float_full: // A float that finds no room on its stack: once more when there is some.
    SPILL();
    failure = weft_float_room(unit, 1);
    if (failure != 0) goto fail_spilled;
    unit->block->ip--;
    RELOAD();
    NEXT();

call_slow: // A call without room for its frame, or that the stacks do not suit: at its operand.
    op = *ip;
    SPILL();
    failure = weft_enter(unit, op, unit->block->ip + 1);
    if (failure != 0) goto fail_spilled;
    RELOAD();
    if (UNLIKELY(left < 0)) goto give;
    NEXT();

give:
    SPILL();
    return WEFT_GIVE;

fail:
    SPILL();
fail_spilled:
    if (weft_throw(unit, failure)) return WEFT_FAULTED;
    RELOAD();
    if (UNLIKELY(left < 0)) goto give;
    NEXT();
}
