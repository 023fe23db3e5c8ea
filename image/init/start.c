#include "image/init/start.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/init/boot_entry.h"
#include "image/init/clock.h"
#include "image/init/data.h"
#include "image/init/entropy.h"
#include "image/init/install.h"
#include "image/init/key_value.h"
#include "image/init/leave.h"
#include "image/init/link.h"
#include "image/init/machine_tune.h"
#include "image/init/mounts.h"
#include "image/init/node_config.h"
#include "image/init/panic_log.h"
#include "image/init/report.h"
#include "image/init/text_file.h"
#include "image/init/trial.h"

// systemd-stub measures the sections of the kernel that it starts into this one. Nobody else does.
#define PCR            "/sys/class/tpm/tpm0/pcr-sha256/11"
#define DISK_NS        (5 * WEFT_NS_PER_S)  // A stick takes one or two.
#define DISK_ANSWER_NS (10 * WEFT_NS_PER_S) // One that slept has to spin up.
#define KERNEL_NAMES   48 // Entries: three tries of a name of five parts, three times over.

// ---- What is there before any disk.

static void open_console(struct weft_boot *boot)
{
    char active[64];
    const int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3 && null >= 0; fd++) {
        dup2(fd == 0 || console < 0 ? null : console, fd);
    }
    boot->say.fd = console;
    weft_text_file_line("/sys/class/tty/console/active", active, sizeof(active));
    weft_say_open_others(&boot->say, active, "/dev");
}

static void read_facts(struct weft_boot *boot)
{
    char release[1024], epoch[32];
    weft_text_file_line("/proc/cmdline", boot->cmdline, sizeof(boot->cmdline));
    weft_text_file_line(PCR, boot->measured, sizeof(boot->measured));
    weft_text_file_line("/proc/sys/kernel/random/boot_id", boot->boot_id, sizeof(boot->boot_id));
    if (weft_text_file_read("/etc/weft/release", release, sizeof(release)) < 0) release[0] = '\0';
    weft_key_value_get(release, "VERSION", boot->version, sizeof(boot->version));
    weft_key_value_get(release, "ARCH", boot->arch, sizeof(boot->arch));
    weft_key_value_get(release, "BUILD_EPOCH", epoch, sizeof(epoch));
    boot->build_epoch_s = strtoll(epoch, NULL, 10);
    weft_key_value_get(boot->cmdline, "weft.slot", boot->slot, sizeof(boot->slot));
}

void weft_start_kernel(struct weft_boot *boot)
{
    weft_mounts_kernel(&boot->say);
    open_console(boot);
    read_facts(boot);
    mkdir(WEFT_BOOT_RUN, 0700);
    weft_say_line(&boot->say, "Weft %s, slot %s", boot->version, boot->slot[0] ? boot->slot : "-");
    if (boot->measured[0] != '\0') weft_say_line(&boot->say, "measured: PCR 11 %s", boot->measured);
    weft_link_up("lo"); // An address comes with it.
    const int result = weft_boot_entry_counted("/sys/firmware/efi/efivars", boot->counted_path,
                                               sizeof(boot->counted_path));
    if (result != 0) boot->counted_path[0] = '\0';
    if (result != 0 && result != -ENOENT)
        weft_say_error(&boot->say, "the loader's count of tries: %s", strerror(-result));
}

// ---- The disk.

static void open_conf(struct weft_boot *boot)
{
    const char *device = boot->disk.conf.device;
    const int result = device[0] == '\0' ? -ENODEV : weft_mounts_conf(device);
    boot->has_conf = result == 0;
    if (device[0] == '\0')
        snprintf(boot->conf_absent, sizeof(boot->conf_absent), "there is no drive WEFT-CONF");
    else if (result != 0)
        snprintf(boot->conf_absent, sizeof(boot->conf_absent), "the drive WEFT-CONF (%s): %s",
                 device, strerror(-result));
    if (result != 0) weft_say_error(&boot->say, "%s", boot->conf_absent);
}

// A directory of that name is no wish: it could not be taken away, and would be fulfilled for ever.
static bool conf_has(const struct weft_boot *boot, const char *name, char path[64])
{
    static const char *const endings[] = {"", ".txt"}; // What an editor on a laptop adds.
    struct stat status;
    for (size_t i = 0; boot->has_conf && i < WEFT_COUNT_OF(endings); i++) {
        snprintf(path, 64, "/conf/%.40s%s", name, endings[i]);
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) return true;
    }
    return false;
}

