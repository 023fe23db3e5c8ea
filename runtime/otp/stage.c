// stage.c: who is asked for what, by whom, and the events that nobody has asked for yet.
//
// Of the two sides each counts for itself. The producer: what each consumer has asked for, less
// what it was sent. The consumer: what it has asked each producer for, less what has come. What a
// mailbox, or the want of memory, refuses is not counted: a timer tries again.
#include <weft/stage.h>

#include <errno.h>
#include <string.h>

#include <weft/link.h>
#include <weft/timer.h>

#define BUFFER_MAX 10000
#define PEERS_MIN  4
#define RETRY_NS   1000000 // After a send that was refused.

struct peer { // A consumer of ours, or a producer.
    weft_pid pid;
    uint64_t monitor;
    uint64_t pending; // Asked for, and not sent; or not come.
    uint64_t max, min;
    bool refuses; // Its mailbox, or our memory, was full; until the timer has fired.
};

struct peers {
    struct peer *list; // The actor's.
    uint32_t count, room;
};

struct buffered { // An event that waits, in order.
    struct buffered *next;
    size_t length;
    _Alignas(16) uint8_t bytes[];
};

struct frame {
    struct peers consumers, producers;
    struct buffered *first, *last;
    uint64_t wanted; // The sum of what is pending of all consumers.
    uint64_t retry;  // The timer; 0: none.
    uint32_t buffered_count;
};
_Static_assert(sizeof(struct frame) <= WEFT_STAGE_BYTES(0), "it has its place");

static const struct weft_stage *stage_of(const struct weft_actor *self)
{
    return (const struct weft_stage *)(const void *)weft_kind(self); // Its first member's first.
}

static struct frame *frame_of(const struct weft_actor *self)
{
    const size_t behind = weft_kind(self)->state_bytes - WEFT_SERVER_BYTES(0);
    return (struct frame *)(void *)((uint8_t *)weft_state(self) + behind - WEFT_STAGE_BYTES(0));
}

// ---- Peers.

static struct peer *find(const struct peers *peers, weft_pid pid)
{
    for (uint32_t i = 0; i < peers->count; i++) {
        if (peers->list[i].pid == pid) return &peers->list[i];
    }
    return NULL;
}

static struct peer *add(struct weft_actor *self, struct peers *peers, weft_pid pid)
{
    if (peers->count == peers->room) {
        const uint32_t room = peers->room > 0 ? 2 * peers->room : PEERS_MIN;
        struct peer *wider = weft_alloc(self, room * sizeof(wider[0]));
        if (wider == NULL) return NULL;
        if (peers->count > 0) memcpy(wider, peers->list, peers->count * sizeof(wider[0]));
        weft_free(self, peers->list);
        peers->list = wider;
        peers->room = room;
    }
    struct peer *peer = &peers->list[peers->count];
    *peer = (struct peer){.pid = pid};
    if (weft_monitor(self, pid, &peer->monitor) != 0) return NULL;
    peers->count++;
    return peer;
}

// The one that a DOWN is about, of either list; its place is the last one's then.
static bool take(struct peers *peers, const struct weft_message *down, struct peer *taken)
{
    for (uint32_t i = 0; i < peers->count; i++) {
        if (peers->list[i].monitor != down->reference) continue;
        *taken = peers->list[i];
        peers->list[i] = peers->list[--peers->count];
        return true;
    }
    return false;
}

// ---- What was refused.

// What a send means for the counts: who has ended is told of by its DOWN.
static bool is_sent(int result)
{
    return result == 0 || result == -ESRCH;
}

static int retry_later(struct weft_actor *self, struct frame *frame)
{
    if (frame->retry != 0) return 0;
    return weft_send_after(self, weft_self(self), RETRY_NS, 0, NULL, 0, &frame->retry);
}

// Without the timer nothing might ever move again, and nobody would know why.
static void retry_or_end(struct weft_actor *self, struct frame *frame)
{
    if (retry_later(self, frame) == 0) return;
    weft_say(self, WEFT_LEVEL_ERROR, "ends: no memory to try again what was refused");
    weft_stop(self, WEFT_EXIT_QUOTA);
}

