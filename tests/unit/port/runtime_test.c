// Ports in a program of one's own: workers on threads, with a ring each or with epoll, against
// plain sockets on the other side.
#include "tests/support/cmocka.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/weft.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

#define LOOPBACK UINT32_C(0x7f000001)

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static struct weft_runtime *create(uint16_t workers)
{
    int error;
    const struct weft_runtime_options options = {
        .worker_count = workers, .floats = true, .actor_count_max = 1u << 16};
    struct weft_runtime *runtime = weft_runtime_create(&options, &error);
    if (runtime == NULL) fail_msg("no runtime: %s", strerror(-error));
    return runtime;
}

static void run(struct weft_runtime *runtime, const struct weft_actor_kind *kind, void *state)
{
    const struct weft_spawn first = {.kind = kind, .state = state};
    uint16_t reason;
    assert_int_equal(weft_runtime_run(runtime, &first, &reason), 0);
    assert_int_equal(reason, WEFT_EXIT_NORMAL);
}

// ---- The other side: plain sockets.

static int connect_plainly(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(LOOPBACK)};
    weft_assert(fd >= 0);
    while (connect(fd, (const struct sockaddr *)&name, sizeof(name)) != 0)
        weft_assert(errno == EINTR || errno == EAGAIN);
    return fd;
}

static void read_all(int fd, void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t got = read(fd, (char *)bytes + done, length - done);
        weft_assert(got > 0);
        done += (size_t)got;
    }
}

// Runs `client(port, count)` in a process of its own.
static pid_t run_client(void (*client)(uint16_t port, unsigned count), uint16_t port,
                        unsigned count)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid != 0) return pid;
    alarm(100);
    client(port, count);
    _exit(0);
}

// ---- One actor that owns a crowd.

struct crowd {
    unsigned wanted, accepted, ended;
    void (*client)(uint16_t port, unsigned count);
    pid_t child;
    weft_pid listener;
    bool is_poor;               // Begins without a descriptor to spare.
    struct weft_port_info info; // Of the listener.
};

static void limit_descriptors(bool to_none)
{
    struct rlimit limit;
    weft_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = to_none ? 3 : limit.rlim_max; // Below those that are open.
    weft_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void crowd_begin(struct weft_actor *self, struct crowd *crowd)
{
    const struct weft_address any = {.host = LOOPBACK};
    const struct weft_port_options options = {.backlog = 4096};
    struct weft_port_info info;
    weft_assert(weft_tcp_listen(self, &any, &options, &crowd->listener) == 0);
    weft_assert(weft_port_info(self, crowd->listener, &info) == 0);
    crowd->child = run_client(crowd->client, info.local.port, crowd->wanted);
    if (crowd->is_poor) limit_descriptors(true);
    weft_assert(weft_port_mode(self, crowd->listener, WEFT_PORT_MODE_ACTIVE, 0) == 0);
}

static void crowd_hears(struct weft_actor *self, struct crowd *crowd,
                        const struct weft_message *message)
{
    switch (message->type) {
    case WEFT_PORT_ACCEPTED: {
        const struct weft_accepted *accepted = (const void *)message->payload;
        weft_assert(weft_port_mode(self, accepted->port, WEFT_PORT_MODE_ACTIVE, 0) == 0);
        crowd->accepted++;
        break;
    }
    case WEFT_PORT_DATA:
        weft_assert(weft_port_write(self, message->from, message->payload, message->length,
                                    WEFT_FOREVER) == 0);
        break;
    case WEFT_PORT_END:
        weft_assert(weft_port_close(self, message->from) == 0);
        crowd->ended++;
        break;
    default: weft_assert(message->type == WEFT_PORT_CLOSED); crowd->ended++;
    }
}

static void crowd_main(struct weft_actor *self, void *state)
{
    struct crowd *crowd = state;
    int status;
    crowd_begin(self, crowd);
    while (crowd->ended < crowd->wanted)
        crowd_hears(self, crowd, weft_receive(self, WEFT_FOREVER));
    weft_assert(weft_port_info(self, crowd->listener, &crowd->info) == 0);
    weft_assert(weft_port_close(self, crowd->listener) == 0);
    weft_assert(waitpid(crowd->child, &status, 0) == crowd->child && status == 0);
}

static const struct weft_actor_kind crowd_kind = {.name = "crowd", .main = crowd_main};

static void talk_to_each(uint16_t port, unsigned count)
{
    int *fds = calloc(count, sizeof(*fds));
    uint64_t number;
    for (unsigned i = 0; i < count; i++)
        fds[i] = connect_plainly(port);
    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < count; i++)
            weft_assert(write(fds[i], &i, sizeof(i)) == sizeof(i));
        for (uint64_t i = 0; i < count; i++) {
            read_all(fds[i], &number, sizeof(number));
            weft_assert(number == i);
        }
    }
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
    free(fds);
}

