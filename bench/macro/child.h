// child.h: what the benches of whole programs share: to start one, ask it over its socket, weigh
// it.
#ifndef WEFT_BENCH_MACRO_CHILD_H
#define WEFT_BENCH_MACRO_CHILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Starts words[0] with standard output and error in the file `log`. It dies with us. -1: failed.
pid_t bench_child_start(char *const words[], const char *log);
// SIGTERM, then SIGKILL after 5 s. The exit status as of waitpid.
int bench_child_stop(pid_t child);

// One request over the unix socket `path`; the caller owns the answer. NULL: not reached, or
// refused.
json_t *bench_ask(const char *socket_path, const char *method, const char *path,
                  const json_t *body);

struct bench_weight {
    uint64_t cpu_ns; // Of all threads that live, since they began.
    uint64_t resident_bytes, proportional_bytes;
};

// What a process has used and holds. False if it is gone.
bool bench_weigh(pid_t process, struct bench_weight *weight);

void bench_sleep_ms(unsigned ms);

#endif // WEFT_BENCH_MACRO_CHILD_H
