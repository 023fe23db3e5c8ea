#include "dataplane/port_ring.h"

#include <errno.h>
#include <stdio.h>

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#define QUEUES_MAX 16

// The ring that end `end` of the wire reads; the loop has one end, 'l', which reads what it wrote.
static void name_ring(char *text, size_t size, const struct weft_device *device, char end,
                      uint16_t queue)
{
    snprintf(text, size, "wr.%.15s.%c%u", device->target, end, queue);
}

static void name_end(char *text, size_t size, const struct weft_device *device, char end)
{
    snprintf(text, size, "%.15s.%c", device->target, end);
}

static bool end_is_open(const struct weft_device *device, char end)
{
    char name[40], driver[64];
    uint16_t port;
    name_end(name, sizeof(name), device, end);
    snprintf(driver, sizeof(driver), "net_ring_%s", name);
    return rte_eth_dev_get_port_by_name(driver, &port) == 0;
}

static struct rte_ring *find_or_make(const struct weft_device *device, char end, uint16_t queue)
{
    char name[RTE_RING_NAMESIZE];
    name_ring(name, sizeof(name), device, end, queue);
    struct rte_ring *ring = rte_ring_lookup(name);
    if (ring != NULL) return ring;
    // One worker writes and one reads each ring: see net.h.
    return rte_ring_create(name, WEFT_PORT_RING_SLOTS, (int)rte_socket_id(),
                           RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static void free_ring(const struct weft_device *device, char end, uint16_t queue)
{
    char name[RTE_RING_NAMESIZE];
    void *mbuf;
    name_ring(name, sizeof(name), device, end, queue);
    struct rte_ring *ring = rte_ring_lookup(name);
    if (ring == NULL) return;
    while (rte_ring_sc_dequeue(ring, &mbuf) == 0)
        rte_pktmbuf_free(mbuf);
    rte_ring_free(ring);
}

int weft_port_ring_create(const struct weft_device *device, uint16_t queue_count)
{
    struct rte_ring *rx[QUEUES_MAX], *tx[QUEUES_MAX];
    char name[40];
    const char own = device->second[0] ? device->second[0] : 'l';
    const char other = own == 'a' ? 'b' : own == 'b' ? 'a' : 'l';

    if (queue_count > QUEUES_MAX) return -EINVAL;
    if (end_is_open(device, own)) return -EADDRINUSE;
    for (uint16_t i = 0; i < queue_count; i++) {
        rx[i] = find_or_make(device, own, i);
        tx[i] = find_or_make(device, other, i);
        if (rx[i] == NULL || tx[i] == NULL) {
            weft_port_ring_release(device, queue_count);
            return -ENOMEM;
        }
    }
    name_end(name, sizeof(name), device, own);
    const int port = rte_eth_from_rings(name, rx, queue_count, tx, queue_count, rte_socket_id());
    if (port >= 0) return port;
    weft_port_ring_release(device, queue_count);
    return rte_errno != 0 ? -rte_errno : -EIO;
}

void weft_port_ring_release(const struct weft_device *device, uint16_t queue_count)
{
    static const char ends[] = {'a', 'b', 'l'};
    const bool loop = device->second[0] == '\0';
    if (!loop && (end_is_open(device, 'a') || end_is_open(device, 'b'))) return;
    for (uint16_t queue = 0; queue < queue_count; queue++) {
        for (size_t i = 0; i < sizeof(ends); i++) {
            if ((ends[i] == 'l') == loop) free_ring(device, ends[i], queue);
        }
    }
}
