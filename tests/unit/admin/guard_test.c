// Who may ask: Host, Origin, and the uid at the other end of the socket.
#include "tests/support/cmocka.h"

#include "runtime/admin/guard.h"
#include "runtime/base/units.h"

static void hosts(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
        bool good;
    } cases[] = {
        {"localhost:9338", 9338, true},
        {"LOCALHOST:9338", 9338, true},
        {"127.0.0.1:9338", 9338, true},
        {"[::1]:9338", 9338, true},
        {"localhost", 80, true},
        {NULL, 9338, false},
        {"", 9338, false},
        {"localhost", 9338, false},
        {"localhost:9339", 9338, false},
        {"localhost:93380", 9338, false},
        {"localhost.evil:9338", 9338, false},
        {"127.0.0.1.nip.io:9338", 9338, false},
        {"evil.example:9338", 9338, false},
        {"127.0.0.2:9338", 9338, false},
        {"::1:9338", 9338, false},
        {"localhost :9338", 9338, false},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        if (weft_guard_host(cases[i].host, cases[i].port) != cases[i].good) {
            fail_msg("%s", cases[i].host);
        }
    }
}

static void origins(void **state)
{
    (void)state;
    assert_true(weft_guard_origin(NULL, 9338));
    assert_true(weft_guard_origin("http://localhost:9338", 9338));
    assert_false(weft_guard_origin("https://localhost:9338", 9338));
    assert_false(weft_guard_origin("http://localhost:9339", 9338));
    assert_false(weft_guard_origin("http://evil.example", 9338));
    assert_false(weft_guard_origin("null", 9338));
    assert_false(weft_guard_origin("", 9338));
}

static void writers(void **state)
{
    static const struct {
        const char *name;
        struct weft_guard_peer peer;
        bool may;
    } cases[] = {
        {"ourselves", {1000, 1000, 65534, true}, true},
        {"root", {0, 1000, 65534, true}, true},
        {"another user", {1001, 1000, 65534, true}, false},
        {"ourselves, root of a user namespace", {0, 0, 65534, false}, true},
        {"a user that is not mapped here", {65534, 0, 65534, false}, false},
        {"not mapped, and neither are we", {65534, 65534, 65534, false}, false},
        {"nobody itself, where it is real", {65534, 65534, 65534, true}, true},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        if (weft_guard_write(&cases[i].peer) != cases[i].may) fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(origins),
        cmocka_unit_test(writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
