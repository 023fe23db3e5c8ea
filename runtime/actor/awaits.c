// awaits.c: the calls of one actor that are under way besides the one that it waits in: a hash
// table from reference to reply. So a reply is found in constant time, and one that nobody awaits
// any more is dropped when it comes.
//
// Open addressing with linear probing; removal moves the followers up (Knuth, TAOCP 3, 6.4,
// algorithm R), so there are no tombs.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"

#define SLOTS_MIN 8

struct awaited {
    uint64_t reference;         // 0: free.
    struct weft_message *reply; // In the mailbox; NULL: has not come.
    weft_pid whom;              // Who will send it; 0: not said.
};

struct weft_awaits {
    uint32_t mask; // Slots less one.
    uint32_t count;
    struct awaited slots[];
};

static inline uint32_t place(const struct weft_awaits *awaits, uint64_t reference)
{
    return (uint32_t)(reference * UINT64_C(0x9e3779b97f4a7c15) >> 32) & awaits->mask;
}

static inline struct awaited *find(const struct weft_awaits *awaits, uint64_t reference)
{
    if (awaits == NULL) return NULL;
    for (uint32_t i = place(awaits, reference);; i = (i + 1) & awaits->mask) {
        const struct awaited *slot = &awaits->slots[i];
        if (slot->reference == reference) return (struct awaited *)(uintptr_t)slot;
        if (slot->reference == 0) return NULL;
    }
}

static void insert(struct weft_awaits *awaits, struct awaited entry)
{
    uint32_t i = place(awaits, entry.reference);
    while (awaits->slots[i].reference != 0)
        i = (i + 1) & awaits->mask;
    awaits->slots[i] = entry;
    awaits->count++;
}

static void erase(struct weft_awaits *awaits, struct awaited *entry)
{
    uint32_t hole = (uint32_t)(entry - awaits->slots);
    awaits->count--;
    for (uint32_t i = (hole + 1) & awaits->mask; awaits->slots[i].reference != 0;
         i = (i + 1) & awaits->mask) {
        const uint32_t ideal = place(awaits, awaits->slots[i].reference);
        if (((i - ideal) & awaits->mask) < ((i - hole) & awaits->mask)) continue;
        awaits->slots[hole] = awaits->slots[i];
        hole = i;
    }
    awaits->slots[hole] = (struct awaited){0};
}

static struct weft_message *block_of(struct weft_awaits *awaits)
{
    return (struct weft_message *)(void *)((uint8_t *)awaits -
                                           offsetof(struct weft_message, payload));
}

static struct weft_awaits *make(struct weft_actor_system *system, uint32_t slot_count)
{
    const size_t bytes = sizeof(struct weft_awaits) + slot_count * sizeof(struct awaited);
    struct weft_message *block = weft_message_alloc_hidden(system, (uint32_t)bytes);
    if (block == NULL) return NULL;
    struct weft_awaits *awaits = (struct weft_awaits *)(void *)block->payload;
    memset(awaits, 0, bytes);
    awaits->mask = slot_count - 1;
    return awaits;
}

// Room for one more. False: no memory.
static bool grow(struct weft_actor *actor, struct weft_actor_rare *rare)
{
    struct weft_awaits *old = rare->awaits;
    if (old != NULL && (old->count + 1) * 4 <= (old->mask + 1) * 3) return true;
    struct weft_awaits *wider = make(actor->system, old != NULL ? 2 * (old->mask + 1) : SLOTS_MIN);
    if (wider == NULL) return false;
    for (uint32_t i = 0; old != NULL && i <= old->mask; i++) {
        if (old->slots[i].reference != 0) insert(wider, old->slots[i]);
    }
    weft_awaits_free(actor);
    rare->awaits = wider;
    return true;
}

bool weft_awaits_add(struct weft_actor *actor, uint64_t reference)
{
    struct weft_actor_rare *rare = weft_actor_rare(actor);
    if (rare == NULL || !grow(actor, rare)) return false;
    insert(rare->awaits, (struct awaited){.reference = reference});
    actor->task.flags |= WEFT_ACTOR_INDEXED;
    return true;
}

void weft_awaits_aim(struct weft_actor *actor, uint64_t reference, weft_pid whom)
{
    struct awaited *entry = find(actor->rare->awaits, reference);
    if (entry != NULL) entry->whom = whom;
}

weft_pid weft_awaits_whom(const struct weft_actor *actor, uint64_t reference, weft_pid other)
{
    const struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    const struct awaited *entry = rare != NULL ? find(rare->awaits, reference) : NULL;
    return entry != NULL ? entry->whom : other;
}

struct weft_message *weft_awaits_find(const struct weft_actor *actor, uint64_t reference,
                                      bool *known)
{
    const struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    const struct awaited *entry = rare != NULL ? find(rare->awaits, reference) : NULL;
    *known = entry != NULL;
    return entry != NULL ? entry->reply : NULL;
}

bool weft_awaits_answered(struct weft_actor *actor, struct weft_message *reply)
{
    const struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    struct awaited *entry = rare != NULL ? find(rare->awaits, reply->reference) : NULL;
    if (entry == NULL || entry->reply != NULL) return false;
    entry->reply = reply;
    return true;
}

void weft_awaits_forget(struct weft_actor *actor, uint64_t reference)
{
    struct weft_actor_rare *rare = weft_actor_rare_of(actor);
    struct awaited *entry = rare != NULL ? find(rare->awaits, reference) : NULL;
    if (entry != NULL) erase(rare->awaits, entry);
}

void weft_awaits_removed(struct weft_actor_rare *rare, const struct weft_message *reply)
{
    struct awaited *entry = find(rare->awaits, reply->reference);
    if (entry != NULL) erase(rare->awaits, entry);
}

void weft_awaits_free(struct weft_actor *actor)
{
    struct weft_actor_rare *rare = actor->rare;
    if (rare->awaits == NULL) return;
    weft_message_release_block(actor->system, block_of(rare->awaits));
    rare->awaits = NULL;
}
