#include "runtime/mesh/peer_table.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/base/assert.h"

int weft_peer_table_init(struct weft_peer_table *table, uint32_t count_max)
{
    *table = (struct weft_peer_table){.count_max = count_max};
    table->peers = calloc(count_max, sizeof(*table->peers));
    if (table->peers == NULL || weft_id_index_init(&table->index, count_max) != 0) {
        weft_peer_table_destroy(table);
        return -ENOMEM;
    }
    return 0;
}

void weft_peer_table_destroy(struct weft_peer_table *table)
{
    free(table->peers);
    weft_id_index_destroy(&table->index);
    *table = (struct weft_peer_table){0};
}

struct weft_peer *weft_peer_find(const struct weft_peer_table *table, uint64_t id)
{
    const uint32_t slot = weft_id_index_find(&table->index, id);
    return slot == WEFT_ID_INDEX_NONE ? NULL : &table->peers[slot];
}

bool weft_peer_room(const struct weft_peer_table *table)
{
    return table->count < table->count_max || table->state_count[WEFT_MESH_DEAD] > 0;
}

static struct weft_peer *longest_dead(const struct weft_peer_table *table)
{
    struct weft_peer *oldest = NULL;
    for (uint32_t i = 0; i < table->count; i++) {
        struct weft_peer *peer = &table->peers[i];
        if (peer->state != WEFT_MESH_DEAD) continue;
        if (oldest == NULL || peer->state_ns < oldest->state_ns) oldest = peer;
    }
    return oldest;
}

struct weft_peer *weft_peer_add(struct weft_peer_table *table, uint64_t id, uint64_t now_ns,
                                uint64_t *evicted)
{
    *evicted = 0;
    if (table->count == table->count_max) {
        struct weft_peer *dead = longest_dead(table);
        if (dead == NULL) return NULL;
        *evicted = dead->id;
        weft_peer_remove(table, dead);
    }
    struct weft_peer *peer = &table->peers[table->count];
    *peer = (struct weft_peer){.id = id, .state = WEFT_MESH_ALIVE, .state_ns = now_ns};
    weft_id_index_put(&table->index, id, table->count);
    table->count += 1;
    table->state_count[WEFT_MESH_ALIVE] += 1;
    return peer;
}

void weft_peer_remove(struct weft_peer_table *table, struct weft_peer *peer)
{
    struct weft_peer *last = &table->peers[table->count - 1];
    weft_assert(peer <= last);
    table->state_count[peer->state] -= 1;
    weft_id_index_remove(&table->index, peer->id);
    if (peer != last) {
        *peer = *last;
        weft_id_index_put(&table->index, peer->id, (uint32_t)(peer - table->peers));
    }
    table->count -= 1;
}

void weft_peer_state_set(struct weft_peer_table *table, struct weft_peer *peer,
                         enum weft_mesh_state state, uint64_t now_ns)
{
    table->state_count[peer->state] -= 1;
    table->state_count[state] += 1;
    peer->state = state;
    peer->state_ns = now_ns;
}
