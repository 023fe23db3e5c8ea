// backtrace.c: who called whom, from a stack that somebody else stands on. In a handler.
//
// Our code and modules keep frame pointers; the C library does not.
#include <link.h>
#include <string.h>
#include <unwind.h>

#include "runtime/actor/crash.h"
#include "runtime/actor/internal.h"

struct search {
    uintptr_t pc;
    struct weft_text *text;
};

static int see_object(struct dl_phdr_info *info, size_t size, void *data)
{
    const struct search *search = data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0) continue;
        const uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (search->pc < start || search->pc >= start + segment->p_memsz) continue;
        const char *slash = strrchr(info->dlpi_name, '/');
        *search->text = (struct weft_text){.start = start,
                                           .end = start + segment->p_memsz,
                                           .file = slash != NULL ? slash + 1 : info->dlpi_name};
        return 1;
    }
    return 0;
}

bool weft_text_find(uintptr_t pc, struct weft_text *text)
{
    struct search search = {.pc = pc, .text = text};
    return dl_iterate_phdr(see_object, &search) != 0;
}

// True of code that keeps no frame pointers.
static bool is_frameless(uintptr_t pc)
{
    struct weft_text text;
    return weft_text_find(pc, &text) &&
           (strncmp(text.file, "libc.", 5) == 0 || strncmp(text.file, "libm.", 5) == 0);
}

struct weft_stack_range weft_stack_range_of(const void *stack)
{
    if (stack == NULL) return (struct weft_stack_range){0, 0};
    return (struct weft_stack_range){(uintptr_t)stack + WEFT_STACK_GUARD_BYTES,
                                     (uintptr_t)stack + WEFT_STACK_BYTES};
}

static bool is_on(struct weft_stack_range stack, uintptr_t address)
{
    return address >= stack.low && address + 16 < stack.high;
}

// ---- Across a library without frame pointers: by its unwind tables (DWARF 5, section 6.4), as far
// as the first function outside. The stack behind that one may be anything: it is not read so.

struct crossing {
    uintptr_t pc; // Where the library stands.
    bool found;
    uintptr_t caller; // The return address in the first function outside; 0: not found.
};

static _Unwind_Reason_Code cross(struct _Unwind_Context *context, void *argument)
{
    struct crossing *crossing = argument;
    const uintptr_t pc = (uintptr_t)_Unwind_GetIP(context);
    if (!crossing->found) { // The handler's own frames, and the kernel's.
        crossing->found = pc == crossing->pc;
        return _URC_NO_REASON;
    }
    if (is_frameless(pc)) return _URC_NO_REASON;
    crossing->caller = pc;
    return _URC_END_OF_STACK;
}

static uintptr_t caller_of_library(uintptr_t pc)
{
    struct crossing crossing = {.pc = pc};
    _Unwind_Backtrace(cross, &crossing);
    return crossing.caller;
}

uint32_t weft_crash_walk(const struct weft_registers *at, struct weft_stack_range stack,
                         uintptr_t *frames, uint32_t limit)
{
    uint32_t count = 0;
    uintptr_t fp = at->fp;
    if (at->pc != 0) frames[count++] = at->pc;
    if (at->pc != 0 && is_frameless(at->pc)) {
        frames[count] = caller_of_library(at->pc);
        if (frames[count] != 0) count++;
    }
    while (count < limit && is_on(stack, fp) && fp % 8 == 0) {
        const uintptr_t *frame = (const uintptr_t *)fp;
        if (frame[1] == 0) break;
        if (count == 0 || frames[count - 1] != frame[1]) frames[count++] = frame[1];
        if (frame[0] <= fp) break;
        fp = frame[0];
    }
    return count;
}
