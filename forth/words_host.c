// words_host.c: the words that reach the node, through unit_host.h alone.
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/waiting.h"

static int32_t figure(struct weft_unit *unit, uint64_t (*ask)(void *self))
{
    if (ask == NULL) return -21;
    weft_push(unit->block, (weft_cell)ask(unit->self));
    return WEFT_NEXT;
}

int32_t weft_op_host_id(struct weft_unit *unit)
{
    return figure(unit, unit->host->host_id);
}

int32_t weft_op_unit_idx(struct weft_unit *unit)
{
    return figure(unit, unit->host->unit_index);
}

int32_t weft_op_sibling_count(struct weft_unit *unit)
{
    return figure(unit, unit->host->sibling_count);
}

int32_t weft_op_mesh_process_count(struct weft_unit *unit)
{
    return figure(unit, unit->host->mesh_process_count);
}

int32_t weft_op_self(struct weft_unit *unit)
{
    return figure(unit, unit->host->pid);
}

// TIME ( -- ns ) monotonic.
int32_t weft_op_time(struct weft_unit *unit)
{
    return figure(unit, unit->host->now_ns);
}

// UTIME ( -- ud ) microseconds since 1970.
int32_t weft_op_utime(struct weft_unit *unit)
{
    const int32_t code = figure(unit, unit->host->unix_us);
    if (code == WEFT_NEXT) weft_push(unit->block, 0);
    return code;
}

bool weft_is_late(struct weft_unit *unit, weft_cell ms)
{
    struct weft_block *block = unit->block;
    if (ms < 0) return false;
    const uint64_t now_ns = unit->host->now_ns(unit->self);
    if (block->wake_ns == 0) block->wake_ns = now_ns + weft_delay_ns(ms) + 1;
    return now_ns + 1 >= block->wake_ns;
}

// MS ( u -- ): the delay stays on the stack until it is over; the block knows when that is.
int32_t weft_op_ms(struct weft_unit *unit)
{
    if (unit->host->now_ns == NULL) return -21;
    const weft_cell ms = *weft_top(unit->block);
    if (!weft_is_late(unit, ms < 0 ? INT64_MAX : ms)) return WEFT_PARK;
    unit->block->wake_ns = 0;
    unit->block->dsp--;
    return WEFT_NEXT;
}

// The span ( c-addr u ) below `above` more cells.
static const void *span(struct weft_unit *unit, uint32_t above, uint64_t *length)
{
    const weft_cell *at = weft_top(unit->block) - above - 1;
    *length = (uint64_t)at[1];
    weft_charge(unit, *length < UINT32_MAX ? *length : 0);
    return *length == 0 ? "" : weft_address_read(unit, (uint64_t)at[0], *length);
}

static int32_t answer(struct weft_unit *unit, uint32_t cells, int32_t ior)
{
    unit->block->dsp -= cells;
    weft_push(unit->block, ior);
    return WEFT_NEXT;
}

// SEND-HOST ( c-addr u host-id -- ior )
int32_t weft_op_send_to(struct weft_unit *unit)
{
    uint64_t length;
    if (unit->host->send_to == NULL) return -21;
    const void *payload = span(unit, 1, &length);
    if (payload == NULL) return -9;
    const uint64_t host = (uint64_t)*weft_top(unit->block);
    return answer(unit, 3, unit->host->send_to(unit->self, payload, length, host));
}

// SEND-TO ( c-addr u pid -- ior )
int32_t weft_op_send(struct weft_unit *unit)
{
    uint64_t length;
    if (unit->host->send == NULL) return -21;
    const void *payload = span(unit, 1, &length);
    if (payload == NULL) return -9;
    const uint64_t pid = (uint64_t)*weft_top(unit->block);
    const int32_t ior = unit->host->send(unit->self, payload, length, pid);
    answer(unit, 3, ior < 0 ? ior : 0);
    return ior > 0 ? WEFT_GIVE : WEFT_NEXT;
}

