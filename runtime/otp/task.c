// task.c: an actor that answers one call.
#include <weft/task.h>

#include <errno.h>
#include <string.h>

#include <weft/link.h>

struct order { // The call's payload: then the arguments.
    weft_task_work *work;
    _Alignas(16) uint8_t args[];
};

struct runner {                 // The state of a task.
    struct weft_message *order; // Kept, to be answered; NULL: it is, or nobody waits.
    bool is_awaited;
};

// ---- In the task.

int weft_task_result(struct weft_actor *self, const void *bytes, size_t length)
{
    struct runner *runner = weft_state(self);
    struct weft_message *order = runner->order;
    if (order == NULL) return runner->is_awaited ? -EALREADY : 0;
    runner->order = NULL;
    weft_unlink(self, weft_parent(self)); // Its end is nobody's business from here on.
    return weft_reply(self, order, WEFT_TASK_RUN, bytes, length);
}

static void fail(struct weft_actor *self, struct runner *runner, int error)
{
    struct weft_message *order = runner->order;
    if (order == NULL) return;
    runner->order = NULL;
    weft_unlink(self, weft_parent(self));
    weft_reply_error(self, order, error);
}

static void run(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct runner *runner = state;
    const struct order *order = (const void *)message->payload;
    if (message->from != weft_parent(self) || message->type != WEFT_TASK_RUN) return;
    // The work may receive messages itself.
    int result = weft_keep(self, message);
    runner->is_awaited = message->tag == WEFT_MESSAGE_CALL;
    if (runner->is_awaited) runner->order = message;
    if (result == 0) result = order->work(self, order->args, message->length - sizeof(*order));
    if (result < 0)
        fail(self, runner, result);
    else
        weft_task_result(self, NULL, 0);
    weft_stop(self, WEFT_EXIT_NORMAL);
}

static const struct weft_actor_kind task_kind = {
    .name = "task", .state_bytes = sizeof(struct runner), .handle = run};

// ---- Starting.

static struct weft_spawn spawn_of(void)
{
    return (struct weft_spawn){.kind = &task_kind};
}

// The order as one block, of the caller's until it is sent.
static struct order *make_order(struct weft_actor *self, weft_task_work *work, const void *args,
                                size_t length)
{
    struct order *order = weft_alloc(self, sizeof(*order) + length);
    if (order == NULL) return NULL;
    order->work = work;
    if (length > 0) memcpy(order->args, args, length);
    return order;
}

typedef int spawner(struct weft_actor *self, const struct weft_spawn *spawn, weft_pid *pid);

static int start(struct weft_actor *self, spawner *spawn_it, weft_task_work *work, const void *args,
                 size_t length, struct weft_promise *task)
{
    const struct weft_spawn spawn = spawn_of();
    *task = (struct weft_promise){0};
    struct order *order = make_order(self, work, args, length);
    if (order == NULL) return -ENOMEM;
    int result = spawn_it(self, &spawn, &task->pid);
    if (result == 0) {
        task->reference = weft_call_begin(self, task->pid, WEFT_TASK_RUN, order,
                                          sizeof(*order) + length, &result);
        if (result != 0) {
            weft_unlink(self, task->pid);
            weft_kill(self, task->pid);
        }
    }
    weft_free(self, order);
    return result;
}

int weft_task_async(struct weft_actor *self, weft_task_work *work, const void *args, size_t length,
                    struct weft_promise *task)
{
    return start(self, weft_spawn_link, work, args, length, task);
}

int weft_task_async_nolink(struct weft_actor *self, weft_task_work *work, const void *args,
                           size_t length, struct weft_promise *task)
{
    return start(self, weft_spawn, work, args, length, task);
}

int weft_task_start(struct weft_actor *self, weft_task_work *work, const void *args, size_t length,
                    weft_pid *pid)
{
    const struct weft_spawn spawn = spawn_of();
    weft_pid made = 0;
    struct order *order = make_order(self, work, args, length);
    if (order == NULL) return -ENOMEM;
    int result = weft_spawn(self, &spawn, &made);
    if (result == 0) {
        result = weft_cast(self, made, WEFT_TASK_RUN, order, sizeof(*order) + length);
        if (result != 0) weft_kill(self, made);
    }
    weft_free(self, order);
    if (pid != NULL) *pid = result == 0 ? made : 0;
    return result;
}

// ---- Waiting.

int weft_task_yield(struct weft_actor *self, struct weft_promise *task, uint64_t timeout_ns,
                    struct weft_message **result)
{
    if (result != NULL) *result = NULL;
    if (task->reference == 0) return -ENOENT;
    int status = weft_await(self, task->reference, timeout_ns, result);
    if (status == -ETIMEDOUT || status == -ENOMEM) { // Ours, or what the work has returned?
        const int again = weft_await(self, task->reference, 0, result);
        if (again == -ETIMEDOUT || again == -ENOMEM) return status;
        if (again != -ENOENT) status = again; // It has come meanwhile.
    }
    task->reference = 0;
    return status;
}

// Nobody waits for it any more; what comes of it is dropped.
static void forget(struct weft_actor *self, struct weft_promise *task)
{
    weft_unlink(self, task->pid);
    weft_kill(self, task->pid);
    weft_call_cancel(self, task->reference);
    task->reference = 0;
}

int weft_task_await(struct weft_actor *self, struct weft_promise *task, uint64_t timeout_ns,
                    struct weft_message **result)
{
    const int status = weft_task_yield(self, task, timeout_ns, result);
    if (status != 0 && task->reference != 0) forget(self, task);
    return status;
}

int weft_task_shutdown(struct weft_actor *self, struct weft_promise *task, uint64_t timeout_ns,
                       struct weft_message **result)
{
    int status = weft_task_yield(self, task, 0, result);
    if (task->reference == 0) return status;
    weft_unlink(self, task->pid); // It is not to take us with it.
    weft_exit_send(self, task->pid, WEFT_EXIT_SHUTDOWN);
    status = weft_task_yield(self, task, timeout_ns, result);
    if (task->reference == 0 && status != -EPIPE) return status;
    if (task->reference != 0) forget(self, task);
    return -ECANCELED;
}
