// Traces: what one actor does, as the rings of the cores tell it (actor/trace.h), and what their
// flight recorders hold.
//
// Somebody who follows an actor has an order for it on its core to begin and another to end. In
// between, nobody asks a worker for anything: its ring is read from here, and a reader that is too
// slow misses some.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weft/message.h>

#include "runtime/actor/trace.h"
#include "runtime/node/control_actor.h"
#include "runtime/node/order.h"

// One ring that is read, with the next record in hand.
struct source {
    const struct weft_trace_ring *ring;
    uint64_t place, end; // Not beyond `end`.
    struct weft_trace_record record;
    bool has_record;
    uint16_t core;
};

struct sources {
    weft_pid pid;       // Only what is about this actor; 0: everything.
    bool with_peers;    // Also what others did to it.
    uint64_t offset_ns; // From a core's time to wall-clock time.
    uint16_t count;
    uint64_t missed;
    struct source items[WEFT_CORE_MAX];
};

static bool is_wanted(const struct sources *sources, const struct weft_trace_record *record)
{
    if (sources->pid == 0 || record->pid == sources->pid) return true;
    return record->peer == sources->pid &&
           (sources->with_peers || record->event == WEFT_TRACE_SPAWN);
}

static bool peek(struct sources *sources, struct source *source)
{
    while (!source->has_record && source->place < source->end &&
           weft_trace_read(source->ring, &source->place, &source->record, &sources->missed))
        source->has_record = is_wanted(sources, &source->record);
    return source->has_record;
}

// The oldest record of all; NULL: there is none.
static struct source *oldest(struct sources *sources)
{
    struct source *first = NULL;
    for (uint16_t i = 0; i < sources->count; i++) {
        struct source *source = &sources->items[i];
        if (peek(sources, source) &&
            (first == NULL || source->record.time_ns < first->record.time_ns))
            first = source;
    }
    return first;
}

// Takes the record out of hand.
static void take(const struct sources *sources, struct source *source,
                 struct weft_admin_trace_event *to)
{
    const struct weft_trace_record *record = &source->record;
    source->has_record = false;
    *to = (struct weft_admin_trace_event){.wall_ns = record->time_ns + sources->offset_ns,
                                          .core = source->core,
                                          .event = weft_trace_name(record->event),
                                          .pid = record->pid,
                                          .peer = record->peer,
                                          .type = record->type,
                                          .value_name = weft_trace_value_name(record->event),
                                          .value = record->value};
    if (record->event == WEFT_TRACE_SEND || record->event == WEFT_TRACE_RECEIVE)
        to->tag = weft_control_tag_name(record->tag);
    if (record->event == WEFT_TRACE_EXIT) to->text = weft_exit_name((uint16_t)record->value);
}

// ---- One actor.

struct trace {
    struct weft_order order;
    struct weft_control *control;
    struct weft_list link; // In control->traces.
    bool is_away;          // The order is.
    bool is_begun;         // Its actor is followed, for us.
    bool is_over;          // Its end has been told, or it could not be followed.
    bool has_gone;         // It has ended; what the rings have of it still is to be told.
    bool is_closed;        // Nobody reads any more.
    bool has_said_begin;
    struct sources sources;
};

static void free_trace(struct trace *trace)
{
    weft_list_remove(&trace->link);
    free(trace);
}

static bool send_order(struct trace *trace,
                       enum weft_order_step (*step)(struct weft_order *, struct weft_node_worker *,
                                                    struct weft_actor *),
                       void (*done)(struct weft_order *))
{
    trace->order.step = step;
    trace->order.done = done;
    trace->order.result = weft_order_send(&trace->order, WEFT_PRIORITY_HIGH);
    trace->is_away = trace->order.result == 0;
    trace->control->command_count += trace->is_away;
    return trace->is_away;
}

static enum weft_order_step end_step(struct weft_order *order, struct weft_node_worker *worker,
                                     struct weft_actor *actor)
{
    (void)order, (void)worker;
    weft_trace_unfollow(actor);
    return WEFT_ORDER_DONE;
}

static struct trace *came_back(struct weft_order *order)
{
    struct trace *trace = WEFT_CONTAINER_OF(order, struct trace, order);
    trace->is_away = false;
    trace->control->command_count--;
    return trace;
}

static void end_done(struct weft_order *order)
{
    free_trace(came_back(order));
}

// Nobody reads it, and no order is away: its actor need not be followed for it.
static void end(struct trace *trace)
{
    if (trace->is_begun && !trace->is_over) {
        if (send_order(trace, end_step, end_done)) return;
        if (trace->order.result != -ESRCH) return; // A full ring: once more in a later turn.
    }
    free_trace(trace);
}

static enum weft_order_step begin_step(struct weft_order *order, struct weft_node_worker *worker,
                                       struct weft_actor *actor)
{
    (void)worker;
    order->result = weft_trace_follow(actor);
    return WEFT_ORDER_DONE;
}

static void begin_done(struct weft_order *order)
{
    struct trace *trace = came_back(order);
    trace->is_begun = order->result == 0;
    trace->is_over = order->result != 0;
    if (trace->is_closed) end(trace);
}

// What was missed may have been its end, after which nothing comes: is it there?
static enum weft_order_step look_step(struct weft_order *order, struct weft_node_worker *worker,
                                      struct weft_actor *actor)
{
    (void)order, (void)worker, (void)actor;
    return WEFT_ORDER_DONE;
}

static void look_done(struct weft_order *order)
{
    struct trace *trace = came_back(order);
    trace->has_gone = order->result == -ESRCH;
    if (trace->is_closed) end(trace);
}

