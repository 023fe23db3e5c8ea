// What a unit has to do with others, written down. The same walk counts and writes.
#include "runtime/node/unit_ties.h"

#include <errno.h>
#include <string.h>

#include <weft/message.h>

#include "runtime/actor/ties.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_limits.h"
#include "runtime/node/unit_signals.h"
#include "runtime/node/unit_ties_format.h"

struct writer {
    struct weft_unit_actor *unit;
    uint8_t *at; // NULL: only counted.
    size_t bytes;
    uint64_t tick; // Of a timer whose message is looked for,
    struct weft_span tick_payload;
};

// A record whose payload is `first`, then `rest`.
static void put(struct writer *writer, struct weft_tie_record record, struct weft_span rest)
{
    const size_t length = record.payload.length + rest.length;
    const size_t padded = weft_round_up(length, 8);
    writer->bytes += WEFT_TIE_HEAD + padded;
    if (writer->at == NULL) return;
    uint8_t *to = writer->at;
    to[0] = record.kind;
    to[1] = record.a;
    weft_le16_put(to + 2, record.b);
    weft_le32_put(to + 4, (uint32_t)length);
    weft_le64_put(to + 8, record.x);
    weft_le64_put(to + 16, record.y);
    to += WEFT_TIE_HEAD;
    if (record.payload.length > 0) memcpy(to, record.payload.data, record.payload.length);
    if (rest.length > 0) memcpy(to + record.payload.length, rest.data, rest.length);
    memset(to + length, 0, padded - length);
    writer->at = to + padded;
}

static uint64_t left_ns(const struct weft_unit_actor *unit, uint64_t due_ns)
{
    const uint64_t now_ns = unit->worker->core.now_ns;
    return due_ns > now_ns ? due_ns - now_ns : 0;
}

static uint64_t id_of(const struct weft_unit_actor *unit, weft_pid pid)
{
    return weft_unit_ids_id(&unit->worker->node->ids, pid);
}

// ---- Its own state: flags, times, limits.

static void put_state(struct writer *writer, struct weft_unit_actor *unit)
{
    const bool traps = (unit->actor->task.flags & WEFT_ACTOR_TRAPS) != 0;
    const bool receives = weft_counter_get(&unit->resident->receives) != 0;
    put(writer,
        (struct weft_tie_record){
            .kind = WEFT_TIE_STATE,
            .a = (uint8_t)((traps ? WEFT_TIE_TRAPS : 0) | (receives ? WEFT_TIE_RECEIVES : 0)),
            .b = unit->learns,
            .x = weft_unit_signals_links(unit)},
        weft_span_of(NULL, 0));
    for (uint8_t level = 0; level < WEFT_UNIT_LEVELS; level++) {
        const uint64_t wake_ns = weft_unit_wakes_at(unit->unit, level);
        if (wake_ns != 0)
            put(writer,
                (struct weft_tie_record){
                    .kind = WEFT_TIE_WAKE, .a = level, .x = left_ns(unit, wake_ns)},
                weft_span_of(NULL, 0));
    }
    uint8_t flow[WEFT_TIE_FLOW_BYTES];
    weft_unit_flow_put(flow, &unit->reply);
    if (unit->can_reply)
        put(writer,
            (struct weft_tie_record){.kind = WEFT_TIE_FLOW,
                                     .payload = weft_span_of(flow, sizeof(flow))},
            weft_span_of(NULL, 0));
}

// A spawned one has its parent's.
static void put_quota(struct writer *writer, const struct weft_unit_actor *unit)
{
    static const struct weft_unit_quota none;
    const bool is_spawned = unit->farewell != NULL;
    const struct weft_unit_quota *quota = !is_spawned            ? &unit->resident->quota
                                          : unit->limits != NULL ? &unit->limits->quota
                                                                 : &none;
    uint8_t bytes[WEFT_UNIT_QUOTA_BYTES];
    if (memcmp(quota, &none, sizeof(none)) == 0) return;
    weft_unit_quota_put(quota, bytes);
    put(writer,
        (struct weft_tie_record){.kind = WEFT_TIE_QUOTA,
                                 .payload = weft_span_of(bytes, sizeof(bytes))},
        weft_span_of(NULL, 0));
}

// Whose reductions it spends, if that is another.
static void put_family(struct writer *writer, const struct weft_unit_actor *unit)
{
    const struct weft_unit_limits *limits = unit->limits;
    if (unit->farewell == NULL || limits == NULL || limits->founder == 0) return;
    put(writer,
        (struct weft_tie_record){.kind = WEFT_TIE_FAMILY, .x = id_of(unit, limits->founder)},
        weft_span_of(NULL, 0));
}

// Its place in a family that the journal has.
static void put_issue(struct writer *writer, const struct weft_unit_actor *unit)
{
    const struct weft_unit_family *family = unit->family;
    const struct weft_tie_record issue = {
        .kind = WEFT_TIE_ISSUE, .x = family != NULL ? family->serial : 0, .y = unit->root};
    if (issue.x == 0 && issue.y == 0) return;
    put(writer, issue, weft_span_of(NULL, 0));
    for (uint32_t n = 0; family != NULL && n < family->dead.count; n++)
        put(writer, (struct weft_tie_record){.kind = WEFT_TIE_DEAD, .x = family->dead.ids[n]},
            weft_span_of(NULL, 0));
}

