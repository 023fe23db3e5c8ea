// replay_window.h: which counters of one sender have been seen (RFC 6479's ring of bitmap blocks).
//
// Old blocks are cleared as the top moves on, so nothing is ever shifted. Embedded by value.
#ifndef WEFT_MESH_REPLAY_WINDOW_H
#define WEFT_MESH_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_REPLAY_BLOCKS 32 // A power of two; one block is always partly ahead of the window.
#define WEFT_REPLAY_WINDOW ((WEFT_REPLAY_BLOCKS - 1) * 64) // Counters behind the top still judged.

struct weft_replay_window {
    uint64_t top; // The highest counter taken; 0: none yet.
    uint64_t seen[WEFT_REPLAY_BLOCKS];
};
_Static_assert(WEFT_REPLAY_WINDOW >= 1024, "a flood of reordered datagrams fits");

// Begins with `counter` and all before it taken.
void weft_replay_start(struct weft_replay_window *window, uint64_t counter);

// Would `counter` be new? Changes nothing: ask before the datagram is opened.
bool weft_replay_fresh(const struct weft_replay_window *window, uint64_t counter);

// Takes `counter`, after the datagram has opened. It was fresh.
void weft_replay_take(struct weft_replay_window *window, uint64_t counter);

#endif // WEFT_MESH_REPLAY_WINDOW_H
