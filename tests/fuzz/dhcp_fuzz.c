// What a server of DHCP might say: refused or understood, and never an address that nobody may
// have.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "image/init/dhcp.h"
#include "runtime/base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};

static void check(const struct weft_dhcp_lease *lease)
{
    if (lease->ip == 0 || lease->prefix == 0 || lease->prefix > 32) abort();
    if (lease->renew_s >= lease->rebind_s || lease->rebind_s >= lease->lease_s) abort();
    if (lease->time_server_count > WEFT_DHCP_SERVERS_MAX) abort();
}

// Each datagram of the input: a length, the bytes; a second passes in between.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_dhcp dhcp;
    uint8_t packet[WEFT_DHCP_PACKET_MAX];
    size_t length;
    uint32_t to;
    uint64_t now_ns = WEFT_NS_PER_S;
    weft_dhcp_init(&dhcp, mac, "n1", 0x12345678, now_ns);
    weft_dhcp_tick(&dhcp, now_ns, packet, &length, &to);
    while (size > 2) {
        size_t bytes = (size_t)data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        if (bytes > size) bytes = size;
        dhcp.transaction = 0x12345678; // Else nothing of an input would ever be taken twice.
        weft_dhcp_receive(&dhcp, data, bytes, now_ns, packet, &length, &to);
        if (dhcp.state != WEFT_DHCP_SELECTING) check(&dhcp.lease);
        now_ns = dhcp.due_ns > now_ns ? dhcp.due_ns : now_ns + WEFT_NS_PER_S;
        weft_dhcp_tick(&dhcp, now_ns, packet, &length, &to);
        if (length > sizeof(packet)) abort();
        data += bytes;
        size -= bytes;
    }
    return 0;
}
