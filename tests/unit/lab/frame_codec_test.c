// The frames of a client without a kernel: what one side says, the other understands; what is
// damaged anywhere, nobody does.
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/base/units.h"
#include "runtime/lab/frame_probe.h"

static const struct weft_lab_frame_client us = {
    {2, 0x77, 0, 0, 0, 1}, {2, 0x77, 0, 0, 0, 11}, 0x0a4d0001, 0x0a4d000b, 42001, 4200};
static const struct weft_lab_frame_client node = {
    {2, 0x77, 0, 0, 0, 11}, {2, 0x77, 0, 0, 0, 1}, 0x0a4d000b, 0x0a4d0001, 4200, 42001};

// Golden: bytes of a datagram as another implementation writes them.
static void writes_a_datagram(void **state)
{
    (void)state;
    static const uint8_t golden[] = {
        2,    0x77, 0,    0,    0,  11, 2,    0x77, 0,   0,  0,    1,    8, 0, // Ethernet
        0x45, 0,    0,    30,   0,  0,  0x40, 0,    64,  17, 0x26, 0x2a,       // IPv4
        10,   77,   0,    1,    10, 77, 0,    11,                              //
        0xa4, 0x11, 0x10, 0x68, 0,  10, 0xce, 0x51, 'h', 'i'};                 // UDP
    uint8_t frame[WEFT_LAB_FRAME_BYTES];
    const size_t length = weft_lab_frame_datagram(&us, "hi", 2, frame);

    assert_int_equal(length, sizeof(golden));
    assert_memory_equal(frame, golden, sizeof(golden));
}

static void understands_what_it_writes(void **state)
{
    (void)state;
    uint8_t frame[WEFT_LAB_FRAME_BYTES], payload[1472];
    const uint8_t *read;
    size_t read_length;

    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t)(i * 7);
    }
    for (size_t size = 0; size <= sizeof(payload); size += 23) {
        struct weft_lab_frame_client client = us;
        const size_t length = weft_lab_frame_datagram(&node, payload, size, frame);
        assert_int_equal(weft_lab_frame_read(&client, frame, length, &read, &read_length),
                         WEFT_LAB_FRAME_UDP);
        assert_int_equal(read_length, size);
        assert_memory_equal(read, payload, size);
        // Padding behind the packet, as Ethernet has it, is nobody's.
        if (length + 18 > sizeof(frame)) continue;
        assert_int_equal(weft_lab_frame_read(&client, frame, length + 18, &read, &read_length),
                         WEFT_LAB_FRAME_UDP);
        assert_int_equal(read_length, size);
    }
}

static void resolves(void **state)
{
    (void)state;
    struct weft_lab_frame_client asks = us, answers = node;
    uint8_t frame[WEFT_LAB_FRAME_BYTES];
    const uint8_t *payload;
    size_t payload_length, length;

    memset(asks.peer_mac, 0, 6);
    memset(answers.peer_mac, 0, 6);
    length = weft_lab_frame_arp(&asks, false, frame);
    assert_int_equal(weft_lab_frame_read(&answers, frame, length, &payload, &payload_length),
                     WEFT_LAB_FRAME_ARP_ASKS);
    assert_memory_equal(answers.peer_mac, us.mac, 6);
    length = weft_lab_frame_arp(&answers, true, frame);
    assert_int_equal(weft_lab_frame_read(&asks, frame, length, &payload, &payload_length),
                     WEFT_LAB_FRAME_ARP);
    assert_memory_equal(asks.peer_mac, node.mac, 6);
}

// The node's ICMP: an echo reply, and port unreachable with our datagram quoted.
static void understands_icmp(void **state)
{
    (void)state;
    struct weft_lab_frame_client client = us;
    uint8_t frame[WEFT_LAB_FRAME_BYTES], asked[WEFT_LAB_FRAME_BYTES];
    const uint8_t *payload;
    size_t payload_length;

    size_t length = weft_lab_frame_echo(&node, "12345678", 8, frame);
    assert_int_equal(weft_lab_frame_read(&client, frame, length, &payload, &payload_length),
                     WEFT_LAB_FRAME_OTHER); // A request.
    frame[34] = 0;
    weft_be16_put(frame + 36, (uint16_t)(weft_be16_get(frame + 36) + 0x0800)); // RFC 1624.
    assert_int_equal(weft_lab_frame_read(&client, frame, length, &payload, &payload_length),
                     WEFT_LAB_FRAME_ECHO);
    assert_int_equal(payload_length, 8);

    const size_t asked_length = weft_lab_frame_datagram(&us, "12345678", 8, asked);
    length = weft_lab_frame_echo(&node, asked + 14, asked_length - 14, frame);
    const uint32_t was = weft_be16_get(frame + 34), id = weft_be16_get(frame + 38);
    weft_be16_put(frame + 34, 0x0303);
    weft_be16_put(frame + 38, 0);
    weft_be16_put(frame + 40, 0);
    uint32_t sum = (uint32_t)(uint16_t)~weft_be16_get(frame + 36) + (uint16_t)~was + 0x0303 +
                   (uint16_t)~id + (uint16_t)~1;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    weft_be16_put(frame + 36, (uint16_t)~sum);
    assert_int_equal(weft_lab_frame_read(&client, frame, length, &payload, &payload_length),
                     WEFT_LAB_FRAME_UNREACHABLE);
    client.port++; // Somebody else's.
    assert_int_equal(weft_lab_frame_read(&client, frame, length, &payload, &payload_length),
                     WEFT_LAB_FRAME_OTHER);
}

// Property: no damaged bit and no cut is taken for a datagram (addresses of the frame apart: they
// are the switch's business).
static void damage_is_seen(void **state)
{
    (void)state;
    uint8_t frame[WEFT_LAB_FRAME_BYTES];
    const uint8_t *payload;
    size_t payload_length;
    const size_t length = weft_lab_frame_datagram(&node, "21 2 * .", 8, frame);

    for (size_t bit = 12 * 8; bit < length * 8; bit++) {
        struct weft_lab_frame_client client = us;
        frame[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        if (weft_lab_frame_read(&client, frame, length, &payload, &payload_length) !=
            WEFT_LAB_FRAME_OTHER)
            fail_msg("bit %zu", bit);
        frame[bit / 8] ^= (uint8_t)(1 << (bit % 8));
    }
    for (size_t cut = 0; cut < length; cut++) {
        struct weft_lab_frame_client client = us;
        if (weft_lab_frame_read(&client, frame, cut, &payload, &payload_length) !=
            WEFT_LAB_FRAME_OTHER)
            fail_msg("cut at %zu", cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_datagram), cmocka_unit_test(understands_what_it_writes),
        cmocka_unit_test(resolves),          cmocka_unit_test(understands_icmp),
        cmocka_unit_test(damage_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
