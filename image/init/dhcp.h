// dhcp.h: an address by DHCP (RFC 2131, options of RFC 2132): packets and the client's states.
//
//             DISCOVER            offer, REQUEST            ack
//   SELECTING ---------> (waits) ---------------> REQUESTING ----> BOUND
//       ^                                            |               | T1: REQUEST to the server
//       |   nak, or the lease ends                   |               v
//       +--------------------------------------------+---------- RENEWING, T2: to everybody
//
// The client is an engine: time and datagrams go in, a datagram to send and what has changed come
// out. It opens nothing. Addresses are in host order; 0 is none.
//
// Memory: by value in its owner. Core: any one.
#ifndef WEFT_IMAGE_DHCP_H
#define WEFT_IMAGE_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_DHCP_PACKET_MAX  576 // What every host takes (RFC 2131, section 2).
#define WEFT_DHCP_SERVERS_MAX 4

enum weft_dhcp_type {
    WEFT_DHCP_DISCOVER = 1,
    WEFT_DHCP_OFFER = 2,
    WEFT_DHCP_REQUEST = 3,
    WEFT_DHCP_ACK = 5,
    WEFT_DHCP_NAK = 6,
};

struct weft_dhcp_lease {
    uint32_t ip, prefix, gateway, server;
    uint32_t lease_s, renew_s, rebind_s;
    uint32_t time_servers[WEFT_DHCP_SERVERS_MAX];
    uint32_t time_server_count;
};

struct weft_dhcp_reply {
    enum weft_dhcp_type type;
    struct weft_dhcp_lease lease;
};

// Reads what a server says. Returns 0; -EINVAL when it is no reply of DHCP to this transaction and
// this card, or is not whole.
int weft_dhcp_parse(struct weft_dhcp_reply *reply, const uint8_t *bytes, size_t length,
                    uint32_t transaction, const uint8_t mac[6]);

enum weft_dhcp_state {
    WEFT_DHCP_SELECTING,
    WEFT_DHCP_REQUESTING,
    WEFT_DHCP_BOUND,
    WEFT_DHCP_RENEWING
};

enum weft_dhcp_event {
    WEFT_DHCP_NOTHING,
    WEFT_DHCP_CONFIGURED, // `lease` is new, or has other values than before.
    WEFT_DHCP_LOST,       // The address must not be used any more.
};

struct weft_dhcp {
    enum weft_dhcp_state state;
    uint8_t mac[6];
    char hostname[32];
    uint32_t transaction;
    struct weft_dhcp_lease lease; // Held in BOUND and RENEWING, offered in REQUESTING.
    uint64_t begun_ns;            // When this transaction began: the field `secs`.
    uint64_t bound_ns;            // When the request of the lease was sent.
    uint64_t due_ns;              // When weft_dhcp_tick has something to do.
    uint32_t attempt;
};

void weft_dhcp_init(struct weft_dhcp *dhcp, const uint8_t mac[6], const char *hostname,
                    uint32_t transaction, uint64_t now_ns);

// To be called when `due_ns` has come. If `*length` is not 0 afterwards, `packet` is to be sent to
// `*to`: UINT32_MAX is everybody.
enum weft_dhcp_event weft_dhcp_tick(struct weft_dhcp *dhcp, uint64_t now_ns,
                                    uint8_t packet[WEFT_DHCP_PACKET_MAX], size_t *length,
                                    uint32_t *to);

// A datagram to port 68 has come; the same afterwards.
enum weft_dhcp_event weft_dhcp_receive(struct weft_dhcp *dhcp, const uint8_t *bytes, size_t length,
                                       uint64_t now_ns, uint8_t packet[WEFT_DHCP_PACKET_MAX],
                                       size_t *packet_length, uint32_t *to);

#endif // WEFT_IMAGE_DHCP_H
