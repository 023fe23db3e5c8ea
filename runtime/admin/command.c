// Commands that end later: the connection sleeps until the source, the deadline or the end of the
// server gives its answer.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/server_internal.h"
#include "runtime/admin/text.h"

struct weft_admin_command *weft_admin_defer(struct weft_admin_request *request,
                                            enum weft_admin_verb verb, const char *text,
                                            size_t text_length)
{
    struct weft_admin_server *server = request->server;
    const uint64_t usual_ms = server->options.command_timeout_ns / WEFT_NS_PER_MS;
    uint64_t timeout_ms;

    if (!weft_admin_query_u64(request, "timeout_ms", usual_ms, &timeout_ms)) return NULL;
    if (timeout_ms > COMMAND_TIMEOUT_MAX_MS) timeout_ms = COMMAND_TIMEOUT_MAX_MS;
    if (server->command_count >= COMMANDS_MAX) {
        weft_admin_reply_problem(request, 505, "%u commands wait already", COMMANDS_MAX);
        return NULL;
    }
    struct weft_admin_pending *pending = calloc(1, sizeof(*pending));
    struct weft_admin_command *command = calloc(1, sizeof(*command));
    char *copy = malloc(text_length + 1);
    if (pending == NULL || command == NULL || copy == NULL) {
        free(pending);
        free(command);
        free(copy);
        weft_admin_reply_problem(request, 505, "no memory for another command");
        return NULL;
    }
    if (text_length > 0) memcpy(copy, text, text_length);
    copy[text_length] = '\0';
    weft_list_init(&command->link);
    command->verb = verb;
    command->text = copy;
    command->text_length = text_length;
    command->pending = pending;
    command->deadline_ns = weft_clock_now_ns(&server->options.clock) + timeout_ms * WEFT_NS_PER_MS;
    snprintf(command->unit, sizeof(command->unit), "%s", request->name);
    *pending =
        (struct weft_admin_pending){.server = server, .call = request->call, .command = command};
    weft_list_append(&server->commands, &pending->link);
    server->command_count++;
    request->call->pending = pending;
    return command;
}

// Nobody waits any more; the command stays with the source.
static void detach(struct weft_admin_pending *pending)
{
    weft_list_remove(&pending->link);
    pending->server->command_count--;
    if (pending->call != NULL) pending->call->pending = NULL;
    pending->command->pending = NULL;
    free(pending);
}

// Gives the waiting client its answer.
static void answer(struct weft_admin_pending *pending, unsigned status, json_t *json)
{
    struct weft_admin_call *call = pending->call;
    struct weft_admin_server *server = pending->server;
    const bool suspended = pending->suspended;

    detach(pending);
    weft_admin_reply_json(&call->request, status, json);
    if (suspended) weft_admin_resume(server, call->request.connection);
}

void weft_admin_complete_json(struct weft_admin_command *command, unsigned status, json_t *json)
{
    if (command->pending != NULL) {
        answer(command->pending, status, json);
    } else {
        json_decref(json);
    }
    free((void *)(uintptr_t)command->text);
    free(command);
}

void weft_admin_complete_bytes(struct weft_admin_command *command, char *bytes, size_t length)
{
    struct weft_admin_pending *pending = command->pending;
    if (pending != NULL) {
        struct weft_admin_call *call = pending->call;
        struct weft_admin_server *server = pending->server;
        const bool suspended = pending->suspended;
        detach(pending);
        weft_admin_call_queue(
            call, 200, "application/octet-stream",
            MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE));
        if (suspended) weft_admin_resume(server, call->request.connection);
    } else {
        free(bytes);
    }
    free((void *)(uintptr_t)command->text);
    free(command);
}

void weft_admin_complete(struct weft_admin_command *command)
{
    weft_admin_complete_json(command, 200, json_pack("{s:s, s:b}", "apiVersion", "v1", "ok", 1));
}

void weft_admin_fail(struct weft_admin_command *command, const struct weft_error *error)
{
    const unsigned status = weft_http_status(error->code);

    weft_admin_complete_json(command, status, weft_json_problem(status, error));
}

static json_t *outcome_document(const struct weft_admin_command *command,
                                const struct weft_admin_outcome *outcome)
{
    return json_pack("{s:s, s:o, s:o, s:i, s:i, s:o, s:b, s:b, s:b, s:I}", "apiVersion", "v1",
                     "unit", weft_json_text(command->unit), "pid", weft_json_id(outcome->pid),
                     "core", (int)outcome->core, "throw", (int)outcome->throw_code, "output",
                     weft_json_bytes(outcome->output, outcome->output_length), "output_cut",
                     (int)outcome->output_cut, "compiling", (int)outcome->compiling, "asks",
                     (int)outcome->asks, "reductions", (json_int_t)outcome->reduction_count);
}

void weft_admin_complete_unit(struct weft_admin_command *command,
                              const struct weft_admin_outcome *outcome)
{
    json_t *document = outcome_document(command, outcome);
    struct weft_error error;

    if (outcome->throw_code == 0) {
        const bool load = command->verb == WEFT_ADMIN_UNIT_LOAD;
        weft_admin_complete_json(command, load ? 201 : 200, document);
        return;
    }
    weft_error_set(&error, 401, "%s",
                   outcome->error != NULL ? outcome->error : "the unit threw an exception");
    json_t *problem = weft_json_problem(422, &error);
    // The table's text field is short; a marked line of source may be longer.
    if (outcome->error != NULL) {
        json_object_set_new(problem, "detail", weft_json_text(outcome->error));
    }
    json_object_update_missing(problem, document);
    json_decref(document);
    json_object_set_new(problem, "file", weft_json_text(outcome->file));
    json_object_set_new(problem, "line", json_integer(outcome->line));
    json_object_set_new(problem, "column", json_integer(outcome->column));
    weft_admin_complete_json(command, 422, problem);
}

void weft_admin_commands_wait(struct weft_admin_call *call)
{
    call->answered = true;
    call->pending->suspended = true;
    MHD_suspend_connection(call->request.connection);
}

void weft_admin_commands_expire(struct weft_admin_server *server, uint64_t now_ns)
{
    WEFT_LIST_FOR_EACH (link, &server->commands) {
        struct weft_admin_pending *pending =
            WEFT_CONTAINER_OF(link, struct weft_admin_pending, link);
        if (pending->command->deadline_ns > now_ns) continue;
        struct weft_error error;
        weft_error_set(&error, 505, "the command did not end in time; it may still do so");
        weft_error_hint(&error, "`weft core ls` shows whether the node is busy");
        answer(pending, 504, weft_json_problem(504, &error));
    }
}

uint64_t weft_admin_commands_due_ns(const struct weft_admin_server *server)
{
    uint64_t due_ns = UINT64_MAX;

    for (const struct weft_list *link = server->commands.next; link != &server->commands;
         link = link->next) {
        const struct weft_admin_pending *pending =
            WEFT_CONTAINER_OF(link, struct weft_admin_pending, link);
        if (pending->command->deadline_ns < due_ns) due_ns = pending->command->deadline_ns;
    }
    return due_ns;
}

void weft_admin_commands_close(struct weft_admin_server *server)
{
    WEFT_LIST_FOR_EACH (link, &server->commands) {
        struct weft_error error;
        weft_error_set(&error, 501, "the node stops");
        answer(WEFT_CONTAINER_OF(link, struct weft_admin_pending, link), 503,
               weft_json_problem(503, &error));
    }
}

void weft_admin_commands_forget(struct weft_admin_call *call)
{
    if (call->pending != NULL) detach(call->pending);
}
