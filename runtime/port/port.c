// port.c: a port as an actor: how it is made, who may tell it what, and how it ends.
#include "runtime/port/port.h"

#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"

struct weft_port *weft_port_here(struct weft_actor_system *system, weft_pid pid)
{
    const struct weft_actor *actor = weft_actor_find(system, pid);
    const bool is_free = actor != NULL && actor->kind->slice == weft_port_slice &&
                         weft_list_empty(&actor->mailbox) &&
                         (actor->task.flags & WEFT_ACTOR_ENDING) == 0;
    return is_free ? actor->state : NULL;
}

// ---- Its beginning and its end.

static void release_blocks(struct weft_port *port)
{
    struct weft_message *const blocks[] = {port->receipt, port->notice, port->farewell};
    for (size_t i = 0; i < WEFT_COUNT_OF(blocks); i++) {
        if (blocks[i] != NULL) weft_message_release_block(weft_port_system(port), blocks[i]);
    }
    port->receipt = port->notice = port->farewell = NULL;
}

static void close_handle(struct weft_port *port)
{
    const struct weft_io *io = &port->ports->io;
    if (port->handle.number >= 0) io->close(io->self, &port->handle, port->resets);
}

static void free_port(struct weft_port *port)
{
    struct weft_ports *ports = port->ports;
    close_handle(port);
    if (port->type->release != NULL) port->type->release(port);
    weft_list_remove(&port->link);
    weft_arena_release(ports->system->arena, port, port->type->bytes);
}

static int make_actor(struct weft_port *port)
{
    struct weft_actor_system *system = weft_port_system(port);
    const struct weft_spawn spawn = {.kind = &port->type->kind, .state = port, .pinned = true};
    int result = weft_actor_spawn(system, &spawn, port->owner, &port->pid);
    if (result != 0) return result;
    struct weft_actor *actor = weft_actor_find(system, port->pid);
    result = weft_actor_monitor(actor, port->owner, &port->watch);
    if (result != 0) {
        actor->state = NULL; // It ends without having been a port.
        weft_actor_end_soon(actor, WEFT_EXIT_KILLED);
        return result;
    }
    port->actor = actor;
    return 0;
}

// So that no sum of them leaves 32 bits.
static bool options_are_possible(const struct weft_port_options *options)
{
    return options->framing <= WEFT_FRAMING_LENGTH_4 &&
           options->packet_max <= WEFT_PORT_PACKET_LIMIT &&
           options->window_bytes <= WEFT_PORT_WINDOW_LIMIT &&
           options->unsent_max <= WEFT_PORT_WINDOW_LIMIT;
}

int weft_port_make(struct weft_ports *ports, const struct weft_port_type *type, weft_pid owner,
                   const struct weft_port_options *options, struct weft_port **made)
{
    if (!options_are_possible(options)) return -EINVAL;
    struct weft_port *port = weft_arena_alloc_zeroed(ports->system->arena, type->bytes);
    if (port == NULL) return -ENOMEM;
    port->type = type;
    port->ports = ports;
    port->owner = owner;
    port->handle.number = -1;
    port->window_bytes =
        options->window_bytes != 0 ? options->window_bytes : WEFT_PORT_WINDOW_BYTES;
    port->window_count = type->window_count;
    weft_list_init(&port->turn);
    weft_list_init(&port->choke);
    weft_list_append(&ports->all, &port->link);
    int result = make_actor(port);
    if (result == 0) {
        port->receipt = weft_port_make_receipt(port);
        port->farewell = weft_message_alloc_control(ports->system);
        if (port->receipt != NULL && port->farewell != NULL) {
            weft_counter_add(&ports->stats.open_count, 1);
            *made = port;
            return 0;
        }
        result = -ENOMEM;
        port->actor->state = NULL;
        weft_actor_end_soon(port->actor, WEFT_EXIT_KILLED);
    }
    release_blocks(port);
    free_port(port);
    return result;
}

void weft_port_end(struct weft_port *port)
{
    if (port->actor == NULL) return;
    // If it can be: so who hears of its end finds it closed.
    if (port->type->is_idle(port)) close_handle(port);
    weft_actor_end_soon(port->actor, WEFT_EXIT_NORMAL);
}

