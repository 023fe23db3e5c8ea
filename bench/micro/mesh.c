// mesh.c: what gossip costs a node: the seal, a datagram handled, a tick over many peers; and how
// soon a swarm notices a death, by simulated time.
//
// Cost rows: CPU time of the thread, best of several runs. Detection rows are facts of the protocol
// and its timers: virtual time over a lossy wire, the same on every machine for the same seeds.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/context.h"
#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/mesh/seal.h"
#include "tests/property/mesh_world.h"

#define RUNS        5
#define BODY_BYTES  256
#define CHARGED(ns) ((ns)*weft_bench_ticks_per_ns())

static void row_ns(struct weft_bench *out, const char *row, double ns)
{
    char note[64];
    snprintf(note, sizeof(note), "%.0f ticks of the counter", CHARGED(ns));
    weft_bench_row(out, row, ns, "ns", note);
}

// ---- the seal

static void measure_seal(struct weft_bench *out)
{
    const struct weft_mesh_key key = {{WORLD_KEY_BYTE}};
    const struct weft_seal_wire header = {.magic = WEFT_SEAL_MAGIC,
                                          .version = WEFT_SEAL_VERSION,
                                          .type = WEFT_MESH_HEARTBEAT,
                                          .epoch = 1,
                                          .sender = 7,
                                          .to = 8,
                                          .counter = 1};
    const unsigned count = out->quick ? 2000 : 20000;
    struct weft_seal_cipher cipher = {0};
    uint8_t body[BODY_BYTES] = {0}, opened[BODY_BYTES];
    uint8_t datagram[BODY_BYTES + WEFT_SEAL_OVERHEAD_BYTES];
    double seal_ns = INFINITY, open_ns = INFINITY;
    weft_assert(weft_seal_cipher_key(&cipher, &key, 1, 7, header.salt) == 0);
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t from = weft_bench_cpu_ns();
        for (unsigned i = 0; i < count; i++)
            weft_assert(weft_seal(&cipher, &header, weft_span_of(body, sizeof(body)), datagram) >
                        0);
        seal_ns = fmin(seal_ns, (double)(weft_bench_cpu_ns() - from) / count);
        from = weft_bench_cpu_ns();
        for (unsigned i = 0; i < count; i++)
            weft_assert(weft_seal_open(&cipher, &header, weft_span_of(datagram, sizeof(datagram)),
                                       opened) == BODY_BYTES);
        open_ns = fmin(open_ns, (double)(weft_bench_cpu_ns() - from) / count);
    }
    weft_seal_cipher_destroy(&cipher);
    row_ns(out, "a body of 256 bytes sealed", seal_ns);
    row_ns(out, "a datagram of 256 bytes opened", open_ns);
}

static void measure_signature(struct weft_bench *out)
{
    static const uint8_t seed[WEFT_MESH_KEY_BYTES] = {1};
    struct weft_mesh_identity identity;
    uint8_t signature[WEFT_MESH_SIGNATURE_BYTES], text[100] = {0};
    const struct weft_span message = weft_span_of(text, sizeof(text));
    double verify_ns = INFINITY;
    weft_assert(weft_mesh_identity_init(&identity, seed) == 0);
    weft_assert(weft_mesh_sign(&identity, message, signature) == 0);
    for (unsigned run = 0; run < 20; run++) {
        const uint64_t from = weft_bench_cpu_ns();
        weft_assert(weft_mesh_verify(identity.public_key, message, signature) == 0);
        verify_ns = fmin(verify_ns, (double)(weft_bench_cpu_ns() - from));
    }
    weft_mesh_identity_destroy(&identity);
    row_ns(out, "a claim's signature checked (only when news)", verify_ns);
}

// ---- the engine: what node 0 of a settled swarm spends on what comes in

struct tally {
    struct world *world;
    uint64_t datagrams, bytes;
};

static bool count_datagrams(struct world *world, uint32_t from, uint32_t to, struct weft_span bytes)
{
    struct tally *tally = world->tap_self;
    (void)from, (void)to;
    tally->datagrams++;
    tally->bytes += bytes.length;
    return true;
}

// A swarm of `nodes` for `seconds`: CPU time for each datagram sealed, carried and handled.
static void measure_swarm(struct weft_bench *out, uint32_t nodes, uint32_t seconds)
{
    struct world world;
    struct tally tally = {.world = &world};
    char row[80], note[96];
    world_init(&world, 1, nodes);
    for (uint32_t i = 0; i < nodes; i++)
        world_start(&world, i);
    const bool settled =
        world_run_until(&world, world.now_ns + 30 * WEFT_NS_PER_S, world_all_alive);
    world.tap = count_datagrams;
    world.tap_self = &tally;
    const uint64_t from = weft_bench_cpu_ns();
    world_run(&world, world.now_ns + seconds * WEFT_NS_PER_S);
    const double cpu_ns = (double)(weft_bench_cpu_ns() - from);
    snprintf(row, sizeof(row), "a datagram from tick to tick, swarm of %u", nodes);
    snprintf(note, sizeof(note), "sealed, queued, opened, handled; mean %.0f bytes%s",
             (double)tally.bytes / (double)tally.datagrams, settled ? "" : " (not settled)");
    weft_bench_row(out, row, cpu_ns / (double)tally.datagrams, "ns", note);
    snprintf(row, sizeof(row), "CPU of a node, swarm of %u", nodes);
    snprintf(note, sizeof(note), "%.1f datagrams/s sent by each",
             (double)tally.datagrams / nodes / seconds);
    weft_bench_row(out, row, 100 * cpu_ns / nodes / ((double)seconds * 1e9), "% of a core", note);
    world_destroy(&world);
}

