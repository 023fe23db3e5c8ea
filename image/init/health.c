#include "image/init/health.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/toml.h"
#include "image/init/admin_net.h"
#include "image/init/boot_entry.h"
#include "image/init/clock.h"
#include "image/init/data.h"
#include "image/init/leave.h"
#include "image/init/mounts.h"
#include "image/init/node_config.h"
#include "image/init/report.h"
#include "image/init/start.h"
#include "image/init/text_file.h"
#include "runtime/base/file.h"

#define LOOK_NS     (5 * WEFT_NS_PER_S)
#define ANSWER_NS   (4 * WEFT_NS_PER_S)
#define TRIAL_NS    (120 * WEFT_NS_PER_S)
#define FIRST_NS    (2 * WEFT_NS_PER_S)
#define READYZ      "/readyz?verbose"
#define PROOF_NS    (6 * WEFT_NS_PER_S) // Longer than /livez forgives a core that does not turn.
#define CLOCK_EVERY 720                 // Looks: an hour.

bool weft_health_is_good(bool maintenance, bool broken, const char *version,
                         const char *good_version)
{
    if (!maintenance || !broken) return true;
    return good_version[0] == '\0' || strcmp(version, good_version) == 0;
}

bool weft_health_lacks_room(const char *body)
{
    static const char mark[] = "[-] ", journal[] = "[-] journal ";
    bool lacks = false;
    for (const char *line = body; *line != '\0'; line += strcspn(line, "\n")) {
        if (*line == '\n') line++;
        if (strncmp(line, mark, sizeof(mark) - 1) != 0) continue;
        const char *reason = strstr(line, strerror(ENOSPC));
        const bool has_reason = reason != NULL && reason < line + strcspn(line, "\n");
        if (strncmp(line, journal, sizeof(journal) - 1) != 0 || !has_reason) return false;
        lacks = true;
    }
    return lacks;
}

// Lacking room is no proof of anything else: a core that never comes back is found by /livez, as in
// a node that is ready.
enum weft_health_end weft_health_judge(const struct weft_boot *boot, uint64_t *wait_ns)
{
    const uint64_t now_ns = boot->loop.now_ns, lacks_ns = boot->lacks_room_at_ns;
    const uint64_t since_ns = boot->ready_at_ns != 0 ? boot->ready_at_ns : lacks_ns;
    const uint64_t proved_ns = since_ns + PROOF_NS + LOOK_NS + ANSWER_NS;
    *wait_ns = 0;
    if (since_ns != 0 && now_ns < proved_ns && !boot->had_grace) {
        *wait_ns = proved_ns - now_ns;
        return WEFT_HEALTH_WAITS;
    }
    const bool has_lived = lacks_ns != 0 && boot->alive_at_ns >= lacks_ns + PROOF_NS;
    const bool lives = now_ns - boot->alive_at_ns <= 2 * LOOK_NS + ANSWER_NS;
    return has_lived && lives ? WEFT_HEALTH_STAYS : WEFT_HEALTH_FAILS;
}

// ---- Blessing.

static int rename_kernel(struct weft_boot *boot)
{
    int result = weft_boot_entry_bless_on(boot->disk.esp.device, boot->counted_path);
    const bool is_other_way = result == -EOPNOTSUPP || result == -ENOSPC || result == -EEXIST ||
                              result == -EINVAL; // The kernel may know better.
    if (!is_other_way) return result;
    result = weft_mounts_esp(boot->disk.esp.device);
    if (result != 0) return result;
    result = weft_boot_entry_bless("/esp", boot->counted_path);
    const int left = weft_mounts_esp_leave();
    return result != 0 ? result : left;
}

static int note_good(struct weft_boot *boot)
{
    char text[256];
    const int length = snprintf(text, sizeof(text), "VERSION=%s\nSLOT=%s\nBOOT_ID=%s\nTIME=%lld\n",
                                boot->version, boot->slot, boot->boot_id, (long long)time(NULL));
    const int result = weft_file_replace(WEFT_BOOT_GOOD, text, (size_t)length, 0600);
    if (result == 0) snprintf(boot->good_version, sizeof(boot->good_version), "%s", boot->version);
    return result;
}

static void keep_config(struct weft_boot *boot)
{
    if (boot->choice.maintenance || strcmp(boot->choice.path, WEFT_BOOT_CONF) != 0) return;
    const int result = weft_node_config_keep(&boot->choice.config, WEFT_BOOT_CONF, "/data/state");
    if (result != 0)
        weft_say_error(&boot->say, "the configuration cannot be kept: %s", strerror(-result));
}

