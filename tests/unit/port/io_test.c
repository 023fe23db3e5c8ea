// The contract of runtime/env/io.h, over every backend: what an operation gives, that it ends once,
// and that nothing is lost in between.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/port/backend.h"

#define WAIT_NS     (20 * WEFT_NS_PER_S)
#define HANDLES_MAX 512
#define LOOPBACK    UINT32_C(0x7f000001)

static struct rig {
    struct weft_clock clock;
    struct weft_core_group group;
    struct weft_core *core;
    struct backend backend;
    struct io_sim_world world;
    const struct weft_io *io;
} rig;

// An operation that remembers how it ended.
struct tried {
    struct weft_io_op op;
    struct weft_io_handle handle;
    int32_t result;
    uint32_t done_count;
    uint8_t bytes[WEFT_IO_RECEIVE_MAX];
    int32_t numbers[256]; // What an ACCEPT has given.
    uint32_t number_count;
};

static void note(struct weft_io_op *op, int32_t result)
{
    struct tried *tried = WEFT_CONTAINER_OF(op, struct tried, op);
    tried->result = result;
    tried->done_count++;
    if (op->kind == WEFT_IO_RECEIVE && result > 0) memcpy(tried->bytes, op->bytes, (size_t)result);
    if (op->kind == WEFT_IO_ACCEPT && result >= 0) tried->numbers[tried->number_count++] = result;
}

static void start(struct tried *tried, enum weft_io_kind kind, struct weft_io_handle *handle)
{
    tried->op.kind = (uint8_t)kind;
    tried->op.handle = handle;
    tried->op.done = note;
    rig.io->start(rig.io->self, &tried->op);
}

static void turn_until(const uint32_t *count, uint32_t wanted)
{
    const uint64_t end_ns = backend_now_ns(NULL) + WAIT_NS;
    while (*count < wanted) {
        if (!weft_core_turn(rig.core)) sched_yield();
        if (backend_now_ns(NULL) > end_ns) fail_msg("%s: nothing came", rig.io->name);
    }
}

static int32_t outcome(struct tried *tried)
{
    turn_until(&tried->done_count, tried->done_count + 1);
    return tried->result;
}

static int32_t send_all(struct tried *tried, struct weft_io_handle *handle, const void *bytes,
                        size_t length)
{
    const struct iovec span = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    tried->op.spans = &span;
    tried->op.count = 1;
    start(tried, WEFT_IO_SEND, handle);
    return outcome(tried);
}

static void receive(struct tried *tried, struct weft_io_handle *handle, uint32_t limit)
{
    tried->op.count = limit;
    start(tried, WEFT_IO_RECEIVE, handle);
}

static void close_handle(struct weft_io_handle *handle, bool resets)
{
    rig.io->close(rig.io->self, handle, resets);
}

struct pair { // A listener, and one connection through it.
    struct tried listener, client, server;
    struct weft_io_address address;
};

static void listen_here(struct pair *pair, uint32_t backlog)
{
    const struct weft_io_address any = {.host = LOOPBACK};
    const struct weft_io_socket options = {.backlog = backlog};
    memset(pair, 0, sizeof(*pair));
    assert_int_equal(rig.io->listen(rig.io->self, &pair->listener.handle, &any, &options), 0);
    assert_int_equal(rig.io->address(rig.io->self, &pair->listener.handle, false, &pair->address),
                     0);
    assert_int_not_equal(pair->address.port, 0);
}

static int32_t connect_to(struct tried *client, struct weft_io_address address)
{
    const struct weft_io_socket options = {0};
    assert_int_equal(rig.io->socket(rig.io->self, &client->handle, &options), 0);
    client->op.address = address;
    start(client, WEFT_IO_CONNECT, &client->handle);
    return outcome(client);
}

static void connect_pair(struct pair *pair)
{
    listen_here(pair, 0);
    pair->listener.op.many = false;
    start(&pair->listener, WEFT_IO_ACCEPT, &pair->listener.handle);
    assert_int_equal(connect_to(&pair->client, pair->address), 0);
    turn_until(&pair->listener.done_count, 1);
    assert_int_equal(rig.io->adopt(rig.io->self, &pair->server.handle, pair->listener.numbers[0]),
                     0);
}

static void close_pair(struct pair *pair)
{
    if (pair->client.handle.number >= 0) close_handle(&pair->client.handle, false);
    if (pair->server.handle.number >= 0) close_handle(&pair->server.handle, false);
    close_handle(&pair->listener.handle, false);
    assert_int_equal(backend_handles(&rig.backend), 0);
}

// ---- Sockets.

