// A server: an account that is opened with an amount, paid into, and asked.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

enum { DEPOSIT = 1, BALANCE };

static int open_account(struct weft_actor *self, void *state, const void *args, size_t length)
{
    (void)self;
    if (length != sizeof(int64_t)) return -EINVAL; // Which the start returns; nothing is left.
    memcpy(state, args, length);
    return 0;
}

static void on_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    if (call->type == BALANCE) weft_reply(self, call, BALANCE, state, sizeof(int64_t));
} // Any other is answered with -ECANCELED.

static void on_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    int64_t amount;
    (void)self;
    if (cast->type != DEPOSIT || cast->length != sizeof(amount)) return;
    memcpy(&amount, cast->payload, sizeof(amount));
    *(int64_t *)state += amount;
}

static const struct weft_server account = {WEFT_SERVER("account", int64_t), .init = open_account,
                                           .call = on_call, .cast = on_cast};

static void customer(struct weft_actor *self, void *state)
{
    const int64_t opening = 100, amount = 23;
    const struct weft_start start = {
        .server = &account, .args = &opening, .length = sizeof(opening), .name = "account"};
    struct weft_message *reply;
    weft_pid pid;
    (void)state;
    if (weft_server_start_link(self, &start, &pid) != 0) return;
    weft_cast(self, weft_whereis(self, "account"), DEPOSIT, &amount, sizeof(amount));
    if (weft_call(self, pid, BALANCE, NULL, 0, WEFT_FOREVER, &reply) == 0)
        printf("balance: %lld\n", (long long)*(const int64_t *)(const void *)reply->payload);
    weft_server_stop(self, pid, WEFT_EXIT_NORMAL, WEFT_FOREVER);
    printf("after it has ended: %s\n",
           strerror(-weft_call(self, pid, BALANCE, NULL, 0, WEFT_FOREVER, NULL)));
}

int main(void)
{
    static const struct weft_actor_kind kind = {.name = "customer", .main = customer};
    struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
    const int result =
        runtime != NULL ? weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL) : 1;
    weft_runtime_free(runtime);
    return result != 0;
}
