// A partition table grows to the end of its disk, and a power failure between any two sectors
// leaves a table that the kernel takes: the primary one, whole.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/update/gpt.h"
#include "runtime/base/endian.h"

#define OLD_SECTORS  8192  // 4 MiB, as it was flashed.
#define DISK_SECTORS 65536 // 32 MiB, where it was flashed to.
#define SECTORS_EACH 32    // Of a set of entries.

struct disk {
    uint8_t *bytes;
    uint32_t writes_left; // Sectors until the power fails.
    bool is_off;
};

static int disk_read(void *self, uint64_t lba, void *bytes, uint32_t count)
{
    const struct disk *disk = self;
    if (lba + count > DISK_SECTORS) return -EIO;
    memcpy(bytes, disk->bytes + lba * WEFT_GPT_SECTOR, (size_t)count * WEFT_GPT_SECTOR);
    return 0;
}

static int disk_write(void *self, uint64_t lba, const void *bytes, uint32_t count)
{
    struct disk *disk = self;
    assert_true(lba >= 1 && lba + count <= DISK_SECTORS);
    for (uint32_t i = 0; i < count; i++) {
        if (disk->writes_left == 0) disk->is_off = true;
        if (disk->is_off) return -EIO;
        disk->writes_left--;
        memcpy(disk->bytes + (lba + i) * WEFT_GPT_SECTOR,
               (const uint8_t *)bytes + (size_t)i * WEFT_GPT_SECTOR, WEFT_GPT_SECTOR);
    }
    return 0;
}

static int disk_flush(void *self)
{
    return ((struct disk *)self)->is_off ? -EIO : 0;
}

static struct weft_gpt_disk interface_of(struct disk *disk)
{
    return (struct weft_gpt_disk){disk_read, disk_write, disk_flush, disk, DISK_SECTORS};
}

static void put_header(uint8_t *bytes, uint64_t own, uint64_t other, uint64_t entries,
                       uint64_t first_usable, uint64_t last_usable)
{
    uint8_t *header = bytes + own * WEFT_GPT_SECTOR;
    memset(header, 0, WEFT_GPT_SECTOR);
    memcpy(header, "EFI PART", 8);
    weft_le32_put(header + 8, 0x00010000);
    weft_le32_put(header + 12, 92);
    weft_le64_put(header + 24, own);
    weft_le64_put(header + 32, other);
    weft_le64_put(header + 40, first_usable);
    weft_le64_put(header + 48, last_usable);
    weft_le64_put(header + 72, entries);
    weft_le32_put(header + 80, 128);
    weft_le32_put(header + 84, 128);
    weft_le32_put(header + 88, weft_gpt_crc32(bytes + entries * WEFT_GPT_SECTOR, 128 * 128));
    weft_le32_put(header + 16, weft_gpt_crc32(header, 92));
}

static void put_entry(uint8_t *bytes, uint64_t entries, uint32_t number, uint64_t first,
                      uint64_t last)
{
    uint8_t *entry = bytes + entries * WEFT_GPT_SECTOR + (size_t)(number - 1) * 128;
    memset(entry, 0x5a, 32);
    weft_le64_put(entry + 32, first);
    weft_le64_put(entry + 40, last);
}

// Two partitions, the second up to the end of what was flashed.
static void flash(struct disk *disk, uint64_t first_usable)
{
    disk->bytes = calloc(DISK_SECTORS, WEFT_GPT_SECTOR);
    assert_non_null(disk->bytes);
    disk->writes_left = UINT32_MAX;
    disk->is_off = false;
    const uint64_t ends[2] = {2, OLD_SECTORS - 1 - SECTORS_EACH};
    for (size_t i = 0; i < 2; i++) {
        put_entry(disk->bytes, ends[i], 1, 2048, 4095);
        put_entry(disk->bytes, ends[i], 2, 4096, 6143);
    }
    put_header(disk->bytes, 1, OLD_SECTORS - 1, 2, first_usable, OLD_SECTORS - 34);
    put_header(disk->bytes, OLD_SECTORS - 1, 1, OLD_SECTORS - 33, first_usable, OLD_SECTORS - 34);
}

