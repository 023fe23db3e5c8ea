// types.h: the words that every other header uses.
#ifndef WEFT_TYPES_H
#define WEFT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Who: a number that names one actor for ever. 0 names nobody.
typedef uint64_t weft_pid;

// The actor that runs. Every call takes it first: there is no hidden "current" one.
struct weft_actor;

struct weft_message;

#define WEFT_FOREVER UINT64_MAX // A timeout that never comes.

enum weft_priority {
    WEFT_PRIORITY_NORMAL,
    WEFT_PRIORITY_MAX,  // The node's own.
    WEFT_PRIORITY_HIGH, // Always before NORMAL.
    WEFT_PRIORITY_LOW,  // When nobody else wants to, and one slice in eight.
    WEFT_PRIORITY_COUNT
};

// Why an actor ended: `type` of EXIT and DOWN messages.
enum weft_exit {
    WEFT_EXIT_NORMAL,    // It was done.
    WEFT_EXIT_KILLED,    // weft_kill, or an operator.
    WEFT_EXIT_FAULT,     // Its own doing: a crash, a broken rule, an uncaught THROW.
    WEFT_EXIT_QUOTA,     // Its memory or mailbox was at its limit.
    WEFT_EXIT_NOPROC,    // It did not exist when it was linked to or monitored.
    WEFT_EXIT_SHUTDOWN,  // Its supervisor ended it, in order.
    WEFT_EXIT_INTENSITY, // A supervisor whose children failed too often.
    WEFT_EXIT_USER = 64  // The program's own reasons start here.
};

// NORMAL and SHUTDOWN are how things should end; the others are failures.
static inline bool weft_exit_is_failure(uint16_t reason)
{
    return reason != WEFT_EXIT_NORMAL && reason != WEFT_EXIT_SHUTDOWN;
}

// For people: "normal", "killed", …; "user" from WEFT_EXIT_USER on.
const char *weft_exit_name(uint16_t reason);

#endif // WEFT_TYPES_H
