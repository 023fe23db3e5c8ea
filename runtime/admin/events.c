#include "runtime/admin/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/units.h"

void weft_admin_events_init(struct weft_admin_events *events, uint64_t start_wall_ns)
{
    memset(events, 0, sizeof(*events));
    events->first_id = start_wall_ns / WEFT_NS_PER_S * 1000000 + 1;
    events->next_id = events->first_id;
}

uint64_t weft_admin_events_add(struct weft_admin_events *events, uint64_t wall_ns, const char *type,
                               const char *subject, const char *format, ...)
{
    struct weft_admin_event *event = &events->ring[events->next_id % WEFT_ADMIN_EVENTS_MAX];
    va_list args;

    memset(event, 0, sizeof(*event));
    event->id = events->next_id++;
    event->wall_ns = wall_ns;
    snprintf(event->type, sizeof(event->type), "%s", type);
    snprintf(event->subject, sizeof(event->subject), "%s", subject);
    va_start(args, format);
    vsnprintf(event->text, sizeof(event->text), format, args);
    va_end(args);
    if (events->next_id - events->first_id > WEFT_ADMIN_EVENTS_MAX) events->first_id++;
    return event->id;
}

const struct weft_admin_event *weft_admin_events_after(const struct weft_admin_events *events,
                                                       uint64_t since)
{
    uint64_t id = since + 1;

    if (since >= events->next_id || id < events->first_id) id = events->first_id;
    if (id >= events->next_id) return NULL;
    return &events->ring[id % WEFT_ADMIN_EVENTS_MAX];
}
