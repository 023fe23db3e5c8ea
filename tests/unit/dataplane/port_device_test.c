// Device strings: what they mean to us and to DPDK, and which are refused.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/port_device.h"
#include "runtime/base/units.h"

static void good_strings_become_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *arguments;
    } cases[] = {
        {"af_packet:n1", "net_af_packet7", "iface=n1,qpairs=2"},
        {"af_xdp:eth0", "net_af_xdp7", "iface=eth0,queue_count=2,busy_budget=0"},
        {"tap:t0", "net_tap7", "iface=t0"},
        {"virtio_user:/run/a.sock", "net_virtio_user7",
         "path=/run/a.sock,server=1,queues=2,queue_size=512,packed_vq=0"},
        {"vhost:/run/a.sock", "net_vhost7", "iface=/run/a.sock,client=1,queues=2"},
        {"null", "net_null7", "size=64"},
        {"pcap:rx=a.pcap", "net_pcap7", "rx_pcap=a.pcap"},
        {"pcap:tx=b.pcap", "net_pcap7", "tx_pcap=b.pcap"},
        {"pcap:rx=a.pcap,tx=b.pcap", "net_pcap7", "rx_pcap=a.pcap,tx_pcap=b.pcap"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_device device;
        struct weft_error error = {0};
        char name[64], arguments[300];
        if (weft_device_parse(&device, cases[i].text, &error) != 0)
            fail_msg("%s: %s", cases[i].text, error.text);
        assert_int_equal(
            weft_device_arguments(&device, 7, 2, name, sizeof(name), arguments, sizeof(arguments)),
            0);
        assert_string_equal(name, cases[i].name);
        assert_string_equal(arguments, cases[i].arguments);
    }
}

static void rings_and_cards_are_read(void **state)
{
    (void)state;
    struct weft_device device;
    assert_int_equal(weft_device_parse(&device, "ring:loop", NULL), 0);
    assert_string_equal(device.target, "loop");
    assert_string_equal(device.second, "");
    assert_int_equal(weft_device_parse(&device, "ring:wire/b", NULL), 0);
    assert_string_equal(device.target, "wire");
    assert_string_equal(device.second, "b");
    assert_int_equal(weft_device_parse(&device, "pci:0000:00:02.0", NULL), 0);
    assert_string_equal(device.target, "0000:00:02.0");
}

static void bad_strings_are_refused_in_words(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "nul",
        "null:",
        "af_packet",
        "af_packet:",
        "af_packet:sixteen_letters_",
        "af_packet:a,qpairs=9",
        "af_packet:a b",
        "af_packet:..",
        "af_packet:a/b",
        "memif:/run/x",
        "vhost:",
        "vhost:/run/x,client=0",
        "ring:",
        "ring:a/c",
        "ring:a/",
        "ring:a_name_of_16_chr",
        "pcap:",
        "pcap:a.pcap",
        "pcap:rx=",
        "pcap:rx=a,rx=b",
        "pcap:rx=a,",
        "pci:00:02.0",
        "pci:0000:00:02,0",
        "pci:0000:00:02.0,x",
        "pci:zzzz:00:02.0",
        ("virtio_user:/a/very/long/path/that/does/not/fit/into/the/address/of/a/unix/socket/"
         "because/"
         "the/kernel/has/108/bytes/for/it"),
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_device device;
        struct weft_error error = {0};
        if (weft_device_parse(&device, cases[i], &error) == 0) fail_msg("taken: %s", cases[i]);
        assert_int_equal(error.code, 202);
        assert_true(error.text[0] != '\0' && error.hint[0] != '\0');
    }
}

static void missing_things_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        int result;
    } cases[] = {
        {"af_packet:nosuchif0", "there is no such interface", -ENODEV},
        {"tap:lo", "an interface of that name exists", -EEXIST},
        {"pci:ffff:1f:1f.7", "there is no such PCI device", -ENODEV},
        {"pcap:rx=/nonexistent/a.pcap", "cannot be read", -ENOENT},
        {"virtio_user:/nonexistent/a.sock", "directory is missing", -ENOENT},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_device device;
        struct weft_error error = {0};
        assert_int_equal(weft_device_parse(&device, cases[i].text, NULL), 0);
        assert_int_equal(weft_device_check(&device, &error), cases[i].result);
        if (strstr(error.text, cases[i].says) == NULL) fail_msg("%s", error.text);
    }
}

// Cards in a small /sys: what has which driver.
static void the_right_driver_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *vendor, *driver, *says; // NULL: nobody has it; it is fine.
        bool stays;
    } cases[] = {
        {"0x8086", "vfio-pci", NULL, false},
        {"0x8086", "i40e", "not bound to vfio-pci", false},
        {"0x8086", NULL, "not bound to vfio-pci", false},
        {"0x15b3", "mlx5_core", NULL, true},
        {"0x15b3", "vfio-pci", "kernel's driver does not have it", false},
        {"0x15b3", NULL, "kernel's driver does not have it", false},
    };
    char sys[] = "/tmp/weft-device.XXXXXX", command[512];
    struct weft_device device;
    assert_non_null(mkdtemp(sys));
    assert_int_equal(weft_device_parse(&device, "pci:0000:00:02.0", NULL), 0);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_error error = {0};
        snprintf(command, sizeof(command),
                 "cd %s && rm -rf bus && mkdir -p bus/pci/devices/0000:00:02.0 && "
                 "cd bus/pci/devices/0000:00:02.0 && echo %s >vendor && "
                 "{ [ -z '%s' ] || ln -s ../../drivers/%s driver; }",
                 sys, cases[i].vendor, cases[i].driver != NULL ? cases[i].driver : "",
                 cases[i].driver != NULL ? cases[i].driver : "");
        assert_int_equal(system(command), 0);
        const int wanted = cases[i].says == NULL ? 0 : -ENODEV;
        assert_int_equal(weft_device_check_card(sys, &device, &error), wanted);
        assert_int_equal(weft_device_stays_with_kernel(sys, "0000:00:02.0"), cases[i].stays);
        if (wanted != 0 && strstr(error.text, cases[i].says) == NULL) fail_msg("%s", error.text);
    }
    snprintf(command, sizeof(command), "rm -rf %s", sys);
    assert_int_equal(system(command), 0);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void a_stale_socket_goes_and_a_live_one_stays(void **state)
{
    (void)state;
    char directory[] = "/tmp/weft-port-XXXXXX", path[64], text[100];
    struct weft_device device;
    struct weft_error error;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/s", directory);
    snprintf(text, sizeof(text), "virtio_user:%s", path);
    assert_int_equal(weft_device_parse(&device, text, NULL), 0);

    const int fd = listen_at(path);
    assert_int_equal(weft_device_check(&device, &error), -EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
    close(fd); // The file stays behind, as after a kill.
    assert_int_equal(weft_device_check(&device, &error), 0);
    assert_int_not_equal(access(path, F_OK), 0);

    fclose(fopen(path, "w")); // Somebody's file is not ours to remove.
    assert_int_equal(weft_device_check(&device, &error), -EEXIST);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_strings_become_arguments),
        cmocka_unit_test(rings_and_cards_are_read),
        cmocka_unit_test(bad_strings_are_refused_in_words),
        cmocka_unit_test(missing_things_are_named),
        cmocka_unit_test(the_right_driver_is_asked_for),
        cmocka_unit_test(a_stale_socket_goes_and_a_live_one_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
