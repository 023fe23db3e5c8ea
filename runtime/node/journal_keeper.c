#include "runtime/node/journal_keeper.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/family.h"
#include "runtime/node/kept.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"
#include "runtime/node/unit_family.h"
#include "runtime/node/unit_ties.h"

#define PENDING_SLOTS    8192          // Answers not given yet. A power of two.
#define COMPACT_PER_TURN 16            // Units copied forward in one turn.
#define STALL_NS         WEFT_NS_PER_S // How long an ask waits for room before it is refused.
#define RETRY_NS_MIN     (100 * WEFT_NS_PER_MS) // After a file could not be made,
#define RETRY_NS_MAX     (5 * WEFT_NS_PER_S)    // doubling up to this.

struct pending { // An answer that somebody waits for.
    uint64_t lsn;
    weft_pid pid;
    int result; // Known already, if not 0.
};

enum chore_state { CHORE_NONE, CHORE_OUT, CHORE_BACK };

struct weft_journal_keeper {
    struct weft_node *node;
    struct weft_node_worker *worker;
    struct weft_journal journal;
    struct weft_actor *actor;
    weft_pid pid;
    struct weft_message *held; // Did not fit; the poller wakes the actor to try again.
    uint64_t held_since_ns;
    bool held_gone_written; // Of `held`: the record that voids an older unit of that name is in.
    struct pending *pending;
    uint32_t pending_head, pending_tail;
    struct weft_kept_table kept;
    bool is_compacting;
    uint32_t compacted_from; // The segment in which the newest compaction began,
    uint32_t compacted_size; // and how many the last one has filled.
    struct weft_journal_chore chore;
    _Atomic int chore_state; // enum chore_state: OUT while the control core has `chore`.
    bool chore_unsent;
    uint64_t retry_at_ns, retry_ns;
    _Atomic bool seal_wanted;
    int64_t seal_lsn;
    uint64_t round; // Of struct weft_kept.
    struct weft_journal_view view;
};

// ---- Asks in.

static struct weft_journal_birth birth_of(const struct weft_journal_ask *ask)
{
    struct weft_journal_birth birth;
    memcpy(&birth, ask->bytes, sizeof(birth));
    return birth;
}

static struct weft_unit_load load_of(const struct weft_journal_ask *ask)
{
    struct weft_unit_load load = {.recovery = ask->recovery};
    if (ask->is_child)
        load.origin = birth_of(ask).origin;
    else
        load.source = weft_span_of(ask->bytes, ask->source_bytes);
    memcpy(load.name, ask->name, sizeof(load.name));
    memcpy(load.source_name, ask->source_name, sizeof(load.source_name));
    return load;
}

static struct weft_span image_of(const struct weft_journal_ask *ask)
{
    return weft_span_of(ask->bytes + ask->source_bytes, ask->image_bytes);
}

static struct weft_span kept_image(const struct weft_kept *kept)
{
    return weft_span_of(kept->image, kept->image_bytes);
}

// A new unit under a name that the journal still holds (of one that was killed, say) begins by
// voiding that one: a LOAD alone would leave the old image in place.
static int64_t append_new(struct weft_journal_keeper *keeper, const struct weft_journal_ask *ask)
{
    const struct weft_unit_load load = load_of(ask);
    if (!keeper->held_gone_written && weft_kept_find(&keeper->kept, ask->name) != NULL) {
        const int64_t gone = weft_unit_journal_gone(&keeper->journal, ask->name);
        if (gone < 0) return gone;
        keeper->held_gone_written = true;
        weft_kept_gone(&keeper->kept, ask->name);
    }
    return weft_unit_journal_load(&keeper->journal, &load);
}

// A spawned unit belongs to a family that is here: else it would come back to nobody.
static bool is_known(const struct weft_journal_keeper *keeper, const struct weft_journal_ask *ask)
{
    if (!ask->has_source) return weft_kept_find(&keeper->kept, ask->name) != NULL;
    const struct weft_journal_birth birth = birth_of(ask);
    const struct weft_kept *root = weft_kept_find(&keeper->kept, birth.origin.root);
    return root != NULL && root->origin.root[0] == '\0' &&
           weft_unit_actor_image_id(kept_image(root)) == birth.root_id &&
           keeper->kept.count < WEFT_UNIT_TABLE_MAX / 2;
}

