// Ties given to a unit that was made from its image. What they say has been checked.
#include <errno.h>
#include <string.h>

#include <weft/message.h>

#include "runtime/actor/ties.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_signals.h"
#include "runtime/node/unit_ties_format.h"

#define LEFT_NS_MAX (366 * 24 * 3600 * WEFT_NS_PER_S) // As long as the words let anybody wait.

static uint64_t due_ns(const struct weft_unit_actor *unit, uint64_t left_ns)
{
    return unit->worker->core.now_ns + (left_ns < LEFT_NS_MAX ? left_ns : LEFT_NS_MAX);
}

// ---- Channels: first, so that their ids name somebody.

int weft_unit_ties_open(struct weft_unit_actor *unit, struct weft_span ties)
{
    struct weft_actor_system *actors = &unit->worker->actors;
    struct weft_tie_record record;
    weft_pid pid = 0;
    bool is_closed = false;
    int result = 0;
    for (size_t at = 0; result == 0 && weft_tie_read(ties, &at, &record);) {
        if (record.kind == WEFT_TIE_ITEM) {
            result = weft_channel_fill(actors, pid, record.b, record.payload.data,
                                       record.payload.length);
            continue;
        }
        if (is_closed) weft_unit_channel_close(unit, pid);
        is_closed = false;
        if (record.kind != WEFT_TIE_CHANNEL) continue;
        result = weft_unit_channel_open(unit, record.x, (uint32_t)record.y, &pid);
        is_closed = record.a != 0;
    }
    if (is_closed) weft_unit_channel_close(unit, pid);
    return result;
}

// ---- One record each.

static int apply_state(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    uint16_t *flags = &unit->actor->task.flags;
    *flags = record->a & WEFT_TIE_TRAPS ? *flags | WEFT_ACTOR_TRAPS
                                        : *flags & (uint16_t)~WEFT_ACTOR_TRAPS;
    if (record->a & WEFT_TIE_RECEIVES) weft_counter_set(&unit->resident->receives, 1);
    unit->learns = (uint8_t)record->b;
    return 0;
}

// Nobody waits for its end any more, but its limits hold: those of a lesson.
static int apply_limit(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    const uint64_t limit = unit->worker->node->options.eval_reductions;
    const uint64_t left = record->x < limit ? record->x : limit;
    struct weft_unit_info info;
    weft_unit_inspect(unit->unit, &info);
    if (info.levels <= record->a) return 0;
    unit->has_lesson = true;
    unit->lesson_level = record->a;
    unit->lesson_reductions = info.reductions - (limit - left);
    unit->lesson_due_ns = due_ns(unit, record->y);
    return 0;
}

static int apply_wait(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    struct weft_unit_dealings *dealings = weft_unit_dealings_of(unit);
    if (dealings == NULL) return -ENOMEM;
    const uint64_t farewell = weft_le64_get(record->payload.data);
    int result = 0;
    if (record->b != WEFT_UNIT_FOR_END) result = weft_tie_await(unit->actor, record->y);
    if (result == 0 && record->b == WEFT_UNIT_FOR_CHILD)
        result = weft_tie_await(unit->actor, farewell);
    if (result != 0) return result;
    struct weft_unit_wait *wait = &dealings->waits[record->a];
    wait->what = record->b;
    wait->whom = record->x;
    wait->reference = record->y;
    wait->farewell = farewell;
    return 0;
}

static int apply_child(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    const int result = weft_tie_await(unit->actor, record->y);
    // Those of the journal are in it; else they are as good as newly born.
    if (result == 0 && !unit->is_journaled) weft_unit_family_born(unit, record->x, record->y);
    return result == 0 ? weft_unit_child_add(unit, record->x, record->y) : result;
}

static int apply_issue(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    if (record->x == 0) return 0;
    struct weft_unit_family *family = weft_unit_family_of(unit);
    if (family == NULL) return -ENOMEM;
    family->serial = record->x;
    return 0;
}

static weft_pid pid_of(const struct weft_unit_actor *unit, uint64_t id)
{
    return weft_unit_actor_resolve(unit, id);
}

static int apply_alarm(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    const uint64_t interval_ns = weft_le64_get(record->payload.data);
    return weft_tie_timer(unit->actor, record->x, record->y < LEFT_NS_MAX ? record->y : LEFT_NS_MAX,
                          interval_ns < LEFT_NS_MAX ? interval_ns : LEFT_NS_MAX,
                          record->payload.data + 8, record->payload.length - 8);
}

