#include "image/init/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "image/init/mounts.h"
#include "image/init/status.h"
#include "image/init/text_file.h"
#include "image/update/slot.h"
#include "runtime/base/file.h"

#define SOON_NS       (500 * WEFT_NS_PER_MS)
#define STARTING_NS   (20 * WEFT_NS_PER_S)
#define CLUSTER_BYTES 4096                         // Of the drive: image/build/disk.sh.
#define README        "/etc/weft/README-drive.txt" // image/README-drive.txt

static const char *state_of(const struct weft_boot *boot)
{
    if (boot->end != WEFT_BOOT_RUNS) return "stopping";
    if (boot->choice.maintenance) return "maintenance";
    const bool is_on_trial = boot->counted_path[0] != '\0' && !boot->is_blessed;
    if (boot->daemon.state == WEFT_DAEMON_READY) return is_on_trial ? "trying" : "ready";
    return boot->daemon.state == WEFT_DAEMON_WAITING ? "failing" : "starting";
}

static void describe_count(const struct weft_boot *boot, char text[80])
{
    struct weft_update_slot entry;
    const char *name = strrchr(boot->counted_path, '/');
    if (boot->is_blessed)
        snprintf(text, 80, "good");
    else if (name == NULL || !weft_update_slot_parse(name + 1, &entry) || entry.tries_left < 0)
        snprintf(text, 80, "not counted");
    else
        snprintf(text, 80, "on trial, %d tries left", entry.tries_left);
}

struct view {
    struct weft_status status;
    char counter[80], fingerprint[130], clock[160];
};

static void look(const struct weft_boot *boot, struct view *view)
{
    weft_text_file_line(WEFT_BOOT_FINGERPRINT, view->fingerprint, sizeof(view->fingerprint));
    describe_count(boot, view->counter);
    weft_net_time_describe(boot, view->clock, sizeof(view->clock));
    view->status = (struct weft_status){
        .version = boot->version,
        .arch = boot->arch,
        .slot = boot->slot,
        .boot_id = boot->boot_id,
        .hostname = boot->hostname,
        .state = state_of(boot),
        .counter = view->counter,
        .address = boot->address,
        .fingerprint = view->fingerprint,
        .identity = weft_identity_state_name(boot->identity),
        .measured = boot->measured,
        .data_is_full = boot->data_is_full,
        .others = boot->other_disks,
        .installed = boot->installed,
        .clock = view->clock,
        .panic = boot->last_panic,
        .last_error = boot->daemon.end_count > 0  ? weft_daemon_last_error(&boot->daemon)
                      : boot->say.error_count > 0 ? boot->say.errors[0]
                                                  : "",
        .wall_s = time(NULL),
        .ready_ms = boot->ready_ms,
        .choice = &boot->choice,
        .disk = &boot->disk,
        .say = &boot->say,
    };
}

void weft_report_json(const struct weft_boot *boot, FILE *out)
{
    struct view view;
    look(boot, &view);
    weft_status_json(&view.status, out);
}

static void write_json(const struct weft_boot *boot)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) return;
    weft_report_json(boot, out);
    fputc('\n', out);
    if (fclose(out) == 0) weft_file_replace(WEFT_BOOT_RUN "/boot.json", text, length, 0600);
    free(text);
}

// Where somebody has made the drive anew.
static void put_readme(void)
{
    char text[4096];
    if (access("/conf/README.txt", F_OK) == 0) return;
    const ssize_t length = weft_text_file_read(README, text, sizeof(text));
    if (length > 0) weft_file_replace("/conf/README.txt", text, (size_t)length, 0600);
}

static int write_drive(const char *text, size_t length)
{
    int result = weft_mounts_conf_writable(true);
    if (result != 0) return result;
    put_readme();
    // It is written again and again, and this file system has no journal.
    result = weft_text_file_write_over("/conf/status.txt", text, length, CLUSTER_BYTES);
    if (result != 0) result = weft_file_replace("/conf/status.txt", text, length, 0600);
    sync();
    const int closed = weft_mounts_conf_writable(false);
    return result != 0 ? result : closed;
}

static void write_text(struct weft_boot *boot)
{
    struct view view;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) return;
    look(boot, &view);
    weft_status_text(&view.status, out);
    if (fclose(out) == 0) {
        const int result = write_drive(text, length);
        if (result != 0)
            weft_say_error(&boot->say, "status.txt cannot be written: %s", strerror(-result));
        else
            weft_say_line(&boot->say, "status.txt says %s", view.status.state);
    }
    free(text);
}

void weft_report_now(struct weft_boot *boot)
{
    weft_loop_cancel(&boot->report);
    write_json(boot);
    if (boot->has_conf) write_text(boot);
}

static void report(void *self)
{
    weft_report_now(self);
}

void weft_report_init(struct weft_boot *boot)
{
    weft_loop_timer_init(&boot->report, report, boot);
    write_json(boot);
}

void weft_report_soon(struct weft_boot *boot)
{
    // Of a node that is starting there is soon more to say, and a write would only hold it up.
    const bool waits = boot->daemon.state == WEFT_DAEMON_STARTING && boot->end == WEFT_BOOT_RUNS;
    const uint64_t in_ns = waits ? STARTING_NS : SOON_NS;
    const bool is_set = weft_loop_is_set(&boot->report);
    if (!is_set || boot->report.at_ns > boot->loop.now_ns + in_ns)
        weft_loop_after(&boot->loop, &boot->report, in_ns);
}
