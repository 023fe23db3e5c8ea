// eal.h: starts DPDK's environment in this process, without root and without taking over its
// threads.
//
// What EAL is used for here: memory for packets, the drivers, the interrupt thread that watches
// vhost sockets. Not for threads: `rte_eal_init` pins its caller to a CPU, which is undone before
// weft_eal_start returns, and no lcore is launched. The node's own pinned threads call
// weft_eal_thread_enter, which gives each an lcore id, and with it the per-core caches of mempools
// (7.7 instead of 9.6 cycles per buffer in bulk, 11.8 instead of about 40 one by one).
//
// Memory: huge pages through memfd (`--in-memory`: no mount, no root, leaves no file) if enough are
//         free, else 4 KiB pages (`--no-huge`). The two exclude each other in 22.11, and a start
//         that fails for want of memory cannot be repeated in the same process, hence the counting
//         before.
// Start:  about 150 ms, of which 100 are a sleep inside EAL that measures the clock, and 50 the
//         loading of all of Debian's drivers; `-d` only adds to those, so nothing is saved by it.
//         23 MB resident, 17 of them shared between the nodes of one machine.
// Signals: SIGPIPE is ignored from here on: a vhost peer that dies between two messages of its
//         negotiation would end the process by it.
// Core:   all functions on the control core, but the two for threads and weft_eal_take_line.
#ifndef WEFT_DATAPLANE_EAL_H
#define WEFT_DATAPLANE_EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

#define WEFT_EAL_PCI_MAX  8
#define WEFT_EAL_LINE_MAX 256
#define WEFT_EAL_LINES    64 // Lines kept until someone takes them; the newest are lost when full.

struct weft_eal_options {
    const char *name;              // Of the node; tells processes apart. Letters, digits, '-', '_'.
    const char *runtime_directory; // Private, existing, absolute. NULL: EAL's own choice.
    uint32_t memory_mb;            // For packets and EAL itself; 0 for 64.
    const char *const *pci;        // Addresses of the PCI ports to use; nothing else is probed.
    uint32_t pci_count;            // At most WEFT_EAL_PCI_MAX; 0: no PCI device is touched at all.
    bool no_huge;                  // Do not try huge pages.
};

struct weft_eal_info {
    bool huge;
    uint64_t start_ns; // How long it took.
    char memory[160];  // For the log: "64 MB in huge pages of 2 MB", or why not.
};

// Starts EAL. Once per process: a second call, or one after a failure, is -EALREADY.
// 0; -EINVAL for options out of range; -ENOMEM, -EIO: EAL refused, its own words are in `error`
// (W0201, or W0203 for memory).
int weft_eal_start(const struct weft_eal_options *options, struct weft_eal_info *info,
                   struct weft_error *error);

// Closes what weft_eal_start opened. After the last port is closed. EAL cannot be started again.
void weft_eal_stop(void);

// Makes the calling thread known to EAL, so that it has an lcore id. 0, or -ENOMEM if all 128 are
// taken: the thread works all the same, without caches. Leave on the same thread.
int weft_eal_thread_enter(void);
void weft_eal_thread_leave(void);

// Takes the oldest line that DPDK has logged, without its newline; false if there is none. Any
// thread.
bool weft_eal_take_line(char line[WEFT_EAL_LINE_MAX]);

// How many bytes of free, unreserved huge pages of the default size there are; 0 for none.
// `page_bytes` (may be NULL) receives that size.
uint64_t weft_eal_huge_free_bytes(uint64_t *page_bytes);

#endif // WEFT_DATAPLANE_EAL_H
