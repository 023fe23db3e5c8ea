#include "bench/forth/twin.h"

static uint8_t text[65536];
static int64_t length;

static void put(int64_t letter)
{
    text[length++] = (uint8_t)letter;
}

static void put_digits(int64_t n)
{
    if (n / 10 != 0) put_digits(n / 10);
    put('0' + n % 10);
}

static void build(void)
{
    for (int64_t i = 0; length < 65000; i++) {
        put('k'), put('e'), put('y');
        put_digits(i);
        put('=');
        put_digits(i * 7919 % 100003);
        put(';');
    }
}

static __attribute__((noinline)) int64_t parse_all(void)
{
    int64_t sum = 0;
    for (const uint8_t *at = text; at < text + length;) {
        int64_t hash = 2166136261, value = 0;
        for (; *at != '='; at++)
            hash = ((hash ^ *at) * 16777619) & 4294967295;
        for (at++; *at != ';'; at++)
            value = value * 10 + (*at - '0');
        at++;
        sum = (sum + (value ^ hash)) & 4294967295;
    }
    return sum;
}

int main(void)
{
    int64_t sum = 0;
    build();
    for (int i = 0; i < 200; i++)
        sum = parse_all();
    weft_twin_print(sum);
    return 0;
}
