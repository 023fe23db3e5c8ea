// application.c: the master of an application, and who asks for it.
#include <weft/application.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <weft/link.h>
#include <weft/registry.h>

#define PREFIX      "application:"
#define NEEDS_DEPTH 32 // Applications that need each other in a row; more are a circle.

struct order { // What a master is given: the strings behind it, each with its zero.
    const struct weft_application *application;
    uint32_t argc, env_count;
    char strings[];
};

struct master {
    struct weft_application_args args;
    weft_pid top; // 0: none.
};

const char *weft_application_setting(const struct weft_application_args *args, const char *key)
{
    const size_t length = strlen(key);
    for (size_t i = args->env_count; i-- > 0;) {
        if (strncmp(args->env[i], key, length) == 0 && args->env[i][length] == '=')
            return args->env[i] + length + 1;
    }
    return NULL;
}

// C converts neither by itself.
static const char *const *read_only(char *const *strings)
{
    return (const char *const *)(const void *)strings;
}

// ---- The master.

// The pointers to so many strings, and a NULL. *at stands behind them afterwards.
static char **point(struct weft_actor *self, uint32_t count, char **at)
{
    char **pointers = weft_alloc(self, (count + 1) * sizeof(pointers[0]));
    for (uint32_t i = 0; pointers != NULL && i < count; i++) {
        pointers[i] = *at;
        *at += strlen(*at) + 1;
    }
    if (pointers != NULL) pointers[count] = NULL;
    return pointers;
}

static int take_args(struct weft_actor *self, struct master *master, const struct order *order,
                     size_t length)
{
    char *strings = weft_alloc(self, length - sizeof(*order) + 1);
    if (strings == NULL) return -ENOMEM;
    memcpy(strings, order->strings, length - sizeof(*order));
    char *at = strings;
    char **argv = point(self, order->argc, &at);
    char **env = point(self, order->env_count, &at);
    if (argv == NULL || env == NULL) return -ENOMEM;
    master->args = (struct weft_application_args){.application = order->application,
                                                  .argc = (int)order->argc,
                                                  .argv = argv,
                                                  .env_count = order->env_count,
                                                  .env = read_only(env)};
    return 0;
}

static int init(struct weft_actor *self, void *state, const void *args, size_t length)
{
    struct master *master = state;
    int result = take_args(self, master, args, length);
    if (result != 0) return result;
    weft_trap_exit(self, true);
    result = master->args.application->start(self, &master->args, &master->top);
    if (result == 0 && master->top != 0) result = weft_link(self, master->top);
    return result;
}

static void stop_application(struct weft_actor *self, struct master *master)
{
    const struct weft_application *application = master->args.application;
    if (master->top != 0 && weft_exit_send(self, master->top, WEFT_EXIT_SHUTDOWN) == 0)
        weft_join(self, master->top, WEFT_FOREVER, NULL);
    if (application->stop != NULL) application->stop(self, &master->args);
}

static void on_shutdown(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)reason;
    stop_application(self, state);
}

static void on_info(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct master *master = state;
    if (message->tag != WEFT_MESSAGE_EXIT || message->from != master->top || master->top == 0)
        return;
    const uint16_t reason = message->type;
    weft_say(self, weft_exit_is_failure(reason) ? WEFT_LEVEL_ERROR : WEFT_LEVEL_INFO,
             "its tree has ended: %s", weft_exit_name(reason));
    stop_application(self, master);
    weft_stop(self, reason);
}

static void on_call(struct weft_actor *self, void *state, struct weft_message *call)
{
    const struct master *master = state;
    if (call->type != WEFT_APPLICATION_ENV) return;
    if (call->length == 0 || call->payload[call->length - 1] != 0) {
        weft_reply_error(self, call, -EINVAL);
        return;
    }
    const char *value = weft_application_setting(&master->args, (const char *)call->payload);
    if (value == NULL)
        weft_reply_error(self, call, -ENOENT);
    else
        weft_reply(self, call, call->type, value, strlen(value) + 1);
}

static const struct weft_server master_server = {
    WEFT_SERVER("application", struct master),
    .init = init,
    .call = on_call,
    .info = on_info,
    .shutdown = on_shutdown,
};

// ---- Starting.

// The name that a master is registered by.
struct full_name {
    char text[sizeof(PREFIX) + WEFT_APPLICATION_NAME_MAX];
};

static bool make_name(const char *name, struct full_name *full)
{
    const int length = snprintf(full->text, sizeof(full->text), PREFIX "%s", name);
    return length > (int)sizeof(PREFIX) - 1 && length < (int)sizeof(full->text);
}

static size_t bytes_of(const char *const *strings, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += strlen(strings[i]) + 1;
    return bytes;
}

static char *copy_strings(char *to, const char *const *strings, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const size_t bytes = strlen(strings[i]) + 1;
        memcpy(to, strings[i], bytes);
        to += bytes;
    }
    return to;
}

static bool count_env(const char *const *env, uint32_t *count)
{
    for (*count = 0; env != NULL && env[*count] != NULL; ++*count) {
        if (strchr(env[*count], '=') == NULL) return false;
    }
    return true;
}

typedef int starter(struct weft_actor *self, const struct weft_start *start, weft_pid *pid);

