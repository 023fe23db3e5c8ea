// Commands that need no node: configurations and keys.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "config/config.h"
#include "config/schema.h"
#include "runtime/tool/handlers.h"

int weft_run_config_check(struct weft_tool_call *call)
{
    const struct weft_tool *tool = call->tool;
    struct weft_config config;
    struct weft_config_report report = {0};
    const int result = weft_config_load(&config, call->args[0], &report);

    if (result == 0) weft_config_free(&config);
    if (tool->format != WEFT_FORMAT_TABLE) {
        weft_config_report_json(&report, tool->out);
    } else if (report.error_count > 0) {
        weft_config_report_print(&report, tool->err, tool->colour);
        fprintf(tool->err, "%zu error%s\n", report.error_count, report.error_count == 1 ? "" : "s");
    } else if (result == 0) {
        fprintf(tool->out, "%s: ok\n", call->args[0]);
    } else {
        fprintf(tool->err, "error: %s: %s\n", call->args[0], strerror(-result));
    }
    weft_config_report_free(&report);
    return result == 0 ? WEFT_EXIT_DONE : WEFT_EXIT_CONFIG;
}

int weft_run_config_explain(struct weft_tool_call *call)
{
    const char *key = weft_tool_arg(call, 0);
    const struct weft_schema_key *known;

    if (key != NULL) {
        if (weft_schema_explain(key, call->tool->out) == 0) return WEFT_EXIT_DONE;
        fprintf(call->tool->err,
                "error[W0101] there is no key \"%s\"\n"
                "hint: weft config explain lists them all\n",
                key);
        return WEFT_EXIT_NO;
    }
    for (size_t i = 0; (known = weft_schema_at(i)) != NULL; i++) {
        fprintf(call->tool->out, "%-26s %-10s %s\n", known->path,
                weft_schema_type_name(known->type), known->meaning);
    }
    return WEFT_EXIT_DONE;
}

int weft_run_config_defaults(struct weft_tool_call *call)
{
    weft_schema_defaults(call->tool->out);
    return WEFT_EXIT_DONE;
}

int weft_run_config_schema(struct weft_tool_call *call)
{
    weft_schema_json(call->tool->out);
    return WEFT_EXIT_DONE;
}

int weft_run_mesh_keygen(struct weft_tool_call *call)
{
    const char *path = call->args[0];
    unsigned char key[32];
    char text[sizeof(key) * 2 + 2];
    struct weft_error error = {0};

    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) return WEFT_EXIT_INTERNAL;
    for (size_t i = 0; i < sizeof(key); i++)
        snprintf(text + 2 * i, 3, "%02x", key[i]);
    text[sizeof(text) - 2] = '\n';
    // O_EXCL: a key that exists is in use somewhere, and a link could lead elsewhere.
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        weft_error_set(&error, 301, "%s: %s", path, strerror(errno));
        if (errno == EEXIST) weft_error_hint(&error, "remove it first, if it is not in use");
        return weft_tool_fail(call->tool, &error);
    }
    const ssize_t written = write(fd, text, sizeof(text) - 1);
    const int reason = errno;
    if (close(fd) == 0 && written == (ssize_t)sizeof(text) - 1) {
        fprintf(call->tool->err, "wrote %s; every node of the cluster needs the same\n", path);
        return WEFT_EXIT_DONE;
    }
    unlink(path);
    weft_error_set(&error, 301, "%s: %s", path, written < 0 ? strerror(reason) : "not written");
    return weft_tool_fail(call->tool, &error);
}
