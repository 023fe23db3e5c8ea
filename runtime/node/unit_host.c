// What a unit may ask of its node: the other side of forth/unit_host.h.
#include <errno.h>
#include <string.h>

#include "runtime/node/mesh_keeper.h"
#include "runtime/node/unit_actor.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_files.h"
#include "runtime/node/unit_keys.h"
#include "runtime/node/unit_lessons.h"
#include "runtime/node/unit_signals.h"
#include "runtime/node/unit_sockets.h"

static int32_t ior_of(int result)
{
    switch (result) {
    case 0: return 0;
    case -ENOMEM: return WEFT_THROW_ALLOCATE;
    case -ESRCH:
    case -EHOSTUNREACH:
    case -ENETUNREACH: return WEFT_THROW_NOBODY;
    case -EADDRINUSE: return WEFT_THROW_IN_USE;
    case -EMSGSIZE: return WEFT_THROW_TOO_LONG;
    case -EINVAL: return WEFT_THROW_BAD_NUMBER;
    default: return WEFT_THROW_FULL;
    }
}

static struct weft_node *node_of(void *self)
{
    return ((struct weft_unit_actor *)self)->worker->node;
}

static uint64_t host_id(void *self)
{
    return node_of(self)->id;
}

static uint64_t unit_index(void *self)
{
    const uint32_t index = ((struct weft_unit_actor *)self)->resident->index;
    return index != UINT32_MAX ? index : UINT64_MAX; // -1: it was spawned.
}

static uint64_t sibling_count(void *self)
{
    const uint64_t live = weft_counter_get(&node_of(self)->units.live_count);
    const bool counts = ((struct weft_unit_actor *)self)->farewell == NULL; // Not if spawned.
    return live > 0 && counts ? live - 1 : live;
}

static uint64_t mesh_process_count(void *self)
{
    return weft_counter_get(&node_of(self)->mesh_alive);
}

static uint64_t own_pid(void *self)
{
    return ((struct weft_unit_actor *)self)->id;
}

static uint64_t now_ns(void *self)
{
    return ((struct weft_unit_actor *)self)->worker->core.now_ns;
}

static uint64_t unix_us(void *self)
{
    return weft_clock_wall_ns(&node_of(self)->options.clock) / WEFT_NS_PER_US;
}

// NODE: from the names that the mesh's last view holds, on whatever core the unit lives.
static bool node_id(void *self, const char *name, size_t length, uint64_t *id)
{
    struct weft_node *node = node_of(self);
    if (node->mesh == NULL) return false;
    if (strlen(node->options.name) == length && memcmp(node->options.name, name, length) == 0) {
        *id = node->id;
        return true;
    }
    return weft_mesh_keeper_find(node->mesh, name, length, id);
}

static struct weft_message *new_message(struct weft_unit_actor *unit, weft_pid to, uint16_t type,
                                        size_t bytes)
{
    struct weft_message *message = weft_message_alloc(&unit->worker->actors, (uint32_t)bytes);
    if (message == NULL) return NULL;
    message->to = to;
    message->from = unit->actor->pid;
    message->tag = WEFT_MESSAGE_USER;
    message->type = type;
    return message;
}

static int32_t send_to(void *self, const void *payload, size_t length, uint64_t to)
{
    struct weft_unit_actor *unit = self;
    struct weft_node *node = node_of(self);
    if (node->mesh == NULL) return WEFT_THROW_NO_MESH;
    if (!weft_mesh_envelope_fits(weft_span_of(payload, length))) return WEFT_THROW_TOO_LONG;
    struct weft_message *message =
        new_message(unit, weft_mesh_keeper_pid(node->mesh), WEFT_MESH_POST,
                    sizeof(struct weft_mesh_post) + length);
    if (message == NULL) return WEFT_THROW_ALLOCATE;
    struct weft_mesh_post *post = (struct weft_mesh_post *)message->payload;
    post->to = to;
    memcpy(post->bytes, payload, length);
    return ior_of(weft_actor_send(&unit->worker->actors, message));
}

static int32_t send(void *self, const void *payload, size_t length, uint64_t id)
{
    struct weft_unit_actor *unit = self;
    const weft_pid pid = weft_unit_actor_resolve(unit, id);
    if (length > UINT32_MAX / 2) return WEFT_THROW_TOO_LONG;
    struct weft_message *message = new_message(unit, pid, WEFT_UNIT_MESSAGE_SIBLING, length);
    if (message == NULL) return WEFT_THROW_ALLOCATE;
    memcpy(message->payload, payload, length);
    const int result = weft_actor_send_from(unit->actor, message);
    if (result > 0) unit->full_receiver = pid;
    return result > 0 ? 1 : ior_of(result);
}

// The next message that a program can have.
static bool take(struct weft_unit_actor *unit, struct weft_unit_message *to)
{
    for (;;) {
        if (unit->given != NULL) weft_message_release(&unit->worker->actors, unit->given);
        unit->given = weft_unit_dealings_receive(unit);
        if (unit->given == NULL) return false;
        if (weft_unit_signals_see(unit, unit->given, to)) break;
        if (unit->given->tag < WEFT_MESSAGE_REPLY) break;
        // What else the node may say means nothing to it.
    }
    unit->message_count++;
    return true;
}