static void ten_thousand_connections(void **state)
{
    struct rlimit limit;
    (void)state;
    limit_descriptors(false);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const unsigned count = limit.rlim_cur > 10100 ? 10000 : (unsigned)limit.rlim_cur - 100;
    struct crowd crowd = {.wanted = count, .client = talk_to_each};
    struct weft_runtime *runtime = create(1);
    const unsigned before = open_descriptors();
    run(runtime, &crowd_kind, &crowd);
    assert_int_equal(crowd.accepted, count);
    weft_runtime_free(runtime);
    assert_true(open_descriptors() <= before);
}

// ---- No descriptors left.

static void crowd_main_of_few(struct weft_actor *self, void *state)
{
    struct crowd *crowd = state;
    int status;
    crowd_begin(self, crowd);
    for (uint64_t refused = 0; refused == 0;) {
        struct weft_message *message = weft_receive(self, 20 * WEFT_NS_PER_MS);
        if (message != NULL) crowd_hears(self, crowd, message);
        weft_assert(weft_port_info(self, crowd->listener, &crowd->info) == 0);
        refused = crowd->info.dropped_count;
    }
    weft_assert(crowd->accepted == 0); // They wait in the kernel.
    limit_descriptors(false);
    while (crowd->ended < crowd->wanted)
        crowd_hears(self, crowd, weft_receive(self, WEFT_FOREVER));
    weft_assert(weft_port_close(self, crowd->listener) == 0);
    weft_assert(waitpid(crowd->child, &status, 0) == crowd->child && status == 0);
}

static void talk_one_by_one(uint16_t port, unsigned count)
{
    uint64_t number = 1;
    const int first = connect_plainly(port);
    weft_assert(write(first, &number, sizeof(number)) == sizeof(number));
    read_all(first, &number, sizeof(number)); // It has been accepted.
    int fds[64];
    for (unsigned i = 1; i < count; i++)
        fds[i] = connect_plainly(port);
    for (unsigned i = 1; i < count; i++) {
        weft_assert(write(fds[i], &number, sizeof(number)) == sizeof(number));
        read_all(fds[i], &number, sizeof(number));
    }
}

static const struct weft_actor_kind few_kind = {.name = "few", .main = crowd_main_of_few};

static void who_finds_no_descriptor_waits(void **state)
{
    struct crowd crowd = {.wanted = 20, .client = talk_one_by_one, .is_poor = true};
    struct weft_runtime *runtime = create(1);
    (void)state;
    run(runtime, &few_kind, &crowd);
    assert_int_equal(crowd.accepted, 20);
    weft_runtime_free(runtime);
}

// ---- Runs one after another, and what is left between them.

struct server {
    struct weft_address address;
    weft_pid listener;
    _Atomic unsigned served;
};

static void serve_one(struct weft_actor *self, void *state)
{
    const weft_pid port = *(weft_pid *)state;
    char bytes[512];
    int64_t got;
    while ((got = weft_port_read(self, port, bytes, sizeof(bytes), WEFT_FOREVER)) > 0) {
        if (weft_port_write(self, port, bytes, (size_t)got, WEFT_FOREVER) != 0) break;
    }
    weft_assert(got == -ENODATA);
}

static const struct weft_actor_kind one_kind = {
    .name = "one", .state_bytes = sizeof(weft_pid), .main = serve_one};

