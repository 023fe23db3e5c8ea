#include "bench/forth/twin.h"

static int64_t list[8000], seed = 42;

static __attribute__((noinline)) void pass(int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t here = list[i], next = list[i + 1];
        if (next < here) {
            list[i] = next;
            list[i + 1] = here;
        }
    }
}

int main(void)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < 8000; i++)
        list[i] = seed = (seed * 1103515245 + 12345) & 2147483647;
    for (int64_t n = 7999; n >= 1; n--)
        pass(n);
    for (int64_t i = 0; i < 8000; i++)
        sum = (sum * 31 + list[i]) & 65535;
    weft_twin_print(sum);
    return 0;
}
