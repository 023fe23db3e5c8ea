// stream.c: a window of tasks that slides over a range: the oldest is waited for, seen, and makes
// room for the next.
#include <weft/task.h>

#include <errno.h>
#include <string.h>

#define CONCURRENCY 8

struct numbered { // The arguments of one task: the same block for all, with another number.
    int (*work)(struct weft_actor *self, uint64_t number, const void *args, size_t length);
    uint64_t number;
    _Alignas(16) uint8_t args[];
};

struct slot {
    struct weft_promise task;
    uint64_t begun_ns;
};

struct window {
    const struct weft_task_stream *stream;
    struct numbered *numbered; // The caller's.
    struct slot *slots;        // The caller's; that of a number is number % concurrency.
    uint32_t concurrency;
    uint64_t next, oldest, end; // The numbers to start, and to see; behind the last.
};

static int run(struct weft_actor *self, const void *args, size_t length)
{
    const struct numbered *numbered = args;
    return numbered->work(self, numbered->number, numbered->args, length - sizeof(*numbered));
}

static struct slot *slot_of(const struct window *window, uint64_t number)
{
    return &window->slots[number % window->concurrency];
}

static int open(struct weft_actor *self, struct window *window,
                const struct weft_task_stream *stream)
{
    const uint32_t concurrency = stream->concurrency > 0 ? stream->concurrency : CONCURRENCY;
    *window = (struct window){.stream = stream,
                              .concurrency = concurrency,
                              .next = stream->first,
                              .oldest = stream->first,
                              .end = stream->first + stream->count};
    window->numbered = weft_alloc(self, sizeof(*window->numbered) + stream->length);
    window->slots = weft_alloc(self, (size_t)concurrency * sizeof(window->slots[0]));
    if (window->numbered == NULL || window->slots == NULL) return -ENOMEM;
    window->numbered->work = stream->work;
    if (stream->length > 0) memcpy(window->numbered->args, stream->args, stream->length);
    return 0;
}

static void close(struct weft_actor *self, struct window *window)
{
    for (; window->oldest != window->next; window->oldest++)
        weft_task_shutdown(self, &slot_of(window, window->oldest)->task, 0, NULL);
    weft_free(self, window->numbered);
    weft_free(self, window->slots);
}

// Starts as many as there is room for. What went wrong, if not even one is under way.
static int fill(struct weft_actor *self, struct window *window)
{
    const size_t bytes = sizeof(*window->numbered) + window->stream->length;
    while (window->next != window->end && window->next - window->oldest < window->concurrency) {
        struct slot *slot = slot_of(window, window->next);
        window->numbered->number = window->next;
        const int result = weft_task_async_nolink(self, run, window->numbered, bytes, &slot->task);
        if (result != 0) return window->next == window->oldest ? result : 0;
        slot->begun_ns = weft_now_ns(self);
        window->next++;
    }
    return 0;
}

static uint64_t left_ns(struct weft_actor *self, const struct window *window,
                        const struct slot *slot)
{
    const uint64_t used_ns = weft_now_ns(self) - slot->begun_ns;
    if (window->stream->timeout_ns == 0) return WEFT_FOREVER;
    return window->stream->timeout_ns > used_ns ? window->stream->timeout_ns - used_ns : 0;
}

// Waits for the oldest and shows it. False: that is enough.
static bool see(struct weft_actor *self, struct window *window)
{
    const struct weft_task_stream *stream = window->stream;
    const uint64_t number = window->oldest++;
    struct slot *slot = slot_of(window, number);
    struct weft_message *result = NULL;
    int status = weft_task_await(self, &slot->task, left_ns(self, window, slot), &result);
    if (status == 0) status = weft_keep(self, result); // `each` may call.
    const bool has_bytes = status == 0;
    const bool goes_on =
        stream->each(self, stream->context, number, status, has_bytes ? result->payload : NULL,
                     has_bytes ? result->length : 0);
    if (has_bytes) weft_release(self, result);
    return goes_on;
}

int weft_task_stream(struct weft_actor *self, const struct weft_task_stream *stream)
{
    struct window window;
    int result = open(self, &window, stream);
    while (result == 0 && window.oldest != window.end) {
        result = fill(self, &window);
        if (result == 0 && !see(self, &window)) result = -ECANCELED;
    }
    close(self, &window);
    return result;
}