static int start_master(struct weft_actor *self, const struct weft_application *application,
                        int argc, char *const *argv, const char *const *env, starter *start_it,
                        weft_pid *master)
{
    struct full_name name;
    uint32_t env_count;
    if (application->start == NULL || argc < 0 || !make_name(application->name, &name) ||
        !count_env(env, &env_count))
        return -EINVAL;
    const size_t bytes =
        sizeof(struct order) + bytes_of(read_only(argv), (uint32_t)argc) + bytes_of(env, env_count);
    struct order *order = weft_alloc(self, bytes);
    if (order == NULL) return -ENOMEM;
    *order =
        (struct order){.application = application, .argc = (uint32_t)argc, .env_count = env_count};
    char *behind = copy_strings(order->strings, read_only(argv), (uint32_t)argc);
    copy_strings(behind, env, env_count);
    const struct weft_start start = {
        .server = &master_server, .args = order, .length = bytes, .name = name.text};
    const int result = start_it(self, &start, master);
    weft_free(self, order);
    return result == -EEXIST && *master != 0 ? -EALREADY : result;
}

static int start_needed(struct weft_actor *self, const struct weft_application *application,
                        unsigned depth)
{
    if (depth == NEEDS_DEPTH) return -ELOOP;
    for (const struct weft_application *const *need = application->needs;
         need != NULL && *need != NULL; need++) {
        weft_pid master;
        if (weft_application_find(self, (*need)->name) != 0) continue;
        int result = start_needed(self, *need, depth + 1);
        if (result == 0)
            result = start_master(self, *need, 0, NULL, NULL, weft_server_start, &master);
        if (result != 0 && result != -EALREADY) return result;
    }
    return 0;
}

static int start_all(struct weft_actor *self, const struct weft_application *application, int argc,
                     char *const *argv, const char *const *env, starter *start_it, weft_pid *master)
{
    *master = weft_application_find(self, application->name);
    if (*master != 0) return -EALREADY;
    const int result = start_needed(self, application, 0);
    return result == 0 ? start_master(self, application, argc, argv, env, start_it, master)
                       : result;
}

int weft_application_start(struct weft_actor *self, const struct weft_application *application,
                           int argc, char *const *argv, const char *const *env, weft_pid *master)
{
    return start_all(self, application, argc, argv, env, weft_server_start, master);
}

// ---- As a module.

// Linked, so that its end, however soon, is a message with its reason. The settings, which stand in
// front of the arguments, have no NULL behind them there.
static int start_linked(struct weft_actor *self, const struct weft_application *application,
                        int argc, char *const *argv, weft_pid *master)
{
    int count = 0;
    while (count < argc && strchr(argv[count], '=') != NULL)
        count++;
    const char **env = weft_alloc(self, ((size_t)count + 1) * sizeof(env[0]));
    if (env == NULL) return -ENOMEM;
    for (int i = 0; i < count; i++)
        env[i] = argv[i];
    env[count] = NULL;
    const int result = start_all(self, application, argc - count, argv + count, env,
                                 weft_server_start_link, master);
    weft_free(self, env);
    return result;
}

static void refuse(struct weft_actor *self, const struct weft_application *application, int error)
{
    if (error == WEFT_SERVER_IGNORE) weft_exit(self, WEFT_EXIT_NORMAL);
    weft_say(self, WEFT_LEVEL_ERROR, "the application %s does not start: %s", application->name,
             error == -EALREADY ? "it runs already" : strerror(-error));
    weft_exit(self, WEFT_EXIT_FAULT);
}

void weft_application_run(struct weft_actor *self, const struct weft_application *application,
                          int argc, char *const *argv)
{
    static const struct weft_match exits = {.tags = 1u << WEFT_MESSAGE_EXIT};
    weft_pid master;
    weft_trap_exit(self, true);
    const int result =
        start_linked(self, application, argc > 0 ? argc - 1 : 0, argv + (argc > 0), &master);
    if (result != 0) refuse(self, application, result);
    const struct weft_message *end = weft_receive_match(self, &exits, WEFT_FOREVER);
    const uint16_t reason = end != NULL ? end->type : WEFT_EXIT_QUOTA;
    // Somebody wants us to end: so ends the application, in order.
    if (end == NULL || end->from != master)
        weft_application_stop(self, application->name, WEFT_FOREVER);
    weft_exit(self, reason);
}

// ---- Asking.

weft_pid weft_application_find(const struct weft_actor *self, const char *name)
{
    struct full_name full;
    return make_name(name, &full) ? weft_whereis(self, full.text) : 0;
}

int weft_application_stop(struct weft_actor *self, const char *name, uint64_t timeout_ns)
{
    const weft_pid master = weft_application_find(self, name);
    return master != 0 ? weft_server_stop(self, master, WEFT_EXIT_SHUTDOWN, timeout_ns) : -ESRCH;
}

int weft_application_env(struct weft_actor *self, const char *name, const char *key, char *value,
                         size_t limit)
{
    const weft_pid master = weft_application_find(self, name);
    struct weft_message *reply;
    if (master == 0) return -ESRCH;
    int result =
        weft_call(self, master, WEFT_APPLICATION_ENV, key, strlen(key) + 1, WEFT_FOREVER, &reply);
    if (result != 0) return result;
    if (reply->length <= limit)
        memcpy(value, reply->payload, reply->length);
    else
        result = -ENOBUFS;
    weft_release(self, reply);
    return result;
}
