// appliance.h: a node that runs from an image, as its admin port sees it: releases in two slots,
// and the machine's first process, which restarts and resets it.
//
// No disk is touched here. `weft __update` does that in a process of its own
// (runtime/tool/update.c): this feeds it and reads its one document. The first process answers on a
// unix socket, one line for one line (image/init). On a node that is no image every route says so
// (W0901).
//
// Core:   control core only. Memory: malloc (the control core may).
#ifndef WEFT_ADMIN_APPLIANCE_H
#define WEFT_ADMIN_APPLIANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/admin/events.h"
#include "runtime/admin/init_ask.h"
#include "runtime/admin/route.h"
#include "runtime/env/clock.h"
#include "runtime/sched/poller.h"

#define WEFT_APPLIANCE_ANSWER_BYTES 8192
#define WEFT_APPLIANCE_ASKS_MAX     4

struct weft_appliance_options {
    const char *program;      // The tool: "/usr/bin/weft".
    const char *init_socket;  // "/run/weft/init.sock": if there is none, this is no image.
    const char *boot_file;    // "/run/weft/boot.json".
    const char *log_dir;      // "/data/log": where the first process keeps its log, and panics.
    const char *data_dir;     // Where the node leaves reports of its crashes; NULL: nowhere.
    const char *try_file;     // "/data/state/try.toml": the configuration of the next start alone.
    const char *config_file;  // What the node runs with: "/run/weft/weft.toml".
    const char *const *extra; // More words for the program, ended by NULL; NULL: none. For tests.
    struct weft_clock clock;
    struct weft_admin_events *events; // May be NULL.
};

struct weft_appliance {
    struct weft_appliance_options options;
    pid_t pid;                          // 0: nothing runs.
    int in_fd, out_fd;                  // Its standard input and output; -1: closed.
    struct weft_admin_command *command; // Who waits for what it says, or NULL.
    bool is_update;                     // It writes a slot.
    bool is_coming;                     // Who asked still sends; what it says is kept until then.
    bool has_answered;                  // Its output has ended.
    char answer[WEFT_APPLIANCE_ANSWER_BYTES];
    size_t answer_length;
    struct weft_init_ask asks[WEFT_APPLIANCE_ASKS_MAX];
};

// The options are copied; what they point to outlives the appliance.
void weft_appliance_init(struct weft_appliance *appliance,
                         const struct weft_appliance_options *options);
// Ends what runs: an update that is cut short leaves the running slot as it is.
void weft_appliance_destroy(struct weft_appliance *appliance);

// What the control core adds.
struct weft_poller weft_appliance_poller(struct weft_appliance *appliance);

// The routes, for weft_admin_options.routes with the appliance as route_self.
extern const struct weft_admin_route weft_appliance_routes[];

// For the routes (appliance.c). Starts `weft __update WORD [--force]`: 0, or -1 with W0905 if one
// runs already, W0906 if it did not start.
int weft_appliance_start(struct weft_appliance *appliance, const char *word, bool force,
                         struct weft_error *error);
// Bytes of the bundle. As weft_admin_intake.take.
int64_t weft_appliance_feed(struct weft_appliance *appliance, const char *bytes, size_t length);
// The bundle has ended: `command` waits for what comes of it. NULL: nobody does.
void weft_appliance_feed_end(struct weft_appliance *appliance, struct weft_admin_command *command);
// Is this an image? 0, or -1 with W0901.
int weft_appliance_check(const struct weft_appliance *appliance, struct weft_error *error);
// Says one line to the first process. What it says becomes the answer of `command`, which is taken
// over: 202, or W0905 when it refuses, W0906 when it does not answer.
void weft_appliance_tell(struct weft_appliance *appliance, const char *line,
                         struct weft_admin_command *command);
// Whether somebody waits for what the first process says: a node that stops waits a little for it.
bool weft_appliance_is_asking(const struct weft_appliance *appliance);

#endif // WEFT_ADMIN_APPLIANCE_H
