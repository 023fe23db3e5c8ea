// logs.h: the last log lines of this node, drained from every core's ring, for `weft logs`.
//
// Numbered like events. Control core only: no locks.
#ifndef WEFT_ADMIN_LOGS_H
#define WEFT_ADMIN_LOGS_H

#include <stdint.h>

#include "runtime/base/log.h"

#define WEFT_ADMIN_LOGS_MAX 2048

struct weft_admin_log {
    uint64_t id;
    uint64_t wall_ns; // Since 1970.
    struct weft_log_record record;
};

struct weft_admin_logs {
    uint64_t first_id;
    uint64_t next_id;
    struct weft_admin_log ring[WEFT_ADMIN_LOGS_MAX];
};

// As for events.
void weft_admin_logs_init(struct weft_admin_logs *logs, uint64_t start_wall_ns);
uint64_t weft_admin_logs_add(struct weft_admin_logs *logs, uint64_t wall_ns,
                             const struct weft_log_record *record);
const struct weft_admin_log *weft_admin_logs_after(const struct weft_admin_logs *logs,
                                                   uint64_t since);
// The number after which the last `count` lines come.
uint64_t weft_admin_logs_tail(const struct weft_admin_logs *logs, uint64_t count);

#endif // WEFT_ADMIN_LOGS_H
