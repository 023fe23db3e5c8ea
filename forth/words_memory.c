// words_memory.c: ALLOCATE, FREE and what of RESIZE needs no copying, within the unit's own block.
//
// Sizes come in classes, four to each power of two, so at most a quarter of a block is idle. Each
// class has a list of freed blocks; allocating takes the first of it, or new memory at the end, in
// constant time. Freed blocks are not joined; but the last block falls back to the end, and a heap
// without blocks gives its memory back. The program can write over everything but the heads of the
// lists, so whatever is read from a block is checked: a damaged heap hands out memory twice, no
// more.
#include "forth/inner.h"
#include "forth/ops.h"

enum { CLASSES = 100, UNIT_BYTES = 8 };

// Before each block, in the heap.
struct block_header {
    uint32_t kind; // LIVE or FREED, and its class.
    uint32_t next; // Of a freed block: where the next one is, 0 if it is the last.
};

struct heap {
    uint32_t freed[CLASSES]; // Offset of the newest freed block's header; 0: none.
};

#define LIVE      0x4c495600u
#define FREED     0x46524500u
#define BYTES_MAX (UINT64_C(1) << 30)

static uint64_t class_bytes(unsigned class)
{
    return (uint64_t)(4 + class % 4) << class / 4 << 3;
}

static unsigned class_for(uint64_t bytes)
{
    unsigned class = 0;
    while (class_bytes(class) < bytes)
        class ++; // At most a hundred steps.
    return class;
}

static struct heap *heap_of(const struct weft_unit *unit)
{
    return weft_segment_base(unit->block, WEFT_SEGMENT_HEAP);
}

static uint32_t *heap_used(const struct weft_unit *unit)
{
    return &unit->block->segment[WEFT_SEGMENT_HEAP].used;
}

// The header at `offset` if it says `kind` of a class that fits there; its class in *class.
static struct block_header *header_at(const struct weft_unit *unit, uint64_t offset, uint32_t kind,
                                      unsigned *class)
{
    const uint32_t used = *heap_used(unit);
    if (offset < sizeof(struct heap) || offset % UNIT_BYTES != 0 ||
        offset + sizeof(struct block_header) > used)
        return NULL;
    struct block_header *header =
        (struct block_header *)((uint8_t *)heap_of(unit) + (uint32_t)offset);
    *class = header->kind & 0xff;
    if ((header->kind & ~0xffu) != kind || *class >= CLASSES ||
        offset + sizeof(*header) + class_bytes(*class) > used)
        return NULL;
    return header;
}

// The live block whose data begin at `address`.
static struct block_header *live_at(const struct weft_unit *unit, weft_cell address,
                                    uint32_t *offset, unsigned *class)
{
    const uint64_t at = (uint64_t)address - WEFT_ADDRESS_HEAP - sizeof(struct block_header);
    *offset = (uint32_t)at;
    return at > BYTES_MAX ? NULL : header_at(unit, at, LIVE, class);
}

// A block from the end of the heap: where its header is, or 0 without memory.
static uint32_t take_new(struct weft_unit *unit, unsigned class)
{
    uint32_t used = *heap_used(unit);
    if (used < sizeof(struct heap)) used = sizeof(struct heap);
    const uint64_t end = used + sizeof(struct block_header) + class_bytes(class);
    if (end > BYTES_MAX || weft_segment_grow(unit, WEFT_SEGMENT_HEAP, end) != 0) return 0;
    if (*heap_used(unit) < sizeof(struct heap)) memset(heap_of(unit), 0, sizeof(struct heap));
    *heap_used(unit) = (uint32_t)end;
    return used;
}

static uint32_t take_freed(struct weft_unit *unit, unsigned class)
{
    if (*heap_used(unit) < sizeof(struct heap)) return 0;
    const uint32_t offset = heap_of(unit)->freed[class];
    unsigned found;
    const struct block_header *header = header_at(unit, offset, FREED, &found);
    const bool sound = offset != 0 && header != NULL && found == class;
    heap_of(unit)->freed[class] = sound ? header->next : 0; // A damaged list is forgotten.
    return sound ? offset : 0;
}

// ALLOCATE ( u -- a-addr ior )
int32_t weft_op_allocate(struct weft_unit *unit)
{
    const uint64_t bytes = (uint64_t)*weft_top(unit->block);
    uint32_t offset = 0;
    if (bytes <= BYTES_MAX) {
        const unsigned class = class_for(bytes);
        offset = take_freed(unit, class);
        if (offset == 0) offset = take_new(unit, class);
        if (offset != 0) {
            struct block_header *header =
                (struct block_header *)((uint8_t *)heap_of(unit) + offset);
            *header = (struct block_header){.kind = LIVE | class};
        }
    }
    *weft_top(unit->block) =
        offset == 0 ? 0 : (weft_cell)(WEFT_ADDRESS_HEAP + offset + sizeof(struct block_header));
    weft_push(unit->block, offset == 0 ? -59 : 0);
    return WEFT_NEXT;
}

// FREE ( a-addr -- ior )
int32_t weft_op_free(struct weft_unit *unit)
{
    uint32_t offset;
    unsigned class;
    struct block_header *header = live_at(unit, *weft_top(unit->block), &offset, &class);
    *weft_top(unit->block) = header == NULL ? -60 : 0;
    if (header == NULL) return WEFT_NEXT;
    if (offset + sizeof(*header) + class_bytes(class) != *heap_used(unit)) {
        *header = (struct block_header){.kind = FREED | class, .next = heap_of(unit)->freed[class]};
        heap_of(unit)->freed[class] = offset;
        return WEFT_NEXT;
    }
    *heap_used(unit) = offset;
    if (offset > sizeof(struct heap)) return WEFT_NEXT;
    *heap_used(unit) = 0;
    weft_segment_shrink(unit, WEFT_SEGMENT_HEAP, 0);
    return WEFT_NEXT;
}

// (RESIZE) ( a-addr u -- n ): 0 if the block is now that large, an ior, or 1 + the bytes that
// RESIZE has to move to a new one.
int32_t weft_op_resize_in_place(struct weft_unit *unit)
{
    const uint64_t bytes = (uint64_t)weft_pop(unit->block);
    uint32_t offset;
    unsigned class;
    const struct block_header *header = live_at(unit, *weft_top(unit->block), &offset, &class);
    weft_cell *answer = weft_top(unit->block);
    *answer = -61;
    if (header == NULL || bytes > BYTES_MAX) return WEFT_NEXT;
    const unsigned wanted = class_for(bytes);
    const bool last = offset + sizeof(*header) + class_bytes(class) == *heap_used(unit);
    if (wanted != class && !last) {
        *answer = 1 + (weft_cell)(bytes < class_bytes(class) ? bytes : class_bytes(class));
        return WEFT_NEXT;
    }
    const uint64_t end = offset + sizeof(*header) + class_bytes(wanted);
    if (end > BYTES_MAX || weft_segment_grow(unit, WEFT_SEGMENT_HEAP, end) != 0) return WEFT_NEXT;
    *heap_used(unit) = (uint32_t)end;
    struct block_header *grown = (struct block_header *)((uint8_t *)heap_of(unit) + offset);
    *grown = (struct block_header){.kind = LIVE | wanted};
    *weft_top(unit->block) = 0;
    return WEFT_NEXT;
}
