// dictionary.h: words: their headers, their names, and finding them. Internal to forth/.
#ifndef WEFT_FORTH_DICTIONARY_H
#define WEFT_FORTH_DICTIONARY_H

#include "forth/state.h"

#define WEFT_WORD_NONE UINT32_MAX

// The newest visible word of that name, whatever the case of its letters: its common index, or
// WEFT_WORD_NONE. Charges for a long search.
uint32_t weft_find(struct weft_unit *unit, const char *name, uint32_t length);
// A new own word at the end of the code, invisible and invalid. Its own index, or a THROW code.
int32_t weft_word_add(struct weft_unit *unit, enum weft_word_kind kind, const char *name,
                      uint32_t length);
struct weft_word *weft_own_word(const struct weft_unit *unit, uint32_t own_index);
// Makes an own word the newest of its name.
void weft_word_reveal(struct weft_unit *unit, uint32_t own_index);
// Forgets all own words from `own_index` on, and their code and names.
void weft_words_drop(struct weft_unit *unit, uint32_t own_index);
uint32_t weft_name_hash(const char *name, uint32_t length);
bool weft_name_equal(const char *a, const char *b, uint32_t length);

#endif // WEFT_FORTH_DICTIONARY_H
