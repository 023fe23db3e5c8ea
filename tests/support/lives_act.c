// lives_act.c: what a life may do, one function each, and how often.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor/internal.h"
#include "tests/support/lives.h"

#define LONG_BYTES 3000

// ---- Others.

// Mostly somebody who lives; NULL: nobody was found. One in eight may be long dead.
static struct life *other(struct life *life)
{
    struct lives *lives = life->lives;
    uint32_t number;
    if (life_below(life, 8) == 0) {
        const unsigned count = atomic_load_explicit(&lives->life_count, memory_order_acquire);
        number = life_below(life, count < LIVES_MAX ? count : LIVES_MAX) + 1;
    } else {
        // Acquire: pairs with the release in lives_conceive.
        number = atomic_load_explicit(
            &lives->players[life_below(life, lives->options.player_count)], memory_order_acquire);
    }
    if (number == 0 || number - 1 == life->number) return NULL;
    struct life *found = &lives->life[number - 1];
    return life_pid(found) != 0 ? found : NULL;
}

// The runtime says that there is nobody; true only if it is. (Of others' threads that cannot be
// told in time.)
static void check_dead(struct life *life, const struct life *target, const char *what)
{
    if (life->lives->options.is_threaded || life_is_over(target)) return;
    lives_fail(life->lives, "%s: life %u is said not to exist, and does", what, target->number);
}

static void check_result(struct life *life, const char *what, int result, const int *allowed)
{
    for (; *allowed != 1; allowed++) {
        if (result == *allowed) return;
    }
    lives_fail(life->lives, "%s: %d", what, result);
}
#define CHECK(life, what, result, ...)                                                             \
    check_result(life, what, result, (const int[]){__VA_ARGS__, 1})

// ---- Messages.

static size_t some_length(struct life *life)
{
    const unsigned longest = life->lives->options.weak ? 40 : LONG_BYTES;
    switch (life_below(life, 8)) {
    case 0: return sizeof(struct life_note) + life_below(life, longest);
    case 1:
    case 2: return sizeof(struct life_note) + life_below(life, longest / 8);
    default: return sizeof(struct life_note);
    }
}

static void fill(struct life *life, const struct life *to, uint8_t *bytes, size_t length,
                 uint32_t number, uint32_t type_number)
{
    const struct life_note note = {.from = life->number,
                                   .to = to->number,
                                   .number = number,
                                   .type_number = type_number,
                                   .check = (uint16_t)life_below(life, 256)};
    memcpy(bytes, &note, sizeof(note));
    for (size_t i = sizeof(note); i < length; i++)
        bytes[i] = (uint8_t)(i + note.check);
}

// One more to somebody: its numbers are taken back if it was refused to our face.
static void numbered(struct life *life, const struct life *to, uint16_t type, uint8_t *bytes,
                     size_t length)
{
    fill(life, to, bytes, length, ++life->sent[to->number], ++life->sent_of[to->number][type]);
}

static void sent(struct weft_actor *self, struct life *life, const struct life *to, uint16_t type,
                 int result, const char *what)
{
    lives_event(self, life, what, life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, what, result, 0, -ESRCH, -ENOBUFS, -ENOMEM);
    if (result == 0) return;
    life->sent[to->number]--;
    life->sent_of[to->number][type]--;
    if (result == -ESRCH) check_dead(life, to, what);
}

static void send_one(struct weft_actor *self, struct life *life)
{
    uint8_t bytes[sizeof(struct life_note) + LONG_BYTES];
    const struct life *to = other(life);
    const size_t length = some_length(life);
    const uint16_t type = (uint16_t)life_below(life, LIVES_TYPES);
    if (to == NULL) return;
    numbered(life, to, type, bytes, length);
    sent(
        self, life, to, type,
        (life_below(life, 3) == 0 ? weft_cast : weft_send)(self, life_pid(to), type, bytes, length),
        "send");
}

static void send_made(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    const uint16_t type = (uint16_t)life_below(life, LIVES_TYPES);
    const size_t length = some_length(life);
    struct weft_message *message = to != NULL ? weft_message_new(self, type, length) : NULL;
    if (message == NULL) return;
    if (life_below(life, 8) == 0) {
        weft_release(self, message);
        return;
    }
    numbered(life, to, type, message->payload, length);
    sent(self, life, to, type, weft_send_message(self, life_pid(to), message), "send made");
}

