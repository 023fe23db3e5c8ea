// Ties that anybody may have written: whole or refused, with what is wrong.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weft/message.h>

#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_signals.h"
#include "runtime/node/unit_ties_format.h"

#define ON_ITS_WAY_MAX 65536 // As runtime/actor/mailbox.c has it: beyond four times the limit.

// ---- The answers that it may have.

struct awaited { // One answer.
    uint64_t reference;
    uint16_t what; // Of a WAIT; FAREWELL: the end of a child.
    bool has_come;
};

struct checking {
    const struct weft_unit_bounds *bounds;
    uint32_t children, channels, signals, bonds, lessons, dead;
    uint64_t mail;
    struct awaited *awaited; // By their references.
    size_t awaited_count;
    uint32_t levels; // Bits: those that have a WAIT.
    bool in_channel, has_quota, has_founder, has_issue;
};

static uint64_t quota(const struct checking *checking, enum weft_unit_quota_kind kind)
{
    return checking->bounds->whole.value[kind];
}

// What `record` waits for, into `to` (room for two), or only how many that is.
static size_t awaited_by(const struct weft_tie_record *record, struct awaited *to)
{
    struct awaited found[2];
    size_t count = 0;
    if (record->kind == WEFT_TIE_CHILD)
        found[count++] = (struct awaited){record->y, WEFT_UNIT_FOR_FAREWELL, false};
    if (record->kind == WEFT_TIE_WAIT && record->payload.length == 8) {
        found[count++] = (struct awaited){record->y, record->b, false};
        if (record->b == WEFT_UNIT_FOR_CHILD)
            found[count++] = (struct awaited){weft_le64_get(record->payload.data),
                                              WEFT_UNIT_FOR_FAREWELL, false};
    }
    if (to != NULL) memcpy(to, found, count * sizeof(*found));
    return count;
}

static int by_reference(const void *a, const void *b)
{
    const uint64_t x = ((const struct awaited *)a)->reference;
    const uint64_t y = ((const struct awaited *)b)->reference;
    return x < y ? -1 : x > y;
}

static void swap(struct awaited *a, struct awaited *b)
{
    const struct awaited kept = *a;
    *a = *b;
    *b = kept;
}

static void sink(struct awaited *list, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && list[child].reference < list[child + 1].reference) child++;
        if (list[at].reference >= list[child].reference) return;
        swap(&list[at], &list[child]);
    }
}

// Heapsort (Williams 1964): in place, for a worker asks nobody for memory; and no order of an image
// makes it slow.
static void sort(struct awaited *list, size_t count)
{
    for (size_t at = count / 2; at-- > 0;)
        sink(list, at, count);
    while (count > 1) {
        swap(&list[0], &list[--count]);
        sink(list, 0, count);
    }
}

// How many there are, or, with room for them, all, in order.
static size_t list_awaited(struct weft_span ties, struct awaited *list)
{
    struct weft_tie_record record;
    size_t count = 0;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);)
        count += awaited_by(&record, list != NULL ? list + count : NULL);
    if (list != NULL) sort(list, count);
    return count;
}

// Each answer is looked at as what one thing waits for, so no two wait for the same.
static bool are_apart(const struct awaited *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (list[i].reference == list[i - 1].reference) return false;
    }
    return count == 0 || list[0].reference != 0;
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
    const struct awaited key = {.reference = mail->y};
    struct awaited *awaited =
        bsearch(&key, checking->awaited, checking->awaited_count, sizeof(key), by_reference);
    if (awaited == NULL) return "it has an answer that it has not asked for";
    if (awaited->has_come) return "it has an answer twice";
    awaited->has_come = true;
    const bool is_farewell = awaited->what == WEFT_UNIT_FOR_FAREWELL;
    if (mail->b == WEFT_TIE_ERROR) {
        // 0 says that it went well, of what answers with nothing else.
        const bool has_answer =
            awaited->what != WEFT_UNIT_FOR_ROOM && awaited->what != WEFT_UNIT_FOR_CLOSE;
        return mail->payload.length == 4 &&
                       (int32_t)weft_le32_get(mail->payload.data) <= (has_answer ? -1 : 0)
                   ? NULL
                   : "an answer of its mailbox is no error";
    }
    if (is_farewell && !farewell_ok(mail->payload)) return "the end of a child is no such thing";
    if (awaited->what == WEFT_UNIT_FOR_CHILD && mail->payload.length != 8)
        return "the birth of a child is no such thing";
    return NULL;
}