static int64_t append(struct weft_journal_keeper *keeper, uint16_t type,
                      const struct weft_journal_ask *ask)
{
    if (type == WEFT_JOURNAL_ASK_GONE) return weft_unit_journal_gone(&keeper->journal, ask->name);
    if (ask->is_child && !is_known(keeper, ask)) return -ENOENT;
    // Without room for the image the source is appended again, whole: a copy changes nothing.
    if (ask->has_source) {
        const int64_t lsn = append_new(keeper, ask);
        if (lsn < 0) return lsn;
    }
    return weft_unit_journal_image(&keeper->journal, ask->name, image_of(ask));
}

// ---- Families: who has ended is kept until his parent's record waits for him no more.

struct listing {
    struct weft_journal_keeper *keeper;
    const struct weft_kept *parent;
};

static struct weft_kept *child_of(const struct listing *listing, uint64_t id)
{
    char name[WEFT_UNIT_NAME_MAX + 1];
    weft_unit_family_name(id, name);
    struct weft_kept *child = weft_kept_find(&listing->keeper->kept, name);
    const bool is_its = child != NULL && strcmp(child->origin.parent, listing->parent->name) == 0;
    return is_its ? child : NULL;
}

static void see_child(void *argument, uint64_t id, uint64_t reference)
{
    const struct listing *listing = argument;
    struct weft_kept *child = child_of(listing, id);
    (void)reference;
    if (child != NULL) child->listed_round = listing->parent->own_round;
}

static void see_dead(void *argument, uint64_t id)
{
    const struct listing *listing = argument;
    struct weft_kept *child = child_of(listing, id);
    if (child != NULL) weft_kept_doom(&listing->keeper->kept, child);
}

// A record of one that has spawned others has been taken: which of them it waits for, and whom it
// has heard of.
static void settle_children(struct weft_journal_keeper *keeper, struct weft_kept *parent)
{
    struct listing listing = {.keeper = keeper, .parent = parent};
    struct weft_unit_parts parts;
    const char *wrong;
    if (weft_unit_actor_image_read(kept_image(parent), &parts, &wrong) != 0) return;
    parent->own_round = ++keeper->round;
    weft_unit_ties_children(parts.ties, see_child, &listing);
    weft_unit_ties_dead(parts.ties, see_dead, &listing);
    struct weft_list *ended = &keeper->kept.ended;
    for (struct weft_list *link = ended->next, *next; link != ended; link = next) {
        struct weft_kept *child = WEFT_CONTAINER_OF(link, struct weft_kept, ended_link);
        next = link->next;
        if (strcmp(child->origin.parent, parent->name) == 0 &&
            child->listed_round != parent->own_round)
            weft_kept_doom(&keeper->kept, child);
    }
}

// Until its parent's next record it is taken for one that is waited for.
static void take_child(struct weft_journal_keeper *keeper, const char *name)
{
    struct weft_kept *child = weft_kept_find(&keeper->kept, name);
    if (child == NULL) return; // For lack of memory.
    struct weft_kept *root = weft_kept_find(&keeper->kept, child->origin.root);
    struct weft_kept *parent = weft_kept_find(&keeper->kept, child->origin.parent);
    if (root != NULL) root->has_family = true;
    if (parent == NULL) return;
    parent->has_family = true;
    child->listed_round = parent->own_round;
}

static void take_end(struct weft_journal_keeper *keeper, const struct weft_journal_ask *ask)
{
    struct weft_kept *child = weft_kept_find(&keeper->kept, ask->name);
    if (child == NULL || child->is_doomed || child->origin.root[0] == '\0') return;
    const struct weft_kept *parent = weft_kept_find(&keeper->kept, child->origin.parent);
    const bool is_awaited = parent != NULL && child->listed_round == parent->own_round;
    weft_list_remove(&child->ended_link);
    if (is_awaited)
        weft_list_append(&keeper->kept.ended, &child->ended_link);
    else
        weft_kept_doom(&keeper->kept, child);
}

