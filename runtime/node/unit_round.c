// unit_round.c: what goes between a unit and those that it has spawned, so that both are written
// down: rounds before a record, and who is left to whom at an end.
#include "runtime/node/unit_family.h"

#include <errno.h>
#include <string.h>

#include "runtime/actor/ties.h"
#include "runtime/node/unit_dealings.h"
#include "runtime/node/unit_internal.h"

#define ROUND_NS    WEFT_NS_PER_S         // As long as a core may be held by others.
#define LATE_NS     (10 * WEFT_NS_PER_MS) // The next time, of one who did not answer then.
#define FAREWELL_NS (10 * WEFT_NS_PER_MS) // By when a child's last words have come after its end.

struct weft_unit_errand { // In a block of the core that sends it first.
    struct weft_core_errand errand;
    struct weft_node *node;
    struct weft_message *block;
    weft_pid to, from;
    uint16_t home;   // The core that it comes back to.
    uint64_t id;     // Of `to`, as the parent knows it.
    uint64_t serial; // Of the parent's record.
    uint32_t place;  // In the list of the parent, if that is as it was.
    int32_t result;  // 0; -ESRCH: it has ended; another negative errno: it is not written down.
    struct weft_message *record; // For the journal. NULL: it is there, or there will be none.
    char parent[WEFT_UNIT_NAME_MAX + 1];
    uint32_t count; // Of `ids`.
    uint64_t ids[];
};

// ---- Errands.

// NULL: no memory.
static struct weft_unit_errand *new_errand(struct weft_unit_actor *unit, weft_pid to,
                                           uint32_t count)
{
    struct weft_message *block = weft_later_block(
        &unit->worker->actors, sizeof(struct weft_unit_errand) + count * sizeof(uint64_t));
    if (block == NULL) return NULL;
    struct weft_unit_errand *errand = (struct weft_unit_errand *)(void *)block->payload;
    *errand = (struct weft_unit_errand){.node = unit->worker->node,
                                        .block = block,
                                        .to = to,
                                        .from = unit->actor->pid,
                                        .home = unit->worker->core.index};
    return errand;
}

// An errand to its parent, with room for the ids of so many. NULL: there is none, or no memory.
static struct weft_unit_errand *to_parent(struct weft_unit_actor *unit, uint32_t count, int *core)
{
    struct weft_node *node = unit->worker->node;
    const weft_pid parent = weft_unit_ids_pid(&node->ids, unit->heir);
    *core = weft_actor_core_of(&node->actors, parent);
    struct weft_unit_errand *errand = *core > 0 ? new_errand(unit, parent, count) : NULL;
    if (errand != NULL) errand->count = count;
    return errand;
}

static void give(struct weft_unit_errand *errand, uint16_t core,
                 void (*run)(struct weft_core *core, void *self, uint64_t argument))
{
    errand->errand = (struct weft_core_errand){.run = run, .self = errand};
    weft_core_errand_give(weft_node_core(errand->node, core), &errand->errand);
}

static struct weft_node_worker *worker_on(const struct weft_core *core,
                                          const struct weft_unit_errand *errand)
{
    return &errand->node->workers[core->index - 1];
}

static void release(struct weft_node_worker *worker, struct weft_unit_errand *errand)
{
    weft_message_release(&worker->actors, errand->block);
}

// The unit with this pid, if it is one of this core and lives.
static struct weft_unit_actor *unit_on(struct weft_node_worker *worker, weft_pid pid)
{
    struct weft_actor *actor = weft_actor_find(&worker->actors, pid);
    if (actor == NULL || actor->kind != &weft_unit_actor_kind ||
        (actor->task.flags & WEFT_ACTOR_ENDING) != 0)
        return NULL;
    return actor->state;
}

// ---- A child is asked, on its core, and answers.

// Back at the parent's core: what has come goes to the journal from here, so that it is there
// before the parent's record.
static void failed_there(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_unit_errand *errand = self;
    struct weft_node_worker *worker = worker_on(core, errand);
    (void)argument;
    weft_unit_actor_durable(worker, errand->to, -EIO);
    release(worker, errand);
}

static void note_answer(struct weft_unit_actor *unit, const struct weft_unit_errand *errand,
                        int result)
{
    struct weft_unit_family *family = unit->family;
    if (family == NULL) return;
    const bool is_in_place =
        errand->place < family->young.count && family->young.list[errand->place].id == errand->id;
    struct weft_unit_young *young =
        is_in_place ? &family->young.list[errand->place] : weft_unit_young_find(family, errand->id);
    if (young != NULL && result == 0) young->is_recorded = true;
    if (young != NULL && young->state == WEFT_YOUNG_ASKED) {
        // Until it is certain that it has been looked at.
        young->state = result == 0        ? WEFT_YOUNG_KEPT
                       : result == -ESRCH ? WEFT_YOUNG_ENDED
                                          : WEFT_YOUNG_REFUSED;
        family->young.kept_count += result == 0;
    }
    if (--family->away == 0 && family->is_gathering) weft_unit_actor_wake(unit);
}

