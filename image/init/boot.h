// boot.h: all that the first process knows, in one place. init.c walks through it in order; the
// other files here know only their own part.
#ifndef WEFT_IMAGE_BOOT_H
#define WEFT_IMAGE_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "image/init/choice.h"
#include "image/init/daemon.h"
#include "image/init/disk.h"
#include "image/init/loop.h"
#include "image/init/say.h"

struct weft_boot {
    struct weft_say say;
    struct weft_loop loop;
    char cmdline[4096];
    char version[64], arch[16], slot[8], boot_id[48];
    uint64_t build_epoch_s; // No clock of ours may stand before it.
    char hostname[32];

    struct weft_disk disk;
    bool has_disk, has_conf, has_data;
    char conf_absent[128]; // Why there is no drive; "" if there is one.
    const char *data_dir;  // "/data", or a place in memory when there is none.
    struct weft_choice choice;
    struct weft_daemon daemon;
    uint64_t ready_ns; // When the node was ready first; 0: not yet.
    int signal_fd;
};

#endif // WEFT_IMAGE_BOOT_H
