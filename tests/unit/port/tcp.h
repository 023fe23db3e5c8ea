// tcp.h: connections over each backend, with one core, two, and two where every actor moves after
// every slice.
#ifndef WEFT_TESTS_UNIT_PORT_TCP_H
#define WEFT_TESTS_UNIT_PORT_TCP_H

#include "tests/unit/port/parts.h"

#define DATA_OF(message) ((const char *)(message)->payload)

enum { TCP_KIND = 15, TCP_TWO_CORES = 16, TCP_MOVING = 32 };

static inline void run(void **state, play_part *part)
{
    const uintptr_t how = (uintptr_t)*state;
    const enum backend_kind kind = (enum backend_kind)(how & TCP_KIND);
    play_open(&play, kind, how & TCP_TWO_CORES ? 2 : 1);
    play.node.moves_always = play.hops = (how & TCP_MOVING) != 0;
    if (kind == BACKEND_SIM) {
        play.world.piece_max = 700;
        play.world.delay_max = 3;
    }
    part_play(part);
}

static inline int tcp_everywhere(const struct CMUnitTest *tests, size_t count)
{
    enum { TESTS_MAX = 32 };
    static const uintptr_t arrangements[] = {0, TCP_TWO_CORES, TCP_TWO_CORES | TCP_MOVING};
    struct CMUnitTest mine[TESTS_MAX];
    int failed = 0;
    assert_true(count <= TESTS_MAX);
    for (uintptr_t n = 0; n < BACKEND_KINDS * WEFT_COUNT_OF(arrangements); n++) {
        const enum backend_kind kind = (enum backend_kind)(n / WEFT_COUNT_OF(arrangements));
        const uintptr_t how = arrangements[n % WEFT_COUNT_OF(arrangements)];
        char name[64];
        if (!backend_is_there(kind)) continue;
        snprintf(name, sizeof(name), "%s, %s%s", backend_name(kind),
                 how & TCP_TWO_CORES ? "two cores" : "one core",
                 how & TCP_MOVING ? ", moving" : "");
        memcpy(mine, tests, count * sizeof(*tests));
        for (size_t i = 0; i < count; i++)
            mine[i].initial_state = (void *)(kind | how);
        failed += _cmocka_run_group_tests(name, mine, count, NULL, NULL);
    }
    return failed;
}

#endif // WEFT_TESTS_UNIT_PORT_TCP_H