static void come_home(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_unit_errand *errand = self;
    struct weft_node_worker *worker = worker_on(core, errand);
    struct weft_unit_actor *unit = unit_on(worker, errand->from);
    (void)argument;
    const bool is_lost =
        errand->record != NULL && weft_actor_send(&worker->actors, errand->record) != 0;
    if (unit != NULL) note_answer(unit, errand, is_lost ? -EIO : errand->result);
    const int there = is_lost ? weft_actor_core_of(&errand->node->actors, errand->to) : -1;
    if (there > 0)
        give(errand, (uint16_t)there, failed_there);
    else
        release(worker, errand);
}

static void answer(struct weft_unit_errand *errand, int result, struct weft_message *record)
{
    errand->result = result;
    errand->record = record;
    give(errand, errand->home, come_home);
}

static void answer_record(struct weft_unit_actor *unit, struct weft_unit_errand *errand)
{
    int result = -EINVAL; // Its family has gone meanwhile.
    struct weft_message *record = NULL;
    if (unit->root != 0)
        record = weft_unit_actor_first_record(unit, errand->parent, errand->serial, &result);
    answer(errand, result, record);
}

static void asked_there(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_unit_errand *errand = self;
    struct weft_unit_actor *unit = unit_on(worker_on(core, errand), errand->to);
    (void)argument;
    if (unit == NULL || unit->ending) {
        answer(errand, -ESRCH, NULL);
    } else if (unit->root == 0) {
        answer(errand, -EINVAL, NULL);
    } else if (unit->is_journaled) {
        answer(errand, 0, NULL);
    } else if (weft_unit_family_gather(unit)) {
        answer_record(unit, errand);
    } else { // When its own round has ended. Who has asked before has ended.
        if (unit->family->owed != NULL) answer(unit->family->owed, -EAGAIN, NULL);
        unit->family->owed = errand;
        weft_unit_actor_arm(unit);
    }
}

// ---- A round.

// One that has been born while its parent did not look: it is named by the answer in the mailbox.
struct newborn {
    uint64_t reference;
    weft_pid pid;
};

static void see_reply(void *argument, const struct weft_message *message)
{
    struct newborn *newborn = argument;
    if (message->tag == WEFT_MESSAGE_REPLY && message->reference == newborn->reference &&
        weft_reply_status(message) == 0 && message->length == sizeof(newborn->pid))
        memcpy(&newborn->pid, message->payload, sizeof(newborn->pid));
}

// The id of one whose SPAWN waits at this level for its parent to look; 0: there is none.
static uint64_t newborn_at(const struct weft_unit_actor *unit, uint32_t level)
{
    const struct weft_unit_wait *wait = &unit->dealings->waits[level];
    struct newborn newborn = {.reference = wait->reference};
    if (wait->what != WEFT_UNIT_FOR_CHILD || !weft_tie_is_answered(unit->actor, wait->reference))
        return 0;
    weft_ties_mail(unit->actor, see_reply, &newborn);
    return weft_unit_ids_id(&unit->worker->node->ids, newborn.pid);
}

static bool is_newborn(const struct weft_unit_actor *unit, uint64_t id)
{
    for (uint32_t level = 0; unit->dealings != NULL && level < WEFT_UNIT_LEVELS; level++) {
        if (newborn_at(unit, level) == id) return true;
    }
    return false;
}

static void take_newborn(struct weft_unit_actor *unit)
{
    for (uint32_t level = 0; unit->dealings != NULL && level < WEFT_UNIT_LEVELS; level++) {
        const uint64_t id = newborn_at(unit, level);
        const bool is_known =
            id == 0 || (unit->family != NULL && weft_unit_young_find(unit->family, id) != NULL);
        if (!is_known) weft_unit_family_born(unit, id, unit->dealings->waits[level].farewell);
    }
    struct weft_unit_family *family = unit->family;
    if (family == NULL || family->young.kept_count == 0) return;
    for (uint32_t n = family->young.count; n-- > 0;) {
        struct weft_unit_young *young = &family->young.list[n];
        if (young->state == WEFT_YOUNG_KEPT && !is_newborn(unit, young->id))
            weft_unit_young_remove(family, young);
    }
}

