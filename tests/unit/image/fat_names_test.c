// Other names for files of a FAT file system, and the power failing after each sector that is
// written: the file is always there, under the one name or the other.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "image/update/fat_names.h"
#include "runtime/base/endian.h"
#include "runtime/base/prng.h"
#include "runtime/base/units.h"
#include "tests/unit/image/fat_disk.h"

// ---- What is there, read by other means: a name counts where its whole long name stands.

static bool name_at(struct disk *disk, unsigned last, char name[64])
{
    static const uint8_t units[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    size_t used = 0;
    uint8_t sum = 0;
    for (int i = 0; i < 11; i++)
        sum = (uint8_t)(((sum & 1) << 7) + (sum >> 1) + linux_entry(disk, last)[i]);
    for (unsigned i = last, order = 1; i-- > 0; order++) {
        const uint8_t *entry = linux_entry(disk, i);
        if (entry[11] != 0x0f || (entry[0] & 0x3f) != order || entry[13] != sum) return false;
        for (unsigned n = 0; n < 13 && used < 63; n++)
            if (weft_le16_get(entry + units[n]) != 0xffff) name[used++] = (char)entry[units[n]];
        if ((entry[0] & 0x40) == 0) continue;
        name[used] = '\0';
        return true;
    }
    return false;
}

// How often the name leads to the cluster; every other way to it is counted in *others.
static unsigned count(struct disk *disk, const char *name, uint32_t cluster, unsigned *others)
{
    unsigned found = 0;
    *others = 0;
    for (unsigned i = 0; i < 32 && linux_entry(disk, i)[0] != 0; i++) {
        const uint8_t *entry = linux_entry(disk, i);
        char there[64];
        if (entry[0] == 0xe5 || entry[11] == 0x0f || weft_le16_get(entry + 26) != cluster ||
            (entry[11] & 0x10) != 0)
            continue;
        if (name_at(disk, i, there) && strcmp(there, name) == 0)
            found++;
        else
            ++*others;
    }
    return found;
}

#define FROM "weft-b_0.3.0+2-1.efi"
#define TO   "weft-b_0.3.0.efi"

struct place {
    const char *name;
    unsigned before; // So many entries stand in front of it, all in use,
    bool end_free;   // and behind it are some that were used once, or the end.
    const char *to;
    unsigned writes; // Of one rename.
};

static struct disk make_place(const struct place *place, bool is_wide)
{
    struct disk disk = make(is_wide);
    unsigned index = 2;
    for (unsigned n = 0; index < place->before; n++) {
        char name[16];
        snprintf(name, sizeof(name), "other%u.efi", n);
        index = put_file(&disk, index, name, 20 + n, FIRST_FILE + 20 + n, 9);
    }
    index = put_file(&disk, place->before, FROM, 1, FIRST_FILE, 5000);
    if (!place->end_free) return disk;
    for (; index < 32; index++)
        put_file(&disk, index, "", 90, FIRST_FILE + 90, 0), linux_entry(&disk, index)[0] = 0xe5;
    return disk;
}

static const struct place places[] = {
    {"in one sector", 2, false, TO, 1},
    {"in one sector, among old ones", 2, true, TO, 1},
    {"as many parts", 4, false, "weft-b_0.3.0+1-2.efi", 1},
    {"over the end of a sector", 14, false, TO, 3},
    {"over the end, the short one alone behind it", 14, true, TO, 3},
    {"more parts than it has", 4, false, "weft-b_0.3.0-a.longer.version.efi", 2},
    {"more parts, among old ones", 4, true, "weft-b_0.3.0-a.longer.version.efi", 2},
    {"in the second sector", 16, false, TO, 1},
    {"a release before its release", 4, false, "weft-b_0.3.0~rc1.efi", 1},
};

static void the_power_fails_at_any_write(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * WEFT_COUNT_OF(places); n++) {
        const struct place *place = &places[n / 2];
        struct disk disk = make_place(place, n % 2 == 1);
        const struct weft_gpt_disk interface = interface_of(&disk);
        uint8_t *before = malloc(disk.sectors * SECTOR);
        unsigned others;
        assert_non_null(before);
        memcpy(before, disk.bytes, disk.sectors * SECTOR);
        assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, place->to), 0);
        if (disk.writes != place->writes || count(&disk, place->to, FIRST_FILE, &others) != 1 ||
            others != 0)
            fail_msg("%s: %u writes", place->name, disk.writes);
        assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, place->to), 0);
        for (int cut = 0; cut < (int)place->writes; cut++) {
            memcpy(disk.bytes, before, disk.sectors * SECTOR);
            disk.writes_left = cut;
            assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, place->to), -EIO);
            disk.writes_left = -1;
            const unsigned old = count(&disk, FROM, FIRST_FILE, &others);
            const unsigned new = count(&disk, place->to, FIRST_FILE, &others);
            if (old + new == 0) fail_msg("%s: nothing is left of it, cut %d", place->name, cut);
            // Whoever mounts it next finds it with one name, and can rename it again.
            assert_in_range(weft_fat_names_mend(&interface, "EFI/Linux"), 0, 1);
            assert_int_equal(weft_fat_names_mend(&interface, "EFI/Linux"), 0);
            assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, place->to), 0);
            if (count(&disk, place->to, FIRST_FILE, &others) != 1 || others != 0)
                fail_msg("%s: cut %d is not mended", place->name, cut);
            // Nothing but the directory was written to.
            memcpy(cluster_at(&disk, LINUX), before + (cluster_at(&disk, LINUX) - disk.bytes),
                   SECTOR);
            memcpy(cluster_at(&disk, LINUX_MORE),
                   before + (cluster_at(&disk, LINUX_MORE) - disk.bytes), SECTOR);
            assert_memory_equal(disk.bytes, before, disk.sectors * SECTOR);
        }
        free(before);
        free(disk.bytes);
    }
}