static int apply_mail(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    struct weft_message header = {.from = record->x != 0 ? pid_of(unit, record->x) : 0,
                                  .reference = record->y,
                                  .tag = record->a,
                                  .type = record->b,
                                  .length = (uint32_t)record->payload.length};
    if (record->a != WEFT_MESSAGE_PORT)
        return weft_tie_mail(unit->actor, &header, record->payload.data);
    const size_t rest = record->payload.length - WEFT_TIE_FLOW_BYTES;
    struct weft_unit_datagram datagram = {0};
    uint8_t *bytes = weft_arena_alloc(unit->worker->arena, sizeof(datagram) + rest);
    if (bytes == NULL) return -ENOMEM;
    weft_unit_flow_get(record->payload.data, &datagram.reply);
    memcpy(bytes, &datagram, sizeof(datagram));
    if (rest > 0)
        memcpy(bytes + sizeof(datagram), record->payload.data + WEFT_TIE_FLOW_BYTES, rest);
    header.from = header.reference = 0; // From no port: nobody counts it.
    header.length = (uint32_t)(sizeof(datagram) + rest);
    const int result = weft_tie_mail(unit->actor, &header, bytes);
    weft_arena_release(unit->worker->arena, bytes, sizeof(datagram) + rest);
    return result;
}

// Of whom is no more the unit is told at once.
static int apply_watch(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    return weft_tie_monitor(unit->actor, pid_of(unit, record->y), record->x, false);
}

static int apply_bond(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    const weft_pid pid = pid_of(unit, record->x);
    if (weft_unit_is_the_nodes(unit->worker->node, pid)) return 0;
    return weft_link_to(unit->actor, pid);
}

// ---- All of them, those first that others need.

static int apply(struct weft_unit_actor *unit, const struct weft_tie_record *record)
{
    switch ((enum weft_tie_record_kind)record->kind) {
    case WEFT_TIE_STATE: return apply_state(unit, record);
    case WEFT_TIE_WAKE: weft_unit_wake_at(unit->unit, record->a, due_ns(unit, record->x)); return 0;
    case WEFT_TIE_LIMIT: return apply_limit(unit, record);
    case WEFT_TIE_FLOW:
        weft_unit_flow_get(record->payload.data, &unit->reply);
        unit->can_reply = true;
        return 0;
    case WEFT_TIE_WAIT: return apply_wait(unit, record);
    case WEFT_TIE_CHILD: return apply_child(unit, record);
    case WEFT_TIE_ISSUE: return apply_issue(unit, record);
    case WEFT_TIE_ALARM: return apply_alarm(unit, record);
    case WEFT_TIE_WATCH:
        return record->a != 0
                   ? weft_tie_monitor(unit->actor, pid_of(unit, record->y), record->x, true)
                   : apply_watch(unit, record);
    case WEFT_TIE_BOND: return apply_bond(unit, record);
    case WEFT_TIE_MAIL: return apply_mail(unit, record);
    case WEFT_TIE_LESSON:
        return weft_unit_lessons_add(unit, record->payload, record->a != 0) ? 0 : -ENOMEM;
    default: return 0;
    }
}

// In which of the rounds a record is applied.
static unsigned round_of(const struct weft_tie_record *record)
{
    switch (record->kind) {
    case WEFT_TIE_MAIL:
    case WEFT_TIE_LESSON: return 1;
    case WEFT_TIE_BOND: return 2;
    case WEFT_TIE_WATCH: return record->a != 0 ? 0 : 2;
    default: return 0;
    }
}

// The children that have not come back: to their parent they have ended.
static void bury_children(struct weft_unit_actor *unit)
{
    const struct weft_unit_farewell farewell = {.reason = WEFT_EXIT_NOPROC};
    const struct weft_unit_dealings *dealings = unit->dealings;
    for (uint32_t n = 0; dealings != NULL && n < dealings->child_count; n++) {
        const struct weft_unit_child *child = &dealings->children[n];
        const struct weft_message header = {
            .tag = WEFT_MESSAGE_REPLY, .reference = child->farewell, .length = sizeof(farewell)};
        if (weft_tie_is_answered(unit->actor, child->farewell)) continue;
        if (unit->has_family &&
            weft_unit_ids_pid(&unit->worker->node->ids, child->pid) != child->pid)
            continue;
        weft_tie_mail(unit->actor, &header, &farewell);
    }
}

void weft_unit_ties_apply(struct weft_unit_actor *unit, struct weft_span ties)
{
    struct weft_tie_record record;
    uint64_t links = 0;
    uint32_t lost = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (size_t at = 0; weft_tie_read(ties, &at, &record);) {
            if (round_of(&record) != round) continue;
            if (apply(unit, &record) != 0) lost++;
            if (record.kind == WEFT_TIE_STATE) links = record.x;
        }
        if (round == 1) bury_children(unit);
    }
    weft_unit_signals_restored(unit, links);
    if (lost > 0)
        weft_log_actor(&unit->worker->core.log, WEFT_LOG_WARN, "unit", unit->actor->pid,
                       weft_label(unit->actor),
                       "restored without %u of what it had to do with others", lost);
}
