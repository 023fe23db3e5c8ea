#include "runtime/admin/logs.h"

#include <stddef.h>
#include <string.h>

#include "runtime/base/units.h"

void weft_admin_logs_init(struct weft_admin_logs *logs, uint64_t start_wall_ns)
{
    memset(logs, 0, sizeof(*logs));
    logs->first_id = start_wall_ns / WEFT_NS_PER_S * 1000000 + 1;
    logs->next_id = logs->first_id;
}

uint64_t weft_admin_logs_add(struct weft_admin_logs *logs, uint64_t wall_ns,
                             const struct weft_log_record *record)
{
    struct weft_admin_log *line = &logs->ring[logs->next_id % WEFT_ADMIN_LOGS_MAX];

    line->id = logs->next_id++;
    line->wall_ns = wall_ns;
    line->record = *record;
    if (logs->next_id - logs->first_id > WEFT_ADMIN_LOGS_MAX) logs->first_id++;
    return line->id;
}

const struct weft_admin_log *weft_admin_logs_after(const struct weft_admin_logs *logs,
                                                   uint64_t since)
{
    uint64_t id = since + 1;

    if (since >= logs->next_id || id < logs->first_id) id = logs->first_id;
    if (id >= logs->next_id) return NULL;
    return &logs->ring[id % WEFT_ADMIN_LOGS_MAX];
}

uint64_t weft_admin_logs_tail(const struct weft_admin_logs *logs, uint64_t count)
{
    const uint64_t kept = logs->next_id - logs->first_id;

    return logs->next_id - 1 - (count < kept ? count : kept);
}
