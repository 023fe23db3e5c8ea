// Ports of rings and null in one process, without huge pages, without privilege.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/pool.h"
#include "dataplane/port.h"
#include "runtime/base/units.h"

#define WORKERS    2
#define POOL_COUNT 1023

static struct rte_mempool *pools[WORKERS];
static struct weft_drops ledgers[WORKERS];
static struct weft_drops *const drops[WORKERS] = {&ledgers[0], &ledgers[1]};

static struct weft_netport *open_port(const char *device, uint8_t index, uint16_t worker_count)
{
    const struct weft_netport_options options = {.name = "p",
                                                 .device = device,
                                                 .index = index,
                                                 .worker_count = worker_count,
                                                 .pools = pools,
                                                 .drops = drops};
    struct weft_netport *port = NULL;
    struct weft_error error = {0};
    if (weft_netport_open(&port, &options, &error) != 0) fail_msg("%s", error.text);
    return port;
}

static struct weft_packet *make_frame(const struct weft_net *net, uint16_t length, uint8_t fill)
{
    struct weft_packet *packet = net->alloc(net->self);
    assert_non_null(packet);
    assert_int_equal(packet->length, 0);
    assert_int_equal(packet->headroom, WEFT_PACKET_HEADROOM);
    assert_true(packet->headroom + packet->tailroom >= WEFT_PACKET_DATA_MAX);
    memset(packet->data, fill, length);
    packet->length = length;
    return packet;
}

static uint32_t free_total(void)
{
    return weft_pool_free_count(pools[0]) + weft_pool_free_count(pools[1]);
}

static void a_loop_returns_what_was_sent(void **state)
{
    (void)state;
    const uint32_t free_before = free_total();
    struct weft_netport *port = open_port("ring:loop", 3, 1);
    const struct weft_net net = weft_netport_net(port, 0);
    struct weft_packet *sent[5], *received[WEFT_NET_BURST];
    struct weft_net_stats stats;

    assert_int_equal(net.info->bypass, WEFT_BYPASS_FULL);
    assert_int_equal(net.info->mtu, 1500);
    assert_int_equal(net.doorbell_fd(net.self), -1);
    assert_false(net.info->has_doorbell);
    assert_false(net.info->tx_udp_checksum);
    assert_int_equal(net.rx_burst(net.self, received, WEFT_NET_BURST), 0);
    for (uint8_t i = 0; i < 5; i++) {
        sent[i] = make_frame(&net, 60, i);
        sent[i]->data -= 14; // A header put in front, as the stack does.
        sent[i]->length += 14;
        memset(sent[i]->data, 0xee, 14);
    }
    assert_int_equal(net.tx_burst(net.self, sent, 5), 5);
    assert_int_equal(net.rx_burst(net.self, received, WEFT_NET_BURST), 5);
    for (uint8_t i = 0; i < 5; i++) {
        assert_int_equal(received[i]->length, 74);
        assert_int_equal(received[i]->data[0], 0xee);
        assert_int_equal(received[i]->data[14], i);
        assert_int_equal(received[i]->port, 3);
        assert_int_equal(received[i]->home, 1);
        assert_int_equal(received[i]->headroom, WEFT_PACKET_HEADROOM - 14);
        assert_int_equal(received[i]->flags, 0);
        net.release(net.self, received[i]);
    }
    net.stats(net.self, &stats);
    assert_int_equal(stats.rx_packets, 5);
    assert_int_equal(stats.tx_packets, 5);
    assert_int_equal(stats.rx_bytes, 5 * 74);
    assert_int_equal(stats.tx_bytes, 5 * 74);
    assert_true(weft_netport_link(port).up);
    weft_netport_close(port);
    assert_int_equal(free_total(), free_before);
}

