#include "runtime/actor/look.h"

#include <string.h>

#include "runtime/actor/crash.h"
#include "runtime/actor/internal.h"

const char *weft_actor_state_name(enum weft_actor_state state)
{
    static const char *const names[] = {"ready", "waiting", "parked", "muted", "moving", "ending"};
    return names[state];
}

static enum weft_actor_state state_of(const struct weft_actor *actor)
{
    const unsigned flags = actor->task.flags;
    if (flags & (WEFT_ACTOR_ENDING | WEFT_ACTOR_ZOMBIE)) return WEFT_ACTOR_STATE_ENDING;
    if (flags & WEFT_ACTOR_MOVING) return WEFT_ACTOR_STATE_MOVING;
    if (flags & WEFT_ACTOR_MUTED) return WEFT_ACTOR_STATE_MUTED;
    if (actor->task.queued || actor->system->running == actor) return WEFT_ACTOR_STATE_READY;
    return flags & WEFT_ACTOR_PARKED ? WEFT_ACTOR_STATE_PARKED : WEFT_ACTOR_STATE_WAITING;
}

static void find_name(struct weft_actor *actor, struct weft_message *edge, void *argument)
{
    struct weft_actor_row *row = argument;
    if (edge->tag == TAG_EDGE_NAME && row->name[0] == '\0')
        weft_registry_name(actor->system->node, edge->reference, row->name);
}

static void describe(struct weft_actor *actor, struct weft_actor_row *row)
{
    weft_actor_describe(actor, &row->info);
    row->name[0] = '\0';
    row->state = state_of(actor);
    row->is_private = (actor->task.flags & WEFT_ACTOR_PRIVATE) != 0;
    if (actor->edge_count > 0) weft_edge_each(actor, find_name, row);
}

// ---- Lists.

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int weft_actor_row_compare(enum weft_actor_sort by, const struct weft_actor_row *a,
                           const struct weft_actor_row *b)
{
    int order = 0;
    switch (by) {
    case WEFT_ACTOR_BY_MAILBOX:
        order = compare(b->info.mailbox_count, a->info.mailbox_count);
        break;
    case WEFT_ACTOR_BY_MEMORY: order = compare(b->info.memory_bytes, a->info.memory_bytes); break;
    case WEFT_ACTOR_BY_REDUCTIONS:
        order = compare(b->info.reduction_count, a->info.reduction_count);
        break;
    case WEFT_ACTOR_BY_PID: break;
    }
    return order != 0 ? order : compare(a->info.pid, b->info.pid);
}

// The heap has the last of those kept on top: who comes before it takes its place.
static void sink(const struct weft_actor_list *list, uint32_t count, uint32_t at)
{
    struct weft_actor_row *rows = list->rows;
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count &&
            weft_actor_row_compare(list->by, &rows[child + 1], &rows[child]) > 0)
            child++;
        if (weft_actor_row_compare(list->by, &rows[child], &rows[at]) <= 0) return;
        const struct weft_actor_row row = rows[at];
        rows[at] = rows[child];
        rows[child] = row;
    }
}

static void keep(struct weft_actor_list *list, const struct weft_actor_row *row)
{
    if (list->count < list->limit) {
        list->rows[list->count++] = *row;
        if (list->count == list->limit) {
            for (uint32_t i = list->count / 2; i-- > 0;)
                sink(list, list->count, i);
        }
    } else if (list->limit > 0 && weft_actor_row_compare(list->by, row, &list->rows[0]) < 0) {
        list->rows[0] = *row;
        sink(list, list->count, 0);
    }
}

static void sort(const struct weft_actor_list *list)
{
    for (uint32_t i = list->count / 2; i-- > 0;)
        sink(list, list->count, i);
    for (uint32_t count = list->count; count > 1; count--) {
        const struct weft_actor_row last = list->rows[0];
        list->rows[0] = list->rows[count - 1];
        list->rows[count - 1] = last;
        sink(list, count - 1, 0);
    }
}

static void consider(struct weft_actor *actor, struct weft_actor_list *list)
{
    struct weft_actor_row row;
    if (!list->with_private && (actor->task.flags & WEFT_ACTOR_PRIVATE) != 0) return;
    describe(actor, &row);
    if (list->like[0] != '\0' && strstr(row.name, list->like) == NULL &&
        strstr(row.info.label, list->like) == NULL && strstr(row.info.kind, list->like) == NULL)
        return;
    list->total++;
    keep(list, &row);
}

