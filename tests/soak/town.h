// town.h: as many actors as are asked for, who live for as long as they are let: they talk, move,
// take memory, call, set timers, watch each other, die of all causes and are started again.
//
// They live in places, one actor each; who has died is followed by another. Each family, a few
// hundred places, has a head, an actor that starts a supervisor, has that start the others, and
// from then on keeps some tokens going round: messages that everybody who gets one sends on to
// somebody at random. When most have come home it sends the next ones, so there is always as much
// to do as the machine manages and no more, however slow it is.
//
// Threads: a place is written by the supervisor of its family and read by everybody; counts are a
// core's own, and anybody may read them.
#ifndef WEFT_TESTS_SOAK_TOWN_H
#define WEFT_TESTS_SOAK_TOWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/weft.h>

#include "runtime/base/counter.h"
#include "runtime/base/units.h"

#define TOWN_CORES_MAX 16
#define TOWN_FAMILY    1000 // Places of each, but for the last.

struct town_counts { // What the actors of one core have noted.
    _Alignas(WEFT_CORE_ALIGN) weft_counter births;
    weft_counter deaths;
    weft_counter offered;  // USER messages, whatever came of them,
    weft_counter received; // and those that came.
    weft_counter calls, answers;
    weft_counter timers, ticks;
    weft_counter downs;
    weft_counter moves;
    weft_counter refusals; // Spawns for which there was no memory, slot or stack.
};

struct town {
    uint32_t place_count, family_count;
    uint32_t stackful_percent;
    uint16_t core_count;
    _Atomic weft_pid *places;   // 0: nobody yet.
    weft_pid *heads;            // Of families.
    _Atomic uint32_t populated; // Families that are complete.
    _Atomic bool is_ending;     // Nobody begins anything any more.
    struct town_counts counts[TOWN_CORES_MAX];
};

// Memory for so many. False: there is none.
bool town_init(struct town *town, uint32_t place_count, uint32_t stackful_percent,
               uint16_t core_count);
void town_destroy(struct town *town);

// How to spawn the head of family `number`; `*state` has to live until it is spawned.
struct town_head {
    struct town *town;
    uint32_t family;
};
struct weft_spawn town_head(struct town *town, uint32_t number, struct town_head *state);

// The sum over all cores of the counter at `offset` of struct town_counts.
uint64_t town_sum(const struct town *town, size_t offset);
#define TOWN_SUM(town, field) town_sum(town, offsetof(struct town_counts, field))

#endif // WEFT_TESTS_SOAK_TOWN_H
