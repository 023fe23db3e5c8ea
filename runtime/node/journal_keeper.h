// journal_keeper.h: the node's journal on the first worker: takes the state of units from every
// core, groups it into few writes, and tells each unit, in the order of its asking, when it is
// durable.
//
// An actor of kind "journal" on core 1: the actor takes messages, the poller moves the engine. What
// blocks (making and removing segment files) is done by the control core. It keeps the newest
// source and image of every unit in memory (kept.h), so that a compaction asks nobody.
#ifndef WEFT_NODE_JOURNAL_KEEPER_H
#define WEFT_NODE_JOURNAL_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/actor/actor.h"
#include "runtime/base/counter.h"
#include "runtime/storage/unit_journal.h"

struct weft_node;
struct weft_node_worker;

// `type` of a message to the keeper. Units cannot send it: theirs is enum weft_unit_message_kind.
enum weft_journal_request {
    WEFT_JOURNAL_ASK_STATE = 0x4a01, // A unit's image, and its source if it is new.
    WEFT_JOURNAL_ASK_GONE,           // It is to be forgotten.
    WEFT_JOURNAL_ASK_ENDED,          // A spawned one has ended: it is to be forgotten once its
                                     // parent's record says no more that it waits for that.
};

struct weft_journal_ask { // The message's payload. Every ask but ENDED gets one answer:
                          // weft_unit_actor_durable.
    char name[WEFT_UNIT_NAME_MAX + 1];
    char source_name[WEFT_UNIT_NAME_MAX + 1];
    uint8_t recovery;
    bool has_source;
    bool is_child, has_family; // It was spawned; it has spawned.
    uint32_t source_bytes;
    uint32_t image_bytes;
    uint8_t bytes[]; // The source, then the image.
};

struct weft_journal_birth { // What a spawned one has for a source.
    struct weft_unit_origin origin;
    uint64_t root_id; // So that it is not taken for one of another root of the same name.
};

struct weft_journal_keeper;

// Makes the keeper and reads the journal into `recovered`. Before any core turns; blocks. 0, or a
// negative errno with `error`.
int weft_journal_keeper_create(struct weft_journal_keeper **keeper, struct weft_node *node,
                               struct weft_unit_table *recovered, struct weft_error *error);
// Adds its actor and poller to the first worker, and keeps what was recovered; of families those
// that belong together (family.h): the others are taken out of `recovered`. 0 or a negative errno.
int weft_journal_keeper_start(struct weft_journal_keeper *keeper, struct weft_node_worker *worker,
                              struct weft_unit_table *recovered);
// After the first worker's actors are gone, before its arena.
void weft_journal_keeper_free(struct weft_journal_keeper *keeper);

weft_pid weft_journal_keeper_pid(const struct weft_journal_keeper *keeper);
const struct weft_journal *weft_journal_keeper_journal(const struct weft_journal_keeper *keeper);

// Leaves a mark over all that is durable, so that the next start can tell damage from a torn tail.
// Control core, before a clean stop; `view.sealed` says when it is written.
void weft_journal_keeper_seal(struct weft_journal_keeper *keeper);

struct weft_journal_view { // For the control core, at most a turn old. Written by the first worker.
    weft_counter failed;   // The errno of the write that ended it; 0: it works.
    weft_counter stalled;  // The errno for which no segment can be made; 0: none.
    weft_counter sealed;   // 1: the mark asked for is durable.
    weft_counter records, blocks, writes, segments;
    weft_counter units; // That it holds, those that have been spawned among them.
};
const struct weft_journal_view *weft_journal_keeper_view(const struct weft_journal_keeper *keeper);

#endif // WEFT_NODE_JOURNAL_KEEPER_H
