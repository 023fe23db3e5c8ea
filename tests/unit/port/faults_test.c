// What goes wrong, one thing at a time, over the simulated sockets: no memory, no descriptors,
// errors at each kind of operation, ends in the middle.
#include "tests/support/cmocka.h"

#include <fcntl.h>

#include "tests/unit/port/parts.h"

// ---- Memory.

// Takes what there is, also the pieces that others take whole: a block has a header.
static void take_memory(struct weft_actor *self, void **blocks, unsigned *count, unsigned limit)
{
    for (size_t whole = 1 << 20; whole >= 64; whole /= 2) {
        for (size_t bytes = whole; bytes + 256 > whole && bytes >= 64; bytes -= 16) {
            void *block;
            while (*count < limit && (block = weft_alloc(self, bytes)) != NULL)
                blocks[(*count)++] = block;
        }
    }
}

static void give_memory(struct weft_actor *self, void **blocks, unsigned *count)
{
    while (*count > 0)
        weft_free(self, blocks[--*count]);
}

static void without_memory(struct weft_actor *self, void *state)
{
    static void *blocks[4096];
    static uint8_t bytes[60000];
    unsigned count = 0;
    struct part_pair pair, other;
    struct weft_address address;
    weft_pid port;
    (void)state;
    part_connect(self, NULL, &pair);
    part_connect(self, NULL, &other);
    const weft_pid listener = part_listen(self, NULL, &address);
    weft_assert(weft_tcp_connect(self, &address, NULL, WEFT_FOREVER, &port) == 0);
    weft_assert(weft_port_write(self, pair.client, bytes, 10000, WEFT_FOREVER) == 0);
    weft_sleep(self, WEFT_NS_PER_MS); // It lies in the kernel by now.
    take_memory(self, blocks, &count, WEFT_COUNT_OF(blocks));
    weft_assert(count > 10);
    // Calls say so, and leave things as they were.
    weft_pid refused;
    weft_assert(weft_tcp_listen(self, &(struct weft_address){PLAY_LOOPBACK, 0}, NULL, &refused) ==
                -ENOMEM);
    weft_assert(refused == 0);
    weft_assert(weft_port_write(self, other.client, bytes, sizeof(bytes), 0) == -ENOMEM);
    // What cannot be delivered is not lost in silence: the port ends, and says why.
    weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_assert(weft_port_status(part_await(self, pair.server, WEFT_PORT_CLOSED)) == -ENOMEM);
    give_memory(self, blocks, &count);
    // Afterwards all is as before.
    part_write(self, other.client, "still here");
    part_expect(self, other.server, "still here");
    weft_assert(weft_tcp_accept(self, listener, WEFT_FOREVER, &refused, NULL) == 0);
    weft_assert(weft_port_close(self, listener) == 0);
}

