// Worker pool: jobs stand in a channel, and whoever is free takes the next one. The channel holds
// four: a maker of jobs that is faster than its workers waits, and memory does not grow.
#include <string.h>

#include <weft/weft.h>

enum { WORKERS = 3, JOBS = 30, RESULT = 1 };

struct pool { // What every worker is told. A channel is known by a pid, like an actor.
    weft_pid jobs, boss;
};

// The number of steps of Collatz from `n` to 1: something that takes a while.
static uint64_t work(struct weft_actor *self, uint64_t n)
{
    uint64_t steps = 0;
    for (; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) {
        steps++;
        // Nobody interrupts an actor: a loop that sends nothing says what it has done, and gives
        // the core to others when its slice of 2 000 is spent.
        weft_reduce(self, 1);
    }
    return steps;
}

static void worker(struct weft_actor *self, void *state)
{
    const struct pool *pool = state;
    struct weft_message *job;
    uint64_t n;
    while (weft_channel_receive(self, pool->jobs, WEFT_FOREVER, &job) == 0) {
        memcpy(&n, job->payload, sizeof(n));
        const uint64_t steps = work(self, n);
        weft_send(self, pool->boss, RESULT, &steps, sizeof(steps));
    } // -EPIPE: the channel is closed, and nothing is left in it.
}
static const struct weft_actor_kind worker_kind = {
    .name = "worker", .state_bytes = sizeof(struct pool), .main = worker};

static void boss(struct weft_actor *self, int argc, char *const *argv)
{
    struct pool pool = {.boss = weft_self(self)};
    weft_pid workers[WORKERS];
    uint64_t sum = 0, steps;
    (void)argc, (void)argv;

    if (weft_channel_new(self, 4, &pool.jobs) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    const struct weft_spawn spawn = {.kind = &worker_kind, .state = &pool};
    for (int i = 0; i < WORKERS; i++) {
        if (weft_spawn_link(self, &spawn, &workers[i]) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    }

    for (uint64_t n = 1; n <= JOBS; n++)
        weft_channel_send(self, pool.jobs, 0, &n, sizeof(n), WEFT_FOREVER);
    weft_channel_close(self, pool.jobs); // No more: each worker ends when it finds it empty.

    for (int i = 0; i < JOBS; i++) {
        const struct weft_message *result = weft_receive(self, WEFT_FOREVER);
        memcpy(&steps, result->payload, sizeof(steps));
        sum += steps;
    }
    for (int i = 0; i < WORKERS; i++)
        weft_join(self, workers[i], WEFT_FOREVER, NULL);
    weft_say(self, WEFT_LEVEL_INFO, "%d jobs, %llu steps", JOBS, (unsigned long long)sum);
}
WEFT_MODULE(boss)
