// journal_keeper.h: the node's journal on the first worker: takes records from units of every core,
// groups them into few writes, and tells each unit when its record is durable.
//
// An actor of kind "journal" on core 1: the actor takes messages, the poller moves the engine. What
// blocks (making and removing segment files) is done by the control core. It keeps the newest
// source and image of every unit, so that a compaction asks nobody.
#ifndef WEFT_NODE_JOURNAL_KEEPER_H
#define WEFT_NODE_JOURNAL_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/actor/actor.h"
#include "runtime/storage/unit_journal.h"

struct weft_node;
struct weft_node_worker;

enum weft_journal_request { // `type` of a message to the keeper; payload: struct weft_journal_ask.
    WEFT_JOURNAL_ASK_LOAD,  // Source of a new unit.
    WEFT_JOURNAL_ASK_IMAGE, // Its state.
    WEFT_JOURNAL_ASK_GONE,  // It is to be forgotten.
    WEFT_JOURNAL_ASK_ADOPT_LOAD, // As LOAD and IMAGE, but the journal has them already (a restart).
    WEFT_JOURNAL_ASK_ADOPT_IMAGE,
};

struct weft_journal_ask { // In front of the payload's bytes.
    uint32_t index;       // UNIT-IDX: whose record it is.
    uint32_t length;      // Bytes behind this structure: the source or the image.
    uint8_t recovery;
    uint8_t wants_answer; // Tell `from` when it is durable (weft_unit_actor_durable).
    char name[WEFT_UNIT_NAME_MAX + 1];
    char source_name[WEFT_UNIT_NAME_MAX + 1];
    uint8_t bytes[];
};

struct weft_journal_keeper;

// Makes the keeper and reads the journal into `recovered`. Before any core turns; blocks. 0, or a
// negative errno with `error`.
int weft_journal_keeper_create(struct weft_journal_keeper **keeper, struct weft_node *node,
                               struct weft_unit_table *recovered, struct weft_error *error);
// Adds its actor and poller to the first worker. 0 or a negative errno.
int weft_journal_keeper_start(struct weft_journal_keeper *keeper, struct weft_node_worker *worker);
void weft_journal_keeper_free(struct weft_journal_keeper *keeper);

weft_pid weft_journal_keeper_pid(const struct weft_journal_keeper *keeper);
const struct weft_journal *weft_journal_keeper_journal(const struct weft_journal_keeper *keeper);

// True once everything handed over is durable. Own core, or while nothing turns.
bool weft_journal_keeper_idle(const struct weft_journal_keeper *keeper);

// Leaves a mark over all that is durable, so that the next start can tell damage from a torn tail.
// Control core, before a clean stop; `waiting` tells when it is written.
void weft_journal_keeper_seal(struct weft_journal_keeper *keeper);

struct weft_journal_view { // For the control core, at most a turn old.
    weft_counter failed, records, blocks, writes, segments;
    weft_counter waiting; // 1: something is not durable yet.
};
const struct weft_journal_view *weft_journal_keeper_view(const struct weft_journal_keeper *keeper);

#endif // WEFT_NODE_JOURNAL_KEEPER_H
