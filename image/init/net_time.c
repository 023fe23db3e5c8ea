#include "image/init/net_time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "image/init/boot.h"
#include "image/init/clock.h"
#include "image/init/report.h"

#define ANSWER_NS  (3 * WEFT_NS_PER_S)
#define AGAIN_NS   (1024 * WEFT_NS_PER_S)
#define RETRY_NS   (15 * WEFT_NS_PER_S) // RFC 4330, section 10: no sooner. Doubled each round.
#define DOUBLE_MAX 6
#define TRUSTED_NS (86400 * WEFT_NS_PER_S)
#define PORT       123

static struct sockaddr_in endpoint(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
}

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * (int64_t)WEFT_NS_PER_S + now.tv_nsec;
}

static void close_fd(struct weft_net_time *net, int *fd)
{
    if (*fd < 0) return;
    weft_loop_unwatch(&net->boot->loop, *fd);
    close(*fd);
    *fd = -1;
}

// ---- Asking.

static void ask_next(struct weft_net_time *net)
{
    net->server = (net->server + 1) % net->server_count;
    const uint32_t rounds = net->failures++ / net->server_count;
    const uint32_t doubled = rounds < DOUBLE_MAX ? rounds : DOUBLE_MAX;
    close_fd(net, &net->ask_fd);
    weft_loop_after(&net->boot->loop, &net->timer, RETRY_NS << doubled);
}

static void use_time(struct weft_net_time *net, const uint8_t *bytes, int64_t offset_ns)
{
    struct weft_boot *boot = net->boot;
    const bool is_news = net->failures > 0 || net->stratum == 0;
    char from[INET_ADDRSTRLEN];
    const struct in_addr address = {htonl(net->servers[net->server].ip)};
    weft_clock_move(offset_ns);
    inet_ntop(AF_INET, &address, from, sizeof(from));
    if (is_news)
        weft_say_line(&boot->say, "the clock was %+.3f s off and is set by a time server: %s",
                      (double)-offset_ns / 1e9, from);
    net->stratum = weft_sntp_stratum(bytes);
    net->set_by_ip = net->servers[net->server].ip;
    net->set_at_ns = boot->loop.now_ns;
    net->failures = 0;
    if (boot->has_data) weft_clock_note(WEFT_BOOT_CLOCK, time(NULL));
    if (is_news) weft_report_soon(boot);
}

static void take_time(void *self, short events)
{
    struct weft_net_time *net = self;
    struct weft_boot *boot = net->boot;
    uint8_t bytes[512];
    int64_t offset_ns = 0;
    (void)events;
    const ssize_t length = recv(net->ask_fd, bytes, sizeof(bytes), 0);
    const int64_t now_ns = wall_ns();
    if (length < 0 && errno == EAGAIN) return;
    int result = length < 0 ? -errno
                            : weft_sntp_offset(bytes, (size_t)length, net->chance, net->sent_ns,
                                               now_ns, boot->floor_s, &offset_ns);
    if (result == -EINVAL) return; // Not from whom we have asked; the answer may still come.
    if (result == 0 && weft_sntp_is_from(bytes, net->ip)) result = -ELOOP;
    if (result != 0) {
        ask_next(net);
        return;
    }
    use_time(net, bytes, offset_ns);
    close_fd(net, &net->ask_fd);
    weft_loop_after(&boot->loop, &net->timer, AGAIN_NS);
}

static uint64_t chance(void)
{
    uint64_t bits = 0;
    // Before the kernel has any it gives what it has: enough against an accident.
    if (getrandom(&bits, sizeof(bits), GRND_INSECURE) != (ssize_t)sizeof(bits))
        bits = (uint64_t)time(NULL) << 32 ^ (uint64_t)(uintptr_t)&bits;
    return bits;
}

