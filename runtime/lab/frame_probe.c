#include "runtime/lab/frame_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/lab/lab.h"

#define TIMEOUT_MS 2000
#define RETRY_MS   300 // ARP and echo are asked again: the first frame may meet a port not yet up.
#define PORT       42001

struct exchange {
    int fd;
    struct weft_lab_frame_client client;
    int64_t until_ms;
    uint8_t frame[WEFT_LAB_FRAME_BYTES];
    const uint8_t *payload; // Of the frame read last.
    size_t payload_length;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int plug_in(const json_t *lab, struct exchange *exchange, struct weft_error *error)
{
    const char *run = json_string_value(json_object_get(lab, "run_dir"));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/switch/inject.sock",
                                run != NULL ? run : "");

    exchange->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (exchange->fd >= 0 && length < (int)sizeof(address.sun_path) &&
        connect(exchange->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    weft_error_set(error, 603, "the lab's switch does not answer at %s: %s", address.sun_path,
                   strerror(errno));
    if (exchange->fd >= 0) close(exchange->fd);
    return -1;
}

// 0, or a negative errno if the switch is gone. A full queue loses the frame, as a wire would.
static int put(struct exchange *exchange, size_t length)
{
    const ssize_t sent = send(exchange->fd, exchange->frame, length, MSG_NOSIGNAL | MSG_DONTWAIT);

    return sent < 0 && errno != EAGAIN && errno != ENOBUFS ? -errno : 0;
}

// The next frame that is for us, by `until_ms`; who asks where we are is told. Negative: errno.
static int get(struct exchange *exchange, int64_t until_ms)
{
    for (;;) {
        struct pollfd waiting = {.fd = exchange->fd, .events = POLLIN};
        const int64_t left_ms = until_ms - now_ms();
        if (left_ms <= 0 || poll(&waiting, 1, (int)left_ms) <= 0) return -ETIMEDOUT;
        const ssize_t length =
            recv(exchange->fd, exchange->frame, sizeof(exchange->frame), MSG_DONTWAIT);
        if (length == 0) return -EPIPE;
        if (length < 0 && errno != EAGAIN && errno != EINTR) return -errno;
        if (length < 0) continue;
        const enum weft_lab_frame_kind kind =
            weft_lab_frame_read(&exchange->client, exchange->frame, (size_t)length,
                                &exchange->payload, &exchange->payload_length);
        if (kind == WEFT_LAB_FRAME_ARP_ASKS) {
            const int result =
                put(exchange, weft_lab_frame_arp(&exchange->client, true, exchange->frame));
            if (result < 0) return result;
        } else if (kind != WEFT_LAB_FRAME_OTHER) {
            return (int)kind;
        }
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Finds the node's Ethernet address.
static int resolve(struct exchange *exchange)
{
    while (now_ms() < exchange->until_ms) {
        int result = put(exchange, weft_lab_frame_arp(&exchange->client, false, exchange->frame));
        if (result == 0) result = get(exchange, sooner(now_ms() + RETRY_MS, exchange->until_ms));
        if (result == WEFT_LAB_FRAME_ARP) return 0;
        if (result < 0 && result != -ETIMEDOUT) return result;
    }
    return -ETIMEDOUT;
}

static int begin(const json_t *lab, const struct weft_lab_udp *udp, struct exchange *exchange,
                 struct weft_error *error)
{
    struct in_addr peer;

    // The address and the name by which the bridge of a veth lab goes.
    exchange->client = (struct weft_lab_frame_client){
        .mac = {0x02, 0x77, 0, 0, 0, 1}, .port = PORT, .peer_port = udp->port};
    if (inet_pton(AF_INET, udp->address, &peer) != 1)
        return weft_error_set(error, 603, "%.64s is no IPv4 address", udp->address);
    exchange->client.peer_ip = ntohl(peer.s_addr);
    inet_pton(AF_INET, WEFT_LAB_CLIENT, &peer);
    exchange->client.ip = ntohl(peer.s_addr);
    exchange->until_ms = now_ms() + (udp->timeout_ms > 0 ? udp->timeout_ms : TIMEOUT_MS);
    if (plug_in(lab, exchange, error) < 0) return -1;
    const int result = resolve(exchange);
    if (result < 0) close(exchange->fd);
    return result;
}

static int tell(const struct weft_lab_udp *udp, int result, struct weft_error *error)
{
    if (result >= 0 || result == -1 || result == -ECONNREFUSED || result == -ETIMEDOUT)
        return result;
    return weft_error_set(error, 603, "%s: through the switch: %s", udp->address,
                          strerror(-result));
}

static int ask_udp(struct exchange *exchange, struct weft_lab_udp *udp)
{
    int result = put(exchange, weft_lab_frame_datagram(&exchange->client, udp->text, udp->length,
                                                       exchange->frame));

    while (result >= 0) {
        result = get(exchange, exchange->until_ms);
        if (result == WEFT_LAB_FRAME_UNREACHABLE) return -ECONNREFUSED;
        if (result != WEFT_LAB_FRAME_UDP || exchange->payload_length > sizeof(udp->reply)) continue;
        memcpy(udp->reply, exchange->payload, exchange->payload_length);
        udp->reply_length = exchange->payload_length;
        return 0;
    }
    return result;
}

int weft_lab_frame_udp(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error)
{
    struct exchange exchange;
    int result = begin(lab, udp, &exchange, error);

    if (result == 0) {
        result = ask_udp(&exchange, udp);
        close(exchange.fd);
    }
    return tell(udp, result, error);
}

static int ask_echo(struct exchange *exchange)
{
    static const uint8_t payload[56] = "weft lab";

    while (now_ms() < exchange->until_ms) {
        int result = put(exchange, weft_lab_frame_echo(&exchange->client, payload, sizeof(payload),
                                                       exchange->frame));
        if (result == 0) result = get(exchange, sooner(now_ms() + RETRY_MS, exchange->until_ms));
        if (result == WEFT_LAB_FRAME_ECHO && exchange->payload_length == sizeof(payload) &&
            memcmp(exchange->payload, payload, sizeof(payload)) == 0)
            return 0;
        if (result < 0 && result != -ETIMEDOUT) return result;
    }
    return -ETIMEDOUT;
}

int weft_lab_frame_ping(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error)
{
    struct exchange exchange;
    int result = begin(lab, udp, &exchange, error);

    if (result == 0) {
        result = ask_echo(&exchange);
        close(exchange.fd);
    }
    return tell(udp, result, error);
}
