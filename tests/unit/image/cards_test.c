// Which network card is which, out of a small /sys, and what vfio-pci is asked for.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/init/cards.h"
#include "image/init/disk.h"
#include "image/init/text_file.h"
#include "runtime/base/units.h"

static char sys[64];

// sh(1) makes the tree: links, directories and files in a few words.
static void make(const char *script)
{
    char command[2048];
    snprintf(command, sizeof(command), "cd %s && %s", sys, script);
    assert_int_equal(system(command), 0);
}

static int make_sys(void **state)
{
    (void)state;
    snprintf(sys, sizeof(sys), "/tmp/weft-sys.XXXXXX");
    if (mkdtemp(sys) == NULL) return -1;
    // eth0 is a virtio card, which lies below its PCI device; eth1 is its own; lo has no device.
    make("mkdir -p devices/pci0/0000:00:02.0/virtio1/net/eth0 devices/pci0/0000:00:03.0/net/eth1 "
         "class/net/lo bus/pci/devices bus/pci/drivers/virtio-pci bus/pci/drivers/vfio-pci "
         "module/vfio/parameters && "
         "ln -s ../../devices/pci0/0000:00:02.0/virtio1/net/eth0 class/net/eth0 && "
         "ln -s ../.. devices/pci0/0000:00:02.0/virtio1/net/eth0/device && "
         "ln -s ../../devices/pci0/0000:00:03.0/net/eth1 class/net/eth1 && "
         "ln -s ../.. devices/pci0/0000:00:03.0/net/eth1/device && "
         "echo 52:54:00:00:00:02 >class/net/eth0/address && "
         "echo 52:54:00:00:00:03 >class/net/eth1/address && "
         "ln -s ../../../devices/pci0/0000:00:02.0 bus/pci/devices/0000:00:02.0 && "
         "ln -s ../../../devices/pci0/0000:00:03.0 bus/pci/devices/0000:00:03.0 && "
         "touch devices/pci0/0000:00:02.0/driver_override bus/pci/drivers_probe "
         "module/vfio/parameters/enable_unsafe_noiommu_mode && "
         "ln -s ../../../bus/pci/drivers/vfio-pci devices/pci0/0000:00:02.0/driver");
    return 0;
}

static int remove_sys(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", sys);
    return system(command);
}

static void load(struct weft_config *config, const char *text)
{
    struct weft_config_report report;
    assert_int_equal(weft_config_parse(config, text, strlen(text), "test.toml", &report), 0);
}

static void cards_have_three_names(void **state)
{
    (void)state;
    struct weft_cards cards;
    weft_cards_find(&cards, sys);
    assert_int_equal(cards.count, 2);
    assert_string_equal(cards.list[0].pci, "0000:00:02.0");
    assert_string_equal(cards.list[0].mac, "52:54:00:00:00:02");
    assert_ptr_equal(weft_cards_named(&cards, "eth1"), &cards.list[1]);
    assert_ptr_equal(weft_cards_named(&cards, "52:54:00:00:00:03"), &cards.list[1]);
    assert_ptr_equal(weft_cards_named(&cards, "0000:00:03.0"), &cards.list[1]);
    assert_ptr_equal(weft_cards_named(&cards, "00:03.0"), &cards.list[1]);
    assert_null(weft_cards_named(&cards, "eth2"));
    assert_null(weft_cards_named(&cards, "lo"));
}

