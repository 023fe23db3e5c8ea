// lives_receive.c: what a life knows of a message that it gets.
#include <errno.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "tests/support/lives.h"

static const struct life_note *note_of(const struct weft_message *message, size_t *length)
{
    const struct weft_type *what;
    const void *object = weft_message_object(message, &what);
    if (object == NULL) {
        *length = message->length;
        return (const struct life_note *)(const void *)message->payload;
    }
    if (what != &weft_blob_type) return NULL;
    const struct weft_blob *blob = object;
    *length = blob->length;
    return (const struct life_note *)(const void *)blob->bytes;
}

// What follows the note is made of where it is.
static void check_content(struct life *life, const struct life_note *note, size_t length)
{
    const uint8_t *bytes = (const uint8_t *)note;
    if (length < sizeof(*note)) lives_fail(life->lives, "%zu bytes came", length);
    for (size_t i = sizeof(*note); i < length; i++) {
        if (bytes[i] != (uint8_t)(i + note->check))
            lives_fail(life->lives, "byte %zu of %zu is spoilt", i, length);
    }
}

// ---- Messages of one life to another.

static void check_order(struct life *life, const struct life_note *note, uint16_t type)
{
    struct lives *lives = life->lives;
    uint32_t *seen = &life->seen[note->from], *seen_of = &life->seen_of[note->from][type];
    if (note->to != life->number)
        lives_fail(lives, "life %u got what is for %u", life->number, note->to);
    if (note->type_number <= *seen_of)
        lives_fail(lives, "life %u got number %u of type %u from %u behind %u", life->number,
                   note->type_number, type, note->from, *seen_of);
    *seen_of = note->type_number;
    if (!life->is_plain) return;
    if (note->number <= *seen)
        lives_fail(lives, "life %u got number %u from %u behind %u", life->number, note->number,
                   note->from, *seen);
    life->gaps += note->number - *seen - 1;
    *seen = note->number;
    if (life->ended[note->from])
        lives_fail(lives, "life %u got a message from %u behind its DOWN", life->number,
                   note->from);
}

static void receive_note(struct life *life, const struct weft_message *message)
{
    size_t length = 0;
    const struct life_note *note = note_of(message, &length);
    if (note == NULL) return; // An object that carries none.
    check_content(life, note, length);
    if (note->hops > 0) return; // Sent on by somebody: its order is that of others.
    if (message->from != life_pid(&life->lives->life[note->from]))
        lives_fail(life->lives, "a message from %#llx says that it is from life %u",
                   (unsigned long long)message->from, note->from);
    check_order(life, note, message->type);
}

static void answer(struct weft_actor *self, struct life *life, struct weft_message *call)
{
    uint8_t bytes[600];
    struct life_note note;
    memcpy(&note, call->payload, sizeof(note));
    memcpy(bytes, call->payload, sizeof(note));
    size_t length = sizeof(note);
    if (life_below(life, 4) == 0) length += life_below(life, (uint32_t)(sizeof(bytes) - length));
    for (size_t i = sizeof(note); i < length; i++)
        bytes[i] = (uint8_t)(i + note.check);
    const int result = weft_reply(self, call, call->type, bytes, length);
    if (result != 0 && result != -ENOMEM) lives_fail(life->lives, "a reply: %d", result);
}

static bool keep(struct weft_actor *self, struct life *life, struct weft_message *message)
{
    struct weft_message **kept = &life->kept[life_below(life, LIVES_KEPT)];
    if (*kept != NULL || weft_keep(self, message) != 0) return false;
    *kept = message;
    return true;
}

// Calls are sent on to younger lives only: see `call` in lives_act.c.
static weft_pid somebody(struct life *life, bool is_younger)
{
    const uint32_t number = atomic_load_explicit(
        &life->lives->players[life_below(life, life->lives->options.player_count)],
        memory_order_acquire);
    if (number == 0 || (is_younger && number - 1 <= life->number)) return 0;
    return life_pid(&life->lives->life[number - 1]);
}

static void send_on(struct weft_actor *self, struct life *life, struct weft_message *message)
{
    const weft_pid to = somebody(life, message->tag == WEFT_MESSAGE_CALL);
    if (to == 0) return;
    ((struct life_note *)(void *)message->payload)->hops++;
    weft_send_message(self, to, message);
}