// ---- As a consumer.

static void ask(struct weft_actor *self, struct frame *frame, struct peer *producer)
{
    const uint64_t count = producer->max - producer->pending;
    if (is_sent(weft_send(self, producer->pid, WEFT_STAGE_ASK, &count, sizeof(count))))
        producer->pending = producer->max;
    else
        retry_or_end(self, frame);
}

int weft_stage_subscribe(struct weft_actor *self, weft_pid producer, uint64_t demand_max,
                         uint64_t demand_min)
{
    struct frame *frame = frame_of(self);
    if (demand_min >= demand_max) return -EINVAL;
    if (find(&frame->producers, producer) != NULL) return -EEXIST;
    struct peer *peer = add(self, &frame->producers, producer);
    if (peer == NULL) return -ENOMEM;
    peer->max = demand_max;
    peer->min = demand_min;
    ask(self, frame, peer);
    return 0;
}

// One that stands between asks for no more while what it has made of the last waits.
static void ask_again(struct weft_actor *self, struct frame *frame, struct peer *producer)
{
    if (frame->buffered_count == 0 && producer->pending <= producer->min)
        ask(self, frame, producer);
}

static void on_event(struct weft_actor *self, const struct weft_stage *stage, struct frame *frame,
                     void *state, const struct weft_message *event)
{
    const weft_pid from = event->from;
    struct peer *producer = find(&frame->producers, from);
    if (producer == NULL || producer->pending == 0) return; // Not asked for.
    producer->pending--;
    if (stage->event != NULL) stage->event(self, state, event->payload, event->length);
    producer = find(&frame->producers, from); // It may have subscribed elsewhere meanwhile.
    if (producer != NULL) ask_again(self, frame, producer);
}

// ---- As a producer.

static struct peer *neediest(const struct peers *consumers)
{
    struct peer *best = NULL;
    for (uint32_t i = 0; i < consumers->count; i++) {
        struct peer *peer = &consumers->list[i];
        if (peer->pending > 0 && !peer->refuses && (best == NULL || peer->pending > best->pending))
            best = peer;
    }
    return best;
}

// To whoever of those that want more takes it. False: nobody does.
static bool hand_on(struct weft_actor *self, struct frame *frame, const void *event, size_t length)
{
    for (struct peer *consumer; (consumer = neediest(&frame->consumers)) != NULL;) {
        consumer->refuses =
            !is_sent(weft_send(self, consumer->pid, WEFT_STAGE_EVENT, event, length));
        if (consumer->refuses) continue;
        consumer->pending--;
        frame->wanted--;
        return true;
    }
    return false;
}

// Wanted, and not in the buffer either.
static uint64_t unmet(const struct frame *frame)
{
    return frame->wanted > frame->buffered_count ? frame->wanted - frame->buffered_count : 0;
}

static int buffer(struct weft_actor *self, struct frame *frame, const void *event, size_t length)
{
    const uint32_t max = stage_of(self)->buffer_max;
    if (frame->buffered_count >= (max != 0 ? max : BUFFER_MAX)) return -ENOBUFS;
    struct buffered *buffered = weft_alloc(self, sizeof(*buffered) + length);
    if (buffered == NULL) return -ENOMEM;
    *buffered = (struct buffered){.length = length};
    if (length > 0) memcpy(buffered->bytes, event, length);
    if (frame->last != NULL)
        frame->last->next = buffered;
    else
        frame->first = buffered;
    frame->last = buffered;
    frame->buffered_count++;
    return 0;
}

int weft_stage_emit(struct weft_actor *self, const void *event, size_t length)
{
    struct frame *frame = frame_of(self);
    // Not past those that wait.
    if (frame->buffered_count == 0 && hand_on(self, frame, event, length)) return 0;
    // If it was refused, or may be what waits was, it needs the timer as well as a place.
    if (frame->wanted > 0 && retry_later(self, frame) != 0) return -ENOMEM;
    return buffer(self, frame, event, length);
}

