#include "runtime/admin/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/text.h"
#include "runtime/base/units.h"

#define UNIT_NAME_MAX 31 // As the journal keeps it (docs/wire/journal.md).

enum field_type { FIELD_TEXT, FIELD_FLAG, FIELD_RATIO, FIELD_COUNT, FIELD_TEXTS };

struct field {
    const char *key;
    enum field_type type;
    bool required;
};

static const char *type_name(enum field_type type)
{
    static const char *const names[] = {"a string", "true or false", "a number from 0 to 1",
                                        "an integer, 0 or more", "a list of strings"};
    return names[type];
}

// Without zero bytes: they become the arguments of a program.
static bool are_texts(const json_t *value)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value)) return false;
    json_array_foreach((json_t *)(uintptr_t)value, i, item)
    {
        if (!json_is_string(item) || strlen(json_string_value(item)) != json_string_length(item))
            return false;
    }
    return true;
}

static bool fits(const json_t *value, enum field_type type)
{
    switch (type) {
    case FIELD_TEXT: return json_is_string(value);
    case FIELD_FLAG: return json_is_boolean(value);
    case FIELD_RATIO:
        return json_is_number(value) && json_number_value(value) >= 0 &&
               json_number_value(value) <= 1;
    case FIELD_COUNT: return json_is_integer(value) && json_integer_value(value) >= 0;
    case FIELD_TEXTS: return are_texts(value);
    }
    return false;
}

static const struct field *field_find(const struct field *fields, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, key) == 0) return &fields[i];
    }
    return NULL;
}

// An object with exactly these fields, or NULL with `error`.
static json_t *object_parse(const char *body, size_t length, const struct field *fields,
                            size_t count, struct weft_error *error)
{
    json_error_t where;
    json_t *json = json_loadb(body, length, JSON_REJECT_DUPLICATES, &where);
    const char *key;
    json_t *value;

    if (json == NULL) {
        weft_error_set(error, 504, "the body is not JSON: line %d, column %d: %s", where.line,
                       where.column, where.text);
        return NULL;
    }
    if (!json_is_object(json)) {
        weft_error_set(error, 504, "the body must be a JSON object");
        goto refuse;
    }
    json_object_foreach(json, key, value)
    {
        const struct field *field = field_find(fields, count, key);
        if (field == NULL) {
            weft_error_set(error, 504, "the body has an unknown key \"%.40s\"", key);
            goto refuse;
        }
        if (!fits(value, field->type)) {
            weft_error_set(error, 504, "\"%s\" must be %s", key, type_name(field->type));
            goto refuse;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && json_object_get(json, fields[i].key) == NULL) {
            weft_error_set(error, 504, "the body lacks \"%s\"", fields[i].key);
            goto refuse;
        }
    }
    return json;

refuse:
    json_decref(json);
    return NULL;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text != NULL ? text : "";
}

static uint64_t count_of(const json_t *json, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(json, key));
}

static double ratio_of(const json_t *json, const char *key)
{
    return json_number_value(json_object_get(json, key));
}

static bool recovery_known(const char *recovery)
{
    static const char *const known[] = {"", "none", "journal", "swarm"};

    for (size_t i = 0; i < WEFT_COUNT_OF(known); i++) {
        if (strcmp(recovery, known[i]) == 0) return true;
    }
    return false;
}

// What stands in messages and in the journal.
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) return false;
    }
    return true;
}

int weft_body_load(const char *body, size_t length, struct weft_body_unit *unit,
                   struct weft_error *error)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true},      {"source", FIELD_TEXT, true}, {"file", FIELD_TEXT, false},
        {"recovery", FIELD_TEXT, false}, {"quota", FIELD_TEXT, false},
    };
    json_t *json = object_parse(body, length, fields, WEFT_COUNT_OF(fields), error);

    if (json == NULL) return -1;
    *unit = (struct weft_body_unit){
        .json = json,
        .name = text_of(json, "name"),
        .file = text_of(json, "file"),
        .recovery = text_of(json, "recovery"),
        .quota = text_of(json, "quota"),
        .text = text_of(json, "source"),
        .text_length = json_string_length(json_object_get(json, "source")),
    };
    if (!weft_admin_name_valid(unit->name, strlen(unit->name)) ||
        strlen(unit->name) > UNIT_NAME_MAX) {
        weft_error_set(error, 504, "\"name\" must be 1 to %d of A-Z a-z 0-9 . _ -", UNIT_NAME_MAX);
    } else if (!is_printable(unit->file)) {
        weft_error_set(error, 504, "\"file\" must have no control characters");
    } else if (!recovery_known(unit->recovery)) {
        weft_error_set(error, 504, "\"recovery\" must be none, journal or swarm");
    } else if (strlen(unit->quota) >= sizeof(((struct weft_admin_command *)0)->quota)) {
        weft_error_set(error, 504, "\"quota\" is too long");
    } else {
        return 0;
    }
    weft_body_unit_destroy(unit);
    return -1;
}

