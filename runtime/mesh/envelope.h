// envelope.h: (host-msg :to "hex" :from "hex" :payload "...") between units of two nodes.
// The envelope of the unit system, in canonical form: these three keys, each once, in any order.
#ifndef WEFT_MESH_ENVELOPE_H
#define WEFT_MESH_ENVELOPE_H

#include <stdint.h>

#include "runtime/base/span.h"

struct weft_envelope {
    uint64_t to;
    uint64_t from;
    struct weft_span payload;
};

// Writes the text of `envelope`, without a zero. Returns its length, or -EMSGSIZE.
int weft_envelope_write(const struct weft_envelope *envelope, char *text, size_t size);

// Reads `text`; the payload is unescaped into `payload`, `size` bytes, which it then points to.
// 0; -EBADMSG if it is not such an envelope; -EMSGSIZE if the payload does not fit.
int weft_envelope_read(struct weft_span text, uint8_t *payload, size_t size,
                       struct weft_envelope *envelope);

#endif // WEFT_MESH_ENVELOPE_H
