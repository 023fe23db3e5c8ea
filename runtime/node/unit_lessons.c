#include "runtime/node/unit_lessons.h"

#include <errno.h>
#include <string.h>

#include <weft/weft.h>

#include "runtime/mesh/sexp.h"
#include "runtime/node/mesh_keeper.h"

#define SHARE_NODES_MAX 8
#define CANDIDATES      8 // Units that are looked at for a goal.

struct lesson { // The payload of a message that is passed by its address; its text follows.
    uint32_t length;
    bool from_peer;
};

// ---- From core to core.

static void arrive(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_node *node = (struct weft_node *)(uintptr_t)argument;
    struct weft_node_worker *worker = &node->workers[core->index - 1];
    struct weft_message *message = self;
    struct weft_actor *actor = weft_actor_find(&worker->actors, message->to);
    struct weft_unit_actor *unit =
        actor != NULL && actor->kind == &weft_unit_actor_kind ? actor->state : NULL;
    struct lesson lesson;
    memcpy(&lesson, message->payload, sizeof(lesson));
    const unsigned wanted = lesson.from_peer ? WEFT_UNIT_TEACHERS_ALL : WEFT_UNIT_TEACHERS_SIBLINGS;
    if (unit == NULL || unit->learns < wanted || unit->lesson_count >= WEFT_UNIT_LESSONS_MAX) {
        if (unit != NULL && unit->learns >= wanted)
            weft_log_actor(&core->log, WEFT_LOG_WARN, "unit", actor->pid, weft_label(actor),
                           "a text from another unit is dropped: %u wait", unit->lesson_count);
        weft_message_release(&worker->actors, message);
        return;
    }
    weft_list_append(&unit->lessons, weft_message_link(message));
    unit->lesson_count++;
    if (weft_actor_disturb(actor)) unit->was_disturbed = true;
}

// NULL: no memory.
static struct weft_message *pack(struct weft_node_worker *worker, struct weft_span text,
                                 bool from_peer)
{
    const struct lesson lesson = {.length = (uint32_t)text.length, .from_peer = from_peer};
    struct weft_message *message = weft_later_block(&worker->actors, sizeof(lesson) + text.length);
    if (message == NULL) return NULL;
    memcpy(message->payload, &lesson, sizeof(lesson));
    if (text.length > 0) memcpy(message->payload + sizeof(lesson), text.data, text.length);
    return message;
}

static int32_t give(struct weft_node_worker *worker, weft_pid to, struct weft_span text,
                    bool from_peer)
{
    const int core = weft_actor_core_of(&worker->node->actors, to);
    if (core < 0) return WEFT_THROW_NOBODY;
    struct weft_message *message = pack(worker, text, from_peer);
    if (message == NULL) return WEFT_THROW_ALLOCATE;
    message->to = to;
    const uint64_t node = (uint64_t)(uintptr_t)worker->node;
    if (core == worker->core.index)
        arrive(&worker->core, message, node);
    else if (weft_core_call(&worker->core, (uint16_t)core, arrive, message, node) != 0) {
        weft_message_release(&worker->actors, message);
        return WEFT_THROW_FULL;
    }
    return 0;
}

static bool lives(const struct weft_resident *resident)
{
    const uint64_t status = weft_counter_get(&resident->status);
    return status == WEFT_RESIDENT_READY || status == WEFT_RESIDENT_RUNNING ||
           status == WEFT_RESIDENT_WAITING;
}

// To every unit of this node but `self`. The first failure is what it answers; the others get it.
static int32_t give_all(struct weft_node_worker *worker, const struct weft_resident *self,
                        struct weft_span text, bool from_peer)
{
    const struct weft_unit_registry *units = &worker->node->units;
    int32_t first = 0;
    for (uint32_t i = 0; i < units->capacity; i++) {
        const struct weft_resident *resident = &units->residents[i];
        if (resident == self || !lives(resident)) continue;
        const int32_t code = give(worker, weft_counter_get(&resident->pid), text, from_peer);
        if (first == 0 && code != WEFT_THROW_NOBODY) first = code; // One may just have ended.
    }
    return first;
}

// ---- Other nodes.

static uint32_t peers(void *self, uint64_t *ids, uint32_t max)
{
    struct weft_node *node = ((struct weft_unit_actor *)self)->worker->node;
    return node->mesh != NULL ? weft_mesh_keeper_peers(node->mesh, ids, max) : 0;
}

