// task.h: work that somebody waits for (Elixir's Task): a function in an actor of its own, and its
// result as bytes.
//
//     static int square(struct weft_actor *self, const void *args, size_t length)
//     {
//         const uint64_t number = *(const uint64_t *)args, result = number * number;
//         return weft_task_result(self, &result, sizeof(result));
//     }
//     struct weft_promise task;
//     weft_task_async(self, square, &number, sizeof(number), &task);
//     …
//     weft_task_await(self, &task, WEFT_FOREVER, &result);
//
// A task is a call that an actor of its own answers: so no monitor is needed, and what has become
// of it is found in constant time, however many are under way. It has no stack unless it waits.
//
// Messages: RUN, a CALL (or CAST) from who starts it.
// Core:   any; a task begins on its starter's, and may be moved.
// Errors: 0 or a negative errno.
#ifndef WEFT_TASK_H
#define WEFT_TASK_H

#include <weft/actor.h>
#include <weft/message.h>

enum { WEFT_TASK_RUN = 0xff30 };

// The work, in the task's actor, which may do whatever actors do. `args` are a copy, 16-byte
// aligned and the work's until it returns. 0; a negative errno: that is what its awaiter gets,
// unless there is a result already. The task ends when this returns.
typedef int weft_task_work(struct weft_actor *self, const void *args, size_t length);

// In a task, once: the result. Its awaiter goes on; the work may do so too, without `args`. 0;
// -EALREADY: it has said so before; -ENOMEM: its awaiter gets that. Nobody waits for it: 0.
int weft_task_result(struct weft_actor *self, const void *bytes, size_t length);

struct weft_promise { // What a task owes to who started it.
    weft_pid pid;
    uint64_t reference; // 0: it is over.
};

// Starts one that is linked to the caller until it has a result: they crash together. 0; -ENOMEM,
// -ENOSPC.
int weft_task_async(struct weft_actor *self, weft_task_work *work, const void *args, size_t length,
                    struct weft_promise *task);
// Starts one that is not: its crash is its awaiter's error and nothing more.
int weft_task_async_nolink(struct weft_actor *self, weft_task_work *work, const void *args,
                           size_t length, struct weft_promise *task);
// Starts one that nobody waits for. *pid may be NULL.
int weft_task_start(struct weft_actor *self, weft_task_work *work, const void *args, size_t length,
                    weft_pid *pid);

// Waits for the result. Each of these ends the task for its starter, but where it says so:
//   0           *result (may be NULL) has it, until the next call or weft_release
//   -EPIPE      it has ended without           any other: what the work has returned
//   -ETIMEDOUT  not in time: it is killed      -ENOENT    it is over already
int weft_task_await(struct weft_actor *self, struct weft_promise *task, uint64_t timeout_ns,
                    struct weft_message **result);
// The same, but after -ETIMEDOUT it goes on, and may be waited for again. 0: only looks.
int weft_task_yield(struct weft_actor *self, struct weft_promise *task, uint64_t timeout_ns,
                    struct weft_message **result);
// Ends it: takes a result that has come; else tells it to end (SHUTDOWN), waits so long, kills it.
// As weft_task_await; -ECANCELED: it had to be ended.
int weft_task_shutdown(struct weft_actor *self, struct weft_promise *task, uint64_t timeout_ns,
                       struct weft_message **result);

// ---- A range of tasks, some at a time, and their results in order.

struct weft_task_stream {
    uint64_t first, count;
    uint32_t concurrency; // So many at a time, counted from the oldest not seen yet; 0: 8.
    uint64_t timeout_ns;  // Of each; 0: none.
    // The work for one of them; as weft_task_work. `args` are the same for all.
    int (*work)(struct weft_actor *self, uint64_t number, const void *args, size_t length);
    const void *args;
    size_t length;
    // Called in the caller, for each number in order: 0 and the bytes, or what weft_task_await
    // says. False: that is enough; the others are ended. It may wait and call.
    bool (*each)(struct weft_actor *self, void *context, uint64_t number, int result,
                 const void *bytes, size_t length);
    void *context;
};

// 0: each has been seen; -ECANCELED: `each` has had enough; -ENOMEM, -ENOSPC: not even one task can
// be started, and the others were seen. None of them is linked.
int weft_task_stream(struct weft_actor *self, const struct weft_task_stream *stream);

#endif // WEFT_TASK_H