static void what_is_sent_is_received(void **state)
{
    static struct pair pair;
    (void)state;
    connect_pair(&pair);
    const struct iovec spans[] = {{"one ", 4}, {"and ", 4}, {"two", 3}};
    receive(&pair.server, &pair.server.handle, 100);
    pair.client.op.spans = spans;
    pair.client.op.count = 3;
    start(&pair.client, WEFT_IO_SEND, &pair.client.handle);
    assert_int_equal(outcome(&pair.client), 11);
    turn_until(&pair.server.done_count, 1);
    assert_int_equal(pair.server.result, 11);
    assert_memory_equal(pair.server.bytes, "one and two", 11);

    // No more than was asked for; the rest is there the next time.
    assert_int_equal(send_all(&pair.server, &pair.server.handle, "abcdef", 6), 6);
    receive(&pair.client, &pair.client.handle, 4);
    assert_int_equal(outcome(&pair.client), 4);
    receive(&pair.client, &pair.client.handle, 4);
    assert_int_equal(outcome(&pair.client), 2);
    assert_memory_equal(pair.client.bytes, "ef", 2);

    struct weft_io_address own, other;
    assert_int_equal(rig.io->address(rig.io->self, &pair.client.handle, true, &other), 0);
    assert_int_equal(other.port, pair.address.port);
    assert_int_equal(rig.io->address(rig.io->self, &pair.client.handle, false, &own), 0);
    assert_int_equal(rig.io->address(rig.io->self, &pair.server.handle, true, &other), 0);
    assert_int_equal(own.port, other.port);
    assert_int_equal(rig.io->address(rig.io->self, &pair.listener.handle, true, &other), -ENOTCONN);
    close_pair(&pair);
}

static void an_end_is_zero_and_a_reset_an_error(void **state)
{
    static struct pair pair;
    (void)state;
    connect_pair(&pair);
    assert_int_equal(send_all(&pair.client, &pair.client.handle, "bye", 3), 3);
    assert_int_equal(rig.io->finish(rig.io->self, &pair.client.handle), 0);
    receive(&pair.server, &pair.server.handle, 100);
    assert_int_equal(outcome(&pair.server), 3);
    receive(&pair.server, &pair.server.handle, 100);
    assert_int_equal(outcome(&pair.server), 0);
    // The other way is open still.
    assert_int_equal(send_all(&pair.server, &pair.server.handle, "well", 4), 4);
    receive(&pair.client, &pair.client.handle, 100);
    assert_int_equal(outcome(&pair.client), 4);
    receive(&pair.client, &pair.client.handle, 100);
    close_handle(&pair.server.handle, true);
    assert_int_equal(outcome(&pair.client), -ECONNRESET);
    assert_true(send_all(&pair.client, &pair.client.handle, "?", 1) < 0); // And no signal.
    close_pair(&pair);
}

static void what_is_cancelled_ends_once_and_loses_nothing(void **state)
{
    static struct pair pair;
    (void)state;
    connect_pair(&pair);
    for (int round = 0; round < 50; round++) {
        pair.server.done_count = 0;
        receive(&pair.server, &pair.server.handle, 100);
        if (round % 2 == 1) weft_core_turn(rig.core); // It stands in the kernel by then.
        rig.io->cancel(rig.io->self, &pair.server.op);
        rig.io->cancel(rig.io->self, &pair.server.op);
        assert_int_equal(pair.server.done_count, 0); // Never from inside.
        assert_int_equal(outcome(&pair.server), -ECANCELED);
        rig.io->cancel(rig.io->self, &pair.server.op); // Of one that is over: nothing.
        for (int i = 0; i < 3; i++)
            weft_core_turn(rig.core);
        assert_int_equal(pair.server.done_count, 1);
        assert_int_equal(send_all(&pair.client, &pair.client.handle, &round, sizeof(round)), 4);
        receive(&pair.server, &pair.server.handle, 100);
        assert_int_equal(outcome(&pair.server), 4);
        assert_memory_equal(pair.server.bytes, &round, sizeof(round));
    }
    close_pair(&pair);
}

static void nobody_there_refuses(void **state)
{
    static struct pair pair;
    static struct tried client;
    (void)state;
    listen_here(&pair, 0);
    close_handle(&pair.listener.handle, false);
    assert_int_equal(connect_to(&client, pair.address), -ECONNREFUSED);
    close_handle(&client.handle, false);
    // Two listeners of one address.
    struct weft_io_handle second;
    const struct weft_io_socket options = {0};
    listen_here(&pair, 0);
    assert_int_equal(rig.io->listen(rig.io->self, &second, &pair.address, &options), -EADDRINUSE);
    close_handle(&pair.listener.handle, false);
}

