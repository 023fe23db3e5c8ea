// fault.h: what happens when an actor's own code goes wrong: it crashes, or it never comes back.
//
//   crash      a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP) or an abort() in the code of an
//              actor, not in ours, ends that actor with WEFT_EXIT_FAULT: the handler turns the
//              thread round to where it leaves the actor for good. What it has spoilt before is
//              spoilt: docs/actors.md says what C code can break. A fault anywhere else writes a
//              report and ends the process.
//   stuck      a core that has been in one turn for ten milliseconds (sched/watchdog.h) is sent a
//              signal. Its handler notes where it stands and does for the others what the core
//              would have done: takes their messages in and lets other cores have them.
//   kill       of an actor that is stuck works from there too.
//
// A handler finds its core by the stack that it runs on: each worker thread has one for signals,
// with the core's actor system at its start. There is no thread-local.
#ifndef WEFT_ACTOR_FAULT_H
#define WEFT_ACTOR_FAULT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/actor/actor.h"

#define WEFT_CRASH_FRAMES 32
#define WEFT_CRASH_SLOTS  16 // A power of two.

enum weft_crash_what { WEFT_CRASH_FAULT, WEFT_CRASH_OVERFLOW, WEFT_CRASH_STUCK };

struct weft_crash { // One, as it is told to people.
    enum weft_crash_what what;
    int signal;
    uint32_t log_end; // What its core had logged by then: weft_log_end.
    uint16_t core;
    bool contained;    // The actor ended; the node goes on.
    weft_pid pid;      // 0: no actor ran.
    char label[32];    // Its label, or its kind's name.
    uintptr_t address; // That it touched.
    uint64_t stuck_ms;
    uint32_t frame_count;
    uintptr_t frames[WEFT_CRASH_FRAMES]; // The innermost first.
};

// From one core to whoever tells people: written in a handler or on the core, read by one thread.
struct weft_crash_ring {
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t head;
    _Atomic uint32_t lost;
    _Alignas(WEFT_CORE_ALIGN) _Atomic uint32_t tail;
    struct weft_crash slots[WEFT_CRASH_SLOTS];
};

// Takes the oldest. Only the reading thread. False if there is none.
bool weft_crash_take(struct weft_crash_ring *ring, struct weft_crash *crash);
// One line about crash->label: "crashed: SIGSEGV at 0x0, in bump (counter.so)". Not in a handler.
void weft_crash_describe(const struct weft_crash *crash, char *text, size_t size);
// The next line of who called whom, up to where the actor's own code begins; frames alike are one
// line. `*frame` is 1 before the first. False: there are no more. Not in a handler.
bool weft_crash_next_caller(const struct weft_crash *crash, uint32_t *frame, char *text,
                            size_t size);

struct weft_fault_thread; // What a worker's thread has for its signals.

// On a core's own thread, before its first turn, and after its last: then the thread's signal stack
// and mask are as they were. `system` NULL: it runs no actors. NULL: no memory.
struct weft_fault_thread *weft_fault_enter(struct weft_actor_node *node,
                                           struct weft_actor_system *system);
void weft_fault_leave(struct weft_fault_thread *thread);

struct weft_fault_handlers { // Those that stood there before.
    struct sigaction fault[6], poke;
};
// Takes the handlers of the process; 0 or a negative errno. Gives them back.
int weft_fault_install(struct weft_fault_handlers *before);
void weft_fault_uninstall(const struct weft_fault_handlers *before);

// Sends the thread of a core the signal that makes it look up: it has been in one turn for
// `stuck_ns`. Any thread.
void weft_fault_poke(struct weft_fault_thread *thread, uint64_t stuck_ns);

#endif // WEFT_ACTOR_FAULT_H
