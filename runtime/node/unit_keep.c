// unit_keep.c: what a unit sends to the journal: its state as of now, or that it is to be
// forgotten.
//
// A load and an evaluation wait for it. Between them a unit that has changed is written down at
// most every unit_keep_ns, the less often the larger it is, and never while the last time is still
// on its way to the disk: so what it costs is bounded by its size and by what the disk takes.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/node/journal_keeper.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_internal.h"

#define NS_PER_BYTE 250 // Of an image: 4 MB a second, and no more, for one unit.

enum weft_unit_save { SAVE_NOT, SAVE_WANTED, SAVE_ASKED, SAVE_DONE };

bool weft_unit_actor_is_kept(const struct weft_unit_actor *unit)
{
    if (unit->worker->node->journal == NULL) return false;
    return unit->root != 0 || unit->resident->recovery == WEFT_RECOVERY_JOURNAL;
}

// A spawned unit is known as it was at its birth: its id may have been taken since by a newborn.
void weft_unit_actor_journal_name(const struct weft_unit_actor *unit,
                                  char name[WEFT_UNIT_NAME_MAX + 1])
{
    if (unit->root != 0)
        weft_unit_family_name(unit->old_id != 0 ? unit->old_id : unit->id, name);
    else
        snprintf(name, WEFT_UNIT_NAME_MAX + 1, "%s", unit->resident->name);
}

static struct weft_message *new_message(struct weft_node_worker *worker,
                                        enum weft_journal_request type, size_t bytes)
{
    struct weft_message *message =
        weft_message_alloc(&worker->actors, (uint32_t)(sizeof(struct weft_journal_ask) + bytes));
    if (message == NULL) return NULL;
    message->to = weft_journal_keeper_pid(worker->node->journal);
    message->tag = WEFT_MESSAGE_USER;
    message->type = (uint16_t)type;
    memset(message->payload, 0, sizeof(struct weft_journal_ask));
    return message;
}

static struct weft_message *new_ask(struct weft_unit_actor *unit, enum weft_journal_request type,
                                    size_t bytes)
{
    struct weft_message *message = new_message(unit->worker, type, bytes);
    if (message == NULL) return NULL;
    message->from = unit->actor->pid;
    struct weft_journal_ask *ask = (struct weft_journal_ask *)message->payload;
    ask->recovery = WEFT_RECOVERY_JOURNAL;
    ask->is_child = unit->root != 0;
    ask->has_family = unit->family != NULL && unit->family->serial != 0;
    weft_unit_actor_journal_name(unit, ask->name);
    snprintf(ask->source_name, sizeof(ask->source_name), "%.*s", WEFT_UNIT_NAME_MAX,
             unit->resident->file);
    return message;
}

static int send(struct weft_unit_actor *unit, struct weft_message *message)
{
    const int result = weft_actor_send(&unit->worker->actors, message);
    if (result == 0) unit->asked++;
    return result;
}

// It stands in the journal as it is now.
static void is_written(struct weft_unit_actor *unit, size_t image_bytes)
{
    const uint64_t pause_ns = unit->worker->node->options.unit_keep_ns;
    const uint64_t least_ns = (uint64_t)image_bytes * NS_PER_BYTE;
    unit->is_journaled = true;
    unit->is_dirty = false;
    unit->kept_mail = unit->actor->mailbox_count;
    unit->keep_due_ns = unit->worker->core.now_ns + (pause_ns > least_ns ? pause_ns : least_ns);
}

// Its state as of now, with this source. NULL with a negative errno in *result.
static struct weft_message *new_record(struct weft_unit_actor *unit, struct weft_span source,
                                       bool has_source, int *result)
{
    const size_t image_bytes = weft_unit_actor_image_bytes(unit);
    *result = -EMSGSIZE;
    if (image_bytes > WEFT_UNIT_IMAGE_MAX || source.length > WEFT_UNIT_SOURCE_MAX) return NULL;
    struct weft_message *message =
        new_ask(unit, WEFT_JOURNAL_ASK_STATE, (has_source ? source.length : 0) + image_bytes);
    *result = -ENOMEM;
    if (message == NULL) return NULL;
    struct weft_journal_ask *ask = (struct weft_journal_ask *)message->payload;
    ask->has_source = has_source;
    ask->source_bytes = has_source ? (uint32_t)source.length : 0;
    ask->image_bytes = (uint32_t)image_bytes;
    if (ask->source_bytes > 0) memcpy(ask->bytes, source.data, source.length);
    *result = weft_unit_actor_image_write(unit, ask->bytes + ask->source_bytes, image_bytes);
    if (*result == 0) return message;
    weft_message_release(&unit->worker->actors, message);
    return NULL;
}

