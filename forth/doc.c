#include "forth/doc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct weft_forth_doc docs[] = {
#define WORD(set, name, effect, text) {set, name, effect, text},
#define INNER(name)
#include "forth/words.def"
#include "forth/words_code.def"
#include "forth/words_file.def"
#include "forth/words_float.def"
#include "forth/words_sets.def"
#include "forth/words_unit.def"
#undef WORD
#undef INNER
};

static const char *const inner[] = {
#define WORD(set, name, effect, text)
#define INNER(name) name,
#include "forth/words.def"
#undef WORD
#undef INNER
};

enum { DOC_COUNT = sizeof(docs) / sizeof(docs[0]) };

const char *weft_forth_doc_list(const struct weft_forth_doc *doc)
{
    static const char *const lists[] = {"WEFT ASSEMBLER", "WEFT EDITOR"};
    for (size_t n = 0; n < sizeof(lists) / sizeof(lists[0]); n++) {
        if (strcmp(doc->set, lists[n]) == 0) return lists[n] + strlen("WEFT ");
    }
    return NULL;
}

static bool is_named(const struct weft_forth_doc *doc, const char *name, size_t length)
{
    const char *list = weft_forth_doc_list(doc);
    const size_t before = list != NULL ? strlen(list) + 1 : 0;
    return strlen(doc->name) + before == length &&
           (list == NULL ||
            (name[before - 1] == ' ' && strncasecmp(list, name, before - 1) == 0)) &&
           strncasecmp(doc->name, name + before, length - before) == 0;
}

const struct weft_forth_doc *weft_forth_doc_find(const char *name, size_t length)
{
    for (size_t n = 0; n < DOC_COUNT; n++) {
        if (is_named(&docs[n], name, length)) return &docs[n];
    }
    return NULL;
}

const struct weft_forth_doc *weft_forth_doc_at(size_t index)
{
    return index < DOC_COUNT ? &docs[index] : NULL;
}

bool weft_forth_doc_inner(const char *name, size_t length)
{
    for (size_t n = 0; n < sizeof(inner) / sizeof(inner[0]); n++) {
        if (strlen(inner[n]) == length && strncasecmp(inner[n], name, length) == 0) return true;
    }
    return false;
}

size_t weft_forth_doc_text(const struct weft_forth_doc *doc, char *to, size_t size)
{
    const int length =
        snprintf(to, size, "%s %s %s\n%s\n", doc->name, doc->effect, doc->set, doc->text);
    return (size_t)length < size ? (size_t)length : size - 1;
}

// A cell of a table: `|` would end it, even within backticks.
static void say_cell(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '<' || *text == '*' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
}

static void say_code(const char *text, FILE *out)
{
    fputc('`', out);
    for (; *text != '\0'; text++) {
        if (*text == '|') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('`', out);
}

static int by_name(const void *a, const void *b)
{
    const struct weft_forth_doc *const *first = a, *const *second = b;
    return strcasecmp((*first)->name, (*second)->name);
}

static void say_set(const char *set, FILE *out)
{
    const struct weft_forth_doc *words[DOC_COUNT];
    size_t count = 0;
    for (size_t n = 0; n < DOC_COUNT; n++) {
        if (strcmp(docs[n].set, set) == 0) words[count++] = &docs[n];
    }
    qsort(words, count, sizeof(words[0]), by_name);
    fprintf(out, "\n## %s\n\n| word | effect | |\n|---|---|---|\n", set);
    for (size_t n = 0; n < count; n++) {
        fputs("| ", out);
        say_code(words[n]->name, out);
        fputs(" | ", out);
        say_code(words[n]->effect, out);
        fputs(" | ", out);
        say_cell(words[n]->text, out);
        fputs(" |\n", out);
    }
}

void weft_forth_doc_markdown(FILE *out)
{
    fprintf(out,
            "# The words of the Forth\n\n"
            "Generated from `forth/words*.def` by `weft __docs forth`; `HELP` says the same. %d "
            "words, by "
            "the word sets of Forth 2012; `WEFT` are ours.\n"
            "An effect of several comments tells what an immediate word does while compiling `( C: "
            "… )`, "
            "then what it does when the code runs, then the return stack `( R: … )`.\n",
            (int)DOC_COUNT);
    for (size_t n = 0; n < DOC_COUNT; n++) {
        bool said = false;
        for (size_t k = 0; k < n && !said; k++)
            said = strcmp(docs[k].set, docs[n].set) == 0;
        if (!said) say_set(docs[n].set, out);
    }
    weft_forth_doc_instructions(out);
}
