// unit_ties_format.h: the records of which ties are made (docs/wire/unit-image.md): 24 bytes, then
// the payload, padded with zeros to a multiple of 8. All integers are little-endian.
#ifndef WEFT_NODE_UNIT_TIES_FORMAT_H
#define WEFT_NODE_UNIT_TIES_FORMAT_H

#include "runtime/base/endian.h"
#include "runtime/base/units.h"
#include "runtime/node/unit_ties.h"

enum weft_tie_record_kind {
    WEFT_TIE_STATE = 1, // a: flags; b: from whom it learns; x: links that it has made.
    WEFT_TIE_WAKE,      // a: level; x: nanoseconds until it goes on.
    WEFT_TIE_LIMIT,   // a: level below a text that has limits; x: reductions left; y: nanoseconds.
    WEFT_TIE_FLOW,    // Where UDP-REPLY goes: address, port there, port here (4, 2, 2 bytes).
    WEFT_TIE_WAIT,    // a: level; b: for what; x: of whom; y: reference; payload: the farewell's.
    WEFT_TIE_CHILD,   // x: id; y: reference of its farewell.
    WEFT_TIE_CHANNEL, // a: 1 if it is closed; x: id; y: capacity. Its items follow.
    WEFT_TIE_ITEM,    // b: type; payload: a message in that channel.
    WEFT_TIE_ALARM,   // x: reference; y: nanoseconds left; payload: interval (8 bytes), then what
                      // it sends.
    WEFT_TIE_WATCH,   // a: 1 if its DOWN has come; x: reference; y: id of whom it watches.
    WEFT_TIE_BOND,    // x: id of whom it is linked to.
    WEFT_TIE_MAIL,    // a: tag; b: type; x: from whom; y: reference; payload.
    WEFT_TIE_LESSON,  // a: 1 if it is from another node; payload: the text.
    WEFT_TIE_QUOTA,   // payload: the quotas that were set for it (unit_quota.h).
    WEFT_TIE_FAMILY,  // x: id of whose reductions it spends, if it was spawned.
    WEFT_TIE_ISSUE,   // x: of its records those that name spawned ones: how many; y: id of who was
                      // loaded at the top of its family, if it was spawned.
    WEFT_TIE_DEAD,    // x: id of a child whose end it has heard of since its last record.
    WEFT_TIE_KINDS,
};

enum { WEFT_TIE_TRAPS = 1, WEFT_TIE_RECEIVES = 2 }; // Flags of STATE.
enum { WEFT_TIE_HEAD = 24, WEFT_TIE_FLOW_BYTES = 8, WEFT_TIE_ERROR = UINT16_MAX };

struct weft_tie_record {
    uint8_t kind, a;
    uint16_t b;
    uint64_t x, y;
    struct weft_span payload;
};

// The record at *at, which becomes the place of the next one. False: none is left, or *at is not at
// the beginning of a whole one (then it stays).
static inline bool weft_tie_read(struct weft_span ties, size_t *at, struct weft_tie_record *record)
{
    if (ties.length - *at < WEFT_TIE_HEAD) return false;
    const uint8_t *from = ties.data + *at;
    const size_t length = weft_le32_get(from + 4), padded = weft_round_up(length, 8);
    if (padded > ties.length - *at - WEFT_TIE_HEAD) return false;
    *record = (struct weft_tie_record){.kind = from[0],
                                       .a = from[1],
                                       .b = weft_le16_get(from + 2),
                                       .x = weft_le64_get(from + 8),
                                       .y = weft_le64_get(from + 16),
                                       .payload = weft_span_of(from + WEFT_TIE_HEAD, length)};
    *at += WEFT_TIE_HEAD + padded;
    return true;
}

#endif // WEFT_NODE_UNIT_TIES_FORMAT_H
