#include "runtime/mem/range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/assert.h"

// Reserves the pages now (no MAP_NORESERVE), so a pool too small refuses here and not by a SIGBUS
// later.
static bool map_huge(struct weft_range *range, int log2_bytes, enum weft_arena_backing backing)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (log2_bytes << MAP_HUGE_SHIFT);
    void *base = mmap(NULL, range->bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (base == MAP_FAILED) return false;
    range->base = base;
    range->backing = backing;
    return true;
}

// Maps 2 MiB more than wanted and gives the ragged ends back, so that the base is aligned.
static bool map_aligned(struct weft_range *range)
{
    const size_t slack = WEFT_HUGE_PAGE_BYTES;
    uint8_t *mapped = mmap(NULL, range->bytes + slack, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return false;
    const size_t head = weft_round_up((uintptr_t)mapped, slack) - (uintptr_t)mapped;
    if (head > 0) munmap(mapped, head);
    if (slack > head) munmap(mapped + head + range->bytes, slack - head);
    range->base = mapped + head;
    range->backing = WEFT_ARENA_SMALL_PAGES;
    return true;
}

static bool kernel_joins_pages(void)
{
    char text[64] = "";
    const int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    return got > 0 && strstr(text, "[never]") == NULL;
}

int weft_range_map(struct weft_range *range, size_t bytes)
{
    weft_assert(bytes > 0 && bytes % WEFT_HUGE_PAGE_BYTES == 0);
    range->bytes = bytes;
    if (bytes % WEFT_GIGANTIC_PAGE_BYTES == 0 && map_huge(range, 30, WEFT_ARENA_GIGANTIC)) return 0;
    if (map_huge(range, 21, WEFT_ARENA_HUGETLB)) return 0;
    if (!map_aligned(range)) return -ENOMEM;
    if (kernel_joins_pages() && madvise(range->base, bytes, MADV_HUGEPAGE) == 0)
        range->backing = WEFT_ARENA_TRANSPARENT;
    return 0;
}

void weft_range_unmap(struct weft_range *range)
{
    munmap(range->base, range->bytes);
    range->base = NULL;
}
