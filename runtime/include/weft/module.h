// module.h: code for a node that runs: a shared object, loaded by `weft actor load FILE.so`.
//
//     #include <weft/weft.h>
//
//     static void hello(struct weft_actor *self, int argc, char *const *argv)
//     {
//         weft_say(self, WEFT_LEVEL_INFO, "hello, %s", argc > 1 ? argv[1] : "world");
//     }
//     WEFT_MODULE(hello)
//
//     cc $(pkg-config --cflags weft) -shared -o hello.so hello.c
//     weft actor load n1 hello.so --name greeter -- Ada
//
// A module has one first actor, which runs what it says: its arguments are those of the load,
// argv[0] the name that it was given, and under that name it is registered. When the function
// returns the actor has ended; a module that is more than that starts a supervisor and joins it.
// Loading the same name again takes the file as it is then; code that was loaded stays for as long
// as the node runs.
//
// What the flags of pkg-config are for: frame pointers, so that a crash report can name its
// functions; and on kernels without guard pages for a million stacks (before 6.13) a check of the
// stack at each function's entry.
#ifndef WEFT_MODULE_H
#define WEFT_MODULE_H

#include <weft/actor.h>
#include <weft/message.h>
#include <weft/types.h>

// The interface between modules and nodes: a node loads modules of its own number and no other.
// What raises it is whatever a module that was built before would not survive, or would not notice:
//
//   - a structure that both sides know changes: a member comes, goes, moves or means something
//     else; growing at the end too, for a caller makes room for it (weft_info, weft_port_info);
//   - a public function takes or returns something else, means something else, or goes; what a
//     header has in line (weft_receive, weft_switch) needs other functions of the node;
//   - a constant, an enumerator, a tag or an error gets another value or meaning;
//   - what WEFT_MODULE puts into the file changes.
//
// What does not: a new function, header, enumerator at the end, or another behaviour where none was
// promised. It is raised once for all such changes between two releases.
//
//   1  of the first modules, before weft_info had memory_max and stack_bytes
//   2  nothing older was released
#define WEFT_ABI 2

struct weft_module {
    // The first actor's life. As `main` of a stackful actor.
    void (*main)(struct weft_actor *self, int argc, char *const *argv);
};

// What a node reads before it runs any of the code: an ELF note (System V ABI, chapter 5).
struct weft_module_note {
    uint32_t name_bytes, bytes, type;
    char name[8]; // "Weft".
    uint32_t abi;
    uint32_t layout; // Of the structures that both sides know.
    uint32_t flags;
    uint32_t cpu; // What the compiler was allowed to use: WEFT_CPU_*.
};
_Static_assert(sizeof(struct weft_module_note) == 36, "notes are in words of four bytes");

#define WEFT_MODULE_NOTE_TYPE 1
#define WEFT_MODULE_CHECKED   1u // flags: each function checks the stack.
// A second look, for builds of which one has the wrong headers and the right number.
#define WEFT_MODULE_LAYOUT                                                                         \
    ((uint32_t)(sizeof(struct weft_message) + 256 * sizeof(struct weft_spawn) +                    \
                65536 * sizeof(struct weft_actor_kind) + 16777216 * sizeof(struct weft_info)))

// Parts of the instruction set beyond the first of each architecture (x86-64-v2, ARMv8.0).
#if defined(__x86_64__)
#define WEFT_CPU_AVX    (1u << 0)
#define WEFT_CPU_AVX2   (1u << 1)
#define WEFT_CPU_BMI2   (1u << 2)
#define WEFT_CPU_FMA    (1u << 3)
#define WEFT_CPU_AVX512 (1u << 4)
#ifdef __AVX__
#define WEFT_MODULE_AVX WEFT_CPU_AVX
#else
#define WEFT_MODULE_AVX 0
#endif
#ifdef __AVX2__
#define WEFT_MODULE_AVX2 WEFT_CPU_AVX2
#else
#define WEFT_MODULE_AVX2 0
#endif
#ifdef __BMI2__
#define WEFT_MODULE_BMI2 WEFT_CPU_BMI2
#else
#define WEFT_MODULE_BMI2 0
#endif
#ifdef __FMA__
#define WEFT_MODULE_FMA WEFT_CPU_FMA
#else
#define WEFT_MODULE_FMA 0
#endif
#ifdef __AVX512F__
#define WEFT_MODULE_AVX512 WEFT_CPU_AVX512
#else
#define WEFT_MODULE_AVX512 0
#endif
#define WEFT_MODULE_CPU                                                                            \
    (WEFT_MODULE_AVX | WEFT_MODULE_AVX2 | WEFT_MODULE_BMI2 | WEFT_MODULE_FMA | WEFT_MODULE_AVX512)
#elif defined(__aarch64__)
#define WEFT_CPU_LSE   (1u << 0)
#define WEFT_CPU_CRC32 (1u << 1)
#define WEFT_CPU_SVE   (1u << 2)
#define WEFT_CPU_DOT   (1u << 3)
#ifdef __ARM_FEATURE_ATOMICS
#define WEFT_MODULE_LSE WEFT_CPU_LSE
#else
#define WEFT_MODULE_LSE 0
#endif
#ifdef __ARM_FEATURE_CRC32
#define WEFT_MODULE_CRC32 WEFT_CPU_CRC32
#else
#define WEFT_MODULE_CRC32 0
#endif
#ifdef __ARM_FEATURE_SVE
#define WEFT_MODULE_SVE WEFT_CPU_SVE
#else
#define WEFT_MODULE_SVE 0
#endif
#ifdef __ARM_FEATURE_DOTPROD
#define WEFT_MODULE_DOT WEFT_CPU_DOT
#else
#define WEFT_MODULE_DOT 0
#endif
#define WEFT_MODULE_CPU (WEFT_MODULE_LSE | WEFT_MODULE_CRC32 | WEFT_MODULE_SVE | WEFT_MODULE_DOT)
#else
#error "Weft runs on x86-64 and ARM64"
#endif

#ifdef WEFT_STACK_CHECKED // Set by pkg-config, beside the flags that do it.
#define WEFT_MODULE_FLAGS WEFT_MODULE_CHECKED
#else
#define WEFT_MODULE_FLAGS 0
#endif

// Makes this file the module's: `function` is its first actor. Once in a module.
#define WEFT_MODULE(function)                                                                      \
    extern const struct weft_module weft_module;                                                   \
    __attribute__((visibility("default")))                                                         \
    const struct weft_module weft_module = {.main = (function)};                                   \
    __attribute__((section(".note.weft"), used,                                                    \
                   aligned(4))) static const struct weft_module_note weft_module_note = {          \
        .name_bytes = 5,                                                                           \
        .bytes = sizeof(struct weft_module_note) - offsetof(struct weft_module_note, abi),         \
        .type = WEFT_MODULE_NOTE_TYPE,                                                             \
        .name = "Weft",                                                                            \
        .abi = WEFT_ABI,                                                                           \
        .layout = WEFT_MODULE_LAYOUT,                                                              \
        .flags = WEFT_MODULE_FLAGS,                                                                \
        .cpu = WEFT_MODULE_CPU};

#endif // WEFT_MODULE_H
