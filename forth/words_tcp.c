// words_tcp.c: connections to the addresses that a node lets its units have. What was opened is the
// node's: a unit that was restored finds it closed (-305).
#include "forth/inner.h"
#include "forth/ops.h"

enum { ADDRESS_BYTES_MAX = 64 };

// What both directions move at once.
static size_t piece(weft_cell length)
{
    return (uint64_t)length < WEFT_CHUNK_BYTES ? (size_t)length : WEFT_CHUNK_BYTES;
}

static int32_t no_net(const struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    return machine != NULL && machine->no_net != 0 ? machine->no_net : -21;
}

// TCP-OPEN ( c-addr u -- socket ior )
int32_t weft_op_tcp_open(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    if (machine == NULL || machine->tcp_open == NULL) return no_net(unit);
    weft_cell *at = weft_top(unit->block) - 1;
    const uint64_t length = (uint64_t)at[1];
    const char *address = length == 0 ? "" : weft_address_read(unit, (uint64_t)at[0], length);
    if (address == NULL) return -9;
    uint64_t socket = 0;
    int32_t ior = WEFT_THROW_NOBODY;
    if (length <= ADDRESS_BYTES_MAX)
        ior = machine->tcp_open(unit->self, unit->block->levels - 1, address, length, &socket);
    if (ior == WEFT_UNIT_LATER) return WEFT_PARK;
    at[0] = ior == 0 ? (weft_cell)socket : 0;
    at[1] = ior;
    return WEFT_NEXT;
}

// ( c-addr u socket -- u2 ior )
static int32_t moved(struct weft_unit *unit, int64_t bytes)
{
    if (bytes == WEFT_UNIT_FILE_LATER) return WEFT_PARK;
    unit->block->dsp -= 3;
    weft_push(unit->block, bytes > 0 ? bytes : 0);
    weft_push(unit->block, bytes < 0 ? bytes : 0);
    weft_charge(unit, bytes > 0 ? (uint64_t)bytes : 0);
    unit->budget--;
    return WEFT_NEXT;
}

// TCP-READ ( c-addr u1 socket -- u2 ior )
int32_t weft_op_tcp_read(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    if (machine == NULL || machine->tcp_read == NULL) return no_net(unit);
    const weft_cell *at = weft_top(unit->block) - 2;
    const size_t size = piece(at[1]);
    void *to = weft_address_write(unit, (uint64_t)at[0], size);
    if (to == NULL) return -9;
    return moved(unit, size == 0 ? 0 : machine->tcp_read(unit->self, (uint64_t)at[2], to, size));
}

// (TCP-WRITE) ( c-addr u socket -- u2 ior )
int32_t weft_op_tcp_write(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    if (machine == NULL || machine->tcp_write == NULL) return no_net(unit);
    const weft_cell *at = weft_top(unit->block) - 2;
    const size_t size = piece(at[1]);
    const void *from = weft_address_read(unit, (uint64_t)at[0], size);
    if (from == NULL) return -9;
    return moved(unit, machine->tcp_write(unit->self, (uint64_t)at[2], from, size));
}

// TCP-CLOSE ( socket -- ior )
int32_t weft_op_tcp_close(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    if (machine == NULL || machine->tcp_close == NULL) return no_net(unit);
    weft_cell *top = weft_top(unit->block);
    *top = machine->tcp_close(unit->self, (uint64_t)*top);
    return WEFT_NEXT;
}
