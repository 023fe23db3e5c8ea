// child.c: one child begins and ends, whoever supervises it.
#include <errno.h>

#include <weft/link.h>
#include <weft/registry.h>

#include "runtime/otp/spec.h"

#define END_TRIES      1000 // Without memory for a signal: so often, a millisecond apart.
#define MILLISECOND_NS UINT64_C(1000000)

// ---- Begin.

static int start_server(struct weft_actor *self, const struct weft_flat_child *child,
                        const void *args, size_t length, weft_pid *pid)
{
    struct weft_start start = {
        .server = child->server,
        .args = args,
        .length = length,
        .name = child->name[0] != '\0' ? child->name : NULL,
        .timeout_ns = child->start_timeout_ns,
        .spawn = child->spawn,
    };
    start.spawn.label = child->id;
    return weft_server_start_link(self, &start, pid);
}

static int start_kind(struct weft_actor *self, const struct weft_flat_child *child,
                      const void *args, size_t length, weft_pid *pid)
{
    struct weft_spawn spawn = child->spawn;
    spawn.kind = child->kind;
    spawn.state = length > 0 ? args : child->pointer;
    spawn.label = child->id;
    int result = weft_spawn_link(self, &spawn, pid);
    if (result != 0 || child->name[0] == '\0') return result;
    result = weft_register(self, child->name, *pid);
    if (result != 0) {
        weft_unlink(self, *pid);
        weft_kill(self, *pid);
    }
    return result;
}

static int start_by_function(struct weft_actor *self, const struct weft_flat_child *child,
                             const void *args, size_t length, weft_pid *pid)
{
    int result = child->start(self, args, length, pid);
    if (result != 0) return result;
    result = weft_link(self, *pid); // If it is linked this is nothing.
    if (result == 0 && child->name[0] != '\0') result = weft_register(self, child->name, *pid);
    if (result != 0) {
        weft_unlink(self, *pid);
        weft_kill(self, *pid);
    }
    return result;
}

int weft_flat_start(struct weft_actor *self, const struct weft_flat_child *child, const void *args,
                    size_t length, weft_pid *pid)
{
    int result;
    *pid = 0;
    if (child->server != NULL)
        result = start_server(self, child, args, length, pid);
    else if (child->kind != NULL)
        result = start_kind(self, child, args, length, pid);
    else
        result = start_by_function(self, child, args, length, pid);
    if (result != 0) *pid = 0;
    return result;
}

// ---- End.

static void kill_and_wait(struct weft_actor *self, weft_pid pid)
{
    for (unsigned i = 0; i < END_TRIES; i++) {
        const int result = weft_kill(self, pid);
        if (result == -ESRCH) return;
        if (result == 0 && weft_join(self, pid, WEFT_FOREVER, NULL) == 0) return;
        weft_sleep(self, MILLISECOND_NS);
    }
    weft_say(self, WEFT_LEVEL_ERROR, "no memory to end %#llx", (unsigned long long)pid);
}

void weft_flat_end(struct weft_actor *self, const struct weft_flat_child *child, weft_pid pid)
{
    if (child->shutdown_ns != WEFT_SHUTDOWN_KILL) {
        const int told = weft_exit_send(self, pid, WEFT_EXIT_SHUTDOWN);
        if (told == -ESRCH) return;
        const int result = told == 0 ? weft_join(self, pid, child->shutdown_ns, NULL) : told;
        if (result == 0) return;
        if (result == -ETIMEDOUT)
            weft_say(self, WEFT_LEVEL_WARN, "child %s (%#llx) did not end in time: killed",
                     child->id, (unsigned long long)pid);
    }
    kill_and_wait(self, pid);
}

bool weft_flat_returns(const struct weft_flat_child *child, uint16_t reason)
{
    if (child->restart == WEFT_RESTART_TRANSIENT) return weft_exit_is_failure(reason);
    return child->restart == WEFT_RESTART_PERMANENT;
}

// The end of a linked actor takes the link with it. If there is one still, it has sent an exit
// signal in its own name: it is taken at its word.
void weft_flat_ended(struct weft_actor *self, weft_pid pid)
{
    if (weft_unlink(self, pid) == 0) kill_and_wait(self, pid);
}
