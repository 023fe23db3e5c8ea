// group.c: groups of actors by name. Every core has its own copy, so a core sends to a group
// without asking anybody; who joins or leaves tells the other cores in the order of messages, so
// whoever is sent a message by the new member afterwards knows it already. (As Erlang's `pg`.)
//
// The copies are made of the blocks that bring the news: another core needs no memory of its own to
// take a member in, and what will tell of its leaving is made when it joins.
#include <errno.h>
#include <string.h>

#include <weft/registry.h>

#include "runtime/actor/internal.h"

#define BUCKETS_BITS 10

struct member {                // Behind a block: JOIN on its way, a member in a copy.
    struct weft_list siblings; // Members of the same group; the first is in a bucket.
    struct member *next;       // In the bucket by name; only the first of a group.
    struct member *next_same;  // In the bucket by reference.
    uint64_t reference;        // The membership's.
    weft_pid pid;
    uint64_t name[8];
    uint64_t hash;
};

struct weft_groups {
    struct member *by_name[1 << BUCKETS_BITS];
    struct member *by_reference[1 << BUCKETS_BITS];
};

struct leaves { // Hidden behind the edge of the actor: the LEAVE for each other core.
    struct weft_message *first;
};

static struct member *member_of(struct weft_message *block)
{
    return (struct member *)(void *)block->payload;
}

static struct weft_message *block_of(struct member *member)
{
    return (struct weft_message *)(void *)((uint8_t *)member -
                                           offsetof(struct weft_message, payload));
}

static struct member **bucket(struct member **buckets, uint64_t key)
{
    return &buckets[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BUCKETS_BITS)];
}

int weft_groups_init(struct weft_actor_system *system)
{
    system->groups = weft_arena_alloc_zeroed(system->arena, sizeof(*system->groups));
    return system->groups != NULL ? 0 : -ENOMEM;
}

void weft_groups_destroy(struct weft_actor_system *system)
{
    weft_arena_release(system->arena, system->groups, sizeof(*system->groups));
    system->groups = NULL;
}

// ---- One core's copy.

static struct member *find_group(const struct weft_groups *groups, const uint64_t name[8],
                                 uint64_t hash)
{
    struct member *first = *bucket((struct member **)(uintptr_t)groups->by_name, hash);
    while (first != NULL &&
           (first->hash != hash || memcmp(first->name, name, sizeof(first->name)) != 0))
        first = first->next;
    return first;
}

void weft_group_name(const struct weft_actor_system *system, uint64_t reference, char *name)
{
    const struct member *member = *bucket(system->groups->by_reference, reference);
    while (member != NULL && member->reference != reference)
        member = member->next_same;
    name[0] = '\0';
    if (member != NULL) memcpy(name, member->name, sizeof(member->name));
}

static void take_in(struct weft_groups *groups, struct member *member)
{
    struct member *first = find_group(groups, member->name, member->hash);
    weft_list_init(&member->siblings);
    if (first != NULL) {
        weft_list_append(&first->siblings, &member->siblings);
    } else {
        struct member **at = bucket(groups->by_name, member->hash);
        member->next = *at;
        *at = member;
    }
    struct member **same = bucket(groups->by_reference, member->reference);
    member->next_same = *same;
    *same = member;
}

static struct member *take_out(struct weft_groups *groups, uint64_t reference)
{
    struct member **same = bucket(groups->by_reference, reference), *member;
    while (*same != NULL && (*same)->reference != reference)
        same = &(*same)->next_same;
    member = *same;
    if (member == NULL) return NULL;
    *same = member->next_same;
    struct member **at = bucket(groups->by_name, member->hash);
    while (*at != NULL && *at != member)
        at = &(*at)->next;
    if (*at == member) { // It was the first: the next of the group takes its place.
        if (weft_list_empty(&member->siblings)) {
            *at = member->next;
        } else {
            struct member *heir = WEFT_CONTAINER_OF(member->siblings.next, struct member, siblings);
            heir->next = member->next;
            *at = heir;
        }
    }
    weft_list_remove(&member->siblings);
    return member;
}

void weft_group_ordered(struct weft_actor_system *system, struct weft_message *order)
{
    if (order->tag == TAG_JOIN) {
        order->tag = WEFT_MESSAGE_USER;
        take_in(system->groups, member_of(order));
        return;
    }
    struct member *member = take_out(system->groups, order->reference);
    if (member != NULL) weft_message_release_block(system, block_of(member));
    weft_message_release_block(system, order);
}

// ---- Joining and leaving.

static struct weft_message *make_member(struct weft_actor_system *system, const uint64_t name[8],
                                        uint64_t hash, weft_pid pid, uint64_t reference)
{
    struct weft_message *block = weft_message_alloc_hidden(system, sizeof(struct member));
    if (block == NULL) return NULL;
    struct member *member = member_of(block);
    *member = (struct member){.reference = reference, .pid = pid, .hash = hash};
    memcpy(member->name, name, sizeof(member->name));
    block->tag = TAG_JOIN;
    return block;
}

static struct leaves *leaves_of(struct weft_message *edge)
{
    return (struct leaves *)(void *)edge->payload;
}

static void free_chain(struct weft_actor_system *system, struct weft_message *chain)
{
    while (chain != NULL) {
        struct weft_message *next = (struct weft_message *)(void *)chain->link[0];
        weft_message_release_block(system, chain);
        chain = next;
    }
}

