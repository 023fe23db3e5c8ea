// What a file says of itself decides whether it is loaded, and a person is told why not.
#include "tests/support/cmocka.h"

#include <elf.h>
#include <string.h>

#include <weft/module.h>

#include "runtime/module/module_file.h"

#if defined(__x86_64__)
#define OWN   EM_X86_64
#define OTHER EM_AARCH64
#else
#define OWN   EM_AARCH64
#define OTHER EM_X86_64
#endif

struct image { // The least that is a module: a head, two segments, the notes.
    Elf64_Ehdr head;
    Elf64_Phdr segments[2];
    struct { // Somebody else's, in front.
        Elf64_Nhdr head;
        char name[4];
        uint32_t desc;
    } other;
    struct weft_module_note note;
};

static struct image good(void)
{
    struct image image = {
        .head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
                 .e_type = ET_DYN,
                 .e_machine = OWN,
                 .e_phoff = offsetof(struct image, segments),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .segments = {{.p_type = PT_LOAD, .p_filesz = sizeof(struct image)},
                     {.p_type = PT_NOTE,
                      .p_offset = offsetof(struct image, other),
                      .p_filesz = sizeof(struct image) - offsetof(struct image, other)}},
        .other = {.head = {.n_namesz = 4, .n_descsz = 4, .n_type = 3}, .name = "GNU"},
        .note = {.name_bytes = 5,
                 .bytes = 16,
                 .type = WEFT_MODULE_NOTE_TYPE,
                 .name = "Weft",
                 .abi = WEFT_ABI,
                 .layout = WEFT_MODULE_LAYOUT,
                 .flags = WEFT_MODULE_CHECKED},
    };
    return image;
}

static void accepts_its_own(void **state)
{
    struct image image = good();
    struct weft_module_file file;
    struct weft_error error = {0};
    (void)state;
    assert_int_equal(weft_module_file_check(&image, sizeof(image), "m.so", &file, &error), 0);
    assert_true(file.is_checked);
    image.note.flags = 0;
    image.note.cpu = WEFT_MODULE_CPU; // What this test was built for, it runs on.
    assert_int_equal(weft_module_file_check(&image, sizeof(image), "m.so", &file, &error), 0);
    assert_false(file.is_checked);
}

static void refused(const struct image *image, size_t length, const char *why)
{
    struct weft_module_file file;
    struct weft_error error = {0};
    assert_int_equal(weft_module_file_check(image, length, "m.so", &file, &error), -1);
    assert_int_equal(error.code, 802);
    if (strstr(error.text, why) == NULL) fail_msg("it says: %s", error.text);
    assert_non_null(strstr(error.text, "m.so"));
}

static void refuses_with_the_reason(void **state)
{
    (void)state;
    struct image image = good();
    refused(&image, 0, "no ELF");
    refused(&image, 10, "no ELF");
    image.head.e_ident[EI_CLASS] = ELFCLASS32;
    refused(&image, sizeof(image), "64-bit");
    image = good();
    image.head.e_machine = OTHER;
    refused(&image, sizeof(image), OTHER == EM_AARCH64 ? "built for ARM64" : "built for x86-64");
    image.head.e_machine = 4711;
    refused(&image, sizeof(image), "machine 4711");
    image = good();
    image.head.e_type = ET_REL;
    refused(&image, sizeof(image), "no shared object");
    image = good();
    image.note.name[0] = 'X';
    refused(&image, sizeof(image), "no module");
    image = good();
    image.note.abi++;
    refused(&image, sizeof(image), "built for interface");
    image.note.abi = WEFT_ABI - 1; // Older ones are refused as well.
    refused(&image, sizeof(image), "built for interface");
    image = good();
    image.note.layout++;
    refused(&image, sizeof(image), "structures");
    image = good();
    image.note.cpu = 1u << 31;
    refused(&image, sizeof(image), "CPU");
}

static void damage_is_no_crash(void **state)
{
    (void)state;
    struct image image = good();
    image.head.e_phoff = UINT64_MAX;
    refused(&image, sizeof(image), "outside");
    image = good();
    image.head.e_phnum = UINT16_MAX;
    refused(&image, sizeof(image), "outside");
    image = good();
    image.head.e_phentsize = 1;
    refused(&image, sizeof(image), "outside");
    image = good();
    image.segments[0].p_filesz = sizeof(image) + 1; // Cut short on its way here.
    refused(&image, sizeof(image), "shorter");
    image = good();
    image.segments[1].p_offset = UINT64_MAX - 3;
    refused(&image, sizeof(image), "no module");
    image = good();
    image.other.head.n_namesz = UINT32_MAX;
    refused(&image, sizeof(image), "no module");
    image = good();
    image.other.head.n_descsz = UINT32_MAX - 1;
    refused(&image, sizeof(image), "no module");
    image = good();
    refused(&image, sizeof(image) - 1, "shorter");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_its_own),
        cmocka_unit_test(refuses_with_the_reason),
        cmocka_unit_test(damage_is_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
