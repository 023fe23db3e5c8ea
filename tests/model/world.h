// world.h: a node of a few cores for the explorer, in memory that begins the same each time.
//
// The code under test is compiled with this file in front of it (-include), so that what it takes
// from malloc comes from one block, which is begun anew with every execution: no address differs
// from one to the next, and nothing has to be given back.
#ifndef WEFT_TESTS_MODEL_WORLD_H
#define WEFT_TESTS_MODEL_WORLD_H

#include <stddef.h>
#include <stdlib.h> // Before its names are taken, and
#include <sys/mman.h>

void world_begin(void); // Anew.
void *world_malloc(size_t bytes);
void *world_calloc(size_t count, size_t bytes);
void *world_aligned_alloc(size_t alignment, size_t bytes);
void world_free(void *block);

// Stacks: in the same block, without guards.
void *world_mmap(size_t bytes);
int world_leave(const void *address, size_t bytes); // As it is. 0.

#define malloc        world_malloc
#define calloc        world_calloc
#define aligned_alloc world_aligned_alloc
#define free          world_free

#define mmap(address, bytes, protection, flags, fd, offset) world_mmap(bytes)
#define munmap(address, bytes)                              world_leave(address, bytes)
#define mprotect(address, bytes, protection)                world_leave(address, bytes)
#define madvise(address, bytes, advice)                     world_leave(address, bytes)

#endif // WEFT_TESTS_MODEL_WORLD_H
