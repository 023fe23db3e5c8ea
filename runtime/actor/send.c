// send.c: what an actor says, and the payloads that are more than flat bytes.
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "runtime/actor/fast.h"
#include "runtime/actor/internal.h"

#define LENGTH_MAX (UINT32_MAX / 2)

// ---- Sending.

// What may follow a send: the sender waits, or its slice is over.
always_inline void after_send_inline(struct weft_actor *self, weft_pid to, bool is_full)
{
    weft_mute_wait(self, to, is_full);
    if (self->system->core->run.left > 0 || self->kind->main == NULL) return;
    if (!weft_actor_can_park(self)) return;
    weft_actor_ready(self);
    weft_actor_park(self);
}

static __attribute__((noinline)) void after_send(struct weft_actor *self, weft_pid to, bool is_full)
{
    after_send_inline(self, to, is_full);
}

// The rest of a send on a core where somebody waits for room already, or is followed.
static __attribute__((noinline)) int send_attended(struct weft_actor_system *system,
                                                   struct weft_actor *self,
                                                   struct weft_message *message)
{
    const weft_pid to = message->to;
    if (unlikely(self->task.flags & WEFT_ACTOR_INDEXED))
        weft_trace_message(self, WEFT_TRACE_SEND, message);
    const int result = weft_route(system, message, true);
    weft_actor_charge(self, WEFT_MESSAGE_REDUCTIONS);
    after_send_inline(self, to, result == PUT_MUTE);
    return result < 0 ? result : 0;
}

// Sends for the running actor, which waits if the receiver has had enough.
always_inline int send_from(struct weft_actor_system *system, struct weft_actor *self,
                            struct weft_message *message)
{
    const weft_pid to = message->to;
    system->sent++;
    self->last_to = to;
    WEFT_PROBE4(send, self->pid, to, message->type, message->length);
    if (unlikely(system->attends)) return send_attended(system, self, message);
    const int result = weft_route(system, message, true);
    const int32_t left = system->core->run.left -= WEFT_MESSAGE_REDUCTIONS;
    if (unlikely(result == PUT_MUTE || left <= 0)) after_send(self, to, result == PUT_MUTE);
    return result < 0 ? result : 0;
}

int weft_actor_send_from(struct weft_actor *self, struct weft_message *message)
{
    struct weft_actor_system *system = self->system;
    weft_assert(system->running == self && self->kind->slice != NULL);
    const weft_pid to = message->to;
    system->sent++;
    self->last_to = to;
    const int result = weft_route(system, message, true);
    if (result == PUT_MUTE || !weft_list_empty(&system->dams))
        weft_mute_wait(self, to, result == PUT_MUTE);
    if (result < 0) return result;
    return system->mute_wanted != 0;
}

static inline struct weft_message *make(struct weft_actor_system *system,
                                        const struct weft_actor *self, weft_pid to, uint8_t tag,
                                        uint16_t type, const void *bytes, size_t length)
{
    if (unlikely(length > LENGTH_MAX)) return NULL;
    struct weft_message *message = weft_message_alloc(system, (uint32_t)length);
    if (unlikely(message == NULL)) return NULL;
    message->to = to;
    message->from = self->pid;
    message->tag = tag;
    message->type = type;
    if (length > 0) memcpy(message->payload, bytes, length);
    return message;
}

static __attribute__((noinline)) int send_slowly(struct weft_actor *self, weft_pid to, uint8_t tag,
                                                 uint16_t type, const void *bytes, size_t length)
{
    struct weft_actor_system *system = self->system;
    struct weft_message *message = make(system, self, to, tag, type, bytes, length);
    const int result = message != NULL ? send_from(system, self, message) : -ENOMEM;
    leave(self);
    return result;
}

// Up to 16 bytes, by two moves that may overlap: a call of memcpy wants registers saved.
always_inline void copy_small(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + length - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + length - 8, &last, 8);
        return;
    }
    for (size_t i = 0; i < length; i++)
        to[i] = from[i];
}

// What needs a call is one at the very end, before anything has been done. A dam is no matter:
// there is room in the mailbox, and it is here.
always_inline int send_copy(struct weft_actor *self, weft_pid to, uint8_t tag, uint16_t type,
                            const void *bytes, size_t length)
{
    struct weft_actor_system *system = enter(self);
    struct weft_core *core = system->core;
    struct weft_actor *receiver = weft_slot_here(system, to);
    if (unlikely(receiver == NULL || receiver->mailbox_count >= receiver->mailbox_max ||
                 length > 16 || !weft_slab_has_free(&system->messages[0]) ||
                 system->followed_count > 0 || core->run.left <= WEFT_MESSAGE_REDUCTIONS))
        return send_slowly(self, to, tag, type, bytes, length);
    struct weft_message *message = weft_block_take(system);
    message->to = to;
    message->from = self->pid;
    message->tag = tag;
    message->type = type;
    message->length = (uint32_t)length;
    if (length > 0) copy_small(message->payload, bytes, length);
    system->sent++;
    self->last_to = to;
    core->run.left -= WEFT_MESSAGE_REDUCTIONS;
    receiver->mailbox_count++;
    WEFT_PROBE4(send, message->from, message->to, message->type, message->length);
    weft_mailbox_append(core, receiver, message);
    leave(self);
    return 0;
}

int weft_send(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes, size_t length)
{
    return send_copy(self, to, WEFT_MESSAGE_USER, type, bytes, length);
}

int weft_cast(struct weft_actor *self, weft_pid to, uint16_t type, const void *bytes, size_t length)
{
    return send_copy(self, to, WEFT_MESSAGE_CAST, type, bytes, length);
}

