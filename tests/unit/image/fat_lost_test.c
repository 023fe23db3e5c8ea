// Clusters that no file has are given back, those of files never, wherever the power fails
// meanwhile.
#include "tests/unit/image/fat_disk.h"

#include "image/update/fat_lost.h"

#define INFO      1 // The sector of FSInfo.
#define FILES     3
#define PER_FILE  40
#define LOST_FROM 1000 // Clusters: a chain of 300, and some that lead nowhere.
#define LOST      300

static uint32_t next_of(const struct disk *disk, unsigned copy, uint32_t cluster)
{
    const unsigned table = (disk->root - TABLE) / disk->bytes[16];
    const uint8_t *at = disk->bytes + (TABLE + (size_t)copy * table) * SECTOR;
    return disk->is_wide ? weft_le32_get(at + 4 * cluster) : weft_le16_get(at + 2 * cluster);
}

static void chain(struct disk *disk, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        set_next(disk, first + i, i + 1 == count ? 0xffff : first + i + 1);
}

static void put_info(struct disk *disk, uint32_t free_count)
{
    uint8_t *info = disk->bytes + INFO * SECTOR;
    if (!disk->is_wide) return;
    weft_le16_put(disk->bytes + 48, INFO);
    weft_le32_put(info, 0x41615252);
    weft_le32_put(info + 484, 0x61417272);
    weft_le32_put(info + 488, free_count);
}

static uint32_t free_noted(const struct disk *disk)
{
    return weft_le32_get(disk->bytes + INFO * SECTOR + 488);
}

// Two tables that are the same, three files in EFI/Linux, one of nothing, and what a cut has left.
static struct disk make_lossy(bool is_wide)
{
    struct disk disk = make_with(is_wide, 2);
    unsigned index = 2;
    for (unsigned n = 0; n < FILES; n++) {
        char name[16];
        snprintf(name, sizeof(name), "kernel%u.efi", n);
        index = put_file(&disk, index, name, n, 100 + n * PER_FILE, PER_FILE * SECTOR);
        chain(&disk, 100 + n * PER_FILE, PER_FILE);
    }
    put_file(&disk, index, "empty", 9, 0, 0);
    set_next(&disk, 0, 0xffff);
    chain(&disk, LOST_FROM, LOST);
    set_next(&disk, LOST_FROM + LOST, LOST_FROM); // Into the chain, from nowhere.
    set_next(&disk, LOST_FROM + LOST + 1, LOST_FROM + LOST + 1);
    if (is_wide) weft_le32_put(disk.bytes + TABLE * SECTOR + 4 * 4000, 0xafffffff); // Upper bits.
    if (is_wide) weft_le32_put(disk.bytes + TABLE * SECTOR + 4 * 4001, 0x0ffffff7); // A bad one.
    const size_t table = (disk.root - TABLE) / 2 * SECTOR;
    memcpy(disk.bytes + TABLE * SECTOR + table, disk.bytes + TABLE * SECTOR, table);
    put_info(&disk, 17);
    return disk;
}

static void check_files(const struct disk *disk)
{
    for (unsigned copy = 0; copy < 2; copy++) {
        for (uint32_t i = 0; i < FILES * PER_FILE; i++) {
            const bool is_last = i % PER_FILE == PER_FILE - 1;
            const uint32_t end = disk->is_wide ? 0x0fffffff : 0xffff;
            assert_int_equal(next_of(disk, copy, 100 + i), is_last ? end : 101 + i);
        }
        assert_int_not_equal(next_of(disk, copy, EFI), 0);
        assert_int_equal(next_of(disk, copy, LINUX), LINUX_MORE);
        assert_int_not_equal(next_of(disk, copy, LINUX_MORE), 0);
        assert_int_not_equal(next_of(disk, copy, 0), 0); // No cluster: the kind of the medium.
        if (disk->is_wide) assert_int_not_equal(next_of(disk, copy, 2), 0);
        if (disk->is_wide) assert_int_equal(next_of(disk, copy, 4001), 0x0ffffff7);
    }
}

static void check_lost_are_free(const struct disk *disk)
{
    check_files(disk);
    for (unsigned copy = 0; copy < 2; copy++) {
        for (uint32_t i = 0; i < LOST + 2; i++)
            assert_int_equal(next_of(disk, copy, LOST_FROM + i), 0);
        if (disk->is_wide) assert_int_equal(next_of(disk, copy, 4000), 0xa0000000);
    }
    if (!disk->is_wide) return;
    const uint32_t used = 1 + 3 + FILES * PER_FILE + 1; // The root, two directories, a bad one.
    assert_int_equal(free_noted(disk), 65600 - used);
}