// Its own count goes with the message: one that is killed while it holds a blob would leave it.
static void send_blob(struct weft_actor *self, struct life *life)
{
    const size_t length = some_length(life);
    const struct life *to = other(life);
    struct weft_blob *blob = to != NULL ? weft_blob_new(self, length) : NULL;
    if (blob == NULL) return;
    numbered(life, to, 0, blob->bytes, length);
    sent(self, life, to, 0, weft_send_object(self, life_pid(to), 0, &weft_blob_type, blob),
         "send blob");
}

static void destroy(void *object)
{
    struct lives *lives = *(struct lives **)object;
    atomic_fetch_add_explicit(&lives->objects_gone, 1, memory_order_relaxed);
    free(object);
}

const struct weft_type lives_object = {.name = "life's object", .destroy = destroy};

static void send_object(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    struct lives **object = to != NULL ? malloc(sizeof(*object)) : NULL;
    if (object == NULL) return;
    *object = life->lives;
    atomic_fetch_add_explicit(&life->lives->objects_made, 1, memory_order_relaxed);
    const int result = weft_send_object(self, life_pid(to), 0, &lives_object, object);
    lives_event(self, life, "send object", life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, "send object", result, 0, -ESRCH, -ENOBUFS, -ENOMEM);
}

// More than a slice, a chain or a mailbox takes.
static void flood(struct weft_actor *self, struct life *life)
{
    uint8_t bytes[sizeof(struct life_note)];
    const struct life *to = other(life);
    if (to == NULL) return;
    unsigned count = life->lives->options.weak ? 20 : life_below(life, 8) == 0 ? 6000 : 100;
    lives_event(self, life, "floods", life_pid(to), count);
    while (count-- > 0 && !lives_is_ending(life->lives) && !life_is_over(to)) {
        numbered(life, to, 1, bytes, sizeof(bytes));
        const int result = weft_send(self, life_pid(to), 1, bytes, sizeof(bytes));
        CHECK(life, "flood", result, 0, -ESRCH, -ENOBUFS, -ENOMEM);
        if (result == 0) continue;
        life->sent[to->number]--;
        life->sent_of[to->number][1]--;
    }
}

// ---- Calls.

static void check_answer(struct weft_actor *self, struct life *life, const struct life *to,
                         uint32_t number, int result, const struct weft_message *reply,
                         const char *what)
{
    lives_event(self, life, what, life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, what, result, 0, -ESRCH, -ETIMEDOUT, -EPIPE, -EDEADLK, -ECANCELED, -ENOMEM,
          -ENOBUFS, -EXDEV);
    if (result != 0) return;
    struct life_note note;
    memcpy(&note, reply->payload, sizeof(note));
    if (note.from != life->number || note.number != number)
        lives_fail(life->lives, "%s: the answer to %u of life %u answers %u of life %u", what,
                   number, life->number, note.number, note.from);
}

static uint64_t some_timeout_ns(struct life *life)
{
    static const uint64_t all[] = {0, 50 * WEFT_NS_PER_US, WEFT_NS_PER_MS, 5 * WEFT_NS_PER_MS};
    return all[life_below(life, WEFT_COUNT_OF(all))];
}

static void call(struct weft_actor *self, struct life *life)
{
    uint8_t bytes[sizeof(struct life_note) + LONG_BYTES];
    const struct life *to = life_below(life, 20) == 0 ? life : other(life);
    const size_t length = some_length(life);
    struct weft_message *reply = NULL;
    if (to == NULL) return;
    const uint32_t number = ++life->call_count;
    fill(life, to, bytes, length, number, 0);
    // For ever only upwards, so that nobody waits for himself; but on one core every circle is
    // seen.
    const uint64_t cores = life->lives->node->core_mask;
    const bool is_safe = to->number > life->number || (cores & (cores - 1)) == 0;
    const bool for_ever = is_safe && life_below(life, 2) == 0;
    const uint64_t timeout_ns = for_ever ? WEFT_FOREVER : some_timeout_ns(life);
    lives_event(self, life, "calls", life_pid(to), timeout_ns);
    const int result = weft_call(self, life_pid(to), (uint16_t)life_below(life, LIVES_TYPES), bytes,
                                 length, timeout_ns, &reply);
    check_answer(self, life, to, number, result, reply, "call");
    if (reply != NULL && life_below(life, 2) == 0) weft_release(self, reply);
}