// ---- a large table: one mesh among many that know only a few

#define CROWD_MAX   1000
#define QUEUE_MAX   65536
#define CROWD_KNOWS 16

struct letter {
    uint32_t from, to;
    uint16_t length;
    uint8_t bytes[WEFT_MESH_DATAGRAM_BYTES_MAX];
};

struct crowd {
    struct weft_mesh *mesh[CROWD_MAX + 1]; // The first is the one that is measured.
    struct weft_mesh_identity identity[CROWD_MAX + 1];
    struct weft_prng entropy;
    struct letter *queue; // Delivered in order, without delay or loss.
    uint32_t head, tail;
    uint64_t now_ns;
    bool measuring;
    double tick_ns, receive_ns; // CPU time of the first mesh.
    uint64_t ticks, received;
    double tick_ns_max;
};

static void fill_random(void *self, void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)weft_prng_next(self);
}

static void post(struct crowd *crowd, uint32_t from, uint32_t count)
{
    struct weft_mesh_action action;
    while (weft_mesh_next_action(crowd->mesh[from], &action)) {
        const uint32_t to = action.address.ip - world_address(0).ip;
        if (action.kind != WEFT_MESH_SEND || to > count) continue;
        if (crowd->tail - crowd->head == QUEUE_MAX) continue; // Lost, like any datagram.
        struct letter *letter = &crowd->queue[crowd->tail++ % QUEUE_MAX];
        letter->from = from;
        letter->to = to;
        letter->length = (uint16_t)action.bytes.length;
        memcpy(letter->bytes, action.bytes.data, action.bytes.length);
    }
}

static void deliver(struct crowd *crowd, uint32_t count)
{
    while (crowd->head != crowd->tail) {
        const struct letter *letter = &crowd->queue[crowd->head % QUEUE_MAX];
        const uint64_t from = weft_bench_cpu_ns();
        weft_mesh_receive(crowd->mesh[letter->to], world_address(letter->from),
                          weft_span_of(letter->bytes, letter->length), crowd->now_ns);
        if (letter->to == 0 && crowd->measuring) {
            crowd->receive_ns += (double)(weft_bench_cpu_ns() - from);
            crowd->received++;
        }
        const uint32_t to = letter->to;
        crowd->head++;
        post(crowd, to, count);
    }
}

static void crowd_turn(struct crowd *crowd, uint32_t count)
{
    for (uint32_t i = 0; i <= count; i++) {
        if (weft_mesh_due_ns(crowd->mesh[i]) > crowd->now_ns) continue;
        const uint64_t from = weft_bench_cpu_ns();
        weft_mesh_tick(crowd->mesh[i], crowd->now_ns);
        if (i == 0 && crowd->measuring) {
            const double ns = (double)(weft_bench_cpu_ns() - from);
            crowd->tick_ns += ns;
            crowd->tick_ns_max = fmax(crowd->tick_ns_max, ns);
            crowd->ticks++;
        }
        post(crowd, i, count);
    }
    deliver(crowd, count);
    crowd->now_ns += WEFT_NS_PER_MS;
}

static void crowd_open(struct crowd *crowd, uint32_t count)
{
    crowd->now_ns = WEFT_NS_PER_S;
    weft_prng_seed(&crowd->entropy, 11);
    crowd->queue = calloc(QUEUE_MAX, sizeof(*crowd->queue));
    weft_assert(crowd->queue != NULL);
    for (uint32_t i = 0; i <= count; i++) {
        uint8_t seed[WEFT_MESH_KEY_BYTES];
        fill_random(&crowd->entropy, seed, sizeof(seed));
        weft_assert(weft_mesh_identity_init(&crowd->identity[i], seed) == 0);
        const struct weft_mesh_options options = {
            .name = "crowd",
            .identity = &crowd->identity[i],
            .key = {{WORLD_KEY_BYTE}},
            .epoch = 1,
            .own = world_address(i),
            .seeds = {world_address(0)},
            .seed_count = 1,
            .peers_max = i == 0 ? CROWD_MAX + 24 : CROWD_KNOWS,
            .wall_ns = UINT64_C(1700000000000000000),
            .entropy = {.fill = fill_random, .self = &crowd->entropy},
        };
        weft_assert(weft_mesh_create(&crowd->mesh[i], &options, crowd->now_ns) == 0);
    }
}