// Asks, or gives the one that was asked up.
static void ask_time(void *self)
{
    struct weft_net_time *net = self;
    uint8_t packet[WEFT_SNTP_BYTES];
    if (net->ask_fd >= 0) {
        ask_next(net);
        return;
    }
    const struct sockaddr_in to =
        endpoint(net->servers[net->server].ip, net->servers[net->server].port);
    net->ask_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    net->chance = chance();
    net->sent_ns = wall_ns();
    weft_sntp_request(packet, net->chance);
    if (net->ask_fd < 0 || connect(net->ask_fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
        send(net->ask_fd, packet, sizeof(packet), 0) != (ssize_t)sizeof(packet)) {
        ask_next(net);
        return;
    }
    weft_loop_watch(&net->boot->loop, net->ask_fd, POLLIN, take_time, net);
    weft_loop_after(&net->boot->loop, &net->timer, ANSWER_NS);
}

// ---- Telling.

static struct weft_sntp_clock clock_of(const struct weft_net_time *net)
{
    const bool is_set = net->stratum > 0 && net->boot->loop.now_ns - net->set_at_ns < TRUSTED_NS;
    if (is_set) return (struct weft_sntp_clock){(uint8_t)(net->stratum + 1), net->set_by_ip};
    return (struct weft_sntp_clock){net->boot->was_set_forward ? 0 : WEFT_SNTP_ALONE, 0};
}

static void take_question(void *self, short events)
{
    struct weft_net_time *net = self;
    uint8_t bytes[WEFT_SNTP_BYTES + 16], answer[WEFT_SNTP_BYTES];
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    (void)events;
    const ssize_t length =
        recvfrom(net->tell_fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
    const int64_t arrived_ns = wall_ns();
    const struct weft_sntp_clock clock = clock_of(net);
    if (length <= 0) return;
    if (weft_sntp_answer(bytes, (size_t)length, &clock, arrived_ns, wall_ns(), answer))
        (void)!sendto(net->tell_fd, answer, sizeof(answer), 0, (struct sockaddr *)&from, size);
}

// At our own address alone: the answer then comes from where the question went.
static void start_telling(struct weft_net_time *net)
{
    struct weft_boot *boot = net->boot;
    const struct sockaddr_in own = endpoint(net->ip, PORT);
    close_fd(net, &net->tell_fd);
    if (!boot->config->time.serve) return;
    net->tell_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = net->tell_fd < 0 ? -errno : 0;
    if (result == 0 && bind(net->tell_fd, (const struct sockaddr *)&own, sizeof(own)) != 0)
        result = -errno;
    if (result == 0)
        result = weft_loop_watch(&boot->loop, net->tell_fd, POLLIN, take_question, net);
    if (result == 0) return;
    close_fd(net, &net->tell_fd);
    weft_say_error(&boot->say, "the time cannot be told to others: %s", strerror(-result));
}

// ---- Both.

static void add_server(struct weft_net_time *net, uint32_t ip, uint16_t port)
{
    if (net->server_count == WEFT_NET_TIME_SERVERS_MAX || ip == net->ip) return;
    net->servers[net->server_count].ip = ip;
    net->servers[net->server_count++].port = port;
}

void weft_net_time_init(struct weft_boot *boot)
{
    struct weft_net_time *net = &boot->net_time;
    net->boot = boot;
    net->ask_fd = net->tell_fd = -1;
    weft_loop_timer_init(&net->timer, ask_time, net);
}

void weft_net_time_stop(struct weft_boot *boot)
{
    struct weft_net_time *net = &boot->net_time;
    weft_loop_cancel(&net->timer);
    close_fd(net, &net->ask_fd);
    close_fd(net, &net->tell_fd);
    net->server_count = 0;
}

void weft_net_time_start(struct weft_boot *boot, uint32_t ip, const uint32_t *lease_servers,
                         uint32_t lease_server_count)
{
    struct weft_net_time *net = &boot->net_time;
    const struct weft_config_endpoints *configured = &boot->config->time.servers;
    weft_net_time_stop(boot); // An answer that is under way is none of these servers'.
    net->ip = ip;
    net->server = 0;
    for (size_t i = 0; i < configured->count; i++) {
        add_server(net, configured->items[i].ip, (uint16_t)configured->items[i].port);
    }
    for (uint32_t i = 0; i < lease_server_count; i++) {
        add_server(net, lease_servers[i], PORT);
    }
    start_telling(net);
    if (net->server_count > 0) ask_time(net);
}

void weft_net_time_describe(const struct weft_boot *boot, char *text, size_t size)
{
    const struct weft_net_time *net = &boot->net_time;
    char from[INET_ADDRSTRLEN] = "";
    const struct in_addr address = {htonl(net->set_by_ip)};
    if (net->stratum > 0)
        snprintf(text, size, "set by the time server %s",
                 inet_ntop(AF_INET, &address, from, sizeof(from)));
    else if (boot->was_set_forward)
        snprintf(text, size,
                 "WRONG: the machine's clock stood before %s, to which it was set; no "
                 "time server has answered",
                 boot->floor_is_build ? "the image was built" : "this node's last start");
    else
        snprintf(text, size, "the machine's own; no time server has answered");
}
