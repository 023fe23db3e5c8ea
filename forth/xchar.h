// xchar.h: extended characters (Forth 2012, chapter 18) in UTF-8. Internal to forth/.
#ifndef WEFT_FORTH_XCHAR_H
#define WEFT_FORTH_XCHAR_H

#include <stdint.h>

enum { WEFT_XCHAR_BYTES_MAX = 4 };
#define WEFT_XCHAR_MAX UINT64_C(0x10ffff)

// The character that begins at `from`, of at most `length` bytes; *bytes: how many it takes. -1 if
// it is cut off or malformed.
int64_t weft_xchar_get(const void *from, uint64_t length, uint32_t *bytes);
// Its bytes to `to`: how many; 0 if `xchar` is none.
uint32_t weft_xchar_put(uint64_t xchar, uint8_t to[WEFT_XCHAR_BYTES_MAX]);

#endif // WEFT_FORTH_XCHAR_H
