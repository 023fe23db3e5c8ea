#include "runtime/mem/arena.h"

const char *weft_arena_backing_name(enum weft_arena_backing backing)
{
    switch (backing) {
    case WEFT_ARENA_GIGANTIC: return "huge pages of 1 GiB";
    case WEFT_ARENA_HUGETLB: return "huge pages";
    case WEFT_ARENA_TRANSPARENT: return "transparent huge pages";
    case WEFT_ARENA_SMALL_PAGES: return "small pages";
    }
    return "?";
}
