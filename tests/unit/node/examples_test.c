// The examples of units that work together (docs/examples), on a node of two cores: what `main`
// prints is what stands beside them.
#include "tests/support/cmocka.h"

#include <stdio.h>

#include "tests/unit/node/rig.h"

static char *read_file(const char *name, const char *suffix)
{
    char path[512];
    static char text[2][8192];
    char *to = text[suffix[1] == 'o'];
    snprintf(path, sizeof(path), "%s/%s%s", EXAMPLES, name, suffix);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("%s is not there", path);
    const size_t length = fread(to, 1, sizeof(text[0]) - 1, file);
    fclose(file);
    to[length] = '\0';
    return to;
}

static void runs(void **state, const char *name)
{
    struct rig *rig = *state;
    for (uint16_t core = 1; core <= WORKERS; core++) {
        struct weft_resident *unit =
            load(rig, core == 1 ? "first" : "second", core, read_file(name, ".fth"));
        const char *output = read_file(name, ".out");
        expect(rig, unit, "main", output);
        expect(rig, unit, "main DEPTH .", strcat(read_file(name, ".out"), "0 ")); // And again.
    }
}

static void coordinator(void **state)
{
    runs(state, "coordinator");
}

static void worker_pool(void **state)
{
    runs(state, "worker-pool");
}

static void pipeline(void **state)
{
    runs(state, "pipeline");
}

static void producer_consumer(void **state)
{
    runs(state, "producer-consumer");
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(coordinator), UNIT_TEST(worker_pool),
                                       UNIT_TEST(pipeline), UNIT_TEST(producer_consumer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
