#include "bench/forth/twin.h"

static __attribute__((noinline)) int64_t fib(int64_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int main(void)
{
    weft_twin_print(fib(36));
    return 0;
}
