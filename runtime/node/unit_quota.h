// unit_quota.h: how much of what a unit may have: the names of quotas, and their limits.
//
// A quota of 0 has not been set: the node's own applies (units.* of the configuration). What has
// been set for one unit stands in its resident, and travels in its image.
//
// Core: pure.
#ifndef WEFT_NODE_UNIT_QUOTA_H
#define WEFT_NODE_UNIT_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

enum weft_unit_quota_kind {
    WEFT_QUOTA_MEMORY,     // Bytes of all that it is.
    WEFT_QUOTA_STACK,      // Cells of each of its stacks, and words within words.
    WEFT_QUOTA_REDUCTIONS, // Per second, with the units that it has spawned; 0 of both: no limit.
    WEFT_QUOTA_MAILBOX,    // Messages.
    WEFT_QUOTA_CHANNELS,   // Open.
    WEFT_QUOTA_SPAWNED,    // Units, not joined yet.
    WEFT_QUOTA_FILES,      // Open.
    WEFT_QUOTA_COUNT
};

struct weft_unit_quota {
    uint32_t value[WEFT_QUOTA_COUNT];
};

struct weft_unit_quota_info {
    const char *name; // "spawned"
    const char *key;  // "units.spawned_max"
    uint32_t min, max;
};

extern const struct weft_unit_quota_info weft_unit_quota_info[WEFT_QUOTA_COUNT];

struct weft_node_options;

// "spawned=3,memory=64KiB" into *quota; what it does not name stays. 0, or -1 with `error`.
int weft_unit_quota_parse(const char *text, struct weft_unit_quota *quota,
                          struct weft_error *error);
// What the node gives where nothing is set.
uint32_t weft_unit_quota_usual(const struct weft_node_options *options,
                               enum weft_unit_quota_kind kind);
// `quota` with what is not set as the node has it.
struct weft_unit_quota weft_unit_quota_whole(const struct weft_node_options *options,
                                             const struct weft_unit_quota *quota);

// `quota`, which somebody else's file says, lowered to what the node gives. True if anything was
// more; then *text, of `size` bytes, says what, for people.
bool weft_unit_quota_lower(const struct weft_node_options *options, struct weft_unit_quota *quota,
                           char *text, size_t size);

#define WEFT_UNIT_QUOTA_BYTES (4 * WEFT_QUOTA_COUNT) // In an image.
void weft_unit_quota_put(const struct weft_unit_quota *quota, uint8_t *to);
// 0; -EBADMSG: a value that none can be set to.
int weft_unit_quota_get(const uint8_t *from, struct weft_unit_quota *quota);

#endif // WEFT_NODE_UNIT_QUOTA_H
