#include "runtime/node/journal_keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"

#define MAILBOX_LIMIT 4096
#define PENDING_SLOTS 8192 // A power of two, more than the mailbox can hold and the engine buffers.

struct pending { // A record that somebody waits for.
    uint64_t lsn;
    weft_pid pid;
};

struct kept { // The newest of one unit, by UNIT-IDX. Blocks of the first worker's arena.
    char name[WEFT_UNIT_NAME_MAX + 1];
    char source_name[WEFT_UNIT_NAME_MAX + 1];
    uint8_t recovery;
    uint8_t *source, *image;
    uint32_t source_length, image_length;
};

struct weft_journal_keeper {
    struct weft_node *node;
    struct weft_node_worker *worker;
    struct weft_journal journal;
    struct weft_actor *actor;
    weft_pid pid;
    struct weft_message *held; // Did not fit; the next poll tries again.
    struct pending *pending;
    uint32_t pending_head, pending_tail;
    struct kept *kept;
    uint32_t kept_count; // Of the node's units.
    uint32_t
        adopt_count; // Recovered units that have not come forward: nothing is compacted till then.
    uint32_t snapshot_next; // Unit to copy forward next; UINT32_MAX: no snapshot runs.
    struct weft_journal_chore chore;
    bool chore_out; // The control core has `chore`.
    bool chore_unsent;
    struct weft_journal_view view;
};

// ---- What is kept, for compaction.

static void drop_block(struct weft_journal_keeper *keeper, uint8_t **block, uint32_t *length)
{
    weft_arena_release(keeper->worker->arena, *block, *length);
    *block = NULL;
    *length = 0;
}

static bool keep_block(struct weft_journal_keeper *keeper, uint8_t **block, uint32_t *length,
                       const struct weft_journal_ask *ask)
{
    drop_block(keeper, block, length);
    if (ask->length == 0) return true;
    *block = weft_arena_alloc(keeper->worker->arena, ask->length);
    if (*block == NULL) return false;
    memcpy(*block, ask->bytes, ask->length);
    *length = ask->length;
    return true;
}

static bool keep(struct weft_journal_keeper *keeper, uint16_t type,
                 const struct weft_journal_ask *ask)
{
    struct kept *kept = &keeper->kept[ask->index];
    switch (type) {
    case WEFT_JOURNAL_ASK_ADOPT_LOAD:
        weft_assert(keeper->adopt_count > 0);
        keeper->adopt_count--;
        __attribute__((fallthrough));
    case WEFT_JOURNAL_ASK_LOAD:
        memcpy(kept->name, ask->name, sizeof(kept->name));
        memcpy(kept->source_name, ask->source_name, sizeof(kept->source_name));
        kept->recovery = ask->recovery;
        drop_block(keeper, &kept->image, &kept->image_length);
        return keep_block(keeper, &kept->source, &kept->source_length, ask);
    case WEFT_JOURNAL_ASK_IMAGE:
    case WEFT_JOURNAL_ASK_ADOPT_IMAGE:
        return keep_block(keeper, &kept->image, &kept->image_length, ask);
    default:
        drop_block(keeper, &kept->source, &kept->source_length);
        drop_block(keeper, &kept->image, &kept->image_length);
        kept->name[0] = '\0';
        return true;
    }
}

// ---- Records in.

static int64_t append(struct weft_journal_keeper *keeper, uint16_t type,
                      const struct weft_journal_ask *ask)
{
    struct weft_unit_load load = {.recovery = ask->recovery,
                                  .source = weft_span_of(ask->bytes, ask->length)};
    switch (type) {
    case WEFT_JOURNAL_ASK_LOAD:
        memcpy(load.name, ask->name, sizeof(load.name));
        memcpy(load.source_name, ask->source_name, sizeof(load.source_name));
        return weft_unit_journal_load(&keeper->journal, &load);
    case WEFT_JOURNAL_ASK_IMAGE:
        return weft_unit_journal_image(&keeper->journal, ask->name,
                                       weft_span_of(ask->bytes, ask->length));
    case WEFT_JOURNAL_ASK_GONE: return weft_unit_journal_gone(&keeper->journal, ask->name);
    default: return 0; // Adopted: it stands in the journal already.
    }
}

static void tell(struct weft_core *core, void *self, uint64_t argument)
{
    weft_unit_actor_durable(&((struct weft_node *)self)->workers[core->index - 1], argument, 0);
}

static void tell_failed(struct weft_core *core, void *self, uint64_t argument)
{
    weft_unit_actor_durable(&((struct weft_node *)self)->workers[core->index - 1], argument, -EIO);
}

static int answer(struct weft_journal_keeper *keeper, weft_pid pid, bool failed)
{
    struct weft_core *core = &keeper->worker->core;
    if (weft_pid_core(pid) != core->index)
        return weft_core_call(core, weft_pid_core(pid), failed ? tell_failed : tell, keeper->node,
                              pid);
    weft_unit_actor_durable(keeper->worker, pid, failed ? -EIO : 0);
    return 0;
}

