// What each word of ASSEMBLER does that stands for an operation, from what the engine knows of
// them.
#include <stdio.h>
#include <string.h>

#include "forth/compile.h"
#include "forth/doc.h"
#include "forth/fuse.h"
#include "forth/mnemonic.h"
#include "forth/ops.h"
#include "forth/verify.h"

enum { TEXT_BYTES = 160 };

// What an operation does that is neither a Forth word nor made of others.
static const struct {
    unsigned op;
    const char *text;
} own[] = {
    {WEFT_OP_exit,
     "Returns from the word: each way through it must end so, or in TAIL, or AGAIN,."},
    {WEFT_OP_call, "Calls the word xt."},
    {WEFT_OP_tail, "Goes on with the word xt, which returns in the place of this one."},
    {WEFT_OP_branch, "Goes on behind the THEN, of orig."},
    {WEFT_OP_branch_back, "Goes back to dest."},
    {WEFT_OP_zbranch, "Goes on behind the THEN, of orig if the cell is 0."},
    {WEFT_OP_zbranch_back, "Goes back to dest if the cell is 0."},
    {WEFT_OP_do, "Begins a loop, as DO does."},
    {WEFT_OP_qdo, "Begins a loop, as ?DO does."},
    {WEFT_OP_loop, "Turns a loop, as LOOP does."},
    {WEFT_OP_plus_loop, "Turns a loop, as +LOOP does."},
    {WEFT_OP_lit16, "Pushes n; where 16 bits are too few, this is LIT32, or LIT64,."},
    {WEFT_OP_lit32, "Pushes n, of 32 bits."},
    {WEFT_OP_lit64, "Pushes n."},
    {WEFT_OP_lit_float, "Pushes r on the floating-point stack."},
    {WEFT_OP_local, "Pushes cell n from the bottom of the word's part of the return stack."},
    {WEFT_OP_local_store,
     "Stores in cell n from the bottom of the word's part of the return stack."},
    {WEFT_OP_defer, "Executes the token at the address, as a deferred word does."},
    {WEFT_OP_abort_text,
     "Takes a flag and a string: if the flag is not 0, throws -2 with the string as message."},
};

// What stands before it, and what it leaves, while the code is written.
static const char *written_effect(unsigned op)
{
    const unsigned last = weft_last_part(op);
    const bool takes = weft_op_value_tokens(op) > 0;
    if (op == WEFT_OP_call || op == WEFT_OP_tail) return "( xt -- )";
    if (op == WEFT_OP_lit_float) return "( F: r -- )";
    if (last == WEFT_OP_do || last == WEFT_OP_qdo) return "( -- do-sys )";
    if (last == WEFT_OP_loop || last == WEFT_OP_plus_loop)
        return takes ? "( do-sys n -- )" : "( do-sys -- )";
    if (weft_branch_direction(op) < 0) return "( dest -- )";
    if (weft_branch_direction(op) > 0) return takes ? "( n -- orig )" : "( -- orig )";
    return takes ? "( n -- )" : "( -- )";
}

static void add(char to[TEXT_BYTES], const char *text)
{
    const size_t used = strlen(to);
    snprintf(to + used, TEXT_BYTES - used, "%s", text);
}

// The names of the parts of a fused operation, as a colon definition would have them.
static void add_parts(unsigned op, char to[TEXT_BYTES])
{
    const struct weft_fusion *fusion = weft_fusion_of(op);
    char name[WEFT_MNEMONIC_BYTES];
    if (fusion != NULL) {
        add_parts(fusion->first, to);
        add(to, " ");
        add_parts(fusion->second, to);
        return;
    }
    const size_t length = weft_mnemonic(op, name);
    if (length > 0) name[length - 1] = '\0';
    add(to, op == WEFT_OP_lit16 || op == WEFT_OP_lit32 ? "n" : name);
}

static void describe(unsigned op, char to[TEXT_BYTES])
{
    to[0] = '\0';
    for (size_t n = 0; n < sizeof(own) / sizeof(own[0]); n++) {
        if (own[n].op == op) add(to, own[n].text);
    }
    if (to[0] != '\0') return;
    add_parts(op, to);
    add(to, weft_fusion_of(op) != NULL ? ", in one operation." : ", as it is.");
}

size_t weft_forth_doc_instruction(unsigned op, char *to, size_t size)
{
    char name[WEFT_MNEMONIC_BYTES], text[TEXT_BYTES];
    weft_mnemonic(op, name);
    describe(op, text);
    const int length =
        snprintf(to, size, "%s %s WEFT ASSEMBLER\n%s\n", name, written_effect(op), text);
    return (size_t)length < size ? (size_t)length : size - 1;
}

void weft_forth_doc_instructions(FILE *out)
{
    char name[WEFT_MNEMONIC_BYTES], text[TEXT_BYTES];
    fputs("\n## Operations in ASSEMBLER\n\nEach primitive that is not immediate has a word there, "
          "its name with a comma behind: `DUP,` `+,` `@,`. These have no other name:\n\n"
          "| word | while it is written | |\n|---|---|---|\n",
          out);
    for (unsigned op = 0; op < WEFT_OP_COUNT; op++) {
        const bool is_word = weft_op_info[op].name[0] != '\0';
        if (is_word || weft_mnemonic(op, name) == 0) continue;
        describe(op, text);
        fprintf(out, "| `%s` | `%s` | ", name, written_effect(op));
        for (const char *c = text; *c != '\0'; c++)
            fprintf(out, *c == '<' || *c == '*' ? "\\%c" : "%c", *c);
        fputs(" |\n", out);
    }
}
