// tree_write.c: what changes a tree: rows come and go in leaves, nodes are split and merged.
//
// Claims are taken from above: the node (or the tree itself) that has the other as a child, then
// that. All that may fail (memory, another core) comes before the first of them, or gives them back
// with nothing changed.
#include <errno.h>

#include "runtime/table/tree.h"

#define LEAF_FEW     (LEAF_ROWS / 4)     // Below, a leaf looks for another to merge with,
#define LEAF_MERGED  (LEAF_ROWS * 3 / 4) // if both have no more than so many.
#define INNER_FEW    (INNER_KEYS / 4)    // Likewise.
#define INNER_MERGED (INNER_KEYS * 3 / 4)
#define SHRINK_STEPS 3 // Merges after one delete, at most.

// ---- Nodes.

static struct weft_node *make_node(struct weft_op *op, size_t bytes, uint64_t state)
{
    struct weft_message *block = weft_table_op_alloc(op, bytes - sizeof(struct weft_message));
    if (block == NULL) return NULL;
    struct weft_node *node = (struct weft_node *)(void *)block;
    atomic_init(&node->version, 0);
    atomic_init(&node->state, state);
    return node;
}

static struct weft_node *make_leaf(struct weft_op *op, uint64_t state)
{
    struct weft_node *node = make_node(op, sizeof(struct weft_leaf), state);
    for (unsigned i = 0; node != NULL && i < LEAF_ROWS; i++)
        atomic_init(&leaf_of(node)->rows[i].a, UINT64_MAX);
    return node;
}

static struct weft_node *make_inner(struct weft_op *op, uint64_t state)
{
    struct weft_node *node = make_node(op, sizeof(struct weft_inner), state);
    for (unsigned i = 0; node != NULL && i < INNER_KEYS; i++)
        atomic_init(&inner_of(node)->prefixes[i], UINT64_MAX);
    return node;
}

static struct weft_message *block_of(struct weft_node *node)
{
    return (struct weft_message *)(void *)node;
}

static void discard_node(struct weft_op *op, struct weft_node *node)
{
    if (node != NULL) weft_table_op_discard(op, block_of(node));
}

int weft_tree_begin(struct weft_op *op)
{
    struct weft_tree *tree = weft_tree_of(op->rows);
    struct weft_node *root = make_leaf(op, STATE_KEYS8 | STATE_PLAIN);
    if (root == NULL) return op->error;
    atomic_init(&tree->version, 0);
    atomic_init(&tree->root, root);
    return 0;
}

static bool claim(const struct weft_op *op, const struct stood *stood)
{
    return claim_node(stood->at, stood->version, op->rows->is_shared);
}

static void unclaim(const struct stood *stood)
{
    unclaim_node(stood->at, stood->version, NODE_VERSION);
}

static void set_kind(struct weft_leaf *leaf, unsigned position, uint8_t kind)
{
    atomic_store_explicit(&leaf->kinds[position], kind, memory_order_relaxed);
}

static void copy_row(struct weft_leaf *to, unsigned at, const struct weft_leaf *from, unsigned i)
{
    poke64(&to->rows[at].a, peek64(&from->rows[i].a));
    poke64(&to->rows[at].b, peek64(&from->rows[i].b));
}

static void clear_rows(struct weft_leaf *leaf, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        poke64(&leaf->rows[i].a, UINT64_MAX);
}

// ---- Rows in a leaf that is claimed.

struct entry { // A row, as a leaf has it.
    uint64_t a, b;
    uint8_t kind;
    bool has_key8;
};

static struct entry entry_of(const struct weft_key *key, const struct weft_cell *cell)
{
    const bool has_key8 = key->length == WEFT_KEY_SHORT;
    if (cell->row != NULL)
        return (struct entry){key->prefix, (uintptr_t)cell->row, KIND_IN_BLOCK, has_key8};
    return (struct entry){key->prefix, cell->value,
                          (uint8_t)(key->length | (uint32_t)cell->value_length << 4), has_key8};
}

// The kinds of a leaf that was plain are written out: it is not, from now on.
static uint64_t write_kinds(struct weft_leaf *leaf, uint64_t state)
{
    if ((state & STATE_PLAIN) == 0) return state;
    for (unsigned i = 0; i < state_count(state); i++)
        set_kind(leaf, i, KIND_PLAIN);
    return state & ~STATE_PLAIN;
}

