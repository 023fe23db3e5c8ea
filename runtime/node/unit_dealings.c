#include "runtime/node/unit_dealings.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_limits.h"
#include "runtime/node/unit_signals.h"
#include <weft/weft.h>

enum { IOR_NO_MEMORY = -59, IOR_BAD_NUMBER = -24 };

static int32_t ior_of(int result)
{
    switch (result) {
    case 0: return 0;
    case 1: return WEFT_UNIT_LATER;
    case -ENOMEM: return IOR_NO_MEMORY;
    case -EAGAIN:
    case -ETIMEDOUT: return WEFT_THROW_LATE;
    case -EPIPE:
    case -ESRCH:
    case -ECANCELED: return WEFT_THROW_CLOSED;
    case -ENOENT: return WEFT_THROW_NOBODY;
    case -EINVAL: return IOR_BAD_NUMBER;
    default: return WEFT_THROW_FULL;
    }
}

struct weft_unit_dealings *weft_unit_dealings_of(struct weft_unit_actor *unit)
{
    if (unit->dealings == NULL)
        unit->dealings = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*unit->dealings));
    return unit->dealings;
}

static struct weft_unit_wait *wait_of(struct weft_unit_actor *unit, uint32_t level)
{
    struct weft_unit_dealings *dealings = weft_unit_dealings_of(unit);
    return dealings != NULL && level < WEFT_UNIT_LEVELS ? &dealings->waits[level] : NULL;
}

static void is_over(struct weft_unit_wait *wait)
{
    *wait = (struct weft_unit_wait){0};
}

// An array with room for one more. NULL: no memory; the old one is as it was.
static void *room_for_one(struct weft_unit_actor *unit, void *array, uint32_t count, uint32_t *room,
                          size_t bytes)
{
    if (count < *room) return array;
    const uint32_t more = *room == 0 ? 8 : 2 * *room;
    void *larger = weft_arena_alloc(unit->worker->arena, more * bytes);
    if (larger == NULL) return NULL;
    if (count > 0) memcpy(larger, array, count * bytes);
    if (array != NULL) weft_arena_release(unit->worker->arena, array, *room * bytes);
    *room = more;
    return larger;
}

// ---- Children.

static struct weft_unit_child *find_child(const struct weft_unit_dealings *dealings, weft_pid pid)
{
    for (uint32_t n = dealings->child_count; n-- > 0;) {
        if (dealings->children[n].pid == pid) return &dealings->children[n];
    }
    return NULL;
}

static void remove_child(struct weft_unit_dealings *dealings, struct weft_unit_child *child)
{
    *child = dealings->children[--dealings->child_count];
}

static bool room_for_child(struct weft_unit_actor *unit)
{
    struct weft_unit_dealings *dealings = unit->dealings;
    struct weft_unit_child *children =
        room_for_one(unit, dealings->children, dealings->child_count, &dealings->child_room,
                     sizeof(*dealings->children));
    if (children != NULL) dealings->children = children;
    return children != NULL;
}

int weft_unit_child_add(struct weft_unit_actor *unit, uint64_t id, uint64_t farewell)
{
    if (weft_unit_dealings_of(unit) == NULL || !room_for_child(unit)) return -ENOMEM;
    unit->dealings->children[unit->dealings->child_count++] =
        (struct weft_unit_child){.pid = id, .farewell = farewell};
    return 0;
}

// One after the other: its own core first.
static uint16_t next_core(struct weft_unit_actor *unit)
{
    struct weft_unit_dealings *dealings = unit->dealings;
    const uint16_t own = unit->worker->core.index;
    const uint16_t last = dealings->last_core;
    dealings->last_core =
        last == 0 ? own : (uint16_t)(last % unit->worker->node->options.worker_count + 1);
    return dealings->last_core;
}

