// rig.h: a node of two workers, turned by hand in one thread, with a disk and a wire that are not.
#ifndef WEFT_TESTS_UNIT_NODE_RIG_H
#define WEFT_TESTS_UNIT_NODE_RIG_H

#include <stdlib.h>
#include <string.h>

#include "runtime/node/node.h"
#include "runtime/node/unit_actor.h"
#include "tests/support/disk_sim.h"
#include "tests/support/net_pipe.h"

#define WORKERS   2
#define TURNS_MAX 2000000

struct rig {
    struct weft_node node;
    struct net_pipe *wire;
    struct weft_net nets[WORKERS];
    struct weft_disk_sim disk_sim;
    struct weft_disk disk;
    uint64_t now_ns;
    uint8_t boot_count; // What chance is made of.
};

struct asked {
    struct weft_command command;
    bool is_done;
};

static inline uint64_t rig_now(void *self)
{
    return ((struct rig *)self)->now_ns;
}

static inline void rig_entropy(void *self, void *bytes, size_t length)
{
    memset(bytes, 7 + ((struct rig *)self)->boot_count, length);
}

static inline void start(struct rig *rig)
{
    struct weft_error error = {0};
    rig->boot_count++;
    struct weft_node_options options = {
        .name = "n1",
        .clock = {.now_ns = rig_now, .wall_ns = rig_now, .self = rig},
        .entropy = {.fill = rig_entropy, .self = rig},
        .worker_count = WORKERS,
        .arena_bytes = 16 * WEFT_MIB,
        .actor_count_max = 64,
        .stack_count_max = 64,
        .name_count_max = 64,
        .log_level = WEFT_LOG_INFO,
        .port_count = 1,
        .disk = &rig->disk,
        .journal = {.journal_id = 1, .segment_blocks = 512, .segment_count_bound = 2},
        .unit = weft_unit_options_default,
        .unit_count_max = 32,
        .unit_mailbox = 8,
        .eval_reductions = 2000000,
        .eval_timeout_ns = 60 * WEFT_NS_PER_S,
    };
    options.unit.memory_bytes_max = 65536;
    options.ports[0] = (struct weft_node_port){
        .stack = {.address = UINT32_C(0x0a4d000b), .prefix_bits = 24}, .nets = rig->nets};
    if (weft_node_init(&rig->node, &options, &error) != 0) fail_msg("%s", error.text);
}

static inline int set_up(void **state)
{
    static struct rig rig;
    const uint32_t queues[2] = {WORKERS, WORKERS};
    memset(&rig, 0, sizeof(rig));
    rig.now_ns = WEFT_NS_PER_S;
    rig.wire = net_pipe_create(queues, 1, 128);
    for (int i = 0; i < WORKERS; i++) {
        rig.nets[i] = rig.wire->ends[0].queues[i].net;
    }
    weft_disk_sim_init(&rig.disk_sim, 5);
    rig.disk = weft_disk_sim_disk(&rig.disk_sim);
    start(&rig);
    *state = &rig;
    return 0;
}

static inline int tear_down(void **state)
{
    struct rig *rig = *state;
    weft_node_destroy(&rig->node);
    weft_disk_sim_destroy(&rig->disk_sim);
    net_pipe_free(rig->wire);
    return 0;
}

static inline void turn_all(struct rig *rig)
{
    for (uint16_t core = 0; core <= WORKERS; core++) {
        weft_core_turn(weft_node_core(&rig->node, core));
    }
    rig->now_ns += 1000;
}

static inline void turn(struct rig *rig, unsigned count)
{
    while (count-- > 0)
        turn_all(rig);
}

static inline void is_done(struct weft_command *command)
{
    WEFT_CONTAINER_OF(command, struct asked, command)->is_done = true;
}

static inline void ask(struct rig *rig, struct asked *asked, enum weft_command_verb verb,
                       struct weft_resident *resident, const char *text)
{
    memset(asked, 0, sizeof(*asked));
    asked->command.verb = verb;
    asked->command.resident = resident;
    asked->command.text = text;
    asked->command.text_length = strlen(text);
    asked->command.done = is_done;
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked->command), 0);
}

static inline void wait_for(struct rig *rig, const struct asked *asked)
{
    for (uint32_t turn = 0; !asked->is_done; turn++) {
        if (turn == TURNS_MAX) fail_msg("no answer");
        turn_all(rig);
    }
}

static inline struct weft_resident *reserve(struct rig *rig, const char *name, uint16_t core)
{
    struct weft_error error = {0};
    struct weft_resident *resident = weft_unit_registry_add(&rig->node.units, name, &error);
    if (resident == NULL) fail_msg("%s", error.text);
    resident->core = core;
    resident->recovery = WEFT_RECOVERY_JOURNAL;
    return resident;
}

static inline struct weft_resident *load(struct rig *rig, const char *name, uint16_t core,
                                         const char *source)
{
    static struct asked asked;
    struct weft_resident *resident = reserve(rig, name, core);
    ask(rig, &asked, WEFT_COMMAND_LOAD, resident, source);
    wait_for(rig, &asked);
    if (asked.command.error.code != 0) fail_msg("%s: %s", name, asked.command.error.text);
    return resident;
}

static inline void expect(struct rig *rig, struct weft_resident *resident, const char *text,
                          const char *output)
{
    static struct asked asked;
    ask(rig, &asked, WEFT_COMMAND_EVAL, resident, text);
    wait_for(rig, &asked);
    if (asked.command.error.code != 0) fail_msg("%s: %s", text, asked.command.error.text);
    if (asked.command.output_length != strlen(output) ||
        memcmp(asked.command.output, output, strlen(output)) != 0)
        fail_msg("%s: printed '%.*s', not '%s'", text, (int)asked.command.output_length,
                 asked.command.output, output);
}

// Its image, at `to` with room for WEFT_UNIT_IMAGE_MAX; returns how long it is.
static inline size_t save(struct rig *rig, struct weft_resident *resident, uint8_t *to)
{
    static struct asked asked;
    memset(&asked, 0, sizeof(asked));
    asked.command = (struct weft_command){.verb = WEFT_COMMAND_SAVE,
                                          .resident = resident,
                                          .saved = to,
                                          .saved_length = WEFT_UNIT_IMAGE_MAX,
                                          .done = is_done};
    assert_int_equal(weft_unit_actor_submit(&rig->node, &asked.command), 0);
    wait_for(rig, &asked);
    if (asked.command.error.code != 0) fail_msg("%s", asked.command.error.text);
    return asked.command.saved_length;
}

#endif // WEFT_TESTS_UNIT_NODE_RIG_H