bool weft_actor_list_step(struct weft_actor_system *system, struct weft_actor_list *list,
                          uint32_t slots)
{
    if (!list->begun) {
        list->begun = true;
        list->homes = system->node->core_mask;
    }
    while (list->homes != 0) {
        const uint16_t index = (uint16_t)__builtin_ctzll(list->homes);
        const struct weft_actor_system *home = system->node->systems[index];
        for (; list->slot < home->slot_capacity; list->slot++, slots--) {
            if (slots == 0) return false;
            const weft_pid place = (weft_pid)index << 24 | list->slot; // Whoever it is.
            if (weft_slot_core(system, place) != system->index + 1u) continue;
            struct weft_actor *actor = weft_slot_actor(system, place);
            if (weft_actor_system_of(actor) == system) consider(actor, list);
        }
        list->slot = 0;
        list->homes &= list->homes - 1;
    }
    sort(list);
    return true;
}

// The list whose next row comes first; WEFT_CORE_MAX: none has one left.
static uint16_t next_list(const struct weft_actor_merge *merge)
{
    uint16_t best = WEFT_CORE_MAX;
    for (uint16_t i = 0; i < WEFT_CORE_MAX; i++) {
        const struct weft_actor_list *list = merge->lists[i];
        if (list == NULL || merge->at[i] == list->count) continue;
        if (best == WEFT_CORE_MAX ||
            weft_actor_row_compare(list->by, &list->rows[merge->at[i]],
                                   &merge->lists[best]->rows[merge->at[best]]) < 0)
            best = i;
    }
    return best;
}

// Notes it. True: it has been noted before.
static bool is_twin(const struct weft_actor_merge *merge, weft_pid pid)
{
    uint32_t i = (uint32_t)(pid * UINT64_C(0x9e3779b97f4a7c15) >> 32) & merge->seen_mask;
    while (merge->seen[i] != 0 && merge->seen[i] != pid)
        i = (i + 1) & merge->seen_mask;
    const bool is_known = merge->seen[i] != 0;
    merge->seen[i] = pid;
    return is_known;
}

const struct weft_actor_row *weft_actor_merge_next(struct weft_actor_merge *merge)
{
    for (uint16_t i; (i = next_list(merge)) != WEFT_CORE_MAX; merge->twin_count++) {
        const struct weft_actor_row *row = &merge->lists[i]->rows[merge->at[i]++];
        if (!is_twin(merge, row->info.pid)) return row;
    }
    return NULL;
}

// ---- One actor.

static void see_edge(struct weft_actor *actor, struct weft_message *edge, void *argument)
{
    struct weft_actor_look *look = argument;
    const struct weft_actor_system *system = actor->system;
    look->edge_count++;
    if (look->edges_shown == WEFT_LOOK_EDGES) return;
    __typeof__(look->edges[0]) *to = &look->edges[look->edges_shown++];
    memset(to, 0, sizeof(*to));
    to->reference = edge->reference;
    switch (edge->tag) {
    case TAG_EDGE_LINK: to->what = WEFT_LOOK_LINK, to->pid = edge->to; break;
    case TAG_EDGE_WATCH: to->what = WEFT_LOOK_WATCH, to->pid = edge->to; break;
    case TAG_EDGE_WATCHED: to->what = WEFT_LOOK_WATCHED, to->pid = edge->from; break;
    case TAG_EDGE_TIMER:
        to->what = WEFT_LOOK_TIMER;
        weft_timer_look(edge, &to->pid, &to->due_ns);
        to->due_ns = to->due_ns > system->core->now_ns ? to->due_ns - system->core->now_ns : 0;
        break;
    case TAG_EDGE_NAME:
        to->what = WEFT_LOOK_NAME;
        weft_registry_name(system->node, edge->reference, to->text);
        break;
    case TAG_EDGE_MEMBER:
        to->what = WEFT_LOOK_GROUP;
        weft_group_name(system, edge->reference, to->text);
        break;
    default: to->what = WEFT_LOOK_OWNED; break;
    }
}

static void see_messages(const struct weft_actor *actor, struct weft_actor_look *look)
{
    WEFT_LIST_FOR_EACH (link, &actor->mailbox) {
        const struct weft_message *message = weft_message_of(link);
        if (look->messages_shown == WEFT_LOOK_MESSAGES) return;
        __typeof__(look->messages[0]) *to = &look->messages[look->messages_shown++];
        to->tag = message->tag;
        to->type = message->type;
        to->length = message->length;
        to->from = message->from;
    }
}

bool weft_actor_look(struct weft_actor_system *system, weft_pid pid, struct weft_actor_look *look)
{
    struct weft_actor *actor = weft_actor_find(system, pid);
    if (actor == NULL) return false;
    memset(look, 0, sizeof(*look));
    describe(actor, &look->row);
    weft_edge_each(actor, see_edge, look);
    see_messages(actor, look);
    look->frame_count = weft_crash_parked(actor, look->frames, WEFT_LOOK_FRAMES);
    if (look->frame_count == 0 && actor->kind->slice == NULL) {
        look->frames[0] = actor->kind->main != NULL ? (uintptr_t)actor->kind->main
                                                    : (uintptr_t)actor->kind->handle;
        look->frame_count = 1;
    }
    return true;
}
