#include "tests/soak/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/env/clock.h"

#define IDLE_POLLS   20 // Threads, others and the one who watches may share few CPUs.
#define SLEEP_NS_MAX (100 * WEFT_NS_PER_MS)

static int init_core(struct machine *machine, uint16_t i, uint32_t actor_count_max,
                     size_t arena_bytes)
{
    struct machine_core *core = &machine->cores[i];
    core->arena = weft_arena_create(arena_bytes);
    if (core->arena == NULL) return -errno;
    const struct weft_actor_options options = {.core = &core->core,
                                               .arena = core->arena,
                                               .node = &machine->node,
                                               .actor_count_max = actor_count_max,
                                               .stack_count_max = actor_count_max,
                                               .guard = WEFT_STACK_PAGES};
    int result = weft_actor_system_init(&core->system, &options);
    if (result == 0) result = weft_sleeper_epoll_open(&core->sleeper);
    if (result != 0) return result;
    core->core.sleeper = weft_sleeper_epoll_interface(&core->sleeper);
    core->core.idle_polls = IDLE_POLLS;
    core->core.idle_sleep_max_ns = SLEEP_NS_MAX;
    core->thread.core = &core->core;
    return 0;
}

int machine_init(struct machine *machine, uint16_t core_count, uint32_t actor_count_max,
                 size_t arena_bytes)
{
    const size_t bytes = weft_round_up(core_count * sizeof(*machine->cores), WEFT_CORE_ALIGN);
    memset(machine, 0, sizeof(*machine));
    machine->clock = weft_clock_linux();
    machine->core_count = core_count;
    machine->cores = aligned_alloc(WEFT_CORE_ALIGN, bytes);
    if (machine->cores == NULL) return -ENOMEM;
    memset(machine->cores, 0, bytes);
    for (uint16_t i = 0; i < core_count; i++)
        weft_core_init(&machine->cores[i].core, &machine->group, i, &machine->clock,
                       WEFT_LOG_ERROR);
    int result = weft_core_group_connect(&machine->group);
    if (result == 0) result = weft_actor_node_init(&machine->node, "soak", 16);
    for (uint16_t i = 0; result == 0 && i < core_count; i++)
        result = init_core(machine, i, actor_count_max, arena_bytes);
    return result;
}

size_t machine_destroy(struct machine *machine)
{
    size_t left_bytes = 0;
    for (uint16_t i = 0; i < machine->core_count; i++)
        weft_actor_system_destroy(&machine->cores[i].system);
    for (uint16_t i = 0; i < machine->core_count; i++) {
        left_bytes += weft_arena_used_bytes(machine->cores[i].arena);
        weft_arena_free(machine->cores[i].arena);
        weft_sleeper_epoll_close(&machine->cores[i].sleeper);
    }
    weft_actor_node_destroy(&machine->node);
    weft_core_group_destroy(&machine->group);
    free(machine->cores);
    return left_bytes;
}

int machine_start(struct machine *machine)
{
    int result = 0;
    for (uint16_t i = 0; result == 0 && i < machine->core_count; i++)
        result = weft_core_thread_start(&machine->cores[i].thread);
    return result;
}

void machine_stop(struct machine *machine)
{
    for (uint16_t i = 0; i < machine->core_count; i++)
        weft_core_thread_halt(&machine->cores[i].thread);
    for (uint16_t i = 0; i < machine->core_count; i++)
        weft_core_thread_stop(&machine->cores[i].thread);
}

void machine_settle(struct machine *machine)
{
    for (unsigned quiet = 0; quiet < 3; quiet++) {
        for (uint16_t i = 0; i < machine->core_count; i++) {
            if (weft_core_turn(&machine->cores[i].core)) quiet = 0;
        }
    }
}

// ---- Sums.

uint64_t machine_drops(const struct machine *machine, enum weft_drop drop)
{
    uint64_t count = 0;
    for (uint16_t i = 0; i < machine->core_count; i++)
        count += weft_drop_get(&machine->cores[i].core.drops, drop);
    return count;
}

static bool is_of_messages(enum weft_drop drop)
{
    return strcmp(weft_drop_info(drop)->stage, "mailbox") == 0 || drop == WEFT_DROP_RING_FULL;
}

struct machine_sums machine_sums(const struct machine *machine)
{
    struct machine_sums sums = {0};
    for (uint16_t i = 0; i < machine->core_count; i++) {
        const struct weft_actor_stats *stats = &machine->cores[i].system.stats;
        sums.alive += weft_actor_count(stats); // Of one core it may be negative, of all not.
        sums.sent += weft_counter_get(&stats->send_count);
        sums.received += weft_counter_get(&stats->message_count);
        sums.mutes += weft_counter_get(&stats->mute_count);
        sums.moves += weft_counter_get(&stats->departed_count);
        sums.evictions += weft_counter_get(&stats->evict_count);
    }
    for (unsigned drop = 0; drop < WEFT_DROP_COUNT; drop++) {
        if (is_of_messages(drop)) sums.drops += machine_drops(machine, drop);
    }
    return sums;
}

// ---- Memory.

static bool is_of_stacks(const struct machine *machine, uintptr_t from, uintptr_t to)
{
    for (uint16_t i = 0; i < machine->core_count; i++) {
        const struct weft_stacks *stacks = machine->cores[i].system.stacks;
        if (weft_stacks_owns(stacks, (void *)from) || weft_stacks_owns(stacks, (void *)(to - 1)))
            return true;
    }
    return false;
}

struct machine_memory machine_memory(const struct machine *machine)
{
    struct machine_memory memory = {0};
    uint64_t *bytes = &memory.others;
    char line[512];
    FILE *file = fopen("/proc/self/smaps", "re");
    weft_assert(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) { // proc_pid_smaps(5)
        uintptr_t from, to;
        uint64_t kib;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            bytes = is_of_stacks(machine, from, to) ? &memory.stacks : &memory.others;
        else if (sscanf(line, "Rss: %" SCNu64 " kB", &kib) == 1)
            *bytes += kib * 1024;
    }
    fclose(file);
    return memory;
}

struct machine_rest machine_rest(const struct machine *machine)
{
    struct machine_rest rest = {.actors = machine_sums(machine).alive};
    for (uint16_t i = 0; i < machine->core_count; i++) {
        const struct weft_actor_system *system = &machine->cores[i].system;
        const struct weft_run *run = &machine->cores[i].core.run;
        for (unsigned n = 0; n < WEFT_MESSAGE_CLASSES; n++)
            rest.blocks += system->messages[n].used_count;
        rest.blocks += system->rare_slab.used_count + system->label_slab.used_count;
        rest.stacks += weft_stacks_view(system->stacks).used;
        rest.stacks -= (run->stack != NULL) + (run->spare != NULL); // The loop's own.
        rest.promises += system->stack_promises;
    }
    return rest;
}
