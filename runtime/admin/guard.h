// guard.h: who may ask, decided from facts alone, so that each refusal has a test.
#ifndef WEFT_ADMIN_GUARD_H
#define WEFT_ADMIN_GUARD_H

#include <stdbool.h>
#include <stdint.h>

// True if `host` (a Host header) names this machine's loopback with `port`: localhost, 127.0.0.1 or
// [::1]. Any other name may be a stranger's domain that resolves to us (DNS rebinding). NULL is
// false.
bool weft_guard_host(const char *host, uint16_t port);

// True if `origin` (an Origin header) is our own page: "http://" and such a host. NULL (no browser
// sent it, or a plain navigation) is true.
bool weft_guard_origin(const char *origin, uint16_t port);

// Who connected over the unix socket, as the kernel tells it in our user namespace.
struct weft_guard_peer {
    uint32_t uid;          // SO_PEERCRED.
    uint32_t own_uid;      // geteuid.
    uint32_t overflow_uid; // What the kernel writes for a uid that is not mapped here (65534).
    bool overflow_mapped;  // That uid is a real one here (no user namespace, or a full map).
};

// True if it may write: root here, or our own uid. A uid that is not mapped is nobody's, even when
// ours is not mapped either: the two look equal and need not be.
bool weft_guard_write(const struct weft_guard_peer *peer);

// Fills all but `uid` from this process: geteuid, /proc. Errors leave the strict choice.
void weft_guard_peer_init(struct weft_guard_peer *peer);

#endif // WEFT_ADMIN_GUARD_H
