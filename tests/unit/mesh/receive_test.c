// Every way in which a datagram can be wrong has one reason, costs one counter, and changes
// nothing.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/mesh/wire.h"
#include "tests/property/mesh_world.h"

#define S        WEFT_NS_PER_S
#define ACCEPTED WEFT_DROP_COUNT

// ---- what left the nodes

struct recording {
    uint32_t from, to; // Which way to record.
    bool hold;         // And to keep from arriving.
    uint32_t count;
    struct {
        uint32_t length;
        uint8_t bytes[WEFT_MESH_DATAGRAM_BYTES_MAX];
    } datagrams[256];
};

static bool record(struct world *world, uint32_t from, uint32_t to, struct weft_span bytes)
{
    struct recording *tape = world->tap_self;
    if (from != tape->from || to != tape->to || tape->count == WEFT_COUNT_OF(tape->datagrams))
        return true;
    tape->datagrams[tape->count].length = (uint32_t)bytes.length;
    memcpy(tape->datagrams[tape->count++].bytes, bytes.data, bytes.length);
    return !tape->hold;
}

static struct recording *listen_to(struct world *world, uint32_t from, uint32_t to, bool hold)
{
    struct recording *tape = calloc(1, sizeof(*tape));
    assert_non_null(tape);
    *tape = (struct recording){.from = from, .to = to, .hold = hold};
    world->tap = record;
    world->tap_self = tape;
    return tape;
}

static void stop_listening(struct world *world)
{
    free(world->tap_self);
    world->tap = NULL;
    world->tap_self = NULL;
}

static void begin(struct world *world, uint32_t node_count)
{
    world_init(world, 42, node_count);
    for (uint32_t i = 0; i < node_count; i++)
        world_start(world, i);
    assert_true(world_run_until(world, 10 * S, world_all_alive));
    world_run(world, world->now_ns + S);
}

// Node 0 receives `bytes`; the reason why it did not take them, or ACCEPTED.
static uint32_t fate(struct world *world, uint32_t from, const void *bytes, size_t length)
{
    struct weft_mesh_stats before, after;
    struct weft_mesh *mesh = world->nodes[0].mesh;
    weft_mesh_stats(mesh, &before);
    weft_mesh_receive(mesh, world_address(from), weft_span_of(bytes, length), world->now_ns);
    weft_mesh_stats(mesh, &after);
    world_drain(world, 0);
    assert_int_equal(after.received, before.received + 1);
    uint32_t result = UINT32_MAX;
    if (after.accepted == before.accepted + 1) result = ACCEPTED;
    for (uint32_t drop = 0; drop < WEFT_DROP_COUNT; drop++) {
        if (after.dropped[drop] == before.dropped[drop]) continue;
        assert_int_equal(result, UINT32_MAX); // One fate only.
        assert_int_equal(after.dropped[drop], before.dropped[drop] + 1);
        result = drop;
    }
    return result;
}

static const char *fate_name(uint32_t drop)
{
    return drop < WEFT_DROP_COUNT ? weft_drop_info((enum weft_drop)drop)->reason : "accepted";
}

// ---- datagrams from outside

