// net_time.h: the time, from servers on the admin port's network, and told to others there.
//
// Who is asked: [time] servers in their order, then those that DHCP names. A peer is such a server
// when it has time.serve = true: so a network without a server of its own agrees with one node.
// Who tells says also how sure it is (the stratum of RFC 4330):
//
//   set by a server of stratum N, within a day   N + 1
//   else, its own clock was never set forward    10: alone, but the machine's clock has a battery
//   else                                         it says that it does not know, and is passed over
//
// A server that says it has its time from us is passed over too. Nothing of this is signed: who can
// answer in a server's place can set the clock, though never before the floor (clock.h).
//
// Core: the one thread of init, out of the loop. Memory: by value in struct weft_boot.
#ifndef WEFT_IMAGE_NET_TIME_H
#define WEFT_IMAGE_NET_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "image/init/dhcp.h"
#include "image/init/loop.h"
#include "image/init/sntp.h"

#define WEFT_NET_TIME_SERVERS_MAX (16 + WEFT_DHCP_SERVERS_MAX)

struct weft_boot;

struct weft_net_time {
    struct weft_boot *boot;
    uint32_t ip; // Our own.
    struct {
        uint32_t ip;
        uint16_t port;
    } servers[WEFT_NET_TIME_SERVERS_MAX];
    uint32_t server_count, server; // `server` is asked next.
    int ask_fd;                    // -1: nobody is asked.
    uint64_t chance;
    int64_t sent_ns; // Our wall clock then.
    uint32_t failures;
    struct weft_loop_timer timer;

    uint8_t stratum;    // Of the server that set the clock last; 0: none has.
    uint32_t set_by_ip; // Its address.
    uint64_t set_at_ns; // When, by the loop's clock.

    int tell_fd; // -1: others are not told.
};

void weft_net_time_init(struct weft_boot *boot);

// There is an address, `ip`, or another one than before: asks, and tells if the configuration says
// so. `lease_servers` are those that came with it.
void weft_net_time_start(struct weft_boot *boot, uint32_t ip, const uint32_t *lease_servers,
                         uint32_t lease_server_count);

// There is no address any more: nobody is asked or told until the next start.
void weft_net_time_stop(struct weft_boot *boot);

// Where the clock's time comes from, for people.
void weft_net_time_describe(const struct weft_boot *boot, char *text, size_t size);

#endif // WEFT_IMAGE_NET_TIME_H
