// Connections as actors see them, over every backend, on one core and with owners on another.
#include "tests/support/cmocka.h"

#include "tests/unit/port/tcp.h"

// ---- To and fro.

static void talk_passively(struct weft_actor *self, void *state)
{
    struct part_pair pair;
    char bytes[16];
    (void)state;
    part_connect(self, NULL, &pair);
    part_write(self, pair.client, "hel");
    part_write(self, pair.client, "lo");
    part_expect(self, pair.server, "hello");
    // What was not wanted stays.
    part_write(self, pair.server, "abcdef");
    part_expect(self, pair.client, "abcd");
    part_expect(self, pair.client, "ef");
    weft_assert(weft_port_read(self, pair.client, bytes, 16, 0) == -EAGAIN);
    weft_assert(weft_port_read(self, pair.client, bytes, 0, 0) == -EINVAL);
    weft_assert(weft_port_read(self, pair.client, bytes, 16, WEFT_NS_PER_MS) == -ETIMEDOUT);
    // A read that has given up has taken nothing.
    part_write(self, pair.server, "later");
    part_expect(self, pair.client, "later");
    struct weft_port_info info;
    weft_assert(weft_port_info(self, pair.client, &info) == 0);
    weft_assert(info.kind == WEFT_PORT_KIND_TCP && info.owner == weft_self(self));
    weft_assert(info.peer.port == pair.address.port && info.peer.host == PLAY_LOOPBACK);
    weft_assert(info.received_bytes == 11 && info.sent_bytes == 5 && info.sent_count == 2);
    weft_assert(info.unsent_bytes == 0 && info.window_used == 0);
    part_close(self, &pair);
    weft_assert(weft_port_write(self, pair.client, "x", 1, 0) == -ESRCH);
    weft_assert(weft_port_read(self, pair.client, bytes, 1, 0) == -ESRCH);
    weft_assert(weft_port_info(self, pair.client, &info) == -ESRCH);
    weft_assert(weft_port_close(self, pair.client) == -ESRCH);
}

static void talk_actively(struct weft_actor *self, void *state)
{
    struct part_pair pair;
    size_t got = 0;
    (void)state;
    part_connect(self, NULL, &pair);
    part_write(self, pair.client, "before"); // Nothing comes while it is passive.
    part_expect_nothing(self);
    weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    while (got < 6) {
        const struct weft_message *message = part_await(self, pair.server, WEFT_PORT_DATA);
        weft_assert(memcmp(DATA_OF(message), &"before"[got], message -> length) == 0);
        got += message->length;
    }
    char byte;
    weft_assert(weft_port_read(self, pair.server, &byte, 1, WEFT_FOREVER) == -EBUSY);
    weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ONCE, 0) == -EINVAL);
    // Three, and no more.
    const struct weft_port_options lines = {.framing = WEFT_FRAMING_LINE};
    struct part_pair second;
    part_connect(self, &lines, &second);
    part_write(self, second.client, "1\n2\n3\n4\n5\n");
    weft_assert(weft_port_mode(self, second.server, WEFT_PORT_MODE_ONCE, 3) == 0);
    for (char i = '1'; i <= '3'; i++) {
        const struct weft_message *message = part_await(self, second.server, WEFT_PORT_DATA);
        weft_assert(message->length == 2 && DATA_OF(message)[0] == i);
    }
    part_await(self, second.server, WEFT_PORT_PASSIVE);
    part_expect_nothing(self);
    char line[8];
    weft_assert(weft_port_read(self, second.server, line, 1, WEFT_FOREVER) == -EMSGSIZE);
    weft_assert(weft_port_read(self, second.server, line, 8, WEFT_FOREVER) == 2 && line[0] == '4');
    weft_assert(weft_port_mode(self, second.server, WEFT_PORT_MODE_ONCE, 1) == 0);
    weft_assert(DATA_OF(part_await(self, second.server, WEFT_PORT_DATA))[0] == '5');
    part_await(self, second.server, WEFT_PORT_PASSIVE);
    part_close(self, &second);
    part_close(self, &pair);
}

static void echo(struct weft_actor *self, void *state)
{
    const weft_pid port = ((struct play_role *)state)->pid;
    weft_assert(weft_port_mode(self, port, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->tag != WEFT_MESSAGE_PORT) continue;
        if (message->type == WEFT_PORT_END) return; // With the last writes under way.
        weft_assert(message->type == WEFT_PORT_DATA && message->from == port);
        weft_assert(weft_port_write(self, port, message->payload, message->length, WEFT_FOREVER) ==
                    0);
    }
}

