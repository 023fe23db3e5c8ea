// runtime.h: the actors in a program of one's own, without a node: no mesh, no units.
//
//     struct weft_runtime *runtime = weft_runtime_create(&(struct weft_runtime_options){0}, NULL);
//     uint16_t reason;
//     weft_runtime_run(runtime, &(struct weft_spawn){.kind = &my_kind}, &reason);
//     weft_runtime_free(runtime);
//
// Link with `pkg-config --libs weft`. A module for a node needs none of this: weft/module.h.
#ifndef WEFT_RUNTIME_H
#define WEFT_RUNTIME_H

#include <weft/actor.h>
#include <weft/types.h>

struct weft_runtime;

struct weft_runtime_options {  // 0 stands for what is said behind it.
    const char *name;          // For logs: "weft".
    uint16_t worker_count;     // Cores that run actors: one for each CPU that the process may use.
    bool floats;               // Threads stay where the kernel puts them; else one CPU each.
    size_t arena_bytes;        // Of each worker: 256 MiB of addresses.
    uint32_t actor_count_max;  // Of each worker: 1 048 576.
    uint32_t stack_count_max;  // Of each worker: as many as actors.
    uint32_t name_count_max;   // 16 384.
    uint32_t table_count_max;  // 8 192 (weft/table.h).
    uint32_t handle_count_max; // Of each worker, sockets and files that are open: 65 536.
    bool checked_stacks;       // As if the kernel had no guard pages (weft/module.h).
    bool moves_always;         // Every actor moves after every slice: for tests.
    uint32_t blocking_threads; // For weft_blocking: 4.
    bool plain_faults; // The process's signals stay as they are: a crash of one actor ends it all.
    uint8_t log_level; // enum weft_level; errors and warnings only. To standard error.
};

// Prepares a runtime; no thread runs. NULL with a negative errno in *error (may be NULL).
struct weft_runtime *weft_runtime_create(const struct weft_runtime_options *options, int *error);

// Spawns the first actor on the first worker, which is the calling thread, starts the others, and
// returns when that actor has ended: 0 and its *reason (may be NULL), or a negative errno. Actors
// that are left stay, and go on if it is called again.
int weft_runtime_run(struct weft_runtime *runtime, const struct weft_spawn *first,
                     uint16_t *reason);

// Ends what is left, without telling anybody, and returns all memory. Not while it runs.
void weft_runtime_free(struct weft_runtime *runtime);

// From any thread while it runs: sends a message of tag PORT, `from` 0. 0; -EAGAIN: too many wait;
// -ENOMEM; -ESRCH.
int weft_runtime_post(struct weft_runtime *runtime, weft_pid to, uint16_t type, const void *bytes,
                      size_t length);

#endif // WEFT_RUNTIME_H
