#include "runtime/admin/actor_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/body.h"

// clang-format off
const char weft_admin_body_message[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"type\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":65535},"
    "\"text\":{\"type\":\"string\"},\"hex\":{\"type\":\"string\"},"
    "\"call\":{\"type\":\"boolean\"},\"cast\":{\"type\":\"boolean\"}}}";
const char weft_admin_body_module[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\",\"file\"],"
    "\"properties\":{\"name\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,31}$\"},"
    "\"file\":{\"type\":\"string\"},\"args\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}";
// clang-format on

static bool is_known_sort(const char *sort)
{
    return strcmp(sort, "mailbox") == 0 || strcmp(sort, "memory") == 0 ||
           strcmp(sort, "reductions") == 0 || strcmp(sort, "pid") == 0;
}

void weft_admin_handle_actors(struct weft_admin_request *request)
{
    const char *sort = weft_admin_query(request, "sort"), *like = weft_admin_query(request, "like"),
               *all = weft_admin_query(request, "all");
    struct weft_admin_actor_query query = {.sort = "pid"};
    uint64_t limit;

    if (!weft_admin_query_u64(request, "limit", 1000, &limit)) return;
    if (sort != NULL && !is_known_sort(sort)) {
        weft_admin_reply_problem(request, 504, "sort is mailbox, memory, reductions or pid");
        return;
    }
    if (sort != NULL) snprintf(query.sort, sizeof(query.sort), "%s", sort);
    if (like != NULL) snprintf(query.like, sizeof(query.like), "%s", like);
    query.limit = limit < WEFT_ADMIN_ACTORS_MAX ? (uint32_t)limit : WEFT_ADMIN_ACTORS_MAX;
    query.all = all != NULL && strcmp(all, "0") != 0 && strcmp(all, "false") != 0;
    struct weft_admin_command *command = weft_admin_defer(request, WEFT_ADMIN_ACTOR_LIST, "", 0);
    if (command == NULL) return;
    command->actors = query;
    weft_admin_submit(request, command);
}

void weft_admin_handle_actor(struct weft_admin_request *request)
{
    struct weft_admin_command *command = weft_admin_defer(request, WEFT_ADMIN_ACTOR_SHOW, "", 0);

    if (command != NULL) weft_admin_submit(request, command);
}

void weft_admin_handle_actor_kill(struct weft_admin_request *request)
{
    struct weft_admin_command *command = weft_admin_defer(request, WEFT_ADMIN_ACTOR_KILL, "", 0);

    if (command != NULL) weft_admin_submit(request, command);
}

void weft_admin_handle_actor_send(struct weft_admin_request *request)
{
    struct weft_body_actor body;
    struct weft_error error = {0};

    if (weft_body_message(request->body, request->body_length, &body, &error) < 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    struct weft_admin_command *command = weft_admin_defer(
        request, WEFT_ADMIN_ACTOR_SEND, (const char *)body.payload, body.payload_length);
    if (command != NULL) {
        command->message.type = body.type;
        command->message.how = body.call   ? WEFT_ADMIN_SEND_CALL
                               : body.cast ? WEFT_ADMIN_SEND_CAST
                                           : WEFT_ADMIN_SEND_USER;
        weft_admin_submit(request, command);
    }
    weft_body_actor_destroy(&body);
}

// The arguments, each with its zero byte. NULL without memory; the caller frees.
static char *join_args(const json_t *args, size_t *length)
{
    size_t i;
    json_t *item;

    *length = 0;
    json_array_foreach((json_t *)(uintptr_t)args, i, item) *length += json_string_length(item) + 1;
    char *text = malloc(*length + 1), *to = text;
    if (text == NULL) return NULL;
    json_array_foreach((json_t *)(uintptr_t)args, i, item)
    {
        memcpy(to, json_string_value(item), json_string_length(item) + 1);
        to += json_string_length(item) + 1;
    }
    return text;
}

void weft_admin_handle_actor_load(struct weft_admin_request *request)
{
    struct weft_body_actor body;
    struct weft_error error = {0};
    size_t length;

    if (weft_body_module(request->body, request->body_length, &body, &error) < 0) {
        weft_admin_reply_error(request, &error);
        return;
    }
    char *args = join_args(body.args, &length);
    struct weft_admin_command *command =
        args != NULL ? weft_admin_defer(request, WEFT_ADMIN_ACTOR_LOAD, args, length) : NULL;
    if (args == NULL) weft_admin_reply_problem(request, 505, "no memory for the arguments");
    if (command != NULL) {
        snprintf(command->unit, sizeof(command->unit), "%s", body.name);
        snprintf(command->path, sizeof(command->path), "%s", body.file);
        weft_admin_submit(request, command);
    }
    free(args);
    weft_body_actor_destroy(&body);
}