static void serve(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    const weft_pid listener = part_listen(self, NULL, role->argument);
    weft_assert(weft_port_mode(self, listener, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_send(self, role->pid, 1, NULL, 0);
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->tag == WEFT_MESSAGE_USER) break;
        if (message->tag != WEFT_MESSAGE_PORT) continue;
        weft_assert(message->type == WEFT_PORT_ACCEPTED && message->from == listener);
        const struct weft_accepted *accepted = (const void *)message->payload;
        const struct play_role one = {.part = echo, .pid = accepted->port};
        weft_assert(accepted->peer.host == PLAY_LOOPBACK && accepted->peer.port != 0);
        const weft_pid port = accepted->port;
        weft_assert(weft_port_give(self, port, play_spawn(self, &one, 0)) == 0);
        weft_assert(weft_port_mode(self, port, WEFT_PORT_MODE_ACTIVE, 0) == -EPERM);
        weft_assert(weft_port_give(self, port, weft_self(self)) == -EPERM);
    }
    // Its connections are others' and go on.
    weft_assert(weft_port_close(self, listener) == 0);
}

#define BULK_BYTES 1200000

static void send_bulk(struct weft_actor *self, void *state)
{
    uint8_t bytes[10000];
    const weft_pid port = ((struct play_role *)state)->pid;
    for (size_t sent = 0, length = 1; sent < BULK_BYTES; sent += length) {
        length = length * 7 % sizeof(bytes) + 1;
        if (length > BULK_BYTES - sent) length = BULK_BYTES - sent;
        play_hop(self, &play);
        part_fill(bytes, length, sent);
        weft_assert(weft_port_write(self, port, bytes, length, WEFT_FOREVER) == 0);
    }
    weft_assert(weft_port_finish(self, port) == 0);
    weft_assert(weft_port_finish(self, port) == -EPIPE);
    weft_assert(weft_port_write(self, port, "x", 1, WEFT_FOREVER) == -EPIPE);
}

static void client_of_echo(struct weft_actor *self, void *state)
{
    static uint8_t bytes[20000];
    const struct play_role *role = state;
    const struct weft_address *address = role->argument;
    weft_pid port;
    int64_t got;
    uint64_t received = 0;
    weft_assert(weft_tcp_connect(self, address, NULL, WEFT_FOREVER, &port) == 0);
    const struct play_role sender = {.part = send_bulk, .pid = port};
    play_spawn(self, &sender, 0);
    while ((got = weft_port_read(self, port, bytes, sizeof(bytes), WEFT_FOREVER)) > 0) {
        part_check(bytes, (size_t)got, received);
        received += (uint64_t)got;
        play_hop(self, &play);
    }
    weft_assert(got == -ENODATA && received == BULK_BYTES);
    if (role->pid != 0) weft_send(self, role->pid, 2, NULL, 0);
}

static void bulk_echo(struct weft_actor *self, void *state)
{
    struct weft_address address;
    (void)state;
    const struct play_role server = {.part = serve, .argument = &address, .pid = weft_self(self)};
    const weft_pid pid = play_spawn(self, &server, 0);
    weft_assert(weft_receive(self, WEFT_FOREVER)->type == 1);
    const struct play_role client = {
        .part = client_of_echo, .argument = &address, .pid = weft_self(self)};
    for (int i = 0; i < 3; i++) {
        const struct weft_spawn spawn = {
            .kind = &play_kind, .state = &client, .core = (uint16_t)(i % (int)play.count)};
        weft_pid unused;
        weft_assert(weft_spawn(self, &spawn, &unused) == 0);
    }
    for (int i = 0; i < 3; i++)
        weft_assert(weft_receive(self, WEFT_FOREVER)->type == 2);
    weft_send(self, pid, 0, NULL, 0);
    weft_assert(weft_join(self, pid, WEFT_FOREVER, NULL) == 0);
}

// ---- Packets.

static void send_packets(struct weft_actor *self, weft_pid port, const uint32_t *lengths,
                         size_t count)
{
    static uint8_t bytes[70000];
    for (size_t i = 0; i < count; i++) {
        part_fill(bytes, lengths[i], i);
        weft_assert(weft_port_write(self, port, bytes, lengths[i], WEFT_FOREVER) == 0);
    }
}

struct packets {
    weft_pid port;
    const uint32_t *lengths;
    size_t count;
};

static void send_packets_part(struct weft_actor *self, void *state)
{
    const struct packets *packets = ((struct play_role *)state)->argument;
    send_packets(self, packets->port, packets->lengths, packets->count);
    weft_port_finish(self, packets->port);
}

