// module.h: words of units, frozen: one copy for all units of a node that have the same. Internal
// to forth/.
//
//     own words of a unit --freeze--> module on the shelf (found, or put there) --+--> unit
//            ^                                                                   +--> its children
//            +------------------------------thaw---------------------------------+    and others
//
// What a module holds is a volume of the library, which other cores may have on their shelves, too
// (library.h); the module itself is this core's, and counts the units of this core. It never
// changes once it is on the shelf, and goes when the last that has it lets go (docs/decisions/0013,
// 0016). Its content, which images carry, is position-independent: four 32-bit numbers (words,
// tokens, bytes of names, 0), then words, code and names, each padded to 8.
//
// Core:   a shelf belongs to its system module and that to one core. Nothing here locks but the
//         library, when a module comes to the shelf or leaves it.
// Memory: of modules, through the system module's struct weft_forth_memory.
#ifndef WEFT_FORTH_MODULE_H
#define WEFT_FORTH_MODULE_H

#include "forth/library.h"
#include "forth/state.h"

enum { WEFT_SHELF_BUCKETS = 512 };

struct weft_shelf {
    struct weft_word_module *modules[WEFT_SHELF_BUCKETS]; // By checksum.
    uint64_t serial;                                      // Of the newest ever.
    weft_counter module_count;
    uint8_t spare[128];                     // Other cores write the next.
    _Atomic(struct weft_volume *) returned; // Volumes that have come home: newest first.
};

struct weft_word_module_head { // Of the content; little-endian, as all of it.
    uint32_t word_count, code_length, name_bytes, spare;
};
_Static_assert(sizeof(struct weft_word_module_head) == 16, "part of the image");

// One user more, and one less; NULL is allowed. The last one's end takes it off the shelf.
struct weft_word_module *weft_word_module_get(struct weft_word_module *module);
void weft_word_module_put(const struct weft_forth_system *system, struct weft_word_module *module);
// What it takes, for all its users of the node together; 0 of NULL.
uint32_t weft_word_module_bytes(const struct weft_word_module *module);
// What a unit's quota is charged for having it: as much as it would take in the block.
static inline uint32_t weft_word_module_charge(const struct weft_word_module *module)
{
    return module != NULL ? module->content_bytes : 0;
}

// The module with this content, got: of this shelf or of the library. NULL: there is none, or no
// memory to put it on this shelf.
struct weft_word_module *weft_word_module_find(const struct weft_forth_system *system,
                                               const void *content, uint32_t bytes);
// The one that is at this place under this serial and checksum, got; NULL: not any more.
struct weft_word_module *weft_word_module_known(const struct weft_forth_system *system,
                                                const struct weft_word_module *module,
                                                uint64_t serial, uint32_t crc);
// A volume that is held, as a module, got; it stays held by the caller. NULL: no memory.
struct weft_word_module *weft_word_module_of(const struct weft_forth_system *system,
                                             struct weft_volume *volume);
// The module of that name, wherever in the library it is, got. 0; -ENOENT: there is none; -ENOMEM.
int weft_word_module_named(const struct weft_forth_system *system,
                           const uint8_t name[WEFT_SHA256_BYTES], struct weft_word_module **module);
// Whether the numbers at its beginning are those of `bytes` bytes.
bool weft_word_module_content_valid(const void *content, size_t bytes);

// Before an own word is changed: if it is in the module, all of that comes back into the block,
// which may move. 0; -8: no memory.
int32_t weft_unit_thaw_word(struct weft_unit *unit, uint32_t own_index);

#endif // WEFT_FORTH_MODULE_H