static void refuses_what_changed_on_its_way(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 2);
    struct recording *tape = listen_to(&world, 1, 0, true);
    world_run(&world, world.now_ns + S);
    assert_true(tape->count > 0);
    uint8_t *bytes = tape->datagrams[0].bytes;
    const uint32_t length = tape->datagrams[0].length;
    const uint64_t hash = weft_mesh_hash(world.nodes[0].mesh);

    for (uint32_t cut = 0; cut < length; cut++) {
        const uint32_t why = fate(&world, 1, bytes, cut);
        const uint32_t expected =
            cut < WEFT_SEAL_OVERHEAD_BYTES ? WEFT_DROP_MESH_SHORT : WEFT_DROP_MESH_KEY;
        if (why != expected) fail_msg("cut at %u: %s", cut, fate_name(why));
    }
    static const struct {
        uint32_t from, to; // Bytes.
        uint32_t why;
    } parts[] = {
        {0, 5, WEFT_DROP_MESH_VERSION},                                  // Magic, version.
        {5, 8, WEFT_DROP_MESH_KEY},                                      // Type, flags.
        {8, 12, WEFT_DROP_MESH_EPOCH},                                   //
        {12, 16, WEFT_DROP_MESH_KEY},                                    // Reserved.
        {16, 24, WEFT_DROP_MESH_KEY},                                    // Sender.
        {24, 32, WEFT_DROP_MESH_NOT_OURS}, {32, 48, WEFT_DROP_MESH_KEY}, // Salt.
        {48, 1200, WEFT_DROP_MESH_KEY},                                  // Counter, body, tag.
    };
    for (size_t part = 0; part < WEFT_COUNT_OF(parts); part++) {
        for (uint32_t at = parts[part].from; at < parts[part].to && at < length; at++) {
            bytes[at] ^= 0x40;
            const uint32_t why = fate(&world, 1, bytes, length);
            if (why != parts[part].why) fail_msg("byte %u: %s", at, fate_name(why));
            bytes[at] ^= 0x40;
            world.now_ns += WEFT_NS_PER_MS; // Strangers are paced.
        }
    }
    uint8_t huge[1201] = {0};
    memcpy(huge, bytes, length);
    assert_int_equal(fate(&world, 1, huge, sizeof(huge)), WEFT_DROP_MESH_MALFORMED);
    assert_int_equal(weft_mesh_hash(world.nodes[0].mesh), hash);

    // None of it spoilt the genuine one; once.
    assert_int_equal(fate(&world, 1, bytes, length), ACCEPTED);
    assert_int_equal(fate(&world, 1, bytes, length), WEFT_DROP_MESH_REPLAY);
    stop_listening(&world);
    world_destroy(&world);
}

static void refuses_its_own_and_others(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 3);
    struct recording *tape = listen_to(&world, 0, 1, false);
    world_run(&world, world.now_ns + S);
    assert_true(tape->count > 0);
    assert_int_equal(fate(&world, 0, tape->datagrams[0].bytes, tape->datagrams[0].length),
                     WEFT_DROP_MESH_OWN);
    stop_listening(&world);

    tape = listen_to(&world, 1, 2, true); // Caught on the way to another, never seen there.
    world_run(&world, world.now_ns + S);
    assert_true(tape->count > 0);
    assert_int_equal(fate(&world, 1, tape->datagrams[0].bytes, tape->datagrams[0].length),
                     WEFT_DROP_MESH_NOT_OURS);
    stop_listening(&world);
    world_destroy(&world);
}

static void another_cluster_stays_outside(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 7, 3);
    world.nodes[2].other_key = true;
    for (uint32_t i = 0; i < 3; i++)
        world_start(&world, i);
    world_run(&world, 26 * S);

    struct weft_mesh_stats stats[3];
    for (uint32_t i = 0; i < 3; i++)
        weft_mesh_stats(world.nodes[i].mesh, &stats[i]);
    assert_int_equal(stats[0].alive, 1);
    assert_int_equal(stats[1].alive, 1);
    assert_int_equal(stats[2].alive, 0);
    assert_true(stats[0].dropped[WEFT_DROP_MESH_KEY] > 10);
    assert_int_equal(stats[2].accepted, 0);
    assert_int_equal(world.nodes[0].refused_count, 3); // In 25 s, one in ten.
    world_destroy(&world);
}

// ---- datagrams from a member that does not keep the rules

struct insider {
    struct weft_seal_cipher cipher;
    struct weft_seal_wire header;
    struct world *world;
};

// Takes on node 1's present boot.
static void insider_init(struct insider *insider, struct world *world)
{
    struct weft_mesh_key key;
    enum weft_drop drop;
    struct recording *tape = listen_to(world, 1, 0, false);
    world_run(world, world->now_ns + S);
    assert_true(tape->count > 0);
    *insider = (struct insider){.world = world};
    assert_int_equal(
        weft_seal_header_read(weft_span_of(tape->datagrams[0].bytes, tape->datagrams[0].length), 1,
                              1200, &insider->header, &drop),
        0);
    memset(key.bytes, WORLD_KEY_BYTE, sizeof(key.bytes));
    assert_int_equal(weft_seal_cipher_key(&insider->cipher, &key, 1, insider->header.sender,
                                          insider->header.salt),
                     0);
    insider->header.counter = 1000;
    stop_listening(world);
}

static uint32_t insider_sends(struct insider *insider, uint8_t type, const void *body,
                              size_t length)
{
    uint8_t datagram[WEFT_MESH_DATAGRAM_BYTES_MAX];
    insider->header.type = type;
    insider->header.counter += 1;
    const int sealed =
        weft_seal(&insider->cipher, &insider->header, weft_span_of(body, length), datagram);
    assert_true(sealed > 0);
    return fate(insider->world, 1, datagram, (size_t)sealed);
}

