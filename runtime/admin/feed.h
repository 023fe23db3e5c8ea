// feed.h: /api/v1/events and /api/v1/logs: as a list, or followed as server-sent events.
#ifndef WEFT_ADMIN_FEED_H
#define WEFT_ADMIN_FEED_H

#include "runtime/admin/route.h"

// ?since=ID or Last-Event-ID, ?follow or Accept: text/event-stream; logs also ?tail=N. `next` of a
// list is the number to go on from.
void weft_feed_events(struct weft_admin_request *request, const struct weft_admin_events *events);
void weft_feed_logs(struct weft_admin_request *request, const struct weft_admin_logs *logs);

#endif // WEFT_ADMIN_FEED_H
