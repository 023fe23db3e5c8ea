// spec.h: what children are, as one block of bytes: so that a whole tree goes in a message, and
// whoever keeps it needs nothing of whoever wrote it.
#ifndef WEFT_OTP_SPEC_H
#define WEFT_OTP_SPEC_H

#include <weft/supervisor.h>

#define WEFT_NAME_BYTES 64

struct weft_flat_child {
    uint32_t bytes;  // With the arguments behind it, in steps of 16.
    uint32_t length; // Of the arguments.
    char id[WEFT_CHILD_ID_MAX + 1];
    char name[WEFT_NAME_BYTES];         // "": none.
    const struct weft_server *server;   // Or
    const struct weft_actor_kind *kind; // or
    int (*start)(struct weft_actor *self, const void *args, size_t length, weft_pid *pid);
    const void *pointer; // The argument itself, of a kind without state bytes.
    struct weft_spawn spawn;
    uint64_t start_timeout_ns;
    uint64_t shutdown_ns; // WEFT_SHUTDOWN_KILL, WEFT_FOREVER, or so long.
    uint8_t restart;
    bool significant, is_supervisor;
    _Alignas(16) uint8_t args[];
};

struct weft_flat_supervisor { // Its children stand behind it, one after the other.
    uint32_t child_count;
    uint32_t restart_max;
    uint64_t period_ns;
    uint8_t strategy, auto_shutdown;
    bool quiet;
    _Alignas(16) uint8_t children[];
};

struct weft_flat_dynamic {
    uint32_t child_max;
    uint32_t restart_max;
    uint64_t period_ns;
    bool quiet;
    struct weft_flat_child child;
};

// Each makes a block of the caller's (weft_free). 0; -EINVAL: not well said; -ENOMEM.
int weft_flatten_child(struct weft_actor *self, const struct weft_child *child, void **flat,
                       size_t *bytes);
int weft_flatten_supervisor(struct weft_actor *self, const struct weft_supervisor_spec *spec,
                            void **flat, size_t *bytes);
int weft_flatten_dynamic(struct weft_actor *self, const struct weft_dynamic_spec *spec, void **flat,
                         size_t *bytes);

// What the two sorts of supervisors are.
extern const struct weft_server weft_supervisor_server;
extern const struct weft_server weft_dynamic_server;

// ---- child.c: one child, of either sort of supervisor.

// Starts one with `args` in place of its own. As weft_server_start_link: linked, registered.
int weft_flat_start(struct weft_actor *self, const struct weft_flat_child *child, const void *args,
                    size_t length, weft_pid *pid);
// Ends one: tells it, waits as long as it may take, kills it. Returns when it has ended.
void weft_flat_end(struct weft_actor *self, const struct weft_flat_child *child, weft_pid pid);
// True if a child that has ended so is to be started again.
bool weft_flat_returns(const struct weft_flat_child *child, uint16_t reason);
// An EXIT of `pid` has come: sees to it that it has ended, if somebody only said so.
void weft_flat_ended(struct weft_actor *self, weft_pid pid);

#endif // WEFT_OTP_SPEC_H
