#include "runtime/node/unit_signals.h"

#include <errno.h>

#include <weft/weft.h>

#include "runtime/actor/ties.h"

static int32_t ior_of(int result)
{
    switch (result) {
    case 0: return 0;
    case -ENOMEM: return WEFT_THROW_ALLOCATE;
    case -ESRCH: return WEFT_THROW_CLOSED;
    case -ENOENT: return WEFT_THROW_NOBODY;
    case -EINVAL: return WEFT_THROW_BAD_NUMBER;
    default: return WEFT_THROW_FULL;
    }
}

// ---- How many there are.

struct counting {
    struct weft_unit_actor *unit;
    uint32_t signals, links;
};

static void count_tie(void *argument, const struct weft_tie *tie)
{
    struct counting *counting = argument;
    switch (tie->kind) {
    case WEFT_TIE_TIMER: counting->signals++; break;
    case WEFT_TIE_MONITOR: // A DOWN that has come is one until it is read.
        counting->signals += !weft_unit_dealings_is_joined(counting->unit, tie->reference);
        break;
    case WEFT_TIE_LINK: counting->links++; break;
    }
}

// What has come: the last message of a timer, of which nothing else is left, and ends.
static void count_mail(void *argument, const struct weft_message *message)
{
    struct counting *counting = argument;
    if (message->tag == WEFT_MESSAGE_TIMER)
        counting->signals += !weft_tie_has_timer(counting->unit->actor, message->reference);
    if (message->tag == WEFT_MESSAGE_EXIT) counting->links++;
}

static struct counting count(struct weft_unit_actor *unit)
{
    struct counting counting = {.unit = unit};
    weft_ties_each(unit->actor, count_tie, &counting);
    weft_ties_mail(unit->actor, count_mail, &counting);
    return counting;
}

static void forget_links(struct weft_unit_actor *unit)
{
    struct weft_unit_dealings *dealings = unit->dealings;
    const struct counting counting = count(unit);
    if (counting.links < dealings->link_count) dealings->link_count = counting.links;
    dealings->recounted_ns = unit->worker->core.now_ns;
}

static bool has_room(struct weft_unit_actor *unit)
{
    struct weft_unit_dealings *dealings = weft_unit_dealings_of(unit);
    if (dealings == NULL) return false;
    if (dealings->signal_count + dealings->link_count < WEFT_UNIT_SIGNALS_MAX) return true;
    if (dealings->link_count > 0 && dealings->recounted_ns != unit->worker->core.now_ns)
        forget_links(unit);
    return dealings->signal_count + dealings->link_count < WEFT_UNIT_SIGNALS_MAX;
}

uint32_t weft_unit_signals_links(struct weft_unit_actor *unit)
{
    if (unit->dealings == NULL || unit->dealings->link_count == 0) return 0;
    forget_links(unit);
    return unit->dealings->link_count;
}

void weft_unit_signals_restored(struct weft_unit_actor *unit, uint64_t links)
{
    const struct counting counting = count(unit);
    if (counting.links < links) links = counting.links;
    if (counting.signals + links == 0) return;
    struct weft_unit_dealings *dealings = weft_unit_dealings_of(unit);
    if (dealings == NULL) return; // Nor will it get any more of them.
    dealings->signal_count = counting.signals;
    dealings->link_count = (uint32_t)links;
}

static void is_over(struct weft_unit_actor *unit)
{
    if (unit->dealings != NULL && unit->dealings->signal_count > 0) unit->dealings->signal_count--;
}

static int32_t begun(struct weft_unit_actor *unit, int result)
{
    if (result == 0) unit->dealings->signal_count++;
    return ior_of(result);
}

static int32_t undone(struct weft_unit_actor *unit, int result)
{
    if (result == 0) is_over(unit);
    return ior_of(result);
}

// ---- The words.

static int32_t monitor(void *self, uint64_t pid, uint64_t *number)
{
    struct weft_unit_actor *unit = self;
    if (!has_room(unit)) return WEFT_THROW_FULL;
    return begun(unit, weft_actor_monitor(unit->actor, weft_unit_actor_resolve(unit, pid), number));
}

static int32_t demonitor(void *self, uint64_t number)
{
    struct weft_unit_actor *unit = self;
    return undone(unit, weft_actor_demonitor(unit->actor, number));
}

static int32_t link_it(void *self, uint64_t id)
{
    struct weft_unit_actor *unit = self;
    const weft_pid pid = weft_unit_actor_resolve(unit, id);
    if (weft_unit_is_the_nodes(unit->worker->node, pid)) return WEFT_THROW_NOBODY;
    if (!has_room(unit)) return WEFT_THROW_FULL;
    const int result = weft_link_to(unit->actor, pid);
    if (result == 0) unit->dealings->link_count++;
    return ior_of(result);
}

static int32_t unlink_it(void *self, uint64_t pid)
{
    struct weft_unit_actor *unit = self;
    return ior_of(weft_unlink_from(unit->actor, weft_unit_actor_resolve(unit, pid)));
}

static void trap_exit(void *self, bool traps)
{
    weft_trap_exit(((struct weft_unit_actor *)self)->actor, traps);
}

static int32_t timer(void *self, const void *payload, size_t length, uint64_t delay_ns,
                     bool repeats, uint64_t *number)
{
    struct weft_unit_actor *unit = self;
    struct weft_actor *actor = unit->actor;
    if (!has_room(unit)) return WEFT_THROW_FULL;
    const uint64_t interval_ns = repeats ? (delay_ns != 0 ? delay_ns : 1) : 0;
    return begun(unit, weft_timer_start(actor, actor->pid, delay_ns, interval_ns, 0, payload,
                                        length, number));
}

static int32_t timer_cancel(void *self, uint64_t number)
{
    struct weft_unit_actor *unit = self;
    return undone(unit, weft_timer_stop(unit->actor, number));
}

void weft_unit_signals_host(struct weft_unit_host *host)
{
    host->monitor = monitor;
    host->demonitor = demonitor;
    host->link = link_it;
    host->unlink = unlink_it;
    host->trap_exit = trap_exit;
    host->timer = timer;
    host->timer_cancel = timer_cancel;
}

// ---- What comes of them.

bool weft_unit_signals_see(struct weft_unit_actor *unit, const struct weft_message *message,
                           struct weft_unit_message *to)
{
    if (message->tag == WEFT_MESSAGE_TIMER) {
        *to = (struct weft_unit_message){.payload = message->payload,
                                         .length = message->length,
                                         .from = message->reference,
                                         .kind = WEFT_UNIT_MESSAGE_TIMER};
        if (weft_timer_left_ns(unit->actor, message->reference) < 0)
            is_over(unit); // It will not come again.
        return true;
    }
    if (message->tag != WEFT_MESSAGE_DOWN && message->tag != WEFT_MESSAGE_EXIT) return false;
    struct weft_unit_dealings *dealings = weft_unit_dealings_of(unit);
    if (dealings == NULL) return false;
    const bool is_down = message->tag == WEFT_MESSAGE_DOWN;
    dealings->cells[0] = is_down ? (int64_t)message->reference : message->type;
    dealings->cells[1] = message->type;
    *to = (struct weft_unit_message){
        .payload = dealings->cells,
        .length = is_down ? 16 : 8,
        .from = weft_unit_ids_id(&unit->worker->node->ids, message->from),
        .kind = is_down ? WEFT_UNIT_MESSAGE_DOWN : WEFT_UNIT_MESSAGE_EXIT};
    if (is_down) is_over(unit);
    return true;
}
