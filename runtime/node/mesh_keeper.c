#include "runtime/node/mesh_keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_lessons.h"

#define VIEW_INTERVAL_NS (100 * WEFT_NS_PER_MS)
#define MAILBOX_LIMIT    4096
#define LOAD_WINDOW_NS                                                                             \
    (200 * WEFT_NS_PER_MS) // Of core time: what a load is measured over, at least.
#define NAMES_MAX 256      // Nodes that units can find by name; the others by their id.

struct name_table { // Published apart from the view, so that a unit copies little.
    uint64_t count;
    struct {
        uint64_t id;
        char name[32];
    } rows[NAMES_MAX];
};

struct weft_mesh_keeper {
    struct weft_node *node;
    struct weft_node_worker *worker;
    struct weft_mesh *mesh;
    uint16_t port; // Ours, UDP.
    weft_pid pid;
    struct weft_snapshot snapshot;
    struct weft_snapshot names_snapshot;
    struct name_table names;
    struct weft_mesh_view *view; // Where the next snapshot is put together.
    size_t view_bytes;
    uint64_t view_due_ns;
    uint64_t busy_ns_seen, idle_ns_seen; // For the load of the next heartbeat.
};

// ---- What the engine wants done.

static void do_send(struct weft_mesh_keeper *keeper, const struct weft_mesh_action *action)
{
    const struct weft_udp_flow flow = {.destination = action->address.ip,
                                       .destination_port = action->address.port,
                                       .source_port = keeper->port,
                                       .port = WEFT_UDP_ANY_PORT};
    (void)weft_udp_send(&keeper->worker->stack, &flow,
                        action->bytes); // A failure is in the ledger.
}

static void do_event(struct weft_mesh_keeper *keeper, const struct weft_mesh_event *event)
{
    struct weft_event_ring *ring = &keeper->node->events;
    struct weft_log *log = &keeper->worker->core.log;
    const uint32_t ip = event->address.ip;
    char address[32], type[24];
    snprintf(address, sizeof(address), "%u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
             ip & 255, event->address.port);
    const char *name = event->name[0] != '\0' ? event->name : address;
    if (event->kind == WEFT_MESH_EVENT_REFUSED) {
        const struct weft_drop_info *info = weft_drop_info(event->reason);
        weft_event_ring_add(ring, "mesh.refused", address, "%s/%s: %s", info->stage, info->reason,
                            info->text);
        weft_log(log, WEFT_LOG_WARN, "mesh", "%s: refused: %s", address, info->text);
        return;
    }
    snprintf(type, sizeof(type), "node.%s", weft_mesh_event_name(event->kind));
    weft_event_ring_add(ring, type, name, "%s at %s is %s%s (%016llx)", name, address,
                        weft_mesh_event_name(event->kind),
                        event->restarted ? " again, restarted" : "",
                        (unsigned long long)event->node);
    weft_log(log, WEFT_LOG_INFO, "mesh", "%s: %s%s", name, weft_mesh_event_name(event->kind),
             event->restarted ? ", restarted" : "");
}

// A message from another node's unit: the least busy unit that asks for messages takes it.
static void do_deliver(struct weft_mesh_keeper *keeper, const struct weft_mesh_action *action)
{
    struct weft_node_worker *worker = keeper->worker;
    if (weft_unit_lessons_from_peer(worker, action->bytes)) return;
    const struct weft_resident *resident = weft_unit_registry_least_busy(&keeper->node->units);
    if (resident == NULL) {
        weft_drop_add(&worker->core.drops, WEFT_DROP_MESH_NO_TARGET, 1);
        return;
    }
    struct weft_message *message =
        weft_message_alloc(&worker->actors, (uint32_t)action->bytes.length);
    if (message == NULL) return;
    memcpy(message->payload, action->bytes.data, action->bytes.length);
    message->to = weft_counter_get(&resident->pid);
    message->tag = WEFT_MESSAGE_USER;
    message->type = WEFT_UNIT_MESSAGE_HOST;
    message->reference = action->from;
    weft_actor_send(&worker->actors, message);
}

static uint32_t drain(struct weft_mesh_keeper *keeper)
{
    struct weft_mesh_action action;
    uint32_t count = 0;
    while (weft_mesh_next_action(keeper->mesh, &action)) {
        count++;
        switch (action.kind) {
        case WEFT_MESH_SEND: do_send(keeper, &action); break;
        case WEFT_MESH_EVENT: do_event(keeper, &action.event); break;
        case WEFT_MESH_DELIVER: do_deliver(keeper, &action); break;
        }
    }
    return count;
}

// ---- What comes in.