// Tells the journal who is gone. False: there is no room; nothing else is taken before there is,
// for a parent says of its dead but once.
static bool reap(struct weft_journal_keeper *keeper)
{
    struct weft_list *doomed = &keeper->kept.doomed;
    while (!weft_list_empty(doomed)) {
        const struct weft_kept *kept =
            WEFT_CONTAINER_OF(doomed->next, struct weft_kept, ended_link);
        if (weft_unit_journal_gone(&keeper->journal, kept->name) < 0) return false;
        weft_kept_gone(&keeper->kept, kept->name);
    }
    return true;
}

static void keep(struct weft_journal_keeper *keeper, uint16_t type,
                 const struct weft_journal_ask *ask)
{
    if (type == WEFT_JOURNAL_ASK_GONE) {
        weft_kept_gone(&keeper->kept, ask->name);
        return;
    }
    const struct weft_unit_load load = load_of(ask);
    const bool whole =
        weft_kept_set(&keeper->kept, ask->name, ask->has_source ? &load : NULL, image_of(ask));
    if (!whole)
        weft_log(&keeper->worker->core.log, WEFT_LOG_WARN, "journal",
                 "%s: no memory to keep its state: old segments stay until there is", ask->name);
    if (ask->is_child && ask->has_source) take_child(keeper, ask->name);
    struct weft_kept *kept = ask->has_family ? weft_kept_find(&keeper->kept, ask->name) : NULL;
    if (kept == NULL) return;
    kept->has_family = true;
    settle_children(keeper, kept);
}

// False: it has to wait, and `message` is still ours.
static bool take(struct weft_journal_keeper *keeper, const struct weft_message *message)
{
    const struct weft_journal_ask *ask = (const struct weft_journal_ask *)message->payload;
    if (keeper->pending_head - keeper->pending_tail == PENDING_SLOTS) return false;
    const bool has_waited = keeper->held_since_ns != 0 &&
                            keeper->worker->core.now_ns - keeper->held_since_ns > STALL_NS;
    const bool is_reaped = reap(keeper);
    if (!is_reaped && !has_waited) return false;
    if (message->type == WEFT_JOURNAL_ASK_ENDED) {
        take_end(keeper, ask);
        reap(keeper);
        return true;
    }
    int64_t lsn = is_reaped ? append(keeper, message->type, ask) : -ENOBUFS;
    if (lsn == -ENOBUFS && !has_waited) return false;
    if (lsn == -ENOBUFS && weft_counter_get(&keeper->view.stalled) != 0)
        lsn = -(int64_t)weft_counter_get(&keeper->view.stalled);
    if (lsn > 0) keep(keeper, message->type, ask);
    reap(keeper);
    keeper->held_gone_written = false;
    keeper->pending[keeper->pending_head++ % PENDING_SLOTS] = (struct pending){
        .lsn = lsn > 0 ? (uint64_t)lsn : 0, .pid = message->from, .result = lsn > 0 ? 0 : (int)lsn};
    return true;
}

static bool is_ours(const struct weft_message *message)
{
    const struct weft_journal_ask *ask = (const struct weft_journal_ask *)message->payload;
    if (message->tag != WEFT_MESSAGE_USER || message->type < WEFT_JOURNAL_ASK_STATE ||
        message->type > WEFT_JOURNAL_ASK_ENDED || message->length < sizeof(*ask))
        return false;
    if (ask->is_child && ask->has_source && ask->source_bytes != sizeof(struct weft_journal_birth))
        return false;
    return message->length == sizeof(*ask) + (size_t)ask->source_bytes + ask->image_bytes;
}

static int run(struct weft_actor *actor, uint32_t *reductions)
{
    struct weft_journal_keeper *keeper = actor->state;
    for (;;) {
        struct weft_message *message =
            keeper->held != NULL ? keeper->held : weft_actor_receive(actor);
        if (message == NULL) return WEFT_ACTOR_WAIT;
        if (!is_ours(message)) { // Somebody who has guessed our pid.
            weft_drop_add(&keeper->worker->core.drops, WEFT_DROP_MAILBOX_REFUSED, 1);
        } else if (!take(keeper, message)) {
            if (keeper->held == NULL) keeper->held_since_ns = keeper->worker->core.now_ns;
            keeper->held = message;
            return WEFT_ACTOR_WAIT; // The poller wakes us once there may be room.
        }
        keeper->held = NULL;
        keeper->held_since_ns = 0;
        weft_message_release(&keeper->worker->actors, message);
        *reductions -= *reductions < 50 ? *reductions : 50;
        if (*reductions == 0) return WEFT_ACTOR_AGAIN;
    }
}

