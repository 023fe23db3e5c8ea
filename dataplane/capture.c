#include "dataplane/capture.h"

#include <errno.h>
#include <string.h>

#include "dataplane/packet.h"

size_t weft_capture_bytes(uint32_t slot_count, uint16_t snap_bytes)
{
    return slot_count * weft_round_up(sizeof(struct weft_capture_slot) + snap_bytes, 8);
}

void weft_capture_init(struct weft_capture *capture, void *memory, uint32_t slot_count,
                       uint16_t snap_bytes)
{
    weft_assert(slot_count > 0 && (slot_count & (slot_count - 1)) == 0);
    memset(capture, 0, sizeof(*capture));
    capture->snap_bytes = snap_bytes;
    capture->mask = slot_count - 1;
    capture->stride = (uint32_t)(weft_capture_bytes(slot_count, snap_bytes) / slot_count);
    capture->slots = memory;
}

int weft_capture_start(struct weft_capture *capture, const struct weft_capture_filter *filter)
{
    if (atomic_load_explicit(&capture->on, memory_order_relaxed)) return -EBUSY;
    capture->filter = filter != NULL ? *filter : (struct weft_capture_filter){0};
    // Release pairs with the acquire load of weft_capture_is_on.
    atomic_store_explicit(&capture->on, true, memory_order_release);
    return 0;
}

void weft_capture_stop(struct weft_capture *capture)
{
    // Nothing hangs on the order: a worker in the middle of a burst finishes it.
    atomic_store_explicit(&capture->on, false, memory_order_relaxed);
}

static struct weft_capture_slot *slot_at(const struct weft_capture *capture, uint32_t index)
{
    return (struct weft_capture_slot *)(capture->slots +
                                        (size_t)(index & capture->mask) * capture->stride);
}

static bool arp_has_host(const uint8_t *arp, size_t left, uint32_t host)
{
    return left >= WEFT_ARP_BYTES && (weft_be32_get(arp + WEFT_ARP_SENDER) == host ||
                                      weft_be32_get(arp + WEFT_ARP_TARGET) == host);
}

static bool ip4_matches(const struct weft_capture_filter *filter, const uint8_t *ip4, size_t left)
{
    if (left < WEFT_IP4_BYTES) return false;
    if (filter->host != 0 && weft_be32_get(ip4 + WEFT_IP4_SOURCE) != filter->host &&
        weft_be32_get(ip4 + WEFT_IP4_DESTINATION) != filter->host)
        return false;
    const uint8_t protocol = ip4[WEFT_IP4_PROTOCOL];
    if (filter->ip_protocol != 0 && protocol != filter->ip_protocol) return false;
    if (filter->udp_port == 0) return true;
    const size_t header = 4u * (ip4[WEFT_IP4_VERSION] & 15);
    if (protocol != WEFT_IP4_UDP || left < header + WEFT_UDP_BYTES) return false;
    return weft_be16_get(ip4 + header + WEFT_UDP_SOURCE) == filter->udp_port ||
           weft_be16_get(ip4 + header + WEFT_UDP_DESTINATION) == filter->udp_port;
}

static bool matches(const struct weft_capture_filter *filter, const struct weft_packet *packet)
{
    const bool by_ip4 = filter->ip_protocol != 0 || filter->udp_port != 0;
    if (filter->ethertype == 0 && filter->host == 0 && !by_ip4) return true;
    if (packet->length < WEFT_ETH_BYTES) return false;

    const uint8_t *next = packet->data + WEFT_ETH_BYTES;
    size_t left = packet->length - WEFT_ETH_BYTES;
    uint16_t ethertype = weft_be16_get(packet->data + WEFT_ETH_TYPE);
    if (ethertype == WEFT_ETHERTYPE_VLAN && left >= WEFT_VLAN_BYTES) {
        ethertype = weft_be16_get(next + 2);
        next += WEFT_VLAN_BYTES;
        left -= WEFT_VLAN_BYTES;
    }
    if (filter->ethertype != 0 && ethertype != filter->ethertype) return false;
    if (ethertype == WEFT_ETHERTYPE_IP4) return ip4_matches(filter, next, left);
    if (by_ip4) return false;
    if (filter->host == 0) return true;
    return ethertype == WEFT_ETHERTYPE_ARP && arp_has_host(next, left, filter->host);
}

void weft_capture_frame(struct weft_capture *capture, const struct weft_packet *packet,
                        uint8_t port, enum weft_capture_direction direction, uint64_t now_ns)
{
    if (!matches(&capture->filter, packet)) return;
    const uint32_t head = atomic_load_explicit(&capture->head, memory_order_relaxed);
    // Acquire pairs with the release store of weft_capture_release: the slot has been read.
    const uint32_t tail = atomic_load_explicit(&capture->tail, memory_order_acquire);
    if (head - tail > capture->mask) {
        const uint64_t lost = atomic_load_explicit(&capture->lost, memory_order_relaxed);
        atomic_store_explicit(&capture->lost, lost + 1, memory_order_relaxed);
        return;
    }
    struct weft_capture_slot *slot = slot_at(capture, head);
    slot->time_ns = now_ns;
    slot->length = packet->length;
    slot->kept = packet->length < capture->snap_bytes ? packet->length : capture->snap_bytes;
    slot->port = port;
    slot->direction = (uint8_t)direction;
    memcpy(slot->bytes, packet->data, slot->kept);
    // Release pairs with the acquire load of weft_capture_peek: the slot is written.
    atomic_store_explicit(&capture->head, head + 1, memory_order_release);
}

const struct weft_capture_slot *weft_capture_peek(struct weft_capture *capture)
{
    const uint32_t tail = atomic_load_explicit(&capture->tail, memory_order_relaxed);
    // Acquire pairs with the release store of weft_capture_frame.
    if (atomic_load_explicit(&capture->head, memory_order_acquire) == tail) return NULL;
    return slot_at(capture, tail);
}

void weft_capture_release(struct weft_capture *capture)
{
    const uint32_t tail = atomic_load_explicit(&capture->tail, memory_order_relaxed);
    weft_assert(atomic_load_explicit(&capture->head, memory_order_relaxed) != tail);
    // Release pairs with the acquire load of weft_capture_frame.
    atomic_store_explicit(&capture->tail, tail + 1, memory_order_release);
}

uint64_t weft_capture_lost(const struct weft_capture *capture)
{
    return atomic_load_explicit(&capture->lost, memory_order_relaxed);
}
