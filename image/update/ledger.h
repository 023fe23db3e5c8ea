// ledger.h: what a node remembers of releases: how far back it may go, and which have failed.
//
// A text of lines, kept by the node in /data/state/releases:
//
//   floor VERSION          nothing older is installed
//   next VERSION FLOOR     VERSION was written to a slot; once it is good, FLOOR is the floor
//   failed VERSION         it was started and never became healthy
//
// Pure, but for the two that read and write a file.
#ifndef WEFT_UPDATE_LEDGER_H
#define WEFT_UPDATE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "image/update/version.h"
#include "runtime/base/error.h"

#define WEFT_UPDATE_FAILED_MAX 16 // The oldest is forgotten for the next.

struct weft_update_ledger {
    char floor[WEFT_UPDATE_VERSION_BYTES]; // Empty: none yet.
    char next[WEFT_UPDATE_VERSION_BYTES], next_floor[WEFT_UPDATE_VERSION_BYTES];
    char failed[WEFT_UPDATE_FAILED_MAX][WEFT_UPDATE_VERSION_BYTES]; // The oldest first.
    size_t failed_count;
};

// Reads the text. What is malformed is left out: a node with a damaged ledger must still take the
// update that mends it.
void weft_update_ledger_parse(const char *text, struct weft_update_ledger *ledger);
// Writes it, with a zero byte; 2 KiB hold any.
#define WEFT_UPDATE_LEDGER_BYTES_MAX 2048
size_t weft_update_ledger_print(const struct weft_update_ledger *ledger,
                                char text[WEFT_UPDATE_LEDGER_BYTES_MAX]);

// No file, or none that can be read, is an empty ledger.
void weft_update_ledger_read(const char *path, struct weft_update_ledger *ledger);
// Replaces the file, and is on the disk when it returns. 0, or -1 with W0906.
int weft_update_ledger_write(const char *path, const struct weft_update_ledger *ledger,
                             struct weft_error *error);

bool weft_update_ledger_has_failed(const struct weft_update_ledger *ledger, const char *version);
void weft_update_ledger_fail(struct weft_update_ledger *ledger, const char *version);
// `version` runs and is good: its floor counts from now on, and it has not failed.
void weft_update_ledger_bless(struct weft_update_ledger *ledger, const char *version);

#endif // WEFT_UPDATE_LEDGER_H
