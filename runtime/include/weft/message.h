// message.h: sending, receiving, asking.
//
// A message is one block: header and flat payload. It is moved, not copied: it belongs to whoever
// holds it, and whoever holds it may send it on. Between two actors order holds, signals included,
// whatever cores they are on and wherever they are moved to meanwhile.
#ifndef WEFT_MESSAGE_H
#define WEFT_MESSAGE_H

#include <weft/switch.h>
#include <weft/types.h>

enum weft_message_tag {
    WEFT_MESSAGE_USER, // Between actors; `type` is theirs.
    WEFT_MESSAGE_CALL, // Wants a reply: weft_reply.
    WEFT_MESSAGE_CAST, // To a server, wants none.
    WEFT_MESSAGE_PORT, // From outside: a datagram, bytes of a connection. `type` says which.
    WEFT_MESSAGE_REPLY,
    // Control messages. Memory was taken for them when their cause was made: they are never lost,
    // never overtake, and do not count against mailbox_max.
    WEFT_MESSAGE_TIMER, // weft_send_after; `reference` is the timer's.
    WEFT_MESSAGE_DOWN,  // A monitored actor ended: `from` is its pid, `type` the reason.
    WEFT_MESSAGE_EXIT,  // A linked actor ended, for one that traps exits: likewise.
    WEFT_MESSAGE_SYSTEM // A mailbox alarm, a table that is yours now: `type` says which.
};

struct weft_message {
    struct weft_list *link[2]; // The runtime's.
    weft_pid to;
    weft_pid from;      // 0 if not from an actor.
    uint64_t reference; // Of a call, a timer, a monitor.
    uint8_t tag;        // enum weft_message_tag.
    uint8_t home;       // The runtime's.
    uint16_t type;      // The parties' own.
    uint32_t length;    // Payload bytes: as it was made, not to be changed.
    uint8_t payload[];  // 16-byte aligned.
};
_Static_assert(sizeof(struct weft_message) == 48, "up to 16 bytes of payload are one cache line");

// ---- Sending. 0 if the message is in the mailbox or on its way. -ESRCH: no such actor (a message
// to another core may find that out later; then it is counted). -ENOBUFS: refused by a full
// mailbox, or too large for the receiver's memory_max. -ENOMEM: no memory for it. Whatever is not
// delivered has a reason in `weft drops`. A send to a mailbox at its limit waits, unless the
// receiver's policy says otherwise.

// Copies `length` bytes into a message.
int weft_send(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes,
              size_t length);
int weft_cast(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes,
              size_t length);

// A message to be filled in place, the caller's until it is sent or released; as if kept. NULL: no
// memory.
struct weft_message *weft_message_new(struct weft_actor *self, uint16_t type, size_t length);
// Sends `message`, new or received, on. It is the receiver's afterwards, whatever the result.
int weft_send_message(struct weft_actor *self, weft_pid to, struct weft_message *message);

// ---- Receiving. A message that was received is valid until the next one is received, until it is
// given away, or until weft_release; weft_keep makes it valid until weft_release. A CALL released
// without a reply is answered with -ECANCELED.

// The parts of weft_receive.
struct weft_step weft_receive_begin(struct weft_actor *self, uint64_t timeout_ns);
struct weft_step weft_receive_again(struct weft_actor *self);
// The oldest. Waits up to `timeout_ns`: 0 only looks, WEFT_FOREVER. NULL: nothing came in time (or
// the caller cannot wait: no stack is left).
WEFT_SWITCH_INLINE struct weft_message *weft_receive(struct weft_actor *self, uint64_t timeout_ns)
{
    struct weft_step step = weft_receive_begin(self, timeout_ns);
    while (step.to != NULL) {
        weft_switch(step.from, step.to);
        step = weft_receive_again(self);
    }
    return (struct weft_message *)step.from;
}

// What to wait for. Fields that are set all have to fit. Messages that do not fit stay, in order.
// The same pattern again goes on where it stopped: no message is looked at twice for it.
struct weft_match {
    uint32_t tags; // 1 << tag of each that fits; 0: all.
    bool has_type; // `type` has to fit too.
    uint16_t type;
    uint64_t reference; // Of a reply (as weft_await), timer or DOWN; 0: any.
    // Must give the same answer for the same message. NULL: fits.
    bool (*fits)(const struct weft_message *message, const void *argument);
    const void *argument;
};
struct weft_message *weft_receive_match(struct weft_actor *self, const struct weft_match *match,
                                        uint64_t timeout_ns);

