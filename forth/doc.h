// doc.h: what each word does, for HELP and for docs/forth-words.md. The lines are in
// words.def and words_*.def.
#ifndef WEFT_FORTH_DOC_H
#define WEFT_FORTH_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct weft_forth_doc {
    const char *set;    // "CORE EXT", as ENVIRONMENT? knows it; "WEFT …" for words of ours.
    const char *name;   // As the standard writes it.
    const char *effect; // "( n1 n2 -- n3 )", or several comments: "( C: -- orig ) ( x -- )".
    const char *text;   // A sentence or two.
};

// The line of that name, whatever the case of its letters; NULL if there is none. The words of
// EDITOR and ASSEMBLER are found by "EDITOR I" and its like: their names may mean something else in
// FORTH.
const struct weft_forth_doc *weft_forth_doc_find(const char *name, size_t length);
// "EDITOR" or "ASSEMBLER": the word list that a line speaks of; NULL: FORTH.
const char *weft_forth_doc_list(const struct weft_forth_doc *doc);
// All lines, in no order: `index` from 0 upward; NULL past the end.
const struct weft_forth_doc *weft_forth_doc_at(size_t index);
// Is that the name of a part of another word, of which nothing is told?
bool weft_forth_doc_inner(const char *name, size_t length);
// A line as HELP shows it: "DUP ( x -- x x ) CORE", then the sentence. Ends in a newline and NUL,
// cut to `size`. Returns the length without the NUL.
size_t weft_forth_doc_text(const struct weft_forth_doc *doc, char *to, size_t size);
// The same of an operation that ASSEMBLER has a word for.
size_t weft_forth_doc_instruction(unsigned op, char *to, size_t size);
// A table of those that are no words of FORTH as well.
void weft_forth_doc_instructions(FILE *out);
// docs/forth-words.md: a table for each word set, in the order of names.
void weft_forth_doc_markdown(FILE *out);

#endif // WEFT_FORTH_DOC_H
