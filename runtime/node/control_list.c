// Lists of actors: each core makes its own (actor/look.h), the control core merges them.
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/look.h"
#include "runtime/node/control_actor.h"
#include "runtime/node/order.h"

#define LIST_SLOTS   512                 // That one slice looks through.
#define LIST_WAIT_NS (1 * WEFT_NS_PER_S) // A core that is stuck does not keep the others' list.

static const char *const priority_names[] = {
    [WEFT_PRIORITY_NORMAL] = "normal",
    [WEFT_PRIORITY_MAX] = "max",
    [WEFT_PRIORITY_HIGH] = "high",
    [WEFT_PRIORITY_LOW] = "low",
};
static const char *const overflow_names[] = {"mute", "drop_newest", "drop_oldest", "exit"};
void weft_control_fill_actor(const struct weft_actor_row *row, struct weft_admin_actor *to)
{
    const struct weft_info *info = &row->info;
    *to = (struct weft_admin_actor){.pid = info->pid,
                                    .parent = info->parent,
                                    .core = info->core,
                                    .state = weft_actor_state_name(row->state),
                                    .priority = priority_names[info->priority],
                                    .overflow = overflow_names[info->overflow],
                                    .stackful = info->stackful,
                                    .trapping = info->trapping,
                                    .pinned = info->pinned,
                                    .is_private = row->is_private,
                                    .mailbox_count = info->mailbox_count,
                                    .mailbox_max = info->mailbox_max,
                                    .link_count = info->link_count,
                                    .monitor_count = info->monitor_count,
                                    .reduction_count = info->reduction_count,
                                    .memory_bytes = info->memory_bytes,
                                    .memory_max = info->memory_max,
                                    .stack_bytes = info->stack_bytes};
    memcpy(to->name, row->name, sizeof(to->name));
    memcpy(to->label, info->label, sizeof(to->label));
    memcpy(to->kind, info->kind, sizeof(to->kind));
}

struct list_part {
    struct weft_order order;
    struct list_order *whole;
    struct weft_actor_list list;
    bool is_away;
};

struct list_order {
    struct weft_control *control;
    struct weft_admin_command *command; // NULL once it is answered.
    struct weft_list link;              // In control->lists.
    uint64_t due_ns;
    uint16_t away; // Parts that have not come back.
    uint16_t part_count;
    struct list_part parts[];
};

static enum weft_order_step list_step(struct weft_order *order, struct weft_node_worker *worker,
                                      struct weft_actor *actor)
{
    struct list_part *part = WEFT_CONTAINER_OF(order, struct list_part, order);
    (void)actor;
    return weft_actor_list_step(&worker->actors, &part->list, LIST_SLOTS) ? WEFT_ORDER_DONE
                                                                          : WEFT_ORDER_AGAIN;
}

static void free_list(struct list_order *whole)
{
    weft_list_remove(&whole->link);
    for (uint16_t i = 0; i < whole->part_count; i++)
        free(whole->parts[i].list.rows);
    free(whole);
}

// What has come back, and memory for it: so many slots are at least twice the limit. False: no
// memory.
static bool begin_merge(const struct list_order *whole, struct weft_actor_merge *merge)
{
    uint32_t slots = 4;
    while (slots < 2 * whole->parts[0].list.limit)
        slots *= 2;
    *merge = (struct weft_actor_merge){.seen = calloc(slots, sizeof(*merge->seen)),
                                       .seen_mask = slots - 1};
    for (uint16_t i = 0; i < whole->part_count; i++) {
        if (!whole->parts[i].is_away) merge->lists[i] = &whole->parts[i].list;
    }
    return merge->seen != NULL;
}

static void fill_list(const struct list_order *whole, struct weft_actor_merge *merge,
                      struct weft_admin_actor *items, struct weft_admin_actors *actors)
{
    const uint32_t limit = whole->parts[0].list.limit;
    const struct weft_actor_row *row;
    while (actors->count < limit && (row = weft_actor_merge_next(merge)) != NULL)
        weft_control_fill_actor(row, &items[actors->count++]);
    for (uint16_t i = 0; i < whole->part_count; i++) {
        if (whole->parts[i].is_away)
            actors->missing_cores |= UINT64_C(1) << (i + 1);
        else
            actors->total += whole->parts[i].list.total;
    }
    actors->total -= merge->twin_count;
    actors->items = items;
}

