// The lab's commands, for the tool's table (runtime/tool/command.h).
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/lab/capture.h"
#include "runtime/lab/fault.h"
#include "runtime/lab/lab.h"
#include "runtime/lab/link_fault.h"
#include "runtime/lab/network.h"
#include "runtime/lab/one_user.h"
#include "runtime/lab/remote.h"
#include "runtime/lab/udp_probe.h"
#include "runtime/tool/command.h"
#include "runtime/tool/output.h"

#define ACT_MS 20000 // For a node to start or to stop.

extern const struct weft_tool_command weft_lab_commands[];

static int fail(const struct weft_tool_call *call, const struct weft_error *error)
{
    return weft_tool_fail(call->tool, error);
}

static json_t *the_lab(const struct weft_tool_call *call, int *code)
{
    struct weft_error error = {0};
    json_t *lab = weft_lab_ask("GET", "/api/v1/lab", 0, &error);

    if (lab == NULL) *code = fail(call, &error);
    return lab;
}

static bool number_take(const char *text, uint32_t min, uint32_t max, uint32_t *number)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < min || value > max) return false;
    *number = (uint32_t)value;
    return true;
}

// ---- up, down, ls

static int run_up(struct weft_tool_call *call)
{
    const char *nodes = weft_tool_value(call, "nodes"), *link = weft_tool_value(call, "link");
    const char *workers = weft_tool_value(call, "workers");
    struct weft_error error = {0};
    struct weft_lab_options options = {
        .node_count = 3,
        .ready_timeout_ms = call->tool->timeout_ms,
        .smoke = weft_tool_value(call, "smoke") != NULL,
        .keep = weft_tool_value(call, "keep") != NULL,
        .live = weft_tool_value(call, "no-live") == NULL,
        .link_chosen = link != NULL,
        .out = call->tool->out,
        .err = call->tool->err,
    };

    if (nodes != NULL && !number_take(nodes, 1, WEFT_LAB_NODES_MAX, &options.node_count))
        return weft_tool_usage(call, "--nodes %s: 1 to %d", nodes, WEFT_LAB_NODES_MAX);
    if (workers != NULL && !number_take(workers, 1, 62, &options.worker_count))
        return weft_tool_usage(call, "--workers %s: 1 to 62", workers);
    if (link != NULL && strcmp(link, "vhost") == 0) {
        options.link = WEFT_LAB_VHOST;
    } else if (link != NULL && strcmp(link, "veth") != 0) {
        return weft_tool_usage(call, "--link %s: the links are veth and vhost", link);
    }
    if (options.smoke && options.node_count < 3)
        return weft_tool_usage(call, "--smoke checks a lab of at least three nodes");
    const int result = weft_lab_up(&options, &error);
    return result < 0 ? fail(call, &error) : result == 0 ? WEFT_EXIT_DONE : WEFT_EXIT_NO;
}

static int run_down(struct weft_tool_call *call)
{
    struct weft_error error = {0};
    int64_t pid;
    unsigned removed;

    if (weft_lab_down(&pid, &removed, &error) < 0) return fail(call, &error);
    if (call->tool->format != WEFT_FORMAT_TABLE) {
        json_t *json = json_pack("{s:s, s:I, s:b, s:i}", "apiVersion", "v1", "process_id",
                                 (json_int_t)pid, "stopped", (int)(pid > 0), "left", 0);
        weft_output_json(call->tool, json);
        json_decref(json);
        return WEFT_EXIT_DONE;
    }
    if (pid > 0) fprintf(call->tool->out, "stopped the lab (process %lld)\n", (long long)pid);
    if (removed > 0) fprintf(call->tool->out, "removed what a lab had left\n");
    fprintf(call->tool->out, "nothing left\n");
    return WEFT_EXIT_DONE;
}

static const struct weft_column node_columns[] = {
    {"NODE", "node", WEFT_COLUMN_TEXT},           {"STATE", "state", WEFT_COLUMN_STATE},
    {"ADDRESS", "address", WEFT_COLUMN_TEXT},     {"ADMIN", "admin", WEFT_COLUMN_TEXT},
    {"PROCESS", "process_id", WEFT_COLUMN_COUNT}, {"RESTARTS", "restarts", WEFT_COLUMN_COUNT},
    {"REASON", "reason", WEFT_COLUMN_TEXT},       {.title = NULL}};