// False: it has to wait, and `message` is still ours.
static bool take(struct weft_journal_keeper *keeper, const struct weft_message *message)
{
    const struct weft_journal_ask *ask = (const struct weft_journal_ask *)message->payload;
    weft_assert(ask->index < keeper->kept_count);
    weft_assert(message->length == sizeof(*ask) + ask->length);
    if (keeper->pending_head - keeper->pending_tail == PENDING_SLOTS) return false;
    const int64_t lsn = append(keeper, message->type, ask);
    if (lsn == -ENOBUFS) return false;
    if (lsn >= 0 && !keep(keeper, message->type, ask))
        weft_log(&keeper->worker->core.log, WEFT_LOG_WARN, "journal",
                 "%s: no memory to keep its state for compaction: old segments stay", ask->name);
    if (!ask->wants_answer) return true;
    if (lsn < 0) {
        answer(keeper, message->from, true);
        return true;
    }
    keeper->pending[keeper->pending_head++ % PENDING_SLOTS] =
        (struct pending){.lsn = (uint64_t)lsn, .pid = message->from};
    return true;
}

static enum weft_actor_verdict run(struct weft_actor *actor, uint32_t *reductions)
{
    struct weft_journal_keeper *keeper = actor->state;
    for (;;) {
        struct weft_message *message =
            keeper->held != NULL ? keeper->held : weft_actor_receive(actor);
        keeper->held = NULL;
        if (message == NULL) return WEFT_ACTOR_WAIT;
        if (!take(keeper, message)) {
            keeper->held = message;
            return WEFT_ACTOR_WAIT; // The poller wakes us once there is room.
        }
        weft_message_release(&keeper->worker->actors, message);
        *reductions -= *reductions < 50 ? *reductions : 50;
        if (*reductions == 0) return WEFT_ACTOR_AGAIN;
    }
}

static const struct weft_actor_kind journal_kind = {.name = "journal", .run = run};

// ---- Compaction: every unit's newest state, a unit at a time.

static bool copy_forward(struct weft_journal_keeper *keeper, const struct kept *kept)
{
    struct weft_unit_load load = {.recovery = kept->recovery,
                                  .source = weft_span_of(kept->source, kept->source_length)};
    if (kept->name[0] == '\0') return true;
    memcpy(load.name, kept->name, sizeof(load.name));
    memcpy(load.source_name, kept->source_name, sizeof(load.source_name));
    if (weft_unit_journal_load(&keeper->journal, &load) < 0) return false;
    if (kept->image == NULL) return true;
    return weft_unit_journal_image(&keeper->journal, kept->name,
                                   weft_span_of(kept->image, kept->image_length)) >= 0;
}

static void compact(struct weft_journal_keeper *keeper)
{
    if (keeper->snapshot_next == UINT32_MAX) {
        if (keeper->adopt_count > 0) return;
        if (!weft_journal_snapshot_wanted(&keeper->journal)) return;
        if (weft_journal_snapshot_begin(&keeper->journal) != 0) return;
        keeper->snapshot_next = 0;
    }
    // A bounded number a turn; what does not fit is copied again, whole, in the next.
    for (int i = 0; i < 16 && keeper->snapshot_next < keeper->kept_count; i++) {
        if (!copy_forward(keeper, &keeper->kept[keeper->snapshot_next])) return;
        keeper->snapshot_next++;
    }
    if (keeper->snapshot_next < keeper->kept_count) return;
    if (weft_journal_snapshot_end(&keeper->journal) == 0) keeper->snapshot_next = UINT32_MAX;
}

// ---- Chores: to the control core and back.

static void chore_back(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_journal_keeper *keeper = self;
    (void)core;
    (void)argument;
    keeper->chore_out = false;
    weft_journal_chore_done(&keeper->journal, &keeper->chore);
}

static void chore_run(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_journal_keeper *keeper = self;
    (void)argument;
    weft_journal_chore_run(keeper->node->options.disk, &keeper->chore);
    weft_core_call(core, 1, chore_back, keeper, 0);
}

static void hand_out_chore(struct weft_journal_keeper *keeper)
{
    if (keeper->chore_out) return;
    if (!keeper->chore_unsent && !weft_journal_chore_next(&keeper->journal, &keeper->chore)) return;
    keeper->chore_unsent = weft_core_call(&keeper->worker->core, 0, chore_run, keeper, 0) != 0;
    keeper->chore_out = !keeper->chore_unsent;
}

// ---- The poller.

static uint32_t tell_durable(struct weft_journal_keeper *keeper, uint64_t durable, bool failed)
{
    uint32_t told = 0;
    while (keeper->pending_tail != keeper->pending_head) {
        const struct pending *oldest = &keeper->pending[keeper->pending_tail % PENDING_SLOTS];
        const bool is_durable = oldest->lsn <= durable;
        if (!is_durable && !failed) break;
        if (answer(keeper, oldest->pid, !is_durable) != 0) break; // The ring is full: next turn.
        keeper->pending_tail++;
        told++;
    }
    return told;
}