static const char *mail_wrong(struct checking *checking, const struct weft_tie_record *mail)
{
    if (mail->a == WEFT_MESSAGE_REPLY) return reply_wrong(checking, mail);
    const uint64_t limit = quota(checking, WEFT_QUOTA_MAILBOX);
    if (++checking->mail > 4 * limit + ON_ITS_WAY_MAX + WEFT_UNIT_SIGNALS_MAX)
        return "its mailbox is longer than units.mailbox or its quota lets it be";
    switch (mail->a) {
    case WEFT_MESSAGE_USER:
    case WEFT_MESSAGE_TIMER: return NULL;
    case WEFT_MESSAGE_PORT:
        return mail->payload.length >= WEFT_TIE_FLOW_BYTES ? NULL : "a datagram is cut off";
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
    checking->levels |= 1u << wait->a;
    return NULL;
}

static const char *channel_wrong(struct checking *checking, const struct weft_tie_record *channel)
{
    if (++checking->channels > quota(checking, WEFT_QUOTA_CHANNELS))
        return "it has more channels than units.channels_max or its quota";
    if (channel->a > 1 || channel->y > UINT32_MAX / 2 || channel->x >> 63 != 0)
        return "a channel is no such thing";
    checking->in_channel = true;
    return NULL;
}

static const char *signal_wrong(struct checking *checking, bool is_whole)
{
    if (!is_whole) return "a timer or monitor is no such thing";
    return ++checking->signals <= WEFT_UNIT_SIGNALS_MAX + WEFT_UNIT_LEVELS
               ? NULL
               : "it has more timers and monitors than there may be";
}

// Its own, and those that others have made: one of each at most.
static const char *bond_wrong(struct checking *checking)
{
    return ++checking->bonds <= WEFT_UNIT_SIGNALS_MAX + checking->bounds->others
               ? NULL
               : "it has more links than the node has room for actors";
}

static const char *quota_wrong(struct checking *checking, const struct weft_tie_record *record)
{
    if (record->payload.length != WEFT_UNIT_QUOTA_BYTES) return "its quotas are cut off";
    if (checking->has_quota) return "it has two sets of quotas";
    checking->has_quota = true;
    return NULL; // weft_unit_ties_quota has looked at the values.
}

static const char *family_wrong(struct checking *checking, const struct weft_tie_record *record)
{
    if (checking->has_founder || record->x >> 63 != 0) return "its founder is no such thing";
    checking->has_founder = true;
    return NULL;
}

static const char *issue_wrong(struct checking *checking, const struct weft_tie_record *record)
{
    if (checking->has_issue || record->y >> 63 != 0)
        return "its place in a family is no such thing";
    checking->has_issue = true;
    return NULL;
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
        return ++checking->children <= quota(checking, WEFT_QUOTA_SPAWNED)
                   ? NULL
                   : "it has more children than units.spawned_max or its quota";
    case WEFT_TIE_CHANNEL: return channel_wrong(checking, record);
    case WEFT_TIE_ITEM:
        if (record->b == WEFT_TIE_ERROR) return "a message of a channel is an error";
        return was_in_channel ? NULL : "a message is in no channel";
    case WEFT_TIE_ALARM: return signal_wrong(checking, length >= 8);
    case WEFT_TIE_WATCH: return signal_wrong(checking, record->a <= 1);
    case WEFT_TIE_BOND: return bond_wrong(checking);
    case WEFT_TIE_MAIL: return mail_wrong(checking, record);
    case WEFT_TIE_LESSON:
        return ++checking->lessons <= WEFT_UNIT_LESSONS_MAX && length <= WEFT_UNIT_LESSON_BYTES_MAX
                   ? NULL
                   : "it has more, or longer, texts to evaluate than there may be";
    case WEFT_TIE_QUOTA: return quota_wrong(checking, record);
    case WEFT_TIE_FAMILY: return family_wrong(checking, record);
    case WEFT_TIE_ISSUE: return issue_wrong(checking, record);
    case WEFT_TIE_DEAD:
        return ++checking->dead <= WEFT_UNIT_DEAD_FACTOR * quota(checking, WEFT_QUOTA_SPAWNED)
                   ? NULL
                   : "it has heard of more ends than it could have children";
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

uint64_t weft_unit_ties_founder(struct weft_span ties)
{
    struct weft_tie_record record;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_FAMILY) return record.x;
    }
    return 0;
}