static void forget_wish(struct weft_boot *boot, const char *path)
{
    int result = weft_mounts_conf_writable(true);
    if (result == 0 && unlink(path) != 0) result = -errno;
    sync();
    if (result == 0) result = weft_mounts_conf_writable(false);
    if (result != 0) weft_say_error(&boot->say, "%s: %s", path, strerror(-result));
}

// On a drive that cannot be written the wish would stay, and empty the node at each start.
static bool wishes_reset(struct weft_boot *boot, char wish[64])
{
    if (!conf_has(boot, "RESET", wish)) return false;
    int result = weft_mounts_conf_writable(true);
    if (result == 0) result = weft_mounts_conf_writable(false);
    if (result != 0)
        weft_say_error(&boot->say, "%s cannot be taken away, so nothing is emptied: %s", wish,
                       strerror(-result));
    return result == 0;
}

static void open_data(struct weft_boot *boot)
{
    char wish[64];
    boot->data_dir = WEFT_BOOT_RUN "/data";
    mkdir(boot->data_dir, 0700);
    if (boot->disk_problem[0] != '\0') return;
    if (boot->disk.data.device[0] == '\0') {
        weft_say_error(&boot->say, "there is no data partition: nothing outlives a restart");
        return;
    }
    const int grown = weft_data_grow_partition(&boot->disk);
    if (grown > 0)
        weft_say_line(&boot->say, "%s grows to the end of its disk", boot->disk.data.device);
    if (grown < 0)
        weft_say_error(&boot->say, "%s cannot grow: %s", boot->disk.data.device, strerror(-grown));
    const bool reset = wishes_reset(boot, wish);
    if (reset) weft_say_line(&boot->say, "factory reset: the data partition is emptied");
    boot->has_data = weft_data_open(&boot->disk, reset, &boot->say) == 0;
    if (boot->has_data && reset) forget_wish(boot, wish);
    if (boot->has_data && !reset && access(WEFT_BOOT_RESET, F_OK) == 0) {
        weft_say_line(&boot->say, "factory reset: the data partition is emptied");
        umount2("/data", 0);
        boot->has_data = weft_data_open(&boot->disk, true, &boot->say) == 0;
    }
    if (boot->has_data) boot->data_dir = "/data";
}

static void check_identity(struct weft_boot *boot)
{
    struct weft_identity_mark found;
    char wish[64];
    int result = 0;
    boot->identity = WEFT_IDENTITY_UNKNOWN;
    if (!boot->has_data) return;
    const bool adopt = conf_has(boot, "ADOPT", wish);
    weft_identity_find(&found, "/sys", boot->disk.serial);
    boot->identity = weft_identity_check(WEFT_BOOT_MARK, &found, adopt, &result);
    if (result != 0) weft_say_error(&boot->say, WEFT_BOOT_MARK ": %s", strerror(-result));
    if (adopt) forget_wish(boot, wish);
}

static void name_others(struct weft_boot *boot)
{
    char others[sizeof(boot->other_disks)];
    weft_disks_others(&boot->disks, others, sizeof(others));
    if (strcmp(others, boot->other_disks) == 0) return;
    memcpy(boot->other_disks, others, sizeof(others));
    if (others[0] != '\0')
        weft_say_line(&boot->say, "started from %s; another Weft disk is here: %s",
                      boot->disk.device, others);
}

static void name_silent(struct weft_boot *boot)
{
    char silent[256];
    weft_disks_silent(&boot->disks, silent, sizeof(silent));
    if (silent[0] != '\0')
        weft_say_error(&boot->say, "a disk does not answer, and is left out: %s", silent);
}

static void take_look(void *self, const struct weft_disks *found)
{
    struct weft_boot *boot = self;
    struct weft_disks *disks = &boot->disks;
    size_t own = found->count;
    for (size_t i = 0; i < found->count; i++) {
        if (strcmp(found->entries[i].disk.name, boot->disk.name) == 0) own = i;
    }
    if (own == found->count) return; // The look has failed, or ours is gone.
    *disks = *found;
    disks->started = own;
    name_silent(boot);
    name_others(boot);
    const char *guid = disks->entries[own].esp_guid;
    for (size_t i = 0; i < disks->count; i++) {
        if (i == own || !disks->entries[i].is_ours) continue;
        if (guid[0] != '\0' && strcmp(disks->entries[i].esp_guid, guid) == 0)
            weft_say_error(
                &boot->say,
                "there are two Weft disks that cannot be told apart: %s, which this node "
                "runs from, and %s, which came later. Take one of them out",
                boot->disk.device, disks->entries[i].disk.device);
    }
    weft_report_soon(boot);
}

