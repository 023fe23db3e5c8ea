#include "runtime/lab/programs.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/units.h"

// Relative to the directory of the running tool: the build tree first, then an installation.
static const struct {
    const char *name, *variable, *places[4];
} programs[] = {
    [WEFT_LAB_WEFTD] = {"weftd", "WEFTD", {"../node/weftd", "weftd", "../libexec/weft/weftd"}},
    [WEFT_LAB_SWITCH] = {"weft-switch",
                         "WEFT_SWITCH",
                         {"../../dataplane/switch/weft-switch", "weft-switch",
                          "../libexec/weft/weft-switch"}},
    [WEFT_LAB_SELF] = {"weft", "WEFT", {"weft"}},
};

static bool own_directory(char directory[WEFT_LAB_PATH_BYTES])
{
    const ssize_t length = readlink("/proc/self/exe", directory, WEFT_LAB_PATH_BYTES - 1);

    if (length <= 0) return false;
    directory[length] = '\0';
    char *slash = strrchr(directory, '/');
    if (slash == NULL) return false;
    *slash = '\0';
    return true;
}

// `directory`/`relative` without its "..", if it is there in the way that `mode` asks.
static bool settle(const char *directory, const char *relative, int mode,
                   char path[WEFT_LAB_PATH_BYTES])
{
    char whole[2 * WEFT_LAB_PATH_BYTES], real[PATH_MAX];

    if (relative != NULL) {
        snprintf(whole, sizeof(whole), "%s/%s", directory, relative);
    } else {
        snprintf(whole, sizeof(whole), "%s", directory);
    }
    if (access(whole, mode) != 0 || realpath(whole, real) == NULL) return false;
    if (strlen(real) >= WEFT_LAB_PATH_BYTES) return false;
    memcpy(path, real, strlen(real) + 1);
    return true;
}

int weft_lab_program_find(enum weft_lab_program program, char path[WEFT_LAB_PATH_BYTES],
                          struct weft_error *error)
{
    const char *chosen = getenv(programs[program].variable);
    char directory[WEFT_LAB_PATH_BYTES];

    if (chosen != NULL && chosen[0] != '\0') {
        if (settle(chosen, NULL, X_OK, path)) return 0;
        return weft_error_set(error, 604, "$%s names %.300s, which cannot be run",
                              programs[program].variable, chosen);
    }
    if (own_directory(directory)) {
        for (size_t i = 0; programs[program].places[i] != NULL; i++) {
            if (settle(directory, programs[program].places[i], X_OK, path)) return 0;
        }
    }
    weft_error_set(error, 604, "the program %s is neither beside this tool nor in libexec/weft",
                   programs[program].name);
    weft_error_hint(error, "build it (./do build), or name it in $%s", programs[program].variable);
    return -1;
}

int weft_lab_example_find(const char *name, char path[WEFT_LAB_PATH_BYTES],
                          struct weft_error *error)
{
    static const char *const places[] = {"examples", "../../../docs/examples",
                                         "../share/weft/examples"};
    const char *chosen = getenv("WEFT_SHARE_DIR");
    char directory[WEFT_LAB_PATH_BYTES], relative[128];

    snprintf(relative, sizeof(relative), "examples/%s", name);
    if (chosen != NULL && chosen[0] != '\0' && settle(chosen, relative, R_OK, path)) return 0;
    for (size_t i = 0; own_directory(directory) && i < WEFT_COUNT_OF(places); i++) {
        snprintf(relative, sizeof(relative), "%s/%s", places[i], name);
        if (settle(directory, relative, R_OK, path)) return 0;
    }
    // A build directory outside of the source tree.
    if (settle(WEFT_LAB_EXAMPLES, name, R_OK, path)) return 0;
    weft_error_set(error, 604, "the example %s is nowhere to be found", name);
    weft_error_hint(error, "WEFT_SHARE_DIR names the directory that holds examples/");
    return -1;
}

void weft_lab_self_prefix(char prefix[256])
{
    const char *self = getenv("WEFT_SELF"), *run = getenv("WEFT_RUN_DIR");
    const bool moved = run != NULL && run[0] != '\0';

    snprintf(prefix, 256, "%s%.120s%s%.100s", moved ? "WEFT_RUN_DIR=" : "", moved ? run : "",
             moved ? " " : "", self != NULL && self[0] != '\0' ? self : "weft");
}
