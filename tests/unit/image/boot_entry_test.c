// Which kernel the loader counts, and what blessing makes of its name.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/init/boot_entry.h"
#include "runtime/base/file.h"

static size_t utf16(uint8_t *bytes, const char *text)
{
    size_t length = 4;
    memset(bytes, 0, 4);
    bytes[0] = 6;
    for (const char *at = text;; at++) {
        bytes[length++] = (uint8_t)*at;
        bytes[length++] = 0;
        if (*at == '\0') return length;
    }
}

static void the_loaders_path_is_read(void **state)
{
    (void)state;
    uint8_t bytes[256];
    char path[64];
    size_t length = utf16(bytes, "\\EFI\\Linux\\weft-a_1+2-1.efi");
    assert_int_equal(weft_boot_entry_path(bytes, length, path, sizeof(path)), 0);
    assert_string_equal(path, "/EFI/Linux/weft-a_1+2-1.efi");
    assert_int_equal(weft_boot_entry_path(bytes, length - 1, path, sizeof(path)), -EINVAL);
    assert_int_equal(weft_boot_entry_path(bytes, length, path, 10), -EINVAL);
    assert_int_equal(weft_boot_entry_path(bytes, 4, path, sizeof(path)), -EINVAL);
    length = utf16(bytes, "\\EFI\\..\\x.efi");
    assert_int_equal(weft_boot_entry_path(bytes, length, path, sizeof(path)), -EINVAL);
    length = utf16(bytes, "x.efi");
    assert_int_equal(weft_boot_entry_path(bytes, length, path, sizeof(path)), -EINVAL);
    bytes[5] = 1; // No ASCII.
    assert_int_equal(weft_boot_entry_path(bytes, length, path, sizeof(path)), -EINVAL);
}

// ---- A directory of kernels.

static char root[64];

static int make_root(void **state)
{
    (void)state;
    char path[128];
    snprintf(root, sizeof(root), "/tmp/weft-entry.XXXXXX");
    if (mkdtemp(root) == NULL) return -1;
    snprintf(path, sizeof(path), "%s/EFI", root);
    if (mkdir(path, 0700) != 0) return -1;
    snprintf(path, sizeof(path), "%s/EFI/Linux", root);
    return mkdir(path, 0700);
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

static void put(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/EFI/Linux/%s", root, name);
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool is_there(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/EFI/Linux/%s", root, name);
    return access(path, F_OK) == 0;
}

static void blessing_takes_the_count(void **state)
{
    (void)state;
    put("weft-a_1+2-1.efi");
    assert_int_equal(weft_boot_entry_bless(root, "/EFI/Linux/weft-a_1+2-1.efi"), 0);
    assert_true(is_there("weft-a_1.efi"));
    assert_false(is_there("weft-a_1+2-1.efi"));
    assert_int_equal(weft_boot_entry_bless(root, "/EFI/Linux/weft-a_1+2-1.efi"),
                     0); // Done already.
    assert_int_equal(weft_boot_entry_bless(root, "/EFI/Linux/weft-a_2+2-1.efi"), -ENOENT);
    assert_int_equal(weft_boot_entry_bless(root, "/EFI/Linux/other.efi"), -EINVAL);
}

// A kernel without a try left is what the loader takes when there is nothing better: starting anew
// would only bring it again.
static void what_a_restart_would_bring(void **state)
{
    static const char last[] = "/EFI/Linux/weft-b_2+0-3.efi";
    (void)state;
    put("weft-b_2+0-3.efi");
    put("rescue.efi");
    assert_int_equal(weft_boot_entry_has_next(root, "/EFI/Linux/weft-b_2+1-2.efi"), 1);
    assert_int_equal(weft_boot_entry_has_next(root, last), 0);
    put("weft-a_1+0.efi"); // Older, and without tries too: the loader takes it later.
    assert_int_equal(weft_boot_entry_has_next(root, last), 0);
    put("weft-a_3+0.efi");
    assert_int_equal(weft_boot_entry_has_next(root, last), 1);
    assert_int_equal(remove_root(NULL) + make_root(NULL), 0);
    put("weft-b_2+0-3.efi");
    put("weft-a_1.efi");
    assert_int_equal(weft_boot_entry_has_next(root, last), 1);
    assert_int_equal(weft_boot_entry_has_next(root, "/EFI/Linux/other.efi"), -EINVAL);
    assert_int_equal(weft_boot_entry_has_next(root, "/EFI/Other/weft-b_2+0-3.efi"), -ENOENT);
}

static void a_copy_has_one_slot_and_all_its_tries(void **state)
{
    (void)state;
    put("weft-a_1.efi");
    put("weft-b_2+1-2.efi");
    put("rescue.efi");
    assert_int_equal(weft_boot_entry_only(root, 'b'), 0);
    assert_true(is_there("weft-b_2+3.efi") && is_there("rescue.efi"));
    assert_false(is_there("weft-a_1.efi") || is_there("weft-b_2+1-2.efi"));
    assert_int_equal(weft_boot_entry_only(root, 'a'), -ENOENT);
    assert_true(is_there("weft-b_2+3.efi"));
}

static void the_variable_of_the_firmware(void **state)
{
    (void)state;
    uint8_t bytes[256];
    char path[256];
    assert_int_equal(weft_boot_entry_counted(root, path, sizeof(path)), -ENOENT);
    snprintf(path, sizeof(path), "%s/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
             root);
    const size_t length = utf16(bytes, "\\EFI\\Linux\\weft-b_1+3.efi");
    assert_int_equal(weft_file_replace(path, bytes, length, 0600), 0);
    assert_int_equal(weft_boot_entry_counted(root, path, sizeof(path)), 0);
    assert_string_equal(path, "/EFI/Linux/weft-b_1+3.efi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loaders_path_is_read),
        cmocka_unit_test_setup_teardown(blessing_takes_the_count, make_root, remove_root),
        cmocka_unit_test_setup_teardown(what_a_restart_would_bring, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_copy_has_one_slot_and_all_its_tries, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(the_variable_of_the_firmware, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
