// words_memory.c: ALLOCATE, FREE and what of RESIZE needs no copying, within the unit's own block.
//
// Blocks lie one behind the other, each with its size and that of the one before it, so a freed
// block is joined with freed neighbours at once; the last one falls back to the end, and a heap
// without blocks gives its memory back. Freed blocks hang in lists by size, four to each power of
// two; allocating takes one of a list whose blocks all suffice, or new memory at the end, and frees
// what it does not need. All in constant time. The program can write over everything, so whatever
// is read is checked: a damaged heap gives memory out twice, or never again, no more.
#include "forth/inner.h"
#include "forth/ops.h"

enum { CLASSES = 100, UNIT_BYTES = 8, SMALLEST_BYTES = 40 };

// Before each block's data; and behind the last block, with no size.
struct block_header {
    uint32_t size;   // Bytes with this header, a multiple of 8, and its kind.
    uint32_t before; // Bytes of the block before it; 0: it is the first.
};

struct freed_block {
    struct block_header header;
    uint32_t next, last; // Offsets of the neighbours in its list; 0: none.
};

struct heap {
    uint32_t freed[CLASSES]; // Offset of the newest freed block; 0: none.
};

#define LIVE       0x80000005u
#define FREED      0x40000002u
#define KIND       0xc0000007u
#define BYTES_MAX  (UINT64_C(1) << 30)
#define HEAD_BYTES ((uint32_t)sizeof(struct heap))
#define END_BYTES  ((uint32_t)sizeof(struct block_header))

static uint64_t class_bytes(unsigned class)
{
    return (uint64_t)(4 + class % 4) << class / 4 << 3;
}

// The first class whose blocks all have so many bytes.
static unsigned class_for(uint64_t bytes)
{
    unsigned class = 0;
    while (class_bytes(class) < bytes)
        class ++; // At most a hundred steps.
    return class;
}

// The last class that a freed block suffices for.
static unsigned class_of(uint32_t size)
{
    const unsigned class = class_for(size);
    return class > 0 && class_bytes(class) > size ? class - 1 : class;
}

static struct heap *heap_of(const struct weft_unit *unit)
{
    return weft_segment_base(unit->block, WEFT_SEGMENT_HEAP);
}

static uint32_t *heap_used(const struct weft_unit *unit)
{
    return &unit->block->segment[WEFT_SEGMENT_HEAP].used;
}

static struct freed_block *at_offset(const struct weft_unit *unit, uint32_t offset)
{
    return (struct freed_block *)((uint8_t *)heap_of(unit) + offset);
}

static uint32_t size_at(const struct weft_unit *unit, uint32_t offset)
{
    return at_offset(unit, offset)->header.size & ~KIND;
}

// Whether a whole block of that kind is at `offset`, as far as can be told.
static bool is_block(const struct weft_unit *unit, uint64_t offset, uint32_t kind)
{
    const uint32_t used = *heap_used(unit);
    if (offset < HEAD_BYTES || offset > used || offset % UNIT_BYTES != 0 ||
        used - offset < SMALLEST_BYTES + END_BYTES)
        return false;
    const struct block_header *header = &at_offset(unit, (uint32_t)offset)->header;
    const uint32_t size = header->size & ~KIND;
    return (header->size & KIND) == kind && size >= SMALLEST_BYTES &&
           size <= used - END_BYTES - offset &&
           at_offset(unit, (uint32_t)offset + size)->header.before == size;
}

// What lies behind it learns of its size.
static void put_block(struct weft_unit *unit, uint32_t offset, uint32_t size, uint32_t before,
                      uint32_t kind)
{
    at_offset(unit, offset)->header = (struct block_header){.size = size | kind, .before = before};
    at_offset(unit, offset + size)->header.before = size;
}

static void list_add(struct weft_unit *unit, uint32_t offset)
{
    uint32_t *head = &heap_of(unit)->freed[class_of(size_at(unit, offset))];
    if (!is_block(unit, *head, FREED)) *head = 0; // A damaged list is forgotten.
    if (*head != 0) at_offset(unit, *head)->last = offset;
    at_offset(unit, offset)->next = *head;
    at_offset(unit, offset)->last = 0;
    *head = offset;
}

// Takes a freed block out of its list. False, and nothing has happened, if that is damaged.
static bool list_remove(struct weft_unit *unit, uint32_t offset)
{
    const uint32_t next = at_offset(unit, offset)->next, last = at_offset(unit, offset)->last;
    uint32_t *head = &heap_of(unit)->freed[class_of(size_at(unit, offset))];
    if (next != 0 && (!is_block(unit, next, FREED) || at_offset(unit, next)->last != offset))
        return false;
    if (last == 0 && *head != offset) return false;
    if (last != 0 && (!is_block(unit, last, FREED) || at_offset(unit, last)->next != offset))
        return false;
    if (next != 0) at_offset(unit, next)->last = last;
    *(last != 0 ? &at_offset(unit, last)->next : head) = next;
    return true;
}

// A live block, and what is free beside it, become free; at the end, they are the end.
static void give_back(struct weft_unit *unit, uint32_t offset)
{
    uint32_t size = size_at(unit, offset);
    if (is_block(unit, offset + size, FREED) && list_remove(unit, offset + size))
        size += size_at(unit, offset + size);
    const uint32_t before = at_offset(unit, offset)->header.before;
    if (before != 0 && before <= offset && is_block(unit, offset - before, FREED) &&
        size_at(unit, offset - before) == before && list_remove(unit, offset - before)) {
        offset -= before;
        size += before;
    }
    if (offset + size + END_BYTES < *heap_used(unit)) {
        put_block(unit, offset, size, at_offset(unit, offset)->header.before, FREED);
        list_add(unit, offset);
        return;
    }
    at_offset(unit, offset)->header.size = 0;
    *heap_used(unit) = offset + END_BYTES;
    if (offset > HEAD_BYTES) return;
    *heap_used(unit) = 0;
    weft_segment_shrink(unit, WEFT_SEGMENT_HEAP, 0);
}

