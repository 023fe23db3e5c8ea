// Ties that anybody may have written: whole or refused, with what is wrong.
#include <errno.h>
#include <string.h>

#include <weft/message.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_ties_format.h"

#define MAIL_MAX 65536 // Messages in one mailbox.

struct checking {
    struct weft_span ties;
    const struct weft_unit_quota *whole;
    uint32_t children, channels, signals, lessons, mail, replies;
    uint32_t levels;                  // Bits: those that have a WAIT.
    uint64_t waits[WEFT_UNIT_LEVELS]; // And for which answer.
    bool in_channel, has_quota;
};

// For what the reply to `reference` is waited for: a kind of record, with `what` of a WAIT.
static bool is_waited_for(struct weft_span ties, uint64_t reference, bool *is_farewell,
                          uint16_t *what)
{
    struct weft_tie_record record;
    *is_farewell = false;
    *what = WEFT_UNIT_FOR_NOTHING;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_CHILD && record.y == reference) *is_farewell = true;
        if (record.kind != WEFT_TIE_WAIT || record.payload.length != 8) continue;
        if (record.b == WEFT_UNIT_FOR_CHILD && weft_le64_get(record.payload.data) == reference)
            *is_farewell = true;
        if (record.y == reference) *what = record.b;
    }
    return *is_farewell || *what != WEFT_UNIT_FOR_NOTHING;
}

static bool farewell_ok(struct weft_span payload)
{
    struct weft_unit_farewell farewell;
    if (payload.length != sizeof(farewell)) return false;
    memcpy(&farewell, payload.data, sizeof(farewell));
    return farewell.count <= WEFT_UNIT_RESULTS_MAX;
}

static const char *reply_wrong(struct checking *checking, const struct weft_tie_record *mail)
{
    bool is_farewell;
    uint16_t what;
    // Of each there is one at most; so a search for each costs little.
    if (++checking->replies > WEFT_UNIT_SPAWN_MAX + 2 * WEFT_UNIT_LEVELS)
        return "it has more answers than it has asked for";
    if (!is_waited_for(checking->ties, mail->y, &is_farewell, &what))
        return "it has an answer that it has not asked for";
    if (mail->b == WEFT_TIE_ERROR) {
        // 0 says that it went well, of what answers with nothing else.
        const bool has_answer =
            is_farewell || (what != WEFT_UNIT_FOR_ROOM && what != WEFT_UNIT_FOR_CLOSE);
        return mail->payload.length == 4 &&
                       (int32_t)weft_le32_get(mail->payload.data) <= (has_answer ? -1 : 0)
                   ? NULL
                   : "an answer of its mailbox is no error";
    }
    if (is_farewell && !farewell_ok(mail->payload)) return "the end of a child is no such thing";
    if (!is_farewell && what == WEFT_UNIT_FOR_CHILD && mail->payload.length != 8)
        return "the birth of a child is no such thing";
    return NULL;
}

static const char *mail_wrong(struct checking *checking, const struct weft_tie_record *mail)
{
    if (++checking->mail > MAIL_MAX) return "its mailbox is too long";
    switch (mail->a) {
    case WEFT_MESSAGE_USER:
    case WEFT_MESSAGE_TIMER: return NULL;
    case WEFT_MESSAGE_PORT:
        return mail->payload.length >= WEFT_TIE_FLOW_BYTES ? NULL : "a datagram is cut off";
    case WEFT_MESSAGE_REPLY: return reply_wrong(checking, mail);
    case WEFT_MESSAGE_DOWN:
    case WEFT_MESSAGE_EXIT: return mail->payload.length == 0 ? NULL : "an end has a payload";
    default: return "its mailbox has a message of no known kind";
    }
}

static const char *wait_wrong(struct checking *checking, const struct weft_tie_record *wait)
{
    const bool has_such = wait->b > WEFT_UNIT_FOR_NOTHING && wait->b <= WEFT_UNIT_FOR_CLOSE &&
                          wait->b != WEFT_UNIT_FOR_FAREWELL;
    if (wait->a >= WEFT_UNIT_LEVELS || wait->payload.length != 8 || !has_such)
        return "it waits for nothing that there is";
    if (checking->levels >> wait->a & 1) return "a text waits twice";
    for (uint32_t level = 0; level < WEFT_UNIT_LEVELS; level++) {
        if (checking->levels >> level & 1 && checking->waits[level] == wait->y)
            return "two texts wait for one answer";
    }
    checking->levels |= 1u << wait->a;
    checking->waits[wait->a] = wait->y;
    return NULL;
}