static void server_main(struct weft_actor *self, void *state)
{
    struct server *server = state;
    const struct weft_address any = {.host = LOOPBACK};
    struct weft_port_info info;
    weft_assert(weft_tcp_listen(self, &any, NULL, &server->listener) == 0);
    weft_assert(weft_port_info(self, server->listener, &info) == 0);
    server->address = info.local;
    weft_assert(weft_send(self, weft_parent(self), 1, NULL, 0) == 0);
    for (;;) {
        weft_pid port, child;
        struct weft_address peer;
        weft_assert(weft_tcp_accept(self, server->listener, WEFT_FOREVER, &port, &peer) == 0);
        weft_assert(peer.host == LOOPBACK && peer.port != 0);
        server->served++;
        const struct weft_spawn spawn = {
            .kind = &one_kind, .state = &port, .core = (uint16_t)(server->served % 2)};
        weft_assert(weft_spawn(self, &spawn, &child) == 0);
        weft_assert(weft_port_give(self, port, child) == 0);
    }
}

static const struct weft_actor_kind server_kind = {.name = "server", .main = server_main};

static void start_server(struct weft_actor *self, void *state)
{
    const struct weft_spawn spawn = {.kind = &server_kind, .state = state};
    weft_pid pid;
    weft_assert(weft_spawn(self, &spawn, &pid) == 0);
    weft_assert(weft_receive(self, WEFT_FOREVER)->type == 1);
}

struct visitor {
    struct server *server;
    unsigned number;
};

static void visit(struct weft_actor *self, void *state)
{
    const struct visitor *visitor = state;
    char bytes[64];
    weft_pid port;
    for (int i = 0; i < 20; i++) {
        weft_assert(weft_tcp_connect(self, &visitor->server->address, NULL, WEFT_FOREVER, &port) ==
                    0);
        for (int n = 0; n < 20; n++) {
            const int length =
                snprintf(bytes, sizeof(bytes), "visitor %u, %d, %d", visitor->number, i, n);
            weft_assert(weft_port_write(self, port, bytes, (size_t)length, WEFT_FOREVER) == 0);
            char back[64];
            for (int got = 0; got < length;) {
                const int64_t some =
                    weft_port_read(self, port, back + got, sizeof(back), WEFT_FOREVER);
                weft_assert(some > 0);
                got += (int)some;
            }
            weft_assert(memcmp(bytes, back, (size_t)length) == 0);
        }
        weft_assert(weft_port_close(self, port) == 0);
    }
}

static const struct weft_actor_kind visitor_kind = {
    .name = "visitor", .state_bytes = sizeof(struct visitor), .main = visit};

static void visitors(struct weft_actor *self, void *state)
{
    enum { VISITORS = 8 };
    uint64_t watch;
    weft_pid pid;
    for (unsigned i = 0; i < VISITORS; i++) {
        const struct visitor visitor = {.server = state, .number = i};
        const struct weft_spawn spawn = {
            .kind = &visitor_kind, .state = &visitor, .core = (uint16_t)(i % 2)};
        weft_assert(weft_spawn_monitor(self, &spawn, &pid, &watch) == 0);
    }
    for (unsigned i = 0; i < VISITORS; i++)
        weft_assert(weft_receive(self, WEFT_FOREVER)->type == WEFT_EXIT_NORMAL);
}

static const struct weft_actor_kind start_kind = {.name = "start", .main = start_server};
static const struct weft_actor_kind visitors_kind = {.name = "visitors", .main = visitors};

// The server's listener, and its accept, go over from run to run, from one ring to the next.
static void ports_outlive_a_run(void **state)
{
    static struct server server;
    (void)state;
    memset(&server, 0, sizeof(server));
    const unsigned before = open_descriptors();
    struct weft_runtime *runtime = create(2);
    run(runtime, &start_kind, &server);
    for (int i = 0; i < 3; i++)
        run(runtime, &visitors_kind, &server);
    assert_int_equal(server.served, 3 * 8 * 20);
    // It has no end: whatever is open goes with the runtime.
    const int fd = connect_plainly(server.address.port);
    weft_runtime_free(runtime);
    char byte;
    assert_true(read(fd, &byte, 1) <= 0);
    close(fd);
    assert_true(open_descriptors() <= before);
}

static int use_epoll(void **state)
{
    (void)state;
    return setenv("WEFT_IO", "epoll", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_outlive_a_run),
        cmocka_unit_test(who_finds_no_descriptor_waits),
        cmocka_unit_test(ten_thousand_connections),
    };
    int failed = cmocka_run_group_tests_name("as it is", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("epoll", tests, use_epoll, NULL);
    return failed;
}