static void datagram_came(void *self, const struct weft_udp_datagram *datagram)
{
    struct weft_mesh_keeper *keeper = self;
    const struct weft_mesh_address source = {.ip = datagram->source, .port = datagram->source_port};
    weft_mesh_receive(keeper->mesh, source, datagram->payload, keeper->worker->core.now_ns);
    drain(keeper);
}

// A unit's SEND-HOST, from any core. What does not go out is counted, here or by the engine.
static void handle(struct weft_actor *actor, void *state, struct weft_message *message)
{
    struct weft_mesh_keeper *keeper = state;
    (void)actor;
    struct weft_drops *drops = &keeper->worker->core.drops;
    const struct weft_mesh_post *post = (const struct weft_mesh_post *)message->payload;
    if (message->tag != WEFT_MESSAGE_USER || message->type != WEFT_MESH_POST ||
        message->length < sizeof(*post)) { // Somebody who has guessed our pid.
        weft_drop_add(drops, WEFT_DROP_MAILBOX_REFUSED, 1);
        return;
    }
    const int result = weft_mesh_send_envelope(
        keeper->mesh, post->to, weft_span_of(post->bytes, message->length - sizeof(*post)),
        keeper->worker->core.now_ns);
    if (result == -EMSGSIZE) weft_drop_add(drops, WEFT_DROP_MESH_TOO_LONG, 1);
    if (result == -ENOBUFS) weft_drop_add(drops, WEFT_DROP_MESH_BUSY, 1);
    drain(keeper);
}

static const struct weft_actor_kind mesh_kind = {.name = "mesh", .handle = handle};

// ---- The poller.

static void set_load(struct weft_mesh_keeper *keeper)
{
    uint64_t busy_ns = 0, idle_ns = 0;
    for (uint16_t i = 0; i < keeper->node->options.worker_count; i++) {
        const struct weft_core_stats *stats = &keeper->node->workers[i].core.stats;
        busy_ns += weft_counter_get(&stats->busy_ns);
        idle_ns += weft_counter_get(&stats->idle_ns);
    }
    const uint64_t busy = busy_ns - keeper->busy_ns_seen;
    const uint64_t all = busy + idle_ns - keeper->idle_ns_seen;
    if (all < LOAD_WINDOW_NS) return; // A beat that was hurried: the load before is as true.
    keeper->busy_ns_seen = busy_ns;
    keeper->idle_ns_seen = idle_ns;
    const uint64_t permille = all > 0 ? busy * 1000 / all : 0;
    weft_mesh_load_set(keeper->mesh,
                       (struct weft_mesh_load){
                           .busy_permille = (uint16_t)(permille < 1000 ? permille : 1000),
                           .units = (uint32_t)weft_counter_get(&keeper->node->units.live_count)});
}

static void publish_names(struct weft_mesh_keeper *keeper)
{
    struct name_table *names = &keeper->names;
    names->count = 0;
    for (uint64_t i = 0; i < keeper->view->peer_count && names->count < NAMES_MAX; i++) {
        const struct weft_mesh_peer_info *peer = &keeper->view->peers[i];
        if (peer->state == WEFT_MESH_DEAD || peer->name[0] == '\0') continue;
        names->rows[names->count].id = peer->id;
        snprintf(names->rows[names->count++].name, sizeof(names->rows[0].name), "%s", peer->name);
    }
    weft_snapshot_write(&keeper->names_snapshot, names,
                        offsetof(struct name_table, rows) + names->count * sizeof(names->rows[0]));
}

static void publish(struct weft_mesh_keeper *keeper, uint64_t now_ns)
{
    struct weft_mesh_view *view = keeper->view;
    view->at_ns = now_ns;
    weft_mesh_stats(keeper->mesh, &view->stats);
    const uint32_t count = weft_mesh_peer_count(keeper->mesh);
    view->peer_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (sizeof(*view) + (view->peer_count + 1) * sizeof(view->peers[0]) > keeper->view_bytes)
            break;
        if (weft_mesh_peer_at(keeper->mesh, i, now_ns, &view->peers[view->peer_count]))
            view->peer_count++;
    }
    weft_snapshot_write(&keeper->snapshot, view,
                        sizeof(*view) + view->peer_count * sizeof(view->peers[0]));
    publish_names(keeper);
    weft_counter_set(&keeper->node->mesh_alive, view->stats.alive + view->stats.suspect);
}

static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_mesh_keeper *keeper = self;
    uint32_t work = 0;
    if (now_ns >= weft_mesh_due_ns(keeper->mesh)) {
        set_load(keeper);
        weft_mesh_tick(keeper->mesh, now_ns);
        work = 1 + drain(keeper);
    }
    if (now_ns >= keeper->view_due_ns) {
        publish(keeper, now_ns);
        keeper->view_due_ns = now_ns + VIEW_INTERVAL_NS;
    }
    return work;
}