static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_journal_keeper *keeper = self;
    (void)now_ns;
    const uint64_t durable = weft_journal_poll(&keeper->journal);
    const bool failed = keeper->journal.state == WEFT_JOURNAL_FAILED;
    const uint32_t told = tell_durable(keeper, durable, failed);
    if (failed && weft_counter_get(&keeper->view.failed) == 0) {
        weft_counter_set(&keeper->view.failed, 1);
        weft_log(&keeper->worker->core.log, WEFT_LOG_ERROR, "journal",
                 "a write failed (%s): nothing is durable any more until the node is restarted",
                 strerror(-keeper->journal.failure));
    }
    if (keeper->held != NULL) weft_actor_wake(keeper->actor);
    if (!failed) {
        compact(keeper);
        hand_out_chore(keeper);
    }
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
    weft_counter_set(&keeper->view.waiting, !weft_journal_keeper_idle(keeper));
}

// Something that cannot be flushed yet is looked at again soon; completions ring by themselves.
static uint64_t due_ns(void *self)
{
    const struct weft_journal_keeper *keeper = self;
    const bool waits = keeper->held != NULL || keeper->chore_unsent ||
                       keeper->snapshot_next != UINT32_MAX || weft_journal_dirty(&keeper->journal);
    return waits ? keeper->worker->core.now_ns + 200 * WEFT_NS_PER_US : UINT64_MAX;
}

static void seal(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_journal_keeper *keeper = self;
    (void)core;
    (void)argument;
    // Refused only by a journal that is full or has failed: then there is nothing to vouch for.
    (void)weft_journal_seal(&keeper->journal);
}

void weft_journal_keeper_seal(struct weft_journal_keeper *keeper)
{
    weft_counter_set(&keeper->view.waiting, 1);
    (void)weft_core_call(&keeper->node->control, 1, seal, keeper, 0);
}

// ---- Making and freeing.

int weft_journal_keeper_create(struct weft_journal_keeper **made, struct weft_node *node,
                               struct weft_unit_table *recovered, struct weft_error *error)
{
    struct weft_journal_keeper *keeper = calloc(1, sizeof(*keeper));
    int result = -ENOMEM;
    if (keeper == NULL) goto no_memory;
    keeper->node = node;
    keeper->snapshot_next = UINT32_MAX;
    keeper->kept_count = node->options.unit_count_max;
    keeper->kept = calloc(keeper->kept_count, sizeof(*keeper->kept));
    keeper->pending = calloc(PENDING_SLOTS, sizeof(*keeper->pending));
    if (keeper->kept == NULL || keeper->pending == NULL) goto no_memory;
    result = weft_journal_init(&keeper->journal, node->options.disk, &node->options.journal);
    if (result != 0) goto no_memory;
    result = weft_journal_recover(&keeper->journal, weft_unit_table_replay, recovered, NULL, error);
    if (result == 0) result = weft_journal_tend(&keeper->journal);
    if (result != 0) {
        if (error->code == 0)
            weft_error_set(error, 701, "the journal cannot be read: %s", strerror(-result));
        weft_journal_destroy(&keeper->journal);
        goto fail;
    }
    keeper->adopt_count = recovered->count;
    *made = keeper;
    return 0;

no_memory:
    weft_error_set(error, 203, "no memory for the journal: %s", strerror(-result));
fail:
    if (keeper != NULL) {
        free(keeper->kept);
        free(keeper->pending);
    }
    free(keeper);
    return result;
}

int weft_journal_keeper_start(struct weft_journal_keeper *keeper, struct weft_node_worker *worker)
{
    keeper->worker = worker;
    const struct weft_spawn spawn = {.kind = &journal_kind,
                                     .state = keeper,
                                     .name = "journal",
                                     .mailbox_limit = MAILBOX_LIMIT,
                                     .priority = WEFT_PRIORITY_HIGH};
    int result = weft_actor_spawn(&worker->actors, &spawn, &keeper->pid);
    if (result != 0) return result;
    keeper->actor = weft_actor_find(&worker->actors, keeper->pid);
    return weft_core_add_poller(
        &worker->core,
        &(struct weft_poller){
            .name = "journal", .poll = poll, .flush = flush, .due_ns = due_ns, .self = keeper});
}

void weft_journal_keeper_free(struct weft_journal_keeper *keeper)
{
    if (keeper == NULL) return;
    if (keeper->worker != NULL) {
        if (keeper->held != NULL) weft_message_release(&keeper->worker->actors, keeper->held);
        for (uint32_t i = 0; i < keeper->kept_count; i++) {
            drop_block(keeper, &keeper->kept[i].source, &keeper->kept[i].source_length);
            drop_block(keeper, &keeper->kept[i].image, &keeper->kept[i].image_length);
        }
    }
    weft_journal_destroy(&keeper->journal);
    free(keeper->kept);
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

bool weft_journal_keeper_idle(const struct weft_journal_keeper *keeper)
{
    return keeper->held == NULL && keeper->pending_head == keeper->pending_tail &&
           weft_journal_idle(&keeper->journal);
}

const struct weft_journal_view *weft_journal_keeper_view(const struct weft_journal_keeper *keeper)
{
    return &keeper->view;
}