static bool receive(void *self, struct weft_unit_message *to)
{
    struct weft_unit_actor *unit = self;
    weft_counter_set(&unit->resident->receives, 1);
    if (!take(unit, to)) return false;
    const struct weft_message *message = unit->given;
    if (message->tag >= WEFT_MESSAGE_REPLY) return true; // A signal, read already.
    if (message->tag == WEFT_MESSAGE_PORT) {
        const struct weft_unit_datagram *head = (const struct weft_unit_datagram *)message->payload;
        unit->reply = head->reply;
        unit->can_reply = true;
        *to = (struct weft_unit_message){.payload = message->payload + sizeof(*head),
                                         .length = message->length - sizeof(*head),
                                         .from = (uint64_t)head->reply.destination << 16 |
                                                 head->reply.destination_port,
                                         .kind = WEFT_UNIT_MESSAGE_UDP};
        return true;
    }
    const bool remote = message->type == WEFT_UNIT_MESSAGE_HOST && message->from == 0;
    *to = (struct weft_unit_message){
        .payload = message->payload,
        .length = message->length,
        .from = remote ? message->reference : weft_unit_ids_id(&node_of(self)->ids, message->from),
        .kind = remote ? WEFT_UNIT_MESSAGE_HOST : WEFT_UNIT_MESSAGE_SIBLING};
    return true;
}

static void datagram_came(void *self, const struct weft_udp_datagram *datagram)
{
    struct weft_unit_actor *unit = self;
    struct weft_message *message =
        weft_message_alloc(&unit->worker->actors, (uint32_t)(sizeof(struct weft_unit_datagram) +
                                                             datagram->payload.length));
    if (message == NULL) return; // Counted where it was refused.
    struct weft_unit_datagram *head = (struct weft_unit_datagram *)message->payload;
    head->reply = (struct weft_udp_flow){.destination = datagram->source,
                                         .destination_port = datagram->source_port,
                                         .source_port = datagram->destination_port,
                                         .port = datagram->port};
    memcpy(message->payload + sizeof(*head), datagram->payload.data, datagram->payload.length);
    message->to = unit->actor->pid;
    message->tag = WEFT_MESSAGE_PORT;
    weft_actor_send(&unit->worker->actors, message);
}

int32_t weft_unit_actor_bind(struct weft_unit_actor *unit, uint16_t port)
{
    for (uint32_t i = 0; i < unit->port_count; i++) {
        if (unit->ports[i] == port) return 0;
    }
    if (unit->port_count == WEFT_UNIT_PORTS_MAX) return WEFT_THROW_FULL;
    const int result = weft_udp_bind(&unit->worker->stack, port, datagram_came, unit);
    if (result == 0) unit->ports[unit->port_count++] = port;
    return ior_of(result);
}

void weft_unit_actor_unbind_all(struct weft_unit_actor *unit)
{
    while (unit->port_count > 0) {
        weft_udp_unbind(&unit->worker->stack, unit->ports[--unit->port_count]);
    }
}

static int32_t udp_bind(void *self, uint16_t port)
{
    return weft_unit_actor_bind(self, port);
}

static int32_t udp_reply(void *self, const void *payload, size_t length)
{
    struct weft_unit_actor *unit = self;
    if (!unit->can_reply) return WEFT_THROW_NOBODY;
    return ior_of(weft_udp_send(&unit->worker->stack, &unit->reply, weft_span_of(payload, length)));
}

// A stack comment that is wrong: whoever loads or evaluates the text reads of it in the answer.
static void warning(void *self, const struct weft_unit_error *error)
{
    struct weft_command *command = ((struct weft_unit_actor *)self)->current;
    char text[512];
    if (command == NULL) return; // A lesson, or the journal's: its author has been told.
    const size_t length = weft_unit_warning_render(error, text, sizeof(text));
    const size_t room = sizeof(command->output) - command->output_length;
    const size_t fits = length < room ? length : room;
    memcpy(command->output + command->output_length, text, fits);
    command->output_length += (uint32_t)fits;
    if (fits < length) command->output_cut = true;
}

static void abandon(void *self, uint32_t level)
{
    weft_unit_dealings_abandon(self, level);
    weft_unit_files_abandon(self, level);
    weft_unit_sockets_abandon(self, level);
}

void weft_unit_actor_host(const struct weft_node *node, struct weft_unit_host *host)
{
    *host = (struct weft_unit_host){
        .host_id = host_id,
        .unit_index = unit_index,
        .sibling_count = sibling_count,
        .mesh_process_count = mesh_process_count,
        .pid = own_pid,
        .now_ns = now_ns,
        .unix_us = unix_us,
        .send_to = send_to,
        .send = send,
        .receive = receive,
        .udp_bind = udp_bind,
        .udp_reply = udp_reply,
        .node_id = node_id,
        .warning = warning,
    };
    weft_unit_dealings_host(host);
    weft_unit_lessons_host(host);
    weft_unit_keep_host(host);
    weft_unit_keys_host(host);
    host->machine = weft_unit_files_machine(node);
    host->abandon = abandon;
}
