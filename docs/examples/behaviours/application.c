// Two applications: a shop needs a bank, has arguments and settings, and a tree.
#include <stdio.h>

#include <weft/weft.h>

static int sell(struct weft_actor *self, void *state, const void *args, size_t length)
{
    (void)self, (void)state;
    printf("sells %.*s\n", (int)length, (const char *)args);
    return 0;
}

static const struct weft_server seller = {WEFT_SERVER("seller", uint64_t), .init = sell};

static int open_bank(struct weft_actor *self, const struct weft_application_args *args,
                     weft_pid *top)
{
    (void)self, (void)args, (void)top; // It has no tree.
    printf("the bank is open\n");
    return 0;
}

static int open_shop(struct weft_actor *self, const struct weft_application_args *args,
                     weft_pid *top)
{
    if (args->argc < 1) return -1;
    const struct weft_child child = {
        .id = "seller", .server = &seller, .args = args->argv[0], .length = 6};
    const struct weft_supervisor_spec tree = {.children = &child, .child_count = 1};
    printf("the shop is open, in %s\n", weft_application_setting(args, "town"));
    return weft_supervisor_start_link(self, &tree, top);
}

static void close_shop(struct weft_actor *self, const struct weft_application_args *args)
{
    (void)self;
    printf("the %s is closed\n", args->application->name);
}

static const struct weft_application bank = {
    .name = "bank", .start = open_bank, .stop = close_shop};
static const struct weft_application *const needs[] = {&bank, NULL};
static const struct weft_application shop = {
    .name = "shop", .start = open_shop, .stop = close_shop, .needs = needs};

static void town(struct weft_actor *self, void *state)
{
    static char *const argv[] = {"apples"};
    static const char *const env[] = {"town=Ulm", NULL};
    weft_pid master;
    (void)state;
    if (weft_application_start(self, &shop, 1, argv, env, &master) != 0) return;
    weft_application_stop(self, "shop", WEFT_FOREVER);
    weft_application_stop(self, "bank", WEFT_FOREVER);
}

int main(void)
{
    static const struct weft_actor_kind kind = {.name = "town", .main = town};
    struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
    const int result =
        runtime != NULL ? weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL) : 1;
    weft_runtime_free(runtime);
    return result != 0;
}