static void packets_come_whole(struct weft_actor *self, void *state)
{
    static const uint32_t lengths[] = {1, 0, 200, 3, 255, 0, 17, 254, 1, 100};
    static const uint32_t longer[] = {1000, 0, 65535, 1, 40000, 300};
    static uint8_t bytes[70000];
    (void)state;
    for (uint8_t framing = WEFT_FRAMING_LENGTH_1; framing <= WEFT_FRAMING_LENGTH_4; framing++) {
        const struct weft_port_options options = {.framing = framing};
        const bool is_short = framing == WEFT_FRAMING_LENGTH_1;
        struct part_pair pair;
        part_connect(self, &options, &pair);
        if (is_short) {
            weft_assert(weft_port_write(self, pair.client, bytes, 256, 0) == -EMSGSIZE);
        } else {
            weft_assert(weft_port_write(self, pair.client, bytes, 65537, 0) == -EMSGSIZE);
        }
        struct packets packets = {.port = pair.client,
                                  .lengths = is_short ? lengths : longer,
                                  .count =
                                      is_short ? WEFT_COUNT_OF(lengths) : WEFT_COUNT_OF(longer)};
        const struct play_role sender = {.part = send_packets_part, .argument = &packets};
        const weft_pid pid = play_spawn(self, &sender, 0);
        for (size_t i = 0; i < packets.count; i++) {
            if (i % 2 == 0) {
                weft_assert(weft_port_read(self, pair.server, bytes, sizeof(bytes), WEFT_FOREVER) ==
                            packets.lengths[i]);
                part_check(bytes, packets.lengths[i], i);
                continue;
            }
            weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ONCE, 1) == 0);
            const struct weft_message *message = part_await(self, pair.server, WEFT_PORT_DATA);
            weft_assert(message->length == packets.lengths[i]);
            part_check(message->payload, message->length, i);
            part_await(self, pair.server, WEFT_PORT_PASSIVE);
        }
        weft_assert(weft_port_read(self, pair.server, bytes, 1, WEFT_FOREVER) == -ENODATA);
        weft_assert(weft_join(self, pid, WEFT_FOREVER, NULL) == 0);
        part_close(self, &pair);
    }
}

