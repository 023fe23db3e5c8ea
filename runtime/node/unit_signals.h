// unit_signals.h: links, monitors and timers of a unit. What comes of them is a message that nobody
// can refuse, so there is a limit to how many may be asked for: -300 beyond it.
//
// Timers and monitors are counted from when they are asked for until their message is read, or they
// are undone. Of links nobody tells their unit when the other side undoes one, and others make them
// too; so the links that it has asked for are counted, and those that are gone are found when the
// limit is reached, by looking at what there is, once a turn at most.
//
// Core: the unit's.
#ifndef WEFT_NODE_UNIT_SIGNALS_H
#define WEFT_NODE_UNIT_SIGNALS_H

#include "runtime/node/unit_dealings.h"

#define WEFT_UNIT_SIGNALS_MAX 1024

// Fills in the words: MONITOR DEMONITOR LINK UNLINK TRAP-EXIT AFTER EVERY CANCEL.
void weft_unit_signals_host(struct weft_unit_host *host);
// TIMER, DOWN or EXIT as the unit sees it, and one less. False: it is none of these.
bool weft_unit_signals_see(struct weft_unit_actor *unit, const struct weft_message *message,
                           struct weft_unit_message *to);

// The links that it has made, for its image.
uint32_t weft_unit_signals_links(struct weft_unit_actor *unit);
// Of one that has been restored: counts what it has now. It has made `links`, or fewer.
void weft_unit_signals_restored(struct weft_unit_actor *unit, uint64_t links);

#endif // WEFT_NODE_UNIT_SIGNALS_H
