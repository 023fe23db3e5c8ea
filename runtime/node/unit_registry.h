// unit_registry.h: the units of this node by name: who they are, where they run, how they are.
//
// Names are given and taken by the control core alone. A resident's memory never moves, so a worker
// keeps a pointer to the residents of its own units and writes their status there; any core may
// read it.
#ifndef WEFT_NODE_UNIT_REGISTRY_H
#define WEFT_NODE_UNIT_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/counter.h"
#include "runtime/node/command.h"
#include "runtime/node/unit_quota.h"

enum weft_recovery { WEFT_RECOVERY_NONE, WEFT_RECOVERY_JOURNAL };

enum weft_resident_status { // What people see of a unit.
    WEFT_RESIDENT_FREE,     // No unit in this resident.
    WEFT_RESIDENT_STARTING, // Named, and on its way to its core.
    WEFT_RESIDENT_READY,    // Waits for a text to evaluate.
    WEFT_RESIDENT_RUNNING,  // Has, or wants, a slice.
    WEFT_RESIDENT_WAITING,  // Parked in RECEIVE or MS.
    WEFT_RESIDENT_ENDED,    // Gone; the control core has not been told yet.
    WEFT_RESIDENT_FAILED, // The journal has it, but it could not be restored: its name is kept for
                          // it.
};

struct weft_resident {
    // Written by the control core before the worker knows the resident; constant while the unit
    // lives.
    char name[WEFT_RESIDENT_NAME_BYTES];
    char file[64];
    enum weft_recovery recovery;
    uint16_t core;
    uint32_t index; // UNIT-IDX: smallest free number.
    uint64_t loaded_wall_ns;
    struct weft_unit_quota quota; // What was set for it alone.
    bool stays_failed;            // Its restore failed: the entry goes to FAILED instead of away.
    // Written by the unit's worker at the end of each slice. Relaxed: each is true by itself.
    _Alignas(WEFT_CORE_ALIGN) weft_counter pid;
    weft_counter status; // enum weft_resident_status.
    weft_counter memory_bytes;
    weft_counter reduction_count;
    weft_counter message_count;
    weft_counter mailbox_count;
    weft_counter receives;    // 1: it has asked for messages, so a remote one may be given to it.
    weft_counter goals;       // Texts of other units that it has to evaluate.
    weft_counter bound_ports; // UDP ports bound; such a unit takes remote messages last.
    weft_counter spawned, channels, files; // What it has of its quotas.
    weft_counter rests;                    // 1: it has spent its reductions.
    weft_counter asks;                     // 1: it waits for a user's input.
    weft_counter due_ns;                   // Its family's bucket (unit_limits.h). Their cores.
};

struct weft_unit_registry {
    struct weft_resident *residents;
    uint32_t capacity;
    uint32_t count;          // Entries in use. Control core.
    weft_counter high_count; // All in use have an index below this one. Any core.
    weft_counter live_count; // The same, for SIBLING-COUNT on any core.
};

// Room for `capacity` units. 0 or -ENOMEM.
int weft_unit_registry_init(struct weft_unit_registry *registry, uint32_t capacity);
void weft_unit_registry_destroy(struct weft_unit_registry *registry);

// The resident of that name; NULL if there is none. Control core.
struct weft_resident *weft_unit_registry_find(struct weft_unit_registry *registry,
                                              const char *name);

// The resident whose unit has this pid; NULL: no unit that was loaded. Any core.
const struct weft_resident *weft_unit_registry_of(const struct weft_unit_registry *registry,
                                                  uint64_t pid);

// Takes a resident for `name` in state STARTING. NULL with `error`: the name is bad or taken, or
// there are too many units. Control core.
struct weft_resident *weft_unit_registry_add(struct weft_unit_registry *registry, const char *name,
                                             struct weft_error *error);
// Frees the resident. Its unit has ended. Control core.
void weft_unit_registry_remove(struct weft_unit_registry *registry, struct weft_resident *resident);

// The worker with the fewest units, of cores 1 .. worker_count. Control core.
uint16_t weft_unit_registry_pick_core(const struct weft_unit_registry *registry,
                                      uint16_t worker_count);

// The unit that should take a message from outside: it asks for messages; the shortest mailbox
// first, then who has had the fewest. NULL if none. Any core: it reads only statuses.
struct weft_resident *weft_unit_registry_least_busy(struct weft_unit_registry *registry);

#endif // WEFT_NODE_UNIT_REGISTRY_H
