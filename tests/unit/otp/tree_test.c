// Law: whatever ends in a tree, in whatever order, the tree comes back to the shape that its
// specification and the reasons say. Random trees against a model that knows only the rules.
#include "tests/unit/otp/rig.h"

#include "runtime/base/prng.h"

#define NODES_MAX    60
#define CHILDREN_MAX 5
#define DEPTH_MAX    3

struct node {
    struct node *children[CHILDREN_MAX];
    unsigned child_count;
    bool is_supervisor;
    enum weft_strategy strategy;
    enum weft_restart restart;
    bool runs; // Says the model.
    bool gone; // A temporary one that has ended.
    char id[8];
    struct weft_child specs[CHILDREN_MAX];
    struct weft_supervisor_spec spec;
};

struct tree {
    struct node nodes[NODES_MAX];
    unsigned count;
    struct weft_prng prng;
    struct weft_actor *self;
    weft_pid top;
    unsigned core_count;
};

// ---- A random tree.

static void stay(struct weft_actor *self, void *state)
{
    (void)state;
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        weft_exit(self, message->type);
    }
}

static const struct weft_actor_kind worker = {.name = "worker", .main = stay};

static struct weft_child child_of(const struct tree *tree, const struct node *node, unsigned number)
{
    struct weft_child child = {.id = node->id, .restart = (uint8_t)node->restart};
    if (node->is_supervisor)
        child.supervisor = &node->spec;
    else
        child.kind = &worker;
    child.spawn.core = (uint16_t)(number % tree->core_count);
    return child;
}

// `forms`: how many of the three sorts of restart there are.
static struct node *grow(struct tree *tree, unsigned depth, unsigned forms)
{
    const unsigned number = tree->count++;
    struct node *node = &tree->nodes[number];
    node->runs = true;
    node->is_supervisor = depth == 0 || (depth < DEPTH_MAX && weft_prng_below(&tree->prng, 3) == 0);
    node->restart = (enum weft_restart)weft_prng_below(&tree->prng, forms);
    snprintf(node->id, sizeof(node->id), "n%u", number);
    if (!node->is_supervisor) return node;
    node->strategy = (enum weft_strategy)weft_prng_below(&tree->prng, 3);
    const unsigned wanted = 1 + weft_prng_below(&tree->prng, CHILDREN_MAX);
    while (node->child_count < wanted && tree->count < NODES_MAX) {
        struct node *child = grow(tree, depth + 1, forms);
        node->specs[node->child_count] = child_of(tree, child, tree->count);
        node->children[node->child_count++] = child;
    }
    node->spec = (struct weft_supervisor_spec){.children = node->specs,
                                               .child_count = node->child_count,
                                               .strategy = (uint8_t)node->strategy,
                                               .restart_max = 100000};
    return node;
}

// ---- The model.

static void begins(struct node *node)
{
    node->runs = true;
    for (unsigned i = 0; i < node->child_count; i++) {
        node->children[i]->gone = false;
        begins(node->children[i]);
    }
}

static void ends(struct node *node)
{
    node->runs = false;
    if (node->restart == WEFT_RESTART_TEMPORARY) node->gone = true;
}

static void child_ended(struct node *parent, struct node *child, uint16_t reason)
{
    const bool returns = child->restart == WEFT_RESTART_PERMANENT ||
                         (child->restart == WEFT_RESTART_TRANSIENT && weft_exit_is_failure(reason));
    ends(child);
    if (!returns) return;
    bool concerned = parent->strategy == WEFT_ONE_FOR_ALL;
    for (unsigned i = 0; i < parent->child_count; i++) {
        struct node *other = parent->children[i];
        if (other == child) {
            begins(other);
            concerned = concerned || parent->strategy == WEFT_REST_FOR_ONE;
        } else if (concerned && parent->strategy != WEFT_ONE_FOR_ONE) {
            if (other->restart == WEFT_RESTART_TEMPORARY)
                ends(other);
            else
                begins(other);
        }
    }
}

// ---- The tree itself.

// The pids of those that run, by the number in their id; checks order and states if `checks`.
static void look(struct tree *tree, struct node *node, weft_pid pid, weft_pid *pids, bool checks)
{
    struct weft_child_info infos[CHILDREN_MAX];
    size_t count;
    assert_int_equal(weft_supervisor_children(tree->self, pid, infos, CHILDREN_MAX, &count), 0);
    size_t at = 0;
    for (unsigned i = 0; i < node->child_count; i++) {
        struct node *child = node->children[i];
        if (child->gone) continue;
        if (checks) {
            assert_true(at < count);
            assert_string_equal(infos[at].id, child->id);
            if ((infos[at].pid != 0) != child->runs)
                fail_msg("%s runs: %d, in place of %d", child->id, infos[at].pid != 0, child->runs);
        }
        if (at < count && infos[at].pid != 0) {
            pids[child - tree->nodes] = infos[at].pid;
            if (child->is_supervisor) look(tree, child, infos[at].pid, pids, checks);
        }
        at++;
    }
    if (checks) assert_int_equal(at, count);
}

