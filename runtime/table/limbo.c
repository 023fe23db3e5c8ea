// limbo.c: what was taken out of a table, until no core can look at it any more (quiesce.h).
//
// Each core has a limbo of its own, in batches: `fresh` gathers while `waiting` waits; when every
// core has let go of that, it is freed, and the batch behind it begins to wait. Whole tables go the
// same way, and are then taken apart, so many pieces a turn: a million rows do not hold the core.
#include <errno.h>

#include "runtime/table/internal.h"

#define FREE_TURN 4096                  // Blocks given back in one turn.
#define REAP_TURN 512                   // Buckets or nodes taken apart in one turn.
#define LOOK_NS   (50 * WEFT_NS_PER_US) // How soon to look again whether the others are done.

static struct weft_message *next_of(const struct weft_message *block)
{
    return (struct weft_message *)(void *)block->link[0];
}

static void push(struct weft_message **chain, struct weft_message *block)
{
    block->link[0] = (struct weft_list *)(void *)*chain;
    *chain = block;
}

static struct weft_message *pop(struct weft_message **chain)
{
    struct weft_message *block = *chain;
    if (block != NULL) *chain = next_of(block);
    return block;
}

void weft_limbo_put(struct weft_table_core *core, struct weft_message *block)
{
    push(&core->fresh, block);
}

void weft_limbo_free(struct weft_table_core *core, struct weft_message *block)
{
    block->tag = WEFT_MESSAGE_USER; // Home, as any block.
    weft_message_release_block(core->system, block);
}

// Batches move on as far as the other cores allow.
static void advance(struct weft_table_core *core)
{
    struct weft_core_group *group = core->system->core->group;
    if (core->free == NULL && core->waiting != NULL &&
        weft_quiesce_is_over(group, core->system->node->core_mask, core->epoch)) {
        core->free = core->waiting;
        core->waiting = NULL;
    }
    if (core->waiting == NULL && core->fresh != NULL) {
        core->waiting = core->fresh;
        core->fresh = NULL;
        core->epoch = weft_quiesce_begin(group);
    }
}

static uint32_t free_some(struct weft_table_core *core)
{
    uint32_t count = 0;
    for (struct weft_message *block; count < FREE_TURN && (block = pop(&core->free)) != NULL;
         count++) {
        if (core->free != NULL) __builtin_prefetch(core->free);
        if (block->type == WEFT_LIMBO_ROWS)
            push(&core->reaping, block);
        else
            weft_limbo_free(core, block);
    }
    return count;
}

static uint32_t reap_some(struct weft_table_core *core)
{
    struct weft_message *block = core->reaping;
    if (block == NULL) return 0;
    struct weft_rows *rows = (struct weft_rows *)(void *)block->payload;
    if (rows->is_tree ? weft_tree_reap(core, rows, REAP_TURN)
                      : weft_hash_reap(core, rows, REAP_TURN)) {
        pop(&core->reaping);
        weft_limbo_free(core, rows->stripe_block);
        weft_limbo_free(core, block);
    }
    return 1;
}

static uint32_t turn(void *self, uint64_t now_ns)
{
    struct weft_table_core *core = self;
    (void)now_ns;
    if (core->fresh == NULL && core->waiting == NULL && core->free == NULL && core->reaping == NULL)
        return 0;
    advance(core);
    return free_some(core) + reap_some(core);
}

static uint64_t due_ns(void *self)
{
    const struct weft_table_core *core = self;
    const uint64_t now_ns = core->system->core->now_ns;
    if (core->free != NULL || core->reaping != NULL) return now_ns;
    return core->fresh != NULL || core->waiting != NULL ? now_ns + LOOK_NS : UINT64_MAX;
}

int weft_limbo_attach(struct weft_table_core *core, struct weft_actor_system *system)
{
    const struct weft_poller poller = {
        .name = "tables", .poll = turn, .due_ns = due_ns, .self = core};
    core->system = system;
    return weft_core_add_poller(system->core, &poller);
}