static const struct weft_actor_kind journal_kind = {.name = "journal", .slice = run};

// ---- Answers out, each unit's in the order of its asking.

static void tell_there(struct weft_core *core, void *self, uint64_t argument)
{
    weft_unit_actor_durable(&((struct weft_node *)self)->workers[core->index - 1], argument, 0);
}

static void tell_there_failed(struct weft_core *core, void *self, uint64_t argument)
{
    weft_unit_actor_durable(&((struct weft_node *)self)->workers[core->index - 1], argument, -EIO);
}

static void tell_there_unknown(struct weft_core *core, void *self, uint64_t argument)
{
    weft_unit_actor_durable(&((struct weft_node *)self)->workers[core->index - 1], argument,
                            -ENOENT);
}

static bool answer(struct weft_journal_keeper *keeper, weft_pid pid, int result)
{
    struct weft_core *core = &keeper->worker->core;
    if (weft_pid_home(pid) == core->index) {
        weft_unit_actor_durable(keeper->worker, pid, result);
        return true;
    }
    const struct weft_core_message message = {
        .kind = WEFT_CORE_MESSAGE_CALL,
        .word = {(uint64_t)(uintptr_t)(result == 0         ? tell_there
                                       : result == -ENOENT ? tell_there_unknown
                                                           : tell_there_failed),
                 (uint64_t)(uintptr_t)keeper->node, pid}};
    return weft_core_send_try(core, weft_pid_home(pid), &message);
}

static uint32_t answer_pending(struct weft_journal_keeper *keeper, uint64_t durable, bool failed)
{
    uint32_t count = 0;
    while (keeper->pending_tail != keeper->pending_head) {
        const struct pending *oldest = &keeper->pending[keeper->pending_tail % PENDING_SLOTS];
        int result = oldest->result;
        if (result == 0 && oldest->lsn > durable) {
            if (!failed) break;
            result = -EIO;
        }
        if (!answer(keeper, oldest->pid, result)) break; // The ring is full: next turn.
        keeper->pending_tail++;
        count++;
    }
    return count;
}

// ---- Compaction: every unit's newest state, a unit at a time, in the order of arrival.

static bool copy_forward(struct weft_journal_keeper *keeper, const struct weft_kept *kept)
{
    struct weft_unit_load load = {.recovery = kept->recovery,
                                  .source = weft_span_of(kept->source, kept->source_bytes),
                                  .origin = kept->origin};
    memcpy(load.name, kept->name, sizeof(load.name));
    memcpy(load.source_name, kept->source_name, sizeof(load.source_name));
    if (weft_unit_journal_load(&keeper->journal, &load) < 0) return false;
    if (kept->image == NULL) return true;
    return weft_unit_journal_image(&keeper->journal, kept->name,
                                   weft_span_of(kept->image, kept->image_bytes)) >= 0;
}

// What it holds may be more than the segments that there should be: then it is not copied over and
// over, but whenever half as much has come again.
static bool is_worth_it(const struct weft_journal_keeper *keeper)
{
    const uint32_t size = keeper->compacted_size;
    return weft_journal_snapshot_wanted(&keeper->journal) &&
           keeper->journal.live_count > size + size / 2;
}