static size_t image_bytes_of(const struct weft_message *record)
{
    return ((const struct weft_journal_ask *)record->payload)->image_bytes;
}

int weft_unit_actor_keep(struct weft_unit_actor *unit, struct weft_span source, bool has_source)
{
    int result;
    struct weft_message *message = new_record(unit, source, has_source, &result);
    if (message == NULL) return result;
    const size_t image_bytes = image_bytes_of(message);
    result = send(unit, message);
    if (result != 0) return result;
    is_written(unit, image_bytes);
    weft_unit_family_sent(unit);
    return 0;
}

struct weft_message *weft_unit_actor_first_record(struct weft_unit_actor *unit, const char *parent,
                                                  uint64_t serial, int *result)
{
    struct weft_journal_birth birth = {.root_id = unit->root, .origin.serial = serial};
    snprintf(birth.origin.parent, sizeof(birth.origin.parent), "%s", parent);
    snprintf(birth.origin.root, sizeof(birth.origin.root), "%s", weft_label(unit->actor));
    struct weft_message *message =
        new_record(unit, weft_span_of(&birth, sizeof(birth)), true, result);
    if (message == NULL) return NULL;
    unit->keep_ask = ++unit->asked;
    unit->is_new_record = true;
    is_written(unit, image_bytes_of(message));
    weft_unit_family_sent(unit);
    return message;
}

void weft_unit_actor_keep_no_more(struct weft_unit_actor *unit)
{
    struct weft_message *message =
        unit->is_journaled ? new_ask(unit, WEFT_JOURNAL_ASK_ENDED, 0) : NULL;
    if (message != NULL) weft_actor_send(&unit->worker->actors, message);
}

void weft_unit_actor_was_kept(struct weft_node_worker *worker, weft_pid pid)
{
    struct weft_message *message = new_message(worker, WEFT_JOURNAL_ASK_ENDED, 0);
    if (message == NULL) return;
    struct weft_journal_ask *ask = (struct weft_journal_ask *)message->payload;
    weft_unit_family_name(weft_unit_ids_id(&worker->node->ids, pid), ask->name);
    message->from = 0;
    weft_actor_send(&worker->actors, message);
}

int weft_unit_actor_forget(struct weft_unit_actor *unit)
{
    struct weft_message *message = new_ask(unit, WEFT_JOURNAL_ASK_GONE, 0);
    return message != NULL ? send(unit, message) : -ENOMEM;
}

// ---- By itself.

static bool may_keep(const struct weft_unit_actor *unit)
{
    return unit->is_journaled && unit->keep_ask == 0 && !unit->leaving && !unit->ending &&
           !unit->is_held && !weft_unit_family_is_gathering(unit);
}

uint64_t weft_unit_actor_keep_due_ns(const struct weft_unit_actor *unit)
{
    const bool is_on = unit->worker->node->options.unit_keep_ns != 0;
    return is_on && unit->is_dirty && may_keep(unit) ? unit->keep_due_ns : UINT64_MAX;
}

void weft_unit_actor_keep_soon(struct weft_unit_actor *unit)
{
    unit->is_dirty = true;
    unit->keep_due_ns = 0;
}

void weft_unit_actor_keep_later(struct weft_unit_actor *unit, uint64_t delay_ns)
{
    const uint64_t due_ns = unit->worker->core.now_ns + delay_ns;
    unit->is_dirty = true;
    if (unit->keep_due_ns < due_ns) unit->keep_due_ns = due_ns;
    weft_unit_actor_arm(unit);
}

static int32_t ior_of(int result)
{
    switch (result) {
    case 0: return 0;
    case -ENOMEM: return WEFT_THROW_ALLOCATE;
    case -EMSGSIZE: return WEFT_THROW_TOO_LONG;
    default: return WEFT_THROW_FULL;
    }
}

