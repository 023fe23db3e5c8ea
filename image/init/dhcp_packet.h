// dhcp_packet.h: what a client of DHCP says. Private to dhcp.c and dhcp_packet.c.
#ifndef WEFT_IMAGE_DHCP_PACKET_H
#define WEFT_IMAGE_DHCP_PACKET_H

#include "image/init/dhcp.h"

struct weft_dhcp_packet {
    enum weft_dhcp_type type;
    uint32_t transaction;
    uint16_t seconds;
    const uint8_t *mac;
    const char *hostname;
    uint32_t own;       // Held already: a renewal.
    uint32_t requested; // Offered.
    uint32_t server;    // Whose offer it is; of a renewal 0.
};

// Returns the length.
size_t weft_dhcp_packet(const struct weft_dhcp_packet *packet, uint8_t bytes[WEFT_DHCP_PACKET_MAX]);

#endif // WEFT_IMAGE_DHCP_PACKET_H