static void answer_list(struct list_order *whole)
{
    struct weft_admin_command *command = whole->command;
    struct weft_admin_actor *items = calloc(whole->parts[0].list.limit + 1, sizeof(*items));
    struct weft_admin_actors actors = {0};
    struct weft_actor_merge merge;
    whole->command = NULL;
    whole->control->command_count--;
    if (begin_merge(whole, &merge) && items != NULL) {
        fill_list(whole, &merge, items, &actors);
        weft_admin_complete_actors(command, &actors);
    } else {
        struct weft_error error = {0};
        weft_error_set(&error, 203, "no memory for the list");
        weft_admin_fail(command, &error);
    }
    free(merge.seen);
    free(items);
}

static void list_done(struct weft_order *order)
{
    struct list_part *part = WEFT_CONTAINER_OF(order, struct list_part, order);
    struct list_order *whole = part->whole;
    part->is_away = false;
    if (--whole->away > 0) return;
    if (whole->command != NULL) answer_list(whole);
    free_list(whole);
}

static enum weft_actor_sort sort_of(const char *word)
{
    if (strcmp(word, "mailbox") == 0) return WEFT_ACTOR_BY_MAILBOX;
    if (strcmp(word, "memory") == 0) return WEFT_ACTOR_BY_MEMORY;
    if (strcmp(word, "reductions") == 0) return WEFT_ACTOR_BY_REDUCTIONS;
    return WEFT_ACTOR_BY_PID;
}

static struct list_order *make_list(struct weft_control *control,
                                    const struct weft_admin_actor_query *query)
{
    const uint16_t count = control->node->options.worker_count;
    struct list_order *whole = calloc(1, sizeof(*whole) + count * sizeof(whole->parts[0]));
    if (whole == NULL) return NULL;
    whole->control = control;
    whole->part_count = count;
    weft_list_append(&control->lists, &whole->link);
    for (uint16_t i = 0; i < count; i++) {
        struct list_part *part = &whole->parts[i];
        part->whole = whole;
        part->order = (struct weft_order){
            .node = control->node, .core = (uint16_t)(i + 1), .step = list_step, .done = list_done};
        part->list.by = sort_of(query->sort);
        part->list.limit = query->limit;
        part->list.with_private = query->all;
        memcpy(part->list.like, query->like, sizeof(part->list.like));
        part->list.rows = calloc(query->limit + 1, sizeof(*part->list.rows));
        if (part->list.rows != NULL) continue;
        free_list(whole);
        return NULL;
    }
    return whole;
}

int weft_control_list_actors(struct weft_control *control, struct weft_admin_command *command,
                             struct weft_error *error)
{
    struct list_order *whole = make_list(control, &command->actors);
    if (whole == NULL) return weft_error_set(error, 203, "no memory for the list");
    whole->command = command;
    whole->due_ns = control->node->control.now_ns + LIST_WAIT_NS;
    control->command_count++;
    for (uint16_t i = 0; i < whole->part_count; i++) {
        struct list_part *part = &whole->parts[i];
        part->is_away = true; // If it cannot even be sent: it has not answered.
        whole->away += weft_order_send(&part->order, WEFT_PRIORITY_LOW) == 0;
    }
    if (whole->away > 0) return 0;
    answer_list(whole);
    free_list(whole);
    return 0;
}

void weft_control_lists_expire(struct weft_control *control, uint64_t now_ns)
{
    WEFT_LIST_FOR_EACH (link, &control->lists) {
        struct list_order *whole = WEFT_CONTAINER_OF(link, struct list_order, link);
        if (whole->command != NULL && now_ns >= whole->due_ns) answer_list(whole);
    }
}

void weft_control_lists_free(struct weft_control *control)
{
    while (!weft_list_empty(&control->lists)) {
        struct list_order *whole = WEFT_CONTAINER_OF(control->lists.next, struct list_order, link);
        if (whole->command != NULL) answer_list(whole);
        free_list(whole);
    }
}
