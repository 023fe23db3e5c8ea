// symbol.c: what a crash is called by people: functions of the program and of loaded modules.
//
// dladdr knows what a module exports; for the rest the section headers of its file are looked
// through (System V ABI, chapter 4). On the thread that tells people, never in a handler.
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/actor/fault.h"
#include "runtime/actor/symbol.h"

// Looks for the function around `offset` in the symbol table of an ELF file that lies in memory.
// Everything in it is checked: a module's file may have been changed since it was loaded.
static bool find_in(const uint8_t *file, size_t size, uintptr_t offset, char *name,
                    size_t name_size)
{
    const ElfW(Ehdr) *head = (const void *)file;
    if (size < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return false;
    if (head->e_shentsize != sizeof(ElfW(Shdr)) || head->e_shoff > size ||
        head->e_shnum > (size - head->e_shoff) / sizeof(ElfW(Shdr)) || head->e_shoff % 8 != 0)
        return false;
    const ElfW(Shdr) *sections = (const void *)(file + head->e_shoff);
    for (unsigned i = 0; i < head->e_shnum; i++) {
        const ElfW(Shdr) *table = &sections[i];
        if (table->sh_type != SHT_SYMTAB || table->sh_link >= head->e_shnum) continue;
        const ElfW(Shdr) *texts = &sections[table->sh_link];
        if (table->sh_offset > size || table->sh_size > size - table->sh_offset ||
            table->sh_offset % 8 != 0 || texts->sh_offset > size ||
            texts->sh_size > size - texts->sh_offset)
            continue;
        const ElfW(Sym) *symbols = (const void *)(file + table->sh_offset);
        for (size_t n = 0; n < table->sh_size / sizeof(*symbols); n++) {
            const ElfW(Sym) *symbol = &symbols[n];
            if ((symbol->st_info & 0xf) != STT_FUNC || offset < symbol->st_value ||
                offset >= symbol->st_value + symbol->st_size || symbol->st_name >= texts->sh_size)
                continue;
            const char *text = (const char *)file + texts->sh_offset + symbol->st_name;
            const size_t longest = texts->sh_size - symbol->st_name;
            snprintf(name, name_size, "%.*s", (int)strnlen(text, longest), text);
            return true;
        }
    }
    return false;
}

static bool find_in_file(const char *path, uintptr_t offset, char *name, size_t name_size)
{
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool found = false;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        const size_t size = (size_t)about.st_size;
        void *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            found = find_in(file, size, offset, name, name_size);
            munmap(file, size);
        }
    }
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
