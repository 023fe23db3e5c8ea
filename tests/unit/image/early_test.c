// What makes the root on Debian's kernel: the words of the command line, and the partition that
// they mean, on disks made here.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/early/dm_table.h"
#include "image/early/partition.h"
#include "image/update/gpt.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"

#define ROOT "57454654-0000-4000-8000-000000000002"
#define HASH "57454654-0000-4000-8000-000000000003"

static void words_become_a_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"root,,,ro,0 80 verity 1 PARTUUID=" ROOT " 4096", 0},
        {"root,,,rw,8 80 linear /dev/vda2 0", 0},
        {"root,,,ro,0 80 verity", -EINVAL}, // No parameters, nor the space before them.
        {"root,,,rx,0 80 verity 1", -EINVAL},
        {",,,ro,0 80 verity 1", -EINVAL},
        {"root,uuid,,ro,0 80 verity 1", -E2BIG},
        {"root,,1,ro,0 80 verity 1", -E2BIG},
        {"root,,,ro,0 0 verity 1", -EINVAL},
        {"root,,,ro,-1 80 verity 1", -EINVAL},
        {"root,,,ro,0 99999999999999999999 verity 1", -EINVAL},
        {"root,,,ro,0 80 verity 1;other,,,ro,0 80 verity 1", -EINVAL},
        {"root,,,ro,0 80 verity 1,80 80 verity 1", -EINVAL},
        {"a-name-that-is-too-long-for-any-device,,,ro,0 80 verity 1", -E2BIG},
        {"", -EINVAL},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_dm_table table;
        if (weft_dm_table_parse(&table, cases[i].text) != cases[i].result)
            fail_msg("%s", cases[i].text);
    }
    struct weft_dm_table table;
    assert_int_equal(weft_dm_table_parse(&table, cases[1].text), 0);
    assert_string_equal(table.name, "root");
    assert_false(table.is_read_only);
    assert_int_equal(table.first_sector, 8);
    assert_int_equal(table.sectors, 80);
    assert_string_equal(table.target, "linear");
    assert_string_equal(table.parameters, "/dev/vda2 0");
}

static int find_one(void *self, const char *partuuid, char *device, size_t size)
{
    if (strcmp(partuuid, self) != 0) return -ENODEV;
    snprintf(device, size, "/dev/vda2");
    return 0;
}

static void partitions_take_the_place_of_their_names(void **state)
{
    (void)state;
    struct weft_dm_table table;
    char root[] = ROOT;
    static const char both[] = "root,,,ro,0 80 verity 1 PARTUUID=" ROOT " PARTUUID=" ROOT " 4096 x";
    assert_int_equal(weft_dm_table_parse(&table, both), 0);
    assert_int_equal(weft_dm_table_resolve(&table, find_one, root), 0);
    assert_string_equal(table.parameters, "1 /dev/vda2 /dev/vda2 4096 x");
    assert_int_equal(weft_dm_table_parse(&table, "r,,,ro,0 8 verity PARTUUID=" HASH), 0);
    assert_int_equal(weft_dm_table_resolve(&table, find_one, root), -ENODEV);
    assert_string_equal(table.parameters, "PARTUUID=" HASH); // To be tried again.
    assert_int_equal(weft_dm_table_parse(&table, "r,,,ro,0 8 verity PARTUUID=" ROOT "4"), 0);
    assert_int_equal(weft_dm_table_resolve(&table, find_one, root), -EINVAL);
    assert_int_equal(weft_dm_table_parse(&table, "r,,,ro,0 8 verity PARTUUID=" ROOT), 0);
    assert_int_equal(weft_dm_table_resolve(&table, find_one, root), 0);
    assert_string_equal(table.parameters, "/dev/vda2");
}