static int run_ls(struct weft_tool_call *call)
{
    int code = WEFT_EXIT_DONE;
    json_t *lab = the_lab(call, &code);

    if (lab == NULL) return code;
    weft_output_list(call->tool, lab, node_columns);
    if (call->tool->format == WEFT_FORMAT_TABLE) {
        fprintf(call->tool->out, "lab: process %" JSON_INTEGER_FORMAT ", links %s, files in %s\n",
                json_integer_value(json_object_get(lab, "process_id")),
                json_string_value(json_object_get(lab, "link")),
                json_string_value(json_object_get(lab, "run_dir")));
    }
    json_decref(lab);
    return code;
}

// ---- start, stop, kill

static int act(struct weft_tool_call *call, const char *node, const char *verb)
{
    struct weft_error error = {0};
    char path[128];

    snprintf(path, sizeof(path), "/api/v1/nodes/%.63s/%s", node, verb);
    const uint32_t timeout_ms = call->tool->timeout_ms > 0 ? call->tool->timeout_ms : ACT_MS;
    json_t *answer = weft_lab_ask("POST", path, timeout_ms, &error);
    if (answer == NULL) return fail(call, &error);
    if (call->tool->format != WEFT_FORMAT_TABLE) {
        weft_output_json(call->tool, answer);
    } else {
        const char *state = json_string_value(json_object_get(answer, "state"));
        fprintf(call->tool->out, "%s is %s\n", node, state != NULL ? state : "gone");
    }
    json_decref(answer);
    return WEFT_EXIT_DONE;
}

static int run_start(struct weft_tool_call *call)
{
    return act(call, weft_tool_arg(call, 0), "start");
}

static int run_stop(struct weft_tool_call *call)
{
    return act(call, weft_tool_arg(call, 0), "stop");
}

// ---- fault

static const struct weft_column fault_columns[] = {
    {"NODE", "node", WEFT_COLUMN_TEXT},
    {"PORT", "port", WEFT_COLUMN_TEXT},
    {"LOSS", "loss_ratio", WEFT_COLUMN_RATIO},
    {"DUPLICATE", "duplicate_ratio", WEFT_COLUMN_RATIO},
    {"REORDER", "reorder_ratio", WEFT_COLUMN_RATIO},
    {"CORRUPT", "corrupt_ratio", WEFT_COLUMN_RATIO},
    {"DELAY", "delay_ns", WEFT_COLUMN_DURATION},
    {"JITTER", "jitter_ns", WEFT_COLUMN_DURATION},
    {"PARTITION", "partition", WEFT_COLUMN_TEXT},
    {.title = NULL}};

static int fault_node(struct weft_tool_call *call, const json_t *node, json_t *items)
{
    const char *kind = weft_tool_arg(call, 0), *value = weft_tool_arg(call, 2);
    const char *jitter = weft_tool_arg(call, 3);
    struct weft_error error = {0};
    size_t i;
    json_t *item, *faults = weft_lab_fault_set(node, kind, value, jitter, &error);

    if (faults == NULL) return fail(call, &error);
    json_array_foreach(json_object_get(faults, "items"), i, item)
    {
        json_object_set(item, "node", json_object_get(node, "node"));
        json_array_append(items, item);
    }
    json_decref(faults);
    return WEFT_EXIT_DONE;
}

static int fault_pair(struct weft_tool_call *call, const json_t *lab)
{
    const char *kind = weft_tool_arg(call, 0), *pair = weft_tool_arg(call, 1);
    const char *value = weft_tool_arg(call, 2);
    struct weft_error error = {0};

    if (weft_lab_link_fault_set(lab, pair, kind, value, weft_tool_arg(call, 3), &error) < 0)
        return fail(call, &error);
    fprintf(call->tool->out, "%s: %s%s%s\n", pair, kind, value != NULL ? " " : "",
            value != NULL ? value : "");
    return WEFT_EXIT_DONE;
}