// The birth and the seed as one block. NULL: no memory.
static struct weft_message *make_birth(struct weft_unit_actor *unit, const struct weft_unit *parent,
                                       uint64_t xt, const int64_t *cells, uint32_t count,
                                       uint64_t farewell, bool is_linked, uint16_t core)
{
    struct weft_message *block =
        weft_later_block(&unit->worker->actors,
                         sizeof(struct weft_unit_birth) + weft_unit_seed_bytes(parent, count));
    if (block == NULL) return NULL;
    struct weft_unit_birth *birth = (struct weft_unit_birth *)block->payload;
    birth->words = core != unit->worker->core.index ? weft_unit_hold(parent) : NULL;
    birth->parent = unit->actor->pid;
    birth->reference = farewell;
    birth->is_linked = is_linked;
    weft_unit_limits_bequeath(unit, birth);
    birth->root = !weft_unit_actor_is_kept(unit) ? 0 : unit->root != 0 ? unit->root : unit->id;
    const char *label = weft_label(unit->actor);
    const size_t length = strnlen(label, sizeof(birth->label) - 1);
    memcpy(birth->label, label, length);
    birth->label[length] = '\0';
    weft_unit_seed(parent, xt, cells, count, birth + 1);
    return block;
}

// Here, or asked for elsewhere. As ior_of; 1: the answer to `wait` will tell.
static int begin_child(struct weft_unit_actor *unit, struct weft_message *block,
                       struct weft_unit_wait *wait, uint16_t core, weft_pid *pid)
{
    struct weft_node_worker *worker = unit->worker;
    const struct weft_unit_birth *birth = (const struct weft_unit_birth *)block->payload;
    if (core == worker->core.index) {
        const int result = weft_unit_actor_bear(worker, birth, pid);
        weft_message_release(&worker->actors, block);
        return result;
    }
    const weft_pid nursery = worker->node->workers[core - 1].nursery;
    struct weft_volume *words = birth->words;
    const int result =
        weft_later_ask(unit->actor, nursery, WEFT_UNIT_BIRTH, block, &wait->reference);
    if (result != 0) {
        weft_forth_release(worker->forth, words);
        return result;
    }
    wait->what = WEFT_UNIT_FOR_CHILD;
    return 1;
}

// The answer of the other core.
static int look_for_child(struct weft_unit_actor *unit, struct weft_unit_wait *wait, weft_pid *pid)
{
    struct weft_message *reply;
    const int result = weft_later_look(unit->actor, wait->reference, &reply);
    if (result != 0) return result;
    memcpy(pid, reply->payload, sizeof(*pid));
    weft_message_release(&unit->worker->actors, reply);
    return 0;
}

static int32_t spawn(void *self, uint32_t level, const struct weft_unit *parent, uint64_t xt,
                     const int64_t *cells, uint32_t count, bool is_linked, uint64_t *pid)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_wait *wait = wait_of(unit, level);
    int result;
    if (wait == NULL) return IOR_NO_MEMORY;
    if (wait->what == WEFT_UNIT_FOR_CHILD) {
        result = look_for_child(unit, wait, pid);
    } else {
        if (unit->dealings->child_count >= weft_unit_limit(unit, WEFT_QUOTA_SPAWNED))
            return WEFT_THROW_SPAWNED;
        wait->farewell = weft_later_new(unit->actor);
        if (wait->farewell == 0) return IOR_NO_MEMORY;
        const uint16_t core = next_core(unit);
        struct weft_message *block =
            make_birth(unit, parent, xt, cells, count, wait->farewell, is_linked, core);
        result = block != NULL ? begin_child(unit, block, wait, core, pid) : -ENOMEM;
    }
    if (result == 1) return WEFT_UNIT_LATER;
    if (result == 0) {
        weft_unit_family_born(unit, *pid, wait->farewell);
        // Without memory it lives, and nobody joins it.
        result = weft_unit_child_add(unit, *pid, wait->farewell);
        if (result != 0) weft_unit_family_detached(unit, *pid);
    }
    if (result != 0) weft_later_forget(unit->actor, wait->farewell);
    is_over(wait);
    return ior_of(result);
}

static void read_farewell(struct weft_unit_actor *unit, struct weft_message *message,
                          struct weft_unit_end *end)
{
    const struct weft_unit_farewell *farewell = (const struct weft_unit_farewell *)message->payload;
    weft_assert(message->length == sizeof(*farewell)); // Of an image it was checked.
    end->reason = farewell->reason;
    end->count =
        farewell->count < WEFT_UNIT_RESULTS_MAX ? (uint32_t)farewell->count : WEFT_UNIT_RESULTS_MAX;
    for (uint32_t n = 0; n < end->count; n++)
        end->cells[n] = farewell->cells[n];
    weft_message_release(&unit->worker->actors, message);
}

