// The capture ring, its filter, and the bytes of the file that comes out.
#include "tests/support/cmocka.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/capture.h"
#include "dataplane/packet.h"
#include "dataplane/pcapng.h"
#include "tests/support/frame.h"
#include "tests/support/stack_rig.h"

#define SLOTS 16
#define SNAP  64

static struct weft_capture capture, other;
static uint64_t memory[4096], other_memory[4096];

static void set_up(void)
{
    assert_true(weft_capture_bytes(SLOTS, SNAP) <= sizeof(memory));
    weft_capture_init(&capture, memory, SLOTS, SNAP);
    weft_capture_init(&other, other_memory, SLOTS, SNAP);
}

static void feed_to(struct weft_capture *to, struct frame *frame, uint64_t now_ns)
{
    const struct weft_packet packet = {.data = frame->bytes, .length = (uint16_t)frame->length};
    weft_capture_frame(to, &packet, 0, WEFT_CAPTURE_IN, now_ns);
}

static uint32_t drain(void)
{
    uint32_t count = 0;
    while (weft_capture_peek(&capture) != NULL) {
        weft_capture_release(&capture);
        count++;
    }
    return count;
}

static void keeps_what_fits_and_counts_the_rest(void **state)
{
    (void)state;
    set_up();
    assert_false(weft_capture_is_on(NULL));
    assert_false(weft_capture_is_on(&capture));
    assert_int_equal(weft_capture_start(&capture, NULL), 0);
    assert_true(weft_capture_is_on(&capture));
    assert_true(weft_capture_start(&capture, NULL) < 0);
    struct frame frame = frame_udp(1, 2, "a payload that is longer than what the ring keeps of it");
    for (uint64_t i = 0; i < SLOTS + 5; i++) {
        feed_to(&capture, &frame, i);
    }
    assert_int_equal(weft_capture_lost(&capture), 5);
    const struct weft_capture_slot *slot = weft_capture_peek(&capture);
    assert_int_equal(slot->kept, SNAP);
    assert_int_equal(slot->length, frame.length);
    assert_memory_equal(slot->bytes, frame.bytes, SNAP);
    assert_int_equal(drain(), SLOTS);
    weft_capture_stop(&capture);
    assert_false(weft_capture_is_on(&capture));
}

static void the_filter_chooses(void **state)
{
    (void)state;
    struct frame frames[] = {frame_udp(1, 4200, "x"), frame_echo(8),
                             frame_arp(WEFT_ARP_REQUEST, 0x0a000002, 0x0a000001),
                             frame_udp(4200, 7, "x"), frame_ether(1, 0x88cc)};
    frame_tag(&frames[3], 9);
    static const struct {
        struct weft_capture_filter filter;
        const char *kept; // One letter per frame.
    } cases[] = {
        {{0}, "yyyyy"},
        {{.ethertype = WEFT_ETHERTYPE_IP4}, "yynyn"},
        {{.ethertype = WEFT_ETHERTYPE_ARP}, "nnynn"},
        {{.ip_protocol = WEFT_IP4_ICMP}, "nynnn"},
        {{.udp_port = 4200}, "ynnyn"},
        {{.udp_port = 7}, "nnnyn"},
        {{.host = 0x0a000001}, "yyyyn"},
        {{.host = 0x0a000009}, "nnnnn"},
        {{.host = 0x0a000002, .ip_protocol = WEFT_IP4_UDP}, "ynnyn"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        set_up();
        weft_capture_start(&capture, &cases[i].filter);
        for (size_t n = 0; n < WEFT_COUNT_OF(frames); n++) {
            feed_to(&capture, &frames[n], 0);
            if (drain() != (cases[i].kept[n] == 'y')) fail_msg("case %zu, frame %zu", i, n);
            for (uint32_t cut = 0; cut < frames[n].length; cut++) { // No byte past its end is read.
                struct frame *shorter = malloc(sizeof(struct frame));
                memcpy(shorter->bytes, frames[n].bytes, cut);
                shorter->length = cut;
                feed_to(&capture, shorter, 0);
                free(shorter);
                drain();
            }
        }
    }
}

static void the_file_is_these_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        // Section header: type, length, magic, version 1.0, length unknown, option 4 "weft", end.
        0x0a, 0x0d, 0x0d, 0x0a, 40, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, //
        255, 255, 255, 255, 255, 255, 255, 255, 4, 0, 4, 0, 'w', 'e', 'f', 't',  //
        0, 0, 0, 0, 40, 0, 0, 0,
        // Interface: Ethernet, 64 bytes kept, name "p0", times in 10^-9 s.
        1, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 64, 0, 0, 0,   //
        2, 0, 2, 0, 'p', '0', 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, //
        0, 0, 0, 0, 40, 0, 0, 0,
        // Packet: interface 0, time, 5 of 5 bytes, padded; flags 2: outbound.
        6, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, //
        5, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0,              //
        2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0,
        // Statistics: interface 0, time 3, 7 frames lost.
        5, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, //
        5, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0};
    uint8_t file[256];
    uint8_t bytes[5] = {1, 2, 3, 4, 5};
    set_up();
    weft_capture_start(&capture, NULL);
    const struct weft_packet packet = {.data = bytes, .length = 5};
    weft_capture_frame(&capture, &packet, 0, WEFT_CAPTURE_OUT, 2);
    struct weft_capture *captures[] = {&capture};
    size_t length = weft_pcapng_section(file, sizeof(file));
    length += weft_pcapng_port(file + length, sizeof(file) - length, "p0", SNAP);
    length +=
        weft_pcapng_drain(file + length, sizeof(file) - length, captures, 1, UINT64_C(1) << 32);
    length += weft_pcapng_lost(file + length, sizeof(file) - length, 0, 3, 7);
    assert_int_equal(length, sizeof(expected));
    for (size_t i = 0; i < length; i++) {
        if (file[i] != expected[i]) fail_msg("byte %zu is %u, not %u", i, file[i], expected[i]);
    }
}

