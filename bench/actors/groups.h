// groups.h: the table of groups of rows. Each runs in a process of its own, so that none finds the
// memory that another has left, and one that breaks takes no other with it.
#ifndef WEFT_BENCH_ACTORS_GROUPS_H
#define WEFT_BENCH_ACTORS_GROUPS_H

#include <stddef.h>
#include <stdint.h>

struct weft_actor;

struct weft_bench_group {
    const char *name;  // The peers have their rows under the same one.
    const char *about; // For --help.
    // Runs in the bench's own actor. NULL: only peers have such rows.
    void (*rows)(struct weft_actor *self);
    void (*alone)(void);      // In its place: outside of any actor, on one core.
    unsigned parts;           // Processes one after the other, for weft_bench_actors_part; 0: one.
    unsigned cores_max;       // 1: says nothing about more than one core. 0: any.
    uint32_t actors, stacks;  // At most so many at a time, on a core; 0: 65 536.
    unsigned arena_gib;       // Of addresses, for each core; 0: 1.
    double need_gb, quick_gb; // Memory that it and the peers' programs take; 0: little.
    unsigned limit_s;         // What takes longer is ended; 0: 60 s.
};

extern const struct weft_bench_group weft_bench_groups[];
extern const size_t weft_bench_group_count;

const struct weft_bench_group *weft_bench_group_find(const char *name); // NULL: no such group.

#endif // WEFT_BENCH_ACTORS_GROUPS_H
