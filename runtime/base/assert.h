// assert.h: checks of our own mistakes. They stay on in release; input from outside is never
// asserted.
#ifndef WEFT_BASE_ASSERT_H
#define WEFT_BASE_ASSERT_H

// Prints the place and the condition on stderr and aborts. Any thread; never returns.
_Noreturn void weft_assert_failed(const char *file, int line, const char *condition);

#define weft_assert(condition)                                                                     \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : weft_assert_failed(__FILE__, __LINE__, #condition))

#endif // WEFT_BASE_ASSERT_H