// As weft_later_look.
static int look_for_end(struct weft_unit_actor *unit, const struct weft_unit_wait *wait,
                        struct weft_unit_end *end)
{
    struct weft_message *message;
    uint16_t reason = 0;
    if (wait->what == WEFT_UNIT_FOR_END) {
        if (!weft_later_down(unit->actor, wait->reference, &reason)) return 1;
        end->reason = reason;
        end->count = 0;
        return 0;
    }
    const int result = weft_later_look(unit->actor, wait->reference, &message);
    if (result == 1) return 1;
    end->reason = WEFT_EXIT_NOPROC; // Another text has joined it meanwhile.
    end->count = 0;
    if (result == 0) read_farewell(unit, message, end);
    struct weft_unit_child *child = find_child(unit->dealings, wait->whom);
    if (child == NULL) return 0;
    weft_unit_family_heard(unit, child->pid);
    remove_child(unit->dealings, child);
    return 0;
}

static int begin_join(struct weft_unit_actor *unit, struct weft_unit_wait *wait, weft_pid pid)
{
    const struct weft_unit_child *child = find_child(unit->dealings, pid);
    if (child != NULL) {
        *wait = (struct weft_unit_wait){
            .what = WEFT_UNIT_FOR_FAREWELL, .whom = pid, .reference = child->farewell};
        return 0;
    }
    const weft_pid now = weft_unit_actor_resolve(unit, pid);
    if (now == unit->actor->pid) return -EINVAL; // It would wait for ever.
    const int result = weft_actor_monitor(unit->actor, now, &wait->reference);
    if (result != 0) return result;
    wait->what = WEFT_UNIT_FOR_END;
    wait->whom = pid;
    return 0;
}

static int32_t join(void *self, uint32_t level, uint64_t pid, bool is_late,
                    struct weft_unit_end *end)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_wait *wait = wait_of(unit, level);
    if (wait == NULL) return IOR_NO_MEMORY;
    int result = wait->what == WEFT_UNIT_FOR_NOTHING ? begin_join(unit, wait, pid) : 0;
    if (result == 0) result = look_for_end(unit, wait, end);
    if (result == 1 && !is_late) return WEFT_UNIT_LATER;
    if (result == 1) {
        if (wait->what == WEFT_UNIT_FOR_END) weft_actor_demonitor(unit->actor, wait->reference);
        result = -ETIMEDOUT;
    }
    is_over(wait);
    return ior_of(result);
}

static int32_t detach(void *self, uint64_t pid)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_child *child = unit->dealings != NULL ? find_child(unit->dealings, pid) : NULL;
    if (child == NULL) return WEFT_THROW_NOBODY;
    weft_later_forget(unit->actor, child->farewell);
    weft_unit_family_detached(unit, pid);
    remove_child(unit->dealings, child);
    return 0;
}

bool weft_unit_is_the_nodes(const struct weft_node *node, weft_pid pid)
{
    bool is = pid == node->operator_pid ||
              (node->mesh != NULL && pid == weft_mesh_keeper_pid(node->mesh)) ||
              (node->journal != NULL && pid == weft_journal_keeper_pid(node->journal));
    for (uint16_t i = 0; !is && i < node->options.worker_count; i++)
        is = pid == node->workers[i].nursery;
    return is;
}

static int32_t kill_it(void *self, uint64_t id)
{
    struct weft_unit_actor *unit = self;
    const weft_pid pid = weft_unit_actor_resolve(unit, id);
    if (weft_unit_is_the_nodes(unit->worker->node, pid)) return WEFT_THROW_NOBODY;
    const int result = weft_actor_kill(&unit->worker->actors, pid, WEFT_EXIT_KILLED);
    const struct weft_unit_child *child =
        result == 0 && unit->dealings != NULL ? find_child(unit->dealings, id) : NULL;
    if (child != NULL) weft_unit_family_killed(unit, id, child->farewell);
    return result == -ESRCH ? WEFT_THROW_NOBODY : ior_of(result);
}

