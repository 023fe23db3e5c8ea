#include "forth/family.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forth/play.h"

enum {
    LEVELS = 5,
    CHILDREN_MAX = 1024, // Not joined yet.
    CHANNELS_MAX = 256,
    MAIL_MAX = 4096, // Messages of one unit.
    SLOT_BITS = 24,
    USER_INTERRUPT = -28,
    NO_INPUT = -2,     // Of key and ekey: there will be none.
    REASON_KILLED = 1, // As an actor's (weft/types.h).
    REASON_FAULT = 2,
    REASON_NOBODY = 4,
};

struct message {
    struct message *next;
    struct member *sender; // Who waits until it is taken; NULL: nobody.
    uint32_t level;        // The text of the sender's.
    uint64_t from;
    size_t length;
    uint8_t bytes[];
};

struct queue {
    struct message *first, **end;
    uint32_t count;
};

// What a sender who waits in one of its texts learns.
enum offer { OFFERED_NOTHING, OFFER_WAITS, OFFER_TAKEN, OFFER_REFUSED };

struct member {
    uint64_t pid;
    uint64_t parent; // 0: nobody will join it.
    struct weft_unit *unit;
    bool killed, ended;
    struct weft_unit_end end;
    uint32_t children, channels; // Children not joined yet; channels not closed.
    struct queue mail;
    enum offer offers[LEVELS];
};

struct channel {
    uint64_t pid, owner;
    uint32_t capacity;
    bool closed;
    struct queue queue;
};

// A pid is a slot's number and a serial, so that it means nobody once its slot has been used again.
struct slot {
    uint64_t serial;
    struct member *member;
    struct channel *channel;
};

struct weft_family {
    const struct weft_forth_system *system;
    struct weft_unit_options options;
    struct weft_unit_host host; // Of all of them,
    struct weft_unit_host user; // and what the eldest has for itself: the keyboard.
    struct slot *slots;
    uint32_t slot_count, living; // living: children.
    uint64_t events;
    struct member eldest, *current;
    struct message *held; // What was received last: its bytes are in use until the next.
};

static struct weft_family *family_of(void *self)
{
    return ((struct weft_machine *)self)->family;
}

static struct slot *slot_of(const struct weft_family *family, uint64_t pid)
{
    const uint64_t n = pid & ((1u << SLOT_BITS) - 1);
    if (n >= family->slot_count || family->slots[n].serial != pid >> SLOT_BITS) return NULL;
    return &family->slots[n];
}

static struct member *find_member(const struct weft_family *family, uint64_t pid)
{
    const struct slot *slot = slot_of(family, pid);
    return slot != NULL ? slot->member : NULL;
}

static struct channel *find_channel(const struct weft_family *family, uint64_t pid)
{
    const struct slot *slot = slot_of(family, pid);
    return slot != NULL ? slot->channel : NULL;
}

// A free slot's pid; 0: no memory.
static uint64_t take_slot(struct weft_family *family)
{
    uint32_t n = 0;
    while (n < family->slot_count &&
           (family->slots[n].member != NULL || family->slots[n].channel != NULL))
        n++;
    if (n == family->slot_count) {
        const uint32_t more = n == 0 ? 16 : 2 * n;
        struct slot *slots =
            more >> SLOT_BITS != 0 ? NULL : realloc(family->slots, more * sizeof(*slots));
        if (slots == NULL) return 0;
        memset(slots + n, 0, (more - n) * sizeof(*slots));
        family->slots = slots;
        family->slot_count = more;
    }
    return ++family->slots[n].serial << SLOT_BITS | n;
}

static void free_slot(struct weft_family *family, uint64_t pid)
{
    struct slot *slot = slot_of(family, pid);
    free(slot->member);
    free(slot->channel);
    slot->member = NULL;
    slot->channel = NULL;
    family->events++;
}

// ---- Queues.

static void queue_init(struct queue *queue)
{
    *queue = (struct queue){.end = &queue->first};
}

