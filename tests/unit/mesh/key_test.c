// Key files: what is accepted, what is refused, what is made. Ed25519 against RFC 8032.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/mesh/key.h"

static char directory[64];
static char path[96];

static int make_directory(void **state)
{
    (void)state;
    const char *root = getenv("TMPDIR");
    snprintf(directory, sizeof(directory), "%.40s/weft-key-XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(directory) == NULL) return -1;
    snprintf(path, sizeof(path), "%s/key", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void put(const char *text, mode_t mode)
{
    unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

#define HEX62 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"

static void reads_only_what_is_right(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        mode_t mode;
        bool good;
    } cases[] = {
        {"plain", HEX62 "1f\n", 0600, true},
        {"read-only", HEX62 "1f\n", 0400, true},
        {"upper case", HEX62 "1F\n", 0600, true},
        {"readable by the group", HEX62 "1f\n", 0640, false},
        {"readable by all", HEX62 "1f\n", 0644, false},
        {"writable by others", HEX62 "1f\n", 0602, false},
        {"executable", HEX62 "1f\n", 0700, false},
        {"set-uid", HEX62 "1f\n", 04600, false},
        {"no newline", HEX62 "1f", 0600, false},
        {"short", HEX62 "\n", 0600, false},
        {"long", HEX62 "1f20\n", 0600, false},
        {"not hex", HEX62 "1g\n", 0600, false},
        {"blank in front", " " HEX62 "1f", 0600, false},
        {"empty", "", 0600, false},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_mesh_key key;
        struct weft_error error = {0};
        put(cases[i].text, cases[i].mode);
        const int result = weft_mesh_key_read(path, &key, &error);
        if ((result == 0) != cases[i].good) fail_msg("%s: %d", cases[i].name, result);
        if (result == 0) {
            for (uint8_t n = 0; n < 32; n++)
                assert_int_equal(key.bytes[n], n);
        } else {
            assert_int_equal(error.code, 301);
            assert_non_null(strstr(error.text, path));
        }
    }
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    struct weft_mesh_key key;
    struct weft_error error = {0};
    unlink(path);
    assert_int_equal(weft_mesh_key_read(path, &key, &error), -ENOENT);
    assert_int_equal(error.code, 301);
    assert_int_equal(weft_mesh_key_read(directory, &key, &error), -EACCES);
    assert_int_equal(mkfifo(path, 0600), 0); // Must not block either.
    assert_int_equal(weft_mesh_key_read(path, &key, NULL), -EACCES);
}

static void makes_a_key_once(void **state)
{
    (void)state;
    const struct weft_entropy entropy = weft_entropy_linux();
    struct weft_mesh_key key, again;
    struct weft_error error = {0};
    struct stat status;

    unlink(path);
    assert_int_equal(weft_mesh_key_generate(path, &entropy, &error), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(weft_mesh_key_read(path, &key, &error), 0);
    assert_int_equal(weft_mesh_key_generate(path, &entropy, &error), -EEXIST);
    assert_int_equal(weft_mesh_key_read(path, &again, &error), 0);
    assert_memory_equal(key.bytes, again.bytes, sizeof(key.bytes));
}

static void an_identity_stays(void **state)
{
    (void)state;
    const struct weft_entropy entropy = weft_entropy_linux();
    struct weft_mesh_identity first, second;
    unlink(path);
    assert_int_equal(weft_mesh_identity_open(path, &entropy, &first, NULL), 0);
    assert_int_equal(weft_mesh_identity_open(path, &entropy, &second, NULL), 0);
    assert_true(first.id == second.id && first.id != 0);
    assert_true(first.id == weft_mesh_id_of(first.public_key));
    weft_mesh_identity_destroy(&first);
    weft_mesh_identity_destroy(&second);
    put("nonsense\n", 0600);
    struct weft_error error = {0};
    assert_int_equal(weft_mesh_identity_open(path, &entropy, &first, &error), -EACCES);
    assert_int_equal(error.code, 301);
}

// RFC 8032 §7.1, test 2.
static void signs_as_the_rfc_does(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda,
                                     0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
                                     0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24,
                                     0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
    static const uint8_t public_key[32] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a,
                                           0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
                                           0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c,
                                           0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
    static const uint8_t begins[8] = {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8};
    struct weft_mesh_identity identity;
    uint8_t signature[WEFT_MESH_SIGNATURE_BYTES];
    const struct weft_span message = weft_span_of("\x72", 1);

    assert_int_equal(weft_mesh_identity_init(&identity, seed), 0);
    assert_memory_equal(identity.public_key, public_key, sizeof(public_key));
    assert_int_equal(weft_mesh_sign(&identity, message, signature), 0);
    assert_memory_equal(signature, begins, sizeof(begins));
    assert_int_equal(weft_mesh_verify(public_key, message, signature), 0);
    assert_int_equal(weft_mesh_verify(public_key, weft_span_of("\x73", 1), signature), -EBADMSG);
    signature[10] ^= 1;
    assert_int_equal(weft_mesh_verify(public_key, message, signature), -EBADMSG);
    weft_mesh_identity_destroy(&identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_only_what_is_right), cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(makes_a_key_once),         cmocka_unit_test(an_identity_stays),
        cmocka_unit_test(signs_as_the_rfc_does),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
