// Connections of actors: their halves, resets, limits and owners, and how they come about.
#include "tests/support/cmocka.h"

#include "tests/unit/port/tcp.h"

// ---- Ends.

static void each_half_ends_by_itself(struct weft_actor *self, void *state)
{
    struct part_pair pair;
    char byte;
    (void)state;
    part_connect(self, NULL, &pair);
    weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    part_write(self, pair.client, "question");
    weft_assert(weft_port_finish(self, pair.client) == 0);
    size_t got = 0;
    while (got < 8)
        got += part_await(self, pair.server, WEFT_PORT_DATA)->length;
    part_await(self, pair.server, WEFT_PORT_END);
    part_expect_nothing(self); // It is told once.
    part_write(self, pair.server, "answer");
    part_expect(self, pair.client, "answer");
    weft_assert(weft_port_close(self, pair.server) == 0);
    weft_assert(weft_port_read(self, pair.client, &byte, 1, WEFT_FOREVER) == -ENODATA);
    weft_assert(weft_port_read(self, pair.client, &byte, 1, WEFT_FOREVER) == -ENODATA);
    part_close(self, &pair);
}

static void a_reset_is_told(struct weft_actor *self, void *state)
{
    struct part_pair pair;
    char byte;
    (void)state;
    // Of an active port as a message; it is gone then.
    part_connect(self, NULL, &pair);
    weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    uint64_t watch;
    weft_assert(weft_monitor(self, pair.server, &watch) == 0);
    if (play.kind == BACKEND_SIM) {
        io_sim_reset(&play.world);
    } else { // What is unread when it closes is lost: the kernel says so.
        part_write(self, pair.server, "never read");
        weft_sleep(self, 5 * WEFT_NS_PER_MS);
    }
    weft_assert(weft_port_close(self, pair.client) == 0);
    weft_assert(weft_port_status(part_await(self, pair.server, WEFT_PORT_CLOSED)) == -ECONNRESET);
    const struct weft_message *down = weft_receive(self, WEFT_FOREVER);
    weft_assert(down->tag == WEFT_MESSAGE_DOWN && down->type == WEFT_EXIT_NORMAL);
    weft_assert(weft_port_write(self, pair.server, "x", 1, 0) == -ESRCH);
    part_close(self, &pair);
    // Of a passive one by each call, until it is closed.
    part_connect(self, NULL, &pair);
    if (play.kind == BACKEND_SIM) {
        io_sim_reset(&play.world);
    } else {
        part_write(self, pair.server, "never read");
        weft_sleep(self, 5 * WEFT_NS_PER_MS);
    }
    weft_assert(weft_port_close(self, pair.client) == 0);
    weft_assert(weft_port_read(self, pair.server, &byte, 1, WEFT_FOREVER) == -ECONNRESET);
    weft_assert(weft_port_read(self, pair.server, &byte, 1, WEFT_FOREVER) == -ECONNRESET);
    int result = 0;
    for (int i = 0; i < 1000 && result == 0; i++) {
        result = weft_port_write(self, pair.server, "x", 1, WEFT_FOREVER);
        weft_sleep(self, WEFT_NS_PER_MS);
    }
    weft_assert(result == -EPIPE || result == -ECONNRESET);
    part_close(self, &pair);
}

static void fill_with(struct weft_actor *self, weft_pid port, uint64_t *sent)
{
    static uint8_t bytes[8192];
    for (;;) {
        part_fill(bytes, sizeof(bytes), *sent);
        const int result = weft_port_write(self, port, bytes, sizeof(bytes), WEFT_NS_PER_MS);
        if (result == -ETIMEDOUT) return;
        weft_assert(result == 0);
        *sent += sizeof(bytes);
    }
}

static void what_was_written_goes_out(struct weft_actor *self, void *state)
{
    static uint8_t bytes[65536];
    const struct weft_port_options small = {.send_bytes = 4096, .receive_bytes = 4096};
    struct part_pair pair;
    uint64_t sent = 0, received = 0;
    int64_t got;
    (void)state;
    part_connect(self, &small, &pair);
    fill_with(self, pair.client, &sent);
    weft_assert(weft_port_close(self, pair.client) == 0);
    weft_assert(weft_port_write(self, pair.client, "x", 1, 0) == -EPIPE);
    weft_assert(weft_port_read(self, pair.client, bytes, 1, 0) == -EPIPE);
    weft_assert(weft_port_mode(self, pair.client, WEFT_PORT_MODE_ACTIVE, 0) == -EPIPE);
    weft_assert(weft_port_close(self, pair.client) == 0); // As often as one likes.
    while ((got = weft_port_read(self, pair.server, bytes, sizeof(bytes), WEFT_FOREVER)) > 0) {
        part_check(bytes, (size_t)got, received);
        received += (uint64_t)got;
    }
    weft_assert(got == -ENODATA && received == sent);
    weft_assert(weft_join(self, pair.client, WEFT_FOREVER, NULL) == 0);
    part_close(self, &pair);
}