static int32_t share_with_peers(struct weft_unit_actor *unit, const char *text, size_t length)
{
    uint64_t ids[64];
    char bytes[WEFT_UNIT_LESSON_BYTES_MAX];
    struct weft_sexp_writer writer;
    const struct weft_unit_host *host = &unit->worker->unit_host;
    if (unit->worker->node->mesh == NULL) return WEFT_THROW_NO_MESH;
    weft_sexp_writer_init(&writer, bytes, sizeof(bytes));
    weft_sexp_open(&writer);
    weft_sexp_put_symbol(&writer, "word-share");
    weft_sexp_put_keyword(&writer, "source");
    weft_sexp_put_string(&writer, weft_span_of(text, length));
    weft_sexp_close(&writer);
    if (writer.overflow) return WEFT_THROW_TOO_LONG;
    const uint32_t count = peers(unit, ids, WEFT_COUNT_OF(ids));
    for (uint32_t i = 0; i < count; i++) {
        const int32_t code = host->send_to(unit, bytes, writer.length, ids[i]);
        if (code != 0) return code;
    }
    return 0;
}

static bool is_text(struct weft_span text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.data, word, text.length) == 0;
}

bool weft_unit_lessons_from_peer(struct weft_node_worker *worker, struct weft_span bytes)
{
    struct weft_sexp_node nodes[SHARE_NODES_MAX];
    uint8_t text[WEFT_UNIT_LESSON_BYTES_MAX];
    static const char head[] = "(word-share ";
    if (bytes.length < sizeof(head) || memcmp(bytes.data, head, sizeof(head) - 1) != 0)
        return false;
    if (weft_sexp_read(bytes, nodes, SHARE_NODES_MAX, NULL) != 4 || nodes[0].count != 3 ||
        nodes[2].kind != WEFT_SEXP_KEYWORD || !is_text(nodes[2].text, "source") ||
        nodes[3].kind != WEFT_SEXP_STRING)
        return false;
    const int length = weft_sexp_string(&nodes[3], text, sizeof(text));
    if (length < 0) return false;
    give_all(worker, NULL, weft_span_of(text, (size_t)length), true);
    return true;
}

static int32_t share(void *self, const char *text, size_t length, bool with_peers)
{
    struct weft_unit_actor *unit = self;
    if (length > WEFT_UNIT_LESSON_BYTES_MAX) return WEFT_THROW_TOO_LONG;
    if (with_peers) return share_with_peers(unit, text, length);
    return give_all(unit->worker, unit->resident, weft_span_of(text, length), false);
}

// ---- Goals.

static bool is_less_busy(const struct weft_resident *a, const struct weft_resident *b)
{
    const bool runs_a = weft_counter_get(&a->status) == WEFT_RESIDENT_RUNNING;
    const bool runs_b = weft_counter_get(&b->status) == WEFT_RESIDENT_RUNNING;
    if (runs_a != runs_b) return runs_b;
    const uint64_t wait_a = weft_counter_get(&a->mailbox_count) + weft_counter_get(&a->goals);
    const uint64_t wait_b = weft_counter_get(&b->mailbox_count) + weft_counter_get(&b->goals);
    if (wait_a != wait_b) return wait_a < wait_b;
    return weft_counter_get(&a->reduction_count) < weft_counter_get(&b->reduction_count);
}

// The best of a few, beginning where the last goal ended: with few units that is the best of all,
// with many as good as one can know (Mitzenmacher 2001: the choice of two is most of it), and in
// constant time either way.
static struct weft_resident *choose(struct weft_unit_actor *unit)
{
    struct weft_unit_registry *units = &unit->worker->node->units;
    const uint32_t room = (uint32_t)weft_counter_get(&units->high_count);
    struct weft_resident *best = NULL;
    for (uint32_t n = 0; n < room && n < 4 * CANDIDATES; n++) {
        struct weft_resident *resident = &units->residents[(unit->goal_cursor + n) % room];
        if (resident == unit->resident || !lives(resident)) continue;
        if (best == NULL || is_less_busy(resident, best)) best = resident;
    }
    if (best != NULL) unit->goal_cursor = (uint32_t)(best - units->residents) + 1;
    return best;
}

