// mdns.h: the node's name on its local network (RFC 6762) and its admin port as a service of DNS-SD
// (RFC 6763): HOST.local, and HOST._weft._tcp.local under _weft._tcp.local.
//
// Announcements and answers only: it asks nobody. Two nodes with one name both answer; an operator
// sees two addresses, and each node's own name is in its configuration.
//
// Memory: the caller's. Addresses are in host order.
#ifndef WEFT_IMAGE_MDNS_H
#define WEFT_IMAGE_MDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_MDNS_PORT       5353
#define WEFT_MDNS_GROUP      UINT32_C(0xe00000fb) // 224.0.0.251
#define WEFT_MDNS_PACKET_MAX 512

struct weft_mdns {
    char host[32]; // A label: letters, digits, hyphens; not empty.
    uint32_t ip;
    uint16_t port;    // Of the admin server.
    char version[64]; // In the service's TXT record.
};

// What is sent unasked: everything, to be kept for two minutes, or (`leaves`) forgotten at once.
// Returns the length.
size_t weft_mdns_announce(const struct weft_mdns *mdns, bool leaves,
                          uint8_t packet[WEFT_MDNS_PACKET_MAX]);

// The answer to a query from port `from_port`, or 0 when there is nothing to say: not a query, not
// whole, not about us. `unicast`: it goes to who asked (an ordinary resolver, or one that wants it
// so), else to the group.
size_t weft_mdns_answer(const struct weft_mdns *mdns, const uint8_t *bytes, size_t length,
                        uint16_t from_port, uint8_t packet[WEFT_MDNS_PACKET_MAX], bool *unicast);

#endif // WEFT_IMAGE_MDNS_H
