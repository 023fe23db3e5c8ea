// port_peer: the other side of a port test: one process, one port, one task.
//
//   port_peer NAME DEVICE echo                    sends every frame back, until killed
//   port_peer NAME DEVICE ask COUNT SECONDS [S2]  sends COUNT frames one by one, each again until
//   it
//                                                 is answered; exit 0 if all were within SECONDS.
//                                                 S2: how long to wait for a peer of a virtio_user
//                                                 port
//
// Prints "ready" once the port is open, "half" when half the answers are in, one line at the end.
// For tests of whole processes, which kill one side and look whether the other notices. EAL's
// runtime directory: the current one.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/pool.h"
#include "dataplane/port.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"

#define FRAME_BYTES 64
#define ETHER_TYPE  0x88b5 // IEEE 802, for local experiments.
#define AGAIN_NS    (20 * WEFT_NS_PER_MS)

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

// Where there is a doorbell, only it ends the sleep in time: one that does not ring fails the test.
static void pause_briefly(const struct weft_net *net)
{
    struct pollfd bell = {.fd = net->doorbell_fd(net->self), .events = POLLIN};
    const struct timespec brief = {.tv_nsec = 200000}, second = {.tv_sec = 1};
    if (ppoll(&bell, 1, net->info->has_doorbell ? &second : &brief, NULL) > 0)
        net->doorbell_clear(net->self);
}

static bool is_ours(const struct weft_packet *packet, uint8_t kind)
{
    return packet->length >= FRAME_BYTES - 4 && packet->data[12] == ETHER_TYPE >> 8 &&
           packet->data[13] == (ETHER_TYPE & 0xff) && packet->data[14] == kind;
}

static void echo(const struct weft_net *net)
{
    uint64_t count = 0;
    while (!stopped) {
        struct weft_packet *packets[WEFT_NET_BURST];
        const uint32_t received = net->rx_burst(net->self, packets, WEFT_NET_BURST);
        if (received == 0) pause_briefly(net);
        for (uint32_t i = 0; i < received; i++) {
            struct weft_packet *packet = packets[i];
            if (!is_ours(packet, 'q')) {
                net->release(net->self, packet);
                continue;
            }
            packet->data[14] = 'a';
            memcpy(packet->data, packet->data + 6, 6);
            memcpy(packet->data + 6, net->info->mac, 6);
            if (net->tx_burst(net->self, &packet, 1) != 1) net->release(net->self, packet);
            count++;
        }
    }
    printf("echoed %llu\n", (unsigned long long)count);
}

static void send_question(const struct weft_net *net, uint32_t number)
{
    struct weft_packet *packet = net->alloc(net->self);
    if (packet == NULL) return;
    memset(packet->data, 0, FRAME_BYTES);
    memset(packet->data, 0xff, 6);
    memcpy(packet->data + 6, net->info->mac, 6);
    packet->data[12] = ETHER_TYPE >> 8;
    packet->data[13] = ETHER_TYPE & 0xff;
    packet->data[14] = 'q';
    weft_le32_put(packet->data + 16, number);
    packet->length = FRAME_BYTES;
    if (net->tx_burst(net->self, &packet, 1) != 1) net->release(net->self, packet);
}

static bool take_answer(const struct weft_net *net, uint32_t number)
{
    const bool loops = strncmp(net->info->device, "ring:", 5) == 0; // The question is the answer.
    struct weft_packet *packets[WEFT_NET_BURST];
    bool found = false;
    const uint32_t received = net->rx_burst(net->self, packets, WEFT_NET_BURST);
    for (uint32_t i = 0; i < received; i++) {
        if ((is_ours(packets[i], 'a') || loops) && weft_le32_get(packets[i]->data + 16) == number)
            found = true;
        net->release(net->self, packets[i]);
    }
    if (received == 0) pause_briefly(net);
    return found;
}

static bool ask(const struct weft_net *net, uint32_t count, uint64_t deadline_ns)
{
    uint64_t sent = 0;
    const uint64_t start_ns = now_ns();
    for (uint32_t number = 1; number <= count; number++) {
        uint64_t again_ns = 0;
        do {
            const uint64_t time_ns = now_ns();
            if (time_ns >= deadline_ns || stopped) {
                printf("answered %u of %u\n", number - 1, count);
                return false;
            }
            if (time_ns >= again_ns) {
                send_question(net, number);
                sent++;
                again_ns = time_ns + AGAIN_NS;
            }
        } while (!take_answer(net, number));
        if (number == count / 2) {
            puts("half");
            fflush(stdout);
        }
    }
    printf("answered %u of %u, sent %llu, %llu us\n", count, count, (unsigned long long)sent,
           (unsigned long long)((now_ns() - start_ns) / WEFT_NS_PER_US));
    return true;
}

int main(int argc, char **argv)
{
    char directory[512];
    struct weft_error error = {0};
    struct weft_eal_info info;
    if (argc < 4 || getcwd(directory, sizeof(directory)) == NULL) return 64;
    const struct weft_eal_options eal = {
        .name = argv[1], .runtime_directory = directory, .memory_mb = 32};
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    if (weft_eal_start(&eal, &info, &error) != 0) goto failed;

    struct rte_mempool *pool = weft_pool_create(1, 4095, &error);
    struct weft_netport *port = NULL;
    if (pool == NULL) goto failed;
    const struct weft_netport_options options = {
        .name = "p0",
        .device = argv[2],
        .worker_count = 1,
        .pools = &pool,
        .connect_wait_ms = argc == 7 ? (uint32_t)atoi(argv[6]) * 1000 : 0};
    if (weft_netport_open(&port, &options, &error) != 0) goto failed;
    const struct weft_net net = weft_netport_net(port, 0);
    printf("ready: %s, %s\n", net.info->driver, info.memory);
    fflush(stdout);

    bool good = true;
    if (strcmp(argv[3], "ask") == 0 && argc >= 6)
        good =
            ask(&net, (uint32_t)atoi(argv[4]), now_ns() + (uint64_t)atoi(argv[5]) * WEFT_NS_PER_S);
    else
        echo(&net);
    fflush(stdout);
    weft_netport_close(port);
    weft_pool_free(pool);
    weft_eal_stop();
    char line[WEFT_EAL_LINE_MAX];
    while (weft_eal_take_line(line))
        fprintf(stderr, "dpdk: %s\n", line);
    return good ? 0 : 1;

failed:
    fprintf(stderr, "W%04u %s\n  %s\n", error.code, error.text, error.hint);
    return 75;
}
