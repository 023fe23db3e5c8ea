#include "forth/help.h"

#include <string.h>

#include "forth/doc.h"
#include "forth/mnemonic.h"
#include "forth/ops.h"

size_t weft_forth_help(const char *word, size_t length, char *to, size_t size)
{
    static const char list[] = "ASSEMBLER ";
    enum { BEFORE = sizeof(list) - 1 };
    const struct weft_forth_doc *doc = weft_forth_doc_find(word, length);
    if (doc != NULL) return weft_forth_doc_text(doc, to, size);
    if (length <= BEFORE || memcmp(word, list, BEFORE) != 0) return 0;
    const unsigned op = weft_mnemonic_find(word + BEFORE, length - BEFORE);
    return op < WEFT_OP_COUNT ? weft_forth_doc_instruction(op, to, size) : 0;
}
