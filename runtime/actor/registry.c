// registry.c: names of actors, one table for all cores of the node. Reads take no lock, writes
// claim one place with one compare-and-swap.
//
// Each name has two buckets of eight places and stands in one of the sixteen (Azar et al. 1994,
// "Balanced allocations"): nothing is ever moved, and a name that goes leaves nothing behind. The
// words of a bucket, hash and state of each place, are one cache line. A place is FREE, CLAIMED
// (its name is being written) or LIVE. Two cores that register the same name at once claim two
// places; then each looks at the sixteen again: the one behind gives way, the one in front waits
// for that. A reader checks the word before and after it has read the name.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weft/registry.h>

#include "runtime/actor/internal.h"
#include "runtime/sched/fence.h"

#define NAME_WORDS    8 // Of 8 bytes: 63 and a zero.
#define BUCKET_PLACES 8
#define STEPS         (2 * BUCKET_PLACES)
#define PLACES_EACH   4 // Places for each name that there may be: then both buckets are hardly full.

enum state { FREE, CLAIMED, LIVE };

struct entry {
    _Atomic uint64_t pid;
    _Atomic uint64_t name[NAME_WORDS];
};

struct weft_registry {
    uint32_t bucket_mask;
    uint32_t name_count_max;
    _Atomic uint32_t name_count;
    _Atomic uint64_t *words; // The name's hash, and the state in the lowest two bits.
    struct entry *entries;
};

struct key {
    uint64_t hash; // The lowest two bits are 0.
    uint64_t name[NAME_WORDS];
};

int weft_registry_init(struct weft_actor_node *node, uint32_t name_count_max)
{
    size_t buckets = 8;
    while (buckets * BUCKET_PLACES < (size_t)PLACES_EACH * name_count_max)
        buckets *= 2;
    const size_t places = buckets * BUCKET_PLACES;
    struct weft_registry *registry = calloc(1, sizeof(*registry));
    if (registry == NULL) return -ENOMEM;
    node->registry = registry;
    registry->bucket_mask = (uint32_t)(buckets - 1);
    registry->name_count_max = name_count_max;
    registry->words = aligned_alloc(64, places * sizeof(registry->words[0]));
    registry->entries = calloc(places, sizeof(registry->entries[0]));
    if (registry->words == NULL || registry->entries == NULL) {
        weft_registry_destroy(node);
        return -ENOMEM;
    }
    memset((void *)registry->words, 0, places * sizeof(registry->words[0]));
    return 0;
}

void weft_registry_destroy(struct weft_actor_node *node)
{
    if (node->registry == NULL) return;
    free((void *)node->registry->words);
    free(node->registry->entries);
    free(node->registry);
    node->registry = NULL;
}

// The next 8 bytes of `*name`, as memory has them, up to what ends it. Byte by byte: what is behind
// the end may not be ours to read.
static inline uint64_t next_word(const char **name, bool *is_end)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        const uint64_t byte = (unsigned char)**name;
        *is_end = byte <= 32;
        if (*is_end) break;
        word |= byte << 8 * i;
        ++*name;
    }
    return word;
}

bool weft_name_key(const char *name, uint64_t words[8], uint64_t *hash)
{
    const char *end = name;
    uint64_t mixed = 0;
    bool is_end = false;
    memset(words, 0, NAME_WORDS * sizeof(words[0]));
    for (size_t i = 0; i < NAME_WORDS && !is_end; i++) {
        words[i] = next_word(&end, &is_end);
        mixed = (mixed ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        mixed ^= mixed >> 32;
    }
    if (end == name || !is_end || *end != '\0') return false;
    // Once more: the last bytes of a word have reached the upper bits only.
    mixed *= UINT64_C(0x9e3779b97f4a7c15);
    *hash = mixed ^ mixed >> 32;
    return true;
}

static bool make_key(const char *name, struct key *key)
{
    if (!weft_name_key(name, key->name, &key->hash)) return false;
    key->hash &= ~UINT64_C(3);
    return true;
}

// The place of `key` in each step: eight of its first bucket, eight of its second.
static uint32_t place_at(const struct weft_registry *registry, const struct key *key, uint32_t step)
{
    const uint32_t first = (uint32_t)(key->hash >> 2), second = (uint32_t)(key->hash >> 33) | 1;
    const uint32_t bucket = step < BUCKET_PLACES ? first : first + second; // Never the same one.
    return (bucket & registry->bucket_mask) * BUCKET_PLACES + step % BUCKET_PLACES;
}

static bool has_name(const struct entry *entry, const struct key *key)
{
    for (size_t i = 0; i < NAME_WORDS; i++) {
        // Relaxed: the word is read again afterwards.
        if (atomic_load_explicit(&entry->name[i], memory_order_relaxed) != key->name[i])
            return false;
        if (key->name[i] >> 56 == 0) return true; // The last byte of a word is 0: its end.
    }
    return true;
}

// The pid of `key`, 0 if it has none, and the place.
static weft_pid find(const struct weft_registry *registry, const struct key *key, uint32_t *place)
{
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t at = place_at(registry, key, step);
        // Acquire: pairs with the release store of LIVE in enter_name: name and pid are whole.
        const uint64_t word = atomic_load_explicit(&registry->words[at], memory_order_acquire);
        if (word != (key->hash | LIVE) || !has_name(&registry->entries[at], key)) continue;
        const weft_pid pid = atomic_load_explicit(&registry->entries[at].pid, memory_order_relaxed);
        // Acquire fence: the reads above come before this one; the same word: the same name.
        weft_acquire_fence();
        if (atomic_load_explicit(&registry->words[at], memory_order_relaxed) != word) continue;
        *place = at;
        return pid;
    }
    return 0;
}

