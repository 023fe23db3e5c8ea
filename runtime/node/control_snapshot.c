// control_snapshot.c: all units of the node at one instant: the workers stand still, say how much
// they have, write it, and go on.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/node/control_saved.h"
#include "runtime/node/instant.h"
#include "runtime/node/standstill.h"

#define PATIENCE_NS        (2 * WEFT_NS_PER_S) // For cores that something holds.
#define SNAPSHOT_BYTES_MAX ((size_t)1 << 30)
#define ROUNDS_MAX         16
// Room of a worker beyond what it has measured: mail comes in while all stand still, too.
#define ROOM(bytes) ((bytes) + (bytes) / 16 + 64 * WEFT_KIB)

struct weft_control_snapshot {
    struct weft_standstill still;
    struct weft_control *control;
    struct weft_admin_command *admin;
    uint64_t begun_ns;
    enum { SIZING, WRITING, WRITTEN, FAILED } state;
    struct weft_error error;
    unsigned rounds; // Of measuring, and of writing.
    struct {
        size_t at, bytes; // What it has measured.
        int64_t written;
        uint32_t unit_count;
    } parts[WEFT_NODE_WORKERS_MAX];
    uint8_t *bytes; // The head, then each worker's.
    size_t length;
    uint32_t unit_count;
};

static struct weft_control_snapshot *snapshot_of(struct weft_standstill *still)
{
    return WEFT_CONTAINER_OF(still, struct weft_control_snapshot, still);
}

// ---- On the workers.

static void measure(struct weft_standstill *still, struct weft_node_worker *worker)
{
    struct weft_control_snapshot *snapshot = snapshot_of(still);
    const unsigned i = worker->core.index - 1u;
    snapshot->parts[i].bytes = weft_instant_bytes(worker);
}

static void write_down(struct weft_standstill *still, struct weft_node_worker *worker)
{
    struct weft_control_snapshot *snapshot = snapshot_of(still);
    const unsigned i = worker->core.index - 1u;
    snapshot->parts[i].written =
        weft_instant_write(worker, snapshot->bytes + snapshot->parts[i].at,
                           ROOM(snapshot->parts[i].bytes), &snapshot->parts[i].unit_count);
}

// ---- On the control core.

static void fail(struct weft_control_snapshot *snapshot, uint16_t code, const char *text)
{
    weft_error_set(&snapshot->error, code, "the snapshot is not taken: %s", text);
    snapshot->state = FAILED;
    weft_standstill_end(&snapshot->still);
}

static void begin_writing(struct weft_control_snapshot *snapshot)
{
    snapshot->length = WEFT_INSTANT_HEAD_BYTES;
    for (uint16_t i = 0; i < snapshot->control->node->options.worker_count; i++) {
        snapshot->parts[i].at = snapshot->length;
        snapshot->length += ROOM(snapshot->parts[i].bytes);
    }
    free(snapshot->bytes);
    snapshot->bytes = NULL;
    if (snapshot->length <= SNAPSHOT_BYTES_MAX) snapshot->bytes = malloc(snapshot->length);
    if (snapshot->bytes == NULL) {
        fail(snapshot, 203, "no memory for it");
        return;
    }
    snapshot->state = WRITING;
    weft_standstill_do(&snapshot->still, write_down);
}

// One behind the other. False: one of them did not fit.
static bool close_up(struct weft_control_snapshot *snapshot)
{
    const uint16_t count = snapshot->control->node->options.worker_count;
    snapshot->length = WEFT_INSTANT_HEAD_BYTES;
    snapshot->unit_count = 0;
    for (uint16_t i = 0; i < count; i++) {
        if (snapshot->parts[i].written < 0) return false;
        const size_t bytes = (size_t)snapshot->parts[i].written;
        memmove(snapshot->bytes + snapshot->length, snapshot->bytes + snapshot->parts[i].at, bytes);
        snapshot->length += bytes;
        snapshot->unit_count += snapshot->parts[i].unit_count;
    }
    return true;
}

// First it is quiet, then all have been measured, then all have been written.
static void next(struct weft_standstill *still)
{
    struct weft_control_snapshot *snapshot = snapshot_of(still);
    if (still->step == NULL) {
        weft_standstill_do(still, measure);
    } else if (snapshot->state == SIZING) {
        begin_writing(snapshot);
    } else if (!close_up(snapshot)) {
        if (++snapshot->rounds == ROUNDS_MAX) {
            fail(snapshot, 505, "more came in than was written");
            return;
        }
        snapshot->state = SIZING;
        weft_standstill_do(still, measure);
    } else {
        snapshot->state = WRITTEN;
        weft_standstill_end(still);
    }
}

static void gone(struct weft_standstill *still)
{
    struct weft_control_snapshot *snapshot = snapshot_of(still);
    struct weft_control *control = snapshot->control;
    const uint64_t stood_ns = weft_clock_now_ns(&control->node->options.clock) - snapshot->begun_ns;
    control->command_count--;
    control->snapshot = NULL;
    if (snapshot->state == WRITTEN) {
        weft_instant_head(control->node, snapshot->bytes,
                          snapshot->length - WEFT_INSTANT_HEAD_BYTES, snapshot->unit_count);
        weft_control_event(control, "node.saved", control->node->options.name,
                           "%u units, %zu bytes; stood still for %llu us", snapshot->unit_count,
                           snapshot->length, (unsigned long long)(stood_ns / 1000));
        weft_admin_complete_bytes(snapshot->admin, (char *)snapshot->bytes, snapshot->length);
    } else {
        free(snapshot->bytes);
        weft_admin_fail(snapshot->admin, &snapshot->error);
    }
    free(snapshot);
}

int weft_control_save_all(struct weft_control *control, struct weft_admin_command *admin,
                          struct weft_error *error)
{
    if (weft_control_check_restoring(control, error) != 0) return -1;
    if (control->node->standstill != NULL)
        return weft_error_set(error, 405, "another snapshot is under way");
    struct weft_control_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (snapshot == NULL) return weft_error_set(error, 203, "no memory for the command");
    *snapshot = (struct weft_control_snapshot){
        .still = {.node = control->node, .next = next, .gone = gone},
        .control = control,
        .admin = admin,
        .begun_ns = weft_clock_now_ns(&control->node->options.clock)};
    control->command_count++;
    control->snapshot = snapshot;
    weft_error_set(&snapshot->error, 505, "the snapshot is not taken: a core takes no commands");
    snapshot->state = SIZING;
    weft_assert(weft_standstill_begin(&snapshot->still) == 0); // Nobody else's is under way.
    return 0;
}

void weft_control_snapshot_turn(struct weft_control *control, uint64_t now_ns)
{
    struct weft_control_snapshot *snapshot = control->snapshot;
    if (snapshot == NULL || snapshot->state == WRITTEN || snapshot->state == FAILED) return;
    if (now_ns - snapshot->begun_ns < PATIENCE_NS) return;
    // A worker that writes cannot be stopped, and will not be long.
    if (snapshot->still.step != NULL) return;
    fail(snapshot, 505, "the node did not come to rest in 2 s: see `weft core ls`");
}
