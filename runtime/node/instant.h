// instant.h: all units of a node at one instant, as bytes: what `weft node snapshot` saves and
// restores. docs/wire/snapshot.md.
//
// Each worker writes its own units while all stand still (standstill.h); the head in front, with a
// checksum over everything, is the control core's.
#ifndef WEFT_NODE_INSTANT_H
#define WEFT_NODE_INSTANT_H

#include "runtime/base/error.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"

#define WEFT_INSTANT_HEAD_BYTES 80

// The units of this core: how many bytes that is now. On the worker.
size_t weft_instant_bytes(struct weft_node_worker *worker);
// Writes them: how many bytes they took, and how many units that are; or -ENOSPC, if it is more
// than `size` by now: a timer or a datagram may have become mail since they were measured.
int64_t weft_instant_write(struct weft_node_worker *worker, uint8_t *to, size_t size,
                           uint32_t *unit_count);
// In front of `length` bytes of units, which stand behind it already.
void weft_instant_head(const struct weft_node *node, uint8_t *to, size_t length,
                       uint32_t unit_count);

struct weft_instant_entry {
    char name[WEFT_RESIDENT_NAME_BYTES]; // Of a child the label.
    char file[64];
    uint16_t core; // Where it was.
    uint8_t recovery;
    bool is_child;
    uint64_t id;
    struct weft_span image;
    struct weft_unit_kin kin;     // Of a child: of the same snapshot, or nobody.
    struct weft_unit_quota quota; // As its image has them.
};

struct weft_instant { // From malloc. Spans point into what was read.
    struct weft_instant_entry *entries;
    uint32_t count;
};

// Checks all of it but the units' ties and own parts. 0, or -1 with `error` (W0406, W0203).
int weft_instant_read(struct weft_span bytes, struct weft_instant *instant,
                      struct weft_error *error);
void weft_instant_destroy(struct weft_instant *instant);

#endif // WEFT_NODE_INSTANT_H
