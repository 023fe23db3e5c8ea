// Room at the end of a directory, and the power failing after each sector that is written: all that
// had a name has it still, and the directory ends where it may.
#include "tests/unit/image/fat_disk.h"

#include "image/update/fat_lost.h"
#include "image/update/fat_room.h"
#include "image/update/fat_volume.h"

#define KERNEL "weft-a_0.3.0+3.efi"

// What the directory holds: how many names, places behind the last, and whether those are all new.
struct view {
    unsigned names, room;
    bool is_clean;
};

static struct view look(struct disk *disk)
{
    static struct weft_fat_directory directory;
    const struct weft_gpt_disk interface = interface_of(disk);
    struct weft_fat_volume fat;
    struct weft_fat_file file;
    struct view view = {.is_clean = true};
    uint32_t end = 0;
    assert_int_equal(weft_fat_volume_open(&fat, &interface), 0);
    assert_int_equal(weft_fat_volume_walk(&fat, "EFI/Linux", &directory), 0);
    for (uint32_t at = 0; weft_fat_directory_next(&directory, &at, &file);) {
        if (strncmp(file.name, "weft-a_", 7) == 0) assert_string_equal(file.name, KERNEL);
        end = file.last + 1;
        view.names++;
    }
    view.room = directory.count * WEFT_FAT_PER_SECTOR - end;
    for (uint32_t i = end; i < directory.count * WEFT_FAT_PER_SECTOR; i++) {
        const uint8_t *entry = weft_fat_directory_entry(&directory, i);
        for (unsigned n = 0; n < WEFT_FAT_ENTRY_BYTES; n++)
            view.is_clean = view.is_clean && entry[n] == 0;
    }
    return view;
}

// A kernel's name, and places up to `used` that were used once.
static struct disk make_used(bool is_wide, unsigned used)
{
    struct disk disk = make_with(is_wide, 2);
    unsigned index = put_file(&disk, 2, KERNEL, 1, 8, 400);
    for (; index < used; index++) {
        put_short(linux_entry(&disk, index), "GONE    EFI", 0x20, 77, 9);
        linux_entry(&disk, index)[0] = 0xe5;
    }
    const size_t table = (disk.root - TABLE) / 2 * SECTOR;
    memcpy(disk.bytes + TABLE * SECTOR + table, disk.bytes + TABLE * SECTOR, table);
    return disk;
}

static void the_power_fails_at_any_write(void **state)
{
    (void)state;
    static const unsigned used[] = {0, 9, 16, 20, 32};
    for (unsigned n = 0; n < 2 * WEFT_COUNT_OF(used); n++) {
        struct disk disk = make_used(n % 2 == 1, used[n / 2]);
        const struct weft_gpt_disk interface = interface_of(&disk);
        uint8_t *before = malloc(disk.sectors * SECTOR);
        assert_non_null(before);
        memcpy(before, disk.bytes, disk.sectors * SECTOR);
        const int written = weft_fat_room_make(&interface, "EFI/Linux", 48);
        assert_int_equal(written, disk.writes);
        struct view view = look(&disk);
        assert_true(view.names == 3 && view.room >= 48 && view.room < 64 && view.is_clean);
        assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 48), 0);
        assert_in_range(weft_fat_lost_free(&interface), 0, 2); // What make() has left, no more.
        for (int cut = 0; cut < written; cut++) {
            memcpy(disk.bytes, before, disk.sectors * SECTOR);
            disk.writes_left = cut;
            assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 48), -EIO);
            disk.writes_left = -1;
            assert_int_equal(look(&disk).names, 3);
            assert_in_range(weft_fat_lost_free(&interface), 0, 3); // It is in order.
            assert_true(weft_fat_room_make(&interface, "EFI/Linux", 48) >= 0);
            view = look(&disk);
            assert_true(view.names == 3 && view.room >= 48 && view.is_clean);
        }
        free(before);
        free(disk.bytes);
    }
}