// ---- Channels.

static void forget_closed(struct weft_unit_actor *unit)
{
    struct weft_unit_dealings *dealings = unit->dealings;
    uint32_t kept = 0;
    for (uint32_t n = 0; n < dealings->channel_count; n++) {
        if (weft_actor_find(&unit->worker->actors, dealings->channels[n].pid) != NULL)
            dealings->channels[kept++] = dealings->channels[n];
    }
    dealings->channel_count = kept;
}

// Room for one more, which it returns. NULL: no memory.
static struct weft_unit_channel *room_for_channel(struct weft_unit_actor *unit)
{
    struct weft_unit_dealings *dealings = unit->dealings;
    struct weft_unit_channel *channels =
        room_for_one(unit, dealings->channels, dealings->channel_count, &dealings->channel_room,
                     sizeof(*channels));
    if (channels != NULL) dealings->channels = channels;
    return channels != NULL ? &channels[dealings->channel_count] : NULL;
}

int weft_unit_channel_open(struct weft_unit_actor *unit, uint64_t id, uint32_t capacity,
                           weft_pid *pid)
{
    struct weft_unit_channel *channel =
        weft_unit_dealings_of(unit) != NULL ? room_for_channel(unit) : NULL;
    if (channel == NULL) return -ENOMEM;
    const int result = weft_later_channel_new(unit->actor, capacity, pid);
    if (result != 0) return result;
    *channel = (struct weft_unit_channel){.pid = *pid, .id = id};
    unit->dealings->channel_count++;
    unit->has_old_channels = true;
    weft_unit_actor_name(unit, id, *pid);
    return 0;
}

void weft_unit_channel_close(struct weft_unit_actor *unit, weft_pid pid)
{
    uint64_t reference;
    weft_later_channel_close(unit->actor, pid, &reference);
}

static int32_t channel_new(void *self, uint32_t capacity, uint64_t *channel)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_dealings *dealings = weft_unit_dealings_of(unit);
    const uint32_t limit = weft_unit_limit(unit, WEFT_QUOTA_CHANNELS);
    if (dealings == NULL) return IOR_NO_MEMORY;
    if (dealings->channel_count >= limit) forget_closed(unit);
    if (dealings->channel_count >= limit) return WEFT_THROW_CHANNELS;
    struct weft_unit_channel *made = room_for_channel(unit);
    if (made == NULL) return IOR_NO_MEMORY;
    const int result = weft_later_channel_new(unit->actor, capacity, channel);
    if (result != 0) return ior_of(result);
    weft_unit_ids_born(&unit->worker->node->ids, *channel);
    *made = (struct weft_unit_channel){.pid = *channel, .id = *channel};
    dealings->channel_count++;
    return 0;
}

// What `wait` was answered. 1: nothing yet; one that is late has asked for an answer, and if the
// answer is late as well there is nobody who would give one.
static int look_at_channel(struct weft_unit_actor *unit, struct weft_unit_wait *wait, bool is_late,
                           struct weft_message **message)
{
    const int result = weft_later_look(unit->actor, wait->reference, message);
    if (result != 1 || !is_late) return result;
    if (!wait->is_cancelled) {
        weft_later_channel_cancel(unit->actor, weft_unit_actor_resolve(unit, wait->whom),
                                  wait->reference);
        wait->is_cancelled = true;
        return weft_later_look(unit->actor, wait->reference, message);
    }
    weft_later_forget(unit->actor, wait->reference);
    return -ETIMEDOUT;
}

static int32_t channel_send(void *self, uint32_t level, uint64_t channel, const void *payload,
                            size_t length, bool is_late)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_wait *wait = wait_of(unit, level);
    struct weft_message *reply = NULL;
    if (wait == NULL) return IOR_NO_MEMORY;
    int result;
    if (wait->what == WEFT_UNIT_FOR_NOTHING) {
        result = weft_later_channel_send(unit->actor, weft_unit_actor_resolve(unit, channel),
                                         payload, length, is_late, &wait->reference);
        if (result != 1) return ior_of(result);
        wait->what = WEFT_UNIT_FOR_ROOM;
        wait->whom = channel;
        is_late = false; // It has been told.
    }
    result = look_at_channel(unit, wait, is_late, &reply);
    if (result == 1) return WEFT_UNIT_LATER;
    if (reply != NULL) weft_message_release(&unit->worker->actors, reply);
    is_over(wait);
    return ior_of(result);
}

