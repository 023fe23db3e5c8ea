// supervisor_client.c: starting supervisors of either sort, and asking them.
#include <errno.h>
#include <string.h>

#include <weft/message.h>
#include <weft/supervisor.h>

#include "runtime/otp/listing.h"
#include "runtime/otp/spec.h"

// ---- Starting.

typedef int start_server(struct weft_actor *self, const struct weft_start *start, weft_pid *pid);

// With a flat block of the caller's, which goes in the first message.
static int start(struct weft_actor *self, const struct weft_start *start, void *flat,
                 start_server *by, weft_pid *pid)
{
    const int result = by(self, start, pid);
    weft_free(self, flat);
    return result;
}

static int start_supervisor(struct weft_actor *self, const struct weft_supervisor_spec *spec,
                            start_server *by, weft_pid *pid)
{
    void *flat;
    size_t bytes;
    *pid = 0;
    const int result = weft_flatten_supervisor(self, spec, &flat, &bytes);
    if (result != 0) return result;
    const struct weft_start how = {.server = &weft_supervisor_server,
                                   .args = flat,
                                   .length = bytes,
                                   .name = spec->name,
                                   .spawn = spec->spawn};
    return start(self, &how, flat, by, pid);
}

int weft_supervisor_start(struct weft_actor *self, const struct weft_supervisor_spec *spec,
                          weft_pid *pid)
{
    return start_supervisor(self, spec, weft_server_start, pid);
}

int weft_supervisor_start_link(struct weft_actor *self, const struct weft_supervisor_spec *spec,
                               weft_pid *pid)
{
    return start_supervisor(self, spec, weft_server_start_link, pid);
}

static int start_dynamic(struct weft_actor *self, const struct weft_dynamic_spec *spec,
                         start_server *by, weft_pid *pid)
{
    void *flat;
    size_t bytes;
    *pid = 0;
    const int result = weft_flatten_dynamic(self, spec, &flat, &bytes);
    if (result != 0) return result;
    const struct weft_start how = {.server = &weft_dynamic_server,
                                   .args = flat,
                                   .length = bytes,
                                   .name = spec->name,
                                   .spawn = spec->spawn};
    return start(self, &how, flat, by, pid);
}

int weft_dynamic_start(struct weft_actor *self, const struct weft_dynamic_spec *spec, weft_pid *pid)
{
    return start_dynamic(self, spec, weft_server_start, pid);
}

int weft_dynamic_start_link(struct weft_actor *self, const struct weft_dynamic_spec *spec,
                            weft_pid *pid)
{
    return start_dynamic(self, spec, weft_server_start_link, pid);
}

// ---- Asking.

// A call whose answer has `room` bytes at least. 0 and *reply, which the caller releases.
static int ask(struct weft_actor *self, weft_pid supervisor, uint16_t type, const void *bytes,
               size_t length, size_t room, struct weft_message **reply)
{
    const int result = weft_call(self, supervisor, type, bytes, length, WEFT_FOREVER, reply);
    if (result != 0 || (*reply)->length >= room) return result;
    weft_release(self, *reply); // Something else than a supervisor has answered.
    return -EPROTO;
}

static int request(struct weft_actor *self, weft_pid supervisor, uint16_t type, const void *bytes,
                   size_t length, weft_pid *pid)
{
    struct weft_message *reply;
    struct weft_supervisor_answer answer;
    const int result = ask(self, supervisor, type, bytes, length, sizeof(answer), &reply);
    if (pid != NULL) *pid = 0;
    if (result != 0) return result;
    memcpy(&answer, reply->payload, sizeof(answer));
    weft_release(self, reply);
    if (pid != NULL) *pid = answer.pid;
    return answer.result;
}

static int request_by_id(struct weft_actor *self, weft_pid supervisor, uint16_t type,
                         const char *id, weft_pid *pid)
{
    char bytes[WEFT_CHILD_ID_MAX + 1] = "";
    const size_t length = strnlen(id, sizeof(bytes));
    if (length == sizeof(bytes)) return -ENOENT; // No child can have it.
    memcpy(bytes, id, length);
    return request(self, supervisor, type, bytes, sizeof(bytes), pid);
}

int weft_supervisor_start_child(struct weft_actor *self, weft_pid supervisor,
                                const struct weft_child *child, weft_pid *pid)
{
    void *flat;
    size_t bytes;
    *pid = 0;
    int result = weft_flatten_child(self, child, &flat, &bytes);
    if (result != 0) return result;
    result = request(self, supervisor, WEFT_SUPERVISOR_START_CHILD, flat, bytes, pid);
    weft_free(self, flat);
    return result;
}

int weft_supervisor_stop_child(struct weft_actor *self, weft_pid supervisor, const char *id)
{
    return request_by_id(self, supervisor, WEFT_SUPERVISOR_STOP_CHILD, id, NULL);
}

int weft_supervisor_restart_child(struct weft_actor *self, weft_pid supervisor, const char *id,
                                  weft_pid *pid)
{
    return request_by_id(self, supervisor, WEFT_SUPERVISOR_RESTART_CHILD, id, pid);
}

int weft_supervisor_delete_child(struct weft_actor *self, weft_pid supervisor, const char *id)
{
    return request_by_id(self, supervisor, WEFT_SUPERVISOR_DELETE_CHILD, id, NULL);
}

int weft_dynamic_start_child(struct weft_actor *self, weft_pid supervisor, const void *args,
                             size_t length, weft_pid *pid)
{
    return request(self, supervisor, WEFT_SUPERVISOR_START_CHILD, args, args != NULL ? length : 0,
                   pid);
}

int weft_dynamic_stop_child(struct weft_actor *self, weft_pid supervisor, weft_pid pid)
{
    return request(self, supervisor, WEFT_SUPERVISOR_STOP_CHILD, &pid, sizeof(pid), NULL);
}

int weft_supervisor_children(struct weft_actor *self, weft_pid supervisor,
                             struct weft_child_info *children, size_t limit, size_t *count)
{
    const uint64_t wanted = limit;
    struct weft_message *reply;
    *count = 0;
    const int result = ask(self, supervisor, WEFT_SUPERVISOR_CHILDREN, &wanted, sizeof(wanted),
                           sizeof(struct weft_listing_bytes), &reply);
    if (result != 0) return result;
    const struct weft_listing_bytes *bytes = (const void *)reply->payload;
    size_t told = (reply->length - sizeof(*bytes)) / sizeof(bytes->children[0]);
    if (told > limit) told = limit;
    if (told > 0) memcpy(children, bytes->children, told * sizeof(children[0]));
    *count = bytes->count;
    weft_release(self, reply);
    return 0;
}

int weft_supervisor_count(struct weft_actor *self, weft_pid supervisor,
                          struct weft_child_counts *counts)
{
    struct weft_message *reply;
    const int result =
        ask(self, supervisor, WEFT_SUPERVISOR_COUNT, NULL, 0, sizeof(*counts), &reply);
    if (result != 0) return result;
    memcpy(counts, reply->payload, sizeof(*counts));
    weft_release(self, reply);
    return 0;
}