static int run_fault(struct weft_tool_call *call)
{
    const char *kind = weft_tool_arg(call, 0), *name = weft_tool_arg(call, 1);
    struct weft_error error = {0};
    int code = WEFT_EXIT_DONE;
    size_t i;

    if (strcmp(kind, "kill") == 0) {
        if (name == NULL) return weft_tool_usage(call, "kill: which node?");
        return act(call, name, "kill");
    }
    if (name == NULL && strcmp(kind, "clear") != 0)
        return weft_tool_usage(call, "%s: on which node? (\"all\" for each)", kind);
    const bool all = name == NULL || strcmp(name, "all") == 0;
    json_t *lab = the_lab(call, &code);
    if (lab == NULL) return code;
    if (name != NULL && strchr(name, '-') != NULL) {
        code = fault_pair(call, lab);
        json_decref(lab);
        return code;
    }
    json_t *items = json_array(), *node;
    if (!all) {
        const json_t *one = weft_lab_node_of(lab, name, &error);
        code = one == NULL ? fail(call, &error) : fault_node(call, one, items);
    }
    json_array_foreach(json_object_get(lab, "items"), i, node)
    {
        const char *state = json_string_value(json_object_get(node, "state"));
        if (!all || strcmp(state, "ready") != 0) continue;
        code = fault_node(call, node, items);
        if (code != WEFT_EXIT_DONE) break;
    }
    json_t *document = json_pack("{s:s, s:o, s:n}", "apiVersion", "v1", "items", items, "next");
    if (code == WEFT_EXIT_DONE) weft_output_list(call->tool, document, fault_columns);
    json_decref(document);
    json_decref(lab);
    return code;
}

// ---- exec, shell

static int enter_and_run(struct weft_tool_call *call, const char *node, char **words, int count)
{
    struct weft_error error = {0};
    int code = WEFT_EXIT_DONE;
    json_t *lab = the_lab(call, &code);

    if (lab == NULL) return code;
    const bool user_namespace = json_integer_value(json_object_get(lab, "user_fd")) >= 0;
    const int entered = weft_lab_enter(lab, node, &error);
    json_decref(lab);
    if (entered < 0) return fail(call, &error);
    if (user_namespace) {
        (void)weft_lab_forgive_setgroups(); // Without it, only programs that insist fail.
        words = weft_lab_stay_root(words, count);
    }
    fflush(NULL);
    execvp(words[0], words);
    const int reason = errno;
    fprintf(call->tool->err, "error: %s: %s\n", words[0], strerror(reason));
    return reason == ENOENT ? 127 : 126; // As a shell would say.
}

static int run_exec(struct weft_tool_call *call)
{
    if (call->rest_count == 0)
        return weft_tool_usage(call, "which command? Put it behind --: weft lab exec -- ip addr");
    return enter_and_run(call, weft_tool_arg(call, 0), call->rest, call->rest_count);
}

static int run_shell(struct weft_tool_call *call)
{
    const char *shell = getenv("SHELL"), *node = weft_tool_arg(call, 0);
    char *words[2] = {(char *)(uintptr_t)(shell != NULL && shell[0] == '/' ? shell : "/bin/sh"),
                      NULL};

    if (isatty(0))
        fprintf(call->tool->err, "inside the lab's network (%s); exit leaves it\n",
                node != NULL ? node : "the bridge, " WEFT_LAB_CLIENT);
    setenv("WEFT_LAB", node != NULL ? node : "bridge", 1);
    return enter_and_run(call, node, words, 1);
}

// ---- udp, pcap, path

static int run_udp(struct weft_tool_call *call)
{
    struct weft_lab_udp udp = {.address = weft_tool_arg(call, 0),
                               .text = weft_tool_arg(call, 2),
                               .timeout_ms = call->tool->timeout_ms};
    struct weft_error error = {0};
    int code = WEFT_EXIT_DONE;
    uint32_t port;

    if (!number_take(weft_tool_arg(call, 1), 1, 65535, &port))
        return weft_tool_usage(call, "%s is no port", weft_tool_arg(call, 1));
    udp.port = (uint16_t)port;
    udp.length = strlen(udp.text);
    if (udp.length > WEFT_LAB_UDP_BYTES)
        return weft_tool_usage(call, "a datagram holds %d bytes", WEFT_LAB_UDP_BYTES);
    json_t *lab = the_lab(call, &code);
    if (lab == NULL) return code;
    const int result = weft_lab_udp_ask(lab, &udp, &error);
    json_decref(lab);
    if (result == -ECONNREFUSED) {
        fprintf(call->tool->err, "%s: port %u is unreachable: nothing is bound to it\n",
                udp.address, port);
        return WEFT_EXIT_NO;
    }
    if (result == -ETIMEDOUT) {
        fprintf(call->tool->err, "%s: no answer\n", udp.address);
        return WEFT_EXIT_TIMEOUT;
    }
    if (result < 0) return fail(call, &error);
    fwrite(udp.reply, 1, udp.reply_length, call->tool->out);
    if (udp.reply_length == 0 || udp.reply[udp.reply_length - 1] != '\n')
        fputc('\n', call->tool->out);
    return WEFT_EXIT_DONE;
}

