// unit_sockets.h: TCP connections of units, to the addresses that units.net names, through the
// kernel's sockets on the core's ring. The unit parks while one opens, while nothing has come, and
// while what it wrote before is on its way.
//
// A socket holds one piece of each direction: what has come and was not read yet, and what is to be
// sent. So a text that ends while it waits loses nothing for the next. Numbers are never given
// twice; an image has none of all this, and a number out of one is closed (-305).
//
// Core: the unit's.
#ifndef WEFT_NODE_UNIT_SOCKETS_H
#define WEFT_NODE_UNIT_SOCKETS_H

#include "runtime/node/unit_actor.h"

#define WEFT_UNIT_SOCKETS_MAX 16

// The words, for the table of units that may reach something.
int32_t weft_unit_sockets_open(void *self, uint32_t level, const char *address, size_t length,
                               uint64_t *socket);
int64_t weft_unit_sockets_read(void *self, uint64_t socket, void *to, size_t size);
int64_t weft_unit_sockets_write(void *self, uint64_t socket, const void *from, size_t size);
int32_t weft_unit_sockets_close(void *self, uint64_t socket);

// The text at `level` waits for no connection any more.
void weft_unit_sockets_abandon(struct weft_unit_actor *unit, uint32_t level);
// The unit has ended: its connections are reset.
void weft_unit_sockets_end(struct weft_unit_actor *unit);

#endif // WEFT_NODE_UNIT_SOCKETS_H
