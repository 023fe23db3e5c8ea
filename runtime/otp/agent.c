#include <weft/agent.h>

#include <errno.h>
#include <string.h>

#define ON_STACK_BYTES   256
#define RESULT_BYTES_MAX (UINT32_MAX / 4)

struct order { // The payload: one of the functions, then its arguments.
    weft_agent_look *look;
    weft_agent_change *change;
    uint64_t result_bytes;
    _Alignas(16) uint8_t args[];
};

struct agent {
    void *bytes; // The actor's.
};

// ---- In the agent.

static int init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct agent *agent = state;
    agent->bytes = weft_alloc(self, length > 0 ? length : 1);
    if (agent->bytes == NULL) return -ENOMEM;
    if (length > 0) memcpy(agent->bytes, args, length);
    return 0;
}

static int obey(struct weft_actor *self, struct agent *agent, const struct order *order,
                void *result)
{
    if (order->look != NULL) return order->look(self, agent->bytes, order->args, result);
    return order->change(self, agent->bytes, order->args, result);
}

static const struct order *order_in(const struct weft_message *message)
{
    const struct order *order = (const void *)message->payload;
    return message->type == WEFT_AGENT_DO && message->length >= sizeof(*order) ? order : NULL;
}

static void on_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    const struct order *order = order_in(call);
    _Alignas(16) uint8_t on_stack[ON_STACK_BYTES];
    if (order == NULL || order->result_bytes > RESULT_BYTES_MAX) {
        weft_reply_error(self, call, -EINVAL);
        return;
    }
    const size_t bytes = order->result_bytes;
    uint8_t *result = bytes <= sizeof(on_stack) ? on_stack : weft_alloc(self, bytes);
    if (result != NULL) memset(result, 0, bytes);
    const int status =
        result != NULL ? obey(self, state, order, bytes > 0 ? result : NULL) : -ENOMEM;
    if (status < 0)
        weft_reply_error(self, call, status);
    else
        weft_reply(self, call, WEFT_AGENT_DO, result, bytes);
    if (result != on_stack) weft_free(self, result);
}

static void on_cast(struct weft_actor *self, void *state, struct weft_message *cast)
{
    const struct order *order = order_in(cast);
    if (order != NULL && order->change != NULL) obey(self, state, order, NULL);
}

const struct weft_server weft_agent_server = {WEFT_SERVER("agent", struct agent), .init = init,
                                              .call = on_call, .cast = on_cast};

// ---- Starting.

static struct weft_start start_of(const struct weft_agent *how)
{
    return (struct weft_start){.server = &weft_agent_server,
                               .args = how->state,
                               .length = how->length,
                               .name = how->name,
                               .spawn = how->spawn};
}

int weft_agent_start(struct weft_actor *self, const struct weft_agent *how, weft_pid *agent)
{
    const struct weft_start start = start_of(how);
    return weft_server_start(self, &start, agent);
}

int weft_agent_start_link(struct weft_actor *self, const struct weft_agent *how, weft_pid *agent)
{
    const struct weft_start start = start_of(how);
    return weft_server_start_link(self, &start, agent);
}

// ---- Asking.

struct question { // An order of the caller's: on its stack, or allocated.
    struct order *order;
    _Alignas(16) uint8_t on_stack[sizeof(struct order) + ON_STACK_BYTES];
};

static bool make(struct weft_actor *self, struct question *question, const struct order *order,
                 const void *args, size_t length)
{
    question->order = length <= ON_STACK_BYTES ? (struct order *)(void *)question->on_stack
                                               : weft_alloc(self, sizeof(*order) + length);
    if (question->order == NULL) return false;
    memcpy(question->order, order, sizeof(*order));
    if (length > 0) memcpy(question->order->args, args, length);
    return true;
}

static void done(struct weft_actor *self, const struct question *question)
{
    if ((uint8_t *)question->order != question->on_stack) weft_free(self, question->order);
}

static int ask(struct weft_actor *self, weft_pid agent, const struct order *order, const void *args,
               size_t length, void *result, uint64_t timeout_ns)
{
    struct question question;
    struct weft_message *reply;
    if (!make(self, &question, order, args, length)) return -ENOMEM;
    int status = weft_call(self, agent, WEFT_AGENT_DO, question.order, sizeof(*order) + length,
                           timeout_ns, &reply);
    if (status == 0) {
        if (reply->length != order->result_bytes)
            status = -EPROTO; // That was no agent.
        else if (order->result_bytes > 0)
            memcpy(result, reply->payload, order->result_bytes);
        weft_release(self, reply);
    }
    done(self, &question);
    return status;
}

int weft_agent_get(struct weft_actor *self, weft_pid agent, weft_agent_look *look, const void *args,
                   size_t length, void *result, size_t result_bytes, uint64_t timeout_ns)
{
    const struct order order = {.look = look, .result_bytes = result_bytes};
    return ask(self, agent, &order, args, length, result, timeout_ns);
}

int weft_agent_update(struct weft_actor *self, weft_pid agent, weft_agent_change *change,
                      const void *args, size_t length, uint64_t timeout_ns)
{
    const struct order order = {.change = change};
    return ask(self, agent, &order, args, length, NULL, timeout_ns);
}

int weft_agent_get_and_update(struct weft_actor *self, weft_pid agent, weft_agent_change *change,
                              const void *args, size_t length, void *result, size_t result_bytes,
                              uint64_t timeout_ns)
{
    const struct order order = {.change = change, .result_bytes = result_bytes};
    return ask(self, agent, &order, args, length, result, timeout_ns);
}

int weft_agent_cast(struct weft_actor *self, weft_pid agent, weft_agent_change *change,
                    const void *args, size_t length)
{
    const struct order order = {.change = change};
    struct question question;
    if (!make(self, &question, &order, args, length)) return -ENOMEM;
    const int result =
        weft_cast(self, agent, WEFT_AGENT_DO, question.order, sizeof(order) + length);
    done(self, &question);
    return result;
}
