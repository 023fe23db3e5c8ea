// health.h: is the node well? Then this boot is blessed, and the watchdog is fed; else weftd is
// started again, or the machine is.
//
//   on trial: ready within 120 s of power-on's end, and alive 6 s later --> blessed: the kernel is
//                 |                                          not counted any more
//                 +--> not: the machine restarts; with no tries left the loader takes the other
//                 |    slot. If that would only bring the same kernel once more, the node goes on
//                 +--> not, alive, and all that it lacks is room for its journal: no other release
//                      would have that. The trial goes on; a restart counts as any other
//
//   ready:    /readyz is asked when weftd has said so, and every 5 s until it answers 200
//
//   always:   /livez every 5 s: 200 feeds the watchdog; 30 s without it and weftd is ended and
//             started again; when even that does not help nobody feeds the watchdog any more
#ifndef WEFT_IMAGE_HEALTH_H
#define WEFT_IMAGE_HEALTH_H

#include "image/init/boot.h"

// Begins to watch, and starts the node.
void weft_health_start(struct weft_boot *boot);

// Takes this boot as good: the loader's count goes, and version and configuration are noted.
// Returns 0 or a negative errno, which is said.
int weft_health_bless(struct weft_boot *boot);

// The configuration on trial becomes that of the drive (or, without one, the last good copy).
// Returns 0, -ENOENT when none is on trial, or another negative errno, and then it stays on trial.
int weft_health_confirm(struct weft_boot *boot);

// Whether a node in this state is what the loader should keep: a maintenance mode that an older
// version did not fall into is not.
bool weft_health_is_good(bool maintenance, bool broken, const char *version,
                         const char *good_version);

// Of what /readyz?verbose says: is a journal without room all that is not ready?
bool weft_health_lacks_room(const char *body);

// What is to become of a trial whose time is over and that was not blessed, by `boot`'s loop and
// what its node has said.
enum weft_health_end {
    WEFT_HEALTH_WAITS, // For a proof that is on its way, once.
    WEFT_HEALTH_STAYS, // It is alive, and lacks nothing but room.
    WEFT_HEALTH_FAILS,
};
enum weft_health_end weft_health_judge(const struct weft_boot *boot, uint64_t *wait_ns);

// Says it when the data partition has become full, and when it has room again.
void weft_health_look_at_data(struct weft_boot *boot);

#endif // WEFT_IMAGE_HEALTH_H
