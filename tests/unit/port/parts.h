// parts.h: small things that the actors of the port tests do again and again.
#ifndef WEFT_TESTS_UNIT_PORT_PARTS_H
#define WEFT_TESTS_UNIT_PORT_PARTS_H

#include <errno.h>

#include "tests/unit/port/play.h"

static struct play play; // Of the one test that includes this.

// A listener on any port of the loopback, and its address.
static inline weft_pid part_listen(struct weft_actor *self, const struct weft_port_options *options,
                                   struct weft_address *address)
{
    const struct weft_address any = {.host = PLAY_LOOPBACK};
    struct weft_port_info info;
    weft_pid listener;
    weft_assert(weft_tcp_listen(self, &any, options, &listener) == 0);
    weft_assert(weft_port_info(self, listener, &info) == 0);
    weft_assert(info.kind == WEFT_PORT_KIND_LISTENER && info.local.port != 0);
    *address = info.local;
    return listener;
}

struct part_pair { // Two ends of one connection, both the caller's.
    weft_pid listener, client, server;
    struct weft_address address;
};

static inline void part_connect(struct weft_actor *self, const struct weft_port_options *options,
                                struct part_pair *pair)
{
    pair->listener = part_listen(self, options, &pair->address);
    play_hop(self, &play);
    weft_assert(weft_tcp_connect(self, &pair->address, options, WEFT_FOREVER, &pair->client) == 0);
    play_hop(self, &play);
    weft_assert(weft_tcp_accept(self, pair->listener, WEFT_FOREVER, &pair->server, NULL) == 0);
    play_hop(self, &play);
    weft_assert(weft_port_close(self, pair->listener) == 0);
}

static inline void part_close(struct weft_actor *self, struct part_pair *pair)
{
    uint16_t reason;
    weft_port_close(self, pair->client);
    weft_port_close(self, pair->server);
    weft_assert(weft_join(self, pair->client, WEFT_FOREVER, &reason) == 0);
    weft_assert(weft_join(self, pair->server, WEFT_FOREVER, &reason) == 0);
}

// Reads exactly so many.
static inline void part_read(struct weft_actor *self, weft_pid port, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        play_hop(self, &play);
        const int64_t got =
            weft_port_read(self, port, (uint8_t *)bytes + done, length - done, WEFT_FOREVER);
        weft_assert(got > 0);
        done += (size_t)got;
    }
}

static inline void part_expect(struct weft_actor *self, weft_pid port, const char *text)
{
    char bytes[256];
    const size_t length = strlen(text);
    weft_assert(length < sizeof(bytes));
    part_read(self, port, bytes, length);
    weft_assert(memcmp(bytes, text, length) == 0);
}

static inline void part_write(struct weft_actor *self, weft_pid port, const char *text)
{
    play_hop(self, &play);
    weft_assert(weft_port_write(self, port, text, strlen(text), WEFT_FOREVER) == 0);
}

// The next message of tag PORT, which is of `type` and from `port`.
static inline struct weft_message *part_await(struct weft_actor *self, weft_pid port, uint16_t type)
{
    const struct weft_match match = {.tags = 1u << WEFT_MESSAGE_PORT};
    play_hop(self, &play);
    struct weft_message *message = weft_receive_match(self, &match, WEFT_FOREVER);
    weft_assert(message != NULL);
    weft_assert(message->from == port && message->type == type);
    return message;
}

// Nothing comes for a while.
static inline void part_expect_nothing(struct weft_actor *self)
{
    weft_assert(weft_receive(self, 5 * WEFT_NS_PER_MS) == NULL);
}

// Bytes that are known by their place.
static inline uint8_t part_byte(uint64_t place)
{
    return (uint8_t)(place * 31 + (place >> 8) * 7 + (place >> 16));
}

static inline void part_fill(uint8_t *bytes, size_t length, uint64_t place)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = part_byte(place + i);
}

static inline void part_check(const uint8_t *bytes, size_t length, uint64_t place)
{
    for (size_t i = 0; i < length; i++)
        weft_assert(bytes[i] == part_byte(place + i));
}

// Plays `part` on what was opened, and closes it: no handle is left, every operation is accounted
// for.
static inline void part_play(play_part *part)
{
    play_run(&play, part, NULL);
    play_settle(&play);
    assert_int_equal(play_handles(&play), 0);
    assert_int_equal(PLAY_SUM(&play, open_count), PLAY_SUM(&play, closed_count));
    play_check_ledger(&play);
    play_close(&play);
}

// A test of each part, by the file's own run(state, part).
#define PART_TEST(name)                                                                            \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        run(state, name);                                                                          \
    }

#endif // WEFT_TESTS_UNIT_PORT_PARTS_H