void weft_port_fail(struct weft_port *port, int error)
{
    if (!port->is_closing && port->mode != WEFT_PORT_MODE_PASSIVE)
        weft_port_say_closed(port, error);
    port->is_closing = true;
    weft_counter_add(&port->ports->stats.failed_count, 1);
    weft_port_end(port);
}

void weft_port_shut(struct weft_port *port)
{
    if (port->is_closing) return;
    port->is_closing = true;
    port->mode = WEFT_PORT_MODE_PASSIVE;
    weft_port_unchoke(port);
    port->type->close(port);
}

void weft_port_settle(struct weft_port *port)
{
    if (port->actor == NULL && port->type->is_idle(port)) free_port(port);
}

void weft_port_terminate(struct weft_actor *actor, void *state, uint16_t reason)
{
    struct weft_port *port = state;
    (void)reason;
    if (actor->system->ports == NULL || port == NULL) return; // All are gone; or it never was.
    enter(actor);
    port->actor = NULL;
    port->is_closing = true;
    weft_port_unchoke(port);
    weft_list_remove(&port->turn);
    port->type->abandon(port);
    release_blocks(port);
    weft_counter_add(&port->ports->stats.closed_count, 1);
    weft_port_settle(port);
    leave(actor);
}

// ---- What is asked of it, and answered at once.

int weft_port_set_mode(struct weft_port *port, const struct weft_port_mode_args *args)
{
    if (args->mode > WEFT_PORT_MODE_ACTIVE ||
        (args->mode == WEFT_PORT_MODE_ONCE && args->count == 0))
        return -EINVAL;
    if (args->mode == WEFT_PORT_MODE_ONCE && port->notice == NULL) {
        port->notice = weft_message_alloc_control(weft_port_system(port));
        if (port->notice == NULL) return -ENOMEM;
    }
    port->mode = (uint8_t)args->mode;
    port->wanted = args->count;
    port->type->get_on(port);
    return 0;
}

int weft_port_set_owner(struct weft_port *port, weft_pid to)
{
    uint64_t watch;
    if (!weft_slot_may_be(weft_port_system(port), to)) return -ESRCH;
    if (weft_actor_monitor(port->actor, to, &watch) != 0) return -ENOMEM;
    weft_actor_demonitor(port->actor, port->watch);
    port->watch = watch;
    port->owner = to;
    weft_port_unchoke(port);
    port->type->get_on(port);
    return 0;
}

void weft_port_describe(const struct weft_port *port, struct weft_port_info *info)
{
    const struct weft_io *io = &port->ports->io;
    struct weft_io_address address;
    *info = (struct weft_port_info){.mode = port->mode,
                                    .owner = port->owner,
                                    .received_bytes = port->received_bytes,
                                    .received_count = port->received_count,
                                    .sent_bytes = port->sent_bytes,
                                    .sent_count = port->sent_count,
                                    .dropped_count = port->dropped_count,
                                    .paused_count = port->paused_count,
                                    .waited_count = port->waited_count,
                                    .window_used = port->out_bytes};
    if (port->handle.number >= 0 && io->address(io->self, &port->handle, false, &address) == 0)
        info->local = (struct weft_address){.host = address.host, .port = address.port};
    if (port->handle.number >= 0 && io->address(io->self, &port->handle, true, &address) == 0)
        info->peer = (struct weft_address){.host = address.host, .port = address.port};
    port->type->describe(port, info);
}

static bool is_for_owner(uint16_t type)
{
    return type == WEFT_PORT_CALL_MODE || type == WEFT_PORT_CALL_GIVE;
}

int weft_port_obey(struct weft_port *port, weft_pid from, uint16_t type, const void *bytes,
                   size_t length)
{
    struct weft_port_mode_args args;
    weft_pid to;
    if (is_for_owner(type) && from != port->owner) return -EPERM;
    if (type == WEFT_PORT_CALL_CLOSE) {
        weft_port_shut(port);
        return 0;
    }
    if (port->is_closing) return -EPIPE;
    if (type == WEFT_PORT_CALL_MODE && length == sizeof(args)) {
        memcpy(&args, bytes, sizeof(args));
        return weft_port_set_mode(port, &args);
    }
    if (type == WEFT_PORT_CALL_GIVE && length == sizeof(to)) {
        memcpy(&to, bytes, sizeof(to));
        return weft_port_set_owner(port, to);
    }
    return port->type->obey != NULL ? port->type->obey(port, type, bytes, length) : -EINVAL;
}

