// init.c: weft-init, the first process of the image. docs/boot.md walks through it.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/init/admin_net.h"
#include "image/init/boot.h"
#include "image/init/health.h"
#include "image/init/leave.h"
#include "image/init/report.h"
#include "image/init/requests.h"
#include "image/init/start.h"

static void power_off(void *self)
{
    weft_leave(self, WEFT_BOOT_POWERS_OFF, "the power button");
}

static void take_signal(void *self, short events)
{
    struct weft_boot *boot = self;
    struct signalfd_siginfo info;
    int status;
    pid_t pid;
    (void)events;
    while (read(boot->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGINT) weft_leave(boot, WEFT_BOOT_REBOOTS, "Ctrl-Alt-Del");
        if (info.ssi_signo == SIGTERM) weft_leave(boot, WEFT_BOOT_REBOOTS, "SIGTERM");
        if (info.ssi_signo == SIGPWR) weft_leave(boot, WEFT_BOOT_POWERS_OFF, "power fails");
    }
    // Children of weftd's that it left behind come here as well; they are only let go.
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        weft_daemon_reaped(&boot->daemon, pid, status);
    }
}

static void watch_signals(struct weft_boot *boot)
{
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    reboot(RB_DISABLE_CAD); // A signal instead: it is an order to leave in order.
    boot->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    weft_loop_watch(&boot->loop, boot->signal_fd, POLLIN, take_signal, boot);
}

// Until weft_health_start, disks and files are waited for, and nobody looks at the time.
static void guard_start(struct weft_boot *boot)
{
    const unsigned count = WEFT_WATCHDOG_GUARD_S * WEFT_NS_PER_S / WEFT_WATCHDOG_GUARD_NS;
    weft_watchdog_open(&boot->watchdog, boot->loop.now_ns);
    const int result = weft_watchdog_guard(&boot->watchdog, WEFT_WATCHDOG_GUARD_NS, count);
    if (result != 0)
        weft_say_error(&boot->say, "nobody feeds the watchdog while disks are read: %s",
                       strerror(-result));
}

int main(void)
{
    static struct weft_boot boot; // For the life of the machine: too large for a stack.
    boot.say.fd = STDERR_FILENO;
    boot.say.log = &boot.log;
    boot.began = weft_clock_mark();
    weft_loop_init(&boot.loop);
    weft_start_kernel(&boot);
    watch_signals(&boot);
    guard_start(&boot);
    weft_start_disk(&boot);
    weft_start_memory(&boot);
    weft_start_config(&boot);
    weft_start_machine(&boot);
    const int result = weft_requests_open(&boot);
    if (result != 0) weft_say_error(&boot.say, "no control socket: %s", strerror(-result));
    weft_report_init(&boot);
    weft_health_start(&boot);
    weft_power_button_watch(&boot.power_button, &boot.loop, "/dev/input", power_off, &boot);
    weft_admin_net_start(&boot); // Beside the node, which does not wait for it.
    for (;;) {
        weft_loop_turn(&boot.loop);
    }
}