static struct weft_claim_wire claim_of(struct world *world, uint32_t node, uint32_t sequence)
{
    struct weft_mesh_peer_info info = {.incarnation = 1};
    if (node != 0)
        weft_mesh_peer_find(world->nodes[0].mesh, world->nodes[node].identity.id, 0, &info);
    struct weft_claim_wire claim = {.incarnation = info.incarnation,
                                    .sequence = sequence,
                                    .ip = world_address(node).ip,
                                    .port = world_address(node).port,
                                    .name = "n2"};
    assert_int_equal(weft_claim_sign(&claim, &world->nodes[node].identity), 0);
    return claim;
}

static void a_body_has_its_length(void **state)
{
    (void)state;
    struct world world;
    struct insider insider;
    uint8_t body[WEFT_WIRE_BODY_BYTES_MAX] = {0};
    begin(&world, 2);
    insider_init(&insider, &world);
    const uint64_t hash = weft_mesh_hash(world.nodes[0].mesh);
    static const size_t right[WEFT_MESH_TYPE_COUNT] = {[WEFT_MESH_PROOF] = 176,
                                                       [WEFT_MESH_PING] = 32,
                                                       [WEFT_MESH_ACK] = 32,
                                                       [WEFT_MESH_PING_REQUEST] = 32};

    for (uint32_t type = 0; type < 256; type += type < 10 ? 1 : 49) {
        for (size_t length = 0; length <= sizeof(body); length += length < 200 ? 1 : 101) {
            const bool good = type < WEFT_MESH_TYPE_COUNT && length > 0 && length == right[type];
            uint32_t expected = good ? (uint32_t)ACCEPTED : (uint32_t)WEFT_DROP_MESH_MALFORMED;
            if (type == WEFT_MESH_CHALLENGE && length == 32) expected = WEFT_DROP_MESH_SALT;
            if (type == WEFT_MESH_HELLO && length == 160) expected = WEFT_DROP_MESH_SIGNATURE;
            const uint32_t why = insider_sends(&insider, (uint8_t)type, body, length);
            if (why != expected) fail_msg("type %u, %zu bytes: %s", type, length, fate_name(why));
        }
    }
    assert_int_equal(weft_mesh_hash(world.nodes[0].mesh), hash);
    weft_seal_cipher_destroy(&insider.cipher);
    world_destroy(&world);
}

static void a_heartbeat_is_believed_whole_or_not_at_all(void **state)
{
    (void)state;
    struct world world;
    struct insider insider;
    begin(&world, 3);
    insider_init(&insider, &world);
    const uint64_t hash = weft_mesh_hash(world.nodes[0].mesh);
    struct {
        struct weft_heartbeat_wire head;
        struct weft_claim_wire claims[2];
        struct weft_rumour_wire rumour;
    } beat, good = {.head = {.claim_count = 2, .rumour_count = 1},
                    .claims = {claim_of(&world, 1, 100), claim_of(&world, 2, 100)},
                    .rumour = {.id = 1}};

    for (int fault = 0; fault < 9; fault++) {
        uint32_t expected = WEFT_DROP_MESH_MALFORMED;
        beat = good;
        switch (fault) {
        case 0: beat.head.claim_count = 0; break;
        case 1: beat.head.claim_count = 6; break;
        case 2: beat.head.claim_count = 1; break;
        case 3: beat.head.rumour_count = 200; break;
        case 4: beat.head.busy_permille = 1001; break;
        case 5: beat.rumour.state = 3; break;
        case 6: beat.claims[1].name[0] = '\0'; break;
        case 7: // Not the sender's own.
            beat.claims[0] = good.claims[1];
            expected = WEFT_DROP_MESH_SIGNATURE;
            break;
        case 8: // The second was changed by the first.
            beat.claims[1].units += 1;
            expected = WEFT_DROP_MESH_SIGNATURE;
            break;
        }
        const uint32_t why = insider_sends(&insider, WEFT_MESH_HEARTBEAT, &beat, sizeof(beat));
        if (why != expected) fail_msg("fault %d: %s", fault, fate_name(why));
        struct weft_mesh_peer_info info;
        weft_mesh_peer_find(world.nodes[0].mesh, world.nodes[1].identity.id, 0, &info);
        assert_int_equal(info.load.units, 0);
    }
    assert_int_equal(weft_mesh_hash(world.nodes[0].mesh), hash);
    assert_int_equal(insider_sends(&insider, WEFT_MESH_HEARTBEAT, &good, sizeof(good)), ACCEPTED);
    weft_seal_cipher_destroy(&insider.cipher);
    world_destroy(&world);
}