static uint64_t due_ns(void *self)
{
    const struct weft_mesh_keeper *keeper = self;
    const uint64_t mesh_ns = weft_mesh_due_ns(keeper->mesh);
    return mesh_ns < keeper->view_due_ns ? mesh_ns : keeper->view_due_ns;
}

// ---- Making and freeing.

int weft_mesh_keeper_create(struct weft_mesh_keeper **made, struct weft_node *node,
                            const struct weft_mesh_options *options, struct weft_error *error)
{
    const uint32_t peers_max = options->peers_max != 0 ? options->peers_max : 512;
    struct weft_mesh_keeper *keeper = calloc(1, sizeof(*keeper));
    int result = -ENOMEM;
    if (keeper == NULL) goto fail;
    keeper->node = node;
    keeper->port = options->own.port;
    keeper->view_bytes =
        sizeof(struct weft_mesh_view) + peers_max * sizeof(struct weft_mesh_peer_info);
    keeper->view = calloc(1, keeper->view_bytes);
    if (keeper->view == NULL) goto fail;
    result = weft_snapshot_init(&keeper->snapshot, weft_round_up(keeper->view_bytes, 8));
    if (result == 0)
        result = weft_snapshot_init(&keeper->names_snapshot, sizeof(struct name_table));
    if (result != 0) goto fail;
    struct weft_mesh_options own = *options;
    own.drops = &node->workers[0].core.drops;
    result = weft_mesh_create(&keeper->mesh, &own, weft_clock_now_ns(&node->options.clock));
    if (result != 0) goto fail;
    *made = keeper;
    return 0;

fail:
    weft_error_set(error, 301, "the mesh could not be made: %s", strerror(-result));
    weft_mesh_keeper_free(keeper);
    return result;
}

int weft_mesh_keeper_start(struct weft_mesh_keeper *keeper, struct weft_node_worker *worker)
{
    keeper->worker = worker;
    const struct weft_spawn spawn = {.kind = &mesh_kind,
                                     .state = keeper,
                                     .label = "mesh",
                                     .mailbox_max = MAILBOX_LIMIT,
                                     .priority = WEFT_PRIORITY_HIGH};
    int result = weft_udp_bind(&worker->stack, keeper->port, datagram_came, keeper);
    if (result == 0) result = weft_actor_spawn(&worker->actors, &spawn, 0, &keeper->pid);
    if (result != 0) return result;
    weft_actor_find(&worker->actors, keeper->pid)->task.flags |= WEFT_ACTOR_PRIVATE;
    return weft_core_add_poller(
        &worker->core,
        &(struct weft_poller){.name = "mesh", .poll = poll, .due_ns = due_ns, .self = keeper});
}

void weft_mesh_keeper_free(struct weft_mesh_keeper *keeper)
{
    if (keeper == NULL) return;
    weft_mesh_free(keeper->mesh);
    weft_snapshot_destroy(&keeper->snapshot);
    weft_snapshot_destroy(&keeper->names_snapshot);
    free(keeper->view);
    free(keeper);
}

weft_pid weft_mesh_keeper_pid(const struct weft_mesh_keeper *keeper)
{
    return keeper->pid;
}

const struct weft_mesh *weft_mesh_keeper_mesh(const struct weft_mesh_keeper *keeper)
{
    return keeper->mesh;
}

size_t weft_mesh_keeper_view_bytes(const struct weft_mesh_keeper *keeper)
{
    return keeper->view_bytes;
}

bool weft_mesh_keeper_view(const struct weft_mesh_keeper *keeper, struct weft_mesh_view *view)
{
    return weft_snapshot_read(&keeper->snapshot, view, keeper->view_bytes & ~(size_t)7);
}

bool weft_mesh_keeper_find(const struct weft_mesh_keeper *keeper, const char *name, size_t length,
                           uint64_t *id)
{
    struct name_table
        names; // 10 KB of stack, for a word that is used before sending, not in a loop.
    if (!weft_snapshot_read(&keeper->names_snapshot, &names, sizeof(names))) return false;
    for (uint64_t i = 0; i < names.count && i < NAMES_MAX; i++) {
        const char *known = names.rows[i].name;
        if (strlen(known) != length || memcmp(known, name, length) != 0) continue;
        *id = names.rows[i].id;
        return true;
    }
    return false;
}

uint32_t weft_mesh_keeper_peers(const struct weft_mesh_keeper *keeper, uint64_t *ids, uint32_t max)
{
    struct name_table names;
    uint32_t count = 0;
    if (!weft_snapshot_read(&keeper->names_snapshot, &names, sizeof(names))) return 0;
    for (uint64_t i = 0; i < names.count && i < NAMES_MAX && count < max; i++)
        ids[count++] = names.rows[i].id;
    return count;
}
