// module.h: words of units, frozen: one copy for all units of a core that have the same. Internal
// to forth/.
//
//     own words of a unit --freeze--> module on the shelf (found, or put there) --+--> unit
//            ^                                                                   +--> its children
//            +------------------------------thaw---------------------------------+    and others
//
// A module never changes once it is on the shelf, and goes when the last that has it lets go
// (docs/decisions/0013). Its content, which images and seeds carry, is position-independent: four
// 32-bit numbers (words, tokens, bytes of names, 0), then words, code and names, each padded to 8.
//
// Core:   a shelf belongs to its system module and that to one core; nothing here locks.
// Memory: of modules, through the system module's struct weft_forth_memory.
#ifndef WEFT_FORTH_MODULE_H
#define WEFT_FORTH_MODULE_H

#include "forth/state.h"

struct weft_shelf {
    struct weft_word_module *first; // The newest.
    uint64_t serial;                // Of the newest ever.
};

struct weft_word_module_head { // Of the content; little-endian, as all of it.
    uint32_t word_count, code_length, name_bytes, spare;
};
_Static_assert(sizeof(struct weft_word_module_head) == 16, "part of the image");

// One user more, and one less; NULL is allowed. The last one's end frees it.
struct weft_word_module *weft_word_module_get(struct weft_word_module *module);
void weft_word_module_put(const struct weft_forth_system *system, struct weft_word_module *module);
// What it takes, for all its users together; 0 of NULL.
uint32_t weft_word_module_bytes(const struct weft_word_module *module);
// What a unit's quota is charged for having it: as much as it would take in the block.
static inline uint32_t weft_word_module_charge(const struct weft_word_module *module)
{
    return module != NULL ? module->content_bytes : 0;
}

// The module on the shelf with this content, got; NULL: there is none.
struct weft_word_module *weft_word_module_find(const struct weft_forth_system *system,
                                               const void *content, size_t bytes);
// The one that is at this place under this serial, got; NULL: not any more.
struct weft_word_module *weft_word_module_known(const struct weft_forth_system *system,
                                                const struct weft_word_module *module,
                                                uint64_t serial);
// The same content as a module, got: that on the shelf, or a new one. `content` is believed: from a
// unit of this process. NULL: no memory.
struct weft_word_module *weft_word_module_shelve(const struct weft_forth_system *system,
                                                 const void *content, size_t bytes);
// Its name: of its content. Made when it is first asked for.
const uint8_t *weft_word_module_name(struct weft_word_module *module);
void weft_word_module_set_name(struct weft_word_module *module,
                               const uint8_t name[WEFT_SHA256_BYTES]);
// The module of that name on the shelf, got; NULL: there is none.
struct weft_word_module *weft_word_module_named(const struct weft_forth_system *system,
                                                const uint8_t name[WEFT_SHA256_BYTES]);
// Whether the numbers at its beginning are those of `bytes` bytes.
bool weft_word_module_content_valid(const void *content, size_t bytes);

// Before an own word is changed: if it is in the module, all of that comes back into the block,
// which may move. 0; -8: no memory.
int32_t weft_unit_thaw_word(struct weft_unit *unit, uint32_t own_index);

#endif // WEFT_FORTH_MODULE_H