static uint64_t store_entry(struct weft_leaf *leaf, uint64_t state, unsigned position,
                            const struct entry *entry)
{
    if (entry->kind != KIND_PLAIN) state = write_kinds(leaf, state);
    if (!entry->has_key8) state &= ~STATE_KEYS8;
    poke64(&leaf->rows[position].a, entry->a);
    poke64(&leaf->rows[position].b, entry->b);
    if ((state & STATE_PLAIN) == 0) set_kind(leaf, position, entry->kind);
    return state;
}

static void insert_entry(struct weft_leaf *leaf, uint64_t state, unsigned position,
                         const struct entry *entry)
{
    const unsigned count = state_count(state);
    for (unsigned i = count; i > position; i--) {
        copy_row(leaf, i, leaf, i - 1);
        if ((state & STATE_PLAIN) == 0) set_kind(leaf, i, kind_in(leaf, state, i - 1));
    }
    // The kinds of a plain leaf are written for the rows before, and those that have moved.
    state = with_count(state, count + 1);
    poke64(&leaf->state, store_entry(leaf, state, position, entry));
}

static void remove_entry(struct weft_leaf *leaf, uint64_t state, unsigned position)
{
    const unsigned count = state_count(state);
    for (unsigned i = position; i + 1 < count; i++) {
        copy_row(leaf, i, leaf, i + 1);
        if ((state & STATE_PLAIN) == 0) set_kind(leaf, i, kind_in(leaf, state, i + 1));
    }
    clear_rows(leaf, count - 1, count);
    poke64(&leaf->state, with_count(state, count - 1));
}

static void retire_row(struct weft_op *op, struct weft_row *row)
{
    if (row != NULL) weft_table_op_retire(op, weft_row_block(row));
}

// ---- Splitting.

// The tree or an inner node, one of its children that is full, and what the child is split into.
struct split {
    struct stood above, node;
    unsigned keeps;           // Of the child: rows, or keys.
    struct weft_node *right;  // The new one, for the others.
    struct weft_node *root;   // The new one, if the child was the root.
    struct fence parting;     // The key between them.
    struct weft_row *key_row; // That of `parting`, if it was made for it.
};

static void discard_split(struct weft_op *op, struct split *split)
{
    discard_node(op, split->right);
    discard_node(op, split->root);
    if (split->key_row != NULL) weft_table_op_discard(op, weft_row_block(split->key_row));
}

// The key from which on rows of a leaf go over. 0, WEFT_TABLE_BUSY, or a negative errno.
static int part_leaf(struct weft_op *op, struct split *split)
{
    struct weft_seen seen;
    if (!weft_tree_seen(&split->node, split->keeps, &seen)) return WEFT_TABLE_BUSY;
    const uint32_t length = seen.row != NULL ? seen.row->key_length : seen.key_length;
    split->parting = (struct fence){true, seen.prefix, length};
    if (length <= WEFT_KEY_SHORT) return 0;
    const struct weft_key key = {
        .prefix = seen.prefix, .bytes = seen.row->payload, .length = length};
    struct weft_cell cell;
    const int result = weft_cell_make(op, &key, NULL, 0, &cell);
    split->key_row = cell.row;
    split->parting.more = (uintptr_t)cell.row;
    return result;
}

// Takes all that a split needs. 0, WEFT_TABLE_BUSY, or a negative errno: discard_split.
static int prepare(struct weft_op *op, struct split *split)
{
    const uint64_t state = split->node.state;
    const unsigned level = state_level(state);
    if (level == 0) {
        const int result = part_leaf(op, split);
        if (result != 0) return result;
        split->right = make_leaf(op, with_count(state, LEAF_ROWS - split->keeps));
    } else {
        const struct weft_inner *inner = inner_of(split->node.node);
        split->parting = (struct fence){true, peek64(&inner->prefixes[split->keeps]),
                                        peek64(&inner->more[split->keeps])};
        split->right = make_inner(op, with_count(state, INNER_KEYS - split->keeps - 1));
    }
    if (split->right == NULL) return op->error;
    if (split->above.node != NULL) return 0;
    split->root = make_inner(op, STATE_KEYS8 | (level + 1) << 8);
    return split->root != NULL ? 0 : op->error;
}

