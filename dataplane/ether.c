// Ethernet II and 802.1Q: whose frame is it, and what is in it.
#include "dataplane/stack_frame.h"

static const uint8_t broadcast_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool mac_equal(const uint8_t *a, const uint8_t *b)
{
    return ((weft_le32_get(a) ^ weft_le32_get(b)) |
            (uint32_t)(weft_le16_get(a + 4) ^ weft_le16_get(b + 4))) == 0;
}

// Takes the tag off a tagged frame, wherever it is, and compares it with the port's. False: not our
// VLAN.
static bool strip_tag(struct weft_stack_frame *frame, uint16_t *ethertype)
{
    struct weft_packet *packet = frame->packet;
    uint16_t vlan = 0; // Untagged, or tagged for its priority alone (802.1Q, 9.6).

    if (packet->flags & WEFT_PACKET_VLAN) vlan = packet->vlan & 0xfff;
    if (*ethertype == WEFT_ETHERTYPE_VLAN && vlan == 0) {
        if (packet->length < WEFT_VLAN_BYTES) return false;
        vlan = weft_be16_get(packet->data) & 0xfff;
        *ethertype = weft_be16_get(packet->data + 2);
        weft_packet_pull(packet, WEFT_VLAN_BYTES);
    }
    return vlan == frame->port->vlan;
}

uint16_t weft_ether_receive(struct weft_stack *stack, struct weft_stack_frame *frame)
{
    struct weft_packet *packet = frame->packet;
    const struct weft_stack_port *port = frame->port;
    enum weft_drop reason = WEFT_DROP_ETH_SHORT;

    if (packet->length < WEFT_ETH_BYTES) goto drop;
    frame->ether = packet->data;
    uint16_t ethertype = weft_be16_get(packet->data + WEFT_ETH_TYPE);
    weft_packet_pull(packet, WEFT_ETH_BYTES);

    reason = WEFT_DROP_ETH_VLAN;
    const bool tagged = ethertype == WEFT_ETHERTYPE_VLAN || (packet->flags & WEFT_PACKET_VLAN) != 0;
    if ((tagged || port->vlan != 0) && !strip_tag(frame, &ethertype)) goto drop;

    reason = WEFT_DROP_ETH_NOT_OURS;
    frame->broadcast = false;
    if (!mac_equal(frame->ether + WEFT_ETH_TO, port->mac)) {
        frame->broadcast = mac_equal(frame->ether + WEFT_ETH_TO, broadcast_mac);
        const bool multicast = frame->ether[WEFT_ETH_TO] & 1;
        if (multicast && ethertype == WEFT_ETHERTYPE_IP6) reason = WEFT_DROP_IP6_ABSENT;
        if (!frame->broadcast) goto drop;
    }
    reason = WEFT_DROP_ETH_SOURCE;
    const uint8_t *from = frame->ether + WEFT_ETH_FROM;
    if ((from[0] & 1) || mac_equal(from, port->mac)) goto drop;

    if (ethertype == WEFT_ETHERTYPE_IP4 || ethertype == WEFT_ETHERTYPE_ARP) return ethertype;
    reason = ethertype == WEFT_ETHERTYPE_IP6 ? WEFT_DROP_IP6_ABSENT : WEFT_DROP_ETH_TYPE;
drop:
    weft_stack_drop(stack, packet, reason);
    return 0;
}

int weft_ether_transmit(struct weft_stack *stack, struct weft_stack_port *port,
                        struct weft_packet *packet, const uint8_t to[6], uint16_t ethertype)
{
    uint8_t receiver[6]; // `to` may lie where the header is about to be written.
    memcpy(receiver, to, sizeof(receiver));

    if (port->vlan != 0) {
        uint8_t *tag = weft_packet_push(packet, WEFT_VLAN_BYTES);
        weft_be16_put(tag, port->vlan);
        weft_be16_put(tag + 2, ethertype);
        ethertype = WEFT_ETHERTYPE_VLAN;
    }
    uint8_t *ether = weft_packet_push(packet, WEFT_ETH_BYTES);
    memcpy(ether + WEFT_ETH_TO, receiver, 6);
    memcpy(ether + WEFT_ETH_FROM, port->mac, 6);
    weft_be16_put(ether + WEFT_ETH_TYPE, ethertype);

    const uint16_t length = packet->length;
    if (length <
        WEFT_ETH_FRAME_BYTES_MIN) { // With zeros: what lay there before is nobody's business.
        weft_packet_resize(packet, WEFT_ETH_FRAME_BYTES_MIN);
        memset(packet->data + length, 0, WEFT_ETH_FRAME_BYTES_MIN - length);
    }
    return weft_stack_transmit(stack, port, packet);
}