// A file reads into a block of its own: without one a read fails and costs nothing, an owner that
// waits for data is told.
static void files_without_memory(struct weft_actor *self, void *state)
{
    static void *blocks[4096];
    unsigned count = 0;
    char bytes[16];
    weft_pid writer, reader, told;
    (void)state;
    weft_assert(weft_file_open(self, "file", O_WRONLY | O_CREAT, 0600, NULL, &writer) == 0);
    part_write(self, writer, "what is there");
    weft_assert(weft_port_close(self, writer) == 0);
    weft_assert(weft_join(self, writer, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_file_open(self, "file", O_RDONLY, 0, NULL, &reader) == 0);
    weft_assert(weft_file_open(self, "file", O_RDONLY, 0, NULL, &told) == 0);
    take_memory(self, blocks, &count, WEFT_COUNT_OF(blocks));
    weft_assert(weft_port_read(self, reader, bytes, sizeof(bytes), 0) == -ENOMEM);
    weft_assert(weft_port_read(self, reader, bytes, sizeof(bytes), WEFT_FOREVER) == -ENOMEM);
    weft_assert(weft_port_mode(self, told, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_assert(weft_port_status(part_await(self, told, WEFT_PORT_CLOSED)) == -ENOMEM);
    give_memory(self, blocks, &count);
    weft_assert(weft_port_read(self, reader, bytes, sizeof(bytes), WEFT_FOREVER) == 13);
    weft_assert(memcmp(bytes, "what is there", 13) == 0);
}

// ---- Descriptors.

static void hear_from(struct weft_actor *self, weft_pid listener, struct weft_accepted *accepted)
{
    memcpy(accepted, part_await(self, listener, WEFT_PORT_ACCEPTED)->payload, sizeof(*accepted));
}

static void without_descriptors(struct weft_actor *self, void *state)
{
    struct weft_address address;
    struct weft_port_info info;
    struct weft_accepted accepted;
    weft_pid clients[3], server;
    (void)state;
    const weft_pid listener = part_listen(self, NULL, &address);
    for (int i = 0; i < 3; i++)
        weft_assert(weft_tcp_connect(self, &address, NULL, WEFT_FOREVER, &clients[i]) == 0);
    play.world.object_count_max = play.world.object_count - 1; // One too many as it is.
    weft_pid refused;
    weft_assert(weft_tcp_connect(self, &address, NULL, WEFT_FOREVER, &refused) == -EMFILE);
    weft_assert(weft_tcp_listen(self, &(struct weft_address){PLAY_LOOPBACK, 0}, NULL, &refused) ==
                -EMFILE);
    weft_assert(weft_file_open(self, "f", 0x42 /* O_CREAT | O_RDWR */, 0, NULL, &refused) ==
                -EMFILE);
    // Who waits is told; who listens tries again, and misses nobody.
    weft_assert(weft_tcp_accept(self, listener, WEFT_FOREVER, &server, NULL) == -EMFILE);
    weft_assert(weft_port_mode(self, listener, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_sleep(self, 300 * WEFT_NS_PER_MS);
    weft_assert(weft_port_info(self, listener, &info) == 0);
    weft_assert(info.dropped_count >= 2 && info.dropped_count < 20); // Not without a pause.
    weft_assert(weft_mailbox_count(self) == 0);
    play.world.object_count_max = IO_SIM_OBJECTS;
    for (int i = 0; i < 3; i++) {
        hear_from(self, listener, &accepted);
        part_write(self, accepted.port, "x");
    }
    for (int i = 0; i < 3; i++)
        part_expect(self, clients[i], "x");
}

// ---- Errors, wherever they come from.

static void each_operation_fails(struct weft_actor *self, void *state)
{
    struct weft_address address;
    struct part_pair pair;
    weft_pid port;
    char byte;
    (void)state;
    const weft_pid listener = part_listen(self, NULL, &address);
    io_sim_fail(&play.world, WEFT_IO_CONNECT, 0, -EHOSTUNREACH);
    weft_assert(weft_tcp_connect(self, &address, NULL, WEFT_FOREVER, &port) == -EHOSTUNREACH);
    // A listener that is broken says so to who waits, and to its owner when it is to be active.
    io_sim_fail(&play.world, WEFT_IO_ACCEPT, 0, -EBADF);
    weft_assert(weft_tcp_accept(self, listener, WEFT_FOREVER, &port, NULL) == -EBADF);
    weft_assert(weft_tcp_accept(self, listener, WEFT_FOREVER, &port, NULL) == -EBADF);
    weft_assert(weft_port_mode(self, listener, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_assert(weft_port_status(part_await(self, listener, WEFT_PORT_CLOSED)) == -EBADF);
    weft_assert(weft_join(self, listener, WEFT_FOREVER, NULL) == 0);

    // Bytes that came before an error come before it.
    part_connect(self, NULL, &pair);
    part_write(self, pair.client, "first");
    part_expect(self, pair.server, "fi");
    io_sim_fail(&play.world, WEFT_IO_RECEIVE, 0, -ETIMEDOUT);
    char rest[8];
    size_t got = 0;
    int64_t result;
    while ((result = weft_port_read(self, pair.server, rest + got, sizeof(rest) - got,
                                    WEFT_FOREVER)) > 0)
        got += (size_t)result;
    weft_assert(result == -ETIMEDOUT);
    weft_assert(weft_port_mode(self, pair.server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_assert(weft_port_status(part_await(self, pair.server, WEFT_PORT_CLOSED)) == -ETIMEDOUT);
    part_close(self, &pair);

    // Of a write that fails the later ones hear; reading goes on.
    part_connect(self, NULL, &pair);
    io_sim_fail(&play.world, WEFT_IO_SEND, 0, -EIO);
    part_write(self, pair.client, "never sent");
    int written = 0;
    while (written == 0) {
        weft_sleep(self, WEFT_NS_PER_MS);
        written = weft_port_write(self, pair.client, "x", 1, WEFT_FOREVER);
    }
    weft_assert(written == -EIO);
    part_write(self, pair.server, "heard");
    part_expect(self, pair.client, "heard");
    weft_assert(weft_port_close(self, pair.client) == 0);
    weft_assert(weft_port_read(self, pair.server, &byte, 1, WEFT_FOREVER) < 0);
    part_close(self, &pair);

    // And who waits to write is told.
    const struct weft_port_options small = {.unsent_max = 10};
    part_connect(self, &small, &pair);
    static uint8_t much[IO_SIM_PIPE * 2];
    weft_assert(weft_port_write(self, pair.client, much, sizeof(much), WEFT_FOREVER) == 0);
    weft_sleep(self, WEFT_NS_PER_MS);
    weft_assert(weft_port_close(self, pair.server) == 0);
    weft_assert(weft_port_write(self, pair.client, "x", 1, WEFT_FOREVER) < 0);
    part_close(self, &pair);
}

// ---- Ends that cross.

static void wait_in(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    uint8_t bytes[100];
    static uint8_t much[20000];
    weft_pid port;
    int64_t result = 0;
    switch ((uintptr_t)role->argument) {
    case 0: result = weft_port_read(self, role->pid, bytes, 100, WEFT_FOREVER); break;
    case 1:
        while (result == 0)
            result = weft_port_write(self, role->pid, much, sizeof(much), WEFT_FOREVER);
        break;
    default: result = weft_tcp_accept(self, role->pid, WEFT_FOREVER, &port, NULL); break;
    }
    weft_assert(result == -EPIPE);
    weft_send(self, weft_parent(self), 3, NULL, 0);
}

// Whatever a port is doing when it is closed or killed, and whoever waits for it, hears of it; and
// one that waits may itself be killed.
static void who_waits_is_told(struct weft_actor *self, void *state)
{
    (void)state;
    for (int round = 0; round < 2 * 3 * 2; round++) {
        const bool kills = round % 2 == 1, ends_waiter = round / 6 == 1;
        const uintptr_t what = (uintptr_t)round / 2 % 3;
        struct part_pair pair;
        struct weft_address address;
        part_connect(self, NULL, &pair);
        const weft_pid listener = part_listen(self, NULL, &address);
        const weft_pid port = what == 2 ? listener : pair.client;
        const struct play_role role = {.part = wait_in, .argument = (void *)what, .pid = port};
        const weft_pid waiter = play_spawn(self, &role, 0);
        weft_sleep(self, 2 * WEFT_NS_PER_MS);
        if (ends_waiter) {
            weft_assert(weft_kill(self, waiter) == 0);
            weft_assert(weft_join(self, waiter, WEFT_FOREVER, NULL) == 0);
        }
        weft_assert((kills ? weft_kill(self, port) : weft_port_close(self, port)) == 0);
        if (!ends_waiter) weft_assert(weft_receive(self, WEFT_FOREVER)->type == 3);
        weft_port_close(self, listener);
        weft_port_close(self, pair.server);
        weft_kill(self, pair.client); // If it is there still.
        weft_assert(weft_join(self, port, WEFT_FOREVER, NULL) == 0);
    }
}

static void connect_and_wait(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    weft_pid port;
    weft_tcp_connect(self, role->argument, NULL, WEFT_FOREVER, &port);
    weft_assert(false); // It is killed before.
}

static void who_connects_may_be_killed(struct weft_actor *self, void *state)
{
    const struct weft_port_options options = {.backlog = 1};
    struct weft_address address;
    weft_pid first;
    (void)state;
    const weft_pid listener = part_listen(self, &options, &address);
    weft_assert(weft_tcp_connect(self, &address, NULL, WEFT_FOREVER, &first) == 0);
    const struct play_role role = {.part = connect_and_wait, .argument = &address};
    const weft_pid second = play_spawn(self, &role, 0);
    weft_sleep(self, 2 * WEFT_NS_PER_MS);
    weft_assert(weft_kill(self, second) == 0);
    weft_assert(weft_join(self, second, WEFT_FOREVER, NULL) == 0);
    (void)listener;
}

// What is not for a port does it no harm.
static void nonsense_is_refused(struct weft_actor *self, void *state)
{
    struct part_pair pair;
    struct weft_message *reply;
    (void)state;
    part_connect(self, NULL, &pair);
    for (uint32_t type = 0; type < 0x10000; type += type < 0xfd00 ? 0x101 : 1) {
        if (type == 0xffff) continue;
        for (size_t length = 0; length <= 24; length += 8) {
            static const uint8_t bytes[24];
            if (type == WEFT_PORT_CALL_CLOSE || type == WEFT_PORT_CALL_FINISH ||
                type == WEFT_PORT_CALL_READ)
                continue; // Which would be sense.
            weft_call(self, pair.client, (uint16_t)type, bytes, length, WEFT_NS_PER_MS, &reply);
        }
        weft_assert(weft_send(self, pair.client, (uint16_t)type, "noise", 5) == 0);
    }
    char bytes[64];
    part_write(self, pair.client, "sense");
    int64_t got;
    do { // Behind what the calls above have written, since some were writes.
        got = weft_port_read(self, pair.server, bytes, sizeof(bytes), WEFT_FOREVER);
        weft_assert(got > 0);
    } while (bytes[got - 1] != 'e');
}

// Not an owner's mailbox alone: of many ports, each has its window, and the mailbox its limit.
static void many_ports_of_one_owner(struct weft_actor *self, void *state)
{
    enum { PORTS = 40 };
    static struct part_pair pairs[PORTS];
    uint64_t received[PORTS] = {0};
    static uint8_t bytes[4000];
    (void)state;
    for (int i = 0; i < PORTS; i++) {
        part_connect(self, NULL, &pairs[i]);
        part_fill(bytes, sizeof(bytes), 0);
        weft_assert(weft_port_mode(self, pairs[i].server, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    }
    play.world.piece_max = 10; // Many small messages.
    for (int i = 0; i < PORTS; i++) {
        weft_assert(weft_port_write(self, pairs[i].client, bytes, sizeof(bytes), WEFT_FOREVER) ==
                    0);
        weft_assert(weft_port_finish(self, pairs[i].client) == 0);
    }
    weft_sleep(self, 500 * WEFT_NS_PER_MS);
    // 40 windows of 32 are more than the mailbox may have.
    weft_assert(weft_mailbox_count(self) <= WEFT_MAILBOX_MAX);
    weft_assert(weft_mailbox_count(self) > WEFT_MAILBOX_MAX - 64);
    for (int ended = 0; ended < PORTS;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        int i = 0;
        while (pairs[i].server != message->from)
            i++;
        if (message->type == WEFT_PORT_END) {
            weft_assert(received[i] == sizeof(bytes));
            ended++;
            continue;
        }
        part_check(message->payload, message->length, received[i]);
        received[i] += message->length;
    }
}

static void run_in(void **state, play_part *part, size_t arena_bytes)
{
    const bool is_two = (uintptr_t)*state == 2;
    play_open_with(&play, BACKEND_SIM, is_two ? 2 : 1, 3, arena_bytes);
    play.hops = is_two && part != without_memory && part != files_without_memory &&
                part != many_ports_of_one_owner;
    play.world.delay_max = 2;
    part_play(part);
}

static void run(void **state, play_part *part)
{
    run_in(state, part, 32 * WEFT_MIB);
}

PART_TEST(files_without_memory)
PART_TEST(without_descriptors)
PART_TEST(each_operation_fails)
PART_TEST(who_waits_is_told)
PART_TEST(who_connects_may_be_killed)
PART_TEST(nonsense_is_refused)
PART_TEST(many_ports_of_one_owner)

static void test_without_memory(void **state)
{
    run_in(state, without_memory, 8 * WEFT_MIB);
}

int main(void)
{
    int failed = 0;
    for (uintptr_t cores = 1; cores <= 2; cores++) {
#define CASE(name) cmocka_unit_test_prestate(test_##name, (void *)cores)
        const struct CMUnitTest tests[] = {
            CASE(without_memory),      CASE(files_without_memory),
            CASE(without_descriptors), CASE(each_operation_fails),
            CASE(who_waits_is_told),   CASE(who_connects_may_be_killed),
            CASE(nonsense_is_refused), CASE(many_ports_of_one_owner),
        };
        failed +=
            cmocka_run_group_tests_name(cores == 1 ? "one core" : "two cores", tests, NULL, NULL);
    }
    return failed;
}
