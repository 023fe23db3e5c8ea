// evict.c: the memory under stacks that sleep. A stack costs a page as soon as it is used, however
// little of it lives; a million sleepers would cost 4 GB. So what lives of one that has slept for
// two seconds is copied out, a few hundred bytes, and its page given back; its address stays, so no
// pointer changes. Waking copies it back: one page fault.
//
// Only where there are many stacks, a few at a time, neighbours in one system call.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/internal.h"

#define SLEPT_TICKS 2000                   // Of 2^20 ns: 2.1 s.
#define STACKS_MIN  1024                   // Fewer are left alone.
#define LOOK_STEP   512                    // Slots looked at in one turn.
#define EVICT_STEP  64                     // Stacks in one turn.
#define REST_NS     (500 * WEFT_NS_PER_MS) // After a round that found nothing.

// What lives on a parked stack: from its stack pointer to where the actor's first frame began.
// Above that stand the frames of the loop that the stack was taken from; nobody returns to them.
// While it is out, `fiber.sp` names this copy.
struct copy {
    void *sp;
    size_t bytes;
    uint8_t content[];
};

static size_t live_bytes(const struct weft_actor *actor)
{
    const uint8_t *top = weft_stacks_top(actor->stack), *sp = actor->fiber.sp;
    return (size_t)(top - sp) - actor->system->core->run.base_bytes;
}

size_t weft_stack_bytes_of(const struct weft_actor *actor)
{
    if (actor->stack == NULL) return 0;
    if (actor->task.flags & WEFT_ACTOR_EVICTED) {
        const struct copy *copy = actor->fiber.sp;
        return sizeof(*copy) + copy->bytes;
    }
    // Of one that runs, we stand on it.
    const void *sp = actor->system->running == actor ? __builtin_frame_address(0) : actor->fiber.sp;
    const uintptr_t page = (uintptr_t)sp & ~(uintptr_t)(WEFT_STACK_GUARD_BYTES - 1);
    return (size_t)((uintptr_t)actor->stack + WEFT_STACK_BYTES - page);
}

// Forgets the copy: the stack pointer is itself again.
static void drop_copy(struct weft_actor *actor)
{
    struct copy *copy = actor->fiber.sp;
    actor->fiber.sp = copy->sp;
    actor->task.flags &= (uint16_t)~WEFT_ACTOR_EVICTED;
    weft_arena_release(actor->system->arena, copy, sizeof(*copy) + copy->bytes);
}

void weft_actor_drop_evicted(struct weft_actor *actor)
{
    if (actor->task.flags & WEFT_ACTOR_EVICTED) drop_copy(actor);
}

void weft_actor_restore_stack(struct weft_actor *actor)
{
    const struct copy *copy = actor->fiber.sp;
    memcpy(copy->sp, copy->content, copy->bytes);
    weft_stacks_mark(actor->system->stacks, actor->stack);
    drop_copy(actor);
}

static bool is_asleep(const struct weft_actor *actor, uint32_t now_ticks)
{
    const unsigned flags = actor->task.flags;
    return (flags & WEFT_ACTOR_PARKED) != 0 &&
           (flags & (WEFT_ACTOR_EVICTED | WEFT_ACTOR_ENDING)) == 0 && !actor->task.queued &&
           now_ticks - actor->parked_ticks >= SLEPT_TICKS;
}

static bool copy_out(struct weft_actor *actor)
{
    const size_t bytes = live_bytes(actor);
    struct copy *copy = weft_arena_alloc(actor->system->arena, sizeof(*copy) + bytes);
    if (copy == NULL) return false;
    copy->sp = actor->fiber.sp;
    copy->bytes = bytes;
    memcpy(copy->content, copy->sp, bytes);
    actor->fiber.sp = copy;
    actor->task.flags |= WEFT_ACTOR_EVICTED;
    weft_counter_add(&actor->system->stats.evict_count, 1);
    return true;
}

static int by_address(const void *a, const void *b)
{
    const uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return x < y ? -1 : x > y;
}

static void drop(struct weft_actor_system *system, void *stacks[], uint32_t count)
{
    qsort(stacks, count, sizeof(stacks[0]), by_address);
    for (uint32_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count &&
                    (uint8_t *)stacks[i + n] == (uint8_t *)stacks[i] + n * WEFT_STACK_BYTES;)
            n++;
        weft_stacks_drop(system->stacks, stacks[i], n);
    }
}

// Looks at the next slots of this core's own. How many stacks went.
static uint32_t sweep(struct weft_actor_system *system, uint64_t now_ns)
{
    void *gone[EVICT_STEP];
    uint32_t count = 0;
    const uint32_t now_ticks = (uint32_t)(now_ns >> 20);
    const uint32_t slots = system->chunk_count * WEFT_CHUNK_SLOTS;
    for (uint32_t looked = 0; looked < LOOK_STEP && count < EVICT_STEP; looked++) {
        const uint32_t slot = system->evict_hand;
        if (slot >= slots || slot >= system->slot_capacity) {
            system->evict_hand = 0;
            // A whole round without one: rest.
            if (!system->evict_found) system->evict_due_ns = now_ns + REST_NS;
            system->evict_found = false;
            break;
        }
        system->evict_hand++;
        if (atomic_load_explicit(&system->location[slot], memory_order_relaxed) !=
            system->index + 1u)
            continue;
        struct weft_actor *actor =
            &system->chunks[slot / WEFT_CHUNK_SLOTS][slot % WEFT_CHUNK_SLOTS];
        if (weft_actor_system_of(actor) != system || !is_asleep(actor, now_ticks)) continue;
        if (!copy_out(actor)) { // No memory to save memory.
            system->evict_due_ns = now_ns + REST_NS;
            break;
        }
        gone[count++] = actor->stack;
    }
    if (count > 0) {
        drop(system, gone, count);
        system->evict_found = true;
    }
    return count;
}

// A core with nothing to do does not sleep over this.
uint64_t weft_evict_due_ns(void *self)
{
    const struct weft_actor_system *system = self;
    return system->evict_busy ? system->evict_due_ns : UINT64_MAX;
}

void weft_evict_turn(struct weft_actor_system *system, uint64_t now_ns)
{
#ifdef WEFT_FIBER_SANITIZER
    (void)sweep, (void)now_ns, (void)system; // What lies on a stack is watched there.
#else
    if (system->stacks == NULL || now_ns < system->evict_due_ns) return;
    const bool is_crowd = weft_stacks_view(system->stacks).used >= STACKS_MIN;
    if (is_crowd) sweep(system, now_ns);
    const bool has_trimmed = weft_stacks_trim(system->stacks, now_ns, EVICT_STEP) > 0;
    if (!is_crowd && !has_trimmed) system->evict_due_ns = now_ns + REST_NS;
    system->evict_busy = is_crowd || weft_stacks_has_surplus(system->stacks);
#endif
}
