// Bodies too large to keep: each piece goes to the route's intake as it comes. While that has no
// room the connection sleeps, so that the client is slowed down and nothing is kept here.
#include "runtime/admin/server_internal.h"

bool weft_admin_intake_open(struct weft_admin_call *call)
{
    struct weft_error error = {0};

    weft_list_init(&call->intake_link);
    if (call->route->intake->open(&call->request, &call->request.intake, &error) == 0) return true;
    call->request.intake = NULL; // What is open there may be another request's.
    weft_admin_reply_error(&call->request, &error);
    return false;
}

static void put_to_sleep(struct weft_admin_call *call)
{
    struct weft_admin_server *server = call->listener->server;

    weft_list_append(&server->intakes, &call->intake_link);
    MHD_suspend_connection(call->request.connection);
}

size_t weft_admin_intake_take(struct weft_admin_call *call, const char *data, size_t length)
{
    const struct weft_admin_intake *intake = call->route->intake;
    size_t taken = 0;

    if (call->listener->server->closing) call->intake_done = true;
    while (taken < length && !call->intake_done) {
        const int64_t count = intake->take(call->request.intake, data + taken, length - taken);
        if (count < 0) call->intake_done = true;
        if (count == 0) break;
        if (count > 0) taken += (size_t)count;
    }
    if (call->intake_done) return length;
    if (taken < length) put_to_sleep(call);
    return taken;
}

void weft_admin_intakes_wake(struct weft_admin_server *server)
{
    WEFT_LIST_FOR_EACH (link, &server->intakes) {
        struct weft_admin_call *call = WEFT_CONTAINER_OF(link, struct weft_admin_call, intake_link);
        weft_list_remove(&call->intake_link);
        weft_list_init(&call->intake_link);
        weft_admin_resume(server, call->request.connection);
    }
}

// The request is over. What was opened and not handed to the handler is abandoned.
void weft_admin_intake_end(struct weft_admin_call *call)
{
    if (call->request.intake == NULL) return;
    weft_list_remove(&call->intake_link);
    call->route->intake->abandon(call->request.intake);
}
