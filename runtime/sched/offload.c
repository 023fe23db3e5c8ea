#include "runtime/sched/offload.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "runtime/base/assert.h"

struct weft_offload {
    struct weft_mpsc_ring ring; // From the cores; the threads take turns as its consumer.
    pthread_mutex_t consumer;   // Among the threads alone: no core ever takes it.
    pthread_mutex_t posting;    // Nor this one, while it turns (weft_offload_quiet).
    sem_t waiting;
    _Atomic bool stop;
    uint32_t thread_count;
    pthread_t threads[];
};

static bool take(struct weft_offload *pool, struct weft_offload_work *work)
{
    struct weft_core_message message;
    pthread_mutex_lock(&pool->consumer);
    const bool found = weft_mpsc_ring_pop(&pool->ring, &message);
    pthread_mutex_unlock(&pool->consumer);
    if (!found) return false;
    work->run = (void (*)(void *))(uintptr_t)message.word[0];
    work->done = (void (*)(struct weft_core *, void *, uint64_t))(uintptr_t)message.word[1];
    work->core = (struct weft_core *)(uintptr_t)message.word[2];
    work->self = (void *)(uintptr_t)message.word[3];
    return true;
}

static bool post(struct weft_offload *pool, const struct weft_offload_work *work)
{
    pthread_mutex_lock(&pool->posting);
    const int result = weft_core_post_call(work->core, work->done, work->self, 0);
    pthread_mutex_unlock(&pool->posting);
    return result == 0;
}

static void do_work(struct weft_offload *pool, const struct weft_offload_work *work)
{
    work->run(work->self);
    // A core that takes no more posts is one whose node has stopped: then nobody waits for it.
    while (!post(pool, work) && !atomic_load_explicit(&pool->stop, memory_order_relaxed))
        sched_yield();
}

static void *serve(void *argument)
{
    struct weft_offload *pool = argument;
    struct weft_offload_work work = {0}; // For compilers that do not see that it is taken.
    pthread_setname_np(pthread_self(), "weft/pool");
    for (;;) {
        while (sem_wait(&pool->waiting) != 0) // Interrupted.
            continue;
        // Relaxed: whoever stops it joins it.
        if (atomic_load_explicit(&pool->stop, memory_order_relaxed)) return NULL;
        // One that is still being written is not found at once; its writer has posted already.
        while (!take(pool, &work) && !atomic_load_explicit(&pool->stop, memory_order_relaxed))
            sched_yield();
        if (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) do_work(pool, &work);
    }
}

struct weft_offload *weft_offload_create(uint32_t thread_count)
{
    const size_t bytes = weft_round_up(
        sizeof(struct weft_offload) + thread_count * sizeof(pthread_t), WEFT_CORE_ALIGN);
    struct weft_offload *pool = aligned_alloc(WEFT_CORE_ALIGN, bytes);
    sigset_t all, before;
    int result = 0;
    if (pool == NULL) return NULL;
    weft_mpsc_ring_init(&pool->ring);
    pthread_mutex_init(&pool->consumer, NULL);
    pthread_mutex_init(&pool->posting, NULL);
    sem_init(&pool->waiting, 0, 0);
    atomic_init(&pool->stop, false);
    pool->thread_count = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->thread_count < thread_count && result == 0) {
        result = pthread_create(&pool->threads[pool->thread_count], NULL, serve, pool);
        if (result == 0) pool->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0) return pool;
    weft_offload_free(pool);
    errno = result;
    return NULL;
}

void weft_offload_free(struct weft_offload *pool)
{
    if (pool == NULL) return;
    atomic_store_explicit(&pool->stop, true, memory_order_relaxed); // Joined below.
    for (uint32_t i = 0; i < pool->thread_count; i++)
        sem_post(&pool->waiting);
    for (uint32_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    sem_destroy(&pool->waiting);
    pthread_mutex_destroy(&pool->consumer);
    pthread_mutex_destroy(&pool->posting);
    free(pool);
}

void weft_offload_quiet(struct weft_offload *pool)
{
    pthread_mutex_lock(&pool->posting);
    pthread_mutex_unlock(&pool->posting);
}

int weft_offload_submit(struct weft_offload *pool, const struct weft_offload_work *work)
{
    const struct weft_core_message message = {.word = {(uintptr_t)work->run, (uintptr_t)work->done,
                                                       (uintptr_t)work->core,
                                                       (uintptr_t)work->self}};
    if (!weft_mpsc_ring_push(&pool->ring, &message)) return -EAGAIN;
    sem_post(&pool->waiting);
    return 0;
}