static void receive_call(struct weft_actor *self, struct life *life, struct weft_message *call)
{
    const struct life_note *note = (const struct life_note *)(const void *)call->payload;
    check_content(life, note, call->length);
    if (lives_is_ending(life->lives)) {
        answer(self, life, call);
        return;
    }
    switch (life_below(life, 8)) {
    case 0: weft_reply_error(self, call, -EXDEV); break;
    case 1: break; // Released without a reply.
    case 2:
        if (keep(self, life, call)) break;
        answer(self, life, call);
        break;
    case 3: send_on(self, life, call); break;
    default: answer(self, life, call); break;
    }
}

// ---- Answers, ends, times.

static void receive_reply(struct life *life, const struct weft_message *reply)
{
    for (unsigned i = 0; i < LIVES_CALLS; i++) {
        struct life_call *call = &life->calls[i];
        if (call->reference == 0 || call->reference != reply->reference) continue;
        struct life_note note;
        memcpy(&note, reply->payload, sizeof(note));
        if (weft_reply_status(reply) == 0 && note.number != call->number)
            lives_fail(life->lives, "the answer to call %u answers %u", call->number, note.number);
        call->reference = 0;
        return;
    }
    lives_fail(life->lives, "life %u got a reply to nothing", life->number);
}

static void receive_down(struct life *life, const struct weft_message *down)
{
    struct lives *lives = life->lives;
    for (unsigned i = 0; i < LIVES_MONITORS; i++) {
        struct life_monitor *monitor = &life->monitors[i];
        if (monitor->reference != down->reference) continue;
        const struct life *target = &lives->life[monitor->target];
        if (monitor->is_over) break;
        monitor->is_over = true;
        if (down->from != life_pid(target)) lives_fail(lives, "a DOWN of somebody else");
        if (down->type == WEFT_EXIT_NOPROC) return; // What it has sent may be under way still.
        if (down->type != target->exit_reason)
            lives_fail(lives, "life %u ended with %u, its DOWN says %u", target->number,
                       target->exit_reason, down->type);
        life->ended[monitor->target] = true;
        return;
    }
    lives_fail(lives, "life %u got a DOWN that it did not ask for, or twice", life->number);
}

static void receive_tick(struct weft_actor *self, struct life *life,
                         const struct weft_message *message)
{
    struct lives *lives = life->lives;
    struct life_tick tick;
    memcpy(&tick, message->payload, sizeof(tick));
    if (weft_now_ns(self) < tick.due_ns) lives_fail(lives, "a timer came before its time");
    if (tick.is_interval) return;
    for (unsigned i = 0; i < LIVES_FIRED; i++) {
        if (life->fired[i] == message->reference) lives_fail(lives, "a timer came twice");
    }
    life->fired[life->fired_count++ % LIVES_FIRED] = message->reference;
    for (unsigned i = 0; i < LIVES_TIMERS; i++) {
        const struct life_timer *timer = &life->timers[i];
        if (timer->reference == message->reference && timer->is_cancelled)
            lives_fail(lives, "a timer came that was cancelled");
    }
}

void lives_receive(struct weft_actor *self, struct life *life, struct weft_message *message)
{
    lives_event(self, life, "receives", message->from, message->tag * 1000 + message->type);
    switch (message->tag) {
    case WEFT_MESSAGE_USER:
    case WEFT_MESSAGE_CAST:
        receive_note(life, message);
        if (lives_is_ending(life->lives) || weft_message_object(message, NULL) != NULL) break;
        if (life_below(life, 12) == 0)
            send_on(self, life, message);
        else if (life_below(life, 12) == 0)
            keep(self, life, message);
        break;
    case WEFT_MESSAGE_CALL: receive_call(self, life, message); break;
    case WEFT_MESSAGE_REPLY: receive_reply(life, message); break;
    case WEFT_MESSAGE_DOWN: receive_down(life, message); break;
    case WEFT_MESSAGE_EXIT:
        if (!life->has_trapped) lives_fail(life->lives, "an EXIT to one that never trapped");
        break;
    case WEFT_MESSAGE_TIMER: receive_tick(self, life, message); break;
    default: break;
    }
}
