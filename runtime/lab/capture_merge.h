// capture_merge.h: several captures in pcapng become one: one section, one interface per node.
//
// Each node's stream brings its own section and interface blocks, which are read and left out; its
// packets go out under the node's interface number, as soon as they are whole. What a node sends is
// input from outside: lengths are checked, and a stream that is no pcapng ends with an error.
//
// draft-ietf-opsawg-pcapng. Numbers in the byte order of this machine, as the format allows; a
// stream of the other order is refused (nodes of a lab run here).
#ifndef WEFT_LAB_CAPTURE_MERGE_H
#define WEFT_LAB_CAPTURE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_MERGE_SOURCES_MAX 16
#define WEFT_MERGE_BLOCK_BYTES (64 * 1024) // The largest block taken: a packet and its options.

struct weft_merge_source {
    char name[64]; // The interface's name in the merged capture: "n1".
    uint8_t block[WEFT_MERGE_BLOCK_BYTES];
    size_t length;           // Bytes of the block that are here.
    bool in_section;         // Its section header has been seen.
    uint8_t resolutions[16]; // if_tsresol of its interfaces.
    uint32_t interface_count;
};

struct weft_merge {
    // Takes whole blocks. A negative answer ends the merging.
    int (*write)(void *self, const void *bytes, size_t length);
    void *self;
    struct weft_merge_source *sources[WEFT_MERGE_SOURCES_MAX];
    uint32_t source_count;
    uint64_t packet_count;
    uint64_t packet_max; // 0: no limit.
};

// Writes the section header and one interface (Ethernet, nanoseconds) for each source. 0, or what
// `write` said.
int weft_merge_begin(struct weft_merge *merge);

// Takes bytes of source `index` as they come. 0; 1 when packet_max is reached; -EBADMSG if they are
// no pcapng; -EMSGSIZE for a block that is too long; or what `write` said.
int weft_merge_take(struct weft_merge *merge, uint32_t index, const void *bytes, size_t length);

#endif // WEFT_LAB_CAPTURE_MERGE_H