struct weft_message *weft_message_new(struct weft_actor *self, uint16_t type, size_t length)
{
    struct weft_actor_system *system = enter(self);
    struct weft_actor_rare *rare = weft_actor_rare(self);
    struct weft_message *message = NULL;
    if (rare != NULL && length <= LENGTH_MAX)
        message = weft_message_alloc(system, (uint32_t)length);
    if (message != NULL && !weft_memory_has_room(self, message)) {
        weft_message_release_block(system, message);
        message = NULL;
    }
    if (message != NULL) { // As one that is kept: it goes with the actor if it is never sent.
        message->type = type;
        weft_list_append(&rare->kept, weft_message_link(message));
        weft_memory_add(self, message);
    }
    leave(self);
    return message;
}

// A tick goes back to its timer when it is released, so what is sent on is a copy.
static struct weft_message *copy_of_tick(struct weft_actor_system *system,
                                         struct weft_message *tick)
{
    struct weft_message *copy = weft_message_alloc(system, tick->length);
    if (copy != NULL) {
        copy->type = tick->type;
        memcpy(copy->payload, tick->payload, tick->length);
    }
    weft_message_release(system, tick);
    return copy;
}

int weft_send_message(struct weft_actor *self, weft_pid to, struct weft_message *message)
{
    struct weft_actor_system *system = enter(self);
    int result = -ENOMEM;
    weft_receive_disown(self, message);
    if (message->tag == WEFT_MESSAGE_TIMER && (message->home & HOME_BEHIND) != 0)
        message = copy_of_tick(system, message);
    if (message != NULL) {
        // A call that is sent on is still its caller's: whoever gets it may answer it.
        if (message->tag != WEFT_MESSAGE_CALL) {
            message->from = self->pid;
            message->reference = 0;
            if (message->tag != WEFT_MESSAGE_CAST) message->tag = WEFT_MESSAGE_USER;
        } else {
            weft_call_passed_on(system, message, to);
        }
        message->to = to;
        result = send_from(system, self, message);
    }
    leave(self);
    return result;
}

// ---- Objects.

int weft_send_object(struct weft_actor *self, weft_pid to, uint16_t type,
                     const struct weft_type *what, void *object)
{
    struct weft_actor_system *system = enter(self);
    const void *words[2] = {what, object};
    struct weft_message *message =
        make(system, self, to, WEFT_MESSAGE_USER, type, words, sizeof(words));
    int result = -ENOMEM;
    if (message != NULL) {
        message->home |= HOME_OBJECT;
        result = send_from(system, self, message);
    } else {
        weft_object_destroy(system, what, object);
    }
    leave(self);
    return result;
}

void weft_object_destroy(struct weft_actor_system *system, const struct weft_type *what,
                         void *object)
{
    if (object == NULL) return;
    if (what == &weft_blob_type)
        weft_blob_drop(system, object);
    else if (what->destroy != NULL)
        what->destroy(object);
}

void *weft_message_object(const struct weft_message *message, const struct weft_type **what)
{
    const void *words[2] = {NULL, NULL};
    if (message->home & HOME_OBJECT) memcpy(words, message->payload, sizeof(words));
    if (what != NULL) *what = words[0];
    return (void *)(uintptr_t)words[1];
}

void *weft_message_take_object(struct weft_message *message)
{
    void *object = weft_message_object(message, NULL);
    message->home &= (uint8_t)~HOME_OBJECT;
    return object;
}

// ---- Blobs: counted bytes. The last holder may be on any core; the block goes home from there.

struct blob {
    struct weft_blob blob;
    _Atomic uint32_t holders;
};

static struct blob *blob_of(struct weft_blob *blob)
{
    return WEFT_CONTAINER_OF(blob, struct blob, blob);
}

const struct weft_type weft_blob_type = {.name = "blob"}; // Told by its address; see below.

struct weft_blob *weft_blob_new(struct weft_actor *self, size_t length)
{
    struct weft_actor_system *system = enter(self);
    struct weft_message *block = NULL;
    if (length <= LENGTH_MAX)
        block = weft_message_alloc_hidden(system, (uint32_t)(sizeof(struct blob) + length));
    struct blob *blob = NULL;
    if (block != NULL) {
        blob = (struct blob *)(void *)block->payload;
        blob->blob = (struct weft_blob){.length = length, .bytes = (uint8_t *)(blob + 1)};
        atomic_init(&blob->holders, 1);
    }
    leave(self);
    return blob != NULL ? &blob->blob : NULL;
}

struct weft_blob *weft_blob_get(struct weft_blob *blob)
{
    // Relaxed: whoever has one may make another; nothing is read because of it.
    atomic_fetch_add_explicit(&blob_of(blob)->holders, 1, memory_order_relaxed);
    return blob;
}

void weft_blob_drop(struct weft_actor_system *system, struct weft_blob *blob)
{
    // Acquire and release pair among the holders: all that each has read comes before the last
    // one frees.
    if (atomic_fetch_sub_explicit(&blob_of(blob)->holders, 1, memory_order_acq_rel) != 1) return;
    uint8_t *payload = (uint8_t *)blob_of(blob);
    weft_message_release_block(
        system, (struct weft_message *)(void *)(payload - offsetof(struct weft_message, payload)));
}

void weft_blob_put(struct weft_actor *self, struct weft_blob *blob)
{
    weft_blob_drop(enter(self), blob);
    leave(self);
}

int weft_send_blob(struct weft_actor *self, weft_pid to, uint16_t type, struct weft_blob *blob)
{
    return weft_send_object(self, to, type, &weft_blob_type, weft_blob_get(blob));
}