static void move_rows(struct weft_leaf *left, uint64_t state, unsigned keeps,
                      struct weft_leaf *right)
{
    for (unsigned i = keeps; i < LEAF_ROWS; i++) {
        copy_row(right, i - keeps, left, i);
        if ((state & STATE_PLAIN) == 0) set_kind(right, i - keeps, kind_in(left, state, i));
    }
    clear_rows(left, keeps, LEAF_ROWS);
    poke64(&left->state, with_count(state, keeps));
}

static void set_inner_key(struct weft_inner *inner, unsigned at, uint64_t prefix, uint64_t more)
{
    poke64(&inner->prefixes[at], prefix);
    poke64(&inner->more[at], more);
}

static void copy_inner_key(struct weft_inner *to, unsigned at, const struct weft_inner *from,
                           unsigned i)
{
    set_inner_key(to, at, peek64(&from->prefixes[i]), peek64(&from->more[i]));
}

static void clear_inner_keys(struct weft_inner *inner, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        poke64(&inner->prefixes[i], UINT64_MAX);
}

// Sets the state, with so many keys; the rest of the places has the last child, too.
static void set_count(struct weft_inner *inner, uint64_t state, unsigned count)
{
    struct weft_node *last = child_at(inner, count);
    for (unsigned i = count + 1; i <= INNER_KEYS; i++)
        set_child(inner, i, last);
    poke64(&inner->state, with_count(state, count));
}

// Key number `keeps` goes up.
static void move_children(struct weft_inner *left, uint64_t state, unsigned keeps,
                          struct weft_inner *right)
{
    const unsigned over = INNER_KEYS - keeps - 1;
    for (unsigned i = 0; i < over; i++)
        copy_inner_key(right, i, left, keeps + 1 + i);
    for (unsigned i = 0; i <= over; i++)
        set_child(right, i, child_at(left, keeps + 1 + i));
    clear_inner_keys(left, keeps, INNER_KEYS);
    set_count(left, state, keeps);
    set_count(right, state, over);
}

// Puts `right` behind child `index`, and the key between them. The node is claimed, or new.
static void insert_child(struct weft_inner *inner, uint64_t state, unsigned index,
                         const struct fence *parting, struct weft_node *right)
{
    const unsigned count = state_count(state);
    for (unsigned i = count; i > index; i--) {
        copy_inner_key(inner, i, inner, i - 1);
        set_child(inner, i + 1, child_at(inner, i));
    }
    set_inner_key(inner, index, parting->prefix, parting->more);
    set_child(inner, index + 1, right);
    if (parting->more != WEFT_KEY_SHORT) state &= ~STATE_KEYS8;
    set_count(inner, state, count + 1);
}

static void set_root(struct weft_tree *tree, struct weft_node *root)
{
    // Release: pairs with the acquire load in weft_tree_stand_root.
    atomic_store_explicit(&tree->root, root, memory_order_release);
}

// All that it needs is there.
static int do_split(struct weft_op *op, struct split *split)
{
    struct stood *above = &split->above, *node = &split->node;
    if (!claim(op, above)) return WEFT_TABLE_BUSY;
    if (!claim(op, node)) {
        unclaim_node(above->at, above->version, 0);
        return WEFT_TABLE_BUSY;
    }
    if (state_level(node->state) == 0)
        move_rows(leaf_of(node->node), node->state, split->keeps, leaf_of(split->right));
    else
        move_children(inner_of(node->node), node->state, split->keeps, inner_of(split->right));
    if (above->node != NULL) {
        insert_child(inner_of(above->node), above->state, above->index, &split->parting,
                     split->right);
    } else {
        struct weft_inner *root = inner_of(split->root);
        set_child(root, 0, node->node);
        insert_child(root, peek64(&root->state), 0, &split->parting, split->right);
        set_root(weft_tree_of(op->rows), split->root);
    }
    unclaim(node);
    unclaim(above);
    return 0;
}

static bool is_full(uint64_t state)
{
    return state_count(state) == (state_level(state) == 0 ? LEAF_ROWS : INNER_KEYS);
}

// The nodes on the way to a key, one after the other.
struct walk {
    struct stood above, node;
    bool is_last; // No key of an inner node is behind.
};

