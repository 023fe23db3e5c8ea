// credit.c: room that channels of other cores have lent to this one. A message that is sent into
// it has its place already, so who sends it waits for no answer.
//
//   the channel's core                      this one
//   has served a SEND  -- TAG_CREDIT, n -->  may send n more
//   takes it in        <--- the message ---  one less
//   wants its room     -- TAG_RECALL ----->
//   has it             <--- REPAID, n -----  none
//
// All of this goes by the same chains as messages and calls, so each finds the channel as those
// before it have left it. Credit is a core's and not an actor's: it is given back at once, whatever
// the actors here do, so nobody waits for one who does not send.
#include <string.h>

#include "runtime/actor/internal.h"

static struct weft_credit *place_of(struct weft_actor_system *system, weft_pid channel)
{
    return &system->credits[(channel ^ channel >> 24) % WEFT_CREDITS];
}

bool weft_credit_take(struct weft_actor_system *system, weft_pid channel)
{
    struct weft_credit *credit = place_of(system, channel);
    if (credit->channel != channel || credit->count == 0) return false;
    credit->count--;
    return true;
}

void weft_credit_untake(struct weft_actor_system *system, weft_pid channel)
{
    place_of(system, channel)->count++; // Nothing has come between.
}

// By the block of an order: there need not be memory for it.
static void repay(struct weft_actor_system *system, struct weft_message *block, weft_pid channel,
                  uint64_t count, bool is_all)
{
    const uint16_t core = system->index;
    block->tag = WEFT_MESSAGE_CAST;
    block->type = is_all ? WEFT_CHANNEL_REPAID_ALL : WEFT_CHANNEL_REPAID;
    block->to = channel;
    block->from = 0; // No actor's cast can look like it.
    block->reference = count;
    memcpy(block->payload, &core, sizeof(core));
    system->sent++;
    weft_route(system, block, true);
}

static void lent(struct weft_actor_system *system, struct weft_message *order)
{
    struct weft_credit *credit = place_of(system, order->from);
    const struct weft_credit before = *credit, more = {order->from, order->reference};
    const bool is_same = before.channel == more.channel;
    *credit = (struct weft_credit){more.channel, more.count + (is_same ? before.count : 0)};
    if (!is_same && before.count > 0)
        repay(system, order, before.channel, before.count, false); // Two want the same place.
    else
        weft_message_release_block(system, order);
}

static void recalled(struct weft_actor_system *system, struct weft_message *order)
{
    struct weft_credit *credit = place_of(system, order->from);
    const uint64_t count = credit->channel == order->from ? credit->count : 0;
    if (credit->channel == order->from) *credit = (struct weft_credit){0};
    if (order->type == WEFT_RECALL_IS_LAST) // There is no channel any more.
        weft_message_release_block(system, order);
    else
        repay(system, order, order->from, count, true);
}

void weft_credit_ordered(struct weft_actor_system *system, struct weft_message *order)
{
    if (order->tag == TAG_CREDIT)
        lent(system, order);
    else
        recalled(system, order);
}
