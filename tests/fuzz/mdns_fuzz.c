// Any datagram to port 5353: an answer that fits its packet, or none.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/init/mdns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_mdns node = {.host = "n1", .ip = 0x0a00020f, .port = 9338, .version = "0.1.0"};
    uint8_t packet[WEFT_MDNS_PACKET_MAX];
    bool unicast;
    for (int longest = 0; longest < 2; longest++) {
        if (longest) memset(node.version, '9', sizeof(node.version) - 1);
        for (int legacy = 0; legacy < 2; legacy++) {
            const uint16_t port = legacy ? 40000 : WEFT_MDNS_PORT;
            if (weft_mdns_answer(&node, data, size, port, packet, &unicast) > sizeof(packet))
                abort();
        }
    }
    return 0;
}
