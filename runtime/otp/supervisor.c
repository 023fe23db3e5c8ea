// supervisor.c: children in the order of their start, and what is done when one of them ends.
//
// A restart is a start in the slice that learns of the end: nothing is allocated for it but the new
// child, and nothing is sent but its arguments. Only a start that fails is tried again by way of a
// timer, so that the supervisor hears others between two tries.
#include <weft/supervisor.h>

#include <errno.h>
#include <string.h>

#include <weft/link.h>
#include <weft/timer.h>

#include "runtime/otp/intensity.h"
#include "runtime/otp/listing.h"
#include "runtime/otp/pid_map.h"
#include "runtime/otp/report.h"
#include "runtime/otp/spec.h"

struct child {
    struct child *next, *prev; // In order of start.
    weft_pid pid;              // 0: it does not run.
    uint64_t restart_count;
    uint32_t tried_in; // The round of retries that it was tried in last.
    bool retries;      // Its start has failed; it is tried again.
    _Alignas(16) struct weft_flat_child spec;
};

struct supervisor {
    struct child *first, *last;
    struct weft_pid_map running; // To struct child.
    struct weft_intensity intensity;
    struct weft_report report;
    uint64_t restart_count;
    uint64_t retry; // The timer; 0: none.
    uint32_t round; // Of retries.
    uint8_t strategy, auto_shutdown;
    bool is_over; // It has given up, and ends when this message is done.
};

// ---- The list.

static struct child *find_id(const struct supervisor *supervisor, const char *id)
{
    for (struct child *child = supervisor->first; child != NULL; child = child->next) {
        if (strcmp(child->spec.id, id) == 0) return child;
    }
    return NULL;
}

static struct child *add(struct weft_actor *self, struct supervisor *supervisor,
                         const struct weft_flat_child *spec)
{
    const size_t bytes = offsetof(struct child, spec) + spec->bytes;
    struct child *child = weft_alloc(self, bytes);
    if (child == NULL) return NULL;
    *child = (struct child){.prev = supervisor->last};
    memcpy(&child->spec, spec, spec->bytes);
    if (supervisor->last != NULL)
        supervisor->last->next = child;
    else
        supervisor->first = child;
    supervisor->last = child;
    return child;
}

static void drop(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    if (child->next != NULL)
        child->next->prev = child->prev;
    else
        supervisor->last = child->prev;
    if (child->prev != NULL)
        child->prev->next = child->next;
    else
        supervisor->first = child->next;
    weft_free(self, child);
}

// ---- One child.

// 0: it runs; WEFT_SERVER_IGNORE: there was nothing to start; a negative errno.
static int start(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    int result = weft_pid_map_reserve(self, &supervisor->running);
    child->retries = false;
    if (result == 0)
        result =
            weft_flat_start(self, &child->spec, child->spec.args, child->spec.length, &child->pid);
    if (result == 0) weft_pid_map_put(&supervisor->running, child->pid, child);
    return result;
}

static void end(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    const weft_pid pid = child->pid;
    child->retries = false;
    if (pid == 0) return;
    weft_pid_map_take(&supervisor->running, weft_pid_map_find(&supervisor->running, pid));
    child->pid = 0; // What it says of its end from here on is nobody's.
    weft_flat_end(self, &child->spec, pid);
}

// ---- Several, in order.

// Ends all from the last down to `first`. Those that are not started again are forgotten.
static void end_from(struct weft_actor *self, struct supervisor *supervisor, struct child *first)
{
    for (struct child *child = supervisor->last, *before = NULL; child != NULL; child = before) {
        before = child != first ? child->prev : NULL;
        end(self, supervisor, child);
        if (child->spec.restart == WEFT_RESTART_TEMPORARY) drop(self, supervisor, child);
    }
}

// The first that does not start; NULL: all run.
static struct child *start_from(struct weft_actor *self, struct supervisor *supervisor,
                                struct child *first)
{
    for (struct child *child = first; child != NULL; child = child->next) {
        if (child->pid == 0 && start(self, supervisor, child) < 0) return child;
    }
    return NULL;
}

static void give_up(struct weft_actor *self, struct supervisor *supervisor, uint16_t reason)
{
    supervisor->is_over = true;
    end_from(self, supervisor, supervisor->first);
    weft_stop(self, reason);
}

// ---- Restarts.

static void retry_later(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    child->retries = true;
    if (supervisor->retry != 0) return;
    if (weft_send_after(self, weft_self(self), 0, WEFT_SUPERVISOR_RETRY, NULL, 0,
                        &supervisor->retry) != 0)
        give_up(self, supervisor, WEFT_EXIT_INTENSITY);
}

// A temporary child in front may go meanwhile: where to start from is asked afterwards.
static struct child *restart_by_strategy(struct weft_actor *self, struct supervisor *supervisor,
                                         struct child *child)
{
    switch (supervisor->strategy) {
    case WEFT_ONE_FOR_ALL:
        end_from(self, supervisor, supervisor->first);
        return start_from(self, supervisor, supervisor->first);
    case WEFT_REST_FOR_ONE:
        end_from(self, supervisor, child);
        return start_from(self, supervisor, child);
    default: return start(self, supervisor, child) < 0 ? child : NULL;
    }
}

