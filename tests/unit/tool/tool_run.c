#include "tests/unit/tool/tool_run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/admin/place.h"
#include "runtime/admin/server.h"
#include "runtime/base/assert.h"

struct tool_world {
    struct fake_node fake;
    struct weft_admin_server *server;
    char run[64];
    pthread_t thread;
    _Atomic bool stop; // Set by the test, read by the thread that turns; nothing else hangs on it.
};

static void *turn(void *self)
{
    struct tool_world *world = self;

    while (!atomic_load(&world->stop))
        weft_admin_server_turn(world->server, 5);
    return NULL;
}

struct tool_world *tool_world_create(void)
{
    struct tool_world *world = calloc(1, sizeof(*world));
    struct weft_error error = {0};
    char path[108];

    weft_assert(world != NULL);
    strcpy(world->run, "/tmp/weft-tool-XXXXXX");
    weft_assert(mkdtemp(world->run) != NULL);
    setenv("WEFT_RUN_DIR", world->run, 1);
    setenv("TZ", "UTC", 1);
    fake_node_init(&world->fake);
    const struct weft_admin_options options = {.source = &world->fake.source,
                                               .clock = weft_clock_linux()};
    world->server = weft_admin_server_create(&options);
    weft_assert(world->server != NULL);
    weft_assert(weft_place_make(world->run, "n1", &error) == 0);
    weft_assert(weft_place_socket(world->run, "n1", path, &error) == 0);
    weft_assert(weft_admin_listen_unix(world->server, path, &error) == 0);
    weft_assert(pthread_create(&world->thread, NULL, turn, world) == 0);
    return world;
}

void tool_world_free(struct tool_world *world)
{
    char path[128];

    atomic_store(&world->stop, true);
    pthread_join(world->thread, NULL);
    weft_admin_server_free(world->server);
    snprintf(path, sizeof(path), "%s/n1", world->run);
    rmdir(path);
    rmdir(world->run);
    free(world);
}

struct fake_node *tool_world_node(struct tool_world *world)
{
    return &world->fake;
}

const char *tool_world_run(const struct tool_world *world)
{
    return world->run;
}

// Splits `text` in place; a word in '…' may hold spaces.
static int split(char *text, char **words, int limit)
{
    int count = 0;

    while (*text != '\0' && count < limit - 1) {
        const char end = *text == '\'' ? '\'' : ' ';
        if (end == '\'') text++;
        words[count++] = text;
        while (*text != '\0' && *text != end)
            text++;
        if (*text != '\0') *text++ = '\0';
        while (*text == ' ')
            text++;
    }
    words[count] = NULL;
    return count;
}

void tool_run(struct tool_result *result, const char *line)
{
    static const struct weft_tool_command *const tables[] = {weft_tool_commands,
                                                             weft_image_commands, NULL};
    char text[1024], *words[32];
    FILE *out = fmemopen(result->out, sizeof(result->out), "w");
    FILE *err = fmemopen(result->err, sizeof(result->err), "w");
    struct weft_tool tool = {.out = out, .err = err, .tables = tables};

    memset(result, 0, sizeof(*result));
    snprintf(text, sizeof(text), "weft %s", line);
    const int count = split(text, words, 32);
    result->code = weft_tool_run(&tool, count, words);
    fclose(out);
    fclose(err);
}
