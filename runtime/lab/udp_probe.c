#include "runtime/lab/udp_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/lab/frame_probe.h"
#include "runtime/lab/remote.h"

#define TIMEOUT_MS 2000

struct outcome { // What the process inside the namespace tells.
    int result;
    struct weft_error error;
    size_t reply_length;
    char reply[WEFT_LAB_UDP_BYTES];
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_readable(int fd, int64_t until_ms)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    const int64_t left_ms = until_ms - now_ms();
    const int result = left_ms > 0 ? poll(&waiting, 1, (int)left_ms) : 0;

    if (result == 0) return -ETIMEDOUT;
    return result < 0 && errno != EINTR ? -errno : 0;
}

static int socket_to(const struct weft_lab_udp *udp, int type, int protocol, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (inet_pton(AF_INET, udp->address, &to.sin_addr) != 1) return -EINVAL;
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) return -errno;
    // Connected: the kernel then tells us of ICMP unreachable (udp(7)).
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0) return fd;
    const int reason = errno;
    close(fd);
    return -reason;
}

static int ask_kernel(const struct weft_lab_udp *udp, struct outcome *outcome)
{
    const int fd = socket_to(udp, SOCK_DGRAM, 0, udp->port);
    const int64_t until_ms = now_ms() + (udp->timeout_ms > 0 ? udp->timeout_ms : TIMEOUT_MS);
    int result;

    if (fd < 0) return fd;
    result = send(fd, udp->text, udp->length, 0) < 0 ? -errno : 0;
    if (result == 0) result = wait_readable(fd, until_ms);
    if (result == 0) {
        const ssize_t length = recv(fd, outcome->reply, sizeof(outcome->reply), MSG_DONTWAIT);
        result = length < 0 ? -errno : 0;
        if (length > 0) outcome->reply_length = (size_t)length;
    }
    close(fd);
    return result;
}

static uint16_t icmp_checksum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < length; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static int ping_kernel(const struct weft_lab_udp *udp, struct outcome *outcome)
{
    const int fd = socket_to(udp, SOCK_RAW, IPPROTO_ICMP, 0);
    const int64_t until_ms = now_ms() + (udp->timeout_ms > 0 ? udp->timeout_ms : TIMEOUT_MS);
    uint8_t request[64] = {ICMP_ECHO, 0, 0, 0, 'W', 'F', 0, 1}, reply[1500];
    (void)outcome;

    if (fd < 0) return fd;
    const uint16_t checksum = icmp_checksum(request, sizeof(request));
    request[2] = (uint8_t)(checksum >> 8);
    request[3] = (uint8_t)checksum;
    int result = send(fd, request, sizeof(request), 0) < 0 ? -errno : 0;
    while (result == 0) {
        result = wait_readable(fd, until_ms);
        if (result < 0) break;
        const ssize_t length = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
        if (length < 28) continue;
        const uint8_t *icmp = reply + 4u * (reply[0] & 15);
        if (length - (icmp - reply) == (ssize_t)sizeof(request) && icmp[0] == ICMP_ECHOREPLY &&
            memcmp(icmp + 4, request + 4, sizeof(request) - 4) == 0)
            break;
    }
    close(fd);
    return result;
}

typedef int probe_fn(const struct weft_lab_udp *udp, struct outcome *outcome);

// Entering a namespace is for good: a child does it.
static int in_namespace(const json_t *lab, struct weft_lab_udp *udp, probe_fn *probe,
                        struct weft_error *error)
{
    struct outcome outcome = {0};
    size_t length = 0;
    int pipe_fd[2];

    if (pipe2(pipe_fd, O_CLOEXEC) < 0) return weft_error_set(error, 603, "%s", strerror(errno));
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (weft_lab_enter(lab, NULL, &outcome.error) < 0) {
            outcome.result = -1;
        } else {
            outcome.result = probe(udp, &outcome);
        }
        (void)!write(pipe_fd[1], &outcome, sizeof(outcome)); // Below PIPE_BUF: whole.
        _exit(0);
    }
    close(pipe_fd[1]);
    while (pid > 0 && length < sizeof(outcome)) {
        const ssize_t got = read(pipe_fd[0], (char *)&outcome + length, sizeof(outcome) - length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += (size_t)got;
    }
    close(pipe_fd[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (length < sizeof(outcome))
        return weft_error_set(error, 603, "the process inside the lab's network died");
    *error = outcome.error;
    udp->reply_length = outcome.reply_length;
    memcpy(udp->reply, outcome.reply, outcome.reply_length);
    if (outcome.result < -1 && outcome.result != -ECONNREFUSED && outcome.result != -ETIMEDOUT)
        return weft_error_set(error, 603, "%s: %s", udp->address, strerror(-outcome.result));
    return outcome.result;
}
_Static_assert(sizeof(struct outcome) <= 4096, "one write to a pipe is whole up to PIPE_BUF");

static bool is_vhost(const json_t *lab)
{
    const char *link = json_string_value(json_object_get(lab, "link"));

    return link != NULL && strcmp(link, "vhost") == 0;
}

int weft_lab_udp_ask(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error)
{
    if (is_vhost(lab)) return weft_lab_frame_udp(lab, udp, error);
    return in_namespace(lab, udp, ask_kernel, error);
}

int weft_lab_ping(const json_t *lab, struct weft_lab_udp *udp, struct weft_error *error)
{
    if (is_vhost(lab)) return weft_lab_frame_ping(lab, udp, error);
    return in_namespace(lab, udp, ping_kernel, error);
}