void weft_start_look_for_disks(struct weft_boot *boot)
{
    char root[32];
    if (boot->disk.name[0] == '\0') return;
    weft_disk_root(root);
    weft_disks_look_init(&boot->disks_look, &boot->loop, take_look, boot);
    const int result =
        weft_disks_look_start(&boot->disks_look, "/sys", "/dev", root, DISK_ANSWER_NS);
    if (result != 0)
        weft_say_error(&boot->say, "the other disks are not looked at: %s", strerror(-result));
}

// The kernel waits for the disk of its root, and for no other: a stick is there a second later, and
// its partitions after that. So the disk that the loader names is waited for.
static enum weft_disks_verdict wait_for_disk(struct weft_boot *boot)
{
    char root[32], guid[WEFT_GPT_TEXT_BYTES];
    weft_disk_root(root);
    weft_disks_loader_guid("/sys/firmware/efi/efivars", guid);
    return weft_disks_wait(&boot->disks, "/sys", "/dev", root, guid, DISK_NS, DISK_ANSWER_NS);
}

// Which disk: docs/boot.md, "Two disks".
static void find_disk(struct weft_boot *boot)
{
    char root[32];
    struct weft_disks *disks = &boot->disks;
    const enum weft_disks_verdict verdict = wait_for_disk(boot);
    name_silent(boot);
    if (verdict == WEFT_DISKS_NONE) {
        weft_disk_root(root);
        if (weft_disk_find_in(&boot->disk, "/sys", root) != 0)
            weft_say_error(&boot->say, "this disk has none of the image's partitions");
        return;
    }
    boot->disk = disks->entries[disks->started].disk;
    name_others(boot);
    if (verdict == WEFT_DISKS_APART)
        snprintf(boot->disk_problem, sizeof(boot->disk_problem),
                 "there are two Weft disks: this start is from %s, but the root is read from "
                 "another one. Take one of them out: %s",
                 boot->disk.device, boot->other_disks);
    if (verdict == WEFT_DISKS_ALIKE)
        snprintf(boot->disk_problem, sizeof(boot->disk_problem),
                 "there are two Weft disks that cannot be told apart (one is a copy of the other, "
                 "or both are new): %s and %s. Take one of them out",
                 boot->disk.device, boot->other_disks);
    boot->disks_alike = verdict == WEFT_DISKS_ALIKE;
}

static void install(struct weft_boot *boot, const char *wish)
{
    const enum weft_install_end end =
        weft_install_run(wish, &boot->disks, boot->slot[0] == 'b' ? 'b' : 'a', &boot->watchdog,
                         &boot->say, boot->installed);
    weft_say_line(&boot->say, "install: %s", boot->installed);
    if (end == WEFT_INSTALL_REFUSED) {
        snprintf(boot->disk_problem, sizeof(boot->disk_problem), "%s", boot->installed);
        return;
    }
    int result = weft_mounts_conf_writable(true);
    if (result == 0)
        result = end == WEFT_INSTALL_DONE ? weft_install_note(wish, boot->installed)
                                          : weft_install_note_again(wish, boot->installed);
    if (result != 0) weft_say_error(&boot->say, "%s stays as it is: %s", wish, strerror(-result));
    weft_leave_early(boot, end == WEFT_INSTALL_DONE ? WEFT_BOOT_POWERS_OFF : WEFT_BOOT_REBOOTS,
                     end == WEFT_INSTALL_DONE ? "the image is installed" : "to install");
}

// A medium that is there to install from is no node: with the same files there would be two.
static void check_install(struct weft_boot *boot)
{
    char wish[64];
    if (boot->disks_alike) return; // Whose wish it is cannot be told either.
    if (conf_has(boot, "INSTALL", wish))
        install(boot, wish);
    else if (conf_has(boot, "INSTALLED", wish))
        snprintf(boot->disk_problem, sizeof(boot->disk_problem),
                 "this medium has installed itself onto another disk: take it out. A node runs "
                 "from it when %s is gone; named INSTALL it installs again",
                 wish);
}

