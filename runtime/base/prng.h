// prng.h: repeatable pseudo-random numbers: xoshiro256** (Blackman, Vigna 2018), seeded by
// splitmix64. Not for secrets: keys and salts come from weft_entropy (runtime/env).
#ifndef WEFT_BASE_PRNG_H
#define WEFT_BASE_PRNG_H

#include <stdint.h>

struct weft_prng {
    uint64_t state[4];
};

// Any seed is good; equal seeds give equal sequences on every machine.
void weft_prng_seed(struct weft_prng *prng, uint64_t seed);

uint64_t weft_prng_next(struct weft_prng *prng);

// Uniform in 0 .. limit - 1 (Lemire 2019, without bias); `limit` must not be 0.
uint32_t weft_prng_below(struct weft_prng *prng, uint32_t limit);

#endif // WEFT_BASE_PRNG_H
