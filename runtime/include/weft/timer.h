// timer.h: messages that come later.
//
// A timer belongs to the actor that made it and ends with it. Its message is a control message: it
// is never lost. It comes at or after its time, in general within 70 us.
#ifndef WEFT_TIMER_H
#define WEFT_TIMER_H

#include <weft/types.h>

// Sends a TIMER message to `to` after `delay_ns`; *reference (may be NULL) is the timer's. 0,
// -ENOMEM.
int weft_send_after(struct weft_actor *self, weft_pid to, uint64_t delay_ns, uint16_t type,
                    const void *bytes, size_t length, uint64_t *reference);
// The same every `interval_ns` (at least 100 us) until it is cancelled. A tick is not sent while
// the one before has not been received: they do not pile up.
int weft_send_interval(struct weft_actor *self, weft_pid to, uint64_t interval_ns, uint16_t type,
                       const void *bytes, size_t length, uint64_t *reference);
// 0: it will not come (again); a tick that was sent already does. -ENOENT: it has fired, or there
// was none.
int weft_timer_cancel(struct weft_actor *self, uint64_t reference);
// Nanoseconds until it fires; -1 if there is none.
int64_t weft_timer_left_ns(const struct weft_actor *self, uint64_t reference);

#endif // WEFT_TIMER_H
