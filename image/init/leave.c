#include "image/init/leave.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include "image/init/admin_net.h"
#include "image/init/clock.h"
#include "image/init/entropy.h"
#include "image/init/mounts.h"
#include "image/init/report.h"

#define GRACE_NS (10 * WEFT_NS_PER_S) // weftd's own limits are shorter (runtime/node/weftd.c).

void weft_leave(struct weft_boot *boot, enum weft_boot_end end, const char *why)
{
    const bool is_first = boot->end == WEFT_BOOT_RUNS;
    if (is_first || end == WEFT_BOOT_POWERS_OFF) boot->end = end;
    if (!is_first) return;
    weft_say_line(&boot->say, "%s: %s", end == WEFT_BOOT_REBOOTS ? "restarting" : "powering off",
                  why);
    weft_report_now(boot);
    weft_admin_net_leave(boot);
    weft_loop_cancel(&boot->watch);
    weft_loop_cancel(&boot->trial);
    weft_watchdog_close(&boot->watchdog); // It has its full time from here.
    weft_daemon_stop(&boot->daemon, GRACE_NS);
}

static void note(struct weft_boot *boot)
{
    if (!boot->has_data) return;
    const int result = weft_entropy_save(WEFT_BOOT_SEED);
    if (result != 0) weft_say_line(&boot->say, "no seed is put by: %s", strerror(-result));
    weft_clock_note(WEFT_BOOT_CLOCK, time(NULL));
}

// Does not return.
static void switch_machine(struct weft_boot *boot)
{
    weft_mounts_leave(&boot->say);
    weft_say_line(&boot->say, "%s now", boot->end == WEFT_BOOT_REBOOTS ? "restarting" : "off");
    reboot(boot->end == WEFT_BOOT_REBOOTS ? RB_AUTOBOOT : RB_POWER_OFF);
    weft_say_line(&boot->say, "the machine does not let itself be switched: %s", strerror(errno));
    for (;;) {
        pause();
    }
}

void weft_leave_node_ended(struct weft_boot *boot)
{
    if (boot->end == WEFT_BOOT_RUNS || boot->daemon.state != WEFT_DAEMON_STOPPED) return;
    note(boot);
    weft_node_log_close(&boot->log); // It lies on /data.
    switch_machine(boot);
}

void weft_leave_early(struct weft_boot *boot, enum weft_boot_end end, const char *why)
{
    boot->end = end;
    weft_say_line(&boot->say, "%s: %s", end == WEFT_BOOT_REBOOTS ? "restarting" : "powering off",
                  why);
    weft_report_init(boot);
    weft_report_now(boot);
    weft_watchdog_close(&boot->watchdog);
    switch_machine(boot);
}
