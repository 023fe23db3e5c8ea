// What addresses are called, when the file that they came from is whole, cut off, or spoilt.
#include "tests/support/cmocka.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/actor/symbol.h"
#include "runtime/base/prng.h"

static const char *module; // As it was built.
static char path[] = "/tmp/weft-symbol-XXXXXX", fresh[sizeof(path) + 8];
static uint8_t *bytes;
static size_t size;
static uintptr_t hidden, exported; // In it, loaded from `path`.

// Another file in its place: what is loaded stays as it is.
static void replace(const uint8_t *content, size_t length)
{
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, length), (ssize_t)length);
    close(fd);
    assert_int_equal(rename(fresh, path), 0);
}

static int load(void **state)
{
    (void)state;
    struct stat about;
    const int fd = open(module, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &about), 0);
    size = (size_t)about.st_size;
    bytes = malloc(size);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, size), (ssize_t)size);
    close(fd);
    close(mkstemp(path));
    snprintf(fresh, sizeof(fresh), "%s-new", path);
    replace(bytes, size);
    void *loaded = dlopen(path, RTLD_NOW);
    assert_non_null(loaded);
    uintptr_t (*where)(void) = (uintptr_t(*)(void))(uintptr_t)dlsym(loaded, "symbol_module_hidden");
    assert_non_null(where);
    exported = (uintptr_t)where;
    hidden = where();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    free(bytes);
    return unlink(path);
}

static bool is_named(void)
{
    char text[192], name[64], place[64];
    snprintf(name, sizeof(name), "hidden_one (%s)", strrchr(path, '/') + 1);
    snprintf(place, sizeof(place), "%s+0x", strrchr(path, '/') + 1);
    weft_symbol_describe(hidden + 1, true, text, sizeof(text));
    if (strcmp(text, name) == 0) return true;
    // Without a name it is a place; a spoilt one may be another name, but of this file.
    assert_true(strncmp(text, place, strlen(place)) == 0 || strstr(text, strrchr(path, '/') + 1));
    return false;
}

static void what_is_not_exported_has_a_name(void **state)
{
    (void)state;
    char text[192];
    replace(bytes, size);
    assert_true(is_named());
    weft_symbol_describe(16, false, text, sizeof(text));
    assert_string_equal(text, "0x10");
    weft_symbol_describe(exported, false, text, sizeof(text)); // The loader knows this one.
    assert_int_equal(strncmp(text, "symbol_module_hidden (", 22), 0);
}

static void a_file_that_is_cut_off_has_none(void **state)
{
    (void)state;
    size_t named = 0;
    // The section headers are its last bytes: the symbols' and the names' come before one more.
    for (size_t cut = 0; cut < size - 64; cut += 1 + size / 300) {
        replace(bytes, cut);
        named += is_named();
    }
    assert_int_equal(named, 0);
    unlink(path);
    assert_false(is_named());
}

static void a_file_that_is_spoilt_does_no_harm(void **state)
{
    (void)state;
    uint8_t *spoilt = malloc(size);
    size_t named = 0;
    assert_non_null(spoilt);
    for (unsigned seed = 0; seed < 300; seed++) {
        struct weft_prng prng;
        weft_prng_seed(&prng, seed);
        memcpy(spoilt, bytes, size);
        for (unsigned i = 0; i < 20; i++) { // In the headers mostly.
            const uint32_t at = weft_prng_below(&prng, i % 2 == 0 ? 64 : 4096);
            spoilt[i % 2 == 0 ? at : size - 1 - at] = (uint8_t)weft_prng_below(&prng, 256);
        }
        replace(spoilt, size);
        named += is_named();
    }
    assert_true(named < 300);
    free(spoilt);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_exported_has_a_name),
        cmocka_unit_test(a_file_that_is_cut_off_has_none),
        cmocka_unit_test(a_file_that_is_spoilt_does_no_harm),
    };
    if (count != 2) return 2;
    module = arguments[1];
    return cmocka_run_group_tests(tests, load, leave);
}