static void restart(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    if (!weft_intensity_admit(self, &supervisor->intensity)) {
        weft_say(self, WEFT_LEVEL_ERROR, "gives up: child %s has ended too often", child->spec.id);
        give_up(self, supervisor, WEFT_EXIT_INTENSITY);
        return;
    }
    child->restart_count++;
    supervisor->restart_count++;
    struct child *failed = restart_by_strategy(self, supervisor, child);
    if (failed != NULL) retry_later(self, supervisor, failed);
}

static struct child *next_retry(const struct supervisor *supervisor)
{
    for (struct child *child = supervisor->first; child != NULL; child = child->next) {
        if (child->retries && child->tried_in != supervisor->round) return child;
    }
    return NULL;
}

// Each child that is tried again gets one try.
static void on_retry(struct weft_actor *self, struct supervisor *supervisor)
{
    supervisor->retry = 0;
    supervisor->round++;
    for (struct child *child; !supervisor->is_over && (child = next_retry(supervisor)) != NULL;) {
        child->tried_in = supervisor->round;
        restart(self, supervisor, child);
    }
}

// ---- Ends.

static bool has_significant(const struct supervisor *supervisor)
{
    for (const struct child *child = supervisor->first; child != NULL; child = child->next) {
        if (child->spec.significant && (child->pid != 0 || child->retries)) return true;
    }
    return false;
}

static void stays_away(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    const bool is_significant = child->spec.significant;
    if (child->spec.restart == WEFT_RESTART_TEMPORARY) drop(self, supervisor, child);
    if (!is_significant || supervisor->auto_shutdown == WEFT_AUTO_NEVER) return;
    if (supervisor->auto_shutdown == WEFT_AUTO_ALL && has_significant(supervisor)) return;
    give_up(self, supervisor, WEFT_EXIT_SHUTDOWN);
}

static void on_exit(struct weft_actor *self, struct supervisor *supervisor, weft_pid pid,
                    uint16_t reason)
{
    struct weft_pid_entry *entry = weft_pid_map_find(&supervisor->running, pid);
    if (entry == NULL) return; // It has been ended, or is no child.
    struct child *child = entry->value;
    weft_pid_map_take(&supervisor->running, entry);
    child->pid = 0;
    weft_flat_ended(self, pid);
    weft_report_end(self, &supervisor->report, child->spec.id, pid, reason, child->restart_count);
    if (weft_flat_returns(&child->spec, reason))
        restart(self, supervisor, child);
    else
        stays_away(self, supervisor, child);
}

// ---- Requests.

// Of START_CHILD. NULL: no such bytes were made here.
static const struct weft_flat_child *child_in(const struct weft_message *call)
{
    const struct weft_flat_child *spec = (const void *)call->payload;
    return call->length >= sizeof(*spec) && spec->bytes == call->length ? spec : NULL;
}

// Of the requests that name a child.
static struct child *named_in(const struct supervisor *supervisor, const struct weft_message *call)
{
    if (call->length != sizeof(((struct weft_flat_child *)0)->id)) return NULL;
    if (call->payload[call->length - 1] != 0) return NULL;
    return find_id(supervisor, (const char *)call->payload);
}

static struct weft_supervisor_answer
start_child(struct weft_actor *self, struct supervisor *supervisor, const struct weft_message *call)
{
    const struct weft_flat_child *spec = child_in(call);
    if (spec == NULL) return (struct weft_supervisor_answer){.result = -EINVAL};
    struct child *child = find_id(supervisor, spec->id);
    if (child != NULL)
        return (struct weft_supervisor_answer){.result = child->pid != 0 ? -EEXIST : -EALREADY,
                                               .pid = child->pid};
    child = add(self, supervisor, spec);
    if (child == NULL) return (struct weft_supervisor_answer){.result = -ENOMEM};
    const struct weft_supervisor_answer answer = {.result = start(self, supervisor, child),
                                                  .pid = child->pid};
    const bool is_forgotten =
        answer.result == WEFT_SERVER_IGNORE && child->spec.restart == WEFT_RESTART_TEMPORARY;
    if (answer.result < 0 || is_forgotten) drop(self, supervisor, child);
    return answer;
}

static struct weft_supervisor_answer
restart_child(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    if (child->pid != 0)
        return (struct weft_supervisor_answer){.result = -EEXIST, .pid = child->pid};
    // By its strategy, which others may wait for.
    if (child->retries) return (struct weft_supervisor_answer){.result = -EALREADY};
    const int result = start(self, supervisor, child);
    return (struct weft_supervisor_answer){.result = result, .pid = child->pid};
}

