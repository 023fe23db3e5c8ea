// An agent: a counter that others change by a function.
#include <errno.h>
#include <stdio.h>

#include <weft/weft.h>

static int add(struct weft_actor *self, void *state, const void *args, void *result)
{
    uint64_t *sum = state;
    (void)self;
    if (*sum + *(const uint64_t *)args > 100) return -ERANGE; // What its caller gets.
    *sum += *(const uint64_t *)args;
    if (result != NULL) *(uint64_t *)result = *sum;
    return 0;
}

static int look(struct weft_actor *self, const void *state, const void *args, void *result)
{
    (void)self, (void)args;
    *(uint64_t *)result = *(const uint64_t *)state;
    return 0;
}

static void user(struct weft_actor *self, void *state)
{
    const uint64_t begin = 40, two = 2, much = 1000;
    const struct weft_agent how = {.state = &begin, .length = sizeof(begin)};
    uint64_t sum;
    weft_pid pid;
    (void)state;
    if (weft_agent_start_link(self, &how, &pid) != 0) return;
    if (weft_agent_get_and_update(self, pid, add, &two, 8, &sum, 8, WEFT_FOREVER) == 0)
        printf("sum: %llu\n", (unsigned long long)sum);
    weft_agent_cast(self, pid, add, &two, 8); // Some time.
    if (weft_agent_update(self, pid, add, &much, 8, WEFT_FOREVER) == -ERANGE) printf("too much\n");
    if (weft_agent_get(self, pid, look, NULL, 0, &sum, 8, WEFT_FOREVER) == 0)
        printf("sum: %llu\n", (unsigned long long)sum);
    weft_server_stop(self, pid, WEFT_EXIT_NORMAL, WEFT_FOREVER);
}

int main(void)
{
    static const struct weft_actor_kind kind = {.name = "user", .main = user};
    struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
    const int result =
        runtime != NULL ? weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL) : 1;
    weft_runtime_free(runtime);
    return result != 0;
}
