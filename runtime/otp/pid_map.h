// pid_map.h: from a child's pid to what its supervisor knows of it, in constant time.
//
// Open addressing with linear probing; removal moves the followers up (Knuth, TAOCP 3, 6.4,
// algorithm R). Memory: the actor's that it is part of; it goes with it.
#ifndef WEFT_OTP_PID_MAP_H
#define WEFT_OTP_PID_MAP_H

#include <weft/types.h>

struct weft_pid_entry {
    weft_pid pid; // 0: free.
    void *value;
};

struct weft_pid_map { // All zeros: empty.
    struct weft_pid_entry *slots;
    uint32_t slot_count; // A power of two, or 0.
    uint32_t count;
};

// Room for one more, so that the next weft_pid_map_put cannot fail. 0, -ENOMEM.
int weft_pid_map_reserve(struct weft_actor *self, struct weft_pid_map *map);
// After weft_pid_map_reserve; `pid` is not in it.
void weft_pid_map_put(struct weft_pid_map *map, weft_pid pid, void *value);
// NULL: it is not in it. Valid until the next put or take.
struct weft_pid_entry *weft_pid_map_find(const struct weft_pid_map *map, weft_pid pid);
void weft_pid_map_take(struct weft_pid_map *map, struct weft_pid_entry *entry);

#endif // WEFT_OTP_PID_MAP_H