static const char *channel_wrong(struct checking *checking, const struct weft_tie_record *channel)
{
    if (++checking->channels > checking->whole->value[WEFT_QUOTA_CHANNELS])
        return "it has more channels than units.channels_max or its quota";
    if (channel->a > 1 || channel->y > UINT32_MAX / 2 || channel->x >> 63 != 0)
        return "a channel is no such thing";
    checking->in_channel = true;
    return NULL;
}

static const char *signal_wrong(struct checking *checking, bool is_whole)
{
    if (!is_whole) return "a timer, monitor or link is no such thing";
    return ++checking->signals <= WEFT_UNIT_SIGNALS_MAX + WEFT_UNIT_LEVELS
               ? NULL
               : "it has more timers, monitors and links than there may be";
}

static const char *quota_wrong(struct checking *checking, const struct weft_tie_record *record)
{
    if (record->payload.length != WEFT_UNIT_QUOTA_BYTES) return "its quotas are cut off";
    if (checking->has_quota) return "it has two sets of quotas";
    checking->has_quota = true;
    return NULL; // weft_unit_ties_quota has looked at the values.
}

static const char *record_wrong(struct checking *checking, const struct weft_tie_record *record)
{
    const size_t length = record->payload.length;
    const bool was_in_channel = checking->in_channel;
    checking->in_channel = was_in_channel && record->kind == WEFT_TIE_ITEM;
    switch ((enum weft_tie_record_kind)record->kind) {
    case WEFT_TIE_STATE:
        return record->b <= WEFT_UNIT_TEACHERS_ALL ? NULL : "it learns from nobody known";
    case WEFT_TIE_WAKE:
    case WEFT_TIE_LIMIT:
        return record->a < WEFT_UNIT_LEVELS ? NULL : "it has more texts than there may be";
    case WEFT_TIE_FLOW:
        return length == WEFT_TIE_FLOW_BYTES ? NULL : "the sender of its last datagram is cut off";
    case WEFT_TIE_WAIT: return wait_wrong(checking, record);
    case WEFT_TIE_CHILD:
        return ++checking->children <= checking->whole->value[WEFT_QUOTA_SPAWNED]
                   ? NULL
                   : "it has more children than units.spawned_max or its quota";
    case WEFT_TIE_CHANNEL: return channel_wrong(checking, record);
    case WEFT_TIE_ITEM: return was_in_channel ? NULL : "a message is in no channel";
    case WEFT_TIE_ALARM: return signal_wrong(checking, length >= 8);
    case WEFT_TIE_WATCH: return signal_wrong(checking, record->a <= 1);
    case WEFT_TIE_BOND: return signal_wrong(checking, true);
    case WEFT_TIE_MAIL: return mail_wrong(checking, record);
    case WEFT_TIE_LESSON:
        return ++checking->lessons <= WEFT_UNIT_LESSONS_MAX && length <= WEFT_UNIT_LESSON_BYTES_MAX
                   ? NULL
                   : "it has more, or longer, texts to evaluate than there may be";
    case WEFT_TIE_QUOTA: return quota_wrong(checking, record);
    case WEFT_TIE_KINDS: break;
    }
    return "it has a record of no known kind";
}

int weft_unit_ties_quota(struct weft_span ties, struct weft_unit_quota *quota)
{
    struct weft_tie_record record;
    *quota = (struct weft_unit_quota){0};
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind != WEFT_TIE_QUOTA) continue;
        if (record.payload.length != WEFT_UNIT_QUOTA_BYTES) return -EBADMSG;
        return weft_unit_quota_get(record.payload.data, quota);
    }
    return 0;
}

const char *weft_unit_ties_wrong(struct weft_span ties, const struct weft_unit_quota *whole)
{
    struct checking checking = {.ties = ties, .whole = whole};
    struct weft_tie_record record;
    size_t at = 0;
    while (weft_tie_read(ties, &at, &record)) {
        const char *wrong = record_wrong(&checking, &record);
        if (wrong != NULL) return wrong;
    }
    return at == ties.length ? NULL : "it is cut off in the middle of a record";
}

void weft_unit_ties_children(struct weft_span ties,
                             void (*see)(void *argument, uint64_t child, uint64_t reference),
                             void *argument)
{
    struct weft_tie_record record, mail;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_CHILD) see(argument, record.x, record.y);
        if (record.kind != WEFT_TIE_WAIT || record.b != WEFT_UNIT_FOR_CHILD) continue;
        // It has been born, and its parent has not looked.
        for (size_t n = 0; weft_tie_read(ties, &n, &mail);) {
            if (mail.kind == WEFT_TIE_MAIL && mail.a == WEFT_MESSAGE_REPLY && mail.y == record.y &&
                mail.b != WEFT_TIE_ERROR && mail.payload.length == 8)
                see(argument, weft_le64_get(mail.payload.data), weft_le64_get(record.payload.data));
        }
    }
}
