// writer.h: puts a release into the slot that does not run, so that a power cut at any moment
// leaves a disk that starts.
//
// In this order, each step on the disk before the next begins:
//
//   1. the manifest is verified and fits this node        nothing has been touched
//   2. the other slot's kernels are removed from the ESP  it cannot be started any more
//   3. root and verity are written, read back, compared   nobody starts them yet
//   4. its kernel is written under a name that the loader ignores, read back, and renamed
//   5. only if it would sort behind the running slot (an older release, put in by force): the
//      running slot's kernel is copied to a name that stands back, and the old name removed
//
// Until 4 the loader knows the running slot alone, and the running slot's own partitions are never
// written. After 4 the new one has WEFT_UPDATE_TRIES tries, and then the running one is started
// again (slot.h).
//
// Core: any thread that may block. Memory: malloc, for one kernel.
#ifndef WEFT_UPDATE_WRITER_H
#define WEFT_UPDATE_WRITER_H

#include "image/update/bundle.h"
#include "image/update/ledger.h"
#include "image/update/medium.h"

#define WEFT_UPDATE_UKI_BYTES_MAX (128u << 20) // One on Debian's kernel has its drivers in it.

struct weft_update_node { // Who is to be updated.
    char running;         // Its slot: 'a' or 'b'.
    char version[WEFT_UPDATE_VERSION_BYTES];
    char arch[16];
};

struct weft_update_writer {
    struct weft_update_node node;
    struct weft_update_medium medium;
    struct weft_update_ledger *ledger;
    // Keeps the ledger for the next start. 0, or -1 with `error`.
    int (*keep)(void *self, const struct weft_update_ledger *ledger, struct weft_error *error);
    void *keep_self;
    bool force; // Older than the floor, or failed before: all the same.
    struct weft_update_manifest manifest;
    uint8_t *uki;
    bool begun;
};

// `ledger` outlives it. `writer` is otherwise all zero and filled by the caller: node, medium,
// ledger, keep, force. What a reader (bundle.h) hands its bytes to:
struct weft_update_taker weft_update_writer_taker(struct weft_update_writer *writer);
// The reader's end has come and was good: steps 3 (the comparison) to 5. 0, or -1 with W0906.
int weft_update_writer_finish(struct weft_update_writer *writer, struct weft_error *error);
void weft_update_writer_destroy(struct weft_update_writer *writer);

// Would this release be taken? 0, or -1 with W0904 (not for this node), W0905 (not now).
int weft_update_writer_check(const struct weft_update_writer *writer,
                             const struct weft_update_manifest *manifest, struct weft_error *error);

// What the slots hold: slots[0] is a, slots[1] is b; of several kernels of one slot the one that
// the loader would take. An empty slot has an empty version.
void weft_update_slots_read(const struct weft_update_medium *medium,
                            struct weft_update_slot slots[2]);

// Takes over into the ledger what the slots show: a release that failed, and that the running one
// has proved good. It is not kept here.
void weft_update_learn(const struct weft_update_medium *medium, const struct weft_update_node *node,
                       struct weft_update_ledger *ledger);

// Makes the other slot the one that starts next: with tries, as after an update. 0, or -1 with
// W0904 (it is empty or has failed), W0905, W0906.
int weft_update_roll_back(const struct weft_update_medium *medium,
                          const struct weft_update_node *node, struct weft_error *error);

#endif // WEFT_UPDATE_WRITER_H
