#include "runtime/mesh/replay_window.h"

#define BLOCK_OF(counter) ((counter) / 64)
#define SLOT_OF(counter)  (BLOCK_OF(counter) & (WEFT_REPLAY_BLOCKS - 1))
#define BIT_OF(counter)   (UINT64_C(1) << ((counter) % 64))

void weft_replay_start(struct weft_replay_window *window, uint64_t counter)
{
    window->top = counter;
    for (uint32_t i = 0; i < WEFT_REPLAY_BLOCKS; i++)
        window->seen[i] = UINT64_MAX;
    // In the top's own block the counters to come are free.
    window->seen[SLOT_OF(counter)] = UINT64_MAX >> (63 - counter % 64);
}

bool weft_replay_fresh(const struct weft_replay_window *window, uint64_t counter)
{
    if (counter == 0) return false;
    if (counter > window->top) return true;
    if (window->top - counter >= WEFT_REPLAY_WINDOW) return false;
    return (window->seen[SLOT_OF(counter)] & BIT_OF(counter)) == 0;
}

void weft_replay_take(struct weft_replay_window *window, uint64_t counter)
{
    if (counter > window->top) {
        uint64_t blocks = BLOCK_OF(counter) - BLOCK_OF(window->top);
        if (blocks > WEFT_REPLAY_BLOCKS) blocks = WEFT_REPLAY_BLOCKS;
        for (uint64_t i = 0; i < blocks; i++) {
            window->seen[(BLOCK_OF(counter) - i) & (WEFT_REPLAY_BLOCKS - 1)] = 0;
        }
        window->top = counter;
    }
    window->seen[SLOT_OF(counter)] |= BIT_OF(counter);
}
