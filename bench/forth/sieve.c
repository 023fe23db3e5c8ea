#include "bench/forth/twin.h"

#include <string.h>

static uint8_t flags[8190];

static __attribute__((noinline)) int64_t sieve(void)
{
    int64_t count = 0;
    memset(flags, 1, sizeof(flags));
    for (int64_t i = 0; i < 8190; i++) {
        if (!flags[i]) continue;
        const int64_t prime = i * 2 + 3;
        for (int64_t k = prime + i; k < 8190; k += prime)
            flags[k] = 0;
        count++;
    }
    return count;
}

int main(void)
{
    int64_t count = 0;
    for (int i = 0; i < 4000; i++)
        count = sieve();
    weft_twin_print(count);
    return 0;
}