// A reader that never reads does not keep a closed port for ever; and what was lost is no end.
static void lingering_has_a_limit(struct weft_actor *self, void *state)
{
    static uint8_t bytes[65536];
    const struct weft_port_options options = {
        .linger_ns = 20 * WEFT_NS_PER_MS, .send_bytes = 4096, .receive_bytes = 4096};
    struct part_pair pair;
    uint64_t sent = 0;
    int64_t got;
    (void)state;
    part_connect(self, &options, &pair);
    fill_with(self, pair.client, &sent);
    weft_assert(weft_port_close(self, pair.client) == 0);
    weft_assert(weft_join(self, pair.client, WEFT_FOREVER, NULL) == 0);
    do {
        got = weft_port_read(self, pair.server, bytes, sizeof(bytes), WEFT_FOREVER);
    } while (got > 0);
    weft_assert(got == -ECONNRESET);
    part_close(self, &pair);
    // As with one that is killed.
    part_connect(self, &options, &pair);
    sent = 0;
    fill_with(self, pair.client, &sent);
    uint16_t reason;
    weft_assert(weft_kill(self, pair.client) == 0);
    weft_assert(weft_join(self, pair.client, WEFT_FOREVER, &reason) == 0);
    do {
        got = weft_port_read(self, pair.server, bytes, sizeof(bytes), WEFT_FOREVER);
    } while (got > 0);
    weft_assert(got == -ECONNRESET);
    part_close(self, &pair);
}

static void write_and_die(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    const struct weft_address *address = role->argument;
    weft_pid port;
    weft_assert(weft_tcp_connect(self, address, NULL, WEFT_FOREVER, &port) == 0);
    part_write(self, port, "my last words");
    weft_exit(self, WEFT_EXIT_FAULT);
}

static void its_owner_takes_a_port_along(struct weft_actor *self, void *state)
{
    struct weft_address address;
    weft_pid server;
    char byte;
    (void)state;
    const weft_pid listener = part_listen(self, NULL, &address);
    for (uint16_t core = 0; core < play.count; core++) {
        const struct play_role role = {.part = write_and_die, .argument = &address};
        const struct weft_spawn spawn = {.kind = &play_kind, .state = &role, .core = core};
        weft_pid pid;
        weft_assert(weft_spawn(self, &spawn, &pid) == 0);
        weft_assert(weft_tcp_accept(self, listener, WEFT_FOREVER, &server, NULL) == 0);
        part_expect(self, server, "my last words");
        weft_assert(weft_port_read(self, server, &byte, 1, WEFT_FOREVER) == -ENODATA);
        weft_assert(weft_port_close(self, server) == 0);
    }
    weft_assert(weft_port_close(self, listener) == 0);
}

static void wait_for_a_word(struct weft_actor *self, void *state)
{
    (void)state;
    while (weft_receive(self, WEFT_FOREVER)->tag != WEFT_MESSAGE_USER)
        continue;
}