static void assert_grown(struct disk *disk)
{
    const struct weft_gpt_disk interface = interface_of(disk);
    struct weft_gpt gpt;
    struct weft_gpt_part part;
    assert_int_equal(weft_gpt_read(&gpt, &interface), 0);
    assert_false(gpt.from_backup);
    assert_true(weft_gpt_part(&gpt, 1, &part));
    assert_int_equal(part.last, 4095);
    assert_true(weft_gpt_part(&gpt, 2, &part));
    assert_int_equal(part.first, 4096);
    assert_int_equal(part.last, DISK_SECTORS - 2048 - 1); // The last whole MiB before the backup.
    assert_int_equal(gpt.backup_lba, DISK_SECTORS - 1);
    memset(disk->bytes + WEFT_GPT_SECTOR, 0, WEFT_GPT_SECTOR); // The backup says the same.
    assert_int_equal(weft_gpt_read(&gpt, &interface), 0);
    assert_true(gpt.from_backup);
    assert_true(weft_gpt_part(&gpt, 2, &part));
    assert_int_equal(part.last, DISK_SECTORS - 2048 - 1);
}

static void it_grows_once(void **state)
{
    (void)state;
    struct disk disk;
    struct weft_gpt_part part;
    flash(&disk, 2048);
    const struct weft_gpt_disk interface = interface_of(&disk);
    assert_int_equal(weft_gpt_grow(&interface, 2, NULL, &part), 1);
    assert_int_equal(part.last, DISK_SECTORS - 2048 - 1);
    assert_int_equal(weft_gpt_grow(&interface, 2, NULL, &part), 0);
    assert_grown(&disk);
    free(disk.bytes);
}

// A disk that bears the image's identities gets its own, once, and only in a table that is written.
static void it_gets_an_identity(void **state)
{
    (void)state;
    static const uint8_t of_the_image[16] = {0x54, 0x46, 0x45, 0x57, 0, 0, 0, 0x40, 0x80, [15] = 1};
    uint8_t chance[32], before[16];
    struct disk disk;
    struct weft_gpt gpt;
    struct weft_gpt_part part;
    memset(chance, 0xab, sizeof(chance));
    for (int own = 0; own < 2; own++) {
        flash(&disk, 2048);
        const struct weft_gpt_disk interface = interface_of(&disk);
        uint8_t *entry = disk.bytes + 2 * WEFT_GPT_SECTOR;
        if (own == 0) memcpy(entry + 16, of_the_image, sizeof(of_the_image));
        memcpy(before, entry + 16, sizeof(before));
        memcpy(entry + 56, "e\0s\0p", 6);
        put_header(disk.bytes, 1, OLD_SECTORS - 1, 2, 2048, OLD_SECTORS - 34);
        assert_int_equal(weft_gpt_grow(&interface, 2, chance, &part), 1);
        assert_int_equal(weft_gpt_read(&gpt, &interface), 0);
        const bool is_same = memcmp(weft_gpt_guid(&gpt, 1), before, sizeof(before)) == 0;
        assert_int_equal(is_same, own == 1);
        memcpy(before, weft_gpt_guid(&gpt, 1), sizeof(before));
        memset(chance, 0xcd, sizeof(chance));
        assert_int_equal(weft_gpt_grow(&interface, 2, chance, &part), 0);
        assert_int_equal(weft_gpt_read(&gpt, &interface), 0);
        assert_memory_equal(weft_gpt_guid(&gpt, 1), before, sizeof(before));
        free(disk.bytes);
    }
}