// An evaluation or a lesson that has begun has limits wherever it goes on.
static void put_limit(struct writer *writer, const struct weft_unit_actor *unit)
{
    const bool has_eval = unit->current != NULL && unit->current->verb == WEFT_COMMAND_EVAL;
    if (!has_eval && !unit->has_lesson) return;
    const uint64_t limit = unit->worker->node->options.eval_reductions;
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    const uint64_t spent =
        info.reductions - (has_eval ? unit->current_reductions : unit->lesson_reductions);
    put(writer,
        (struct weft_tie_record){
            .kind = WEFT_TIE_LIMIT,
            .a = (uint8_t)(has_eval ? unit->current_level : unit->lesson_level),
            .x = spent < limit ? limit - spent : 0,
            .y = left_ns(unit, has_eval ? unit->current_due_ns : unit->lesson_due_ns)},
        weft_span_of(NULL, 0));
}

// ---- What it waits for, and whom it has made.

// What has no answer yet will be asked anew.
static bool is_answered(const struct weft_unit_actor *unit, const struct weft_unit_wait *wait)
{
    return wait->what != WEFT_UNIT_FOR_NOTHING && wait->what != WEFT_UNIT_FOR_FAREWELL &&
           weft_tie_is_answered(unit->actor, wait->reference);
}

static void put_waits(struct writer *writer, const struct weft_unit_actor *unit)
{
    for (uint8_t level = 0; level < WEFT_UNIT_LEVELS; level++) {
        const struct weft_unit_wait *wait = &unit->dealings->waits[level];
        uint8_t farewell[8];
        if (!is_answered(unit, wait)) continue;
        weft_le64_put(farewell, wait->farewell);
        put(writer,
            (struct weft_tie_record){.kind = WEFT_TIE_WAIT,
                                     .a = level,
                                     .b = (uint16_t)wait->what,
                                     .x = wait->whom,
                                     .y = wait->reference,
                                     .payload = weft_span_of(farewell, sizeof(farewell))},
            weft_span_of(NULL, 0));
    }
}

static void put_children(struct writer *writer, const struct weft_unit_actor *unit)
{
    for (uint32_t n = 0; n < unit->dealings->child_count; n++) {
        const struct weft_unit_child *child = &unit->dealings->children[n];
        put(writer,
            (struct weft_tie_record){
                .kind = WEFT_TIE_CHILD, .x = id_of(unit, child->pid), .y = child->farewell},
            weft_span_of(NULL, 0));
    }
}

static void put_item(void *argument, const struct weft_message *message)
{
    if (!weft_message_is_flat(message)) return;
    put(argument,
        (struct weft_tie_record){.kind = WEFT_TIE_ITEM,
                                 .b = message->type,
                                 .payload = weft_span_of(message->payload, message->length)},
        weft_span_of(NULL, 0));
}

static void ignore(void *argument, const struct weft_message *message)
{
    (void)argument;
    (void)message;
}

static void put_channels(struct writer *writer, const struct weft_unit_actor *unit)
{
    struct weft_actor_system *actors = &unit->worker->actors;
    for (uint32_t n = 0; n < unit->dealings->channel_count; n++) {
        const weft_pid pid = unit->dealings->channels[n].pid;
        struct weft_channel_view view;
        if (!weft_channel_look(actors, pid, &view, ignore, NULL)) continue;
        put(writer,
            (struct weft_tie_record){.kind = WEFT_TIE_CHANNEL,
                                     .a = view.closed,
                                     .x = unit->dealings->channels[n].id,
                                     .y = view.capacity},
            weft_span_of(NULL, 0));
        weft_channel_look(actors, pid, &view, put_item, writer);
    }
}

// ---- Timers, monitors, links.

static void see_tick(void *argument, const struct weft_message *message)
{
    struct writer *writer = argument;
    if (message->tag == WEFT_MESSAGE_TIMER && message->reference == writer->tick)
        writer->tick_payload = weft_span_of(message->payload, message->length);
}

// What a timer sends, also while that is in the mailbox or being read.
static struct weft_span payload_of(struct writer *writer, const struct weft_tie *tie)
{
    if (tie->message != NULL) return weft_span_of(tie->message->payload, tie->message->length);
    writer->tick = tie->reference;
    writer->tick_payload = weft_span_of(NULL, 0);
    weft_ties_mail(writer->unit->actor, see_tick, writer);
    if (writer->unit->given != NULL) see_tick(writer, writer->unit->given);
    return writer->tick_payload;
}

