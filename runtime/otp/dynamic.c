// dynamic.c: a supervisor of many children of one sort: a table by pid and nothing else.
//
// What a child was started with is kept only if it is to be started again with it. When the
// supervisor ends, all children are told at once and waited for together.
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

#define MILLISECOND_NS UINT64_C(1000000)
#define TELL_TRIES     1000                 // Without memory for a signal: a millisecond apart.
#define UNTOLD_NS      UINT64_C(5000000000) // Who may not have been told is waited for no longer.

struct given {          // What one child was started with.
    struct given *next; // While it waits to be tried again.
    uint32_t length;
    _Alignas(16) uint8_t args[];
};

struct dynamic {
    struct weft_flat_child *spec;
    struct weft_pid_map children; // To struct given; NULL: what the spec says.
    struct weft_intensity intensity;
    struct weft_report report;
    uint64_t restart_count;
    struct given *retries; // Their start has failed.
    uint64_t retry;        // The timer; 0: none.
    uint32_t retry_count;
    uint32_t child_max;
    bool is_over;
};

// ---- One child.

static int start(struct weft_actor *self, struct dynamic *dynamic, const void *args, size_t length,
                 struct given *given, weft_pid *pid)
{
    *pid = 0;
    int result = weft_pid_map_reserve(self, &dynamic->children);
    if (result != 0) return result;
    if (length == 0) {
        args = dynamic->spec->args;
        length = dynamic->spec->length;
    }
    result = weft_flat_start(self, dynamic->spec, args, length, pid);
    if (result == 0) weft_pid_map_put(&dynamic->children, *pid, given);
    return result;
}

// What a restart will need. False: no memory for it.
static bool keep(struct weft_actor *self, const struct dynamic *dynamic,
                 const struct weft_message *call, struct given **given)
{
    *given = NULL;
    if (dynamic->spec->restart == WEFT_RESTART_TEMPORARY) return true;
    *given = weft_alloc(self, sizeof(**given) + call->length);
    if (*given == NULL) return false;
    **given = (struct given){.length = call->length};
    memcpy((*given)->args, call->payload, call->length);
    return true;
}

// False: children of this sort cannot be given so many bytes.
static bool takes(const struct weft_flat_child *spec, uint32_t length)
{
    if (spec->kind != NULL) return length == spec->kind->state_bytes;
    return spec->server != &weft_supervisor_server && spec->server != &weft_dynamic_server;
}

static struct weft_supervisor_answer start_child(struct weft_actor *self, struct dynamic *dynamic,
                                                 const struct weft_message *call)
{
    struct given *given;
    weft_pid pid;
    if (dynamic->child_max != 0 &&
        dynamic->children.count + dynamic->retry_count >= dynamic->child_max)
        return (struct weft_supervisor_answer){.result = -ENOSPC};
    if (call->length != 0 && !takes(dynamic->spec, call->length))
        return (struct weft_supervisor_answer){.result = -EINVAL};
    if (!keep(self, dynamic, call, &given))
        return (struct weft_supervisor_answer){.result = -ENOMEM};
    const int result = start(self, dynamic, call->payload, call->length, given, &pid);
    if (result != 0) weft_free(self, given);
    return (struct weft_supervisor_answer){.result = result, .pid = pid};
}

static struct weft_supervisor_answer stop_child(struct weft_actor *self, struct dynamic *dynamic,
                                                const struct weft_message *call)
{
    weft_pid pid = 0;
    if (call->length == sizeof(pid)) memcpy(&pid, call->payload, sizeof(pid));
    struct weft_pid_entry *entry = weft_pid_map_find(&dynamic->children, pid);
    if (entry == NULL) return (struct weft_supervisor_answer){.result = -ENOENT};
    weft_free(self, entry->value);
    weft_pid_map_take(&dynamic->children, entry);
    weft_flat_end(self, dynamic->spec, pid);
    return (struct weft_supervisor_answer){0};
}

// ---- All of them.

static int tell(struct weft_actor *self, const struct dynamic *dynamic, weft_pid pid)
{
    return dynamic->spec->shutdown_ns == WEFT_SHUTDOWN_KILL
               ? weft_kill(self, pid)
               : weft_exit_send(self, pid, WEFT_EXIT_SHUTDOWN);
}