static struct message *append(struct queue *queue, const void *payload, size_t length,
                              uint64_t from)
{
    struct message *message = malloc(sizeof(*message) + length);
    if (message == NULL) return NULL;
    *message = (struct message){.from = from, .length = length};
    memcpy(message->bytes, payload, length);
    *queue->end = message;
    queue->end = &message->next;
    queue->count++;
    return message;
}

// The message at `at` out of its queue; whoever waits for that learns of it.
static struct message *take(struct queue *queue, struct message **at, enum offer outcome)
{
    struct message *message = *at;
    *at = message->next;
    if (queue->end == &message->next) queue->end = at;
    queue->count--;
    if (message->sender != NULL) message->sender->offers[message->level] = outcome;
    return message;
}

static void clear(struct queue *queue)
{
    while (queue->first != NULL)
        free(take(queue, &queue->first, OFFER_REFUSED));
}

// What is taken stays until the next.
static void hand_over(struct weft_family *family, struct queue *queue, struct weft_unit_message *to)
{
    free(family->held);
    family->held = take(queue, &queue->first, OFFER_TAKEN);
    family->events++;
    *to = (struct weft_unit_message){.payload = family->held->bytes,
                                     .length = family->held->length,
                                     .from = family->held->from,
                                     .kind = WEFT_UNIT_MESSAGE_SIBLING};
}

// ---- Children.

static int make_child(struct weft_family *family, const struct weft_unit *parent, uint64_t xt,
                      const int64_t *cells, uint32_t count, struct weft_unit **unit)
{
    void *seed = malloc(weft_unit_seed_bytes(parent, count));
    if (seed == NULL) return -ENOMEM;
    weft_unit_seed(parent, xt, cells, count, seed);
    const int code = weft_unit_sprout(family->system, &weft_forth_memory_libc, &family->options,
                                      &family->host, seed, unit);
    free(seed);
    return code;
}

static int32_t spawn(void *self, uint32_t level, const struct weft_unit *parent, uint64_t xt,
                     const int64_t *cells, uint32_t count, bool is_linked, uint64_t *pid)
{
    struct weft_family *family = family_of(self);
    struct member *own = family->current;
    (void)level;
    if (is_linked) return -21;
    if (own->children >= CHILDREN_MAX) return WEFT_THROW_SPAWNED;
    struct member *child = calloc(1, sizeof(*child));
    *pid = child != NULL ? take_slot(family) : 0;
    if (*pid == 0 || make_child(family, parent, xt, cells, count, &child->unit) != 0) {
        free(child);
        return WEFT_THROW_ALLOCATE;
    }
    child->pid = *pid;
    child->parent = own->pid;
    queue_init(&child->mail);
    slot_of(family, *pid)->member = child;
    own->children++;
    family->living++;
    family->events++;
    return 0;
}

static void free_channel(struct weft_family *family, struct channel *channel)
{
    struct member *owner = find_member(family, channel->owner);
    if (owner != NULL && owner->channels > 0) owner->channels--;
    clear(&channel->queue);
    free_slot(family, channel->pid);
}

// What was offered in a text that no longer waits.
static void abandon_of(struct weft_family *family, struct member *member, uint32_t level)
{
    for (uint32_t n = 0; n < family->slot_count; n++) {
        struct channel *channel = family->slots[n].channel;
        if (channel == NULL || member->offers[level] != OFFER_WAITS) continue;
        for (struct message **at = &channel->queue.first; *at != NULL; at = &(*at)->next) {
            if ((*at)->sender != member || (*at)->level != level) continue;
            free(take(&channel->queue, at, OFFERED_NOTHING));
            break;
        }
    }
    member->offers[level] = OFFERED_NOTHING;
}

// Nobody will join it any more.
static void leave_alone(struct weft_family *family, struct member *child)
{
    struct member *parent = find_member(family, child->parent);
    if (parent != NULL && parent->children > 0) parent->children--;
    child->parent = 0;
    if (child->ended) free_slot(family, child->pid);
}

