// ELF: System V ABI, chapters 4 and 5.
#include "runtime/module/module_file.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include <weft/module.h>

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#endif

#define MODULE_BYTES_MAX (UINT64_C(1) << 30)

static const char *machine_name(unsigned machine, char other[32])
{
    switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "ARM64";
    case EM_386: return "x86";
    case EM_ARM: return "ARM";
    case EM_RISCV: return "RISC-V";
    default: snprintf(other, 32, "machine %u", machine); return other;
    }
}

// ---- The CPU.

struct feature {
    uint32_t bit;
    const char *name;
    bool is_here;
};

static size_t features(struct feature to[8])
{
    size_t count = 0;
#if defined(__x86_64__)
    to[count++] = (struct feature){WEFT_CPU_AVX, "AVX", __builtin_cpu_supports("avx") != 0};
    to[count++] = (struct feature){WEFT_CPU_AVX2, "AVX2", __builtin_cpu_supports("avx2") != 0};
    to[count++] = (struct feature){WEFT_CPU_BMI2, "BMI2", __builtin_cpu_supports("bmi2") != 0};
    to[count++] = (struct feature){WEFT_CPU_FMA, "FMA", __builtin_cpu_supports("fma") != 0};
    to[count++] =
        (struct feature){WEFT_CPU_AVX512, "AVX-512", __builtin_cpu_supports("avx512f") != 0};
#else
    // asm/hwcap.h of Linux, arm64.
    const unsigned long caps = getauxval(AT_HWCAP);
    to[count++] = (struct feature){WEFT_CPU_LSE, "LSE atomics", (caps >> 8 & 1) != 0};
    to[count++] = (struct feature){WEFT_CPU_CRC32, "CRC32", (caps >> 7 & 1) != 0};
    to[count++] = (struct feature){WEFT_CPU_SVE, "SVE", (caps >> 22 & 1) != 0};
    to[count++] = (struct feature){WEFT_CPU_DOT, "dot product", (caps >> 20 & 1) != 0};
#endif
    return count;
}

static int check_cpu(uint32_t wanted, const char *name, struct weft_error *error)
{
    struct feature known[8];
    const size_t count = features(known);
    for (size_t i = 0; i < count; i++) {
        if ((wanted & known[i].bit) != 0 && !known[i].is_here) {
            weft_error_set(error, 802, "%s: was built for CPUs with %s, which this one has not",
                           name, known[i].name);
            weft_error_hint(error, "leave out -march=native, or name this machine's CPU");
            return -1;
        }
        wanted &= ~known[i].bit;
    }
    if (wanted == 0) return 0;
    return weft_error_set(error, 802, "%s: was built for a CPU that this version does not know",
                          name);
}

// ---- The note.

static int check_note(const struct weft_module_note *note, const char *name,
                      struct weft_module_file *file, struct weft_error *error)
{
    if (note->abi != WEFT_ABI) {
        weft_error_set(error, 802, "%s: was built for interface %u of Weft, this node has %d", name,
                       note->abi, WEFT_ABI);
        weft_error_hint(error, "build it again with the headers of Weft %s", WEFT_VERSION);
        return -1;
    }
    if (note->layout != WEFT_MODULE_LAYOUT) {
        weft_error_set(error, 802, "%s: its structures differ from those of this node", name);
        weft_error_hint(error,
                        "build it again with the headers of Weft %s, and without flags "
                        "that change how structures are packed",
                        WEFT_VERSION);
        return -1;
    }
    file->is_checked = (note->flags & WEFT_MODULE_CHECKED) != 0;
    return check_cpu(note->cpu, name, error);
}

// Finds our note among the notes of one segment. False if it is not there.
static bool find_note(const uint8_t *notes, size_t length, struct weft_module_note *note)
{
    for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= length;) {
        Elf64_Nhdr head;
        memcpy(&head, notes + at, sizeof(head));
        const size_t rest = length - at - sizeof(head);
        if (head.n_namesz > rest || head.n_descsz > rest) return false;
        const size_t name = (head.n_namesz + 3) & ~(size_t)3,
                     desc = (head.n_descsz + 3) & ~(size_t)3;
        if (name > rest || desc > rest - name) return false;
        if (sizeof(head) + name + desc >= sizeof(*note) && head.n_type == WEFT_MODULE_NOTE_TYPE &&
            head.n_namesz == sizeof("Weft") &&
            memcmp(notes + at + sizeof(head), "Weft", sizeof("Weft")) == 0) {
            memcpy(note, notes + at, sizeof(*note));
            return true;
        }
        at += sizeof(head) + name + desc;
    }
    return false;
}

static int refuse(const char *name, const char *why, struct weft_error *error)
{
    return weft_error_set(error, 802, "%s: %s", name, why);
}

static int check_head(const Elf64_Ehdr *head, size_t length, const char *name,
                      struct weft_error *error)
{
    char other[32];
    if (length < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(name, "is no ELF file", error);
    if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB)
        return refuse(name, "is not for a 64-bit little-endian CPU", error);
    if (head->e_machine != OWN_MACHINE) {
        weft_error_set(error, 802, "%s: was built for %s, this node is %s", name,
                       machine_name(head->e_machine, other), machine_name(OWN_MACHINE, other));
        return -1;
    }
    if (head->e_type == ET_DYN) return 0;
    weft_error_set(error, 802, "%s: is no shared object", name);
    weft_error_hint(error, "link it with -shared");
    return -1;
}

int weft_module_file_check(const void *bytes, size_t length, const char *name,
                           struct weft_module_file *file, struct weft_error *error)
{
    const uint8_t *start = bytes;
    Elf64_Ehdr head = {0};
    *file = (struct weft_module_file){0};
    memcpy(&head, bytes, length < sizeof(head) ? length : sizeof(head));
    if (check_head(&head, length, name, error) != 0) return -1;
    if (length > MODULE_BYTES_MAX) return refuse(name, "is larger than 1 GiB", error);
    if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phoff > length ||
        head.e_phnum > (length - head.e_phoff) / sizeof(Elf64_Phdr))
        return refuse(name, "is damaged: its program headers lie outside", error);
    for (unsigned i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr segment;
        struct weft_module_note note;
        memcpy(&segment, start + head.e_phoff + i * sizeof(segment), sizeof(segment));
        // What is mapped lies in the file: else the first touch of it would be a SIGBUS in us.
        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > length || segment.p_filesz > length - segment.p_offset))
            return refuse(name, "is damaged: it is shorter than it says", error);
        if (segment.p_type != PT_NOTE || segment.p_offset > length ||
            segment.p_filesz > length - segment.p_offset)
            continue;
        if (find_note(start + segment.p_offset, segment.p_filesz, &note))
            return check_note(&note, name, file, error);
    }
    refuse(name, "is no module of Weft", error);
    weft_error_hint(error, "WEFT_MODULE(function) makes it one: see weft/module.h");
    return -1;
}