// Takes a place that nobody has; *step says which of the sixteen. False: there is none.
static bool claim(struct weft_registry *registry, const struct key *key, uint32_t *step)
{
    for (*step = 0; *step < STEPS; ++*step) {
        uint64_t word = FREE;
        // Sequentially consistent: of two that claim for the same name, one sees the other.
        if (atomic_compare_exchange_strong(&registry->words[place_at(registry, key, *step)], &word,
                                           key->hash | CLAIMED))
            return true;
    }
    return false;
}

// True if the name is somebody else's: LIVE elsewhere, or being claimed in a step before ours. One
// claimed behind us gives way if it sees us; if it has looked before we came (into a place that
// became free meanwhile), it will be LIVE. Either takes its core a few instructions, and it waits
// for nobody in front. An equal hash counts as an equal name while the name cannot be read: wrong
// once in 2^62.
static bool is_taken(const struct weft_registry *registry, const struct key *key, uint32_t own)
{
    for (uint32_t step = 0; step < STEPS; step++) {
        if (step == own) continue;
        const uint32_t at = place_at(registry, key, step);
        uint64_t word;
        do
            word = atomic_load(&registry->words[at]);
        while (word == (key->hash | CLAIMED) && step > own);
        if (word == (key->hash | CLAIMED)) return true;
        if (word == (key->hash | LIVE) && has_name(&registry->entries[at], key)) return true;
    }
    return false;
}

static void free_place(struct weft_registry *registry, uint32_t at)
{
    // Release: whoever claims it next comes after us.
    atomic_store_explicit(&registry->words[at], FREE, memory_order_release);
    atomic_fetch_sub_explicit(&registry->name_count, 1, memory_order_relaxed);
}

// 0 and the place; -EEXIST, -ENOSPC.
static int enter_name(struct weft_registry *registry, const struct key *key, weft_pid pid,
                      uint64_t *place)
{
    uint32_t other, step;
    if (find(registry, key, &other) != 0) return -EEXIST;
    if (atomic_fetch_add_explicit(&registry->name_count, 1, memory_order_relaxed) >=
            registry->name_count_max ||
        !claim(registry, key, &step)) {
        atomic_fetch_sub_explicit(&registry->name_count, 1, memory_order_relaxed);
        return -ENOSPC;
    }
    const uint32_t at = place_at(registry, key, step);
    if (is_taken(registry, key, step)) {
        free_place(registry, at);
        return -EEXIST;
    }
    struct entry *entry = &registry->entries[at];
    for (size_t i = 0; i < NAME_WORDS; i++)
        atomic_store_explicit(&entry->name[i], key->name[i], memory_order_relaxed);
    atomic_store_explicit(&entry->pid, pid, memory_order_relaxed);
    // Release: pairs with the acquire load in find.
    atomic_store_explicit(&registry->words[at], key->hash | LIVE, memory_order_release);
    *place = at;
    return 0;
}

// Frees a place if `pid` has it still, under the same word. Of two that try, one does.
static bool remove_name(struct weft_registry *registry, uint64_t place, uint64_t word, weft_pid pid)
{
    const uint64_t claimed = (word & ~UINT64_C(3)) | CLAIMED;
    // Not even for a moment, if another one has the name by now: readers would not find it.
    if (atomic_load_explicit(&registry->entries[place].pid, memory_order_relaxed) != pid)
        return false;
    if (!atomic_compare_exchange_strong(&registry->words[place], &word, claimed)) return false;
    const bool is_ours =
        atomic_load_explicit(&registry->entries[place].pid, memory_order_relaxed) == pid;
    if (is_ours)
        free_place(registry, (uint32_t)place);
    else
        atomic_store_explicit(&registry->words[place], (claimed & ~UINT64_C(3)) | LIVE,
                              memory_order_release);
    return is_ours;
}

// ---- The name as an edge of its actor: gone with it.

static uint64_t *word_of(struct weft_message *edge)
{
    return (uint64_t *)(void *)edge->payload;
}

void weft_registry_name(const struct weft_actor_node *node, uint64_t place, char *name)
{
    const struct entry *entry = &node->registry->entries[place];
    for (size_t i = 0; i < NAME_WORDS; i++) {
        // Relaxed: its holder is here and keeps it; one that goes just now is read as it was.
        const uint64_t word = atomic_load_explicit(&entry->name[i], memory_order_relaxed);
        memcpy(name + i * sizeof(word), &word, sizeof(word));
        if (word >> 56 == 0) return;
    }
    name[WEFT_NAME_MAX] = '\0';
}

