// Tasks: one that is waited for, and the squares of a range, four at a time.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

static int count_letters(struct weft_actor *self, const void *args, size_t length)
{
    uint64_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((const char *)args)[i] != ' ';
    return weft_task_result(self, &count, sizeof(count));
}

static int square(struct weft_actor *self, uint64_t number, const void *args, size_t length)
{
    (void)args, (void)length;
    if (number == 3) weft_exit(self, WEFT_EXIT_FAULT); // Its own end and nobody else's.
    const uint64_t result = number * number;
    return weft_task_result(self, &result, sizeof(result));
}

static bool print(struct weft_actor *self, void *context, uint64_t number, int result,
                  const void *bytes, size_t length)
{
    uint64_t value = 0;
    (void)self, (void)context;
    if (result == 0 && length == sizeof(value)) memcpy(&value, bytes, sizeof(value));
    if (result == 0)
        printf("%llu: %llu\n", (unsigned long long)number, (unsigned long long)value);
    else
        printf("%llu: %s\n", (unsigned long long)number, strerror(-result));
    return true; // The next one, please.
}

static void starter(struct weft_actor *self, void *state)
{
    static const struct weft_task_stream squares = {
        .first = 1, .count = 5, .concurrency = 4, .work = square, .each = print};
    struct weft_promise promise;
    struct weft_message *result;
    (void)state;
    if (weft_task_async(self, count_letters, "four and four", 13, &promise) != 0) return;
    // Here would stand what is done meanwhile.
    if (weft_task_await(self, &promise, WEFT_FOREVER, &result) == 0)
        printf("letters: %llu\n", (unsigned long long)*(const uint64_t *)(void *)result->payload);
    weft_task_stream(self, &squares);
}

int main(void)
{
    static const struct weft_actor_kind kind = {.name = "starter", .main = starter};
    struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
    const int result =
        runtime != NULL ? weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL) : 1;
    weft_runtime_free(runtime);
    return result != 0;
}