static void compact(struct weft_journal_keeper *keeper)
{
    if (!keeper->is_compacting) {
        if (keeper->kept.lost_count > 0) return; // The old segments alone have it.
        if (!is_worth_it(keeper)) return;
        if (weft_journal_snapshot_begin(&keeper->journal) != 0) return;
        keeper->compacted_from = keeper->journal.segment;
        keeper->is_compacting = true;
        keeper->kept.cursor = keeper->kept.first;
    }
    struct weft_kept **cursor = &keeper->kept.cursor;
    for (int i = 0; i < COMPACT_PER_TURN && *cursor != NULL; i++) {
        // Lost meanwhile: the snapshot stays open, and with it the old segments.
        if ((*cursor)->is_lost) return;
        if (!(*cursor)->is_doomed && !copy_forward(keeper, *cursor)) return;
        *cursor = (*cursor)->later;
    }
    if (*cursor != NULL || weft_journal_snapshot_end(&keeper->journal) != 0) return;
    keeper->is_compacting = false;
    keeper->compacted_size = keeper->journal.segment - keeper->compacted_from + 1;
}

// ---- Chores: files are made and removed by the control core, which may wait for the disk.

static void run_chore(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_journal_keeper *keeper = self;
    (void)core;
    (void)argument;
    weft_journal_chore_run(keeper->node->options.disk, &keeper->chore);
    // Pairs with the acquire load in take_chore_back: the result is in the chore.
    atomic_store_explicit(&keeper->chore_state, CHORE_BACK, memory_order_release);
    weft_core_wake(&keeper->worker->core);
}

static void take_chore_back(struct weft_journal_keeper *keeper, uint64_t now_ns)
{
    // Pairs with the release store in run_chore.
    if (atomic_load_explicit(&keeper->chore_state, memory_order_acquire) != CHORE_BACK) return;
    const int result = keeper->chore.result;
    atomic_store_explicit(&keeper->chore_state, CHORE_NONE, memory_order_relaxed);
    weft_journal_chore_done(&keeper->journal, &keeper->chore);
    if (result == 0) {
        weft_counter_set(&keeper->view.stalled, 0);
        keeper->retry_ns = 0;
        return;
    }
    if (weft_counter_get(&keeper->view.stalled) == 0)
        weft_log(&keeper->worker->core.log, WEFT_LOG_ERROR, "journal",
                 "no segment can be made (%s): what does not fit is refused until one can",
                 strerror(-result));
    weft_counter_set(&keeper->view.stalled, (uint64_t)-result);
    keeper->retry_ns = keeper->retry_ns == 0 ? RETRY_NS_MIN : 2 * keeper->retry_ns;
    if (keeper->retry_ns > RETRY_NS_MAX) keeper->retry_ns = RETRY_NS_MAX;
    keeper->retry_at_ns = now_ns + keeper->retry_ns;
}

static void hand_out_chore(struct weft_journal_keeper *keeper, uint64_t now_ns)
{
    if (atomic_load_explicit(&keeper->chore_state, memory_order_relaxed) != CHORE_NONE) return;
    if (keeper->retry_ns > 0 && now_ns < keeper->retry_at_ns) return;
    if (!keeper->chore_unsent && !weft_journal_chore_next(&keeper->journal, &keeper->chore)) return;
    const struct weft_core_message message = {
        .kind = WEFT_CORE_MESSAGE_CALL,
        .word = {(uint64_t)(uintptr_t)run_chore, (uint64_t)(uintptr_t)keeper}};
    // Before it is sent: the control core may answer at once.
    atomic_store_explicit(&keeper->chore_state, CHORE_OUT, memory_order_relaxed);
    keeper->chore_unsent = !weft_core_send_try(&keeper->worker->core, 0, &message);
    if (keeper->chore_unsent)
        atomic_store_explicit(&keeper->chore_state, CHORE_NONE, memory_order_relaxed);
}

// ---- The end.

static bool is_idle(const struct weft_journal_keeper *keeper)
{
    return keeper->held == NULL && keeper->pending_head == keeper->pending_tail &&
           weft_journal_idle(&keeper->journal);
}

static void seal(struct weft_journal_keeper *keeper, uint64_t durable)
{
    if (!atomic_load_explicit(&keeper->seal_wanted, memory_order_relaxed)) return;
    if (keeper->seal_lsn == 0 && is_idle(keeper))
        keeper->seal_lsn = weft_journal_seal(&keeper->journal);
    // Refused by a journal that is full or has failed: then there is nothing to vouch for.
    if (keeper->seal_lsn < 0 || (keeper->seal_lsn > 0 && (uint64_t)keeper->seal_lsn <= durable))
        weft_counter_set(&keeper->view.sealed, 1);
}

