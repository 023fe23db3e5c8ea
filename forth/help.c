#include "forth/help.h"

#include "forth/doc.h"

size_t weft_forth_help(const char *word, size_t length, char *to, size_t size)
{
    const struct weft_forth_doc *doc = weft_forth_doc_find(word, length);
    return doc != NULL ? weft_forth_doc_text(doc, to, size) : 0;
}
