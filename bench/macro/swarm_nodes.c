#include "bench/macro/swarm_nodes.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/context.h"
#include "bench/macro/child.h"
#include "runtime/admin/place.h"
#include "runtime/base/units.h"
#include "runtime/tool/context.h"

enum { ASK_MS = 5000, COMMAND_MS = 20000 };

static bool no(struct weft_swarm *swarm, const char *what, const char *why)
{
    snprintf(swarm->reason, sizeof(swarm->reason), "%.100s: %.140s", what, why);
    // It goes between quotation marks in JSON.
    for (char *c = swarm->reason; *c != '\0'; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = '\'';
    return false;
}

// ---- waiting

static void waited_for(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

static void hold_signals(void)
{
    sigset_t set;
    waited_for(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool weft_swarm_pause_ms(struct weft_swarm *swarm, unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    sigset_t set;
    waited_for(&set);
    if (!swarm->is_interrupted && sigtimedwait(&set, NULL, &pause) > 0) {
        swarm->is_interrupted = true;
        no(swarm, "the rest", "interrupted");
    }
    const bool is_late = weft_bench_now_ns() >= swarm->ends_ns;
    if (is_late && !swarm->is_interrupted) no(swarm, "the rest", "the time is up");
    return !swarm->is_interrupted && !is_late;
}

// ---- asking

json_t *weft_swarm_ask(struct weft_swarm *swarm, size_t node, const char *method, const char *path,
                       const json_t *body)
{
    const struct weft_client_target *target = &swarm->nodes[node].target;
    struct weft_error error = {0};
    unsigned status = 0;
    json_t *answer = weft_client_json(target, method, path, body, ASK_MS, &status, &error);
    if (answer == NULL) no(swarm, target->name, error.text);
    return answer;
}

double weft_swarm_metric(struct weft_swarm *swarm, size_t node, const char *name)
{
    const struct weft_client_call call = {
        .method = "GET", .path = "/metrics", .accept = "text/plain", .timeout_ms = ASK_MS};
    struct weft_client_answer answer = {0};
    struct weft_error error = {0};
    double value = NAN;
    if (weft_client_ask(&swarm->nodes[node].target, &call, &answer, &error) < 0) return NAN;
    for (const char *at = answer.body; at != NULL && isnan(value); at = strchr(at, '\n')) {
        if (*at == '\n') at++;
        if (strncmp(at, name, strlen(name)) == 0) value = strtod(at + strlen(name), NULL);
    }
    weft_client_answer_destroy(&answer);
    return value;
}

bool weft_swarm_lose(struct weft_swarm *swarm, size_t node, double ratio)
{
    json_t *body = json_pack("{s:f}", "loss_ratio", ratio);
    json_t *answer = weft_swarm_ask(swarm, node, "POST", "/api/v1/fault", body);
    json_decref(body);
    json_decref(answer);
    return answer != NULL;
}

// Who it is: its id, and the name by which it goes in the rows.
static bool meet(struct weft_swarm *swarm, size_t node)
{
    struct weft_swarm_node *one = &swarm->nodes[node];
    json_t *json = weft_swarm_ask(swarm, node, "GET", "/api/v1/node", NULL);
    const char *id = json_string_value(json_object_get(json, "id"));
    const char *name = json_string_value(json_object_get(json, "name"));
    if (id != NULL) snprintf(one->id, sizeof(one->id), "%s", id);
    if (name != NULL) snprintf(one->target.name, sizeof(one->target.name), "%s", name);
    json_decref(json);
    if (id == NULL && json != NULL) no(swarm, one->target.name, "it does not say its id");
    return id != NULL;
}

// ---- those that were named

static bool find_added(const char *name, struct weft_client_target *target,
                       struct weft_error *error)
{
    struct weft_contexts *contexts = calloc(1, sizeof(*contexts));
    if (contexts == NULL) return false;
    const int result = weft_contexts_read(contexts, error);
    const struct weft_client_target *added =
        result == 0 ? weft_contexts_find(contexts, name) : NULL;
    if (added != NULL) *target = *added;
    free(contexts);
    return added != NULL;
}

static bool find_node(struct weft_swarm *swarm, const char *name, struct weft_client_target *target)
{
    struct weft_error error = {0};
    char run[WEFT_PLACE_BYTES];
    if (strncmp(name, "https://", 8) == 0)
        return weft_client_target_owner(target, name, getenv("WEFT_TOKEN"),
                                        getenv("WEFT_FINGERPRINT"), &error) == 0 ||
               no(swarm, name, error.text);
    snprintf(target->name, sizeof(target->name), "%.63s", name);
    if (strchr(name, '/') != NULL) {
        if (strlen(name) >= sizeof(target->path))
            return no(swarm, name, "too long for the path of a socket");
        snprintf(target->path, sizeof(target->path), "%s", name);
        return true;
    }
    if (weft_place_run(run, &error) == 0 &&
        weft_place_socket(run, name, target->path, &error) == 0 && access(target->path, F_OK) == 0)
        return true;
    return find_added(name, target, &error) ||
           no(swarm, name,
              error.text[0] != '\0' ? error.text : "no node here, none that was added");
}

bool weft_swarm_named(struct weft_swarm *swarm, const char *names)
{
    char name[256];
    hold_signals();
    for (const char *at = names; *at != '\0'; at += *at == ',') {
        const size_t length = strcspn(at, ",");
        snprintf(name, sizeof(name), "%.*s", (int)length, at);
        at += length;
        if (length == 0) continue;
        if (swarm->count == WEFT_SWARM_NODES_MAX) return no(swarm, name, "that is one too many");
        struct weft_swarm_node *node = &swarm->nodes[swarm->count];
        if (!find_node(swarm, name, &node->target) || !meet(swarm, swarm->count)) return false;
        swarm->count++;
    }
    return swarm->count >= 2 || no(swarm, "--hosts", "two nodes at least");
}

// ---- a lab of its own

static bool read_lab(struct weft_swarm *swarm)
{
    size_t i;
    json_t *item, *json = bench_ask(swarm->lab_socket, "GET", "/api/v1/lab", NULL);
    const bool ready = json_is_true(json_object_get(json, "ready"));
    const char *link = json_string_value(json_object_get(json, "link"));
    snprintf(swarm->link, sizeof(swarm->link), "%s", link != NULL ? link : "?");
    swarm->count = 0;
    json_array_foreach(json_object_get(json, "items"), i, item)
    {
        const char *path = json_string_value(json_object_get(item, "socket"));
        if (i >= WEFT_SWARM_NODES_MAX || path == NULL) continue;
        struct weft_client_target *target = &swarm->nodes[swarm->count++].target;
        snprintf(target->path, sizeof(target->path), "%s", path);
        snprintf(target->name, sizeof(target->name), "n%zu", i + 1);
    }
    json_decref(json);
    return ready;
}

static bool meet_all(struct weft_swarm *swarm)
{
    for (size_t i = 0; i < swarm->count; i++)
        if (!meet(swarm, i)) return false;
    return true;
}

bool weft_swarm_lab(struct weft_swarm *swarm, const char *weft, const char *run)
{
    char log[128];
    char *const words[] = {(char *)(uintptr_t)weft, (char *)(uintptr_t) "lab",
                           (char *)(uintptr_t) "up", (char *)(uintptr_t) "--no-live", NULL};
    snprintf(log, sizeof(log), "%.100s.log", run);
    snprintf(swarm->lab_socket, sizeof(swarm->lab_socket), "%.90s/lab.sock", run);
    if (mkdir(run, 0700) < 0 || setenv("WEFT_RUN_DIR", run, 1) < 0)
        return no(swarm, run, strerror(errno));
    hold_signals();
    swarm->lab = bench_child_start(words, log);
    while (swarm->lab > 0 && weft_swarm_pause_ms(swarm, 5)) {
        if (access(swarm->lab_socket, F_OK) == 0 && read_lab(swarm)) return meet_all(swarm);
        if (waitpid(swarm->lab, NULL, WNOHANG) == 0) continue;
        swarm->lab = 0;
        break;
    }
    return swarm->is_interrupted ? false : no(swarm, "the lab", "it did not come up here");
}

void weft_swarm_close(struct weft_swarm *swarm)
{
    if (swarm->lab > 0) bench_child_stop(swarm->lab);
    swarm->lab = 0;
}

// ---- a node's end and beginning

bool weft_swarm_can_end(const struct weft_swarm *swarm)
{
    return swarm->lab > 0 || (swarm->kill_command != NULL && swarm->start_command != NULL);
}

static bool run_command(struct weft_swarm *swarm, const char *command)
{
    char *const words[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                           (char *)(uintptr_t)command, NULL};
    int status = -1;
    const pid_t child = bench_child_start(words, "/dev/null");
    for (unsigned ms = 0; child > 0 && ms < COMMAND_MS; ms += 10) {
        if (waitpid(child, &status, WNOHANG) == child)
            return status == 0 || no(swarm, command, "it failed");
        bench_sleep_ms(10); // Ctrl-C reaches it, too; what starts a node again is let do it.
    }
    if (child > 0) bench_child_stop(child);
    return no(swarm, command, "it did not end");
}

static bool tell_lab(struct weft_swarm *swarm, size_t node, const char *verb)
{
    char path[128];
    snprintf(path, sizeof(path), "/api/v1/nodes/%.63s/%s", swarm->nodes[node].target.name, verb);
    json_t *answer = bench_ask(swarm->lab_socket, "POST", path, NULL);
    json_decref(answer);
    return answer != NULL || no(swarm, path, "the lab did not do it");
}

bool weft_swarm_end(struct weft_swarm *swarm, size_t node)
{
    return swarm->lab > 0 ? tell_lab(swarm, node, "kill") : run_command(swarm, swarm->kill_command);
}

bool weft_swarm_begin(struct weft_swarm *swarm, size_t node)
{
    return swarm->lab > 0 ? tell_lab(swarm, node, "start")
                          : run_command(swarm, swarm->start_command);
}

// ---- who knows whom

// What node `from` says of another; "" if it does not know it or does not answer.
static void read_state(struct weft_swarm *swarm, size_t from, const char *id, char state[16])
{
    size_t i;
    json_t *item, *json = weft_swarm_ask(swarm, from, "GET", "/api/v1/mesh", NULL);
    state[0] = '\0';
    json_array_foreach(json_object_get(json, "items"), i, item)
    {
        const char *its_id = json_string_value(json_object_get(item, "id"));
        const char *its_state = json_string_value(json_object_get(item, "state"));
        if (its_id != NULL && its_state != NULL && strcmp(its_id, id) == 0)
            snprintf(state, 16, "%s", its_state);
    }
    json_decref(json);
}

static bool all_say(struct weft_swarm *swarm, size_t node, const char *wanted)
{
    char state[16];
    for (size_t i = 0; i < swarm->count; i++) {
        if (i == node) continue;
        read_state(swarm, i, swarm->nodes[node].id, state);
        if (strcmp(state, wanted) != 0) return false;
    }
    return true;
}

bool weft_swarm_is_gone(struct weft_swarm *swarm, size_t node)
{
    return all_say(swarm, node, "dead");
}

bool weft_swarm_is_met(struct weft_swarm *swarm, size_t node)
{
    char state[16];
    if (!all_say(swarm, node, "alive")) return false;
    for (size_t i = 0; i < swarm->count; i++) {
        if (i == node) continue;
        read_state(swarm, node, swarm->nodes[i].id, state);
        if (strcmp(state, "alive") != 0) return false;
    }
    return true;
}

double weft_swarm_until(struct weft_swarm *swarm, size_t node, bool met, uint64_t from_ns,
                        unsigned limit_ms)
{
    const uint64_t end_ns = weft_bench_now_ns() + limit_ms * WEFT_NS_PER_MS;
    do {
        if (met ? weft_swarm_is_met(swarm, node) : weft_swarm_is_gone(swarm, node))
            return (double)(weft_bench_now_ns() - from_ns) / 1e9;
    } while (weft_swarm_pause_ms(swarm, 10) && weft_bench_now_ns() < end_ns);
    return NAN;
}
