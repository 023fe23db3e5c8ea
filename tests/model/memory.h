// memory.h: a memory in which threads see the same past at different times, as C11 allows.
//
// Each atomic location keeps every value that it has had, in modification order. A thread has a
// view: how far along each location it must be; a load may return any value from there on. A
// release store takes the writer's view along, an acquire load of it adds that view to the
// reader's, a relaxed one does so at the next acquire fence; full fences join their views in one
// that they share. (Kang et al. 2017, "A promising semantics for relaxed-memory concurrency",
// without the promises.)
//
// Plain accesses are made as they are, and checked: two of them, one a write, by two threads and
// not ordered by views are a race and thus a failure. Views carry vector clocks for that.
#ifndef WEFT_TESTS_MODEL_MEMORY_H
#define WEFT_TESTS_MODEL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Forgets everything: before each execution.
void memory_reset(void);

// `order` is a memory_order of C11 but seq_cst, except for a fence. `size` is 1, 2, 4 or 8.
uint64_t memory_load(unsigned thread, const void *address, size_t size, int order);
void memory_store(unsigned thread, void *address, size_t size, uint64_t value, int order);
// Replaces the value by what `change` makes of it. What it was.
uint64_t memory_change(unsigned thread, void *address, size_t size, int order,
                       uint64_t (*change)(uint64_t before, uint64_t operand), uint64_t operand);
// True: it was `*expected` and is `value`; else `*expected` is what it was.
bool memory_exchange_if(unsigned thread, void *address, size_t size, uint64_t *expected,
                        uint64_t value, int order, int failure_order);
void memory_fence(unsigned thread, int order);
// `where`: the code that does it.
void memory_plain(unsigned thread, const void *address, size_t size, bool is_write,
                  const void *where);

#endif // WEFT_TESTS_MODEL_MEMORY_H