// Before anybody mounts them: names are mended, and the loader's directory has room for more. What
// cannot be mended the kernel will complain about.
static void tend_names(struct weft_boot *boot)
{
    const struct {
        const char *device, *directory;
        uint32_t room;
    } places[] = {{boot->disk.esp.device, "EFI/Linux", KERNEL_NAMES},
                  {boot->disk.conf.device, "", 0}};
    if (boot->disk_problem[0] != '\0') return; // It may not be ours.
    for (size_t i = 0; i < WEFT_COUNT_OF(places); i++) {
        if (places[i].device[0] == '\0') continue;
        const int mended = weft_mounts_mend(places[i].device, places[i].directory, places[i].room);
        if (mended > 0)
            weft_say_line(&boot->say, "%s: a power failure had left a file with two names: mended",
                          places[i].device);
    }
}

void weft_start_disk(struct weft_boot *boot)
{
    find_disk(boot);
    tend_names(boot);
    open_conf(boot);
    check_install(boot);
    weft_watchdog_guard_renew(&boot->watchdog); // It may be emptied, and made anew.
    open_data(boot);
    check_identity(boot);
}

// ---- What it remembers.

// What was said up to now goes in first.
static void open_log(struct weft_boot *boot)
{
    char first[256], at[32];
    const time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(first, sizeof(first), "== boot %s %s slot %s, %s", at, boot->version,
             boot->slot[0] != '\0' ? boot->slot : "-", boot->boot_id);
    weft_node_log_open(&boot->log, WEFT_BOOT_LOG, first);
}

void weft_start_memory(struct weft_boot *boot)
{
    char good[256];
    const int64_t floor_s = boot->has_data
                                ? weft_clock_floor_s(boot->build_epoch_s, WEFT_BOOT_CLOCK)
                                : boot->build_epoch_s;
    boot->floor_s = floor_s;
    boot->floor_is_build = floor_s == boot->build_epoch_s;
    boot->was_set_forward = weft_clock_raise(floor_s) > 0;
    if (boot->was_set_forward)
        weft_say_line(&boot->say,
                      "the clock stood before a time that has passed; it was set forward");
    if (!boot->has_data) return;
    open_log(boot);
    const bool own = boot->identity == WEFT_IDENTITY_SAME;
    const int result = weft_entropy_load(WEFT_BOOT_SEED, own);
    if (result != 0 && result != -ENOENT)
        weft_say_error(&boot->say, WEFT_BOOT_SEED ": %s", strerror(-result));
    if (weft_panic_log_take("/sys/fs/pstore", WEFT_BOOT_LOGS, boot->last_panic,
                            sizeof(boot->last_panic)) > 0)
        weft_say_error(&boot->say, "the kernel has panicked before this boot: %s",
                       boot->last_panic);
    if (weft_text_file_read(WEFT_BOOT_GOOD, good, sizeof(good)) > 0)
        weft_key_value_get(good, "VERSION", boot->good_version, sizeof(boot->good_version));
}

// ---- The configuration.

static void check_disk(struct weft_boot *boot)
{
    if (boot->disk_problem[0] != '\0') weft_choice_give_up(&boot->choice, boot->disk_problem);
    if (boot->identity != WEFT_IDENTITY_CLONED) return;
    weft_choice_give_up(&boot->choice,
                        "this disk is a copy: its identity belongs to another machine. Put a file "
                        "RESET on the drive WEFT-CONF for a new node, or a file ADOPT if the other "
                        "one is gone for good");
}

// The cards as they are before any of them is given away. In maintenance none is.
static void check_cards(struct weft_boot *boot)
{
    char why[256];
    weft_cards_find(&boot->cards, "/sys");
    weft_cards_admin(&boot->cards, boot->config, &boot->admin);
    if (!boot->choice.maintenance) {
        const bool contradiction = boot->admin.contradiction;
        if (contradiction) snprintf(why, sizeof(why), "%s", boot->admin.why);
        if (contradiction ||
            weft_cards_resolve(&boot->cards, &boot->choice.config, boot->devices, why) != 0 ||
            weft_cards_check("/sys", &boot->choice.config, why) != 0) {
            weft_choice_give_up(&boot->choice, why);
            boot->config = &boot->defaults;
            weft_cards_admin(&boot->cards, boot->config, &boot->admin);
        }
    }
    if (boot->admin.why[0] != '\0') weft_say_error(&boot->say, "%s", boot->admin.why);
}

