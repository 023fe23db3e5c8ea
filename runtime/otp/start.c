// start.c: a server begins: an actor is made, gets its name, and is told its arguments in a call;
// the answer says what its `init` has said.
#include <weft/server.h>

#include <errno.h>

#include <weft/link.h>
#include <weft/registry.h>

static struct weft_spawn spawn_of(const struct weft_start *start)
{
    struct weft_spawn spawn = start->spawn;
    spawn.kind = &start->server->kind;
    spawn.state = NULL;
    if (spawn.label == NULL) spawn.label = start->name;
    return spawn;
}

// Tells the newborn to begin. What it says.
static int tell(struct weft_actor *self, const struct weft_start *start, weft_pid pid)
{
    const uint64_t timeout_ns = start->timeout_ns != 0 ? start->timeout_ns : WEFT_FOREVER;
    struct weft_message *reply;
    const int result =
        weft_call(self, pid, WEFT_SERVER_START, start->args, start->length, timeout_ns, &reply);
    if (result == -ENOBUFS) return -ENOMEM; // Nobody else writes to it yet: its memory_max.
    if (result != 0) return result;
    const bool serves = reply->type == WEFT_SERVER_START;
    weft_release(self, reply);
    return serves ? 0 : WEFT_SERVER_IGNORE;
}

// *pid is what the start gives back.
static int begin(struct weft_actor *self, const struct weft_start *start, weft_pid *pid)
{
    if (start->name != NULL) {
        const int result = weft_register(self, start->name, *pid);
        if (result != 0) return result;
    }
    return tell(self, start, *pid);
}

// Nothing is left of one that did not start: whoever watched it has let go of it before.
static void unmake(struct weft_actor *self, const struct weft_start *start, weft_pid *pid,
                   int result)
{
    const weft_pid holder =
        result == -EEXIST && start->name != NULL ? weft_whereis(self, start->name) : 0;
    weft_kill(self, *pid);
    *pid = holder != *pid ? holder : 0;
}

static int none(weft_pid *pid, int result)
{
    *pid = 0;
    return result;
}

int weft_server_start(struct weft_actor *self, const struct weft_start *start, weft_pid *pid)
{
    const struct weft_spawn spawn = spawn_of(start);
    int result = weft_spawn(self, &spawn, pid);
    if (result != 0) return none(pid, result);
    result = begin(self, start, pid);
    if (result != 0) unmake(self, start, pid, result);
    return result;
}

int weft_server_start_link(struct weft_actor *self, const struct weft_start *start, weft_pid *pid)
{
    const struct weft_spawn spawn = spawn_of(start);
    int result = weft_spawn_link(self, &spawn, pid);
    if (result != 0) return none(pid, result);
    result = begin(self, start, pid);
    if (result != 0) {
        weft_unlink(self, *pid);
        unmake(self, start, pid, result);
    }
    return result;
}

int weft_server_start_monitor(struct weft_actor *self, const struct weft_start *start,
                              weft_pid *pid, uint64_t *reference)
{
    const struct weft_spawn spawn = spawn_of(start);
    int result = weft_spawn_monitor(self, &spawn, pid, reference);
    if (result != 0) return none(pid, result);
    result = begin(self, start, pid);
    if (result != 0) {
        weft_demonitor(self, *reference);
        unmake(self, start, pid, result);
    }
    return result;
}

int weft_server_stop(struct weft_actor *self, weft_pid server, uint16_t reason, uint64_t timeout_ns)
{
    if (server == weft_self(self)) {
        weft_stop(self, reason);
        return 0;
    }
    const int result = weft_cast(self, server, WEFT_SERVER_STOP, &reason, sizeof(reason));
    return result == 0 ? weft_join(self, server, timeout_ns, NULL) : result;
}
