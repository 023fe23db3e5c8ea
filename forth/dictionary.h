// dictionary.h: words: their headers, their names, and finding them. Internal to forth/.
#ifndef WEFT_FORTH_DICTIONARY_H
#define WEFT_FORTH_DICTIONARY_H

#include "forth/state.h"

#define WEFT_WORD_NONE UINT32_MAX

// The newest visible word of that name, whatever the case of its letters: its common index, or
// WEFT_WORD_NONE. Charges for a long search.
// Locals first, then the word lists of the search order; a synonym gives the word it stands for.
uint32_t weft_find(struct weft_unit *unit, const char *name, uint32_t length);
// The same, but a synonym is itself.
uint32_t weft_find_unresolved(struct weft_unit *unit, const char *name, uint32_t length);
// In one word list; a synonym is itself.
uint32_t weft_find_in(struct weft_unit *unit, uint8_t list, const char *name, uint32_t length);
// Of the system module's words, the private ones too.
uint32_t weft_find_shared(const struct weft_unit *unit, const char *name);
// The word that a synonym stands for; any other stands for itself, and none for none.
uint32_t weft_word_meant(const struct weft_unit *unit, uint32_t index);
// Whether it may be the search order of a unit: it may have come from anywhere.
bool weft_order_valid(const struct weft_order *order);
// Makes the search order the least one: FORTH-WORDLIST alone.
void weft_order_reset(struct weft_block *block);
// The ASSEMBLER word list before all others, and, if it is the first, away again. 0; -49.
int32_t weft_assembler_enter(struct weft_block *block);
void weft_assembler_leave(struct weft_block *block);
// A new own word at the end of the code, invisible and invalid. Its own index, or a THROW code.
int32_t weft_word_add(struct weft_unit *unit, enum weft_word_kind kind, const char *name,
                      uint32_t length);
// An own word that is not in the module, to be changed.
struct weft_word *weft_own_word_open(const struct weft_unit *unit, uint32_t own_index);
// Makes an own word the newest of its name.
void weft_word_reveal(struct weft_unit *unit, uint32_t own_index);
// Forgets the names of the open definition's locals.
void weft_locals_drop(struct weft_unit *unit);
// Forgets all own words from `own_index` on, which is not in the module, their code and names.
void weft_words_drop(struct weft_unit *unit, uint32_t own_index);
uint16_t weft_name_hash(const char *name, uint32_t length);
bool weft_name_equal(const char *a, const char *b, uint32_t length);

#endif // WEFT_FORTH_DICTIONARY_H
