// slot.h: the two slots as the boot loader sees them: names of kernels in EFI/Linux of the ESP.
//
//   weft-b_0.2.0+3.efi     written, three tries left            SLOT_FRESH
//   weft-b_0.2.0+1-2.efi   one try left, two have failed        SLOT_TRYING
//   weft-b_0.2.0+0-3.efi   no try left: it never became healthy SLOT_FAILED
//   weft-b_0.2.0.efi       it has proved good                   SLOT_GOOD
//   weft-b_0.2.0+0.efi     good, but told to stand back         SLOT_ASIDE
//
// systemd-boot takes one try off before it starts a kernel that has a count (its "boot counting"),
// and PID 1 drops the count of one that became healthy. The loader takes, of those with a try left
// or without a count, the newest version, then b before a; those without a try left come last, in
// the same order. So a slot that is older than the running one is only chosen if the running one
// stands back, and if it then fails, both are without tries and the newer one is started after all.
//
// Pure: names in, answers out.
#ifndef WEFT_UPDATE_SLOT_H
#define WEFT_UPDATE_SLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "image/update/version.h"

#define WEFT_UPDATE_TRIES      3
#define WEFT_UPDATE_NAME_BYTES 64 // Of a file in EFI/Linux, with its zero byte.

enum weft_update_slot_state {
    WEFT_SLOT_EMPTY,
    WEFT_SLOT_FRESH,
    WEFT_SLOT_TRYING,
    WEFT_SLOT_GOOD,
    WEFT_SLOT_ASIDE,
    WEFT_SLOT_FAILED,
};

struct weft_update_slot { // One kernel: what its name says.
    char slot;            // 'a' or 'b'.
    char version[WEFT_UPDATE_VERSION_BYTES];
    int tries_left; // -1: it has no count.
    int tries_done; // -1: the count does not say.
};

// Reads a file's name. False if it is not one of ours.
bool weft_update_slot_parse(const char *name, struct weft_update_slot *slot);
// Writes the name.
void weft_update_slot_name(const struct weft_update_slot *slot, char name[WEFT_UPDATE_NAME_BYTES]);

enum weft_update_slot_state weft_update_slot_state(const struct weft_update_slot *slot);
// "empty", "fresh", "trying", "good", "aside", "failed".
const char *weft_update_slot_state_name(enum weft_update_slot_state state);

// Below 0 if the loader lists `a` before `b`.
int weft_update_slot_compare(const struct weft_update_slot *a, const struct weft_update_slot *b);

#endif // WEFT_UPDATE_SLOT_H
