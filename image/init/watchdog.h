// watchdog.h: the machine's own watchdog, fed only while there is proof that the node's cores turn.
//
// The proof is /livez of the admin port: 503 once a core has not turned for some seconds. What a
// watchdog cannot do better is left to init: a weftd that is stuck is ended and started again; the
// hardware is for when that does not help either, or init itself is stuck.
//
// A start asks disks, which may take minutes or never answer. A process of its own feeds meanwhile,
// for so long as any start may take (the guard).
//
// Core: the one thread of init. Time is an argument.
#ifndef WEFT_IMAGE_WATCHDOG_H
#define WEFT_IMAGE_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/base/units.h"

#define WEFT_WATCHDOG_TIMEOUT_S   60
#define WEFT_WATCHDOG_STUCK_NS    (30 * WEFT_NS_PER_S)  // Without proof: weftd is started again.
#define WEFT_WATCHDOG_STARTING_NS (120 * WEFT_NS_PER_S) // A start may take this long.
#define WEFT_WATCHDOG_GUARD_S     600                   // And each step of init's, with disks.
#define WEFT_WATCHDOG_GUARD_NS    (5 * WEFT_NS_PER_S)   // Its guard feeds so often.

enum weft_watchdog_duty {
    WEFT_WATCHDOG_FEED,
    WEFT_WATCHDOG_FEED_AND_RESTART, // weftd runs, and its cores do not turn.
    WEFT_WATCHDOG_STARVE,           // Nothing helps: the machine has to be reset.
};

struct weft_watchdog {
    int fd;              // -1: this machine has none.
    uint64_t proof_ns;   // When the cores were seen turning last, or a start was made.
    uint64_t allowed_ns; // How long after that is still fine.
    bool restarted;      // Since the last proof.
    pid_t guard;         // 0: there is none.
    uint64_t guard_every_ns;
    unsigned guard_count;
};

// Opens the first watchdog that there is. Returns 0, or a negative errno: then only
// weft_watchdog_feed does nothing.
int weft_watchdog_open(struct weft_watchdog *watchdog, uint64_t now_ns);

// Feeds it from another process, each `every_ns`, `count` times at most: init need not come back
// before. Returns 0 or a negative errno.
int weft_watchdog_guard(struct weft_watchdog *watchdog, uint64_t every_ns, unsigned count);
// Init has come on: as many times from here. Does nothing without a guard.
void weft_watchdog_guard_renew(struct weft_watchdog *watchdog);
// From now on init feeds. Does nothing without a guard.
void weft_watchdog_guard_end(struct weft_watchdog *watchdog);

// weftd was started, or waits to be: it has time.
void weft_watchdog_excuse(struct weft_watchdog *watchdog, uint64_t now_ns);
// The cores turn.
void weft_watchdog_prove(struct weft_watchdog *watchdog, uint64_t now_ns);

// What is due now. To be asked every few seconds, and to be followed.
enum weft_watchdog_duty weft_watchdog_duty(struct weft_watchdog *watchdog, uint64_t now_ns);
void weft_watchdog_feed(const struct weft_watchdog *watchdog);

// For an orderly end: the hardware still guards it, with the time it has left. The guard ends, too.
void weft_watchdog_close(struct weft_watchdog *watchdog);

#endif // WEFT_IMAGE_WATCHDOG_H
