// The stack as a poller of its core, and the sums that must agree.
#include "dataplane/stack.h"

#include "runtime/base/assert.h"

static uint32_t poll(void *self, uint64_t now_ns)
{
    return weft_stack_poll(self, now_ns);
}

static void flush(void *self, uint64_t now_ns)
{
    weft_stack_flush(self, now_ns);
}

static uint64_t due_ns(void *self)
{
    return weft_stack_due_ns(self);
}

static int doorbell_fd(void *self)
{
    const struct weft_net *net = self;
    return net->doorbell_fd != NULL ? net->doorbell_fd(net->self) : -1;
}

static void doorbell_clear(void *self)
{
    const struct weft_net *net = self;
    if (net->doorbell_clear != NULL) net->doorbell_clear(net->self);
}

static int first_doorbell_fd(void *self)
{
    const struct weft_stack *stack = self;
    return stack->port_count > 0 ? doorbell_fd((void *)(uintptr_t)stack->ports[0].net) : -1;
}

static void first_doorbell_clear(void *self)
{
    const struct weft_stack *stack = self;
    if (stack->port_count > 0) doorbell_clear((void *)(uintptr_t)stack->ports[0].net);
}

struct weft_poller weft_stack_poller(struct weft_stack *stack)
{
    return (struct weft_poller){.name = "stack",
                                .poll = poll,
                                .flush = flush,
                                .due_ns = due_ns,
                                .doorbell_fd = first_doorbell_fd,
                                .doorbell_clear = first_doorbell_clear,
                                .self = stack};
}

struct weft_poller weft_stack_doorbell(struct weft_stack *stack, uint8_t port)
{
    weft_assert(port < stack->port_count);
    return (struct weft_poller){.name = "doorbell",
                                .doorbell_fd = doorbell_fd,
                                .doorbell_clear = doorbell_clear,
                                .self = (void *)(uintptr_t)stack->ports[port].net};
}

// The stages from Ethernet to UDP are counted by the stack alone; of the port's reasons it counts
// some, and the device and the fault layer count others, so those come from its own counters.
static uint64_t dropped(const struct weft_stack *stack)
{
    uint64_t sum =
        weft_counter_get(&stack->stats.no_buffer) + weft_counter_get(&stack->stats.tx_full);
    for (int drop = WEFT_DROP_ETH_SHORT; drop < WEFT_DROP_MESH_SHORT; drop++) {
        sum += weft_drop_get(&stack->core->drops, (enum weft_drop)drop);
    }
    return sum;
}

void weft_stack_balance_add(const struct weft_stack *stack, struct weft_stack_balance *balance)
{
    const struct weft_stack_stats *stats = &stack->stats;
    balance->received += weft_counter_get(&stats->received);
    balance->handed_in += weft_counter_get(&stats->handed_in);
    balance->originated += weft_counter_get(&stats->originated);
    balance->arp += weft_counter_get(&stats->arp);
    balance->echo += weft_counter_get(&stats->echo);
    balance->icmp_error += weft_counter_get(&stats->icmp_error);
    balance->udp += weft_counter_get(&stats->udp);
    balance->handed_out += weft_counter_get(&stats->handed_out);
    balance->transmitted += weft_counter_get(&stats->transmitted);
    balance->dropped += dropped(stack);
    balance->held += stack->arp.held_count;
    for (uint8_t i = 0; i < stack->port_count; i++) {
        balance->held += stack->ports[i].tx_count;
    }
}

int64_t weft_stack_balance_gap(const struct weft_stack_balance *b)
{
    const uint64_t in = b->received + b->handed_in + b->originated;
    const uint64_t out = b->arp + b->echo + b->icmp_error + b->udp + b->handed_out +
                         b->transmitted + b->dropped + b->held;
    return (int64_t)(in - out);
}