static struct weft_supervisor_answer stop_child(struct weft_actor *self,
                                                struct supervisor *supervisor, struct child *child)
{
    end(self, supervisor, child);
    if (child->spec.restart == WEFT_RESTART_TEMPORARY) drop(self, supervisor, child);
    return (struct weft_supervisor_answer){0};
}

static struct weft_supervisor_answer
delete_child(struct weft_actor *self, struct supervisor *supervisor, struct child *child)
{
    if (child->pid != 0 || child->retries) return (struct weft_supervisor_answer){.result = -EBUSY};
    drop(self, supervisor, child);
    return (struct weft_supervisor_answer){0};
}

static struct weft_supervisor_answer request(struct weft_actor *self, struct supervisor *supervisor,
                                             const struct weft_message *call)
{
    if (call->type == WEFT_SUPERVISOR_START_CHILD) return start_child(self, supervisor, call);
    struct child *child = named_in(supervisor, call);
    if (child == NULL) return (struct weft_supervisor_answer){.result = -ENOENT};
    switch (call->type) {
    case WEFT_SUPERVISOR_STOP_CHILD: return stop_child(self, supervisor, child);
    case WEFT_SUPERVISOR_RESTART_CHILD: return restart_child(self, supervisor, child);
    default: return delete_child(self, supervisor, child);
    }
}

// ---- Questions.

static struct weft_child_info info_of(const struct child *child)
{
    struct weft_child_info info = {.pid = child->pid,
                                   .restart_count = child->restart_count,
                                   .restart = child->spec.restart,
                                   .is_supervisor = child->spec.is_supervisor,
                                   .significant = child->spec.significant,
                                   .is_restarting = child->retries};
    memcpy(info.id, child->spec.id, sizeof(info.id));
    return info;
}

static struct weft_child_counts count(const struct supervisor *supervisor)
{
    struct weft_child_counts counts = {.active = supervisor->running.count,
                                       .restarts = supervisor->restart_count};
    for (const struct child *child = supervisor->first; child != NULL; child = child->next) {
        counts.specs++;
        if (child->spec.is_supervisor)
            counts.supervisors++;
        else
            counts.workers++;
    }
    return counts;
}

static void list(struct weft_actor *self, const struct supervisor *supervisor,
                 struct weft_message *call)
{
    struct weft_listing listing;
    if (!weft_listing_begin(self, &listing, call, count(supervisor).specs)) return;
    for (const struct child *child = supervisor->first; child != NULL; child = child->next) {
        const struct weft_child_info info = info_of(child);
        weft_listing_add(&listing, &info);
    }
    weft_listing_reply(self, &listing, call);
}

// ---- The server.

static int on_init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct supervisor *supervisor = state;
    const struct weft_flat_supervisor *flat = args;
    if (length < sizeof(*flat)) return -EINVAL;
    weft_trap_exit(self, true);
    weft_intensity_init(&supervisor->intensity, flat->restart_max, flat->period_ns);
    supervisor->strategy = flat->strategy;
    supervisor->auto_shutdown = flat->auto_shutdown;
    supervisor->report.quiet = flat->quiet;
    const uint8_t *at = flat->children;
    for (uint32_t i = 0; i < flat->child_count; i++) {
        const struct weft_flat_child *spec = (const void *)at;
        struct child *child = add(self, supervisor, spec);
        const int result = child != NULL ? start(self, supervisor, child) : -ENOMEM;
        if (result < 0) {
            end_from(self, supervisor, supervisor->first);
            return result;
        }
        if (result == WEFT_SERVER_IGNORE && spec->restart == WEFT_RESTART_TEMPORARY)
            drop(self, supervisor, child);
        at += spec->bytes;
    }
    return 0;
}

static void on_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    struct supervisor *supervisor = state;
    if (call->type == WEFT_SUPERVISOR_CHILDREN) {
        list(self, supervisor, call);
    } else if (call->type == WEFT_SUPERVISOR_COUNT) {
        const struct weft_child_counts counts = count(supervisor);
        weft_reply(self, call, call->type, &counts, sizeof(counts));
    } else if (call->type >= WEFT_SUPERVISOR_START_CHILD &&
               call->type <= WEFT_SUPERVISOR_DELETE_CHILD) {
        const struct weft_supervisor_answer answer = request(self, supervisor, call);
        weft_reply(self, call, call->type, &answer, sizeof(answer));
    }
}

static void on_info(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct supervisor *supervisor = state;
    if (message->tag == WEFT_MESSAGE_EXIT)
        on_exit(self, supervisor, message->from, message->type);
    else if (message->tag == WEFT_MESSAGE_TIMER && message->reference == supervisor->retry)
        on_retry(self, supervisor);
}

static void on_shutdown(struct weft_actor *self, void *state, uint16_t reason)
{
    struct supervisor *supervisor = state;
    (void)reason;
    end_from(self, supervisor, supervisor->first);
}

const struct weft_server weft_supervisor_server = {
    WEFT_SERVER("supervisor", struct supervisor),
    .init = on_init,
    .call = on_call,
    .info = on_info,
    .shutdown = on_shutdown,
};
