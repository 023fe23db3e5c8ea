// report.c: what is left behind when the process ends by a fault: who crashed and where, every
// actor, what the cores did last. In a handler: it formats by itself, writes by write(2), and takes
// nothing.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/actor/crash.h"
#include "runtime/actor/internal.h"
#include "runtime/actor/symbol.h"
#include "runtime/base/units.h"

struct out { // A few lines on their way to one or two descriptors.
    int fds[2];
    size_t used;
    char text[2048];
    uint32_t address_count;
    uintptr_t addresses[512]; // Of functions, the first that came up.
};

static void flush(struct out *out)
{
    for (size_t i = 0; i < 2; i++) {
        size_t done = 0;
        while (out->fds[i] >= 0 && done < out->used) {
            const ssize_t put = write(out->fds[i], out->text + done, out->used - done);
            if (put <= 0) break;
            done += (size_t)put;
        }
    }
    out->used = 0;
}

static void put(struct out *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (out->used == sizeof(out->text)) flush(out);
        out->text[out->used++] = *text;
    }
}

static void put_number(struct out *out, uint64_t number, unsigned base)
{
    char digits[24];
    size_t at = sizeof(digits);
    digits[--at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    if (base == 16) put(out, "0x");
    put(out, digits + at);
}

static void note_address(struct out *out, uintptr_t address)
{
    for (uint32_t i = 0; i < out->address_count; i++) {
        if (out->addresses[i] == address) return;
    }
    if (out->address_count < WEFT_COUNT_OF(out->addresses))
        out->addresses[out->address_count++] = address;
}

static void put_pair(struct out *out, const char *name, uint64_t number, unsigned base)
{
    put(out, name);
    put_number(out, number, base);
}

static void put_frames(struct out *out, const uintptr_t *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_pair(out, i == 0 ? " at " : " < ", frames[i], 16);
        note_address(out, frames[i]);
    }
    put(out, "\n");
}

// What the addresses are called. Last of all: it reads files and asks the loader, which may hang if
// that is what has crashed; then the alarm ends it.
static void put_names(struct out *out)
{
    char text[192];
    put(out, "\nfunctions:\n");
    for (uint32_t i = 0; i < out->address_count; i++) {
        weft_symbol_describe(out->addresses[i], false, text, sizeof(text));
        put_pair(out, "  ", out->addresses[i], 16);
        put(out, " ");
        put(out, text);
        put(out, "\n");
        flush(out);
    }
}

static void put_head(struct out *out, const struct weft_actor_node *node,
                     const struct weft_actor_system *system, const struct weft_crash *crash)
{
    put(out, "\nweft: node ");
    put(out, node->name);
    put_pair(out, ": signal ", (uint64_t)crash->signal, 10);
    put_pair(out, " at address ", crash->address, 16);
    put_pair(out, ", core ", crash->core, 10);
    if (system != NULL && crash->pid != 0) {
        put(out, system->in_user ? ", in the code of " : ", in the runtime, for ");
        put(out, crash->label);
        put_pair(out, " (", crash->pid, 16);
        put(out, ")");
    }
    put(out, "\n ");
    put_frames(out, crash->frames, crash->frame_count);
}

// Where a parked actor stands. Its stack is whole: it does not run.
uint32_t weft_crash_parked(const struct weft_actor *actor, uintptr_t *frames, uint32_t limit)
{
    const uintptr_t *saved = actor->fiber.sp;
    if ((actor->task.flags & WEFT_ACTOR_PARKED) == 0 || actor->system->running == actor ||
        (actor->task.flags & WEFT_ACTOR_EVICTED) != 0 || saved == NULL)
        return 0;
#if defined(__x86_64__)
    const struct weft_registers at = {.pc = saved[0], .sp = (uintptr_t)saved, .fp = saved[1]};
#else
    const struct weft_registers at = {.pc = saved[1], .sp = (uintptr_t)saved, .fp = saved[0]};
#endif
    return weft_crash_walk(&at, weft_stack_range_of(actor->stack), frames, limit);
}

static void put_parked(struct out *out, const struct weft_actor *actor)
{
    uintptr_t frames[8];
    const uint32_t count = weft_crash_parked(actor, frames, 8);
    if (count > 0)
        put_frames(out, frames, count);
    else
        put(out, " asleep\n");
}

static void put_actor(struct weft_actor *actor, void *argument)
{
    struct out *out = argument;
    put_pair(out, "  ", actor->pid, 16);
    put(out, " ");
    put(out, weft_actor_label(actor));
    put_pair(out, " mailbox ", actor->mailbox_count, 10);
    put_pair(out, " links ", actor->edge_count, 10);
    put_pair(out, " reductions ", actor->reduction_count, 10);
    if (actor->system->running == actor)
        put(out, " running\n");
    else if (actor->task.flags & WEFT_ACTOR_PARKED)
        put_parked(out, actor);
    else
        put(out, actor->task.queued ? " ready\n" : " waiting\n");
}

static void put_trace(struct out *out, const struct weft_trace_ring *ring)
{
    struct weft_trace_record record;
    uint64_t place = weft_trace_tail(ring, UINT64_MAX), missed = 0;
    const uint64_t end = weft_trace_end(ring); // Other cores turn still.
    while (place < end && weft_trace_read(ring, &place, &record, &missed)) {
        const char *value = weft_trace_value_name(record.event);
        put_pair(out, "  ", record.time_ns / WEFT_NS_PER_US, 10);
        put(out, " us ");
        put(out, weft_trace_name(record.event));
        put_pair(out, " ", record.pid, 16);
        if (record.peer != 0) put_pair(out, " ", record.peer, 16);
        if (value[0] != '\0') {
            put(out, " ");
            put(out, value);
            put_pair(out, " ", record.value, 10);
        }
        put(out, "\n");
    }
}

static int open_report(const struct weft_actor_node *node)
{
    if (node->crash_path == NULL) return -1; // Of two threads that crash, the first writes it.
    return open(node->crash_path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
}

// Whatever is broken, it ends: though the program handles SIGALRM, or blocks it, as this handler
// does. One that waits already is dropped first, or the report would end before it begins.
static void end_in(unsigned seconds)
{
    const struct sigaction dropped = {.sa_handler = SIG_IGN}, plain = {.sa_handler = SIG_DFL};
    sigset_t alarms;
    alarm(0);
    sigaction(SIGALRM, &dropped, NULL);
    sigaction(SIGALRM, &plain, NULL);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(seconds);
}

void weft_crash_report(struct weft_actor_node *node, const struct weft_actor_system *system,
                       const struct weft_crash *crash)
{
    struct out out = {.fds = {STDERR_FILENO, open_report(node)}};
    end_in(10);
    put_head(&out, node, system, crash);
    put_names(&out); // The crash's own, at once.
    if (out.fds[1] < 0) return;
    out.fds[0] = -1;
    for (uint64_t mask = node->core_mask; mask != 0; mask &= mask - 1) {
        struct weft_actor_system *other = node->systems[__builtin_ctzll(mask)];
        put_pair(&out, "\ncore ", other->index, 10);
        put_pair(&out, ": actors ", weft_actor_count(&other->stats), 10);
        put(&out, "\n");
        weft_actor_each(other, put_actor, &out);
        if (other->tracer == NULL) continue;
        put_pair(&out, "\nwhat core ", other->index, 10);
        put(&out, " did, the last at the end:\n");
        put_trace(&out, &other->tracer->flight);
    }
    flush(&out);
    put_names(&out);
    fsync(out.fds[1]);
}