static int32_t channel_receive(void *self, uint32_t level, uint64_t channel, bool is_late,
                               struct weft_unit_message *to)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_wait *wait = wait_of(unit, level);
    struct weft_message *message = NULL;
    if (wait == NULL) return IOR_NO_MEMORY;
    int result;
    if (wait->what == WEFT_UNIT_FOR_NOTHING) {
        result = weft_later_channel_receive(unit->actor, weft_unit_actor_resolve(unit, channel),
                                            is_late, &message, &wait->reference);
        if (result == 1) {
            wait->what = WEFT_UNIT_FOR_MESSAGE;
            wait->whom = channel;
            is_late = false; // It has been told.
        }
    } else {
        result = 1;
    }
    if (result == 1) {
        result = look_at_channel(unit, wait, is_late, &message);
        if (result == 1) return WEFT_UNIT_LATER;
        is_over(wait);
    }
    if (result != 0) return ior_of(result);
    struct weft_unit_dealings *dealings = unit->dealings;
    if (dealings->received != NULL) weft_message_release(&unit->worker->actors, dealings->received);
    dealings->received = message;
    to->payload = message->payload;
    to->length = message->length;
    return 0;
}

// The two above for a cell, in the two cases that most are: nothing is in the way; or it has
// waited, and here is its answer.

static weft_pid channel_of(const struct weft_unit_actor *unit, uint64_t id)
{
    const bool is_plain =
        !unit->has_old_channels && weft_unit_ids_is_empty(&unit->worker->node->ids);
    return is_plain ? id : weft_unit_actor_resolve(unit, id);
}

// The answer that `wait` waited for; NULL: there is none, or it is one for those above.
static struct weft_message *good_answer(struct weft_unit_actor *unit, struct weft_unit_wait *wait)
{
    struct weft_message *answer = unit->actor->answer;
    if (answer == NULL || answer->reference != wait->reference || wait->is_cancelled ||
        weft_reply_status(answer) != 0)
        return NULL;
    return weft_later_look(unit->actor, wait->reference, &answer) == 0 ? answer : NULL;
}

// What the text at `level` waits for, which may be nothing. NULL: it has never waited.
static struct weft_unit_wait *known_wait(struct weft_unit_actor *unit, uint32_t level)
{
    return unit->dealings != NULL && level < WEFT_UNIT_LEVELS ? &unit->dealings->waits[level]
                                                              : NULL;
}

static bool channel_put(void *self, uint32_t level, uint64_t channel, int64_t cell)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_wait *wait = known_wait(unit, level);
    if (wait == NULL) return false;
    if (wait->what == WEFT_UNIT_FOR_NOTHING)
        return weft_channel_put_cell(unit->actor, channel_of(unit, channel), cell);
    struct weft_message *answer = wait->what == WEFT_UNIT_FOR_ROOM ? good_answer(unit, wait) : NULL;
    if (answer == NULL) return false;
    weft_message_release(&unit->worker->actors, answer);
    is_over(wait);
    return true;
}

static bool channel_take(void *self, uint32_t level, uint64_t channel, int64_t *cell)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_wait *wait = known_wait(unit, level);
    if (wait == NULL) return false;
    if (wait->what == WEFT_UNIT_FOR_NOTHING)
        return weft_channel_take_cell(unit->actor, channel_of(unit, channel), cell);
    const struct weft_message *next = unit->actor->answer;
    const bool is_cell = next != NULL && next->length == sizeof(*cell);
    struct weft_message *answer =
        wait->what == WEFT_UNIT_FOR_MESSAGE && is_cell ? good_answer(unit, wait) : NULL;
    if (answer == NULL) return false;
    memcpy(cell, answer->payload, sizeof(*cell));
    weft_message_release(&unit->worker->actors, answer);
    is_over(wait);
    return true;
}