// Letters, digits and hyphens, as a label of DNS may have them (RFC 1123, section 2.1).
static void name_host(struct weft_boot *boot)
{
    const char *name = boot->config->node.name;
    size_t used = 0;
    if (boot->choice.maintenance || strcmp(name, "weft") == 0) { // Nobody's name in particular.
        const char *mac = boot->admin.card != NULL ? boot->admin.card->mac : "";
        snprintf(boot->hostname, sizeof(boot->hostname), "weft%s", mac[0] != '\0' ? "-" : "");
        used = strlen(boot->hostname);
        name = strlen(mac) == 17 ? mac + 9 : "";
    }
    for (; *name != '\0' && used < sizeof(boot->hostname) - 1; name++) {
        if (*name == ':') continue;
        const char small = (char)tolower((unsigned char)*name);
        boot->hostname[used++] = isalnum((unsigned char)small) && (small & 0x80) == 0 ? small : '-';
    }
    boot->hostname[used] = '\0';
    (void)!sethostname(boot->hostname, used);
}

// One that is tried for this start alone, if there is one and it is good; else the usual one.
static void choose(struct weft_boot *boot)
{
    const char *as = boot->has_conf ? WEFT_BOOT_CONF : WEFT_BOOT_KEPT;
    char verdict[512] = "its first line is not \"# weft try SECONDS\"";
    const int taken = boot->has_data
                          ? weft_trial_take(WEFT_BOOT_TRY, WEFT_BOOT_TRIED, &boot->try_seconds)
                          : -ENOENT;
    if (taken == 0 && weft_choice_try(&boot->choice, WEFT_BOOT_TRIED, as, verdict)) {
        weft_say_line(&boot->say, "a configuration is on trial for %u s",
                      (unsigned)boot->try_seconds);
        return;
    }
    boot->try_seconds = 0;
    weft_choice_make(&boot->choice, WEFT_BOOT_CONF, boot->conf_absent, WEFT_BOOT_KEPT);
    if (taken == -ENOENT) return;
    weft_say_error(&boot->say, "the configuration to be tried is left out: %s", verdict);
    weft_choice_note(&boot->choice, WEFT_BOOT_TRIED, verdict);
}

void weft_start_config(struct weft_boot *boot)
{
    choose(boot);
    check_disk(boot);
    weft_config_defaults(&boot->defaults);
    boot->config = boot->choice.maintenance ? &boot->defaults : &boot->choice.config;
    check_cards(boot);
    name_host(boot);
}

// ---- The machine.

// DPDK takes what comes to the card's MAC address, and sees the link only while the kernel's
// interface is up. That gets broadcasts all the same, so it is to be silent.
static void open_beside(struct weft_boot *boot, const struct weft_config_port *port)
{
    const struct weft_card *card = weft_cards_named(&boot->cards, port->device + 4);
    const int result = card != NULL ? weft_link_up_silent(card->interface) : -ENODEV;
    if (result != 0)
        weft_say_error(&boot->say, "port %s: %s: mlx5_core's interface does not come up: %s",
                       port->name, port->device, strerror(-result));
    else
        weft_say_line(&boot->say, "port %s: %s stays with mlx5_core, as %s", port->name,
                      port->device, card->interface);
}

static void bind_card(struct weft_boot *boot, const struct weft_config_port *port)
{
    const int result = weft_cards_bind("/sys", port->device + 4);
    if (result == WEFT_CARDS_BESIDE) open_beside(boot, port);
    if (result == WEFT_CARDS_TRUSTED)
        weft_say_line(&boot->say, "port %s: %s has no IOMMU in front of it; it is trusted",
                      port->name, port->device);
    if (result == -ENOTSUP)
        weft_say_error(
            &boot->say,
            "port %s: %s: DPDK opens this card beside mlx5_core, which does not drive it: "
            "the image with Debian's kernel has that driver",
            port->name, port->device);
    else if (result < 0)
        weft_say_error(&boot->say, "port %s: %s cannot be given to vfio-pci: %s", port->name,
                       port->device, result == -ENODEV ? "no such card" : strerror(-result));
}

// The kernel's side of a port: a lasting one, so that its address outlives a weftd that ends. With
// the card's MAC address, which is known as long as the kernel drives it; else weftd brings it.
static void make_kernel_side(struct weft_boot *boot, const struct weft_config_port *port)
{
    const struct weft_card *card = weft_cards_named(&boot->cards, port->device + 4);
    uint8_t mac[6];
    const bool is_known =
        card != NULL && sscanf(card->mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1],
                               &mac[2], &mac[3], &mac[4], &mac[5]) == 6;
    if (port->mac.is_set) memcpy(mac, port->mac.bytes, sizeof(mac));
    const int result = weft_link_make_tap(port->kernel, port->mac.is_set || is_known ? mac : NULL);
    if (result != 0)
        weft_say_error(&boot->say, "port %s: the kernel's side %s cannot be made: %s", port->name,
                       port->kernel, strerror(-result));
}

