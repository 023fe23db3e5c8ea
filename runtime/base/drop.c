#include "runtime/base/drop.h"

#include "runtime/base/assert.h"

static const struct weft_drop_info table[] = {
#define WEFT_DROP_INFO(name, stage, reason, text) {stage, reason, text},
    WEFT_DROP_TABLE(WEFT_DROP_INFO)
#undef WEFT_DROP_INFO
};

const struct weft_drop_info *weft_drop_info(enum weft_drop drop)
{
    weft_assert((unsigned)drop < WEFT_DROP_COUNT);
    return &table[drop];
}