// Law: wherever the power fails, the primary table is whole and says one thing or the other; the
// next start finishes what was begun.
static void no_power_failure_loses_the_table(void **state)
{
    (void)state;
    for (uint32_t sectors = 0; sectors < 2 * (SECTORS_EACH + 1); sectors++) {
        struct disk disk;
        struct weft_gpt gpt;
        struct weft_gpt_part part;
        flash(&disk, 2048);
        const struct weft_gpt_disk interface = interface_of(&disk);
        disk.writes_left = sectors;
        assert_int_equal(weft_gpt_grow(&interface, 2, NULL, &part), -EIO);
        disk.is_off = false;
        disk.writes_left = UINT32_MAX;
        assert_int_equal(weft_gpt_read(&gpt, &interface), 0);
        if (gpt.from_backup) fail_msg("after %u sectors the primary is damaged", sectors);
        assert_true(weft_gpt_part(&gpt, 2, &part));
        assert_true(part.last == 6143 || part.last == DISK_SECTORS - 2048 - 1);
        assert_true(weft_gpt_grow(&interface, 2, NULL, &part) >= 0);
        assert_grown(&disk);
        free(disk.bytes);
    }
}

static void a_damaged_primary_comes_back(void **state)
{
    (void)state;
    struct disk disk;
    struct weft_gpt_part part;
    flash(&disk, 2048);
    const struct weft_gpt_disk interface = interface_of(&disk);
    assert_int_equal(weft_gpt_grow(&interface, 2, NULL, &part), 1);
    for (uint32_t sectors = 0; sectors < 3 * (SECTORS_EACH + 1) + 1; sectors++) {
        struct weft_gpt gpt;
        memset(disk.bytes + WEFT_GPT_SECTOR, 0xff, WEFT_GPT_SECTOR);
        disk.writes_left = sectors;
        weft_gpt_grow(&interface, 2, NULL, &part);
        disk.is_off = false;
        disk.writes_left = UINT32_MAX;
        if (weft_gpt_read(&gpt, &interface) != 0)
            fail_msg("after %u sectors no table is left", sectors);
    }
    assert_int_equal(weft_gpt_grow(&interface, 2, NULL, &part) >= 0, 1);
    assert_grown(&disk);
    free(disk.bytes);
}

static void what_cannot_grow_stays(void **state)
{
    (void)state;
    struct disk disk;
    struct weft_gpt_part part;
    flash(&disk, 2048);
    const struct weft_gpt_disk interface = interface_of(&disk);
    assert_int_equal(weft_gpt_grow(&interface, 1, NULL, &part), -EINVAL); // Another is behind it.
    assert_int_equal(weft_gpt_grow(&interface, 3, NULL, &part), -EINVAL);
    assert_int_equal(weft_gpt_grow(&interface, 129, NULL, &part), -EINVAL);
    free(disk.bytes);
    flash(&disk, 34); // No room for a second set of entries.
    const struct weft_gpt_disk tight = interface_of(&disk);
    assert_int_equal(weft_gpt_grow(&tight, 2, NULL, &part), -ENOSPC);
    free(disk.bytes);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        uint32_t value;
    } cases[] = {
        {"another revision", 8, 0x00020000},
        {"a longer header", 12, 512},
        {"entries of 256 bytes", 84, 256},
        {"129 entries", 80, 129},
        {"no entries", 80, 0},
        {"entries far away", 72, 0x7fffffff},
        {"entries over the header", 72, 1},
        {"the end before the beginning", 48, 10},
        {"another place", 24, 7},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct disk disk;
        struct weft_gpt gpt;
        flash(&disk, 2048);
        const struct weft_gpt_disk interface = interface_of(&disk);
        uint8_t *header = disk.bytes + WEFT_GPT_SECTOR;
        weft_le32_put(header + cases[i].at, cases[i].value);
        memset(header + 16, 0, 4);
        weft_le32_put(header + 16, weft_gpt_crc32(header, 92));
        if (weft_gpt_read(&gpt, &interface) == 0) fail_msg("%s is taken", cases[i].name);
        free(disk.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_once),
        cmocka_unit_test(it_gets_an_identity),
        cmocka_unit_test(no_power_failure_loses_the_table),
        cmocka_unit_test(a_damaged_primary_comes_back),
        cmocka_unit_test(what_cannot_grow_stays),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
