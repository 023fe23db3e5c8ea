// blocking.c: work for which an actor waits while a thread of the pool does it.
//
// The work travels in a block of the actor's core, which is the reply to the wait when it is done:
// so the actor may end or move meanwhile, and the block finds its way.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/sched/offload.h"

struct job { // Behind the block.
    int (*work)(void *argument);
    void *argument;
    int32_t result;
};

static struct job *job_of(struct weft_message *block)
{
    return (struct job *)(void *)block->payload;
}

static void run(void *self)
{
    struct job *job = job_of(self);
    job->result = job->work(job->argument);
}

static void done(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_message *block = self;
    struct weft_actor_system *system = core->handlers[WEFT_CORE_MESSAGE_ACTOR].self;
    (void)argument;
    block->tag = WEFT_MESSAGE_REPLY;
    system->sent++;
    weft_route(system, block, false); // To nobody, if it has ended: then it is dropped as late.
}

static int submit(struct weft_actor *self, struct weft_message *block)
{
    struct weft_actor_system *system = self->system;
    block->to = block->from = self->pid;
    block->type = 0;
    block->reference = ++system->reference;
    const struct weft_offload_work work = {
        .run = run, .done = done, .core = system->core, .self = block};
    return weft_offload_submit(system->node->pool, &work);
}

int weft_blocking(struct weft_actor *self, int (*work)(void *argument), void *argument)
{
    struct weft_actor_system *system = enter(self);
    int result = -ENOTSUP;
    struct weft_message *block = NULL, *reply;
    if (system->node->pool != NULL) {
        result = -ENOMEM;
        // What could not be waited for must not be begun.
        if (weft_actor_can_park(self))
            block = weft_message_alloc_hidden(system, sizeof(struct job));
    }
    if (block != NULL) {
        *job_of(block) = (struct job){.work = work, .argument = argument};
        const uint64_t reference = system->reference + 1;
        result = submit(self, block);
        if (result != 0)
            weft_message_release_block(system, block);
        else
            result = weft_call_wait(self, reference, WEFT_FOREVER, &reply);
        if (result == 0) {
            result = job_of(reply)->result;
            weft_receive_drop_answer(self);
        }
    }
    leave(self);
    return result;
}
