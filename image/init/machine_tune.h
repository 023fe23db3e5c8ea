// machine_tune.h: the machine made ready for polling cores: huge pages, and CPUs that the kernel
// leaves alone.
#ifndef WEFT_IMAGE_MACHINE_TUNE_H
#define WEFT_IMAGE_MACHINE_TUNE_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

#define WEFT_TUNE_CPUS_MAX 512

// Bytes in huge pages that a node with this configuration asks for: its arenas, its packet buffers
// and what DPDK needs for itself (runtime/node/machine.c). 0 with memory.huge_pages = "off".
uint64_t weft_tune_huge_bytes(const struct weft_config *config);

struct weft_tune_huge {
    uint64_t wanted_bytes;
    uint64_t gigantic_bytes, bytes; // What there is: in pages of 1 GiB, and of 2 MB.
};

// Has the kernel set weft_tune_huge_bytes aside, `limit` bytes at most: arenas that are a multiple
// of 1 GiB in pages of that size, as far as it has room for those, the rest in pages of 2 MB.
// Returns 0 with what it gave, which may be less, or a negative errno. `sys` is /sys.
int weft_tune_huge_pages(const char *sys, const struct weft_config *config, uint64_t limit,
                         struct weft_tune_huge *huge);

// The CPUs that are the workers' own, as a mask of `count` bytes, the lowest CPU in the lowest bit
// of the first: those of the list, or what pin = "auto" takes (runtime/node/pinning.c). All zero
// when the workers float. Returns how many.
uint32_t weft_tune_worker_cpus(const struct weft_config *config, uint32_t cpu_count,
                               uint8_t mask[WEFT_TUNE_CPUS_MAX / 8]);

// Keeps interrupts, the kernel's own work and init off those CPUs. Nothing happens when they are
// none, or all. What a kernel refuses (an interrupt of one CPU's own) stays where it is.
void weft_tune_isolate(const char *proc, const char *sys, uint32_t cpu_count,
                       const uint8_t mask[WEFT_TUNE_CPUS_MAX / 8]);

// A mask as the files of /proc and /sys want it: words of 32 bits in hex, the highest first,
// commas in between.
void weft_tune_mask_text(const uint8_t mask[WEFT_TUNE_CPUS_MAX / 8], uint32_t cpu_count, char *text,
                         size_t size);

#endif // WEFT_IMAGE_MACHINE_TUNE_H
