// stacks_check.h: which ranges of addresses hold stacks that are checked by code (stacks_check.c).
#ifndef WEFT_MEM_STACKS_CHECK_H
#define WEFT_MEM_STACKS_CHECK_H

#include <stddef.h>

// Any thread. Beyond 256 ranges a further one is not checked.
void weft_stacks_check_add(const void *start, size_t bytes);
void weft_stacks_check_remove(const void *start);

#endif // WEFT_MEM_STACKS_CHECK_H
