#include "image/init/node_config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/toml.h"
#include "image/init/text_file.h"
#include "runtime/base/file.h"

#define KEPT_BYTES_MAX (4u << 20) // Of one file that the configuration names.

int weft_node_config_write(const struct weft_config *config, const struct weft_node_places *places,
                           const char *path)
{
    struct weft_config placed = *config;
    char *text = NULL;
    size_t length = 0;
    char socket[128];
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) return -ENOMEM;
    placed.node.data_dir = places->data_dir;
    placed.node.run_dir = places->run_dir;
    snprintf(socket, sizeof(socket), "%s/admin.sock", places->run_dir);
    placed.admin.socket = socket;
    weft_config_print(&placed, out);
    int result = fclose(out) == 0 ? 0 : -ENOMEM;
    if (result == 0) result = weft_file_replace(path, text, length, 0600);
    free(text);
    return result;
}

int weft_node_config_maintenance(const struct weft_node_places *places, const char *owner_token,
                                 const char *owner_key, const char *path)
{
    char text[1024], admin[256] = "";
    if (owner_token != NULL || owner_key != NULL)
        snprintf(admin, sizeof(admin),
                 "[admin]\nlisten = \"0.0.0.0:9338\"\nowner_token = \"%.64s\"\n"
                 "owner_key = \"%.64s\"\n",
                 owner_token != NULL ? owner_token : "", owner_key != NULL ? owner_key : "");
    const int length = snprintf(text, sizeof(text),
                                "# Maintenance mode: no port, no mesh, no journal.\n"
                                "[node]\nname = \"maintenance\"\ndata_dir = \"%.64s\"\n"
                                "run_dir = \"%.64s\"\n[journal]\nenabled = false\n%s",
                                places->data_dir, places->run_dir, admin);
    return weft_file_replace(path, text, (size_t)length, 0600);
}

// The name of a file right in the directory of `from`; NULL if it is somewhere else.
static const char *beside(const char *file, const char *from)
{
    const char *slash = strrchr(from, '/');
    const size_t directory = slash != NULL ? (size_t)(slash - from + 1) : 0;
    if (file == NULL || strncmp(file, from, directory) != 0) return NULL;
    const char *name = file + directory;
    return *name == '\0' || strchr(name, '/') != NULL ? NULL : name;
}

static bool is_own(const char *name)
{
    static const char *const own[] = {"weft.toml", "good",      "clock",    "random-seed",
                                      "reset",     "machine",   "releases", "releases.lock",
                                      "try.toml",  "tried.toml"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(name, own[i]) == 0) return true;
    }
    return false;
}

static int copy(const char *from, const char *to, size_t bytes_max)
{
    char *bytes = malloc(bytes_max + 1);
    if (bytes == NULL) return -ENOMEM;
    const ssize_t length = weft_text_file_read(from, bytes, bytes_max + 1);
    const int result =
        length < 0 ? (int)length : weft_file_replace(to, bytes, (size_t)length, 0600);
    free(bytes);
    return result;
}

static int keep_one(const char *file, const char *from, const char *to)
{
    char path[PATH_MAX];
    const char *name = beside(file, from);
    if (name == NULL) return 0;
    if (is_own(name)) return -EEXIST;
    snprintf(path, sizeof(path), "%s/%s", to, name);
    return copy(file, path, KEPT_BYTES_MAX);
}

int weft_node_config_keep(const struct weft_config *config, const char *from, const char *to)
{
    char path[PATH_MAX];
    int result = keep_one(config->mesh.key_file, from, to);
    if (result == 0) result = keep_one(config->admin.owner_token, from, to);
    if (result == 0) result = keep_one(config->admin.owner_key, from, to);
    for (size_t i = 0; result == 0 && i < config->unit_count; i++) {
        result = keep_one(config->unit[i].file, from, to);
    }
    for (size_t i = 0; result == 0 && i < config->actor_count; i++) {
        result = keep_one(config->actor[i].file, from, to);
    }
    snprintf(path, sizeof(path), "%s/weft.toml", to);
    return result == 0 ? copy(from, path, WEFT_TOML_BYTES_MAX) : result;
}