// Rumours of an incarnation that its owner never signed move nothing.
static void rumours_need_a_signed_incarnation(void **state)
{
    (void)state;
    struct world world;
    struct insider insider;
    begin(&world, 3);
    insider_init(&insider, &world);
    struct weft_mesh_peer_info info;
    weft_mesh_peer_find(world.nodes[0].mesh, world.nodes[2].identity.id, 0, &info);
    const uint64_t hash = weft_mesh_hash(world.nodes[0].mesh);
    const uint64_t steps[] = {UINT64_MAX, 1, (uint64_t)-1};
    for (size_t i = 0; i < WEFT_COUNT_OF(steps); i++) {
        for (int self = 0; self < 2; self++) {
            struct {
                struct weft_heartbeat_wire head;
                struct weft_claim_wire claim;
                struct weft_rumour_wire rumour;
            } beat = {.head = {.claim_count = 1, .rumour_count = 1},
                      .claim = claim_of(&world, 1, 100),
                      .rumour = {.id = world.nodes[self ? 0 : 2].identity.id,
                                 .incarnation = i == 0 ? steps[0] : info.incarnation + steps[i],
                                 .state = WEFT_MESH_DEAD}};
            assert_int_equal(insider_sends(&insider, WEFT_MESH_HEARTBEAT, &beat, sizeof(beat)),
                             ACCEPTED);
            assert_int_equal(weft_mesh_hash(world.nodes[0].mesh), hash);
        }
    }
    weft_seal_cipher_destroy(&insider.cipher);
    world_destroy(&world);
}

// ---- boots

static void a_recording_of_an_old_boot_is_nobody(void **state)
{
    (void)state;
    struct world world;
    struct weft_mesh_stats before, after;
    struct weft_mesh_peer_info info;
    world_init(&world, 11, 2);
    struct recording *tape = listen_to(&world, 1, 0, false);
    world_start(&world, 0);
    world_start(&world, 1);
    assert_true(world_run_until(&world, 10 * S, world_all_alive));
    weft_mesh_send_envelope(world.nodes[1].mesh, world.nodes[0].identity.id,
                            weft_span_text("pay 100"), world.now_ns);
    world_drain(&world, 1);
    world_run(&world, world.now_ns + 3 * S);
    assert_int_equal(world.nodes[0].delivered_count, 1);
    world.tap = NULL;

    for (int round = 0; round < 3; round++) {
        if (round == 1) { // Its owner is dead ...
            world_kill(&world, 1);
            world_run(&world, world.now_ns + 5 * S);
        } else if (round == 2) { // ... and has begun again.
            world_start(&world, 1);
            assert_true(world_run_until(&world, world.now_ns + 3 * S, world_all_alive));
            world_run(&world, world.now_ns + S);
        }
        weft_mesh_stats(world.nodes[0].mesh, &before);
        const uint64_t hash = weft_mesh_hash(world.nodes[0].mesh);
        for (uint32_t i = 0; i < tape->count; i++) {
            const uint32_t why =
                fate(&world, 1, tape->datagrams[i].bytes, tape->datagrams[i].length);
            uint32_t expected = round == 2 ? WEFT_DROP_MESH_SALT : WEFT_DROP_MESH_REPLAY;
            // Its old challenge to our present boot: answered, which tells nobody anything new.
            if (round == 2 && tape->datagrams[i].bytes[5] == WEFT_MESH_CHALLENGE)
                expected = ACCEPTED;
            if (why != expected) fail_msg("round %d, datagram %u: %s", round, i, fate_name(why));
        }
        weft_mesh_stats(world.nodes[0].mesh, &after);
        assert_true(after.sent_bytes - before.sent_bytes <=
                    after.received_bytes - before.received_bytes); // It is no amplifier.
        assert_true(after.sent - before.sent <= 2); // One challenge and one proof, not each time.
        assert_int_equal(weft_mesh_hash(world.nodes[0].mesh), hash);
        assert_int_equal(world.nodes[0].delivered_count, 1);
        world_run(&world, world.now_ns + 2 * S); // What the challenge may have led to.
        assert_int_equal(weft_mesh_hash(world.nodes[0].mesh), hash);
        assert_true(weft_mesh_peer_find(world.nodes[0].mesh, world.nodes[1].identity.id,
                                        world.now_ns, &info));
        assert_int_equal(info.state, round == 1 ? WEFT_MESH_DEAD : WEFT_MESH_ALIVE);
    }
    // A receiver that begins again has no window of the sender: it asks before it listens.
    world_kill(&world, 0);
    world_start(&world, 0);
    for (uint32_t i = 0; i < tape->count; i++) {
        assert_int_equal(fate(&world, 1, tape->datagrams[i].bytes, tape->datagrams[i].length),
                         WEFT_DROP_MESH_SALT);
    }
    assert_int_equal(weft_mesh_peer_count(world.nodes[0].mesh), 0);
    world.tap_self = NULL;
    free(tape);
    world_destroy(&world);
}

