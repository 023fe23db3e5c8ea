// disk_sim.h: a disk that behaves as badly as a disk may, from a seed.
//
// Writes end in any order; a crash leaves of each write in flight any set of its 512-byte sectors;
// what was reported done stays. create and remove are durable when they return, as the contract
// says. Single-threaded; memory by malloc; state survives any number of journals over it.
#ifndef WEFT_TESTS_SUPPORT_DISK_SIM_H
#define WEFT_TESTS_SUPPORT_DISK_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/prng.h"
#include "runtime/env/disk.h"

#define WEFT_DISK_SIM_FILES  64
#define WEFT_DISK_SIM_WRITES 16
#define WEFT_DISK_SIM_SECTOR 512

struct weft_disk_sim_file {
    bool exists;
    uint32_t number;
    uint32_t serial; // A file made again under the same number is another file.
    uint64_t block_count;
    uint8_t *bytes;
};

struct weft_disk_sim_write {
    bool used;
    struct weft_disk_sim_file *file;
    uint32_t serial;
    uint64_t block;
    uint32_t block_count;
    uint64_t cookie;
    const void *source; // Checked to be unchanged when the write ends.
    uint8_t *copy;
};

struct weft_disk_sim {
    struct weft_prng prng;
    struct weft_disk_sim_file files[WEFT_DISK_SIM_FILES];
    struct weft_disk_sim_write writes[WEFT_DISK_SIM_WRITES];
    struct weft_disk_sim_write stranded[WEFT_DISK_SIM_WRITES];
    uint32_t write_count;
    uint32_t serial;
    uint32_t done_percent; // Chance that a poll ends a given write. 0 after init means 50.
    uint32_t fail_percent; // Chance that a write ends with -EIO, some of its sectors written.
};

void weft_disk_sim_init(struct weft_disk_sim *sim, uint64_t seed);
void weft_disk_sim_destroy(struct weft_disk_sim *sim);
struct weft_disk weft_disk_sim_disk(struct weft_disk_sim *sim);

// Power is lost: of each write in flight some sectors are there and some not; none is reported.
void weft_disk_sim_crash(struct weft_disk_sim *sim);

// The process is killed, the machine goes on: the writes in flight stay under way, and land when
// told, perhaps after the next process has read the disk; but for those to files that are gone by
// then.
void weft_disk_sim_strand(struct weft_disk_sim *sim);
void weft_disk_sim_land(struct weft_disk_sim *sim);

// The bytes of `file`, to look at or to damage; NULL if there is none.
uint8_t *weft_disk_sim_bytes(struct weft_disk_sim *sim, uint32_t file, uint64_t *block_count);

// A hash over all that would be there after a restart (writes in flight not counted).
uint64_t weft_disk_sim_hash(const struct weft_disk_sim *sim);

#endif // WEFT_TESTS_SUPPORT_DISK_SIM_H
