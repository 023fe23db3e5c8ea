// The documents about actors.
#include "runtime/admin/actor.h"

#include <stdio.h>

#include "runtime/admin/document.h"
#include "runtime/admin/server_internal.h"
#include "runtime/admin/text.h"

#define INT(value) ((json_int_t)(value))

static const struct weft_admin_source *source_of(const struct weft_admin_command *command)
{
    return command->pending != NULL ? command->pending->server->options.source : NULL;
}

static json_t *actor_document(const struct weft_admin_actor *actor)
{
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:s, s:b, s:b}", "pid", weft_json_id(actor->pid),
        "parent", weft_json_id(actor->parent), "name", weft_json_text(actor->name), "label",
        weft_json_text(actor->label), "kind", weft_json_text(actor->kind), "core", (int)actor->core,
        "state", actor->state, "priority", actor->priority, "stackful", (int)actor->stackful,
        "private", (int)actor->is_private);
    json_t *rest = json_pack(
        "{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "mailbox",
        INT(actor->mailbox_count), "mailbox_max", INT(actor->mailbox_max), "overflow",
        actor->overflow, "links", INT(actor->link_count), "monitors", INT(actor->monitor_count),
        "reductions", INT(actor->reduction_count), "memory_bytes", INT(actor->memory_bytes),
        "memory_max", INT(actor->memory_max), "stack_bytes", INT(actor->stack_bytes), "trapping",
        (int)actor->trapping, "pinned", (int)actor->pinned);
    json_object_update(json, rest);
    json_decref(rest);
    return json;
}

void weft_admin_complete_actors(struct weft_admin_command *command,
                                const struct weft_admin_actors *actors)
{
    const struct weft_admin_source *source = source_of(command);
    if (source == NULL) { // Nobody waits.
        weft_admin_complete(command);
        return;
    }
    json_t *items = json_array(), *missing = json_array();
    for (size_t i = 0; i < actors->count; i++)
        json_array_append_new(items, actor_document(&actors->items[i]));
    for (uint64_t mask = actors->missing_cores; mask != 0; mask &= mask - 1)
        json_array_append_new(missing, json_integer(__builtin_ctzll(mask)));
    json_t *json = weft_document_list(source, items);
    json_object_set_new(json, "total", json_integer(INT(actors->total)));
    json_object_set_new(json, "missing_cores", missing);
    weft_admin_complete_json(command, 200, json);
}

static json_t *edges_document(const struct weft_admin_actor_look *look)
{
    json_t *items = json_array();
    for (uint32_t i = 0; i < look->edges_shown; i++) {
        json_t *item = json_pack("{s:s}", "what", look->edges[i].what);
        if (look->edges[i].pid != 0)
            json_object_set_new(item, "pid", weft_json_id(look->edges[i].pid));
        if (look->edges[i].text[0] != '\0')
            json_object_set_new(item, "text", weft_json_text(look->edges[i].text));
        if (look->edges[i].due_ns != 0)
            json_object_set_new(item, "due_ns", json_integer(INT(look->edges[i].due_ns)));
        json_array_append_new(items, item);
    }
    return items;
}

static json_t *messages_document(const struct weft_admin_actor_look *look)
{
    json_t *items = json_array();
    for (uint32_t i = 0; i < look->messages_shown; i++)
        json_array_append_new(items, json_pack("{s:s, s:i, s:I, s:o}", "tag", look->messages[i].tag,
                                               "type", (int)look->messages[i].type, "length",
                                               INT(look->messages[i].length), "from",
                                               weft_json_id(look->messages[i].from)));
    return items;
}

void weft_admin_complete_actor(struct weft_admin_command *command,
                               const struct weft_admin_actor_look *look)
{
    json_t *json = actor_document(&look->actor), *frames = json_array();
    for (uint32_t i = 0; i < look->frame_count; i++)
        json_array_append_new(frames, weft_json_text(look->frames[i]));
    json_object_set_new(json, "apiVersion", json_string("v1"));
    json_object_set_new(json, "edge_count", json_integer(INT(look->edge_count)));
    json_object_set_new(json, "edges", edges_document(look));
    json_object_set_new(json, "messages", messages_document(look));
    json_object_set_new(json, "stack", frames);
    weft_admin_complete_json(command, 200, json);
}

// Bytes that are text as text, others as hex digits: neither is changed on its way.
static json_t *payload_document(const uint8_t *bytes, size_t length, const char **key)
{
    json_t *text = length > 0 ? json_stringn((const char *)bytes, length) : json_string("");
    *key = "text";
    if (text != NULL) return text;
    char *digits = malloc(2 * length + 1);
    *key = "hex";
    if (digits == NULL) return json_null();
    for (size_t i = 0; i < length; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    text = json_stringn(digits, 2 * length);
    free(digits);
    return text;
}

void weft_admin_complete_reply(struct weft_admin_command *command, uint16_t type, const void *bytes,
                               size_t length)
{
    const char *key;
    json_t *payload = payload_document(bytes, length, &key);
    weft_admin_complete_json(command, 200,
                             json_pack("{s:s, s:i, s:I, s:o}", "apiVersion", "v1", "type",
                                       (int)type, "length", INT(length), key, payload));
}

void weft_admin_complete_load(struct weft_admin_command *command, uint64_t pid)
{
    weft_admin_complete_json(command, 201,
                             json_pack("{s:s, s:o}", "apiVersion", "v1", "pid", weft_json_id(pid)));
}
