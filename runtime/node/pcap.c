// Captures of the admin port: the workers' capture rings, written as pcapng for whoever reads.
//
// The rings are shared: the first reader switches them on, the last one off. With several readers
// each frame goes to one of them, so one at a time is let in.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pcapng.h"
#include "runtime/node/control.h"

struct pcap {
    uint64_t packet_max; // 0: no end.
    uint64_t packet_count;
    bool head_written;
};

static int open_capture(void *self, const struct weft_admin_capture *options, void **capture,
                        struct weft_error *error)
{
    struct weft_control *control = self;
    const struct weft_capture_filter everything = {0};
    if (control->machine.captures == NULL)
        return weft_error_set(error, 503, "this node has no capture rings");
    if (control->captures[0] != NULL) {
        weft_error_set(error, 405, "somebody captures on this node already");
        weft_error_hint(error, "end that capture first: a frame is copied once");
        return -1;
    }
    struct pcap *pcap = calloc(1, sizeof(*pcap));
    if (pcap == NULL) return weft_error_set(error, 203, "no memory for a capture");
    pcap->packet_max = options->packet_max;
    for (uint16_t i = 0; i < control->node->options.worker_count; i++) {
        while (weft_capture_peek(control->machine.captures[i]) != NULL) {
            weft_capture_release(control->machine.captures[i]); // Left over from the last reader.
        }
        (void)weft_capture_start(control->machine.captures[i], &everything);
    }
    control->captures[0] = pcap;
    *capture = pcap;
    return 0;
}

static size_t write_head(struct weft_control *control, uint8_t *bytes, size_t limit)
{
    size_t length = weft_pcapng_section(bytes, limit);
    for (uint32_t i = 0; i < control->node->options.port_count; i++) {
        const char *name = control->node->options.ports[i].nets[0].info->name;
        length += weft_pcapng_port(bytes + length, limit - length, name,
                                   control->machine.captures[0]->snap_bytes);
    }
    return length;
}

// The oldest frame of all rings.
static struct weft_capture *oldest(struct weft_control *control,
                                   const struct weft_capture_slot **first)
{
    struct weft_capture *from = NULL;
    *first = NULL;
    for (uint16_t i = 0; i < control->node->options.worker_count; i++) {
        const struct weft_capture_slot *slot = weft_capture_peek(control->machine.captures[i]);
        if (slot == NULL || (*first != NULL && slot->time_ns >= (*first)->time_ns)) continue;
        *first = slot;
        from = control->machine.captures[i];
    }
    return from;
}

static int64_t read_capture(void *self, void *capture, uint8_t *bytes, size_t limit)
{
    struct weft_control *control = self;
    struct pcap *pcap = capture;
    const struct weft_clock *clock = &control->node->options.clock;
    const uint64_t offset_ns = weft_clock_wall_ns(clock) - weft_clock_now_ns(clock);
    size_t length = 0;
    if (!pcap->head_written) {
        length = write_head(control, bytes, limit);
        pcap->head_written = length > 0;
    }
    for (;;) {
        const struct weft_capture_slot *slot;
        if (pcap->packet_max != 0 && pcap->packet_count == pcap->packet_max)
            return length > 0 ? (int64_t)length : -ENODATA;
        struct weft_capture *from = oldest(control, &slot);
        if (from == NULL) return (int64_t)length;
        const size_t put = weft_pcapng_frame(bytes + length, limit - length, slot, offset_ns);
        if (put == 0) return (int64_t)length; // No room: the rest in the next read.
        weft_capture_release(from);
        length += put;
        pcap->packet_count++;
    }
}

static void close_capture(void *self, void *capture)
{
    struct weft_control *control = self;
    for (uint16_t i = 0; i < control->node->options.worker_count; i++) {
        weft_capture_stop(control->machine.captures[i]);
    }
    control->captures[0] = NULL;
    free(capture);
}

void weft_control_pcap_init(struct weft_control *control)
{
    control->source.capture_open = open_capture;
    control->source.capture_read = read_capture;
    control->source.capture_close = close_capture;
}
