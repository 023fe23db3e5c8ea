// spawn.h: starts a program that cannot outlive the lab, inside one of its namespaces.
#ifndef WEFT_LAB_SPAWN_H
#define WEFT_LAB_SPAWN_H

#include <sys/types.h>

#include "runtime/lab/network.h"

struct weft_lab_spawn {
    char *const *argv;    // argv[0] is the path.
    const char *log_path; // Takes stdout and stderr, appended; mode 0600.
    const int *keep_fds;  // Descriptors that stay open over exec, ended by -1. May be NULL.
    const struct weft_lab_network *network; // NULL: the namespaces of the lab itself.
    int node;                               // As in weft_lab_network_enter.
};

// The pid, or a negative errno. The child has its own process group, so that Ctrl-C reaches only
// the lab, and dies by SIGKILL with the thread that calls this. What goes wrong after the fork is
// written to the log, with exit status 127.
pid_t weft_lab_spawn(const struct weft_lab_spawn *spawn);

#endif // WEFT_LAB_SPAWN_H