static void call_begin(struct weft_actor *self, struct life *life)
{
    struct life_call *begun = &life->calls[life_below(life, LIVES_CALLS)];
    uint8_t bytes[sizeof(struct life_note)];
    const struct life *to = other(life);
    int error;
    if (to == NULL || begun->reference != 0) return;
    begun->number = ++life->call_count;
    fill(life, to, bytes, sizeof(bytes), begun->number, 0);
    begun->reference = weft_call_begin(self, life_pid(to), 0, bytes, sizeof(bytes), &error);
    lives_event(self, life, "begins a call", life_pid(to), begun->reference);
    CHECK(life, "call begin", error, 0, -ENOMEM);
}

static void await(struct weft_actor *self, struct life *life)
{
    struct life_call *begun = &life->calls[life_below(life, LIVES_CALLS)];
    struct weft_message *reply = NULL;
    if (begun->reference == 0) return;
    if (life_below(life, 4) == 0) {
        weft_call_cancel(self, begun->reference);
        lives_event(self, life, "cancels a call", begun->reference, 0);
        begun->reference = 0;
        return;
    }
    const int result = weft_await(self, begun->reference, some_timeout_ns(life), &reply);
    check_answer(self, life, life, begun->number, result, reply, "await");
    if (result != -ETIMEDOUT && result != -ENOMEM) begun->reference = 0;
}

static void settle_kept(struct weft_actor *self, struct life *life)
{
    struct weft_message **kept = &life->kept[life_below(life, LIVES_KEPT)];
    if (*kept == NULL) return;
    struct weft_message *message = *kept;
    *kept = NULL;
    if (message->tag == WEFT_MESSAGE_CALL && life_below(life, 2) == 0)
        weft_reply(self, message, 0, message->payload, sizeof(struct life_note));
    else
        weft_release(self, message);
}

// ---- Links, monitors, ends.

static void note_monitor(struct life *life, const struct life *target, uint64_t reference)
{
    for (unsigned i = 0; i < LIVES_MONITORS; i++) {
        struct life_monitor *monitor = &life->monitors[i];
        if (monitor->reference != 0 && !monitor->is_over) continue;
        *monitor = (struct life_monitor){.reference = reference, .target = target->number};
        return;
    }
    lives_fail(life->lives, "no room for a monitor");
}

static bool may_monitor(const struct life *life)
{
    for (unsigned i = 0; i < LIVES_MONITORS; i++) {
        if (life->monitors[i].reference == 0 || life->monitors[i].is_over) return true;
    }
    return false;
}

static void monitor(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    uint64_t reference;
    if (to == NULL || !may_monitor(life)) return;
    const int result = weft_monitor(self, life_pid(to), &reference);
    lives_event(self, life, "monitors", life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, "monitor", result, 0, -ENOMEM);
    if (result == 0) note_monitor(life, to, reference);
}

static void demonitor(struct weft_actor *self, struct life *life)
{
    struct life_monitor *watch = &life->monitors[life_below(life, LIVES_MONITORS)];
    if (watch->reference == 0) return;
    const int result = weft_demonitor(self, watch->reference);
    lives_event(self, life, "demonitors", watch->reference, (uint64_t)(int64_t)result);
    if (result != (watch->is_over ? -ENOENT : 0)) lives_fail(life->lives, "demonitor: %d", result);
    watch->is_over = true;
}

static void link_one(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    if (to == NULL) return;
    const int result = weft_link(self, life_pid(to));
    lives_event(self, life, "links", life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, "link", result, 0, -ENOMEM);
}

static void unlink_one(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    if (to == NULL) return;
    const int result = weft_unlink(self, life_pid(to));
    lives_event(self, life, "unlinks", life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, "unlink", result, 0, -ENOENT);
}

static void trap(struct weft_actor *self, struct life *life)
{
    const bool traps = life_below(life, 4) != 0;
    if (traps) life->has_trapped = true;
    weft_trap_exit(self, traps);
}

