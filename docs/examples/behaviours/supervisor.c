// Supervisors: a store, a front that needs it, and a pool of workers of one sort.
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

static int begin(struct weft_actor *self, void *state, const void *args, size_t length)
{
    char name[16] = "";
    (void)state;
    memcpy(name, args, length < sizeof(name) ? length : sizeof(name) - 1);
    printf("%s begins\n", name[0] != '\0' ? name : weft_label(self));
    return 0;
}

static void on_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    (void)state, (void)cast;
    weft_exit(self, WEFT_EXIT_FAULT); // Whatever it is told, it takes it badly.
}

static const struct weft_server part = {WEFT_SERVER("part", uint64_t), .init = begin,
                                        .cast = on_cast};

static const struct weft_dynamic_spec pool = {
    .child = {.id = "worker", .server = &part, .restart = WEFT_RESTART_TEMPORARY},
    .child_max = 1000,
};
static const struct weft_child children[] = {
    {.id = "store", .server = &part, .name = "store"},
    {.id = "front", .server = &part},
    {.id = "pool", .dynamic = &pool, .name = "pool"},
};
static const struct weft_supervisor_spec tree = {
    .strategy = WEFT_REST_FOR_ONE, // Who comes after the store needs it.
    .children = children,
    .child_count = 3,
    .restart_max = 5,
    .period_ns = 10000000000,
};

static void show(struct weft_actor *self, weft_pid supervisor)
{
    struct weft_child_info infos[3];
    size_t count;
    if (weft_supervisor_children(self, supervisor, infos, 3, &count) != 0) return;
    for (size_t i = 0; i < count; i++)
        printf("  %s: %s, restarted %llu times\n", infos[i].id, infos[i].pid != 0 ? "runs" : "no",
               (unsigned long long)infos[i].restart_count);
}

static void operator(struct weft_actor *self, void *state)
{
    weft_pid top, worker;
    (void)state;
    if (weft_supervisor_start_link(self, &tree, &top) != 0) return;
    weft_dynamic_start_child(self, weft_whereis(self, "pool"), "worker 1", 8, &worker);
    weft_cast(self, weft_whereis(self, "store"), 1, NULL, 0);
    weft_sleep(self, 10000000);
    show(self, top);
    weft_server_stop(self, top, WEFT_EXIT_NORMAL, WEFT_FOREVER); // Ends all, the last one first.
}

int main(void)
{
    static const struct weft_actor_kind kind = {.name = "operator", .main = operator};
    struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
    const int result =
        runtime != NULL ? weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL) : 1;
    weft_runtime_free(runtime);
    return result != 0;
}