static void a_slow_reader_holds_the_writer(void **state)
{
    enum { TOTAL = 32 << 20 };
    static struct pair pair;
    static uint8_t block[1 << 20];
    uint64_t sent = 0, got = 0;
    (void)state;
    connect_pair(&pair);
    const uint64_t total = rig.backend.kind == BACKEND_SIM ? 1 << 20 : TOTAL;
    const struct iovec span = {block, sizeof(block)};
    pair.client.op.spans = &span;
    pair.client.op.count = 1;
    bool stood_still = false, is_sending = false;
    while (got < total) {
        if (!is_sending && sent < total) {
            pair.client.done_count = 0;
            start(&pair.client, WEFT_IO_SEND, &pair.client.handle);
            is_sending = true;
        }
        for (int i = 0; i < 50 && is_sending && pair.client.done_count == 0; i++)
            weft_core_turn(rig.core);
        if (is_sending && pair.client.done_count == 1) {
            assert_true(pair.client.result > 0 && pair.client.result <= (int32_t)sizeof(block));
            sent += (uint64_t)pair.client.result;
            is_sending = false;
            continue;
        }
        stood_still |= is_sending;
        receive(&pair.server, &pair.server.handle, WEFT_IO_RECEIVE_MAX);
        assert_true(outcome(&pair.server) > 0);
        got += (uint64_t)pair.server.result;
        assert_true(got <= sent + sizeof(block));
    }
    assert_true(stood_still);
    if (is_sending) {
        rig.io->cancel(rig.io->self, &pair.client.op);
        if (pair.client.done_count == 0) outcome(&pair.client);
    }
    close_pair(&pair);
}

// More that have something at once than there are buffers, and than one poll takes.
static void a_crowd_is_served(void **state)
{
    enum { CROWD = 150 };
    static struct pair pair;
    static struct tried clients[CROWD], servers[CROWD];
    (void)state;
    memset(clients, 0, sizeof(clients));
    memset(servers, 0, sizeof(servers));
    listen_here(&pair, 0);
    pair.listener.op.many = true;
    start(&pair.listener, WEFT_IO_ACCEPT, &pair.listener.handle);
    for (uint32_t i = 0; i < CROWD; i++) {
        assert_int_equal(connect_to(&clients[i], pair.address), 0);
        turn_until(&pair.listener.number_count, i + 1);
        assert_true(pair.listener.op.more);
        assert_int_equal(rig.io->adopt(rig.io->self, &servers[i].handle, pair.listener.numbers[i]),
                         0);
    }
    rig.io->cancel(rig.io->self, &pair.listener.op);
    assert_int_equal(outcome(&pair.listener), -ECANCELED);
    assert_false(pair.listener.op.more);
    for (uint32_t i = 0; i < CROWD; i++)
        assert_int_equal(send_all(&clients[i], &clients[i].handle, &i, sizeof(i)), 4);
    for (uint32_t i = 0; i < CROWD; i++)
        receive(&servers[i], &servers[i].handle, WEFT_IO_RECEIVE_MAX);
    for (uint32_t i = 0; i < CROWD; i++) {
        turn_until(&servers[i].done_count, 1);
        assert_int_equal(servers[i].result, 4);
        assert_memory_equal(servers[i].bytes, &i, 4);
        close_handle(&clients[i].handle, false);
        close_handle(&servers[i].handle, false);
    }
    close_handle(&pair.listener.handle, false);
    assert_int_equal(backend_handles(&rig.backend), 0);
}

static void there_is_a_last_handle(void **state)
{
    static struct weft_io_handle handles[HANDLES_MAX + 1];
    const struct weft_io_socket options = {0};
    (void)state;
    for (uint32_t i = 0; i < HANDLES_MAX; i++)
        assert_int_equal(rig.io->socket(rig.io->self, &handles[i], &options), 0);
    assert_int_equal(rig.io->socket(rig.io->self, &handles[HANDLES_MAX], &options), -EMFILE);
    for (uint32_t i = 0; i < HANDLES_MAX; i++)
        close_handle(&handles[i], false);
    assert_int_equal(backend_handles(&rig.backend), 0);
}

// ---- Files.

static int32_t open_file(struct tried *file, const char *path, int flags)
{
    file->op.path = path;
    file->op.flags = flags;
    file->op.mode = 0600;
    start(file, WEFT_IO_OPEN, NULL);
    const int32_t number = outcome(file);
    return number < 0 ? number : rig.io->adopt(rig.io->self, &file->handle, number);
}