static void lines_and_their_limits(struct weft_actor *self, void *state)
{
    const struct weft_port_options options = {.framing = WEFT_FRAMING_LINE, .packet_max = 32};
    struct part_pair pair;
    char line[64];
    (void)state;
    part_connect(self, &options, &pair);
    part_write(self, pair.client, "GET /\r\nHost: x\r\n\r\nlast");
    weft_assert(weft_port_finish(self, pair.client) == 0);
    weft_assert(weft_port_read(self, pair.server, line, 64, WEFT_FOREVER) == 7);
    weft_assert(weft_port_read(self, pair.server, line, 64, WEFT_FOREVER) == 9);
    weft_assert(weft_port_read(self, pair.server, line, 64, WEFT_FOREVER) == 2);
    weft_assert(weft_port_read(self, pair.server, line, 64, WEFT_FOREVER) == 4);
    weft_assert(memcmp(line, "last", 4) == 0);
    weft_assert(weft_port_read(self, pair.server, line, 64, WEFT_FOREVER) == -ENODATA);
    part_close(self, &pair);
    // A line without an end is not kept for ever.
    part_connect(self, &options, &pair);
    weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    part_write(self, pair.client, "ok\nthis is a line of more than thirty-two bytes");
    weft_assert(part_await(self, pair.server, WEFT_PORT_DATA)->length == 3);
    weft_assert(weft_port_status(part_await(self, pair.server, WEFT_PORT_CLOSED)) == -EMSGSIZE);
    weft_assert(weft_join(self, pair.server, WEFT_FOREVER, NULL) == 0);
    part_close(self, &pair);
    // Nor is a packet that stops in the middle.
    const struct weft_port_options lengths = {.framing = WEFT_FRAMING_LENGTH_2};
    struct part_pair raw = {0};
    raw.listener = part_listen(self, &lengths, &raw.address);
    weft_assert(weft_tcp_connect(self, &raw.address, NULL, WEFT_FOREVER, &raw.client) == 0);
    weft_assert(weft_tcp_accept(self, raw.listener, WEFT_FOREVER, &raw.server, NULL) == 0);
    weft_assert(weft_port_write(self, raw.client, "\0\5abc", 5, WEFT_FOREVER) == 0);
    weft_assert(weft_port_finish(self, raw.client) == 0);
    weft_assert(weft_port_read(self, raw.server, line, 64, WEFT_FOREVER) == -EPROTO);
    weft_assert(weft_port_read(self, raw.server, line, 64, WEFT_FOREVER) == -EPROTO);
    weft_assert(weft_port_mode(self, raw.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_assert(weft_port_status(part_await(self, raw.server, WEFT_PORT_CLOSED)) == -EPROTO);
    part_close(self, &raw);
    weft_assert(weft_port_close(self, raw.listener) == 0);
    const struct weft_port_options silly[] = {
        {.framing = 9}, {.packet_max = UINT32_MAX}, {.window_bytes = UINT32_MAX}};
    for (size_t i = 0; i < WEFT_COUNT_OF(silly); i++) {
        weft_pid unused;
        weft_assert(weft_tcp_listen(self, &pair.address, &silly[i], &unused) == -EINVAL);
    }
}

// ---- Back-pressure.

static void flood(struct weft_actor *self, void *state)
{
    static uint8_t bytes[1000];
    const struct play_role *role = state;
    for (size_t sent = 0; sent < BULK_BYTES; sent += sizeof(bytes)) {
        part_fill(bytes, sizeof(bytes), sent);
        play_hop(self, &play);
        weft_assert(weft_port_write(self, role->pid, bytes, sizeof(bytes), WEFT_FOREVER) == 0);
    }
    weft_assert(weft_port_finish(self, role->pid) == 0);
}

// An owner that receives nothing for a while has no more than a window in its mailbox; then all
// comes, in order.
static void a_window_holds(struct weft_actor *self, void *state)
{
    static const struct weft_port_options cases[] = {{.window_bytes = 0},
                                                     {.window_bytes = 1},
                                                     {.window_bytes = 5000},
                                                     {.window_bytes = 1 << 20}};
    (void)state;
    for (size_t n = 0; n < WEFT_COUNT_OF(cases); n++) {
        struct part_pair pair;
        uint64_t received = 0;
        part_connect(self, &cases[n], &pair);
        const struct play_role sender = {.part = flood, .pid = pair.client};
        const weft_pid pid = play_spawn(self, &sender, 0);
        weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
        for (int i = 0; i < 20; i++) {
            struct weft_port_info info;
            weft_sleep(self, WEFT_NS_PER_MS);
            weft_assert(weft_mailbox_count(self) <= 32);
            weft_assert(weft_port_info(self, pair.server, &info) == 0);
            const uint32_t window = cases[n].window_bytes != 0 ? cases[n].window_bytes : 65536;
            weft_assert(info.window_used < window + WEFT_IO_RECEIVE_MAX);
        }
        struct weft_port_info info;
        weft_assert(weft_port_info(self, pair.server, &info) == 0 && info.paused_count > 0);
        for (;;) {
            const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
            if (message->type == WEFT_PORT_END) break;
            weft_assert(message->type == WEFT_PORT_DATA && message->from == pair.server);
            part_check(message->payload, message->length, received);
            received += message->length;
            play_hop(self, &play);
        }
        weft_assert(received == BULK_BYTES);
        weft_assert(weft_join(self, pid, WEFT_FOREVER, NULL) == 0);
        part_close(self, &pair);
    }
}

static void owner_of_a_full_mailbox(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    uint64_t received = 0;
    uint32_t others = 0;
    // Its mailbox is full when the port becomes active.
    weft_assert(weft_receive(self, WEFT_FOREVER)->type == 1);
    weft_sleep(self, 20 * WEFT_NS_PER_MS);
    weft_assert(weft_mailbox_count(self) >= 64);
    weft_assert(weft_port_mode(self, role->pid, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_sleep(self, 20 * WEFT_NS_PER_MS);
    struct weft_port_info info;
    weft_assert(weft_port_info(self, role->pid, &info) == 0);
    if (weft_core_index(self) == 0) { // The port's: it knows before it sends one.
        weft_assert(info.received_count == 0 && info.paused_count > 0);
    } else { // It hears of it when some have come.
        weft_assert(info.received_count <= 32);
    }
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->tag == WEFT_MESSAGE_USER) {
            others++;
            continue;
        }
        if (message->type == WEFT_PORT_END) break;
        part_check(message->payload, message->length, received);
        received += message->length;
    }
    weft_assert(received == BULK_BYTES && others == 100);
    weft_send(self, weft_parent(self), 7, NULL, 0);
}

static void send_hundred(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    for (int i = 0; i < 100; i++)
        weft_assert(weft_send(self, role->pid, 0, NULL, 0) == 0);
}

static void a_full_mailbox_stops_its_ports(struct weft_actor *self, void *state)
{
    (void)state;
    for (uint16_t core = 0; core < play.count; core++) {
        struct part_pair pair;
        weft_pid owner;
        part_connect(self, NULL, &pair);
        const struct play_role role = {.part = owner_of_a_full_mailbox, .pid = pair.server};
        const struct weft_spawn spawn = {
            .kind = &play_kind, .state = &role, .mailbox_max = 64, .pinned = true, .core = core};
        weft_assert(weft_spawn(self, &spawn, &owner) == 0);
        weft_assert(weft_port_give(self, pair.server, owner) == 0);
        const struct play_role sender = {.part = flood, .pid = pair.client};
        const weft_pid flooding = play_spawn(self, &sender, 0);
        weft_send(self, owner, 1, NULL, 0);
        const struct play_role other = {.part = send_hundred, .pid = owner};
        play_spawn(self, &other, 0);
        const struct weft_match done = {.has_type = true, .type = 7};
        weft_assert(weft_receive_match(self, &done, WEFT_FOREVER) != NULL);
        weft_assert(weft_join(self, flooding, WEFT_FOREVER, NULL) == 0);
        weft_assert(weft_join(self, pair.server, WEFT_FOREVER, NULL) == 0); // With its owner.
        weft_assert(weft_port_close(self, pair.client) == 0);
    }
}

static void a_slow_reader_holds_its_writer(struct weft_actor *self, void *state)
{
    static uint8_t bytes[100000];
    const struct weft_port_options options = {
        .unsent_max = 20000, .send_bytes = 4096, .receive_bytes = 4096};
    struct part_pair pair;
    uint64_t sent = 0, received = 0;
    struct weft_port_info info;
    (void)state;
    part_connect(self, &options, &pair);
    // Until nothing more goes into it, for longer than the kernel delays what makes room. On a busy
    // machine that may be long: then another one goes in, and it is tried again.
    for (int result = 0; result != -ETIMEDOUT;) {
        part_fill(bytes, 3000, sent);
        result = weft_port_write(self, pair.client, bytes, 3000, 0);
        weft_assert(result == 0 || result == -EAGAIN);
        weft_assert(weft_port_info(self, pair.client, &info) == 0);
        weft_assert(info.unsent_bytes < 20000 + 3000);
        if (result == -EAGAIN) {
            weft_assert(info.unsent_bytes >= 20000);
            result = weft_port_write(self, pair.client, bytes, 3000, 60 * WEFT_NS_PER_MS);
            weft_assert(result == 0 || result == -ETIMEDOUT);
        }
        if (result == 0) sent += 3000;
        weft_assert(sent < 10000000);
    }
    weft_assert(weft_port_info(self, pair.client, &info) == 0 && info.waited_count >= 1);
    // It goes on with the reader; what timed out is not in it.
    const struct play_role sender = {.part = flood, .pid = pair.client};
    while (received < sent) {
        const int64_t got = weft_port_read(self, pair.server, bytes, sizeof(bytes), WEFT_FOREVER);
        weft_assert(got > 0);
        part_check(bytes, (size_t)got, received);
        received += (uint64_t)got;
    }
    weft_assert(received == sent);
    const weft_pid pid = play_spawn(self, &sender, 0);
    for (received = 0; received < BULK_BYTES;) {
        const int64_t got = weft_port_read(self, pair.server, bytes, sizeof(bytes), WEFT_FOREVER);
        weft_assert(got > 0);
        part_check(bytes, (size_t)got, received);
        received += (uint64_t)got;
    }
    weft_assert(weft_join(self, pid, WEFT_FOREVER, NULL) == 0);
    part_close(self, &pair);
}

PART_TEST(talk_passively)
PART_TEST(talk_actively)
PART_TEST(bulk_echo)
PART_TEST(packets_come_whole)
PART_TEST(lines_and_their_limits)
PART_TEST(a_window_holds)
PART_TEST(a_full_mailbox_stops_its_ports)
PART_TEST(a_slow_reader_holds_its_writer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk_passively),
        cmocka_unit_test(test_talk_actively),
        cmocka_unit_test(test_bulk_echo),
        cmocka_unit_test(test_packets_come_whole),
        cmocka_unit_test(test_lines_and_their_limits),
        cmocka_unit_test(test_a_window_holds),
        cmocka_unit_test(test_a_full_mailbox_stops_its_ports),
        cmocka_unit_test(test_a_slow_reader_holds_its_writer),
    };
    return tcp_everywhere(tests, WEFT_COUNT_OF(tests));
}
