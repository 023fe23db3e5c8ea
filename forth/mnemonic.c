#include "forth/mnemonic.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "forth/fuse.h"
#include "forth/ops.h"

// What an operation of its own is called; NULL: by no name.
static const char *plain_name(unsigned op)
{
    switch (op) {
    case WEFT_OP_exit: return "EXIT";
    case WEFT_OP_call: return "CALL";
    case WEFT_OP_tail: return "TAIL";
    case WEFT_OP_branch: return "AHEAD";
    case WEFT_OP_branch_back: return "AGAIN";
    case WEFT_OP_zbranch: return "IF";
    case WEFT_OP_zbranch_back: return "UNTIL";
    case WEFT_OP_do: return "DO";
    case WEFT_OP_qdo: return "?DO";
    case WEFT_OP_loop: return "LOOP";
    case WEFT_OP_plus_loop: return "+LOOP";
    case WEFT_OP_lit16: return "LIT";
    case WEFT_OP_lit32: return "LIT32";
    case WEFT_OP_lit64: return "LIT64";
    case WEFT_OP_lit_float: return "FLIT";
    case WEFT_OP_local: return "LOCAL";
    case WEFT_OP_local_store: return "LOCAL!";
    case WEFT_OP_defer: return "@EXECUTE";
    case WEFT_OP_abort_text: return "?ABORT";
    default: break;
    }
    const struct weft_op_info *info = &weft_op_info[op];
    const bool private = info->name[0] == '(' && strcmp(info->name, "(LOCAL)") != 0;
    return info->name[0] == '\0' || private || info->flags & WEFT_WORD_IMMEDIATE ? NULL
                                                                                 : info->name;
}

// Adds the name of `op`, or those of its parts, which are four at most (fuse.c). False: no name.
static bool add(unsigned op, char to[WEFT_MNEMONIC_BYTES])
{
    const struct weft_fusion *fusion = weft_fusion_of(op);
    if (fusion != NULL) return add(fusion->first, to) && add(fusion->second, to);
    const char *name = plain_name(op);
    const size_t used = strlen(to);
    if (name == NULL || used + strlen(name) + 2 > WEFT_MNEMONIC_BYTES) return false;
    strcpy(to + used, name);
    return true;
}

size_t weft_mnemonic(unsigned op, char to[WEFT_MNEMONIC_BYTES])
{
    to[0] = '\0';
    if (op >= WEFT_OP_COUNT || !add(op, to)) {
        to[0] = '\0';
        return 0;
    }
    const size_t length = strlen(to);
    memcpy(to + length, ",", 2);
    return length + 1;
}

unsigned weft_mnemonic_find(const char *name, size_t length)
{
    char mnemonic[WEFT_MNEMONIC_BYTES];
    for (unsigned op = 0; op < WEFT_OP_COUNT; op++) {
        if (weft_mnemonic(op, mnemonic) == length && strncasecmp(name, mnemonic, length) == 0)
            return length > 0 ? op : WEFT_OP_COUNT;
    }
    return WEFT_OP_COUNT;
}
