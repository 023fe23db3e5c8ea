// io_sim.h: sockets and files in memory behind struct weft_io, as bad as a seed makes them: what is
// read and written comes in pieces, late, or fails when a test says so.
//
// One world for all cores of a test, one struct io_sim for each core. The world's connections hold
// IO_SIM_PIPE bytes each way; its files share one disk of so many bytes.
#ifndef WEFT_TESTS_SUPPORT_IO_SIM_H
#define WEFT_TESTS_SUPPORT_IO_SIM_H

#include "runtime/base/prng.h"
#include "runtime/env/io.h"
#include "runtime/sched/poller.h"

#define IO_SIM_PIPE    16384
#define IO_SIM_OBJECTS 4096
#define IO_SIM_FILES   16

struct io_sim_object;

struct io_sim_world {
    struct weft_prng prng;
    struct io_sim_object *objects[IO_SIM_OBJECTS]; // By number.
    struct io_sim_object *files[IO_SIM_FILES];     // What is on the disk.
    uint32_t object_count, object_count_max;       // Beyond: -EMFILE.
    uint64_t disk_bytes;                           // Left on the disk; beyond: -ENOSPC.
    uint32_t piece_max;                            // Bytes that one operation moves; 0: all it can.
    uint32_t delay_max;                            // Polls that an operation waits at most.
    struct {
        int error;              // 0: none.
        uint32_t after;         // Operations of that kind that still succeed.
    } faults[WEFT_IO_SYNC + 1]; // By kind.
    uint64_t done_count;
};

struct io_sim {
    struct io_sim_world *world;
    struct weft_list under_way, handles;
    uint32_t handle_count;
};

void io_sim_world_init(struct io_sim_world *world, uint64_t seed);
// Every handle has been closed.
void io_sim_world_destroy(struct io_sim_world *world);
void io_sim_init(struct io_sim *sim, struct io_sim_world *world);
// Ends every operation with -ECANCELED and closes every handle.
void io_sim_close(struct io_sim *sim);

// The operation of `kind` after the next `after` fails with `error`.
void io_sim_fail(struct io_sim_world *world, enum weft_io_kind kind, uint32_t after, int error);
// Every connection is reset.
void io_sim_reset(struct io_sim_world *world);

struct weft_io io_sim_interface(struct io_sim *sim);
struct weft_poller io_sim_poller(struct io_sim *sim);
uint32_t io_sim_under_way(const struct io_sim *sim);

#endif // WEFT_TESTS_SUPPORT_IO_SIM_H