// Its unit goes, and what hangs on it; how it ended stays, for its parent.
static void end_member(struct weft_family *family, struct member *member, uint64_t reason)
{
    member->end.reason = reason;
    if (reason == 0)
        member->end.count = weft_unit_cells(member->unit, member->end.cells, WEFT_UNIT_RESULTS_MAX);
    weft_unit_free(member->unit);
    member->unit = NULL;
    member->ended = true;
    for (uint32_t level = 0; level < LEVELS; level++)
        abandon_of(family, member, level);
    clear(&member->mail);
    for (uint32_t n = 0; n < family->slot_count; n++) {
        struct slot *slot = &family->slots[n];
        if (slot->channel != NULL && slot->channel->owner == member->pid)
            free_channel(family, slot->channel);
        else if (slot->member != NULL && slot->member->parent == member->pid)
            leave_alone(family, slot->member);
    }
    family->living--;
    family->events++;
    if (member->parent == 0) free_slot(family, member->pid);
}

static int32_t join(void *self, uint32_t level, uint64_t pid, bool is_late,
                    struct weft_unit_end *end)
{
    struct weft_family *family = family_of(self);
    struct member *member = find_member(family, pid);
    (void)level;
    if (member == family->current) return WEFT_THROW_BAD_NUMBER; // It would wait for ever.
    if (member == NULL) {
        *end = (struct weft_unit_end){.reason = REASON_NOBODY};
        return 0;
    }
    if (!member->ended) return is_late ? WEFT_THROW_LATE : WEFT_UNIT_LATER;
    const bool is_ours = member->parent == family->current->pid;
    if (is_ours) *end = member->end;
    if (!is_ours) end->reason = member->end.reason;
    if (is_ours) leave_alone(family, member);
    return 0;
}

static int32_t detach(void *self, uint64_t pid)
{
    struct weft_family *family = family_of(self);
    struct member *member = find_member(family, pid);
    if (member == NULL || member->parent != family->current->pid) return WEFT_THROW_NOBODY;
    leave_alone(family, member);
    return 0;
}

static int32_t kill_it(void *self, uint64_t pid)
{
    struct weft_family *family = family_of(self);
    struct member *member = find_member(family, pid);
    if (member == NULL || member->ended) return WEFT_THROW_NOBODY;
    if (member == &family->eldest) return -21; // BYE ends that.
    member->killed = true;
    family->events++;
    return 0;
}

// ---- Channels.

static int32_t channel_new(void *self, uint32_t capacity, uint64_t *pid)
{
    struct weft_family *family = family_of(self);
    struct member *own = family->current;
    if (own->channels >= CHANNELS_MAX) return WEFT_THROW_CHANNELS;
    struct channel *channel = calloc(1, sizeof(*channel));
    *pid = channel != NULL ? take_slot(family) : 0;
    if (*pid == 0) {
        free(channel);
        return WEFT_THROW_ALLOCATE;
    }
    *channel = (struct channel){.pid = *pid, .owner = own->pid, .capacity = capacity};
    queue_init(&channel->queue);
    slot_of(family, *pid)->channel = channel;
    own->channels++;
    return 0;
}

// Of what was offered earlier to a channel without room.
static int32_t look_at_offer(struct weft_family *family, uint32_t level, bool is_late)
{
    enum offer *offer = &family->current->offers[level];
    if (*offer == OFFER_WAITS && !is_late) return WEFT_UNIT_LATER;
    const int32_t result = *offer == OFFER_TAKEN     ? 0
                           : *offer == OFFER_REFUSED ? WEFT_THROW_CLOSED
                                                     : WEFT_THROW_LATE;
    abandon_of(family, family->current, level);
    return result;
}

static int32_t channel_send(void *self, uint32_t level, uint64_t pid, const void *payload,
                            size_t length, bool is_late)
{
    struct weft_family *family = family_of(self);
    struct member *own = family->current;
    if (level >= LEVELS) return WEFT_THROW_ALLOCATE;
    if (own->offers[level] != OFFERED_NOTHING) return look_at_offer(family, level, is_late);
    struct channel *channel = find_channel(family, pid);
    if (channel == NULL || channel->closed) return WEFT_THROW_CLOSED;
    // Those of a channel without room queue up behind each other, so that each has its turn.
    const bool waits = channel->queue.count >= channel->capacity;
    if (waits && is_late) return WEFT_THROW_LATE;
    struct message *message = append(&channel->queue, payload, length, own->pid);
    if (message == NULL) return WEFT_THROW_ALLOCATE;
    family->events++;
    if (!waits) return 0;
    message->sender = own;
    message->level = level;
    own->offers[level] = OFFER_WAITS;
    return WEFT_UNIT_LATER;
}

