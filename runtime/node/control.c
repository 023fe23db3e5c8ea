#include "runtime/node/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/node/control_actor.h"
#include "runtime/node/control_command.h"
#include "runtime/node/control_saved.h"
#include "runtime/node/family.h"
#include "runtime/node/unit_actor.h"

#define DRAIN_INTERVAL_NS  (50 * WEFT_NS_PER_MS)
#define SAMPLE_INTERVAL_NS WEFT_NS_PER_S
#define LOGS_PER_TURN      64
#define HELD_NS            (2 * DRAIN_INTERVAL_NS)

static uint64_t wall_ns(const struct weft_control *control)
{
    return weft_clock_wall_ns(&control->node->options.clock);
}

void weft_control_event(struct weft_control *control, const char *type, const char *subject,
                        const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    weft_admin_events_add(&control->events, wall_ns(control), type, subject, "%s", text);
}

// ---- Logs and events of all cores.

static void print_record(const struct weft_control *control, uint64_t at_ns,
                         const struct weft_log_record *record)
{
    const time_t seconds = (time_t)(at_ns / WEFT_NS_PER_S);
    struct tm tm;
    char at[32], pid[24] = "";
    if (record->pid != 0) snprintf(pid, sizeof(pid), " %#llx", (unsigned long long)record->pid);
    gmtime_r(&seconds, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
    fprintf(stderr, "%s.%03uZ %-5s %s/c%u%s %s: %s\n", at,
            (unsigned)(at_ns % WEFT_NS_PER_S / WEFT_NS_PER_MS),
            weft_log_level_name((enum weft_log_level)record->level), control->node->options.name,
            record->core, pid, record->module, record->text);
}

static uint32_t drain_log(struct weft_control *control, struct weft_log *log, uint64_t now_ns)
{
    struct weft_log_record record;
    uint32_t taken = 0;
    while (taken < LOGS_PER_TURN && weft_log_take(log, &record)) {
        const uint64_t age_ns = now_ns > record.time_ns ? now_ns - record.time_ns : 0;
        const uint64_t at_ns = wall_ns(control) - age_ns;
        weft_admin_logs_add(&control->logs, at_ns, &record);
        if (control->print_logs) print_record(control, at_ns, &record);
        taken++;
    }
    return taken;
}

// Who does not turn? Sleeping is as good as turning.
static void watch_turns(struct weft_control *control, uint64_t now_ns)
{
    for (uint16_t i = 1; i <= control->node->options.worker_count; i++) {
        const struct weft_core *core = weft_node_core(control->node, i);
        const uint64_t turns = weft_counter_get(&core->stats.turn_count);
        struct weft_core_watch *watch = &control->watches[i];
        if (turns != watch->recent_turns || weft_core_is_asleep(core)) watch->recent_ns = now_ns;
        watch->recent_turns = turns;
    }
}

bool weft_control_is_held(const struct weft_control *control, uint16_t core)
{
    return control->node->control.now_ns - control->watches[core].recent_ns > HELD_NS;
}

static uint32_t drain(struct weft_control *control, uint64_t now_ns)
{
    struct weft_node_event event;
    uint32_t taken = 0;
    for (uint16_t i = 0; i <= control->node->options.worker_count; i++) {
        taken += drain_log(control, &weft_node_core(control->node, i)->log, now_ns);
    }
    taken += weft_control_tell_crashes(control);
    while (weft_event_ring_take(&control->node->events, &event)) {
        weft_control_event(control, event.type, event.subject, "%s", event.text);
        taken++;
    }
    return taken;
}

// ---- Once a second: how busy is each core, and does it still turn?

static void sample_core(struct weft_core_watch *watch, const struct weft_core *core,
                        uint64_t now_ns)
{
    const uint64_t busy_ns = weft_counter_get(&core->stats.busy_ns);
    const uint64_t idle_ns = weft_counter_get(&core->stats.idle_ns);
    const uint64_t turns = weft_counter_get(&core->stats.turn_count);
    const uint64_t all_ns = busy_ns - watch->busy_ns + idle_ns - watch->idle_ns;
    watch->busy_ratio = all_ns > 0 ? (double)(busy_ns - watch->busy_ns) / (double)all_ns : 0;
    if (turns != watch->turn_count) watch->turned_at_ns = now_ns;
    watch->busy_ns = busy_ns;
    watch->idle_ns = idle_ns;
    watch->turn_count = turns;
}

static void sample(struct weft_control *control, uint64_t now_ns)
{
    for (uint16_t i = 0; i <= control->node->options.worker_count; i++) {
        sample_core(&control->watches[i], weft_node_core(control->node, i), now_ns);
    }
}

static void tell_ready(struct weft_control *control)
{
    if (control->ready_fd < 0 || !weft_control_is_ready(control)) return;
    weft_control_event(
        control, "node.ready", control->node->options.name, "ready after %u ms",
        (unsigned)((control->node->control.now_ns - control->start_ns) / WEFT_NS_PER_MS));
    (void)!write(control->ready_fd, "ready\n", 6);
    close(control->ready_fd);
    control->ready_fd = -1;
}

static uint32_t poll(void *self, uint64_t now_ns)
{
    struct weft_control *control = self;
    uint32_t work = 0;
    if (now_ns >= control->drain_due_ns) {
        control->drain_due_ns = now_ns + DRAIN_INTERVAL_NS;
        work = drain(control, now_ns);
        weft_control_lists_expire(control, now_ns);
        weft_control_traces_turn(control);
        weft_control_snapshot_turn(control, now_ns);
        weft_control_revive_turn(control);
        watch_turns(control, now_ns);
        tell_ready(control);
    }
    if (now_ns >= control->sample_due_ns) {
        control->sample_due_ns = now_ns + SAMPLE_INTERVAL_NS;
        sample(control, now_ns);
    }
    return work;
}

static uint64_t due_ns(void *self)
{
    const struct weft_control *control = self;
    return control->drain_due_ns < control->sample_due_ns ? control->drain_due_ns
                                                          : control->sample_due_ns;
}

// ---- Units that are there from the start.

static void start_failed(struct weft_control *control, const char *name,
                         const struct weft_error *error)
{
    control->start_failed_count++;
    weft_control_event(control, "unit.failed", name, "%.150s", error->text);
    weft_log(&control->node->control.log, WEFT_LOG_ERROR, "unit", "%s: W%04u %s", name, error->code,
             error->text);
}

static void start_unit(struct weft_control *control, enum weft_command_verb verb, const char *name,
                       const char *file, enum weft_recovery recovery, struct weft_span source,
                       struct weft_span image)
{
    struct weft_error error = {0};
    struct weft_control_command *own = NULL;
    char *text = malloc(source.length + 1);
    struct weft_resident *resident =
        weft_control_resident_new(control, name, file, recovery, &error);
    if (resident != NULL) own = weft_control_command_new(control, verb, resident);
    if (own == NULL || text == NULL) {
        if (error.code == 0) weft_error_set(&error, 203, "no memory for unit '%s'", name);
        free(own);
        free(text);
        if (resident != NULL) weft_unit_registry_remove(&control->node->units, resident);
        start_failed(control, name, &error);
        return;
    }
    if (source.length > 0) memcpy(text, source.data, source.length);
    text[source.length] = '\0';
    own->text = text;
    own->command.text = text;
    own->command.text_length = source.length;
    own->command.image =
        image.length > 0 ? image.data : NULL; // Of node->recovered: see command_done.
    own->command.image_length = image.length;
    resident->quota = weft_unit_actor_image_quota(image);
    own->command.is_held = image.length > 0; // Others that it knows may come after it,
    own->command.has_family = true;          // its children among them.
    control->held_count += own->command.is_held;
    control->starting_count++;
    if (weft_control_command_send(control, own, &error) == 0) return;
    control->held_count -= image.length > 0;
    control->starting_count--;
    weft_unit_registry_remove(&control->node->units, resident);
    start_failed(control, name, &error);
}

static char *read_file(const char *path, size_t *length, struct weft_error *error)
{
    struct stat status;
    char *text = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        weft_error_set(error, 107, "%s: %s", path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode) || status.st_size > WEFT_UNIT_SOURCE_MAX) {
        weft_error_set(error, 107, "%s: not a file of at most %d KiB", path,
                       WEFT_UNIT_SOURCE_MAX / 1024);
        goto out;
    }
    text = malloc((size_t)status.st_size + 1);
    if (text == NULL) {
        weft_error_set(error, 203, "no memory for %s", path);
        goto out;
    }
    *length = 0;
    while (*length < (size_t)status.st_size) {
        const ssize_t got = read(fd, text + *length, (size_t)status.st_size - *length);
        if (got <= 0) break;
        *length += (size_t)got;
    }
out:
    if (fd >= 0) close(fd);
    return text;
}

