#include "runtime/admin/route.h"

#include <stdio.h>
#include <string.h>

#include "runtime/admin/text.h"

// True if `path` is `pattern`; a {name} takes one segment that is a valid name.
static bool matches(const char *pattern, const char *path, char name[WEFT_ADMIN_NAME_BYTES])
{
    while (*pattern != '\0' && *path != '\0') {
        if (*pattern == '{') {
            const size_t length = strcspn(path, "/");
            if (!weft_admin_name_valid(path, length)) return false;
            memcpy(name, path, length);
            name[length] = '\0';
            path += length;
            pattern += strcspn(pattern, "}") + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

const struct weft_admin_route *weft_admin_route_find(const struct weft_admin_route *const *tables,
                                                     size_t table_count, const char *method,
                                                     const char *path,
                                                     char name[WEFT_ADMIN_NAME_BYTES],
                                                     char allow[32])
{
    name[0] = '\0';
    allow[0] = '\0';
    for (size_t t = 0; t < table_count; t++) {
        for (const struct weft_admin_route *route = tables[t]; route->method != NULL; route++) {
            if (!matches(route->path, path, name)) continue;
            if (strcmp(route->method, method) == 0) return route;
            const size_t used = strlen(allow);
            if (strstr(allow, route->method) == NULL) {
                snprintf(allow + used, 32 - used, "%s%s", used > 0 ? ", " : "", route->method);
            }
        }
    }
    return NULL;
}

static json_t *openapi_parameters(const struct weft_admin_route *route)
{
    json_t *parameters = json_array();

    if (strchr(route->path, '{') != NULL) {
        json_array_append_new(parameters, json_pack("{s:s, s:s, s:b, s:{s:s, s:s}}", "name", "name",
                                                    "in", "path", "required", 1, "schema", "type",
                                                    "string", "pattern", "^[A-Za-z0-9._-]{1,63}$"));
    }
    for (size_t i = 0; i < WEFT_ADMIN_QUERIES_MAX && route->query[i].name != NULL; i++) {
        const struct weft_admin_query *query = &route->query[i];
        json_array_append_new(parameters, json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", query->name,
                                                    "in", "query", "description", query->help,
                                                    "schema", "type", query->type));
    }
    return parameters;
}

static json_t *openapi_operation(const struct weft_admin_route *route)
{
    const char *media = route->response != NULL ? route->response : "application/json";
    json_t *operation =
        json_pack("{s:s, s:s, s:o, s:{s:{s:s, s:{s:{}}}, s:{s:s, s:{s:{s:{s:s}}}}}}", "operationId",
                  route->id, "summary", route->doc, "parameters", openapi_parameters(route),
                  "responses", "200", "description", "done", "content", media, "default",
                  "description", "a problem (RFC 9457) with a Wnnnn code", "content",
                  "application/problem+json", "schema", "$ref", "#/components/schemas/Problem");
    if (route->body != NULL) {
        json_object_set_new(operation, "requestBody",
                            json_pack("{s:b, s:{s:{s:o}}}", "required", 1, "content",
                                      "application/json", "schema",
                                      json_loads(route->body, 0, NULL)));
    }
    if (route->intake != NULL) {
        json_object_set_new(
            operation, "requestBody",
            json_pack("{s:b, s:{s:{}}}", "required", 1, "content", "application/octet-stream"));
    }
    if (route->body_type != NULL) {
        json_object_set_new(
            operation, "requestBody",
            json_pack("{s:b, s:{s:{}}}", "required", 1, "content", route->body_type));
    }
    if (route->privileged || strcmp(route->method, "GET") != 0) {
        json_object_set_new(operation, "x-weft-access",
                            json_string("unix socket, the node's own user or root"));
    }
    return operation;
}

json_t *weft_admin_openapi(const struct weft_admin_route *const *tables, size_t table_count)
{
    json_t *paths = json_object();

    for (size_t t = 0; t < table_count; t++) {
        for (const struct weft_admin_route *route = tables[t]; route->method != NULL; route++) {
            char method[8];
            size_t i;
            for (i = 0; route->method[i] != '\0' && i < sizeof(method) - 1; i++) {
                method[i] = (char)(route->method[i] | 0x20);
            }
            method[i] = '\0';
            json_t *item = json_object_get(paths, route->path);
            if (item == NULL) {
                json_object_set_new(paths, route->path, json_object());
                item = json_object_get(paths, route->path);
            }
            json_object_set_new(item, method, openapi_operation(route));
        }
    }
    return json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:o, s:{s:{s:{s:s, s:[s, s, s], s:{s:{s:s}, s:{s:s}, s:{s:s},"
        " s:{s:s}, s:{s:s, s:s}, s:{s:s}}}}}}",
        "openapi", "3.1.0", "info", "title", "Weft admin port", "version", WEFT_VERSION,
        "description", "Reads from loopback or the unix socket; writes on the unix socket only.",
        "paths", paths, "components", "schemas", "Problem", "type", "object", "required", "title",
        "status", "code", "properties", "type", "type", "string", "title", "type", "string",
        "status", "type", "integer", "detail", "type", "string", "code", "type", "string",
        "pattern", "^W[0-9]{4}$", "hint", "type", "string");
}