// One that waited for room has it now: its message counts as sent.
static void admit_next(struct channel *channel)
{
    struct message *message = channel->queue.first;
    for (uint32_t n = 1; n < channel->capacity && message != NULL; n++)
        message = message->next;
    if (channel->capacity == 0 || message == NULL || message->sender == NULL) return;
    message->sender->offers[message->level] = OFFER_TAKEN;
    message->sender = NULL;
}

static int32_t channel_receive(void *self, uint32_t level, uint64_t pid, bool is_late,
                               struct weft_unit_message *message)
{
    struct weft_family *family = family_of(self);
    struct channel *channel = find_channel(family, pid);
    (void)level;
    if (channel == NULL) return WEFT_THROW_CLOSED;
    if (channel->queue.count == 0) return is_late ? WEFT_THROW_LATE : WEFT_UNIT_LATER;
    hand_over(family, &channel->queue, message);
    admit_next(channel);
    if (channel->closed && channel->queue.count == 0) free_channel(family, channel);
    return 0;
}

static int32_t channel_close(void *self, uint32_t level, uint64_t pid)
{
    struct weft_family *family = family_of(self);
    struct channel *channel = find_channel(family, pid);
    (void)level;
    if (channel == NULL) return WEFT_THROW_CLOSED;
    channel->closed = true;
    family->events++;
    for (struct message **at = &channel->queue.first; *at != NULL;) {
        if ((*at)->sender == NULL)
            at = &(*at)->next;
        else
            free(take(&channel->queue, at, OFFER_REFUSED));
    }
    if (channel->queue.count == 0) free_channel(family, channel);
    return 0;
}

static void abandon(void *self, uint32_t level)
{
    struct weft_family *family = family_of(self);
    if (level < LEVELS) abandon_of(family, family->current, level);
}

// ---- Messages and figures.

static int32_t send(void *self, const void *payload, size_t length, uint64_t pid)
{
    struct weft_family *family = family_of(self);
    struct member *member = find_member(family, pid);
    if (member == NULL || member->ended) return WEFT_THROW_NOBODY;
    if (member->mail.count >= MAIL_MAX) return WEFT_THROW_FULL;
    if (append(&member->mail, payload, length, family->current->pid) == NULL)
        return WEFT_THROW_ALLOCATE;
    family->events++;
    return member->mail.count > MAIL_MAX / 2 ? 1 : 0;
}

static bool receive(void *self, struct weft_unit_message *message)
{
    struct weft_family *family = family_of(self);
    if (family->current->mail.count == 0) return false;
    hand_over(family, &family->current->mail, message);
    return true;
}

static uint64_t pid_of(void *self)
{
    return family_of(self)->current->pid;
}

static uint64_t unit_index(void *self)
{
    return pid_of(self) & ((1u << SLOT_BITS) - 1);
}

static uint64_t sibling_count(void *self)
{
    return family_of(self)->living;
}

// ---- The keyboard.

static bool has_user(const struct weft_family *family)
{
    return family->current == &family->eldest;
}

static int64_t accept_line(void *self, void *to, size_t size)
{
    const struct weft_family *family = family_of(self);
    return has_user(family) ? family->user.accept(self, to, size) : 0;
}

static int32_t key(void *self)
{
    const struct weft_family *family = family_of(self);
    return has_user(family) ? family->user.key(self) : NO_INPUT;
}

static int32_t ekey(void *self)
{
    const struct weft_family *family = family_of(self);
    return has_user(family) ? family->user.ekey(self) : NO_INPUT;
}

static bool key_waits(void *self, enum weft_unit_keys kind)
{
    const struct weft_family *family = family_of(self);
    return has_user(family) && family->user.key_waits(self, kind);
}

