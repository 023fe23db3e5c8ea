// Names that differ in little: as many can be registered as there may be.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdio.h>

#include "runtime/actor/internal.h"
#include "tests/unit/actor/cores.h"

static void nothing(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)self, (void)state, (void)message;
}

static const struct weft_actor_kind kind = {.name = "nothing", .handle = nothing};

static void alike_names_find_room(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "w%02u",      "wo%02u",      "wor%02u",    "work%02u",
        "worker%02u", "worker-%02u", "%02uworker", "a_much_longer_name_with_number_%02u"};
    for (size_t i = 0; i < WEFT_COUNT_OF(formats); i++) {
        static struct cores cores;
        weft_pid pid;
        const struct weft_spawn spawn = {.kind = &kind};
        cores_open(&cores, 1, 16);
        assert_int_equal(weft_actor_spawn(&cores.system[0], &spawn, 0, &pid), 0);
        for (unsigned n = 0; n < 64; n++) {
            char name[64];
            snprintf(name, sizeof(name), formats[i], n);
            if (weft_actor_register(&cores.system[0], name, pid) != 0) fail_msg("%s", name);
            assert_true(weft_actor_whereis(&cores.node, name) == pid);
        }
        assert_int_equal(weft_actor_register(&cores.system[0], "one-more", pid), -ENOSPC);
        cores_close(&cores);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alike_names_find_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
