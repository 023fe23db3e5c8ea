// words_unit.c: units among units: spawned, joined, linked; channels and timers. What takes longer
// than a call is asked of the host again and again (WEFT_UNIT_LATER) with the arguments still on
// the stack, so a unit that waits is data like any other; one that was saved meanwhile asks anew.
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/waiting.h"

#define FOREVER      (-1)
#define CELLS_MAX    64 // That SPAWN and SEND-CELLS take.
#define LAST_WORD_NS UINT64_C(1000000000)

static uint32_t level_of(const struct weft_unit *unit)
{
    return unit->block->levels - 1;
}

// What the host has answered to a word that may wait. WEFT_PARK: it does.
static int32_t waited(struct weft_unit *unit, int32_t code, bool is_late)
{
    struct weft_block *block = unit->block;
    if (code != WEFT_UNIT_LATER) {
        block->wake_ns = 0;
        return code;
    }
    // One that is late waits for the host's last word only, and not for ever.
    if (is_late) block->wake_ns = unit->host->now_ns(unit->self) + LAST_WORD_NS;
    return WEFT_PARK;
}

// The word cannot go on, whatever was asked for before.
static int32_t give_up(struct weft_unit *unit, int32_t code)
{
    if (unit->host->abandon != NULL) unit->host->abandon(unit->self, level_of(unit));
    unit->block->wake_ns = 0;
    return code;
}

static int32_t leave(struct weft_unit *unit, uint32_t cells, weft_cell result)
{
    unit->block->dsp -= cells;
    weft_push(unit->block, result);
    return WEFT_NEXT;
}

// The cells under `above` more, as many as their count on top of them says. NULL: *code.
static const weft_cell *counted(struct weft_unit *unit, uint32_t above, uint32_t *count,
                                int32_t *code)
{
    struct weft_block *block = unit->block;
    const weft_cell n = weft_top(block)[-(weft_cell)above];
    *code = -24;
    if (n < 0 || n > CELLS_MAX) return NULL;
    *code = -4;
    if (block->dsp - block->dbase < (uint32_t)n + above + 1) return NULL;
    *count = (uint32_t)n;
    return weft_top(block) - above - n;
}

// ---- Units.

static int32_t spawn(struct weft_unit *unit, bool is_linked)
{
    uint32_t count;
    int32_t code;
    if (unit->host->spawn == NULL) return -21;
    if (unit->block->definition != 0) return give_up(unit, -29); // Its words are not whole.
    const uint64_t xt = (uint64_t)*weft_top(unit->block);
    const struct weft_word *word = weft_word_at(unit, xt - 1); // As EXECUTE has it.
    if (word == NULL || !(word->flags & WEFT_WORD_VALID)) return give_up(unit, -13);
    const weft_cell *cells = counted(unit, 1, &count, &code);
    if (cells == NULL) return give_up(unit, code);
    uint64_t pid;
    weft_unit_freeze(unit); // Without memory for it the child gets a copy.
    cells = weft_top(unit->block) - 1 - count;
    code = unit->host->spawn(unit->self, level_of(unit), unit, xt, cells, count, is_linked, &pid);
    code = waited(unit, code, false);
    if (code != 0) return code;
    return leave(unit, count + 2, (weft_cell)pid);
}

// SPAWN ( x1 … xn n xt -- pid )
int32_t weft_op_spawn(struct weft_unit *unit)
{
    return spawn(unit, false);
}

// SPAWN-LINK ( x1 … xn n xt -- pid )
int32_t weft_op_spawn_link(struct weft_unit *unit)
{
    return spawn(unit, true);
}

// ( pid … -- x1 … xn n reason ), `cells` of arguments.
static int32_t join(struct weft_unit *unit, uint32_t cells, weft_cell ms, int32_t *ior)
{
    struct weft_unit_end end; // Without its cells, which are many, set to nothing each time.
    end.reason = end.count = 0;
    if (unit->host->join == NULL) return -21;
    const int32_t code = weft_data_room(unit, WEFT_UNIT_RESULTS_MAX + 3);
    if (code != 0) return give_up(unit, code);
    const uint64_t pid = (uint64_t)weft_top(unit->block)[1 - (weft_cell)cells];
    const bool is_late = weft_is_late(unit, ms);
    *ior = unit->host->join(unit->self, level_of(unit), pid, is_late, &end);
    *ior = waited(unit, *ior, is_late);
    if (*ior == WEFT_PARK) return WEFT_PARK;
    unit->block->dsp -= cells;
    for (uint32_t n = 0; n < end.count; n++)
        weft_push(unit->block, end.cells[n]);
    weft_push(unit->block, end.count);
    weft_push(unit->block, (weft_cell)end.reason);
    return WEFT_NEXT;
}

