// entropy.h: chance from outside, as an interface: getrandom(2) here, a seed in the simulator.
#ifndef WEFT_ENV_ENTROPY_H
#define WEFT_ENV_ENTROPY_H

#include <stddef.h>

struct weft_entropy {
    void (*fill)(void *self, void *bytes, size_t length); // Never fails: aborts if there is none.
    void *self;
};

static inline void weft_entropy_fill(const struct weft_entropy *entropy, void *bytes, size_t length)
{
    entropy->fill(entropy->self, bytes, length);
}

// getrandom(2). Nothing to destroy.
struct weft_entropy weft_entropy_linux(void);

#endif // WEFT_ENV_ENTROPY_H
