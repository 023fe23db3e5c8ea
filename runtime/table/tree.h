// tree.h: a B+tree whose readers lock nothing (optimistic lock coupling: Leis, Scheibner, Kemper
// and Neumann 2016).
//
// Rows stand in leaves, up to 27 of them; inner nodes have up to 38 keys that say which child is
// right: child i has the keys from key i-1 on and below key i. Every node has a version. A reader
// notes a node's version, chooses a child, notes the child's version, and looks whether the node's
// is the same still: then the child was the right one when its version was noted. A writer claims
// the leaf that it changes, or, to split and to merge, the nodes that this concerns: parent first.
// It waits for none: if another core has one of them, it begins again.
//
// Nodes are message blocks, and go to limbo when they have left the tree. A tree of integers is
// searched without a branch: a leaf or inner node says whether all of its keys have 8 bytes, and
// places that are not in use hold the greatest number.
#ifndef WEFT_TABLE_TREE_H
#define WEFT_TABLE_TREE_H

#include "runtime/table/internal.h"

#define LEAF_ROWS  27
#define INNER_KEYS 38

// The version of a node, and of the root's place.
#define NODE_CLAIMED UINT64_C(1) // A core is writing.
#define NODE_GONE    UINT64_C(2) // It has left the tree.
#define NODE_VERSION UINT64_C(4) // One more.

// The state of a node: how many rows or keys it has, its level (0: a leaf), and
#define STATE_KEYS8 (UINT64_C(1) << 16) // all of its keys have 8 bytes,
#define STATE_PLAIN (UINT64_C(1) << 17) // and its values, too, all of them here (leaves).

#define KIND_IN_BLOCK 0xff // Else: the key's length, and the value's times 16.
#define KIND_PLAIN    0x88

// Begins as a block (struct weft_message), like a row.
#define NODE_HEADER                                                                                \
    void *link[2]; /* In limbo. */                                                                 \
    _Atomic uint64_t version;                                                                      \
    _Atomic uint64_t state;                                                                        \
    uint64_t unused;                                                                               \
    uint64_t block /* The block's own: tag, home, type, length. */

struct weft_node {
    NODE_HEADER;
};

struct weft_leaf {
    NODE_HEADER;
    struct {
        _Atomic uint64_t a; // The first 8 bytes of the key, as a number (key.h).
        _Atomic uint64_t b; // The value; or the row, in a block.
    } rows[LEAF_ROWS];
    _Atomic uint8_t kinds[LEAF_ROWS]; // Unless the leaf is plain.
};
_Static_assert(offsetof(struct weft_leaf, block) == offsetof(struct weft_message, tag) &&
                   offsetof(struct weft_leaf, rows) == offsetof(struct weft_message, payload) &&
                   sizeof(struct weft_leaf) == 512,
               "a leaf is one of the largest blocks that slabs have");

// A key in an inner node: `more` is its length up to 8; else a row that has the key, and no value.
// Children's places behind the last child have it as well.
struct weft_inner {
    NODE_HEADER;
    _Atomic(struct weft_node *) children[INNER_KEYS + 1];
    _Atomic uint64_t prefixes[INNER_KEYS];
    _Atomic uint64_t more[INNER_KEYS];
};
_Static_assert(sizeof(struct weft_inner) == 968, "1 KiB, with the header of a large block");

struct weft_tree {
    struct weft_rows rows;
    _Atomic uint64_t version; // Of the next one.
    _Atomic(struct weft_node *) root;
};

static inline struct weft_tree *weft_tree_of(const struct weft_rows *rows)
{
    return (struct weft_tree *)(uintptr_t)rows;
}

static inline struct weft_leaf *leaf_of(const struct weft_node *node)
{
    return (struct weft_leaf *)(uintptr_t)node;
}

static inline struct weft_inner *inner_of(const struct weft_node *node)
{
    return (struct weft_inner *)(uintptr_t)node;
}

static inline unsigned state_count(uint64_t state)
{
    return state & 0xff;
}

static inline unsigned state_level(uint64_t state)
{
    return state >> 8 & 0xff;
}