static void exit_send(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    if (to == NULL) return;
    const int result = life_below(life, 4) == 0
                           ? weft_kill(self, life_pid(to))
                           : weft_exit_send(self, life_pid(to), (uint16_t)life_below(life, 3));
    lives_event(self, life, "sends an exit", life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, "exit", result, 0, -ESRCH, -ENOMEM);
    if (result == -ESRCH) check_dead(life, to, "exit");
}

static void join(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    uint16_t reason = 0;
    if (to == NULL) return;
    const int result = weft_join(self, life_pid(to), some_timeout_ns(life), &reason);
    lives_event(self, life, "joins", life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, "join", result, 0, -ETIMEDOUT, -ENOMEM);
    if (result == 0) check_dead(life, to, "join");
    if (result == 0 && reason != WEFT_EXIT_NOPROC && reason != to->exit_reason)
        lives_fail(life->lives, "join: reason %u, where %u was", reason, to->exit_reason);
}

static void spawn(struct weft_actor *self, struct life *life)
{
    struct lives *lives = life->lives;
    struct life *child = lives_conceive(lives, life_below(life, lives->options.player_count)),
                *state;
    weft_pid pid = 0;
    uint64_t reference = 0;
    int result;
    if (child == NULL) return;
    struct weft_spawn how = lives_describe(child, &state);
    if (life_below(life, 2) == 0)
        how.core =
            (uint16_t)life_below(life, (uint32_t)__builtin_popcountll(lives->node->core_mask));
    switch (life_below(life, 3)) {
    case 0: result = weft_spawn_link(self, &how, &pid); break;
    case 1:
        result = may_monitor(life) ? weft_spawn_monitor(self, &how, &pid, &reference) : -ENOSPC;
        break;
    default: result = weft_spawn(self, &how, &pid); break;
    }
    lives_event(self, life, "spawns", pid, (uint64_t)(int64_t)result);
    CHECK(life, "spawn", result, 0, -ENOMEM, -ENOSPC);
    if (pid == 0) lives_miscarry(child);
    if (pid != 0) atomic_store_explicit(&child->pid, pid, memory_order_release);
    if (result == 0 && reference != 0) note_monitor(life, child, reference);
}

static void end(struct weft_actor *self, struct life *life)
{
    const uint16_t reason =
        (uint16_t)(life_below(life, 3) == 0 ? WEFT_EXIT_USER + life_below(life, 4)
                                            : WEFT_EXIT_NORMAL);
    if (life_below(life, 4) != 0) return;
    lives_event(self, life, "wants to end", reason, 0);
    if (life_below(life, 2) == 0)
        weft_exit(self, reason);
    else
        weft_stop(self, reason);
}

// ---- Names and groups.

static void name(struct weft_actor *self, struct life *life)
{
    const char *name = lives_names[life_below(life, LIVES_NAMES)];
    const struct life *to = life_below(life, 3) == 0 ? other(life) : life;
    uint8_t bytes[sizeof(struct life_note)];
    int result = 0;
    if (to == NULL) return;
    switch (life_below(life, 4)) {
    case 0:
        result = weft_register(self, name, to == life ? 0 : life_pid(to));
        CHECK(life, "register", result, 0, -EEXIST, -ESRCH, -ENOMEM, -ENOSPC);
        break;
    case 1:
        result = weft_unregister(self, name);
        CHECK(life, "unregister", result, 0, -ENOENT);
        break;
    case 2: result = weft_whereis(self, name) != 0; break;
    default:
        fill(life, life, bytes, sizeof(bytes), 0, 0);
        ((struct life_note *)(void *)bytes)->hops = 1; // To whoever it is.
        result = weft_send_named(self, name, 0, bytes, sizeof(bytes));
        CHECK(life, "send named", result, 0, -ESRCH, -ENOBUFS, -ENOMEM);
        break;
    }
    lives_event(self, life, "names", (uint64_t)(uint8_t)name[0], (uint64_t)(int64_t)result);
}