static void what_is_there_already(void **state)
{
    struct disk disk = make(true);
    const struct weft_gpt_disk interface = interface_of(&disk);
    unsigned others, index = put_file(&disk, 2, FROM, 1, FIRST_FILE, 5000);
    (void)state;
    put_file(&disk, index, TO, 2, FIRST_FILE + 1, 5000);
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, TO), -EEXIST);
    assert_int_equal(disk.writes, 0);
    // The same clusters: what the kernel leaves when the power fails between its two changes.
    put_file(&disk, index, TO, 2, FIRST_FILE, 5000);
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, TO), 0);
    assert_true(count(&disk, TO, FIRST_FILE, &others) == 1 && others == 0);
    assert_int_equal(weft_fat_names_rename(&interface, "efi/LINUX", "WEFT-B_0.3.0.EFI", FROM), 0);
    assert_true(count(&disk, FROM, FIRST_FILE, &others) == 1 && others == 0);
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", "absent.efi", TO), -ENOENT);
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Other", FROM, TO), -ENOENT);
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, "a/b"), -EINVAL);
    free(disk.bytes);
}

static void the_whole_one_stays(void **state)
{
    static const struct {
        const char *stays, *goes;
        uint32_t bytes, bytes_gone;
    } cases[] = {
        {"weft.toml", "weft.toml.new", 900, 900},
        {"weft.toml.new", "weft.toml", 900, 0}, // The kernel enters a name before its length.
        {TO, FROM, 5000, 5000},
    };
    (void)state;
    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        struct disk disk = make(i % 2 == 1);
        const struct weft_gpt_disk interface = interface_of(&disk);
        unsigned others, index = 2;
        if (i % 4 < 2)
            index =
                put_file(&disk, index, cases[i / 2].goes, 1, FIRST_FILE, cases[i / 2].bytes_gone);
        index = put_file(&disk, index, cases[i / 2].stays, 2, FIRST_FILE, cases[i / 2].bytes);
        if (i % 4 >= 2)
            index =
                put_file(&disk, index, cases[i / 2].goes, 1, FIRST_FILE, cases[i / 2].bytes_gone);
        put_file(&disk, index, "another.efi", 3, FIRST_FILE + 1, 5000);
        assert_int_equal(weft_fat_names_mend(&interface, "EFI/Linux"), 1);
        assert_true(count(&disk, cases[i / 2].stays, FIRST_FILE, &others) == 1 && others == 0);
        assert_int_equal(count(&disk, "another.efi", FIRST_FILE + 1, &others), 1);
        assert_int_equal(weft_fat_names_mend(&interface, ""), 0);
        free(disk.bytes);
    }
}