void weft_name_end(struct weft_actor *actor, struct weft_message *edge)
{
    remove_name(actor->system->node->registry, edge->reference, *word_of(edge), actor->pid);
    weft_message_release_block(actor->system, edge);
}

// The edge of a name that was taken away; none if another one stands in its place.
static struct weft_message *take_edge(struct weft_actor *actor, uint64_t place, uint64_t word)
{
    struct weft_message *edge = weft_edge_take(actor, TAG_EDGE_NAME, place);
    if (edge == NULL || *word_of(edge) == word) return edge;
    weft_edge_add(actor, edge);
    return NULL;
}

enum { GIVEN, WITHDRAWN }; // `type` of TAG_NAME.

// The name is no more; so is its edge, which stands with `pid`, wherever that is. Without memory to
// say so there, it stays until the actor ends, and does nothing.
static void withdraw_edge(struct weft_actor_system *system, uint64_t place, uint64_t word,
                          weft_pid pid)
{
    struct weft_message *withdrawn = weft_message_alloc_control(system);
    if (withdrawn == NULL) return;
    withdrawn->tag = TAG_NAME;
    withdrawn->type = WITHDRAWN;
    withdrawn->to = pid;
    withdrawn->reference = place;
    *word_of(withdrawn) = word;
    weft_signal(system, withdrawn);
}

static void withdrawal_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                               struct weft_message *withdrawn)
{
    const uint64_t word = *word_of(withdrawn);
    struct weft_message *edge = actor != NULL ? take_edge(actor, withdrawn->reference, word) : NULL;
    if (edge != NULL) weft_message_release_block(system, edge);
    weft_message_release_block(system, withdrawn);
}

void weft_name_arrived(struct weft_actor_system *system, struct weft_actor *actor,
                       struct weft_message *edge)
{
    if (edge->type == WITHDRAWN) {
        withdrawal_arrived(system, actor, edge);
        return;
    }
    if (actor == NULL || (actor->task.flags & WEFT_ACTOR_ZOMBIE) != 0) {
        remove_name(system->node->registry, edge->reference, *word_of(edge), edge->to);
        weft_message_release_block(system, edge);
        return;
    }
    edge->tag = TAG_EDGE_NAME;
    weft_edge_add(actor, edge);
}

// ---- The calls.

// A name goes while its actor ends, perhaps after others have been told of the end: to them it is
// free already. True: it was such a name, and is free now.
static bool free_if_dead(struct weft_actor_system *system, const struct key *key)
{
    struct weft_registry *registry = system->node->registry;
    uint32_t place;
    const weft_pid holder = find(registry, key, &place);
    return holder != 0 && !weft_slot_may_be(system, holder) &&
           remove_name(registry, place, key->hash | LIVE, holder);
}

int weft_actor_register(struct weft_actor_system *system, const char *name, weft_pid pid)
{
    struct key key;
    if (!make_key(name, &key)) return -EINVAL;
    if (!weft_slot_may_be(system, pid)) return -ESRCH;
    struct weft_message *edge = weft_message_alloc_control(system);
    if (edge == NULL) return -ENOMEM;
    int result = enter_name(system->node->registry, &key, pid, &edge->reference);
    if (result == -EEXIST && free_if_dead(system, &key))
        result = enter_name(system->node->registry, &key, pid, &edge->reference);
    if (result != 0) {
        weft_message_release_block(system, edge);
        return result;
    }
    *word_of(edge) = key.hash | LIVE;
    edge->tag = TAG_NAME;
    edge->type = GIVEN;
    edge->to = pid;
    weft_signal(system, edge);
    return 0;
}

int weft_register(struct weft_actor *self, const char *name, weft_pid pid)
{
    struct weft_actor_system *system = enter(self);
    const int result = weft_actor_register(system, name, pid != 0 ? pid : self->pid);
    leave(self);
    return result;
}

int weft_unregister(struct weft_actor *self, const char *name)
{
    struct weft_actor_system *system = enter(self);
    struct weft_registry *registry = system->node->registry;
    struct key key;
    uint32_t place;
    const weft_pid pid = make_key(name, &key) ? find(registry, &key, &place) : 0;
    const bool removed = pid != 0 && remove_name(registry, place, key.hash | LIVE, pid);
    if (removed) withdraw_edge(system, place, key.hash | LIVE, pid);
    leave(self);
    return removed ? 0 : -ENOENT;
}

weft_pid weft_actor_whereis(const struct weft_actor_node *node, const char *name)
{
    struct key key;
    uint32_t place;
    return make_key(name, &key) ? find(node->registry, &key, &place) : 0;
}

weft_pid weft_whereis(const struct weft_actor *self, const char *name)
{
    return weft_actor_whereis(self->system->node, name);
}

int weft_send_named(struct weft_actor *self, const char *name, uint16_t type, const void *bytes,
                    size_t length)
{
    const weft_pid pid = weft_whereis(self, name);
    return pid != 0 ? weft_send(self, pid, type, bytes, length) : -ESRCH;
}
