#include "bench/forth/twin.h"

enum { N = 200 };

static int64_t a[N * N], b[N * N], c[N * N];

static __attribute__((noinline)) void multiply(void)
{
    for (int64_t i = 0; i < N; i++) {
        for (int64_t j = 0; j < N; j++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < N; k++)
                sum += a[i * N + k] * b[k * N + j];
            c[i * N + j] = sum;
        }
    }
}

int main(void)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < N * N; i++) {
        a[i] = i % 7;
        b[i] = i % 11;
    }
    for (int i = 0; i < 4; i++)
        multiply();
    for (int64_t i = 0; i < N * N; i++)
        sum = (sum * 31 + c[i]) & 65535;
    weft_twin_print(sum);
    return 0;
}
