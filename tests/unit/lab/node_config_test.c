// The files of a lab: what it writes for a node is a configuration that a node accepts.
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "runtime/base/units.h"
#include "runtime/lab/node_config.h"
#include "runtime/mesh/key.h"

static void a_node_accepts_its_file(void **state)
{
    (void)state;
    static const struct {
        const char *directory; // Also one that has to be quoted.
        enum weft_lab_link link;
        const char *device;
    } cases[] = {{"plain", WEFT_LAB_VETH, "af_packet:eth0"},
                 {"with \"quotes\" and \\", WEFT_LAB_VHOST, "virtio_user:"}};
    char base[] = "/tmp/weft-config.XXXXXX", command[64];

    assert_non_null(mkdtemp(base));
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        char run[WEFT_PLACE_BYTES], path[160];
        struct weft_error error;
        snprintf(run, sizeof(run), "%s/%s", base, cases[i].directory);
        assert_int_equal(mkdir(run, 0700), 0);
        assert_int_equal(weft_lab_common_files(run, &error), 0);
        for (uint32_t node = 0; node < 3; node++) {
            const struct weft_lab_node_config wanted = {run, node, 3, 2, cases[i].link};
            struct weft_config config;
            struct weft_config_report report;
            assert_int_equal(weft_lab_node_files(&wanted, &error), 0);
            snprintf(path, sizeof(path), "%s/n%u/weft.toml", run, node + 1);
            const int result = weft_config_load(&config, path, &report);
            if (result != 0) weft_config_report_print(&report, stderr, false);
            assert_int_equal(result, 0);
            assert_int_equal(config.cores.workers, 2);
            assert_int_equal(config.port_count, 1);
            assert_int_equal(config.ports[0].address.ip, 0x0a4d000b + node);
            assert_int_equal(config.ports[0].address.prefix, 24);
            assert_memory_equal(config.ports[0].device, cases[i].device, strlen(cases[i].device));
            assert_int_equal(config.ports[0].fault.seed, node * 1000); // No two suffer alike.
            assert_int_equal(config.mesh.seeds.count, 2);
            assert_int_equal(config.unit_count, node == 0 ? 1 : 0); // n1 alone calculates.
            struct weft_mesh_key key;
            assert_int_equal(weft_mesh_key_read(config.mesh.key_file, &key, &error), 0);
            weft_config_free(&config);
            weft_config_report_free(&report);
        }
    }
    snprintf(command, sizeof(command), "rm -r '%s'", base);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_node_accepts_its_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
