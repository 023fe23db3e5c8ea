#include "runtime/tool/context.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/admin/client_key.h"
#include "runtime/base/file.h"
#include "runtime/base/proquint.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"
#include "runtime/tool/release.h"

#define CONTEXTS    "contexts"
#define KEY         "owner.pem" // What `weft context keygen` makes, unless it is told where.
#define TOKEN_BYTES sizeof(((struct weft_client_target *)0)->token)

// ---- The file.

// The file `name` of the user's own directory, which is made if it has to be.
static int file_path(char path[PATH_MAX], const char *name, bool make, struct weft_error *error)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char parent[PATH_MAX / 2], directory[PATH_MAX / 2 + 8];

    if (config != NULL && config[0] == '/')
        snprintf(parent, sizeof(parent), "%s", config);
    else if (home != NULL && home[0] == '/')
        snprintf(parent, sizeof(parent), "%s/.config", home);
    else
        return weft_error_set(error, 504,
                              "neither HOME nor XDG_CONFIG_HOME says where contexts are");
    snprintf(directory, sizeof(directory), "%s/weft", parent);
    if (make && ((mkdir(parent, 0700) != 0 && errno != EEXIST) ||
                 (mkdir(directory, 0700) != 0 && errno != EEXIST)))
        return weft_error_set(error, 504, "%s: %s", directory, strerror(errno));
    snprintf(path, PATH_MAX, "%s/%.32s", directory, name);
    return 0;
}

static bool read_line(const char *line, struct weft_client_target *target)
{
    unsigned port;
    int used = 0;

    memset(target, 0, sizeof(*target));
    const int words =
        sscanf(line, "%63s %127s %5u %64[0-9a-f] %259s %255[^\n]%n", target->name, target->host,
               &port, target->fingerprint, target->token, target->key, &used);
    if (words < 5 || port == 0 || port > 65535 || strlen(target->fingerprint) != 64) return false;
    target->port = (uint16_t)port;
    const bool is_keyed = strcmp(target->token, "-") == 0; // No token is as short as that.
    if (is_keyed) target->token[0] = '\0';
    return is_keyed == (words == 6) && (!is_keyed || line[used] == '\n');
}

int weft_contexts_read(struct weft_contexts *contexts, struct weft_error *error)
{
    char path[PATH_MAX], line[1024];
    struct stat status;
    int result = 0;

    memset(contexts, 0, sizeof(*contexts));
    if (file_path(path, CONTEXTS, false, NULL) != 0) return 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    // It holds tokens: who may read it may act as the owner.
    if (fstat(fileno(file), &status) == 0 && (status.st_mode & 077) != 0)
        result = weft_error_set(error, 504, "%s: others may read it: chmod 600", path);
    for (unsigned number = 1; result == 0 && fgets(line, sizeof(line), file) != NULL; number++) {
        if (contexts->count == WEFT_CONTEXTS_MAX ||
            !read_line(line, &contexts->items[contexts->count]))
            result = weft_error_set(error, 504, "%s:%u: no context, or too many", path, number);
        contexts->count++;
    }
    fclose(file);
    return result;
}

int weft_contexts_write(const struct weft_contexts *contexts, struct weft_error *error)
{
    char path[PATH_MAX], *text = NULL;
    size_t length = 0;

    if (file_path(path, CONTEXTS, true, error) != 0) return -1;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) return weft_error_set(error, 504, "no memory");
    for (size_t i = 0; i < contexts->count; i++) {
        const struct weft_client_target *target = &contexts->items[i];
        const bool is_keyed = target->key[0] != '\0';
        fprintf(out, "%s %s %u %s %s%s\n", target->name, target->host, (unsigned)target->port,
                target->fingerprint, is_keyed ? "- " : target->token, target->key);
    }
    const int result = fclose(out) == 0 ? weft_file_replace(path, text, length, 0600) : -ENOMEM;
    free(text);
    return result == 0 ? 0 : weft_error_set(error, 504, "%s: %s", path, strerror(-result));
}

const struct weft_client_target *weft_contexts_find(const struct weft_contexts *contexts,
                                                    const char *name)
{
    for (size_t i = 0; i < contexts->count; i++) {
        if (strcmp(contexts->items[i].name, name) == 0) return &contexts->items[i];
    }
    return NULL;
}

static void drop(struct weft_contexts *contexts, const char *name)
{
    for (size_t i = 0; i < contexts->count; i++) {
        if (strcmp(contexts->items[i].name, name) != 0) continue;
        contexts->count--;
        memmove(&contexts->items[i], &contexts->items[i + 1],
                (contexts->count - i) * sizeof(contexts->items[0]));
        return;
    }
}

