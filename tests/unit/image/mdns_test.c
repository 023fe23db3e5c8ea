// What a node answers to who looks for it on its network.
#include "tests/support/cmocka.h"

#include <string.h>

#include "image/init/mdns.h"
#include "runtime/base/endian.h"

static const struct weft_mdns node = {
    .host = "n1", .ip = 0x0a00020f, .port = 9338, .version = "0.1.0"};

static size_t query(uint8_t bytes[512], const char *name, uint16_t type, uint16_t class)
{
    size_t used = 12;
    memset(bytes, 0, 512);
    weft_be16_put(bytes, 0x1234);
    weft_be16_put(bytes + 4, 1);
    while (*name != '\0') {
        const size_t length = strcspn(name, ".");
        bytes[used++] = (uint8_t)length;
        memcpy(bytes + used, name, length);
        used += length;
        name += length + (name[length] == '.');
    }
    bytes[used++] = 0;
    weft_be16_put(bytes + used, type);
    weft_be16_put(bytes + used + 2, class);
    return used + 4;
}

static void it_answers_what_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t type;
        uint16_t records;
    } cases[] = {
        {"n1.local", 1, 1},
        {"N1.Local", 255, 1},
        {"n1.local", 28, 0}, // It has no IPv6 address.
        {"n2.local", 1, 0},
        {"_weft._tcp.local", 12, 4},
        {"n1._weft._tcp.local", 33, 3},
        {"n1._weft._tcp.local", 16, 3},
        {"_services._dns-sd._udp.local", 12, 1},
        {"_http._tcp.local", 12, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[512], packet[WEFT_MDNS_PACKET_MAX];
        bool unicast = true;
        const size_t length = query(bytes, cases[i].name, cases[i].type, 1);
        const size_t answer =
            weft_mdns_answer(&node, bytes, length, WEFT_MDNS_PORT, packet, &unicast);
        if ((answer > 0) != (cases[i].records > 0)) fail_msg("%s", cases[i].name);
        assert_false(unicast);
        if (answer == 0) continue;
        assert_int_equal(weft_be16_get(packet + 2), 0x8400);
        if (weft_be16_get(packet + 6) != cases[i].records)
            fail_msg("%s has %u records", cases[i].name, weft_be16_get(packet + 6));
    }
}

static void the_address_is_in_it(void **state)
{
    (void)state;
    static const uint8_t record[] = {2,    'n', '1', 5, 'l', 'o', 'c', 'a', 'l', 0, 0, 1,
                                     0x80, 1,   0,   0, 0,   120, 0,   4,   10,  0, 2, 15};
    uint8_t bytes[512], packet[WEFT_MDNS_PACKET_MAX];
    bool unicast;
    const size_t length = query(bytes, "n1.local", 1, 0x8001);
    const size_t answer = weft_mdns_answer(&node, bytes, length, WEFT_MDNS_PORT, packet, &unicast);
    assert_true(unicast); // As it was asked.
    assert_int_equal(answer, 12 + sizeof(record));
    assert_memory_equal(packet + 12, record, sizeof(record));
}

static void an_ordinary_resolver_gets_its_question_back(void **state)
{
    (void)state;
    uint8_t bytes[512], packet[WEFT_MDNS_PACKET_MAX];
    bool unicast;
    const size_t length = query(bytes, "n1.local", 1, 1);
    assert_true(weft_mdns_answer(&node, bytes, length, 40000, packet, &unicast) > length);
    assert_true(unicast);
    assert_int_equal(weft_be16_get(packet), 0x1234);
    assert_int_equal(weft_be16_get(packet + 4), 1);
    assert_memory_equal(packet + 12, bytes + 12, length - 12);
}

static void the_longest_name_has_room(void **state)
{
    (void)state;
    struct weft_mdns longest = node;
    uint8_t bytes[512], packet[WEFT_MDNS_PACKET_MAX];
    bool unicast;
    memset(longest.host, 'h', sizeof(longest.host) - 1);
    memset(longest.version, '9', sizeof(longest.version) - 1);
    const size_t length = query(bytes, "_weft._tcp.local", 12, 1);
    assert_true(weft_mdns_announce(&longest, false, packet) <= sizeof(packet));
    assert_true(weft_mdns_answer(&longest, bytes, length, 40000, packet, &unicast) <=
                sizeof(packet));
    weft_mdns_announce(&longest, true, packet);
    assert_int_equal(weft_be32_get(packet + 12 + 18 + 4), 0); // To be forgotten at once.
}

static void names_that_run_in_circles_end(void **state)
{
    (void)state;
    static const uint8_t pointers[][2] = {{0xc0, 12}, {0xc0, 13}, {0xff, 0xff}, {0x40, 1}};
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        uint8_t bytes[64] = {0}, packet[WEFT_MDNS_PACKET_MAX];
        bool unicast;
        weft_be16_put(bytes + 4, 2);
        memcpy(bytes + 12, pointers[i], 2);
        assert_int_equal(
            weft_mdns_answer(&node, bytes, sizeof(bytes), WEFT_MDNS_PORT, packet, &unicast), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_what_it_is),
        cmocka_unit_test(the_address_is_in_it),
        cmocka_unit_test(an_ordinary_resolver_gets_its_question_back),
        cmocka_unit_test(the_longest_name_has_room),
        cmocka_unit_test(names_that_run_in_circles_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