static void share_keyboard(struct weft_family *family, struct weft_unit_host *host)
{
    family->user = *host;
    if (host->accept != NULL) host->accept = accept_line;
    if (host->key != NULL) host->key = key;
    if (host->ekey != NULL) host->ekey = ekey;
    if (host->key_waits != NULL) host->key_waits = key_waits;
}

// ---- The family.

int weft_family_create(struct weft_machine *machine, const struct weft_forth_system *system,
                       const struct weft_unit_options *options, struct weft_unit_host *host)
{
    struct weft_family *family = calloc(1, sizeof(*family));
    if (family == NULL) return -ENOMEM;
    family->system = system;
    family->options = *options;
    family->current = &family->eldest;
    queue_init(&family->eldest.mail);
    family->eldest.pid = take_slot(family);
    if (family->eldest.pid == 0) {
        free(family);
        return -ENOMEM;
    }
    slot_of(family, family->eldest.pid)->member = &family->eldest;
    host->spawn = spawn;
    host->join = join;
    host->detach = detach;
    host->kill = kill_it;
    host->channel_new = channel_new;
    host->channel_send = channel_send;
    host->channel_receive = channel_receive;
    host->channel_close = channel_close;
    host->abandon = abandon;
    host->send = send;
    host->receive = receive;
    host->pid = pid_of;
    host->unit_index = unit_index;
    host->sibling_count = sibling_count;
    share_keyboard(family, host);
    family->host = *host;
    machine->family = family;
    return 0;
}

void weft_family_free(struct weft_machine *machine)
{
    struct weft_family *family = machine->family;
    if (family == NULL) return;
    for (uint32_t n = 0; n < family->slot_count; n++) {
        struct slot *slot = &family->slots[n];
        if (slot->channel != NULL) clear(&slot->channel->queue);
        if (slot->member == NULL) continue;
        weft_unit_free(slot->member->unit); // The eldest's is not ours: NULL.
        clear(&slot->member->mail);
        if (slot->member != &family->eldest) free(slot->member);
    }
    for (uint32_t n = 0; n < family->slot_count; n++)
        free(family->slots[n].channel);
    free(family->held);
    free(family->slots);
    free(family);
    machine->family = NULL;
}

bool weft_family_has_children(const struct weft_machine *machine)
{
    return machine->family != NULL && machine->family->living > 0;
}

uint64_t weft_family_events(const struct weft_machine *machine)
{
    return machine->family != NULL ? machine->family->events : 0;
}

static void fold_wake(const struct weft_unit *unit, uint64_t *wake_ns)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit, &info);
    if (info.wake_ns != 0 && (*wake_ns == 0 || info.wake_ns < *wake_ns)) *wake_ns = info.wake_ns;
}

// True if it can go on at once.
static bool child_turn(struct weft_machine *machine, struct member *child, uint32_t reductions,
                       uint64_t *wake_ns)
{
    struct weft_family *family = machine->family;
    if (child->killed) {
        end_member(family, child, REASON_KILLED);
        return false;
    }
    family->current = child;
    const enum weft_unit_state state = weft_unit_run(child->unit, &reductions);
    family->current = &family->eldest;
    weft_play_output(child->unit, machine->out);
    switch (state) {
    case WEFT_UNIT_AGAIN: return true;
    case WEFT_UNIT_WAIT: fold_wake(child->unit, wake_ns); return false;
    case WEFT_UNIT_FAULT:
        weft_play_report(weft_unit_error(child->unit), machine);
        end_member(family, child, REASON_FAULT);
        return false;
    default: end_member(family, child, 0); return false;
    }
}

bool weft_family_turn(struct weft_machine *machine, uint32_t reductions, uint64_t *wake_ns)
{
    struct weft_family *family = machine->family;
    bool goes_on = false;
    if (family == NULL) return false;
    for (uint32_t n = 0; n < family->slot_count; n++) { // The table may grow meanwhile.
        struct member *member = family->slots[n].member;
        if (member == NULL || member->ended || member == &family->eldest) continue;
        if (child_turn(machine, member, reductions, wake_ns)) goes_on = true;
    }
    return goes_on;
}