void weft_journal_keeper_seal(struct weft_journal_keeper *keeper)
{
    // Relaxed: a flag that stands for nothing but itself.
    atomic_store_explicit(&keeper->seal_wanted, true, memory_order_relaxed);
    weft_core_wake(&keeper->worker->core);
}

// ---- The poller.

static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_journal_keeper *keeper = self;
    const uint64_t durable = weft_journal_poll(&keeper->journal);
    const bool failed = keeper->journal.state == WEFT_JOURNAL_FAILED;
    const uint32_t told = answer_pending(keeper, durable, failed);
    if (failed && weft_counter_get(&keeper->view.failed) == 0) {
        weft_counter_set(&keeper->view.failed, (uint64_t)-keeper->journal.failure);
        weft_log(&keeper->worker->core.log, WEFT_LOG_ERROR, "journal",
                 "a write failed (%s): nothing is durable any more until the node is restarted",
                 strerror(-keeper->journal.failure));
    }
    take_chore_back(keeper, now_ns);
    if (!failed) {
        reap(keeper);
        compact(keeper);
        hand_out_chore(keeper, now_ns);
    }
    seal(keeper, durable);
    if (keeper->held != NULL) weft_actor_wake(keeper->actor);
    return told;
}

static void flush(void *self, uint64_t now_ns)
{
    struct weft_journal_keeper *keeper = self;
    (void)now_ns;
    weft_journal_flush(&keeper->journal);
    const struct weft_disk *disk = keeper->node->options.disk;
    if (disk->flush != NULL) disk->flush(disk->self);
    weft_counter_set(&keeper->view.records, keeper->journal.stats.records);
    weft_counter_set(&keeper->view.blocks, keeper->journal.stats.blocks);
    weft_counter_set(&keeper->view.writes, keeper->journal.stats.writes);
    weft_counter_set(&keeper->view.segments, keeper->journal.live_count);
    weft_counter_set(&keeper->view.units, keeper->kept.count);
}

// Completions ring by themselves. What waits for something else is looked at again soon: at once
// for what only needs another turn, with the retries' patience for what needs a disk with room.
static uint64_t due_ns(void *self)
{
    const struct weft_journal_keeper *keeper = self;
    const uint64_t now_ns = keeper->worker->core.now_ns;
    const bool sealing = atomic_load_explicit(&keeper->seal_wanted, memory_order_relaxed) &&
                         weft_counter_get(&keeper->view.sealed) == 0;
    if (keeper->chore_unsent || keeper->is_compacting || sealing)
        return now_ns + 200 * WEFT_NS_PER_US;
    const bool waits = keeper->held != NULL || !weft_list_empty(&keeper->kept.doomed) ||
                       weft_journal_dirty(&keeper->journal);
    if (keeper->retry_ns > 0) // Its disk is full: no hurry, but for those who wait for a word.
        return waits && now_ns + RETRY_NS_MIN < keeper->retry_at_ns ? now_ns + RETRY_NS_MIN
                                                                    : keeper->retry_at_ns;
    return waits ? now_ns + 200 * WEFT_NS_PER_US : UINT64_MAX;
}

// ---- Making and freeing.

int weft_journal_keeper_create(struct weft_journal_keeper **made, struct weft_node *node,
                               struct weft_unit_table *recovered, struct weft_error *error)
{
    struct weft_journal_keeper *keeper = calloc(1, sizeof(*keeper));
    int result = -ENOMEM;
    if (keeper == NULL) goto no_memory;
    keeper->node = node;
    keeper->pending = calloc(PENDING_SLOTS, sizeof(*keeper->pending));
    if (keeper->pending == NULL) goto no_memory;
    result = weft_journal_init(&keeper->journal, node->options.disk, &node->options.journal);
    if (result != 0) goto no_memory;
    result = weft_journal_recover(&keeper->journal, weft_unit_table_replay, recovered, NULL, error);
    weft_unit_table_settle(recovered);
    if (result == 0) result = weft_journal_tend(&keeper->journal);
    if (result == -ENOSPC) result = 0; // No spare segment: chores go on asking for it.
    if (result != 0) {
        if (error->code == 0)
            weft_error_set(error, 701, "the journal cannot be read or begun: %s",
                           strerror(-result));
        weft_journal_destroy(&keeper->journal);
        goto fail;
    }
    *made = keeper;
    return 0;

no_memory:
    weft_error_set(error, 203, "no memory for the journal: %s", strerror(-result));
fail:
    if (keeper != NULL) free(keeper->pending);
    free(keeper);
    return result;
}

