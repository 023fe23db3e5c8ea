#include "dataplane/pool.h"

#include <stdatomic.h>
#include <stdio.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "runtime/base/units.h"
#include "runtime/env/net.h"

#define POOL_COUNT_MAX  (UINT32_C(1) << 20)
#define POOL_CACHE      256
#define POOL_CACHE_TINY 32

_Static_assert(sizeof(struct weft_packet) <= WEFT_POOL_PRIVATE_BYTES, "a packet fits its place");
_Static_assert(WEFT_POOL_PRIVATE_BYTES % RTE_MBUF_PRIV_ALIGN == 0,
               "as rte_pktmbuf_pool_create asks");
_Static_assert(RTE_PKTMBUF_HEADROOM == WEFT_PACKET_HEADROOM, "alloc leaves what net.h promises");
_Static_assert(RTE_MBUF_DEFAULT_DATAROOM >= WEFT_PACKET_DATA_MAX, "and so long a buffer");

static void set_home(struct rte_mempool *pool, void *home, void *object, unsigned index)
{
    (void)pool;
    (void)index;
    struct weft_packet *packet = rte_mbuf_to_priv(object);
    packet->next = NULL;
    packet->home = *(const uint8_t *)home;
}

struct rte_mempool *weft_pool_create(uint8_t home, uint32_t packet_count, struct weft_error *error)
{
    static atomic_uint
        made; // Names are unique in a process; two nodes in one test may share a core index.
    char name[RTE_MEMPOOL_NAMESIZE];
    uint32_t count = 63;

    if (packet_count == 0) packet_count = WEFT_POOL_COUNT_DEFAULT;
    if (packet_count >= POOL_COUNT_MAX) packet_count = POOL_COUNT_MAX - 1;
    while (count < packet_count)
        count = 2 * count + 1;
    snprintf(name, sizeof(name), "weft%u.%u", home, atomic_fetch_add(&made, 1));
    struct rte_mempool *pool = rte_pktmbuf_pool_create(
        name, count, count > 4 * POOL_CACHE ? POOL_CACHE : POOL_CACHE_TINY, WEFT_POOL_PRIVATE_BYTES,
        RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
    if (pool == NULL) {
        weft_error_set(error, 203, "packets: no memory for the %u buffers of core %u: %s", count,
                       home, rte_strerror(rte_errno));
        weft_error_hint(error, "they take %u MB: lower their number, or give the node more memory",
                        (unsigned)(count * UINT64_C(2432) / WEFT_MIB + 1));
        return NULL;
    }
    rte_mempool_obj_iter(pool, set_home, &home);
    return pool;
}

void weft_pool_free(struct rte_mempool *pool)
{
    rte_mempool_free(pool);
}

uint32_t weft_pool_free_count(const struct rte_mempool *pool)
{
    return rte_mempool_avail_count(pool);
}