int weft_health_bless(struct weft_boot *boot)
{
    int result = 0;
    if (boot->is_blessed) return 0;
    if (boot->disks_alike) return -ENODEV; // Whose kernel it was cannot be told.
    if (boot->counted_path[0] != '\0') result = rename_kernel(boot);
    if (result == -EBUSY) return result; // In other hands for now, as when slots are looked at.
    if (result != 0) { // Said once: it is tried every few seconds, perhaps for ever.
        if (result != boot->bless_result)
            weft_say_error(&boot->say, "the kernel %s stays on trial: %s", boot->counted_path,
                           strerror(-result));
        boot->bless_result = result;
        return result;
    }
    boot->is_blessed = true;
    weft_loop_cancel(&boot->trial);
    weft_say_line(&boot->say, "version %s is blessed%s", boot->version,
                  boot->counted_path[0] != '\0' ? "" : ": it was not counted");
    if (boot->has_data) result = note_good(boot);
    if (result != 0) weft_say_error(&boot->say, WEFT_BOOT_GOOD ": %s", strerror(-result));
    return result;
}

// Ready is a moment. A core that never comes back is known to /livez five seconds later, so a
// kernel on trial has to be alive a while after it was ready. One that is not counted has been
// before.
static void bless_if_proved(struct weft_boot *boot)
{
    const bool is_on_trial = boot->counted_path[0] != '\0';
    if (boot->is_blessed || boot->ready_at_ns == 0 || boot->disks_alike) return;
    if (is_on_trial && boot->loop.now_ns - boot->ready_at_ns < PROOF_NS) return;
    if (!weft_health_is_good(boot->choice.maintenance, boot->choice.broken, boot->version,
                             boot->good_version))
        return;
    weft_health_bless(boot); // Else again after the next look.
    weft_report_soon(boot);
}

// ---- The node's own word, and what the admin port says to it.

static void ask_ready(struct weft_boot *boot)
{
    weft_probe_get(&boot->ready_probe, WEFT_BOOT_SOCKET, READYZ, ANSWER_NS);
}

// weftd has said why its fingerprint is another one than before: its owner looks at the drive.
static void look_at_key(struct weft_boot *boot)
{
    char why[1024];
    if (weft_text_file_line(WEFT_BOOT_FINGERPRINT_WHY, why, sizeof(why)) == 0 && why[0] != '\0')
        weft_say_error(&boot->say, "%s", why);
}

static void node_ready(void *self)
{
    struct weft_boot *boot = self;
    look_at_key(boot);
    weft_probe_cancel(&boot->ready_probe); // Its answer would be from before.
    ask_ready(boot);
}

// It is asked again at the next look: an answer may be lost, and a node may become ready late.
static void not_ready(struct weft_boot *boot, int status)
{
    const bool is_new = boot->ready_status != status;
    boot->ready_status = status;
    const bool lacks =
        status == 503 && weft_health_lacks_room(weft_probe_body(boot->ready_probe.answer));
    if (status > 0 &&
        (!lacks || boot->lacks_room_at_ns == 0)) // An answer that is lost says nothing.
        boot->lacks_room_at_ns = lacks ? boot->loop.now_ns : 0;
    if (!is_new || boot->daemon.state != WEFT_DAEMON_READY) return; // It has not said so.
    weft_say_error(&boot->say, "/readyz answers %d to a node that said it was ready", status);
}

static void readyz_answered(void *self, int status)
{
    struct weft_boot *boot = self;
    if (boot->end != WEFT_BOOT_RUNS) return; // It stops, and says so there too.
    if (status != 200) {
        not_ready(boot, status);
        return;
    }
    boot->lacks_room_at_ns = 0;
    if (boot->daemon.state != WEFT_DAEMON_READY) return;
    weft_watchdog_prove(&boot->watchdog, boot->loop.now_ns);
    const bool is_first = boot->ready_ms == 0;
    const uint64_t ms = weft_clock_since_power_on_ms(boot->began, weft_clock_mark());
    boot->ready_status = status;
    if (is_first) boot->ready_ms = ms;
    if (is_first) weft_start_look_for_disks(boot);
    weft_say_line(&boot->say, "ready%s, %llu.%03llu s after power-on",
                  boot->choice.maintenance ? " in maintenance mode" : "",
                  (unsigned long long)ms / 1000, (unsigned long long)ms % 1000);
    boot->ready_at_ns = boot->loop.now_ns;
    bless_if_proved(boot);
    if (!boot->is_blessed) weft_loop_after(&boot->loop, &boot->watch, PROOF_NS);
    if (is_first && boot->has_data &&
        weft_health_is_good(boot->choice.maintenance, boot->choice.broken, boot->version,
                            boot->good_version))
        keep_config(boot);
    weft_report_soon(boot);
}