// JOIN ( pid -- x1 … xn n reason )
int32_t weft_op_join(struct weft_unit *unit)
{
    int32_t ior = 0;
    const int32_t code = join(unit, 1, FOREVER, &ior);
    return code != WEFT_NEXT ? code : ior;
}

// JOIN-FOR ( pid ms -- x1 … xn n reason ior )
int32_t weft_op_join_for(struct weft_unit *unit)
{
    int32_t ior = 0;
    const int32_t code = join(unit, 2, *weft_top(unit->block), &ior);
    if (code == WEFT_NEXT) weft_push(unit->block, ior);
    return code;
}

static int32_t tell(struct weft_unit *unit, int32_t (*function)(void *self, uint64_t number))
{
    if (function == NULL) return -21;
    const uint64_t number = (uint64_t)*weft_top(unit->block);
    return leave(unit, 1, function(unit->self, number));
}

// DETACH ( pid -- ior )
int32_t weft_op_detach(struct weft_unit *unit)
{
    return tell(unit, unit->host->detach);
}

// KILL ( pid -- ior )
int32_t weft_op_kill(struct weft_unit *unit)
{
    return tell(unit, unit->host->kill);
}

// MONITOR ( pid -- monitor ): one message of kind 4 when it ends.
int32_t weft_op_monitor(struct weft_unit *unit)
{
    uint64_t number;
    if (unit->host->monitor == NULL) return -21;
    const int32_t code = unit->host->monitor(unit->self, (uint64_t)*weft_top(unit->block), &number);
    return code != 0 ? code : leave(unit, 1, (weft_cell)number);
}

// DEMONITOR ( monitor -- ior )
int32_t weft_op_demonitor(struct weft_unit *unit)
{
    return tell(unit, unit->host->demonitor);
}

// LINK ( pid -- ior )
int32_t weft_op_link(struct weft_unit *unit)
{
    return tell(unit, unit->host->link);
}

// UNLINK ( pid -- ior )
int32_t weft_op_unlink(struct weft_unit *unit)
{
    return tell(unit, unit->host->unlink);
}

// TRAP-EXIT ( flag -- )
int32_t weft_op_trap_exit(struct weft_unit *unit)
{
    if (unit->host->trap_exit == NULL) return -21;
    unit->host->trap_exit(unit->self, weft_pop(unit->block) != 0);
    return WEFT_NEXT;
}

// ---- Channels.

// CHANNEL ( u -- channel )
int32_t weft_op_channel(struct weft_unit *unit)
{
    uint64_t channel;
    if (unit->host->channel_new == NULL) return -21;
    const weft_cell capacity = *weft_top(unit->block);
    if (capacity < 0 || capacity > UINT32_MAX / 2) return -24;
    const int32_t code = unit->host->channel_new(unit->self, (uint32_t)capacity, &channel);
    return code != 0 ? code : leave(unit, 1, (weft_cell)channel);
}

// CLOSE-CHANNEL ( channel -- ): nothing happens if it is closed already.
int32_t weft_op_close_channel(struct weft_unit *unit)
{
    if (unit->host->channel_close == NULL) return -21;
    const uint64_t channel = (uint64_t)*weft_top(unit->block);
    const int32_t code = unit->host->channel_close(unit->self, level_of(unit), channel);
    if (waited(unit, code, false) == WEFT_PARK) return WEFT_PARK;
    if (code != 0 && code != WEFT_THROW_CLOSED) return code;
    unit->block->dsp--;
    return WEFT_NEXT;
}

// 0, WEFT_PARK, or the ior of a send.
static int32_t put(struct weft_unit *unit, weft_cell channel, const void *payload, uint64_t length,
                   weft_cell ms)
{
    const bool is_late = weft_is_late(unit, ms);
    const int32_t code = unit->host->channel_send(unit->self, level_of(unit), (uint64_t)channel,
                                                  payload, length, is_late);
    return waited(unit, code, is_late);
}