// False: there was no memory to tell some of them, for a second.
static bool tell_all(struct weft_actor *self, const struct dynamic *dynamic)
{
    unsigned tries_left = TELL_TRIES;
    bool told = true;
    for (uint32_t i = 0; i < dynamic->children.slot_count; i++) {
        const weft_pid pid = dynamic->children.slots[i].pid;
        if (pid == 0) continue;
        int result;
        while ((result = tell(self, dynamic, pid)) == -ENOMEM && tries_left > 0) {
            tries_left--;
            weft_sleep(self, MILLISECOND_NS);
        }
        told = told && result != -ENOMEM;
        weft_reduce(self, 10);
    }
    return told;
}

// The end of a child takes its link with it. One that has only sent an exit signal in its own name
// is linked again: if it has ended meanwhile, that says so by another.
static bool has_ended(struct weft_actor *self, const struct dynamic *dynamic, weft_pid pid)
{
    struct weft_flat_child last = *dynamic->spec;
    if (weft_unlink(self, pid) != 0) return true;
    if (weft_link(self, pid) == 0) return false;
    last.shutdown_ns = WEFT_SHUTDOWN_KILL; // No memory to hear of its end: it comes now.
    weft_flat_end(self, &last, pid);
    return true;
}

// Until `limit_ns` are over.
static void await_all(struct weft_actor *self, struct dynamic *dynamic, uint64_t limit_ns)
{
    static const struct weft_match ends = {.tags = 1u << WEFT_MESSAGE_EXIT};
    const uint64_t begin_ns = weft_now_ns(self);
    while (dynamic->children.count > 0) {
        const uint64_t used_ns = weft_now_ns(self) - begin_ns;
        const uint64_t left_ns = limit_ns == WEFT_FOREVER ? WEFT_FOREVER
                                 : limit_ns > used_ns     ? limit_ns - used_ns
                                                          : 0;
        const struct weft_message *exit = weft_receive_match(self, &ends, left_ns);
        if (exit == NULL) break;
        const weft_pid pid = exit->from;
        struct weft_pid_entry *entry = weft_pid_map_find(&dynamic->children, pid);
        if (entry != NULL && has_ended(self, dynamic, pid))
            weft_pid_map_take(&dynamic->children, entry);
    }
}

static void end_all(struct weft_actor *self, struct dynamic *dynamic)
{
    struct weft_flat_child last = *dynamic->spec; // Those that did not end in time.
    uint64_t limit_ns = last.shutdown_ns;
    if (!tell_all(self, dynamic) && limit_ns > UNTOLD_NS) limit_ns = UNTOLD_NS;
    await_all(self, dynamic, limit_ns);
    if (dynamic->children.count == 0) return;
    if (last.shutdown_ns != WEFT_SHUTDOWN_KILL)
        weft_say(self, WEFT_LEVEL_WARN, "%u children %s did not end in time: killed",
                 dynamic->children.count, last.id);
    last.shutdown_ns = WEFT_SHUTDOWN_KILL;
    for (uint32_t i = 0; i < dynamic->children.slot_count; i++) {
        if (dynamic->children.slots[i].pid != 0)
            weft_flat_end(self, &last, dynamic->children.slots[i].pid);
    }
}

static void give_up(struct weft_actor *self, struct dynamic *dynamic)
{
    weft_say(self, WEFT_LEVEL_ERROR, "gives up: children %s have ended too often",
             dynamic->spec->id);
    dynamic->is_over = true;
    end_all(self, dynamic);
    weft_stop(self, WEFT_EXIT_INTENSITY);
}

// ---- Restarts.

static void retry_later(struct weft_actor *self, struct dynamic *dynamic, struct given *given)
{
    given->next = dynamic->retries;
    dynamic->retries = given;
    dynamic->retry_count++;
    if (dynamic->retry != 0) return;
    if (weft_send_after(self, weft_self(self), 0, WEFT_SUPERVISOR_RETRY, NULL, 0,
                        &dynamic->retry) != 0)
        give_up(self, dynamic);
}

static void restart(struct weft_actor *self, struct dynamic *dynamic, struct given *given)
{
    weft_pid pid;
    if (!weft_intensity_admit(self, &dynamic->intensity)) {
        give_up(self, dynamic);
        return;
    }
    dynamic->restart_count++;
    const int result = start(self, dynamic, given->args, given->length, given, &pid);
    if (result < 0) retry_later(self, dynamic, given);
    if (result == WEFT_SERVER_IGNORE) weft_free(self, given);
}

