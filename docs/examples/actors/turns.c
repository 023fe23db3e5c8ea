// Turns: a core runs one actor at a time, and nobody interrupts it. What that asks of you.
#include <time.h>

#include <weft/weft.h>

// A long piece of work in a stackful actor: it says what it has done, and weft_reduce gives the
// core to others when the slice of 2 000 is spent.
static void add_up(struct weft_actor *self, void *state)
{
    uint64_t sum = 0;
    (void)state;
    for (uint64_t i = 1; i <= 1000000; i++) {
        sum += i;
        if (i % 64 == 0) weft_reduce(self, 64);
    }
    weft_say(self, WEFT_LEVEL_INFO, "the sum is %llu", (unsigned long long)sum);
}
static const struct weft_actor_kind adder_kind = {.name = "adder", .main = add_up};

// The same in a callback actor, which would rather have no stack: it sends itself what is left.
static void count_down(struct weft_actor *self, void *state, struct weft_message *message)
{
    uint32_t *left = state;
    (void)message;
    while (*left > 0 && !weft_is_spent(self)) {
        --*left;
        weft_reduce(self, 1);
    }
    if (*left > 0) {
        weft_send(self, weft_self(self), 0, NULL, 0); // The others first.
        return;
    }
    weft_say(self, WEFT_LEVEL_INFO, "counted down");
    weft_stop(self, WEFT_EXIT_NORMAL); // When this returns.
}
static const struct weft_actor_kind counter_kind = {
    .name = "counter", .state_bytes = sizeof(uint32_t), .handle = count_down};

// On a thread of the node's pool, where it may block. Not an actor: there is no `self` here.
static int ask_the_kernel(void *argument)
{
    const struct timespec a_while = {.tv_nsec = 5000000};
    int *answer = argument;
    nanosleep(&a_while, NULL);
    *answer = 42;
    return 0;
}

static void turns(struct weft_actor *self, int argc, char *const *argv)
{
    const uint32_t from = 10000;
    const struct weft_spawn adder = {
        .kind = &adder_kind, .label = "adder", .priority = WEFT_PRIORITY_LOW};
    const struct weft_spawn counter = {.kind = &counter_kind, .state = &from, .label = "counter"};
    weft_pid pids[2];
    int answer = 0;
    (void)argc, (void)argv;
    if (weft_spawn_link(self, &adder, &pids[0]) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    if (weft_spawn_link(self, &counter, &pids[1]) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    weft_send(self, pids[1], 0, NULL, 0);
    for (int i = 1; i >= 0; i--)
        weft_join(self, pids[i], WEFT_FOREVER, NULL);

    // The others run while this waits: files' names, getaddrinfo, a library that knows no better.
    if (weft_blocking(self, ask_the_kernel, &answer) == 0)
        weft_say(self, WEFT_LEVEL_INFO, "the kernel says %d", answer);
}
WEFT_MODULE(turns)