static void a_clock_set_back_is_no_hindrance(void **state)
{
    (void)state;
    for (int quick = 0; quick < 2; quick++) {
        struct world world;
        begin(&world, 3);
        world_kill(&world, 2);
        if (!quick) world_run(&world, world.now_ns + 6 * S);
        world.nodes[2].clock_behind_ns = 3600 * S;
        world_start(&world, 2);
        assert_true(world_run_until(&world, world.now_ns + 3 * S, world_all_alive));
        world_run(&world, world.now_ns + 3 * S);
        assert_true(world_all_alive(&world));
        assert_true(world.nodes[0].restarted_count >= 1);
        world_destroy(&world);
    }
}

// ---- the table and the envelopes

static void a_full_table_keeps_the_living(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 3);
    world.peers_max = 1;
    world_start(&world, 0);
    world_start(&world, 1);
    assert_true(world_run_until(&world, 10 * S, world_all_alive));
    world_start(&world, 2);
    world_run(&world, world.now_ns + 5 * S);
    struct weft_mesh_stats stats;
    struct weft_mesh_peer_info info;
    weft_mesh_stats(world.nodes[0].mesh, &stats);
    assert_true(stats.dropped[WEFT_DROP_MESH_TABLE_FULL] > 0);
    assert_false(weft_mesh_peer_find(world.nodes[0].mesh, world.nodes[2].identity.id, 0, &info));

    world_kill(&world, 1); // The dead give way.
    world_run(&world, world.now_ns + 8 * S);
    assert_true(weft_mesh_peer_find(world.nodes[0].mesh, world.nodes[2].identity.id, 0, &info));
    assert_int_equal(info.state, WEFT_MESH_ALIVE);
    world_destroy(&world);
}

static void the_dead_are_forgotten(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 6, 2);
    world.forget_ns = 20 * S;
    world_start(&world, 0);
    world_start(&world, 1);
    assert_true(world_run_until(&world, 10 * S, world_all_alive));
    world_kill(&world, 1);
    world_run(&world, world.now_ns + 15 * S);
    assert_int_equal(weft_mesh_peer_count(world.nodes[0].mesh), 1);
    world_run(&world, world.now_ns + 10 * S);
    assert_int_equal(weft_mesh_peer_count(world.nodes[0].mesh), 0);
    world_destroy(&world);
}

static void envelopes_cross(void **state)
{
    (void)state;
    struct world world;
    uint8_t bytes[WEFT_MESH_PAYLOAD_BYTES_MAX + 1];
    begin(&world, 2);
    struct weft_mesh *mesh = world.nodes[0].mesh;
    const uint64_t there = world.nodes[1].identity.id;
    memset(bytes, 'x', sizeof(bytes));

    static const struct {
        size_t length;
        char fill;
        int result;
    } cases[] = {{0, 'x', 0},    {1, '\0', 0},           {260, '\0', 0},
                 {1000, 'x', 0}, {1001, 'x', -EMSGSIZE}, {500, '\0', -EMSGSIZE}};
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        memset(bytes, cases[i].fill, sizeof(bytes));
        const uint32_t before = world.nodes[1].delivered_count;
        assert_int_equal(weft_mesh_send_envelope(mesh, there, weft_span_of(bytes, cases[i].length),
                                                 world.now_ns),
                         cases[i].result);
        world_drain(&world, 0);
        world_run(&world, world.now_ns + 10 * WEFT_NS_PER_MS);
        assert_int_equal(world.nodes[1].delivered_count - before, cases[i].result == 0);
        if (cases[i].result != 0) continue;
        assert_int_equal(world.nodes[1].delivered_length, cases[i].length);
        assert_memory_equal(world.nodes[1].delivered, bytes, cases[i].length);
    }
    assert_int_equal(weft_mesh_send_envelope(mesh, weft_mesh_id(mesh), weft_span_text("me"), 0), 0);
    world_drain(&world, 0);
    assert_int_equal(world.nodes[0].delivered_count, 1);

    const uint64_t counted = weft_drop_get(&world.nodes[0].drops, WEFT_DROP_MESH_NO_PEER);
    assert_int_equal(weft_mesh_send_envelope(mesh, 99, weft_span_text("x"), 0), -EHOSTUNREACH);
    world_kill(&world, 1);
    world_run(&world, world.now_ns + 5 * S);
    assert_int_equal(weft_mesh_send_envelope(mesh, there, weft_span_text("x"), 0), -EHOSTUNREACH);
    assert_int_equal(weft_drop_get(&world.nodes[0].drops, WEFT_DROP_MESH_NO_PEER), counted + 2);
    world_destroy(&world);
}

