#include "bench/actors/groups.h"

#include <string.h>

#include "bench/actors/rows.h"

#define MILLION 1000000

const struct weft_bench_group weft_bench_groups[] = {
    {.name = "spawn",
     .about = "actors made that end: one by one, a million at once, monitored",
     .rows = weft_bench_group_spawn,
     .actors = 2 * MILLION},
    {.name = "pingpong",
     .about = "a message there and back: placed by the runtime, pinned to two cores",
     .rows = weft_bench_group_pingpong},
    {.name = "oneway",
     .about = "messages one way: 1 to 1, 1000 to 1, 1 to 1000",
     .rows = weft_bench_group_oneway},
    {.name = "ring", .about = "a token round 503 actors", .rows = weft_bench_group_ring},
    {.name = "yield", .about = "slices: two actors, a thousand", .rows = weft_bench_group_yield},
    {.name = "timer",
     .about = "timers armed, cancelled, fired; how late; a million within a second",
     .rows = weft_bench_group_timer},
    {.name = "selrecv",
     .about = "receives past 10 000 other messages",
     .rows = weft_bench_group_selrecv},
    {.name = "registry", .about = "names", .rows = weft_bench_group_registry},
    {.name = "ets",
     .about = "tables of a million rows",
     .rows = weft_bench_group_ets,
     .need_gb = 1.5},
    {.name = "call", .about = "a server's calls and casts", .rows = weft_bench_group_call},
    {.name = "super", .about = "a supervisor's restart", .rows = weft_bench_group_super},
    {.name = "storm",
     .about = "100 000 actors end: linked to one, in a chain, monitored",
     .rows = weft_bench_group_storm,
     .actors = 400000,
     .stacks = 400000,
     .need_gb = 1.5},
    {.name = "savina",
     .about = "counting, fork-join, fib, big, chameneos, philosophers",
     .rows = weft_bench_group_savina,
     .actors = 400000,
     .stacks = 400000,
     .need_gb = 1,
     .limit_s = 90},
    {.name = "mem",
     .about = "memory of 100 000 and of a million idle actors; to make, keep and wake them",
     .rows = weft_bench_group_mem,
     .parts = 6,
     .cores_max = 1,
     .actors = MILLION + 65536,
     .stacks = MILLION + 65536,
     .arena_gib = 4,
     .need_gb = 6,
     .quick_gb = 1,
     .limit_s = 120},
    {.name = "spread",
     .about = "what two cores gain: pairs that talk to nobody else, plain computing",
     .rows = weft_bench_group_spread},
    {.name = "idle",
     .about = "CPU time of a runtime with nothing to do",
     .rows = weft_bench_group_idle},
    {.name = "floor",
     .about = "what a row stands on: blocks, messages, a turn of a core",
     .alone = weft_bench_group_floor,
     .cores_max = 1},
};
const size_t weft_bench_group_count = sizeof(weft_bench_groups) / sizeof(weft_bench_groups[0]);

const struct weft_bench_group *weft_bench_group_find(const char *name)
{
    for (size_t i = 0; i < weft_bench_group_count; i++) {
        if (strcmp(weft_bench_groups[i].name, name) == 0) return &weft_bench_groups[i];
    }
    return NULL;
}
