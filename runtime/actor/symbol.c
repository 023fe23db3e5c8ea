// symbol.c: what a crash is called by people: functions of the program and of loaded modules.
//
// dladdr knows what a module exports; for the rest the section headers of its file are looked
// through (System V ABI, chapter 4). It takes no memory: the last lines of a crash report are made
// here, in a handler, under an alarm (report.c).
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/actor/fault.h"
#include "runtime/actor/symbol.h"

#define SYMBOLS_READ 128 // At a time: on the stack of whoever asks.

// ---- A file may have been changed, or be changed now, since it was loaded: it is read, for what
// is mapped of a file that is cut off is a SIGBUS, and everything in it is checked.

// How much of it there is.
static size_t read_some(int fd, void *to, size_t bytes, uint64_t offset)
{
    size_t done = 0;
    while (done < bytes && offset + done <= INT64_MAX) {
        const ssize_t got = pread(fd, (uint8_t *)to + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += (size_t)got;
    }
    return done;
}

static bool read_section(int fd, const ElfW(Ehdr) * head, uint64_t index, ElfW(Shdr) * section)
{
    const uint64_t offset = head->e_shoff + index * sizeof(*section);
    return index < head->e_shnum &&
           read_some(fd, section, sizeof(*section), offset) == sizeof(*section);
}

// The function around `offset`, in a symbol table.
static bool find_symbol(int fd, const ElfW(Shdr) * table, uintptr_t offset, ElfW(Sym) * found)
{
    ElfW(Sym) symbols[SYMBOLS_READ];
    const uint64_t count = table->sh_size / sizeof(symbols[0]);
    for (uint64_t first = 0; first < count; first += SYMBOLS_READ) {
        const uint64_t wanted = count - first < SYMBOLS_READ ? count - first : SYMBOLS_READ;
        const size_t got = read_some(fd, symbols, (size_t)wanted * sizeof(symbols[0]),
                                     table->sh_offset + first * sizeof(symbols[0])) /
                           sizeof(symbols[0]);
        for (size_t n = 0; n < got; n++) {
            *found = symbols[n];
            if ((found->st_info & 0xf) == STT_FUNC && offset >= found->st_value &&
                offset - found->st_value < found->st_size)
                return true;
        }
        if (got < wanted) break; // The file ends here.
    }
    return false;
}

static bool find_in(int fd, uintptr_t offset, char *name, size_t name_size)
{
    ElfW(Ehdr) head;
    ElfW(Shdr) table, texts;
    ElfW(Sym) symbol;
    if (read_some(fd, &head, sizeof(head), 0) != sizeof(head) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_shentsize != sizeof(table))
        return false;
    for (unsigned i = 0; i < head.e_shnum; i++) {
        if (!read_section(fd, &head, i, &table)) return false;
        if (table.sh_type != SHT_SYMTAB || !read_section(fd, &head, table.sh_link, &texts) ||
            !find_symbol(fd, &table, offset, &symbol) || symbol.st_name >= texts.sh_size)
            continue;
        const uint64_t longest = texts.sh_size - symbol.st_name;
        const size_t wanted = longest < name_size - 1 ? (size_t)longest : name_size - 1;
        name[read_some(fd, name, wanted, texts.sh_offset + symbol.st_name)] = '\0';
        return name[0] != '\0';
    }
    return false;
}

static bool find_in_file(const char *path, uintptr_t offset, char *name, size_t name_size)
{
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    const bool found =
        fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && find_in(fd, offset, name, name_size);
    close(fd);
    return found;
}

void weft_symbol_describe(uintptr_t address, bool is_return, char *text, size_t size)
{
    Dl_info info;
    struct link_map *map = NULL;
    const uintptr_t at = is_return ? address - 1 : address; // The call, not what follows it.
    char name[128] = "";
    if (dladdr1((void *)at, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL) {
        snprintf(text, size, "%#lx", (unsigned long)address);
        return;
    }
    const char *path = info.dli_fname != NULL ? info.dli_fname : "";
    const char *slash = strrchr(path, '/'), *file = slash != NULL ? slash + 1 : path;
    const bool is_program = map->l_name == NULL || map->l_name[0] == '\0';
    if (info.dli_sname != NULL)
        snprintf(name, sizeof(name), "%s", info.dli_sname);
    else
        find_in_file(is_program ? "/proc/self/exe" : path, at - map->l_addr, name, sizeof(name));
    name[strcspn(name, ".")] = '\0'; // What the compiler made of it: "bump.constprop.0".
    snprintf(text, size, "%s+%#lx%s%s%s", file, (unsigned long)(address - map->l_addr),
             name[0] != '\0' ? " (" : "", name, name[0] != '\0' ? ")" : "");
    if (name[0] != '\0') snprintf(text, size, "%s (%s)", name, file);
}

static const char *signal_name(int signal)
{
    switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    case SIGTRAP: return "SIGTRAP";
    case SIGABRT: return "SIGABRT";
    default: return "a signal";
    }
}

void weft_crash_describe(const struct weft_crash *crash, char *text, size_t size)
{
    char where[192] = "nowhere";
    if (crash->frame_count > 0) weft_symbol_describe(crash->frames[0], false, where, sizeof(where));
    if (crash->what == WEFT_CRASH_STUCK)
        snprintf(text, size, "has held core %u for %llu ms, in %s", crash->core,
                 (unsigned long long)crash->stuck_ms, where);
    else if (crash->what == WEFT_CRASH_OVERFLOW)
        snprintf(text, size, "ran out of stack, in %s", where);
    else if (crash->signal == SIGABRT)
        snprintf(text, size, "aborted, in %s", where);
    else
        snprintf(text, size, "crashed: %s at %#lx, in %s", signal_name(crash->signal),
                 (unsigned long)crash->address, where);
}

bool weft_crash_next_caller(const struct weft_crash *crash, uint32_t *frame, char *text,
                            size_t size)
{
    char name[192], next[192];
    if (*frame == 0 || *frame >= crash->frame_count) return false;
    weft_symbol_describe(crash->frames[*frame], true, name, sizeof(name));
    if (strncmp(name, "weft_slice_", strlen("weft_slice_")) == 0)
        return false; // From here on: ours.
    uint32_t alike = 1;
    for (++*frame; *frame < crash->frame_count; ++*frame, alike++) {
        weft_symbol_describe(crash->frames[*frame], true, next, sizeof(next));
        if (strcmp(name, next) != 0) break;
    }
    if (alike == 1)
        snprintf(text, size, "called by %s", name);
    else
        snprintf(text, size, "called by %s, %u times%s", name, alike,
                 *frame == crash->frame_count ? " or more" : "");
    return true;
}
