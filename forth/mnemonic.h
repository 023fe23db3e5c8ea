// mnemonic.h: the names that operations have in the ASSEMBLER word list. Internal to forth/.
//
// An operation that is a Forth word bears its name, the others one of a few that are theirs; of a
// fused one the names of its parts stand in a row: OVER+ is OVER and + in one. The words of the
// list have a comma behind, as those of assemblers in Forth have had since Forth had them.
#ifndef WEFT_FORTH_MNEMONIC_H
#define WEFT_FORTH_MNEMONIC_H

#include <stddef.h>

enum { WEFT_MNEMONIC_BYTES = 32 }; // The comma and a NUL included.

// The name of `op`, with its comma. Its length; 0, and "", if no code may say it: words that work
// while others are compiled, parts of the system's own words.
size_t weft_mnemonic(unsigned op, char to[WEFT_MNEMONIC_BYTES]);
// The operation of that name, whatever the case of its letters; WEFT_OP_COUNT: there is none.
unsigned weft_mnemonic_find(const char *name, size_t length);

#endif // WEFT_FORTH_MNEMONIC_H
