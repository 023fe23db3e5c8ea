// Names of units are given once, and the least busy of those who ask takes what comes from outside.
#include "tests/support/cmocka.h"

#include <string.h>

#include "runtime/node/unit_registry.h"

static void names_are_checked_and_taken_once(void **state)
{
    static const struct {
        const char *name;
        uint16_t code; // Of the refusal; 0: taken.
    } cases[] = {
        {"counter", 0},
        {"counter", 403},
        {"udp-calc.2", 0},
        {"", 504},
        {"2nd", 504},
        {"two words", 504},
        {"a/b", 504},
        {"a-name-of-thirty-one-characters", 0},
        {"a-name-of-thirty-two-characters!", 504},
        {"third", 0},
        {"fourth", 203},
    };
    struct weft_unit_registry registry;
    (void)state;
    assert_int_equal(weft_unit_registry_init(&registry, 4), 0);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_error error = {0};
        const struct weft_resident *resident =
            weft_unit_registry_add(&registry, cases[i].name, &error);
        if (error.code != cases[i].code) fail_msg("%s: W%04u", cases[i].name, error.code);
        assert_int_equal(resident != NULL, cases[i].code == 0);
    }
    weft_unit_registry_remove(&registry, weft_unit_registry_find(&registry, "counter"));
    assert_null(weft_unit_registry_find(&registry, "counter"));
    struct weft_error error = {0};
    assert_int_equal(weft_unit_registry_add(&registry, "counter", &error)->index, 0);
    assert_int_equal(weft_counter_get(&registry.live_count), 4);
    weft_unit_registry_destroy(&registry);
}

static struct weft_resident *add(struct weft_unit_registry *registry, const char *name,
                                 uint64_t mailbox, uint64_t messages, uint64_t ports)
{
    struct weft_error error;
    struct weft_resident *resident = weft_unit_registry_add(registry, name, &error);
    weft_counter_set(&resident->receives, 1);
    weft_counter_set(&resident->mailbox_count, mailbox);
    weft_counter_set(&resident->message_count, messages);
    weft_counter_set(&resident->bound_ports, ports);
    return resident;
}

static void the_least_busy_is_chosen(void **state)
{
    struct weft_unit_registry registry;
    struct weft_error error;
    (void)state;
    assert_int_equal(weft_unit_registry_init(&registry, 8), 0);
    assert_null(weft_unit_registry_least_busy(&registry));
    weft_unit_registry_add(&registry, "deaf", &error); // Never asked for messages.
    assert_null(weft_unit_registry_least_busy(&registry));
    struct weft_resident *server = add(&registry, "server", 0, 0, 1);
    assert_ptr_equal(weft_unit_registry_least_busy(&registry), server);
    struct weft_resident *full = add(&registry, "full", 9, 0, 0);
    assert_ptr_equal(weft_unit_registry_least_busy(&registry), full);
    struct weft_resident *old = add(&registry, "old", 2, 50, 0);
    struct weft_resident *fresh = add(&registry, "fresh", 2, 10, 0);
    assert_ptr_equal(weft_unit_registry_least_busy(&registry), fresh);
    weft_counter_set(&fresh->mailbox_count, 3);
    assert_ptr_equal(weft_unit_registry_least_busy(&registry), old);
    weft_unit_registry_destroy(&registry);
}

static void cores_fill_evenly(void **state)
{
    struct weft_unit_registry registry;
    struct weft_error error;
    uint32_t units[4] = {0};
    (void)state;
    assert_int_equal(weft_unit_registry_init(&registry, 9), 0);
    for (int i = 0; i < 9; i++) {
        char name[8];
        snprintf(name, sizeof(name), "u%d", i);
        struct weft_resident *resident = weft_unit_registry_add(&registry, name, &error);
        resident->core = weft_unit_registry_pick_core(&registry, 3);
        units[resident->core]++;
    }
    for (int core = 1; core <= 3; core++) {
        assert_int_equal(units[core], 3);
    }
    weft_unit_registry_destroy(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked_and_taken_once),
        cmocka_unit_test(the_least_busy_is_chosen),
        cmocka_unit_test(cores_fill_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