static void give_cards(struct weft_boot *boot)
{
    for (size_t i = 0; i < boot->config->port_count; i++) {
        const struct weft_config_port *port = &boot->config->ports[i];
        const char *colon = strchr(port->device, ':');
        if (strncmp(port->device, "pci:", 4) == 0) bind_card(boot, port);
        // weftd takes them only when they are up.
        if (colon != NULL && strncmp(port->device, "af_", 3) == 0) {
            const int result = weft_link_up(colon + 1);
            if (result != 0)
                weft_say_error(&boot->say, "port %s: %s does not come up: %s", port->name,
                               colon + 1, strerror(-result));
        }
        if (port->kernel[0] != '\0') make_kernel_side(boot, port);
    }
}

void weft_start_take_back(struct weft_boot *boot)
{
    for (size_t i = 0; i < boot->config->port_count; i++) {
        const struct weft_config_port *port = &boot->config->ports[i];
        if (port->kernel[0] == '\0') continue;
        int result = weft_link_remove_tap(port->kernel);
        if (result == 0 && strncmp(port->device, "pci:", 4) == 0)
            result = weft_cards_unbind("/sys", port->device + 4);
        if (result != 0)
            weft_say_error(&boot->say, "port %s: its card does not go back to the kernel: %s",
                           port->name, strerror(-result));
    }
    weft_cards_find(&boot->cards, "/sys");
    weft_cards_admin(&boot->cards, &boot->defaults, &boot->admin);
}

static void tune(struct weft_boot *boot)
{
    uint8_t mask[WEFT_TUNE_CPUS_MAX / 8];
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const uint64_t half = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
    struct weft_tune_huge huge; // Half at most: the rest of the node has to live as well.
    const int result = weft_tune_huge_pages("/sys", boot->config, half, &huge);
    if (result != 0)
        weft_say_error(&boot->say, "no huge pages: %s", strerror(-result));
    else if (huge.bytes + huge.gigantic_bytes < huge.wanted_bytes)
        weft_say_line(&boot->say, "%llu MB in huge pages of %llu MB wanted",
                      (unsigned long long)((huge.bytes + huge.gigantic_bytes) / WEFT_MIB),
                      (unsigned long long)(huge.wanted_bytes / WEFT_MIB));
    if (huge.gigantic_bytes > 0)
        weft_say_line(&boot->say, "%llu MB in pages of 1 GiB",
                      (unsigned long long)(huge.gigantic_bytes / WEFT_MIB));
    const uint32_t cpu_count = cpus > 0 ? (uint32_t)cpus : 1;
    if (weft_tune_worker_cpus(boot->config, cpu_count, mask) > 0)
        weft_tune_isolate("/proc", "/sys", cpu_count, mask);
}

static void tell_config(struct weft_boot *boot, int result)
{
    if (result != 0) weft_say_error(&boot->say, WEFT_BOOT_CONFIG ": %s", strerror(-result));
}

void weft_start_maintenance(struct weft_boot *boot)
{
    // A copied disk does not answer with the key of the node that it was copied from.
    const bool cloned = boot->identity == WEFT_IDENTITY_CLONED;
    const struct weft_node_places places = {cloned ? WEFT_BOOT_RUN "/data" : boot->data_dir,
                                            WEFT_BOOT_RUN};
    const bool asks = boot->has_conf && !boot->shuts_owner_out;
    const bool has_token = asks && access(WEFT_BOOT_OWNER, R_OK) == 0;
    const bool has_key = asks && access(WEFT_BOOT_OWNER_KEY, R_OK) == 0;
    weft_say_error(&boot->say, "maintenance mode: %s", boot->choice.problem);
    tell_config(boot, weft_node_config_maintenance(&places, has_token ? WEFT_BOOT_OWNER : NULL,
                                                   has_key ? WEFT_BOOT_OWNER_KEY : NULL,
                                                   WEFT_BOOT_CONFIG));
}

void weft_start_machine(struct weft_boot *boot)
{
    const struct weft_node_places places = {boot->data_dir, WEFT_BOOT_RUN};
    if (boot->choice.maintenance) {
        weft_start_maintenance(boot);
        return;
    }
    tune(boot);
    give_cards(boot);
    tell_config(boot, weft_node_config_write(boot->config, &places, WEFT_BOOT_CONFIG));
}
