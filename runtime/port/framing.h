// framing.h: where a packet ends in a stream of bytes: at a line's end, or where its length says.
//
// Pure: bytes in, a place out. The bytes are a peer's, so every length is checked before it is
// used.
#ifndef WEFT_PORT_FRAMING_H
#define WEFT_PORT_FRAMING_H

#include <weft/port.h>

#include "runtime/base/span.h"

#define WEFT_FRAMING_HEAD_MAX 4

// Bytes in front of a packet.
uint32_t weft_framing_head_bytes(enum weft_framing framing);

// Finds the first packet of `bytes`, none of them looked at before but the first *scanned, which is
// brought up to date. Bytes that are done with it, its head included; *packet lies in `bytes`.
// 0: more is needed. -EMSGSIZE: it is longer than `packet_max`. Not RAW: there, all is a packet.
int64_t weft_framing_next(enum weft_framing framing, uint32_t packet_max, struct weft_span bytes,
                          uint32_t *scanned, struct weft_span *packet);

// Writes the head of a packet of `length` bytes. How many; -EMSGSIZE: no head says so much.
int weft_framing_head_put(enum weft_framing framing, uint64_t length,
                          uint8_t head[WEFT_FRAMING_HEAD_MAX]);

#endif // WEFT_PORT_FRAMING_H