bool weft_unit_actor_is_saving(const struct weft_unit_actor *unit)
{
    return unit->save == SAVE_WANTED;
}

void weft_unit_actor_keep_turn(struct weft_unit_actor *unit)
{
    const bool is_due = weft_unit_actor_keep_due_ns(unit) <= unit->worker->core.now_ns;
    const bool wants =
        unit->save == SAVE_WANTED || (unit->family != NULL && unit->family->wants_record);
    const bool is_wanted = wants && may_keep(unit);
    if (!is_due && !is_wanted) return;
    if (!weft_unit_family_gather(unit)) return; // It is written once that has ended.
    const int result = weft_unit_actor_keep(unit, weft_span_of(NULL, 0), false);
    if (result == 0) {
        unit->keep_ask = unit->asked;
        if (unit->save == SAVE_WANTED) unit->save = SAVE_ASKED;
        return;
    }
    // One that has grown too large, or for which there is no memory, is tried again later.
    if (unit->family != NULL) unit->family->wants_record = false;
    unit->keep_due_ns = unit->worker->core.now_ns + unit->worker->node->options.unit_keep_ns;
    if (unit->save != SAVE_WANTED) return;
    unit->save = SAVE_DONE;
    unit->save_ior = ior_of(result);
    weft_unit_actor_wake(unit);
}

bool weft_unit_actor_kept(struct weft_unit_actor *unit, int result)
{
    unit->answered++;
    weft_unit_family_answered(unit, result);
    if (result == -ENOENT && unit->root != 0) { // Its family is not in the journal any more.
        unit->root = 0;
        unit->is_journaled = false;
        if (unit->save == SAVE_WANTED) weft_unit_actor_save_refused(unit);
    }
    if (unit->keep_ask == 0 || unit->keep_ask != unit->answered) return false;
    unit->keep_ask = 0;
    if (unit->is_new_record && result != 0) {
        unit->is_journaled = false;
        if (unit->save == SAVE_WANTED) unit->save = SAVE_ASKED; // It is told below.
        if (unit->root != 0) weft_unit_family_return(unit);
    }
    unit->is_new_record = false;
    if (unit->save == SAVE_ASKED) {
        unit->save = SAVE_DONE;
        unit->save_ior = ior_of(result);
    }
    if (unit->save != SAVE_NOT)
        weft_unit_actor_wake(unit);
    else
        weft_unit_actor_arm(unit);
    return true;
}

// One that has spawned others is written down at once, and with them when they are.
void weft_unit_actor_keep_adopted(struct weft_unit_actor *unit)
{
    if (weft_unit_actor_keep(unit, weft_span_of(NULL, 0), true) != 0) return;
    unit->keep_ask = unit->asked;
    if (unit->family != NULL) weft_unit_actor_keep_soon(unit);
}

// ---- UNIT-SAVE. The image is taken when the text has parked there, so it goes on behind it.

void weft_unit_actor_save_refused(struct weft_unit_actor *unit)
{
    if (unit->save != SAVE_WANTED) return;
    unit->save = SAVE_DONE;
    unit->save_ior = WEFT_THROW_NOBODY;
    weft_unit_actor_wake(unit);
}

static int32_t save(void *self, uint32_t level)
{
    struct weft_unit_actor *unit = self;
    const bool is_own = unit->save_level == level;
    if (!weft_unit_actor_is_kept(unit) && (!is_own || unit->save == SAVE_NOT))
        return WEFT_THROW_NOBODY;
    if (is_own && unit->save == SAVE_DONE) {
        unit->save = SAVE_NOT;
        return unit->save_ior;
    }
    // One that the journal has not is written down with its parent's next record, and then again.
    const bool is_first = unit->root != 0 && !unit->is_journaled && unit->save == SAVE_NOT;
    if (is_first && !weft_unit_family_ask_parent(unit)) return WEFT_THROW_NOBODY;
    // A text above that is done before this one goes on has the last word.
    if (!is_own || unit->save == SAVE_NOT) unit->save = SAVE_WANTED;
    unit->save_level = (uint8_t)level;
    return WEFT_UNIT_LATER;
}

void weft_unit_keep_host(struct weft_unit_host *host)
{
    host->save = save;
}