// 0, WEFT_TABLE_BUSY.
static int walk_begin(struct walk *walk, const struct weft_tree *tree)
{
    walk->is_last = true;
    return weft_tree_stand_root(tree, &walk->above, &walk->node) ? 0 : WEFT_TABLE_BUSY;
}

static int walk_down(struct walk *walk, const struct weft_key *key)
{
    const int result = weft_tree_step(&walk->node, key, &walk->above);
    if (walk->above.index < state_count(walk->above.state)) walk->is_last = false;
    return result;
}

// Splits the first node that is full on the way to `key`. 0, WEFT_TABLE_BUSY, or a negative errno.
static int make_room(struct weft_op *op, const struct weft_key *key, unsigned position)
{
    struct walk walk;
    int result = walk_begin(&walk, weft_tree_of(op->rows));
    while (result == 0 && !is_full(walk.node.state) && state_level(walk.node.state) > 0)
        result = walk_down(&walk, key);
    if (result != 0 || !is_full(walk.node.state)) return result;
    struct split split = {.above = walk.above, .node = walk.node};
    // Keys that come in order fill one leaf after the other.
    if (state_level(walk.node.state) > 0)
        split.keeps = walk.is_last ? INNER_KEYS - 2 : INNER_KEYS / 2;
    else
        split.keeps = walk.is_last && position == LEAF_ROWS ? LEAF_ROWS - 1 : LEAF_ROWS / 2;
    result = prepare(op, &split);
    if (result == 0) result = do_split(op, &split);
    if (result != 0) discard_split(op, &split);
    return result;
}

// ---- One row.

static int insert(struct weft_op *op, const struct stood *leaf, unsigned position,
                  const struct entry *entry)
{
    if (!claim(op, leaf)) return WEFT_TABLE_BUSY;
    insert_entry(leaf_of(leaf->node), leaf->state, position, entry);
    unclaim(leaf);
    weft_table_op_count(op, 1);
    return 0;
}

static int replace(struct weft_op *op, const struct stood *leaf, unsigned position,
                   const struct entry *entry, const struct weft_seen *seen)
{
    if (!claim(op, leaf)) return WEFT_TABLE_BUSY;
    poke64(&leaf_of(leaf->node)->state,
           store_entry(leaf_of(leaf->node), leaf->state, position, entry));
    unclaim(leaf);
    retire_row(op, seen->row);
    return 0;
}

struct place { // Of a key: where it is, or would be.
    struct way way;
    unsigned position;
    bool is_there;
    struct weft_seen seen;
};

static int find_place(const struct weft_op *op, const struct weft_key *key, struct place *place)
{
    struct stood *leaf = &place->way.leaf;
    int result = weft_tree_descend(weft_tree_of(op->rows), key, TOWARDS_KEY, &place->way);
    if (result == 0) result = weft_tree_position(leaf, key, &place->position, &place->is_there);
    if (result != 0) return result;
    if (place->is_there)
        return weft_tree_seen(leaf, place->position, &place->seen) ? 0 : WEFT_TABLE_BUSY;
    return is_same(leaf->at, leaf->version) ? 0 : WEFT_TABLE_BUSY;
}

int weft_tree_put(struct weft_op *op, const struct weft_key *key, const struct weft_cell *cell,
                  enum weft_put how, const struct weft_which *which)
{
    const struct entry entry = entry_of(key, cell);
    for (;;) {
        struct place place;
        int result = find_place(op, key, &place);
        if (result != 0) return result;
        if (place.is_there) {
            if (how == WEFT_PUT_NEW) return -EEXIST;
            if (which != NULL && !weft_which_fits(which, &place.seen)) return -ENOENT;
            return replace(op, &place.way.leaf, place.position, &entry, &place.seen);
        }
        if (how == WEFT_PUT_SAME) return -ENOENT;
        if (!is_full(place.way.leaf.state))
            return insert(op, &place.way.leaf, place.position, &entry);
        result = make_room(op, key, place.position);
        if (result != 0) return result;
    }
}

int weft_tree_add(struct weft_op *op, const struct weft_key *key, int64_t add, int64_t *value)
{
    struct place place;
    const int result = find_place(op, key, &place);
    if (result != 0) return result;
    if (!place.is_there) return -ENOENT;
    if (weft_seen_value_length(&place.seen) != sizeof(*value)) return -EINVAL;
    const struct stood *leaf = &place.way.leaf;
    if (!claim(op, leaf)) return WEFT_TABLE_BUSY;
    _Atomic uint64_t *word = place.seen.row != NULL ? weft_row_word(place.seen.row)
                                                    : &leaf_of(leaf->node)->rows[place.position].b;
    const uint64_t sum = peek64(word) + (uint64_t)add;
    poke64(word, sum);
    unclaim(leaf);
    *value = (int64_t)sum;
    return 0;
}

