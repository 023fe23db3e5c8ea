// verify.h: what must hold of tokens before they may run. Internal to forth/.
//
// Linear in the length of a word: tokens in range, operands whole, calls to words that exist,
// branches that land on operations of the same word and turn back only through safepoints. Along
// the way the effect on both stacks is followed; if every path agrees, the word is static, and one
// check at its entry covers its body and the words it calls. Only those that call themselves, or
// leave much, look again (they lack WEFT_WORD_COVERED). If a word is not static (EXECUTE, ?DUP
// without IF, more than 64 labels), its operations check one by one.
#ifndef WEFT_FORTH_VERIFY_H
#define WEFT_FORTH_VERIFY_H

#include "forth/state.h"

// Checks the code of the word at own index `own_index`, which is not in the module, and fills
// need..net and WEFT_WORD_STATIC. `starts`: set a bit for each operation, or NULL. 0, or -22 if it
// must not run.
int32_t weft_verify(struct weft_unit *unit, uint32_t own_index, uint8_t *starts);

// How many cells the code of an open definition, as far as it goes, has put on the return stack: by
// its first way, and among 64 branches. -1: it is no code.
int weft_return_height(const uint16_t *code, uint32_t length);

// The last part of a fused operation: what branches. Any other operation itself.
unsigned weft_last_part(unsigned op);
// 1: it may branch forward, -1: back; 0: it does not branch. The distance is its last operand.
int weft_branch_direction(unsigned op);

#endif // WEFT_FORTH_VERIFY_H
