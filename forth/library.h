// library.h: what all cores of a node have of the Forth, once: the shared words, and what units
// have frozen. Internal to forth/.
//
//     library:            volume  volume  volume ...      each content once
//                        ^   ^      ^
//     shelf of a core: module |   module                  counts the units of that core
//     shelf of another:     module
//
// A volume never changes once it is in the library. It counts the shelves that it is on, and what
// is under way between cores: so its count is touched when a core gets its first unit with these
// words, or loses its last, and not when a unit begins or ends. It goes with the last of them
// (docs/decisions/0016).
//
// Core:   any. The lock guards the tables alone: nothing is compared, hashed, taken or given back
//         under it.
// Memory: a volume is of the core that made it, and goes home: who lets go of it last leaves it to
//         that core's shelf, which gives it back (weft_forth_system_settle).
#ifndef WEFT_FORTH_LIBRARY_H
#define WEFT_FORTH_LIBRARY_H

#include <pthread.h>
#include <stdatomic.h>

#include "forth/state.h"
#include "runtime/base/counter.h"
#include "runtime/base/list.h"

struct weft_volume {
    _Atomic uint32_t holder_count;
    uint32_t crc;                // Of the content.
    struct weft_list by_content; // Under the lock, as is the next.
    struct weft_list by_name;    // Among those that have the name, or among those that have none.
    struct weft_volume *next;    // On its way home.
    struct weft_shelf *home;
    uint32_t bytes; // All of it.
    uint32_t content_bytes;
    _Atomic bool is_named; // `name` has been made, and will not change.
    uint8_t name[WEFT_SHA256_BYTES];
    uint8_t spare[31]; // What is counted here is no neighbour of what all cores read.
    uint8_t content[];
};
_Static_assert(sizeof(struct weft_volume) == 128, "the content lies on lines of its own");

enum { WEFT_LIBRARY_BUCKETS = 1024 };

struct weft_forth_library {
    struct weft_forth_memory memory;
    struct weft_forth_system base; // The shared words: each core's system is a copy of this head.
    pthread_mutex_t lock;
    struct weft_list contents[WEFT_LIBRARY_BUCKETS]; // By checksum.
    struct weft_list names[WEFT_LIBRARY_BUCKETS];    // By the first bytes of the name.
    struct weft_list unnamed;
    weft_counter volume_count, bytes; // Written under the lock.
};

void weft_library_init(struct weft_forth_library *library);
void weft_library_destroy(struct weft_forth_library *library);

// A volume with room for that, zeroed, of this core and not in the library yet; it counts its
// maker. NULL: no memory.
struct weft_volume *weft_volume_new(const struct weft_forth_system *system, uint32_t content_bytes,
                                    uint32_t behind);
// One that did not get into the library: gives it back. Its maker.
void weft_volume_discard(const struct weft_forth_system *system, struct weft_volume *volume);

// One holder more; the caller has one already. One less is weft_forth_release (unit.h): the last
// one takes it out of the library.
void weft_volume_hold(struct weft_volume *volume);

// The volume with this content, held; if there is none, `fresh`, which is in the library from now
// on and has its maker for holder. NULL: there is none, and `fresh` is NULL.
struct weft_volume *weft_library_find(const struct weft_forth_system *system, const void *content,
                                      uint32_t bytes, uint32_t crc, struct weft_volume *fresh);

// SHA-256 of the content. Made when it is first asked for.
const uint8_t *weft_volume_name(const struct weft_forth_system *system, struct weft_volume *volume);
void weft_volume_set_name(const struct weft_forth_system *system, struct weft_volume *volume,
                          const uint8_t name[WEFT_SHA256_BYTES]);
// The volume of that name, held; NULL: there is none.
struct weft_volume *weft_library_named(const struct weft_forth_system *system,
                                       const uint8_t name[WEFT_SHA256_BYTES]);

#endif // WEFT_FORTH_LIBRARY_H