// The words, whatever stands between them, or the fingerprint itself.
static bool code_matches(const char *code, const char *fingerprint)
{
    char words[WEFT_PROQUINT_BYTES];
    const char *wanted = words;

    if (strcasecmp(code, fingerprint) == 0) return true;
    weft_proquint_words(fingerprint, words);
    while (*wanted != '\0') {
        while (*code == ' ' || *code == '-')
            code++;
        if (*wanted == '-') wanted++;
        if ((*code | 0x20) != *wanted) return false;
        code++;
        wanted++;
    }
    return *code == '\0';
}

// ---- weft context add

static int read_token(const struct weft_tool_call *call, char token[TOKEN_BYTES],
                      struct weft_error *error)
{
    const char *path = weft_tool_value(call, "token"), *given = getenv("WEFT_TOKEN");
    struct weft_span text;

    if (path == NULL && given != NULL) {
        snprintf(token, TOKEN_BYTES, "%s", given);
        return 0;
    }
    if (path == NULL)
        return weft_error_set(
            error, 504,
            "--token FILE is needed: the owner.token on the node's drive; or --key "
            "FILE, the private half of its owner.key");
    if (weft_release_text(path, &text, error) != 0) return -1;
    size_t length = 0;
    while (length < text.length && text.data[length] > ' ')
        length++;
    const bool fits = length > 0 && length < TOKEN_BYTES;
    if (fits) snprintf(token, TOKEN_BYTES, "%.*s", (int)length, (const char *)text.data);
    free((void *)(uintptr_t)text.data);
    return fits ? 0 : weft_error_set(error, 504, "%s holds no token", path);
}

// The key of --key, or without any token the user's own if there is one. False: a token is used.
static bool find_key(const struct weft_tool_call *call, char path[PATH_MAX])
{
    const char *key = weft_tool_value(call, "key");

    if (key != NULL) { // Kept, so it has to mean the same from everywhere.
        if (realpath(key, path) == NULL) snprintf(path, PATH_MAX, "%s", key);
        return true;
    }
    return weft_tool_value(call, "token") == NULL && getenv("WEFT_TOKEN") == NULL &&
           file_path(path, KEY, false, NULL) == 0 && access(path, F_OK) == 0;
}

// HOST, HOST:PORT or https://HOST:PORT, and what its owner is known by.
static int read_target(const struct weft_tool_call *call, struct weft_client_target *target,
                       struct weft_error *error)
{
    // Any certificate would do for this; it is asked for next, and compared with the code.
    static const char any[65] = "0000000000000000000000000000000000000000000000000000000000000000";
    const char *address = call->args[0];
    char url[256], token[TOKEN_BYTES], key[PATH_MAX];

    snprintf(url, sizeof(url), "%s%.200s", strncmp(address, "https://", 8) == 0 ? "" : "https://",
             address);
    if (find_key(call, key)) return weft_client_target_keyed(target, url, key, any, error);
    if (read_token(call, token, error) != 0) return -1;
    return weft_client_target_owner(target, url, token, any, error);
}

// The token is only sent to a node whose certificate is the one that was meant.
static int meet(const struct weft_tool_call *call, struct weft_client_target *target,
                struct weft_error *error)
{
    const char *code = weft_tool_value(call, "code");
    char words[WEFT_PROQUINT_BYTES];

    if (weft_client_fingerprint(target, target->fingerprint, error) != 0) return -1;
    if (code != NULL && code_matches(code, target->fingerprint)) return 0;
    weft_proquint_words(target->fingerprint, words);
    weft_error_set(error, 502, "%s shows %s%s", target->name, words,
                   code != NULL ? ", and that is not the code" : "");
    weft_error_hint(error, "if the node's console or status.txt shows the same: --code %s", words);
    return -1;
}

// What the node calls itself, which also shows that it takes the token.
static int ask_name(const struct weft_tool *tool, const struct weft_client_target *target,
                    char name[64], struct weft_error *error)
{
    unsigned status;
    json_t *node =
        weft_client_json(target, "GET", "/api/v1/node", NULL, tool->timeout_ms, &status, error);
    const char *text = json_string_value(json_object_get(node, "name"));

    if (node != NULL && text == NULL) weft_error_set(error, 501, "what answers there has no name");
    if (text != NULL) snprintf(name, 64, "%.63s", text);
    json_decref(node);
    return text != NULL ? 0 : -1;
}

static int add(const struct weft_tool_call *call, struct weft_client_target *target,
               struct weft_error *error)
{
    struct weft_contexts contexts;
    char name[64];