static void the_admin_port_keeps_its_card(void **state)
{
    (void)state;
    static const struct {
        const char *name, *config;
        const char *card; // NULL: none.
        bool contradiction;
        const char *port; // That the kernel shares; NULL: none.
    } cases[] = {
        {"no port", "", "eth0", false, NULL},
        {"the first that is free", "[ports.p0]\ndevice = \"pci:0000:00:02.0\"\n", "eth1", false,
         NULL},
        {"by its MAC", "[ports.p0]\ndevice = \"mac:52:54:00:00:00:02\"\n", "eth1", false, NULL},
        {"none is left",
         "[ports.p0]\ndevice = \"pci:00:02.0\"\n[ports.p1]\ndevice = \"pci:00:03.0\"\n", NULL,
         false, NULL},
        {"both want it",
         "[admin]\ninterface = \"eth0\"\n[ports.p0]\ndevice = \"mac:52:54:00:00:00:02\"\n", NULL,
         true, NULL},
        {"shared through the kernel",
         "[admin]\ninterface = \"eth0\"\n[ports.p0]\ndevice = \"af_packet:eth0\"\n", "eth0", false,
         NULL},
        {"there is none of that name", "[admin]\ninterface = \"eth7\"\n", NULL, false, NULL},
        {"one is shared, none is left",
         "[ports.p0]\ndevice = \"pci:00:02.0\"\n[ports.p1]\ndevice = \"pci:00:03.0\"\n"
         "kernel = \"weft0\"\n",
         "eth1", false, "p1"},
        {"a free one goes first", "[ports.p0]\ndevice = \"pci:00:02.0\"\nkernel = \"weft0\"\n",
         "eth1", false, NULL},
        {"the shared one, by the card",
         "[admin]\ninterface = \"eth0\"\n[ports.p0]\ndevice = \"pci:00:02.0\"\n"
         "kernel = \"weft0\"\n",
         "eth0", false, "p0"},
        {"the shared one, by its interface",
         "[admin]\ninterface = \"weft0\"\n[ports.p0]\ndevice = \"mac:52:54:00:00:00:02\"\n"
         "kernel = \"weft0\"\n",
         "eth0", false, "p0"},
        {"a card that only DPDK knows",
         "[admin]\ninterface = \"weft0\"\n[ports.p0]\ndevice = \"pci:00:09.0\"\n"
         "kernel = \"weft0\"\n",
         NULL, false, "p0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_cards cards;
        struct weft_config config;
        struct weft_cards_choice choice;
        weft_cards_find(&cards, sys);
        load(&config, cases[i].config);
        weft_cards_admin(&cards, &config, &choice);
        if ((choice.card != NULL) != (cases[i].card != NULL) ||
            (choice.port != NULL) != (cases[i].port != NULL))
            fail_msg("%s: %s", cases[i].name, choice.why);
        if (choice.card != NULL) assert_string_equal(choice.card->interface, cases[i].card);
        if (choice.port != NULL) assert_string_equal(choice.port->name, cases[i].port);
        assert_int_equal(choice.card == NULL && choice.port == NULL, choice.why[0] != '\0');
        assert_int_equal(choice.contradiction, cases[i].contradiction);
        weft_config_free(&config);
    }
}

static void a_mac_becomes_a_pci_address(void **state)
{
    (void)state;
    struct weft_cards cards;
    struct weft_config config;
    char devices[WEFT_CONFIG_PORTS_MAX][32], why[256];
    weft_cards_find(&cards, sys);
    load(&config,
         "[ports.p0]\ndevice = \"null\"\n[ports.p1]\ndevice = \"mac:52:54:00:00:00:03\"\n");
    assert_int_equal(weft_cards_resolve(&cards, &config, devices, why), 0);
    assert_string_equal(config.ports[0].device, "null");
    assert_string_equal(config.ports[1].device, "pci:0000:00:03.0");
    weft_config_free(&config);
    load(&config, "[ports.p0]\ndevice = \"mac:52:54:00:00:00:09\"\n");
    assert_int_equal(weft_cards_resolve(&cards, &config, devices, why), -ENODEV);
    assert_non_null(strstr(why, "port p0"));
    weft_config_free(&config);
}

// A wrong digit must not take the driver away from the disk that the root lies on.
static void what_is_no_network_card(void **state)
{
    static const struct {
        const char *device, *class;
        int result;
    } cases[] = {
        {"pci:0000:00:02.0", "0x020000", 0},
        {"pci:0000:00:02.0", "0x028000", 0},
        {"pci:0000:00:02.0", "0x010802", -EINVAL},
        {"pci:00:02.0", "0x060400", -EINVAL},
        {"pci:0000:00:09.0", "0x010802", 0}, // It is not there: weftd's to say.
        {"null", "0x010802", 0},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_config config;
        char text[128], why[256] = "";
        snprintf(text, sizeof(text), "echo %s >devices/pci0/0000:00:02.0/class", cases[i].class);
        make(text);
        snprintf(text, sizeof(text), "[ports.p0]\ndevice = \"%s\"\n", cases[i].device);
        load(&config, text);
        if (weft_cards_check(sys, &config, why) != cases[i].result) fail_msg("case %zu", i);
        assert_int_equal(strstr(why, cases[i].class) != NULL, cases[i].result != 0);
        weft_config_free(&config);
    }
}

static void what_vfio_is_asked_for(void **state)
{
    (void)state;
    char path[128], text[32];
    assert_int_equal(weft_cards_bind(sys, "0000:00:09.0"), -ENODEV);
    assert_int_equal(weft_cards_bind(sys, "../../etc"), -EINVAL);
    assert_int_equal(weft_cards_bind(sys, "0000:00:02.0"), WEFT_CARDS_TRUSTED);
    snprintf(path, sizeof(path), "%s/module/vfio/parameters/enable_unsafe_noiommu_mode", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "Y");
    make("mkdir devices/pci0/0000:00:02.0/iommu_group");
    assert_int_equal(weft_cards_bind(sys, "00:02.0"), WEFT_CARDS_GUARDED);
    // Another driver has it, which is asked to let go and does not.
    make("rm devices/pci0/0000:00:02.0/driver && mkdir -p bus/pci/drivers/virtio-pci && "
         "ln -s ../../../bus/pci/drivers/virtio-pci devices/pci0/0000:00:02.0/driver && "
         "touch bus/pci/drivers/virtio-pci/unbind");
    assert_int_equal(weft_cards_bind(sys, "0000:00:02.0"), -ENXIO);
    snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:00:02.0/driver_override", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "vfio-pci");
    snprintf(path, sizeof(path), "%s/bus/pci/drivers/virtio-pci/unbind", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "0000:00:02.0");
}

// DPDK opens NVIDIA's cards beside mlx5_core. Nothing is asked of vfio-pci, with or without an
// IOMMU.
static void what_stays_with_the_kernel(void **state)
{
    (void)state;
    char path[128], text[32];
    make("mkdir -p bus/pci/drivers/mlx5_core && "
         "echo 0x15b3 >devices/pci0/0000:00:03.0/vendor && "
         "echo untouched >devices/pci0/0000:00:03.0/driver_override");
    assert_int_equal(weft_cards_bind(sys, "0000:00:03.0"), -ENOTSUP); // No driver at all.
    make("ln -s ../../../bus/pci/drivers/mlx5_core devices/pci0/0000:00:03.0/driver");
    assert_int_equal(weft_cards_bind(sys, "00:03.0"), WEFT_CARDS_BESIDE);
    make("mkdir devices/pci0/0000:00:03.0/iommu_group");
    assert_int_equal(weft_cards_bind(sys, "0000:00:03.0"), WEFT_CARDS_BESIDE);
    assert_int_equal(weft_cards_unbind(sys, "0000:00:03.0"), 0);
    snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:00:03.0/driver_override", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "untouched");
    snprintf(path, sizeof(path), "%s/module/vfio/parameters/enable_unsafe_noiommu_mode", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "");
    // Another vendor's goes to vfio-pci, whoever has it.
    make("echo 0x177d >devices/pci0/0000:00:03.0/vendor && : "
         ">devices/pci0/0000:00:03.0/driver_override && "
         "touch bus/pci/drivers/mlx5_core/unbind");
    assert_int_equal(weft_cards_bind(sys, "0000:00:03.0"), -ENXIO);
    snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:00:03.0/driver_override", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "vfio-pci");
}

// A card goes back to whoever of the kernel's takes it; one that vfio-pci does not have stays.
static void what_the_kernel_gets_back(void **state)
{
    (void)state;
    char path[128], text[32];
    assert_int_equal(weft_cards_unbind(sys, "0000:00:09.0"), -ENODEV);
    make("touch bus/pci/drivers/vfio-pci/unbind");
    assert_int_equal(weft_cards_unbind(sys, "00:02.0"), 0);
    snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:00:02.0/driver_override", sys);
    weft_text_file_read(path, text, sizeof(text));
    assert_string_equal(text, "\n"); // What takes an override away.
    snprintf(path, sizeof(path), "%s/bus/pci/drivers_probe", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "0000:00:02.0");
    make("echo untouched >devices/pci0/0000:00:03.0/driver_override");
    assert_int_equal(weft_cards_unbind(sys, "0000:00:03.0"), 0);
    snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:00:03.0/driver_override", sys);
    weft_text_file_line(path, text, sizeof(text));
    assert_string_equal(text, "untouched");
}

// The root lies on device-mapper, that on vda2; vdb is another disk with the same names.
static void only_the_disk_of_the_root_is_ours(void **state)
{
    (void)state;
    struct weft_disk disk;
    make("mkdir -p class/block dev/block block && for d in vda vdb; do "
         "mkdir -p devices/$d && echo 2097152 >devices/$d/size && echo S-$d >devices/$d/serial && "
         "ln -s ../devices/$d block/$d && ln -s ../../devices/$d class/block/$d; "
         "for p in 1:esp 2:root-a 6:WEFT-CONF 7:data; do n=${p%%:*}; "
         "mkdir devices/$d/$d$n && echo $n >devices/$d/$d$n/partition && "
         "printf 'DEVTYPE=partition\\nPARTN=%s\\nPARTNAME=%s\\n' $n ${p#*:} "
         ">devices/$d/$d$n/uevent && ln -s ../../devices/$d/$d$n class/block/$d$n; done; done && "
         "mkdir -p devices/dm-0/slaves/vdb2 && ln -s ../../devices/dm-0 class/block/dm-0 && "
         "ln -s ../../devices/dm-0 dev/block/254:0 && ln -s ../../devices/vdb/vdb2 dev/block/8:2");
    assert_int_equal(weft_disk_find_in(&disk, sys, "254:0"), 0);
    assert_string_equal(disk.device, "/dev/vdb");
    assert_string_equal(disk.conf.device, "/dev/vdb6");
    assert_string_equal(disk.data.device, "/dev/vdb7");
    assert_int_equal(disk.data.number, 7);
    assert_string_equal(disk.esp.device, "/dev/vdb1");
    assert_string_equal(disk.serial, "S-vdb");
    assert_int_equal(disk.bytes, UINT64_C(1) << 30);
    assert_int_equal(weft_disk_find_in(&disk, sys, "8:2"), 0);
    assert_string_equal(disk.device, "/dev/vdb");
    assert_int_equal(weft_disk_find_in(&disk, sys, "0:2"), 0); // In memory: the first that fits.
    assert_string_equal(disk.device, "/dev/vda");
    make("rm -r devices/vda/vda[67] devices/vdb/vdb[67]");
    assert_int_equal(weft_disk_find_in(&disk, sys, "0:2"), -ENODEV);
    assert_string_equal(disk.device, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cards_have_three_names, make_sys, remove_sys),
        cmocka_unit_test_setup_teardown(the_admin_port_keeps_its_card, make_sys, remove_sys),
        cmocka_unit_test_setup_teardown(a_mac_becomes_a_pci_address, make_sys, remove_sys),
        cmocka_unit_test_setup_teardown(what_is_no_network_card, make_sys, remove_sys),
        cmocka_unit_test_setup_teardown(what_vfio_is_asked_for, make_sys, remove_sys),
        cmocka_unit_test_setup_teardown(what_stays_with_the_kernel, make_sys, remove_sys),
        cmocka_unit_test_setup_teardown(what_the_kernel_gets_back, make_sys, remove_sys),
        cmocka_unit_test_setup_teardown(only_the_disk_of_the_root_is_ours, make_sys, remove_sys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