static int32_t goal(void *self, const char *text, size_t length, uint64_t *pid)
{
    struct weft_unit_actor *unit = self;
    if (length > WEFT_UNIT_LESSON_BYTES_MAX) return WEFT_THROW_TOO_LONG;
    struct weft_resident *resident = choose(unit);
    if (resident == NULL) return WEFT_THROW_NOBODY;
    const weft_pid now = weft_counter_get(&resident->pid);
    *pid = weft_unit_ids_id(&unit->worker->node->ids, now);
    return give(unit->worker, now, weft_span_of(text, length), false);
}

static void learns(void *self, enum weft_unit_teachers from)
{
    ((struct weft_unit_actor *)self)->learns = (uint8_t)from;
}

void weft_unit_lessons_host(struct weft_unit_host *host)
{
    host->share = share;
    host->goal = goal;
    host->peers = peers;
    host->learns = learns;
}

// ---- In the unit's slices.

static struct weft_message *pop(struct weft_unit_actor *unit)
{
    struct weft_list *link = weft_list_pop(&unit->lessons);
    if (link == NULL) return NULL;
    unit->lesson_count--;
    return weft_message_of(link);
}

void weft_unit_lessons_begin(struct weft_unit_actor *unit)
{
    struct weft_unit_info info;
    unit->is_busy = false;
    if (unit->has_lesson || weft_unit_state(unit->unit) == WEFT_UNIT_AGAIN) return;
    weft_unit_inspect(unit->unit, &info);
    struct weft_message *message = pop(unit);
    if (message == NULL) return;
    struct lesson lesson;
    memcpy(&lesson, message->payload, sizeof(lesson));
    const int result = weft_unit_interpret(
        unit->unit, "lesson", (const char *)message->payload + sizeof(lesson), lesson.length);
    if (result == -EBUSY) { // A definition is open, or too many texts are parked: later.
        weft_list_prepend(&unit->lessons, weft_message_link(message));
        unit->lesson_count++;
        unit->is_busy = true;
        return;
    }
    if (result == 0) {
        unit->has_lesson = true;
        unit->lesson_level = info.levels;
        unit->lesson_reductions = info.reductions;
        unit->lesson_due_ns =
            unit->worker->core.now_ns + unit->worker->node->options.eval_timeout_ns;
    }
    weft_message_release(&unit->worker->actors, message);
}

void weft_unit_lessons_check(struct weft_unit_actor *unit, enum weft_unit_state state)
{
    const struct weft_node_options *options = &unit->worker->node->options;
    struct weft_unit_info info;
    if (!unit->has_lesson) return;
    weft_unit_inspect(unit->unit, &info);
    const bool is_over = info.levels <= unit->lesson_level &&
                         (state != WEFT_UNIT_AGAIN || info.state != WEFT_UNIT_AGAIN);
    const bool is_late = unit->worker->core.now_ns >= unit->lesson_due_ns ||
                         info.reductions - unit->lesson_reductions > options->eval_reductions;
    if (!is_over && is_late) weft_unit_cancel(unit->unit, WEFT_THROW_REDUCTIONS);
    if (!is_over && !is_late) return;
    unit->has_lesson = false;
    weft_unit_actor_keep_soon(unit); // What it has been taught is to survive the node.
}

bool weft_unit_lessons_add(struct weft_unit_actor *unit, struct weft_span text, bool from_peer)
{
    struct weft_message *message = pack(unit->worker, text, from_peer);
    if (message == NULL) return false;
    weft_list_append(&unit->lessons, weft_message_link(message));
    unit->lesson_count++;
    return true;
}

void weft_unit_lessons_each(struct weft_unit_actor *unit,
                            void (*see)(void *argument, struct weft_span text, bool from_peer),
                            void *argument)
{
    for (struct weft_list *link = unit->lessons.next; link != &unit->lessons; link = link->next) {
        const struct weft_message *message = weft_message_of(link);
        struct lesson lesson;
        memcpy(&lesson, message->payload, sizeof(lesson));
        see(argument, weft_span_of(message->payload + sizeof(lesson), lesson.length),
            lesson.from_peer);
    }
}

void weft_unit_lessons_drop(struct weft_unit_actor *unit)
{
    for (struct weft_message *message; (message = pop(unit)) != NULL;)
        weft_message_release(&unit->worker->actors, message);
}
