// Stages: numbers are made only when they are wanted, and printed three at a time.
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

static void make(struct weft_actor *self, void *state, uint64_t count)
{
    uint64_t *next = state;
    for (; count > 0 && *next < 5; count--) {
        ++*next;
        weft_stage_emit(self, next, sizeof(*next));
    }
}

static const struct weft_stage numbers = {WEFT_STAGE("numbers", uint64_t), .demand = make};

static int subscribe(struct weft_actor *self, void *state, const void *args, size_t length)
{
    (void)state, (void)args, (void)length;
    return weft_stage_subscribe(self, weft_whereis(self, "numbers"), 3, 1);
}

static void print(struct weft_actor *self, void *state, const void *event, size_t length)
{
    uint64_t number;
    (void)state;
    if (length != sizeof(number)) return;
    memcpy(&number, event, sizeof(number));
    printf("%llu\n", (unsigned long long)number);
    if (number == 5) weft_stop(self, WEFT_EXIT_NORMAL);
}

static const struct weft_stage printer = {WEFT_STAGE("printer", uint64_t), .init = subscribe,
                                          .event = print};

static void watcher(struct weft_actor *self, void *state)
{
    weft_pid source, sink;
    (void)state;
    const struct weft_start first = {.server = &numbers.server, .name = "numbers"};
    if (weft_server_start_link(self, &first, &source) != 0) return;
    if (weft_server_start_link(self, &(struct weft_start){.server = &printer.server}, &sink) != 0)
        return;
    weft_join(self, sink, WEFT_FOREVER, NULL);
    weft_server_stop(self, source, WEFT_EXIT_NORMAL, WEFT_FOREVER);
}

int main(void)
{
    static const struct weft_actor_kind kind = {.name = "watcher", .main = watcher};
    struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
    const int result =
        runtime != NULL ? weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL) : 1;
    weft_runtime_free(runtime);
    return result != 0;
}
