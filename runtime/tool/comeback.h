// comeback.h: waiting for a node that was told to restart from a slot: does it run from there, and
// has it proved good, or is it back where it was?
//
//   restarts --> starts from the slot, on trial --> good                               0
//                  |        ^                  \-> (three times) back in the other one  1
//                  +--------+ it failed: next try
//
// A node counts as restarted once its boot id is another one.
#ifndef WEFT_TOOL_COMEBACK_H
#define WEFT_TOOL_COMEBACK_H

#include <jansson.h>

#include "runtime/admin/client.h"
#include "runtime/tool/command.h"

enum weft_comeback {
    WEFT_COMEBACK_LEAVES, // It still runs as before.
    WEFT_COMEBACK_TRIES,  // It runs from the slot, and has to prove itself.
    WEFT_COMEBACK_STAYS,  // It has.
    WEFT_COMEBACK_FELL,   // It runs from the other one.
};

struct weft_comeback_from {
    char boot_id[48]; // Before the restart.
    char slot;        // That is to start.
};

// What a boot document (/api/v1/node/boot) says; nothing else is looked at.
enum weft_comeback weft_comeback_judge(const struct weft_comeback_from *from, const json_t *boot);

// Before the restart: what tells this boot from the next, and with `slots` (/api/v1/node/slots) the
// slot that is to start: the one that does not run. 0, or -1 with `error`.
int weft_comeback_note(const struct weft_tool *tool, const struct weft_client_target *target,
                       const json_t *slots, struct weft_comeback_from *from,
                       struct weft_error *error);

// Waits, and says on standard error how far it is. Returns the exit code: 0 it stays there, 1 it
// fell back, 77 another node answers there, 124 it was not there in time (--timeout, else 10 min).
int weft_comeback_wait(const struct weft_tool *tool, const struct weft_client_target *target,
                       const struct weft_comeback_from *from);

#endif // WEFT_TOOL_COMEBACK_H
