// What the admin port asks of one actor: an order for the core that it is on, and the answer.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/look.h"
#include "runtime/actor/symbol.h"
#include "runtime/node/control_actor.h"
#include "runtime/node/operator.h"

#define REPLY_EARLY_NS (100 * WEFT_NS_PER_MS) // A call gives up so long before its client does.

static const char *const tag_names[] = {"user",  "call", "cast", "port",  "reply",
                                        "timer", "down", "exit", "system"};
static const char *const edge_names[] = {"link", "watches", "watched_by", "timer",
                                         "name", "group",   "owns"};

const char *weft_control_tag_name(uint8_t tag)
{
    return tag < WEFT_COUNT_OF(tag_names) ? tag_names[tag] : "signal";
}

weft_pid weft_control_find_actor(const struct weft_control *control, const char *text)
{
    const weft_pid named = weft_actor_whereis(&control->node->actors, text);
    if (named != 0) return named;
    const bool is_short = strncmp(text, "0x", 2) == 0;
    const char *digits = is_short ? text + 2 : text;
    const size_t length = strspn(digits, "0123456789abcdefABCDEF");
    if (digits[length] != '\0' || length == 0 || length > 16 || (!is_short && length != 16))
        return 0;
    return strtoull(digits, NULL, 16);
}

int weft_control_no_actor(const struct weft_control *control, const char *text,
                          struct weft_error *error)
{
    weft_error_set(error, 801, "there is no actor '%s' on node '%s'", text,
                   control->node->options.name);
    weft_error_hint(error, "`weft actor ls` shows those that there are");
    return -1;
}

// ---- One order for one actor.

struct actor_order {
    struct weft_order order;
    struct weft_control *control;
    struct weft_admin_command *command;
    struct weft_actor_look *look; // Of SHOW.
};

static void end_order(struct actor_order *own)
{
    own->control->command_count--;
    free(own->look);
    free(own);
}

// Answers with what has gone wrong. True: it has.
static bool refuse(const struct actor_order *own)
{
    struct weft_error error = {0};
    const char *name = own->command->unit;
    switch (own->order.result) {
    case 0: return false;
    case -ESRCH: weft_control_no_actor(own->control, name, &error); break;
    case -EPERM:
        weft_error_set(&error, 804, "'%s' belongs to the node", name);
        weft_error_hint(&error, "a unit is ended by `weft unit kill`");
        break;
    case -ENOBUFS: weft_error_set(&error, 805, "the mailbox of '%s' is full", name); break;
    case -EPIPE: weft_error_set(&error, 805, "'%s' ended before it replied", name); break;
    case -ECANCELED: weft_error_set(&error, 805, "'%s' did not care to reply", name); break;
    case -EMSGSIZE:
        weft_error_set(&error, 805, "the reply of '%s' is longer than %d bytes", name,
                       WEFT_OPERATOR_REPLY_MAX);
        break;
    case -ETIMEDOUT: weft_error_set(&error, 505, "'%s' has not replied in time", name); break;
    case -ENOMEM:
        weft_error_set(&error, 203, "the core of '%s' has no memory left for this", name);
        break;
    default:
        weft_error_set(&error, 805, "'%s' answers with: %s", name, strerror(-own->order.result));
        break;
    }
    weft_admin_fail(own->command, &error);
    return true;
}

static int send_order(struct actor_order *own, struct weft_error *error)
{
    const int result = weft_order_send(&own->order, WEFT_PRIORITY_HIGH);
    own->control->command_count++;
    if (result == 0) return 0;
    if (result == -ESRCH)
        weft_control_no_actor(own->control, own->command->unit, error);
    else
        weft_error_set(error, 505, "core %u takes no orders at the moment", own->order.core);
    end_order(own);
    return -1;
}

static struct actor_order *make_order(struct weft_control *control,
                                      struct weft_admin_command *command, struct weft_error *error)
{
    const weft_pid pid = weft_control_find_actor(control, command->unit);
    if (pid == 0) {
        weft_control_no_actor(control, command->unit, error);
        return NULL;
    }
    struct actor_order *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        weft_error_set(error, 203, "no memory for the order");
        return NULL;
    }
    own->control = control;
    own->command = command;
    own->order.node = control->node;
    own->order.pid = pid;
    return own;
}