static void on_retry(struct weft_actor *self, struct dynamic *dynamic)
{
    struct given *given = dynamic->retries;
    dynamic->retry = 0;
    dynamic->retries = NULL;
    dynamic->retry_count = 0;
    while (given != NULL && !dynamic->is_over) {
        struct given *next = given->next;
        restart(self, dynamic, given);
        given = next;
    }
}

static void on_exit(struct weft_actor *self, struct dynamic *dynamic, weft_pid pid, uint16_t reason)
{
    struct weft_pid_entry *entry = weft_pid_map_find(&dynamic->children, pid);
    if (entry == NULL) return;
    struct given *given = entry->value;
    weft_pid_map_take(&dynamic->children, entry);
    weft_flat_ended(self, pid);
    weft_report_end(self, &dynamic->report, dynamic->spec->id, pid, reason, dynamic->restart_count);
    if (weft_flat_returns(dynamic->spec, reason))
        restart(self, dynamic, given);
    else
        weft_free(self, given);
}

// ---- Questions.

static void list(struct weft_actor *self, const struct dynamic *dynamic, struct weft_message *call)
{
    struct weft_listing listing;
    if (!weft_listing_begin(self, &listing, call, dynamic->children.count)) return;
    struct weft_child_info info = {.restart = dynamic->spec->restart,
                                   .is_supervisor = dynamic->spec->is_supervisor};
    memcpy(info.id, dynamic->spec->id, sizeof(info.id));
    for (uint32_t i = 0; i < dynamic->children.slot_count; i++) {
        info.pid = dynamic->children.slots[i].pid;
        if (info.pid != 0) weft_listing_add(&listing, &info);
    }
    weft_listing_reply(self, &listing, call);
}

static struct weft_child_counts count(const struct dynamic *dynamic)
{
    const uint64_t active = dynamic->children.count;
    return (struct weft_child_counts){.specs = active,
                                      .active = active,
                                      .supervisors = dynamic->spec->is_supervisor ? active : 0,
                                      .workers = dynamic->spec->is_supervisor ? 0 : active,
                                      .restarts = dynamic->restart_count};
}

// ---- The server.

static int on_init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct dynamic *dynamic = state;
    const struct weft_flat_dynamic *flat = args;
    if (length < sizeof(*flat) ||
        length - offsetof(struct weft_flat_dynamic, child) != flat->child.bytes)
        return -EINVAL;
    weft_trap_exit(self, true);
    weft_intensity_init(&dynamic->intensity, flat->restart_max, flat->period_ns);
    dynamic->child_max = flat->child_max;
    dynamic->report.quiet = flat->quiet;
    dynamic->spec = weft_alloc(self, flat->child.bytes);
    if (dynamic->spec == NULL) return -ENOMEM;
    memcpy(dynamic->spec, &flat->child, flat->child.bytes);
    return 0;
}

static void on_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    struct dynamic *dynamic = state;
    if (call->type == WEFT_SUPERVISOR_CHILDREN) {
        list(self, dynamic, call);
    } else if (call->type == WEFT_SUPERVISOR_COUNT) {
        const struct weft_child_counts counts = count(dynamic);
        weft_reply(self, call, call->type, &counts, sizeof(counts));
    } else if (call->type == WEFT_SUPERVISOR_START_CHILD ||
               call->type == WEFT_SUPERVISOR_STOP_CHILD) {
        const struct weft_supervisor_answer answer = call->type == WEFT_SUPERVISOR_START_CHILD
                                                         ? start_child(self, dynamic, call)
                                                         : stop_child(self, dynamic, call);
        weft_reply(self, call, call->type, &answer, sizeof(answer));
    }
}

static void on_info(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct dynamic *dynamic = state;
    if (message->tag == WEFT_MESSAGE_EXIT)
        on_exit(self, dynamic, message->from, message->type);
    else if (message->tag == WEFT_MESSAGE_TIMER && message->reference == dynamic->retry)
        on_retry(self, dynamic);
}

static void on_shutdown(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)reason;
    end_all(self, state);
}

const struct weft_server weft_dynamic_server = {
    WEFT_SERVER("dynamic-supervisor", struct dynamic),
    .init = on_init,
    .call = on_call,
    .info = on_info,
    .shutdown = on_shutdown,
};
