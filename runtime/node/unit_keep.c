// What a unit sends to the journal: its state as of now, or that it is to be forgotten.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/node/journal_keeper.h"
#include "runtime/node/unit_actor.h"

bool weft_unit_actor_is_kept(const struct weft_unit_actor *unit)
{
    return unit->resident->recovery == WEFT_RECOVERY_JOURNAL && unit->worker->node->journal != NULL;
}

static struct weft_message *new_ask(struct weft_unit_actor *unit, enum weft_journal_request type,
                                    size_t bytes)
{
    struct weft_message *message = weft_message_alloc(
        &unit->worker->actors, (uint32_t)(sizeof(struct weft_journal_ask) + bytes));
    if (message == NULL) return NULL;
    message->to = weft_journal_keeper_pid(unit->worker->node->journal);
    message->from = unit->actor->pid;
    message->tag = WEFT_MESSAGE_USER;
    message->type = (uint16_t)type;
    struct weft_journal_ask *ask = (struct weft_journal_ask *)message->payload;
    memset(ask, 0, sizeof(*ask));
    ask->recovery = (uint8_t)unit->resident->recovery;
    snprintf(ask->name, sizeof(ask->name), "%s", unit->resident->name);
    snprintf(ask->source_name, sizeof(ask->source_name), "%.*s", WEFT_UNIT_NAME_MAX,
             unit->resident->file);
    return message;
}

int weft_unit_actor_keep(struct weft_unit_actor *unit, struct weft_span source, bool has_source)
{
    const size_t image_bytes = weft_unit_actor_image_bytes(unit);
    if (image_bytes > WEFT_UNIT_IMAGE_MAX || source.length > WEFT_UNIT_SOURCE_MAX) return -EMSGSIZE;
    struct weft_message *message =
        new_ask(unit, WEFT_JOURNAL_ASK_STATE, (has_source ? source.length : 0) + image_bytes);
    if (message == NULL) return -ENOMEM;
    struct weft_journal_ask *ask = (struct weft_journal_ask *)message->payload;
    ask->has_source = has_source;
    ask->source_bytes = has_source ? (uint32_t)source.length : 0;
    ask->image_bytes = (uint32_t)image_bytes;
    if (ask->source_bytes > 0) memcpy(ask->bytes, source.data, source.length);
    const int result =
        weft_unit_actor_image_write(unit, ask->bytes + ask->source_bytes, image_bytes);
    if (result == 0) return weft_actor_send(&unit->worker->actors, message);
    weft_message_release(&unit->worker->actors, message);
    return result;
}

int weft_unit_actor_forget(struct weft_unit_actor *unit)
{
    struct weft_message *message = new_ask(unit, WEFT_JOURNAL_ASK_GONE, 0);
    return message != NULL ? weft_actor_send(&unit->worker->actors, message) : -ENOMEM;
}