// Where that cannot be told, it would. -EBUSY: an update has the boot partition for itself, for a
// moment.
static int would_restart_help(struct weft_boot *boot)
{
    const int result = weft_mounts_esp(boot->disk.esp.device);
    if (result != 0) return result == -EBUSY ? result : 1;
    const int has_next = weft_boot_entry_has_next("/esp", boot->counted_path);
    weft_mounts_esp_leave();
    return has_next != 0;
}

static void trial_over(void *self)
{
    struct weft_boot *boot = self;
    uint64_t wait_ns;
    const enum weft_health_end end = weft_health_judge(boot, &wait_ns);
    boot->had_grace = end == WEFT_HEALTH_WAITS;
    if (end == WEFT_HEALTH_WAITS) {
        weft_loop_after(&boot->loop, &boot->trial, wait_ns);
        return;
    }
    if (end == WEFT_HEALTH_STAYS) {
        weft_say_error(&boot->say,
                       "version %s stays on trial: its journal has no room, which no "
                       "other version would have",
                       boot->version);
        weft_loop_after(&boot->loop, &boot->trial, TRIAL_NS);
        return;
    }
    const int would_help = would_restart_help(boot);
    if (would_help == -EBUSY) {
        weft_loop_after(&boot->loop, &boot->trial, WEFT_NS_PER_S);
        return;
    }
    weft_say_error(&boot->say, "version %s was not well within %u s", boot->version,
                   (unsigned)(TRIAL_NS / WEFT_NS_PER_S));
    if (would_help != 0)
        weft_leave(boot, WEFT_BOOT_REBOOTS, "this version is on trial and has failed");
    else
        weft_say_error(&boot->say, "there is no other version to start: this one goes on");
}

static void node_ended(void *self)
{
    struct weft_boot *boot = self;
    boot->ready_at_ns = 0;
    boot->ready_status = 0;
    boot->lacks_room_at_ns = 0;
    boot->alive_at_ns = 0;
    weft_watchdog_excuse(&boot->watchdog, boot->loop.now_ns);
    weft_probe_cancel(&boot->probe);
    weft_probe_cancel(&boot->ready_probe);
    weft_leave_node_ended(boot);
    weft_report_soon(boot);
}

// init and weftd read a configuration with the same code, so this is weftd's own doubt: about the
// machine, or in a file that only it opens.
static void bad_config(void *self)
{
    struct weft_boot *boot = self;
    if (boot->choice.maintenance &&
        !boot->shuts_owner_out) { // Its owner's files are all that it reads.
        weft_say_error(&boot->say, "the owner's files on the drive are no good: %s",
                       weft_daemon_last_error(&boot->daemon));
        boot->shuts_owner_out = true;
        weft_start_maintenance(boot);
        weft_daemon_start(&boot->daemon);
        return;
    }
    if (boot->choice.maintenance) {
        weft_leave(boot, WEFT_BOOT_REBOOTS, "not even maintenance mode starts");
        return;
    }
    const bool shares = boot->admin.port != NULL; // Without weftd nobody carries its frames.
    if (shares) {
        weft_admin_net_stop(boot);
        weft_start_take_back(boot);
    }
    weft_choice_give_up(&boot->choice, weft_daemon_last_error(&boot->daemon));
    boot->config = &boot->defaults;
    weft_start_maintenance(boot);
    if (shares) weft_admin_net_start(boot);
    weft_daemon_start(&boot->daemon);
}

// ---- Every few seconds.

static void livez_answered(void *self, int status)
{
    struct weft_boot *boot = self;
    if (status != 200) return;
    boot->alive_at_ns = boot->loop.now_ns;
    weft_watchdog_prove(&boot->watchdog, boot->loop.now_ns);
    bless_if_proved(boot);
}

void weft_health_look_at_data(struct weft_boot *boot)
{
    uint64_t free_bytes = 0;
    const bool is_full = boot->has_data && weft_data_is_full("/data", &free_bytes);
    if (is_full == boot->data_is_full) return;
    boot->data_is_full = is_full;
    if (is_full)
        weft_say_error(&boot->say,
                       "the data partition %s is full: %llu kB are left; the node serves, and what "
                       "it cannot keep it refuses",
                       boot->disk.data.device, (unsigned long long)(free_bytes / 1000));
    else
        weft_say_line(&boot->say, "the data partition %s has room again", boot->disk.data.device);
    weft_report_soon(boot);
}