// ---- Show.

static enum weft_order_step show_step(struct weft_order *order, struct weft_node_worker *worker,
                                      struct weft_actor *actor)
{
    struct actor_order *own = WEFT_CONTAINER_OF(order, struct actor_order, order);
    (void)actor;
    order->result = weft_actor_look(&worker->actors, order->pid, own->look) ? 0 : -ESRCH;
    return WEFT_ORDER_DONE;
}

static void fill_look(const struct weft_actor_look *look, struct weft_admin_actor_look *to)
{
    weft_control_fill_actor(&look->row, &to->actor);
    to->edge_count = look->edge_count;
    to->edges_shown = look->edges_shown;
    for (uint32_t i = 0; i < look->edges_shown; i++) {
        to->edges[i].what = edge_names[look->edges[i].what];
        to->edges[i].pid = look->edges[i].pid;
        to->edges[i].due_ns = look->edges[i].due_ns;
        memcpy(to->edges[i].text, look->edges[i].text, sizeof(to->edges[i].text));
    }
    to->messages_shown = look->messages_shown;
    for (uint32_t i = 0; i < look->messages_shown; i++) {
        const uint8_t tag = look->messages[i].tag;
        to->messages[i].tag = weft_control_tag_name(tag);
        to->messages[i].type = look->messages[i].type;
        to->messages[i].length = look->messages[i].length;
        to->messages[i].from = look->messages[i].from;
    }
    to->frame_count = look->frame_count;
    for (uint32_t i = 0; i < look->frame_count; i++)
        weft_symbol_describe(look->frames[i], look->frame_count > 1, to->frames[i],
                             sizeof(to->frames[i]));
}

static void show_done(struct weft_order *order)
{
    struct actor_order *own = WEFT_CONTAINER_OF(order, struct actor_order, order);
    if (!refuse(own)) {
        struct weft_admin_actor_look look = {0};
        fill_look(own->look, &look);
        weft_admin_complete_actor(own->command, &look);
    }
    end_order(own);
}

static int show(struct weft_control *control, struct weft_admin_command *command,
                struct weft_error *error)
{
    struct actor_order *own = make_order(control, command, error);
    if (own == NULL) return -1;
    if (weft_control_refuse_held(control, own->order.pid, error) != 0) {
        free(own);
        return -1;
    }
    own->look = calloc(1, sizeof(*own->look));
    if (own->look == NULL) {
        free(own);
        return weft_error_set(error, 203, "no memory for the order");
    }
    own->order.step = show_step;
    own->order.done = show_done;
    return send_order(own, error);
}

// ---- Kill.

static enum weft_order_step kill_step(struct weft_order *order, struct weft_node_worker *worker,
                                      struct weft_actor *actor)
{
    // Units have a life in the registry and the journal, which their own commands end.
    const bool is_node = (actor->task.flags & WEFT_ACTOR_PRIVATE) != 0 || actor->kind->slice;
    order->result =
        is_node ? -EPERM : weft_actor_kill(&worker->actors, order->pid, WEFT_EXIT_KILLED);
    return WEFT_ORDER_DONE;
}

static void plain_done(struct weft_order *order)
{
    struct actor_order *own = WEFT_CONTAINER_OF(order, struct actor_order, order);
    if (!refuse(own)) {
        if (own->command->verb == WEFT_ADMIN_ACTOR_KILL)
            weft_control_event(own->control, "actor.killed", own->command->unit, "by the operator");
        weft_admin_complete(own->command);
    }
    end_order(own);
}

static int end_actor(struct weft_control *control, struct weft_admin_command *command,
                     struct weft_error *error)
{
    struct actor_order *own = make_order(control, command, error);
    if (own == NULL) return -1;
    own->order.step = kill_step;
    own->order.done = plain_done;
    weft_actor_kill_stuck(&control->node->actors, own->order.pid);
    return send_order(own, error);
}

