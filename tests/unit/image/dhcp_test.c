// A client of DHCP against a server that is written down here, byte by byte and second by second.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "image/init/dhcp.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"

static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};

struct talk {
    struct weft_dhcp dhcp;
    uint64_t now_ns;
    uint8_t sent[WEFT_DHCP_PACKET_MAX];
    size_t sent_length;
    uint32_t to;
};

static void begin(struct talk *talk)
{
    talk->now_ns = 1000 * WEFT_NS_PER_S;
    weft_dhcp_init(&talk->dhcp, mac, "n1", 0x12345678, talk->now_ns);
}

static enum weft_dhcp_event tick(struct talk *talk)
{
    if (talk->now_ns < talk->dhcp.due_ns) talk->now_ns = talk->dhcp.due_ns;
    return weft_dhcp_tick(&talk->dhcp, talk->now_ns, talk->sent, &talk->sent_length, &talk->to);
}

// The value of an option in what was sent; NULL if it is not in it.
static const uint8_t *option(const struct talk *talk, uint8_t code, uint8_t length)
{
    for (size_t i = 240; i < talk->sent_length && talk->sent[i] != 255;) {
        if (talk->sent[i] == code) {
            assert_int_equal(talk->sent[i + 1], length);
            return talk->sent + i + 2;
        }
        i += 2 + (size_t)talk->sent[i + 1];
    }
    return NULL;
}

static size_t reply_of(const struct talk *talk, uint8_t type, uint8_t bytes[512])
{
    static const uint8_t options[] = {1,  4, 255, 255, 255,  0,                 // Mask.
                                      3,  4, 10,  0,   2,    2,                 // Router.
                                      42, 8, 10,  0,   2,    3,    10, 0, 2, 4, // Time servers.
                                      51, 4, 0,   0,   0x0e, 0x10,              // An hour.
                                      54, 4, 10,  0,   2,    2,                 // Server.
                                      0,  0, 255};
    memset(bytes, 0, 512);
    bytes[0] = 2;
    bytes[1] = 1;
    bytes[2] = 6;
    weft_be32_put(bytes + 4, talk->dhcp.transaction);
    weft_be32_put(bytes + 16, 0x0a00020f);
    memcpy(bytes + 28, mac, 6);
    weft_be32_put(bytes + 236, 0x63825363);
    bytes[240] = 53;
    bytes[241] = 1;
    bytes[242] = type;
    memcpy(bytes + 243, options, sizeof(options));
    return 243 + sizeof(options);
}

static enum weft_dhcp_event answer(struct talk *talk, uint8_t type)
{
    uint8_t bytes[512];
    const size_t length = reply_of(talk, type, bytes);
    return weft_dhcp_receive(&talk->dhcp, bytes, length, talk->now_ns, talk->sent,
                             &talk->sent_length, &talk->to);
}

static void bind_it(struct talk *talk)
{
    begin(talk);
    tick(talk);
    answer(talk, WEFT_DHCP_OFFER);
    assert_int_equal(answer(talk, WEFT_DHCP_ACK), WEFT_DHCP_CONFIGURED);
}

static void it_gets_an_address(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk);
    assert_int_equal(tick(&talk), WEFT_DHCP_NOTHING);
    assert_true(talk.sent_length >= 300 && talk.to == UINT32_MAX);
    assert_int_equal(option(&talk, 53, 1)[0], WEFT_DHCP_DISCOVER);
    assert_memory_equal(option(&talk, 12, 2), "n1", 2);
    assert_int_equal(talk.sent[10], 0x80); // Answers by broadcast.
    assert_int_equal(answer(&talk, WEFT_DHCP_OFFER), WEFT_DHCP_NOTHING);
    assert_int_equal(option(&talk, 53, 1)[0], WEFT_DHCP_REQUEST);
    assert_int_equal(weft_be32_get(option(&talk, 50, 4)), 0x0a00020f);
    assert_int_equal(weft_be32_get(option(&talk, 54, 4)), 0x0a000202);
    assert_int_equal(answer(&talk, WEFT_DHCP_ACK), WEFT_DHCP_CONFIGURED);
    const struct weft_dhcp_lease *lease = &talk.dhcp.lease;
    assert_int_equal(lease->ip, 0x0a00020f);
    assert_int_equal(lease->prefix, 24);
    assert_int_equal(lease->gateway, 0x0a000202);
    assert_int_equal(lease->time_server_count, 2);
    assert_int_equal(lease->time_servers[1], 0x0a000204);
    assert_int_equal(talk.dhcp.due_ns, talk.now_ns + 1800 * WEFT_NS_PER_S);
}

static void it_asks_more_slowly(void **state)
{
    (void)state;
    static const uint64_t waits_s[] = {1, 2, 4, 8, 16, 32, 32};
    struct talk talk;
    begin(&talk);
    for (size_t i = 0; i < WEFT_COUNT_OF(waits_s); i++) {
        tick(&talk);
        assert_int_equal(option(&talk, 53, 1)[0], WEFT_DHCP_DISCOVER);
        assert_int_equal(talk.dhcp.due_ns - talk.now_ns, waits_s[i] * WEFT_NS_PER_S);
    }
}

