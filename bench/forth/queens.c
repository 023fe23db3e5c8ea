#include "bench/forth/twin.h"

static int64_t full = 1023, solutions;

static __attribute__((noinline)) void place(int64_t columns, int64_t left, int64_t right)
{
    if (columns == full) {
        solutions++;
        return;
    }
    int64_t free = ~(columns | left | right) & full;
    while (free) {
        const int64_t bit = free & -free;
        free ^= bit;
        place(columns | bit, (left | bit) * 2, (right | bit) >> 1);
    }
}

int main(void)
{
    for (int i = 0; i < 100; i++)
        place(0, 0, 0);
    weft_twin_print(solutions);
    return 0;
}
