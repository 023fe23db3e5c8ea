#include "forth/fuse.h"

#include "forth/ops.h"

// Chosen by counting what eight programs (bench/forth) spend their time on.
const struct weft_fusion weft_fusions[] = {
    {WEFT_OP_lit_add, WEFT_OP_lit16, WEFT_OP_add},
    {WEFT_OP_qdup_zbranch, WEFT_OP_qdup, WEFT_OP_zbranch},
    {WEFT_OP_less_zbranch, WEFT_OP_less, WEFT_OP_zbranch},
    {WEFT_OP_greater_zbranch, WEFT_OP_greater, WEFT_OP_zbranch},
    {WEFT_OP_equal_zbranch, WEFT_OP_equal, WEFT_OP_zbranch},
    {WEFT_OP_not_equal_zbranch, WEFT_OP_not_equal, WEFT_OP_zbranch},
    {WEFT_OP_zero_equal_zbranch, WEFT_OP_zero_equal, WEFT_OP_zbranch},
    {WEFT_OP_dup_zbranch, WEFT_OP_dup, WEFT_OP_zbranch},
    {WEFT_OP_lit_less, WEFT_OP_lit16, WEFT_OP_less},
    {WEFT_OP_lit_greater, WEFT_OP_lit16, WEFT_OP_greater},
    {WEFT_OP_lit_equal, WEFT_OP_lit16, WEFT_OP_equal},
    {WEFT_OP_lit_not_equal, WEFT_OP_lit16, WEFT_OP_not_equal},
    {WEFT_OP_lit_less_zbranch, WEFT_OP_lit_less, WEFT_OP_zbranch},
    {WEFT_OP_lit_greater_zbranch, WEFT_OP_lit_greater, WEFT_OP_zbranch},
    {WEFT_OP_lit_equal_zbranch, WEFT_OP_lit_equal, WEFT_OP_zbranch},
    {WEFT_OP_lit_not_equal_zbranch, WEFT_OP_lit_not_equal, WEFT_OP_zbranch},
    {WEFT_OP_dup_lit_less_zbranch, WEFT_OP_dup, WEFT_OP_lit_less_zbranch},
    {WEFT_OP_dup_lit_greater_zbranch, WEFT_OP_dup, WEFT_OP_lit_greater_zbranch},
    {WEFT_OP_dup_lit_equal_zbranch, WEFT_OP_dup, WEFT_OP_lit_equal_zbranch},
    {WEFT_OP_dup_lit_not_equal_zbranch, WEFT_OP_dup, WEFT_OP_lit_not_equal_zbranch},
    {WEFT_OP_two_dup_less_zbranch, WEFT_OP_two_dup, WEFT_OP_less_zbranch},
    {WEFT_OP_lit32_fetch, WEFT_OP_lit32, WEFT_OP_fetch},
    {WEFT_OP_lit32_store, WEFT_OP_lit32, WEFT_OP_store},
    {WEFT_OP_lit32_add, WEFT_OP_lit32, WEFT_OP_add},
    {WEFT_OP_lit32_fetch_add, WEFT_OP_lit32_fetch, WEFT_OP_add},
    {WEFT_OP_lit32_add_c_store, WEFT_OP_lit32_add, WEFT_OP_c_store},
    {WEFT_OP_over_add, WEFT_OP_over, WEFT_OP_add},
    {WEFT_OP_over_or, WEFT_OP_over, WEFT_OP_or},
    {WEFT_OP_over_fetch, WEFT_OP_over, WEFT_OP_fetch},
    {WEFT_OP_over_c_fetch, WEFT_OP_over, WEFT_OP_c_fetch},
    {WEFT_OP_i_add, WEFT_OP_i, WEFT_OP_add},
    {WEFT_OP_i_add_c_fetch, WEFT_OP_i_add, WEFT_OP_c_fetch},
    {WEFT_OP_i_cells, WEFT_OP_i, WEFT_OP_cells},
    {WEFT_OP_i_cells_add, WEFT_OP_i_cells, WEFT_OP_add},
    {WEFT_OP_i_fetch, WEFT_OP_i, WEFT_OP_fetch},
    {WEFT_OP_i_c_fetch, WEFT_OP_i, WEFT_OP_c_fetch},
    {WEFT_OP_i_two_fetch, WEFT_OP_i, WEFT_OP_two_fetch},
    {WEFT_OP_i_two_store, WEFT_OP_i, WEFT_OP_two_store},
    {WEFT_OP_dup_mul, WEFT_OP_dup, WEFT_OP_mul},
    {WEFT_OP_mul_add, WEFT_OP_mul, WEFT_OP_add},
    {WEFT_OP_lit_pick, WEFT_OP_lit16, WEFT_OP_pick},
    {WEFT_OP_lit_pick_fetch, WEFT_OP_lit_pick, WEFT_OP_fetch},
    {WEFT_OP_lit_rshift, WEFT_OP_lit16, WEFT_OP_rshift},
    {WEFT_OP_rot_lit_add, WEFT_OP_rot, WEFT_OP_lit_add},
    {WEFT_OP_swap_one_add, WEFT_OP_swap, WEFT_OP_one_add},
    {WEFT_OP_swap_one_add_swap, WEFT_OP_swap_one_add, WEFT_OP_swap},
    {WEFT_OP_lit_plus_loop, WEFT_OP_lit16, WEFT_OP_plus_loop},
    {WEFT_OP_dup_one_sub, WEFT_OP_dup, WEFT_OP_one_sub},
    {WEFT_OP_swap_lit_add, WEFT_OP_swap, WEFT_OP_lit_add},
};

const uint32_t weft_fusion_count = sizeof(weft_fusions) / sizeof(weft_fusions[0]);

const struct weft_fusion *weft_fusion_of(unsigned op)
{
    for (uint32_t n = 0; n < weft_fusion_count; n++) {
        if (weft_fusions[n].op == op) return &weft_fusions[n];
    }
    return NULL;
}

unsigned weft_fused(unsigned first, unsigned second)
{
    for (uint32_t n = 0; n < weft_fusion_count; n++) {
        if (weft_fusions[n].first == first && weft_fusions[n].second == second)
            return weft_fusions[n].op;
    }
    return WEFT_OP_COUNT;
}
