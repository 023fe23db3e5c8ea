// channel.h: what a channel is, to channel.c, which does what it does, and to channel_calls.c,
// where others ask it to, or do it in its place.
#ifndef WEFT_ACTOR_CHANNEL_H
#define WEFT_ACTOR_CHANNEL_H

#include "runtime/actor/internal.h"

enum { SEND = 0xff00, SEND_NOW, RECEIVE, RECEIVE_NOW, CANCEL, CLOSE }; // `type` of the calls.

// What stands in front of the payload of a SEND: the user's own type.
struct parcel {
    uint64_t type;
};

struct channel {
    uint32_t capacity, count;
    uint32_t lent;    // Room that other cores have, or that messages on their way will fill.
    uint8_t borrower; // The core from which the last call to send came, plus 1; 0: this one.
    bool closed;
    uint64_t debtors;           // Cores that may have some of the room,
    uint64_t recalled;          // and those that have been asked for it.
    struct weft_list recalls;   // The blocks to ask the others with.
    struct weft_list queue;     // Messages to be received, oldest first.
    struct weft_list senders;   // SENDs that wait for room, oldest first. While room is lent, plain
                                // messages, and SENDs that do not wait, may be among them.
    struct weft_list receivers; // RECEIVEs that wait for a message.
    struct weft_list closers;   // CLOSEs that wait until nobody can send any more.
    uint64_t maker;             // The monitor of who made it.
};

static inline uint32_t room_of(const struct channel *channel)
{
    const uint64_t taken = (uint64_t)channel->count + channel->lent;
    return taken < channel->capacity ? channel->capacity - (uint32_t)taken : 0;
}

// Nothing will be put in any more.
static inline bool is_shut(const struct channel *channel)
{
    return channel->closed && channel->debtors == 0;
}

static inline struct weft_message *pop(struct weft_list *list)
{
    struct weft_list *link = weft_list_pop(list);
    return link != NULL ? weft_message_of(link) : NULL;
}

static inline void enqueue(struct channel *channel, struct weft_message *message)
{
    weft_list_append(&channel->queue, weft_message_link(message));
    channel->count++;
}

static inline bool is_credited(const struct weft_message *message)
{
    return message->reference == WEFT_CREDITED && message->from != 0;
}

extern const struct weft_actor_kind weft_channel_kind;

// ---- On the channel's core: `self` is its actor, whoever runs.

// A message of its mailbox. True: it has been given away.
bool weft_channel_serve(struct weft_actor *self, struct channel *channel,
                        struct weft_message *call);
// Turns a message of the queue into the answer to a RECEIVE: its own block goes to the receiver.
void weft_channel_hand_over(struct weft_actor_system *system, struct weft_actor *self,
                            struct weft_message *receive, struct weft_message *message);
// Takes the oldest message, and lets a sender that waits put in its own. NULL: there is none.
struct weft_message *weft_channel_dequeue(struct weft_actor *self, struct channel *channel);
// More room for the core that sends by calls, while half of it is free: that is so for the first
// one, and then each time that what was lent has been used, and received, for a good part.
void weft_channel_lend(struct weft_actor *self, struct channel *channel);
void weft_channel_shut(struct weft_actor *self, struct channel *channel);
// A closed channel ends when nothing is left in it.
void weft_channel_end_if_empty(struct weft_actor *self, struct channel *channel);

#endif // WEFT_ACTOR_CHANNEL_H
