// agent.h: a state that others look at and change by functions (Elixir's Agent).
//
//     static int add(struct weft_actor *self, void *state, const void *args, void *result)
//     {
//         *(uint64_t *)result = *(uint64_t *)state += *(const uint64_t *)args;
//         return 0;
//     }
//     weft_agent_start_link(self, &(struct weft_agent){.state = &zero, .length = 8}, &pid);
//     weft_agent_get_and_update(self, pid, add, &three, 8, &sum, 8, WEFT_FOREVER);
//
// The functions run in the agent, one after the other, in the order in which they were sent.
// `args` and `result` are 16-byte aligned; a result is zeroed, of as many bytes as its caller has
// room for. What a function returns, 0 or a negative errno, is what its caller gets.
//
// Messages: DO, a CALL or CAST. Functions go by their address: within a node only.
// Errors: 0 or a negative errno: those of weft_call, and what the function has returned.
#ifndef WEFT_AGENT_H
#define WEFT_AGENT_H

#include <weft/server.h>

enum { WEFT_AGENT_DO = 0xff40 };

typedef int weft_agent_look(struct weft_actor *self, const void *state, const void *args,
                            void *result);
typedef int weft_agent_change(struct weft_actor *self, void *state, const void *args, void *result);

struct weft_agent {
    const void *state; // Copied.
    size_t length;     // Of the state, which keeps it.
    const char *name;
    struct weft_spawn spawn; // As weft_start.
};

// 0 and *agent; as weft_server_start.
int weft_agent_start(struct weft_actor *self, const struct weft_agent *how, weft_pid *agent);
int weft_agent_start_link(struct weft_actor *self, const struct weft_agent *how, weft_pid *agent);
// For a child of a supervisor: .server = &weft_agent_server, its state as .args.
extern const struct weft_server weft_agent_server;

// What `look` says of the state.
int weft_agent_get(struct weft_actor *self, weft_pid agent, weft_agent_look *look, const void *args,
                   size_t length, void *result, size_t result_bytes, uint64_t timeout_ns);
// Changes the state, and waits until it is changed; `result` of the function is NULL.
int weft_agent_update(struct weft_actor *self, weft_pid agent, weft_agent_change *change,
                      const void *args, size_t length, uint64_t timeout_ns);
// Changes it and says something of it.
int weft_agent_get_and_update(struct weft_actor *self, weft_pid agent, weft_agent_change *change,
                              const void *args, size_t length, void *result, size_t result_bytes,
                              uint64_t timeout_ns);
// Changes it some time. As weft_cast.
int weft_agent_cast(struct weft_actor *self, weft_pid agent, weft_agent_change *change,
                    const void *args, size_t length);

#endif // WEFT_AGENT_H