static void an_undrained_mesh_loses_and_counts(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 2);
    struct weft_mesh_stats stats;
    int result = 0;
    for (int i = 0; i < 200; i++) {
        result = weft_mesh_send_envelope(world.nodes[0].mesh, world.nodes[1].identity.id,
                                         weft_span_text("x"), world.now_ns);
    }
    assert_int_equal(result, -ENOBUFS);
    weft_mesh_stats(world.nodes[0].mesh, &stats);
    assert_true(stats.actions_lost > 0);
    world_drain(&world, 0);
    world_run(&world, world.now_ns + 3 * S);
    assert_true(world_all_alive(&world));
    world_destroy(&world);
}

static void load_travels(void **state)
{
    (void)state;
    struct world world;
    struct weft_mesh_peer_info info;
    begin(&world, 3);
    world.nodes[1].load = (struct weft_mesh_load){.busy_permille = 700, .units = 12};
    world_run(&world, world.now_ns + 2 * S);
    assert_true(
        weft_mesh_peer_find(world.nodes[2].mesh, world.nodes[1].identity.id, world.now_ns, &info));
    assert_int_equal(info.load.busy_permille, 700);
    assert_int_equal(info.load.units, 12);
    assert_string_equal(info.name, "n2");
    assert_true(info.rx_count > 0 && info.tx_count > 0);
    assert_true(info.age_ns < S);
    // The wire takes 50 to 300 us each way; an old average is weighed 7 to 1.
    assert_true(info.rtt_ns >= 100 * WEFT_NS_PER_US && info.rtt_ns <= 600 * WEFT_NS_PER_US);
    world_destroy(&world);
}

static void options_out_of_range(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 1);
    const struct weft_entropy entropy = weft_entropy_linux();
    for (int fault = 0; fault < 9; fault++) {
        struct weft_mesh *mesh;
        struct weft_mesh_options options = {.name = "n1",
                                            .identity = &world.nodes[0].identity,
                                            .own = world_address(0),
                                            .entropy = entropy};
        switch (fault) {
        case 1: options.name[0] = '\0'; break;
        case 2: options.gossip_k = WEFT_MESH_GOSSIP_K_MAX + 1; break;
        case 3: options.heartbeat_ns = 1; break;
        case 4: options.timeout_ns = S; break;
        case 5: options.peers_max = WEFT_MESH_PEERS_MAX + 1; break;
        case 6: options.seed_count = WEFT_MESH_SEEDS_MAX + 1; break;
        case 7: options.own.port = 0; break;
        case 8: options.identity = NULL; break;
        }
        assert_int_equal(weft_mesh_create(&mesh, &options, 1), fault == 0 ? 0 : -EINVAL);
        if (fault == 0) weft_mesh_free(mesh);
    }
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_changed_on_its_way),
        cmocka_unit_test(refuses_its_own_and_others),
        cmocka_unit_test(another_cluster_stays_outside),
        cmocka_unit_test(a_body_has_its_length),
        cmocka_unit_test(a_heartbeat_is_believed_whole_or_not_at_all),
        cmocka_unit_test(rumours_need_a_signed_incarnation),
        cmocka_unit_test(a_recording_of_an_old_boot_is_nobody),
        cmocka_unit_test(a_clock_set_back_is_no_hindrance),
        cmocka_unit_test(a_full_table_keeps_the_living),
        cmocka_unit_test(the_dead_are_forgotten),
        cmocka_unit_test(envelopes_cross),
        cmocka_unit_test(an_undrained_mesh_loses_and_counts),
        cmocka_unit_test(load_travels),
        cmocka_unit_test(options_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