static void what_stands_behind_the_end_is_no_name(void **state)
{
    (void)state;
    struct disk disk = make(false);
    const struct weft_gpt_disk interface = interface_of(&disk);
    put_file(&disk, 2, KERNEL, 1, 8, 400);
    put_short(linux_entry(&disk, 20), "OLD     EFI", 0x20, 90, 9);
    assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 16), 1);
    const struct view view = look(&disk);
    assert_true(view.names == 3 && view.is_clean);
    free(disk.bytes);
}

// It ends in a cluster that is free: growing could take that one, and make a circle.
static void what_is_damaged_does_not_grow(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct disk disk = make_used(n == 1, 32);
        const struct weft_gpt_disk interface = interface_of(&disk);
        set_next(&disk, LINUX_MORE, 0);
        assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 64), -EINVAL);
        assert_int_equal(look(&disk).names, 3);
        set_next(&disk, LINUX_MORE, 0xffff);
        set_next(&disk, 8, 0); // A kernel whose cluster is free.
        const unsigned writes = disk.writes;
        assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 64), -EINVAL);
        assert_int_equal(disk.writes, writes);
        free(disk.bytes);
    }
}

static void without_a_cluster_it_stays(void **state)
{
    (void)state;
    struct disk disk = make(false);
    const struct weft_gpt_disk interface = interface_of(&disk);
    put_file(&disk, 2, KERNEL, 1, 8, 400);
    for (uint32_t cluster = 2; cluster < 5002; cluster++)
        if (cluster < EFI || cluster > LINUX_MORE) set_next(&disk, cluster, 0xffff);
    assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 48), -ENOSPC);
    assert_int_equal(disk.writes, 0);
    assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 20), 0);
    assert_int_equal(weft_fat_room_make(&interface, "EFI/NONE", 20), -ENOENT);
    assert_int_equal(weft_fat_room_make(&interface, "", 48),
                     -ENOSPC); // A FAT16's root has no more.
    free(disk.bytes);
}

// The number of free clusters is kept.
static void the_number_goes_along(void **state)
{
    (void)state;
    struct disk disk = make_used(true, 0);
    const struct weft_gpt_disk interface = interface_of(&disk);
    uint8_t *info = disk.bytes + SECTOR;
    weft_le16_put(disk.bytes + 48, 1);
    weft_le32_put(info, WEFT_FAT_INFO_LEAD);
    weft_le32_put(info + WEFT_FAT_INFO_AT, WEFT_FAT_INFO_MARK);
    assert_int_equal(weft_fat_lost_free(&interface), 0);
    const uint32_t free_count = weft_le32_get(info + WEFT_FAT_INFO_FREE);
    assert_true(weft_fat_room_make(&interface, "EFI/Linux", 48) > 0);
    assert_int_equal(weft_le32_get(info + WEFT_FAT_INFO_FREE), free_count - 2);
    const unsigned writes = disk.writes;
    assert_int_equal(weft_fat_lost_free(&interface), 0);
    assert_int_equal(disk.writes, writes); // It was right.
    free(disk.bytes);
}

static void noise(void **state)
{
    struct disk disk = make_used(false, 20);
    const struct weft_gpt_disk interface = interface_of(&disk);
    struct weft_prng prng;
    (void)state;
    weft_prng_seed(&prng, 11);
    for (int i = 0; i < 3000; i++) {
        uint8_t kept, *byte = flip(&disk, &prng, i, &kept);
        if (weft_fat_room_make(&interface, "EFI/Linux", 48) >= 0)
            assert_int_equal(weft_fat_room_make(&interface, "EFI/Linux", 48), 0);
        else
            *byte = kept;
    }
    free(disk.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_power_fails_at_any_write),
        cmocka_unit_test(what_stands_behind_the_end_is_no_name),
        cmocka_unit_test(what_is_damaged_does_not_grow),
        cmocka_unit_test(without_a_cluster_it_stays),
        cmocka_unit_test(the_number_goes_along),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
