// room.h: how much memory a process may take before the machine, or what it is confined to, has no
// more.
#ifndef WEFT_BENCH_ACTORS_ROOM_H
#define WEFT_BENCH_ACTORS_ROOM_H

// The least of MemAvailable, what the control group (version 2) leaves, and RLIMIT_DATA.
double weft_bench_room_bytes(void);

#endif // WEFT_BENCH_ACTORS_ROOM_H