// ---- Send.

static enum weft_order_step send_step(struct weft_order *order, struct weft_node_worker *worker,
                                      struct weft_actor *actor)
{
    const struct actor_order *own = WEFT_CONTAINER_OF(order, struct actor_order, order);
    const struct weft_admin_command *command = own->command;
    order->result = -EPERM;
    if (actor->task.flags & WEFT_ACTOR_PRIVATE) return WEFT_ORDER_DONE;
    struct weft_message *message =
        weft_message_alloc(&worker->actors, (uint32_t)command->text_length);
    order->result = -ENOMEM;
    if (message == NULL) return WEFT_ORDER_DONE;
    message->to = order->pid;
    message->tag =
        command->message.how == WEFT_ADMIN_SEND_CAST ? WEFT_MESSAGE_CAST : WEFT_MESSAGE_USER;
    message->type = command->message.type;
    memcpy(message->payload, command->text, command->text_length);
    order->result = weft_actor_send(&worker->actors, message);
    return WEFT_ORDER_DONE;
}

struct call_order {
    struct weft_operator_call call;
    struct weft_control *control;
    struct weft_admin_command *command;
};

static void call_done(struct weft_order *order)
{
    struct weft_operator_call *call = WEFT_CONTAINER_OF(order, struct weft_operator_call, order);
    struct call_order *own = WEFT_CONTAINER_OF(call, struct call_order, call);
    const struct actor_order as_order = {
        .order = *order, .control = own->control, .command = own->command};
    if (!refuse(&as_order))
        weft_admin_complete_reply(own->command, call->reply_type, call->reply, call->reply_length);
    own->control->command_count--;
    free(call->reply);
    free(own);
}

static int call(struct weft_control *control, struct weft_admin_command *command,
                struct weft_error *error)
{
    const weft_pid pid = weft_control_find_actor(control, command->unit);
    if (pid == 0) return weft_control_no_actor(control, command->unit, error);
    struct call_order *own = calloc(1, sizeof(*own));
    uint8_t *reply = malloc(WEFT_OPERATOR_REPLY_MAX);
    if (own == NULL || reply == NULL) {
        free(own);
        free(reply);
        return weft_error_set(error, 203, "no memory for the order");
    }
    const uint64_t now_ns = control->node->control.now_ns;
    const uint64_t left_ns = command->deadline_ns > now_ns ? command->deadline_ns - now_ns : 0;
    own->control = control;
    own->command = command;
    own->call = (struct weft_operator_call){
        .order = {.node = control->node,
                  .core = 1,
                  .step = weft_operator_call_step,
                  .done = call_done},
        .to = pid,
        .type = command->message.type,
        .bytes = command->text,
        .length = command->text_length,
        .timeout_ns = left_ns > 2 * REPLY_EARLY_NS ? left_ns - REPLY_EARLY_NS : left_ns / 2,
        .reply = reply};
    if (weft_order_send(&own->call.order, WEFT_PRIORITY_HIGH) == 0) {
        control->command_count++;
        return 0;
    }
    free(reply);
    free(own);
    return weft_error_set(error, 505, "core 1 takes no orders at the moment");
}

static int send(struct weft_control *control, struct weft_admin_command *command,
                struct weft_error *error)
{
    if (command->message.how == WEFT_ADMIN_SEND_CALL) return call(control, command, error);
    struct actor_order *own = make_order(control, command, error);
    if (own == NULL) return -1;
    own->order.step = send_step;
    own->order.done = plain_done;
    return send_order(own, error);
}

int weft_control_submit_actor(struct weft_control *control, struct weft_admin_command *command,
                              struct weft_error *error)
{
    switch (command->verb) {
    case WEFT_ADMIN_ACTOR_LIST: return weft_control_list_actors(control, command, error);
    case WEFT_ADMIN_ACTOR_SHOW: return show(control, command, error);
    case WEFT_ADMIN_ACTOR_KILL: return end_actor(control, command, error);
    case WEFT_ADMIN_ACTOR_SEND: return send(control, command, error);
    default: return weft_control_load_module(control, command, error);
    }
}
