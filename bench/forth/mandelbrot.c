#include "bench/forth/twin.h"

static int64_t re, im;

static __attribute__((noinline)) int64_t steps(void)
{
    int64_t x = 0, y = 0;
    for (int64_t i = 0; i < 64; i++) {
        const int64_t xx = x * x >> 12, yy = y * y >> 12;
        if (xx + yy > 16384) return i;
        y = (x * y >> 11) + im;
        x = xx - yy + re;
    }
    return 64;
}

int main(void)
{
    int64_t sum = 0;
    for (int64_t row = 0; row < 600; row++) {
        im = row * 16 - 4800;
        for (int64_t column = 0; column < 320; column++) {
            re = column * 32 - 8192;
            sum += steps();
        }
    }
    weft_twin_print(sum);
    return 0;
}
