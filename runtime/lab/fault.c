#include "runtime/lab/fault.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/units.h"
#include "runtime/lab/remote.h"
#include "runtime/tool/output.h"

bool weft_ratio_parse(const char *text, double *ratio)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text) return false;
    if (strcmp(end, "%") == 0) {
        value /= 100;
    } else if (*end != '\0') {
        return false;
    }
    *ratio = value;
    return value >= 0 && value <= 1;
}

static int set_ratio(json_t *body, const char *kind, const char *value, struct weft_error *error)
{
    static const struct {
        const char *kind, *key;
    } ratios[] = {{"loss", "loss_ratio"},
                  {"duplicate", "duplicate_ratio"},
                  {"dup", "duplicate_ratio"},
                  {"reorder", "reorder_ratio"},
                  {"corrupt", "corrupt_ratio"}};
    double ratio;

    for (size_t i = 0; i < WEFT_COUNT_OF(ratios); i++) {
        if (strcmp(kind, ratios[i].kind) != 0) continue;
        if (value == NULL || !weft_ratio_parse(value, &ratio))
            return weft_error_set(error, 504, "%s: say how often, as 10%% or 0.1", kind);
        return json_object_set_new(body, ratios[i].key, json_real(ratio));
    }
    weft_error_set(error, 504, "there is no fault \"%.32s\"", kind);
    weft_error_hint(error, "kill, loss, delay, duplicate, reorder, corrupt, partition, clear");
    return -1;
}

static int set_delay(json_t *body, const char *value, const char *jitter, struct weft_error *error)
{
    uint64_t delay_ns = 0, jitter_ns = 0;

    if (value == NULL || !weft_duration_parse(value, &delay_ns) ||
        (jitter != NULL && !weft_duration_parse(jitter, &jitter_ns)))
        return weft_error_set(error, 504, "delay: say how long, as 20ms, and maybe a jitter");
    json_object_set_new(body, "delay_ns", json_integer((json_int_t)delay_ns));
    return json_object_set_new(body, "jitter_ns", json_integer((json_int_t)jitter_ns));
}

static json_t *current(const struct weft_client_target *target, struct weft_error *error)
{
    unsigned status;
    json_t *faults = weft_client_json(target, "GET", "/api/v1/fault", NULL, 0, &status, error);

    if (faults == NULL) return NULL;
    json_t *body = json_deep_copy(json_array_get(json_object_get(faults, "items"), 0));
    json_decref(faults);
    if (body == NULL) return json_object();
    json_object_del(body, "port"); // Every port of the node.
    json_object_del(body, "seed"); // Keeps its own.
    return body;
}

json_t *weft_lab_fault_set(const json_t *node, const char *kind, const char *value,
                           const char *jitter, struct weft_error *error)
{
    struct weft_client_target target;
    unsigned status;
    int result = 0;

    weft_lab_node_target(node, &target);
    json_t *body = strcmp(kind, "clear") == 0 ? json_object() : current(&target, error);
    if (body == NULL) return NULL;
    if (strcmp(kind, "partition") == 0) {
        json_object_set_new(body, "partition", json_true());
    } else if (strcmp(kind, "delay") == 0) {
        result = set_delay(body, value, jitter, error);
    } else if (strcmp(kind, "clear") != 0) {
        result = set_ratio(body, kind, value, error);
    }
    json_t *answer = NULL;
    if (result == 0) {
        answer = weft_client_json(&target, "POST", "/api/v1/fault", body, 0, &status, error);
    }
    json_decref(body);
    if (answer == NULL) return NULL;
    json_decref(answer);
    return weft_client_json(&target, "GET", "/api/v1/fault", NULL, 0, &status, error);
}