struct weft_unit_issue weft_unit_ties_issue(struct weft_span ties)
{
    struct weft_tie_record record;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_ISSUE)
            return (struct weft_unit_issue){.serial = record.x, .root = record.y};
    }
    return (struct weft_unit_issue){0};
}

void weft_unit_ties_dead(struct weft_span ties, void (*see)(void *argument, uint64_t child),
                         void *argument)
{
    struct weft_tie_record record;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_DEAD) see(argument, record.x);
    }
}

static const char *ties_wrong(struct weft_span ties, struct checking *checking)
{
    struct weft_tie_record record;
    size_t at = 0;
    while (weft_tie_read(ties, &at, &record)) {
        const char *wrong = record_wrong(checking, &record);
        if (wrong != NULL) return wrong;
    }
    return at == ties.length ? NULL : "it is cut off in the middle of a record";
}

int weft_unit_ties_check(struct weft_span ties, const struct weft_unit_bounds *bounds,
                         struct weft_arena *arena, const char **wrong)
{
    struct checking checking = {.bounds = bounds, .awaited_count = list_awaited(ties, NULL)};
    // More than there may be are refused before anybody looks for one of them.
    const uint64_t awaited_max =
        bounds->whole.value[WEFT_QUOTA_SPAWNED] + 2 * (uint64_t)WEFT_UNIT_LEVELS;
    *wrong = "it has more children than units.spawned_max or its quota";
    if (checking.awaited_count > awaited_max) return -EBADMSG;
    const size_t bytes = checking.awaited_count * sizeof(*checking.awaited);
    if (bytes > 0) {
        checking.awaited = weft_arena_alloc(arena, bytes);
        *wrong = NULL;
        if (checking.awaited == NULL) return -ENOMEM;
        list_awaited(ties, checking.awaited);
    }
    *wrong = are_apart(checking.awaited, checking.awaited_count)
                 ? ties_wrong(ties, &checking)
                 : "two texts or children wait for one answer";
    if (bytes > 0) weft_arena_release(arena, checking.awaited, bytes);
    return *wrong == NULL ? 0 : -EBADMSG;
}

// The child that has been born, in an answer that its parent has not looked at; 0: there is none.
static uint64_t newborn(struct weft_span ties, uint64_t reference)
{
    struct weft_tie_record mail;
    for (size_t at = 0; weft_tie_read(ties, &at, &mail);) {
        if (mail.kind == WEFT_TIE_MAIL && mail.a == WEFT_MESSAGE_REPLY && mail.y == reference &&
            mail.b != WEFT_TIE_ERROR && mail.payload.length == 8)
            return weft_le64_get(mail.payload.data);
    }
    return 0;
}

void weft_unit_ties_children(struct weft_span ties,
                             void (*see)(void *argument, uint64_t child, uint64_t reference),
                             void *argument)
{
    struct weft_tie_record record;
    uint32_t waits = 0;
    for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_CHILD) see(argument, record.x, record.y);
        if (record.kind != WEFT_TIE_WAIT || record.b != WEFT_UNIT_FOR_CHILD ||
            record.payload.length != 8 || waits++ >= WEFT_UNIT_LEVELS)
            continue;
        const uint64_t child = newborn(ties, record.y);
        if (child != 0) see(argument, child, weft_le64_get(record.payload.data));
    }
}
