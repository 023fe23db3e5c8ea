// slot.c: where the blocks of actors come from, and the pids that name them.
//
// Slots come in chunks of 256, one block of the arena each. A chunk whose last actor has gone gives
// its block back, if another one has room; it remembers how many generations were spent in it.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"

#define HOME_SHIFT  24
#define CHUNK_BYTES (WEFT_CHUNK_SLOTS * sizeof(struct weft_actor))
#define NO_CHUNK    UINT32_MAX

static void open_chunk(struct weft_actor_system *system, uint32_t number)
{
    struct weft_slot_chunk *chunk = &system->slots[number];
    chunk->prev = NO_CHUNK;
    chunk->next = system->open_chunk;
    if (chunk->next != NO_CHUNK) system->slots[chunk->next].prev = number;
    system->open_chunk = number;
}

static void close_chunk(struct weft_actor_system *system, uint32_t number)
{
    struct weft_slot_chunk *chunk = &system->slots[number];
    if (chunk->prev != NO_CHUNK)
        system->slots[chunk->prev].next = chunk->next;
    else
        system->open_chunk = chunk->next;
    if (chunk->next != NO_CHUNK) system->slots[chunk->next].prev = chunk->prev;
}

static uint32_t chunks_for(uint32_t capacity)
{
    return (capacity + WEFT_CHUNK_SLOTS - 1) / WEFT_CHUNK_SLOTS;
}

int weft_slots_init(struct weft_actor_system *system, uint32_t capacity)
{
    weft_assert(capacity > 0 && capacity <= WEFT_SLOTS_MAX);
    const size_t chunks = chunks_for(capacity);
    system->open_chunk = NO_CHUNK;
    system->slot_capacity = capacity;
    // Fresh pages of the range read as zeros and are not touched before they are used.
    system->chunks = weft_arena_alloc_zeroed(system->arena, chunks * sizeof(*system->chunks));
    system->slots = weft_arena_alloc_zeroed(system->arena, chunks * sizeof(*system->slots));
    system->location = weft_arena_alloc_zeroed(system->arena, capacity);
    return system->chunks != NULL && system->slots != NULL && system->location != NULL ? 0
                                                                                       : -ENOMEM;
}

void weft_slots_destroy(struct weft_actor_system *system)
{
    const size_t chunks = chunks_for(system->slot_capacity);
    for (uint32_t i = 0; system->chunks != NULL && i < system->chunk_count; i++)
        weft_arena_release(system->arena, system->chunks[i], CHUNK_BYTES);
    weft_arena_release(system->arena, system->chunks, chunks * sizeof(*system->chunks));
    weft_arena_release(system->arena, system->slots, chunks * sizeof(*system->slots));
    weft_arena_release(system->arena, (void *)system->location, system->slot_capacity);
}

static uint32_t slots_in(const struct weft_actor_system *system, uint32_t number)
{
    const uint32_t rest = system->slot_capacity - number * WEFT_CHUNK_SLOTS;
    return rest < WEFT_CHUNK_SLOTS ? rest : WEFT_CHUNK_SLOTS;
}

// Gives chunk `number` a block. False at the arena's cap.
static bool fill_chunk(struct weft_actor_system *system, uint32_t number)
{
    struct weft_slot_chunk *chunk = &system->slots[number];
    struct weft_actor *actors = weft_arena_alloc(system->arena, CHUNK_BYTES);
    if (actors == NULL) return false;
    weft_assert((uintptr_t)actors % 16 == 0);
    chunk->free = NULL;
    for (uint32_t i = slots_in(system, number); i-- > 0;) {
        actors[i].task.link.next = (struct weft_list *)(void *)chunk->free;
        actors[i].task.number = chunk->generation + 1; // So that no pid is 0.
        actors[i].pid = 0;                             // Nobody.
        chunk->free = &actors[i];
    }
    system->chunks[number] = actors;
    open_chunk(system, number);
    return true;
}

