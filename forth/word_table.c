#include "forth/word_table.h"

// The bucket that bucket `n`, not the first, has been split from: `n` without its highest bit.
static uint32_t parent(uint32_t n)
{
    return n ^ UINT32_C(1) << (31 - __builtin_clz(n));
}

uint32_t weft_word_table_grow(struct weft_word *words, uint32_t count)
{
    uint16_t *to = &words[count].bucket;
    uint32_t steps = 0;
    *to = 0;
    if (count == 0) return 0;
    for (uint16_t *from = &words[parent(count)].bucket; *from != 0; steps++) {
        struct weft_word *word = &words[*from - 1];
        if (weft_word_bucket(count + 1, word->hash) != count) {
            from = &word->link;
            continue;
        }
        *to = *from;
        *from = word->link;
        word->link = 0;
        to = &word->link;
    }
    return steps;
}

uint32_t weft_word_table_shrink(struct weft_word *words, uint32_t count)
{
    const uint32_t last = count - 1;
    // Newer than all others, it can only be the first of its chain.
    uint16_t *head = &words[weft_word_bucket(count, words[last].hash)].bucket;
    if (*head == count) *head = words[last].link;
    if (last == 0) return 1;

    uint32_t steps = 1;
    uint16_t *to = &words[parent(last)].bucket;
    for (uint32_t from = words[last].bucket; from != 0; steps++) {
        struct weft_word *word = &words[from - 1];
        const uint32_t next = word->link;
        while (*to > from)
            to = &words[*to - 1].link, steps++;
        word->link = *to;
        *to = (uint16_t)from;
        to = &word->link;
        from = next;
    }
    return steps;
}

void weft_word_table_link(struct weft_word *words, uint32_t count, uint32_t n)
{
    uint16_t *at = &words[weft_word_bucket(count, words[n].hash)].bucket;
    while (*at > n + 1)
        at = &words[*at - 1].link;
    words[n].link = *at;
    *at = (uint16_t)(n + 1);
}

void weft_word_table_build(struct weft_word *words, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++)
        words[n].bucket = words[n].link = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (words[n].flags & WEFT_WORD_VISIBLE) weft_word_table_link(words, count, n);
    }
}
