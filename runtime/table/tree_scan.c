// tree_scan.c: rows of a tree in their order: a few at a time, or the next one before or behind.
//
// Leaves have no links to each other: who goes beyond one goes down again, towards the key in an
// inner node that parts it from the next.
#include <errno.h>

#include "runtime/table/tree.h"

static const struct weft_key nothing; // Before every key: it has no bytes.

// The rows of the leaf from `position` on, as many as are wanted.
static bool take_rows(const struct stood *leaf, unsigned position, struct weft_scanned *scanned)
{
    const unsigned count = state_count(leaf->state);
    scanned->count = 0;
    for (; position < count && scanned->count < WEFT_SCAN_ROWS; position++) {
        if (!weft_tree_seen(leaf, position, &scanned->rows[scanned->count].seen)) return false;
        scanned->count++;
    }
    scanned->is_end = position == count;
    return true;
}

int weft_tree_scan(const struct weft_rows *rows, const struct weft_key *key, bool is_at,
                   struct weft_scanned *scanned)
{
    struct weft_key from = key != NULL ? *key : nothing;
    for (;;) {
        struct way way;
        unsigned position;
        bool is_there;
        int result = weft_tree_descend(weft_tree_of(rows), &from, TOWARDS_KEY, &way);
        if (result == 0) result = weft_tree_position(&way.leaf, &from, &position, &is_there);
        if (result != 0) return result;
        if (is_there && !is_at) position++;
        if (!take_rows(&way.leaf, position, scanned)) return WEFT_TABLE_BUSY;
        if (!is_same(way.leaf.at, way.leaf.version)) return WEFT_TABLE_BUSY;
        scanned->is_part = false;
        scanned->is_end = scanned->is_end && !way.right.is_there;
        if (scanned->count > 0 || !way.right.is_there) return 0;
        from = fence_key(&way.right);
        is_at = true;
    }
}

int weft_tree_after(const struct weft_rows *rows, const struct weft_key *key,
                    struct weft_seen *seen)
{
    struct weft_scanned scanned;
    const int result = weft_tree_scan(rows, key, key == NULL, &scanned);
    if (result != 0) return result;
    if (scanned.count == 0) return -ENOENT;
    *seen = scanned.rows[0].seen;
    return 0;
}

int weft_tree_before(const struct weft_rows *rows, const struct weft_key *key,
                     struct weft_seen *seen)
{
    struct weft_key from = key != NULL ? *key : nothing;
    enum towards towards = key != NULL ? TOWARDS_BEFORE : TOWARDS_LAST;
    for (;;) {
        struct way way;
        unsigned position;
        bool is_there;
        int result = weft_tree_descend(weft_tree_of(rows), &from, towards, &way);
        if (result != 0) return result;
        position = state_count(way.leaf.state);
        if (towards == TOWARDS_BEFORE)
            result = weft_tree_position(&way.leaf, &from, &position, &is_there);
        if (result != 0) return result;
        if (position > 0)
            return weft_tree_seen(&way.leaf, position - 1, seen) ? 0 : WEFT_TABLE_BUSY;
        if (!is_same(way.leaf.at, way.leaf.version)) return WEFT_TABLE_BUSY;
        if (!way.left.is_there) return -ENOENT;
        from = fence_key(&way.left);
        towards = TOWARDS_BEFORE;
    }
}