// Of a JOIN that has no answer: it will be made anew.
static bool is_asked_anew(const struct weft_unit_actor *unit, uint64_t reference)
{
    for (uint8_t level = 0; unit->dealings != NULL && level < WEFT_UNIT_LEVELS; level++) {
        const struct weft_unit_wait *wait = &unit->dealings->waits[level];
        if (wait->what == WEFT_UNIT_FOR_END && wait->reference == reference)
            return !is_answered(unit, wait);
    }
    return false;
}

static void put_tie(void *argument, const struct weft_tie *tie)
{
    struct writer *writer = argument;
    const struct weft_unit_actor *unit = writer->unit;
    struct weft_tie_record record = {.x = tie->reference};
    struct weft_span rest = weft_span_of(NULL, 0);
    uint8_t interval[8];
    switch (tie->kind) {
    case WEFT_TIE_TIMER:
        record.kind = WEFT_TIE_ALARM;
        record.y = left_ns(unit, tie->due_ns);
        weft_le64_put(interval, tie->interval_ns);
        record.payload = weft_span_of(interval, sizeof(interval));
        rest = payload_of(writer, tie);
        break;
    case WEFT_TIE_MONITOR:
        if (is_asked_anew(unit, tie->reference)) return;
        record.kind = WEFT_TIE_WATCH;
        record.a = tie->message != NULL;
        record.y = id_of(unit, tie->whom);
        break;
    case WEFT_TIE_LINK:
        record.kind = WEFT_TIE_BOND;
        record.x = id_of(unit, tie->whom);
        break;
    }
    put(writer, record, rest);
}

// ---- Messages.

static bool is_wanted_reply(const struct weft_unit_actor *unit, uint64_t reference)
{
    const struct weft_unit_dealings *dealings = unit->dealings;
    for (uint8_t level = 0; dealings != NULL && level < WEFT_UNIT_LEVELS; level++) {
        const struct weft_unit_wait *wait = &dealings->waits[level];
        if (!is_answered(unit, wait)) continue;
        if (wait->reference == reference || wait->farewell == reference) return true;
    }
    for (uint32_t n = 0; dealings != NULL && n < dealings->child_count; n++) {
        if (dealings->children[n].farewell == reference) return true;
    }
    return false;
}

static void put_mail(void *argument, const struct weft_message *message)
{
    struct writer *writer = argument;
    const struct weft_unit_actor *unit = writer->unit;
    struct weft_tie_record record = {.kind = WEFT_TIE_MAIL,
                                     .a = message->tag,
                                     .b = message->type,
                                     .x = id_of(unit, message->from),
                                     .y = message->reference};
    struct weft_span rest = weft_span_of(message->payload, message->length);
    uint8_t head[8];
    switch (message->tag) {
    case WEFT_MESSAGE_PORT: {
        struct weft_unit_datagram datagram;
        if (!weft_message_is_flat(message) || message->length < sizeof(datagram)) return;
        memcpy(&datagram, message->payload, sizeof(datagram));
        weft_unit_flow_put(head, &datagram.reply);
        record.payload = weft_span_of(head, WEFT_TIE_FLOW_BYTES);
        rest = weft_span_of(rest.data + sizeof(datagram), rest.length - sizeof(datagram));
        break;
    }
    case WEFT_MESSAGE_REPLY:
        if (!is_wanted_reply(unit, message->reference)) return;
        if (message->type != WEFT_TIE_ERROR) break;
        weft_le32_put(head, (uint32_t)weft_reply_status(message));
        rest = weft_span_of(head, 4);
        break;
    case WEFT_MESSAGE_CALL: // Who asked does not wait for this one.
    case WEFT_MESSAGE_CAST:
    case WEFT_MESSAGE_SYSTEM: return;
    default:
        if (!weft_message_is_flat(message)) return;
    }
    put(writer, record, rest);
}

static void put_lesson(void *argument, struct weft_span text, bool from_peer)
{
    put(argument,
        (struct weft_tie_record){.kind = WEFT_TIE_LESSON, .a = from_peer, .payload = text},
        weft_span_of(NULL, 0));
}

static void walk(struct writer *writer)
{
    struct weft_unit_actor *unit = writer->unit;
    put_state(writer, unit);
    put_quota(writer, unit);
    put_family(writer, unit);
    put_issue(writer, unit);
    put_limit(writer, unit);
    if (unit->dealings != NULL) {
        put_waits(writer, unit);
        put_children(writer, unit);
        put_channels(writer, unit);
    }
    weft_ties_each(unit->actor, put_tie, writer);
    weft_ties_mail(unit->actor, put_mail, writer);
    weft_unit_lessons_each(unit, put_lesson, writer);
}

size_t weft_unit_ties_bytes(struct weft_unit_actor *unit)
{
    struct writer writer = {.unit = unit};
    walk(&writer);
    return writer.bytes;
}

int64_t weft_unit_ties_write(struct weft_unit_actor *unit, uint8_t *to, size_t size)
{
    struct writer writer = {.unit = unit};
    walk(&writer);
    if (writer.bytes > size) return -ENOSPC;
    writer = (struct writer){.unit = unit, .at = to};
    walk(&writer);
    return (int64_t)writer.bytes;
}