static int32_t channel_close(void *self, uint32_t level, uint64_t channel)
{
    struct weft_unit_actor *unit = self;
    struct weft_unit_wait *wait = wait_of(unit, level);
    struct weft_message *reply = NULL;
    if (wait == NULL) return IOR_NO_MEMORY;
    if (wait->what == WEFT_UNIT_FOR_NOTHING) {
        const int result = weft_later_channel_close(
            unit->actor, weft_unit_actor_resolve(unit, channel), &wait->reference);
        if (result != 1) return ior_of(result);
        wait->what = WEFT_UNIT_FOR_CLOSE;
        wait->whom = channel;
    }
    const int result = weft_later_look(unit->actor, wait->reference, &reply);
    if (result == 1) return WEFT_UNIT_LATER;
    if (reply != NULL) weft_message_release(&unit->worker->actors, reply);
    is_over(wait);
    return ior_of(result);
}

void weft_unit_dealings_abandon(struct weft_unit_actor *unit, uint32_t level)
{
    struct weft_unit_wait *wait = unit->dealings != NULL ? wait_of(unit, level) : NULL;
    if (wait == NULL) return;
    switch (wait->what) {
    case WEFT_UNIT_FOR_NOTHING:
    case WEFT_UNIT_FOR_FAREWELL: break;
    case WEFT_UNIT_FOR_CHILD: // It will live, and nobody will join it.
        weft_later_forget(unit->actor, wait->reference);
        weft_later_forget(unit->actor, wait->farewell);
        break;
    case WEFT_UNIT_FOR_END: weft_actor_demonitor(unit->actor, wait->reference); break;
    case WEFT_UNIT_FOR_ROOM:
    case WEFT_UNIT_FOR_MESSAGE:
        weft_later_channel_cancel(unit->actor, weft_unit_actor_resolve(unit, wait->whom),
                                  wait->reference);
        weft_later_forget(unit->actor, wait->reference);
        break;
    case WEFT_UNIT_FOR_CLOSE: weft_later_forget(unit->actor, wait->reference); break;
    }
    is_over(wait);
}

// ---- Messages.

bool weft_unit_dealings_is_joined(const struct weft_unit_actor *unit, uint64_t reference)
{
    const struct weft_unit_dealings *dealings = unit->dealings;
    for (unsigned n = 0; dealings != NULL && n < WEFT_UNIT_LEVELS; n++) {
        if (dealings->waits[n].what == WEFT_UNIT_FOR_END &&
            dealings->waits[n].reference == reference)
            return true;
    }
    return false;
}

static bool is_for_receive(const struct weft_message *message, const void *argument)
{
    return message->tag != WEFT_MESSAGE_DOWN ||
           !weft_unit_dealings_is_joined(argument, message->reference);
}

struct weft_message *weft_unit_dealings_receive(struct weft_unit_actor *unit)
{
    const uint32_t replies = UINT32_C(1) << WEFT_MESSAGE_REPLY;
    return weft_later_receive(unit->actor, ~replies, is_for_receive, unit);
}

void weft_unit_dealings_host(struct weft_unit_host *host)
{
    host->spawn = spawn;
    host->join = join;
    host->detach = detach;
    host->kill = kill_it;
    host->channel_new = channel_new;
    host->channel_send = channel_send;
    host->channel_receive = channel_receive;
    host->channel_close = channel_close;
    host->channel_put = channel_put;
    host->channel_take = channel_take;
    weft_unit_signals_host(host);
}

void weft_unit_dealings_drop(struct weft_unit_actor *unit)
{
    if (unit->dealings == NULL || unit->dealings->received == NULL) return;
    weft_message_release(&unit->worker->actors, unit->dealings->received);
    unit->dealings->received = NULL;
}

void weft_unit_dealings_end(struct weft_unit_actor *unit)
{
    struct weft_unit_dealings *dealings = unit->dealings;
    struct weft_arena *arena = unit->worker->arena;
    if (dealings == NULL) return;
    if (dealings->children != NULL)
        weft_arena_release(arena, dealings->children,
                           dealings->child_room * sizeof(*dealings->children));
    if (dealings->channels != NULL)
        weft_arena_release(arena, dealings->channels,
                           dealings->channel_room * sizeof(*dealings->channels));
    weft_arena_release(arena, dealings, sizeof(*dealings));
    unit->dealings = NULL;
}
