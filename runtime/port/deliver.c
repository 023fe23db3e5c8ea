// deliver.c: from a port to its owner: never more than the owner takes.
//
// Two brakes. The window bounds what the owner has not received of this port, whatever core it is
// on: nothing is ever dropped because of it. One receipt travels at a time, with the message that
// fills half of the window, and settles all that had been sent when it left (runtime/actor:
// mailbox.c); so while none travels, less than half is out, and one may always be sent. The other
// brake is the owner's mailbox at its limit, for the sake of an owner of many ports.
#include <string.h>

#include "runtime/actor/internal.h"
#include "runtime/port/port.h"

enum { RECEIPT = 0xfd00 }; // `type` of the receipt, a message of tag SYSTEM.

static bool has_window(const struct weft_port *port)
{
    return port->receipt != NULL ||
           (port->out_bytes < port->window_bytes && port->out_count < port->window_count);
}

static void choke(struct weft_port *port)
{
    port->is_choked = true;
    weft_list_append(&port->ports->choked, &port->choke);
}

void weft_port_unchoke(struct weft_port *port)
{
    if (!port->is_choked) return;
    port->is_choked = false;
    weft_list_remove(&port->choke);
}

bool weft_port_may_deliver(struct weft_port *port)
{
    if (port->mode == WEFT_PORT_MODE_PASSIVE || port->is_closing) return false;
    const bool has_room = has_window(port);
    if (has_room && !port->is_choked) {
        if (!weft_mute_watch(weft_port_system(port), port->owner)) return true;
        choke(port);
    }
    if (port->is_stopped_short) return false;
    port->is_stopped_short = true;
    port->paused_count++;
    weft_counter_add(&port->ports->stats.paused_count, 1);
    return false;
}

// From another core, or in the handler of one that is stuck: only makes them ready.
void weft_ports_relieved(struct weft_actor_system *system, weft_pid receiver)
{
    WEFT_LIST_FOR_EACH (link, &system->ports->choked) {
        struct weft_port *port = WEFT_CONTAINER_OF(link, struct weft_port, choke);
        if (port->owner != receiver) continue;
        weft_port_unchoke(port);
        weft_actor_wake(port->actor);
    }
}

struct weft_message *weft_port_message(struct weft_port *port, uint16_t type, uint32_t length)
{
    struct weft_message *message = weft_message_alloc(weft_port_system(port), length);
    if (message != NULL) message->type = type;
    return message;
}

static void send(struct weft_port *port, struct weft_message *message)
{
    struct weft_actor_system *system = weft_port_system(port);
    message->to = port->owner;
    message->from = port->pid;
    message->tag = WEFT_MESSAGE_PORT;
    system->sent++;
    if (port->actor != NULL) weft_note_send(port->actor, message);
    weft_route(system, message, true); // Never refused; what it says of the mailbox is asked again.
}

static void count_once(struct weft_port *port)
{
    if (port->mode != WEFT_PORT_MODE_ONCE || --port->wanted > 0) return;
    struct weft_message *notice = port->notice;
    port->mode = WEFT_PORT_MODE_PASSIVE;
    port->notice = NULL;
    notice->type = WEFT_PORT_PASSIVE;
    send(port, notice);
}

void weft_port_deliver(struct weft_port *port, struct weft_message *message)
{
    const bool is_end = message->type == WEFT_PORT_END;
    port->is_stopped_short = false;
    port->out_bytes += message->length;
    port->out_count++;
    if (port->receipt != NULL &&
        (port->out_bytes >= port->window_bytes / 2 || port->out_count >= port->window_count / 2)) {
        message->reference = (uintptr_t)port->receipt;
        port->receipt = NULL;
        port->receipt_bytes = port->out_bytes;
        port->receipt_count = port->out_count;
    }
    send(port, message);
    if (!is_end) count_once(port);
}

void weft_port_receipt_came(struct weft_port *port, struct weft_message *receipt)
{
    port->receipt = receipt;
    port->out_bytes -= port->receipt_bytes;
    port->out_count -= port->receipt_count;
}

void weft_port_say_closed(struct weft_port *port, int error)
{
    struct weft_message *farewell = port->farewell;
    const int32_t status = error;
    if (farewell == NULL) return;
    port->farewell = NULL;
    farewell->type = WEFT_PORT_CLOSED;
    farewell->length = sizeof(status); // For which the smallest block has room.
    memcpy(farewell->payload, &status, sizeof(status));
    send(port, farewell);
}

struct weft_message *weft_port_make_receipt(struct weft_port *port)
{
    struct weft_message *receipt = weft_message_alloc_control(weft_port_system(port));
    if (receipt == NULL) return NULL;
    receipt->tag = WEFT_MESSAGE_SYSTEM;
    receipt->type = RECEIPT;
    receipt->to = receipt->from = port->pid;
    return receipt;
}

bool weft_port_is_receipt(const struct weft_port *port, const struct weft_message *message)
{
    return message->tag == WEFT_MESSAGE_SYSTEM && message->type == RECEIPT &&
           message->from == port->pid;
}