static void ask(struct weft_unit_actor *unit, struct weft_unit_young *young)
{
    struct weft_node *node = unit->worker->node;
    struct weft_unit_family *family = unit->family;
    const weft_pid pid = weft_unit_ids_pid(&node->ids, young->id);
    const int core = weft_actor_core_of(&node->actors, pid);
    if (core <= 0) {
        young->state = WEFT_YOUNG_ENDED;
        return;
    }
    struct weft_unit_errand *errand = new_errand(unit, pid, 0);
    young->state = errand != NULL ? WEFT_YOUNG_ASKED : WEFT_YOUNG_REFUSED;
    if (errand == NULL) return;
    errand->id = young->id;
    errand->serial = family->serial + 1;
    errand->place = (uint32_t)(young - family->young.list);
    weft_unit_actor_journal_name(unit, errand->parent);
    family->away++;
    give(errand, (uint16_t)core, asked_there);
}

// Who has been asked will answer, however late: nobody is asked twice at a time.
static void ask_all(struct weft_unit_actor *unit, bool has_refused)
{
    struct weft_unit_family *family = unit->family;
    take_newborn(unit);
    for (uint32_t n = 0; n < family->young.count; n++) {
        struct weft_unit_young *young = &family->young.list[n];
        if (young->state == WEFT_YOUNG_NEW || (has_refused && young->state == WEFT_YOUNG_REFUSED))
            ask(unit, young);
    }
}

// Of those that have ended the last words are here: the record has them. Nobody waits for those of
// the detached.
static bool ends_have_come(struct weft_unit_actor *unit)
{
    struct weft_unit_family *family = unit->family;
    bool all = true;
    for (uint32_t n = family->young.count; n-- > 0;) {
        struct weft_unit_young *young = &family->young.list[n];
        if (young->state != WEFT_YOUNG_ENDED) continue;
        if (young->farewell == 0)
            weft_unit_young_remove(family, young);
        else if (weft_tie_is_answered(unit->actor, young->farewell))
            young->state = WEFT_YOUNG_SAID;
        else
            all = false;
    }
    return all;
}

static bool is_settled(struct weft_unit_actor *unit)
{
    const struct weft_unit_family *family = unit->family;
    for (uint32_t n = 0; n < family->young.count; n++) {
        if (family->young.list[n].state < WEFT_YOUNG_ENDED) return false;
    }
    return ends_have_come(unit);
}

bool weft_unit_family_has_young(struct weft_unit_actor *unit)
{
    if (weft_unit_actor_is_kept(unit)) take_newborn(unit);
    return unit->family != NULL && unit->family->young.count > 0;
}

bool weft_unit_family_gather(struct weft_unit_actor *unit)
{
    if (!weft_unit_actor_is_kept(unit)) return true;
    take_newborn(unit);
    struct weft_unit_family *family = unit->family;
    if (family == NULL || family->is_gathered) return true;
    if (family->is_gathering) return false;
    if (is_settled(unit)) return true;
    family->due_ns = unit->worker->core.now_ns + (family->is_late ? LATE_NS : ROUND_NS);
    family->is_gathering = true;
    ask_all(unit, true);
    family->is_gathering = family->away > 0 || !ends_have_come(unit);
    return !family->is_gathering;
}

bool weft_unit_family_is_gathering(const struct weft_unit_actor *unit)
{
    return unit->family != NULL && unit->family->is_gathering;
}

uint64_t weft_unit_family_due_ns(const struct weft_unit_actor *unit)
{
    return weft_unit_family_is_gathering(unit) ? unit->family->due_ns : UINT64_MAX;
}

void weft_unit_family_wait(struct weft_unit_actor *unit, struct weft_command *command)
{
    weft_list_append(&unit->family->commands, &command->link);
}

static bool is_round_over(struct weft_unit_actor *unit)
{
    struct weft_unit_family *family = unit->family;
    if (family->away == 0) ask_all(unit, false);
    const bool all = family->away == 0 && ends_have_come(unit);
    const bool was_late = family->is_late;
    if (!all && unit->worker->core.now_ns < family->due_ns) return false;
    family->is_late = !all;
    if (all || was_late) return true; // It has been said.
    weft_log_actor(
        &unit->worker->core.log, WEFT_LOG_WARN, "unit", unit->actor->pid, weft_label(unit->actor),
        "written down without %u units that it has spawned: no answer in 1 s", family->away);
    return true;
}

bool weft_unit_family_turn(struct weft_unit_actor *unit)
{
    struct weft_unit_family *family = unit->family;
    if (family == NULL || !family->is_gathering) return false;
    if (!is_round_over(unit)) return true;
    family->is_gathering = false;
    family->is_gathered = true;
    family->serial++;
    if (family->owed != NULL) answer_record(unit, family->owed);
    family->owed = NULL;
    for (struct weft_list *link; (link = weft_list_pop(&family->commands)) != NULL;)
        weft_unit_command_durably(unit, WEFT_CONTAINER_OF(link, struct weft_command, link));
    weft_unit_actor_keep_turn(unit);
    family->is_gathered = false;
    take_newborn(unit);
    return false;
}

// ---- UNIT-SAVE of one that the journal has not.