static int capture_to(struct weft_tool_call *call, const json_t *lab,
                      struct weft_lab_capture_options *options)
{
    const char *path = weft_tool_value(call, "write");
    struct weft_error error = {0};

    options->fd = 1;
    if (path != NULL && strcmp(path, "-") != 0) {
        options->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (options->fd < 0) {
            fprintf(call->tool->err, "error: %s: %s\n", path, strerror(errno));
            return WEFT_EXIT_INPUT;
        }
    }
    const int64_t count = weft_lab_capture(lab, options, &error);
    if (options->fd != 1) close(options->fd);
    if (count < 0) return fail(call, &error);
    fprintf(call->tool->err, "%lld packets\n", (long long)count);
    return WEFT_EXIT_DONE;
}

static int run_pcap(struct weft_tool_call *call)
{
    struct weft_lab_capture_options options = {.node = call->tool->node, .err = call->tool->err};
    const char *count = weft_tool_value(call, "count"), *path = weft_tool_value(call, "write");
    const char *duration = weft_tool_value(call, "for");
    uint32_t packets = 0;
    int code = WEFT_EXIT_DONE;

    if (count != NULL && !number_take(count, 1, UINT32_MAX, &packets))
        return weft_tool_usage(call, "--count %s: a number of packets", count);
    if (duration != NULL && !weft_duration_parse(duration, &options.duration_ns))
        return weft_tool_usage(call, "--for %s: say 500ms, 5s or 1m", duration);
    if ((path == NULL || strcmp(path, "-") == 0) && isatty(1))
        return weft_tool_usage(call, "a capture is not for a terminal: -w FILE, or | tcpdump -r -");
    options.packet_max = packets;
    json_t *lab = the_lab(call, &code);
    if (lab == NULL) return code;
    code = capture_to(call, lab, &options);
    json_decref(lab);
    return code;
}

static int run_path(struct weft_tool_call *call)
{
    const char *name = weft_tool_arg(call, 0);
    struct weft_error error = {0};
    char run[WEFT_PLACE_BYTES];

    if (weft_place_run(run, &error) < 0) return fail(call, &error);
    if (name == NULL) {
        fprintf(call->tool->out, "%s\n", run);
        return WEFT_EXIT_DONE;
    }
    int code = WEFT_EXIT_DONE;
    json_t *lab = the_lab(call, &code);
    if (lab == NULL) return code;
    const json_t *node = weft_lab_node_of(lab, name, &error);
    if (node == NULL) {
        code = fail(call, &error);
    } else {
        fprintf(call->tool->out, "%s/%s\n", json_string_value(json_object_get(lab, "run_dir")),
                name);
    }
    json_decref(lab);
    return code;
}

