// tree.c: going down a tree, to one row or beside it, while others may write.
#include "runtime/table/tree.h"

#include <errno.h>

// ---- Which of two keys comes first: below 0, 0, above.

// Their first 8 bytes are equal. `bytes` are all of the other's; NULL if it has no more than 8.
static int compare_rest(const struct weft_key *key, uint32_t length, const uint8_t *bytes)
{
    const uint32_t shorter = key->length < length ? key->length : length;
    if (shorter > WEFT_KEY_SHORT && bytes != NULL) {
        const int order =
            memcmp(key->bytes + WEFT_KEY_SHORT, bytes + WEFT_KEY_SHORT, shorter - WEFT_KEY_SHORT);
        if (order != 0) return order;
    }
    return key->length < length ? -1 : key->length > length;
}

static int compare_prefix(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

// With key `i` of an inner node. False: the node has changed.
static bool compare_inner(const struct stood *stood, unsigned i, const struct weft_key *key,
                          int *order)
{
    const struct weft_inner *inner = inner_of(stood->node);
    const uint64_t more = peek64(&inner->more[i]);
    *order = compare_prefix(key->prefix, peek64(&inner->prefixes[i]));
    if (*order != 0) return true;
    if (more <= WEFT_KEY_SHORT) {
        *order = compare_rest(key, (uint32_t)more, NULL);
        return true;
    }
    if (!is_same(stood->at, stood->version)) return false; // Before the pointer is followed.
    const struct weft_row *row = (const struct weft_row *)(uintptr_t)more;
    *order = compare_rest(key, row->key_length, row->payload);
    return true;
}

// With row `i` of a leaf. False: the leaf has changed.
static bool compare_leaf(const struct stood *stood, unsigned i, const struct weft_key *key,
                         int *order)
{
    const struct weft_leaf *leaf = leaf_of(stood->node);
    const uint64_t b = peek64(&leaf->rows[i].b);
    const uint8_t kind = kind_in(leaf, stood->state, i);
    *order = compare_prefix(key->prefix, peek64(&leaf->rows[i].a));
    if (*order != 0) return true;
    if (kind != KIND_IN_BLOCK) {
        *order = compare_rest(key, kind & 15, NULL);
        return true;
    }
    if (!is_same(stood->at, stood->version)) return false; // Before the pointer is followed.
    const struct weft_row *row = (const struct weft_row *)(uintptr_t)b;
    *order = compare_rest(key, row->key_length, row->payload);
    return true;
}

// ---- How many keys of one node are before a key, or (or_equal) not behind it. If all have 8
// bytes: in as many steps as a full node takes, none of them a branch.

// One step: goes `half` places on if the last of them is before the key.
#define STEP(at, stride, half, before)                                                             \
    at += (before(peek64(at + ((half)-1) * (stride)), prefix)) ? (half) * (stride) : 0

#define IS_LESS(a, b)     ((a) < (b))
#define IS_NOT_MORE(a, b) ((a) <= (b))

#define INNER_STEPS(before)                                                                        \
    STEP(at, 1, 19, before);                                                                       \
    STEP(at, 1, 10, before);                                                                       \
    STEP(at, 1, 5, before);                                                                        \
    STEP(at, 1, 2, before);                                                                        \
    STEP(at, 1, 1, before);                                                                        \
    STEP(at, 1, 1, before)
_Static_assert(19 + 10 + 5 + 2 + 1 + 1 == INNER_KEYS, "each step leaves half of the rest");
_Static_assert(14 + 7 + 3 + 2 + 1 == LEAF_ROWS, "likewise");

// Places not in use hold the greatest number, so for that the answer may be too much.
always_inline size_t count_inner_fast(const struct weft_inner *inner, uint64_t prefix,
                                      bool or_equal)
{
    const _Atomic uint64_t *at = inner->prefixes;
    if (or_equal) {
        INNER_STEPS(IS_NOT_MORE);
    } else {
        INNER_STEPS(IS_LESS);
    }
    return (size_t)(at - inner->prefixes);
}

always_inline size_t count_leaf_fast(const struct weft_leaf *leaf, uint64_t prefix)
{
    const _Atomic uint64_t *at = &leaf->rows[0].a;
    STEP(at, 2, 14, IS_LESS);
    STEP(at, 2, 7, IS_LESS);
    STEP(at, 2, 3, IS_LESS);
    STEP(at, 2, 2, IS_LESS);
    STEP(at, 2, 1, IS_LESS);
    return (size_t)(at - &leaf->rows[0].a) / 2;
}

static inline unsigned at_most(size_t count, uint64_t state)
{
    return count < state_count(state) ? (unsigned)count : state_count(state);
}

static bool is_fast(uint64_t state, const struct weft_key *key)
{
    return (state & STATE_KEYS8) != 0 && key->length == WEFT_KEY_SHORT;
}

static int count_inner(const struct stood *stood, const struct weft_key *key, bool or_equal,
                       unsigned *count)
{
    if (is_fast(stood->state, key)) {
        *count =
            at_most(count_inner_fast(inner_of(stood->node), key->prefix, or_equal), stood->state);
        return 0;
    }
    unsigned low = 0, high = state_count(stood->state);
    while (low < high) {
        const unsigned middle = (low + high) / 2;
        int order;
        if (!compare_inner(stood, middle, key, &order)) return WEFT_TABLE_BUSY;
        if (order > 0 || (order == 0 && or_equal))
            low = middle + 1;
        else
            high = middle;
    }
    *count = low;
    return 0;
}

int weft_tree_position(const struct stood *stood, const struct weft_key *key, unsigned *position,
                       bool *is_there)
{
    const struct weft_leaf *leaf = leaf_of(stood->node);
    const unsigned count = state_count(stood->state);
    int order = -1;
    if (is_fast(stood->state, key)) {
        *position = at_most(count_leaf_fast(leaf, key->prefix), stood->state);
        *is_there = *position < count && peek64(&leaf->rows[*position].a) == key->prefix;
        return 0;
    }
    unsigned low = 0, high = count;
    while (low < high) {
        const unsigned middle = (low + high) / 2;
        if (!compare_leaf(stood, middle, key, &order)) return WEFT_TABLE_BUSY;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < count && !compare_leaf(stood, low, key, &order)) return WEFT_TABLE_BUSY;
    *position = low;
    *is_there = low < count && order == 0;
    return 0;
}

// ---- Going down.

bool weft_tree_stand(struct stood *stood, struct weft_node *node)
{
    stood->node = node;
    stood->at = &node->version;
    // Acquire: pairs with the release store in unclaim_node: what was written before is read.
    stood->version = atomic_load_explicit(&node->version, memory_order_acquire);
    stood->state = peek64(&node->state);
    return (stood->version & (NODE_CLAIMED | NODE_GONE)) == 0;
}

bool weft_tree_stand_root(const struct weft_tree *tree, struct stood *above, struct stood *root)
{
    above->node = NULL;
    above->at = (_Atomic uint64_t *)(uintptr_t)&tree->version;
    // Acquire, both: pair with the release store in unclaim_node and with that of set_root.
    above->version = atomic_load_explicit(&tree->version, memory_order_acquire);
    if ((above->version & NODE_CLAIMED) != 0) return false;
    struct weft_node *node = atomic_load_explicit(&tree->root, memory_order_acquire);
    return weft_tree_stand(root, node) && is_same(above->at, above->version);
}

static struct fence fence_at(const struct weft_inner *inner, unsigned i)
{
    return (struct fence){true, peek64(&inner->prefixes[i]), peek64(&inner->more[i])};
}

// Which lines of a node will be read is not known: all of them are fetched at once. They would push
// the inner nodes out of the near caches, if they were not fetched for one use.
always_inline void fetch_lines(const struct weft_node *node, size_t from, size_t to)
{
#pragma GCC unroll 16
    for (size_t at = from; at < to; at += 64) {
        if (from == 0)
            __builtin_prefetch((const char *)node + at, 0, 0);
        else
            __builtin_prefetch((const char *)node + at);
    }
}

static int choose(const struct stood *stood, const struct weft_key *key, enum towards towards,
                  unsigned *index)
{
    *index = state_count(stood->state);
    if (towards == TOWARDS_LAST) return 0;
    return count_inner(stood, key, towards == TOWARDS_KEY, index);
}

int weft_tree_step(struct stood *node, const struct weft_key *key, struct stood *above)
{
    *above = *node;
    const int result = choose(above, key, TOWARDS_KEY, &above->index);
    if (result != 0) return result;
    struct weft_node *child = child_at(inner_of(above->node), above->index);
    if (!is_same(above->at, above->version)) return WEFT_TABLE_BUSY; // What was read is true.
    return weft_tree_stand(node, child) && is_same(above->at, above->version) ? 0 : WEFT_TABLE_BUSY;
}

int weft_tree_descend(const struct weft_tree *tree, const struct weft_key *key,
                      enum towards towards, struct way *way)
{
    way->left.is_there = way->right.is_there = false;
    if (!weft_tree_stand_root(tree, &way->parent, &way->leaf)) return WEFT_TABLE_BUSY;
    while (state_level(way->leaf.state) > 0) {
        const struct stood here = way->leaf;
        const struct weft_inner *inner = inner_of(here.node);
        unsigned index;
        const int result = choose(&here, key, towards, &index);
        if (result != 0) return result;
        struct weft_node *child = child_at(inner, index);
        if (index > 0) way->left = fence_at(inner, index - 1);
        if (index < state_count(here.state)) way->right = fence_at(inner, index);
        if (!is_same(here.at, here.version)) return WEFT_TABLE_BUSY; // What was read is true.
        if (!weft_tree_stand(&way->leaf, child) || !is_same(here.at, here.version))
            return WEFT_TABLE_BUSY;
        way->parent = here;
        way->parent.index = index;
    }
    return 0;
}

// ---- One row.

bool weft_tree_seen(const struct stood *stood, unsigned position, struct weft_seen *seen)
{
    const struct weft_leaf *leaf = leaf_of(stood->node);
    const uint64_t a = peek64(&leaf->rows[position].a), b = peek64(&leaf->rows[position].b);
    const uint8_t kind = kind_in(leaf, stood->state, position);
    if (!is_same(stood->at, stood->version)) return false;
    if (kind == KIND_IN_BLOCK)
        weft_seen_load_row(seen, (struct weft_row *)(uintptr_t)b);
    else
        *seen = (struct weft_seen){
            .prefix = a, .value = b, .key_length = kind & 15, .value_length = kind >> 4};
    return true;
}

int weft_tree_find(const struct weft_rows *rows, const struct weft_key *key, struct weft_seen *seen)
{
    struct way way;
    unsigned position;
    bool is_there;
    int result = weft_tree_descend(weft_tree_of(rows), key, TOWARDS_KEY, &way);
    if (result == 0) result = weft_tree_position(&way.leaf, key, &position, &is_there);
    if (result != 0) return result;
    if (is_there) return weft_tree_seen(&way.leaf, position, seen) ? 0 : WEFT_TABLE_BUSY;
    return is_same(way.leaf.at, way.leaf.version) ? -ENOENT : WEFT_TABLE_BUSY;
}

// No version is like this that is claimed, or has gone, or has been and is not.
static inline uint64_t settled(uint64_t version)
{
    return version & ~(NODE_CLAIMED | NODE_GONE);
}

// As weft_tree_find, with an integer as a key and a value of 8 bytes, in as few steps as it takes.
// False: look thoroughly; it may be there, or not.
bool weft_tree_look_fast(const struct weft_rows *rows, uint64_t number, uint64_t *value)
{
    const struct weft_tree *tree = weft_tree_of(rows);
    // Orders and pairs as in weft_tree_stand_root and weft_tree_stand.
    const uint64_t above = atomic_load_explicit(&tree->version, memory_order_acquire);
    const struct weft_node *node = atomic_load_explicit(&tree->root, memory_order_acquire);
    uint64_t version = atomic_load_explicit(&node->version, memory_order_acquire);
    uint64_t state = peek64(&node->state);
    if (unlikely(!is_same(&tree->version, settled(above)))) return false;
    while (state_level(state) > 0) {
        const struct weft_inner *inner = inner_of(node);
        if (unlikely((state & STATE_KEYS8) == 0)) return false;
        // Whatever stands in a child's place is a node, of now or of some moments ago: it can be
        // looked at before it is known to be the right one.
        const struct weft_node *child = child_at(inner, count_inner_fast(inner, number, true));
        if (state_level(state) == 1)
            fetch_lines(child, 0, sizeof(struct weft_leaf));
        else
            fetch_lines(child, 16, sizeof(struct weft_inner) - sizeof(inner->more));
        const uint64_t child_version = atomic_load_explicit(&child->version, memory_order_acquire);
        const uint64_t child_state = peek64(&child->state);
        if (unlikely(!is_same(&node->version, settled(version)))) return false;
        node = child;
        version = child_version;
        state = child_state;
    }
    const struct weft_leaf *leaf = leaf_of(node);
    if (unlikely((state & STATE_PLAIN) == 0)) return false;
    const size_t position = count_leaf_fast(leaf, number);
    if (unlikely(position >= state_count(state))) return false;
    const uint64_t a = peek64(&leaf->rows[position].a);
    *value = peek64(&leaf->rows[position].b);
    return a == number && is_same(&node->version, settled(version));
}
