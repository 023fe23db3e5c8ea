// symbol.h: an address as people read it.
#ifndef WEFT_ACTOR_SYMBOL_H
#define WEFT_ACTOR_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// "bump (counter.so)", or file and offset where no name is known. `is_return`: a return address, so
// the function is the one that called. Reads files and asks the loader: not in a handler, except
// where nothing is left to lose.
void weft_symbol_describe(uintptr_t address, bool is_return, char *text, size_t size);

#endif // WEFT_ACTOR_SYMBOL_H
