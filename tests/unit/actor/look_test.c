// What people see of actors: lists in order, cut at their limit, over several steps and cores; one
// actor with what hangs on it.
#include "tests/support/cmocka.h"

#include <stdio.h>

#include <weft/weft.h>

#include "runtime/actor/look.h"
#include "tests/unit/actor/cores.h"

static void ignore(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)self, (void)state, (void)message;
}

static const struct weft_actor_kind idle = {.name = "idle", .handle = ignore};
static const struct weft_actor_kind other = {.name = "other", .handle = ignore};

static weft_pid spawn(struct weft_actor_system *system, const struct weft_actor_kind *kind,
                      const char *label)
{
    const struct weft_spawn how = {.kind = kind, .label = label};
    weft_pid pid = 0;
    assert_int_equal(weft_actor_spawn(system, &how, 0, &pid), 0);
    return pid;
}

static void send(struct weft_actor_system *system, weft_pid to, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct weft_message *message = weft_message_alloc(system, 8);
        assert_non_null(message);
        message->to = to;
        message->tag = WEFT_MESSAGE_USER;
        message->type = (uint16_t)i;
        weft_actor_send(system, message);
    }
}

static struct weft_actor_list *list(struct cores *cores, unsigned core, enum weft_actor_sort by,
                                    uint32_t limit, const char *like, uint32_t slots)
{
    struct weft_actor_list *all = calloc(1, sizeof(*all));
    all->by = by;
    all->limit = limit;
    all->rows = calloc(limit + 1, sizeof(*all->rows));
    snprintf(all->like, sizeof(all->like), "%s", like);
    while (!weft_actor_list_step(&cores->system[core], all, slots)) {
    }
    return all;
}

static void drop(struct weft_actor_list *all)
{
    free(all->rows);
    free(all);
}

static void lists_are_in_order_and_cut(void **state)
{
    static struct cores cores;
    weft_pid pids[50];
    (void)state;
    cores_open(&cores, 2, 512);
    for (unsigned i = 0; i < 50; i++) {
        pids[i] = spawn(&cores.system[0], i % 2 ? &idle : &other, NULL);
        send(&cores.system[0], pids[i], i * 7 % 50); // Each another number.
    }
    weft_actor_find(&cores.system[0], pids[3])->task.flags |= WEFT_ACTOR_PRIVATE;
    for (uint32_t slots = 1; slots < 2000; slots = slots * 5 + 1) { // Steps of any size.
        struct weft_actor_list *all = list(&cores, 0, WEFT_ACTOR_BY_MAILBOX, 10, "", slots);
        assert_int_equal(all->count, 10);
        assert_int_equal(all->total, 49); // One is the node's own.
        for (uint32_t i = 0; i < 10; i++)
            assert_int_equal(all->rows[i].info.mailbox_count, 49 - i);
        drop(all);
    }
    struct weft_actor_list *all = list(&cores, 0, WEFT_ACTOR_BY_PID, 100, "oth", 7);
    assert_int_equal(all->count, 25);
    for (uint32_t i = 0; i < 25; i++) {
        assert_int_equal(all->rows[i].info.pid, pids[2 * i]);
        assert_string_equal(all->rows[i].info.kind, "other");
        assert_int_equal(all->rows[i].state, all->rows[i].info.mailbox_count > 0
                                                 ? WEFT_ACTOR_STATE_READY
                                                 : WEFT_ACTOR_STATE_WAITING);
    }
    drop(all);
    all = list(&cores, 0, WEFT_ACTOR_BY_MEMORY, 0, "", 100); // None are wanted, but counted.
    assert_int_equal(all->count, 0);
    assert_int_equal(all->total, 49);
    drop(all);
    all = list(&cores, 1, WEFT_ACTOR_BY_PID, 10, "", 100); // The other core has none.
    assert_int_equal(all->total, 0);
    drop(all);
    cores_settle(&cores);
    all = list(&cores, 0, WEFT_ACTOR_BY_REDUCTIONS, 3, "", 100);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(all->rows[i].info.reduction_count, 10 * (49 - i));
    drop(all);
    cores_close(&cores);
}

static void moves(struct weft_actor *self, void *state)
{
    (void)state;
    assert_int_equal(weft_move(self, 1), 0);
    weft_receive(self, WEFT_FOREVER);
}

// An actor is seen where it is, not where it was born.
static void lists_follow_those_that_move(void **state)
{
    static const struct weft_actor_kind kind = {.name = "mover", .main = moves};
    static struct cores cores;
    (void)state;
    cores_open(&cores, 2, 64);
    const weft_pid pid = spawn(&cores.system[0], &kind, "m");
    cores_settle(&cores);
    struct weft_actor_list *here = list(&cores, 0, WEFT_ACTOR_BY_PID, 9, "", 3),
                           *there = list(&cores, 1, WEFT_ACTOR_BY_PID, 9, "", 3);
    assert_int_equal(here->count, 0);
    assert_int_equal(there->count, 1);
    assert_int_equal(there->rows[0].info.pid, pid);
    assert_int_equal(there->rows[0].info.core, 1);
    assert_int_equal(there->rows[0].state, WEFT_ACTOR_STATE_PARKED);
    drop(here);
    drop(there);
    cores_close(&cores);
}