static void start_configured(struct weft_control *control, const struct weft_config_unit *unit)
{
    struct weft_error error = {0};
    size_t length = 0;
    // What the journal brought back is newer than its file.
    if (weft_unit_registry_find(&control->node->units, unit->name) != NULL) return;
    char *text = read_file(unit->file, &length, &error);
    if (text == NULL) {
        start_failed(control, unit->name, &error);
        return;
    }
    const char *slash = strrchr(unit->file, '/');
    start_unit(control, WEFT_COMMAND_LOAD, unit->name, slash != NULL ? slash + 1 : unit->file,
               unit->recovery == WEFT_CONFIG_RECOVERY_NONE ? WEFT_RECOVERY_NONE
                                                           : WEFT_RECOVERY_JOURNAL,
               weft_span_of(text, length), weft_span_of(NULL, 0));
    free(text);
}

static void child_is_made(struct weft_control_child *child)
{
    struct weft_control *control = child->control;
    const char *name = child->entry->name;
    if (child->result != 0) { // Its parent is told that it is gone.
        weft_control_event(control, "unit.failed", name, "one that it has spawned does not return");
        weft_log(&control->node->control.log, WEFT_LOG_ERROR, "unit",
                 "%s: one that it has spawned does not return: %s", name,
                 child->wrong != NULL ? child->wrong : strerror(-child->result));
    }
    weft_control_has_started(control, true);
}