// A chunk with a free slot: one that has a block, else one that had, else the next.
static int find_open(struct weft_actor_system *system)
{
    if (system->open_chunk != NO_CHUNK) return 0;
    for (uint32_t i = 0; i < system->chunk_count; i++) {
        if (system->chunks[i] != NULL || system->slots[i].generation == UINT32_MAX) continue;
        return fill_chunk(system, i) ? 0 : -ENOMEM;
    }
    if (system->chunk_count == chunks_for(system->slot_capacity)) return -ENOSPC;
    system->slots[system->chunk_count].generation = system->node->first_generation;
    if (!fill_chunk(system, system->chunk_count)) return -ENOMEM;
    system->chunk_count++;
    return 0;
}

int weft_slot_take(struct weft_actor_system *system, struct weft_actor **taken, weft_pid *pid)
{
    if (unlikely(system->open_chunk == NO_CHUNK)) {
        const int result = find_open(system);
        if (result != 0) return result;
    }
    const uint32_t number = system->open_chunk;
    struct weft_slot_chunk *chunk = &system->slots[number];
    struct weft_actor *actor = chunk->free;
    chunk->free = (struct weft_actor *)(void *)actor->task.link.next;
    chunk->used++;
    if (chunk->free == NULL) close_chunk(system, number);
    const uint32_t slot = number * WEFT_CHUNK_SLOTS + (uint32_t)(actor - system->chunks[number]);
    *taken = actor;
    *pid = (weft_pid)actor->task.number << 32 | (weft_pid)system->index << HOME_SHIFT | slot;
    return 0;
}

static void drop_block(struct weft_actor_system *system, uint32_t number)
{
    struct weft_slot_chunk *chunk = &system->slots[number];
    struct weft_actor *actors = system->chunks[number];
    for (uint32_t i = 0; i < slots_in(system, number); i++) {
        if (actors[i].task.number - 1 > chunk->generation)
            chunk->generation = actors[i].task.number - 1;
    }
    close_chunk(system, number);
    system->chunks[number] = NULL;
    chunk->free = NULL;
    weft_arena_release(system->arena, actors, CHUNK_BYTES);
}

void weft_slot_release(struct weft_actor_system *system, struct weft_actor *actor)
{
    const uint32_t generation = weft_pid_generation(actor->pid);
    const uint32_t number = weft_pid_slot(actor->pid) / WEFT_CHUNK_SLOTS;
    struct weft_slot_chunk *chunk = &system->slots[number];
    actor->pid = 0;
    chunk->used--;
    actor->task.number = generation + 1;
    if (generation == UINT32_MAX) return; // Spent: never used again, and its chunk stays.
    if (chunk->free == NULL) open_chunk(system, number);
    actor->task.link.next = (struct weft_list *)(void *)chunk->free;
    chunk->free = actor;
    // One chunk with room is kept, so that a lone actor that comes and goes costs no block.
    if (chunk->used == 0 && (chunk->next != NO_CHUNK || chunk->prev != NO_CHUNK))
        drop_block(system, number);
}

int weft_actor_core_of(const struct weft_actor_node *node, weft_pid pid)
{
    const struct weft_actor_system *home = node->systems[weft_pid_home(pid)];
    const uint32_t slot = weft_pid_slot(pid);
    if (slot >= home->slot_capacity) return -1;
    return (int)atomic_load_explicit(&home->location[slot], memory_order_relaxed) - 1;
}

uint32_t weft_actor_last_generation(const struct weft_actor_system *system, uint32_t slot)
{
    const uint32_t number = slot / WEFT_CHUNK_SLOTS;
    if (number >= system->chunk_count) return system->node->first_generation;
    if (system->chunks[number] == NULL) return system->slots[number].generation;
    const struct weft_actor *actor = &system->chunks[number][slot % WEFT_CHUNK_SLOTS];
    return actor->pid != 0 ? weft_pid_generation(actor->pid) : actor->task.number - 1;
}