// One that moves while it is counted is in the lists of two cores, and not at the same place.
static void a_merge_has_each_once(void **state)
{
    static struct cores cores;
    (void)state;
    cores_open(&cores, 2, 64);
    for (unsigned i = 0; i < 8; i++)
        send(&cores.system[i % 2], spawn(&cores.system[i % 2], &idle, "i"), i);
    cores_settle(&cores); // Who has handled nothing has done least: by reductions they differ.
    struct weft_actor_list *lists[] = {list(&cores, 0, WEFT_ACTOR_BY_REDUCTIONS, 9, "", 100),
                                       list(&cores, 1, WEFT_ACTOR_BY_REDUCTIONS, 9, "", 100)};
    assert_int_equal(lists[0]->count + lists[1]->count, 8);
    const weft_pid twice = lists[0]->rows[0].info.pid; // Seen again later, with less done.
    lists[1]->rows[3].info.pid = twice;
    weft_pid seen[16] = {0};
    struct weft_actor_merge merge = {
        .lists = {[0] = lists[0], [5] = lists[1]}, .seen = seen, .seen_mask = 15};
    const struct weft_actor_row *row, *before = NULL;
    unsigned count = 0, found = 0;
    for (; (row = weft_actor_merge_next(&merge)) != NULL; before = row, count++) {
        found += row->info.pid == twice;
        if (before != NULL)
            assert_true(weft_actor_row_compare(WEFT_ACTOR_BY_REDUCTIONS, before, row) < 0);
    }
    assert_int_equal(count, 7);
    assert_int_equal(found, 1);
    assert_int_equal(merge.twin_count, 1);
    drop(lists[0]);
    drop(lists[1]);
    cores_close(&cores);
}

struct busy {
    weft_pid friend;
    uint64_t timer;
};

static void hang_things_on(struct weft_actor *self, void *state)
{
    struct busy *busy = state;
    uint64_t reference;
    assert_int_equal(weft_link(self, busy->friend), 0);
    assert_int_equal(weft_monitor(self, busy->friend, &reference), 0);
    assert_int_equal(weft_register(self, "busy.bee", 0), 0);
    assert_int_equal(weft_group_join(self, "bees"), 0);
    assert_int_equal(weft_send_after(self, busy->friend, WEFT_NS_PER_S, 5, NULL, 0, NULL), 0);
    const struct weft_match never = {.has_type = true, .type = 9999};
    weft_receive_match(self, &never, WEFT_FOREVER);
}

static void one_is_shown_with_what_hangs_on_it(void **state)
{
    static const struct weft_actor_kind kind = {
        .name = "bee", .state_bytes = sizeof(struct busy), .main = hang_things_on};
    static struct cores cores;
    static struct weft_actor_look look;
    bool seen[WEFT_LOOK_OWNED + 1] = {false};
    (void)state;
    cores_open(&cores, 1, 64);
    const struct busy busy = {.friend = spawn(&cores.system[0], &idle, NULL)};
    const struct weft_spawn how = {.kind = &kind, .state = &busy, .label = "maja"};
    weft_pid pid;
    assert_int_equal(weft_actor_spawn(&cores.system[0], &how, 0, &pid), 0);
    cores_settle(&cores);
    send(&cores.system[0], pid, 20);
    cores_settle(&cores);
    assert_false(weft_actor_look(&cores.system[0], pid + (UINT64_C(1) << 32), &look));
    assert_true(weft_actor_look(&cores.system[0], pid, &look));
    assert_string_equal(look.row.name, "busy.bee");
    assert_string_equal(look.row.info.label, "maja");
    assert_string_equal(look.row.info.kind, "bee");
    assert_int_equal(look.row.state, WEFT_ACTOR_STATE_PARKED);
    assert_int_equal(look.row.info.mailbox_count, 20);
    assert_int_equal(look.messages_shown, WEFT_LOOK_MESSAGES);
    assert_int_equal(look.messages[3].type, 3);
    assert_int_equal(look.edge_count, 5);
    for (uint32_t i = 0; i < look.edges_shown; i++) {
        seen[look.edges[i].what] = true;
        switch (look.edges[i].what) {
        case WEFT_LOOK_TIMER:
            assert_in_range(look.edges[i].due_ns, 1, WEFT_NS_PER_S); // fall through
        case WEFT_LOOK_LINK:
        case WEFT_LOOK_WATCH: assert_int_equal(look.edges[i].pid, busy.friend); break;
        case WEFT_LOOK_NAME: assert_string_equal(look.edges[i].text, "busy.bee"); break;
        case WEFT_LOOK_GROUP: assert_string_equal(look.edges[i].text, "bees"); break;
        default: fail();
        }
    }
    assert_true(seen[WEFT_LOOK_LINK] && seen[WEFT_LOOK_WATCH] && seen[WEFT_LOOK_TIMER] &&
                seen[WEFT_LOOK_NAME] && seen[WEFT_LOOK_GROUP]);
    bool stands_there = false; // Where it waits, called by where it was told to.
    for (uint32_t i = 0; i < look.frame_count; i++) {
        stands_there |= look.frames[i] > (uintptr_t)hang_things_on &&
                        look.frames[i] < (uintptr_t)hang_things_on + 65536; // All is inlined.
    }
    assert_true(stands_there);
    assert_true(weft_actor_look(&cores.system[0], busy.friend, &look));
    assert_int_equal(look.frames[0], (uintptr_t)ignore);
    cores_close(&cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_in_order_and_cut),
        cmocka_unit_test(lists_follow_those_that_move),
        cmocka_unit_test(a_merge_has_each_once),
        cmocka_unit_test(one_is_shown_with_what_hangs_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