static uint64_t model_count(const struct node *node)
{
    uint64_t count = node->runs;
    for (unsigned i = 0; node->runs && i < node->child_count; i++)
        count += model_count(node->children[i]);
    return count;
}

static struct node *parent_of(struct tree *tree, const struct node *child)
{
    for (unsigned i = 0; i < tree->count; i++) {
        for (unsigned n = 0; n < tree->nodes[i].child_count; n++) {
            if (tree->nodes[i].children[n] == child) return &tree->nodes[i];
        }
    }
    return NULL;
}

static bool runs_in_model(struct tree *tree, const struct node *node)
{
    for (; node != NULL; node = parent_of(tree, node)) {
        if (!node->runs) return false;
    }
    return true;
}

static void settle(struct weft_actor *self, const struct rig *rig)
{
    weft_sleep(self, 5 * rig->slack_ns);
}

// ---- One end after the other, for whatever reason; and many at once.

static uint16_t end_one(struct tree *tree, const struct node *node, weft_pid pid)
{
    static const uint16_t reasons[] = {WEFT_EXIT_NORMAL, WEFT_EXIT_SHUTDOWN, WEFT_EXIT_FAULT,
                                       WEFT_EXIT_USER + 9};
    if (node->is_supervisor || weft_prng_below(&tree->prng, 4) == 0) {
        assert_int_equal(weft_kill(tree->self, pid), 0);
        return WEFT_EXIT_KILLED;
    }
    const uint16_t reason = reasons[weft_prng_below(&tree->prng, WEFT_COUNT_OF(reasons))];
    assert_int_equal(weft_send(tree->self, pid, reason, NULL, 0), 0);
    return reason;
}

static void plant(struct tree *tree, struct weft_actor *self, const struct rig *rig, unsigned forms)
{
    memset(tree, 0, sizeof(*tree));
    tree->self = self;
    tree->core_count = rig->cores.count;
    weft_prng_seed(&tree->prng, rig->seed);
    assert_int_equal(weft_supervisor_start(self, &grow(tree, 0, forms)->spec, &tree->top), 0);
}

static void check(struct tree *tree, const struct rig *rig, weft_pid *pids)
{
    memset(pids, 0, NODES_MAX * sizeof(pids[0]));
    look(tree, &tree->nodes[0], tree->top, pids, true);
    if (rig->busy_ns != RIG_BUSY_NS) return; // Those on their way are counted nowhere.
    const uint64_t wanted = model_count(&tree->nodes[0]) + 1; // And the script.
    uint64_t actual = rig_actor_count(rig);
    for (unsigned i = 0; actual != wanted && i < 1000; i++) {
        weft_sleep(tree->self, i % 7 * MS / 10);
        actual = rig_actor_count(rig);
    }
    if (actual != wanted)
        fail_msg("seed %llu, %s: %llu actors, in place of %llu", (unsigned long long)rig->seed,
                 rig->name, (unsigned long long)actual, (unsigned long long)wanted);
}

static void one_after_the_other(struct weft_actor *self, struct rig *rig)
{
    static struct tree tree;
    weft_pid pids[NODES_MAX];
    plant(&tree, self, rig, 3);
    check(&tree, rig, pids);
    for (unsigned step = 0; step < 30; step++) {
        struct node *node = &tree.nodes[1 + weft_prng_below(&tree.prng, tree.count - 1)];
        if (!runs_in_model(&tree, node)) continue;
        const weft_pid pid = pids[node - tree.nodes];
        child_ended(parent_of(&tree, node), node, end_one(&tree, node, pid));
        settle(self, rig);
        check(&tree, rig, pids);
    }
    rig_stop(self, tree.top);
}

static void many_at_once(struct weft_actor *self, struct rig *rig)
{
    static struct tree tree;
    weft_pid pids[NODES_MAX];
    plant(&tree, self, rig, 1); // Permanent ones: whatever happens, all are there afterwards.
    for (unsigned round = 0; round < 5; round++) {
        check(&tree, rig, pids);
        for (unsigned i = 0; i < tree.count; i++) {
            const unsigned number = 1 + weft_prng_below(&tree.prng, tree.count - 1);
            const struct node *node = &tree.nodes[number];
            if (weft_prng_below(&tree.prng, 3) == 0) weft_yield(self);
            if (node->is_supervisor)
                weft_kill(self, pids[number]);
            else
                weft_send(self, pids[number], WEFT_EXIT_FAULT, NULL, 0);
        }
        settle(self, rig);
    }
    check(&tree, rig, pids);
    rig_stop(self, tree.top);
}

static void with_seeds(rig_script *script)
{
    static struct rig rig;
    for (unsigned seed = 0; seed < 60; seed++) {
        rig.seed = seed;
        rig_run(&rig, "one core", 1, false, script);
        rig_run(&rig, "three cores", 3, false, script);
        if (seed < 10) rig_run(&rig, "three cores, all moving", 3, true, script);
    }
}

static void a_tree_follows_the_model(void **state)
{
    (void)state;
    with_seeds(one_after_the_other);
}

static void a_tree_survives_storms(void **state)
{
    (void)state;
    with_seeds(many_at_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_follows_the_model),
        cmocka_unit_test(a_tree_survives_storms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