    if (weft_contexts_read(&contexts, error) != 0 || read_target(call, target, error) != 0 ||
        meet(call, target, error) != 0 || ask_name(call->tool, target, name, error) != 0)
        return -1;
    if (weft_tool_value(call, "name") != NULL)
        snprintf(name, sizeof(name), "%s", weft_tool_value(call, "name"));
    if (strcspn(name, " \t\n/") != strlen(name) || name[0] == '\0')
        return weft_error_set(error, 504, "\"%s\" cannot be the name of a context", name);
    memcpy(target->name, name, sizeof(name));
    drop(&contexts, name);
    if (contexts.count == WEFT_CONTEXTS_MAX)
        return weft_error_set(error, 504, "there are %d contexts already", WEFT_CONTEXTS_MAX);
    contexts.items[contexts.count++] = *target;
    return weft_contexts_write(&contexts, error);
}

int weft_run_context_add(struct weft_tool_call *call)
{
    struct weft_client_target target;
    struct weft_error error = {0};

    if (add(call, &target, &error) != 0) return weft_tool_fail(call->tool, &error);
    fprintf(call->tool->err, "%s is at %s:%u now: weft node show %s\n", target.name, target.host,
            (unsigned)target.port, target.name);
    return WEFT_EXIT_DONE;
}

// ---- weft context keygen

// The key is made once; asked again, its public half is printed again.
static int keygen(const struct weft_tool_call *call, char pem[WEFT_CLIENT_KEY_PEM_BYTES],
                  struct weft_error *error)
{
    const char *path = weft_tool_arg(call, 0);
    struct weft_client_key key;
    char own[PATH_MAX];

    if (path == NULL && file_path(own, KEY, true, error) != 0) return -1;
    if (path == NULL) path = own;
    if (access(path, F_OK) != 0) {
        if (weft_client_key_make(path, error) != 0) return -1;
        fprintf(call->tool->err,
                "made %s; its public half, below, is what owner.key on a node's "
                "drive is to hold\n",
                path);
    }
    if (weft_client_key_open(&key, path, error) != 0) return -1;
    const int result = weft_client_key_public(&key, pem, error);
    weft_client_key_close(&key);
    return result;
}

int weft_run_context_keygen(struct weft_tool_call *call)
{
    char pem[WEFT_CLIENT_KEY_PEM_BYTES];
    struct weft_error error = {0};

    if (keygen(call, pem, &error) != 0) return weft_tool_fail(call->tool, &error);
    fputs(pem, call->tool->out);
    return WEFT_EXIT_DONE;
}

// ---- weft context ls, rm

int weft_run_context_ls(struct weft_tool_call *call)
{
    static const struct weft_column columns[] = {{"NAME", "name", WEFT_COLUMN_TEXT},
                                                 {"HOST", "host", WEFT_COLUMN_TEXT},
                                                 {"PORT", "port", WEFT_COLUMN_COUNT},
                                                 {"WORDS", "words", WEFT_COLUMN_TEXT},
                                                 {NULL}};
    struct weft_contexts contexts;
    struct weft_error error = {0};
    char words[WEFT_PROQUINT_BYTES];

    if (weft_contexts_read(&contexts, &error) != 0) return weft_tool_fail(call->tool, &error);
    json_t *items = json_array();
    for (size_t i = 0; i < contexts.count; i++) {
        const struct weft_client_target *target = &contexts.items[i];
        weft_proquint_words(target->fingerprint, words);
        json_array_append_new(items, json_pack("{s:s, s:s, s:i, s:s, s:s}", "name", target->name,
                                               "host", target->host, "port", (int)target->port,
                                               "words", words, "fingerprint", target->fingerprint));
    }
    json_t *document = json_pack("{s:s, s:o}", "apiVersion", "v1", "items", items);
    weft_output_list(call->tool, document, columns);
    json_decref(document);
    return WEFT_EXIT_DONE;
}

int weft_run_context_rm(struct weft_tool_call *call)
{
    struct weft_contexts contexts;
    struct weft_error error = {0};

    if (weft_contexts_read(&contexts, &error) != 0) return weft_tool_fail(call->tool, &error);
    if (weft_contexts_find(&contexts, call->args[0]) == NULL) {
        fprintf(call->tool->err, "error: there is no context %s\n", call->args[0]);
        return WEFT_EXIT_NO;
    }
    drop(&contexts, call->args[0]);
    return weft_contexts_write(&contexts, &error) == 0 ? WEFT_EXIT_DONE
                                                       : weft_tool_fail(call->tool, &error);
}
