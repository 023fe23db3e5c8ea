#include "runtime/storage/gone_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/crc32c.h"

enum { SMALL = 1024 }; // Slots that are kept for the next names.

// Where `name` stands, or would. The capacity is not 0.
static char *slot_of(const struct weft_gone_names *names, const char *name)
{
    const uint32_t mask = names->capacity - 1;
    uint32_t at = weft_crc32c(0, name, strlen(name)) & mask;
    while (names->slots[at][0] != '\0' && strcmp(names->slots[at], name) != 0)
        at = (at + 1) & mask;
    return names->slots[at];
}

bool weft_gone_names_has(const struct weft_gone_names *names, const char *name)
{
    return names->count > 0 && name[0] != '\0' && slot_of(names, name)[0] != '\0';
}

static int grow(struct weft_gone_names *names)
{
    struct weft_gone_names larger = {.count = names->count,
                                     .capacity = names->capacity != 0 ? 2 * names->capacity : 64};
    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (larger.slots == NULL) return -ENOMEM;
    for (uint32_t at = 0; at < names->capacity; at++) {
        const char *name = names->slots[at];
        if (name[0] != '\0') memcpy(slot_of(&larger, name), name, sizeof(*larger.slots));
    }
    free(names->slots);
    *names = larger;
    return 0;
}

int weft_gone_names_add(struct weft_gone_names *names, const char *name)
{
    const int result = 2 * (names->count + 1) > names->capacity ? grow(names) : 0;
    if (result < 0) return result;
    char *slot = slot_of(names, name);
    if (slot[0] != '\0') return 0;
    snprintf(slot, sizeof(*names->slots), "%s", name);
    names->count++;
    return 0;
}

void weft_gone_names_clear(struct weft_gone_names *names)
{
    if (names->capacity > SMALL) weft_gone_names_destroy(names);
    if (names->count > 0) memset(names->slots, 0, names->capacity * sizeof(*names->slots));
    names->count = 0;
}

void weft_gone_names_destroy(struct weft_gone_names *names)
{
    free(names->slots);
    *names = (struct weft_gone_names){0};
}