// The blocks for every other core: JOINs in *joins, LEAVEs behind `edge`. False: no memory.
static bool make_news(struct weft_actor_system *system, struct weft_message *edge,
                      const struct member *own, struct weft_message **joins)
{
    *joins = NULL;
    leaves_of(edge)->first = NULL;
    for (uint64_t mask = system->node->core_mask & ~(UINT64_C(1) << system->index); mask != 0;
         mask &= mask - 1) {
        struct weft_message *join =
            make_member(system, own->name, own->hash, own->pid, own->reference);
        struct weft_message *leave = weft_message_alloc_control(system);
        if (join != NULL) {
            join->link[0] = weft_message_link(*joins);
            *joins = join;
        }
        if (leave != NULL) {
            leave->tag = TAG_LEAVE;
            leave->reference = own->reference;
            leave->link[0] = weft_message_link(leaves_of(edge)->first);
            leaves_of(edge)->first = leave;
        }
        if (join == NULL || leave == NULL) {
            free_chain(system, *joins);
            free_chain(system, leaves_of(edge)->first);
            return false;
        }
    }
    return true;
}

static void tell_others(struct weft_actor_system *system, struct weft_message *chain)
{
    for (uint64_t mask = system->node->core_mask & ~(UINT64_C(1) << system->index); mask != 0;
         mask &= mask - 1) {
        struct weft_message *news = chain;
        chain = (struct weft_message *)(void *)news->link[0];
        weft_order(system, (uint16_t)__builtin_ctzll(mask), news);
    }
}

static struct member *find_member(const struct weft_groups *groups, const uint64_t name[8],
                                  uint64_t hash, weft_pid pid)
{
    struct member *first = find_group(groups, name, hash);
    if (first == NULL || first->pid == pid) return first;
    WEFT_LIST_FOR_EACH (link, &first->siblings) {
        struct member *member = WEFT_CONTAINER_OF(link, struct member, siblings);
        if (member->pid == pid) return member;
    }
    return NULL;
}

static int join(struct weft_actor *self, const char *group)
{
    struct weft_actor_system *system = self->system;
    uint64_t name[8], hash;
    struct weft_message *joins;
    if (!weft_name_key(group, name, &hash)) return -EINVAL;
    if (find_member(system->groups, name, hash, self->pid) != NULL) return -EEXIST;
    struct weft_message *edge = weft_message_alloc_control(system);
    if (edge == NULL) return -ENOMEM;
    edge->reference = ++system->reference;
    struct weft_message *own = make_member(system, name, hash, self->pid, edge->reference);
    if (own == NULL || !make_news(system, edge, member_of(own), &joins)) {
        if (own != NULL) weft_message_release_block(system, own);
        weft_message_release_block(system, edge);
        return -ENOMEM;
    }
    edge->tag = TAG_EDGE_MEMBER;
    weft_edge_add(self, edge);
    weft_group_ordered(system, own);
    tell_others(system, joins);
    return 0;
}

int weft_group_join(struct weft_actor *self, const char *group)
{
    enter(self);
    const int result = join(self, group);
    leave(self);
    return result;
}

void weft_member_end(struct weft_actor *actor, struct weft_message *edge)
{
    struct weft_actor_system *system = actor->system;
    tell_others(system, leaves_of(edge)->first);
    edge->tag = TAG_LEAVE; // And for this core, the edge itself.
    weft_group_ordered(system, edge);
}

int weft_group_leave(struct weft_actor *self, const char *group)
{
    struct weft_actor_system *system = enter(self);
    uint64_t name[8], hash;
    const struct member *member = weft_name_key(group, name, &hash)
                                      ? find_member(system->groups, name, hash, self->pid)
                                      : NULL;
    struct weft_message *edge =
        member != NULL ? weft_edge_take(self, TAG_EDGE_MEMBER, member->reference) : NULL;
    if (edge != NULL) weft_member_end(self, edge);
    leave(self);
    return edge != NULL ? 0 : -ENOENT;
}

// ---- Using them.

size_t weft_group_members(const struct weft_actor *self, const char *group, weft_pid *pids,
                          size_t limit)
{
    uint64_t name[8], hash;
    if (!weft_name_key(group, name, &hash)) return 0;
    struct member *first = find_group(self->system->groups, name, hash);
    size_t count = 0;
    if (first == NULL) return 0;
    if (count++ < limit) pids[0] = first->pid;
    WEFT_LIST_FOR_EACH (link, &first->siblings) {
        if (count < limit) pids[count] = WEFT_CONTAINER_OF(link, struct member, siblings)->pid;
        count++;
    }
    return count;
}

size_t weft_group_send(struct weft_actor *self, const char *group, uint16_t type, const void *bytes,
                       size_t length)
{
    // By number: a send may wait, and the group be another one afterwards.
    weft_pid pids[64];
    size_t sent = 0;
    const size_t count = weft_group_members(self, group, pids, WEFT_COUNT_OF(pids));
    if (count <= WEFT_COUNT_OF(pids)) {
        for (size_t i = 0; i < count; i++)
            sent += pids[i] != self->pid && weft_send(self, pids[i], type, bytes, length) == 0;
        return sent;
    }
    weft_pid *all = weft_alloc(self, count * sizeof(*all));
    if (all == NULL) return 0;
    const size_t found = weft_group_members(self, group, all, count);
    for (size_t i = 0; i < found && i < count; i++)
        sent += all[i] != self->pid && weft_send(self, all[i], type, bytes, length) == 0;
    weft_free(self, all);
    return sent;
}