// A text, and beside it a flag of that name, which may be missing.
static int text_and_flag(const char *body, size_t length, const char *flag, bool *is_set,
                         struct weft_body_unit *unit, struct weft_error *error)
{
    const struct field fields[] = {{"text", FIELD_TEXT, true}, {flag, FIELD_FLAG, false}};
    json_t *json = object_parse(body, length, fields, WEFT_COUNT_OF(fields), error);

    if (json == NULL) return -1;
    *unit = (struct weft_body_unit){
        .json = json,
        .name = "",
        .file = "",
        .recovery = "",
        .quota = "",
        .text = text_of(json, "text"),
        .text_length = json_string_length(json_object_get(json, "text")),
    };
    *is_set = json_is_true(json_object_get(json, flag));
    return 0;
}

int weft_body_eval(const char *body, size_t length, struct weft_body_unit *unit,
                   struct weft_error *error)
{
    bool interactive;

    if (text_and_flag(body, length, "interactive", &interactive, unit, error) < 0) return -1;
    unit->interactive = interactive;
    return 0;
}

int weft_body_input(const char *body, size_t length, struct weft_body_unit *unit,
                    struct weft_error *error)
{
    bool ends;

    if (text_and_flag(body, length, "end", &ends, unit, error) < 0) return -1;
    unit->ends_input = ends;
    return 0;
}

// ---- Actors.

int weft_body_module(const char *body, size_t length, struct weft_body_actor *actor,
                     struct weft_error *error)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, true},
        {"file", FIELD_TEXT, true},
        {"args", FIELD_TEXTS, false},
    };
    json_t *json = object_parse(body, length, fields, WEFT_COUNT_OF(fields), error);

    if (json == NULL) return -1;
    *actor = (struct weft_body_actor){.json = json,
                                      .name = text_of(json, "name"),
                                      .file = text_of(json, "file"),
                                      .args = json_object_get(json, "args")};
    if (!weft_admin_name_valid(actor->name, strlen(actor->name)) || strlen(actor->name) > 31) {
        weft_error_set(error, 504, "\"name\" must be 1 to 31 of A-Z a-z 0-9 . _ -");
    } else if (actor->file[0] != '/' || !is_printable(actor->file)) {
        weft_error_set(error, 504, "\"file\" must be an absolute path");
    } else if (strlen(actor->file) >= WEFT_ADMIN_PATH_BYTES) {
        weft_error_set(error, 504, "\"file\" is longer than %d bytes", WEFT_ADMIN_PATH_BYTES - 1);
    } else if (actor->args != NULL && json_array_size(actor->args) > WEFT_ADMIN_MODULE_ARGS) {
        weft_error_set(error, 504, "\"args\" has more than %d elements", WEFT_ADMIN_MODULE_ARGS);
    } else {
        return 0;
    }
    weft_body_actor_destroy(actor);
    return -1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Digits in pairs become bytes. False if they are not.