const struct weft_tool_command weft_lab_commands[] = {
    {.group = "Try",
     .noun = "lab",
     .verb = "up",
     .args = "",
     .summary = "Starts a swarm on this machine, until Ctrl-C.",
     .details =
         "Starts three nodes, each its own process in its own network namespace, joined by real "
         "Ethernet frames; shows their health; takes every process, namespace, socket and file "
         "away when it ends. Needs no root: where the kernel refuses namespaces, the nodes are "
         "joined by a switch in shared memory (--link vhost). A node that ends by itself is "
         "started again.",
     .examples = "weft lab up          # three nodes\n"
                 "weft lab up --smoke  # check that all of it works, then stop\n",
     .exits = "1: a check of --smoke failed, or a lab runs already; 69: a node did not start",
     .run = run_up,
     .options = {{"nodes", 0, "N", "how many (3)"},
                 {"link", 0, "KIND", "veth (kernel interfaces) or vhost (shared memory)"},
                 {"workers", 0, "N", "worker cores of each node (1 under 8 CPUs, else 2)"},
                 {"smoke", 0, NULL, "check that it works, then stop: exit 0 or 1"},
                 {"keep", 0, NULL, "leave logs and journals behind"},
                 {"no-live", 0, NULL, "no line of health"}}},
    {.group = "Try",
     .noun = "lab",
     .verb = "down",
     .args = "",
     .summary = "Stops the lab, and removes what a killed one left.",
     .run = run_down},
    {.group = "Try",
     .noun = "lab",
     .verb = "ls",
     .args = "",
     .summary = "The lab's nodes: state, address, URL, process.",
     .run = run_ls},
    {.group = "Try",
     .noun = "lab",
     .verb = "start",
     .args = "NODE",
     .arg_min = 1,
     .arg_max = 1,
     .complete = "node",
     .summary = "Starts a node that was stopped or killed.",
     .details = "Answers when the node is ready: its journaled units are back by then.",
     .run = run_start},
    {.group = "Try",
     .noun = "lab",
     .verb = "stop",
     .args = "NODE",
     .arg_min = 1,
     .arg_max = 1,
     .complete = "node",
     .summary = "Stops a node in order; it stays down until `lab start`.",
     .run = run_stop},
    {.group = "Try",
     .noun = "lab",
     .verb = "fault",
     .args = "KIND [NODE] [VALUE]",
     .arg_min = 1,
     .arg_max = 4,
     .complete = "fault node",
     .summary = "Kills a node, or loses, delays, damages what passes its ports.",
     .details =
         "NODE is one, or \"all\"; on vhost links also a pair (n1-n3), whose faults it replaces. "
         "KIND is kill (the process dies at once and stays dead until `lab start`), loss, "
         "duplicate, reorder or corrupt (with how often), delay (with a time, and maybe a "
         "jitter), partition (nothing passes), or clear (ends all but kill).",
     .examples = "weft lab fault kill n2\n"
                 "weft lab fault loss n1 10%\n"
                 "weft lab fault delay all 20ms 5ms\n"
                 "weft lab fault clear\n",
     .run = run_fault},
    {.group = "Try",
     .noun = "lab",
     .verb = "exec",
     .args = "[NODE] -- COMMAND…",
     .arg_max = 1,
     .rest = true,
     .complete = "node",
     .summary = "Runs a program inside the lab's network.",
     .details = "In the namespace of the bridge (10.77.0.1), from where the nodes are reached as "
                "by any kernel, or in a node's own. The exit status is the program's.",
     .examples = "weft lab exec -- ping -c1 10.77.0.11\n"
                 "weft lab exec -- nc -u 10.77.0.11 4200  # type: 21 2 * .\n"
                 "weft lab exec n1 -- ip link\n",
     .run = run_exec},
    {.group = "Try",
     .noun = "lab",
     .verb = "shell",
     .args = "[NODE]",
     .arg_max = 1,
     .complete = "node",
     .summary = "A shell inside the lab's network.",
     .run = run_shell},
    {.group = "Try",
     .noun = "lab",
     .verb = "udp",
     .args = "ADDRESS PORT TEXT",
     .arg_min = 3,
     .arg_max = 3,
     .summary = "Sends one datagram into the lab and prints the reply.",
     .details = "By a socket of the kernel inside the lab's network; on vhost links, where there "
                "is none, as a frame of our own through the switch.",
     .examples = "weft lab udp 10.77.0.11 4200 '21 2 * .'\n",
     .exits = "1: port unreachable; 124: no answer",
     .run = run_udp},
    {.group = "Try",
     .noun = "lab",
     .verb = "pcap",
     .args = "",
     .summary = "Captures what passes the nodes' ports, as pcapng.",
     .details = "Every node's own capture in one stream, one interface for each node (--node: only "
                "that one). Packets are written as they come.",
     .examples = "weft lab pcap -w - | tcpdump -nr -\n"
                 "weft lab pcap -w lab.pcapng -c 100\n",
     .run = run_pcap,
     .options = {{"write", 'w', "FILE", "where to; \"-\" (or nothing): standard output"},
                 {"count", 'c', "N", "end after N packets"},
                 {"for", 0, "TIME", "end after TIME (5s)"}}},
    {.group = "Try",
     .noun = "lab",
     .verb = "path",
     .args = "[NODE]",
     .arg_max = 1,
     .complete = "node",
     .summary = "Where the lab, or a node of it, keeps its files and sockets.",
     .examples = "curl --unix-socket \"$(weft lab path n1)/admin.sock\" http://weft/metrics\n",
     .run = run_path},
    {.noun = NULL},
};
