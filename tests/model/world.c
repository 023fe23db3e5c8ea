// world.c: the memory of world.h. Not instrumented: it does what malloc does for real, and what one
// thread gives back only that thread gets again.
#include "tests/model/world.h"

#include <stdint.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "tests/model/explore.h"

#define WORLD_BYTES (64 * WEFT_MIB)
#define SIZES       256 // Blocks given back are used again where another of that size is wanted.
#define SIZE_STEP   64

struct header {
    size_t bytes;
    struct header *next;
};

static _Alignas(4096) char block[WORLD_BYTES];
static size_t used;
static struct header *given_back[EXPLORE_THREADS][SIZES];

static struct header **pile_of(size_t size)
{
    const unsigned thread = explore_is_running() ? explore_thread() : 0;
    return &given_back[thread][size / SIZE_STEP];
}

void world_begin(void)
{
    used = 0;
    memset(given_back, 0, sizeof(given_back));
}

static void *take(size_t alignment, size_t bytes)
{
    const size_t size = weft_round_up(bytes + 1, SIZE_STEP);
    struct header **pile = size / SIZE_STEP < SIZES ? pile_of(size) : NULL;
    if (alignment <= SIZE_STEP && pile != NULL && *pile != NULL) {
        struct header *header = *pile;
        *pile = header->next;
        return (char *)header + SIZE_STEP;
    }
    const size_t start =
        weft_round_up(used + SIZE_STEP, alignment < SIZE_STEP ? SIZE_STEP : alignment);
    weft_assert(start + size <= WORLD_BYTES);
    used = start + size;
    struct header *header = (struct header *)(void *)(block + start - SIZE_STEP);
    header->bytes = size;
    return block + start;
}

void *world_malloc(size_t bytes)
{
    return take(SIZE_STEP, bytes);
}

void *world_calloc(size_t count, size_t bytes)
{
    return memset(take(SIZE_STEP, count * bytes), 0, count * bytes);
}

void *world_aligned_alloc(size_t alignment, size_t bytes)
{
    return take(alignment, bytes);
}

void world_free(void *given)
{
    if (given == NULL) return;
    struct header *header = (struct header *)(void *)((char *)given - SIZE_STEP);
    if (header->bytes / SIZE_STEP >= SIZES) return;
    struct header **pile = pile_of(header->bytes);
    header->next = *pile;
    *pile = header;
}

void *world_mmap(size_t bytes)
{
    return take(4096, bytes);
}

int world_leave(const void *address, size_t bytes)
{
    (void)address, (void)bytes;
    return 0;
}