static void add_sources(const struct weft_control *control, struct sources *sources, bool is_flight)
{
    const struct weft_clock *clock = &control->node->options.clock;
    sources->offset_ns = weft_clock_wall_ns(clock) - weft_clock_now_ns(clock);
    for (uint16_t i = 0; i < control->node->options.worker_count; i++) {
        const struct weft_tracer *tracer = control->node->workers[i].actors.tracer;
        if (tracer == NULL) continue;
        struct source *source = &sources->items[sources->count++];
        source->ring = is_flight ? &tracer->flight : &tracer->followed;
        source->core = (uint16_t)(i + 1);
        source->end = weft_trace_end(source->ring);
        source->place = source->end;
    }
}

static int open_trace(void *self, const char *actor, void **opened, struct weft_error *error)
{
    struct weft_control *control = self;
    const weft_pid pid = weft_control_find_actor(control, actor);
    if (control->draining) return weft_error_set(error, 505, "the node is shutting down");
    if (pid == 0) return weft_control_no_actor(control, actor, error);
    struct trace *trace = calloc(1, sizeof(*trace));
    if (trace == NULL) return weft_error_set(error, 203, "no memory for a trace");
    trace->control = control;
    trace->order = (struct weft_order){.node = control->node, .pid = pid};
    trace->sources.pid = pid;
    add_sources(control, &trace->sources, false);
    weft_list_append(&control->traces, &trace->link);
    if (send_order(trace, begin_step, begin_done)) {
        *opened = trace;
        return 0;
    }
    const int result = trace->order.result;
    free_trace(trace);
    if (result == -ESRCH) return weft_control_no_actor(control, actor, error);
    return weft_error_set(error, 505, "its core takes no orders at the moment");
}

// What stands in a trace and in no ring.
static void say(const struct trace *trace, const char *event, const char *value_name,
                uint64_t value, struct weft_admin_trace_event *to)
{
    const struct weft_control *control = trace->control;
    const int core = weft_actor_core_of(&control->node->actors, trace->order.pid);
    *to = (struct weft_admin_trace_event){.wall_ns =
                                              weft_clock_wall_ns(&control->node->options.clock),
                                          .core = (uint16_t)(core > 0 ? core : 0),
                                          .event = event,
                                          .pid = trace->order.pid,
                                          .value_name = value_name,
                                          .value = value};
}

static int read_trace(void *self, void *opened, struct weft_admin_trace_event *event)
{
    struct trace *trace = opened;
    (void)self;
    struct sources *sources = &trace->sources;
    if (trace->is_begun && !trace->has_said_begin) {
        trace->has_said_begin = true;
        say(trace, "begin", "", 0, event);
        return 1;
    }
    for (uint16_t i = 0; i < sources->count; i++)
        sources->items[i].end = weft_trace_end(sources->items[i].ring);
    struct source *source = trace->is_over ? NULL : oldest(sources);
    if (sources->missed > 0) {
        say(trace, "missed", "count", sources->missed, event);
        sources->missed = 0;
        if (!trace->is_away) send_order(trace, look_step, look_done);
        return 1;
    }
    if (source == NULL) return trace->is_over || trace->has_gone ? -ENODATA : 0;
    take(sources, source, event);
    trace->is_over = source->record.event == WEFT_TRACE_EXIT && source->record.pid == sources->pid;
    return 1;
}

static void close_trace(void *self, void *opened)
{
    struct trace *trace = opened;
    (void)self;
    trace->is_closed = true;
    if (!trace->is_away) end(trace);
}

void weft_control_traces_turn(struct weft_control *control)
{
    WEFT_LIST_FOR_EACH (link, &control->traces) {
        struct trace *trace = WEFT_CONTAINER_OF(link, struct trace, link);
        if (trace->is_closed && !trace->is_away) end(trace);
    }
}

void weft_control_traces_free(struct weft_control *control)
{
    while (!weft_list_empty(&control->traces))
        free_trace(WEFT_CONTAINER_OF(control->traces.next, struct trace, link));
}

// ---- The flight recorders.

static int64_t flight(void *self, const char *actor, struct weft_admin_trace_event *events,
                      uint32_t limit, struct weft_error *error)
{
    struct weft_control *control = self;
    struct sources sources = {.with_peers = true};
    if (actor != NULL && (sources.pid = weft_control_find_actor(control, actor)) == 0)
        return weft_control_no_actor(control, actor, error);
    add_sources(control, &sources, true);
    for (uint16_t i = 0; i < sources.count; i++) // Of one actor they may be anywhere.
        sources.items[i].place =
            weft_trace_tail(sources.items[i].ring, sources.pid != 0 ? UINT64_MAX : limit);
    // The last `limit` in a circle, then put straight.
    uint64_t count = 0;
    for (struct source *source; limit > 0 && (source = oldest(&sources)) != NULL; count++)
        take(&sources, source, &events[count % limit]);
    if (count <= limit) return (int64_t)count;
    const size_t first = count % limit;
    struct weft_admin_trace_event *turned = calloc(limit, sizeof(*turned));
    if (turned == NULL) return weft_error_set(error, 203, "no memory for the list");
    memcpy(turned, events + first, (limit - first) * sizeof(*events));
    memcpy(turned + limit - first, events, first * sizeof(*events));
    memcpy(events, turned, limit * sizeof(*events));
    free(turned);
    return limit;
}

void weft_control_trace_init(struct weft_control *control)
{
    weft_list_init(&control->traces);
    control->source.trace_open = open_trace;
    control->source.trace_read = read_trace;
    control->source.trace_close = close_trace;
    control->source.flight = flight;
}
