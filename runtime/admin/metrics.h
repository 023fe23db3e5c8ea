// metrics.h: /metrics, printed from one table (metrics.c) and bounded: labels are cores, ports,
// drop reasons and states, never an actor, a unit or a pair of peers.
#ifndef WEFT_ADMIN_METRICS_H
#define WEFT_ADMIN_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/admin/source.h"

struct weft_metric {
    const char *name; // Without _total; its unit is its last word.
    const char *type; // "counter", "gauge", "info".
    const char *help;
};

// The table, for docs: NULL past its end.
const struct weft_metric *weft_metric_at(uint32_t index);

// All metrics as OpenMetrics 1.0 or Prometheus text 0.0.4. The caller frees; NULL without memory.
char *weft_metrics_print(const struct weft_admin_source *source, uint64_t request_count,
                         bool openmetrics, size_t *length);

#endif // WEFT_ADMIN_METRICS_H