static void an_identifier_as_a_table_holds_it(void **state)
{
    (void)state;
    static const uint8_t expected[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                         0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    uint8_t guid[16];
    assert_int_equal(weft_partition_guid("00112233-4455-6677-8899-AABBccddeeff", guid), 0);
    assert_memory_equal(guid, expected, sizeof(guid));
    assert_int_equal(weft_partition_guid("00112233-4455-6677-8899-AABBccddeef", guid), -EINVAL);
    assert_int_equal(weft_partition_guid("00112233-4455-6677-8899-AABBccddeeff0", guid), -EINVAL);
    assert_int_equal(weft_partition_guid("001122334455-6677-8899-AABBccddeeff--", guid), -EINVAL);
    assert_int_equal(weft_partition_guid("", guid), -EINVAL);
}

// ---- Machines of files: SYS/block/NAME/size, and DEV/NAME with a table.

#define SECTORS 128

static void write_file(const char *directory, const char *name, const void *bytes, size_t length)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

static void put_table(uint8_t *bytes, uint32_t number, const char *partuuid)
{
    uint8_t *header = bytes + WEFT_GPT_SECTOR, *entries = bytes + 2 * WEFT_GPT_SECTOR;
    uint8_t *entry = entries + (size_t)(number - 1) * 128;
    memset(entry, 0x5a, 16);
    assert_int_equal(weft_partition_guid(partuuid, entry + 16), 0);
    weft_le64_put(entry + 32, 40);
    weft_le64_put(entry + 40, 41);
    memcpy(header, "EFI PART", 8);
    weft_le32_put(header + 8, 0x00010000);
    weft_le32_put(header + 12, 92);
    weft_le64_put(header + 24, 1);
    weft_le64_put(header + 32, SECTORS - 1);
    weft_le64_put(header + 40, 34);
    weft_le64_put(header + 48, SECTORS - 34);
    weft_le64_put(header + 72, 2);
    weft_le32_put(header + 80, 128);
    weft_le32_put(header + 84, 128);
    weft_le32_put(header + 88, weft_gpt_crc32(entries, 128 * 128));
    weft_le32_put(header + 16, weft_gpt_crc32(header, 92));
}

static void add_disk(const char *base, const char *name, uint32_t number, const char *partuuid)
{
    static uint8_t bytes[SECTORS * WEFT_GPT_SECTOR];
    char path[128];
    memset(bytes, 0, sizeof(bytes));
    if (partuuid != NULL) put_table(bytes, number, partuuid);
    snprintf(path, sizeof(path), "%s/sys/block/%s", base, name);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(path, "size", "128\n", 4);
    snprintf(path, sizeof(path), "%s/dev", base);
    write_file(path, name, bytes, sizeof(bytes));
}

static void a_partition_is_found_by_its_identifier(void **state)
{
    (void)state;
    char base[] = "/tmp/weft-early.XXXXXX", sys[64], dev[64], device[96], expected[96], path[96];
    assert_non_null(mkdtemp(base));
    snprintf(sys, sizeof(sys), "%s/sys", base);
    snprintf(dev, sizeof(dev), "%s/dev", base);
    snprintf(path, sizeof(path), "%s/block", sys);
    assert_int_equal(weft_partition_find(sys, dev, ROOT, device, sizeof(device)), -ENODEV);
    assert_true(mkdir(sys, 0700) == 0 && mkdir(dev, 0700) == 0 && mkdir(path, 0700) == 0);
    add_disk(base, "sda", 0, NULL);
    add_disk(base, "nvme0n1", 3, HASH);
    add_disk(base, "vda", 2, ROOT);
    // The kernel has seen the disks and not yet their partitions.
    assert_int_equal(weft_partition_find(sys, dev, ROOT, device, sizeof(device)), -ENODEV);
    write_file(dev, "vda2", "", 0);
    write_file(dev, "nvme0n1p3", "", 0);
    assert_int_equal(weft_partition_find(sys, dev, ROOT, device, sizeof(device)), 0);
    snprintf(expected, sizeof(expected), "%s/vda2", dev);
    assert_string_equal(device, expected);
    assert_int_equal(weft_partition_find(sys, dev, HASH, device, sizeof(device)), 0);
    snprintf(expected, sizeof(expected), "%s/nvme0n1p3", dev);
    assert_string_equal(device, expected);
    assert_int_equal(weft_partition_find(sys, dev, ROOT, device, 8), -E2BIG);
    assert_int_equal(weft_partition_find(sys, dev, "vda2", device, sizeof(device)), -EINVAL);
    snprintf(path, sizeof(path), "rm -r %s", base);
    assert_int_equal(system(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_a_table),
        cmocka_unit_test(partitions_take_the_place_of_their_names),
        cmocka_unit_test(an_identifier_as_a_table_holds_it),
        cmocka_unit_test(a_partition_is_found_by_its_identifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