static void a_wire_joins_two_ports_queue_by_queue(void **state)
{
    (void)state;
    const uint32_t free_before = free_total();
    struct weft_netport *a = open_port("ring:wire/a", 0, WORKERS),
                        *b = open_port("ring:wire/b", 1, WORKERS);
    for (uint16_t worker = 0; worker < WORKERS; worker++) {
        const struct weft_net from = weft_netport_net(a, worker), to = weft_netport_net(b, worker);
        struct weft_packet *packet = make_frame(&from, 100, (uint8_t)worker), *received[4];
        assert_int_equal(from.tx_burst(from.self, &packet, 1), 1);
        assert_int_equal(to.rx_burst(to.self, received, 4), 1);
        assert_int_equal(received[0]->data[0], worker);
        assert_int_equal(received[0]->home, worker + 1);
        to.release(to.self, received[0]);
    }
    struct weft_error error = {0};
    struct weft_netport *twice;
    const struct weft_netport_options options = {
        .name = "p9", .device = "ring:wire/a", .worker_count = 1, .pools = pools};
    assert_int_equal(weft_netport_open(&twice, &options, &error), -EADDRINUSE);
    assert_int_equal(error.code, 202);

    // What lies on the wire when both ends close goes home; and the name can be used again.
    const struct weft_net from = weft_netport_net(a, 0);
    struct weft_packet *packet = make_frame(&from, 60, 0);
    assert_int_equal(from.tx_burst(from.self, &packet, 1), 1);
    weft_netport_close(a);
    weft_netport_close(b);
    assert_int_equal(free_total(), free_before);
    a = open_port("ring:wire/a", 0, 1);
    weft_netport_close(a);
}

static void a_full_device_leaves_the_rest_to_the_caller(void **state)
{
    (void)state;
    const uint32_t free_before = free_total();
    struct weft_netport *port = open_port("ring:full", 0, WORKERS);
    struct weft_net_stats stats;
    uint32_t sent[WORKERS] = {0}, refused = 0;
    // A ring holds 1023 frames, as many as a pool has; what the second pool adds is too much for
    // it.
    for (uint16_t pool = 0; pool < WORKERS; pool++) {
        const struct weft_net net = weft_netport_net(port, 0), from = weft_netport_net(port, pool);
        for (uint32_t i = 0; i < 1000; i++) {
            struct weft_packet *packet = make_frame(&from, 60, 0);
            if (net.tx_burst(net.self, &packet, 1) == 1) {
                sent[pool]++;
            } else {
                from.release(from.self, packet);
                refused++;
            }
        }
    }
    const struct weft_net net = weft_netport_net(port, 0);
    net.stats(net.self, &stats);
    assert_int_equal(sent[0] + sent[1], 1023);
    assert_int_equal(stats.tx_packets, 1023);
    assert_int_equal(stats.tx_full, refused);
    weft_netport_close(port);
    assert_int_equal(free_total(), free_before);
}

static void frames_beyond_the_mtu_end_here(void **state)
{
    (void)state;
    struct weft_netport *port = open_port("ring:long", 0, 1);
    const struct weft_net net = weft_netport_net(port, 0);
    struct weft_net_stats stats;
    static const struct {
        uint16_t length;
        uint32_t received;
    } cases[] = {{1500 + 14, 1}, {1500 + 18, 1}, {1500 + 19, 0}, {1, 1}};
    const uint64_t before = weft_drop_get(&ledgers[0], WEFT_DROP_PORT_TOO_LONG);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_packet *packet = make_frame(&net, cases[i].length, 0), *received[2];
        assert_int_equal(net.tx_burst(net.self, &packet, 1), 1);
        assert_int_equal(net.rx_burst(net.self, received, 2), cases[i].received);
        if (cases[i].received > 0) net.release(net.self, received[0]);
    }
    net.stats(net.self, &stats);
    assert_int_equal(stats.rx_too_long, 1);
    assert_int_equal(weft_drop_get(&ledgers[0], WEFT_DROP_PORT_TOO_LONG) - before, 1);
    weft_netport_close(port);
}

static void null_swallows_and_makes(void **state)
{
    (void)state;
    struct weft_netport *port = open_port("null", 0, WORKERS);
    assert_int_equal(weft_netport_info(port)->queue_count, WORKERS);
    for (uint16_t worker = 0; worker < WORKERS; worker++) {
        const struct weft_net net = weft_netport_net(port, worker);
        struct weft_packet *packets[8];
        assert_int_equal(net.rx_burst(net.self, packets, 8), 8);
        for (unsigned i = 0; i < 8; i++)
            assert_int_equal(packets[i]->length, 64);
        assert_int_equal(net.tx_burst(net.self, packets, 8), 8);
    }
    weft_netport_close(port);
}

