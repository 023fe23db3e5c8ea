#include "runtime/lab/one_user.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "runtime/base/units.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this machine's AUDIT_ARCH"
#endif

int weft_lab_forgive_setgroups(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0), // Done, it says.
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = WEFT_COUNT_OF(filter), .filter = filter};

    // We are root of the namespace, so no_new_privs is not needed, and ping keeps its rights.
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -errno;
}

char **weft_lab_stay_root(char **words, int count)
{
    const char *slash = strrchr(words[0], '/');

    if (strcmp(slash != NULL ? slash + 1 : words[0], "tcpdump") != 0) return words;
    for (int i = 1; i < count; i++) {
        if (strncmp(words[i], "-Z", 2) == 0) return words;
    }
    char **more = calloc((size_t)count + 3, sizeof(*more));
    if (more == NULL) return words;
    more[0] = words[0];
    more[1] = (char *)(uintptr_t) "-Z";
    more[2] = (char *)(uintptr_t) "root";
    memcpy(more + 3, words + 1, (size_t)count * sizeof(*more)); // With the NULL at the end.
    return more;
}