static void group(struct weft_actor *self, struct life *life)
{
    const unsigned number = life_below(life, LIVES_GROUPS), bit = 1u << number;
    const char *name = lives_groups[number];
    uint8_t bytes[sizeof(struct life_note)];
    weft_pid members[4];
    int64_t result = 0;
    switch (life_below(life, 4)) {
    case 0:
        result = weft_group_join(self, name);
        CHECK(life, "group join", (int)result, (life->groups & bit) != 0 ? -EEXIST : 0, -ENOMEM);
        if (result == 0) life->groups |= bit;
        break;
    case 1:
        result = weft_group_leave(self, name);
        CHECK(life, "group leave", (int)result, (life->groups & bit) != 0 ? 0 : -ENOENT);
        life->groups &= ~bit;
        break;
    case 2: result = (int64_t)weft_group_members(self, name, members, 4); break;
    default:
        fill(life, life, bytes, sizeof(bytes), 0, 0);
        ((struct life_note *)(void *)bytes)->hops = 1;
        result = (int64_t)weft_group_send(self, name, 0, bytes, sizeof(bytes));
        break;
    }
    lives_event(self, life, "groups", number, (uint64_t)result);
}

// ---- Time.

static void timer(struct weft_actor *self, struct life *life)
{
    struct life_timer *own = &life->timers[life_below(life, LIVES_TIMERS)];
    const struct life *to = life_below(life, 4) == 0 ? other(life) : life;
    if (to == NULL) return;
    if (own->reference != 0) {
        const int result = weft_timer_cancel(self, own->reference);
        lives_event(self, life, "cancels timer", own->reference, (uint64_t)(int64_t)result);
        CHECK(life, "timer cancel", result, 0, -ENOENT);
        own->is_cancelled = result == 0;
        if (own->is_interval || result != 0) own->reference = 0;
        if (own->reference != 0 && life_below(life, 2) == 0) *own = (struct life_timer){0};
        return;
    }
    const uint64_t delay_ns = 50 * WEFT_NS_PER_US + life_below(life, 2000000);
    const bool is_interval = life_below(life, 3) == 0;
    const struct life_tick tick = {
        .due_ns = weft_now_ns(self) + delay_ns, .owner = life->number, .is_interval = is_interval};
    uint64_t reference = 0;
    const int result =
        is_interval
            ? weft_send_interval(self, life_pid(to), delay_ns, 0, &tick, sizeof(tick), &reference)
            : weft_send_after(self, life_pid(to), delay_ns, 0, &tick, sizeof(tick), &reference);
    lives_event(self, life, "sets a timer", reference, delay_ns);
    CHECK(life, "timer", result, 0, -ENOMEM);
    if (result == 0) *own = (struct life_timer){.reference = reference, .is_interval = is_interval};
}

static void rest(struct weft_actor *self, struct life *life)
{
    switch (life_below(life, 4)) {
    case 0: weft_yield(self); break;
    case 1: weft_sleep(self, some_timeout_ns(life)); break;
    default: weft_reduce(self, life_below(life, 3000)); break;
    }
}

// ---- Places.

static void move(struct weft_actor *self, struct life *life)
{
    const uint16_t core =
        (uint16_t)life_below(life, (uint32_t)__builtin_popcountll(life->lives->node->core_mask));
    const int result = weft_move(self, core);
    lives_event(self, life, "moves", core, (uint64_t)(int64_t)result);
    CHECK(life, "move", result, 0, -EBUSY, -ENOMEM);
}

static void pin(struct weft_actor *self, struct life *life)
{
    weft_pin(self, life_below(life, 3) == 0);
}

// The watchdog: this turn is over.
static void preempt(struct weft_actor *self, struct life *life)
{
    (void)life;
    atomic_store_explicit(&self->system->core->preempt, true, memory_order_relaxed);
}

// ---- What else there is.

static void memory(struct weft_actor *self, struct life *life)
{
    void **block = &life->blocks[life_below(life, LIVES_BLOCKS)];
    if (*block != NULL) {
        weft_free(self, *block);
        *block = NULL;
        return;
    }
    const size_t bytes = life_below(life, life_below(life, 4) == 0 ? 9000 : 200);
    *block = weft_alloc(self, bytes);
    if (*block != NULL) memset(*block, 0x5a, bytes);
}

static void info(struct weft_actor *self, struct life *life)
{
    const struct life *to = other(life);
    struct weft_info info;
    if (to == NULL) return;
    const int result = weft_info(self, life_pid(to), &info);
    lives_event(self, life, "asks about", life_pid(to), (uint64_t)(int64_t)result);
    CHECK(life, "info", result, 0, -ESRCH, -ENOMEM);
    if (result == -ESRCH) check_dead(life, to, "info");
    if (result == 0 && info.pid != life_pid(to)) lives_fail(life->lives, "info of somebody else");
}