// The outcome of a word that says what came of it: with an ior, or by a THROW.
static int32_t outcome(struct weft_unit *unit, int32_t code, uint32_t cells, bool throws)
{
    if (code == WEFT_PARK || (throws && code != 0)) return code;
    unit->block->dsp -= cells;
    if (!throws) weft_push(unit->block, code);
    return WEFT_NEXT;
}

static bool has_channels(const struct weft_unit *unit)
{
    return unit->host->channel_send != NULL && unit->host->now_ns != NULL;
}

// SEND ( x channel -- )
int32_t weft_op_chan_send(struct weft_unit *unit)
{
    if (!has_channels(unit)) return -21;
    const weft_cell *at = weft_top(unit->block) - 1;
    const int32_t code = put(unit, at[1], &at[0], WEFT_CELL_BYTES, FOREVER);
    return outcome(unit, code, 2, true);
}

// SEND-FOR ( x channel ms -- ior )
int32_t weft_op_chan_send_for(struct weft_unit *unit)
{
    if (!has_channels(unit)) return -21;
    const weft_cell *at = weft_top(unit->block) - 2;
    const int32_t code = put(unit, at[1], &at[0], WEFT_CELL_BYTES, at[2]);
    return outcome(unit, code, 3, false);
}

// ( c-addr u channel … ): the bytes at `at`.
static int32_t put_bytes(struct weft_unit *unit, const weft_cell *at, weft_cell ms)
{
    const uint64_t length = (uint64_t)at[1];
    const void *payload = length == 0 ? "" : weft_address_read(unit, (uint64_t)at[0], length);
    if (payload == NULL) return give_up(unit, -9);
    weft_charge(unit, length);
    return put(unit, at[2], payload, length, ms);
}

// SEND-BYTES ( c-addr u channel -- )
int32_t weft_op_send_bytes(struct weft_unit *unit)
{
    if (!has_channels(unit)) return -21;
    const int32_t code = put_bytes(unit, weft_top(unit->block) - 2, FOREVER);
    return outcome(unit, code, 3, true);
}

// SEND-BYTES-FOR ( c-addr u channel ms -- ior )
int32_t weft_op_send_bytes_for(struct weft_unit *unit)
{
    if (!has_channels(unit)) return -21;
    const weft_cell *at = weft_top(unit->block) - 3;
    const int32_t code = put_bytes(unit, at, at[3]);
    return code == -9 ? code : outcome(unit, code, 4, false);
}

// SEND-CELLS ( x1 … xn n channel -- ): one message of n cells.
int32_t weft_op_send_cells(struct weft_unit *unit)
{
    uint32_t count;
    int32_t code;
    if (!has_channels(unit)) return -21;
    const weft_cell *cells = counted(unit, 1, &count, &code);
    if (cells == NULL) return give_up(unit, code);
    code = put(unit, *weft_top(unit->block), cells, (uint64_t)count * WEFT_CELL_BYTES, FOREVER);
    return outcome(unit, code, count + 2, true);
}

// 0, WEFT_PARK, or the ior of a receive.
static int32_t get(struct weft_unit *unit, weft_cell channel, weft_cell ms,
                   struct weft_unit_message *message)
{
    const bool is_late = weft_is_late(unit, ms);
    const int32_t code = unit->host->channel_receive(unit->self, level_of(unit), (uint64_t)channel,
                                                     is_late, message);
    return waited(unit, code, is_late);
}

static int32_t get_cell(struct weft_unit *unit, weft_cell channel, weft_cell ms, weft_cell *cell)
{
    struct weft_unit_message message = {0};
    const int32_t code = get(unit, channel, ms, &message);
    *cell = 0;
    if (code == 0 && message.length != WEFT_CELL_BYTES) return WEFT_THROW_SHAPE;
    if (code == 0) *cell = weft_cell_get(message.payload);
    return code;
}

// RECV ( channel -- x )
int32_t weft_op_chan_recv(struct weft_unit *unit)
{
    weft_cell cell;
    if (!has_channels(unit)) return -21;
    const int32_t code = get_cell(unit, *weft_top(unit->block), FOREVER, &cell);
    return code != 0 ? code : leave(unit, 1, cell);
}

// RECV-FOR ( channel ms -- x ior )
int32_t weft_op_chan_recv_for(struct weft_unit *unit)
{
    weft_cell cell;
    if (!has_channels(unit)) return -21;
    const weft_cell *at = weft_top(unit->block) - 1;
    const int32_t code = get_cell(unit, at[0], at[1], &cell);
    if (code == WEFT_PARK) return code;
    leave(unit, 2, cell);
    weft_push(unit->block, code);
    return WEFT_NEXT;
}