// ---- Merging.

static bool fits_merged(uint64_t left, uint64_t right)
{
    const unsigned sum = state_count(left) + state_count(right);
    return state_level(left) == 0 ? sum <= LEAF_MERGED : sum + 1 <= INNER_MERGED;
}

static void merge_leaves(struct weft_leaf *left, uint64_t state, const struct weft_leaf *right,
                         uint64_t other)
{
    const unsigned here = state_count(state), more = state_count(other);
    if ((other & STATE_PLAIN) == 0) state = write_kinds(left, state);
    for (unsigned i = 0; i < more; i++) {
        copy_row(left, here + i, right, i);
        if ((state & STATE_PLAIN) == 0) set_kind(left, here + i, kind_in(right, other, i));
    }
    if ((other & STATE_KEYS8) == 0) state &= ~STATE_KEYS8;
    poke64(&left->state, with_count(state, here + more));
}

static void merge_inners(struct weft_inner *left, uint64_t state, const struct fence *parting,
                         const struct weft_inner *right, uint64_t other)
{
    const unsigned here = state_count(state), more = state_count(other);
    set_inner_key(left, here, parting->prefix, parting->more);
    for (unsigned i = 0; i < more; i++)
        copy_inner_key(left, here + 1 + i, right, i);
    for (unsigned i = 0; i <= more; i++)
        set_child(left, here + 1 + i, child_at(right, i));
    if ((other & STATE_KEYS8) == 0 || parting->more != WEFT_KEY_SHORT) state &= ~STATE_KEYS8;
    set_count(left, state, here + 1 + more);
}

// Takes child `index` + 1 out, and the key before it.
static void remove_child(struct weft_inner *inner, uint64_t state, unsigned index)
{
    const unsigned count = state_count(state);
    for (unsigned i = index; i + 1 < count; i++) {
        copy_inner_key(inner, i, inner, i + 1);
        set_child(inner, i + 1, child_at(inner, i + 2));
    }
    clear_inner_keys(inner, count - 1, count);
    set_count(inner, state, count - 1);
}

static void do_merge(struct weft_op *op, const struct stood *above, const struct stood *left,
                     const struct stood *right)
{
    struct weft_inner *inner = inner_of(above->node);
    const struct fence parting = {true, peek64(&inner->prefixes[above->index]),
                                  peek64(&inner->more[above->index])};
    if (state_level(left->state) > 0) {
        merge_inners(inner_of(left->node), left->state, &parting, inner_of(right->node),
                     right->state);
    } else {
        merge_leaves(leaf_of(left->node), left->state, leaf_of(right->node), right->state);
        if (parting.more > WEFT_KEY_SHORT)
            retire_row(op, (struct weft_row *)(uintptr_t)parting.more);
    }
    remove_child(inner, above->state, above->index);
    weft_table_op_retire(op, block_of(right->node));
}

// Merges child `above->index` and the next one. False: not now, or never.
static bool merge(struct weft_op *op, struct stood *above)
{
    const struct weft_inner *inner = inner_of(above->node);
    struct weft_node *const nodes[2] = {child_at(inner, above->index),
                                        child_at(inner, above->index + 1)};
    struct stood left, right;
    if (!is_same(above->at, above->version)) return false;
    if (!weft_tree_stand(&left, nodes[0]) || !weft_tree_stand(&right, nodes[1])) return false;
    if (!is_same(above->at, above->version) || !fits_merged(left.state, right.state) ||
        !claim(op, above))
        return false;
    bool done = false;
    if (claim(op, &left)) {
        done = claim(op, &right);
        if (done) {
            do_merge(op, above, &left, &right);
            unclaim_node(right.at, right.version, NODE_VERSION | NODE_GONE);
        }
        unclaim_node(left.at, left.version, done ? NODE_VERSION : 0);
    }
    unclaim_node(above->at, above->version, done ? NODE_VERSION : 0);
    return done;
}