void weft_release(struct weft_actor *self, struct weft_message *message);
int weft_keep(struct weft_actor *self, struct weft_message *message); // 0; -ENOMEM: it is not kept.
// The opposite: a message that was kept is in hand again, as if it had just been received; the one
// that was in hand before is released. In `handle`: it is the runtime's when that returns.
void weft_unkeep(struct weft_actor *self, struct weft_message *message);

// ---- Asking. A reference is found in constant time, however many messages wait.

// Sends a CALL and waits for its reply, which is valid until the next call or weft_release. `reply`
// may be NULL. 0, or what has happened instead:
//   -ESRCH      no such actor               -ETIMEDOUT  no reply in time; a late one is dropped
//   -EPIPE      it ended before it replied  -EDEADLK    it waits for us, directly or not: the log
//   -ECANCELED  it did not care to reply                names the cycle
//   -ENOMEM     no memory, or no stack to wait on       -ENOBUFS    its mailbox refused the call
// Not every circle is seen: three or more actors on several cores, each of which has called the
// next before it read the call of the one before. Those wait for their time-out.
int weft_call(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes, size_t length,
              uint64_t timeout_ns, struct weft_message **reply);

// The two halves apart, so that several calls can be under way. The reference, or 0 with *error
// (may be NULL). Without weft_await the reply comes as a message of tag REPLY.
uint64_t weft_call_begin(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes,
                         size_t length, int *error);
int weft_await(struct weft_actor *self, uint64_t reference, uint64_t timeout_ns,
               struct weft_message **reply);
void weft_call_cancel(struct weft_actor *self, uint64_t reference); // Its reply is dropped.

// Answers `call`, which is given away. 0; -ENOMEM: the caller gets -ENOMEM in its place. -EINVAL if
// it is no call.
int weft_reply(struct weft_actor *self, struct weft_message *call, uint16_t type, const void *bytes,
               size_t length);
// Answers with a failure: the caller's weft_call returns `error`, a negative errno.
int weft_reply_error(struct weft_actor *self, struct weft_message *call, int error);
// Of a REPLY that came as a message: 0, or the negative errno that stands in the reply's place.
int weft_reply_status(const struct weft_message *reply);

// ---- Payloads that are more than flat bytes.

// A registered type: an object that is moved by its address. It may cross to another node or into a
// checkpoint only if it can be encoded; else that answers -ENOTSUP.
struct weft_type {
    const char *name;
    void (*destroy)(void *object);      // Nobody received it, or its receiver is done. Any core.
    void *(*copy)(const void *object);  // NULL: it cannot be copied.
    size_t (*size)(const void *object); // Encoded bytes. NULL: it cannot be encoded.
    int (*encode)(const void *object, void *bytes, size_t limit);
    void *(*decode)(const void *bytes, size_t length); // NULL if they make no object.
};
// Sends `object`, which goes with the message: whoever releases it destroys the object.
int weft_send_object(struct weft_actor *self, weft_pid to, uint16_t type,
                     const struct weft_type *what, void *object);
// The object, and its type in *what (may be NULL). NULL: the payload is flat.
void *weft_message_object(const struct weft_message *message, const struct weft_type **what);
// Takes the object out of a message: it is the caller's from now on.
void *weft_message_take_object(struct weft_message *message);

// Bytes shared by whoever holds them, counted, never changed once they are sent: one copy for a
// thousand receivers.
struct weft_blob {
    size_t length;
    uint8_t *bytes;
};
extern const struct weft_type weft_blob_type; // What weft_message_object says.
struct weft_blob *weft_blob_new(struct weft_actor *self,
                                size_t length);                      // Count 1; NULL: no memory.
struct weft_blob *weft_blob_get(struct weft_blob *blob);             // One more holder.
void weft_blob_put(struct weft_actor *self, struct weft_blob *blob); // One less.
// Sends it; the message holds a count of its own.
int weft_send_blob(struct weft_actor *self, weft_pid to, uint16_t type, struct weft_blob *blob);

// ---- The mailbox itself.

// Sends a SYSTEM message of type WEFT_MAILBOX_LONG to `to` whenever the caller's mailbox grows to
// `length`, once until it has been half empty. 0 ends it. 0, -ENOMEM.
enum { WEFT_MAILBOX_LONG = 1 };
int weft_mailbox_alarm(struct weft_actor *self, uint32_t length, weft_pid to);
uint32_t weft_mailbox_count(const struct weft_actor *self);

#endif // WEFT_MESSAGE_H
