// The bytes of each datagram, against another implementation; and what happens when they change.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/mesh/mesh.h"
#include "runtime/mesh/wire.h"
#include "tests/unit/mesh/golden.h"

#define TO    UINT64_C(0x1122334455667788)
#define EPOCH 7

struct fixture {
    struct weft_mesh_identity identity;
    struct weft_mesh_key key;
    uint8_t salt[WEFT_SEAL_SALT_BYTES], nonce[WEFT_SESSION_NONCE_BYTES];
    struct weft_seal_cipher cipher;
    struct weft_claim_wire claim;
};

static void setup(struct fixture *fixture)
{
    static const uint8_t seed[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda,
                                     0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
                                     0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24,
                                     0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(weft_mesh_identity_init(&fixture->identity, seed), 0);
    for (uint8_t i = 0; i < 32; i++)
        fixture->key.bytes[i] = i;
    for (uint8_t i = 0; i < 16; i++)
        fixture->salt[i] = (uint8_t)(0xa0 + i);
    for (uint8_t i = 0; i < 16; i++)
        fixture->nonce[i] = (uint8_t)(0xc0 + i);
    assert_int_equal(weft_seal_cipher_key(&fixture->cipher, &fixture->key, EPOCH,
                                          fixture->identity.id, fixture->salt),
                     0);
    fixture->claim = (struct weft_claim_wire){.incarnation = UINT64_C(1700000000123) << 20 | 1,
                                              .wall_ns = UINT64_C(1700000000456000000),
                                              .sequence = 3,
                                              .capabilities = 0x11,
                                              .units = 42,
                                              .ip = 0x0a000001,
                                              .port = 4300,
                                              .busy_permille = 250,
                                              .name = "n1"};
    assert_int_equal(weft_claim_sign(&fixture->claim, &fixture->identity), 0);
}

static void teardown(struct fixture *fixture)
{
    weft_seal_cipher_destroy(&fixture->cipher);
    weft_mesh_identity_destroy(&fixture->identity);
}

static size_t body_of(const struct fixture *fixture, enum weft_mesh_type type, uint8_t *body)
{
    const uint64_t id = fixture->identity.id;
    struct weft_probe_wire probe = {.sequence = 77};
    switch (type) {
    case WEFT_MESH_HELLO: memcpy(body, &fixture->claim, 160); return 160;
    case WEFT_MESH_CHALLENGE: {
        struct weft_challenge_wire wire;
        memcpy(wire.nonce, fixture->nonce, 16);
        memcpy(wire.salt, fixture->salt, 16);
        memcpy(body, &wire, sizeof(wire));
        return sizeof(wire);
    }
    case WEFT_MESH_PROOF: {
        struct weft_proof_wire wire = {.claim = fixture->claim};
        memcpy(wire.nonce, fixture->nonce, 16);
        memcpy(body, &wire, sizeof(wire));
        return sizeof(wire);
    }
    case WEFT_MESH_HEARTBEAT: {
        const struct weft_heartbeat_wire head = {
            .busy_permille = 250, .claim_count = 1, .rumour_count = 1, .units = 42};
        const struct weft_rumour_wire rumour = {
            .id = TO, .incarnation = 99, .witness = id, .state = WEFT_MESH_SUSPECT};
        memcpy(body, &head, 8);
        memcpy(body + 8, &fixture->claim, 160);
        memcpy(body + 168, &rumour, 32);
        return 200;
    }
    case WEFT_MESH_PING_REQUEST:
        probe = (struct weft_probe_wire){.sequence = 78, .node = TO};
        break;
    case WEFT_MESH_ACK: probe.node = id; break;
    case WEFT_MESH_SEXP:
        return (size_t)sprintf((char *)body,
                               "(host-msg :to \"1122334455667788\" :from \"%016llx\" "
                               ":payload \"hi\")",
                               (unsigned long long)id);
    default: break;
    }
    memcpy(body, &probe, sizeof(probe));
    return sizeof(probe);
}

static int seal(struct fixture *fixture, enum weft_mesh_type type, uint8_t *datagram)
{
    uint8_t body[WEFT_WIRE_BODY_BYTES_MAX];
    const size_t length = body_of(fixture, type, body);
    struct weft_seal_wire header = {.version = WEFT_SEAL_VERSION,
                                    .type = (uint8_t)type,
                                    .epoch = EPOCH,
                                    .sender = fixture->identity.id,
                                    .to = type == WEFT_MESH_HELLO ? 0 : TO,
                                    .counter = (uint64_t)type};
    memcpy(header.salt, fixture->salt, sizeof(header.salt));
    return weft_seal(&fixture->cipher, &header, weft_span_of(body, length), datagram);
}

static void seals_as_promised(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    for (int type = WEFT_MESH_HELLO; type < WEFT_MESH_TYPE_COUNT; type++) {
        uint8_t datagram[WEFT_MESH_DATAGRAM_BYTES_MAX];
        char hex[2 * WEFT_MESH_DATAGRAM_BYTES_MAX + 1];
        const int length = seal(&fixture, (enum weft_mesh_type)type, datagram);
        assert_true(length > 0);
        for (int i = 0; i < length; i++)
            sprintf(hex + 2 * i, "%02x", datagram[i]);
        if (strcmp(hex, golden_datagrams[type - 1]) != 0)
            fail_msg("%s:\n%s", weft_mesh_type_name((enum weft_mesh_type)type), hex);
    }
    teardown(&fixture);
}

static void opens_only_what_was_sealed(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    uint8_t datagram[WEFT_MESH_DATAGRAM_BYTES_MAX], body[WEFT_MESH_DATAGRAM_BYTES_MAX];
    uint8_t expected[WEFT_MESH_DATAGRAM_BYTES_MAX];
    const size_t length = (size_t)seal(&fixture, WEFT_MESH_HEARTBEAT, datagram);
    const size_t body_length = body_of(&fixture, WEFT_MESH_HEARTBEAT, expected);
    struct weft_seal_wire header;
    enum weft_drop drop;

    assert_int_equal(
        weft_seal_header_read(weft_span_of(datagram, length), EPOCH, 1200, &header, &drop), 0);
    assert_int_equal(weft_seal_open(&fixture.cipher, &header, weft_span_of(datagram, length), body),
                     body_length);
    assert_memory_equal(body, expected, body_length);

    for (size_t at = 0; at < length; at++) { // One bit anywhere.
        datagram[at] ^= 0x10;
        if (weft_seal_header_read(weft_span_of(datagram, length), EPOCH, 1200, &header, &drop) ==
                0 &&
            weft_seal_open(&fixture.cipher, &header, weft_span_of(datagram, length), body) >= 0)
            fail_msg("byte %zu", at);
        datagram[at] ^= 0x10;
    }
    for (size_t cut = 0; cut < length; cut++) {
        const struct weft_span part = weft_span_of(datagram, cut);
        if (weft_seal_header_read(part, EPOCH, 1200, &header, &drop) != 0) {
            assert_int_equal(drop, WEFT_DROP_MESH_SHORT);
            assert_true(cut < WEFT_SEAL_OVERHEAD_BYTES);
        } else if (weft_seal_open(&fixture.cipher, &header, part, body) >= 0) {
            fail_msg("cut at %zu", cut);
        }
    }
    teardown(&fixture);
}

// What goes into the key: change any part, and it is another's.
static void a_key_is_of_one_boot(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    uint8_t datagram[WEFT_MESH_DATAGRAM_BYTES_MAX], body[WEFT_MESH_DATAGRAM_BYTES_MAX];
    const size_t length = (size_t)seal(&fixture, WEFT_MESH_PING, datagram);
    struct weft_seal_wire header;
    enum weft_drop drop;
    assert_int_equal(
        weft_seal_header_read(weft_span_of(datagram, length), EPOCH, 1200, &header, &drop), 0);

    for (int change = 0; change < 5; change++) {
        struct weft_mesh_key key = fixture.key;
        struct weft_seal_cipher cipher = {0};
        uint8_t salt[16];
        memcpy(salt, fixture.salt, sizeof(salt));
        if (change == 1) key.bytes[31] ^= 1;
        if (change == 2) salt[0] ^= 1;
        const uint32_t epoch = change == 3 ? EPOCH + 1 : EPOCH;
        const uint64_t sender = change == 4 ? fixture.identity.id + 1 : fixture.identity.id;
        assert_int_equal(weft_seal_cipher_key(&cipher, &key, epoch, sender, salt), 0);
        const int opened = weft_seal_open(&cipher, &header, weft_span_of(datagram, length), body);
        assert_int_equal(opened, change == 0 ? 32 : -EBADMSG);

        // The same slot keyed again must be as good as new.
        assert_int_equal(
            weft_seal_cipher_key(&cipher, &fixture.key, EPOCH, fixture.identity.id, fixture.salt),
            0);
        assert_int_equal(weft_seal_open(&cipher, &header, weft_span_of(datagram, length), body),
                         32);
        weft_seal_cipher_destroy(&cipher);
    }
    teardown(&fixture);
}

static void claims_are_their_signers_own(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture);
    assert_int_equal(weft_claim_verify(&fixture.claim), 0);
    assert_true(weft_claim_sane(&fixture.claim));
    for (size_t at = 0; at < sizeof(fixture.claim); at++) {
        ((uint8_t *)&fixture.claim)[at] ^= 1;
        if (weft_claim_verify(&fixture.claim) == 0) fail_msg("byte %zu", at);
        ((uint8_t *)&fixture.claim)[at] ^= 1;
    }
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        int bytes;
    } cases[] = {
        {"no name", offsetof(struct weft_claim_wire, name), 0, 28},
        {"a name without an end", offsetof(struct weft_claim_wire, name), 'x', 28},
        {"a name with a bell", offsetof(struct weft_claim_wire, name), 7, 1},
        {"a name with more behind it", offsetof(struct weft_claim_wire, name) + 9, 'x', 1},
        {"no address", offsetof(struct weft_claim_wire, ip), 0, 4},
        {"a multicast address", offsetof(struct weft_claim_wire, ip), 0xe0, 4},
        {"no port", offsetof(struct weft_claim_wire, port), 0, 2},
        {"busier than all the time", offsetof(struct weft_claim_wire, busy_permille), 0xff, 2},
        {"an incarnation at the end", offsetof(struct weft_claim_wire, incarnation), 0xff, 8},
        {"no incarnation", offsetof(struct weft_claim_wire, incarnation), 0, 8},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_claim_wire claim = fixture.claim;
        memset((uint8_t *)&claim + cases[i].at, cases[i].value, (size_t)cases[i].bytes);
        if (weft_claim_sane(&claim)) fail_msg("%s", cases[i].name);
    }
    teardown(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_as_promised),
        cmocka_unit_test(opens_only_what_was_sealed),
        cmocka_unit_test(a_key_is_of_one_boot),
        cmocka_unit_test(claims_are_their_signers_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
