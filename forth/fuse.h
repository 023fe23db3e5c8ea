// fuse.h: operations that do the work of two that follow each other. Internal to forth/.
//
// A fused operation is the two, one behind the other: its operands are those of the first, then
// those of the second, and its stack effect is theirs. So the compiler makes it, SEE takes it apart
// and the verifier treats it by what is in this table; inner_fused.inc only has to be fast.
#ifndef WEFT_FORTH_FUSE_H
#define WEFT_FORTH_FUSE_H

#include <stdint.h>

struct weft_fusion {
    uint16_t op, first, second; // enum weft_op; either part may be fused itself.
};

extern const struct weft_fusion weft_fusions[];
extern const uint32_t weft_fusion_count;

// The parts of a fused operation; NULL if `op` is none.
const struct weft_fusion *weft_fusion_of(unsigned op);
// The operation that is `first` and then `second`; WEFT_OP_COUNT if there is none.
unsigned weft_fused(unsigned first, unsigned second);

#endif // WEFT_FORTH_FUSE_H
