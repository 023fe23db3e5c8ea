#include "runtime/base/prng.h"

#include "runtime/base/assert.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t value, int by)
{
    return (value << by) | (value >> (64 - by));
}

void weft_prng_seed(struct weft_prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        prng->state[i] = splitmix64(&seed);
    }
}

uint64_t weft_prng_next(struct weft_prng *prng)
{
    uint64_t *s = prng->state;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint32_t weft_prng_below(struct weft_prng *prng, uint32_t limit)
{
    weft_assert(limit > 0);
    const uint32_t reject_below = (uint32_t)-limit % limit;
    for (;;) {
        const uint64_t product = (weft_prng_next(prng) >> 32) * limit;
        if ((uint32_t)product >= reject_below) return (uint32_t)(product >> 32);
    }
}
