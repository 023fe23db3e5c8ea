// boot.h: all that the first process knows, in one place. init.c walks through it in order; the
// files that know a struct weft_boot come after it (start, health, report, leave, requests,
// admin_net), the others here know only their own part.
#ifndef WEFT_IMAGE_BOOT_H
#define WEFT_IMAGE_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "image/init/admin_net.h"
#include "image/init/cards.h"
#include "image/init/choice.h"
#include "image/init/clock.h"
#include "image/init/daemon.h"
#include "image/init/disks_look.h"
#include "image/init/identity.h"
#include "image/init/init_socket.h"
#include "image/init/loop.h"
#include "image/init/net_time.h"
#include "image/init/node_log.h"
#include "image/init/power_button.h"
#include "image/init/probe.h"
#include "image/init/say.h"
#include "image/init/watchdog.h"

#define WEFT_BOOT_RUN         "/run/weft"
#define WEFT_BOOT_CONFIG      WEFT_BOOT_RUN "/weft.toml"
#define WEFT_BOOT_SOCKET      WEFT_BOOT_RUN "/admin.sock"
#define WEFT_BOOT_CONF        "/conf/weft.toml"
#define WEFT_BOOT_FINGERPRINT WEFT_BOOT_RUN "/fingerprint" // Of the admin port, by weftd,
#define WEFT_BOOT_FINGERPRINT_WHY                                                                  \
    WEFT_BOOT_RUN "/fingerprint.why" // which says why it is another one.
#define WEFT_BOOT_OWNER     "/conf/owner.token"
#define WEFT_BOOT_OWNER_KEY "/conf/owner.key"
#define WEFT_BOOT_KEPT      "/data/state/weft.toml"
#define WEFT_BOOT_TRY       "/data/state/try.toml"   // For the next start alone (trial.h),
#define WEFT_BOOT_TRIED     "/data/state/tried.toml" // and once that has begun.
#define WEFT_BOOT_GOOD      "/data/state/good"
#define WEFT_BOOT_CLOCK     "/data/state/clock"
#define WEFT_BOOT_SEED      "/data/state/random-seed"
#define WEFT_BOOT_RESET     "/data/state/reset" // Of a node without a FAT drive.
#define WEFT_BOOT_LOGS      "/data/log"
#define WEFT_BOOT_LOG       WEFT_BOOT_LOGS "/weftd.log"
#define WEFT_BOOT_MARK      "/data/state/machine"

enum weft_boot_end { WEFT_BOOT_RUNS, WEFT_BOOT_REBOOTS, WEFT_BOOT_POWERS_OFF };

struct weft_boot {
    struct weft_say say;
    struct weft_node_log log;
    struct weft_loop loop;
    struct weft_clock_mark began;
    int signal_fd;

    // The image and this start of it.
    char cmdline[4096];
    char version[64], arch[16], slot[8], boot_id[48];
    char measured[72];     // PCR 11 of the TPM, in hex: what the loader's stub started; "": no TPM.
    int64_t build_epoch_s; // No clock of ours may stand before it,
    int64_t floor_s;       // nor before this, which is the later of it and the time last noted.
    char counted_path[256]; // The kernel that is on trial, as the loader names it; "": none is.
    bool is_blessed;        // During this boot.
    char good_version[64];  // That was blessed last; "" if none was.
    char last_panic[512];   // Path of the newest that was kept; "": none.
    char hostname[32];      // The node's name as a label of DNS.

    // Its disk, which is one of those.
    struct weft_disks disks;
    struct weft_disks_look disks_look; // For those that came later.
    struct weft_disk disk;
    bool shuts_owner_out;   // Maintenance came up with none of the owner's files alone.
    bool disks_alike;       // It cannot be told which of them.
    char other_disks[256];  // With an image too, for people; "" if there are none.
    char disk_problem[512]; // Why its data is left alone and no node is run from it; "": it is run.
    char installed[512];    // What became of a wish to install; "" if there was none.
    bool has_conf, has_data;
    char conf_absent[128]; // Why there is no drive; "" if there is one.
    bool data_is_full;
    const char *data_dir; // "/data", or a place in memory when there is none.
    enum weft_identity_state identity;

    // The configuration, and what the machine made of it.
    struct weft_choice choice;
    struct weft_config defaults;      // In maintenance.
    const struct weft_config *config; // The one or the other.
    struct weft_cards cards;
    struct weft_cards_choice admin; // Of these, or of the ports of `config`.
    char devices[WEFT_CONFIG_PORTS_MAX][32];
    uint32_t try_seconds; // The configuration goes after so long, unless it is confirmed; 0: stays.

    // The node, and how it is watched.
    struct weft_daemon daemon;
    struct weft_probe probe;       // /livez, every few seconds.
    struct weft_probe ready_probe; // /readyz, until it has said yes.
    struct weft_watchdog watchdog;
    struct weft_loop_timer watch;     // The next look.
    struct weft_loop_timer trial;     // When a kernel on trial has failed.
    struct weft_loop_timer try_timer; // Likewise, a configuration.
    uint64_t ready_ms;                // From the kernel's start; 0: not yet.
    uint64_t ready_at_ns;             // Since when it is, by the loop's clock; 0: it is not.
    int ready_status; // What /readyz last answered, of HTTP or an errno; 0: nothing.
    // By the loop's clock, of the weftd that runs; 0: not.
    uint64_t lacks_room_at_ns; // Since when that was no, for want of room for the journal alone.
    uint64_t alive_at_ns;      // When /livez said yes last.
    bool had_grace;            // The trial has been made longer once, to wait for a proof.
    int bless_result;          // What hindered it last, a negative errno.
    uint32_t looks;

    struct weft_init_socket socket;
    enum weft_boot_end wish; // Asked for there, and begun when the answer is out.
    struct weft_loop_timer wish_timer;
    struct weft_loop_timer report; // status.txt is written when it fires.
    struct weft_admin_net net;
    struct weft_net_time net_time;
    bool was_set_forward; // The machine's clock stood before the floor,
    bool floor_is_build;  // which was the build's time; else when this node last knew it.
    char address[144];    // Of the admin card, for people; "" while it has none.
    struct weft_power_button power_button;
    enum weft_boot_end end;
};

#endif // WEFT_IMAGE_BOOT_H
