// help.h: what is known of a word: its stack comment and a line, from its own source. Internal to
// forth/.
#ifndef WEFT_FORTH_HELP_H
#define WEFT_FORTH_HELP_H

#include <stddef.h>

// Writes what is known of the word of that name, whatever the case of its letters, as a line or
// more that end in a newline. The bytes written; 0 if nothing is known.
size_t weft_forth_help(const char *word, size_t length, char *to, size_t size);

#endif // WEFT_FORTH_HELP_H