static void look(void *self)
{
    struct weft_boot *boot = self;
    const enum weft_watchdog_duty duty = weft_watchdog_duty(&boot->watchdog, boot->loop.now_ns);
    weft_loop_after(&boot->loop, &boot->watch, LOOK_NS);
    if (duty != WEFT_WATCHDOG_STARVE) weft_watchdog_feed(&boot->watchdog);
    if (duty == WEFT_WATCHDOG_FEED_AND_RESTART) {
        weft_say_error(&boot->say, "weftd does not turn: it is started again");
        weft_daemon_abort(&boot->daemon);
    }
    if (boot->daemon.state == WEFT_DAEMON_STARTING || boot->daemon.state == WEFT_DAEMON_READY)
        weft_probe_get(&boot->probe, WEFT_BOOT_SOCKET, "/livez", ANSWER_NS);
    else
        weft_watchdog_excuse(&boot->watchdog, boot->loop.now_ns); // We wait on purpose.
    // On trial also before it has said so: what it lacks may not be the release's fault.
    const bool may_be =
        boot->daemon.state == WEFT_DAEMON_READY ||
        (boot->daemon.state == WEFT_DAEMON_STARTING && weft_loop_is_set(&boot->trial));
    if (boot->ready_at_ns == 0 && may_be) ask_ready(boot);
    weft_health_look_at_data(boot);
    if (boot->has_data && ++boot->looks % CLOCK_EVERY == 0)
        weft_clock_note(WEFT_BOOT_CLOCK, time(NULL));
}

// Nobody has confirmed it: perhaps nobody can reach the node any more.
static void try_over(void *self)
{
    struct weft_boot *boot = self;
    weft_leave(boot, WEFT_BOOT_REBOOTS, "the configuration on trial was not confirmed");
}

int weft_health_confirm(struct weft_boot *boot)
{
    char *text = NULL;
    if (boot->try_seconds == 0) return -ENOENT;
    text = malloc(WEFT_TOML_BYTES_MAX + 1);
    if (text == NULL) return -ENOMEM;
    const ssize_t length = weft_text_file_read(WEFT_BOOT_TRIED, text, WEFT_TOML_BYTES_MAX + 1);
    int result = length < 0 ? (int)length : 0;
    if (result == 0 && boot->has_conf) result = weft_mounts_conf_writable(true);
    if (result == 0) {
        result = weft_file_replace(boot->has_conf ? WEFT_BOOT_CONF : WEFT_BOOT_KEPT, text,
                                   (size_t)length, 0600);
        if (boot->has_conf) weft_mounts_conf_writable(false);
    }
    free(text);
    if (result != 0) return result;
    boot->try_seconds = 0;
    weft_loop_cancel(&boot->try_timer);
    weft_say_line(&boot->say, "the configuration is confirmed");
    return 0;
}

void weft_health_start(struct weft_boot *boot)
{
    weft_loop_timer_init(&boot->try_timer, try_over, boot);
    if (boot->try_seconds > 0)
        weft_loop_after(&boot->loop, &boot->try_timer, boot->try_seconds * WEFT_NS_PER_S);
    weft_watchdog_guard_end(&boot->watchdog);
    if (boot->watchdog.fd < 0) // Its driver may have come meanwhile.
        weft_watchdog_open(&boot->watchdog, boot->loop.now_ns);
    weft_watchdog_excuse(&boot->watchdog, boot->loop.now_ns);
    weft_probe_init(&boot->probe, &boot->loop, livez_answered, boot);
    weft_probe_init(&boot->ready_probe, &boot->loop, readyz_answered, boot);
    weft_loop_timer_init(&boot->watch, look, boot);
    weft_loop_timer_init(&boot->trial, trial_over, boot);
    weft_health_look_at_data(boot);
    weft_loop_after(&boot->loop, &boot->watch, FIRST_NS);
    if (boot->counted_path[0] != '\0' && !boot->disks_alike)
        weft_loop_after(&boot->loop, &boot->trial, TRIAL_NS);

    weft_daemon_init(&boot->daemon, &boot->loop, &boot->say);
    boot->daemon.program = "/usr/bin/weftd";
    boot->daemon.config_path = WEFT_BOOT_CONFIG;
    boot->daemon.ready = node_ready;
    boot->daemon.bad_config = bad_config;
    boot->daemon.ended = node_ended;
    boot->daemon.self = boot;
    weft_daemon_start(&boot->daemon);
}