static void start_child(struct weft_control *control, const struct weft_instant_entry *entry)
{
    control->held_count++;
    control->starting_count++;
    if (weft_control_child_send(control, entry, &entry->quota, child_is_made, NULL) == 0) return;
    control->held_count--;
    control->starting_count--;
    weft_log(&control->node->control.log, WEFT_LOG_ERROR, "unit",
             "%s: no memory for one that it has spawned", entry->name);
}

void weft_control_start_units(struct weft_control *control)
{
    const struct weft_unit_table *table = &control->node->recovered;
    struct weft_error error = {0};
    if (weft_family_of_table(table, &control->recovered, &error) != 0)
        weft_log(&control->node->control.log, WEFT_LOG_ERROR, "unit", "W%04u %s", error.code,
                 error.text);
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->entries[i].load.origin.root[0] != '\0') {
            if (i < control->recovered.count) start_child(control, &control->recovered.entries[i]);
            continue;
        }
        const struct weft_unit_load *load = &table->entries[i].load;
        start_unit(control, WEFT_COMMAND_RESTORE, load->name, load->source_name,
                   WEFT_RECOVERY_JOURNAL, load->source, table->entries[i].image);
    }
    control->is_restoring = control->held_count > 0;
    for (size_t i = 0; i < control->config->unit_count; i++) {
        start_configured(control, &control->config->unit[i]);
    }
}

static void unit_ended(void *self, const struct weft_resident *resident)
{
    weft_control_event(self, "unit.ended", resident->name, "its %llu reductions are over",
                       (unsigned long long)weft_counter_get(&resident->reduction_count));
}

// ---- Making and freeing.

bool weft_control_is_ready(struct weft_control *control)
{
    struct weft_admin_check check;
    for (uint32_t i = 0;; i++) {
        memset(&check, 0, sizeof(check));
        if (!weft_control_check(control, i, &check)) return true;
        if (!check.ok) return false;
    }
}

int weft_control_init(struct weft_control *control, struct weft_node *node,
                      const struct weft_config *config, const char *config_path,
                      const struct weft_control_machine *machine)
{
    memset(control, 0, sizeof(*control));
    control->node = node;
    control->config = config;
    control->config_path = config_path;
    control->machine = *machine;
    control->ready_fd = -1;
    weft_list_init(&control->lists);
    control->sweep = weft_control_sweep_create(node);
    if (control->sweep == NULL) return -ENOMEM;
    control->start_ns = weft_clock_now_ns(&node->options.clock);
    control->start_wall_ns = wall_ns(control);
    control->drain_due_ns = control->start_ns;
    control->sample_due_ns = control->start_ns + SAMPLE_INTERVAL_NS;
    if (node->mesh != NULL) {
        control->view = calloc(1, weft_mesh_keeper_view_bytes(node->mesh) + 8);
        control->view_next = calloc(1, weft_mesh_keeper_view_bytes(node->mesh) + 8);
        if (control->view == NULL || control->view_next == NULL) return -ENOMEM;
    }
    for (uint32_t i = 0; i < WEFT_CORE_MAX; i++) {
        control->watches[i].turned_at_ns = control->watches[i].recent_ns = control->start_ns;
    }
    weft_admin_events_init(&control->events, control->start_wall_ns);
    weft_admin_logs_init(&control->logs, control->start_wall_ns);
    weft_control_source_init(control);
    weft_control_pcap_init(control);
    weft_control_trace_init(control);
    node->unit_ended = unit_ended;
    node->self = control;
    return weft_core_add_poller(
        &node->control,
        &(struct weft_poller){.name = "control", .poll = poll, .due_ns = due_ns, .self = control});
}

void weft_control_destroy(struct weft_control *control)
{
    if (control->node == NULL) return;
    for (uint32_t i = 0; i < WEFT_CONTROL_CAPTURES_MAX; i++) {
        if (control->captures[i] != NULL)
            control->source.capture_close(control, control->captures[i]);
    }
    weft_control_lists_free(control);
    weft_control_traces_free(control);
    weft_control_clean_modules(control);
    drain(control, weft_clock_now_ns(&control->node->options.clock)); // The last words.
    free(control->view);
    free(control->view_next);
    weft_instant_destroy(&control->recovered);
    weft_control_sweep_free(control->sweep);
    control->node = NULL;
}