static void keep_recovered(struct weft_journal_keeper *keeper,
                           const struct weft_unit_table *recovered)
{
    for (uint32_t i = 0; i < recovered->count; i++) {
        const struct weft_unit_entry *entry = &recovered->entries[i];
        if (!weft_kept_set(&keeper->kept, entry->load.name, &entry->load, entry->image))
            weft_log(&keeper->worker->core.log, WEFT_LOG_WARN, "journal",
                     "%s: no memory to keep its state: old segments stay", entry->load.name);
        struct weft_kept *kept = weft_kept_find(&keeper->kept, entry->load.name);
        if (kept != NULL) kept->has_family = weft_family_may_have_spawned(entry->image);
    }
}

// One that does not come back, and of which nothing must be left: its parent begins to count where
// its record ends, and would come to the numbers of this one.
static void bury_recovered(struct weft_journal_keeper *keeper, const char *name)
{
    weft_kept_set(&keeper->kept, name, NULL, weft_span_of(NULL, 0));
    struct weft_kept *kept = weft_kept_find(&keeper->kept, name);
    if (kept != NULL) weft_kept_doom(&keeper->kept, kept);
}

static int settle_recovered(struct weft_journal_keeper *keeper, struct weft_unit_table *recovered)
{
    bool *stays = calloc(recovered->count + 1, sizeof(*stays));
    if (stays == NULL) return -ENOMEM;
    int result = weft_family_settle(recovered, stays);
    for (uint32_t i = 0; result == 0 && i < recovered->count; i++) {
        if (!stays[i]) bury_recovered(keeper, recovered->entries[i].load.name);
    }
    if (result == 0) weft_unit_table_filter(recovered, stays);
    free(stays);
    return result;
}

int weft_journal_keeper_start(struct weft_journal_keeper *keeper, struct weft_node_worker *worker,
                              struct weft_unit_table *recovered)
{
    keeper->worker = worker;
    weft_kept_init(&keeper->kept, worker->arena);
    if (settle_recovered(keeper, recovered) != 0) return -ENOMEM;
    keep_recovered(keeper, recovered);
    // No limit of its own: each ask belongs to a command of the control core, which bounds those.
    const struct weft_spawn spawn = {.kind = &journal_kind,
                                     .state = keeper,
                                     .label = "journal",
                                     .mailbox_max = UINT32_MAX,
                                     .priority = WEFT_PRIORITY_HIGH};
    int result = weft_actor_spawn(&worker->actors, &spawn, 0, &keeper->pid);
    if (result != 0) return result;
    keeper->actor = weft_actor_find(&worker->actors, keeper->pid);
    keeper->actor->task.flags |= WEFT_ACTOR_PRIVATE;
    return weft_core_add_poller(
        &worker->core,
        &(struct weft_poller){
            .name = "journal", .poll = poll, .flush = flush, .due_ns = due_ns, .self = keeper});
}

void weft_journal_keeper_free(struct weft_journal_keeper *keeper)
{
    if (keeper == NULL) return;
    if (keeper->worker != NULL) weft_kept_destroy(&keeper->kept); // `held` went with the actors.
    weft_journal_destroy(&keeper->journal);
    free(keeper->pending);
    free(keeper);
}

weft_pid weft_journal_keeper_pid(const struct weft_journal_keeper *keeper)
{
    return keeper->pid;
}

const struct weft_journal *weft_journal_keeper_journal(const struct weft_journal_keeper *keeper)
{
    return &keeper->journal;
}

const struct weft_journal_view *weft_journal_keeper_view(const struct weft_journal_keeper *keeper)
{
    return &keeper->view;
}
