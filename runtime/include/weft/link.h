// link.h: who learns of whose end.
#ifndef WEFT_LINK_H
#define WEFT_LINK_H

#include <weft/types.h>

// Links the caller and `pid`, both ways: when one ends with a failure (or SHUTDOWN), the other ends
// too, unless it traps exits: then it gets an EXIT message, for NORMAL as well. Linking twice is
// linking once. If `pid` does not exist the caller gets the signal at once, reason NOPROC. 0,
// -ENOMEM, -EINVAL (itself).
int weft_link(struct weft_actor *self, weft_pid pid);
// No exit signal of this link comes after this returns. 0; -ENOENT: there was none.
int weft_unlink(struct weft_actor *self, weft_pid pid);
// Exit signals come as messages from now on. weft_kill still ends it.
void weft_trap_exit(struct weft_actor *self, bool trap);

// The caller gets one DOWN with *reference when `pid` ends, at once with NOPROC if it does not
// exist. 0, -ENOMEM.
int weft_monitor(struct weft_actor *self, weft_pid pid, uint64_t *reference);
// No DOWN of this monitor comes after this returns; one that waits in the mailbox is taken out. 0;
// -ENOENT: it has been received, or there was none.
int weft_demonitor(struct weft_actor *self, uint64_t reference);

// Waits until `pid` has ended: 0 and the *reason (may be NULL); -ETIMEDOUT, -ENOMEM.
int weft_join(struct weft_actor *self, weft_pid pid, uint64_t timeout_ns, uint16_t *reason);

#endif // WEFT_LINK_H