static int32_t get_bytes(struct weft_unit *unit, weft_cell channel, weft_cell ms, uint64_t *length)
{
    struct weft_unit_message message = {0};
    int32_t code = get(unit, channel, ms, &message);
    if (code == 0) code = weft_message_keep(unit, &message);
    *length = code == 0 ? message.length : 0;
    return code;
}

// RECV-BYTES ( channel -- c-addr u ): where RECEIVE puts them, until the next of either.
int32_t weft_op_recv_bytes(struct weft_unit *unit)
{
    uint64_t length;
    if (!has_channels(unit)) return -21;
    const int32_t code = get_bytes(unit, *weft_top(unit->block), FOREVER, &length);
    if (code != 0) return code;
    leave(unit, 1, WEFT_ADDRESS_MESSAGE);
    weft_push(unit->block, (weft_cell)length);
    return WEFT_NEXT;
}

// RECV-BYTES-FOR ( channel ms -- c-addr u ior )
int32_t weft_op_recv_bytes_for(struct weft_unit *unit)
{
    uint64_t length;
    if (!has_channels(unit)) return -21;
    const weft_cell *at = weft_top(unit->block) - 1;
    const int32_t code = get_bytes(unit, at[0], at[1], &length);
    if (code == WEFT_PARK) return code;
    leave(unit, 2, code == 0 ? WEFT_ADDRESS_MESSAGE : 0);
    weft_push(unit->block, (weft_cell)length);
    weft_push(unit->block, code);
    return WEFT_NEXT;
}

// RECV-CELLS ( channel -- x1 … xn n )
int32_t weft_op_recv_cells(struct weft_unit *unit)
{
    struct weft_unit_message message = {0};
    if (!has_channels(unit)) return -21;
    int32_t code = weft_data_room(unit, CELLS_MAX + 1); // Before a message is taken for it.
    if (code != 0) return give_up(unit, code);
    code = get(unit, *weft_top(unit->block), FOREVER, &message);
    if (code != 0) return code;
    const uint64_t count = message.length / WEFT_CELL_BYTES;
    if (message.length % WEFT_CELL_BYTES != 0 || count > CELLS_MAX) return WEFT_THROW_SHAPE;
    unit->block->dsp--;
    for (uint64_t n = 0; n < count; n++)
        weft_push(unit->block, weft_cell_get((const uint8_t *)message.payload + 8 * n));
    weft_push(unit->block, (weft_cell)count);
    return WEFT_NEXT;
}

// ---- Timers.

static int32_t timer(struct weft_unit *unit, bool repeats)
{
    uint64_t number;
    if (unit->host->timer == NULL) return -21;
    const weft_cell *at = weft_top(unit->block) - 2;
    const uint64_t length = (uint64_t)at[1];
    const void *payload = length == 0 ? "" : weft_address_read(unit, (uint64_t)at[0], length);
    if (payload == NULL) return -9;
    weft_charge(unit, length);
    const int32_t code =
        unit->host->timer(unit->self, payload, length, weft_delay_ns(at[2]), repeats, &number);
    return code != 0 ? code : leave(unit, 3, (weft_cell)number);
}

// AFTER ( c-addr u ms -- timer ): a message of kind 3 to the unit itself.
int32_t weft_op_after(struct weft_unit *unit)
{
    return timer(unit, false);
}

// EVERY ( c-addr u ms -- timer ): one that comes again, until CANCEL.
int32_t weft_op_every(struct weft_unit *unit)
{
    return timer(unit, true);
}

// CANCEL ( timer -- ior ): -301 if it has come, or there was none.
int32_t weft_op_cancel(struct weft_unit *unit)
{
    return tell(unit, unit->host->timer_cancel);
}

// ---- The journal.

// UNIT-SAVE ( -- ior ): whoever is restored from there saves itself again, and goes on.
int32_t weft_op_unit_save(struct weft_unit *unit)
{
    if (unit->host->save == NULL) return -21;
    const int32_t code = waited(unit, unit->host->save(unit->self, level_of(unit)), false);
    if (code == WEFT_PARK) return code;
    weft_push(unit->block, code);
    return WEFT_NEXT;
}