static void files_keep_what_is_written(void **state)
{
    static struct tried file;
    char path[] = "/tmp/weft-io-XXXXXX", back[16] = "";
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    memset(&file, 0, sizeof(file));
    assert_int_equal(open_file(&file, "/nonexistent/file", O_RDONLY), -ENOENT);
    assert_int_equal(open_file(&file, path, O_RDWR | O_CREAT), 0);
    const struct iovec spans[] = {{"hello ", 6}, {"disk", 4}};
    file.op.spans = spans;
    file.op.count = 2;
    file.op.offset = 100;
    start(&file, WEFT_IO_WRITE, &file.handle);
    assert_int_equal(outcome(&file), 10);
    start(&file, WEFT_IO_SYNC, &file.handle);
    assert_int_equal(outcome(&file), 0);
    file.op.to = back;
    file.op.count = sizeof(back);
    file.op.offset = 104;
    start(&file, WEFT_IO_READ, &file.handle);
    assert_int_equal(outcome(&file), 6);
    assert_string_equal(back, "o disk");
    file.op.offset = 110;
    start(&file, WEFT_IO_READ, &file.handle);
    assert_int_equal(outcome(&file), 0);
    close_handle(&file.handle, false);
    unlink(path);
}

// ---- The end of a backend.

static void what_is_under_way_ends_with_the_backend(void **state)
{
    static struct pair pair;
    (void)state;
    connect_pair(&pair);
    pair.server.done_count = 0;
    receive(&pair.server, &pair.server.handle, 100);
    weft_core_turn(rig.core);
    if (backend_has_ring(rig.backend.kind)) { // It waits for another ring, and goes on there.
        weft_uring_io_detach(&rig.backend.uring_io);
        weft_uring_destroy(&rig.backend.uring);
        assert_int_equal(pair.server.done_count, 0);
        assert_int_equal(weft_uring_init(&rig.backend.uring), 0);
        assert_int_equal(weft_uring_io_attach(&rig.backend.uring_io, &rig.backend.uring), 0);
        assert_int_equal(send_all(&pair.client, &pair.client.handle, "again", 5), 5);
        turn_until(&pair.server.done_count, 1);
        assert_int_equal(pair.server.result, 5);
        receive(&pair.server, &pair.server.handle, 100);
        pair.server.done_count = 0;
    }
    if (rig.backend.kind == BACKEND_SIM) { // Whose owner closes all of it.
        rig.io->cancel(rig.io->self, &pair.server.op);
        outcome(&pair.server);
        close_pair(&pair);
    }
    backend_close(&rig.backend);
    rig.io = NULL;
    assert_int_equal(pair.server.done_count, 1);
    assert_int_equal(pair.server.result, -ECANCELED);
}

// ---- The rig.

static uint64_t now(void *self)
{
    return backend_now_ns(self);
}

static int set_up(void **state)
{
    const enum backend_kind kind = (enum backend_kind)(uintptr_t)*state;
    memset(&rig, 0, sizeof(rig));
    rig.clock = (struct weft_clock){.now_ns = now};
    rig.core = aligned_alloc(WEFT_CORE_ALIGN, sizeof(struct weft_core));
    weft_core_init(rig.core, &rig.group, 0, &rig.clock, WEFT_LOG_INFO);
    assert_int_equal(weft_core_group_connect(&rig.group), 0);
    io_sim_world_init(&rig.world, 7);
    backend_open(&rig.backend, kind, rig.core, &rig.world, HANDLES_MAX);
    rig.io = &rig.backend.io;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (rig.io != NULL) backend_close(&rig.backend);
    io_sim_world_destroy(&rig.world);
    weft_core_group_destroy(&rig.group);
    free(rig.core);
    return 0;
}

int main(void)
{
    int failed = 0;
    for (uintptr_t kind = 0; kind < BACKEND_KINDS; kind++) {
        if (!backend_is_there((enum backend_kind)kind)) continue;
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, set_up, tear_down, (void *)kind)
        const struct CMUnitTest tests[] = {
            TEST(what_is_sent_is_received),
            TEST(an_end_is_zero_and_a_reset_an_error),
            TEST(what_is_cancelled_ends_once_and_loses_nothing),
            TEST(nobody_there_refuses),
            TEST(a_slow_reader_holds_the_writer),
            TEST(a_crowd_is_served),
            TEST(there_is_a_last_handle),
            TEST(files_keep_what_is_written),
            TEST(what_is_under_way_ends_with_the_backend),
        };
        failed +=
            cmocka_run_group_tests_name(backend_name((enum backend_kind)kind), tests, NULL, NULL);
    }
    return failed;
}