static void channel(struct weft_actor *self, struct life *life)
{
    _Atomic weft_pid *place = &life->lives->channels[life_below(life, LIVES_CHANNELS)];
    weft_pid pid = atomic_load_explicit(place, memory_order_acquire);
    uint8_t bytes[300] = {0};
    struct weft_message *message;
    int result;
    switch (life_below(life, 8)) {
    case 0:
        result = weft_channel_new(self, life_below(life, 4), &pid);
        if (result == 0) atomic_store_explicit(place, pid, memory_order_release);
        CHECK(life, "channel", result, 0, -ENOMEM, -ENOSPC);
        break;
    case 1:
        result = weft_channel_close(self, pid);
        CHECK(life, "channel close", result, 0, -ESRCH, -EPIPE, -ENOMEM);
        break;
    case 2:
    case 3:
    case 4:
        result = weft_channel_send(self, pid, 7, bytes, life_below(life, sizeof(bytes)),
                                   some_timeout_ns(life));
        CHECK(life, "channel send", result, 0, -EAGAIN, -ETIMEDOUT, -EPIPE, -ESRCH, -ENOMEM);
        break;
    default:
        if (life->is_plain) return; // Its last message goes.
        result = weft_channel_receive(self, pid, some_timeout_ns(life), &message);
        CHECK(life, "channel receive", result, 0, -EAGAIN, -ETIMEDOUT, -EPIPE, -ESRCH, -ENOMEM);
        if (result == 0 && message->type != 7)
            lives_fail(life->lives, "a channel gave something else");
        break;
    }
    lives_event(self, life, "channels", pid, (uint64_t)(int64_t)result);
}

static const struct {
    void (*act)(struct weft_actor *self, struct life *life);
    unsigned weight;
    bool is_weak; // Short enough for the explorer.
} acts[] = {
    {send_one, 30, true},    {send_made, 6, false}, {send_blob, 3, false},  {send_object, 3, false},
    {flood, 1, true},        {call, 10, true},      {call_begin, 6, false}, {await, 6, false},
    {settle_kept, 6, false}, {monitor, 6, true},    {demonitor, 6, true},   {link_one, 4, true},
    {unlink_one, 3, true},   {trap, 3, true},       {exit_send, 2, true},   {join, 2, true},
    {spawn, 6, true},        {end, 2, true},        {name, 6, false},       {group, 5, false},
    {timer, 4, false},       {rest, 6, true},       {move, 4, true},        {pin, 1, true},
    {preempt, 6, false},     {memory, 4, false},    {info, 3, true},        {channel, 5, false},
};

void lives_act(struct weft_actor *self, struct life *life)
{
    unsigned all = 0;
    for (unsigned count = 1 + life_below(life, 3); count > 0; count--) {
        all = 0;
        for (unsigned i = 0; i < WEFT_COUNT_OF(acts); i++)
            all += life->lives->options.weak && !acts[i].is_weak ? 0 : acts[i].weight;
        unsigned drawn = life_below(life, all), i = 0;
        for (;; i++) {
            const unsigned weight =
                life->lives->options.weak && !acts[i].is_weak ? 0 : acts[i].weight;
            if (drawn < weight) break;
            drawn -= weight;
        }
        acts[i].act(self, life);
    }
}

void lives_fall_quiet(struct weft_actor *self, struct life *life)
{
    lives_event(self, life, "falls quiet", 0, 0);
    for (unsigned i = 0; i < LIVES_TIMERS; i++) {
        const struct life_timer *timer = &life->timers[i];
        if (timer->reference == 0) continue;
        if (!timer->is_interval && life_below(life, 2) == 0) continue; // It has to come yet.
        life->timers[i].is_cancelled = weft_timer_cancel(self, timer->reference) == 0;
    }
    for (unsigned i = 0; i < LIVES_KEPT; i++) {
        if (life->kept[i] != NULL) weft_release(self, life->kept[i]);
        life->kept[i] = NULL;
    }
    for (unsigned i = 0; i < LIVES_CALLS; i++) {
        if (life->calls[i].reference != 0) weft_call_cancel(self, life->calls[i].reference);
        life->calls[i].reference = 0;
    }
    life->is_quiet = true;
}