static void crowd_close(struct crowd *crowd, uint32_t count)
{
    for (uint32_t i = 0; i <= count; i++) {
        weft_mesh_free(crowd->mesh[i]);
        weft_mesh_identity_destroy(&crowd->identity[i]);
    }
    free(crowd->queue);
}

static void measure_crowd(struct weft_bench *out)
{
    static struct crowd crowd;
    const uint32_t count = out->quick ? 100 : CROWD_MAX;
    char row[80], note[96];
    crowd_open(&crowd, count);
    for (unsigned ms = 0; ms < 3000; ms++)
        crowd_turn(&crowd, count);
    crowd.measuring = true;
    for (unsigned ms = 0; ms < 3000; ms++)
        crowd_turn(&crowd, count);
    const uint32_t peers = weft_mesh_peer_count(crowd.mesh[0]);
    snprintf(row, sizeof(row), "tick of a table of %u peers, k = 8", peers);
    snprintf(note, sizeof(note), "mean of %llu in 3 s; longest %.0f us",
             (unsigned long long)crowd.ticks, crowd.tick_ns_max / 1e3);
    weft_bench_row(out, row, crowd.tick_ns / (double)crowd.ticks / 1e3, "us", note);
    snprintf(row, sizeof(row), "datagram handled by that node");
    snprintf(note, sizeof(note), "%.0f ticks of the counter; %.0f datagrams/s came",
             CHARGED(crowd.receive_ns / (double)crowd.received), (double)crowd.received / 3);
    weft_bench_row(out, row, crowd.receive_ns / (double)crowd.received, "ns", note);
    weft_bench_row(out, "that node's gossip, ticks and datagrams",
                   100 * (crowd.tick_ns + crowd.receive_ns) / 3e9, "% of a core", NULL);
    crowd_close(&crowd, count);
}

// ---- how soon a death is noticed

// Kills node after node of a settled swarm, and asks every survivor when it knew.
static void measure_detection(struct weft_bench *out, uint32_t nodes, uint32_t loss_permille,
                              uint32_t seeds)
{
    static uint64_t delay_ns[WORLD_NODES_MAX * 64];
    size_t count = 0, missed = 0;
    uint64_t false_alarms = 0;
    char row[80], note[96];
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct world world;
        world_init(&world, seed, nodes);
        for (uint32_t i = 0; i < nodes; i++)
            world_start(&world, i);
        world.loss_permille = loss_permille;
        world_run_until(&world, world.now_ns + 30 * WEFT_NS_PER_S, world_all_alive);
        // Never at the same phase of the heartbeat.
        world_run(&world, world.now_ns + 2 * WEFT_NS_PER_S + seed * 37 * WEFT_NS_PER_MS);
        const uint32_t victim = (uint32_t)(seed % (nodes - 1)) + 1;
        const uint64_t killed_ns = world.now_ns;
        world_kill(&world, victim);
        world_run(&world, killed_ns + 8 * WEFT_NS_PER_S);
        for (uint32_t i = 0; i < nodes; i++) {
            if (i == victim) continue;
            const uint64_t at_ns = world.nodes[i].event_ns[victim][WEFT_MESH_EVENT_DEAD];
            if (at_ns > killed_ns && count < WEFT_COUNT_OF(delay_ns)) {
                delay_ns[count++] = at_ns - killed_ns;
            } else {
                missed++;
            }
            for (uint32_t about = 0; about < nodes; about++) {
                if (about != victim)
                    false_alarms += world.nodes[i].event_count[about][WEFT_MESH_EVENT_DEAD];
            }
        }
        world_destroy(&world);
    }
    snprintf(row, sizeof(row), "death known, %u nodes, %u.%u %% loss", nodes, loss_permille / 10,
             loss_permille % 10);
    snprintf(note, sizeof(note),
             "p99; p50 %.2f s, last %.2f s; %u deaths, %zu missed, %llu false alarms",
             (double)weft_bench_percentile(delay_ns, count, 500) / 1e9,
             (double)weft_bench_percentile(delay_ns, count, 1000) / 1e9, seeds, missed,
             (unsigned long long)false_alarms);
    weft_bench_row(out, row, (double)weft_bench_percentile(delay_ns, count, 990) / 1e9, "s virtual",
                   note);
}

int main(int argc, char **argv)
{
    struct weft_bench out;
    weft_bench_begin(&out, "mesh", "memory of one process, virtual time", argc, argv);
    measure_seal(&out);
    measure_signature(&out);
    measure_swarm(&out, 3, out.quick ? 2 : 20);
    measure_swarm(&out, 50, out.quick ? 1 : 5);
    measure_crowd(&out);
    weft_bench_probe(&out);
    weft_bench_say(&out, "detection: defaults (heartbeat 500 ms, timeout 3 s), delay 50 to 300 us");
    measure_detection(&out, 3, 0, out.quick ? 2 : 40);
    measure_detection(&out, 3, 10, out.quick ? 2 : 40);
    if (!out.quick) measure_detection(&out, 100, 10, 8);
    weft_bench_end(&out);
    return 0;
}
