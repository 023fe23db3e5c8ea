// A state machine: a door that opens with a code, and falls shut after 10 ms.
#include <stdio.h>

#include <weft/weft.h>

enum { LOCKED, OPEN };
enum { CODE = 1, KNOCK };

static void when_locked(struct weft_actor *self, void *data, struct weft_message *event)
{
    (void)data;
    if (event->type == CODE) weft_machine_next(self, OPEN);
    if (event->type == KNOCK) weft_machine_postpone(self); // Until the state has changed.
}

static void opened(struct weft_actor *self, void *data, uint32_t from)
{
    (void)data, (void)from;
    printf("open\n");
    weft_machine_state_timeout(self, 10000000);
}

static void when_open(struct weft_actor *self, void *data, struct weft_message *event)
{
    unsigned *visitors = data;
    if (event->type == KNOCK) {
        ++*visitors;
        weft_reply(self, event, KNOCK, visitors, sizeof(*visitors));
    }
    if (event->type == WEFT_MACHINE_STATE_TIMEOUT) weft_machine_next(self, LOCKED);
}

static void shut(struct weft_actor *self, void *data, uint32_t from)
{
    (void)self, (void)data;
    if (from != WEFT_MACHINE_START) printf("shut\n");
}

static const struct weft_machine_state states[] = {
    [LOCKED] = {"locked", .enter = shut, .event = when_locked},
    [OPEN] = {"open", .enter = opened, .event = when_open},
};
static const struct weft_machine door = {WEFT_MACHINE("door", unsigned, states)};

static void visitor(struct weft_actor *self, void *state)
{
    struct weft_message *reply;
    weft_pid pid;
    (void)state;
    if (weft_server_start_link(self, &(struct weft_start){.server = &door.server}, &pid) != 0)
        return;
    const uint64_t knock = weft_call_begin(self, pid, KNOCK, NULL, 0, NULL);
    weft_cast(self, pid, CODE, NULL, 0);
    if (weft_await(self, knock, WEFT_FOREVER, &reply) == 0) printf("came in\n");
    weft_sleep(self, 100000000);
    weft_server_stop(self, pid, WEFT_EXIT_NORMAL, WEFT_FOREVER);
}

int main(void)
{
    static const struct weft_actor_kind kind = {.name = "visitor", .main = visitor};
    struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
    const int result =
        runtime != NULL ? weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL) : 1;
    weft_runtime_free(runtime);
    return result != 0;
}