// ---- Its slice.

struct weft_message *weft_port_take_call(struct weft_list *calls, uint64_t reference)
{
    WEFT_LIST_FOR_EACH (link, calls) {
        struct weft_message *call = weft_message_of(link);
        if (call->reference != reference) continue;
        weft_list_remove(link);
        return call;
    }
    return NULL;
}

void weft_port_fail_calls(struct weft_port *port, struct weft_list *calls, int error)
{
    for (struct weft_list *link; (link = weft_list_pop(calls)) != NULL;)
        weft_call_fail(weft_port_system(port), weft_message_of(link), error);
}

void weft_port_answer(struct weft_port *port, struct weft_message *call,
                      struct weft_message *answer)
{
    struct weft_actor_system *system = weft_port_system(port);
    answer->tag = WEFT_MESSAGE_REPLY;
    answer->reference = call->reference;
    answer->to = call->from;
    answer->from = port->pid;
    call->tag = WEFT_MESSAGE_USER; // It has its answer.
    weft_message_release(system, call);
    system->sent++;
    if (port->actor != NULL) weft_note_send(port->actor, answer);
    weft_route(system, answer, false);
}

static void tell_info(struct weft_port *port, struct weft_message *call)
{
    struct weft_message *answer =
        weft_message_alloc_hidden(weft_port_system(port), sizeof(struct weft_port_info));
    if (answer == NULL) {
        weft_call_fail(weft_port_system(port), call, -ENOMEM);
        return;
    }
    weft_port_describe(port, (struct weft_port_info *)(void *)answer->payload);
    weft_port_answer(port, call, answer);
}

static void take_back(struct weft_port *port, struct weft_message *cancel)
{
    struct weft_actor_system *system = weft_port_system(port);
    uint64_t reference = 0;
    if (cancel->length == sizeof(reference)) memcpy(&reference, cancel->payload, sizeof(reference));
    struct weft_message *call = port->type->take_back(port, reference);
    if (call != NULL) weft_call_fail(system, call, -ETIMEDOUT);
    weft_call_fail(system, cancel, 0); // Behind the answer to the other one, whatever it is.
}

static void serve(struct weft_port *port, struct weft_message *call)
{
    struct weft_actor_system *system = weft_port_system(port);
    const uint16_t type = call->type;
    if (type == WEFT_PORT_CALL_INFO) {
        tell_info(port, call);
    } else if (type == WEFT_PORT_CALL_CANCEL) {
        take_back(port, call);
    } else if (type < WEFT_PORT_CALL_CANCEL || type > WEFT_PORT_CALL_LAST) {
        weft_call_fail(system, call, -EINVAL);
    } else if (type >= WEFT_PORT_CALL_AT_ONCE) {
        weft_call_fail(system, call, // An answer without an error is just that.
                       weft_port_obey(port, call->from, type, call->payload, call->length));
    } else if (port->is_closing) {
        weft_call_fail(system, call, -EPIPE);
    } else {
        port->type->serve(port, call);
    }
}

static void take(struct weft_port *port, struct weft_message *message)
{
    if (message->tag == WEFT_MESSAGE_CALL) {
        serve(port, message);
    } else if (weft_port_is_receipt(port, message)) {
        weft_port_receipt_came(port, message);
    } else {
        const bool is_alone =
            message->tag == WEFT_MESSAGE_DOWN && message->reference == port->watch;
        weft_message_release(weft_port_system(port), message);
        if (is_alone) weft_port_shut(port); // Its owner has ended.
    }
}

int weft_port_slice(struct weft_actor *actor, uint32_t *reductions)
{
    struct weft_port *port = actor->state;
    if (port == NULL) return WEFT_ACTOR_EXIT;
    for (struct weft_message *message; (message = weft_actor_receive(actor)) != NULL;) {
        take(port, message);
        *reductions -= WEFT_MESSAGE_REDUCTIONS;
        if (*reductions < WEFT_MESSAGE_REDUCTIONS) break;
    }
    port->type->get_on(port);
    return weft_list_empty(&actor->mailbox) ? WEFT_ACTOR_WAIT : WEFT_ACTOR_AGAIN;
}
