// pcapng.h: captured frames as a file that Wireshark and tcpdump read (draft-ietf-opsawg-pcapng).
//
// One section, one interface per port in the order of the ports, times in nanoseconds, the
// direction of each frame in its flags. Blocks are written into the caller's memory, one call per
// block, so that the reader may be a file, a pipe or an HTTP response. Pure functions; control
// core.
#ifndef WEFT_DATAPLANE_PCAPNG_H
#define WEFT_DATAPLANE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/capture.h"

// The largest block that a frame of `snap_bytes` or a port's name needs.
#define WEFT_PCAPNG_BLOCK_BYTES(snap_bytes) ((size_t)(snap_bytes) + 128)

// Each returns the bytes written to `to`, a multiple of 4, or 0 if `room` is too small.
size_t weft_pcapng_section(uint8_t *to, size_t room);
size_t weft_pcapng_port(uint8_t *to, size_t room, const char *name, uint16_t snap_bytes);
// `wall_offset_ns` turns the cores' monotonic time into time since 1970: wall - monotonic.
size_t weft_pcapng_frame(uint8_t *to, size_t room, const struct weft_capture_slot *slot,
                         uint64_t wall_offset_ns);
// How many frames of a port the rings had no room for, as of `time_ns` since 1970.
size_t weft_pcapng_lost(uint8_t *to, size_t room, uint8_t port, uint64_t time_ns,
                        uint64_t lost_count);

// Writes what the rings of `capture_count` cores hold, oldest first, as far as `room` goes. Returns
// the bytes written; 0: nothing is there, or the next frame does not fit.
size_t weft_pcapng_drain(uint8_t *to, size_t room, struct weft_capture *const *captures,
                         uint32_t capture_count, uint64_t wall_offset_ns);

#endif // WEFT_DATAPLANE_PCAPNG_H
