// What the lab answers on RUN/lab.sock: what it is, and start, stop, kill of its nodes.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/admin/route.h"
#include "runtime/lab/lab_internal.h"

static json_t *node_document(const struct weft_lab *lab, uint32_t index)
{
    const struct weft_lab_node *node = &lab->nodes[index];
    char url[48], socket_path[WEFT_PLACE_BYTES + 32], log[WEFT_PLACE_BYTES + 32];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)node->port);
    snprintf(socket_path, sizeof(socket_path), "%s/admin.sock", node->directory);
    snprintf(log, sizeof(log), "%s/log", node->directory);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:i}", "node", node->name,
                     "address", node->address, "admin", url, "socket", socket_path, "log", log,
                     "process_id", (int)node->pid, "state", weft_lab_state_name(node->state),
                     "reason", node->why, "restarts", (int)node->restarts, "net_fd",
                     lab->link == WEFT_LAB_VETH ? lab->network.node_fd[index] : -1);
}

json_t *weft_lab_document(const struct weft_lab *lab)
{
    const bool veth = lab->link == WEFT_LAB_VETH;
    json_t *items = json_array();

    for (uint32_t i = 0; i < lab->node_count; i++) {
        json_array_append_new(items, node_document(lab, i));
    }
    return json_pack(
        "{s:s, s:i, s:s, s:s, s:I, s:I, s:b, s:i, s:i, s:i, s:i, s:o, s:n}", "apiVersion", "v1",
        "process_id", (int)getpid(), "link", veth ? "veth" : "vhost", "run_dir", lab->lock.run,
        "start_wall_ns", (json_int_t)lab->start_wall_ns, "ready_ns", (json_int_t)lab->ready_ns,
        "ready", (int)lab->booted, "switch_process_id", (int)lab->switcher.pid, "user_fd",
        veth ? lab->network.user_fd : -1, "mount_fd", veth ? lab->network.mount_fd : -1,
        "bridge_fd", veth ? lab->network.bridge_fd : -1, "items", items, "next");
}

static void handle_lab(struct weft_admin_request *request)
{
    weft_admin_reply_json(request, 200, weft_lab_document(request->self));
}

static void handle_down(struct weft_admin_request *request)
{
    struct weft_lab *lab = request->self;

    lab->ending = true;
    snprintf(lab->reason, sizeof(lab->reason), "asked to by `weft lab down`");
    weft_admin_reply_json(request, 202, json_pack("{s:i}", "process_id", (int)getpid()));
}

static int find_node(struct weft_admin_request *request, uint32_t *index)
{
    const struct weft_lab *lab = request->self;

    for (uint32_t i = 0; i < lab->node_count; i++) {
        if (strcmp(lab->nodes[i].name, request->name) != 0) continue;
        *index = i;
        return 0;
    }
    weft_admin_reply_problem(request, 503, "this lab has no node %s", request->name);
    return -1;
}

// The answer comes when the node has arrived where it was sent.
static void wait_for(struct weft_admin_request *request, uint32_t index)
{
    struct weft_lab *lab = request->self;
    struct weft_admin_command *command = weft_admin_defer(request, WEFT_ADMIN_OTHER, "", 0);

    if (command == NULL) return;
    command->self = lab;
    weft_list_append(&lab->nodes[index].waiting, &command->link);
    weft_lab_settle(lab, &lab->nodes[index]);
}

static void handle_start(struct weft_admin_request *request)
{
    struct weft_lab *lab = request->self;
    uint32_t index;

    if (find_node(request, &index) < 0) return;
    struct weft_lab_node *node = &lab->nodes[index];
    if (node->state == WEFT_LAB_STOPPING || lab->ending) {
        weft_admin_reply_problem(request, 405, "%s is about to stop: try again", node->name);
        return;
    }
    if (node->state == WEFT_LAB_DOWN || node->state == WEFT_LAB_RESTING) {
        node->failures = 0;
        weft_lab_say(lab, "lab: %s starts", node->name);
        const int result = weft_lab_start_node(lab, index);
        if (result < 0) {
            weft_admin_reply_problem(request, 604, "%s: %s", node->name, strerror(-result));
            return;
        }
    }
    wait_for(request, index);
}

static void end_node(struct weft_admin_request *request, bool kill_now, const char *how)
{
    struct weft_lab *lab = request->self;
    char why[sizeof(lab->nodes[0].why)];
    uint32_t index;

    if (find_node(request, &index) < 0) return;
    struct weft_lab_node *node = &lab->nodes[index];
    if (node->state != WEFT_LAB_DOWN) {
        snprintf(why, sizeof(why), "%s; `weft lab start %s` starts it", how, node->name);
        weft_lab_say(lab, "lab: %s %s", node->name, how);
        weft_lab_node_stop(node, kill_now, why, weft_clock_now_ns(&lab->clock));
    }
    wait_for(request, index);
}

static void handle_stop(struct weft_admin_request *request)
{
    end_node(request, false, "stopped by `weft lab stop`");
}

static void handle_kill(struct weft_admin_request *request)
{
    end_node(request, true, "killed by `weft lab fault kill`");
}

void weft_lab_settle(struct weft_lab *lab, struct weft_lab_node *node)
{
    struct weft_list *link;

    if (node->state == WEFT_LAB_STARTING || node->state == WEFT_LAB_STOPPING) return;
    while ((link = weft_list_pop(&node->waiting)) != NULL) {
        struct weft_admin_command *command =
            WEFT_CONTAINER_OF(link, struct weft_admin_command, link);
        if (node->state == WEFT_LAB_RESTING) {
            struct weft_error error;
            weft_error_set(&error, 604, "%s did not become ready: %s", node->name, node->why);
            weft_error_hint(&error, "its log: %.150s/log", node->directory);
            weft_admin_fail(command, &error);
        } else {
            weft_admin_complete_json(command, 200,
                                     node_document(lab, (uint32_t)(node - lab->nodes)));
        }
    }
}

void weft_lab_settle_all(struct weft_lab *lab)
{
    for (uint32_t i = 0; i < lab->node_count; i++) {
        struct weft_list *link;
        while ((link = weft_list_pop(&lab->nodes[i].waiting)) != NULL) {
            struct weft_error error;
            weft_error_set(&error, 602, "the lab ends");
            weft_admin_fail(WEFT_CONTAINER_OF(link, struct weft_admin_command, link), &error);
        }
    }
}

#define TIMEOUT                                                                                    \
    {                                                                                              \
        "timeout_ms", "integer", "answer 504 after so long; 10 s if absent, 60 s at most"          \
    }

const struct weft_admin_route weft_lab_routes[] = {
    {"GET", "/openapi.json", "openapi", "This description.", weft_admin_handle_openapi},
    {"GET", "/api/v1/lab", "lab", "The lab: its process, network and nodes.", handle_lab},
    {"POST", "/api/v1/down", "lab_down", "Ends the lab.", handle_down},
    {"POST", "/api/v1/nodes/{name}/start", "node_start", "Starts a node; answers when it is ready.",
     handle_start, .query = {TIMEOUT}},
    {"POST", "/api/v1/nodes/{name}/stop", "node_stop",
     "Ends a node in order; answers when its process has ended.", handle_stop, .query = {TIMEOUT}},
    {"POST", "/api/v1/nodes/{name}/kill", "node_kill",
     "Kills a node; answers when its process has ended.", handle_kill, .query = {TIMEOUT}},
    {0},
};
