// Names that others give and take away: nothing of them is left, and a name's next owner keeps it.
#include "tests/support/cmocka.h"

#include <weft/registry.h>

#include "tests/unit/actor/cores.h"

static void ignore(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)self, (void)state, (void)message;
}

static const struct weft_actor_kind kind = {.name = "named", .handle = ignore};

static weft_pid spawn(struct cores *cores, unsigned core)
{
    weft_pid pid = 0;
    const struct weft_spawn how = {.kind = &kind};
    assert_int_equal(weft_actor_spawn(&cores->system[core], &how, 0, &pid), 0);
    return pid;
}

// As if `self`, which rests on its core, said so in a slice.
static int unregister(struct cores *cores, weft_pid self, const char *name)
{
    struct weft_actor_system *system = &cores->system[weft_pid_home(self)];
    struct weft_actor *actor = weft_actor_find(system, self);
    assert_non_null(actor);
    system->running = actor;
    const int result = weft_unregister(actor, name);
    system->running = NULL;
    system->in_user = false;
    return result;
}

static void giving_and_taking_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned core = 0; core < 2; core++) {
        static struct cores cores;
        cores_open(&cores, 2, 16);
        const weft_pid clerk = spawn(&cores, 0), named = spawn(&cores, core);
        for (unsigned i = 0; i < 1000; i++) {
            assert_int_equal(weft_actor_register(&cores.system[0], "name", named), 0);
            assert_int_equal(weft_actor_whereis(&cores.node, "name"), named);
            assert_int_equal(unregister(&cores, clerk, "name"), 0);
            assert_int_equal(weft_actor_whereis(&cores.node, "name"), 0);
            cores_settle(&cores);
            assert_int_equal(weft_actor_find(&cores.system[core], named)->edge_count, 0);
        }
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(cores.system[i].messages[0].used_count, 0);
        cores_close(&cores);
    }
}

// The withdrawal comes before what it withdraws: the edge that stays must do nothing at its end.
static void an_old_edge_does_not_touch_the_next_owner(void **state)
{
    (void)state;
    static struct cores cores;
    cores_open(&cores, 3, 16);
    const weft_pid old = spawn(&cores, 1), clerk = spawn(&cores, 2), next = spawn(&cores, 2);
    cores_settle(&cores);
    assert_int_equal(weft_actor_register(&cores.system[0], "name", old), 0);
    assert_int_equal(unregister(&cores, clerk, "name"), 0);
    weft_core_turn(cores.core[2]);
    weft_core_turn(cores.core[1]);
    cores_settle(&cores);
    assert_int_equal(weft_actor_register(&cores.system[2], "name", next), 0);
    assert_int_equal(weft_actor_kill(&cores.system[1], old, WEFT_EXIT_KILLED), 0);
    for (unsigned turn = 0; turn < 8; turn++) {
        weft_core_turn(cores.core[turn % 3]);
        assert_int_equal(weft_actor_whereis(&cores.node, "name"), next);
    }
    assert_int_equal(weft_actor_kill(&cores.system[2], next, WEFT_EXIT_KILLED), 0);
    cores_settle(&cores);
    assert_int_equal(weft_actor_whereis(&cores.node, "name"), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(cores.system[i].messages[0].used_count, 0);
    cores_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(giving_and_taking_leaves_nothing),
        cmocka_unit_test(an_old_edge_does_not_touch_the_next_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