static void a_directory_without_a_place(void **state)
{
    struct disk disk = make(false);
    const struct weft_gpt_disk interface = interface_of(&disk);
    (void)state;
    unsigned index = put_file(&disk, 2, FROM, 1, FIRST_FILE, 5000);
    for (unsigned n = 0; index < 32; n++) {
        char name[32];
        snprintf(name, sizeof(name), "%s%u.efi", index == 29 ? "a.longer.one" : "o", n);
        index = put_file(&disk, index, name, 10 + n, FIRST_FILE + 10 + n, 9);
    }
    assert_int_equal(
        weft_fat_names_rename(&interface, "EFI/Linux", FROM, "weft-b_0.3.0-a.longer.version.efi"),
        -ENOSPC);
    assert_int_equal(disk.writes, 0);
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, TO), 0);
    disk.bytes[510] = 0;
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", TO, FROM), -EOPNOTSUPP);
    disk.bytes[510] = 0x55;
    set_next(&disk, LINUX_MORE, LINUX); // A circle.
    assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", TO, FROM), -EINVAL);
    free(disk.bytes);
}

// Linux and firmware take a file system for FAT32 by its table's length, and Microsoft by its count
// of clusters: where the two do not agree nothing is said to be absent, nor written.
static void whose_kind_is_disputed(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct disk disk = make(n == 1);
        const struct weft_gpt_disk interface = interface_of(&disk);
        uint8_t *boot = disk.bytes;
        const uint32_t table = n == 1 ? weft_le32_get(boot + 36) : weft_le16_get(boot + 22);
        put_file(&disk, 2, FROM, 1, FIRST_FILE, 5000);
        weft_le16_put(boot + 22, (uint16_t)(n == 1 ? table : 0));
        weft_le32_put(boot + 36, n == 1 ? 0 : table);
        weft_le32_put(boot + 44, 2);
        assert_int_equal(weft_fat_names_rename(&interface, "EFI/Linux", FROM, TO), -EOPNOTSUPP);
        assert_int_equal(weft_fat_names_mend(&interface, ""), -EOPNOTSUPP);
        assert_int_equal(disk.writes, 0);
        free(disk.bytes);
    }
}

// A drive whose directory is as long as can be, with nothing but names for what others have as
// well: process 1 waits for that before there is a watchdog.
static void a_directory_full_of_pairs(void **state)
{
    enum { SECTORS = 1024, NAMES = SECTORS * SECTOR / ENTRY };
    struct disk disk = make(true);
    const struct weft_gpt_disk interface = interface_of(&disk);
    (void)state;
    for (uint32_t i = 0; i < SECTORS; i++) // The root: clusters 2, 1000, 1001 …
        set_next(&disk, i == 0 ? 2 : 999 + i, i == SECTORS - 1 ? 0xffff : 1000 + i);
    for (uint32_t i = 0; i < NAMES; i++) {
        const uint32_t sector = i / (SECTOR / ENTRY);
        const uint32_t cluster = 3000 + (i < NAMES / 2 ? i : NAMES - 1 - i);
        char name[12];
        snprintf(name, sizeof(name), "F%07uBIN", (unsigned)i);
        put_short(cluster_at(&disk, sector == 0 ? 2 : 999 + sector) + i % 16 * (size_t)ENTRY, name,
                  0x20, cluster, 9);
    }
    const clock_t began = clock();
    assert_int_equal(weft_fat_names_mend(&interface, ""), NAMES / 2);
    assert_true(clock() - began < 10 * CLOCKS_PER_SEC); // Of this process alone; it takes 0.05 s.
    assert_int_equal(weft_fat_names_mend(&interface, ""), 0);
    free(disk.bytes);
}

// Whatever stands there, it ends.
static void noise(void **state)
{
    struct disk disk = make(false);
    const struct weft_gpt_disk interface = interface_of(&disk);
    struct weft_prng prng;
    (void)state;
    weft_prng_seed(&prng, 5);
    put_file(&disk, 2, FROM, 1, FIRST_FILE, 5000);
    for (int i = 0; i < 3000; i++) {
        uint8_t *where = weft_prng_below(&prng, 4) == 0 ? disk.bytes : cluster_at(&disk, LINUX);
        where[weft_prng_below(&prng, i % 2 == 0 ? 64 : SECTOR)] ^= (uint8_t)(1u << i % 8);
        const int mended = weft_fat_names_mend(&interface, "EFI/Linux");
        const int renamed = weft_fat_names_rename(&interface, "EFI/Linux", FROM, TO);
        assert_true(mended <= 32 && renamed <= 0);
    }
    free(disk.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_power_fails_at_any_write),
        cmocka_unit_test(what_is_there_already),
        cmocka_unit_test(the_whole_one_stays),
        cmocka_unit_test(a_directory_without_a_place),
        cmocka_unit_test(whose_kind_is_disputed),
        cmocka_unit_test(a_directory_full_of_pairs),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