// A worker beyond the device's queues sends through another one's.
static void a_guest_sends_through_the_owner(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-port-XXXXXX.pcap", device[64];
    const int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    close(fd);
    snprintf(device, sizeof(device), "pcap:tx=%s", path);
    struct weft_netport *port = open_port(device, 0, WORKERS);
    assert_int_equal(weft_netport_info(port)->queue_count, 1);
    const struct weft_net owner = weft_netport_net(port, 0), guest = weft_netport_net(port, 1);
    struct weft_packet *packet = make_frame(&guest, 60, 7), *received[1];
    struct weft_net_stats stats;
    assert_int_equal(packet->home, 2);
    assert_int_equal(guest.tx_burst(guest.self, &packet, 1), 1);
    assert_int_equal(guest.rx_burst(guest.self, received, 1), 0);
    assert_int_equal(owner.rx_burst(owner.self, received, 1), 0); // Its turn: now it is on its way.
    guest.stats(guest.self, &stats);
    assert_int_equal(stats.tx_packets, 1);
    weft_netport_close(port);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    assert_int_equal(ftell(file), 24 + 16 + 60);
    fclose(file);
    unlink(path);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    const struct weft_netport_options cases[] = {
        {.name = "p", .device = "null", .worker_count = 0, .pools = pools},
        {.name = "p", .device = "null", .worker_count = 1, .pools = pools, .mtu = 100},
        {.name = "p", .device = "null", .worker_count = 1, .pools = pools, .mtu = 9000},
        {.name = "p", .device = "null", .worker_count = 1, .pools = pools, .mac = {1}},
        {.name = "p", .device = "nil", .worker_count = 1, .pools = pools},
        {.name = "p", .device = "af_packet:nosuchif0", .worker_count = 1, .pools = pools},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_error error = {0};
        struct weft_netport *port;
        assert_true(weft_netport_open(&port, &cases[i], &error) < 0);
        assert_null(port);
        assert_int_equal(error.code, 202);
    }
}

static void eal_starts_once(void **state)
{
    (void)state;
    const struct weft_eal_options again = {.name = "again"};
    struct weft_error error = {0};
    assert_int_equal(weft_eal_start(&again, NULL, &error), -EALREADY);
    assert_int_equal(error.code, 201);
    const struct weft_eal_options bad = {.name = "a/b"};
    assert_int_equal(weft_eal_start(&bad, NULL, &error), -EINVAL);
}

static void *use_pool_on_thread(void *argument)
{
    const struct weft_net *net = argument;
    const int entered = weft_eal_thread_enter();
    struct weft_packet *packet = net->alloc(net->self);
    net->release(net->self, packet);
    weft_eal_thread_leave();
    return entered == 0 && packet != NULL ? argument : NULL;
}

static void own_threads_may_enter(void **state)
{
    (void)state;
    struct weft_netport *port = open_port("ring:thread", 0, 1);
    struct weft_net net = weft_netport_net(port, 0);
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(pthread_create(&thread, NULL, use_pool_on_thread, &net), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &net);
    weft_netport_close(port);
}

static int start(void **state)
{
    (void)state;
    char name[32];
    snprintf(name, sizeof(name), "port-test-%d", (int)getpid());
    const struct weft_eal_options options = {.name = name, .memory_mb = 32, .no_huge = true};
    struct weft_error error = {0};
    if (weft_eal_start(&options, NULL, &error) != 0) {
        print_error("%s\n", error.text);
        return -1;
    }
    for (uint8_t i = 0; i < WORKERS; i++) {
        pools[i] = weft_pool_create((uint8_t)(i + 1), POOL_COUNT, &error);
        if (pools[i] == NULL) {
            print_error("%s\n", error.text);
            return -1;
        }
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WORKERS; i++)
        weft_pool_free(pools[i]);
    weft_eal_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_returns_what_was_sent),
        cmocka_unit_test(a_wire_joins_two_ports_queue_by_queue),
        cmocka_unit_test(a_full_device_leaves_the_rest_to_the_caller),
        cmocka_unit_test(frames_beyond_the_mtu_end_here),
        cmocka_unit_test(null_swallows_and_makes),
        cmocka_unit_test(a_guest_sends_through_the_owner),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(eal_starts_once),
        cmocka_unit_test(own_threads_may_enter),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