static void a_block_is_whole_or_absent(void **state)
{
    (void)state;
    set_up();
    weft_capture_start(&capture, NULL);
    weft_capture_start(&other, NULL);
    struct frame frame = frame_echo(8);
    feed_to(&capture, &frame, 10);
    feed_to(&other, &frame, 5);
    feed_to(&capture, &frame, 20);
    struct weft_capture *captures[] = {&capture, &other};
    for (size_t room = 0; room < 88; room++) {
        uint8_t *file = malloc(room + 1);
        assert_int_equal(weft_pcapng_drain(file, room, captures, 2, 0), 0);
        free(file);
    }
    uint8_t file[WEFT_PCAPNG_BLOCK_BYTES(SNAP) * 3];
    uint32_t times[3], count = 0;
    size_t bytes;
    while ((bytes = weft_pcapng_drain(file, 100, captures, 2, 0)) > 0) { // Oldest first, of both.
        assert_true(count < 3);
        times[count++] = weft_le32_get(file + 16);
    }
    assert_int_equal(count, 3);
    assert_int_equal(times[0], 5);
    assert_int_equal(times[1], 10);
    assert_int_equal(times[2], 20);
}

#define CROSSED 20000

static void *feed_many(void *argument)
{
    struct frame frame = frame_udp(1, 2, "x");
    for (uint64_t i = 1; i <= CROSSED; i++) {
        feed_to(argument, &frame, i);
    }
    return NULL;
}

// Property: between two threads, what is not counted as lost comes out once and in order.
static void two_threads_lose_only_what_is_counted(void **state)
{
    (void)state;
    set_up();
    weft_capture_start(&capture, NULL);
    pthread_t worker;
    assert_int_equal(pthread_create(&worker, NULL, feed_many, &capture), 0);
    uint64_t taken = 0, last = 0;
    while (taken + weft_capture_lost(&capture) < CROSSED) {
        const struct weft_capture_slot *slot = weft_capture_peek(&capture);
        if (slot == NULL) continue;
        if (slot->time_ns <= last || slot->kept != slot->length)
            fail_msg("after %u", (unsigned)last);
        last = slot->time_ns;
        weft_capture_release(&capture);
        taken++;
    }
    pthread_join(worker, NULL);
    assert_null(weft_capture_peek(&capture));
}

// A stack under capture shows what it sends and receives, and tcpdump understands it.
static void tcpdump_reads_it(void **state)
{
    (void)state;
    static const uint32_t one_core[2] = {1, 1};
    static uint64_t ring[(64 * (256 + 16)) / 8];
    struct weft_capture seen;
    weft_capture_init(&seen, ring, 64, 256);
    weft_capture_start(&seen, NULL);
    const struct weft_stack_options options = {.capture = &seen};
    struct stack_rig *rig = stack_rig_create(one_core, 1, &options, NULL);
    const struct frame arp = frame_arp(WEFT_ARP_REQUEST, 0x0a000002, 0x0a000001);
    const struct frame echo = frame_echo(8);
    net_pipe_inject(&rig->pipe->ends[0].queues[0], arp.bytes, arp.length);
    net_pipe_inject(&rig->pipe->ends[0].queues[0], echo.bytes, echo.length);
    stack_rig_turn(rig, WEFT_NS_PER_MS);
    static uint8_t file[8192];
    struct weft_capture *captures[] = {&seen};
    size_t length = weft_pcapng_section(file, sizeof(file));
    length += weft_pcapng_port(file + length, sizeof(file) - length, "p0", 256);
    length += weft_pcapng_drain(file + length, sizeof(file) - length, captures, 1, 0);
    stack_rig_free(rig);

    if (system("command -v tcpdump >/dev/null 2>&1") != 0) {
        print_message("skipped: no tcpdump on this machine\n");
        skip();
    }
    char path[] = "/tmp/weft-capture-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file, length), (ssize_t)length);
    close(fd);
    char command[128], text[2048];
    snprintf(command, sizeof(command), "tcpdump -n -r - 2>/dev/null <%s", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    const size_t got = fread(text, 1, sizeof(text) - 1, pipe);
    text[got] = '\0';
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
    assert_non_null(strstr(text, "ARP, Request who-has 10.0.0.1"));
    assert_non_null(strstr(text, "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01"));
    assert_non_null(strstr(text, "10.0.0.2 > 10.0.0.1: ICMP echo request"));
    assert_non_null(strstr(text, "10.0.0.1 > 10.0.0.2: ICMP echo reply"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_fits_and_counts_the_rest),
        cmocka_unit_test(the_filter_chooses),
        cmocka_unit_test(the_file_is_these_bytes),
        cmocka_unit_test(a_block_is_whole_or_absent),
        cmocka_unit_test(two_threads_lose_only_what_is_counted),
        cmocka_unit_test(tcpdump_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
