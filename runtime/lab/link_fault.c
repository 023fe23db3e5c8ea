#include "runtime/lab/link_fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/lab/fault.h"
#include "runtime/lab/remote.h"
#include "runtime/tool/output.h"

#define ANSWER_S 5

static int dial(const json_t *lab, struct weft_error *error)
{
    const char *run = json_string_value(json_object_get(lab, "run_dir"));
    const struct timeval limit = {.tv_sec = ANSWER_S};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int length = snprintf(address.sun_path, sizeof(address.sun_path),
                                "%s/switch/control.sock", run != NULL ? run : "");
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && length < (int)sizeof(address.sun_path) &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    weft_error_set(error, 603, "the lab's switch does not answer at %s: %s", address.sun_path,
                   strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

// One line there, one line of JSON back.
static int tell(int fd, const char *line, struct weft_error *error)
{
    char answer[4096];
    size_t length = 0;

    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        return weft_error_set(error, 603, "the lab's switch: %s", strerror(errno));
    while (length < sizeof(answer)) {
        const ssize_t got = recv(fd, answer + length, sizeof(answer) - length, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return weft_error_set(error, 505, "the lab's switch did not answer");
        length += (size_t)got;
        if (answer[length - 1] == '\n') break;
    }
    json_t *json = json_loadb(answer, length, 0, NULL);
    const char *refused = json_string_value(json_object_get(json, "error"));
    if (json == NULL) {
        weft_error_set(error, 603, "the lab's switch answered no JSON");
    } else if (refused != NULL) {
        weft_error_set(error, 504, "the lab's switch: %.300s", refused);
    }
    const int result = json != NULL && refused == NULL ? 0 : -1;
    json_decref(json);
    return result;
}

// What the switch calls it: "loss=0.2".
static int words_of(const char *kind, const char *value, const char *jitter, char *words,
                    size_t room, struct weft_error *error)
{
    static const char *const ratios[] = {"loss", "duplicate", "reorder", "corrupt"};
    uint64_t delay_ns = 0, jitter_ns = 0;
    double ratio;

    if (strcmp(kind, "clear") == 0 || strcmp(kind, "partition") == 0) {
        snprintf(words, room, "%s", kind[0] == 'c' ? "clear" : "partition=1");
        return 0;
    }
    if (strcmp(kind, "delay") == 0) {
        if (value == NULL || !weft_duration_parse(value, &delay_ns) ||
            (jitter != NULL && !weft_duration_parse(jitter, &jitter_ns)))
            return weft_error_set(error, 504, "delay: say how long, as 20ms, and maybe a jitter");
        snprintf(words, room, "delay_ms=%.6f jitter_ms=%.6f", (double)delay_ns / 1e6,
                 (double)jitter_ns / 1e6);
        return 0;
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(ratios); i++) {
        if (strcmp(kind, ratios[i]) != 0 && !(strcmp(kind, "dup") == 0 && i == 1)) continue;
        if (value == NULL || !weft_ratio_parse(value, &ratio))
            return weft_error_set(error, 504, "%s: say how often, as 10%% or 0.1", kind);
        snprintf(words, room, "%s=%.9f", ratios[i], ratio);
        return 0;
    }
    return weft_error_set(error, 504, "there is no fault \"%.32s\" between nodes", kind);
}

int weft_lab_link_fault_set(const json_t *lab, const char *pair, const char *kind,
                            const char *value, const char *jitter, struct weft_error *error)
{
    const char *link = json_string_value(json_object_get(lab, "link")), *dash = strchr(pair, '-');
    char names[2][16], words[96], line[160];

    if (link == NULL || strcmp(link, "vhost") != 0) {
        weft_error_set(error, 504, "faults between two nodes need the switch of a vhost lab");
        weft_error_hint(error, "name one node, or start the lab with --link vhost");
        return -1;
    }
    snprintf(names[0], sizeof(names[0]), "%.*s", (int)(dash != NULL ? dash - pair : 0), pair);
    snprintf(names[1], sizeof(names[1]), "%s", dash != NULL ? dash + 1 : "");
    for (int i = 0; i < 2; i++) {
        if (weft_lab_node_of(lab, names[i], error) == NULL) return -1;
    }
    if (words_of(kind, value, jitter, words, sizeof(words), error) < 0) return -1;
    const int fd = dial(lab, error);
    if (fd < 0) return -1;
    int result = 0;
    for (int i = 0; i < 2 && result == 0; i++) {
        snprintf(line, sizeof(line), "fault %s %s %s\n", names[i], names[1 - i], words);
        result = tell(fd, line, error);
    }
    close(fd);
    return result;
}