// NODE ( c-addr u -- host-id ior ): -301 if nobody has that name; the host id is then 0.
int32_t weft_op_node(struct weft_unit *unit)
{
    uint64_t length, id = 0;
    if (unit->host->node_id == NULL) return -21;
    const char *name = span(unit, 0, &length);
    if (name == NULL) return -9;
    const bool known = unit->host->node_id(unit->self, name, length, &id);
    weft_cell *at = weft_top(unit->block);
    at[-1] = known ? (weft_cell)id : 0;
    at[0] = known ? 0 : WEFT_THROW_NOBODY;
    return WEFT_NEXT;
}

// A message into the unit's memory, where it stays until the next; leaves ( c-addr u from kind ).
static int32_t take_message(struct weft_unit *unit, const struct weft_unit_message *message)
{
    const int32_t code = weft_message_keep(unit, message);
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    block->udp_ready = message->kind == WEFT_UNIT_MESSAGE_UDP ? 1 : block->udp_ready;
    weft_push(block, WEFT_ADDRESS_MESSAGE);
    weft_push(block, (weft_cell)message->length);
    weft_push(block, (weft_cell)message->from);
    weft_push(block, message->kind);
    return WEFT_NEXT;
}

int32_t weft_message_keep(struct weft_unit *unit, const struct weft_unit_message *message)
{
    if (message->length > UINT32_MAX / 2) return WEFT_THROW_MEMORY;
    const int32_t code = weft_segment_grow(unit, WEFT_SEGMENT_MESSAGE, message->length);
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    block->segment[WEFT_SEGMENT_MESSAGE].used = (uint32_t)message->length;
    if (message->length > 0)
        memcpy(weft_segment_base(block, WEFT_SEGMENT_MESSAGE), message->payload, message->length);
    weft_charge(unit, message->length);
    return 0;
}

// RECEIVE ( -- c-addr u from kind ): parks until there is a message.
int32_t weft_op_receive(struct weft_unit *unit)
{
    if (unit->host->receive == NULL) return -21;
    struct weft_unit_message message = {0};
    if (!unit->host->receive(unit->self, &message)) return WEFT_PARK;
    return take_message(unit, &message);
}

// RECEIVE-FOR ( ms -- c-addr u from kind ior ): four zeros and -306 if none came in time.
int32_t weft_op_receive_for(struct weft_unit *unit)
{
    if (unit->host->receive == NULL || unit->host->now_ns == NULL) return -21;
    struct weft_unit_message message = {0};
    const bool is_late = weft_is_late(unit, *weft_top(unit->block));
    const bool came = unit->host->receive(unit->self, &message);
    if (!came && !is_late) return WEFT_PARK;
    unit->block->wake_ns = 0;
    unit->block->dsp--;
    int32_t code = 0;
    if (came) {
        code = take_message(unit, &message);
    } else {
        for (unsigned n = 0; n < 4; n++)
            weft_push(unit->block, 0);
    }
    if (code == 0) weft_push(unit->block, came ? 0 : WEFT_THROW_LATE);
    return code;
}

// ( port -- ior )
int32_t weft_op_udp_bind(struct weft_unit *unit)
{
    if (unit->host->udp_bind == NULL) return -21;
    const weft_cell port = *weft_top(unit->block);
    if (port < 1 || port > UINT16_MAX) return answer(unit, 1, -24);
    return answer(unit, 1, unit->host->udp_bind(unit->self, (uint16_t)port));
}

// ( c-addr u -- ior )
int32_t weft_op_udp_reply(struct weft_unit *unit)
{
    uint64_t length;
    if (unit->host->udp_reply == NULL) return -21;
    const void *payload = span(unit, 0, &length);
    if (payload == NULL) return -9;
    if (unit->block->udp_ready == 0) return answer(unit, 2, -260);
    return answer(unit, 2, unit->host->udp_reply(unit->self, payload, length));
}

// ACCEPT ( c-addr +n1 -- +n2 )
int32_t weft_op_accept(struct weft_unit *unit)
{
    if (unit->host->accept == NULL) return -21;
    weft_cell *at = weft_top(unit->block) - 1;
    const uint64_t size = at[1] < 0 ? 0 : (uint64_t)at[1];
    void *to = weft_address_write(unit, (uint64_t)at[0], size);
    if (to == NULL) return -9;
    const int64_t length = unit->host->accept(unit->self, to, size);
    if (length < 0) return WEFT_PARK;
    if ((uint64_t)length > size) return -18;
    return answer(unit, 2, (int32_t)length);
}
