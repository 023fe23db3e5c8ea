#include "runtime/lab/remote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/admin/place.h"
#include "runtime/lab/lock.h"
#include "runtime/lab/network.h"

#define DOWN_MS 20000 // Nodes get 3 s to stop, then they are killed.

json_t *weft_lab_ask_of(const char *run, const char *method, const char *path, uint32_t timeout_ms,
                        struct weft_error *error)
{
    struct weft_client_target target = {.name = "the lab"};
    char place[WEFT_PLACE_BYTES], whole[256];
    unsigned status;

    if (run == NULL && weft_place_run(place, error) < 0) return NULL;
    if (run == NULL) run = place;
    if (weft_place_check(run, error) < 0) return NULL;
    if (weft_lab_lock_holder(run) == 0) {
        weft_error_set(error, 602, "no lab runs in %s", run);
        weft_error_hint(error, "`weft lab up` starts one; WEFT_RUN_DIR says where else to look");
        return NULL;
    }
    snprintf(target.path, sizeof(target.path), "%.*s/lab.sock", WEFT_PLACE_BYTES, run);
    snprintf(whole, sizeof(whole), "%s%s%u", path, timeout_ms > 0 ? "?timeout_ms=" : "",
             timeout_ms);
    if (timeout_ms == 0) snprintf(whole, sizeof(whole), "%s", path);
    return weft_client_json(&target, method, whole, NULL, timeout_ms > 0 ? timeout_ms + 1000 : 0,
                            &status, error);
}

json_t *weft_lab_ask(const char *method, const char *path, uint32_t timeout_ms,
                     struct weft_error *error)
{
    return weft_lab_ask_of(NULL, method, path, timeout_ms, error);
}

const json_t *weft_lab_node_of(const json_t *lab, const char *name, struct weft_error *error)
{
    const json_t *items = json_object_get(lab, "items"), *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        const char *has = json_string_value(json_object_get(item, "node"));
        if (has != NULL && strcmp(has, name) == 0) return item;
    }
    weft_error_set(error, 503, "this lab has no node %.64s", name);
    weft_error_hint(error, "`weft lab ls` shows those that it has");
    return NULL;
}

void weft_lab_node_target(const json_t *node, struct weft_client_target *target)
{
    const char *name = json_string_value(json_object_get(node, "node"));
    const char *path = json_string_value(json_object_get(node, "socket"));

    memset(target, 0, sizeof(*target));
    snprintf(target->name, sizeof(target->name), "%s", name != NULL ? name : "");
    snprintf(target->path, sizeof(target->path), "%s", path != NULL ? path : "");
}

static int number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? (int)json_integer_value(value) : -1;
}

int weft_lab_enter(const json_t *lab, const char *node, struct weft_error *error)
{
    int net_fd = number_of(lab, "bridge_fd");

    if (node != NULL) {
        const json_t *entry = weft_lab_node_of(lab, node, error);
        if (entry == NULL) return -1;
        net_fd = number_of(entry, "net_fd");
    }
    if (net_fd < 0) {
        weft_error_set(error, 603, "this lab's links are vhost: there is no namespace to enter");
        weft_error_hint(error, "`weft lab udp` sends to a node through the switch");
        return -1;
    }
    const int result =
        weft_lab_network_enter_of(number_of(lab, "process_id"), number_of(lab, "user_fd"),
                                  number_of(lab, "mount_fd"), net_fd);
    if (result == 0) return 0;
    return weft_error_set(error, 603, "the lab's namespaces cannot be entered: %s",
                          strerror(-result));
}

// Waits for the end of a process that is not our child.
static int wait_for_end(pid_t pid, struct weft_error *error)
{
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    int result;

    if (fd < 0 && errno == ESRCH) return 0;
    if (fd < 0) return weft_error_set(error, 601, "process %d: %s", (int)pid, strerror(errno));
    do {
        result = poll(&waiting, 1, DOWN_MS);
    } while (result < 0 && errno == EINTR);
    close(fd);
    if (result > 0) return 0;
    weft_error_set(error, 505, "the lab (process %d) did not end", (int)pid);
    weft_error_hint(error, "kill -9 %d ends it and its nodes; then `weft lab down` again",
                    (int)pid);
    return -1;
}

int weft_lab_down(int64_t *pid, unsigned *removed, struct weft_error *error)
{
    char run[WEFT_PLACE_BYTES];
    struct weft_lab_lock lock;
    struct stat status;
    bool stale = false;

    *pid = 0;
    *removed = 0;
    if (weft_place_run(run, error) < 0) return -1;
    if (lstat(run, &status) < 0 && errno == ENOENT) return 0;
    if (weft_place_check(run, error) < 0) return -1;
    *pid = weft_lab_lock_holder(run);
    if (*pid > 0) {
        json_t *answer = weft_lab_ask_of(run, "POST", "/api/v1/down", 0, NULL);
        json_decref(answer);
        // Before its socket is there, a signal says the same.
        if (answer == NULL) (void)kill((pid_t)*pid, SIGTERM);
        if (wait_for_end((pid_t)*pid, error) < 0) return -1;
    }
    // What a killed lab left, or one that was told to keep its files.
    char path[WEFT_PLACE_BYTES + 16];
    snprintf(path, sizeof(path), "%s/lab.lock", run);
    if (access(path, F_OK) != 0) return 0;
    if (weft_lab_lock_take(&lock, run, &stale, error) < 0) return -1;
    weft_lab_lock_release(&lock, false);
    *removed = 1;
    return 0;
}