static void what_is_lost_is_free_again(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct disk disk = make_lossy(n == 1);
        const struct weft_gpt_disk interface = interface_of(&disk);
        uint8_t *before = malloc(disk.sectors * SECTOR);
        assert_non_null(before);
        memcpy(before, disk.bytes, disk.sectors * SECTOR);
        assert_int_equal(weft_fat_lost_free(&interface), LOST + 3); // make() or 4000: one more.
        check_lost_are_free(&disk);
        const int writes = (int)disk.writes;
        assert_int_equal(weft_fat_lost_free(&interface), 0);
        assert_int_equal(disk.writes, writes); // It was in order.
        for (int cut = 0; cut < writes; cut++) {
            memcpy(disk.bytes, before, disk.sectors * SECTOR);
            disk.writes_left = cut;
            assert_int_equal(weft_fat_lost_free(&interface), -EIO);
            disk.writes_left = -1;
            check_files(&disk);
            if (n == 1 && cut > 0 && cut < writes - 1) assert_int_equal(free_noted(&disk), -1U);
            assert_in_range(weft_fat_lost_free(&interface), 0, LOST + 3);
            if (n == 1) assert_int_equal(free_noted(&disk), 65600 - 125);
            check_files(&disk);
        }
        free(before);
        free(disk.bytes);
    }
}

// Nothing is lost, and the number says that there is no room: Linux would believe it.
static void a_wrong_number_is_put_right(void **state)
{
    struct disk disk = make(true);
    const struct weft_gpt_disk interface = interface_of(&disk);
    (void)state;
    put_info(&disk, 0);
    assert_int_equal(weft_fat_lost_free(&interface), 0);
    assert_int_equal(free_noted(&disk), 65600 - 4);
    assert_int_equal(disk.writes, 1);
    weft_le32_put(disk.bytes + INFO * SECTOR + 484, 0); // No FSInfo after all.
    assert_int_equal(weft_fat_lost_free(&interface), 0);
    assert_int_equal(disk.writes, 1);
    free(disk.bytes);
}

static void what_is_damaged_is_left_alone(void **state)
{
    static const struct {
        const char *what;
        uint32_t cluster, next;
    } cases[] = {
        {"two chains that become one", 101 + PER_FILE, 120},
        {"a chain that ends in a free cluster", 110, 0},
        {"a chain that leaves the file system", 110, 60000},
        {"a circle", 110, 100},
        {"a directory that is a circle", LINUX_MORE, LINUX},
    };
    (void)state;
    for (size_t n = 0; n < WEFT_COUNT_OF(cases); n++) {
        struct disk disk = make_lossy(false);
        const struct weft_gpt_disk interface = interface_of(&disk);
        set_next(&disk, cases[n].cluster, cases[n].next);
        const int64_t result = weft_fat_lost_free(&interface);
        if (result != -EINVAL || disk.writes != 0)
            fail_msg("%s: %lld", cases[n].what, (long long)result);
        free(disk.bytes);
    }
    struct disk disk = make_lossy(false);
    const struct weft_gpt_disk interface = interface_of(&disk);
    disk.bytes[510] = 0;
    assert_int_equal(weft_fat_lost_free(&interface), -EOPNOTSUPP);
    assert_int_equal(disk.writes, 0);
    free(disk.bytes);
}

// Whatever stands there, it ends; and when it is done there is nothing left to do.
static void noise(void **state)
{
    struct disk disk = make_lossy(false);
    const struct weft_gpt_disk interface = interface_of(&disk);
    struct weft_prng prng;
    (void)state;
    weft_prng_seed(&prng, 7);
    for (int i = 0; i < 2000; i++) {
        uint8_t kept, *byte = flip(&disk, &prng, i, &kept);
        if (weft_fat_lost_free(&interface) >= 0)
            assert_int_equal(weft_fat_lost_free(&interface), 0);
        else
            *byte = kept; // Or all that follows is refused as well.
    }
    free(disk.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_lost_is_free_again),
        cmocka_unit_test(a_wrong_number_is_put_right),
        cmocka_unit_test(what_is_damaged_is_left_alone),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