static void abandon(struct weft_unit_actor *unit)
{
    unit->root = 0;
    weft_unit_actor_save_refused(unit);
}

static void abandoned_there(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_unit_errand *errand = self;
    struct weft_node_worker *worker = worker_on(core, errand);
    struct weft_unit_actor *unit = unit_on(worker, errand->to);
    (void)argument;
    if (unit != NULL && !unit->is_journaled) abandon(unit);
    release(worker, errand);
}

static void wanted_there(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_unit_errand *errand = self;
    struct weft_node_worker *worker = worker_on(core, errand);
    struct weft_unit_actor *unit = unit_on(worker, errand->to);
    (void)argument;
    const bool is_kept = unit != NULL && weft_unit_actor_is_kept(unit);
    struct weft_unit_family *family = is_kept ? weft_unit_family_of(unit) : NULL;
    const bool may_ask = family != NULL && (unit->is_journaled || unit->farewell == NULL ||
                                            weft_unit_family_ask_parent(unit));
    if (!may_ask) { // Nobody will ever ask for its first record.
        errand->to = errand->from;
        give(errand, errand->home, abandoned_there);
        return;
    }
    family->wants_record = true;
    weft_unit_actor_wake(unit);
    release(worker, errand);
}

bool weft_unit_family_ask_parent(struct weft_unit_actor *unit)
{
    int core;
    struct weft_unit_errand *errand = to_parent(unit, 0, &core);
    if (errand != NULL) give(errand, (uint16_t)core, wanted_there);
    return errand != NULL;
}

// ---- The end.

static uint64_t farewell_of(const struct weft_unit_actor *unit, uint64_t id)
{
    const struct weft_unit_dealings *dealings = unit->dealings;
    for (uint32_t n = 0; dealings != NULL && n < dealings->child_count; n++) {
        if (dealings->children[n].pid == id) return dealings->children[n].farewell;
    }
    return 0;
}

// At the parent of one that has ended, or that has to be asked again.
static void inherited_there(struct weft_core *core, void *self, uint64_t argument)
{
    struct weft_unit_errand *errand = self;
    struct weft_node_worker *worker = worker_on(core, errand);
    struct weft_unit_actor *unit = unit_on(worker, errand->to);
    (void)argument;
    for (uint32_t n = 0; unit != NULL && n < errand->count; n++)
        weft_unit_family_born(unit, errand->ids[n], farewell_of(unit, errand->ids[n]));
    if (unit != NULL) weft_unit_actor_keep_later(unit, FAREWELL_NS);
    release(worker, errand);
}

void weft_unit_family_return(struct weft_unit_actor *unit)
{
    int core;
    struct weft_unit_errand *errand = to_parent(unit, 1, &core);
    if (errand == NULL) {
        abandon(unit);
        return;
    }
    errand->ids[0] = unit->old_id != 0 ? unit->old_id : unit->id;
    give(errand, (uint16_t)core, inherited_there);
}

// To its parent, whose next record names them, and says that it has ended itself. Without one
// nobody will ask for them.
static void bequeath_young(struct weft_unit_actor *unit)
{
    const struct weft_unit_family *family = unit->family;
    const uint32_t count = family != NULL ? family->young.count : 0;
    int core;
    struct weft_unit_errand *errand = to_parent(unit, count, &core);
    if (errand == NULL) return;
    for (uint32_t n = 0; n < count; n++)
        errand->ids[n] = family->young.list[n].id;
    give(errand, (uint16_t)core, inherited_there);
}

// Of one that was loaded: it comes back as it was before it had them.
static void abandon_young(struct weft_unit_actor *unit)
{
    struct weft_node *node = unit->worker->node;
    const struct weft_unit_family *family = unit->family;
    for (uint32_t n = 0; n < family->young.count; n++) {
        const weft_pid pid = weft_unit_ids_pid(&node->ids, family->young.list[n].id);
        const int core = weft_actor_core_of(&node->actors, pid);
        struct weft_unit_errand *errand = core > 0 ? new_errand(unit, pid, 0) : NULL;
        if (errand != NULL) give(errand, (uint16_t)core, abandoned_there);
    }
}

void weft_unit_family_end(struct weft_unit_actor *unit, bool is_last)
{
    struct weft_unit_family *family = unit->family;
    const bool has_young = family != NULL && family->young.count > 0;
    const bool is_child = unit->farewell != NULL;
    if (!is_last && family != NULL && family->owed != NULL) answer(family->owed, -ESRCH, NULL);
    if (!is_last && weft_unit_actor_is_kept(unit)) {
        if (is_child) weft_unit_actor_keep_no_more(unit);
        if (is_child && (has_young || unit->is_journaled)) bequeath_young(unit);
        if (!is_child && has_young) abandon_young(unit);
    }
    if (family != NULL) weft_unit_family_free(unit);
}