static inline uint64_t with_count(uint64_t state, unsigned count)
{
    return (state & ~UINT64_C(0xff)) | count;
}

// Relaxed, both: what orders them is the node's version.
static inline uint64_t peek64(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static inline void poke64(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static inline struct weft_node *child_at(const struct weft_inner *inner, unsigned index)
{
    return atomic_load_explicit(&inner->children[index], memory_order_relaxed);
}

static inline void set_child(struct weft_inner *inner, unsigned index, struct weft_node *child)
{
    atomic_store_explicit(&inner->children[index], child, memory_order_relaxed);
}

// ---- Versions.

static inline bool is_same(const _Atomic uint64_t *at, uint64_t version)
{
    weft_acquire_fence(); // The reads before it come before this one.
    return peek64(at) == version;
}

static inline bool claim_node(_Atomic uint64_t *at, uint64_t version, bool is_shared)
{
    if (!is_shared) {
        poke64(at, version | NODE_CLAIMED);
    } else if (!atomic_compare_exchange_strong_explicit(at, &version, version | NODE_CLAIMED,
                                                        memory_order_acquire,
                                                        memory_order_relaxed)) {
        return false;
    }
    // Between the claim and the writes: pairs with the acquire fence of who reads them.
    weft_release_fence();
    return true;
}

// Ends a claim: with NODE_VERSION something was written; 0: nothing; | NODE_GONE: it has gone.
static inline void unclaim_node(_Atomic uint64_t *at, uint64_t version, uint64_t change)
{
    // Release: pairs with the acquire load in weft_tree_stand.
    atomic_store_explicit(at, version + change, memory_order_release);
}

// ---- Going down (tree.c).

enum towards {
    TOWARDS_KEY,    // The leaf that has the key, or would.
    TOWARDS_BEFORE, // The leaf with what is before the key.
    TOWARDS_LAST
};

struct fence { // A key in an inner node.
    bool is_there;
    uint64_t prefix, more;
};

struct stood {              // A node as it was when its version was read.
    struct weft_node *node; // NULL: the tree itself, the place of the root.
    _Atomic uint64_t *at;   // Its version,
    uint64_t version;       // as it was.
    uint64_t state;
    unsigned index; // The child that was chosen.
};

struct way {
    struct stood leaf, parent;
    struct fence left, right; // All rows there are from `left` on, below `right`.
};

// Notes a node, or the root and the place where it stands. False: a core writes there, or it has
// gone.
bool weft_tree_stand(struct stood *stood, struct weft_node *node);
bool weft_tree_stand_root(const struct weft_tree *tree, struct stood *above, struct stood *root);
// From a node to its child towards `key`: *node becomes *above. 0, or WEFT_TABLE_BUSY.
int weft_tree_step(struct stood *node, const struct weft_key *key, struct stood *above);
// All the way. 0, or WEFT_TABLE_BUSY.
int weft_tree_descend(const struct weft_tree *tree, const struct weft_key *key,
                      enum towards towards, struct way *way);
// How many rows of the leaf are before the key; *is_there: the next one has it. 0,
// WEFT_TABLE_BUSY.
int weft_tree_position(const struct stood *leaf, const struct weft_key *key, unsigned *position,
                       bool *is_there);
// The row at `position`. False: the leaf has changed.
bool weft_tree_seen(const struct stood *leaf, unsigned position, struct weft_seen *seen);

static inline struct weft_key fence_key(const struct fence *fence)
{
    if (fence->more <= WEFT_KEY_SHORT)
        return (struct weft_key){.prefix = fence->prefix, .length = (uint32_t)fence->more};
    const struct weft_row *row = (const struct weft_row *)(uintptr_t)fence->more;
    return (struct weft_key){
        .prefix = fence->prefix, .bytes = row->payload, .length = row->key_length};
}

static inline uint8_t kind_in(const struct weft_leaf *leaf, uint64_t state, unsigned position)
{
    if ((state & STATE_PLAIN) != 0) return KIND_PLAIN;
    return atomic_load_explicit(&leaf->kinds[position], memory_order_relaxed);
}

#endif // WEFT_TABLE_TREE_H