// Makes a live block of that size, and frees the rest, if that makes a block.
static void cut(struct weft_unit *unit, uint32_t offset, uint32_t whole, uint32_t size)
{
    const uint32_t before = at_offset(unit, offset)->header.before;
    const bool leaves = whole - size >= SMALLEST_BYTES;
    put_block(unit, offset, leaves ? size : whole, before, LIVE);
    if (!leaves) return;
    put_block(unit, offset + size, whole - size, size, LIVE);
    give_back(unit, offset + size);
}

// Where the end of the heap would be with `size` more bytes at `offset`. False: no room.
static bool extend(struct weft_unit *unit, uint32_t offset, uint32_t size)
{
    const uint64_t end = (uint64_t)offset + size + END_BYTES;
    if (end > BYTES_MAX || weft_segment_grow(unit, WEFT_SEGMENT_HEAP, end) != 0) return false;
    if (*heap_used(unit) == 0) memset(heap_of(unit), 0, HEAD_BYTES + END_BYTES);
    *heap_used(unit) = (uint32_t)end;
    at_offset(unit, offset + size)->header.size = 0;
    return true;
}

// A block from the end of the heap: its offset, or 0 without memory.
static uint32_t take_new(struct weft_unit *unit, uint32_t size)
{
    const uint32_t used = *heap_used(unit);
    const uint32_t offset = used < HEAD_BYTES + END_BYTES ? HEAD_BYTES : used - END_BYTES;
    if (used % UNIT_BYTES != 0 || (used != 0 && used < HEAD_BYTES + END_BYTES))
        return 0; // Only an image can say so.
    if (!extend(unit, offset, size)) return 0;
    put_block(unit, offset, size, at_offset(unit, offset)->header.before, LIVE);
    return offset;
}

static uint32_t take_freed(struct weft_unit *unit, uint32_t size)
{
    if (*heap_used(unit) < HEAD_BYTES + END_BYTES) return 0;
    for (unsigned class = class_for(size); class < CLASSES; class ++) {
        const uint32_t offset = heap_of(unit)->freed[class];
        if (offset == 0) continue;
        if (!is_block(unit, offset, FREED) || size_at(unit, offset) < size ||
            class_of(size_at(unit, offset)) != class || !list_remove(unit, offset)) {
            heap_of(unit)->freed[class] = 0;
            continue;
        }
        cut(unit, offset, size_at(unit, offset), size);
        return offset;
    }
    return 0;
}

// Of a block for so many bytes of data: one of the sizes that classes have, so that it fits again.
static uint32_t size_for(uint64_t bytes)
{
    const uint64_t least = bytes + sizeof(struct block_header);
    return (uint32_t)class_bytes(class_for(least < SMALLEST_BYTES ? SMALLEST_BYTES : least));
}

// The offset of the live block whose data begin at `address`; 0: there is none.
static uint32_t live_at(const struct weft_unit *unit, weft_cell address)
{
    const uint64_t offset = (uint64_t)address - WEFT_ADDRESS_HEAP - sizeof(struct block_header);
    return is_block(unit, offset, LIVE) ? (uint32_t)offset : 0;
}

// ALLOCATE ( u -- a-addr ior )
int32_t weft_op_allocate(struct weft_unit *unit)
{
    const uint64_t bytes = (uint64_t)*weft_top(unit->block);
    uint32_t offset = 0;
    if (bytes <= BYTES_MAX / 2) {
        offset = take_freed(unit, size_for(bytes));
        if (offset == 0) offset = take_new(unit, size_for(bytes));
    }
    *weft_top(unit->block) =
        offset == 0 ? 0 : (weft_cell)(WEFT_ADDRESS_HEAP + offset + sizeof(struct block_header));
    weft_push(unit->block, offset == 0 ? -59 : 0);
    return WEFT_NEXT;
}

// FREE ( a-addr -- ior )
int32_t weft_op_free(struct weft_unit *unit)
{
    const uint32_t offset = live_at(unit, *weft_top(unit->block));
    *weft_top(unit->block) = offset == 0 ? -60 : 0;
    if (offset != 0) give_back(unit, offset);
    return WEFT_NEXT;
}

// (RESIZE) ( a-addr u -- n ): 0 if the block is now that large, an ior, or 1 + the bytes that
// RESIZE has to move to a new one.
int32_t weft_op_resize_in_place(struct weft_unit *unit)
{
    const uint64_t bytes = (uint64_t)weft_pop(unit->block);
    const uint32_t offset = live_at(unit, *weft_top(unit->block));
    weft_cell *answer = weft_top(unit->block);
    *answer = -61;
    if (offset == 0 || bytes > BYTES_MAX / 2) return WEFT_NEXT;
    const uint32_t size = size_for(bytes), own = size_at(unit, offset);
    uint32_t whole = own;
    if (own < size && is_block(unit, offset + own, FREED) &&
        size_at(unit, offset + own) >= size - own && list_remove(unit, offset + own))
        whole += size_at(unit, offset + own);
    if (whole < size && offset + own + END_BYTES == *heap_used(unit)) {
        if (!extend(unit, offset, size)) return WEFT_NEXT;
        whole = size;
    }
    *weft_top(unit->block) = 0;
    if (whole >= size)
        cut(unit, offset, whole, size);
    else
        *answer = 1 + (weft_cell)(own - sizeof(struct block_header));
    return WEFT_NEXT;
}