static bool is_small(uint64_t state)
{
    return state_count(state) < (state_level(state) == 0 ? LEAF_FEW : INNER_FEW);
}

// A root with one child gives way to it.
static bool lower_root(struct weft_op *op, const struct stood *tree, const struct stood *root)
{
    if (!claim(op, tree)) return false;
    const bool done = claim(op, root);
    if (done) {
        set_root(weft_tree_of(op->rows), child_at(inner_of(root->node), 0));
        weft_table_op_retire(op, block_of(root->node));
        unclaim_node(root->at, root->version, NODE_VERSION | NODE_GONE);
    }
    unclaim_node(tree->at, tree->version, done ? NODE_VERSION : 0);
    return done;
}

// Merges the first node on the way to `key` that is small with one beside it. False: none.
static bool shrink_once(struct weft_op *op, const struct weft_key *key)
{
    struct walk walk;
    if (walk_begin(&walk, weft_tree_of(op->rows)) != 0) return false;
    if (state_level(walk.node.state) > 0 && state_count(walk.node.state) == 0)
        return lower_root(op, &walk.above, &walk.node);
    while (state_level(walk.node.state) > 0) {
        if (walk_down(&walk, key) != 0) return false;
        if (!is_small(walk.node.state) || state_count(walk.above.state) == 0) continue;
        struct stood above = walk.above;
        if (above.index == state_count(above.state)) above.index--;
        if (merge(op, &above)) return true;
    }
    return false;
}

static void shrink(struct weft_op *op, const struct weft_key *key)
{
    for (unsigned step = 0; step < SHRINK_STEPS && shrink_once(op, key); step++)
        continue;
}

int weft_tree_remove(struct weft_op *op, const struct weft_key *key, const struct weft_which *which,
                     struct weft_seen *removed)
{
    struct place place;
    const int result = find_place(op, key, &place);
    if (result != 0) return result;
    if (!place.is_there || (which != NULL && !weft_which_fits(which, &place.seen))) return -ENOENT;
    const struct stood *leaf = &place.way.leaf;
    if (!claim(op, leaf)) return WEFT_TABLE_BUSY;
    remove_entry(leaf_of(leaf->node), leaf->state, place.position);
    unclaim(leaf);
    weft_table_op_count(op, -1);
    if (removed != NULL) *removed = place.seen;
    const bool is_few = state_count(leaf->state) - 1 < LEAF_FEW;
    if (is_few && place.way.parent.node != NULL) shrink(op, key);
    retire_row(op, place.seen.row);
    return 0;
}

// ---- The end.

static void leave_for_later(struct weft_rows *rows, struct weft_node *node)
{
    node->link[0] = rows->left;
    rows->left = block_of(node);
}

static void free_row(struct weft_table_core *core, uint64_t row)
{
    weft_limbo_free(core, weft_row_block((struct weft_row *)(uintptr_t)row));
}

static void reap_node(struct weft_table_core *core, struct weft_rows *rows, struct weft_node *node)
{
    const uint64_t state = peek64(&node->state);
    const unsigned count = state_count(state);
    if (state_level(state) == 0) {
        const struct weft_leaf *leaf = leaf_of(node);
        for (unsigned i = 0; i < count; i++) {
            if (kind_in(leaf, state, i) == KIND_IN_BLOCK) free_row(core, peek64(&leaf->rows[i].b));
        }
    } else {
        const struct weft_inner *inner = inner_of(node);
        for (unsigned i = 0; i <= count; i++)
            leave_for_later(rows, child_at(inner, i));
        for (unsigned i = 0; i < count; i++) {
            if (peek64(&inner->more[i]) > WEFT_KEY_SHORT) free_row(core, peek64(&inner->more[i]));
        }
    }
    weft_limbo_free(core, block_of(node));
}

bool weft_tree_reap(struct weft_table_core *core, struct weft_rows *rows, uint32_t limit)
{
    if (rows->reaped++ == 0)
        leave_for_later(rows,
                        atomic_load_explicit(&weft_tree_of(rows)->root, memory_order_relaxed));
    for (; limit > 0 && rows->left != NULL; limit--) {
        struct weft_node *node = (struct weft_node *)(void *)rows->left;
        rows->left = node->link[0];
        reap_node(core, rows, node);
    }
    return rows->left == NULL;
}
