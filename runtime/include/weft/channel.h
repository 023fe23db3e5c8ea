// channel.h: a bounded queue between any actors and units, on any cores.
//
// A channel has a pid: it can be sent in a message, monitored, and ends with weft_channel_close or
// when the actor that made it ends. What was sent before it closed is still received.
//
// A plain message sent to its pid (weft_send, weft_send_message, the SEND-TO of a unit) is put in
// as well, without a call and so without an answer: in order with the same sender's calls; beyond
// `capacity` it is dropped and counted as `mailbox full`, for its sender has gone on; when it is
// closed, as `mailbox no_actor`. While room of the channel is lent to other cores (decision 0015)
// one that finds none waits until that has come back, and a call of its sender may overtake it.
// Other messages (casts, what ports bring) are released unseen.
#ifndef WEFT_CHANNEL_H
#define WEFT_CHANNEL_H

#include <weft/types.h>

// A channel that holds `capacity` messages; 0: a sender waits until its message is received. 0 and
// *channel; -ENOMEM, -ENOSPC.
int weft_channel_new(struct weft_actor *self, uint32_t capacity, weft_pid *channel);
// Sends, waiting for room up to `timeout_ns` (0: does not wait). 0; -EAGAIN: no room now;
// -ETIMEDOUT; -EPIPE: closed; -ESRCH: no such channel; -ENOMEM. To another core it may be on its
// way still, with its place in the channel.
int weft_channel_send(struct weft_actor *self, weft_pid channel, uint16_t type, const void *bytes,
                      size_t length, uint64_t timeout_ns);
// Receives; *message is valid until the next receive, as from weft_receive. 0; -EAGAIN, -ETIMEDOUT;
// -EPIPE: closed, and nothing is left.
int weft_channel_receive(struct weft_actor *self, weft_pid channel, uint64_t timeout_ns,
                         struct weft_message **message);
// No more is sent; who waits to send gets -EPIPE. 0, -ESRCH.
int weft_channel_close(struct weft_actor *self, weft_pid channel);

#endif // WEFT_CHANNEL_H
