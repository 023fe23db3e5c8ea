// unit_family.h: the journal and the units that a kept unit spawns, which are kept, too.
//
// A spawned unit is not written down at its birth: most are gone before anybody would need it. It
// is when its parent's next record is due, which names it:
//
//   the parent    stands still, and asks its young for their first records   (a round)
//   each child    takes its own, having asked its own young first, and hands it over
//   the parent    sends what has come to the journal, then its own record, and goes on
//
// So a record never names a child that the journal has not. The parent counts these records; a
// first record says for which one of them it was made, and counts from that one on (family.h). The
// end of a child goes the other way: the journal forgets it when a record of its parent has heard
// of it.
//
// Core: the unit's, but for what says otherwise. What goes to another core goes as errands in
// blocks of messages: nothing refuses them.
#ifndef WEFT_NODE_UNIT_FAMILY_H
#define WEFT_NODE_UNIT_FAMILY_H

#include "runtime/node/unit_actor.h"

#define WEFT_UNIT_DEAD_FACTOR 2 // So many times the quota of children may have ended unrecorded.

struct weft_unit_young { // A child that the journal had not when it was looked at last.
    uint64_t id;
    uint64_t farewell; // Under which its last words come to this one. 0: they do not.
    enum {
        WEFT_YOUNG_NEW,
        WEFT_YOUNG_ASKED,
        WEFT_YOUNG_REFUSED,
        WEFT_YOUNG_ENDED, // Its last words may be on their way;
        WEFT_YOUNG_SAID,  // they are in the mailbox.
        WEFT_YOUNG_KEPT   // The journal has it now; the parent has not looked who was born.
    } state;
    bool is_recorded; // The journal has it: it waits for its last words, having killed it, or is
                      // KEPT.
};

struct weft_unit_family { // From the worker's arena, as are its arrays.
    struct {
        struct weft_unit_young *list;
        uint32_t count, room;
        uint32_t kept_count; // Of WEFT_YOUNG_KEPT: but a few.
    } young;
    struct { // Children that the journal has, of whose ends the journal has not heard.
        uint64_t *ids;
        uint32_t count, room;
        uint32_t asked_count; // That many are in the record with the number asked;
        uint64_t asked;       // 0: in none that is on its way.
    } dead;
    uint64_t serial;               // Of the last record that a round was made for.
    uint32_t away;                 // Who has been asked, and has not answered.
    uint64_t due_ns;               // It is given up then: the record is made without those.
    bool is_gathering;             // A round is under way.
    bool is_gathered;              // It has just ended: now is the time for the record.
    bool is_late;                  // The last one was given up: the next has less time.
    bool wants_record;             // A child has said UNIT-SAVE.
    struct weft_list commands;     // That wait for the record.
    struct weft_unit_errand *owed; // Its parent waits for its first record. NULL: nobody does.
};

// Made at the first use. NULL: no memory.
struct weft_unit_family *weft_unit_family_of(struct weft_unit_actor *unit);

void weft_unit_family_free(struct weft_unit_actor *unit);
// NULL: there is none with this id.
struct weft_unit_young *weft_unit_young_find(const struct weft_unit_family *family, uint64_t id);
void weft_unit_young_remove(struct weft_unit_family *family, struct weft_unit_young *young);

// The name in the journal of a spawned unit that was born with this id: none that people can give.
void weft_unit_family_name(uint64_t id, char name[WEFT_UNIT_NAME_MAX + 1]);

// A unit has a child, whose last words come under this reference; has heard of its end; waits for
// them no more. Of one that is not kept nothing is noted.
void weft_unit_family_born(struct weft_unit_actor *unit, uint64_t id, uint64_t farewell);
void weft_unit_family_heard(struct weft_unit_actor *unit, uint64_t id);
void weft_unit_family_detached(struct weft_unit_actor *unit, uint64_t id);
// It has killed a child whose last words it waits for: no record says that it has, before they are
// there; else the child would come back, and know nothing of it.
void weft_unit_family_killed(struct weft_unit_actor *unit, uint64_t id, uint64_t farewell);

// A record of the unit has been sent; an answer of the journal has come.
void weft_unit_family_sent(struct weft_unit_actor *unit);
void weft_unit_family_answered(struct weft_unit_actor *unit, int result);

// ---- unit_round.c

// It has some that the journal has not heard of.
bool weft_unit_family_has_young(struct weft_unit_actor *unit);

// Before a record: true if it may be made now. Else a round has begun, or goes on: the program must
// not run before it has ended.
bool weft_unit_family_gather(struct weft_unit_actor *unit);
// At the beginning of a slice: true while a round goes on. When it ends, makes the records that
// waited for it.
bool weft_unit_family_turn(struct weft_unit_actor *unit);
bool weft_unit_family_is_gathering(const struct weft_unit_actor *unit);
// When a round is given up; UINT64_MAX: there is none.
uint64_t weft_unit_family_due_ns(const struct weft_unit_actor *unit);
// `command` is finished once there is a record.
void weft_unit_family_wait(struct weft_unit_actor *unit, struct weft_command *command);

// A spawned unit that the journal has not wants a record: so its parent has to have one. False: it
// has nobody to ask.
bool weft_unit_family_ask_parent(struct weft_unit_actor *unit);

// The journal has refused the first record of a spawned unit: its parent is to ask for it again.
void weft_unit_family_return(struct weft_unit_actor *unit);

// It has ended, and has been nobody's heir yet: its young go to its own parent.
void weft_unit_family_end(struct weft_unit_actor *unit, bool is_last);

#endif // WEFT_NODE_UNIT_FAMILY_H