static bool read_hex(const char *text, size_t length, uint8_t *bytes)
{
    if (length % 2 != 0) return false;
    for (size_t i = 0; i < length; i += 2) {
        const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int read_payload(struct weft_body_actor *actor, struct weft_error *error)
{
    const json_t *text = json_object_get(actor->json, "text"),
                 *hex = json_object_get(actor->json, "hex");
    const json_t *given = text != NULL ? text : hex;
    const size_t length = given != NULL ? json_string_length(given) : 0;

    if (text != NULL && hex != NULL)
        return weft_error_set(error, 504, "\"text\" and \"hex\" exclude each other");
    actor->payload_length = text != NULL ? length : length / 2;
    if (actor->payload_length > WEFT_ADMIN_PAYLOAD_MAX)
        return weft_error_set(error, 504, "a message has at most %d bytes here",
                              WEFT_ADMIN_PAYLOAD_MAX);
    actor->payload = malloc(length + 1);
    if (actor->payload == NULL) return weft_error_set(error, 505, "no memory for the message");
    if (text != NULL) memcpy(actor->payload, json_string_value(text), length);
    if (hex != NULL && !read_hex(json_string_value(hex), length, actor->payload))
        return weft_error_set(error, 504, "\"hex\" must be pairs of hex digits");
    return 0;
}

int weft_body_message(const char *body, size_t length, struct weft_body_actor *actor,
                      struct weft_error *error)
{
    static const struct field fields[] = {
        {"type", FIELD_COUNT, false}, {"text", FIELD_TEXT, false}, {"hex", FIELD_TEXT, false},
        {"call", FIELD_FLAG, false},  {"cast", FIELD_FLAG, false},
    };
    json_t *json = object_parse(body, length, fields, WEFT_COUNT_OF(fields), error);

    if (json == NULL) return -1;
    *actor = (struct weft_body_actor){.json = json,
                                      .type = (uint16_t)count_of(json, "type"),
                                      .call = json_is_true(json_object_get(json, "call")),
                                      .cast = json_is_true(json_object_get(json, "cast"))};
    int result = 0;
    if (count_of(json, "type") > UINT16_MAX)
        result = weft_error_set(error, 504, "\"type\" is at most %d", UINT16_MAX);
    else if (actor->call && actor->cast)
        result = weft_error_set(error, 504, "\"call\" and \"cast\" exclude each other");
    if (result == 0) result = read_payload(actor, error);
    if (result != 0) weft_body_actor_destroy(actor);
    return result;
}

void weft_body_actor_destroy(struct weft_body_actor *actor)
{
    free(actor->payload);
    json_decref(actor->json);
    *actor = (struct weft_body_actor){.json = NULL};
}

void weft_body_unit_destroy(struct weft_body_unit *unit)
{
    json_decref(unit->json);
    unit->json = NULL;
}

int weft_body_fault(const char *body, size_t length, struct weft_admin_fault *fault,
                    struct weft_error *error)
{
    static const struct field fields[] = {
        {"port", FIELD_TEXT, false},
        {"loss_ratio", FIELD_RATIO, false},
        {"duplicate_ratio", FIELD_RATIO, false},
        {"reorder_ratio", FIELD_RATIO, false},
        {"corrupt_ratio", FIELD_RATIO, false},
        {"delay_ns", FIELD_COUNT, false},
        {"jitter_ns", FIELD_COUNT, false},
        {"seed", FIELD_COUNT, false},
        {"partition", FIELD_FLAG, false},
    };
    json_t *json = object_parse(body, length, fields, WEFT_COUNT_OF(fields), error);

    if (json == NULL) return -1;
    *fault = (struct weft_admin_fault){
        .loss_ratio = ratio_of(json, "loss_ratio"),
        .duplicate_ratio = ratio_of(json, "duplicate_ratio"),
        .reorder_ratio = ratio_of(json, "reorder_ratio"),
        .corrupt_ratio = ratio_of(json, "corrupt_ratio"),
        .delay_ns = count_of(json, "delay_ns"),
        .jitter_ns = count_of(json, "jitter_ns"),
        .seed = count_of(json, "seed"),
        .partition = json_is_true(json_object_get(json, "partition")),
    };
    const char *port = text_of(json, "port");
    int result = 0;
    if (strlen(port) >= sizeof(fault->port)) {
        result = weft_error_set(error, 504, "\"port\" is longer than 15 bytes");
    } else if (fault->delay_ns > 60 * WEFT_NS_PER_S || fault->jitter_ns > 60 * WEFT_NS_PER_S) {
        result = weft_error_set(error, 504, "a delay is at most 60 s");
    } else {
        memcpy(fault->port, port, strlen(port));
    }
    json_decref(json);
    return result;
}
