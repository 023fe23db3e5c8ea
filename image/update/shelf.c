#include "image/update/shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/writer.h"

#define UNFINISHED "weft-update.tmp" // No .efi: the loader does not list it.

static int fail(struct weft_error *error, const char *doing, const char *name, int result)
{
    return weft_error_set(error, 906, "%s %s on the ESP: %s", doing, name, strerror(-result));
}

void weft_update_slots_read(const struct weft_update_medium *medium,
                            struct weft_update_slot slots[2])
{
    char name[WEFT_UPDATE_NAME_BYTES];
    struct weft_update_slot found;

    for (int i = 0; i < 2; i++)
        slots[i] =
            (struct weft_update_slot){.slot = (char)('a' + i), .tries_left = -1, .tries_done = -1};
    for (uint32_t i = 0; medium->file_at(medium->self, i, name); i++) {
        if (!weft_update_slot_parse(name, &found)) continue;
        struct weft_update_slot *slot = &slots[found.slot - 'a'];
        if (slot->version[0] == '\0' || weft_update_slot_compare(&found, slot) < 0) *slot = found;
    }
}

void weft_update_learn(const struct weft_update_medium *medium, const struct weft_update_node *node,
                       struct weft_update_ledger *ledger)
{
    struct weft_update_slot slots[2];

    weft_update_slots_read(medium, slots);
    const struct weft_update_slot *away = &slots[node->running == 'a'];
    if (weft_update_slot_state(away) == WEFT_SLOT_FAILED)
        weft_update_ledger_fail(ledger, away->version);
    if (weft_update_shelf_settled(medium, node, NULL) == 0)
        weft_update_ledger_bless(ledger, node->version);
}

int weft_update_shelf_settled(const struct weft_update_medium *medium,
                              const struct weft_update_node *node, struct weft_error *error)
{
    struct weft_update_slot slots[2];

    weft_update_slots_read(medium, slots);
    const struct weft_update_slot *running = &slots[node->running - 'a'];
    const enum weft_update_slot_state state = weft_update_slot_state(running);
    if (strcmp(running->version, node->version) == 0 &&
        (state == WEFT_SLOT_GOOD || state == WEFT_SLOT_ASIDE))
        return 0;
    weft_error_set(error, 905, "release %s in slot %c has not proved good yet", node->version,
                   node->running);
    weft_error_hint(error, "a node is good once /readyz answers yes, within 120 s of its start");
    return -1;
}

// Removes what `is_theirs` picks. The list may change under a removal, so it is walked anew.
static int remove_all(const struct weft_update_medium *medium,
                      bool (*is_theirs)(const char *name, const void *which), const void *which,
                      struct weft_error *error)
{
    char name[WEFT_UPDATE_NAME_BYTES];

    for (uint32_t i = 0; medium->file_at(medium->self, i, name);) {
        if (!is_theirs(name, which)) {
            i++;
            continue;
        }
        const int result = medium->file_remove(medium->self, name);
        if (result != 0) return fail(error, "removing", name, result);
        i = 0;
    }
    const int result = medium->files_sync(medium->self);
    return result == 0 ? 0 : fail(error, "removing", "a kernel", result);
}

static bool is_of_slot(const char *name, const void *slot)
{
    struct weft_update_slot found;

    return strcmp(name, UNFINISHED) == 0 ||
           (weft_update_slot_parse(name, &found) && found.slot == *(const char *)slot);
}

int weft_update_shelf_clear(const struct weft_update_medium *medium, char slot,
                            struct weft_error *error)
{
    return remove_all(medium, is_of_slot, &slot, error);
}

// Reads a file back and compares it.
static int compare(const struct weft_update_medium *medium, const char *name, const uint8_t *bytes,
                   size_t length)
{
    uint8_t *copy = NULL;
    size_t copy_length = 0;
    const int result = medium->file_read(medium->self, name, length, &copy, &copy_length);

    if (result != 0) return result;
    const bool same = copy_length == length && memcmp(copy, bytes, length) == 0;
    free(copy);
    return same ? 0 : -EIO;
}

int weft_update_shelf_put(const struct weft_update_medium *medium,
                          const struct weft_update_slot *slot, const uint8_t *bytes, size_t length,
                          struct weft_error *error)
{
    char name[WEFT_UPDATE_NAME_BYTES];

    weft_update_slot_name(slot, name);
    int result = medium->file_write(medium->self, UNFINISHED, bytes, length);
    if (result == 0) result = medium->files_sync(medium->self);
    if (result == 0) result = compare(medium, UNFINISHED, bytes, length);
    if (result == 0) result = medium->file_rename(medium->self, UNFINISHED, name);
    if (result == 0) result = medium->files_sync(medium->self);
    return result == 0 ? 0 : fail(error, "writing", name, result);
}

// The kernel `from` under the name of `to`, and then no longer under its own.
static int move(const struct weft_update_medium *medium, const struct weft_update_slot *from,
                const struct weft_update_slot *to, struct weft_error *error)
{
    char old_name[WEFT_UPDATE_NAME_BYTES];
    uint8_t *bytes = NULL;
    size_t length = 0;

    weft_update_slot_name(from, old_name);
    int result =
        medium->file_read(medium->self, old_name, WEFT_UPDATE_UKI_BYTES_MAX, &bytes, &length);
    if (result != 0) return fail(error, "reading", old_name, result);
    const int put = weft_update_shelf_put(medium, to, bytes, length, error);
    free(bytes);
    if (put != 0) return -1;
    result = medium->file_remove(medium->self, old_name);
    if (result == 0) result = medium->files_sync(medium->self);
    return result == 0 ? 0 : fail(error, "removing", old_name, result);
}

int weft_update_shelf_prefer(const struct weft_update_medium *medium,
                             const struct weft_update_slot *first, struct weft_error *error)
{
    struct weft_update_slot slots[2];

    for (;;) { // A slot may have two kernels, if power was cut while one was moved.
        weft_update_slots_read(medium, slots);
        const struct weft_update_slot *rival = &slots[first->slot == 'a'];
        if (rival->version[0] == '\0' || weft_update_slot_compare(first, rival) < 0) return 0;
        struct weft_update_slot aside = *rival;
        aside.tries_left = 0;
        aside.tries_done = -1;
        if (move(medium, rival, &aside, error) != 0) return -1;
    }
}

int weft_update_roll_back(const struct weft_update_medium *medium,
                          const struct weft_update_node *node, struct weft_error *error)
{
    struct weft_update_slot slots[2];

    if (weft_update_shelf_settled(medium, node, error) != 0) return -1;
    weft_update_slots_read(medium, slots);
    const struct weft_update_slot *away = &slots[node->running == 'a'];
    const enum weft_update_slot_state state = weft_update_slot_state(away);
    if (state == WEFT_SLOT_EMPTY)
        return weft_error_set(error, 904, "slot %c is empty: there is nothing to go back to",
                              away->slot);
    if (state == WEFT_SLOT_FAILED)
        return weft_error_set(error, 904, "release %s in slot %c did not become healthy before",
                              away->version, away->slot);
    struct weft_update_slot fresh = *away;
    if (state == WEFT_SLOT_ASIDE) { // It was good once; it has to prove it again.
        fresh.tries_left = WEFT_UPDATE_TRIES;
        if (move(medium, away, &fresh, error) != 0) return -1;
    }
    return weft_update_shelf_prefer(medium, &fresh, error);
}