uint64_t weft_stage_wanted(const struct weft_actor *self)
{
    return unmet(frame_of(self));
}

// Events that have waited go first.
static void drain(struct weft_actor *self, struct frame *frame)
{
    struct buffered *event;
    while ((event = frame->first) != NULL && hand_on(self, frame, event->bytes, event->length)) {
        frame->first = event->next;
        if (frame->first == NULL) frame->last = NULL;
        frame->buffered_count--;
        weft_free(self, event);
    }
    if (event != NULL && frame->wanted > 0) retry_or_end(self, frame);
}

// What it has is gone, or stands still: more is to be made, or asked for.
static void go_on(struct weft_actor *self, const struct weft_stage *stage, struct frame *frame,
                  void *state)
{
    const uint64_t count = unmet(frame);
    if (count > 0 && stage->demand != NULL) stage->demand(self, state, count);
    for (uint32_t i = 0; i < frame->producers.count; i++)
        ask_again(self, frame, &frame->producers.list[i]);
}

static void on_retry(struct weft_actor *self, const struct weft_stage *stage, struct frame *frame,
                     void *state)
{
    frame->retry = 0;
    for (uint32_t i = 0; i < frame->consumers.count; i++)
        frame->consumers.list[i].refuses = false;
    drain(self, frame);
    go_on(self, stage, frame, state);
}

static void on_ask(struct weft_actor *self, const struct weft_stage *stage, struct frame *frame,
                   void *state, const struct weft_message *message)
{
    uint64_t count;
    if (message->length != sizeof(count)) return;
    memcpy(&count, message->payload, sizeof(count));
    struct peer *consumer = find(&frame->consumers, message->from);
    if (consumer == NULL) consumer = add(self, &frame->consumers, message->from);
    if (consumer == NULL) { // It would wait for ever: better that it hears of an end.
        weft_say(self, WEFT_LEVEL_ERROR, "ends: no memory for another consumer");
        weft_stop(self, WEFT_EXIT_QUOTA);
        return;
    }
    if (count > UINT64_MAX - frame->wanted) return;
    consumer->pending += count;
    frame->wanted += count;
    drain(self, frame);
    go_on(self, stage, frame, state);
}

// ---- Both.

static void on_down(struct weft_actor *self, const struct weft_stage *stage, struct frame *frame,
                    void *state, struct weft_message *down)
{
    struct peer peer;
    const uint16_t reason = down->type;
    if (take(&frame->consumers, down, &peer)) {
        frame->wanted -= peer.pending;
    } else if (take(&frame->producers, down, &peer)) {
        if (stage->cancelled != NULL)
            stage->cancelled(self, state, peer.pid, reason);
        else
            weft_stop(self, reason);
    } else if (stage->info != NULL) {
        stage->info(self, state, down);
    }
}

int weft_stage_on_init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    const struct weft_stage *stage = stage_of(self);
    return stage->init != NULL ? stage->init(self, state, args, length) : 0;
}

void weft_stage_on_info(struct weft_actor *self, void *state, struct weft_message *message)
{
    const struct weft_stage *stage = stage_of(self);
    struct frame *frame = frame_of(self);
    if (message->tag == WEFT_MESSAGE_DOWN)
        on_down(self, stage, frame, state, message);
    else if (message->tag == WEFT_MESSAGE_USER && message->type == WEFT_STAGE_ASK)
        on_ask(self, stage, frame, state, message);
    else if (message->tag == WEFT_MESSAGE_USER && message->type == WEFT_STAGE_EVENT)
        on_event(self, stage, frame, state, message);
    else if (message->tag == WEFT_MESSAGE_TIMER && frame->retry != 0 &&
             message->reference == frame->retry)
        on_retry(self, stage, frame, state);
    else if (stage->info != NULL)
        stage->info(self, state, message);
}
