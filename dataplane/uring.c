#include "dataplane/uring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REAP_BATCH = 32 };

// Asks for the flags of Linux 6.1 first, then for none.
static int make_ring(struct io_uring *ring, bool *is_deferred)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN |
                                              IORING_SETUP_TASKRUN_FLAG};
    int result = io_uring_queue_init_params(WEFT_URING_ENTRIES, ring, &params);
    *is_deferred = result == 0;
    if (result == -EINVAL) {
        params = (struct io_uring_params){0};
        result = io_uring_queue_init_params(WEFT_URING_ENTRIES, ring, &params);
    }
    if (result < 0) return result;
    // Before 5.11 a wait with a timeout costs an entry of its own: too old to care for.
    if (params.features & IORING_FEAT_EXT_ARG) return 0;
    io_uring_queue_exit(ring);
    return -ENOSYS;
}

static const char *reason(int error)
{
    switch (error) {
    case EPERM: return "refused: kernel.io_uring_disabled is set, or seccomp forbids it";
    case EACCES: return "refused by a security module";
    case ENOSYS: return "this kernel or emulator has no io_uring";
    case ENOMEM: return "no memory may be locked: raise the limit (ulimit -l)";
    case ECANCELED: return "WEFT_IO=epoll is set";
    default: return strerror(error);
    }
}

int weft_uring_probe(char *why, size_t why_bytes)
{
    const char *forced = getenv("WEFT_IO");
    struct io_uring ring;
    bool is_deferred;
    int result = -ECANCELED;
    if (!forced || strcmp(forced, "epoll") != 0) result = make_ring(&ring, &is_deferred);
    if (result == 0) io_uring_queue_exit(&ring);
    if (why && why_bytes) snprintf(why, why_bytes, "%s", result ? reason(-result) : "");
    return result;
}

int weft_uring_init(struct weft_uring *uring)
{
    memset(uring, 0, sizeof(*uring));
    return make_ring(&uring->ring, &uring->is_deferred);
}

void weft_uring_destroy(struct weft_uring *uring)
{
    io_uring_queue_exit(&uring->ring);
}

struct io_uring_sqe *weft_uring_sqe(struct weft_uring *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    if (sqe) return sqe;
    weft_uring_submit(uring);
    return io_uring_get_sqe(&uring->ring);
}

void weft_uring_sqe_set(struct io_uring_sqe *sqe, struct weft_uring_op *op)
{
    io_uring_sqe_set_data(sqe, op);
}

void weft_uring_submit(struct weft_uring *uring)
{
    if (io_uring_sq_ready(&uring->ring) == 0) return;
    uring->submit_count++;
    // A refusal (EAGAIN, EBUSY: completions first) leaves the entries where they are, for the next
    // turn.
    (void)io_uring_submit(&uring->ring);
}

uint32_t weft_uring_reap(struct weft_uring *uring)
{
    struct io_uring_cqe *cqes[REAP_BATCH];
    // Enters the kernel only if it has flagged work or an overflow (liburing, cq_ring_needs_flush).
    const uint32_t count = io_uring_peek_batch_cqe(&uring->ring, cqes, REAP_BATCH);
    for (uint32_t i = 0; i < count; i++) {
        struct weft_uring_op *op = io_uring_cqe_get_data(cqes[i]);
        const int32_t result = cqes[i]->res;
        const bool more = cqes[i]->flags & IORING_CQE_F_MORE;
        uring->flags = cqes[i]->flags;
        if (op) op->done(op, result, more);
    }
    io_uring_cq_advance(&uring->ring, count);
    uring->done_count += count;
    return count;
}

static uint32_t uring_poll(void *self, uint64_t now_ns)
{
    (void)now_ns;
    return weft_uring_reap(self);
}

static void uring_flush(void *self, uint64_t now_ns)
{
    (void)now_ns;
    weft_uring_submit(self);
}

struct weft_poller weft_uring_poller(struct weft_uring *uring)
{
    return (struct weft_poller){
        .name = "uring", .poll = uring_poll, .flush = uring_flush, .self = uring};
}
