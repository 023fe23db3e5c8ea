#include "tests/support/stack_rig.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"

static uint64_t rig_now_ns(void *self)
{
    return ((struct stack_rig *)self)->now_ns;
}

static void start_node(struct stack_rig *rig, uint32_t n, uint32_t core_count,
                       struct weft_stack_options options, struct weft_stack_port_options port)
{
    struct stack_rig_node *node = &rig->nodes[n];
    node->core_count = core_count;
    weft_udp_owners_init(&node->owners);
    for (uint32_t c = 0; c < core_count; c++) {
        weft_core_init(&node->cores[c], &node->group, (uint16_t)c, &rig->clock, WEFT_LOG_WARN);
    }
    weft_assert(weft_core_group_connect(&node->group) == 0);
    options.owners = &node->owners;
    options.core_mask = (UINT64_C(1) << core_count) - 1;
    for (uint32_t c = 0; c < core_count; c++) {
        struct weft_stack *stack = &node->stacks[c];
        options.announces = options.announces && c == 0;
        port.net = &rig->pipe->ends[n].queues[c].net;
        port.address = 0x0a000001 + n;
        port.prefix_bits = 24;
        port.gateway = 0x0a0000fe;
        weft_stack_init(stack, &options, &node->cores[c]);
        weft_assert(weft_stack_add_port(stack, &port) == 0);
        const struct weft_poller poller = weft_stack_poller(stack);
        weft_assert(weft_core_add_poller(&node->cores[c], &poller) == 0);
    }
}

struct stack_rig *stack_rig_create(const uint32_t core_count[2], uint32_t node_count,
                                   const struct weft_stack_options *options,
                                   const struct weft_stack_port_options *port)
{
    // The slabs of a core stand 128 bytes apart, so its memory does too.
    struct stack_rig *rig =
        aligned_alloc(WEFT_CORE_ALIGN, weft_round_up(sizeof(*rig), WEFT_CORE_ALIGN));
    weft_assert(rig != NULL);
    memset(rig, 0, sizeof(*rig));
    rig->now_ns = WEFT_NS_PER_S;
    rig->clock = (struct weft_clock){.now_ns = rig_now_ns, .wall_ns = rig_now_ns, .self = rig};
    rig->pipe = net_pipe_create(core_count, 0, STACK_RIG_BUFFERS);
    rig->node_count = node_count;
    for (uint32_t n = 0; n < node_count; n++) {
        start_node(rig, n, core_count[n],
                   options != NULL ? *options : (struct weft_stack_options){.announces = false},
                   port != NULL ? *port : (struct weft_stack_port_options){.net = NULL});
    }
    return rig;
}

void stack_rig_turn(struct stack_rig *rig, uint64_t step_ns)
{
    rig->now_ns += step_ns;
    for (uint32_t n = 0; n < rig->node_count; n++) {
        for (uint32_t c = 0; c < rig->nodes[n].core_count; c++) {
            weft_core_turn(&rig->nodes[n].cores[c]);
        }
    }
}

void stack_rig_turns(struct stack_rig *rig, uint32_t count, uint64_t step_ns)
{
    for (uint32_t i = 0; i < count; i++) {
        stack_rig_turn(rig, step_ns);
    }
}

int64_t stack_rig_gap(const struct stack_rig_node *node)
{
    struct weft_stack_balance balance = {0};
    for (uint32_t c = 0; c < node->core_count; c++) {
        weft_stack_balance_add(&node->stacks[c], &balance);
    }
    return weft_stack_balance_gap(&balance);
}

uint64_t stack_rig_drops(const struct stack_rig_node *node, enum weft_drop drop)
{
    uint64_t sum = 0;
    for (uint32_t c = 0; c < node->core_count; c++) {
        sum += weft_drop_get(&node->cores[c].drops, drop);
    }
    return sum;
}

void stack_rig_free(struct stack_rig *rig)
{
    stack_rig_turns(rig, 8, 0); // What is between cores arrives.
    for (uint32_t n = 0; n < rig->node_count; n++) {
        struct stack_rig_node *node = &rig->nodes[n];
        for (uint32_t c = 0; c < node->core_count; c++) {
            weft_stack_drain(&node->stacks[c]);
        }
    }
    stack_rig_turns(rig, 8, 0);
    for (uint32_t n = 0; n < rig->node_count; n++) {
        struct stack_rig_node *node = &rig->nodes[n];
        for (uint32_t c = 0; c < node->core_count; c++) {
            weft_stack_drain(&node->stacks[c]);
        }
        weft_assert(stack_rig_gap(node) == 0);
        for (uint32_t c = 0; c < node->core_count; c++) {
            const struct net_pipe_queue *queue = &rig->pipe->ends[n].queues[c];
            weft_assert(net_pipe_at_home(queue) == queue->buffer_count);
        }
        weft_core_group_destroy(&node->group);
    }
    net_pipe_free(rig->pipe);
    free(rig);
}
