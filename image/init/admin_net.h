// admin_net.h: the kernel's own network card: an address, and the node's name on its network. The
// engines are dhcp.h and mdns.h; here are their sockets and timers. The time is net_time.h.
//
// Nothing waits for it: the node starts beside it, and the address comes when it comes.
//
// Core: the one thread of init, out of the loop. Memory: by value in struct weft_boot.
#ifndef WEFT_IMAGE_ADMIN_NET_H
#define WEFT_IMAGE_ADMIN_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "image/init/dhcp.h"
#include "image/init/loop.h"
#include "image/init/mdns.h"

struct weft_boot;

struct weft_admin_net {
    struct weft_boot *boot;
    char interface[16]; // The card's, or the kernel's side of a port. "": there is neither.
    uint8_t mac[6];
    uint32_t ip, prefix;

    struct weft_dhcp dhcp;
    bool dhcp_begun; // Since there has been a carrier.
    int dhcp_fd;     // -1: static, or off.
    struct weft_loop_timer dhcp_timer;

    struct weft_mdns mdns;
    int mdns_fd;
    uint32_t announcements_left;
    struct weft_loop_timer mdns_timer;
};

void weft_admin_net_start(struct weft_boot *boot);
// Ends it, to be started anew on another interface.
void weft_admin_net_stop(struct weft_boot *boot);

// Says goodbye to the network; the address stays until the machine is off.
void weft_admin_net_leave(struct weft_boot *boot);

#endif // WEFT_IMAGE_ADMIN_NET_H
