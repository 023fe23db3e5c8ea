// init.c: weft-init, the first process of the image. docs/boot.md walks through it.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/init/boot.h"
#include "image/init/key_value.h"
#include "image/init/mounts.h"
#include "image/init/node_config.h"
#include "image/init/text_file.h"

#define RUN_DIR     "/run/weft"
#define CONFIG_PATH RUN_DIR "/weft.toml"
#define STOP_NS     (10 * WEFT_NS_PER_S)

static void open_console(struct weft_boot *boot)
{
    const int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3 && null >= 0; fd++) {
        dup2(fd == 0 || console < 0 ? null : console, fd);
    }
    boot->say.fd = console;
}

static void read_facts(struct weft_boot *boot)
{
    char release[1024], epoch[32];
    weft_text_file_line("/proc/cmdline", boot->cmdline, sizeof(boot->cmdline));
    weft_text_file_line("/proc/sys/kernel/random/boot_id", boot->boot_id, sizeof(boot->boot_id));
    if (weft_text_file_read("/etc/weft/release", release, sizeof(release)) < 0) release[0] = '\0';
    weft_key_value_get(release, "VERSION", boot->version, sizeof(boot->version));
    weft_key_value_get(release, "ARCH", boot->arch, sizeof(boot->arch));
    weft_key_value_get(release, "BUILD_EPOCH", epoch, sizeof(epoch));
    boot->build_epoch_s = strtoull(epoch, NULL, 10);
    weft_key_value_get(boot->cmdline, "weft.slot", boot->slot, sizeof(boot->slot));
}

static void find_drives(struct weft_boot *boot)
{
    int result = weft_disk_find(&boot->disk);
    boot->has_disk = result == 0;
    boot->data_dir = RUN_DIR "/data";
    mkdir(RUN_DIR, 0700);
    mkdir(boot->data_dir, 0700);
    snprintf(boot->conf_absent, sizeof(boot->conf_absent), "there is no drive WEFT-CONF");
    if (boot->disk.conf.device[0] != '\0') {
        result = weft_mounts_conf(boot->disk.conf.device);
        boot->has_conf = result == 0;
        if (result == 0)
            boot->conf_absent[0] = '\0';
        else
            snprintf(boot->conf_absent, sizeof(boot->conf_absent), "the drive %s: %s",
                     boot->disk.conf.device, strerror(-result));
    }
    if (boot->disk.data.device[0] != '\0') {
        result = weft_mounts_data(boot->disk.data.device);
        boot->has_data = result == 0;
        if (result == 0)
            boot->data_dir = "/data";
        else
            weft_say_error(&boot->say, "%s: %s", boot->disk.data.device, strerror(-result));
    }
}

static void node_ready(void *self)
{
    struct weft_boot *boot = self;
    weft_say(&boot->say, "ready");
}

static void node_bad(void *self)
{
    (void)self;
}

static void node_ended(void *self)
{
    struct weft_boot *boot = self;
    if (!boot->daemon.stopping) return;
    weft_mounts_leave(&boot->say);
    reboot(RB_POWER_OFF);
}

static void take_signal(void *self, short events)
{
    struct weft_boot *boot = self;
    struct signalfd_siginfo info;
    int status;
    pid_t pid;
    (void)events;
    while (read(boot->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            weft_daemon_stop(&boot->daemon, STOP_NS);
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        weft_daemon_reaped(&boot->daemon, pid, status);
    }
}

static void watch_signals(struct weft_boot *boot)
{
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    boot->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    weft_loop_watch(&boot->loop, boot->signal_fd, POLLIN, take_signal, boot);
}

int main(void)
{
    static struct weft_boot boot; // For the life of the machine.
    boot.say.fd = 2;
    weft_loop_init(&boot.loop);
    weft_mounts_kernel(&boot.say);
    open_console(&boot);
    read_facts(&boot);
    watch_signals(&boot);
    weft_say(&boot.say, "Weft %s, slot %s", boot.version, boot.slot);
    find_drives(&boot);
    weft_choice_make(&boot.choice, "/conf/weft.toml", boot.conf_absent, "/data/state/weft.toml");
    const struct weft_node_places places = {boot.data_dir, RUN_DIR};
    if (boot.choice.maintenance) {
        weft_say_error(&boot.say, "maintenance mode: %s", boot.choice.problem);
        weft_node_config_maintenance(&places, CONFIG_PATH);
    } else
        weft_node_config_write(&boot.choice.config, &places, CONFIG_PATH);
    weft_daemon_init(&boot.daemon, &boot.loop, &boot.say);
    boot.daemon.program = "/usr/bin/weftd";
    boot.daemon.config_path = CONFIG_PATH;
    boot.daemon.self = &boot;
    boot.daemon.ready = node_ready;
    boot.daemon.bad_config = node_bad;
    boot.daemon.ended = node_ended;
    weft_daemon_start(&boot.daemon);
    for (;;) {
        weft_loop_turn(&boot.loop);
    }
}