static void a_port_is_given_away(struct weft_actor *self, void *state)
{
    struct part_pair pair;
    struct weft_port_info info;
    char byte;
    (void)state;
    part_connect(self, NULL, &pair);
    const struct play_role role = {.part = wait_for_a_word};
    const weft_pid first = play_spawn(self, &role, 0), second = play_spawn(self, &role, 0);
    weft_assert(weft_port_give(self, pair.server, first) == 0);
    weft_assert(weft_port_info(self, pair.server, &info) == 0 && info.owner == first);
    weft_assert(weft_port_give(self, pair.server, second) == -EPERM);
    weft_assert(weft_port_give(self, pair.client, second) == 0);
    // Who is not the owner may read and write all the same.
    part_write(self, pair.client, "across");
    part_expect(self, pair.server, "across");
    weft_send(self, first, 1, NULL, 0);
    weft_assert(weft_join(self, first, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_join(self, pair.server, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_port_read(self, pair.client, &byte, 1, WEFT_FOREVER) == -ENODATA);
    struct part_pair other;
    part_connect(self, NULL, &other);
    weft_assert(weft_port_give(self, other.client, first) == -ESRCH); // That one has gone.
    weft_assert(weft_port_give(self, other.client, 12345) == -ESRCH);
    part_write(self, other.client, "still mine");
    part_close(self, &other);
    weft_send(self, second, 1, NULL, 0);
    weft_assert(weft_join(self, pair.client, WEFT_FOREVER, NULL) == 0);
}

// ---- Coming together.

static void accept_in_vain(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    weft_pid port;
    const int result = weft_tcp_accept(self, role->pid, WEFT_FOREVER, &port, NULL);
    weft_assert(result == -EPIPE && port == 0);
}

static void nobody_comes(struct weft_actor *self, void *state)
{
    struct weft_address address;
    weft_pid port;
    (void)state;
    const weft_pid listener = part_listen(self, NULL, &address);
    weft_assert(weft_tcp_accept(self, listener, 0, &port, NULL) == -EAGAIN && port == 0);
    weft_assert(weft_tcp_accept(self, listener, WEFT_NS_PER_MS, &port, NULL) == -ETIMEDOUT);
    weft_assert(weft_port_write(self, listener, "x", 1, 0) == -EINVAL);
    weft_assert(weft_port_finish(self, listener) == -EINVAL);
    // Those that connect while nobody accepts wait, and are there later.
    weft_pid clients[3], server;
    for (int i = 0; i < 3; i++)
        weft_assert(weft_tcp_connect(self, &address, NULL, WEFT_FOREVER, &clients[i]) == 0);
    for (int i = 0; i < 3; i++) {
        weft_assert(weft_tcp_accept(self, listener, WEFT_FOREVER, &server, NULL) == 0);
        part_write(self, server, "hi");
        weft_assert(weft_port_close(self, server) == 0);
    }
    for (int i = 0; i < 3; i++) {
        part_expect(self, clients[i], "hi");
        weft_assert(weft_port_close(self, clients[i]) == 0);
    }
    // Who waits for one when it closes is told.
    const struct play_role role = {.part = accept_in_vain, .pid = listener};
    const weft_pid waiting = play_spawn(self, &role, 0);
    weft_sleep(self, WEFT_NS_PER_MS);
    weft_assert(weft_port_close(self, listener) == 0);
    weft_assert(weft_join(self, listener, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_join(self, waiting, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_tcp_connect(self, &address, NULL, WEFT_FOREVER, &port) == -ECONNREFUSED);
    weft_assert(port == 0);
    weft_assert(weft_tcp_accept(self, listener, 0, &port, NULL) == -ESRCH);
}

static void connecting_has_a_limit(struct weft_actor *self, void *state)
{
    const struct weft_port_options options = {.backlog = 1};
    struct weft_address address;
    weft_pid ports[8];
    int result = 0;
    (void)state;
    const weft_pid listener = part_listen(self, &options, &address);
    // The kernel has room for few that nobody accepts; then it does not answer.
    for (int i = 0; i < 8 && result == 0; i++)
        result = weft_tcp_connect(self, &address, NULL, 20 * WEFT_NS_PER_MS, &ports[i]);
    weft_assert(result == -ETIMEDOUT);
    weft_assert(weft_port_close(self, listener) == 0);
}

PART_TEST(each_half_ends_by_itself)
PART_TEST(a_reset_is_told)
PART_TEST(what_was_written_goes_out)
PART_TEST(lingering_has_a_limit)
PART_TEST(its_owner_takes_a_port_along)
PART_TEST(a_port_is_given_away)
PART_TEST(nobody_comes)
PART_TEST(connecting_has_a_limit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_half_ends_by_itself),
        cmocka_unit_test(test_a_reset_is_told),
        cmocka_unit_test(test_what_was_written_goes_out),
        cmocka_unit_test(test_lingering_has_a_limit),
        cmocka_unit_test(test_its_owner_takes_a_port_along),
        cmocka_unit_test(test_a_port_is_given_away),
        cmocka_unit_test(test_nobody_comes),
        cmocka_unit_test(test_connecting_has_a_limit),
    };
    return tcp_everywhere(tests, WEFT_COUNT_OF(tests));
}