static void an_offer_that_is_not_kept_is_forgotten(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk);
    tick(&talk);
    const uint32_t transaction = talk.dhcp.transaction;
    answer(&talk, WEFT_DHCP_OFFER);
    for (int i = 0; i < 3; i++) {
        tick(&talk);
        assert_int_equal(option(&talk, 53, 1)[0], WEFT_DHCP_REQUEST);
    }
    tick(&talk);
    assert_int_equal(option(&talk, 53, 1)[0], WEFT_DHCP_DISCOVER);
    assert_int_not_equal(talk.dhcp.transaction, transaction);
    answer(&talk, WEFT_DHCP_OFFER);
    assert_int_equal(answer(&talk, WEFT_DHCP_NAK), WEFT_DHCP_NOTHING);
    assert_int_equal(talk.dhcp.state, WEFT_DHCP_SELECTING);
}

static void a_lease_is_renewed(void **state)
{
    (void)state;
    struct talk talk;
    bind_it(&talk);
    tick(&talk);
    assert_int_equal(talk.to, 0x0a000202); // Its own server, from its own address.
    assert_int_equal(weft_be32_get(talk.sent + 12), 0x0a00020f);
    assert_null(option(&talk, 54, 4));
    assert_int_equal(answer(&talk, WEFT_DHCP_ACK), WEFT_DHCP_NOTHING); // As it was.
    assert_int_equal(talk.dhcp.state, WEFT_DHCP_BOUND);
    assert_int_equal(talk.dhcp.due_ns, talk.now_ns + 1800 * WEFT_NS_PER_S);
}

static void a_lease_ends(void **state)
{
    (void)state;
    struct talk talk;
    bind_it(&talk);
    const uint64_t bound_ns = talk.now_ns;
    bool asked_everybody = false;
    enum weft_dhcp_event event = WEFT_DHCP_NOTHING;
    for (int i = 0; event == WEFT_DHCP_NOTHING && i < 100; i++) {
        event = tick(&talk);
        asked_everybody |= talk.to == UINT32_MAX;
    }
    assert_int_equal(event, WEFT_DHCP_LOST);
    assert_true(asked_everybody);
    assert_int_equal(talk.now_ns - bound_ns, 3600 * WEFT_NS_PER_S);
    assert_int_equal(option(&talk, 53, 1)[0], WEFT_DHCP_DISCOVER);
}

static void a_server_may_take_it_back(void **state)
{
    (void)state;
    struct talk talk;
    bind_it(&talk);
    assert_int_equal(answer(&talk, WEFT_DHCP_NAK), WEFT_DHCP_NOTHING); // Nobody had asked.
    tick(&talk);
    assert_int_equal(answer(&talk, WEFT_DHCP_NAK), WEFT_DHCP_LOST);
}

static void what_is_not_for_us_is_not_taken(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
    } cases[] = {
        {"a request", 0, 1},           {"another transaction", 4, 0xff},
        {"another card", 33, 0xee},    {"no magic", 236, 0},
        {"another type", 242, 7},      {"an address of a group", 16, 224},
        {"its own loopback", 16, 127}, {"an option past the end", 244, 200},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct talk talk;
        struct weft_dhcp_reply reply;
        uint8_t bytes[512];
        begin(&talk);
        const size_t length = reply_of(&talk, WEFT_DHCP_OFFER, bytes);
        assert_int_equal(weft_dhcp_parse(&reply, bytes, length, 0x12345678, mac), 0);
        bytes[cases[i].at] = cases[i].value;
        if (weft_dhcp_parse(&reply, bytes, length, 0x12345678, mac) != -EINVAL)
            fail_msg("%s is taken", cases[i].name);
    }
}

static void every_cut_is_refused_or_whole(void **state)
{
    (void)state;
    struct talk talk;
    struct weft_dhcp_reply reply;
    uint8_t bytes[512];
    begin(&talk);
    const size_t length = reply_of(&talk, WEFT_DHCP_OFFER, bytes);
    for (size_t cut = 0; cut < 243; cut++) { // Before its type.
        assert_int_equal(weft_dhcp_parse(&reply, bytes, cut, 0x12345678, mac), -EINVAL);
    }
    for (size_t cut = 243; cut < length; cut++) {
        weft_dhcp_parse(&reply, bytes, cut, 0x12345678, mac);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gets_an_address),
        cmocka_unit_test(it_asks_more_slowly),
        cmocka_unit_test(an_offer_that_is_not_kept_is_forgotten),
        cmocka_unit_test(a_lease_is_renewed),
        cmocka_unit_test(a_lease_ends),
        cmocka_unit_test(a_server_may_take_it_back),
        cmocka_unit_test(what_is_not_for_us_is_not_taken),
        cmocka_unit_test(every_cut_is_refused_or_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
