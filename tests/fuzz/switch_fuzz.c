// The switch: hostile frames from its ports, and hostile lines on its control socket.
//
// Input: a byte says what follows. Even: a frame, from port (byte / 2) modulo 3, with a length byte
// pair in front; odd: a command line up to the next newline. Every buffer has to be home at the
// end.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/switch/control.h"
#include "runtime/base/assert.h"

#define PORTS   3
#define BUFFERS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct port {
    struct weft_net net;
    struct weft_packet *arrived;
};

static struct {
    struct weft_switch bridge;
    struct port ports[PORTS];
    struct weft_packet packets[BUFFERS];
    uint8_t bytes[BUFFERS][WEFT_PACKET_HEADROOM + WEFT_PACKET_DATA_MAX];
    struct weft_packet *free[BUFFERS];
    uint32_t free_count;
    char answer[WEFT_SWITCH_ANSWER_MAX];
} rig;

static struct weft_packet *take(void *self)
{
    (void)self;
    if (rig.free_count == 0) return NULL;
    struct weft_packet *packet = rig.free[--rig.free_count];
    *packet = (struct weft_packet){.data = rig.bytes[packet - rig.packets] + WEFT_PACKET_HEADROOM,
                                   .headroom = WEFT_PACKET_HEADROOM,
                                   .tailroom = WEFT_PACKET_DATA_MAX};
    return packet;
}

static void give(void *self, struct weft_packet *packet)
{
    (void)self;
    weft_assert(rig.free_count < BUFFERS);
    rig.free[rig.free_count++] = packet;
}

static uint32_t receive(void *self, struct weft_packet **packets, uint32_t limit)
{
    struct port *port = self;
    if (port->arrived == NULL || limit == 0) return 0;
    packets[0] = port->arrived;
    port->arrived = NULL;
    return 1;
}

static uint32_t send_all(void *self, struct weft_packet **packets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        give(self, packets[i]);
    return count;
}

static void start(void)
{
    static const char *const names[PORTS] = {"n1", "n2", "client-0"};
    static const struct weft_net_info info = {.mtu = 1500};
    rig.free_count = 0;
    for (uint32_t i = 0; i < BUFFERS; i++)
        rig.free[rig.free_count++] = &rig.packets[i];
    weft_switch_init(&rig.bridge, 1);
    for (uint32_t i = 0; i < PORTS; i++) {
        rig.ports[i] = (struct port){.net = {.rx_burst = receive,
                                             .tx_burst = send_all,
                                             .alloc = take,
                                             .release = give,
                                             .info = &info,
                                             .self = &rig.ports[i]}};
        weft_assert(weft_switch_add_port(&rig.bridge, names[i]) == (int)i);
        weft_switch_plug(&rig.bridge, i, &rig.ports[i].net);
    }
}

static size_t feed_frame(uint32_t port, const uint8_t *data, size_t size)
{
    if (size < 2) return size;
    size_t length = (size_t)(data[0] | data[1] << 8) % WEFT_PACKET_DATA_MAX;
    if (length > size - 2) length = size - 2;
    struct weft_packet *packet = take(NULL);
    if (packet == NULL) return 2 + length; // All are under way, delayed.
    memcpy(packet->data, data + 2, length);
    packet->length = (uint16_t)length;
    packet->tailroom = (uint16_t)(packet->tailroom - length);
    rig.ports[port].arrived = packet;
    return 2 + length;
}

static size_t feed_line(const uint8_t *data, size_t size)
{
    char line[WEFT_SWITCH_LINE_MAX];
    const uint8_t *end = memchr(data, '\n', size);
    const size_t length = end != NULL ? (size_t)(end - data) : size;
    const size_t kept = length < sizeof(line) - 1 ? length : sizeof(line) - 1;
    memcpy(line, data, kept);
    line[kept] = '\0';
    const size_t answered = weft_switch_command(&rig.bridge, line, rig.answer);
    weft_assert(answered > 2 && answered < sizeof(rig.answer) && rig.answer[0] == '{');
    weft_assert(rig.answer[answered - 2] == '}' && rig.answer[answered - 1] == '\n');
    return end != NULL ? length + 1 : length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t now_ns = 1;
    start();
    while (size > 0) {
        const uint8_t kind = *data++;
        size--;
        const size_t used =
            kind & 1 ? feed_line(data, size) : feed_frame(kind / 2 % PORTS, data, size);
        data += used;
        size -= used;
        now_ns += (uint64_t)kind * WEFT_NS_PER_MS;
        weft_switch_turn(&rig.bridge, now_ns);
    }
    weft_switch_destroy(&rig.bridge);
    weft_assert(rig.free_count == BUFFERS);
    return 0;
}
