#include "bench/forth/twin.h"

int main(void)
{
    for (int64_t i = 0; i < 600; i++) {
        for (int64_t j = 0; j < 600; j++) {
            for (int64_t k = 0; k < 600; k++)
                __asm__ volatile(""); // Keeps the loop, adds no instruction.
        }
    }
    weft_twin_print(600);
    return 0;
}
